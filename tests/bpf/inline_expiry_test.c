// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inline, how connections end by the clock: each state after its time, what servers are owed meanwhile, and
 * what gives way in a full table. Also that whatever happens, what is counted is what the table holds, and
 * that everything ends.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/maps/syn.h"
#include "tests/bpf/dialogue.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static uint32_t sweep(struct harness *h)
{
	struct sweep_args args;

	appliance_sweep(h, &args);
	assert_int_equal(args.connections, appliance_count(h));
	appliance_check_counts(h);
	return args.expired;
}

/* --- each state by its time --- */

static void send_syn(struct dialogue *d)
{
	struct frame_spec syn = dialogue_client_frame(d, SYN, d->client.isn, 0);

	dialogue_begin(d);
	dialogue_expect(d, "SYN", PORT_OUTSIDE, &syn, PASS_OPEN, NULL);
}

static void make_syn_sent(struct dialogue *d)
{
	struct connection c;

	dialogue_handshake(d);
	c = dialogue_connection(d);
	c.resends = 3; /* our SYN was sent again as often as it will be */
	appliance_store(d->h, &d->tuple, &c);
}

static void make_syn_rcvd(struct dialogue *d)
{
	d->server_port = PORT_AUTO;
	send_syn(d);
}

static void make_half_closed(struct dialogue *d)
{
	dialogue_open(d);
	dialogue_talk(d, PORT_OUTSIDE, "FIN", FIN | ACK, 0, 0, 0);
}

static void make_closing(struct dialogue *d)
{
	make_half_closed(d);
	dialogue_talk(d, PORT_INSIDE, "FIN", FIN | ACK, 0, 1, 0);
}

static void make_time_wait(struct dialogue *d)
{
	make_closing(d);
	dialogue_talk(d, PORT_OUTSIDE, "last ACK", ACK, 1, 1, 0);
}

static void make_reset(struct dialogue *d)
{
	dialogue_open(d);
	dialogue_talk(d, PORT_INSIDE, "RST", RST | ACK, 0, 0, 0);
}

static void make_outward(struct dialogue *d)
{
	struct frame_spec syn = dialogue_server_frame(d, SYN, d->server.isn, 0);

	dialogue_begin(d);
	dialogue_expect(d, "the server's SYN", PORT_INSIDE, &syn, PASS_OPEN, NULL);
}

/* Stays for so long at least, and not longer than that. */
static const struct {
	const char *name;
	void (*make)(struct dialogue *d);
	enum connection_state state;
	unsigned int least_s, most_s;
} rows[] = {
	/* three SYNs of ours, and as long as the last may take */
	{ "SYN_SENT", make_syn_sent, CONNECTION_SYN_SENT, 6, 14 },
	{ "SYN_RCVD", make_syn_rcvd, CONNECTION_SYN_RCVD, 20, 60 },
	/* RFC 5382, REQ-5: 2 h 4 min at least, and 4 min for half-open and closing ones; ended ones hold
	   nothing */
	{ "ESTABLISHED", dialogue_open, CONNECTION_ESTABLISHED, 2 * 3600 + 4 * 60, 3 * 3600 },
	{ "half-closed", make_half_closed, CONNECTION_ESTABLISHED, 4 * 60, 3600 },
	{ "CLOSING", make_closing, CONNECTION_CLOSING, 30, 4 * 60 },
	{ "TIME_WAIT", make_time_wait, CONNECTION_TIME_WAIT, 5, 60 },
	{ "OUTWARD", make_outward, CONNECTION_OUTWARD, 20, 60 },
	{ "RESET", make_reset, CONNECTION_RESET, 3, 60 },
};

static void states_end_by_their_time(void **state)
{
	struct harness *h = *state;

	for (size_t i = 0; i < COUNT(rows) * 2; i++) {
		struct dialogue d = dialogue_new(h, rows[i / 2].name, i & 1, 0);

		appliance_forget(h);
		rows[i / 2].make(&d);
		dialogue_expect_state(&d, d.name, rows[i / 2].state);
		appliance_age(h, &d.tuple, rows[i / 2].least_s - 1.0);
		if (sweep(h))
			fail_msg("%s: has ended too early", d.name);
		appliance_age(h, &d.tuple, 2.0 + rows[i / 2].most_s - rows[i / 2].least_s);
		if (sweep(h) != 1 || appliance_count(h))
			fail_msg("%s: stays too long", d.name);
	}
}

/* Each segment, of either end, begins the time anew. */
static void segments_keep_a_connection(void **state)
{
	for (int from = 0; from < PORT_COUNT; from++) {
		struct dialogue d = dialogue_new(*state, "kept", from, 0);

		appliance_forget(*state);
		dialogue_open(&d);
		for (int i = 0; i < 3; i++) {
			appliance_age(*state, &d.tuple, 7000);
			dialogue_talk(&d, (enum port)from, "keepalive", ACK, 0xffffffff, 0, 0);
			assert_int_equal(sweep(*state), 0);
		}
	}
}

/* What syn-recv tells: handshakes that the server has not done, by its port; and no others. */
static void half_opens_are_counted_by_port(void **state)
{
	struct harness *h = *state;
	const struct port_half_opens *ports = fastpath_half_opens(h->fastpath);
	struct dialogue sent = dialogue_new(h, "our SYN", 0, 0);
	uint32_t connections, translated;
	uint16_t port;

	appliance_forget(h);
	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(h, "half-open", v6, 0);

		make_syn_rcvd(&d);
	}
	make_syn_sent(&sent);
	appliance_age(h, &sent.tuple, 2);
	assert_int_equal(fastpath_expire(h->fastpath, &connections, &translated), 0);
	assert_int_equal(connections, 3);
	assert_int_equal(ports[PORT_AUTO].v4, 1);
	assert_int_equal(ports[PORT_AUTO].v6, 1);
	assert_int_equal(ports[PORT_AUTO].resent, 0);
	port = ntohs(sent.tuple.server_port);
	assert_int_equal(ports[port].v4, 1);
	assert_int_equal(ports[port].v6, 0);
	assert_int_equal(ports[port].resent, 1);
	assert_in_range(ports[port].oldest, fastpath_runtime(h->fastpath)->jiffies_hz * 3 / 2,
			fastpath_runtime(h->fastpath)->jiffies_hz * 6);
	appliance_forget(h);
	sent = dialogue_new(h, "open", 0, 0);
	dialogue_open(&sent);
	assert_int_equal(fastpath_expire(h->fastpath, &connections, &translated), 0);
	assert_int_equal(connections, 1);
	for (uint32_t i = 0; i <= UINT16_MAX; i++)
		assert_int_equal(ports[i].v4 + ports[i].v6, 0);
}

/* --- what is owed --- */

static const struct party bare_party = { .isn = 0xfffffffe, .window = 8000, .wscale = NO_WSCALE };

/* Our SYN again, byte for byte: after 1, 2 and 4 s. */
static void syns_are_owed(void **state)
{
	for (int i = 0; i < CARRIERS * 2; i++) {
		struct dialogue d = dialogue_new(*state, dialogue_carriers[i / 2].name,
						 dialogue_carriers[i / 2].v6, dialogue_carriers[i / 2].vlans);
		struct frame syn, expected;
		struct sweep_args args;
		struct pending pending;

		appliance_forget(*state);
		if (i & 1)
			d.client = bare_party;
		dialogue_handshake(&d);
		dialogue_server_syn(&d, &expected);
		for (int again = 0; again < 3; again++) {
			appliance_age(*state, &d.tuple, (1 << again) - 0.7);
			appliance_sweep(*state, &args);
			assert_int_equal(args.pending, 0);
			appliance_age(*state, &d.tuple, 1.4);
			appliance_sweep(*state, &args);
			assert_int_equal(args.pending, 1);
			appliance_pending(*state, 0, &pending);
			assert_memory_equal(&pending.tuple, &d.tuple, sizeof(d.tuple));
			syn.length = syn_write(&pending, syn.bytes);
			appliance_compare(d.name, &syn, &expected);
		}
		appliance_age(*state, &d.tuple, 5);
		appliance_sweep(*state, &args);
		assert_int_equal(args.pending, 0);
		dialogue_answer(&d);
		appliance_sweep(*state, &args);
		assert_int_equal(args.pending, 0);
	}
}

/* A half-open from before mitigation takes a place in the server's queue. */
static void half_opens_are_reset_in_mitigation(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "half-open", v6, 0);
		struct frame rst, expected;
		struct frame_spec spec;
		struct sweep_args args;
		struct pending pending;

		d.server_port = PORT_AUTO;
		send_syn(&d);
		appliance_age(*state, &d.tuple, 5);
		appliance_sweep(*state, &args);
		assert_int_equal(args.pending + args.expired, 0);
		dialogue_state(&d, SLOT_AUTO)->mitigation = MITIGATION_ACTIVE;
		appliance_sweep(*state, &args);
		assert_int_equal(args.pending, 1);
		assert_int_equal(args.expired, 1);
		appliance_pending(*state, 0, &pending);
		rst.length = syn_write(&pending, rst.bytes);
		spec = dialogue_client_frame(&d, RST, d.client.isn + 1, 0);
		dialogue_frame(&spec, &expected);
		appliance_compare("RST", &rst, &expected);
		assert_int_equal(dialogue_state(&d, SLOT_AUTO)->half_open, 0);
		dialogue_state(&d, SLOT_AUTO)->mitigation = MITIGATION_IDLE;
	}
}

static void expect_owed(const struct dialogue *d, const char *name, const struct frame_spec *spec)
{
	struct frame owed, expected;
	struct sweep_args args;
	struct pending pending;

	appliance_sweep(d->h, &args);
	if (args.pending != 1)
		fail_msg("%s, %s: %u frames are owed", d->name, name, args.pending);
	appliance_pending(d->h, 0, &pending);
	owed.length = syn_write(&pending, owed.bytes);
	dialogue_frame(spec, &expected);
	appliance_compare(name, &owed, &expected);
}

/* A cookie of 21 bits could have been guessed: who is silent is asked, and who does not answer is ended. */
static void unproven_clients_are_asked(void **state)
{
	for (int i = 0; i < CARRIERS; i++) {
		struct dialogue d = dialogue_new(*state, dialogue_carriers[i].name, dialogue_carriers[i].v6,
						 dialogue_carriers[i].vlans);
		unsigned int silence = d.h->runtime.probe_after_s;
		struct frame_spec probe, rst;
		struct sweep_args args;

		appliance_forget(*state);
		d.client = bare_party;
		dialogue_open(&d);
		probe = dialogue_server_frame(&d, ACK, d.cookie.isn, d.client.isn + 1);
		probe.window = d.server.window;
		rst = dialogue_client_frame(&d, RST, d.client.isn + 1, 0);
		appliance_age(*state, &d.tuple, silence - 1.0);
		appliance_sweep(*state, &args);
		assert_int_equal(args.pending, 0);
		appliance_age(*state, &d.tuple, 2);
		expect_owed(&d, "probe", &probe);
		dialogue_talk(&d, PORT_OUTSIDE, "the answer", ACK, 0, 0, 0);
		appliance_sweep(*state, &args);
		assert_int_equal(args.pending, 0);
		appliance_age(*state, &d.tuple, silence + 1.0);
		for (int probes = 0; probes < 3; probes++) {
			expect_owed(&d, "probe again", &probe);
			appliance_sweep(*state, &args);
			assert_int_equal(args.pending, 0);
			appliance_age(*state, &d.tuple, 6);
		}
		expect_owed(&d, "end", &rst);
		dialogue_expect_state(&d, d.name, CONNECTION_RESET);
		appliance_check_counts(*state);
	}
}

/* Who goes on acknowledging what the server sends is no guesser. */
static void clients_prove_themselves(void **state)
{
	struct dialogue d = dialogue_new(*state, "proof", false, 0);
	struct sweep_args args;

	d.client = bare_party;
	dialogue_open(&d);
	for (uint32_t i = 0; i < 40; i++) {
		dialogue_talk(&d, PORT_INSIDE, "server", ACK, 100 * i, 0, 100);
		dialogue_talk(&d, PORT_OUTSIDE, "client", ACK, 0, 100 * (i + 1), 0);
	}
	appliance_age(*state, &d.tuple, 7000);
	appliance_sweep(*state, &args);
	assert_int_equal(args.pending + args.expired, 0);
}

/* Numbers that the server has not said yet, and such as were acknowledged before, are anybody's guess. */
static void guesses_prove_nothing(void **state)
{
	struct dialogue d = dialogue_new(*state, "guess", false, 0);
	struct sweep_args args;

	d.client = bare_party;
	dialogue_open(&d);
	for (uint32_t i = 0; i < 200; i++) {
		dialogue_talk(&d, PORT_OUTSIDE, "ahead", ACK, 0, 1 + i, 10);
		dialogue_talk(&d, PORT_OUTSIDE, "nothing new", ACK, 0, 0, 10);
	}
	appliance_age(*state, &d.tuple, d.h->runtime.probe_after_s + 1.0);
	appliance_sweep(*state, &args);
	assert_int_equal(args.pending, 1);
}

/* --- a full table --- */

static struct dialogue numbered(struct harness *h, unsigned int i)
{
	struct dialogue d = dialogue_new(h, "one of many", i & 1, 0);

	d.client_port = (uint16_t)(20000 + i);
	d.client.isn += i * 1001;
	return d;
}

/* Without a daemon: what is new finds room where something has ended, and nowhere else. */
static void a_full_table_makes_room_for_itself(void **state)
{
	struct harness *h = *state;
	unsigned int ended = 0;
	struct dialogue d;

	for (unsigned int i = 0; i < harness_connections; i++) {
		d = numbered(h, i);
		dialogue_open(&d);
		if (i % 8 == 0) {
			dialogue_talk(&d, PORT_OUTSIDE, "RST", RST, 0, 0, 0);
			ended++;
		} else if (i % 8 == 1) {
			appliance_age(h, &d.tuple, 3 * 3600);
			ended++;
		}
	}
	assert_int_equal(appliance_count(h), harness_connections);
	for (unsigned int i = 0; i < ended; i++) {
		d = numbered(h, 1000 + i);
		dialogue_open(&d);
	}
	assert_int_equal(appliance_count(h), harness_connections);
	appliance_check_counts(h);
	for (unsigned int i = 0; i < harness_connections; i++) {
		d = numbered(h, i);
		dialogue_begin(&d);
		if (i % 8 > 1)
			dialogue_expect_state(&d, "goes on", CONNECTION_ESTABLISHED);
	}
}

/* Those, too, of whom no client ever showed that their cookie was no guess; not one that once did. */
static void a_full_table_drops_silent_guesses(void **state)
{
	struct harness *h = *state;
	unsigned int guesses = 0;
	struct dialogue d;

	h->runtime.probe_after_s = 30;
	harness_publish(h);
	for (unsigned int i = 0; i < harness_connections; i++) {
		d = numbered(h, i);
		d.client.timestamps = i % 8 == 2;
		dialogue_begin(&d);
		dialogue_open(&d);
		if (i % 8 == 1) {
			dialogue_talk(&d, PORT_INSIDE, "a word", ACK | PSH, 0, 0, 10);
			dialogue_talk(&d, PORT_OUTSIDE, "heard", ACK, 0, 10, 0);
		}
		guesses += i % 8 == 0;
		appliance_age(h, &d.tuple, i % 8 < 3 ? 125 : 110);
	}
	for (unsigned int i = 0; i < guesses; i++) {
		d = numbered(h, 1000 + i);
		dialogue_open(&d);
	}
	appliance_check_counts(h);
	for (unsigned int i = 0; i < harness_connections; i++) {
		d = numbered(h, i);
		d.client.timestamps = i % 8 == 2;
		dialogue_begin(&d);
		if (i % 8)
			dialogue_expect_state(&d, "goes on", CONNECTION_ESTABLISHED);
	}
}

/* --- whatever happens --- */

#define TUPLES 100
#define EVENTS 30000

static uint64_t random_state = 1;

static uint32_t random_number(uint32_t below)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((random_state >> 33) * below >> 31);
}

/* The table has room for two thirds of them. */
static struct dialogue any_dialogue(struct harness *h)
{
	unsigned int i = random_number(TUPLES);
	struct dialogue d = numbered(h, i);

	if (i % 3 == 0)
		d.server_port = PORT_AUTO;
	d.client.isn += random_number(2) * 70000;
	dialogue_begin(&d);
	return d;
}

static void any_frame(const struct dialogue *d, enum port *from, struct frame *f)
{
	static const uint8_t flags[] = {
		ACK, ACK | PSH, FIN | ACK, FIN | ACK, RST, RST | ACK, SYN, SYN | ACK
	};
	struct said s = {
		.flags = flags[random_number(COUNT(flags))],
		.seq = random_number(2),
		.ack = random_number(2),
		.length = random_number(2) * 10,
	};
	struct frame_spec spec;
	struct frame other;

	*from = random_number(2) ? PORT_OUTSIDE : PORT_INSIDE;
	switch (random_number(8)) {
	case 0:
	case 1:
		*from = PORT_OUTSIDE;
		dialogue_ack_frame(d, NULL, f);
		break;
	case 2:
	case 3:
		*from = PORT_INSIDE;
		dialogue_server_synack(d, f);
		break;
	case 4:
		*from = PORT_OUTSIDE;
		spec = dialogue_client_frame(d, SYN, d->client.isn, 0);
		frame_build(f, &spec);
		break;
	case 5:
		spec = *from == PORT_INSIDE
			       ? dialogue_server_frame(d, flags[random_number(COUNT(flags))], d->server.isn,
						       d->client.isn + 1)
			       : dialogue_client_frame(d, ACK, d->client.isn + 1, d->server.isn + 1);
		frame_build(f, &spec);
		break;
	default:
		dialogue_build(d, *from, &s, f, &other);
	}
}

static void let_time_pass(struct harness *h, const struct dialogue *d)
{
	static const double seconds[] = { 1, 4, 13, 40, 700, 8000 };
	struct sweep_args args;
	struct connection c;

	for (unsigned int i = 0; i < 8; i++) {
		if (appliance_find(h, &d->tuple, &c))
			appliance_age(h, &d->tuple, seconds[random_number(COUNT(seconds))]);
	}
	if (random_number(2))
		appliance_sweep(h, &args);
	else
		appliance_forget_sweep(h);
}

static void end_all(struct harness *h)
{
	struct sweep_args args;

	for (unsigned int i = 0; i < TUPLES * 2; i++) {
		struct dialogue d = numbered(h, i % TUPLES);
		struct connection c;

		if (i % TUPLES % 3 == 0)
			d.server_port = PORT_AUTO;
		dialogue_begin(&d);
		if (!appliance_find(h, &d.tuple, &c))
			continue;
		c.resends = 3;
		appliance_store(h, &d.tuple, &c);
		appliance_age(h, &d.tuple, 3 * 3600);
	}
	appliance_sweep(h, &args);
}

static void counts_are_what_the_table_holds(void **state)
{
	uint64_t before[VERDICT_COUNT], after[VERDICT_COUNT], met = 0;
	struct harness *h = *state;

	h->runtime.handshakes_max = 1000000;
	harness_publish(h);
	harness_count_verdicts(h, before);
	for (unsigned int i = 0; i < EVENTS; i++) {
		struct dialogue d = any_dialogue(h);
		struct frame f, out;
		enum port from;

		any_frame(&d, &from, &f);
		assert_int_not_equal(appliance_run_bare(h, from, &f, &out), ACTION_ABORTED);
		if (i % 16 == 0)
			let_time_pass(h, &d);
		if (i % 512 == 0)
			dialogue_state(&d, SLOT_AUTO)->mitigation = random_number(3);
		if (i % 64 == 0)
			appliance_check_counts(h);
	}
	appliance_check_counts(h);
	end_all(h);
	assert_int_equal(appliance_count(h), 0);
	appliance_check_counts(h);
	harness_count_verdicts(h, after);
	for (int v = 0; v < VERDICT_COUNT; v++)
		met += after[v] != before[v];
	/* it was not always the same that happened */
	assert_true(after[TX_REFUSED] != before[TX_REFUSED] && after[PASS_COOKIE] != before[PASS_COOKIE]);
	assert_in_range(met, 12, VERDICT_COUNT);
}

#define TEST(name) cmocka_unit_test_setup(name, appliance_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(states_end_by_their_time),
		TEST(segments_keep_a_connection),
		TEST(half_opens_are_counted_by_port),
		TEST(syns_are_owed),
		TEST(unproven_clients_are_asked),
		TEST(clients_prove_themselves),
		TEST(guesses_prove_nothing),
		TEST(half_opens_are_reset_in_mitigation),
		TEST(a_full_table_makes_room_for_itself),
		TEST(a_full_table_drops_silent_guesses),
		TEST(counts_are_what_the_table_holds),
	};

	return cmocka_run_group_tests(tests, appliance_set_up, appliance_tear_down);
}
