/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the wall clock was set and when it is only kept on time; that a loop which is held up is told, at
 * every start anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <systemd/sd-event.h>
#include <cmocka.h>

#include "daemon/events/clock_watch.h"
#include "daemon/events/events.h"

#define S INT64_C(1000000)

static const struct {
	int64_t wall_us, boot_us;
	int64_t step_us; /* 0: none is told */
} rows[] = {
	{ 1000 * S, 10 * S, 0 },
	{ 1001 * S, 11 * S, 0 },
	{ 1002 * S + 500, 12 * S, 0 },		 /* slewed */
	{ 1003 * S + 500 + 249999, 13 * S, 0 },	 /* the most that is not told */
	{ 4604 * S + 250499, 14 * S, 3600 * S }, /* set */
	{ 4605 * S + 250499, 15 * S, 0 },	 /* once */
	{ 4000 * S + 250499, 16 * S, -606 * S }, /* and back */
	{ 7600 * S + 250499, 3616 * S, 0 },	 /* suspended: the clock since boot went on, too */
};

static void steps_are_told_and_slewing_is_not(void **state)
{
	struct clock_watch watch = { .apart_us = 990 * S };
	int64_t step_us;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool told = clock_watch_judge(&watch, rows[i].wall_us, rows[i].boot_us, &step_us);

		assert_int_equal(told, rows[i].step_us != 0);
		if (told && step_us != rows[i].step_us)
			fail_msg("row %zu: %lld", i, (long long)step_us);
	}
}

static void count_second(void)
{
}

static void a_late_loop_is_told(void **state)
{
	struct clock_watch watch;
	struct event_entry *event;
	json_t *fields;
	sd_event *loop;

	(void)state;
	events_open(NULL);
	assert_true(sd_event_new(&loop) >= 0);
	assert_int_equal(clock_watch_start(&watch, loop, count_second), 0);
	usleep(2200000); /* more than a second after it should have run */
	assert_true(sd_event_run(loop, 0) > 0);
	event = events_next(0);
	assert_non_null(event);
	assert_int_equal(event->kind, EVENT_LOOP_LATE);
	fields = event_read_fields(event);
	assert_true(json_integer_value(json_object_get(fields, "late_ms")) >= 1000);
	json_decref(fields);
	event_unref(event);
	clock_watch_stop(&watch);
	sd_event_unref(loop);
	events_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_told_and_slewing_is_not),
		cmocka_unit_test(a_late_loop_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
