/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ListEvents: which events, in how many parts, what others than root and the group see, what a follower that
 * was too slow is told, and that one that waits costs nothing but a look.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/control/dispatch.h"
#include "daemon/control/methods.h"
#include "daemon/control/protocol.h"
#include "daemon/events/events.h"

static json_t *parts; /* an array */
static unsigned int paused_ms;
static size_t largest;

static void collect(void *userdata, const char *message, size_t length)
{
	(void)userdata;
	largest = length > largest ? length : largest;
	json_array_append_new(parts, json_loads(message, 0, NULL));
}

static void note_pause(void *userdata, unsigned int ms)
{
	(void)userdata;
	paused_ms += ms;
}

static struct dispatcher dispatcher;
static struct progress progress;
static struct method_context context;

static int setup(void **state)
{
	(void)state;
	dispatcher.methods = methods_table(&dispatcher.method_count);
	dispatcher.context = &context;
	dispatcher.group = "synmoat";
	parts = json_array();
	events_open(NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dispatch_forget(&progress);
	events_close();
	json_decref(parts);
	return 0;
}

/* One turn; false: there may be more. */
static bool turn(const char *parameters, bool may_change)
{
	struct caller caller = {
		.uid = 1, .pid = 2, .may_change = may_change, .send = collect, .pause = note_pause
	};
	char message[512];
	int length =
		snprintf(message, sizeof(message), "{\"method\":\"%s\",\"more\":true,\"parameters\":{%s}}",
			 METHOD_LIST_EVENTS, parameters);

	paused_ms = 0;
	json_array_clear(parts);
	return dispatch_message(&dispatcher, &caller, &progress, message, (size_t)length);
}

static const json_t *part(size_t index)
{
	return json_object_get(json_array_get(parts, index), "parameters");
}

static size_t events_in(size_t index)
{
	return json_array_size(json_object_get(part(index), "events"));
}

static const json_t *event_in(size_t index, size_t event)
{
	return json_array_get(json_object_get(part(index), "events"), event);
}

static json_int_t number_in(size_t index, size_t event)
{
	return json_integer_value(json_object_get(event_in(index, event), "number"));
}

static const char *error(void)
{
	return json_string_value(json_object_get(json_array_get(parts, 0), "error"));
}

/* Of several users, so that none is left out. */
static void tell(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		event_tell(i % 2 ? EVENT_BYPASS_ON : EVENT_BYPASS_OFF, EV_NUMBER("uid", i / 2 % 4),
			   EV_NUMBER("pid", i));
}

static void which_events(void **state)
{
	(void)state;
	tell(10);
	event_tell(EVENT_DRAINED);
	assert_true(turn("", true));
	assert_int_equal(events_in(0), 11);
	assert_int_equal(json_integer_value(json_object_get(part(0), "missed")), 0);
	assert_true(turn("\"last\":3", true));
	assert_int_equal(events_in(0), 3);
	assert_int_equal(number_in(0, 0), 9);
	assert_true(turn("\"last\":0", true));
	assert_int_equal(events_in(0), 0);
	assert_true(turn("\"after\":8,\"last\":100", true));
	assert_int_equal(events_in(0), 3);
	assert_true(turn("\"kinds\":\"bypass-on\",\"last\":2", true));
	assert_int_equal(number_in(0, 0), 8);
	assert_int_equal(number_in(0, 1), 10);
	assert_true(turn("\"kinds\":\"drain*,bypass-o?\"", true));
	assert_int_equal(events_in(0), 6);
	assert_true(turn("\"since_us\":9000000000000000", true));
	assert_int_equal(events_in(0), 0);
}

static void what_makes_no_sense(void **state)
{
	static const char *const wrong[][2] = {
		{ "\"kinds\":\"moat\"", "kinds" }, { "\"kinds\":\"drained,moat\"", "kinds" },
		{ "\"after\":-1", "after" },	   { "\"last\":-2", "last" },
		{ "\"last\":4097", "last" },	   { "\"last\":\"3\"", "last" },
		{ "\"follow\":1", "follow" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_true(turn(wrong[i][0], true));
		assert_string_equal(error(), ERROR_INVALID_PARAMETER);
		assert_string_equal(json_string_value(json_object_get(part(0), "parameter")), wrong[i][1]);
	}
}

static void others_see_no_single_address(void **state)
{
	const json_t *event;

	(void)state;
	event_tell(EVENT_LIST_CHANGED, EV_TEXT("kind", "block"), EV_TEXT("action", "added"),
		   EV_TEXT("prefix", "192.0.2.9/32"), EV_NUMBER("uid", 0), EV_NUMBER("pid", 1));
	assert_true(turn("", true));
	event = event_in(0, 0);
	assert_string_equal(json_string_value(json_object_get(json_object_get(event, "fields"), "prefix")),
			    "192.0.2.9/32");
	assert_true(json_is_true(json_object_get(event, "whole")));
	assert_true(turn("", false));
	event = event_in(0, 0);
	assert_true(json_is_false(json_object_get(event, "whole")));
	assert_null(json_object_get(json_object_get(event, "fields"), "prefix"));
	assert_string_equal(json_string_value(json_object_get(json_object_get(event, "fields"), "action")),
			    "added");
	assert_null(strstr(json_string_value(json_object_get(event, "text")), "192.0.2"));
}

static void many_come_in_parts(void **state)
{
	json_int_t next = 1;
	bool over = false;

	(void)state;
	tell(4000);
	largest = 0;
	for (unsigned int turns = 0; !over && turns < 1000; turns++) {
		over = turn("", true);
		assert_int_equal(paused_ms, 0);
		for (size_t i = 0; i < events_in(0); i++)
			assert_int_equal(number_in(0, i), next++);
	}
	assert_true(over);
	assert_int_equal(next, 4001);
	assert_in_range(largest, 20000, MESSAGE_MAX);
}

static void a_follower_waits_and_goes_on(void **state)
{
	(void)state;
	tell(3);
	assert_false(turn("\"last\":1,\"follow\":true", true));
	assert_int_equal(events_in(0), 1);
	assert_true(paused_ms > 0);
	assert_false(turn("\"last\":1,\"follow\":true", true));
	assert_int_equal(json_array_size(parts), 0); /* nothing happened, and nothing is sent */
	assert_true(paused_ms > 0);
	tell(2);
	assert_false(turn("\"last\":1,\"follow\":true", true));
	assert_int_equal(events_in(0), 2);
	assert_int_equal(number_in(0, 0), 4);
}

static void one_that_is_too_slow_is_told(void **state)
{
	(void)state;
	tell(100);
	assert_false(turn("\"follow\":true", true));
	assert_int_equal(events_in(0), 100);
	tell(EVENTS_KEPT + 50);
	assert_false(turn("\"follow\":true", true));
	assert_int_equal(json_integer_value(json_object_get(part(0), "missed")), 50);
	assert_int_equal(number_in(0, 0), 151);
	assert_false(turn("\"follow\":true", true));
	assert_int_equal(json_integer_value(json_object_get(part(0), "missed")), 0); /* once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(which_events, setup, teardown),
		cmocka_unit_test_setup_teardown(what_makes_no_sense, setup, teardown),
		cmocka_unit_test_setup_teardown(others_see_no_single_address, setup, teardown),
		cmocka_unit_test_setup_teardown(many_come_in_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(a_follower_waits_and_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_is_too_slow_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
