// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inline, on several CPUs at once: the same few tuples are opened, answered, reset and opened anew by all of
 * them together. Afterwards what is counted is what the table holds, or a service would refuse handshakes for
 * good; and a cookie that all bring at the same time has begun one connection.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bpf/dialogue.h"

#define THREADS	     4
#define TUPLES	     3
#define INCARNATIONS 4
#define ROUNDS	     25
#define FRAMES	     6000 /* of each thread, in a round */

/* What either end may say, as it comes in. */
struct incoming {
	enum port from;
	struct frame frame;
};

static struct incoming events[TUPLES * INCARNATIONS * 9];
static size_t event_count;

static struct incoming *new_incoming(enum port from)
{
	struct incoming *e = &events[event_count++];

	assert_in_range(event_count, 1, sizeof(events) / sizeof(*events));
	e->from = from;
	return e;
}

static void add_events(const struct dialogue *d)
{
	struct frame_spec rst = dialogue_server_frame(d, RST | ACK, 0, d->client.isn + 1);
	struct said fin = { "FIN", .flags = FIN | ACK };
	struct frame other;

	dialogue_ack_frame(d, NULL, &new_incoming(PORT_OUTSIDE)->frame);
	dialogue_server_synack(d, &new_incoming(PORT_INSIDE)->frame);
	frame_build(&new_incoming(PORT_INSIDE)->frame, &rst);
	rst = dialogue_client_frame(d, RST, d->client.isn + 1, 0);
	frame_build(&new_incoming(PORT_OUTSIDE)->frame, &rst);
	dialogue_build(d, PORT_OUTSIDE, &fin, &new_incoming(PORT_OUTSIDE)->frame, &other);
}

/* Below the marks, to another service. */
static void add_plain_events(struct dialogue d)
{
	struct frame_spec syn, synack, ack;

	d.server_port = PORT_AUTO;
	syn = dialogue_client_frame(&d, SYN, d.client.isn, 0);
	synack = dialogue_server_frame(&d, SYN | ACK, d.server.isn, d.client.isn + 1);
	ack = dialogue_client_frame(&d, ACK, d.client.isn + 1, d.server.isn + 1);
	frame_build(&new_incoming(PORT_OUTSIDE)->frame, &syn);
	frame_build(&new_incoming(PORT_INSIDE)->frame, &synack);
	frame_build(&new_incoming(PORT_OUTSIDE)->frame, &ack);
	ack = dialogue_client_frame(&d, RST, d.client.isn + 1, 0);
	frame_build(&new_incoming(PORT_OUTSIDE)->frame, &ack);
}

static struct dialogue incarnation(struct harness *h, unsigned int tuple, unsigned int i)
{
	struct dialogue d = dialogue_new(h, "race", false, 0);

	d.client_port = (uint16_t)(43000 + tuple);
	d.client.isn += i << 28;
	d.server.isn += i << 27;
	dialogue_begin(&d);
	return d;
}

/* --- running --- */

struct worker {
	const struct harness *h;
	uint64_t random;
	size_t first, count; /* of the events */
	uint32_t frames;
	int failed;
};

static void *work(void *argument)
{
	struct worker *w = argument;

	for (uint32_t i = 0; i < w->frames; i++) {
		const struct incoming *e;

		w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;
		e = &events[w->first + (w->random >> 33) % w->count];
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = e->frame.bytes,
			    .data_size_in = (__u32)e->frame.length, .repeat = 1);
		w->failed |= bpf_prog_test_run_opts(
			w->h->programs[e->from == PORT_OUTSIDE ? FASTPATH_XDP_OUTSIDE : FASTPATH_XDP_INSIDE],
			&options);
		w->failed |= !options.retval;
	}
	return NULL;
}

static void run_together(struct harness *h, size_t first, size_t count, uint32_t frames, uint64_t seed)
{
	struct worker workers[THREADS];
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .h = h,
					      .random = seed * THREADS + (uint64_t)i,
					      .first = first,
					      .count = count,
					      .frames = frames };
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(workers[i].failed, 0);
	}
}

static void counts_hold_on_several_cpus(void **state)
{
	struct harness *h = *state;

	event_count = 0;
	for (unsigned int i = 0; i < TUPLES * INCARNATIONS; i++) {
		struct dialogue d = incarnation(h, i % TUPLES, i / TUPLES);

		add_events(&d);
		add_plain_events(d);
	}
	for (uint64_t round = 0; round < ROUNDS; round++) {
		run_together(h, 0, event_count, FRAMES, round);
		assert_in_range(appliance_count(h), 0, 2 * TUPLES);
		appliance_check_counts(h);
	}
}

/* One tuple, each time by another cookie: every CPU takes the others' connection out of the table. */
static void counts_hold_when_all_replace(void **state)
{
	struct harness *h = *state;

	event_count = 0;
	for (unsigned int i = 0; i < INCARNATIONS; i++) {
		struct dialogue d = incarnation(h, 200, i);

		dialogue_ack_frame(&d, NULL, &new_incoming(PORT_OUTSIDE)->frame);
		dialogue_server_synack(&d, &new_incoming(PORT_INSIDE)->frame);
	}
	for (uint64_t round = 0; round < ROUNDS; round++) {
		run_together(h, 0, event_count, FRAMES, round);
		appliance_check_counts(h);
	}
}

static void a_cookie_begins_one_connection_on_several_cpus(void **state)
{
	struct harness *h = *state;

	for (unsigned int i = 0; i < 50; i++) {
		struct dialogue d = incarnation(h, 100 + i, 0);

		event_count = 0;
		dialogue_ack_frame(&d, NULL, &new_incoming(PORT_OUTSIDE)->frame);
		appliance_forget(h);
		run_together(h, 0, 1, 200, i);
		assert_int_equal(appliance_count(h), 1);
		assert_int_equal(dialogue_state(&d, SLOT_ALWAYS)->handshakes, 1);
		appliance_check_counts(h);
		dialogue_answer(&d);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, appliance_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts_hold_on_several_cpus),
		TEST(counts_hold_when_all_replace),
		TEST(a_cookie_begins_one_connection_on_several_cpus),
	};

	return cmocka_run_group_tests(tests, appliance_set_up, appliance_tear_down);
}
