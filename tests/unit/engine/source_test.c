// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sources as they are shown: addresses cut to their level, the time that counts span, what follows from
 * counts, the order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <arpa/inet.h>

#include "daemon/engine/limit.h"
#include "daemon/engine/source.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct heavy heavy_of(const char *address, enum limit_level level)
{
	struct heavy heavy = { .level = (uint16_t)level, .v6 = strchr(address, ':') ? 1 : 0 };

	assert_int_equal(inet_pton(heavy.v6 ? AF_INET6 : AF_INET, address, heavy.address), 1);
	return heavy;
}

static void an_address_is_cut_to_its_level(void **state)
{
	static const struct {
		const char *address;
		enum limit_level level;
		const char *prefix;
	} rows[] = {
		{ "192.0.2.77", LEVEL_SOURCE, "192.0.2.77/32" },
		{ "192.0.2.77", LEVEL_PREFIX, "192.0.2.0/24" },
		{ "2001:db8:1:2:3:4:5:6", LEVEL_SOURCE, "2001:db8:1:2:3:4:5:6/128" },
		{ "2001:db8:1:2:3:4:5:6", LEVEL_PREFIX, "2001:db8:1:2::/64" },
		{ "2001:db8:1:2:3:4:5:6", LEVEL_SITE, "2001:db8:1::/48" },
	};
	char text[INET6_ADDRSTRLEN + 4];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct heavy heavy = heavy_of(rows[i].address, rows[i].level);
		struct prefix prefix = source_prefix(&heavy);

		assert_string_equal(prefix_format(&prefix, text, sizeof(text)), rows[i].prefix);
	}
}

static void counts_span_one_to_two_windows(void **state)
{
	static const struct {
		uint32_t hz, shift;
	} rows[] = { { 100, 10 }, { 250, 11 }, { 300, 12 }, { 1000, 13 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t window = 1U << rows[i].shift;

		assert_int_equal(limit_window_shift(rows[i].hz), rows[i].shift);
		assert_in_range(window / rows[i].hz, 8, 15);
		assert_int_equal(source_window_s(5ULL * window, rows[i].shift, rows[i].hz),
				 (window + rows[i].hz / 2) / rows[i].hz);
		assert_int_equal(source_window_s(6ULL * window - 1, rows[i].shift, rows[i].hz),
				 (2 * window - 1 + rows[i].hz / 2) / rows[i].hz);
	}
}

static void the_error_is_e_times_the_mean(void **state)
{
	(void)state;
	assert_int_equal(limit_sketch_error(0), 0);
	assert_int_equal(limit_sketch_error(1), 1);
	assert_int_equal(limit_sketch_error(SKETCH_WIDTH), 3);
	assert_int_equal(limit_sketch_error(1000ULL * SKETCH_WIDTH), 2719);
}

static void what_follows_from_counts(void **state)
{
	static const struct {
		uint32_t begun, completed, error, half_open;
		bool proven;
	} rows[] = {
		{ 0, 0, 0, 0, false },	       { 2000, 0, 300, 2000, false }, { 64, 31, 0, 33, false },
		{ 64, 32, 0, 32, true },       { 66, 32, 0, 34, false },      { 66, 32, 2, 34, true },
		{ 1500, 990, 500, 510, true }, { 10, 40, 0, 0, true },
	};
	struct heavy heavy = heavy_of("192.0.2.1", LEVEL_SOURCE);
	struct source_status status;

	(void)state;
	heavy.over = 7;
	heavy.dropped = 5;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct source_args counts = { .begun = rows[i].begun, .completed = rows[i].completed };

		source_describe(&heavy, &counts, rows[i].error, 10, &status);
		assert_int_equal(status.half_open, rows[i].half_open);
		assert_int_equal(status.proven, rows[i].proven);
		assert_int_equal(status.syn_rate_pps, rows[i].begun / 10);
		assert_int_equal(status.over, 7);
		assert_int_equal(status.dropped, 5);
	}
}

static void the_heaviest_come_first(void **state)
{
	const struct source_status a = { .half_open = 9, .syn_rate_pps = 1, .dropped = 5 };
	const struct source_status b = { .half_open = 5, .syn_rate_pps = 3, .dropped = 9 };
	const struct source_status c = { .half_open = 5, .syn_rate_pps = 9, .dropped = 1, .over = 2 };
	struct source_status all[3] = { b, a, c };

	(void)state;
	source_sort(all, 3, SOURCE_BY_HALF_OPEN);
	assert_int_equal(all[0].half_open, 9);
	assert_int_equal(all[1].over, 2);
	source_sort(all, 3, SOURCE_BY_RATE);
	assert_int_equal(all[0].syn_rate_pps, 9);
	source_sort(all, 3, (enum source_order)source_order_parse("dropped"));
	assert_int_equal(all[0].dropped, 9);
	assert_int_equal(all[2].dropped, 1);
	assert_int_equal(source_order_parse("size"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_cut_to_its_level),
		cmocka_unit_test(counts_span_one_to_two_windows),
		cmocka_unit_test(the_error_is_e_times_the_mean),
		cmocka_unit_test(what_follows_from_counts),
		cmocka_unit_test(the_heaviest_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
