// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inline, a table so small that its slots are used over and over: on all CPUs at once connections are opened,
 * answered, reset, replaced and swept, while segments of each of them cross. Every connection shifts numbers
 * by what is its own, and whoever has found one is made to stand still a while (dawdle.bpf.h): whatever
 * leaves is translated by the numbers of its own tuple, both from one connection of it, or it is not
 * translated at all.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dawdle_inside.skel.h"
#include "dawdle_outside.skel.h"
#include "tests/bpf/dialogue.h"

#define ROOM	     16 /* connections */
#define TUPLES	     24
#define INCARNATIONS 2
#define THREADS	     4
#define QUICK	     1000000 /* frames of all threads */
#define LONG	     30000000
#define QUICK_S	     7 /* or for so long */
#define LONG_S	     400
#define OFF	     5000 /* by which numbers are missed */
#define SAID	     10	  /* bytes of a client */

/* What either end may say. CLIENT_SAYS: no cookie. SERVER_SAYS: a RST that misses its number, which ends
 * nothing, and of which no connection is learned. */
enum saying { PROVES, ANSWERS, ENDS, CLIENT_SAYS, SERVER_SAYS, SAYINGS };

struct incarnation {
	struct dialogue dialogue;
	struct frame frames[SAYINGS];
	struct frame syn, opening;   /* what comes of the first two */
	uint32_t shift, clock_shift; /* of the server's numbers, as the client sees them */
};

static struct incarnation incarnations[TUPLES][INCARNATIONS];
static atomic_uint_fast64_t frames_left, outcomes[SAYINGS][ACTION_REDIRECT + 1];
static atomic_bool over;

/* --- frames --- */

/* A number of its own for each, anywhere. */
static uint32_t scatter(uint32_t tuple, uint32_t i, uint32_t what)
{
	uint64_t n = ((uint64_t)tuple << 16 | i << 8 | what) * 0x9e3779b97f4a7c15;

	return (uint32_t)(n >> 24);
}

static void make(struct harness *h, struct incarnation *in, uint32_t tuple, uint32_t i)
{
	const struct said client_says = { "client", .flags = ACK, .ack = OFF, .length = SAID };
	const struct said server_says = { "server", .flags = RST | ACK, .seq = OFF, .ack = OFF };
	struct dialogue *d = &in->dialogue;
	struct frame_spec rst;
	struct frame out;

	*d = dialogue_new(h, "reuse", tuple & 1, 0);
	d->client_port = (uint16_t)(30000 + tuple);
	d->client.isn = scatter(tuple, i, 1);
	d->client.tsval = scatter(tuple, i, 2);
	d->server.isn = scatter(tuple, i, 3);
	d->server.tsval = scatter(tuple, i, 4);
	dialogue_begin(d);
	dialogue_ack_frame(d, NULL, &in->frames[PROVES]);
	dialogue_server_syn(d, &in->syn);
	dialogue_server_synack(d, &in->frames[ANSWERS]);
	dialogue_opening(d, &in->opening);
	rst = dialogue_client_frame(d, RST, d->client.isn + 1 + SAID,
				    0); /* none before the server's answer */
	frame_build(&in->frames[ENDS], &rst);
	dialogue_build(d, PORT_OUTSIDE, &client_says, &in->frames[CLIENT_SAYS], &out);
	dialogue_build(d, PORT_INSIDE, &server_says, &in->frames[SERVER_SAYS], &out);
	in->shift = d->cookie.isn - d->server.isn;
	in->clock_shift = d->cookie.tsval - d->server.tsval;
}

/* --- what may come of one --- */

static bool same(const struct frame *a, const struct frame *b)
{
	return a->length == b->length && !memcmp(a->bytes, b->bytes, a->length);
}

static uint32_t word_at(const uint8_t *option, size_t offset)
{
	uint32_t word;

	memcpy(&word, option + offset, sizeof(word));
	return ntohl(word);
}

/* Addresses, ports, and that nothing was damaged. */
static bool is_of(const struct frame *out, const struct frame_view *v, const struct frame *in,
		  const struct frame_view *was)
{
	size_t addresses = v->v6 ? 32 : 8;

	return v->v6 == was->v6 && v->source == was->source && v->dest == was->dest &&
	       !memcmp(out->bytes + v->tcp - addresses, in->bytes + was->tcp - addresses, addresses) &&
	       !frame_checksum_error(out);
}

/* OUT is IN with its numbers shifted as BY does it. */
static bool is_translated(const struct frame *out, const struct frame *in, const struct incarnation *by,
			  bool from_client)
{
	struct frame_view v, was;
	const uint8_t *ts, *ts_was;

	if (!frame_read(out, &v) || !frame_read(in, &was) || !is_of(out, &v, in, &was))
		return false;
	ts = frame_option(out, &v, 8, 10);
	ts_was = frame_option(in, &was, 8, 10);
	if (!ts || !ts_was)
		return false;
	if (from_client)
		return v.seq == was.seq && v.ack == was.ack - by->shift &&
		       word_at(ts, 0) == word_at(ts_was, 0) &&
		       word_at(ts, 4) == word_at(ts_was, 4) - by->clock_shift;
	return v.ack == was.ack && v.seq == was.seq + by->shift && word_at(ts, 4) == word_at(ts_was, 4) &&
	       word_at(ts, 0) == word_at(ts_was, 0) + by->clock_shift;
}

static bool is_own_translation(const struct frame *out, const struct frame *in, uint32_t tuple,
			       bool from_client)
{
	for (int i = 0; i < INCARNATIONS; i++)
		if (is_translated(out, in, &incarnations[tuple][i], from_client))
			return true;
	return false;
}

/* A RST of the client's, as it was or with the number of the connection's that it ends. */
static bool is_own_end(const struct frame *out, const struct frame *in)
{
	struct frame_view v, was;

	return frame_read(out, &v) && frame_read(in, &was) && is_of(out, &v, in, &was) && v.seq == was.seq;
}

/* Crosses: nothing of a client that is not known does, of a server all. */
static bool may_cross(enum saying saying, uint32_t tuple, uint32_t i, const struct frame *out)
{
	const struct incarnation *own = &incarnations[tuple][i];
	const struct frame *in = &own->frames[saying];

	switch (saying) {
	case PROVES:
		for (int other = 0; other < INCARNATIONS; other++)
			if (same(out, &incarnations[tuple][other].syn))
				return true;
		return is_own_translation(out, in, tuple, true);
	case CLIENT_SAYS:
		return is_own_translation(out, in, tuple, true);
	case ANSWERS:
		return same(out, in) || same(out, &own->opening);
	case ENDS:
		return is_own_end(out, in);
	case SERVER_SAYS:
		return same(out, in) || is_own_translation(out, in, tuple, false);
	case SAYINGS:
		break;
	}
	return false;
}

/* --- the programs, on the maps of the harness --- */

static struct dawdle_outside_bpf *outside;
static struct dawdle_inside_bpf *inside;

#define SET_UP(skeleton)                                                                                     \
	do {                                                                                                 \
		assert_int_equal(appliance_share_maps(h, (skeleton)->obj), 0);                               \
		*(__u32 *)&(skeleton)->rodata->connection_set_count =                                        \
			bpf_map__max_entries((skeleton)->maps.connection_sets);                              \
		*(__u32 *)&(skeleton)->rodata->connections_max = ROOM;                                       \
	} while (0)

static void load_dawdling(struct harness *h)
{
	outside = dawdle_outside_bpf__open();
	inside = dawdle_inside_bpf__open();
	assert_true(outside && inside);
	SET_UP(outside);
	SET_UP(inside);
	bpf_program__set_autoload(inside->progs.xdp_copy_inside, false);
	assert_int_equal(dawdle_outside_bpf__load(outside), 0);
	assert_int_equal(dawdle_inside_bpf__load(inside), 0);
}

static void unload_dawdling(void)
{
	dawdle_outside_bpf__destroy(outside);
	dawdle_inside_bpf__destroy(inside);
}

/* --- all at once --- */

struct worker {
	uint64_t random;
	int cpu;
	const char *wrong; /* NULL: nothing was */
};

static uint32_t pick(struct worker *w, uint32_t below)
{
	w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((w->random >> 33) * below >> 31);
}

static const char *say(enum saying saying, uint32_t tuple, uint32_t i)
{
	static const char *const wrong[SAYINGS] = { "a third ACK", "a SYN-ACK", "a RST", "a client's segment",
						    "a server's segment" };
	const struct frame *in = &incarnations[tuple][i].frames[saying];
	bool from_server = saying == ANSWERS || saying == SERVER_SAYS;
	struct frame out;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in->bytes, .data_size_in = (__u32)in->length,
		    .data_out = out.bytes, .data_size_out = sizeof(out.bytes), .repeat = 1);

	if (bpf_prog_test_run_opts(
		    bpf_program__fd(from_server ? inside->progs.xdp_inside : outside->progs.xdp_outside),
		    &options) ||
	    options.retval > ACTION_REDIRECT || options.retval == ACTION_ABORTED)
		return "a run";
	out.length = options.data_size_out;
	atomic_fetch_add(&outcomes[saying][options.retval], 1);
	return options.retval != ACTION_REDIRECT || may_cross(saying, tuple, i, &out) ? NULL : wrong[saying];
}

static void *work(void *argument)
{
	static const enum saying often[] = { PROVES,	  ANSWERS,     ANSWERS,	    CLIENT_SAYS, CLIENT_SAYS,
					     CLIENT_SAYS, SERVER_SAYS, SERVER_SAYS, ENDS };
	struct worker *w = argument;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)w->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (!w->wrong && !over && atomic_fetch_sub(&frames_left, 1) < INT64_MAX)
		w->wrong = say(often[pick(w, sizeof(often) / sizeof(*often))], pick(w, TUPLES),
			       pick(w, INCARNATIONS));
	over = true;
	return NULL;
}

static void run_together(struct harness *h, unsigned int seconds)
{
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	time_t until = time(NULL) + seconds;
	struct sweep_args swept;

	over = false;
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .random = (uint64_t)i * 77 + (uint64_t)time(NULL),
					      .cpu = i % (int)sysconf(_SC_NPROCESSORS_ONLN) };
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	while (!over && time(NULL) < until) {
		appliance_sweep(h, &swept);
		usleep(1000);
	}
	over = true;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < THREADS; i++)
		if (workers[i].wrong)
			fail_msg("%s left otherwise than by its own connection's numbers", workers[i].wrong);
}

/* What stayed is whole: all numbers of it are of one connection of its tuple. */
static void check_table(struct harness *h)
{
	for (uint32_t tuple = 0; tuple < TUPLES; tuple++) {
		struct connection c;
		bool whole = false;

		if (!appliance_find(h, &incarnations[tuple][0].dialogue.tuple, &c))
			continue;
		for (int i = 0; i < INCARNATIONS; i++) {
			const struct incarnation *in = &incarnations[tuple][i];

			if (c.our_isn == in->dialogue.cookie.isn && c.client_isn == in->dialogue.client.isn)
				whole = c.state == CONNECTION_SYN_SENT ||
					(c.delta == in->shift && c.ts_delta == in->clock_shift);
		}
		if (!whole)
			fail_msg("the connection of port %u holds another's numbers", 30000 + tuple);
	}
	appliance_check_counts(h);
}

static void no_segment_meets_anothers_numbers(void **state)
{
	bool is_long = getenv("TESTS_LONG");
	struct harness *h = *state;
	uint64_t opened, crossed;

	h->runtime.jiffies_hz = 8; /* a second is a jiffy: slots are used again as often as can be */
	h->runtime.handshakes_max = h->runtime.handshakes_per_source = 1000000;
	h->runtime.unknown_pps = 0;
	harness_publish(h);
	for (uint32_t tuple = 0; tuple < TUPLES; tuple++)
		for (uint32_t i = 0; i < INCARNATIONS; i++)
			make(h, &incarnations[tuple][i], tuple, i);
	frames_left = is_long ? LONG : QUICK;
	load_dawdling(h);
	run_together(h, is_long ? LONG_S : QUICK_S);
	unload_dawdling();
	check_table(h);
	opened = outcomes[PROVES][ACTION_REDIRECT];
	crossed = outcomes[CLIENT_SAYS][ACTION_REDIRECT] + outcomes[SERVER_SAYS][ACTION_REDIRECT];
	print_message("%lu third ACKs of %lu crossed, %lu SYN-ACKs, %lu segments\n", opened,
		      opened + outcomes[PROVES][ACTION_DROP] + outcomes[PROVES][ACTION_TX],
		      outcomes[ANSWERS][ACTION_REDIRECT], crossed);
	assert_true(opened > 1000 && crossed > 10000 && outcomes[ANSWERS][ACTION_REDIRECT] > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_segment_meets_anothers_numbers, appliance_reset),
	};

	harness_connections = ROOM;
	return cmocka_run_group_tests(tests, appliance_set_up, appliance_tear_down);
}
