// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inline, whether servers' answers come back through us. BPF counts clients that acknowledge a SYN-ACK which
 * never crossed, and SYN-ACKs that did; only SYNs that crossed are looked at, so that nothing is said of what
 * began before us.
 */
#include "daemon/engine/state.h"

#include "daemon/events/events.h"
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

void path_judge(struct engine *e, uint32_t slot)
{
	const struct service_state *state = fastpath_state(e->fastpath, slot);
	struct slot *s = &e->slots[slot];
	uint32_t asymmetric = state->asymmetric - s->asymmetric_base;
	uint64_t now_s = clock_now_s();

	if (asymmetric >= LEAST && asymmetric > state->answered - s->answered_base) {
		s->asymmetric_at_s = now_s;
		if (!s->asymmetric_logged_s || now_s - s->asymmetric_logged_s > REMEMBERED_S) {
			event_tell(EVENT_RETURN_PATH_ASYMMETRIC, EV_TEXT("service", s->name),
				   EV_NUMBER("connections", asymmetric));
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
