/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What --since takes: numbers, times ago, and times of the local clock or UTC.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "cli/events.h"

#define S     INT64_C(1000000)
#define NOW_S INT64_C(1795285513) /* 2026-11-21 18:25:13 UTC, 20:25:13 where the test is */

static const struct {
	const char *text;
	bool fits;
	int64_t after, since_s;
} rows[] = {
	{ "1", true, 0, -1 },
	{ "1234", true, 1233, -1 },
	{ "90s", true, -1, NOW_S - 90 },
	{ "2h", true, -1, NOW_S - 7200 },
	{ "1h30m", true, -1, NOW_S - 5400 },
	{ "2026-11-21T18:25:00Z", true, -1, NOW_S - 13 },
	{ "2026-11-21T20:25:00", true, -1, NOW_S - 13 },
	{ "2026-11-21 20:25:03", true, -1, NOW_S - 10 },
	{ "2026-11-21 20:25", true, -1, NOW_S - 13 },
	{ "2026-11-21", true, -1, NOW_S - 13 - 20 * 3600 - 25 * 60 },
	{ "20:25:03", true, -1, NOW_S - 10 },
	{ "20:25", true, -1, NOW_S - 13 },
	{ "20:26", true, -1, NOW_S + 47 - 86400 }, /* yesterday's */
	{ "18:25Z", true, -1, NOW_S - 13 },
	{ "0", false, 0, 0 },
	{ "", false, 0, 0 },
	{ "-5m", false, 0, 0 },
	{ "5x", false, 0, 0 },
	{ "yesterday", false, 0, 0 },
	{ "2026-13-01", false, 0, 0 },
	{ "25:00", false, 0, 0 },
	{ "20:25 or so", false, 0, 0 },
	{ "12345678901234567890", false, 0, 0 },
};

static void test_since(void **state)
{
	(void)state;
	setenv("TZ", "TEST-2", 1);
	tzset();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t after, since_us;
		bool fits = events_parse_since(rows[i].text, NOW_S * S, &after, &since_us);

		if (fits != rows[i].fits)
			fail_msg("\"%s\" is %s", rows[i].text, fits ? "taken" : "refused");
		if (!fits)
			continue;
		assert_int_equal(after, rows[i].after);
		if (since_us != (rows[i].since_s < 0 ? -1 : rows[i].since_s * S))
			fail_msg("\"%s\" is %lld", rows[i].text, (long long)since_us);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_since) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
