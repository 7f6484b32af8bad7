/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of evidence, in the folder of that name in the state folder. Written by a thread, so that no disk
 * holds up the daemon, and tried again until it is; the oldest beyond so many are removed.
 */
#ifndef SYNMOAT_DETECT_EVIDENCE_STORE_H
#define SYNMOAT_DETECT_EVIDENCE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVIDENCE_FOLDER "evidence" /* in the state folder */

struct evidence_store;

/* group: of the files, which it may read; none: ours. NULL: no memory. */
struct evidence_store *evidence_store_new(const char *state, const char *group);
/* Waits until all is written, or could not be. */
void evidence_store_free(struct evidence_store *store);

/* Takes bytes over; a file of that name is replaced whole. most: files that stay. */
void evidence_store_write(struct evidence_store *store, const char *name, char *bytes, size_t length,
			  uint32_t most);

/* Once a second. True: a write is over, *error is 0 or a negative errno; then it is tried again some seconds
 * later. */
bool evidence_store_tick(struct evidence_store *store, int *error);

#endif
