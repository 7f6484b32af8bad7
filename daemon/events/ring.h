/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last events in the order of their numbers, with a lock and a bell. An event may be shown only when the
 * first sink, the ledger, has it on disk, so that no number that anybody saw is ever given again; the ledger
 * is waited for as long as it works, and for two seconds.
 */
#ifndef SYNMOAT_EVENTS_RING_H
#define SYNMOAT_EVENTS_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/events/event.h"

#define RING_SIZE	 4096
#define RING_PATIENCE_US 2000000

struct ring {
	pthread_mutex_t lock;
	pthread_cond_t bell; /* rung when there is more, or more may be shown; counts CLOCK_MONOTONIC */
	struct event_entry *places[RING_SIZE];
	uint64_t first, count; /* places, not numbers */
	uint64_t last;	       /* number that was given */
	/* the ledger */
	bool gated;
	bool gate_failing;
	uint64_t on_disk;     /* number */
	int64_t gate_busy_us; /* since when it writes; 0: it does not */
};

void ring_init(struct ring *ring);

/* --- under the lock --- */

/* As it was at first. */
void ring_clear(struct ring *ring);

/* Takes the reference over; the number is above all others. The oldest goes when there is no room. */
void ring_add(struct ring *ring, struct event_entry *event);
/* The first event whose number is above AFTER; NULL: none. */
struct event_entry *ring_after(const struct ring *ring, uint64_t after);
uint64_t ring_oldest(const struct ring *ring); /* 0: it is empty */
uint64_t ring_newest(const struct ring *ring);
/* The highest number that may be shown. */
uint64_t ring_shown(const struct ring *ring);

#endif
