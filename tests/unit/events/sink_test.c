/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads behind the ring: each falls behind alone, nothing is shown before it is on disk unless the disk
 * fails or hangs, what failed comes again, and what was lost is counted to the last.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/events/sink.h"

struct target {
	pthread_mutex_t lock;
	pthread_cond_t bell;
	bool blocked, failing, inside; /* inside: a write waits */
	uint64_t got, last, failures, left_out, marked;
};

static struct ring ring;

static void target_init(struct target *target)
{
	*target = (struct target){ .blocked = false };
	pthread_mutex_init(&target->lock, NULL);
	pthread_cond_init(&target->bell, NULL);
}

static int write_target(void *arg, struct event_entry *const *events, size_t count)
{
	struct target *target = arg;
	int error = 0;

	pthread_mutex_lock(&target->lock);
	target->inside = true;
	while (target->blocked)
		pthread_cond_wait(&target->bell, &target->lock);
	target->inside = false;
	if (target->failing) {
		target->failures++;
		error = -ENOSPC;
	}
	for (size_t i = 0; i < count && !error; i++) {
		assert_true(events[i]->number > target->last);
		target->last = events[i]->number;
		target->got++;
	}
	pthread_mutex_unlock(&target->lock);
	return error;
}

static void mark_target(void *arg, uint64_t number)
{
	((struct target *)arg)->marked = number;
}

static bool wants_odd(void *arg, const struct event_entry *event)
{
	(void)arg;
	return event->number % 2;
}

static void leave_out(void *arg, uint64_t count)
{
	((struct target *)arg)->left_out += count;
}

static void set(struct target *target, bool *flag, bool value)
{
	pthread_mutex_lock(&target->lock);
	*flag = value;
	pthread_cond_broadcast(&target->bell);
	pthread_mutex_unlock(&target->lock);
}

static uint64_t got(struct target *target)
{
	uint64_t count;

	pthread_mutex_lock(&target->lock);
	count = target->got;
	pthread_mutex_unlock(&target->lock);
	return count;
}

static void wait_inside(struct target *target)
{
	bool inside = false;

	while (!inside) {
		usleep(1000);
		pthread_mutex_lock(&target->lock);
		inside = target->inside;
		pthread_mutex_unlock(&target->lock);
	}
}

static void add(uint64_t count)
{
	pthread_mutex_lock(&ring.lock);
	for (uint64_t i = 0; i < count; i++) {
		const struct event_stamp stamp = { .number = ring.last + 1, .wall_us = 1, .monotonic_us = 1 };

		ring_add(&ring, event_new(EVENT_DRAINED, &stamp, json_object()));
	}
	pthread_mutex_unlock(&ring.lock);
}

static uint64_t shown(void)
{
	uint64_t number;

	pthread_mutex_lock(&ring.lock);
	number = ring_shown(&ring);
	pthread_mutex_unlock(&ring.lock);
	return number;
}

/* Until count were got, for five seconds. */
static bool wait_got(struct target *target, uint64_t count)
{
	for (int i = 0; i < 500 && got(target) < count; i++)
		usleep(10000);
	return got(target) == count;
}

static bool wait_shown(uint64_t number)
{
	for (int i = 0; i < 500 && shown() < number; i++)
		usleep(10000);
	return shown() == number;
}

static int setup(void **state)
{
	(void)state;
	ring_init(&ring);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pthread_mutex_lock(&ring.lock);
	ring_clear(&ring);
	pthread_mutex_unlock(&ring.lock);
	return 0;
}

static void the_ring_keeps_the_last(void **state)
{
	(void)state;
	add(RING_SIZE + 100);
	assert_int_equal(ring_oldest(&ring), 101);
	assert_int_equal(ring_newest(&ring), RING_SIZE + 100);
	assert_int_equal(ring_after(&ring, 0)->number, 101);
	assert_int_equal(ring_after(&ring, 101)->number, 102);
	assert_int_equal(ring_after(&ring, 2000)->number, 2001);
	assert_null(ring_after(&ring, RING_SIZE + 100));
	ring.last = 10000; /* a gap */
	add(1);
	assert_int_equal(ring_after(&ring, RING_SIZE + 100)->number, 10001);
	assert_int_equal(ring_after(&ring, 9999)->number, 10001);
}

static void all_comes_in_order(void **state)
{
	struct target target;
	struct sink sink = { .name = "x", .ring = &ring, .write = write_target, .arg = &target };

	(void)state;
	target_init(&target);
	assert_int_equal(sink_start(&sink), 0);
	add(1000);
	assert_true(wait_got(&target, 1000));
	add(1);
	assert_true(sink_stop(&sink, 5000)); /* what is there is written first */
	assert_int_equal(target.got, 1001);
}

static void the_others_wait_for_the_ledger(void **state)
{
	struct target disk, other;
	struct sink gate = {
		.name = "disk", .ring = &ring, .gate = true, .write = write_target, .arg = &disk
	};
	struct sink sink = { .name = "x", .ring = &ring, .write = write_target, .arg = &other };

	(void)state;
	target_init(&disk);
	target_init(&other);
	ring.gated = true;
	disk.blocked = true;
	assert_int_equal(sink_start(&gate), 0);
	assert_int_equal(sink_start(&sink), 0);
	add(10);
	wait_inside(&disk);
	assert_int_equal(shown(), 0);
	assert_int_equal(got(&other), 0);
	set(&disk, &disk.blocked, false);
	assert_true(wait_got(&other, 10));
	assert_int_equal(shown(), 10);
	/* and hangs for good */
	set(&disk, &disk.blocked, true);
	add(10);
	assert_true(wait_got(&other, 20));
	assert_int_equal(got(&disk), 10);
	assert_int_equal(shown(), 20);
	set(&disk, &disk.blocked, false);
	assert_true(wait_got(&disk, 20));
	assert_true(sink_stop(&gate, 5000));
	assert_true(sink_stop(&sink, 5000));
}

static void what_failed_comes_again(void **state)
{
	struct target disk;
	struct sink gate = { .name = "disk",
			     .ring = &ring,
			     .gate = true,
			     .write = write_target,
			     .written_not = mark_target,
			     .arg = &disk };

	(void)state;
	target_init(&disk);
	ring.gated = true;
	disk.failing = true;
	assert_int_equal(sink_start(&gate), 0);
	add(10);
	assert_true(wait_shown(10)); /* in spite of it */
	add(10);
	assert_true(wait_shown(20));
	while (disk.marked < 20)
		usleep(10000);
	set(&disk, &disk.failing, false);
	assert_true(wait_got(&disk, 20));
	assert_true(disk.failures >= 1);
	assert_true(sink_stop(&gate, 5000));
}

static void what_the_ring_dropped_is_counted(void **state)
{
	struct target target;
	struct sink sink = { .name = "x", .ring = &ring, .write = write_target, .arg = &target };

	(void)state;
	target_init(&target);
	target.blocked = true;
	assert_int_equal(sink_start(&sink), 0);
	add(1);
	wait_inside(&target);
	add(RING_SIZE + 500);
	set(&target, &target.blocked, false);
	assert_true(wait_got(&target, RING_SIZE + 1));
	assert_true(sink_stop(&sink, 5000));
	assert_int_equal(sink.missed_in_all, 500);
}

static void a_queue_is_bounded(void **state)
{
	struct target target;
	struct sink sink = { .name = "x",
			     .ring = &ring,
			     .most = 8,
			     .wants = wants_odd,
			     .write = write_target,
			     .left_out = leave_out,
			     .arg = &target };

	(void)state;
	target_init(&target);
	target.blocked = true;
	assert_int_equal(sink_start(&sink), 0);
	add(2); /* one of them is wanted */
	wait_inside(&target);
	add(100); /* 50 of them are */
	set(&target, &target.blocked, false);
	assert_true(wait_got(&target, 1 + 8));
	assert_int_equal(target.last, 101); /* the newest ones */
	assert_true(sink_stop(&sink, 5000));
	assert_int_equal(target.left_out, 42);
}

static void one_that_hangs_is_left_behind(void **state)
{
	static struct target target; /* stays */
	static struct sink sink;

	(void)state;
	target_init(&target);
	target.blocked = true;
	sink = (struct sink){ .name = "x", .ring = &ring, .write = write_target, .arg = &target };
	assert_int_equal(sink_start(&sink), 0);
	add(1);
	wait_inside(&target);
	assert_false(sink_stop(&sink, 100));
	set(&target, &target.blocked, false); /* so that it ends before its memory does */
	pthread_mutex_lock(&ring.lock);
	while (!sink.ended)
		pthread_cond_wait(&ring.bell, &ring.lock);
	pthread_mutex_unlock(&ring.lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_ring_keeps_the_last, setup, teardown),
		cmocka_unit_test_setup_teardown(all_comes_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(the_others_wait_for_the_ledger, setup, teardown),
		cmocka_unit_test_setup_teardown(what_failed_comes_again, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_ring_dropped_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(a_queue_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_hangs_is_left_behind, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
