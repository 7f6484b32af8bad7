/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line on a terminal's stderr that tells how far long work has come, over itself; nothing elsewhere.
 */
#ifndef SYNMOAT_CLI_PROGRESS_H
#define SYNMOAT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool tty, shown;
	double said_s; /* on the monotonic clock */
};

void progress_begin(struct progress *progress);

/* At most ten times a second. */
void progress_say(struct progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes the line away: before anything else is written, and at the end. */
void progress_clear(struct progress *progress);

/* Percent, of which DONE in ALL are; 0 where all is not known. */
int progress_percent(uint64_t done, uint64_t all);

#endif
