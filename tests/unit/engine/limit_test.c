// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits: each bucket's decisions at its edges against a clock that the test sets, its rate over time, on
 * several CPUs, what is done with what is over it, and what is in force after a change and a reload.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bpf/ratelimit.bpf.h"
#include "daemon/engine/limit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define START	     0xffffb6c2ULL /* jiffies64 of a machine that has just booted: about 2^32 */

static uint64_t at(uint64_t jiffies)
{
	return (START + jiffies) << PACE_SHIFT;
}

static uint32_t offer(__u64 *word, const struct pace *pace, uint64_t jiffies, uint32_t count)
{
	uint32_t passed = 0;

	while (count--)
		passed += bucket_take(word, pace, at(jiffies));
	return passed;
}

/* --- edges --- */

struct step {
	uint64_t jiffies; /* since the first one */
	uint32_t offered, passed;
};

static const struct edge_row {
	const char *name;
	uint32_t rate, burst, hz;
	struct step steps[8];
} edge_rows[] = {
	{ "10/s, 5 at once, 250 Hz",
	  10,
	  5,
	  250,
	  { { 0, 7, 5 },
	    { 24, 3, 0 },
	    { 25, 3, 1 },
	    { 49, 1, 0 },
	    { 50, 2, 1 },
	    { 174, 9, 4 },
	    { 175, 1, 1 },
	    { 900, 9, 5 } } },
	{ "10/s, a second's worth",
	  10,
	  0,
	  250,
	  { { 0, 20, 10 }, { 24, 1, 0 }, { 25, 1, 1 }, { 9999, 20, 10 } } },
	{ "1/s, 1 at once, 1000 Hz",
	  1,
	  1,
	  1000,
	  { { 0, 2, 1 },
	    { 999, 5, 0 },
	    { 1000, 2, 1 },
	    { 1999, 1, 0 },
	    { 3500, 2, 1 },
	    { 4499, 1, 0 },
	    { 4500, 1, 1 } } },
	{ "3/s, of a third of a second each, 100 Hz",
	  3,
	  1,
	  100,
	  { { 0, 2, 1 },
	    { 33, 1, 0 },
	    { 34, 1, 1 },
	    { 67, 1, 0 },
	    { 68, 1, 1 },
	    { 101, 1, 0 },
	    { 102, 1, 1 } } },
	{ "100/s, 250 at once",
	  100,
	  250,
	  100,
	  { { 0, 300, 250 }, { 1, 2, 1 }, { 2, 2, 1 }, { 102, 200, 100 }, { 1000, 999, 250 } } },
	{ "1,000/s in one: raised to two jiffies' worth",
	  1000,
	  1,
	  250,
	  { { 0, 20, 9 }, { 1, 9, 4 }, { 2, 9, 4 }, { 4, 20, 8 }, { 9, 20, 9 } } },
	{ "65,536/s in 1024, 1024 Hz: 64 a jiffy",
	  65536,
	  1024,
	  1024,
	  { { 0, 2000, 1024 }, { 1, 99, 64 }, { 3, 999, 128 }, { 99, 5000, 1024 } } },
	{ "1M/s, 8,001 at once: 4,000.29 a jiffy of 250 Hz",
	  1000000,
	  0x1f41,
	  250,
	  { { 0, 9000, 8001 },
	    { 1, 9000, 4000 },
	    { 2, 9000, 4000 },
	    { 3, 9000, 4000 },
	    { 4, 9000, 4001 },
	    { 9, 20000, 8001 } } },
	{ "no rate: nothing is over it", 0, 0, 250, { { 0, 9, 9 } } },
};

static void a_bucket_decides_exactly_at_its_edges(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(edge_rows); i++) {
		const struct edge_row *row = &edge_rows[i];
		struct limit limit = { .base = limit_pace(row->rate, row->burst, row->hz) };
		struct bucket bucket = { 0 };

		for (size_t s = 0; s < COUNT(row->steps) && row->steps[s].offered; s++) {
			const struct step *step = &row->steps[s];
			uint32_t passed = 0;

			for (uint32_t n = 0; n < step->offered; n++)
				passed += limit_within(&limit, &bucket, at(step->jiffies), 1);
			if (passed != step->passed)
				fail_msg("%s: at jiffy %ju, %u of %u passed, not %u", row->name,
					 (uintmax_t)step->jiffies, passed, step->offered, step->passed);
		}
	}
}

/* --- over time --- */

/* Offered evenly at FACTOR times the rate: what passes in SECONDS, beside the burst. */
static double share_of_rate(uint32_t rate, uint32_t hz, double factor, uint32_t seconds)
{
	struct pace pace = limit_pace(rate, 2, hz); /* with one, what comes between two tokens loses time */
	__u64 word = 0;
	uint64_t passed = 0, offered = (uint64_t)(rate * factor * seconds);
	uint64_t burst = pace.tolerance / pace.interval + 1;

	for (uint64_t i = 0; i < offered; i++)
		passed += bucket_take(&word, &pace, at(i * hz * seconds / offered));
	return ((double)passed - (double)burst) / ((double)rate * seconds);
}

static void a_rate_is_right_from_1_to_1M_a_second(void **state)
{
	static const uint32_t rates[] = { 1, 3, 10, 33, 100, 250, 1000, 9999, 65537, 250000, 1000000 };
	static const uint32_t clocks[] = { 100, 250, 300, 1000 };
	double worst = 0;

	(void)state;
	for (size_t r = 0; r < COUNT(rates); r++)
		for (size_t c = 0; c < COUNT(clocks); c++) {
			uint32_t seconds = rates[r] < 1000 ? 1000 : rates[r] < 100000 ? 20 : 4;
			double off = share_of_rate(rates[r], clocks[c], 1.7, seconds) - 1;

			off = off < 0 ? -off : off;
			worst = off > worst ? off : worst;
			if (off > 0.01)
				fail_msg("%u/s at %u Hz is off by %.3f %%", rates[r], clocks[c], off * 100);
			/* what stays below the rate is never touched */
			if (share_of_rate(rates[r], clocks[c], 0.95, seconds) > 0.95)
				fail_msg("%u/s at %u Hz: more than was offered", rates[r], clocks[c]);
		}
	print_message("worst rate: off by %.3f %%\n", worst * 100);
}

static void what_stays_below_the_rate_passes_whole(void **state)
{
	static const uint32_t rates[] = { 10, 1000, 100000 };

	(void)state;
	for (size_t r = 0; r < COUNT(rates); r++) {
		struct pace pace = limit_pace(rates[r], 1, 250);
		__u64 word = 0;

		for (uint64_t i = 0; i < rates[r] * 10ULL; i++)
			if (!bucket_take(&word, &pace, at(i * 250 * 10 / (rates[r] * 95ULL / 10))))
				fail_msg("%u/s: one of 95 %% of it did not pass", rates[r]);
	}
}

/* --- several CPUs --- */

static void a_bucket_at_its_limit_is_shared_by_atomics(void **state)
{
	static const int64_t jiffy = 1LL << PACE_SHIFT;
	static const struct {
		uint32_t rate, burst, hz;
		double ease; /* jiffies */
	} rows[] = {
		{ 1, 1, 250, -1 },	    { 10, 1, 250, -1 },	    { 125, 1, 250, 1 },
		{ 500, 1000, 250, 1 },	    { 64000, 0, 250, 1 },   { 1000000, 0, 250, 256.0 / 4000 },
		{ 1000000, 1, 250, 0.064 }, { 100000, 0, 1000, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pace pace = limit_pace(rows[i].rate, rows[i].burst, rows[i].hz);
		int64_t expected = (int64_t)(rows[i].ease * (double)jiffy);

		if (pace.ease > expected || pace.ease < expected - jiffy / 1000)
			fail_msg("row %zu: %jd of %jd", i, (intmax_t)pace.ease, (intmax_t)expected);
		assert_true(pace.ease <= (int64_t)pace.tolerance - jiffy);
	}
}

#define THREADS 4
#define TAKES	400000
#define TRIES	10

static struct {
	struct pace pace;
	__u64 word;
	uint64_t taken; /* attempts of all: the clock */
	uint64_t passed;
} shared;

static void *hammer(void *arg)
{
	uint64_t passed = 0;

	(void)arg;
	for (int i = 0; i < TAKES; i++) {
		/* 100 attempts a jiffy */
		uint64_t jiffies = __atomic_fetch_add(&shared.taken, 1, __ATOMIC_RELAXED) / 100;

		passed += bucket_take(&shared.word, &shared.pace, at(jiffies));
	}
	__atomic_fetch_add(&shared.passed, passed, __ATOMIC_RELAXED);
	return NULL;
}

/* How far what passed is off what may, as a share of it. */
static double share_a_bucket(uint32_t rate)
{
	double expected = (double)rate * THREADS * TAKES / 25000; /* of 25,000/s at 250 Hz */
	pthread_t threads[THREADS];

	memset(&shared, 0, sizeof(shared));
	shared.pace = limit_pace(rate, 1, 250);
	for (int t = 0; t < THREADS; t++)
		assert_int_equal(pthread_create(&threads[t], NULL, hammer, NULL), 0);
	for (int t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	return ((double)shared.passed - expected) / expected;
}

/* A thread that was held up brings a time of seconds ago, as no CPU's jiffies are: then once more. */
static void cpus_share_a_bucket(void **state)
{
	static const uint32_t rates[] = { 250, 2500, 12500 };

	(void)state;
	for (size_t r = 0; r < COUNT(rates); r++) {
		double off = 1;

		for (int tries = 0; tries < TRIES && (off > 0.01 || off < -0.01); tries++)
			off = share_a_bucket(rates[r]);
		print_message("%u/s from %d threads: off by %+.3f %%\n", rates[r], THREADS, off * 100);
		assert_true(off <= 0.01 && off >= -0.01);
	}
}

/* --- what a change leaves --- */

static void a_bucket_of_a_slower_pace_heals(void **state)
{
	struct pace slow = limit_pace(1, 100, 250), quick = limit_pace(1000, 100, 250);
	__u64 word = 0;

	(void)state;
	assert_int_equal(offer(&word, &slow, 0, 200), 100); /* a hundred seconds ahead */
	assert_int_equal(offer(&word, &quick, 1, 1), 0);
	assert_int_equal(offer(&word, &quick, 1 + 25, 200), 100); /* a tenth of a second later all is back */
}

static void proven_sources_have_more(void **state)
{
	struct config_limits config = { .limit = { [KIND_SYN] = { { 10, 20, 100, 60, LIMIT_THIN } } } };
	struct limits limits;
	struct limit *l = &limits.limit[KIND_SYN][LEVEL_SOURCE];
	struct bucket bucket = { 0 };
	uint32_t base = 0, extra = 0;

	(void)state;
	limit_compile(&config, 250, &limits);
	for (int i = 0; i < 100; i++)
		if (limit_within(l, &bucket, at(0), 1))
			base++;
		else
			extra += limit_within_extra(l, &bucket, at(0), 1);
	assert_int_equal(base, 20);
	assert_int_equal(base + extra, 60);
	base = extra = 0;
	for (int i = 0; i < 250 * 100; i++) /* a hundred seconds */
		for (int n = 0; n < 2; n++)
			if (limit_within(l, &bucket, at(1 + (uint64_t)i), 1))
				base++;
			else
				extra += limit_within_extra(l, &bucket, at(1 + (uint64_t)i), 1);
	assert_in_range(base, 999, 1001);
	assert_in_range(base + extra, 9998, 10002);
	config.limit[KIND_SYN][LEVEL_SOURCE].proven_rate = 0;
	limit_compile(&config, 250, &limits);
	assert_false(limit_within_extra(l, &bucket, at(999999), 1));
}

/* One packet in 32 takes the tokens of all: on average as many pass as one by one. */
static void a_sample_takes_the_tokens_of_all(void **state)
{
	const struct pace pace = limit_pace(1000, 1000, 250);
	uint32_t passed = 0;
	__u64 word = 0;

	(void)state;
	for (uint64_t i = 0; i < 250 * 100; i++) /* 8000/s in a hundred seconds */
		passed += bucket_take_all(&word, &pace, at(i), 32);
	assert_in_range(passed * 32, 100000, 102000);
}

static void how_many_one_stands_for(void **state)
{
	static const struct {
		uint32_t error, burst, sample;
	} rows[] = {
		{ 0, 1000, 1 },		  { SAMPLE_FROM - 1, 1000, 1 },
		{ SAMPLE_FROM, 1000, 8 }, { 255, 1000, 8 },
		{ 256, 1000, 16 },	  { 512, 1000, 32 },
		{ 90000, 1000, 32 },	  { 90000, 511, 16 },
		{ 90000, 16, 1 },
	};
	struct config_limits config = {
		.mode = POLICY_MONITOR,
		.limit[KIND_SYN][LEVEL_SOURCE] = { .rate = 500, .action = LIMIT_THIN },
		.limit[KIND_HALF_OPEN][LEVEL_TOTAL] = { .action = LIMIT_THIN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		config.limit[KIND_SYN][LEVEL_SOURCE].burst = rows[i].burst;
		assert_int_equal(limit_sample(&config, rows[i].error), rows[i].sample);
	}
	assert_int_equal(limit_wide_kinds(&config), 0);
	config.limit[KIND_HALF_OPEN][LEVEL_TOTAL].rate = 1;
	assert_int_equal(limit_wide_kinds(&config), 1 << KIND_HALF_OPEN);
}

static void what_is_over_a_limit_meets_its_action(void **state)
{
	static const struct {
		enum limit_action action;
		uint32_t random;
		enum limit_outcome outcome;
	} rows[] = {
		{ LIMIT_OFF, 0, LIMIT_WITHIN },	     { LIMIT_CHALLENGE, 1, LIMIT_CHALLENGED },
		{ LIMIT_THIN, 0, LIMIT_CHALLENGED }, { LIMIT_THIN, 1, LIMIT_DROPPED },
		{ LIMIT_THIN, 2, LIMIT_DROPPED },    { LIMIT_THIN, 3, LIMIT_DROPPED },
		{ LIMIT_THIN, 4, LIMIT_CHALLENGED }, { LIMIT_THIN, 0xfffffffc, LIMIT_CHALLENGED },
		{ LIMIT_THIN, ~0U, LIMIT_DROPPED },  { LIMIT_DROP, 0, LIMIT_DROPPED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(limit_outcome_of(rows[i].action, rows[i].random), rows[i].outcome);
}

static void without_a_limit_the_mode_is_off(void **state)
{
	struct config_limits config = { .mode = POLICY_ENFORCE };

	(void)state;
	assert_int_equal(limit_mode_needed(&config, 0), POLICY_OFF);
	config.limit[KIND_CONNECTION][LEVEL_TOTAL] = (struct config_limit){ .rate = 5 };
	assert_int_equal(limit_mode_needed(&config, 0), POLICY_OFF);
	config.limit[KIND_CONNECTION][LEVEL_TOTAL].action = LIMIT_DROP;
	assert_int_equal(limit_mode_needed(&config, 0), POLICY_ENFORCE);
	config.mode = POLICY_MONITOR;
	assert_int_equal(limit_mode_needed(&config, 0), POLICY_MONITOR);
}

static void a_change_at_runtime_stays_unless_the_file_changed_the_same(void **state)
{
	struct config_limits before = { 0 }, now, force;

	(void)state;
	before.limit[KIND_SYN][LEVEL_SOURCE].rate = 10;
	before.limit[KIND_SYN][LEVEL_PREFIX].rate = 20;
	now = force = before;
	force.mode = POLICY_ENFORCE;
	force.limit[KIND_SYN][LEVEL_SOURCE].rate = 11;
	force.limit[KIND_SYN][LEVEL_PREFIX].rate = 21;
	now.limit[KIND_SYN][LEVEL_PREFIX].rate = 22;
	limit_merge(&force, &before, &now);
	assert_int_equal(force.mode, POLICY_ENFORCE);
	assert_int_equal(force.limit[KIND_SYN][LEVEL_SOURCE].rate, 11);
	assert_int_equal(force.limit[KIND_SYN][LEVEL_PREFIX].rate, 22);
	before = now;
	now.mode = POLICY_MONITOR;
	limit_merge(&force, &before, &now);
	assert_int_equal(force.mode, POLICY_MONITOR);
}

/* --- changes at runtime --- */

static void changes_go_by_the_rules_of_the_file(void **state)
{
	struct config_limits limits = { 0 };
	struct config_error error = { 0 };
	struct config_limit *l = &limits.limit[KIND_SYN][LEVEL_SITE];

	(void)state;
	assert_int_equal(config_change_limits(&limits, "mode", "enforce", &error), 0);
	assert_int_equal(limits.mode, POLICY_ENFORCE);
	assert_int_equal(
		config_change_limits(&limits, "syn_site", "rate=7  burst=100000000 action=thin", &error), 0);
	assert_int_equal(l->rate, 7);
	assert_int_equal(l->burst, 100000000);
	assert_int_equal(l->action, LIMIT_THIN);
	assert_int_equal(config_change_limits(&limits, "syn_site", "burst=8", &error), 0);
	assert_int_equal(l->rate, 7);
	assert_int_equal(l->burst, 8);
	assert_int_equal(config_change_limits(&limits, "connection_total", "action=drop", &error), 0);
	assert_int_equal(limits.limit[KIND_CONNECTION][LEVEL_TOTAL].action, LIMIT_DROP);
}

static void a_service_has_limits_of_its_own(void **state)
{
	struct config_limits limits = {
		.mode = POLICY_ENFORCE,
		.limit[KIND_SYN][LEVEL_SERVICE] = { 100, 200, 0, 0, LIMIT_CHALLENGE },
	};
	struct config_own_limits own = { 0 }, none = { 0 }, was;
	struct limit compiled[KIND_COUNT];
	struct config_error error = { 0 };

	(void)state;
	assert_int_equal(config_change_own_limits(&own, &limits, "syn_service", "rate=7", &error), 0);
	assert_true(own.given[KIND_SYN]);
	assert_false(own.given[KIND_CONNECTION]);
	assert_int_equal(own.limit[KIND_SYN].rate, 7);
	assert_int_equal(own.limit[KIND_SYN].burst, 200); /* as it was in force */
	assert_int_equal(own.limit[KIND_SYN].action, LIMIT_CHALLENGE);
	assert_int_equal(
		config_change_own_limits(&own, &limits, "half_open_service", "most=9 action=thin", &error),
		0);
	assert_int_equal(config_service_limit(&own, &limits, KIND_HALF_OPEN)->rate, 9);
	limit_compile_own(&own, &limits, 250, compiled);
	assert_memory_equal(&compiled[KIND_SYN].base, &(struct pace[]){ limit_pace(7, 200, 250) },
			    sizeof(struct pace));
	assert_int_equal(compiled[KIND_HALF_OPEN].most, 9);
	limit_compile_own(&none, &limits, 250, compiled);
	assert_memory_equal(&compiled[KIND_SYN].base, &(struct pace[]){ limit_pace(100, 200, 250) },
			    sizeof(struct pace));
	assert_int_equal(limit_own_kinds(&own), 1 << KIND_SYN | 1 << KIND_HALF_OPEN);
	assert_int_equal(limit_own_kinds(&none), 0);
	was = own;
	assert_int_equal(config_change_own_limits(&own, &limits, "syn_service", "rate=0", &error), 0);
	assert_int_equal(limit_own_kinds(&own), 1 << KIND_HALF_OPEN); /* none at all */
	assert_true(limit_own_differs(&own, &was, KIND_SYN));
	assert_false(limit_own_differs(&own, &was, KIND_HALF_OPEN));
}

static void a_service_has_no_other_limits(void **state)
{
	static const struct {
		const char *name, *settings, *words;
	} rows[] = {
		{ "mode", "enforce", "it may have syn_service, connection_service and half_open_service" },
		{ "syn_source", "rate=5", "\"syn_source\" of its own: it may have syn_service" },
		{ "syn_service", "proven_rate=5", "the keys of syn_service are rate, burst, action" },
		{ "half_open_service", "rate=5", "the keys of half_open_service are most, action" },
		{ "syn_service", "action=drop", "in another's name" },
		{ "syn_service", "rate=100000001", "100000000" },
	};
	struct config_limits limits = { 0 };
	struct config_own_limits own = { .given[KIND_SYN] = true }, before = own;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config_error error = { 0 };
		char line[600];

		assert_int_equal(
			config_change_own_limits(&own, &limits, rows[i].name, rows[i].settings, &error),
			-EINVAL);
		config_error_format(&error, line, sizeof(line));
		if (!strstr(line, rows[i].words))
			fail_msg("%s %s: %s", rows[i].name, rows[i].settings, line);
		assert_memory_equal(&own, &before, sizeof(own));
	}
}

static void a_reload_takes_the_own_limits_that_the_file_changed(void **state)
{
	struct config_own_limits before = { .given = { true, true },
					    .limit = { { .rate = 1 }, { .rate = 2 } } };
	struct config_own_limits now = before, force = before;

	(void)state;
	force.limit[0].rate = 11;
	force.given[2] = true;
	limit_merge_own(&force, &before, &now);
	assert_int_equal(force.limit[0].rate, 11);
	assert_true(force.given[2]);
	now.given[0] = false;
	limit_merge_own(&force, &before, &now);
	assert_false(force.given[0]);
	assert_int_equal(force.limit[1].rate, 2);
	assert_true(force.given[2]);
}

static void wrong_changes_say_what_would_be_right(void **state)
{
	static const struct {
		const char *name, *settings, *words;
	} rows[] = {
		{ "mode", "on", "\"enforce\"" },
		{ "mode", "", "mode: it is off, monitor or enforce" },
		{ "mode", "off\"; }; xdp = \"generic", "mode: it is off" },
		{ "syn_sources", "rate=5", "no limit \"syn_sources\": there is mode, and syn, connection" },
		{ "acts", "rate=5", "no limit \"acts\"" },
		{ "syn_source", "", "syn_source: write settings such as rate=500" },
		{ "half_open_source", "", "such as most=500" },
		{ "syn_source", "rate", "rate=500" },
		{ "syn_source", "=5", "rate=500" },
		{ "syn_source", "rate=", "rate=500" },
		{ "syn_source", "rate=5; xdp=1", "rate=500" },
		{ "syn_source", "rates=5",
		  "syn_source: there is no key rates: the keys of syn_source are rate, burst, proven_rate, "
		  "proven_burst, action" },
		{ "syn_source", "most=1", "there is no key most" },
		{ "half_open_total", "rate=1",
		  "no key rate: the keys of half_open_total are most, proven_most, action" },
		{ "syn_source", "a_very_long_word_that_is_no_key_of_any_limit_at_all=1",
		  "there is no key a_very" },
		{ "syn_source", "rate=fast", "whole number" },
		{ "syn_source", "rate=100000001", "100000000" },
		{ "syn_source", "rate=5 rate=6", "rate" },
		{ "syn_source", "action=drop", "in another's name" },
		{ "connection_source", "action=challenge", "cookie already" },
		{ "syn_source", "rate=50 proven_rate=49", "at least" },
		{ "syn_source", "rate=50 burst=60 proven_rate=50 proven_burst=59", "at least" },
	};
	struct config_limits limits = { .mode = POLICY_MONITOR }, before = limits;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config_error error = { 0 };
		char line[600];

		assert_int_equal(config_change_limits(&limits, rows[i].name, rows[i].settings, &error),
				 -EINVAL);
		config_error_format(&error, line, sizeof(line));
		if (!strstr(line, rows[i].words))
			fail_msg("%s %s: %s", rows[i].name, rows[i].settings, line);
		assert_memory_equal(&limits, &before, sizeof(limits));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_decides_exactly_at_its_edges),
		cmocka_unit_test(a_rate_is_right_from_1_to_1M_a_second),
		cmocka_unit_test(what_stays_below_the_rate_passes_whole),
		cmocka_unit_test(a_bucket_at_its_limit_is_shared_by_atomics),
		cmocka_unit_test(cpus_share_a_bucket),
		cmocka_unit_test(a_bucket_of_a_slower_pace_heals),
		cmocka_unit_test(proven_sources_have_more),
		cmocka_unit_test(a_sample_takes_the_tokens_of_all),
		cmocka_unit_test(how_many_one_stands_for),
		cmocka_unit_test(what_is_over_a_limit_meets_its_action),
		cmocka_unit_test(without_a_limit_the_mode_is_off),
		cmocka_unit_test(a_change_at_runtime_stays_unless_the_file_changed_the_same),
		cmocka_unit_test(changes_go_by_the_rules_of_the_file),
		cmocka_unit_test(wrong_changes_say_what_would_be_right),
		cmocka_unit_test(a_service_has_limits_of_its_own),
		cmocka_unit_test(a_service_has_no_other_limits),
		cmocka_unit_test(a_reload_takes_the_own_limits_that_the_file_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
