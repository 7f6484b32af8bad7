/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The events on disk: DIR/events.jsonl, a line each, and when that has grown, DIR/events.jsonl.1;
 * DIR/events.number holds the number that was given last, also when its line could not be written. What is
 * not as it was written is set aside and reported, and so is a number that is missing.
 */
#ifndef SYNMOAT_EVENTS_LEDGER_H
#define SYNMOAT_EVENTS_LEDGER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/events/event.h"

#define LEDGER_FILE	"events.jsonl"
#define LEDGER_SIZE_MAX (4 << 20) /* of one of the two files */
#define LEDGER_GAPS	16	  /* told one by one */

struct ledger {
	char dir[PATH_MAX - 32];
	int fd, mark_fd;
	size_t size;
	bool torn; /* what a failed write left stands at the end */
};

struct ledger_gap {
	uint64_t first, last;
	bool at_end; /* their numbers were given, and nothing stands after */
};

/* What reading found. */
struct ledger_report {
	uint64_t last;	   /* number that was given */
	bool ended;	   /* its last event is EVENT_DAEMON_STOPPED; true when there was none */
	unsigned int bad;  /* lines */
	unsigned int line; /* the first of them */
	bool cut;	   /* it was one, the last, and lacks its end: a crash while it was written */
	char file[32];	   /* that it stands in */
	bool kept;	   /* DIR/file.damaged has all of it */
	struct ledger_gap gaps[LEDGER_GAPS]; /* that no event-missing event tells of */
	size_t gap_count;
};

/*
 * Makes DIR when it is not there, reads what it holds, hands every event over with its reference, in order,
 * and gets ready to write. 0, -EBUSY: another daemon writes there, or another negative errno; then nothing
 * can be written.
 */
int ledger_open(struct ledger *ledger, const char *dir, void (*take)(void *arg, struct event_entry *event),
		void *arg, struct ledger_report *report);
void ledger_close(struct ledger *ledger);

/* Lines and their last number, to the disk itself. 0, or a negative errno: none of them counts as written. */
int ledger_write(void *ledger, struct event_entry *const *events, size_t count);

/* That numbers up to this one have been given. */
void ledger_mark(void *ledger, uint64_t number);

#endif
