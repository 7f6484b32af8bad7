// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What seconds of what was seen are called: each case is a few lines of seconds that follow each other, and
 * what the state, the class and the steps are at the end of each line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/detect/detect.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct detect_rules rules = {
	.completion_percent = 50,
	.share_percent = 50,
	.few = 16,
	.connections_per_minute = 12,
	.source_pps = 1000,
	.hold_s = 3,
};

/* Seconds that are all the same; distinct_all grows by new ones a second. */
struct line {
	uint32_t seconds;
	struct detect_facts facts;
	uint32_t novel;
	enum detect_state state; /* in the end */
	enum detect_class class;
	uint32_t begun, changed, ended; /* steps of the line */
};

#define UP   .watched = true, .pressed = true
#define CALM .watched = true, .calm = true

static void run(const struct line *lines, size_t count)
{
	struct detect d = { 0 };
	uint32_t all = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t steps[4] = { 0 };

		for (uint32_t second = 0; second < lines[i].seconds; second++) {
			struct detect_facts facts = lines[i].facts;

			all += lines[i].novel;
			facts.distinct_all = all;
			steps[detect_second(&d, &rules, &facts)]++;
		}
		if (d.state != lines[i].state || d.class != lines[i].class ||
		    steps[DETECT_BEGUN] != lines[i].begun || steps[DETECT_CHANGED] != lines[i].changed ||
		    steps[DETECT_ENDED] != lines[i].ended)
			fail_msg("line %zu: state %d, %s, begun %u, changed %u, ended %u", i, d.state,
				 detect_class_word(d.class), steps[DETECT_BEGUN], steps[DETECT_CHANGED],
				 steps[DETECT_ENDED]);
	}
}

#define CASE(name, ...)                                                                                      \
	static void name(void **state)                                                                       \
	{                                                                                                    \
		static const struct line lines[] = { __VA_ARGS__ };                                          \
                                                                                                             \
		(void)state;                                                                                 \
		run(lines, COUNT(lines));                                                                    \
	}

#define FLOOD UP, .syns = 100000, .answered = 100000

/* The second in which it began was seen in part only; the next tells. */
CASE(forged_sources_are_many_and_complete_nothing,
     { 1,
       { FLOOD, .distinct = 90000, .samples = 200, .top_permille = 5, .few_permille = 80 },
       90000,
       DETECT_SUSPECT,
       CLASS_UNKNOWN,
       0,
       0,
       0 },
     { 1,
       { FLOOD, .distinct = 90000, .samples = 200, .top_permille = 5, .few_permille = 80 },
       90000,
       DETECT_ATTACK,
       CLASS_FORGED,
       1,
       0,
       0 },
     { 20,
       { FLOOD, .distinct = 90000, .samples = 200, .top_permille = 5, .few_permille = 80 },
       90000,
       DETECT_ATTACK,
       CLASS_FORGED,
       0,
       0,
       0 })

CASE(one_source, { 2,
		   { FLOOD, .distinct = 3, .samples = 200, .top_permille = 990, .few_permille = 1000 },
		   1,
		   DETECT_ATTACK,
		   CLASS_SINGLE_SOURCE,
		   1,
		   0,
		   0 })

/* Before samples have come, the registers alone tell. */
CASE(one_source_without_samples,
     { 2, { FLOOD, .distinct = 1 }, 0, DETECT_ATTACK, CLASS_SINGLE_SOURCE, 1, 0, 0 })
CASE(few_sources_without_samples,
     { 2, { FLOOD, .distinct = 16 }, 0, DETECT_ATTACK, CLASS_FEW_SOURCES, 1, 0, 0 })
CASE(many_sources_without_samples, { 2, { FLOOD, .distinct = 17 }, 0, DETECT_ATTACK, CLASS_FORGED, 1, 0, 0 })

/* Most of it from one address, which forged ones are to hide. */
CASE(one_source_among_forged_ones,
     { 2,
       { FLOOD, .distinct = 40000, .samples = 200, .top_permille = 600, .few_permille = 610 },
       40000,
       DETECT_ATTACK,
       CLASS_SINGLE_SOURCE,
       1,
       0,
       0 })
CASE(few_sources, { 2,
		    { FLOOD, .distinct = 40, .samples = 200, .top_permille = 100, .few_permille = 900 },
		    40,
		    DETECT_ATTACK,
		    CLASS_FEW_SOURCES,
		    1,
		    0,
		    0 })

/* Real clients among a flood change nothing. */
CASE(forged_with_real_clients_among,
     { 3,
       { UP, .syns = 10000, .answered = 10000, .completed = 4000, .distinct = 9000, .samples = 200 },
       9000,
       DETECT_ATTACK,
       CLASS_FORGED,
       1,
       0,
       0 })

#define BUSY UP, .syns = 6000, .answered = 6000, .completed = 5900, .distinct = 4000, .samples = 200

CASE(a_crowd_is_no_attack, { 1, { BUSY }, 4000, DETECT_SUSPECT, CLASS_UNKNOWN, 0, 0, 0 },
     { 2, { BUSY }, 3000, DETECT_CROWD, CLASS_CROWD, 1, 0, 0 },
     { 60, { BUSY }, 2000, DETECT_CROWD, CLASS_CROWD, 0, 0, 0 },
     { 3, { CALM, .syns = 50, .answered = 50, .completed = 50 }, 0, DETECT_CALM, CLASS_CROWD, 0, 0, 1 })

/* Six connections for each visitor. */
CASE(a_crowd_of_browsers, { 60, { BUSY }, 1000, DETECT_CROWD, CLASS_CROWD, 1, 0, 0 })

/* Regulars who all have been there before, and come again twice a minute. */
CASE(a_crowd_of_regulars, { 1, { BUSY }, 200000, DETECT_SUSPECT, CLASS_UNKNOWN, 0, 0, 0 },
     { 200, { BUSY }, 0, DETECT_CROWD, CLASS_CROWD, 1, 0, 0 })

/* The first answers are on their way for a second. */
CASE(a_crowd_far_away,
     { 1,
       { UP, .syns = 2000, .answered = 2000, .distinct = 1500, .samples = 30 },
       1500,
       DETECT_SUSPECT,
       CLASS_UNKNOWN,
       0,
       0,
       0 },
     { 1,
       { UP, .syns = 6000, .answered = 6000, .completed = 1900, .distinct = 4000, .samples = 200 },
       4000,
       DETECT_SUSPECT,
       CLASS_UNKNOWN,
       0,
       0,
       0 },
     { 3, { BUSY }, 3000, DETECT_CROWD, CLASS_CROWD, 1, 0, 0 })

CASE(ten_thousand_that_connect_over_and_over, { 1, { BUSY }, 5000, DETECT_SUSPECT, CLASS_UNKNOWN, 0, 0, 0 },
     { 1, { BUSY }, 5000, DETECT_SUSPECT, CLASS_UNKNOWN, 0, 0, 0 },
     { 8, { BUSY }, 0, DETECT_ATTACK, CLASS_CONNECTIONS, 2, 0, 0 })

/* One whose connections are more than the limit of a source. */
CASE(one_that_floods_connections, { 6,
				    { BUSY, .top_permille = 700, .few_permille = 750 },
				    1000,
				    DETECT_ATTACK,
				    CLASS_SINGLE_SOURCE,
				    2,
				    0,
				    0 })
/* A proxy in front, below it. */
CASE(one_proxy_in_front, { 60,
			   { UP, .syns = 900, .answered = 900, .completed = 900, .distinct = 1,
			     .samples = 200, .top_permille = 1000, .few_permille = 1000 },
			   0,
			   DETECT_CROWD,
			   CLASS_CROWD,
			   1,
			   0,
			   0 })

CASE(an_attack_on_top_of_a_crowd, { 10, { BUSY }, 3000, DETECT_CROWD, CLASS_CROWD, 1, 0, 0 },
     { 1,
       { FLOOD, .completed = 5000, .distinct = 90000, .samples = 200 },
       90000,
       DETECT_CROWD,
       CLASS_CROWD,
       0,
       0,
       0 },
     { 3,
       { FLOOD, .completed = 5000, .distinct = 90000, .samples = 200 },
       90000,
       DETECT_ATTACK,
       CLASS_FORGED,
       1,
       0,
       0 })

CASE(an_attack_that_becomes_another,
     { 9,
       { FLOOD, .distinct = 3, .samples = 200, .top_permille = 990, .few_permille = 1000 },
       1,
       DETECT_ATTACK,
       CLASS_SINGLE_SOURCE,
       1,
       0,
       0 },
     { 1, { FLOOD, .distinct = 90000, .samples = 200 }, 90000, DETECT_ATTACK, CLASS_SINGLE_SOURCE, 0, 0, 0 },
     { 9, { FLOOD, .distinct = 90000, .samples = 200 }, 90000, DETECT_ATTACK, CLASS_FORGED, 0, 1, 0 })

/* Once an attack, it stays one until it is over. */
CASE(an_attack_does_not_become_a_crowd,
     { 9, { FLOOD, .distinct = 90000, .samples = 200 }, 90000, DETECT_ATTACK, CLASS_FORGED, 1, 0, 0 },
     { 30, { BUSY }, 3000, DETECT_ATTACK, CLASS_FORGED, 0, 0, 0 })

CASE(a_gap_shorter_than_the_hold_does_not_end_it,
     { 5, { FLOOD, .distinct = 90000, .samples = 200 }, 90000, DETECT_ATTACK, CLASS_FORGED, 1, 0, 0 },
     { 2, { CALM }, 0, DETECT_ATTACK, CLASS_FORGED, 0, 0, 0 },
     { 1, { FLOOD, .distinct = 90000, .samples = 200 }, 90000, DETECT_ATTACK, CLASS_FORGED, 0, 0, 0 },
     { 2, { CALM }, 0, DETECT_ATTACK, CLASS_FORGED, 0, 0, 0 },
     { 1, { CALM }, 0, DETECT_CALM, CLASS_FORGED, 0, 0, 1 })

CASE(mitigation_that_has_ended_ends_it,
     { 5, { FLOOD, .distinct = 90000, .samples = 200 }, 90000, DETECT_ATTACK, CLASS_FORGED, 1, 0, 0 },
     { 1, { .watched = true, .over = true, .syns = 900 }, 0, DETECT_CALM, CLASS_FORGED, 0, 0, 1 })

CASE(nothing_is_judged_in_mode_off_or_bypass,
     { 5,
       { .pressed = true, .syns = 100000, .answered = 100000 },
       90000,
       DETECT_CALM,
       CLASS_UNKNOWN,
       0,
       0,
       0 },
     { 5, { FLOOD, .distinct = 90000, .samples = 200 }, 90000, DETECT_ATTACK, CLASS_FORGED, 1, 0, 0 },
     { 1, { .pressed = true, .syns = 100000 }, 0, DETECT_CALM, CLASS_FORGED, 0, 0, 1 })

/* What passed a mark once, and is calm again before it could be judged. */
CASE(a_blip_is_not_told, { 1, { FLOOD, .distinct = 5000 }, 5000, DETECT_SUSPECT, CLASS_UNKNOWN, 0, 0, 0 },
     { 3, { CALM }, 0, DETECT_CALM, CLASS_UNKNOWN, 0, 0, 0 })

/* A port scan brings a service a SYN or two: no mark is met. */
CASE(a_port_scan_is_nothing_to_a_service,
     { 30, { CALM, .syns = 2, .distinct = 1 }, 1, DETECT_CALM, CLASS_UNKNOWN, 0, 0, 0 })

/* Three SYNs a second fill a small backlog. */
CASE(a_slow_attack_is_told_when_enough_is_known,
     { 6, { UP, .syns = 3, .answered = 3, .distinct = 3 }, 3, DETECT_SUSPECT, CLASS_UNKNOWN, 0, 0, 0 },
     { 6, { UP, .syns = 3, .answered = 3, .distinct = 3 }, 3, DETECT_ATTACK, CLASS_FEW_SOURCES, 1, 0, 0 })

/* A port where nobody listens, or only the kernel may answer. */
CASE(nobody_is_answered, { 5,
			   { UP, .syns = 20000, .distinct = 18000, .samples = 200 },
			   18000,
			   DETECT_ATTACK,
			   CLASS_MANY_SOURCES,
			   1,
			   0,
			   0 })
CASE(nobody_is_answered_and_it_is_one,
     { 5, { UP, .syns = 20000, .distinct = 1 }, 0, DETECT_ATTACK, CLASS_SINGLE_SOURCE, 1, 0, 0 })

static void sums_and_peak(void **state)
{
	struct detect_facts facts = { FLOOD, .completed = 300, .distinct = 90000 };
	struct detect d = { 0 };

	(void)state;
	detect_second(&d, &rules, &facts);
	facts.syns = facts.answered = 250000;
	detect_second(&d, &rules, &facts);
	facts.syns = facts.answered = 50000;
	detect_second(&d, &rules, &facts);
	assert_int_equal(d.peak_pps, 250000);
	assert_int_equal(d.answered, 400000);
	assert_int_equal(d.completed, 900);
	assert_int_equal(detect_completion(0, 5), 0);
	assert_int_equal(detect_completion(200, 199), 99);
	assert_int_equal(detect_completion(200, 300), 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(forged_sources_are_many_and_complete_nothing),
		cmocka_unit_test(one_source),
		cmocka_unit_test(one_source_without_samples),
		cmocka_unit_test(few_sources_without_samples),
		cmocka_unit_test(many_sources_without_samples),
		cmocka_unit_test(one_source_among_forged_ones),
		cmocka_unit_test(few_sources),
		cmocka_unit_test(forged_with_real_clients_among),
		cmocka_unit_test(a_crowd_is_no_attack),
		cmocka_unit_test(a_crowd_of_browsers),
		cmocka_unit_test(a_crowd_of_regulars),
		cmocka_unit_test(a_crowd_far_away),
		cmocka_unit_test(ten_thousand_that_connect_over_and_over),
		cmocka_unit_test(one_that_floods_connections),
		cmocka_unit_test(one_proxy_in_front),
		cmocka_unit_test(an_attack_on_top_of_a_crowd),
		cmocka_unit_test(an_attack_that_becomes_another),
		cmocka_unit_test(an_attack_does_not_become_a_crowd),
		cmocka_unit_test(a_gap_shorter_than_the_hold_does_not_end_it),
		cmocka_unit_test(mitigation_that_has_ended_ends_it),
		cmocka_unit_test(nothing_is_judged_in_mode_off_or_bypass),
		cmocka_unit_test(a_blip_is_not_told),
		cmocka_unit_test(a_port_scan_is_nothing_to_a_service),
		cmocka_unit_test(a_slow_attack_is_told_when_enough_is_known),
		cmocka_unit_test(nobody_is_answered),
		cmocka_unit_test(nobody_is_answered_and_it_is_one),
		cmocka_unit_test(sums_and_peak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
