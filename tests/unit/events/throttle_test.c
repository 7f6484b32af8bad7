/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flood of events: each key of a kind has its allowance a minute, the kind as a whole has one, and what was
 * left out is counted to the last.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/events/throttle.h"

static struct throttle throttle;

static int setup(void **state)
{
	(void)state;
	memset(&throttle, 0, sizeof(throttle));
	return 0;
}

static unsigned int allowed(enum event_kind kind, const char *key, unsigned int times, int64_t now_s)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < times; i++)
		count += throttle_allow(&throttle, kind, key, now_s);
	return count;
}

static void one_key_has_its_allowance(void **state)
{
	struct throttle_place over;

	(void)state;
	assert_int_equal(allowed(EVENT_MITIGATION_BEGUN, "web", 1000, 100), EVENT_PER_MINUTE);
	assert_int_equal(allowed(EVENT_MITIGATION_BEGUN, "mail", 3, 100), 3);
	assert_int_equal(allowed(EVENT_MITIGATION_ENDED, "web", 3, 100), 3);
	assert_false(throttle_take(&throttle, 100 + THROTTLE_WINDOW_S - 1, false, &over));
	assert_true(throttle_take(&throttle, 100 + THROTTLE_WINDOW_S, false, &over));
	assert_int_equal(over.kind, EVENT_MITIGATION_BEGUN);
	assert_string_equal(over.key, "web");
	assert_int_equal(over.left_out, 1000 - EVENT_PER_MINUTE);
	assert_int_equal(over.began_s, 100);
	assert_false(throttle_take(&throttle, 100 + THROTTLE_WINDOW_S, false, &over));
	assert_int_equal(allowed(EVENT_MITIGATION_BEGUN, "web", 1000, 200), EVENT_PER_MINUTE);
}

static void what_was_left_out_is_never_forgotten(void **state)
{
	struct throttle_place over;

	(void)state;
	allowed(EVENT_MITIGATION_BEGUN, "web", 100, 100);
	/* nobody has asked yet */
	assert_int_equal(allowed(EVENT_MITIGATION_BEGUN, "web", 10, 500), 0);
	assert_true(throttle_take(&throttle, 500, false, &over));
	assert_int_equal(over.left_out, 110 - EVENT_PER_MINUTE);
	allowed(EVENT_MITIGATION_BEGUN, "web", 100, 500);
	assert_true(throttle_take(&throttle, 501, true, &over)); /* at the end */
	assert_int_equal(over.left_out, 100 - EVENT_PER_MINUTE);
}

static void many_keys_share_the_allowance_of_the_kind(void **state)
{
	struct throttle_place over;
	unsigned int told = 0, left_out = 0;
	char key[32];

	(void)state;
	for (unsigned int i = 0; i < 10000; i++) {
		snprintf(key, sizeof(key), "service%u", i);
		told += throttle_allow(&throttle, EVENT_MITIGATION_BEGUN, key, 100);
	}
	assert_int_equal(told, THROTTLE_KEYS * EVENT_PER_MINUTE);
	while (throttle_take(&throttle, 1000, false, &over))
		left_out += over.left_out;
	assert_int_equal(left_out, 10000 - told);
	assert_int_equal(allowed(EVENT_INTERFACE_LOST, "eth0", 1, 100), 1); /* another kind */
}

static void a_kind_without_key_has_one_allowance(void **state)
{
	(void)state;
	assert_int_equal(allowed(EVENT_CLOCK_STEPPED, NULL, 100, 100), EVENT_PER_MINUTE);
	assert_int_equal(allowed(EVENT_CLOCK_STEPPED, NULL, 100, 160), 0); /* said first what was left out */
}

static void a_user_may_change_much(void **state)
{
	(void)state;
	assert_true(allowed(EVENT_LIST_CHANGED, "1000", 500, 100) == 500);
	assert_true(allowed(EVENT_ACCESS_REFUSED, "1000", 500, 100) < 10); /* but provoke little */
}

static void places_of_old_keys_are_used_again(void **state)
{
	char key[32];

	(void)state;
	for (unsigned int i = 0; i < 10 * THROTTLE_PLACES; i++) {
		snprintf(key, sizeof(key), "%u", i);
		assert_true(throttle_allow(&throttle, EVENT_LIST_CHANGED, key, 100 + i));
	}
	assert_int_equal(allowed(EVENT_MITIGATION_BEGUN, "web", 1000, 1000000), EVENT_PER_MINUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_key_has_its_allowance, setup),
		cmocka_unit_test_setup(what_was_left_out_is_never_forgotten, setup),
		cmocka_unit_test_setup(many_keys_share_the_allowance_of_the_kind, setup),
		cmocka_unit_test_setup(a_kind_without_key_has_one_allowance, setup),
		cmocka_unit_test_setup(a_user_may_change_much, setup),
		cmocka_unit_test_setup(places_of_old_keys_are_used_again, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
