// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which blocks are taken for mistakes, and what is said of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/engine/cut.h"

static const char text[] =
	"deployment = \"host\"; interfaces = { outside = \"eth0\"; };\n"
	"services = ( { name = \"web\"; prefixes = [ \"192.0.2.0/24\", \"2001:db8:1::/64\" ]; ports = [ 80 "
	"]; },\n"
	"  { name = \"all\"; prefixes = [ \"0.0.0.0/0\", \"::/0\" ]; ports = [ 25 ]; } );\n"
	"protected = ( { prefixes = [ \"198.51.100.7\" ]; } );\n";

/* words: NULL: nothing is wrong with it. */
static const struct {
	const char *prefix, *words;
} rows[] = {
	/* everybody */
	{ "0.0.0.0/0", "0.0.0.0/0 would cut off a large part of the internet" },
	{ "128.0.0.0/1", "a large part" },
	{ "10.0.0.0/7", "a large part" },
	{ "10.0.0.0/8", NULL },
	{ "::/0", "a large part" },
	{ "2000::/3", "a large part" },
	{ "2a00::/15", "a large part" },
	{ "2a00::/16", NULL },
	{ "224.0.0.0/3", NULL },
	{ "240.0.0.0/4", NULL },
	{ "192.0.0.0/2", "a large part" },
	{ "ff00::/8", NULL },
	/* this host and its link */
	{ "127.0.0.0/8", "127.0.0.0/8, this host itself" },
	{ "127.0.0.1", "127.0.0.1/32 would cut off 127.0.0.0/8" },
	{ "::1", "::1, this host itself" },
	{ "::/64", "::1, this host itself" },
	{ "fe80::/10", "neighbour discovery" },
	{ "fe80::1", "neighbour discovery" },
	{ "fec0::/16", NULL },
	/* servers: as a whole */
	{ "192.0.2.0/24", "would cut off your own servers: 192.0.2.0/24 is of service web" },
	{ "192.0.0.0/16", "192.0.0.0/16 would cut off your own servers: 192.0.2.0/24 is of service web" },
	{ "192.0.2.9", NULL },
	{ "192.0.2.0/25", NULL },
	{ "2001:db8::/32", "your own servers: 2001:db8:1::/64 is of service web" },
	{ "2001:db8:1::9", NULL },
	{ "198.51.100.0/24", "198.51.100.7/32, which is protected" },
	{ "198.51.100.8", NULL },
};

static void mistakes_are_said(void **state)
{
	struct config_error error;
	struct config *config;

	(void)state;
	assert_int_equal(config_parse(text, strlen(text), "test.conf", &config, &error), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct prefix prefix;
		char said[256] = "";
		bool cut;

		assert_int_equal(prefix_parse(rows[i].prefix, &prefix), 0);
		cut = cut_explain(config, &prefix, said, sizeof(said));
		if (cut != !!rows[i].words || (cut && !strstr(said, rows[i].words)))
			fail_msg("%s: %s", rows[i].prefix, said);
	}
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
