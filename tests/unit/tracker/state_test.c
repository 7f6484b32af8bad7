// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The matrix against tests/tables: each arrow of RFC 9293 is in it, and each cell that moves is an arrow of
 * it or a deviation that has a reason. And the words for states.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/tracker/state.h"
#include "tests/tables/deviations.h"
#include "tests/tables/rfc9293.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void every_arrow_is_in_the_matrix(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rfc9293_arrows); i++) {
		const struct arrow *a = &rfc9293_arrows[i];
		enum tcp_state at = a->from;

		assert_int_not_equal(a->via[0], VIA_END);
		for (size_t j = 0; a->via[j] != VIA_END; j++)
			at = tcp_state_next(at, a->via[j], false);
		if (at != a->to)
			fail_msg("%s to %s (%s, %s): leads to %s", tcp_state_word(a->from),
				 tcp_state_word(a->to), a->words, a->source, tcp_state_word(at));
	}
}

/* An arrow of several events is made of arrows of one. */
static bool is_arrow(enum tcp_state from, enum tcp_event event, enum tcp_state to)
{
	for (size_t i = 0; i < COUNT(rfc9293_arrows); i++) {
		const struct arrow *a = &rfc9293_arrows[i];

		if (a->from == from && a->to == to && a->via[0] == event && a->via[1] == VIA_END)
			return true;
	}
	return false;
}

static bool is_deviation(enum tcp_state from, enum tcp_event event, enum tcp_state to)
{
	for (size_t i = 0; i < COUNT(deviations); i++)
		if (deviations[i].from == from && deviations[i].event == event && deviations[i].to == to)
			return true;
	return false;
}

static void every_move_is_an_arrow_or_a_deviation(void **state)
{
	(void)state;
	for (int from = 0; from < TS_COUNT; from++)
		for (int event = 0; event < EV_COUNT; event++) {
			enum tcp_state to =
				tcp_state_next((enum tcp_state)from, (enum tcp_event)event, false);

			if (tcp_matrix[from][event] == TCP_STAY)
				continue;
			if (!is_arrow((enum tcp_state)from, (enum tcp_event)event, to) &&
			    !is_deviation((enum tcp_state)from, (enum tcp_event)event, to))
				fail_msg("%s to %s on event %d: neither an arrow nor a deviation",
					 tcp_state_word((enum tcp_state)from), tcp_state_word(to), event);
		}
}

static void every_deviation_is_in_the_matrix(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(deviations); i++) {
		const struct deviation *d = &deviations[i];

		assert_true(strlen(d->reason) > 10);
		assert_false(is_arrow(d->from, d->event, d->to));
		if (tcp_state_next(d->from, d->event, false) != d->to)
			fail_msg("%s to %s: %s", tcp_state_word(d->from), tcp_state_word(d->to), d->reason);
	}
}

/* Note 1 of the figure: only after a passive OPEN. */
static void a_reset_half_open_goes_back_by_who_opened(void **state)
{
	(void)state;
	assert_int_equal(tcp_state_next(TS_SYN_RECEIVED, EV_RCV_RST, false), TS_LISTEN);
	assert_int_equal(tcp_state_next(TS_SYN_RECEIVED, EV_RCV_RST, true), TS_CLOSED);
}

static void every_state_can_be_reached(void **state)
{
	bool reached[TS_COUNT] = { [TS_CLOSED] = true };

	(void)state;
	for (int round = 0; round < TS_COUNT; round++)
		for (int from = 0; from < TS_COUNT; from++)
			for (int event = 0; event < EV_COUNT && reached[from]; event++)
				if (event != EV_COOKIE)
					reached[tcp_state_next((enum tcp_state)from, (enum tcp_event)event,
							       false)] = true;
	for (int to = 0; to < TS_COUNT; to++)
		assert_true(reached[to]);
}

static void words_go_both_ways(void **state)
{
	(void)state;
	for (int s = 0; s < TS_COUNT; s++)
		assert_int_equal(tcp_state_parse(tcp_state_word((enum tcp_state)s)), s);
	assert_int_equal(tcp_state_parse("fin_wait_2"), TS_FIN_WAIT_2);
	assert_int_equal(tcp_state_parse("estab"), TS_ESTABLISHED);
	assert_int_equal(tcp_state_parse("established"), TS_ESTABLISHED);
	assert_int_equal(tcp_state_parse("SYN_RECEIVED"), TS_SYN_RECEIVED);
	assert_int_equal(tcp_state_parse("SYN-RCVD"), TS_SYN_RECEIVED);
	assert_int_equal(tcp_state_parse("ESTABLISH"), -1);
	assert_int_equal(tcp_state_parse(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_arrow_is_in_the_matrix),
		cmocka_unit_test(every_move_is_an_arrow_or_a_deviation),
		cmocka_unit_test(every_deviation_is_in_the_matrix),
		cmocka_unit_test(a_reset_half_open_goes_back_by_who_opened),
		cmocka_unit_test(every_state_can_be_reached),
		cmocka_unit_test(words_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
