/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drops of limits told apart from those that only would have been, over changes of mode; marks in force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/engine/calm.h"
#include "daemon/engine/would.h"

/* So many packets are counted in one mode, and in the other, in turn, monitor first. */
static void modes_in_turn_are_told_apart(void **state)
{
	static const uint64_t counted[] = { 1000, 20, 300, 0, 7, 50000 };
	uint64_t dropped = 0, other = 0, sum[2] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		bool enforced = i & 1;

		if (i)
			other = would_turn(dropped, other);
		assert_int_equal(would_share(dropped, other, enforced), sum[0]);
		dropped += counted[i];
		sum[enforced] += counted[i];
		assert_int_equal(would_share(dropped, other, enforced), sum[0]);
		assert_int_equal(dropped - would_share(dropped, other, enforced), sum[1]);
	}
}

static void counters_that_begin_anew_are_of_the_mode_in_force(void **state)
{
	(void)state;
	assert_int_equal(would_share(5, 1000, false), 5);
	assert_int_equal(would_share(5, 1000, true), 0);
	assert_int_equal(would_share(5, would_turn(5, 1000), true), 5);
}

static void marks_in_force(void **state)
{
	static const struct {
		uint32_t high, low, backlog;
		bool is_inline;
		uint32_t begins, ends;
	} rows[] = {
		{ 0, 0, 512, false, 128, 64 },	  { 0, 0, 1, false, 1, 1 },
		{ 300, 0, 512, false, 300, 150 }, { 300, 10, 512, true, 300, 10 },
		{ 0, 0, 0, false, 32, 16 },	  { 0, 100, 4096, false, 1024, 100 },
		{ 0, 100, 0, true, 1024, 100 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct config_service service = { .half_open_high = rows[i].high,
							.half_open_low = rows[i].low };

		assert_int_equal(calm_half_open_high(&service, rows[i].backlog, rows[i].is_inline),
				 rows[i].begins);
		assert_int_equal(calm_half_open_low(&service, rows[i].backlog), rows[i].ends);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes_in_turn_are_told_apart),
		cmocka_unit_test(counters_that_begin_anew_are_of_the_mode_in_force),
		cmocka_unit_test(marks_in_force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
