/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The catalogue is whole: every kind has a row whose name, id, texts and fields agree with each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <syslog.h>
#include <cmocka.h>

#include "daemon/events/catalogue.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"

static void every_kind_has_a_row_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < EVENT_KINDS; i++) {
		const struct event_row *row = catalogue_row((enum event_kind)i);

		assert_non_null(row->name);
		assert_int_equal(strspn(row->name, LOWER "-"), strlen(row->name));
		assert_int_equal(catalogue_find(row->name), i); /* no other has it */
		assert_int_equal(strlen(row->id), 32);
		assert_int_equal(strspn(row->id, "0123456789abcdef"), 32);
		for (int other = 0; other < i; other++)
			assert_string_not_equal(row->id, catalogue_row((enum event_kind)other)->id);
		assert_in_range(row->severity, LOG_ALERT, LOG_INFO);
		assert_true(*row->text);
	}
	assert_int_equal(catalogue_find("no-such-kind"), -1);
}

static void assert_field(enum event_kind kind, const char *name, size_t length)
{
	struct event_field_row row;
	char copy[64];

	assert_true(length < sizeof(copy));
	memcpy(copy, name, length);
	copy[length] = '\0';
	if (!catalogue_field(kind, copy, &row))
		fail_msg("%s: {%s} is no field of it", catalogue_row(kind)->name, copy);
}

/* A placeholder of a field that may be hidden stands in [ ], so that the text reads on without it. */
static void assert_hideable(enum event_kind kind, const char *name, size_t length, bool grouped)
{
	struct event_field_row row;
	char copy[64] = "";

	memcpy(copy, name, length);
	catalogue_field(kind, copy, &row);
	if (row.detail && !grouped)
		fail_msg("%s: {%s} is for root and the group, and must stand in [ ]",
			 catalogue_row(kind)->name, copy);
}

static void texts_name_fields_that_there_are(void **state)
{
	(void)state;
	for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++) {
		bool grouped = false;
		size_t length;

		for (const char *c = catalogue_row(kind)->text; *c; c++) {
			const char *end = strchr(c, '}');

			if (*c == '[' || *c == ']') {
				assert_true(grouped == (*c == ']')); /* they do not nest */
				grouped = *c == '[';
			} else if (*c == '{') {
				assert_non_null(end);
				c += 1 + (c[1] == '?');
				length = (size_t)(end - c) - (end[-1] == ',');
				assert_field(kind, c, length);
				assert_hideable(kind, c, length, grouped);
				c = end;
			}
		}
		assert_false(grouped);
		if (catalogue_row(kind)->key)
			assert_field(kind, catalogue_row(kind)->key, strlen(catalogue_row(kind)->key));
	}
}

static void fields_are_described(void **state)
{
	struct event_field_row row;

	(void)state;
	assert_true(catalogue_field(EVENT_ATTACK_BEGUN, "service", &row));
	assert_int_equal(row.type, EVENT_TEXT);
	assert_false(row.detail);
	assert_true(catalogue_field(EVENT_ATTACK_BEGUN, "top", &row));
	assert_int_equal(row.type, EVENT_JSON);
	assert_true(row.detail);
	assert_true(catalogue_field(EVENT_CLOCK_STEPPED, "step_s", &row));
	assert_int_equal(row.type, EVENT_REAL);
	assert_true(catalogue_field(EVENT_FLOW_KILLED, "pid", &row)); /* the last one */
	assert_int_equal(row.type, EVENT_NUMBER);
	assert_false(catalogue_field(EVENT_ATTACK_BEGUN, "serv", &row));
	assert_false(catalogue_field(EVENT_ATTACK_BEGUN, "number", &row)); /* a type is no name */
	assert_false(catalogue_field(EVENT_FORWARDING_ON, "service", &row));
}

static void severities_have_words(void **state)
{
	(void)state;
	for (int severity = LOG_EMERG; severity <= LOG_DEBUG; severity++)
		assert_int_equal(catalogue_find_severity(catalogue_severity_word(severity)), severity);
	assert_string_equal(catalogue_severity_word(LOG_WARNING), "warning");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_a_row_of_its_own),
		cmocka_unit_test(texts_name_fields_that_there_are),
		cmocka_unit_test(fields_are_described),
		cmocka_unit_test(severities_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
