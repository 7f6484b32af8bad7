// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inline, connections whose cookie may have been a guess: when they are asked, what counts as an answer, and
 * what becomes of those that give none.
 */
#include <netinet/in.h>
#include <string.h>

#include "tests/bpf/dialogue.h"

#define AFTER_S	 30
#define INTERVAL 5
#define PROOFS	 32

static struct dialogue begin(void **state, bool timestamps)
{
	struct dialogue d = dialogue_new(*state, timestamps ? "timestamps" : "none", false, 0);

	d.h->runtime.probe_after_s = AFTER_S;
	harness_publish(d.h);
	d.client.timestamps = timestamps;
	dialogue_begin(&d);
	dialogue_open(&d);
	return d;
}

/* Owed after so many more seconds of silence. */
static uint32_t owed(const struct dialogue *d, double seconds)
{
	struct sweep_args args = { 0 };

	appliance_age(d->h, &d->tuple, seconds);
	appliance_sweep(d->h, &args);
	return args.pending;
}

static void expect(const struct dialogue *d, bool unproven, uint8_t probes, uint8_t proofs)
{
	struct connection c = dialogue_connection(d);

	assert_int_equal(!!(c.flags & CONNECTION_UNPROVEN), unproven);
	assert_int_equal(c.probes, probes);
	assert_int_equal(c.proofs, proofs);
}

static void timestamps_prove(void **state)
{
	struct dialogue d = begin(state, true);

	expect(&d, false, 0, 0);
	assert_int_equal(owed(&d, 7000), 0);
	dialogue_expect_state(&d, "idle", CONNECTION_ESTABLISHED);
}

static void silence_ends(void **state)
{
	struct dialogue d = begin(state, false);

	expect(&d, true, 0, 0);
	assert_int_equal(owed(&d, AFTER_S - 1), 0);
	assert_int_equal(owed(&d, 1.5), 1);
	assert_int_equal(owed(&d, 1), 0);
	assert_int_equal(owed(&d, INTERVAL), 1);
	assert_int_equal(owed(&d, INTERVAL), 1);
	expect(&d, true, 3, 0);
	dialogue_expect_state(&d, "asked", CONNECTION_ESTABLISHED);
	assert_int_equal(owed(&d, INTERVAL), 1);
	dialogue_expect_state(&d, "no answer", CONNECTION_RESET);
	assert_int_equal(owed(&d, 1), 0);
	owed(&d, 11);
	assert_int_equal(appliance_count(*state), 0);
}

/* The guess itself, over and over, and what the server sends again, are no life; acknowledging what the
 * server has not sent is no proof. */
static void repeating_the_guess_proves_nothing(void **state)
{
	struct dialogue d = begin(state, false);

	appliance_age(d.h, &d.tuple, AFTER_S - 1);
	for (int i = 0; i < 5; i++) {
		dialogue_talk(&d, PORT_OUTSIDE, "the guess", ACK, 0, 0, 0);
		dialogue_talk(&d, PORT_INSIDE, "the server", ACK | PSH, 0, 0, 10);
	}
	dialogue_talk(&d, PORT_OUTSIDE, "data", ACK | PSH, 0, 0, 10);
	expect(&d, true, 0, 0);
	assert_int_equal(owed(&d, 1.5), 1);
	dialogue_talk(&d, PORT_OUTSIDE, "more than was sent", ACK, 0, 11, 0);
	expect(&d, true, 1, 0);
	dialogue_talk(&d, PORT_OUTSIDE, "less than the handshake", ACK, 0, (uint32_t)-1, 0);
	expect(&d, true, 1, 0);
}

static void answers_count(void **state)
{
	struct dialogue d = begin(state, false);

	for (uint8_t i = 1; i < PROOFS; i++) {
		assert_int_equal(owed(&d, AFTER_S + 0.5), 1);
		expect(&d, true, 1, i - 1);
		dialogue_talk(&d, PORT_OUTSIDE, "answer", ACK, 0, 0, 0);
		expect(&d, true, 0, i);
		assert_int_equal(owed(&d, 1), 0);
	}
	/* not only an idle one's */
	dialogue_talk(&d, PORT_INSIDE, "a word", ACK | PSH, 0, 0, 10);
	dialogue_talk(&d, PORT_OUTSIDE, "heard", ACK, 0, 10, 0);
	expect(&d, false, 0, PROOFS);
	assert_int_equal(owed(&d, 7000), 0);
}

/* A client that is asked three times and answers the last is not asked again before its time. */
static void a_late_answer_is_one(void **state)
{
	struct dialogue d = begin(state, false);

	assert_int_equal(owed(&d, AFTER_S + 2 * INTERVAL + 0.5), 1);
	assert_int_equal(owed(&d, 0), 1);
	assert_int_equal(owed(&d, 0), 1);
	assert_int_equal(owed(&d, 0), 0);
	dialogue_talk(&d, PORT_OUTSIDE, "answer", ACK, 0, 0, 0);
	expect(&d, true, 0, 1);
	assert_int_equal(owed(&d, INTERVAL), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, appliance_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timestamps_prove), TEST(silence_ends),	    TEST(repeating_the_guess_proves_nothing),
		TEST(answers_count),	TEST(a_late_answer_is_one),
	};

	return cmocka_run_group_tests(tests, appliance_set_up, appliance_tear_down);
}
