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

/* Entries of one place: the one that counts, whatever their order. */
static void a_forged_address_is_no_double(void **state)
{
	struct heavy heavies[] = {
		{ .tag = 0x1100000000012345, .level = LEVEL_SOURCE, .seen = 90, .over = 1 },
		{ .tag = 0x2200000000012344 | 1, .level = LEVEL_SOURCE, .seen = 100, .over = 5000 },
		{ .tag = 0x3300000000012347, .level = LEVEL_SOURCE, .seen = 100 }, /* the next place */
		{ .tag = 0x4400000000012345, .level = LEVEL_PREFIX, .seen = 1 },   /* another level */
		{ .tag = 0x5500000000812345,
		  .level = LEVEL_PREFIX,
		  .seen = 2 }, /* higher bits do not count */
	};
	const bool shadow[] = { true, false, false, true, false };

	(void)state;
	for (size_t i = 0; i < COUNT(heavies); i++)
		assert_int_equal(source_is_shadow(heavies, COUNT(heavies), i), shadow[i]);
	heavies[0].over = heavies[1].over; /* no limits: who was seen last */
	assert_true(source_is_shadow(heavies, COUNT(heavies), 0));
	heavies[0].seen = heavies[1].seen; /* never both */
	assert_false(source_is_shadow(heavies, COUNT(heavies), 0));
	assert_true(source_is_shadow(heavies, COUNT(heavies), 1));
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

static void the_error_is_55_times_the_mean(void **state)
{
	(void)state;
	assert_int_equal(limit_sketch_error(LEVEL_SOURCE, 0), 0);
	assert_int_equal(limit_sketch_error(LEVEL_SOURCE, 1), 1);
	assert_int_equal(limit_sketch_error(LEVEL_SOURCE, 1 << 20), 55);
	assert_int_equal(limit_sketch_error(LEVEL_PREFIX, 1 << 20), 4 * 55);
	assert_int_equal(limit_sketch_error(LEVEL_SITE, 1 << 20), 16 * 55);
	assert_int_equal(limit_sketch_error(LEVEL_SOURCE, 5000000000ULL), 262261);
}

static void a_source_stands_out_below_its_limit(void **state)
{
	struct config_limits limits = { 0 };
	struct config_limit *l = &limits.limit[KIND_HALF_OPEN][LEVEL_PREFIX];

	(void)state;
	assert_int_equal(limit_heavy_from(&limits, LEVEL_PREFIX, 7), HEAVY_LEAST + 7);
	l->rate = 5; /* no action: no limit */
	assert_int_equal(limit_heavy_from(&limits, LEVEL_PREFIX, 7), HEAVY_LEAST + 7);
	l->action = LIMIT_THIN;
	assert_int_equal(limit_heavy_from(&limits, LEVEL_PREFIX, 7), 12);
	l->rate = HEAVY_LEAST + 1;
	assert_int_equal(limit_heavy_from(&limits, LEVEL_PREFIX, 7), HEAVY_LEAST + 7);
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

		source_describe(&heavy, &counts, rows[i].error, 1, 10, &status);
		assert_int_equal(status.error, rows[i].error);
		assert_int_equal(status.half_open, rows[i].half_open);
		assert_int_equal(status.proven, rows[i].proven);
		assert_int_equal(status.syn_rate_pps, rows[i].begun / 10);
		assert_int_equal(status.over, 7);
		assert_int_equal(status.dropped, 5);
	}
}

static void what_is_sampled_errs_more(void **state)
{
	struct heavy heavy = heavy_of("192.0.2.1", LEVEL_SOURCE);
	struct source_args counts = { .begun = 10000 };
	struct source_status status;

	(void)state;
	source_describe(&heavy, &counts, 64, 8, 10, &status);
	assert_int_equal(status.error, 64 + 529); /* 2 * sqrt(7 * 10000) */
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

static void hold(struct held *held, const char *address)
{
	struct heavy heavy = heavy_of(address, LEVEL_SOURCE);
	struct prefix prefix = source_prefix(&heavy);

	held_add(held, &prefix.address);
}

static void what_is_held_is_counted_by_any_prefix(void **state)
{
	static const struct {
		const char *address;
		enum limit_level level;
		uint32_t count;
	} rows[] = {
		{ "192.0.2.7", LEVEL_SOURCE, 3 },      { "192.0.2.8", LEVEL_SOURCE, 1 },
		{ "192.0.2.99", LEVEL_PREFIX, 4 },     { "192.0.3.7", LEVEL_PREFIX, 1 },
		{ "192.0.4.7", LEVEL_PREFIX, 0 },      { "2001:db8:1:2::7", LEVEL_SOURCE, 2 },
		{ "2001:db8:1:2::", LEVEL_PREFIX, 3 }, { "2001:db8:1::", LEVEL_SITE, 4 },
		{ "2001:db8:2::", LEVEL_SITE, 0 },
	};
	static const char *const clients[] = { "192.0.2.7",	   "192.0.3.7",	      "2001:db8:1:2::7",
					       "192.0.2.8",	   "192.0.2.7",	      "2001:db8:1:2::7",
					       "2001:db8:1:2:8::", "2001:db8:1:3::7", "192.0.2.7" };
	struct held held = { 0 };
	struct heavy heavy;
	size_t place = 0;

	(void)state;
	held_sort(&held);
	assert_false(held_next(&held, LEVEL_SOURCE, 1, &place, &heavy));
	for (size_t i = 0; i < COUNT(clients); i++)
		hold(&held, clients[i]);
	held_sort(&held);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix prefix;

		heavy = heavy_of(rows[i].address, rows[i].level);
		prefix = source_prefix(&heavy);
		assert_int_equal(held_count(&held, &prefix), rows[i].count);
	}
	/* in the order of addresses, v4-mapped ones first */
	assert_true(held_next(&held, LEVEL_PREFIX, 2, &place, &heavy));
	assert_false(heavy.v6);
	assert_true(held_next(&held, LEVEL_PREFIX, 2, &place, &heavy));
	assert_true(heavy.v6);
	assert_false(held_next(&held, LEVEL_PREFIX, 2, &place, &heavy));
	place = 0;
	assert_true(held_next(&held, LEVEL_SITE, 1, &place, &heavy)); /* none of IPv4 */
	assert_true(heavy.v6);
	for (size_t i = 0; i < 2 * HELD_MAX; i++)
		hold(&held, "192.0.2.1");
	assert_int_equal(held.count, HELD_MAX);
	held_fini(&held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_cut_to_its_level),
		cmocka_unit_test(a_forged_address_is_no_double),
		cmocka_unit_test(counts_span_one_to_two_windows),
		cmocka_unit_test(the_error_is_55_times_the_mean),
		cmocka_unit_test(a_source_stands_out_below_its_limit),
		cmocka_unit_test(what_follows_from_counts),
		cmocka_unit_test(what_is_sampled_errs_more),
		cmocka_unit_test(the_heaviest_come_first),
		cmocka_unit_test(what_is_held_is_counted_by_any_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
