// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who sends most, from samples: the source out of a frame, shares, prefixes that are told and left out, and
 * that the reservoir stands for all of it.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/detect/talkers.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct talkers talkers;

static int forget(void **state)
{
	(void)state;
	memset(&talkers, 0, sizeof(talkers));
	return 0;
}

static struct in6_addr address(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix.address;
}

static void add(const char *text, unsigned int count)
{
	struct in6_addr source = address(text);

	for (unsigned int i = 0; i < count; i++)
		talkers_add(&talkers, &source);
}

/* COUNT different ones: the last STEP bytes of TEXT counted up. */
static void add_many(const char *text, unsigned int count, unsigned int step)
{
	struct in6_addr source = address(text);

	for (unsigned int i = 0; i < count; i++) {
		for (unsigned int byte = 15;
		     !(source.s6_addr[byte] = (uint8_t)(source.s6_addr[byte] + (byte == 15 ? step : 1)));)
			byte--;
		talkers_add(&talkers, &source);
	}
}

static void expect(const char *const *words, size_t count)
{
	struct talker top[TALKERS_TOP];
	char text[64], said[96];

	assert_int_equal(talkers_top(&talkers, top), count);
	for (size_t i = 0; i < count; i++) {
		snprintf(said, sizeof(said), "%s %u", prefix_format(&top[i].prefix, text, sizeof(text)),
			 top[i].percent);
		assert_string_equal(said, words[i]);
	}
}

static void one_source_is_told_alone(void **state)
{
	static const char *const words[] = { "11.77.88.99/32 97" };
	uint32_t top, few;

	(void)state;
	add("11.77.88.99", 970);
	add_many("11.0.0.0", 30, 7);
	talkers_shares(&talkers, &top, &few);
	assert_int_equal(top, 970);
	assert_int_equal(few, 985);
	expect(words, COUNT(words));
}

/* A network with a heavy member: what is left of it is told without that one. */
static void a_prefix_is_told_for_what_its_members_leave(void **state)
{
	static const char *const words[] = { "198.51.100.0/24 40", "192.0.2.9/32 30", "2001:db8:1::/64 20",
					     "192.0.2.0/24 10" };

	(void)state;
	add("192.0.2.9", 300);
	add_many("192.0.2.20", 100, 1);
	add_many("198.51.100.0", 200, 1);
	add_many("198.51.100.0", 200, 1);
	add("2001:db8:1::", 200);
	expect(words, COUNT(words));
}

static void forged_ones_have_wide_prefixes_or_none(void **state)
{
	static const char *const words[] = { "11.0.0.0/8 99" };

	(void)state;
	for (unsigned int i = 0; i < 990; i++) {
		char text[32];

		snprintf(text, sizeof(text), "11.%u.%u.%u", i * 37 % 256, i * 101 % 256, i % 251);
		add(text, 1);
	}
	add("203.0.113.1", 10);
	expect(words, COUNT(words));
	forget(NULL);
	for (unsigned int i = 0; i < 1000; i++) {
		char text[32];

		snprintf(text, sizeof(text), "%u.%u.%u.%u", 1 + i % 220, i * 37 % 256, i * 101 % 256,
			 i % 251);
		add(text, 1);
	}
	expect(NULL, 0);
}

static void few_samples_tell_no_prefix(void **state)
{
	(void)state;
	add("192.0.2.9", 19);
	expect(NULL, 0);
}

/* Of 100,000 samples the first half comes from one, the second from another. */
static void the_reservoir_stands_for_all_of_it(void **state)
{
	struct talker top[TALKERS_TOP];

	(void)state;
	add("192.0.2.1", 50000);
	add("192.0.2.2", 50000);
	assert_int_equal(talkers.kept, TALKERS_ROOM);
	assert_int_equal(talkers_top(&talkers, top), 2);
	assert_in_range(top[0].percent, 50, 58);
	assert_in_range(top[1].percent, 42, 50);
}

static void the_source_is_read_from_the_frame(void **state)
{
	struct sample sample = { .l3 = 18, .captured = 64 };
	struct in6_addr source;
	char text[64];

	(void)state;
	inet_pton(AF_INET, "192.0.2.7", sample.frame + 30);
	assert_true(talkers_source(&sample, &source));
	assert_string_equal(inet_ntop(AF_INET6, &source, text, sizeof(text)), "::ffff:192.0.2.7");
	sample.v6 = 1;
	inet_pton(AF_INET6, "2001:db8:1:2:3:4:5:6", sample.frame + 26);
	assert_true(talkers_source(&sample, &source));
	assert_string_equal(inet_ntop(AF_INET6, &source, text, sizeof(text)), "2001:db8:1:2::");
	sample.captured = 33;
	assert_false(talkers_source(&sample, &source));
	sample.captured = 34;
	assert_true(talkers_source(&sample, &source));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_source_is_told_alone, forget),
		cmocka_unit_test_setup(a_prefix_is_told_for_what_its_members_leave, forget),
		cmocka_unit_test_setup(forged_ones_have_wide_prefixes_or_none, forget),
		cmocka_unit_test_setup(few_samples_tell_no_prefix, forget),
		cmocka_unit_test_setup(the_reservoir_stands_for_all_of_it, forget),
		cmocka_unit_test_setup(the_source_is_read_from_the_frame, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
