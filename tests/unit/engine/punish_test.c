// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Automatic blocks: how many acts within which time, how durations grow and end, and how many there may be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <arpa/inet.h>

#include "daemon/engine/punish.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct punish punish;

static const struct config_punish config = {
	.mode = POLICY_ENFORCE,
	.acts = 20,
	.duration_s = 600,
	.duration_most_s = 3000,
	.most = 3,
};

static uint32_t judge_minute(uint32_t host, uint32_t acts, uint32_t acts_since, int64_t now_s)
{
	struct in6_addr address = { 0 };

	memset(address.s6_addr + 10, 0xff, 2);
	host = htonl(host);
	memcpy(address.s6_addr + 12, &host, sizeof(host));
	return punish_judge(&punish, &config, &address, acts, acts_since, now_s);
}

/* In the minute in which all others are. */
static uint32_t judge(uint32_t host, uint32_t acts, int64_t now_s)
{
	return judge_minute(host, acts, 7, now_s);
}

static int forget(void **state)
{
	(void)state;
	memset(&punish, 0, sizeof(punish));
	return 0;
}

static void twenty_acts_within_a_minute(void **state)
{
	static const struct {
		uint32_t host, acts, since;
		int64_t now_s;
		uint32_t duration_s;
	} rows[] = {
		{ 1, 19, 100, 1000, 0 },
		{ 1, 20, 100, 1059, 600 },
		{ 1, 500, 100, 1061, 0 }, /* blocked already */
		{ 2, 19, 100, 1000, 0 },
		{ 2, 19, 161, 1061, 0 }, /* of another minute */
		{ 2, 20, 161, 1062, 600 },
		{ 3, 20, 100, 1000, 600 }, /* at once */
		{ 4, 5, 100, 2000, 0 },
		{ 4, 4, 100, 2010, 0 }, /* its place was another's, and it is counted anew */
		{ 4, 20, 100, 2011, 600 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (judge_minute(rows[i].host, rows[i].acts, rows[i].since, rows[i].now_s) !=
		    rows[i].duration_s)
			fail_msg("row %zu", i);
}

/* What came before a block was in force, and what was blocked for, counts for no further one. */
static void acts_count_for_one_block(void **state)
{
	(void)state;
	assert_int_equal(judge(1, 20, 1000), 600);
	assert_int_equal(judge(1, 90, 1001), 0);
	assert_int_equal(judge(1, 90, 1600), 0);
	assert_int_equal(judge(1, 109, 1601), 0);
	assert_int_equal(judge(1, 110, 1602), 1200);
	assert_int_equal(judge_minute(1, 19, 8, 2802), 0); /* of another minute */
	assert_int_equal(judge_minute(1, 129, 8, 2803), 2400);
	assert_int_equal(judge_minute(1, 148, 9, 5203), 3000);
}

static void acts_of_long_ago_are_nobodys(void **state)
{
	static const struct {
		uint32_t since, hz;
		uint64_t jiffies;
		bool present;
	} rows[] = {
		{ 100, 250, 100 << HEAVY_SHIFT, true },
		{ 100, 250, (100 << HEAVY_SHIFT) + 61 * 250, true },
		{ 100, 250, (100 << HEAVY_SHIFT) + 63 * 250, false },
		{ 100, 1000, (100 << HEAVY_SHIFT) + 61 * 1000, false },
		{ 100, 1000, (100 << HEAVY_SHIFT) + 60 * 1000, true },
		{ 0, 250, 1ULL << 40, true }, /* 32 bits of them */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (punish_is_present(rows[i].since, rows[i].jiffies, rows[i].hz) != rows[i].present)
			fail_msg("row %zu", i);
}

static void durations_grow_up_to_a_limit_and_are_forgotten(void **state)
{
	static const uint32_t durations[] = { 600, 1200, 2400, 3000, 3000 };
	uint32_t acts = 0;
	int64_t now_s = 1000;

	(void)state;
	for (size_t i = 0; i < COUNT(durations); i++) {
		if (i)
			assert_int_equal(judge(1, acts, now_s), 0);
		acts += 20;
		assert_int_equal(judge(1, acts, now_s), durations[i]);
		assert_int_equal(punish_count(&punish, now_s + durations[i] - 1), 1);
		now_s += durations[i];
		assert_int_equal(punish_count(&punish, now_s), 0);
	}
	now_s += config.duration_most_s + 1; /* of calm */
	assert_int_equal(judge(1, acts, now_s), 0);
	assert_int_equal(judge(1, acts + 20, now_s), 600);
}

static void no_more_than_the_most_at_a_time(void **state)
{
	(void)state;
	for (uint32_t host = 1; host <= 4; host++)
		assert_int_equal(judge(host, 20, 1000), host <= config.most ? 600 : 0);
	assert_int_equal(judge(4, 20, 1050), 0);
	assert_int_equal(judge(4, 20, 1600), 600);
}

static void the_table_forgets_the_oldest_only(void **state)
{
	(void)state;
	assert_int_equal(judge(1, 20, 1000), 600);
	for (uint32_t host = 100; host < 100 + 2 * PUNISH_OFFENDERS; host++)
		judge(host, 1, 1001);
	assert_int_equal(punish_count(&punish, 1100), 1);
	assert_int_equal(judge(1, 20, 1601), 0);
	assert_int_equal(judge(1, 40, 1601), 1200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(twenty_acts_within_a_minute, forget),
		cmocka_unit_test_setup(acts_count_for_one_block, forget),
		cmocka_unit_test_setup(acts_of_long_ago_are_nobodys, forget),
		cmocka_unit_test_setup(durations_grow_up_to_a_limit_and_are_forgotten, forget),
		cmocka_unit_test_setup(no_more_than_the_most_at_a_time, forget),
		cmocka_unit_test_setup(the_table_forgets_the_oldest_only, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
