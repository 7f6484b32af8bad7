/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of lists.d: NAME.block and NAME.allow. Read in slices into sets that come into force together
 * when all are read; a file that cannot be read leaves what it said before in force.
 */
#ifndef SYNMOAT_LISTS_FEED_H
#define SYNMOAT_LISTS_FEED_H

#include <stdbool.h>
#include <stdint.h>

struct feed;
struct lists;

struct feed *feed_new(void);
void feed_free(struct feed *feed);

/* Begins to read the folder; one that is not there holds no files. What was being read is begun again. */
void feed_begin(struct feed *feed, struct lists *lists, const char *folder);
/* Does some of it (about 4 ms); true: there is more. */
bool feed_work(struct feed *feed, struct lists *lists, int64_t now_s);
bool feed_busy(const struct feed *feed);

/* Of a feed that is busy. */
struct lists_progress;
void feed_get_progress(const struct feed *feed, struct lists_progress *progress);

#endif
