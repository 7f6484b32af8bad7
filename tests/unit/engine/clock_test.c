// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cookie's clock: HZ from one reading, slots from jiffies, and a wall clock that steps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/engine/clock.h"

#define NS  1000000000LL
#define DAY 86400LL

/* What a kernel of HZ reads SECONDS after its boot at wall-clock time BOOT. */
static struct clock_reading reading(uint32_t hz, int64_t seconds, int64_t boot)
{
	return (struct clock_reading){
		.jiffies = (uint32_t)(-300 * (int64_t)hz) + (uint64_t)seconds * hz,
		.monotonic_ns = seconds * NS,
		.wall_ns = (boot + seconds) * NS,
	};
}

static void hz_is_found(void **state)
{
	static const uint32_t kernels[] = { 100, 250, 300, 1000 };
	static const int64_t ages_s[] = { 20, 3600, 30 * DAY, 3000 * DAY };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++) {
			struct clock_reading now = reading(kernels[i], ages_s[j], 1000000000);
			struct slot_clock clock;

			slot_clock_init(&clock, &now);
			assert_int_equal(clock.jiffies_hz, kernels[i]);
		}
}

static void slot_begins_where_the_wall_clock_says(void **state)
{
	struct clock_reading now = reading(250, 1000, 60 * 1000); /* 1000 s: 40 s into slot 1016 */
	struct runtime runtime = { 0 };
	struct slot_clock clock;

	(void)state;
	slot_clock_init(&clock, &now);
	slot_clock_fill(&clock, &now, &runtime);
	assert_int_equal(runtime.slot_base, 1016);
	assert_int_equal(runtime.slot_jiffies, 60 * 250);
	assert_int_equal(now.jiffies - runtime.slot_began, 40 * 250);
	assert_int_equal(runtime.jiffies_hz, 250);
}

static void step_is_followed_slowly(void **state)
{
	struct clock_reading now = reading(1000, 1000, 0);
	struct runtime before = { 0 }, after = { 0 };
	struct slot_clock clock;

	(void)state;
	slot_clock_init(&clock, &now);
	slot_clock_fill(&clock, &now, &before);
	now.wall_ns += 3600 * NS; /* somebody sets the clock an hour ahead */
	assert_int_equal(slot_clock_follow(&clock, &now), 3600 * NS - CLOCK_SLEW_NS);
	slot_clock_fill(&clock, &now, &after);
	assert_int_equal(after.slot_base, before.slot_base);
	assert_in_range(before.slot_began - after.slot_began, 9, 11); /* 10 ms of jiffies */
	now.wall_ns -= 7200 * NS;
	assert_int_equal(slot_clock_follow(&clock, &now), -3600 * NS);
	assert_int_equal(clock.offset_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hz_is_found),
		cmocka_unit_test(slot_begins_where_the_wall_clock_says),
		cmocka_unit_test(step_is_followed_slowly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
