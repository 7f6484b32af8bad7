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
struct notice;
struct resync;

/* Counters that outlive the daemon, by their words in its memory: new ones go to the end. */
enum tracker_kept {
	KEPT_REFUSED,
	KEPT_OPENED,
	KEPT_CLOSED,
	KEPT_UNKNOWN,
	KEPT_RESYNCS,
	KEPT_ENDED,
	KEPT_COUNTERS,
};

struct tracker {
	struct engine *engine;
	struct fastpath *fastpath;
	struct flowtable *table; /* NULL: tracking is off */
	struct mnl_socket *diag; /* NULL: inline, where the sockets are elsewhere */
	struct resync *resync;
	struct notice *notice;
	sd_event_source *timer;
	uint64_t interval_us;
	bool attacked[SERVICE_SLOTS]; /* a second ago */
	bool rearming;		      /* as some of them were not before */
	uint32_t rearmed;	      /* cursor of flowtable_walk */
	uint32_t looked_s, swept_s, resynced_s;
	uint32_t questions; /* that the kernel may yet be asked this turn */
	uint64_t healed,
		healing; /* losses that a resynchronisation has made good, and that the one under way does */
	struct tracker_status status; /* its counters; the rest is filled in when asked */
	uint64_t *kept;		      /* by enum tracker_kept: base and status together */
	uint64_t base[KEPT_COUNTERS]; /* of daemons before */
};

static inline uint64_t store_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

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

static inline uint32_t store_now_ticks(void)
{
	return (uint32_t)(store_now_ms() * FLOWTABLE_TICKS_PER_S / 1000);
}

static inline bool store_asks_kernel(const struct tracker *t)
{
	return t->diag;
}

/* On a host: where its sockets receive; 0 as long as that is not there. */
static inline uint32_t store_ifindex(const struct tracker *t)
{
	return fastpath_runtime(t->fastpath)->port_ifindex[PORT_OUTSIDE];
}

/* After a change: counts it, and sees to the flow's future, which may be that it goes. before: its states. */
void store_settle(struct tracker *tracker, struct flow *flow, const uint8_t before[ENDPOINTS]);

/* The server's state is another one than the events told: so is the client's. */
void store_adopt(struct flow *flow, enum tcp_state server);

/* The server's socket has gone without a segment that told. What the client's has come to, only a client that
 * still has something to say will tell. */
void store_server_gone(struct flow *flow);

/* TCP_… of <netinet/tcp.h>. */
enum tcp_state store_state_of_kernel(unsigned int state);

/* As it stands; now_s: that its ages are counted to. */
void store_view(const struct tracker *tracker, const struct flow *flow, uint32_t now_s,
		struct flow_view *view);

/* tracker_select_new, without the events that nobody has read yet. */
int store_select_new(struct flow_selection **selection, struct tracker *tracker,
		     const struct flow_filter *filter, size_t max);

/* Once a second, and before a counter is told: one that was told never falls, however the daemon ends. */
void store_keep_counters(struct tracker *tracker);

/* Reads what events there are, and lets expire what is due. How many events, or a negative errno. */
int store_catch_up(struct tracker *tracker);

#endif
