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

static uint32_t judge(uint32_t host, uint32_t acts, int64_t now_s)
{
	struct in6_addr address = { 0 };

	memset(address.s6_addr + 10, 0xff, 2);
	host = htonl(host);
	memcpy(address.s6_addr + 12, &host, sizeof(host));
	return punish_judge(&punish, &config, &address, acts, now_s);
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
		uint32_t host, acts;
		int64_t now_s;
		uint32_t duration_s;
	} rows[] = {
		{ 1, 1, 1000, 0 },    { 1, 19, 1001, 0 },
		{ 1, 20, 1060, 0 },			   /* the first counted when it was seen */
		{ 1, 21, 1060, 600 }, { 1, 500, 1061, 0 }, /* blocked already */
		{ 2, 1, 1000, 0 },    { 2, 15, 1030, 0 },
		{ 2, 21, 1061, 0 }, /* a minute has passed */
		{ 2, 40, 1100, 0 },   { 2, 41, 1121, 600 },
		{ 3, 30, 2000, 0 },   { 3, 5, 2010, 0 }, /* forgotten by XDP, and counted anew */
		{ 3, 19, 2020, 0 },   { 3, 20, 2021, 600 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (judge(rows[i].host, rows[i].acts, rows[i].now_s) != rows[i].duration_s)
			fail_msg("row %zu", i);
}

static void durations_grow_up_to_a_limit_and_are_forgotten(void **state)
{
	static const uint32_t durations[] = { 600, 1200, 2400, 3000, 3000 };
	uint32_t acts = 0;
	int64_t now_s = 1000;

	(void)state;
	for (size_t i = 0; i < COUNT(durations); i++) {
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
	for (uint32_t host = 1; host <= 4; host++) {
		judge(host, 0, 1000);
		assert_int_equal(judge(host, 20, 1000), host <= config.most ? 600 : 0);
	}
	assert_int_equal(judge(4, 20, 1050), 0);
	judge(4, 20, 1600);
	assert_int_equal(judge(4, 40, 1600), 600);
}

static void the_table_forgets_the_oldest_only(void **state)
{
	(void)state;
	judge(1, 0, 1000);
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
		cmocka_unit_test_setup(durations_grow_up_to_a_limit_and_are_forgotten, forget),
		cmocka_unit_test_setup(no_more_than_the_most_at_a_time, forget),
		cmocka_unit_test_setup(the_table_forgets_the_oldest_only, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
