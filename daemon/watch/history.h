/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Half-opens of the last ten minutes, a sample a second: of all ports together, and of those that had the
 * most. Knows no time but what it is told. Pure.
 */
#ifndef SYNMOAT_WATCH_HISTORY_H
#define SYNMOAT_WATCH_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_S     600
#define HISTORY_PORTS 32
#define HISTORY_NONE  UINT32_MAX /* not looked at in that second */

struct history_row {
	uint16_t port; /* 0: free */
	uint32_t samples[HISTORY_S];
};

struct history {
	uint64_t now_s;	 /* that the last samples are of */
	uint32_t filled; /* seconds that it reaches back, at most HISTORY_S */
	uint32_t all[HISTORY_S];
	struct history_row rows[HISTORY_PORTS];
};

/* Goes on to that second; those that were skipped have no sample. */
void history_advance(struct history *history, uint64_t now_s);

/* The sample of this second. A port takes the place of one whose peak is lower when there is no room. */
void history_note_all(struct history *history, uint32_t half_opens);
void history_note_port(struct history *history, uint16_t port, uint32_t half_opens);

/* Ports that have a row get 0 in this second, before any is noted. */
void history_begin(struct history *history);

/* Oldest first, at most HISTORY_S; port 0: all. Returns how many; 0: nothing is known of the port. */
size_t history_read(const struct history *history, uint16_t port, uint32_t samples[HISTORY_S]);

/* Those with the highest peaks first. Returns how many. */
size_t history_ports(const struct history *history, uint16_t ports[HISTORY_PORTS]);

#endif
