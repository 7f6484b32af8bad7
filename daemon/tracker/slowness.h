/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the handshakes with one service take, and how many are slow or never completed, in minutes one
 * after the other. Pure.
 */
#ifndef SYNMOAT_TRACKER_SLOWNESS_H
#define SYNMOAT_TRACKER_SLOWNESS_H

#include <stdbool.h>
#include <stdint.h>

#define SLOWNESS_WINDOW_S 60
#define SLOWNESS_NEVER	  UINT32_MAX /* as a handshake's length */

struct slowness {
	uint32_t began_s;
	bool told;
	uint32_t slow;	      /* those that were never completed, too */
	uint32_t lengths[32]; /* of those that were: by powers of two microseconds */
};

/* True once a minute: with this one, most were slow. */
bool slowness_note(struct slowness *slowness, uint32_t handshake_us, uint32_t slow_us, uint32_t most,
		   uint32_t now_s);

/* Of the minute that is under way, to within a factor of two, above; 0: none was completed. */
uint32_t slowness_median_us(const struct slowness *slowness);

#endif
