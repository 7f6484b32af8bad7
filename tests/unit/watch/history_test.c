// SPDX-License-Identifier: GPL-2.0-or-later
/* Ten minutes of samples: what falls out, what was skipped, and who gets a row when there are more ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/watch/history.h"

static struct history history;
static uint32_t samples[HISTORY_S];

static void second(uint64_t now_s, uint16_t port, uint32_t half_opens)
{
	history_advance(&history, now_s);
	history_begin(&history);
	history_note_all(&history, half_opens);
	history_note_port(&history, port, half_opens);
}

static int set_up(void **state)
{
	(void)state;
	memset(&history, 0, sizeof(history));
	return 0;
}

static void it_reaches_back_ten_minutes(void **state)
{
	(void)state;
	assert_int_equal(history_read(&history, 0, samples), 0);
	for (uint32_t s = 0; s < HISTORY_S + 50; s++) {
		second(1000000 + s, 80, s);
		assert_int_equal(history_read(&history, 0, samples), s < HISTORY_S ? s + 1 : HISTORY_S);
	}
	for (uint32_t i = 0; i < HISTORY_S; i++)
		assert_int_equal(samples[i], i + 50);
	assert_int_equal(history_read(&history, 80, samples), HISTORY_S);
	assert_int_equal(samples[HISTORY_S - 1], HISTORY_S + 49);
	assert_int_equal(history_read(&history, 81, samples), 0);
}

static void skipped_seconds_have_no_sample(void **state)
{
	(void)state;
	second(100, 80, 7);
	second(103, 80, 9);
	history_advance(&history, 104);
	assert_int_equal(history_read(&history, 80, samples), 5);
	assert_int_equal(samples[0], 7);
	assert_int_equal(samples[1], HISTORY_NONE);
	assert_int_equal(samples[2], HISTORY_NONE);
	assert_int_equal(samples[3], 9);
	assert_int_equal(samples[4], HISTORY_NONE);
	history_advance(&history, 90); /* never back */
	assert_int_equal(history_read(&history, 0, samples), 5);
	history_advance(&history, 104 + 100 * HISTORY_S);
	assert_int_equal(history_read(&history, 80, samples), HISTORY_S);
	for (uint32_t i = 0; i < HISTORY_S; i++)
		assert_int_equal(samples[i], HISTORY_NONE);
}

/* A port that comes up had none before; one that no half-open is told of any more has none now. */
static void a_port_is_empty_when_nothing_is_told_of_it(void **state)
{
	(void)state;
	second(100, 80, 5);
	second(101, 81, 6);
	assert_int_equal(history_read(&history, 81, samples), 2);
	assert_int_equal(samples[0], 0);
	assert_int_equal(samples[1], 6);
	assert_int_equal(history_read(&history, 80, samples), 2);
	assert_int_equal(samples[1], 0);
}

static void the_ports_with_the_most_are_kept(void **state)
{
	uint16_t ports[HISTORY_PORTS];

	(void)state;
	history_advance(&history, 100);
	history_begin(&history);
	history_note_all(&history, 1);
	for (uint16_t port = 1; port <= HISTORY_PORTS; port++)
		history_note_port(&history, port, 100U + port);
	history_note_port(&history, 1000, 100); /* less than any */
	assert_int_equal(history_read(&history, 1000, samples), 0);
	second(101, 2000, 102); /* more than port 1 ever had */
	assert_int_equal(history_read(&history, 1, samples), 0);
	assert_int_equal(history_read(&history, 2000, samples), 2);
	assert_int_equal(samples[0], HISTORY_NONE); /* nobody looked */
	assert_int_equal(samples[1], 102);
	assert_int_equal(history_ports(&history, ports), HISTORY_PORTS);
	assert_int_equal(ports[0], HISTORY_PORTS);
	assert_int_equal(ports[HISTORY_PORTS - 1], 2000);
	history_note_port(&history, 3000, 0); /* nothing to keep */
	assert_int_equal(history_read(&history, 3000, samples), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(it_reaches_back_ten_minutes, set_up),
		cmocka_unit_test_setup(skipped_seconds_have_no_sample, set_up),
		cmocka_unit_test_setup(a_port_is_empty_when_nothing_is_told_of_it, set_up),
		cmocka_unit_test_setup(the_ports_with_the_most_are_kept, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
