// SPDX-License-Identifier: GPL-2.0-or-later
/* Flows that fit, in order, found in slices: against a sort of all of them. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/engine/state.h"
#include "daemon/tracker/store.h"

#define FLOWS	 300000
#define SLICE_US 500
#define ALL	 (1U << 21)

static struct tracker *tracker;
static const struct flow_filter everything = { .states = { FLOW_ANY_STATE, FLOW_ANY_STATE } };

static void add(uint32_t n)
{
	uint32_t mixed = n * 2654435761U;
	struct tuple tuple = { .client = { 0, 0, htonl(0xffff), htonl(mixed) },
			       .server = { 0, 0, htonl(0xffff), htonl(7) },
			       .client_port = htons((uint16_t)(1024 + n % 60000)),
			       .server_port = htons(80) };
	struct flow *f = flowtable_add(tracker->table, &tuple);

	assert_non_null(f);
	f->begun_s = f->changed_s = store_now_s() - 5000 + mixed % 5000;
	f->state[CLIENT] = n % 3 ? TS_ESTABLISHED : TS_FIN_WAIT_2;
	f->state[SERVER] = n % 3 ? TS_ESTABLISHED : TS_CLOSE_WAIT;
	flowtable_count(tracker->table, f);
}

static int set_up(void **state)
{
	(void)state;
	tracker = calloc(1, sizeof(*tracker));
	tracker->engine = calloc(1, sizeof(*tracker->engine));
	assert_int_equal(flowtable_new(&tracker->table, FLOWS, store_now_ticks()), 0);
	for (uint32_t n = 0; n < FLOWS; n++)
		add(n);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	flowtable_free(tracker->table);
	free(tracker->engine);
	free(tracker);
	return 0;
}

struct found {
	struct flow_selection *selection;
	const struct flow_view *views;
	size_t count, total;
	unsigned int slices;
	uint64_t longest_us;
};

static struct found find(struct flow_filter filter, size_t max)
{
	struct found found = { 0 };
	int more;

	assert_int_equal(store_select_new(&found.selection, tracker, &filter, max), 0);
	do {
		uint64_t began = store_now_us();

		more = tracker_select_step(found.selection, SLICE_US);
		assert_true(more >= 0);
		found.slices++;
		if (store_now_us() - began > found.longest_us)
			found.longest_us = store_now_us() - began;
	} while (more);
	found.count = tracker_select_views(found.selection, &found.views, &found.total);
	return found;
}

static void all_come_in_order(void **state)
{
	static bool seen[FLOWS];
	struct found f = find(everything, ALL);

	(void)state;
	print_message("%zu flows in %u slices, the longest %llu us\n", f.count, f.slices,
		      (unsigned long long)f.longest_us);
	assert_int_equal(f.count, FLOWS);
	assert_int_equal(f.total, FLOWS);
	assert_true(f.slices > 10);
	for (size_t i = 0; i < f.count; i++) {
		/* the inverse of the multiplier, modulo 2^32 */
		uint32_t n = ntohl(f.views[i].tuple.client[3]) * 244002641U;

		assert_true(n < FLOWS && !seen[n]);
		seen[n] = true;
		assert_true(!i || f.views[i].age_s <= f.views[i - 1].age_s);
	}
	tracker_select_free(f.selection);
}

static void the_first_ones_are_those_of_all(void **state)
{
	for (int order = 0; order < ORDER_COUNT; order++) {
		struct flow_filter filter = everything;
		struct found all, few;

		(void)state;
		filter.order = (enum flow_order)order;
		all = find(filter, ALL);
		few = find(filter, 1000);
		assert_int_equal(few.count, 1000);
		assert_int_equal(few.total, FLOWS);
		for (size_t i = 0; i < few.count; i++)
			assert_memory_equal(&few.views[i].tuple, &all.views[i].tuple, sizeof(struct tuple));
		tracker_select_free(all.selection);
		tracker_select_free(few.selection);
	}
}

static void what_does_not_fit_is_left_out(void **state)
{
	struct flow_filter filter = everything;
	struct found f;

	(void)state;
	filter.states[SERVER] = 1U << TS_CLOSE_WAIT;
	f = find(filter, ALL);
	assert_int_equal(f.count, FLOWS / 3);
	tracker_select_free(f.selection);
	filter.port = 1027;
	f = find(filter, 0);
	assert_int_equal(f.count, 0);
	assert_int_equal(f.total, 5); /* counted, whatever the limit */
	tracker_select_free(f.selection);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_come_in_order),
		cmocka_unit_test(the_first_ones_are_those_of_all),
		cmocka_unit_test(what_does_not_fit_is_left_out),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
