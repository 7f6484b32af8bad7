// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of flows against a plain model: found, removed, full, expired in time, counted by states; and how
 * much memory a flow takes.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/tracker/flowtable.h"

#define ROOM  4096
#define STEPS 200000

static struct tuple tuple_of(uint32_t n)
{
	struct tuple t = { .client_port = htons((uint16_t)(1024 + n % 1000)),
			   .server_port = htons(80),
			   .v6 = n & 1 };

	if (!t.v6)
		t.client[2] = t.server[2] = htonl(0xffff);
	else
		t.client[0] = t.server[0] = htonl(0xfd000000 + n / 77);
	t.client[3] = htonl(n / 1000 + 1);
	t.server[3] = htonl(7);
	return t;
}

static struct flowtable *new_table(uint32_t room)
{
	struct flowtable *t;

	assert_int_equal(flowtable_new(&t, room, 100), 0);
	return t;
}

static struct flow *add(struct flowtable *t, uint32_t n)
{
	struct tuple tuple = tuple_of(n);
	struct flow *f = flowtable_add(t, &tuple);

	if (f) {
		f->begun_s = n;
		flowtable_count(t, f);
	}
	return f;
}

/* The bound of design.md, with the index: at most two words a flow where flows is no power of two. */
static void a_flow_is_small(void **state)
{
	(void)state;
	assert_true(FLOW_SIZE(false) + 2 * sizeof(uint32_t) <= 64);
	assert_true(FLOW_SIZE(true) + 2 * sizeof(uint32_t) <= 128);
	assert_int_equal(sizeof(struct flow) % 4, 0);
}

static void agrees_with_a_model(void **state)
{
	static bool there[ROOM * 2];
	struct flowtable *t = new_table(ROOM);
	uint32_t count = 0;

	(void)state;
	srandom(9293);
	for (int i = 0; i < STEPS; i++) {
		uint32_t n = (uint32_t)random() % (ROOM * 2);
		struct tuple tuple = tuple_of(n), back;
		struct flow *f = flowtable_find(t, &tuple);

		assert_int_equal(f != NULL, there[n]);
		if (f) {
			assert_int_equal(f->begun_s, n);
			flowtable_tuple(t, f, &back);
			assert_memory_equal(&back, &tuple, sizeof(tuple));
		}
		if (f && random() & 1) {
			flowtable_remove(t, f);
			there[n] = false;
			count--;
		} else if (!f) {
			f = add(t, n);
			assert_int_equal(f != NULL, count < ROOM);
			there[n] = f;
			count += there[n];
		}
		assert_int_equal(flowtable_size(t), count);
	}
	assert_int_equal(flowtable_pairs(t, TS_CLOSED, TS_CLOSED), count);
	flowtable_free(t);
}

struct expiry {
	uint32_t now, count;
	bool again;
};

static void on_due(struct flowtable *t, struct flow *f, void *arg)
{
	struct expiry *e = arg;

	assert_int_equal(f->number[0], e->now);
	e->count++;
	if (e->again) {
		f->number[0] += 1500;
		flowtable_arm(t, f, f->number[0]);
	} else {
		flowtable_remove(t, f);
	}
}

/* Due times beyond one turn of the wheel, armed again and again, removed while armed. */
static void each_expires_when_it_is_due(void **state)
{
	struct flowtable *t = new_table(ROOM);
	struct expiry e = { .again = true };

	(void)state;
	for (uint32_t n = 0; n < 3000; n++) {
		struct flow *f = add(t, n);

		flowtable_arm(t, f, 101 + n % 7);
		f->number[0] = 101 + n;
		flowtable_arm(t, f, f->number[0]);
		if (n % 3 == 0)
			flowtable_remove(t, f);
	}
	for (e.now = 101; e.now < 101 + 1500; e.now++)
		flowtable_expire(t, e.now, on_due, &e, UINT32_MAX);
	assert_int_equal(e.count, 1000);
	e.again = false;
	for (; e.now < 101 + 3000; e.now++)
		flowtable_expire(t, e.now, on_due, &e, UINT32_MAX);
	assert_int_equal(e.count, 1000 + 2000);
	assert_int_equal(flowtable_size(t), 0);
	flowtable_free(t);
}

static void on_due_count(struct flowtable *t, struct flow *f, void *arg)
{
	++*(uint32_t *)arg;
	flowtable_remove(t, f);
}

static void expiry_goes_on_where_it_stopped(void **state)
{
	struct flowtable *t = new_table(ROOM);
	uint32_t count = 0;

	(void)state;
	for (uint32_t n = 0; n < 1000; n++)
		flowtable_arm(t, add(t, n), 105 + n / 500);
	assert_int_equal(flowtable_expire(t, 200, on_due_count, &count, 300), 300);
	assert_int_equal(flowtable_expire(t, 200, on_due_count, &count, 300), 300);
	assert_int_equal(flowtable_expire(t, 200, on_due_count, &count, 3000), 400);
	assert_int_equal(count, 1000);
	flowtable_free(t);
}

/* All armed at once, for later than a turn of the wheel: no call does more than it may. */
static void what_is_put_off_counts(void **state)
{
	struct flowtable *t = new_table(ROOM);
	uint32_t count = 0, calls = 0, now = 100;

	(void)state;
	for (uint32_t n = 0; n < 4000; n++)
		flowtable_arm(t, add(t, n), 100 + 2400);
	for (; now < 100 + 2399; now++)
		for (uint32_t done = 300; done == 300; calls++)
			done = flowtable_expire(t, now, on_due_count, &count, 300);
	assert_int_equal(count, 0);
	assert_in_range(calls, 2399, 2399 + 2 * (4000 / 300 + 1)); /* put off twice */
	assert_int_equal(flowtable_expire(t, 100 + 2401, on_due_count, &count, 5000), 4000);
	assert_int_equal(count, 4000);
	flowtable_free(t);
}

static void pairs_are_counted(void **state)
{
	struct flowtable *t = new_table(16);
	struct flow *f = add(t, 1);
	uint8_t before[ENDPOINTS] = { f->state[CLIENT], f->state[SERVER] };

	(void)state;
	f->state[CLIENT] = TS_SYN_SENT;
	f->state[SERVER] = TS_LISTEN;
	flowtable_moved(t, f, before);
	assert_int_equal(flowtable_pairs(t, TS_SYN_SENT, TS_LISTEN), 1);
	assert_int_equal(flowtable_pairs(t, TS_CLOSED, TS_CLOSED), 0);
	flowtable_remove(t, f);
	assert_int_equal(flowtable_pairs(t, TS_SYN_SENT, TS_LISTEN), 0);
	flowtable_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_is_small),
		cmocka_unit_test(agrees_with_a_model),
		cmocka_unit_test(each_expires_when_it_is_due),
		cmocka_unit_test(expiry_goes_on_where_it_stopped),
		cmocka_unit_test(what_is_put_off_counts),
		cmocka_unit_test(pairs_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
