// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inline, handshakes with any options on either side, in any carrier: every frame byte for byte, early data,
 * and what the server says instead of a SYN-ACK.
 */
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "tests/bpf/dialogue.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define HELLO BYTES('h', 'e', 'l', 'l', 'o')

static const struct bytes hello = HELLO;
static const struct bytes more = BYTES(' ', 'w', 'o', 'r', 'l', 'd', '!');

/* --- handshakes --- */

struct options_row {
	const char *name;
	struct party party; /* but for its ISN */
};

#define PARTY(text, size, shift, s, t)                                                                       \
	{                                                                                                    \
		text,                                                                                        \
		{                                                                                            \
			.mss = size, .wscale = shift, .sack = s, .timestamps = t                             \
		}                                                                                            \
	}

static const struct options_row clients[] = {
	PARTY("Linux", 1460, 7, true, true),
	PARTY("Windows", 1460, 8, true, false),
	PARTY("no options", 0, NO_WSCALE, false, false),
	PARTY("MSS only", 1400, NO_WSCALE, false, false),
	PARTY("no SACK", 1452, 2, false, true),
	PARTY("no scaling", 1440, NO_WSCALE, true, true),
	PARTY("timestamps only", 0, NO_WSCALE, false, true),
	PARTY("SACK only", 0, NO_WSCALE, true, false),
	PARTY("scaling only", 0, 14, false, false),
	PARTY("MSS between two steps", 1453, 0, true, false),
	PARTY("odd MSS", 1337, 14, true, true),
	PARTY("jumbo", 8960, 10, true, true),
};

static const struct options_row servers[] = {
	PARTY("Linux", 1460, 9, true, true),
	PARTY("same scale", 1440, SERVER_WSCALE, true, true),
	PARTY("no timestamps", 1460, 8, true, false),
	PARTY("no scaling", 1460, NO_WSCALE, true, true),
	PARTY("scale 0", 1460, 0, true, true),
	PARTY("scale 14", 1460, 14, false, true),
	PARTY("no options", 0, NO_WSCALE, false, false),
	PARTY("small MSS", 1300, 3, true, true),
};

static void take_options(struct party *to, const struct party *from)
{
	to->mss = from->mss;
	to->wscale = from->wscale;
	to->sack = from->sack;
	to->timestamps = from->timestamps;
}

/* Every client with every server whose options are not known yet, and one segment each way. */
static void handshakes_in_any_options(void **state)
{
	static const struct said words[] = {
		{ "from the client", .flags = ACK | PSH, .length = 100, .window = 0x1234, .tick = 5 },
		{ "from the server", .flags = ACK | PSH, .ack = 100, .length = 7, .window = 0x1234,
		  .tick = 6 },
	};

	for (size_t i = 0; i < COUNT(clients) * COUNT(servers) * 2; i++) {
		const struct options_row *c = &clients[i / 2 % COUNT(clients)];
		const struct options_row *s = &servers[i / 2 / COUNT(clients)];
		struct dialogue d = dialogue_new(*state, c->name, i & 1, 0);

		d.client_port = (uint16_t)(1025 + i);
		take_options(&d.client, &c->party);
		take_options(&d.server, &s->party);
		appliance_forget(*state);
		dialogue_open(&d);
		dialogue_expect_state(&d, c->name, CONNECTION_ESTABLISHED);
		dialogue_say(&d, PORT_OUTSIDE, &words[0], PASS_TRANSLATED);
		dialogue_say(&d, PORT_INSIDE, &words[1], PASS_TRANSLATED);
	}
}

/* The second client is offered what the server agreed to with the first. */
static void handshakes_offer_what_was_learned(void **state)
{
	static const struct said word = { "client", .flags = ACK | PSH, .length = 100, .tick = 5 };

	for (size_t i = 0; i < COUNT(clients) * COUNT(servers) * 2; i++) {
		const struct options_row *c = &clients[i / 2 % COUNT(clients)];
		const struct options_row *s = &servers[i / 2 / COUNT(clients)];
		struct dialogue first = dialogue_new(*state, s->name, i & 1, 0), d = first;

		appliance_forget(*state);
		take_options(&first.server, &s->party);
		dialogue_open(&first);
		d.client_port++;
		d.name = c->name;
		take_options(&d.client, &c->party);
		take_options(&d.server, &s->party);
		d.learned = &d.server;
		if (!d.server.mss)
			d.server.mss = 1460; /* not said, so nothing was learned */
		dialogue_open(&d);
		dialogue_say(&d, PORT_OUTSIDE, &word, PASS_TRANSLATED);
	}
}

static void handshakes_in_any_carrier(void **state)
{
	for (size_t i = 0; i < CARRIERS; i++) {
		struct dialogue d = dialogue_new(*state, dialogue_carriers[i].name, dialogue_carriers[i].v6,
						 dialogue_carriers[i].vlans);

		dialogue_open(&d);
		dialogue_expect_state(&d, d.name, CONNECTION_ESTABLISHED);
		appliance_forget(*state);
	}
}

static const uint8_t router_alert[] = { 148, 4, 0, 0, 1, 1, 1, 1 };

/* Whatever the third ACK carries in front of TCP, our SYN is written afresh. */
static void an_ack_with_headers_of_its_own(void **state)
{
	static const struct frame_extension extensions[] = { { IPPROTO_HOPOPTS, 16, 0 },
							     { IPPROTO_DSTOPTS, 400, 0 },
							     { 0 } };

	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "IP options", v6, 1);
		struct frame_spec ack;
		uint8_t options[12] = { 1, 1, 8, 10 };
		struct frame in, out;

		dialogue_begin(&d);
		dialogue_ask(&d);
		dialogue_ack_frame(&d, NULL, &in);
		memcpy(options, in.bytes + in.length - 12, 12);
		ack = (struct frame_spec){
			.saddr = d.client_address,
			.daddr = d.server_address,
			.source = d.client_port,
			.dest = d.server_port,
			.seq = d.client.isn + 1,
			.ack = d.cookie.isn + 1,
			.window = d.client.window,
			.flags = ACK,
			.options = { options, 12 },
			.vlans = 1,
			.trailer = 9,
		};
		if (v6)
			ack.extensions = extensions;
		else
			ack.ip_options = (struct bytes){ router_alert, sizeof(router_alert) };
		frame_build(&in, &ack);
		dialogue_server_syn(&d, &out);
		appliance_expect(*state, d.name, PORT_OUTSIDE, &in, PASS_COOKIE, &out);
		dialogue_answer(&d);
	}
}

/* --- before the server has answered --- */

static void early_data_reach_the_server(void **state)
{
	static const uint8_t both[] = "hello world!";
	static uint8_t most[1440];

	for (size_t i = 0; i < CARRIERS; i++) {
		struct dialogue d = dialogue_new(*state, dialogue_carriers[i].name, dialogue_carriers[i].v6,
						 dialogue_carriers[i].vlans);
		struct frame f;

		dialogue_begin(&d);
		dialogue_ask(&d);
		dialogue_prove(&d, &hello);
		/* the next segment, which is not lost either; then the first again */
		dialogue_ack_frame(&d, &more, &f);
		f.bytes[(d.v6 ? 58 : 38) + 4 * d.vlans + 3] += 5;
		frame_repair(&f);
		appliance_expect(*state, "more data", PORT_OUTSIDE, &f, DROP_EARLY, NULL);
		appliance_expect(*state, "again", PORT_OUTSIDE, &f, DROP_EARLY, NULL);
		dialogue_ack_frame(&d, &hello, &f);
		appliance_expect(*state, "the first again", PORT_OUTSIDE, &f, DROP_EARLY, NULL);
		d.stashed = (struct bytes){ both, 12 };
		dialogue_answer(&d);
		/* the server asks again, and does not get it twice */
		dialogue_answer(&d);
		appliance_forget(*state);
	}
	for (size_t length = 1; length <= sizeof(most); length += length < 140 ? 1 : 130) {
		struct dialogue d = dialogue_new(*state, "data of any length", length & 1, 0);
		struct bytes data = { most, length };

		memset(most, (int)length, length);
		dialogue_begin(&d);
		dialogue_ask(&d);
		dialogue_prove(&d, &data);
		dialogue_answer(&d);
		appliance_forget(*state);
	}
}

/* Data behind a bare third ACK, and such as must not be kept. */
static void early_data_behind_the_ack(void **state)
{
	struct dialogue d = dialogue_new(*state, "early", false, 0);
	struct frame f;

	dialogue_begin(&d);
	dialogue_ask(&d);
	dialogue_prove(&d, NULL);
	dialogue_ack_frame(&d, &hello, &f);
	f.bytes[f.length - 1] ^= 1;
	appliance_expect(*state, "wrong checksum", PORT_OUTSIDE, &f, DROP_EARLY, NULL);
	dialogue_ack_frame(&d, &hello, &f);
	f.bytes[38 + 3] += 1;
	frame_repair(&f);
	appliance_expect(*state, "a hole", PORT_OUTSIDE, &f, DROP_EARLY, NULL);
	dialogue_ack_frame(&d, &more, &f);
	f.bytes[42 + 3] ^= 1;
	frame_repair(&f);
	appliance_expect(*state, "acknowledges something else", PORT_OUTSIDE, &f, DROP_EARLY, NULL);
	dialogue_ack_frame(&d, &hello, &f);
	appliance_expect(*state, "the data", PORT_OUTSIDE, &f, DROP_EARLY, NULL);
	d.stashed = hello;
	dialogue_answer(&d);
}

/* What the client sends again asks for our SYN again, once a second. */
static void a_lost_syn_is_sent_again(void **state)
{
	struct dialogue d = dialogue_new(*state, "again", false, 0);
	struct frame f, syn, probe, other;

	dialogue_begin(&d);
	dialogue_ask(&d);
	dialogue_prove(&d, NULL);
	dialogue_ack_frame(&d, NULL, &f);
	dialogue_server_syn(&d, &syn);
	appliance_expect(*state, "at once", PORT_OUTSIDE, &f, DROP_EARLY, NULL);
	appliance_age(*state, &d.tuple, 1.5);
	appliance_expect(*state, "after a second", PORT_OUTSIDE, &f, PASS_HANDSHAKE, &syn);
	appliance_expect(*state, "at once", PORT_OUTSIDE, &f, DROP_EARLY, NULL);
	other = f;
	other.bytes[42 + 3] ^= 1;
	frame_repair(&other);
	appliance_age(*state, &d.tuple, 1.5);
	appliance_expect(*state, "acknowledges something else", PORT_OUTSIDE, &other, DROP_EARLY, NULL);
	/* a probe carries the number before the first */
	probe = f;
	probe.bytes[38 + 3]--;
	frame_repair(&probe);
	appliance_age(*state, &d.tuple, 1.5);
	appliance_expect(*state, "probe", PORT_OUTSIDE, &probe, PASS_HANDSHAKE, &syn);
	for (int i = 0; i < 20; i++) {
		struct connection c = dialogue_connection(&d);
		bool enough = c.resends >= 10;

		appliance_age(*state, &d.tuple, 1.5);
		appliance_expect(*state, "over and over", PORT_OUTSIDE, &f,
				 enough ? DROP_EARLY : PASS_HANDSHAKE, enough ? NULL : &syn);
	}
	dialogue_answer(&d);
}

static void a_client_gives_up_early(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "RST before the answer", v6, 0);
		struct said rst = { "RST", .flags = RST };
		struct frame_spec s;
		struct frame in, out;

		dialogue_begin(&d);
		dialogue_ask(&d);
		dialogue_prove(&d, NULL);
		dialogue_build(&d, PORT_OUTSIDE, &rst, &in, &out);
		s = (struct frame_spec){
			.saddr = d.client_address,
			.daddr = d.server_address,
			.source = d.client_port,
			.dest = d.server_port,
			.seq = d.client.isn + 1,
			.flags = RST,
		};
		dialogue_frame(&s, &out);
		rst.seq = 1;
		{
			struct frame other, ignored;

			dialogue_build(&d, PORT_OUTSIDE, &rst, &other, &ignored);
			appliance_expect(*state, "in the window", PORT_OUTSIDE, &other, DROP_STRAY_RST, NULL);
		}
		dialogue_expect_state(&d, d.name, CONNECTION_SYN_SENT);
		appliance_expect(*state, d.name, PORT_OUTSIDE, &in, PASS_HANDSHAKE, &out);
		dialogue_expect_state(&d, d.name, CONNECTION_RESET);
		assert_int_equal(fastpath_state(d.h->fastpath, SLOT_ALWAYS)->handshakes, 0);
		/* the server's answer to the SYN that was under way */
		dialogue_server_synack(&d, &in);
		dialogue_frame(&s, &out);
		appliance_expect(*state, "answered late", PORT_INSIDE, &in, TX_RST, &out);
	}
}

/* --- the server refuses, or remembers another connection --- */

/* RST to our SYN: the client gets one that it must accept. */
static void a_refusal_reaches_the_client(void **state)
{
	for (size_t i = 0; i < CARRIERS; i++) {
		struct dialogue d = dialogue_new(*state, dialogue_carriers[i].name, dialogue_carriers[i].v6,
						 dialogue_carriers[i].vlans);
		struct frame_spec rst, told;

		dialogue_handshake(&d);
		rst = dialogue_server_frame(&d, RST, 0, d.client.isn + 1);
		dialogue_expect(&d, "RST without ACK", PORT_INSIDE, &rst, DROP_STRAY_RST, NULL);
		rst = dialogue_server_frame(&d, RST | ACK, 0, d.client.isn + 2);
		dialogue_expect(&d, "RST for something else", PORT_INSIDE, &rst, DROP_STRAY_RST, NULL);
		dialogue_expect_state(&d, d.name, CONNECTION_SYN_SENT);
		rst = dialogue_server_frame(&d, RST | ACK, 0, d.client.isn + 1);
		told = dialogue_server_frame(&d, RST | ACK, d.cookie.isn + 1, d.client.isn + 1);
		dialogue_expect(&d, "RST", PORT_INSIDE, &rst, PASS_HANDSHAKE, &told);
		dialogue_expect_state(&d, d.name, CONNECTION_RESET);
		assert_int_equal(fastpath_state(d.h->fastpath, SLOT_ALWAYS)->handshakes, 0);
		appliance_forget(*state);
	}
}

/* An old incarnation at the server answers our SYN with its own numbers, and goes (RFC 5961, section 4). */
static void a_challenge_is_answered_by_a_reset(void **state)
{
	for (size_t i = 0; i < CARRIERS; i++) {
		struct dialogue d = dialogue_new(*state, dialogue_carriers[i].name, dialogue_carriers[i].v6,
						 dialogue_carriers[i].vlans);
		struct frame_spec in, out;

		dialogue_handshake(&d);
		in = dialogue_server_frame(&d, ACK, 0x12345678, 0x9abcdef0);
		out = dialogue_client_frame(&d, RST, 0x9abcdef0, 0);
		dialogue_expect(&d, "challenge ACK", PORT_INSIDE, &in, TX_RST, &out);
		in.flags = SYN | ACK;
		dialogue_expect(&d, "SYN-ACK for another SYN", PORT_INSIDE, &in, TX_RST, &out);
		in.flags = PSH;
		dialogue_expect(&d, "no ACK", PORT_INSIDE, &in, DROP_NULL, NULL);
		in.flags = SYN;
		dialogue_expect(&d, "SYN", PORT_INSIDE, &in, DROP_STRAY_SYNACK, NULL);
		dialogue_expect_state(&d, d.name, CONNECTION_SYN_SENT);
		dialogue_answer(&d);
		appliance_forget(*state);
	}
}

static void a_repeated_answer_is_answered_again(void **state)
{
	struct dialogue d = dialogue_new(*state, "SYN-ACK", false, 0);
	struct frame_spec in;

	dialogue_open(&d);
	dialogue_answer(&d);
	in = dialogue_server_frame(&d, SYN | ACK, d.server.isn + 1, d.client.isn + 1);
	dialogue_expect(&d, "another SYN-ACK", PORT_INSIDE, &in, DROP_STRAY_SYNACK, NULL);
	dialogue_answer(&d);
	dialogue_expect_state(&d, d.name, CONNECTION_ESTABLISHED);
}

/* A corrupted segment is nothing to act upon: what we would make of it would look whole. */
static void corrupted_answers_are_dropped(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "corrupted", v6, 0);
		size_t tcp = v6 ? 54 : 34;
		struct frame_spec s;
		struct frame f;

		dialogue_handshake(&d);
		dialogue_server_synack(&d, &f);
		f.bytes[tcp + 4] ^= 1;
		appliance_expect(*state, "SYN-ACK", PORT_INSIDE, &f, DROP_BAD_CHECKSUM, NULL);
		s = dialogue_server_frame(&d, RST | ACK, 0, d.client.isn + 1);
		dialogue_frame(&s, &f);
		f.bytes[tcp + 4] ^= 1;
		appliance_expect(*state, "the server's RST", PORT_INSIDE, &f, DROP_BAD_CHECKSUM, NULL);
		s = dialogue_client_frame(&d, RST, d.client.isn + 1, 0);
		dialogue_frame(&s, &f);
		f.bytes[tcp + 8] ^= 1;
		appliance_expect(*state, "the client's RST", PORT_OUTSIDE, &f, DROP_BAD_CHECKSUM, NULL);
		dialogue_ack_frame(&d, NULL, &f);
		f.bytes[tcp + 14] ^= 1;
		appliance_age(*state, &d.tuple, 1.5);
		appliance_expect(*state, "the client's ACK", PORT_OUTSIDE, &f, DROP_BAD_CHECKSUM, NULL);
		dialogue_expect_state(&d, d.name, CONNECTION_SYN_SENT);
		dialogue_answer(&d);
		appliance_forget(*state);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, appliance_reset)

/* The kernel runs the first frame's program over all that a poll sends to an interface (answer_both). */
static void no_program_stands_outside(void **state)
{
	static const struct {
		const char *map;
		uint32_t key;
		bool program;
	} ports[] = { { "egress", PORT_OUTSIDE, false },
		      { "egress", PORT_INSIDE, false },
		      { "both", 0, true },
		      { "both", 1, false } };

	struct harness *h = *state;
	int outside = h->xdp;

	for (size_t i = 0; i < COUNT(ports); i++) {
		struct bpf_devmap_val value = {};
		int fd;

		h->xdp = h->programs[FASTPATH_XDP_INSIDE]; /* whose maps they are */
		fd = harness_find_map(h, ports[i].map);
		h->xdp = outside;
		assert_true(fd >= 0);
		assert_int_equal(bpf_map_lookup_elem(fd, &ports[i].key, &value), 0);
		assert_true(value.ifindex);
		assert_int_equal(value.bpf_prog.id != 0, ports[i].program);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(handshakes_in_any_carrier),
		TEST(handshakes_in_any_options),
		TEST(handshakes_offer_what_was_learned),
		TEST(an_ack_with_headers_of_its_own),
		TEST(early_data_reach_the_server),
		TEST(early_data_behind_the_ack),
		TEST(a_lost_syn_is_sent_again),
		TEST(a_client_gives_up_early),
		TEST(a_refusal_reaches_the_client),
		TEST(a_challenge_is_answered_by_a_reset),
		TEST(a_repeated_answer_is_answered_again),
		TEST(corrupted_answers_are_dropped),
		TEST(no_program_stands_outside),
	};

	return cmocka_run_group_tests(tests, appliance_set_up, appliance_tear_down);
}
