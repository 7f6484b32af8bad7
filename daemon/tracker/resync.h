/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads all connections anew, from the kernel's sockets or, inline, the fast path's table: at start, and when
 * events were lost. In slices, between which events go on being read.
 */
#ifndef SYNMOAT_TRACKER_RESYNC_H
#define SYNMOAT_TRACKER_RESYNC_H

#include <stdbool.h>
#include <stdint.h>

struct resync;
struct tracker;

int resync_new(struct resync **resync, struct tracker *tracker); /* 0 or a negative errno */
void resync_free(struct resync *resync);

bool resync_running(const struct resync *resync);
/* Flows that it has read so far, or that the last one did. */
uint64_t resync_met(const struct resync *resync);

/* Begins; one that is under way begins again. 0 or a negative errno. */
int resync_begin(struct resync *resync);

/* Goes on for about slice_us; the caller has read what events there are. 1: there is more; 0: done; or a
 * negative errno: given up, and no flow was dropped. */
int resync_step(struct resync *resync, uint32_t slice_us);

/* Flows whose states the last one that is done put right. */
uint64_t resync_corrected(const struct resync *resync);

#endif
