/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prefixes: which texts are one, how they are printed, and what is said of those that are none.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/config/config.h"

static const struct {
	const char *text, *printed;
	unsigned int length_bits;
	bool v4;
} good[] = {
	{ "192.0.2.0/24", "192.0.2.0/24", 120, true },
	{ "192.0.2.1", "192.0.2.1/32", 128, true },
	{ "192.0.2.1/32", "192.0.2.1/32", 128, true },
	{ "255.255.255.255/32", "255.255.255.255/32", 128, true },
	{ "0.0.0.0/0", "0.0.0.0/0", 96, true },
	{ "128.0.0.0/1", "128.0.0.0/1", 97, true },
	{ "10.0.0.0/9", "10.0.0.0/9", 105, true },
	{ "::/0", "::/0", 0, false },
	{ "::", "::/128", 128, false },
	{ "2001:DB8:0::/64", "2001:db8::/64", 64, false },
	{ "2001:db8::1", "2001:db8::1/128", 128, false },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", 128,
	  false },
	{ "::192.0.2.1", "::192.0.2.1/128", 128, false },
	{ "8000::/1", "8000::/1", 1, false },
	{ "::/95", "::/95", 95, false },
};

static const struct {
	const char *text, *said;
} bad[] = {
	{ "", "is not a prefix" },
	{ "/24", "is not a prefix" },
	{ "web", "\"web\" is not a prefix: write one such as \"192.0.2.0/24\"" },
	{ "192.0.2/24", "is not a prefix" },
	{ "192.0.2.0.0/24", "is not a prefix" },
	{ " 192.0.2.0/24", "is not a prefix" },
	{ "192.0.2.256", "is not a prefix" },
	{ "fe80::1%eth0", "is not a prefix" },
	{ "2001:db8:::/64", "is not a prefix" },
	{ "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111", "is not a prefix" },
	{ "192.0.2.0/", "length of an IPv4 prefix is a number from 0 to 32" },
	{ "192.0.2.0/33", "0 to 32" },
	{ "192.0.2.0/-1", "0 to 32" },
	{ "192.0.2.0/+24", "0 to 32" },
	{ "192.0.2.0/024", "0 to 32" },
	{ "192.0.2.0/24 ", "0 to 32" },
	{ "192.0.2.0/24/24", "0 to 32" },
	{ "192.0.2.0/4294967320", "0 to 32" },
	{ "2001:db8::/129", "length of an IPv6 prefix is a number from 0 to 128" },
	{ "192.0.2.1/24", "write \"192.0.2.0/24\", or \"192.0.2.1/32\" for the one address" },
	{ "0.0.0.1/0", "write \"0.0.0.0/0\"" },
	{ "192.0.2.129/25", "write \"192.0.2.128/25\"" },
	{ "2001:db8::1/64", "write \"2001:db8::/64\", or \"2001:db8::1/128\" for the one address" },
	{ "::1/0", "write \"::/0\"" },
	{ "c000::/1", "write \"8000::/1\"" },
	{ "::ffff:192.0.2.0/120", "IPv4 written as IPv6" },
	{ "::ffff:0:0/96", "IPv4 written as IPv6" },
};

static void parses_and_prints(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct prefix prefix, again;
		char text[64];

		if (prefix_parse(good[i].text, &prefix))
			fail_msg("%s is refused", good[i].text);
		assert_int_equal(prefix.length_bits, good[i].length_bits);
		assert_int_equal(prefix_is_v4(&prefix), good[i].v4);
		assert_string_equal(prefix_format(&prefix, text, sizeof(text)), good[i].printed);
		assert_int_equal(prefix_parse(text, &again), 0);
		assert_memory_equal(&again.address, &prefix.address, sizeof(prefix.address));
		assert_int_equal(again.length_bits, prefix.length_bits);
	}
}

static void refuses_and_explains(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct prefix prefix = { .length_bits = 77 };
		char said[200];

		if (prefix_parse(bad[i].text, &prefix) != -EINVAL || prefix.length_bits != 77)
			fail_msg("%s is not refused, or leaves something behind", bad[i].text);
		if (!strstr(prefix_explain(bad[i].text, said, sizeof(said)), bad[i].said))
			fail_msg("of %s it says: %s", bad[i].text, said);
	}
}

static void cuts_to_the_buffer(void **state)
{
	struct prefix prefix;
	char text[8];

	(void)state;
	assert_int_equal(prefix_parse("192.0.2.0/24", &prefix), 0);
	assert_string_equal(prefix_format(&prefix, text, sizeof(text)), "192.0.2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_prints),
		cmocka_unit_test(refuses_and_explains),
		cmocka_unit_test(cuts_to_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
