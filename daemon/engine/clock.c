// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See clock.h.
 */
#include "daemon/engine/clock.h"

#include <stdlib.h>

#define NS_PER_S      1000000000LL
#define SLOT_NS	      (COOKIE_SLOT_S * NS_PER_S)
#define JIFFIES_AHEAD 300

static uint64_t jiffies_expected(uint32_t hz, int64_t monotonic_ns)
{
	uint64_t start = (uint32_t)(-JIFFIES_AHEAD * (int64_t)hz);

	return start + (uint64_t)(monotonic_ns / 1000 * hz / 1000000);
}

void slot_clock_init(struct slot_clock *clock, const struct clock_reading *now)
{
	static const uint32_t candidates[] = { 100, 250, 300, 1000 };
	uint64_t best = UINT64_MAX;

	for (size_t i = 0; i < sizeof(candidates) / sizeof(*candidates); i++) {
		int64_t apart = (int64_t)(now->jiffies - jiffies_expected(candidates[i], now->monotonic_ns));
		uint64_t ms = (uint64_t)llabs(apart) * 1000 / candidates[i];

		if (ms < best) {
			best = ms;
			clock->jiffies_hz = candidates[i];
		}
	}
	clock->offset_ns = now->wall_ns - now->monotonic_ns;
}

int64_t slot_clock_follow(struct slot_clock *clock, const struct clock_reading *now)
{
	int64_t behind = now->wall_ns - now->monotonic_ns - clock->offset_ns;
	int64_t step = behind;

	if (step > CLOCK_SLEW_NS)
		step = CLOCK_SLEW_NS;
	if (step < -CLOCK_SLEW_NS)
		step = -CLOCK_SLEW_NS;
	clock->offset_ns += step;
	return behind - step;
}

void slot_clock_fill(const struct slot_clock *clock, const struct clock_reading *now, struct runtime *runtime)
{
	int64_t wall_ns = now->monotonic_ns + clock->offset_ns;
	int64_t into_slot_ns = wall_ns % SLOT_NS;

	runtime->jiffies_hz = clock->jiffies_hz;
	runtime->slot_base = (uint32_t)(wall_ns / SLOT_NS);
	runtime->slot_jiffies = COOKIE_SLOT_S * clock->jiffies_hz;
	runtime->slot_began = now->jiffies - (uint64_t)(into_slot_ns / 1000 * clock->jiffies_hz / 1000000);
}
