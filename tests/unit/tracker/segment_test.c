// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conversations, segment by segment, and the states of both ends after each. Numbers are relative: the
 * client's ISN is 1000, the server's 5000 (but where they wrap).
 */
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/tracker/segment.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define C   EVENT_CLIENT
#define S   EVENT_SERVER
#define SYN TH_SYN
#define SA  (TH_SYN | TH_ACK)
#define ACK TH_ACK
#define FIN (TH_FIN | TH_ACK)
#define RST TH_RST
#define END                                                                                                  \
	{                                                                                                    \
		.client = TS_COUNT                                                                           \
	}

struct step {
	uint8_t origin, flags;
	uint32_t next, ack;
	enum tcp_state client, server; /* afterwards */
};

#define OPEN(isn_c, isn_s)                                                                                   \
	{ C, SYN, (isn_c) + 1, 0, TS_SYN_SENT, TS_LISTEN },                                                  \
		{ S, SA, (isn_s) + 1, (isn_c) + 1, TS_SYN_SENT, TS_SYN_RECEIVED },                           \
	{                                                                                                    \
		C, ACK, (isn_c) + 1, (isn_s) + 1, TS_ESTABLISHED, TS_ESTABLISHED                             \
	}
#define OPENED OPEN(1000U, 5000U)

static const struct conversation {
	const char *name;
	struct step steps[16];
} conversations[] = {
	{ "client closes first",
	  { OPENED,
	    { C, FIN, 1002, 5001, TS_FIN_WAIT_1, TS_ESTABLISHED },
	    { S, ACK, 5001, 1002, TS_FIN_WAIT_2, TS_CLOSE_WAIT },
	    { S, FIN, 5002, 1002, TS_FIN_WAIT_2, TS_LAST_ACK },
	    { C, ACK, 1002, 5002, TS_TIME_WAIT, TS_CLOSED },
	    END } },
	{ "server closes first, FIN on the ACK of the FIN",
	  { OPENED,
	    { S, FIN, 5101, 1001, TS_ESTABLISHED, TS_FIN_WAIT_1 },
	    { C, FIN, 1002, 5101, TS_LAST_ACK, TS_FIN_WAIT_2 },
	    { S, ACK, 5101, 1002, TS_CLOSED, TS_TIME_WAIT },
	    END } },
	{ "numbers wrap",
	  { OPEN(0xffffffffU, 0xfffffffeU),
	    { S, FIN, 5, 0, TS_ESTABLISHED, TS_FIN_WAIT_1 },
	    { C, ACK, 0, 5, TS_CLOSE_WAIT, TS_FIN_WAIT_2 },
	    END } },
	{ "simultaneous close",
	  { OPENED,
	    { C, FIN, 1002, 5001, TS_FIN_WAIT_1, TS_ESTABLISHED },
	    { S, FIN, 5002, 1001, TS_FIN_WAIT_1, TS_FIN_WAIT_1 },
	    { C, ACK, 1002, 5002, TS_CLOSING, TS_FIN_WAIT_2 },
	    { S, ACK, 5002, 1002, TS_TIME_WAIT, TS_TIME_WAIT },
	    END } },
	{ "simultaneous close, server's ACK first",
	  { OPENED,
	    { C, FIN, 1002, 5001, TS_FIN_WAIT_1, TS_ESTABLISHED },
	    { S, FIN, 5002, 1001, TS_FIN_WAIT_1, TS_FIN_WAIT_1 },
	    { S, ACK, 5002, 1002, TS_FIN_WAIT_2, TS_CLOSING },
	    { C, ACK, 1002, 5002, TS_TIME_WAIT, TS_TIME_WAIT },
	    END } },
	{ "simultaneous open",
	  { { C, SYN, 1001, 0, TS_SYN_SENT, TS_LISTEN },
	    { S, SYN, 5001, 0, TS_SYN_SENT, TS_SYN_SENT },
	    { C, SA, 1001, 5001, TS_SYN_RECEIVED, TS_SYN_SENT },
	    { S, SA, 5001, 1001, TS_ESTABLISHED, TS_ESTABLISHED },
	    END } },
	{ "half-close that carries data: other ACKs move nothing",
	  { OPENED,
	    { C, FIN, 1002, 5001, TS_FIN_WAIT_1, TS_ESTABLISHED },
	    { S, ACK, 5001, 1001, TS_FIN_WAIT_1, TS_ESTABLISHED },
	    { S, ACK, 9001, 1002, TS_FIN_WAIT_2, TS_CLOSE_WAIT },
	    { C, ACK, 1002, 9001, TS_FIN_WAIT_2, TS_CLOSE_WAIT },
	    { S, FIN, 9002, 1002, TS_FIN_WAIT_2, TS_LAST_ACK },
	    { C, ACK, 1002, 9001, TS_FIN_WAIT_2, TS_LAST_ACK },
	    { C, ACK, 1002, 9002, TS_TIME_WAIT, TS_CLOSED },
	    END } },
	{ "segments sent again",
	  { { C, SYN, 1001, 0, TS_SYN_SENT, TS_LISTEN },
	    { C, SYN, 1001, 0, TS_SYN_SENT, TS_LISTEN },
	    { S, SA, 5001, 1001, TS_SYN_SENT, TS_SYN_RECEIVED },
	    { C, SYN, 1001, 0, TS_SYN_SENT, TS_SYN_RECEIVED },
	    { S, SA, 5001, 1001, TS_SYN_SENT, TS_SYN_RECEIVED },
	    { C, ACK, 1001, 5001, TS_ESTABLISHED, TS_ESTABLISHED },
	    { S, SA, 5001, 1001, TS_ESTABLISHED, TS_ESTABLISHED },
	    { C, SYN, 1001, 0, TS_ESTABLISHED, TS_ESTABLISHED },
	    { C, FIN, 1002, 5001, TS_FIN_WAIT_1, TS_ESTABLISHED },
	    { C, FIN, 1002, 5001, TS_FIN_WAIT_1, TS_ESTABLISHED },
	    { S, FIN, 5002, 1002, TS_FIN_WAIT_2, TS_LAST_ACK },
	    { S, FIN, 5002, 1002, TS_FIN_WAIT_2, TS_LAST_ACK },
	    { C, ACK, 1002, 5002, TS_TIME_WAIT, TS_CLOSED },
	    { S, FIN, 5002, 1002, TS_TIME_WAIT, TS_CLOSED },
	    END } },
	{ "third ACK lost, the FIN acknowledges both",
	  { { C, SYN, 1001, 0, TS_SYN_SENT, TS_LISTEN },
	    { S, SA, 5001, 1001, TS_SYN_SENT, TS_SYN_RECEIVED },
	    { C, FIN, 1101, 5001, TS_FIN_WAIT_1, TS_ESTABLISHED },
	    { S, FIN, 5002, 1101, TS_FIN_WAIT_2, TS_LAST_ACK },
	    { C, ACK, 1101, 5002, TS_TIME_WAIT, TS_CLOSED },
	    END } },
	{ "refused",
	  { { C, SYN, 1001, 0, TS_SYN_SENT, TS_LISTEN },
	    { S, RST | ACK, 0, 1001, TS_CLOSED, TS_CLOSED },
	    END } },
	{ "half-open reset by its client",
	  { { C, SYN, 1001, 0, TS_SYN_SENT, TS_LISTEN },
	    { S, SA, 5001, 1001, TS_SYN_SENT, TS_SYN_RECEIVED },
	    { C, RST, 1001, 0, TS_CLOSED, TS_LISTEN },
	    END } },
	{ "aborted", { OPENED, { C, RST, 1001, 0, TS_CLOSED, TS_CLOSED }, END } },
	{ "aborted in half-close",
	  { OPENED,
	    { S, FIN, 5002, 1001, TS_ESTABLISHED, TS_FIN_WAIT_1 },
	    { C, ACK, 1001, 5002, TS_CLOSE_WAIT, TS_FIN_WAIT_2 },
	    { C, RST, 1001, 0, TS_CLOSED, TS_CLOSED },
	    END } },
	{ "port used again, server in TIME-WAIT",
	  { OPENED,
	    { S, FIN, 5002, 1001, TS_ESTABLISHED, TS_FIN_WAIT_1 },
	    { C, FIN, 1002, 5002, TS_LAST_ACK, TS_FIN_WAIT_2 },
	    { S, ACK, 5002, 1002, TS_CLOSED, TS_TIME_WAIT },
	    { C, SYN, 90001, 0, TS_SYN_SENT, TS_TIME_WAIT },
	    { S, SA, 70001, 90001, TS_SYN_SENT, TS_SYN_RECEIVED },
	    { C, ACK, 90001, 70001, TS_ESTABLISHED, TS_ESTABLISHED },
	    END } },
	{ "accepted by its cookie, over an old one",
	  { OPENED,
	    { C, FIN, 1002, 5001, TS_FIN_WAIT_1, TS_ESTABLISHED },
	    { EVENT_COOKIE, ACK, 2001, 7001, TS_ESTABLISHED, TS_ESTABLISHED },
	    { S, ACK, 7001, 1002, TS_ESTABLISHED, TS_ESTABLISHED },
	    { S, FIN, 7002, 2001, TS_ESTABLISHED, TS_FIN_WAIT_1 },
	    { C, ACK, 2001, 7002, TS_CLOSE_WAIT, TS_FIN_WAIT_2 },
	    END } },
	{ "accepted by its cookie, and again by the data behind it, once its FIN has passed",
	  { { EVENT_COOKIE, ACK, 2001, 7001, TS_ESTABLISHED, TS_ESTABLISHED },
	    { C, FIN, 2102, 7001, TS_FIN_WAIT_1, TS_ESTABLISHED },
	    { EVENT_COOKIE, ACK, 2101, 7001, TS_FIN_WAIT_1, TS_ESTABLISHED },
	    { S, FIN, 7002, 2102, TS_FIN_WAIT_2, TS_LAST_ACK },
	    { C, ACK, 2102, 7002, TS_TIME_WAIT, TS_CLOSED },
	    END } },
};

static void converse(const struct conversation *conversation)
{
	static const struct flow closed;
	struct flow f = closed;

	for (size_t i = 0; conversation->steps[i].client != TS_COUNT; i++) {
		const struct step *s = &conversation->steps[i];
		struct event e = { .origin = s->origin, .flags = s->flags, .next = s->next, .ack = s->ack };

		e.time_ns = 1000000 + 2500000 * i;
		segment_apply(&f, &e);
		if (f.state[CLIENT] != s->client || f.state[SERVER] != s->server)
			fail_msg("%s, segment %zu: %s and %s, expected %s and %s", conversation->name, i + 1,
				 tcp_state_word((enum tcp_state)f.state[CLIENT]),
				 tcp_state_word((enum tcp_state)f.state[SERVER]), tcp_state_word(s->client),
				 tcp_state_word(s->server));
	}
}

static void conversations_take_both_ends_through_their_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(conversations); i++)
		converse(&conversations[i]);
}

static void each_end_is_in_every_state_in_some_conversation(void **state)
{
	bool client[TS_COUNT] = { [TS_CLOSED] = true, [TS_LISTEN] = true }, server[TS_COUNT] = { false };

	(void)state;
	for (size_t i = 0; i < COUNT(conversations); i++)
		for (const struct step *s = conversations[i].steps; s->client != TS_COUNT; s++)
			client[s->client] = server[s->server] = true;
	for (int s = 0; s < TS_COUNT; s++)
		if (!client[s] || !server[s])
			fail_msg("%s: client %d, server %d", tcp_state_word((enum tcp_state)s), client[s],
				 server[s]);
}

static void the_handshake_is_timed(void **state)
{
	static const struct step steps[] = { OPENED };
	struct flow f = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct event e = { .origin = steps[i].origin,
				   .flags = steps[i].flags,
				   .next = steps[i].next };

		e.ack = steps[i].ack;
		e.time_ns = 5000000000ULL + 1500000 * i;
		segment_apply(&f, &e);
	}
	assert_true(f.flags & FLOW_TIMED);
	assert_int_equal(f.handshake_us, 3000);
}

static void establish(struct flow *f)
{
	f->flags = FLOW_SYN_KNOWN(CLIENT) | FLOW_SYN_KNOWN(SERVER);
	f->state[CLIENT] = f->state[SERVER] = TS_ESTABLISHED;
	f->number[CLIENT] = 1001;
	f->number[SERVER] = 5001;
}

static void what_begins_anew(void **state)
{
	struct event syn = { .origin = C, .flags = SYN, .next = 77 };
	struct event again = { .origin = S, .flags = SA, .next = 5001, .ack = 1001 };
	struct event other = { .origin = S, .flags = SA, .next = 9001, .ack = 77 };
	struct event cookie = { .origin = EVENT_COOKIE, .flags = ACK, .ack = 7001 };
	struct event newer = { .origin = EVENT_COOKIE, .flags = ACK, .ack = 7002 };
	struct flow f = { 0 };

	(void)state;
	establish(&f);
	assert_false(segment_begins_anew(&f, &syn)); /* a challenge ACK will answer it */
	assert_false(segment_begins_anew(&f, &again));
	assert_true(segment_begins_anew(&f, &other));
	assert_true(segment_begins_anew(&f, &cookie));
	segment_apply(&f, &cookie);
	assert_false(segment_begins_anew(&f, &cookie)); /* by the data behind its third ACK */
	assert_true(segment_begins_anew(&f, &newer));
	f.flags |= FLOW_RST_UNSURE;
	assert_true(segment_begins_anew(&f, &syn));
	establish(&f);
	f.state[CLIENT] = TS_TIME_WAIT;
	assert_true(segment_begins_anew(&f, &syn));
}

static void what_is_taken_up(void **state)
{
	static const struct {
		struct event event;
		bool taken;
	} rows[] = {
		{ { .origin = C, .flags = SYN }, true },
		{ { .origin = S, .flags = SA }, true },
		{ { .origin = S, .flags = FIN }, true },
		{ { .origin = EVENT_COOKIE, .flags = ACK }, true },
		{ { .origin = C, .flags = FIN }, false },
		{ { .origin = C, .flags = ACK }, false },
		{ { .origin = S, .flags = ACK }, false },
		{ { .origin = C, .flags = SA }, false },
		{ { .origin = S, .flags = RST | TH_FIN }, false },
	};
	enum tcp_state states[ENDPOINTS];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(segment_takes_up(&rows[i].event, states), rows[i].taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conversations_take_both_ends_through_their_states),
		cmocka_unit_test(each_end_is_in_every_state_in_some_conversation),
		cmocka_unit_test(the_handshake_is_timed),
		cmocka_unit_test(what_begins_anew),
		cmocka_unit_test(what_is_taken_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
