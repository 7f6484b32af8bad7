/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single changes to the lists since the file of all entries was last written, as they happen: that file takes
 * a second or more, and the daemon may be killed before. DIR/lists.journal, and DIR/lists.journal.old while
 * the file is being written. Not synced: it outlives the daemon, not a power cut.
 */
#ifndef SYNMOAT_LISTS_JOURNAL_H
#define SYNMOAT_LISTS_JOURNAL_H

#include <stdint.h>

#include "daemon/lists/lists.h"

struct journal;

/* NULL: no memory. */
struct journal *journal_new(const char *dir);
void journal_free(struct journal *journal);

/* Writes a change down; one that cannot be written waits for the file of all entries, as if there were none.
 */
void journal_note(struct journal *journal, const struct lists_change *change, int64_t now_s);

/* The file of all entries is begun, which will hold all that is written down by now; and it is written. */
void journal_begin(struct journal *journal);
void journal_end(struct journal *journal);

/* Does again what is written down, on lists whose work is done. Returns how many changes. */
uint64_t journal_replay(struct journal *journal, struct lists *lists, int64_t now_s);

#endif
