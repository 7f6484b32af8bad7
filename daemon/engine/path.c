// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inline, whether servers' answers come back through us. BPF counts clients that acknowledge a SYN-ACK which
 * never crossed, and SYN-ACKs that did; only SYNs that crossed are looked at, so that nothing is said of what
 * began before us.
 */
#include "daemon/engine/state.h"

#include "daemon/log.h"
#include "daemon/maps/fastpath.h"

#define PERIOD_S     60
#define LEAST	     3 /* connections in a period; and more than were answered */
#define REMEMBERED_S 600

static void begin_period(struct slot *s, const struct service_state *state, uint64_t now_s)
{
	s->judged_since_s = now_s;
	s->asymmetric_base = state->asymmetric;
	s->answered_base = state->answered;
}

static void log_asymmetric(const struct slot *s, uint32_t connections)
{
	log_print(LOG_ERR,
		  "service %s: answers of its servers do not come back through this machine (%u connections, "
		  "asymmetric "
		  "return path, DSR): inline cannot defend it, and breaks it while it answers with cookies. "
		  "Route the "
		  "servers' replies through it, or run synmoat in host mode on the servers; until then: "
		  "synmoat service "
		  "mode %s off",
		  s->name, connections, s->name);
}

void path_judge(struct engine *e, uint32_t slot)
{
	const struct service_state *state = fastpath_state(e->fastpath, slot);
	struct slot *s = &e->slots[slot];
	uint32_t asymmetric = state->asymmetric - s->asymmetric_base;
	uint64_t now_s = clock_now_s();

	if (asymmetric >= LEAST && asymmetric > state->answered - s->answered_base) {
		s->asymmetric_at_s = now_s;
		if (!s->asymmetric_logged_s || now_s - s->asymmetric_logged_s > REMEMBERED_S) {
			log_asymmetric(s, asymmetric);
			s->asymmetric_logged_s = now_s;
		}
		begin_period(s, state, now_s);
	} else if (now_s - s->judged_since_s >= PERIOD_S) {
		begin_period(s, state, now_s);
	}
}

bool path_is_asymmetric(const struct slot *slot)
{
	return slot->asymmetric_at_s && clock_now_s() - slot->asymmetric_at_s <= REMEMBERED_S;
}
