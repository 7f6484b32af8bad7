/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One event: its text with and without what may be left out, what others than root and the group see of it,
 * its line of JSON and back, and values that would break a line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <cmocka.h>

#include "daemon/events/events.h"

static const struct event_stamp stamp = { .number = 7,
					  .wall_us = 1795285513000042,
					  .monotonic_us = 12345678 };

#define MAKE(kind, ...)                                                                                      \
	event_new(kind, &stamp,                                                                              \
		  event_fields(kind, (const struct event_field[]){ __VA_ARGS__, { .name = NULL } }))

static void what_was_not_told_is_left_out_of_the_text(void **state)
{
	struct event_entry *plain = MAKE(EVENT_INTERFACE_ATTACHED, EV_TEXT("interface", "eth0"),
					 EV_TEXT("xdp", "native"), EV_NUMBER("mtu", 1500));
	struct event_entry *by_root =
		MAKE(EVENT_INTERFACE_ATTACHED, EV_TEXT("interface", "eth0"), EV_TEXT("xdp", "native"),
		     EV_NUMBER("mtu", 1500), EV_NUMBER("uid", 0), EV_NUMBER("pid", 42));
	struct event_entry *clean =
		MAKE(EVENT_DAEMON_STARTED, EV_TEXT("version", "1"), EV_TEXT("deployment", "host"),
		     EV_NUMBER("services", 1), EV_FLAG("unclean", false));
	struct event_entry *unclean =
		MAKE(EVENT_DAEMON_STARTED, EV_TEXT("version", "1"), EV_TEXT("deployment", "host"),
		     EV_NUMBER("services", 1), EV_FLAG("unclean", true));

	(void)state;
	assert_string_equal(plain->text, "interface eth0: attached, native XDP, MTU 1500");
	assert_string_equal(by_root->text,
			    "interface eth0: attached, native XDP, MTU 1500, by uid 0 (pid 42)");
	assert_string_equal(clean->text, "synmoatd 1 started: host mode, services: 1");
	assert_non_null(strstr(unclean->text, "; the one before it stopped without a word"));
	event_unref(plain);
	event_unref(by_root);
	event_unref(clean);
	event_unref(unclean);
}

static void others_see_no_single_address(void **state)
{
	struct event_entry *event = MAKE(EVENT_FLOW_KILLED, EV_TEXT("client", "192.0.2.9:4711"),
					 EV_TEXT("server", "198.51.100.1:80"), EV_TEXT("service", "web"),
					 EV_NUMBER("uid", 1000), EV_NUMBER("pid", 42));
	json_t *all = event_read_fields(event), *fields = event_public_fields(event, all);
	char *text = event_public_text(event, fields);

	(void)state;
	assert_int_equal(json_object_size(all), 5);
	assert_string_equal(event->text,
			    "connection 192.0.2.9:4711 to 198.51.100.1:80 of service web ended by uid 1000 "
			    "(pid 42)");
	assert_string_equal(text, "connection of service web ended by uid 1000 (pid 42)");
	assert_int_equal(json_object_size(fields), 3);
	assert_null(json_object_get(fields, "client"));
	free(text);
	json_decref(fields);
	json_decref(all);
	event_unref(event);
}

static void a_line_comes_back_as_it_was(void **state)
{
	struct event_entry *event =
		MAKE(EVENT_ATTACK_BEGUN, EV_TEXT("service", "web"), EV_NUMBER("syn_rate_pps", 250000),
		     EV_NUMBER("sources", 10000), EV_TEXT("class", "forged"),
		     EV_JSON("top", json_pack("[s,s]", "192.0.2.0/24", "198.51.100.0/24")));
	struct event_entry *back = event_parse(event->line, strlen(event->line) - 1);
	json_t *fields;

	(void)state;
	assert_non_null(strstr(event->text, "192.0.2.0/24, 198.51.100.0/24")); /* as one would write them */
	assert_non_null(back);
	assert_int_equal(back->number, 7);
	assert_int_equal(back->kind, EVENT_ATTACK_BEGUN);
	assert_int_equal(back->severity, LOG_ALERT);
	assert_true(back->wall_us == stamp.wall_us);
	assert_true(back->monotonic_us == stamp.monotonic_us);
	assert_string_equal(back->text, event->text);
	assert_string_equal(back->line, event->line);
	assert_string_equal(back->name, "attack-begun");
	fields = event_read_fields(back);
	assert_int_equal(json_object_size(fields), 5);
	assert_string_equal(json_string_value(json_array_get(json_object_get(fields, "top"), 1)),
			    "198.51.100.0/24");
	json_decref(fields);
	assert_non_null(strstr(event->line, "\"time\":\"2026-11-21T18:25:13.000042Z\""));
	assert_ptr_equal(strchr(event->line, '\n'), event->line + strlen(event->line) - 1);
	event_unref(back);
	event_unref(event);
}

static void a_kind_of_another_version_is_kept_and_hidden(void **state)
{
	static const char line[] =
		"{\"number\":3,\"time\":\"2026-11-21T18:25:13.000000Z\",\"monotonic_us\":1,"
		"\"kind\":\"moat-crossed\",\"severity\":\"alert\",\"text\":\"by 192.0.2.1\","
		"\"fields\":{\"source\":\"192.0.2.1\"}}";
	struct event_entry *event = event_parse(line, strlen(line));
	json_t *all, *fields;
	char *text;

	(void)state;
	assert_non_null(event);
	assert_int_equal(event->kind, -1);
	assert_string_equal(event->name, "moat-crossed");
	assert_string_equal(event->text, "by 192.0.2.1");
	all = event_read_fields(event);
	fields = event_public_fields(event, all);
	text = event_public_text(event, fields);
	assert_int_equal(json_object_size(fields), 0);
	assert_string_equal(text, "moat-crossed");
	free(text);
	json_decref(fields);
	json_decref(all);
	event_unref(event);
}

static void what_is_no_such_line_is_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"{}",
		"[1]",
		"{\"number\":3",
		"{\"number\":0,\"time\":\"2026-11-21T18:25:13.000000Z\",\"monotonic_us\":1,\"kind\":"
		"\"drained\","
		"\"severity\":\"notice\",\"text\":\"\",\"fields\":{}}",
		"{\"number\":3,\"time\":\"yesterday\",\"monotonic_us\":1,\"kind\":\"drained\","
		"\"severity\":\"notice\",\"text\":\"\",\"fields\":{}}",
		"{\"number\":3,\"time\":\"2026-11-21T18:25:13.000000Z\",\"monotonic_us\":1,\"kind\":"
		"\"drained\","
		"\"severity\":\"notice\",\"text\":\"\",\"fields\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_null(event_parse(lines[i], strlen(lines[i])));
}

static void values_cannot_break_the_line(void **state)
{
	char huge[4000];
	struct event_entry *event;
	const char *error;
	json_t *fields;

	(void)state;
	event = MAKE(EVENT_CONFIG_REFUSED, EV_TEXT("error", "a\nb\033[31m\xc2\x9b\x7f"));
	assert_true(strstr(event->text, ": a b?[31m??"));
	event_unref(event);
	event = MAKE(EVENT_CONFIG_REFUSED, EV_TEXT("error", "caf\xe9 {service} [x]")); /* Latin-1 */
	assert_true(strstr(event->text, ": caf? {service} [x]"));
	event_unref(event);
	memset(huge, 'x', sizeof(huge));
	huge[510] = '\xc3';
	huge[511] = '\xa4';
	huge[sizeof(huge) - 1] = '\0';
	event = MAKE(EVENT_CONFIG_REFUSED, EV_TEXT("error", huge));
	fields = event_read_fields(event);
	error = json_string_value(json_object_get(fields, "error"));
	assert_int_equal(strspn(error, "x"), 510);
	assert_true(strlen(error) <= 512);
	json_decref(fields);
	event_unref(event);
	event = MAKE(EVENT_CONFIG_REFUSED, EV_TEXT("error", NULL));
	assert_non_null(event);
	event_unref(event);
}

static void json_that_is_too_long_is_said_to_be(void **state)
{
	json_t *array = json_array(), *fields;
	struct event_entry *event;

	(void)state;
	for (int i = 0; i < 1000; i++)
		json_array_append_new(array, json_string("192.0.2.0/24"));
	event = MAKE(EVENT_ATTACK_BEGUN, EV_TEXT("service", "web"), EV_JSON("top", array));
	fields = event_read_fields(event);
	assert_string_equal(json_string_value(json_object_get(fields, "top")), "(too long)");
	json_decref(fields);
	event_unref(event);
}

static void a_field_that_the_catalogue_lacks_is_left_out(void **state)
{
	struct event_entry *event = MAKE(EVENT_DRAIN_CANCELLED, EV_NUMBER("uid", 1), EV_TEXT("pid", "2"),
					 EV_JSON("colour", json_string("red")));
	json_t *fields = event_read_fields(event);

	(void)state;
	assert_int_equal(json_object_size(fields), 1);
	json_decref(fields);
	event_unref(event);
}

static void times_are_read_strictly(void **state)
{
	int64_t us;
	char text[32];

	(void)state;
	assert_int_equal(event_parse_time("1970-01-01T00:00:01.500000Z", &us), 0);
	assert_true(us == 1500000);
	assert_string_equal(event_format_time(us, text, sizeof(text)), "1970-01-01T00:00:01.500000Z");
	assert_int_not_equal(event_parse_time("1970-01-01T00:00:01Z", &us), 0);
	assert_int_not_equal(event_parse_time("1970-01-01T00:00:01.500000", &us), 0);
	assert_int_not_equal(event_parse_time("1970-01-01T00:00:01.500000Zx", &us), 0);
	assert_int_not_equal(event_parse_time("", &us), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_told_is_left_out_of_the_text),
		cmocka_unit_test(others_see_no_single_address),
		cmocka_unit_test(a_line_comes_back_as_it_was),
		cmocka_unit_test(a_kind_of_another_version_is_kept_and_hidden),
		cmocka_unit_test(what_is_no_such_line_is_refused),
		cmocka_unit_test(values_cannot_break_the_line),
		cmocka_unit_test(json_that_is_too_long_is_said_to_be),
		cmocka_unit_test(a_field_that_the_catalogue_lacks_is_left_out),
		cmocka_unit_test(times_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
