// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inline, what the fast path tells the tracker of a connection that it translates: nothing of our handshake
 * with the server, the connection once it is answered, then what moves an endpoint, in each sender's own
 * numbers and each receiver's acknowledgements; and that we have ended one ourselves.
 */
#include <string.h>

#include "tests/bpf/dialogue.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void expect_silence(const struct dialogue *d, const char *what)
{
	if (harness_hear(d->h).count)
		fail_msg("%s: %s makes an event", d->name, what);
}

static void expect_tuple(const struct dialogue *d, const struct event *e)
{
	assert_memory_equal(e->client, d->tuple.client, sizeof(e->client));
	assert_memory_equal(e->server, d->tuple.server, sizeof(e->server));
	assert_int_equal(e->client_port, d->tuple.client_port);
	assert_int_equal(e->server_port, d->tuple.server_port);
	assert_int_equal(e->v6, d->v6);
	assert_int_equal(e->service, SLOT_ALWAYS);
}

/* NEXT and ACK count from behind the SYNs, as in struct said. */
static void expect_event(const struct dialogue *d, const char *what, enum event_origin origin, uint32_t next,
			 uint32_t ack)
{
	bool from_server = origin == EVENT_SERVER;
	uint32_t own = (from_server ? d->server.isn : d->client.isn) + 1;
	uint32_t peer = (from_server ? d->client.isn : d->server.isn) + 1;
	struct heard heard = harness_hear(d->h);
	const struct event *e = &heard.last;

	if (heard.count != 1 || e->origin != origin || e->next != own + next || e->ack != peer + ack)
		fail_msg("%s: %s: %u events, origin %u, next %u, ack %u", d->name, what, heard.count,
			 e->origin, e->next - own, e->ack - peer);
	expect_tuple(d, e);
}

/* In the client's name. */
static void expect_reset(const struct dialogue *d, const char *what)
{
	struct heard heard = harness_hear(d->h);
	const struct event *e = &heard.last;

	if (heard.count != 1 || e->origin != EVENT_CLIENT || e->flags != RST || e->next != d->client.isn + 1)
		fail_msg("%s: %s: %u events, origin %u, flags %#x, next %u", d->name, what, heard.count,
			 e->origin, e->flags, e->next - d->client.isn - 1);
	expect_tuple(d, e);
}

static const struct {
	const char *name;
	enum port from;
	uint8_t flags;
	uint32_t seq, ack;
	size_t length;
	bool told;
} talk[] = {
	{ "request", PORT_OUTSIDE, ACK | PSH, 0, 0, 100, false },
	{ "answer", PORT_INSIDE, ACK | PSH, 0, 100, 200, false },
	{ "its ACK", PORT_OUTSIDE, ACK, 100, 200, 0, false },
	{ "FIN with data", PORT_OUTSIDE, FIN | ACK, 100, 200, 10, true },
	{ "ACK of the data alone", PORT_INSIDE, ACK, 200, 110, 0, false },
	{ "ACK of the FIN", PORT_INSIDE, ACK, 200, 111, 0, true },
	{ "data in half-close", PORT_INSIDE, ACK | PSH, 200, 111, 50, false },
	{ "its ACK", PORT_OUTSIDE, ACK, 111, 250, 0, false },
	{ "FIN of the server", PORT_INSIDE, FIN | ACK, 250, 111, 0, true },
	{ "the last ACK", PORT_OUTSIDE, ACK, 111, 251, 0, true },
	{ "the last ACK again", PORT_OUTSIDE, ACK, 111, 251, 0, false },
};

static void converse(struct dialogue *d)
{
	struct heard heard;

	dialogue_begin(d);
	dialogue_ask(d);
	expect_silence(d, "a SYN that is answered with a cookie");
	dialogue_prove(d, NULL);
	expect_silence(d, "its ACK, which is our SYN to the server");
	dialogue_answer(d);
	heard = harness_hear(d->h);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.last.origin, EVENT_COOKIE);
	assert_memory_equal(heard.last.client, d->tuple.client, sizeof(d->tuple.client));
	assert_int_equal(heard.last.client_port, d->tuple.client_port);
	for (size_t i = 0; i < COUNT(talk); i++) {
		uint32_t next = talk[i].seq + (uint32_t)talk[i].length + !!(talk[i].flags & FIN);

		dialogue_talk(d, talk[i].from, talk[i].name, talk[i].flags, talk[i].seq, talk[i].ack,
			      talk[i].length);
		if (talk[i].told)
			expect_event(d, talk[i].name,
				     talk[i].from == PORT_INSIDE ? EVENT_SERVER : EVENT_CLIENT, next,
				     talk[i].ack);
		else
			expect_silence(d, talk[i].name);
	}
}

static void translated_connections_are_told_as_their_ends_see_them(void **state)
{
	for (size_t i = 0; i < CARRIERS; i++) {
		struct dialogue d = dialogue_new(*state, dialogue_carriers[i].name, dialogue_carriers[i].v6,
						 dialogue_carriers[i].vlans);

		converse(&d);
		appliance_forget(*state);
	}
}

/* No timestamps, so that its cookie could have been guessed. */
static const struct party silent_party = { .isn = 0xfffffffe, .window = 8000, .wscale = NO_WSCALE };

/* A client that answers no probe: the daemon's RST to its server passes no program, and is told all the same.
 */
static void an_end_of_ours_is_told(void **state)
{
	for (size_t i = 0; i < CARRIERS; i++) {
		struct dialogue d = dialogue_new(*state, dialogue_carriers[i].name, dialogue_carriers[i].v6,
						 dialogue_carriers[i].vlans);
		struct sweep_args args;

		d.client = silent_party;
		dialogue_open(&d);
		harness_hear(d.h);
		for (int probes = 0; probes < 3; probes++) {
			appliance_age(*state, &d.tuple, d.h->runtime.probe_after_s + 1.0);
			appliance_sweep(*state, &args);
			assert_int_equal(args.pending, 1);
			expect_silence(&d, "a probe");
		}
		appliance_age(*state, &d.tuple, d.h->runtime.probe_after_s + 1.0);
		appliance_sweep(*state, &args);
		assert_int_equal(args.pending, 1);
		dialogue_expect_state(&d, d.name, CONNECTION_RESET);
		expect_reset(&d, "its end");
		appliance_sweep(*state, &args);
		expect_silence(&d, "the time after it");
		appliance_forget(*state);
	}
}

/* A client that sends data with its third ACK or behind it, and aborts before the server has answered. */
static void an_abort_after_early_data_reaches_the_server(void **state)
{
	const struct bytes hello = BYTES('h', 'e', 'l', 'l', 'o');
	struct dialogue d = dialogue_new(*state, "abort", false, 0);
	struct frame_spec rst, forged, expected;

	dialogue_begin(&d);
	dialogue_ask(&d);
	dialogue_prove(&d, &hello);
	forged = dialogue_client_frame(&d, RST, d.client.isn + 1 + 4, 0);
	rst = dialogue_client_frame(&d, RST, d.client.isn + 1 + 5, 0);
	expected = dialogue_client_frame(&d, RST, d.client.isn + 1, 0);
	dialogue_expect(&d, "another number", PORT_OUTSIDE, &forged, DROP_STRAY_RST, NULL);
	dialogue_expect(&d, "behind the data", PORT_OUTSIDE, &rst, PASS_HANDSHAKE, &expected);
	dialogue_expect_state(&d, "reset", CONNECTION_RESET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(translated_connections_are_told_as_their_ends_see_them,
				       appliance_reset),
		cmocka_unit_test_setup(an_end_of_ours_is_told, appliance_reset),
		cmocka_unit_test_setup(an_abort_after_early_data_reaches_the_server, appliance_reset),
	};

	harness_tracked = 4096;
	return cmocka_run_group_tests(tests, appliance_set_up, appliance_tear_down);
}
