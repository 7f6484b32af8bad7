/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the command line writes numbers and durations, breaks lines, and tells how like two words are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cli/format.h"

static const struct {
	int64_t value;
	const char *text;
} counts[] = {
	{ 0, "0" },
	{ 7, "7" },
	{ 999, "999" },
	{ 1000, "1,000" },
	{ -1, "-1" },
	{ -999, "-999" },
	{ -1000, "-1,000" },
	{ 1234567, "1,234,567" },
	{ INT64_MAX, "9,223,372,036,854,775,807" },
	{ INT64_MIN, "-9,223,372,036,854,775,808" },
}, durations[] = {
	{ 0, "0s" },
	{ 59, "59s" },
	{ 60, "1m 00s" },
	{ 3599, "59m 59s" },
	{ 3600, "1h 00m" },
	{ 86399, "23h 59m" },
	{ 86400, "1d 00h" },
	{ 3 * 86400 + 4 * 3600 + 59, "3d 04h" },
	{ INT64_MAX, "106751991167300d 15h" },
};

static const struct {
	const char *text;
	size_t width;
	const char *lines;
} wraps[] = {
	{ "", 10, "" },
	{ "short", 10, "short" },
	{ "one two three", 7, "one two\nthree" },
	{ "one two three", 8, "one two\nthree" },
	{ "one two three", 6, "one\ntwo\nthree" },
	{ "unbreakable", 4, "unbreakable" },
	{ "a unbreakable b", 4, "a\nunbreakable\nb" },
};

static const struct {
	const char *from, *to;
	size_t edits;
} distances[] = {
	{ "status", "status", 0 }, { "sttus", "status", 1 },	{ "stauts", "status", 1 },
	{ "lst", "list", 1 },	   { "", "list", 4 },		{ "show", "mode", 4 },
	{ "x", "y", 1 },	   { "servcie", "service", 1 },
};

static void test_numbers(void **state)
{
	char buffer[FORMAT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		assert_string_equal(format_count(buffer, counts[i].value), counts[i].text);
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++)
		assert_string_equal(format_duration(buffer, durations[i].value), durations[i].text);
}

static void test_wrap(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++) {
		char *lines = format_wrap(wraps[i].text, wraps[i].width);

		assert_string_equal(lines, wraps[i].lines);
		free(lines);
	}
}

static void test_distance(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(distances) / sizeof(distances[0]); i++)
		assert_int_equal(format_distance(distances[i].from, distances[i].to), distances[i].edits);
	assert_true(format_distance("a very long word that nobody would ever type", "list") == SIZE_MAX);
}

static void test_sparkline(void **state)
{
	static const struct {
		int64_t samples[8];
		size_t count, width;
		bool utf8;
		const char *line;
		int64_t peak;
	} rows[] = {
		{ { 0 }, 0, 10, true, "", -1 },
		{ { 0, 0, 0 }, 3, 10, true, "▁▁▁", 0 },
		{ { 0, 1, 700 }, 3, 10, true, "▁▂█", 700 }, /* what is not zero shows */
		{ { 0, 100, 200, 300, 400, 500, 600, 700 }, 8, 8, true, "▁▂▃▄▅▆▇█", 700 },
		{ { 0, 100, 200, 300, 400, 500, 600, 700 }, 8, 8, false, "..::||##", 700 },
		{ { 9, 1, 1, 1, -1, -1, 3, -1 }, 8, 4, true, "█▂ ▄", 9 }, /* the highest of each two */
		{ { -1, -1 }, 2, 2, true, "  ", -1 },
	};
	char line[3 * 10 + 1];
	int64_t peak;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(format_sparkline(line, rows[i].width, rows[i].samples, rows[i].count,
						     rows[i].utf8, &peak),
				    rows[i].line);
		assert_int_equal(peak, rows[i].peak);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_sparkline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
