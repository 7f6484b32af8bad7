// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Half-open accounting as XDP does it: what a SYN counts for at each level, how windows pass, limits, and
 * that a heavy source stays in the table whatever forged ones come.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "tests/bpf/harness.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct limits the_limits;

static void publish(struct harness *h)
{
	h->runtime.limits = fastpath_stage_limits(h->fastpath, &the_limits, NULL);
	h->runtime.limits_mode = POLICY_ENFORCE;
	h->runtime.accounting = 1;
	if (!h->runtime.window_shift)
		h->runtime.window_shift = 20; /* over an hour: no window passes in a test */
	harness_publish(h);
}

static void limit_to(struct harness *h, enum limit_level level, uint32_t most, enum limit_action action)
{
	memset(&the_limits, 0, sizeof(the_limits));
	the_limits.limit[KIND_HALF_OPEN][level].most = most;
	the_limits.limit[KIND_HALF_OPEN][level].action = action;
	h->runtime.wide = level >= LEVEL_SERVICE ? 1 << KIND_HALF_OPEN : 0;
	publish(h);
}

static void account(struct harness *h)
{
	memset(&the_limits, 0, sizeof(the_limits));
	publish(h);
}

static void syn(struct harness *h, const char *from, enum verdict verdict)
{
	struct frame_spec spec = { .saddr = from,
				   .daddr = strchr(from, ':') ? SERVER6 : SERVER4,
				   .source = 40000,
				   .dest = PORT_ALWAYS,
				   .flags = SYN };

	harness_expect_spec(h, from, &spec, verdict);
}

static struct source_args query(struct harness *h, const char *address, enum limit_level level)
{
	struct source_args args = { .v6 = strchr(address, ':') ? 1 : 0, .level = level };

	inet_pton(args.v6 ? AF_INET6 : AF_INET, address, args.address);
	assert_int_equal(fastpath_query_source(h->fastpath, &args), 0);
	return args;
}

static void a_syn_counts_for_its_address_and_prefixes(void **state)
{
	static const struct {
		const char *address;
		enum limit_level level;
		uint32_t begun;
	} rows[] = {
		{ "10.1.50.1", LEVEL_SOURCE, 2 },     { "10.1.50.2", LEVEL_SOURCE, 1 },
		{ "10.1.50.99", LEVEL_PREFIX, 3 },    { "10.1.51.1", LEVEL_PREFIX, 0 },
		{ "10.1.50.1", LEVEL_SITE, 0 },	      { "fd00:1:50::1", LEVEL_SOURCE, 1 },
		{ "fd00:1:50::99", LEVEL_PREFIX, 2 }, { "fd00:1:50:7::", LEVEL_PREFIX, 1 },
		{ "fd00:1:50:9::", LEVEL_SITE, 3 },   { "fd00:1:51::1", LEVEL_SITE, 0 },
	};
	static const char *const syns[] = { "10.1.50.1",    "10.1.50.1",    "10.1.50.2",
					    "fd00:1:50::1", "fd00:1:50::2", "fd00:1:50:7::1" };

	account(*state);
	for (size_t i = 0; i < COUNT(syns); i++)
		syn(*state, syns[i], TX_SYNACK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct source_args args = query(*state, rows[i].address, rows[i].level);

		if (args.begun != rows[i].begun || args.completed)
			fail_msg("%s at level %d: %u begun, not %u; %u completed", rows[i].address,
				 rows[i].level, args.begun, rows[i].begun, args.completed);
	}
}

static void nothing_is_counted_that_is_not_answered(void **state)
{
	struct harness *h = *state;

	account(h);
	h->services[SLOT_ALWAYS].mode = MODE_MONITOR;
	harness_publish(h);
	syn(h, "10.1.52.1", PASS_MONITOR);
	h->services[SLOT_ALWAYS].mode = MODE_ALWAYS;
	h->runtime.accounting = 0;
	harness_publish(h);
	syn(h, "10.1.52.1", TX_SYNACK);
	assert_int_equal(query(h, "10.1.52.1", LEVEL_SOURCE).begun, 0);
}

static const struct limit_row {
	enum limit_level level;
	const char *from[4];
	enum verdict dropped;
} limit_rows[] = {
	{ LEVEL_SOURCE, { "10.1.60.1", "10.1.60.1", "10.1.60.1", "10.1.60.2" }, DROP_HALF_OPEN_SOURCE },
	{ LEVEL_SOURCE,
	  { "fd00:1:60::1", "fd00:1:60::1", "fd00:1:60::1", "fd00:1:60::2" },
	  DROP_HALF_OPEN_SOURCE },
	{ LEVEL_PREFIX, { "10.1.61.1", "10.1.61.2", "10.1.61.3", "10.1.62.3" }, DROP_HALF_OPEN_PREFIX },
	{ LEVEL_SITE,
	  { "fd00:1:61::1", "fd00:1:61:1::", "fd00:1:61:2::", "fd00:1:62::" },
	  DROP_HALF_OPEN_PREFIX },
};

static void a_limit_drops_what_is_above_it(void **state)
{
	struct harness *h = *state;

	for (size_t i = 0; i < COUNT(limit_rows); i++) {
		const struct limit_row *row = &limit_rows[i];

		limit_to(h, row->level, 2, LIMIT_DROP);
		syn(h, row->from[0], TX_SYNACK);
		syn(h, row->from[1], TX_SYNACK);
		for (int n = 0; n < 3; n++)
			syn(h, row->from[2], row->dropped);
		syn(h, row->from[3], TX_SYNACK);
		/* what was dropped is not counted as begun, at narrower levels neither */
		assert_int_equal(query(h, row->from[0], row->level).begun, 2);
		assert_int_equal(query(h, row->from[2], LEVEL_SOURCE).begun,
				 row->level == LEVEL_SOURCE ? 2 : 0);
		/* an estimate that may be wrong by more limits nobody */
		h->runtime.sketch_error[row->level] = 2;
		harness_publish(h);
		syn(h, row->from[2], TX_SYNACK);
		h->runtime.sketch_error[row->level] = 0;
	}
}

static void services_and_all_have_limits(void **state)
{
	static struct limit own[SERVICE_SLOTS][KIND_COUNT];
	struct harness *h = *state;

	limit_to(h, LEVEL_SERVICE, 2, LIMIT_DROP);
	syn(h, "10.1.63.1", TX_SYNACK);
	syn(h, "10.1.64.1", TX_SYNACK);
	syn(h, "10.1.65.1", DROP_HALF_OPEN_SERVICE);
	own[SLOT_ALWAYS][KIND_HALF_OPEN] = (struct limit){ .most = 3, .action = LIMIT_DROP };
	h->runtime.limits = fastpath_stage_limits(h->fastpath, &the_limits, own);
	harness_publish(h);
	syn(h, "10.1.65.2", TX_SYNACK);
	syn(h, "10.1.65.3", DROP_HALF_OPEN_SERVICE);
	limit_to(h, LEVEL_TOTAL, 1, LIMIT_DROP);
	syn(h, "10.1.66.1", TX_SYNACK);
	syn(h, "10.1.67.1", DROP_HALF_OPEN_TOTAL);
	assert_int_equal(query(h, "10.1.67.1", LEVEL_SOURCE).begun, 0);
}

static void windows_pass_by_the_clock_alone(void **state)
{
	struct harness *h = *state;

	h->runtime.window_shift = 5; /* 32 jiffies */
	account(h);
	for (int i = 0; i < 5; i++)
		syn(h, "10.1.70.1", TX_SYNACK);
	assert_in_range(query(h, "10.1.70.1", LEVEL_SOURCE).begun, 1, 5);
	usleep(3 * 32 * 1000000 / h->runtime.jiffies_hz);
	assert_int_equal(query(h, "10.1.70.1", LEVEL_SOURCE).begun, 0);
	syn(h, "10.1.70.1", TX_SYNACK);
	assert_in_range(query(h, "10.1.70.1", LEVEL_SOURCE).begun, 0,
			1); /* the window may have passed again */
}

static const struct heavy *find_heavy(const struct heavy *all, size_t count, uint64_t tag)
{
	for (size_t i = 0; i < count; i++)
		if (all[i].tag == tag)
			return &all[i];
	return NULL;
}

/* Forged sources that would all stand out, as none but they are heavy from 0 on. */
static void forged_sources_push_no_heavy_one_out(void **state)
{
	struct harness *h = *state;
	struct heavy all[HEAVY_SETS * HEAVY_WAYS];
	const struct heavy *heavy;
	struct frame_spec spec = { .daddr = SERVER4, .dest = PORT_ALWAYS, .flags = SYN };
	struct frame f;
	char address[32];
	uint64_t begun;
	size_t count;

	account(h);
	for (int i = 0; i < 40; i++)
		syn(h, "10.1.80.1", TX_SYNACK);
	for (uint32_t i = 0; i < 20000; i++) {
		snprintf(address, sizeof(address), "11.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		spec.saddr = address;
		frame_build(&f, &spec);
		assert_int_equal(harness_run_bare(h, &f, NULL), ACTION_TX);
	}
	count = fastpath_read_heavies(h->fastpath, all, COUNT(all));
	assert_in_range(count, HEAVY_SETS, COUNT(all));
	heavy = find_heavy(all, count, query(h, "10.1.80.1", LEVEL_SOURCE).tag);
	assert_non_null(heavy);
	assert_in_range(heavy->weight, 40, 45);
	assert_int_equal(heavy->level, LEVEL_SOURCE);
	assert_int_equal(heavy->address[0], inet_addr("10.1.80.1"));
	assert_non_null(find_heavy(all, count, query(h, "10.1.80.1", LEVEL_PREFIX).tag));
	assert_int_equal(fastpath_read_begun(h->fastpath, LEVEL_SOURCE, h->runtime.slot_began, &begun), 0);
	assert_in_range(begun, 20040, 20400);
}

/* One in so many, as so many; and who has met an enforced limit is looked at on every SYN. */
static void a_flood_is_sampled(void **state)
{
	struct harness *h = *state;
	struct frame_spec spec = {
		.saddr = "10.1.90.1", .daddr = SERVER4, .dest = PORT_ALWAYS, .flags = SYN
	};
	struct frame f;
	uint32_t begun;
	int answered = 0;

	h->runtime.sketch_error[LEVEL_SOURCE] = SAMPLE_FROM;
	h->runtime.sample = 8;
	account(h);
	frame_build(&f, &spec);
	for (int i = 0; i < 8000; i++)
		assert_int_equal(harness_run_bare(h, &f, NULL), ACTION_TX);
	begun = query(h, "10.1.90.1", LEVEL_SOURCE).begun;
	assert_int_equal(begun % 8, 0);
	assert_in_range(begun, 6500, 9500); /* six times its deviation */
	limit_to(h, LEVEL_SOURCE, 936, LIMIT_DROP);
	spec.saddr = "10.1.91.1";
	frame_build(&f, &spec);
	for (int i = 0; i < 4000; i++)
		answered += harness_run_bare(h, &f, NULL) == ACTION_TX;
	assert_in_range(answered, 450, 2000); /* 1000 */
	for (int i = 0; i < 100; i++)
		syn(h, "10.1.91.1", DROP_HALF_OPEN_SOURCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, harness_reset)
		TEST(a_syn_counts_for_its_address_and_prefixes),
		TEST(nothing_is_counted_that_is_not_answered),
		TEST(a_limit_drops_what_is_above_it),
		TEST(services_and_all_have_limits),
		TEST(forged_sources_push_no_heavy_one_out),
		TEST(windows_pass_by_the_clock_alone),
		TEST(a_flood_is_sampled),
	};

	return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
