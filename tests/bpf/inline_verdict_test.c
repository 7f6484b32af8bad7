// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inline: every verdict of both hooks, what leaves, and what is kept: ends of connections, tuples used again,
 * what is refused, what passes untranslated, and how much of that applies when.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bpf/dialogue.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define HELLO BYTES('h', 'e', 'l', 'l', 'o')

static const struct bytes hello = HELLO;

/* --- ends --- */

static void open_at(struct dialogue *d, void **state, const char *name)
{
	appliance_forget(*state);
	*d = dialogue_new(*state, name, false, 0);
	d->server.isn = 0xfffffff0; /* the server's numbers wrap, the client's do not */
	dialogue_open(d);
}

static void fins_are_followed(void **state)
{
	for (int first = 0; first < 2; first++) {
		enum port one = first ? PORT_INSIDE : PORT_OUTSIDE,
			  other = first ? PORT_OUTSIDE : PORT_INSIDE;
		struct dialogue d;

		open_at(&d, state, "one after the other");
		dialogue_talk(&d, one, "data", ACK, 0, 0, 100);
		dialogue_talk(&d, one, "FIN", FIN | ACK, 100, 0, 10);
		dialogue_talk(&d, other, "ACK of the data only", ACK, 0, 100, 0);
		dialogue_talk(&d, other, "data, half-closed", ACK, 0, 111, 1000);
		dialogue_talk(&d, one, "ACK", ACK, 111, 1000, 0);
		dialogue_expect_state(&d, "half-closed", CONNECTION_ESTABLISHED);
		dialogue_talk(&d, other, "its FIN", FIN | ACK, 1000, 111, 0);
		dialogue_expect_state(&d, "both closed", CONNECTION_CLOSING);
		dialogue_talk(&d, one, "not the FIN's ACK", ACK, 111, 1000, 0);
		dialogue_expect_state(&d, "both closed", CONNECTION_CLOSING);
		dialogue_talk(&d, one, "last ACK", ACK, 111, 1001, 0);
		dialogue_expect_state(&d, "done", CONNECTION_TIME_WAIT);
		dialogue_talk(&d, other, "FIN again", FIN | ACK, 1000, 111, 0);
		dialogue_talk(&d, one, "last ACK again", ACK, 111, 1001, 0);
		dialogue_expect_state(&d, "done", CONNECTION_TIME_WAIT);

		open_at(&d, state, "at once");
		dialogue_talk(&d, one, "FIN", FIN | ACK, 0, 0, 0);
		dialogue_talk(&d, other, "FIN", FIN | ACK, 0, 0, 0);
		dialogue_expect_state(&d, "both closed", CONNECTION_CLOSING);
		dialogue_talk(&d, other, "ACK", ACK, 1, 1, 0);
		dialogue_expect_state(&d, "one acknowledged", CONNECTION_CLOSING);
		dialogue_talk(&d, one, "ACK", ACK, 1, 1, 0);
		dialogue_expect_state(&d, "done", CONNECTION_TIME_WAIT);

		open_at(&d, state, "FIN with the other's ACK");
		dialogue_talk(&d, one, "FIN", FIN | ACK, 0, 0, 0);
		dialogue_talk(&d, other, "FIN and ACK", FIN | ACK, 0, 1, 0);
		dialogue_expect_state(&d, "both closed", CONNECTION_CLOSING);
		dialogue_talk(&d, one, "ACK", ACK, 1, 1, 0);
		dialogue_expect_state(&d, "done", CONNECTION_TIME_WAIT);
	}
}

/* RFC 5961, section 3.2: at exactly RCV.NXT; in the window the receiver challenges, and nothing has ended. */
static void resets_end_at_the_next_number_only(void **state)
{
	for (int first = 0; first < 2; first++) {
		enum port one = first ? PORT_INSIDE : PORT_OUTSIDE,
			  other = first ? PORT_OUTSIDE : PORT_INSIDE;
		struct dialogue d;

		open_at(&d, state, "RST");
		dialogue_talk(&d, one, "data", ACK, 0, 0, 100);
		dialogue_talk(&d, one, "RST in the window", RST, 101, 0, 0);
		dialogue_talk(&d, one, "RST before it", RST, 99, 0, 0);
		dialogue_talk(&d, one, "RST and ACK in the window", RST | ACK, 5000, 0, 0);
		dialogue_expect_state(&d, "not at the next number", CONNECTION_ESTABLISHED);
		dialogue_talk(&d, one, "RST", RST, 100, 0, 0);
		dialogue_expect_state(&d, "at the next number", CONNECTION_RESET);
		dialogue_talk(&d, other, "challenge ACK", ACK, 0, 100, 0);
		dialogue_expect_state(&d, "a bare ACK", CONNECTION_RESET);
		dialogue_talk(&d, other, "data", ACK, 0, 100, 10);
		dialogue_expect_state(&d, "data after it", CONNECTION_ESTABLISHED);
		dialogue_talk(&d, one, "RST and ACK", RST | ACK, 100, 10, 0);
		dialogue_expect_state(&d, "RST and ACK", CONNECTION_RESET);

		open_at(&d, state, "RST while closing");
		dialogue_talk(&d, one, "FIN", FIN | ACK, 0, 0, 0);
		dialogue_talk(&d, other, "FIN", FIN | ACK, 0, 0, 0);
		dialogue_talk(&d, one, "RST", RST, 1, 0, 0);
		dialogue_expect_state(&d, "RST while closing", CONNECTION_RESET);
	}
}

/* --- the tuple again --- */

/* On an established connection a SYN gets a cookie and changes nothing; who brings it back begins anew. */
static void a_syn_on_a_known_connection(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "first", v6, 0), again;
		struct connection before, after;

		dialogue_open(&d);
		before = dialogue_connection(&d);
		again = d;
		again.name = "again";
		again.learned = &again.server;
		again.client.isn += 1000000000;
		again.server.isn += 123456789;
		dialogue_begin(&again);
		dialogue_ask(&again);
		after = dialogue_connection(&d);
		assert_memory_equal(&before, &after, sizeof(before));
		dialogue_talk(&d, PORT_OUTSIDE, "the first goes on", ACK, 0, 0, 50);
		dialogue_talk(&d, PORT_INSIDE, "the first goes on", ACK, 0, 50, 50);
		dialogue_prove(&again, NULL);
		assert_int_equal(appliance_count(*state), 1);
		dialogue_answer(&again);
		dialogue_talk(&again, PORT_OUTSIDE, "the second", ACK, 0, 0, 50);
		assert_int_equal(appliance_counted(*state), 1);
		assert_int_equal(fastpath_state(d.h->fastpath, SLOT_ALWAYS)->handshakes, 0);
		appliance_forget(*state);
	}
}

static void replays_make_one_connection(void **state)
{
	struct dialogue d = dialogue_new(*state, "replay", false, 0);
	struct said ack = { "replayed", .flags = ACK, .window = 502, .nops = 2 };
	struct connection before, after;
	struct frame in, out;
	static struct outcome o;
	int passed = 0;

	dialogue_open(&d);
	before = dialogue_connection(&d);
	dialogue_build(&d, PORT_OUTSIDE, &ack, &in, &out);
	for (int i = 0; i < 1000; i++) {
		appliance_run(*state, PORT_OUTSIDE, &in, &o);
		assert_true(o.verdict == PASS_TRANSLATED || o.verdict == DROP_REPLAYED);
		appliance_compare(ack.name, &o.out, o.verdict == PASS_TRANSLATED ? &out : &in);
		passed += o.verdict == PASS_TRANSLATED;
	}
	assert_in_range(passed, 1, 64);
	after = dialogue_connection(&d);
	assert_int_equal(after.delta, before.delta);
	assert_int_equal(after.state, CONNECTION_ESTABLISHED);
	assert_int_equal(appliance_count(*state), 1);
	ack.length = 10;
	dialogue_say(&d, PORT_OUTSIDE, &ack, PASS_TRANSLATED);
}

/* While the handshake with the server is not done, and when the connection has ended. */
static void replays_at_other_times(void **state)
{
	struct dialogue d = dialogue_new(*state, "replay", true, 0);
	struct frame ack;

	dialogue_handshake(&d);
	dialogue_ack_frame(&d, NULL, &ack);
	for (int i = 0; i < 100; i++)
		appliance_expect(*state, "early", PORT_OUTSIDE, &ack, DROP_EARLY, NULL);
	assert_int_equal(appliance_count(*state), 1);
	assert_int_equal(fastpath_state(d.h->fastpath, SLOT_ALWAYS)->handshakes, 1);
	dialogue_answer(&d);
	/* they are not held against the established one */
	dialogue_talk(&d, PORT_OUTSIDE, "the client's own", ACK, 0, 0, 0);
	dialogue_talk(&d, PORT_INSIDE, "RST", RST | ACK, 0, 0, 0);
	dialogue_expect_state(&d, "RST", CONNECTION_RESET);
	dialogue_talk(&d, PORT_OUTSIDE, "after the end", ACK, 0, 0, 0);
	dialogue_expect_state(&d, "replayed", CONNECTION_RESET);
}

/* --- refused --- */

static struct dialogue numbered(struct harness *h, unsigned int i)
{
	struct dialogue d = dialogue_new(h, "one of many", i & 1, 0);

	d.client_port = (uint16_t)(20000 + i);
	d.client.isn += i * 1001;
	return d;
}

static void a_full_table_refuses(void **state)
{
	struct harness *h = *state;
	struct frame_spec rst;
	struct frame in, out;
	struct dialogue d;

	for (unsigned int i = 0; i < harness_connections; i++) {
		d = numbered(h, i);
		dialogue_open(&d);
		d.server.isn += i;
	}
	assert_int_equal(appliance_count(h), harness_connections);
	for (unsigned int i = 0; i < 4; i++) {
		d = numbered(h, harness_connections + i);
		dialogue_begin(&d);
		dialogue_ask(&d);
		dialogue_ack_frame(&d, NULL, &in);
		rst = dialogue_server_frame(&d, RST, d.cookie.isn + 1, 0);
		dialogue_frame(&rst, &out);
		appliance_expect(h, "full", PORT_OUTSIDE, &in, TX_REFUSED, &out);
	}
	for (unsigned int i = 0; i < harness_connections; i++) {
		d = numbered(h, i);
		dialogue_begin(&d);
		dialogue_talk(&d, PORT_OUTSIDE, "goes on", ACK, 0, 0, 20);
		dialogue_talk(&d, PORT_INSIDE, "goes on", ACK, 0, 20, 20);
	}
	assert_int_equal(appliance_counted(h), harness_connections);
	assert_int_equal(fastpath_state(h->fastpath, SLOT_ALWAYS)->handshakes, 0);
}

static void too_many_handshakes_are_refused(void **state)
{
	struct harness *h = *state;
	struct frame ack;
	struct dialogue d;

	for (unsigned int i = 0; i < h->runtime.handshakes_max; i++) {
		d = numbered(h, i);
		dialogue_handshake(&d);
	}
	d = numbered(h, 100);
	dialogue_begin(&d);
	dialogue_ask(&d);
	dialogue_ack_frame(&d, NULL, &ack);
	appliance_expect(h, "one too many", PORT_OUTSIDE, &ack, DROP_HANDSHAKES, NULL);
	assert_int_equal(appliance_count(h), h->runtime.handshakes_max);
	d = numbered(h, 0);
	dialogue_begin(&d);
	dialogue_answer(&d);
	d = numbered(h, 100);
	dialogue_begin(&d);
	dialogue_prove(&d, NULL);
}

static void run_only(struct harness *h, enum port at, const struct frame_spec *spec)
{
	static struct outcome o;
	struct frame f;

	dialogue_frame(spec, &f);
	appliance_run(h, at, &f, &o);
	assert_int_equal(o.verdict, PASS_HANDSHAKE);
}

static struct dialogue from(struct harness *h, const char *client, uint16_t port)
{
	struct dialogue d = dialogue_new(h, client, strchr(client, ':'), 0);

	d.client_address = client;
	d.client_port = port;
	d.client.isn += port * 7U;
	return d;
}

static void expect_too_many(struct dialogue *d)
{
	struct frame ack;

	dialogue_begin(d);
	dialogue_ask(d);
	dialogue_ack_frame(d, NULL, &ack);
	appliance_expect(d->h, d->name, PORT_OUTSIDE, &ack, DROP_SOURCE_HANDSHAKES, NULL);
}

/* Up to the limit for one address (a /64); each way out of a handshake makes room for another. */
static void handshakes_of_one_source(void **state)
{
	static const struct {
		const char *client, *same, *other;
	} rows[] = {
		{ "192.0.2.10", "192.0.2.10", "192.0.2.11" },
		{ "2001:db8:5:1::10", "2001:db8:5:1:ffff::11", "2001:db8:5:2::10" },
	};
	struct harness *h = *state;
	struct frame_spec spec;
	struct dialogue d[4];

	h->runtime.handshakes_per_source = 3;
	fastpath_publish(h->fastpath, &h->runtime);
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (uint16_t j = 0; j < 3; j++) {
			d[j] = from(h, rows[i].client, 30000 + j);
			dialogue_handshake(&d[j]);
		}
		d[3] = from(h, rows[i].same, 31000);
		expect_too_many(&d[3]);
		d[3] = from(h, rows[i].other, 31000);
		dialogue_handshake(&d[3]);

		dialogue_answer(&d[0]); /* established */
		d[0] = from(h, rows[i].same, 31001);
		dialogue_handshake(&d[0]);
		d[3] = from(h, rows[i].same, 31000);
		expect_too_many(&d[3]);

		spec = dialogue_server_frame(&d[1], RST | ACK, 0,
					     d[1].client.isn + 1); /* refused by the server */
		run_only(h, PORT_INSIDE, &spec);
		dialogue_handshake(&d[3]);
		d[1] = from(h, rows[i].same, 31002);
		expect_too_many(&d[1]);

		spec = dialogue_client_frame(&d[2], RST, d[2].client.isn + 1, 0); /* given up by the client */
		run_only(h, PORT_OUTSIDE, &spec);
		d[1] = from(h, rows[i].client, 31003);
		dialogue_handshake(&d[1]);
		d[2] = from(h, rows[i].client, 31004);
		expect_too_many(&d[2]);

		appliance_age(h, &d[1].tuple, 13); /* unanswered for too long */
		appliance_sweep(h, &(struct sweep_args){ 0 });
		dialogue_handshake(&d[2]);
		d[1] = from(h, rows[i].client, 31005);
		expect_too_many(&d[1]);
	}
}

/* --- limits: what limit_test.c and halfopen_test.c show of both deployments, once for each verdict --- */

#define NEVER (1ULL << 50) /* jiffies << PACE_SHIFT: a token in some days */

static struct limits the_limits;

static struct limit *limit_to(struct harness *h, enum limit_kind kind, enum limit_level level,
			      uint32_t tokens)
{
	struct limit *l = &the_limits.limit[kind][level];

	memset(&the_limits, 0, sizeof(the_limits));
	*l = (struct limit){ .action = LIMIT_DROP, .most = tokens };
	if (kind != KIND_HALF_OPEN)
		l->base = (struct pace){ .interval = NEVER, .tolerance = (tokens - 1) * NEVER };
	h->runtime.limits = fastpath_stage_limits(h->fastpath, &the_limits, NULL);
	h->runtime.limits_mode = POLICY_ENFORCE;
	h->runtime.wide = level >= LEVEL_SERVICE ? 1U << kind : 0;
	h->runtime.accounting = 1;
	h->runtime.window_shift = 20;
	harness_publish(h);
	return l;
}

static void limits_are_kept(void **state)
{
	static const struct {
		enum limit_kind kind;
		enum limit_level level;
		const char *from[3];
		enum verdict verdict;
	} rows[] = {
		{ KIND_SYN, LEVEL_SOURCE, { "10.1.40.1", "10.1.40.1", "10.1.40.1" }, DROP_RATE_SOURCE },
		{ KIND_SYN, LEVEL_PREFIX, { "10.1.41.1", "10.1.41.2", "10.1.41.3" }, DROP_RATE_PREFIX },
		{ KIND_SYN, LEVEL_SERVICE, { "10.1.42.1", "10.1.43.1", "10.1.44.1" }, DROP_RATE_SERVICE },
		{ KIND_SYN, LEVEL_TOTAL, { "10.1.42.1", "10.1.43.1", "10.1.44.1" }, DROP_RATE_TOTAL },
		{ KIND_HALF_OPEN,
		  LEVEL_SOURCE,
		  { "10.1.45.1", "10.1.45.1", "10.1.45.1" },
		  DROP_HALF_OPEN_SOURCE },
		{ KIND_HALF_OPEN,
		  LEVEL_PREFIX,
		  { "10.1.46.1", "10.1.46.2", "10.1.46.3" },
		  DROP_HALF_OPEN_PREFIX },
		{ KIND_HALF_OPEN,
		  LEVEL_SERVICE,
		  { "10.1.47.1", "10.1.48.1", "10.1.49.1" },
		  DROP_HALF_OPEN_SERVICE },
		{ KIND_HALF_OPEN,
		  LEVEL_TOTAL,
		  { "10.1.47.1", "10.1.48.1", "10.1.49.1" },
		  DROP_HALF_OPEN_TOTAL },
	};
	struct harness *h = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		limit_to(h, rows[i].kind, rows[i].level, 2);
		for (int n = 0; n < 3; n++) {
			struct frame_spec syn = { .saddr = rows[i].from[n],
						  .daddr = SERVER4,
						  .source = 40000,
						  .dest = 80,
						  .flags = SYN };
			struct frame f;

			frame_build(&f, &syn);
			if (n == 2)
				appliance_expect(h, rows[i].from[n], PORT_OUTSIDE, &f, rows[i].verdict, NULL);
			else
				assert_int_equal(appliance_run_bare(h, PORT_OUTSIDE, &f, NULL), ACTION_TX);
		}
	}
}

static void a_connection_too_many_is_dropped(void **state)
{
	struct dialogue d = numbered(*state, 0);
	struct frame ack;

	limit_to(*state, KIND_CONNECTION, LEVEL_TOTAL, 1);
	dialogue_begin(&d);
	dialogue_ask(&d);
	dialogue_prove(&d, NULL);
	d = numbered(*state, 1);
	dialogue_begin(&d);
	dialogue_ask(&d);
	dialogue_ack_frame(&d, NULL, &ack);
	appliance_expect(*state, "one too many", PORT_OUTSIDE, &ack, DROP_CONNECTIONS, NULL);
	assert_int_equal(appliance_count(*state), 1);
}

/* A new connection of the client, whose third ACK comes TIMES times. False: it was one too many. */
static bool connect_over_and_over(struct harness *h, unsigned int number, int times)
{
	uint64_t before[VERDICT_COUNT], after[VERDICT_COUNT];
	struct dialogue d = numbered(h, number);
	struct frame ack;

	dialogue_begin(&d);
	dialogue_ask(&d);
	dialogue_ack_frame(&d, NULL, &ack);
	harness_count_verdicts(h, before);
	for (int i = 0; i < times; i++)
		appliance_run_bare(h, PORT_OUTSIDE, &ack, NULL);
	harness_count_verdicts(h, after);
	if (after[DROP_CONNECTIONS] == before[DROP_CONNECTIONS])
		return true;
	assert_int_equal(after[DROP_CONNECTIONS] - before[DROP_CONNECTIONS], times);
	return false;
}

/* An act for each cookie, and none while somebody may be guessing cookies in the source's name. */
static void connections_over_a_limit_are_acts(void **state)
{
	static const char *const clients[] = { CLIENT4, CLIENT6 };
	struct harness *h = *state;

	/* a bucket of its own may hold what other tests left: two */
	limit_to(h, KIND_CONNECTION, LEVEL_SOURCE, 1)->base.tolerance = NEVER;
	h->runtime.auto_block = 1;
	h->runtime.limits = fastpath_stage_limits(h->fastpath, &the_limits, NULL);
	harness_publish(h);
	for (unsigned int v6 = 0; v6 < COUNT(clients); v6++) {
		uint32_t acts = harness_count_acts(h, clients[v6]), before = acts;

		h->runtime.auto_block = 0;
		harness_publish(h);
		for (unsigned int i = 50; i < 55; i++)
			connect_over_and_over(h, 200 + 2 * i + v6, 1);
		assert_int_equal(harness_count_acts(h, clients[v6]), acts);
		h->runtime.auto_block = 1;
		harness_publish(h);
		for (unsigned int i = 0; i < 25; i++) {
			acts += !connect_over_and_over(h, 200 + 2 * i + v6, 100);
			assert_int_equal(harness_count_acts(h, clients[v6]), acts);
		}
		assert_int_equal(acts - before, 25);
		for (int i = 0; i < 150; i++) {
			struct frame_spec bad = { .saddr = clients[v6],
						  .daddr = v6 ? SERVER6 : SERVER4,
						  .source = 40000,
						  .dest = 80,
						  .flags = ACK,
						  .seq = 7,
						  .ack = (uint32_t)i * 4096 };
			struct frame f;

			frame_build(&f, &bad);
			appliance_run_bare(h, PORT_OUTSIDE, &f, NULL);
		}
		for (unsigned int i = 25; i < 50; i++)
			assert_false(connect_over_and_over(h, 200 + 2 * i + v6, 1));
		assert_int_equal(harness_count_acts(h, clients[v6]), acts);
	}
}

/* Which a clock says that ticks 60 times in a minute: 256 jiffies are more than one. */
static void acts_are_counted_anew_after_a_minute(void **state)
{
	struct harness *h = *state;
	uint32_t hz = h->runtime.jiffies_hz;

	limit_to(h, KIND_CONNECTION, LEVEL_SOURCE, 1);
	h->runtime.auto_block = 1;
	harness_publish(h);
	for (unsigned int i = 0; i < 5; i++)
		connect_over_and_over(h, 1000 + 2 * i, 1);
	assert_in_range(harness_count_acts(h, CLIENT4), 2, 30);
	h->runtime.jiffies_hz = 1;
	harness_publish(h);
	usleep(260 * 1000000U / hz);
	assert_false(connect_over_and_over(h, 1010, 1));
	assert_int_equal(harness_count_acts(h, CLIENT4), 1);
}

/* Who brings cookies back may have more, and the sketch says why. */
static void a_proven_source_may_have_more(void **state)
{
	struct source_args known = { .level = LEVEL_SOURCE };
	struct harness *h = *state;
	struct limit *l = limit_to(h, KIND_SYN, LEVEL_SOURCE, 40);
	struct frame_spec spec;
	uint8_t options[40];
	struct dialogue d;
	struct frame syn;

	for (unsigned int i = 0; i < 40; i++) {
		d = numbered(h, 2 * i);
		dialogue_begin(&d);
		dialogue_open(&d);
	}
	inet_pton(AF_INET, CLIENT4, known.address);
	assert_int_equal(fastpath_query_source(h->fastpath, &known), 0);
	assert_int_equal(known.completed, known.begun);
	assert_in_range(known.begun, 40, 1000);
	d = numbered(h, 100);
	dialogue_begin(&d);
	spec = dialogue_syn(&d, options);
	frame_build(&syn, &spec);
	appliance_expect(h, "no more for anyone", PORT_OUTSIDE, &syn, DROP_RATE_SOURCE, NULL);
	l->extra = (struct pace){ .interval = NEVER };
	h->runtime.limits = fastpath_stage_limits(h->fastpath, &the_limits, NULL);
	harness_publish(h);
	dialogue_ask(&d);
	appliance_expect(h, "nor for the proven", PORT_OUTSIDE, &syn, DROP_RATE_SOURCE, NULL);
}

static void an_ack_with_a_wrong_checksum_begins_nothing(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "wrong checksum", v6, 0);
		struct frame ack, mangled;

		dialogue_begin(&d);
		dialogue_ask(&d);
		dialogue_ack_frame(&d, &hello, &ack);
		mangled = ack;
		mangled.bytes[mangled.length - 1] ^= 1;
		appliance_expect(*state, "data", PORT_OUTSIDE, &mangled, DROP_BAD_CHECKSUM, NULL);
		mangled = ack;
		mangled.bytes[v6 ? 54 + 15 : 24] ^= 1;
		appliance_expect(*state, "header", PORT_OUTSIDE, &mangled, DROP_BAD_CHECKSUM, NULL);
		assert_int_equal(appliance_count(*state), 0);
		dialogue_prove(&d, &hello);
		appliance_forget(*state);
	}
}

/* One bit of what the cookie covers, or of its own. */
static void a_changed_cookie_begins_nothing(void **state)
{
	struct dialogue d = dialogue_new(*state, "changed", false, 0);
	struct frame ack, other;

	d.h->runtime.unknown_pps = 0;
	harness_publish(d.h);
	dialogue_begin(&d);
	dialogue_ask(&d);
	dialogue_ack_frame(&d, NULL, &ack);
	for (unsigned int bit = 0; bit < 8 * 12; bit++) {
		unsigned int byte = bit / 8;

		other = ack;
		/* ports and both numbers; the port of another service is none of ours */
		if (byte == 2 || byte == 3)
			continue;
		other.bytes[34 + byte] ^= (uint8_t)(1 << bit % 8);
		frame_repair(&other);
		appliance_expect(*state, "changed", PORT_OUTSIDE, &other, DROP_BAD_COOKIE, NULL);
	}
	for (unsigned int bit = 8 * 8; bit < 8 * 12; bit++) {
		other = ack;
		other.bytes[54 + bit / 8] ^= (uint8_t)(1 << bit % 8); /* TSecr; bits 0 to 7 are its zeros */
		frame_repair(&other);
		appliance_expect(*state, "TSecr", PORT_OUTSIDE, &other, DROP_BAD_COOKIE, NULL);
	}
	assert_int_equal(appliance_count(*state), 0);
	dialogue_prove(&d, NULL);
}

/* See inline_handshake_test.c for the bytes. */
static void an_old_incarnation_is_reset(void **state)
{
	struct dialogue d = dialogue_new(*state, "challenge", false, 0);
	struct frame_spec ack, rst;

	dialogue_handshake(&d);
	ack = dialogue_server_frame(&d, ACK, 1, 0x9abcdef0);
	rst = dialogue_client_frame(&d, RST, 0x9abcdef0, 0);
	dialogue_expect(&d, "challenge ACK", PORT_INSIDE, &ack, TX_RST, &rst);
}

/* --- what passes untranslated --- */

/* Below the marks: three segments, none of them changed. */
static void open_plain(struct dialogue *d)
{
	struct frame_spec syn = dialogue_client_frame(d, SYN, d->client.isn, 0);
	struct frame_spec synack = dialogue_server_frame(d, SYN | ACK, d->server.isn, d->client.isn + 1);
	struct frame_spec ack = dialogue_client_frame(d, ACK, d->client.isn + 1, d->server.isn + 1);

	dialogue_begin(d);
	syn.options = (struct bytes)LINUX_OPTIONS;
	synack.options = (struct bytes)LINUX_OPTIONS;
	dialogue_expect(d, "SYN", PORT_OUTSIDE, &syn, PASS_OPEN, NULL);
	dialogue_expect(d, "SYN again", PORT_OUTSIDE, &syn, PASS_OPEN, NULL);
	dialogue_expect_state(d, "SYN", CONNECTION_SYN_RCVD);
	assert_int_equal(dialogue_state(d, SLOT_AUTO)->half_open, 1);
	synack.ack++;
	synack.seq++;
	dialogue_expect(d, "SYN-ACK to something else", PORT_INSIDE, &synack, PASS_FLOW, NULL);
	ack.ack++;
	dialogue_expect(d, "ACK to that", PORT_OUTSIDE, &ack, PASS_FLOW, NULL);
	dialogue_expect_state(d, "ACK to that", CONNECTION_SYN_RCVD);
	ack.ack--;
	synack.ack--;
	synack.seq--;
	dialogue_expect(d, "SYN-ACK", PORT_INSIDE, &synack, PASS_FLOW, NULL);
	ack.ack++;
	dialogue_expect(d, "ACK of something else", PORT_OUTSIDE, &ack, PASS_FLOW, NULL);
	dialogue_expect_state(d, "ACK of something else", CONNECTION_SYN_RCVD);
	ack.ack--;
	dialogue_expect(d, "ACK", PORT_OUTSIDE, &ack, PASS_FLOW, NULL);
	dialogue_expect_state(d, "ACK", CONNECTION_ESTABLISHED);
	assert_int_equal(dialogue_state(d, SLOT_AUTO)->half_open, 0);
}

/* What one end says, without translation. */
static void say_plain(const struct dialogue *d, enum port from, const char *name, uint8_t flags, uint32_t seq,
		      uint32_t ack, struct bytes payload)
{
	bool client = from == PORT_OUTSIDE;
	uint32_t own = (client ? d->client.isn : d->server.isn) + 1;
	uint32_t peer = (client ? d->server.isn : d->client.isn) + 1;
	struct frame_spec s = client ? dialogue_client_frame(d, flags, own + seq, peer + ack)
				     : dialogue_server_frame(d, flags, own + seq, peer + ack);

	s.payload = payload;
	s.options = (struct bytes)BYTES(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2);
	dialogue_expect(d, name, from, &s, PASS_FLOW, NULL);
}

static const struct bytes nothing;

static void plain_connections_stay_plain(void **state)
{
	for (size_t i = 0; i < CARRIERS; i++) {
		struct dialogue d = dialogue_new(*state, dialogue_carriers[i].name, dialogue_carriers[i].v6,
						 dialogue_carriers[i].vlans);

		d.server_port = PORT_AUTO;
		open_plain(&d);
		dialogue_state(&d, SLOT_AUTO)->mitigation = i & 1 ? MITIGATION_ACTIVE : MITIGATION_GRACE;
		say_plain(&d, PORT_OUTSIDE, "client", ACK, 0, 0, hello);
		say_plain(&d, PORT_INSIDE, "server", ACK, 0, 5, hello);
		say_plain(&d, PORT_OUTSIDE, "RST in the window", RST, 6, 0, nothing);
		dialogue_expect_state(&d, "RST in the window", CONNECTION_ESTABLISHED);
		say_plain(&d, PORT_INSIDE, "FIN", FIN | ACK, 5, 5, nothing);
		say_plain(&d, PORT_OUTSIDE, "FIN", FIN | ACK, 5, 6, nothing);
		dialogue_expect_state(&d, "FINs", CONNECTION_CLOSING);
		say_plain(&d, PORT_INSIDE, "last ACK", ACK, 6, 6, nothing);
		dialogue_expect_state(&d, "last ACK", CONNECTION_TIME_WAIT);
		dialogue_state(&d, SLOT_AUTO)->mitigation = MITIGATION_IDLE;
		appliance_forget(*state);
	}
}

/* A SYN of before stays what it was; another one, and what it replaces. */
static void syns_of_before_mitigation(void **state)
{
	struct dialogue d = dialogue_new(*state, "before", false, 0), other;
	struct frame_spec syn = dialogue_client_frame(&d, SYN, d.client.isn, 0);

	d.server_port = syn.dest = PORT_AUTO;
	dialogue_begin(&d);
	dialogue_expect(&d, "SYN", PORT_OUTSIDE, &syn, PASS_OPEN, NULL);
	dialogue_state(&d, SLOT_AUTO)->mitigation = MITIGATION_ACTIVE;
	dialogue_expect(&d, "SYN again", PORT_OUTSIDE, &syn, PASS_OPEN, NULL);
	other = d;
	other.client.isn += 70000;
	dialogue_begin(&other);
	dialogue_ask(&other);
	assert_int_equal(dialogue_state(&d, SLOT_AUTO)->half_open, 1);
	dialogue_prove(&other, NULL);
	assert_int_equal(dialogue_state(&d, SLOT_AUTO)->half_open, 0);
	assert_int_equal(dialogue_state(&d, SLOT_AUTO)->handshakes, 1);
	dialogue_answer(&other);
	assert_int_equal(appliance_count(*state), 1);
}

static void expect_plain(const struct dialogue *d, const char *name, bool plain)
{
	if (!!(dialogue_connection(d).flags & CONNECTION_PLAIN) != plain)
		fail_msg("%s: %s, %s", d->name, name, plain ? "translated" : "not translated");
}

/* The tuple of a translated connection that has ended begins again below the marks, untranslated. */
static void a_port_is_used_again_after_mitigation(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "translated", v6, 0), again = d;

		d.server_port = again.server_port = PORT_AUTO;
		dialogue_state(&d, SLOT_AUTO)->mitigation = MITIGATION_ACTIVE;
		dialogue_open(&d);
		dialogue_talk(&d, PORT_OUTSIDE, "FIN", FIN | ACK, 0, 0, 0);
		dialogue_talk(&d, PORT_INSIDE, "FIN", FIN | ACK, 0, 1, 0);
		dialogue_state(&d, SLOT_AUTO)->mitigation = MITIGATION_IDLE;
		again.client.isn += 100000;
		again.server.isn += 654321;
		open_plain(&again);
		expect_plain(&again, "the new one", true);
		say_plain(&again, PORT_OUTSIDE, "client", ACK, 0, 0, hello);
		say_plain(&again, PORT_INSIDE, "server", ACK, 0, 5, hello);
		/* and the other way round */
		dialogue_state(&d, SLOT_AUTO)->mitigation = MITIGATION_ACTIVE;
		d.client.isn += 200000;
		d.learned = &d.server;
		dialogue_open(&d);
		expect_plain(&d, "the third", false);
		dialogue_state(&d, SLOT_AUTO)->mitigation = MITIGATION_IDLE;
		appliance_forget(*state);
	}
}

/*
 * Below the marks, a client that has forgotten its translated connection: the server challenges its SYN, in
 * numbers that the client can answer by a RST (RFC 5961, section 4.2), and the next SYN opens the new one.
 */
static void a_forgotten_connection_gives_way(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "forgotten", v6, 0), again = d;
		struct frame_spec syn;

		d.server_port = again.server_port = PORT_AUTO;
		dialogue_state(&d, SLOT_AUTO)->mitigation = MITIGATION_ACTIVE;
		dialogue_open(&d);
		dialogue_talk(&d, PORT_OUTSIDE, "data", ACK, 0, 0, 50);
		dialogue_state(&d, SLOT_AUTO)->mitigation = MITIGATION_IDLE;
		again.client.isn += 1 << 30;
		syn = dialogue_client_frame(&again, SYN, again.client.isn, 0);
		dialogue_expect(&d, "SYN", PORT_OUTSIDE, &syn, PASS_OPEN, NULL);
		dialogue_talk(&d, PORT_INSIDE, "challenge ACK", ACK, 0, 50, 0);
		dialogue_expect_state(&d, "challenged", CONNECTION_ESTABLISHED);
		dialogue_talk(&d, PORT_OUTSIDE, "RST", RST, 50, 0, 0);
		dialogue_expect_state(&d, "reset", CONNECTION_RESET);
		open_plain(&again);
		expect_plain(&again, "the new one", true);
		appliance_forget(*state);
	}
}

/* The SYN above a mark is the first that gets a cookie. */
static void marks_begin_mitigation(void **state)
{
	for (int rate = 0; rate < 2; rate++) {
		struct harness *h = *state;
		struct dialogue d = dialogue_new(h, "marks", false, 0);
		struct frame_spec syn;
		int passed = 0;

		h->services[SLOT_AUTO].half_open_high = rate ? 1000 : 5;
		h->services[SLOT_AUTO].syn_rate_high = rate ? 32 : 0;
		harness_publish(h);
		for (; passed < 50; passed++) {
			static struct outcome o;
			struct frame f;

			d.client_port++;
			syn = dialogue_client_frame(&d, SYN, 1, 0);
			syn.dest = PORT_AUTO;
			frame_build(&f, &syn);
			appliance_run(h, PORT_OUTSIDE, &f, &o);
			if (o.verdict == TX_SYNACK)
				break;
			assert_int_equal(o.verdict, PASS_OPEN);
		}
		/* five to an eighth of a second, of which two may meet */
		assert_in_range(passed, 5, rate ? 10 : 5);
		assert_int_equal(dialogue_state(&d, SLOT_AUTO)->mitigation, MITIGATION_ACTIVE);
		appliance_reset(state);
	}
}

/* What nobody knows passes within a budget; the server's ACK to it teaches, and nothing else does. */
static void unknown_connections_are_learned(void **state)
{
	static const uint8_t teaches_nothing[] = { RST, RST | ACK, FIN | ACK, SYN | ACK, 0, PSH };

	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "unknown", v6, 0);
		struct frame_spec data = dialogue_client_frame(&d, ACK | PSH, 1000, 2000), reply;

		dialogue_begin(&d);
		data.payload = hello;
		appliance_expect_spec(*state, "unknown", PORT_OUTSIDE, &data, PASS_UNKNOWN);
		for (size_t i = 0; i < COUNT(teaches_nothing); i++) {
			reply = dialogue_server_frame(&d, teaches_nothing[i], 2000, 1005);
			appliance_expect_spec(*state, "teaches nothing", PORT_INSIDE, &reply, PASS_OPEN);
		}
		assert_int_equal(appliance_count(*state), 0);
		reply = dialogue_server_frame(&d, ACK, 2000, 1005);
		reply.payload = hello;
		appliance_expect_spec(*state, "teaches", PORT_INSIDE, &reply, PASS_OPEN);
		dialogue_expect_state(&d, "learned", CONNECTION_ESTABLISHED);
		appliance_expect_spec(*state, "known", PORT_OUTSIDE, &data, PASS_FLOW);
		appliance_expect_spec(*state, "known", PORT_INSIDE, &reply, PASS_FLOW);
		appliance_forget(*state);
	}
}

/* Out of a service's own port, while it is defended: the answer to the server's SYN passes, no other does. */
static void servers_open_connections(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "outward", v6, 0);
		struct frame_spec syn, synack, ack;

		dialogue_begin(&d);
		syn = dialogue_server_frame(&d, SYN, 1000, 0);
		synack = dialogue_client_frame(&d, SYN | ACK, 2000, 1001);
		ack = dialogue_server_frame(&d, ACK, 1001, 2001);
		appliance_expect_spec(*state, "nobody asked", PORT_OUTSIDE, &synack, DROP_STRAY_SYNACK);
		appliance_expect_spec(*state, "SYN", PORT_INSIDE, &syn, PASS_OPEN);
		dialogue_expect_state(&d, "SYN", CONNECTION_OUTWARD);
		appliance_expect_spec(*state, "SYN again", PORT_INSIDE, &syn, PASS_FLOW);
		appliance_expect_spec(*state, "SYN-ACK", PORT_OUTSIDE, &synack, PASS_FLOW);
		dialogue_expect_state(&d, "SYN-ACK", CONNECTION_OUTWARD);
		appliance_expect_spec(*state, "ACK", PORT_INSIDE, &ack, PASS_FLOW);
		dialogue_expect_state(&d, "ACK", CONNECTION_ESTABLISHED);
		ack = dialogue_client_frame(&d, RST, 2001, 0);
		appliance_expect_spec(*state, "RST", PORT_OUTSIDE, &ack, PASS_FLOW);
		dialogue_expect_state(&d, "RST", CONNECTION_RESET);
		appliance_forget(*state);
		/* refused, and asked again by the same port */
		appliance_expect_spec(*state, "SYN", PORT_INSIDE, &syn, PASS_OPEN);
		ack = dialogue_client_frame(&d, RST | ACK, 0, 1001);
		appliance_expect_spec(*state, "refusal", PORT_OUTSIDE, &ack, PASS_FLOW);
		appliance_expect_spec(*state, "SYN again", PORT_INSIDE, &syn, PASS_FLOW);
		appliance_expect_spec(*state, "SYN-ACK", PORT_OUTSIDE, &synack, PASS_FLOW);
		appliance_forget(*state);
	}
}

static void unknown_segments_have_a_budget(void **state)
{
	struct dialogue d = dialogue_new(*state, "unknown", false, 0);
	struct frame_spec data = dialogue_client_frame(&d, ACK, 1000, 2000);
	unsigned int passed = 0;
	static struct outcome o;
	struct frame f;

	for (int i = 0; i < 1000; i++) {
		data.source++;
		frame_build(&f, &data);
		appliance_run(*state, PORT_OUTSIDE, &f, &o);
		assert_true(o.verdict == PASS_UNKNOWN || o.verdict == DROP_BAD_COOKIE);
		passed += o.verdict == PASS_UNKNOWN;
	}
	assert_in_range(passed, 16, 4 * 16); /* a second's, or what a slow machine needs */
	assert_int_equal(appliance_count(*state), 0);
}

/* The flood of one prefix leaves the rest of the service's budget to the others. */
static void unknown_segments_of_one_prefix(void **state)
{
	static const char *const sources[][2] = { { "192.0.2.", "198.51.100.7" },
						  { "2001:db8:5:1::", "2001:db8:5:2::7" } };
	struct harness *h = *state;

	h->runtime.unknown_pps = 1000000;
	h->runtime.unknown_per_prefix = 20;
	fastpath_publish(h->fastpath, &h->runtime);
	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(h, "unknown", v6, 0);
		struct frame_spec data = dialogue_client_frame(&d, ACK, 1000, 2000);
		unsigned int passed = 0;
		static struct outcome o;
		char source[64];
		struct frame f;

		for (unsigned int i = 0; i < 1000; i++) {
			snprintf(source, sizeof(source), "%s%u", sources[v6][0], 1 + i % 250);
			data.saddr = source;
			data.source++;
			frame_build(&f, &data);
			appliance_run(h, PORT_OUTSIDE, &f, &o);
			assert_true(o.verdict == PASS_UNKNOWN || o.verdict == DROP_BAD_COOKIE);
			passed += o.verdict == PASS_UNKNOWN;
		}
		assert_in_range(passed, 20, 4 * 20); /* a second's, or what a slow machine needs */
		data.saddr = sources[v6][1];
		appliance_expect_spec(h, "another prefix", PORT_OUTSIDE, &data, PASS_UNKNOWN);
	}
}

/* --- how much of the defence applies --- */

static void stances(void **state)
{
	static const struct {
		const char *name;
		enum service_mode mode;
		enum mitigation mitigation;
		bool bypass;
		enum verdict syn, ack, stray, cookie, fragment;
		bool would;
	} rows[] = {
		{ "off", MODE_OFF, MITIGATION_IDLE, false, PASS_OPEN, PASS_OPEN, PASS_OPEN, PASS_OPEN,
		  PASS_OPEN, false },
		{ "off, grace", MODE_OFF, MITIGATION_GRACE, false, PASS_OPEN, PASS_OPEN, PASS_OPEN,
		  PASS_COOKIE, PASS_OPEN, false },
		{ "auto, idle", MODE_AUTO, MITIGATION_IDLE, false, PASS_OPEN, PASS_OPEN, PASS_OPEN, PASS_OPEN,
		  PASS_OPEN, false },
		{ "auto, active", MODE_AUTO, MITIGATION_ACTIVE, false, TX_SYNACK, PASS_UNKNOWN,
		  DROP_BAD_FLAGS, PASS_COOKIE, DROP_FRAGMENT, false },
		{ "auto, grace", MODE_AUTO, MITIGATION_GRACE, false, PASS_OPEN, PASS_OPEN, PASS_OPEN,
		  PASS_COOKIE, PASS_OPEN, false },
		{ "auto, bypass", MODE_AUTO, MITIGATION_ACTIVE, true, PASS_OPEN, PASS_OPEN, PASS_OPEN,
		  PASS_COOKIE, PASS_OPEN, false },
		{ "always", MODE_ALWAYS, MITIGATION_IDLE, false, TX_SYNACK, PASS_UNKNOWN, DROP_BAD_FLAGS,
		  PASS_COOKIE, DROP_FRAGMENT, false },
		{ "always, bypass", MODE_ALWAYS, MITIGATION_IDLE, true, PASS_OPEN, PASS_OPEN, PASS_OPEN,
		  PASS_COOKIE, PASS_OPEN, false },
		{ "monitor, idle", MODE_MONITOR, MITIGATION_IDLE, false, PASS_OPEN, PASS_OPEN, PASS_OPEN,
		  PASS_OPEN, PASS_MONITOR, false },
		{ "monitor, active", MODE_MONITOR, MITIGATION_ACTIVE, false, PASS_MONITOR, PASS_UNKNOWN,
		  PASS_MONITOR, PASS_COOKIE, PASS_MONITOR, true },
	};
	struct harness *h = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dialogue d = dialogue_new(h, rows[i].name, i & 1, 0);
		struct frame_spec s = dialogue_client_frame(&d, SYN, 5, 0);
		static struct outcome o;
		struct frame f;

		dialogue_begin(&d);
		dialogue_ask(&d); /* in mode always */
		h->services[SLOT_ALWAYS].mode = (uint8_t)rows[i].mode;
		h->runtime.bypass = rows[i].bypass;
		dialogue_state(&d, SLOT_ALWAYS)->mitigation = rows[i].mitigation;
		harness_publish(h);
		s.source++;
		frame_build(&f, &s);
		appliance_run(h, PORT_OUTSIDE, &f, &o);
		if (o.verdict != rows[i].syn || o.would != (rows[i].would ? TX_SYNACK : -1))
			fail_msg("%s: SYN: %s, would be %s", rows[i].name,
				 harness_verdict_word((int)o.verdict), harness_verdict_word(o.would));
		if (o.verdict != TX_SYNACK)
			appliance_compare(rows[i].name, &o.out, &f);
		assert_int_equal(o.syns, 1);
		s.source++;
		s.flags = ACK;
		appliance_expect_spec(h, rows[i].name, PORT_OUTSIDE, &s, rows[i].ack);
		s.flags = FIN | ACK | RST;
		appliance_expect_spec(h, rows[i].name, PORT_OUTSIDE, &s, rows[i].stray);
		if (!d.v6) {
			s.fragment = 8;
			appliance_expect_spec(h, rows[i].name, PORT_OUTSIDE, &s, rows[i].fragment);
		}
		if (rows[i].cookie == PASS_COOKIE) {
			dialogue_prove(&d, NULL);
			dialogue_answer(&d);
			dialogue_talk(&d, PORT_OUTSIDE, "goes on", ACK, 0, 0, 20);
			dialogue_talk(&d, PORT_INSIDE, "goes on", ACK, 0, 20, 20);
		} else {
			dialogue_ack_frame(&d, NULL, &f);
			appliance_expect(h, rows[i].name, PORT_OUTSIDE, &f, rows[i].cookie, NULL);
		}
		appliance_reset(state);
	}
}

/* A refusal is an answer to the client, in mode monitor, too; it never goes on to the server. */
static void a_full_table_refuses_in_monitor(void **state)
{
	struct harness *h = *state;
	struct dialogue d = dialogue_new(h, "monitor", false, 0);
	struct frame in, out;
	struct frame_spec rst;

	dialogue_begin(&d);
	dialogue_ask(&d);
	for (unsigned int i = 0; i < harness_connections; i++) {
		struct dialogue other = numbered(h, i);

		dialogue_open(&other);
	}
	h->services[SLOT_ALWAYS].mode = MODE_MONITOR;
	harness_publish(h);
	dialogue_state(&d, SLOT_ALWAYS)->mitigation = MITIGATION_ACTIVE;
	dialogue_ack_frame(&d, NULL, &in);
	rst = dialogue_server_frame(&d, RST, d.cookie.isn + 1, 0);
	dialogue_frame(&rst, &out);
	appliance_expect(h, "refused", PORT_OUTSIDE, &in, TX_REFUSED, &out);
}

/* --- neither ours nor whole --- */

static void arp(struct frame *f)
{
	f->bytes[12] = 0x08;
	f->bytes[13] = 0x06;
}

static void cut_ip(struct frame *f)
{
	f->length = 30;
}

static void cut_tcp(struct frame *f)
{
	f->length = 14 + 20 + 19;
}

static void low_doff(struct frame *f)
{
	struct frame_view v;

	assert_true(frame_read(f, &v));
	f->bytes[v.tcp + 12] = 0x40;
}

static void longer_than_frame(struct frame *f)
{
	f->bytes[14 + 3]++;
}

static void flip_ip_checksum(struct frame *f)
{
	f->bytes[14 + 10] ^= 1;
}

static void flip_tcp_checksum(struct frame *f)
{
	struct frame_view v;

	assert_true(frame_read(f, &v));
	f->bytes[v.tcp + 17] ^= 1;
}

#define TO4(to) .saddr = CLIENT4, .daddr = SERVER4, .source = 41000, .dest = (to)
#define TO6(to) .saddr = CLIENT6, .daddr = SERVER6, .source = 41000, .dest = (to)
#define BY4(by) .saddr = SERVER4, .daddr = CLIENT4, .source = (by), .dest = 41000, .reply = true
#define BY6(by) .saddr = SERVER6, .daddr = CLIENT6, .source = (by), .dest = 41000, .reply = true

static const struct {
	const char *name;
	enum port from;
	enum verdict verdict;
	void (*mangle)(struct frame *f);
	struct frame_spec frame;
} others[] = {
	{ "ARP", PORT_OUTSIDE, PASS_NOT_IP, arp, { TO4(80) } },
	{ "ARP", PORT_INSIDE, PASS_NOT_IP, arp, { BY4(80) } },
	{ "cut short", PORT_OUTSIDE, PASS_NOT_IP, cut_ip, { TO4(80) } },
	{ "cut short", PORT_INSIDE, PASS_NOT_IP, cut_ip, { BY4(80) } },
	{ "UDP", PORT_OUTSIDE, PASS_NOT_TCP, NULL, { TO4(80), .protocol = IPPROTO_UDP, .payload = HELLO } },
	{ "UDP", PORT_INSIDE, PASS_NOT_TCP, NULL, { BY6(80), .protocol = IPPROTO_UDP, .payload = HELLO } },
	{ "no service", PORT_OUTSIDE, PASS_NO_SERVICE, NULL, { TO4(PORT_FREE), .flags = SYN } },
	{ "no service", PORT_OUTSIDE, PASS_NO_SERVICE, NULL, { TO6(PORT_FREE), .flags = ACK } },
	{ "no service", PORT_INSIDE, PASS_NO_SERVICE, NULL, { BY4(PORT_FREE), .flags = SYN | ACK } },
	{ "server as a client",
	  PORT_INSIDE,
	  PASS_NO_SERVICE,
	  NULL,
	  { .saddr = SERVER4, .daddr = CLIENT4, .source = 50000, .dest = 80, .flags = SYN } },
	{ "fragment", PORT_INSIDE, PASS_NOT_TCP, NULL, { BY4(80), .flags = ACK, .fragment = 8 } },
	{ "malformed", PORT_INSIDE, PASS_NOT_TCP, low_doff, { BY4(80), .flags = ACK } },
	{ "longer than the frame", PORT_INSIDE, PASS_NOT_TCP, longer_than_frame, { BY4(80), .flags = ACK } },
	{ "first fragment",
	  PORT_OUTSIDE,
	  DROP_FRAGMENT,
	  NULL,
	  { TO4(80), .flags = SYN, .fragment = FRAME_MF } },
	{ "later fragment", PORT_OUTSIDE, DROP_FRAGMENT, NULL, { TO4(80), .fragment = 8 } },
	{ "fragment to no service",
	  PORT_OUTSIDE,
	  PASS_NO_SERVICE,
	  NULL,
	  { .saddr = CLIENT4, .daddr = "10.1.0.2", .source = 1, .dest = 80, .fragment = 8 } },
	{ "doff 4", PORT_OUTSIDE, DROP_MALFORMED, low_doff, { TO4(80), .flags = SYN } },
	{ "doff 4, IPv6", PORT_OUTSIDE, DROP_MALFORMED, low_doff, { TO6(80), .flags = ACK } },
	{ "cut in TCP", PORT_OUTSIDE, DROP_MALFORMED, cut_tcp, { TO4(80), .flags = SYN } },
	{ "longer than the frame",
	  PORT_OUTSIDE,
	  DROP_MALFORMED,
	  longer_than_frame,
	  { TO4(80), .flags = SYN } },
	{ "SYN and FIN", PORT_OUTSIDE, DROP_BAD_FLAGS, NULL, { TO4(80), .flags = SYN | FIN } },
	{ "SYN and RST", PORT_OUTSIDE, DROP_BAD_FLAGS, NULL, { TO6(80), .flags = SYN | RST } },
	{ "IPv4 checksum", PORT_OUTSIDE, DROP_BAD_CHECKSUM, flip_ip_checksum, { TO4(80), .flags = SYN } },
	{ "TCP checksum", PORT_OUTSIDE, DROP_BAD_CHECKSUM, flip_tcp_checksum, { TO4(80), .flags = SYN } },
	{ "TCP checksum, IPv6",
	  PORT_OUTSIDE,
	  DROP_BAD_CHECKSUM,
	  flip_tcp_checksum,
	  { TO6(80), .flags = SYN } },
	{ "loopback",
	  PORT_OUTSIDE,
	  DROP_BAD_SOURCE,
	  NULL,
	  { .saddr = "127.0.0.1", .daddr = SERVER4, .source = 1, .dest = 80, .flags = SYN } },
	{ "multicast",
	  PORT_OUTSIDE,
	  DROP_BAD_SOURCE,
	  NULL,
	  { .saddr = "ff02::1", .daddr = SERVER6, .source = 1, .dest = 80, .flags = SYN } },
	{ "TCP-MD5",
	  PORT_OUTSIDE,
	  DROP_TCP_AUTH,
	  NULL,
	  { TO4(80), .flags = SYN,
	    .options = BYTES(19, 18, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) } },
	{ "TCP-AO, allowed",
	  PORT_OUTSIDE,
	  PASS_TCP_AUTH,
	  NULL,
	  { TO6(PORT_AUTH), .flags = SYN,
	    .options = BYTES(29, 16, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) } },
	{ "SYN-ACK", PORT_OUTSIDE, DROP_STRAY_SYNACK, NULL, { TO4(80), .flags = SYN | ACK } },
	{ "RST", PORT_OUTSIDE, DROP_STRAY_RST, NULL, { TO6(80), .flags = RST } },
	{ "FIN", PORT_OUTSIDE, DROP_BARE_FIN, NULL, { TO4(80), .flags = FIN } },
	{ "no flags", PORT_OUTSIDE, DROP_NULL, NULL, { TO4(80) } },
	{ "XMAS", PORT_OUTSIDE, DROP_XMAS, NULL, { TO4(80), .flags = FIN | PSH | URG } },
	{ "URG alone", PORT_OUTSIDE, DROP_URG, NULL, { TO6(80), .flags = URG } },
	{ "land",
	  PORT_OUTSIDE,
	  DROP_LAND,
	  NULL,
	  { .saddr = SERVER4, .daddr = SERVER4, .source = 80, .dest = 80, .flags = SYN } },
	{ "FIN and ACK: an old connection's",
	  PORT_OUTSIDE,
	  PASS_UNKNOWN,
	  NULL,
	  { TO4(80), .flags = FIN | ACK } },
};

static void beyond_the_budget_each_class_is_told_apart(void **state)
{
	struct harness *h = *state;

	h->runtime.unknown_pps = 0;
	harness_publish(h);
	appliance_expect_spec(h, "ACK", PORT_OUTSIDE, &(struct frame_spec){ TO4(80), .flags = ACK },
			      DROP_BAD_COOKIE);
	appliance_expect_spec(h, "FIN", PORT_OUTSIDE, &(struct frame_spec){ TO4(80), .flags = FIN | ACK },
			      DROP_STRAY_FIN);
}

static void frames_that_are_not_ours(void **state)
{
	for (size_t i = 0; i < COUNT(others); i++) {
		struct frame f;

		frame_build(&f, &others[i].frame);
		if (others[i].mangle)
			others[i].mangle(&f);
		appliance_expect(*state, others[i].name, others[i].from, &f, others[i].verdict, NULL);
		assert_int_equal(appliance_count(*state), 0);
	}
}

/* --- servers that take no connections --- */

static uint16_t next_port = 20000;

/* A client with a port of its own. */
static struct dialogue another(void **state, bool v6)
{
	struct dialogue d = dialogue_new(*state, v6 ? "v6" : "v4", v6, 0);

	d.client_port = next_port++;
	dialogue_begin(&d);
	return d;
}

static void be_refused(void **state, bool v6)
{
	struct dialogue d = another(state, v6);
	struct frame_spec rst, told;

	dialogue_handshake(&d);
	rst = dialogue_server_frame(&d, RST | ACK, 0, d.client.isn + 1);
	told = dialogue_server_frame(&d, RST | ACK, d.cookie.isn + 1, d.client.isn + 1);
	dialogue_expect(&d, "refused", PORT_INSIDE, &rst, PASS_HANDSHAKE, &told);
}

static void be_ignored(void **state, bool v6)
{
	struct dialogue d = another(state, v6);
	struct sweep_args args;

	dialogue_handshake(&d);
	appliance_age(d.h, &d.tuple, 8.5);
	appliance_sweep(d.h, &args);
	assert_int_equal(args.expired, 1);
	assert_int_equal(args.pending, 1); /* RST to the client */
	assert_int_equal(fastpath_state(d.h->fastpath, SLOT_ALWAYS)->handshakes, 0);
}

/* The next SYN, of another client; RESET: it is answered by one. */
static struct dialogue expect_syn(void **state, bool v6, enum verdict verdict, bool reset)
{
	struct dialogue d = another(state, v6);
	uint8_t options[40];
	struct frame_spec syn = dialogue_syn(&d, options);
	struct frame_spec rst = dialogue_server_frame(&d, RST | ACK, 0, d.client.isn + 1);

	dialogue_expect(&d, "SYN", PORT_OUTSIDE, &syn, verdict, reset ? &rst : NULL);
	return d;
}

static void servers_are_closed(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct frame_spec f, told;
		struct dialogue d;

		for (int i = 0; i < SERVER_FAILURES; i++)
			be_refused(state, v6);
		d = expect_syn(state, v6, PASS_RECHECK, false);
		expect_syn(state, v6, TX_CLOSED, true);
		f = dialogue_server_frame(&d, RST | ACK, 0, d.client.isn + 1);
		dialogue_expect(&d, "still closed", PORT_INSIDE, &f, PASS_FLOW, NULL);
		dialogue_expect_state(&d, "of the one that passed", CONNECTION_RESET);
		expect_syn(state, v6, TX_CLOSED, true);
		/* all of what came is acknowledged */
		d = another(state, v6);
		f = dialogue_client_frame(&d, SYN, d.client.isn, 0);
		f.payload = hello;
		told = dialogue_server_frame(&d, RST | ACK, 0, d.client.isn + 1 + (uint32_t)hello.length);
		dialogue_expect(&d, "SYN with data", PORT_OUTSIDE, &f, TX_CLOSED, &told);
		appliance_forget(*state);
	}
}

static void servers_are_silent_and_come_back(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d;
		struct frame_spec f;

		for (int i = 0; i < SERVER_FAILURES; i++) {
			be_ignored(state, v6);
			assert_int_equal(appliance_count(*state), 0);
		}
		d = expect_syn(state, v6, PASS_RECHECK, false);
		expect_syn(state, v6, DROP_SILENT, false);
		f = dialogue_server_frame(&d, SYN | ACK, d.server.isn, d.client.isn + 1);
		dialogue_expect(&d, "it is back", PORT_INSIDE, &f, PASS_FLOW, NULL);
		d = another(state, v6);
		dialogue_open(&d);
		appliance_forget(*state);
	}
}

/* A server that takes connections may refuse a client, or miss its SYN. */
static void an_open_server_is_believed(void **state)
{
	struct dialogue d = another(state, false);

	dialogue_open(&d);
	for (int i = 0; i < 2 * SERVER_FAILURES; i++)
		be_refused(state, false);
	d = another(state, false);
	dialogue_ask(&d);
}

/* What anybody can forge teaches nothing: RSTs to SYNs that passed below the marks. */
static void forged_syns_close_no_server(void **state)
{
	struct harness *h = *state;
	struct dialogue d;

	h->services[SLOT_ALWAYS].mode = MODE_AUTO;
	harness_publish(h);
	for (int i = 0; i < 2 * SERVER_FAILURES; i++) {
		struct frame_spec f;

		d = expect_syn(state, false, PASS_OPEN, false);
		f = dialogue_server_frame(&d, RST | ACK, 0, d.client.isn + 1);
		dialogue_expect(&d, "RST", PORT_INSIDE, &f, PASS_FLOW, NULL);
	}
	h->services[SLOT_ALWAYS].mode = MODE_ALWAYS;
	harness_publish(h);
	d = another(state, false);
	dialogue_ask(&d);
}

/* --- ECN --- */

#define ECT0 2
#define CE   3

/* Of ends one of which does no ECN: nothing crosses as capable of it, and a mark is a loss. */
static void expect_no_ecn(struct dialogue *d)
{
	d->not_ect = true;
	for (int port = 0; port < 2; port++) {
		const struct said marks[] = {
			{ "not capable", .flags = ACK | PSH, .length = 10, .tos = 0x48 },
			{ "capable", .flags = ACK | PSH, .length = 10, .tos = 0x48 | ECT0 },
			{ "congestion", .flags = ACK | PSH, .length = 10, .tos = CE },
		};
		struct frame in, out;

		dialogue_say(d, (enum port)port, &marks[0], PASS_TRANSLATED);
		dialogue_say(d, (enum port)port, &marks[1], PASS_TRANSLATED);
		dialogue_build(d, (enum port)port, &marks[2], &in, &out);
		appliance_expect(d->h, "congestion", (enum port)port, &in, DROP_CE, NULL);
	}
}

static void ecn_needs_both_ends(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = another(state, v6);

		/* unknown, and nobody has asked */
		dialogue_open(&d);
		/* the next client asks, so the server is asked */
		d = another(state, v6);
		d.ecn_tried = true;
		dialogue_open(&d);
		expect_no_ecn(&d);
		/* it does: both may */
		d = another(state, v6);
		d.ecn = true;
		dialogue_begin(&d);
		dialogue_open(&d);
		for (uint8_t tos = 0; tos <= CE; tos++) {
			const struct said word = { "marked", .flags = ACK | PSH, .length = 10, .tos = tos };

			dialogue_say(&d, PORT_OUTSIDE, &word, PASS_TRANSLATED);
			dialogue_say(&d, PORT_INSIDE, &word, PASS_TRANSLATED);
		}
		/* a client that does not ask */
		d = another(state, v6);
		dialogue_open(&d);
		/* the server has changed its mind */
		d = another(state, v6);
		d.ecn = true;
		dialogue_begin(&d);
		dialogue_handshake(&d);
		d.ecn = false;
		dialogue_answer(&d);
		expect_no_ecn(&d);
		/* and is not asked again so soon */
		d = another(state, v6);
		dialogue_open(&d);
		appliance_forget(*state);
	}
}

/* --- handover = "agent" --- */

/* SYNs are answered; all else passes as it came, and nothing is kept. */
static void an_agent_takes_the_cookies(void **state)
{
	static const uint8_t flags[] = { ACK, ACK | PSH, FIN | ACK, RST, RST | ACK };
	struct harness *h = *state;
	struct dialogue d;
	struct frame_spec s;
	struct frame f;

	h->services[SLOT_ALWAYS].agent = 1;
	harness_publish(h);
	d = another(state, false);
	dialogue_ask(&d);
	dialogue_ack_frame(&d, NULL, &f);
	appliance_expect(h, "third ACK", PORT_OUTSIDE, &f, PASS_AGENT, NULL);
	dialogue_ack_frame(&d, &(struct bytes)BYTES('h', 'i'), &f);
	appliance_expect(h, "with data", PORT_OUTSIDE, &f, PASS_AGENT, NULL);
	for (size_t i = 0; i < COUNT(flags); i++) {
		s = dialogue_client_frame(&d, flags[i], d.client.isn + 99, d.cookie.isn + 99);
		dialogue_expect(&d, "of the client", PORT_OUTSIDE, &s, PASS_OPEN, NULL);
		s = dialogue_server_frame(&d, flags[i], d.cookie.isn + 99, d.client.isn + 99);
		dialogue_expect(&d, "of the server", PORT_INSIDE, &s, PASS_OPEN, NULL);
	}
	h->services[SLOT_ALWAYS].mode = MODE_AUTO;
	harness_publish(h);
	expect_syn(state, false, PASS_OPEN, false);
	assert_int_equal(appliance_count(h), 0);
}

/* --- all of it --- */

/* The tests above leave out no verdict that inline can give, but those of forward = "route" and of the lists
 * (lists_test). */
static void every_verdict_was_given(void **state)
{
	static const enum verdict not_inline[] = {
		PASS_OTHER_HOST,    PASS_SOCKET,	 PASS_NO_LISTENER,    PASS_MPTCP,
		PASS_ROUTED,	    DROP_LOOKUP_BUDGET,	 DROP_CLOSED,	      DROP_OUTWARD_DESTINATION,
		DROP_OUTWARD_RATE,  DROP_OUTWARD_SOURCE, DROP_ECHO_BROADCAST, DROP_ECHO_REPLY,
		DROP_SYNACK_BUDGET, DROP_INTERNAL,	 DROP_BLOCKED
	};
	uint64_t given[VERDICT_COUNT];

	harness_count_verdicts(*state, given);
	for (int v = 0; v < VERDICT_COUNT; v++) {
		bool expected = true;

		for (size_t i = 0; i < COUNT(not_inline); i++)
			expected &= v != (int)not_inline[i];
		if (expected != !!given[v])
			fail_msg("%s: %llu times", harness_verdict_word(v), (unsigned long long)given[v]);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, appliance_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fins_are_followed),
		TEST(resets_end_at_the_next_number_only),
		TEST(a_syn_on_a_known_connection),
		TEST(replays_make_one_connection),
		TEST(replays_at_other_times),
		TEST(a_full_table_refuses),
		TEST(too_many_handshakes_are_refused),
		TEST(handshakes_of_one_source),
		TEST(limits_are_kept),
		TEST(a_connection_too_many_is_dropped),
		TEST(a_proven_source_may_have_more),
		TEST(acts_are_counted_anew_after_a_minute),
		TEST(connections_over_a_limit_are_acts),
		TEST(an_ack_with_a_wrong_checksum_begins_nothing),
		TEST(beyond_the_budget_each_class_is_told_apart),
		TEST(a_changed_cookie_begins_nothing),
		TEST(an_old_incarnation_is_reset),
		TEST(plain_connections_stay_plain),
		TEST(syns_of_before_mitigation),
		TEST(a_port_is_used_again_after_mitigation),
		TEST(a_forgotten_connection_gives_way),
		TEST(marks_begin_mitigation),
		TEST(unknown_connections_are_learned),
		TEST(servers_open_connections),
		TEST(unknown_segments_have_a_budget),
		TEST(unknown_segments_of_one_prefix),
		TEST(stances),
		TEST(a_full_table_refuses_in_monitor),
		TEST(frames_that_are_not_ours),
		TEST(servers_are_closed),
		TEST(servers_are_silent_and_come_back),
		TEST(an_open_server_is_believed),
		TEST(forged_syns_close_no_server),
		TEST(ecn_needs_both_ends),
		TEST(an_agent_takes_the_cookies),
		cmocka_unit_test(every_verdict_was_given),
	};

	return cmocka_run_group_tests(tests, appliance_set_up, appliance_tear_down);
}
