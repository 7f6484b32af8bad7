// SPDX-License-Identifier: GPL-2.0-or-later
/* See scan.h. */
#include "daemon/engine/scan.h"

#include <string.h>

#include "daemon/detect/distinct.h"
#include "daemon/engine/state.h"
#include "daemon/events/events.h"
#include "daemon/maps/fastpath.h"

#define SAMPLE_LEAST 4	 /* one SYN in so many, at rest too: a scan may be over within a second */
#define SAMPLES_MOST 400 /* a second */
#define QUIET_S	     10	 /* that ends a scan */

void scan_sample(struct scan *s, const struct in6_addr *source)
{
	talkers_add(&s->sources, source);
	s->samples++;
}

/* How many destinations were tried within the window. */
static uint32_t count_tried(struct scan *s, struct engine *e)
{
	fastpath_take_registers(e->fastpath, SERVICE_NONE, &s->window[s->at++ % SCAN_WINDOW_S]);
	memset(&s->merged, 0, sizeof(s->merged));
	for (int i = 0; i < SCAN_WINDOW_S; i++)
		distinct_merge(&s->merged, &s->window[i]);
	return distinct_estimate(&s->merged);
}

static void tell(const struct scan *s, const struct engine *e, uint32_t tried)
{
	struct talker top[TALKERS_TOP];
	size_t count = talkers_top(&s->sources, top);
	char source[INET6_ADDRSTRLEN + 8] = "";

	if (count && top[0].percent >= e->config->share_percent)
		prefix_format(&top[0].prefix, source, sizeof(source));
	event_tell(EVENT_PORT_SCAN, EV_TEXT("source", source), EV_NUMBER("ports", tried),
		   EV_NUMBER("window_s", SCAN_WINDOW_S));
}

/* So that neither a scan nor a flood of unused ports fills the ring. */
static void pace_samples(struct scan *s, struct service_state *state)
{
	if (!state->sample)
		state->sample = SAMPLE_LEAST;
	else if (s->samples > SAMPLES_MOST && state->sample < 1U << 20)
		state->sample *= 2;
	else if (s->samples < SAMPLES_MOST / 4 && state->sample > SAMPLE_LEAST)
		state->sample /= 2;
	s->samples = 0;
}

void scan_tick(struct scan *s, struct engine *e)
{
	uint32_t tried = count_tried(s, e);
	bool above = tried >= e->config->scan_ports;

	pace_samples(s, fastpath_state(e->fastpath, SERVICE_NONE));
	s->quiet_s = above ? 0 : s->quiet_s + 1;
	/* a second later more is known of who it is */
	if (above && s->going_on && !s->told) {
		tell(s, e, tried);
		s->told = true;
	}
	s->going_on |= above;
	if (s->quiet_s >= (s->going_on ? QUIET_S : SCAN_WINDOW_S)) {
		s->going_on = s->told = false;
		s->sources.kept = 0;
		s->sources.seen = 0;
	}
}
