/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Endpoint tracking: reads the fast path's events, keeps both ends' states of every connection, asks the
 * kernel where no segment can tell, and answers questions about flows. Uses the engine; control uses it.
 */
#ifndef SYNMOAT_TRACKER_H
#define SYNMOAT_TRACKER_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/config/config.h"
#include "daemon/tracker/flow.h"

struct engine;
struct sd_event;
struct tracker;

struct tracker_status {
	bool enabled;
	uint32_t flows, flows_max;
	uint64_t events, lost;	 /* lost: transitions that may have been missed, and healed by resyncs */
	uint64_t refused;	 /* the table was full */
	uint64_t opened, closed; /* connections that were ESTABLISHED; that ended after that */
	uint64_t unknown;	 /* events of no known flow */
	uint64_t resyncs;	 /* with the kernel's sockets, the one at start included */
	bool resyncing;		 /* one is under way, and has read so many flows: */
	uint64_t resync_met;
	uint64_t ended;			    /* half-opens, by half_open_timeout_s */
	uint32_t pairs[TS_COUNT][TS_COUNT]; /* flows by client's and server's state */
};

/* A flow as it stands now. */
struct flow_view {
	struct tuple tuple;
	enum tcp_state state[ENDPOINTS];
	const char *service;
	uint32_t age_s, in_state_s, handshake_us; /* handshake_us 0: not known */
	uint32_t expires_ms;			  /* until the next look at it */
	bool cookie, seeded;
};

enum flow_order { ORDER_AGE, ORDER_NEWEST, ORDER_CLIENT, ORDER_STATE, ORDER_COUNT };

/* What is wanted; all zero but for states (a bit for each): every flow. */
struct flow_filter {
	bool has_prefix;
	struct prefix prefix; /* of either end's address */
	uint16_t port;	      /* of either end, host order; 0: any */
	const char *service;  /* NULL: any */
	uint32_t states[ENDPOINTS];
	uint32_t older_s, younger_s; /* younger_s 0: any */
	enum flow_order order;
};

#define FLOW_ANY_STATE ((1U << TS_COUNT) - 1)

/* Where tracking is off, a tracker without flows. 0 or a negative errno. */
int tracker_new(struct tracker **tracker, struct sd_event *event, struct engine *engine);
void tracker_free(struct tracker *tracker);

void tracker_get_status(struct tracker *tracker, struct tracker_status *status);

/*
 * The first max of those that fit, in order, in slices: tracker_select_step goes on for about slice_us and
 * returns 1 as long as there is more to do, 0, or -ENOMEM. What comes or ends meanwhile may be in it or not.
 * Then views are as many as tracker_select_views returns; *total: how many fit.
 */
struct flow_selection;
int tracker_select_new(struct flow_selection **selection, struct tracker *tracker,
		       const struct flow_filter *filter, size_t max);
void tracker_select_free(struct flow_selection *selection);
int tracker_select_step(struct flow_selection *selection, uint32_t slice_us);
size_t tracker_select_views(const struct flow_selection *selection, const struct flow_view **views,
			    size_t *total);

/* What each end has sent; with_packets: those too. Inline, bytes are those of sequence numbers, modulo 4 GiB.
 */
struct flow_traffic {
	bool known, with_packets;
	uint64_t bytes[ENDPOINTS], packets[ENDPOINTS];
};

/* On a host as its kernel has it; inline of a connection that is translated. */
void tracker_get_traffic(struct tracker *tracker, const struct tuple *tuple, struct flow_traffic *traffic);

/* 0 or -ENOENT. */
int tracker_find(struct tracker *tracker, const struct tuple *tuple, struct flow_view *view);

/* Both ends see the connection reset. 0; -ENOENT; inline, -EHOSTUNREACH: it is not known where the server is.
 */
int tracker_kill(struct tracker *tracker, const struct tuple *tuple);

/* "age", and back; -1: no such word. */
const char *tracker_order_word(enum flow_order order);
int tracker_order_parse(const char *word);

#endif
