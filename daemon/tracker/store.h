/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tracker's own state, and the calls between its files. Nobody outside this folder includes it.
 */
#ifndef SYNMOAT_TRACKER_STORE_H
#define SYNMOAT_TRACKER_STORE_H

#include <systemd/sd-event.h>
#include <time.h>

#include "daemon/engine/engine.h"
#include "daemon/maps/fastpath.h"
#include "daemon/tracker/flowtable.h"
#include "daemon/tracker/tracker.h"

struct mnl_socket;

struct tracker {
	struct engine *engine;
	struct fastpath *fastpath;
	struct flowtable *table; /* NULL: tracking is off */
	struct mnl_socket *diag; /* NULL: inline, where the sockets are elsewhere */
	sd_event_source *timer;
	uint64_t interval_us;
	uint32_t looked_s, swept_s, resynced_s;
	uint32_t questions;	      /* that the kernel may yet be asked this turn */
	uint64_t healed;	      /* losses that a resynchronisation has made good */
	struct tracker_status status; /* its counters; the rest is filled in when asked */
};

static inline uint64_t store_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static inline uint32_t store_now_s(void)
{
	return (uint32_t)(store_now_ms() / 1000);
}

/* Reads what events there are, and lets expire what is due. How many events, or a negative errno. */
int store_catch_up(struct tracker *tracker);

#endif
