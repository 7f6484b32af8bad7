/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that takes events off the ring to somewhere that may block: a disk, the journal, a hook. It falls
 * behind alone; what it did not take before the ring dropped it is counted and told.
 */
#ifndef SYNMOAT_EVENTS_SINK_H
#define SYNMOAT_EVENTS_SINK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/events/ring.h"

#define SINK_BATCH   256
#define SINK_RETRY_S 1

struct sink {
	const char *name; /* in events that tell of it */
	struct ring *ring;
	bool gate;   /* the ledger: others wait for it */
	size_t most; /* that may wait to be taken, the older ones are left out; 0: as many as the ring holds
		      */
	bool (*wants)(void *arg,
		      const struct event_entry *event); /* NULL: everything; called under the lock */
	/* On the thread; may block. 0, or a negative errno: offered again in SINK_RETRY_S. */
	int (*write)(void *arg, struct event_entry *const *events, size_t count);
	/* Either may be NULL. written_not: they have been given numbers and cannot be written; left_out: see
	 * most. */
	void (*written_not)(void *arg, uint64_t last);
	void (*left_out)(void *arg, uint64_t count);
	void *arg;
	/* under the ring's lock */
	uint64_t cursor; /* the number that was taken last */
	uint64_t done;	 /* that all up to it is written */
	bool running, stop, ended, failing;
	uint64_t missed, missed_in_all;
	pthread_t thread;
};

/* Begins after the number cursor. 0 or a negative errno. */
int sink_start(struct sink *sink);

/* Waits until all that is to be taken has been, but at most so long; a thread that hangs then is left behind.
 * False: that happened, and its memory must stay. */
bool sink_stop(struct sink *sink, unsigned int patience_ms);

#endif
