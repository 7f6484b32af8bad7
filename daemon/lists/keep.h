/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manual and automatic entries outlive the daemon: DIR/lists and DIR/lists.copy, the same twice, each written
 * aside, synced and renamed, with a count and a checksum at the end. What is damaged is set aside and said,
 * never written over.
 */
#ifndef SYNMOAT_LISTS_KEEP_H
#define SYNMOAT_LISTS_KEEP_H

#include <stdbool.h>
#include <stdint.h>

struct keep;
struct lists;
struct lists_change;

/* Makes DIR when it is not there. NULL: no memory; everything else that goes wrong is logged. */
struct keep *keep_new(const char *dir);
/* Writes what is not yet written, and waits for it. */
void keep_free(struct keep *keep, const struct lists *lists, int64_t now_s);

/* Reads what was kept into lists, with the time that it has left. Returns the number of entries. */
uint64_t keep_load(struct keep *keep, struct lists *lists, int64_t now_s);

/* A single change, as it happens. */
void keep_note(struct keep *keep, const struct lists_change *change, int64_t now_s);
/* After keep_load, when the lists' work is done: changes that what was read does not hold. How many. */
uint64_t keep_replay(struct keep *keep, struct lists *lists, int64_t now_s);

/* Once a second: begins to write when something has changed. */
void keep_tick(struct keep *keep, const struct lists *lists, int64_t now_s);
/* Does some of what is waiting (about 4 ms); true: there is more. */
bool keep_work(struct keep *keep, const struct lists *lists);
bool keep_busy(const struct keep *keep);

#endif
