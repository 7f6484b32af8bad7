// SPDX-License-Identifier: GPL-2.0-or-later
/* See notice.h. */
#include "daemon/tracker/notice.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/config/config.h"
#include "daemon/engine/engine.h"
#include "daemon/events/events.h"
#include "daemon/tracker/scanners.h"
#include "daemon/tracker/slowness.h"

struct notice {
	struct engine *engine;
	struct scanners *scanners;
	struct slowness slowness[SERVICE_SLOTS];
};

int notice_new(struct notice **notice, struct engine *engine)
{
	struct notice *n = calloc(1, sizeof(*n));
	int error = n ? scanners_new(&n->scanners) : -ENOMEM;

	if (error) {
		notice_free(n);
		return error;
	}
	n->engine = engine;
	*notice = n;
	return 0;
}

void notice_free(struct notice *n)
{
	if (!n)
		return;
	scanners_free(n->scanners);
	free(n);
}

static void tell_scan(const struct scan_report *report)
{
	struct prefix prefix = { .address = report->source, .length_bits = 128 };
	char source[INET6_ADDRSTRLEN + 4];

	if (!IN6_IS_ADDR_V4MAPPED(&report->source))
		prefix.length_bits = 64;
	prefix_format(&prefix, source, sizeof(source));
	event_tell(EVENT_PORT_SCAN, EV_TEXT("source", source), EV_NUMBER("ports", report->ports),
		   EV_NUMBER("window_s", SCANNERS_WINDOW_S), EV_NUMBER("completed", report->completed),
		   EV_FLAG("unproven", !report->completed));
}

static void note_attempt(struct notice *n, const struct tuple *tuple, enum attempt attempt, uint32_t now_s)
{
	uint32_t most = engine_get_config(n->engine)->tracked_scan_ports;
	struct scan_report report;

	if (most && scanners_note(n->scanners, (const struct in6_addr *)tuple->client,
				  (const struct in6_addr *)tuple->server, tuple->server_port, attempt, most,
				  now_s, &report))
		tell_scan(&report);
}

void notice_refusal(struct notice *n, const struct tuple *tuple, uint32_t now_s)
{
	note_attempt(n, tuple, ATTEMPT_REFUSED, now_s);
}

static void note_length(struct notice *n, uint32_t slot, uint32_t handshake_us, uint32_t now_s)
{
	const struct config *config = engine_get_config(n->engine);
	uint64_t slow_us = config->slow_handshake_ms * 1000ULL;
	struct slowness *s = &n->slowness[slot % SERVICE_SLOTS];
	uint32_t median_us;

	/* what a flood leaves behind is told as an attack */
	if (!config->slow_handshakes || engine_slot_above_marks(n->engine, slot) ||
	    !slowness_note(s, handshake_us, (uint32_t)slow_us, config->slow_handshakes, now_s))
		return;
	median_us = slowness_median_us(s);
	event_tell(EVENT_SLOW_HANDSHAKES, EV_TEXT("service", engine_slot_name(n->engine, slot)),
		   EV_NUMBER("handshakes", s->slow), EV_NUMBER("threshold_ms", config->slow_handshake_ms),
		   EV_NUMBER("window_s", now_s - s->began_s + 1), EV_NUMBER("median_ms", median_us / 1000));
}

void notice_opened(struct notice *n, const struct flow *f, const struct tuple *tuple, bool sure,
		   uint32_t now_s)
{
	if (f->flags & FLOW_TIMED)
		note_length(n, f->service, f->handshake_us, now_s);
	if (sure)
		note_attempt(n, tuple, ATTEMPT_COMPLETED, now_s);
}

void notice_abandoned(struct notice *n, const struct flow *f, uint32_t now_s)
{
	note_length(n, f->service, SLOWNESS_NEVER, now_s);
}
