/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYN_RECV as it stands, once a second: on a host, what the kernel itself says (sock_diag, and BPF for the
 * length of SYN queues); inline, handshakes that servers have not done yet, out of the table of connections.
 * Uses the engine; control and metrics use it.
 */
#ifndef SYNMOAT_WATCH_H
#define SYNMOAT_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/watch/history.h"
#include "daemon/watch/listeners.h"

struct engine;
struct sd_event;
struct watch;

struct watch_status {
	bool kernel;	   /* counted by the kernel; else inline, by us */
	uint32_t v4, v6;   /* half-opens by the client's family */
	uint32_t age_ms;   /* since they were counted */
	uint32_t every_s;  /* how often they are: more than 1 when counting them costs much */
	uint32_t cost_us;  /* CPU time of the last count */
	uint32_t slice_us; /* of it, the longest that nothing else could be done */
	int error;	   /* negative errno of the last count, 0: none */
	uint64_t counts;   /* that have been made, by daemons before, too */
	double cpu_s;	   /* CPU time that all of them took */
};

/* 0 or a negative errno. */
int watch_new(struct watch **watch, struct sd_event *event, struct engine *engine);
void watch_free(struct watch *watch);

void watch_get_status(const struct watch *watch, struct watch_status *status);

/* Those with the most half-opens first, at most max; port 0: of any. *total: how many there are. They stay
 * until the event loop goes on. */
size_t watch_select(const struct watch *watch, uint16_t port, const struct listener **listeners, size_t max,
		    size_t *total);

const struct history *watch_history(const struct watch *watch);

#endif
