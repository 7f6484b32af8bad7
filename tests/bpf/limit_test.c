// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits as XDP applies them: whose tokens a SYN takes at each level, what becomes of what is over, in each
 * mode, and the rate on two CPUs by the real clock.
 */
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "daemon/engine/limit.h"
#include "tests/bpf/harness.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define NEVER	     (1ULL << 50) /* a token in some days: the clock decides nothing */

static struct limits the_limits;

static struct pace tokens(uint32_t count)
{
	return (struct pace){ .interval = NEVER, .tolerance = (count - 1) * NEVER };
}

/* OF_SERVICE: NULL: no service has limits of its own. */
static void publish_with(struct harness *h, enum policy_mode mode,
			 const struct limit (*of_service)[KIND_COUNT])
{
	h->runtime.limits = fastpath_stage_limits(h->fastpath, &the_limits, of_service);
	h->runtime.limits_mode = mode;
	harness_publish(h);
}

static void publish(struct harness *h, enum policy_mode mode)
{
	publish_with(h, mode, NULL);
}

static void limit_to(struct harness *h, enum limit_level level, uint32_t count, enum limit_action action)
{
	memset(&the_limits, 0, sizeof(the_limits));
	the_limits.limit[KIND_SYN][level].base = tokens(count);
	the_limits.limit[KIND_SYN][level].action = action;
	publish(h, POLICY_ENFORCE);
}

static void syn(struct harness *h, const char *from, uint16_t port, enum verdict verdict)
{
	struct frame_spec spec = { .saddr = from,
				   .daddr = strchr(from, ':') ? SERVER6 : SERVER4,
				   .source = 40000,
				   .dest = port,
				   .flags = SYN };

	harness_expect_spec(h, from, &spec, verdict);
}

static struct limit_counters counted(struct harness *h, enum limit_level level)
{
	struct limit_counters c;

	assert_int_equal(fastpath_read_limit(h->fastpath, KIND_SYN, level, &c), 0);
	return c;
}

/* Three tokens; the first three SYNs take them, the fourth is over; the fifth belongs to somebody else. */
static const struct level_row {
	enum limit_level level;
	const char *from[5];
	enum verdict dropped;
} level_rows[] = {
	{ LEVEL_SOURCE,
	  { "10.1.20.1", "10.1.20.1", "10.1.20.1", "10.1.20.1", "10.1.20.2" },
	  DROP_RATE_SOURCE },
	{ LEVEL_SOURCE,
	  { "fd00:1:1::1", "fd00:1:1::1", "fd00:1:1::1", "fd00:1:1::1", "fd00:1:1::2" },
	  DROP_RATE_SOURCE },
	{ LEVEL_PREFIX,
	  { "10.1.21.0", "10.1.21.255", "10.1.21.7", "10.1.21.9", "10.1.22.0" },
	  DROP_RATE_PREFIX },
	{ LEVEL_PREFIX,
	  { "fd00:1:2::", "fd00:1:2:0:ffff:ffff:ffff:ffff", "fd00:1:2::9", "fd00:1:2:0:8::", "fd00:1:2:1::" },
	  DROP_RATE_PREFIX },
	{ LEVEL_SITE,
	  { "fd00:1:3::", "fd00:1:3:ffff::1", "fd00:1:3:7::", "fd00:1:3::9", "fd00:1:4::" },
	  DROP_RATE_PREFIX },
};

static void each_source_has_tokens_of_its_own(void **state)
{
	struct harness *h = *state;

	for (size_t i = 0; i < COUNT(level_rows); i++) {
		const struct level_row *row = &level_rows[i];
		struct limit_counters before = counted(h, row->level), after;

		limit_to(h, row->level, 3, LIMIT_DROP);
		for (int n = 0; n < 5; n++)
			syn(h, row->from[n], PORT_ALWAYS, n == 3 ? row->dropped : TX_SYNACK);
		after = counted(h, row->level);
		assert_int_equal(after.over - before.over, 1);
		assert_int_equal(after.dropped - before.dropped, 1);
	}
}

static void no_site_in_ipv4(void **state)
{
	limit_to(*state, LEVEL_SITE, 1, LIMIT_DROP);
	for (int i = 0; i < 5; i++)
		syn(*state, "10.1.23.1", PORT_ALWAYS, TX_SYNACK);
}

static void each_service_has_tokens_of_its_own(void **state)
{
	struct harness *h = *state;

	limit_to(h, LEVEL_SERVICE, 2, LIMIT_DROP);
	syn(h, "10.1.24.1", PORT_ALWAYS, TX_SYNACK);
	syn(h, "fd00:1:5::1", PORT_ALWAYS, TX_SYNACK);
	syn(h, "10.1.25.1", PORT_ALWAYS, DROP_RATE_SERVICE);
	syn(h, "10.1.25.1", PORT_BARE, TX_SYNACK);
	limit_to(h, LEVEL_TOTAL, 3, LIMIT_DROP);
	syn(h, "10.1.26.1", PORT_ALWAYS, TX_SYNACK);
	syn(h, "fd00:1:6::1", PORT_BARE, TX_SYNACK);
	syn(h, "10.1.26.1", PORT_AUTH, TX_SYNACK);
	syn(h, "10.1.27.1", PORT_ALWAYS, DROP_RATE_TOTAL);
	syn(h, "10.1.27.1", PORT_AUTO, DROP_RATE_TOTAL); /* not mitigated, all the same */
}

static struct limit_counters counted_of(struct harness *h, uint32_t slot)
{
	struct limit_counters c;

	assert_int_equal(fastpath_read_service_limit(h->fastpath, KIND_SYN, slot, &c), 0);
	return c;
}

/* In place of the level that all have, and counted apart; what all have together holds on. */
static void a_service_may_have_a_limit_of_its_own(void **state)
{
	static struct limit own[SERVICE_SLOTS][KIND_COUNT];
	struct harness *h = *state;
	struct limit_counters always = counted_of(h, SLOT_ALWAYS), bare = counted_of(h, SLOT_BARE),
			      all = counted(h, LEVEL_SERVICE);

	harness_fill_service_buckets(h);
	limit_to(h, LEVEL_SERVICE, 1, LIMIT_DROP);
	for (int slot = 0; slot < SERVICE_SLOTS; slot++)
		own[slot][KIND_SYN] = the_limits.limit[KIND_SYN][LEVEL_SERVICE];
	own[SLOT_ALWAYS][KIND_SYN].base = tokens(3);
	own[SLOT_AUTH][KIND_SYN].action = LIMIT_OFF;
	publish_with(h, POLICY_ENFORCE, own);
	for (int i = 0; i < 5; i++) {
		syn(h, "10.1.28.1", PORT_ALWAYS, i < 3 ? TX_SYNACK : DROP_RATE_SERVICE);
		syn(h, "10.1.28.2", PORT_BARE, i < 1 ? TX_SYNACK : DROP_RATE_SERVICE);
		syn(h, "10.1.28.3", PORT_AUTH, TX_SYNACK);
	}
	assert_int_equal(counted_of(h, SLOT_ALWAYS).dropped - always.dropped, 2);
	assert_int_equal(counted_of(h, SLOT_BARE).dropped - bare.dropped, 4);
	assert_int_equal(counted(h, LEVEL_SERVICE).over - all.over, 6);
	the_limits.limit[KIND_SYN][LEVEL_TOTAL] = the_limits.limit[KIND_SYN][LEVEL_SERVICE];
	own[SLOT_ALWAYS][KIND_SYN].base = tokens(30);
	publish_with(h, POLICY_ENFORCE, own);
	syn(h, "10.1.28.4", PORT_ALWAYS, TX_SYNACK);
	syn(h, "10.1.28.4", PORT_ALWAYS, DROP_RATE_TOTAL);
}

/* What is dropped at one level takes nothing of the next. */
static void a_heavy_source_leaves_its_prefix_alone(void **state)
{
	struct harness *h = *state;

	limit_to(h, LEVEL_SOURCE, 2, LIMIT_DROP);
	the_limits.limit[KIND_SYN][LEVEL_PREFIX].base = tokens(4);
	the_limits.limit[KIND_SYN][LEVEL_PREFIX].action = LIMIT_DROP;
	publish(h, POLICY_ENFORCE);
	for (int i = 0; i < 10; i++)
		syn(h, "10.1.30.1", PORT_ALWAYS, i < 2 ? TX_SYNACK : DROP_RATE_SOURCE);
	syn(h, "10.1.30.2", PORT_ALWAYS, TX_SYNACK);
	syn(h, "10.1.30.3", PORT_ALWAYS, TX_SYNACK);
	syn(h, "10.1.30.4", PORT_ALWAYS, DROP_RATE_PREFIX);
}

static void thinning_lets_one_in_four_through(void **state)
{
	struct harness *h = *state;
	struct frame_spec spec = {
		.saddr = "10.1.31.1", .daddr = SERVER4, .dest = PORT_ALWAYS, .flags = SYN
	};
	struct limit_counters before = counted(h, LEVEL_SOURCE), after;
	struct frame f;
	int answered = 0;

	limit_to(h, LEVEL_SOURCE, 1, LIMIT_THIN);
	frame_build(&f, &spec);
	for (int i = 0; i < 4001; i++)
		answered += harness_run_bare(h, &f, NULL) == ACTION_TX;
	after = counted(h, LEVEL_SOURCE);
	assert_int_equal(after.over - before.over, 4000);
	assert_int_equal(after.dropped - before.dropped, 4001 - answered);
	assert_in_range(answered, 830, 1170); /* 1001 and 6 times its deviation */
}

/* Below the marks a SYN over a limit gets a cookie, which then validates; all others pass on. */
static void over_a_limit_a_cookie_even_at_rest(void **state)
{
	struct harness *h = *state;
	const struct service_state *st = fastpath_state(h->fastpath, SLOT_AUTO);
	struct frame_spec spec = { .saddr = "10.1.32.1",
				   .daddr = SERVER4,
				   .source = 41000,
				   .dest = PORT_AUTO,
				   .flags = SYN,
				   .options = LINUX_OPTIONS };
	struct frame_spec ack, wrong;
	uint8_t timestamps[12];

	h->services[SLOT_AUTO].half_open_high = 1000;
	limit_to(h, LEVEL_SOURCE, 1, LIMIT_CHALLENGE);
	harness_expect_spec(h, "within", &spec, PASS_OPEN);
	assert_int_equal(st->mitigation, MITIGATION_IDLE);
	ack = harness_answer(h, &spec, timestamps);
	assert_int_equal(st->mitigation, MITIGATION_GRACE);
	harness_expect_spec(h, "its cookie", &ack, PASS_COOKIE);
	syn(h, "10.1.32.2", PORT_AUTO, PASS_OPEN);
	wrong = ack;
	wrong.ack++;
	harness_expect_spec(h, "no cookie", &wrong, PASS_OPEN);
}

static void sanity_comes_before_limits(void **state)
{
	struct frame_spec spec = {
		.saddr = "10.1.33.1", .daddr = SERVER4, .dest = PORT_ALWAYS, .flags = SYN | FIN
	};

	limit_to(*state, LEVEL_SOURCE, 1, LIMIT_DROP);
	syn(*state, "10.1.33.1", PORT_ALWAYS, TX_SYNACK);
	harness_expect_spec(*state, "SYN and FIN", &spec, DROP_BAD_FLAGS);
	syn(*state, "10.1.33.1", PORT_CLOSED, PASS_NO_LISTENER);
	syn(*state, "10.1.33.1", PORT_ALWAYS, DROP_RATE_SOURCE);
}

static void modes(void **state)
{
	struct harness *h = *state;
	struct service_counters before, after;
	struct outcome o;
	struct frame f;
	const struct frame_spec spec = {
		.saddr = "10.1.34.1", .daddr = SERVER4, .dest = PORT_MONITOR, .flags = SYN
	};

	limit_to(h, LEVEL_SOURCE, 1, LIMIT_DROP);
	syn(h, "10.1.34.1", PORT_ALWAYS, TX_SYNACK);
	syn(h, "10.1.34.1", PORT_ALWAYS, DROP_RATE_SOURCE);
	h->runtime.bypass = 1;
	harness_publish(h);
	syn(h, "10.1.34.1", PORT_AUTO, PASS_OPEN);
	syn(h, "10.1.34.1", PORT_ALWAYS, PASS_OPEN);
	h->runtime.bypass = 0;
	publish(h, POLICY_OFF);
	syn(h, "10.1.34.1", PORT_ALWAYS, TX_SYNACK);
	publish(h, POLICY_ENFORCE);
	syn(h, "10.1.34.1", PORT_OFF, PASS_OPEN);
	/* a service in monitor */
	frame_build(&f, &spec);
	harness_run(h, &f, &o);
	assert_int_equal(o.verdict, PASS_MONITOR);
	assert_int_equal(o.would, DROP_RATE_SOURCE);
	/* the limits in monitor */
	publish(h, POLICY_MONITOR);
	assert_int_equal(fastpath_read_counters(h->fastpath, SLOT_ALWAYS, &before), 0);
	frame_build(&f, &(struct frame_spec){
				.saddr = "10.1.34.1", .daddr = SERVER4, .dest = PORT_ALWAYS, .flags = SYN });
	assert_int_equal(harness_run_bare(h, &f, NULL), ACTION_TX);
	assert_int_equal(fastpath_read_counters(h->fastpath, SLOT_ALWAYS, &after), 0);
	assert_int_equal(after.would[DROP_RATE_SOURCE] - before.would[DROP_RATE_SOURCE], 1);
	assert_int_equal(after.verdict[TX_SYNACK] - before.verdict[TX_SYNACK], 1);
}

/* What is not looked at is counted by what is; service levels are met by all. */
static void a_flood_is_sampled(void **state)
{
	struct harness *h = *state;
	struct frame_spec spec = {
		.saddr = "10.1.36.1", .daddr = SERVER4, .dest = PORT_ALWAYS, .flags = SYN
	};
	struct limit_counters before, after;
	struct service_counters would[2];
	struct frame f;
	int answered = 0;

	h->runtime.sample = SAMPLE_MOST;
	limit_to(h, LEVEL_SOURCE, 2000, LIMIT_DROP);
	publish(h, POLICY_MONITOR);
	before = counted(h, LEVEL_SOURCE);
	assert_int_equal(fastpath_read_counters(h->fastpath, SLOT_ALWAYS, &would[0]), 0);
	frame_build(&f, &spec);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(harness_run_bare(h, &f, NULL), ACTION_TX);
	after = counted(h, LEVEL_SOURCE);
	assert_int_equal(fastpath_read_counters(h->fastpath, SLOT_ALWAYS, &would[1]), 0);
	assert_in_range(after.over - before.over, 13200, 22800); /* 18000 and six times its deviation */
	assert_int_equal(would[1].would[DROP_RATE_SOURCE] - would[0].would[DROP_RATE_SOURCE],
			 after.dropped - before.dropped);

	limit_to(h, LEVEL_TOTAL, 100, LIMIT_DROP);
	h->runtime.wide = 1 << KIND_SYN;
	publish(h, POLICY_ENFORCE);
	for (int i = 0; i < 200; i++)
		answered += harness_run_bare(h, &f, NULL) == ACTION_TX;
	assert_in_range(answered, 90, 100); /* other tests have taken some */
}

/* --- the real clock, on two CPUs --- */

#define MEASURED_NS 600000000LL

static volatile bool stopped;

static void *send_syns(void *arg)
{
	struct harness *h = arg;
	const struct frame_spec spec = {
		.saddr = "10.1.35.1", .daddr = SERVER4, .dest = PORT_ALWAYS, .flags = SYN
	};
	struct frame f;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = f.bytes, .repeat = 1);

	frame_build(&f, &spec);
	options.data_size_in = (__u32)f.length;
	while (!stopped)
		bpf_prog_test_run_opts(h->programs[FASTPATH_XDP_HOST], &options);
	return NULL;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The share that is answered beyond what the limit says, or 0 where the machine is too slow to offer more. */
static double rate_error(struct harness *h, uint32_t rate, uint32_t sample)
{
	struct limit *l = &the_limits.limit[KIND_SYN][LEVEL_SOURCE];
	uint64_t before[VERDICT_COUNT], after[VERDICT_COUNT];
	double expected, answered, offered;
	pthread_t threads[2];
	int64_t from;

	memset(&the_limits, 0, sizeof(the_limits));
	/* as much burst as a busy machine may keep the threads from running */
	l->base = limit_pace(rate, rate / 4, h->runtime.jiffies_hz);
	l->action = LIMIT_DROP;
	h->runtime.sample = sample;
	publish(h, POLICY_ENFORCE);
	stopped = false;
	for (size_t t = 0; t < COUNT(threads); t++)
		assert_int_equal(pthread_create(&threads[t], NULL, send_syns, h), 0);
	usleep(200000); /* the burst is spent */
	harness_count_verdicts(h, before);
	from = now_ns();
	while (now_ns() - from < MEASURED_NS)
		usleep(1000);
	harness_count_verdicts(h, after);
	expected = (double)rate * (double)(now_ns() - from) / 1e9;
	stopped = true;
	for (size_t t = 0; t < COUNT(threads); t++)
		pthread_join(threads[t], NULL);
	answered = (double)(after[TX_SYNACK] - before[TX_SYNACK]);
	offered = answered + (double)(after[DROP_RATE_SOURCE] - before[DROP_RATE_SOURCE]);
	print_message("%u/s: %.0f of %.0f SYNs answered, off by %+.2f %%\n", rate, answered, offered,
		      (answered / expected - 1) * 100);
	return offered < expected * 1.2 ? 0 : answered / expected - 1;
}

static void the_rate_is_right_by_the_real_clock(void **state)
{
	static const uint32_t rates[] = { 1000, 10000, 100000, 10000 };
	static const uint32_t samples[] = { 1, 1, 1, SAMPLE_MOST };

	for (size_t i = 0; i < COUNT(rates); i++) {
		int tries = 5; /* others may keep the threads from running for longer than a burst */
		double error;

		do
			error = rate_error(*state, rates[i], samples[i]);
		while ((error < -0.05 || error > 0.05) && --tries);
		assert_true(tries);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, harness_reset)
		TEST(each_source_has_tokens_of_its_own),
		TEST(no_site_in_ipv4),
		TEST(each_service_has_tokens_of_its_own),
		TEST(a_service_may_have_a_limit_of_its_own),
		TEST(a_heavy_source_leaves_its_prefix_alone),
		TEST(thinning_lets_one_in_four_through),
		TEST(over_a_limit_a_cookie_even_at_rest),
		TEST(sanity_comes_before_limits),
		TEST(modes),
		TEST(a_flood_is_sampled),
		TEST(the_rate_is_right_by_the_real_clock),
	};

	return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
