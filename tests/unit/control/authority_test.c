/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which group may change things: only one that exists is remembered, and one that does not is not complained
 * about twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/control/authority.h"

#define NOBODYS "no-such-group-here"

static void test_groups(void **state)
{
	static const struct {
		const char *set, *group, *missing;
	} rows[] = {
		{ NULL, "", "" },	  { "", "", "" },	  { NOBODYS, "", NOBODYS },
		{ NOBODYS, "", NOBODYS }, { "root", "root", "" }, { NOBODYS, "", NOBODYS },
		{ NULL, "", "" },
	};
	struct authority authority = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		authority_set_group(&authority, rows[i].set);
		assert_string_equal(authority.group, rows[i].group);
		assert_string_equal(authority.missing, rows[i].missing);
	}
}

static void test_may_change(void **state)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		const char *group;
		bool may;
	} rows[] = {
		{ 0, 0, NOBODYS, true },     { 0, 5, NULL, true },     { 1000, 0, "root", true },
		{ 1000, 0, NOBODYS, false }, { 1000, 0, NULL, false }, { 1000, 1000, "root", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct peer peer = { .uid = rows[i].uid, .gid = rows[i].gid };
		struct authority authority = { 0 };

		authority_set_group(&authority, rows[i].group);
		assert_int_equal(authority_may_change(&authority, -1, &peer), rows[i].may);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_may_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
