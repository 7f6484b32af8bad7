/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cookie's clock: wall-clock slots expressed in the kernel's jiffies. Follows the wall clock slowly, so
 * that no step of it ends cookies before their time. Pure: the caller reads the clocks.
 */
#ifndef SYNMOAT_ENGINE_CLOCK_H
#define SYNMOAT_ENGINE_CLOCK_H

#include <stdint.h>

#include "bpf/abi.h"

struct slot_clock {
	uint32_t jiffies_hz;
	int64_t offset_ns; /* wall clock less monotonic clock, as far as it has been followed */
};

/* One reading of all clocks at the same moment. */
struct clock_reading {
	uint64_t jiffies;
	int64_t monotonic_ns, wall_ns;
};

/* Finds HZ: jiffies begin 300 seconds before they would wrap 32 bits (include/linux/jiffies.h,
 * INITIAL_JIFFIES). */
void slot_clock_init(struct slot_clock *clock, const struct clock_reading *now);

/* To be called about once a second: follows the wall clock by at most CLOCK_SLEW_NS. Returns what is left, in
 * ns. */
#define CLOCK_SLEW_NS 10000000
int64_t slot_clock_follow(struct slot_clock *clock, const struct clock_reading *now);

/* Sets slot_base, slot_began, slot_jiffies and jiffies_hz. */
void slot_clock_fill(const struct slot_clock *clock, const struct clock_reading *now,
		     struct runtime *runtime);

#endif
