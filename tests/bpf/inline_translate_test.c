// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inline, translation: segments of established connections in both directions, with options in any place,
 * numbers that wrap, checksums right and wrong, and what ICMP errors quote.
 */
#include <netinet/in.h>
#include <string.h>

#include "tests/bpf/dialogue.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* --- translation --- */

#define SAYS(text, bits, ...)                                                                                \
	{                                                                                                    \
		.name = text, .flags = bits, __VA_ARGS__                                                     \
	}

static const struct frame_extension hop_by_hop[] = { { IPPROTO_HOPOPTS, 8, 0 }, { 0 } };

static const struct said from_client[] = {
	SAYS("client: ACK", ACK, .ack = 77, .tick = 1),
	SAYS("client: data", ACK | PSH, .length = 1, .tick = 2),
	SAYS("client: data of odd length", ACK, .length = 1399, .seq = 1, .ack = 1000, .tick = 3),
	SAYS("client: Linux layout", ACK, .nops = 2, .tick = 9, .length = 10),
	SAYS("client: timestamps unaligned", ACK, .nops = 1, .tick = 0x7fffffff),
	SAYS("client: timestamps after three", ACK, .nops = 3, .tick = 0x80000000),
	SAYS("client: no timestamps", ACK, .no_timestamps = true, .length = 3),
	SAYS("client: SACK, one block", ACK, .nops = 2, .blocks = 1, .ack = 500),
	SAYS("client: SACK, two blocks", ACK, .blocks = 2, .ack = 500, .nops = 2),
	SAYS("client: SACK, three blocks", ACK, .blocks = 3, .ack = 500, .nops = 2),
	SAYS("client: SACK at odd offset", ACK, .blocks = 3, .ack = 500, .nops = 1),
	SAYS("client: SACK first", ACK, .blocks = 1, .sack_first = true, .nops = 2),
	SAYS("client: SACK first, odd", ACK, .blocks = 2, .sack_first = true, .nops = 3),
	SAYS("client: four blocks, no timestamps", ACK, .blocks = 4, .no_timestamps = true, .nops = 2),
	SAYS("client: four blocks, odd", ACK, .blocks = 4, .no_timestamps = true, .nops = 1),
	SAYS("client: SACK alone at odd offset", ACK, .blocks = 1, .no_timestamps = true, .nops = 3),
	SAYS("client: unknown option before", ACK, .more = BYTES(253, 5, 1, 2, 3), .blocks = 1),
	SAYS("client: MPTCP data sequence before", ACK,
	     .more = BYTES(30, 12, 0x20, 1, 1, 2, 3, 4, 5, 6, 7, 8), .nops = 2, .length = 50),
	SAYS("client: nothing behind the end", ACK, .more = BYTES(0, 8, 10), .no_timestamps = true),
	SAYS("client: zero window", ACK, .zero_window = true, .ack = 9),
	SAYS("client: largest window", ACK, .window = 65535),
	SAYS("client: URG", ACK | URG | PSH, .length = 9),
	SAYS("client: ECE and CWR", ACK | ECE | CWR, .length = 9),
	SAYS("client: trailer", ACK, .trailer = 6, .no_timestamps = true),
	SAYS("client: acknowledges ahead", ACK, .ack = 0xfffffff, .nops = 2),
};

static const struct said from_server[] = {
	SAYS("server: ACK", ACK, .ack = 77, .tick = 1),
	SAYS("server: data", ACK | PSH, .length = 1, .tick = 2),
	SAYS("server: data of odd length", ACK, .length = 1399, .seq = 1, .ack = 1000, .tick = 3),
	SAYS("server: Linux layout", ACK, .nops = 2, .tick = 9, .length = 10),
	SAYS("server: timestamps unaligned", ACK, .nops = 1, .tick = 0x7fffffff),
	SAYS("server: timestamps after three", ACK, .nops = 3, .tick = 0x80000000),
	SAYS("server: no timestamps", ACK, .no_timestamps = true, .length = 3),
	SAYS("server: SACK, three blocks", ACK, .blocks = 3, .ack = 500, .nops = 2),
	SAYS("server: SACK at odd offset", ACK, .blocks = 2, .ack = 500, .nops = 1, .sack_first = true),
	SAYS("server: four blocks, no timestamps", ACK, .blocks = 4, .no_timestamps = true, .nops = 2),
	SAYS("server: unknown option before", ACK, .more = BYTES(253, 5, 1, 2, 3), .nops = 1),
	SAYS("server: zero window", ACK, .zero_window = true, .ack = 9),
	SAYS("server: small window", ACK, .window = 1),
	SAYS("server: largest window", ACK, .window = 65535),
	SAYS("server: keepalive", ACK, .seq = 0xffffffff, .nops = 2),
	SAYS("server: URG", ACK | URG | PSH, .length = 9),
};

static void say_all(const struct dialogue *d)
{
	for (size_t i = 0; i < COUNT(from_client); i++)
		dialogue_say(d, PORT_OUTSIDE, &from_client[i], PASS_TRANSLATED);
	for (size_t i = 0; i < COUNT(from_server); i++)
		dialogue_say(d, PORT_INSIDE, &from_server[i], PASS_TRANSLATED);
}

static void segments_are_translated(void **state)
{
	for (size_t i = 0; i < CARRIERS; i++) {
		struct dialogue d = dialogue_new(*state, dialogue_carriers[i].name, dialogue_carriers[i].v6,
						 dialogue_carriers[i].vlans);

		dialogue_open(&d);
		say_all(&d);
		appliance_forget(*state);
	}
}

static void segments_in_any_scale(void **state)
{
	static const uint8_t scales[] = { 0, SERVER_WSCALE, 9, 14, NO_WSCALE };

	for (size_t i = 0; i < COUNT(scales) * 4; i++) {
		struct dialogue d = dialogue_new(*state, "scale", i & 1, 0);

		d.server.wscale = scales[i / 4];
		d.server.timestamps = d.client.timestamps = i & 2;
		dialogue_open(&d);
		say_all(&d);
		appliance_forget(*state);
	}
}

static void segments_behind_other_headers(void **state)
{
	struct said word = { "IP options", .flags = ACK, .length = 11, .nops = 1, .blocks = 1, .tick = 8 };

	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "headers", v6, 2);

		dialogue_open(&d);
		word.ip_options = (struct bytes)BYTES(148, 4, 0, 0, 1, 1, 1, 1);
		word.extensions = hop_by_hop;
		dialogue_say(&d, PORT_OUTSIDE, &word, PASS_TRANSLATED);
		dialogue_say(&d, PORT_INSIDE, &word, PASS_TRANSLATED);
	}
}

/* A checksum that was wrong stays wrong by as much: both differ from the right one in the same way. */
static void wrong_checksums_stay_wrong(void **state)
{
	struct frame in, out;

	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "wrong checksum", v6, 0);
		static struct outcome o;

		dialogue_open(&d);
		for (size_t i = 0; i < COUNT(from_client) + COUNT(from_server); i++) {
			bool client = i < COUNT(from_client);
			const struct said *s =
				client ? &from_client[i] : &from_server[i - COUNT(from_client)];
			enum port from = client ? PORT_OUTSIDE : PORT_INSIDE;
			struct frame_view v;

			dialogue_build(&d, from, s, &in, &out);
			assert_true(frame_read(&in, &v));
			in.bytes[v.tcp + 16] ^= 0x11;
			out.bytes[v.tcp + 16] ^= 0;
			appliance_run(*state, from, &in, &o);
			assert_int_equal(o.verdict, PASS_TRANSLATED);
			if (!frame_checksum_error(&o.out))
				fail_msg("%s: repaired", s->name);
			memcpy(o.out.bytes + v.tcp + 16, out.bytes + v.tcp + 16, 2);
			appliance_compare(s->name, &o.out, &out);
		}
	}
}

/* --- numbers that wrap --- */

static void numbers_wrap(void **state)
{
	static const uint32_t isns[] = { 0xffffffff, 0xfffffffe, 0xffffff00, 0, 0x7fffffff, 0x80000000 };

	for (size_t i = 0; i < COUNT(isns) * COUNT(isns); i++) {
		struct dialogue d = dialogue_new(*state, "wrap", i & 1, 0);

		d.client.isn = isns[i % COUNT(isns)];
		d.server.isn = isns[i / COUNT(isns)];
		d.client.tsval = isns[i % COUNT(isns)];
		d.server.tsval = isns[i / COUNT(isns)];
		dialogue_open(&d);
		say_all(&d);
		appliance_forget(*state);
	}
}

/* A client whose cookie lies just below 2^32. */
static void cookies_wrap(void **state)
{
	struct dialogue d = dialogue_new(*state, "cookie near 2^32", false, 0);

	do {
		d.client.isn++;
		dialogue_begin(&d);
	} while (d.cookie.isn < 0xffffff00);
	dialogue_open(&d);
	say_all(&d);
}

/* --- ICMP errors --- */

static void icmp_errors_quote_the_servers_numbers(void **state)
{
	static const uint8_t types4[] = { 3, 11, 12 }, types6[] = { 1, 2, 3, 4 };

	for (size_t i = 0; i < CARRIERS; i++) {
		struct dialogue d = dialogue_new(*state, dialogue_carriers[i].name, dialogue_carriers[i].v6,
						 dialogue_carriers[i].vlans);
		const uint8_t *types = d.v6 ? types6 : types4;
		struct frame in, out;

		d.server.isn = 0xfffffffe;
		dialogue_open(&d);
		for (size_t t = 0; t < (d.v6 ? COUNT(types6) : COUNT(types4)); t++) {
			for (size_t quoted = 8; quoted <= 32; quoted += 12) {
				dialogue_icmp(&d, types[t], true, d.cookie.isn + 1000, quoted, &in);
				dialogue_icmp(&d, types[t], true, d.server.isn + 1000, quoted, &out);
				dialogue_keep_quoted(&d, quoted, &in, &out);
				appliance_expect(*state, d.name, PORT_OUTSIDE, &in, PASS_NOT_TCP, &out);
			}
		}
		dialogue_icmp(&d, d.v6 ? 128 : 8, true, d.cookie.isn + 1000, 20, &in);
		appliance_expect(*state, "echo", PORT_OUTSIDE, &in, PASS_NOT_TCP, NULL);
		dialogue_icmp(&d, types[0], false, d.client.isn + 1, 8, &in);
		appliance_expect(*state, "from inside", PORT_INSIDE, &in, PASS_NOT_TCP, NULL);
		dialogue_icmp(&d, types[0], true, d.cookie.isn + 1000, 7, &in);
		appliance_expect(*state, "quotes too little", PORT_OUTSIDE, &in, PASS_NOT_TCP, NULL);
		if (!d.v6) {
			dialogue_icmp(&d, types[0], true, d.cookie.isn + 1000, 20, &in);
			in.bytes[14 + 4 * d.vlans + 20 + 8]++;
			appliance_expect(*state, "quotes IP options", PORT_OUTSIDE, &in, PASS_NOT_TCP, NULL);
		}
		appliance_forget(*state);
		dialogue_icmp(&d, types[0], true, d.cookie.isn + 1000, 20, &in);
		appliance_expect(*state, "of no connection", PORT_OUTSIDE, &in, PASS_NOT_TCP, NULL);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, appliance_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(segments_are_translated),
		TEST(segments_in_any_scale),
		TEST(segments_behind_other_headers),
		TEST(wrong_checksums_stay_wrong),
		TEST(numbers_wrap),
		TEST(cookies_wrap),
		TEST(icmp_errors_quote_the_servers_numbers),
	};

	return cmocka_run_group_tests(tests, appliance_set_up, appliance_tear_down);
}
