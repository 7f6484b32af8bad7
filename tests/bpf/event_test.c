// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the fast path tells the tracker: which segments of a conversation make an event and which do not, who
 * sent them, and their numbers.
 */
#include <string.h>
#include <arpa/inet.h>

#include <bpf/bpf.h>

#include "tests/bpf/harness.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { NEXT = -1, MANY = 300000 }; /* TCX_NEXT; more than the ring holds */

/* A segment in either direction, and whether it is told. */
struct row {
	const char *name;
	bool reply;
	uint8_t flags;
	uint32_t seq, ack;
	size_t payload;
	bool told;
};

static const struct row conversation[] = {
	{ "stray ACK", false, ACK, 1, 1, 0, false },
	{ "SYN", false, SYN, 1000, 0, 0, true },
	{ "SYN again", false, SYN, 1000, 0, 0, true },
	{ "SYN-ACK", true, SYN | ACK, 5000, 1001, 0, true },
	{ "an ACK of less", false, ACK, 1001, 5000, 0, false },
	{ "the server's own", true, ACK, 5001, 1001, 0, false },
	{ "third ACK", false, ACK, 1001, 5001, 0, true },
	{ "the same again", false, ACK, 1001, 5001, 0, false },
	{ "data", false, ACK | PSH, 1001, 5001, 100, false },
	{ "data of the server", true, ACK | PSH, 5001, 1101, 200, false },
	{ "FIN with data", false, FIN | ACK, 1101, 5201, 50, true },
	{ "ACK of the data alone", true, ACK, 5201, 1151, 0, false },
	{ "ACK of the FIN", true, ACK, 5201, 1152, 0, true },
	{ "data in half-close", true, ACK, 5201, 1152, 300, false },
	{ "the client's ACK of it", false, ACK, 1152, 5501, 0, false },
	{ "FIN of the server", true, FIN | ACK, 5501, 1152, 0, true },
	{ "FIN of the server again", true, FIN | ACK, 5501, 1152, 0, true },
	{ "last ACK", false, ACK, 1152, 5502, 0, true },
	{ "and again", false, ACK, 1152, 5502, 0, false },
	{ "RST", false, RST, 1152, 0, 0, true },
	{ "RST of the server", true, RST | ACK, 5502, 1152, 0, true },
};

static struct frame frame_of(const struct row *r, bool v6, uint16_t port)
{
	static const uint8_t data[512];
	const char *client = v6 ? CLIENT6 : CLIENT4, *server = v6 ? SERVER6 : SERVER4;
	struct frame_spec spec = {
		.saddr = r->reply ? server : client,
		.daddr = r->reply ? client : server,
		.source = r->reply ? port : 40000,
		.dest = r->reply ? 40000 : port,
		.seq = r->seq,
		.ack = r->ack,
		.flags = r->flags,
		.payload = { data, r->payload },
		.reply = r->reply,
	};
	struct frame f;

	frame_build(&f, &spec);
	return f;
}

static void pass(struct harness *h, const struct row *r, bool v6, uint16_t port)
{
	struct frame f = frame_of(r, v6, port);

	if (r->reply)
		assert_int_equal(harness_run_tc(h, FASTPATH_TC_EGRESS, &f), NEXT);
	else
		assert_int_equal(harness_run_bare(h, &f, NULL), ACTION_PASS);
}

static void expect_event(const struct row *r, const struct event *e, bool v6, uint16_t port, uint32_t slot)
{
	uint32_t next = r->seq + (uint32_t)r->payload + !!(r->flags & SYN) + !!(r->flags & FIN);
	__be32 client[4] = { 0, 0, htonl(0xffff), 0 }, server[4] = { 0, 0, htonl(0xffff), 0 };

	assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? CLIENT6 : CLIENT4, v6 ? client : client + 3),
			 1);
	assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? SERVER6 : SERVER4, v6 ? server : server + 3),
			 1);
	assert_memory_equal(e->client, client, sizeof(client));
	assert_memory_equal(e->server, server, sizeof(server));
	assert_int_equal(ntohs(e->client_port), 40000);
	assert_int_equal(ntohs(e->server_port), port);
	assert_int_equal(e->origin, r->reply ? EVENT_SERVER : EVENT_CLIENT);
	assert_int_equal(e->flags, r->flags);
	assert_int_equal(e->next, next);
	assert_int_equal(e->ack, r->flags & ACK ? r->ack : 0);
	assert_int_equal(e->service, slot);
	assert_int_equal(e->v6, v6);
	assert_true(e->time_ns > 0);
}

static void converse(struct harness *h, bool v6, uint16_t port, uint32_t slot)
{
	for (size_t i = 0; i < COUNT(conversation); i++) {
		const struct row *r = &conversation[i];
		struct heard heard;

		pass(h, r, v6, port);
		heard = harness_hear(h);
		if (heard.count != r->told)
			fail_msg("%s: %u events", r->name, heard.count);
		if (r->told)
			expect_event(r, &heard.last, v6, port, slot);
	}
}

static void control_segments_and_awaited_acks_are_told(void **state)
{
	converse(*state, false, PORT_OFF, SLOT_OFF);
	converse(*state, true, PORT_OFF, SLOT_OFF);
	converse(*state, false, PORT_MONITOR, SLOT_MONITOR);
}

static void nothing_is_told_of_other_ports(void **state)
{
	for (size_t i = 0; i < COUNT(conversation); i++) {
		pass(*state, &conversation[i], false, PORT_FREE);
		assert_int_equal(harness_hear(*state).count, 0);
	}
}

/* What is answered with a cookie, or dropped, has not happened to the server. */
static void what_does_not_pass_is_not_told(void **state)
{
	static const struct frame_spec syn = {
		.saddr = CLIENT4, .daddr = SERVER4, .source = 40000, .dest = PORT_ALWAYS, .flags = SYN
	};
	struct frame_spec stray = syn;

	harness_expect_spec(*state, "SYN", &syn, TX_SYNACK);
	stray.flags = ACK;
	harness_expect_spec(*state, "forged ACK", &stray, DROP_BAD_COOKIE);
	stray.flags = RST;
	harness_expect_spec(*state, "forged RST", &stray, DROP_STRAY_RST);
	assert_int_equal(harness_hear(*state).count, 0);
}

static void what_finds_no_room_is_counted(void **state)
{
	const struct row syn = { "SYN", false, SYN, 1, 0, 0, true };
	struct frame f = frame_of(&syn, false, PORT_OFF);
	struct harness *h = *state;
	struct event_counters before, after;
	struct heard heard;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = f.bytes, .data_size_in = (__u32)f.length,
		    .repeat = MANY);

	assert_int_equal(fastpath_read_event_counters(h->fastpath, &before), 0);
	assert_int_equal(bpf_prog_test_run_opts(h->xdp, &options), 0);
	assert_int_equal(fastpath_read_event_counters(h->fastpath, &after), 0);
	heard = harness_hear(h);
	assert_int_equal(heard.count, after.emitted - before.emitted);
	assert_true(after.lost > before.lost);
	assert_int_equal(after.emitted - before.emitted + after.lost - before.lost, MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(control_segments_and_awaited_acks_are_told, harness_reset),
		cmocka_unit_test_setup(nothing_is_told_of_other_ports, harness_reset),
		cmocka_unit_test_setup(what_does_not_pass_is_not_told, harness_reset),
		cmocka_unit_test_setup(what_finds_no_room_is_counted, harness_reset),
	};

	harness_tracked = 4096;
	return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
