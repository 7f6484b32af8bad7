// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SYN in, SYN-ACK out, byte for byte: the expected frame is built here from what the row says we may offer,
 * the cookie by the reference. On top, for every row: never longer than the SYN, nothing offered that the SYN
 * did not offer, checksums right.
 */
#include <netinet/in.h>
#include <string.h>

#include "tests/bpf/cookie_reference.h"
#include "tests/bpf/harness.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define TO4(port)    .saddr = CLIENT4, .daddr = SERVER4, .source = 40000, .dest = (port), .seq = 0xfffffffe
#define TO6(port)    .saddr = CLIENT6, .daddr = SERVER6, .source = 40000, .dest = (port), .seq = 0x12345678

#define NONE 15 /* window scale */

/* What the SYN offers, as far as we offer it back. */
enum { O_MSS = 1, O_SACK = 2, O_TS = 4, O_WS = 8 };

struct row {
	const char *name;
	struct frame_spec syn;
	unsigned int offer;
	uint16_t mss;	/* the cookie's */
	uint8_t wscale; /* the cookie's; NONE without O_WS */
	bool ecn;
};

#define ROW(text, offers, size, scale, ...)                                                                  \
	{                                                                                                    \
		.name = text, .offer = offers, .mss = size, .wscale = scale,                                 \
		.syn = {.flags = SYN,                                                                        \
			__VA_ARGS__ }                                                                        \
	}
#define ROW_ECN(text, offers, size, scale, agreed, ...)                                                      \
	{                                                                                                    \
		.name = text, .offer = offers, .mss = size, .wscale = scale, .ecn = agreed,                  \
		.syn = { __VA_ARGS__ }                                                                       \
	}

#define MSS(high, low) 2, 4, high, low
#define SACK	       4, 2
#define WS(shift)      3, 3, shift
#define TS	       8, 10, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0
#define NOP	       1
#define EOL	       0
#define NOPS_8	       NOP, NOP, NOP, NOP, NOP, NOP, NOP, NOP
#define MPTCP	       30, 12, 0, 0x81, 1, 2, 3, 4, 5, 6, 7, 8
#define TFO	       34, 10, 1, 2, 3, 4, 5, 6, 7, 8

static const struct row layouts[] = {
	ROW("Linux", O_MSS | O_SACK | O_TS | O_WS, 1460, 7, TO4(80),
	    .options = BYTES(MSS(5, 180), SACK, TS, NOP, WS(7))),
	ROW("Linux, IPv6", O_MSS | O_SACK | O_TS | O_WS, 1440, 10, TO6(80),
	    .options = BYTES(MSS(5, 160), SACK, TS, NOP, WS(10))),
	ROW("Linux without SACK", O_MSS | O_TS | O_WS, 1460, 7, TO4(80),
	    .options = BYTES(MSS(5, 180), NOP, NOP, TS, NOP, WS(7))),
	ROW("Linux without scaling", O_MSS | O_SACK | O_TS, 1460, NONE, TO4(80),
	    .options = BYTES(MSS(5, 180), SACK, TS)),
	ROW("Windows", O_MSS | O_SACK | O_WS, 1460, 8, TO4(80),
	    .options = BYTES(MSS(5, 180), NOP, WS(8), NOP, NOP, SACK)),
	ROW("Windows, IPv6", O_MSS | O_SACK | O_WS, 1440, 8, TO6(80),
	    .options = BYTES(MSS(5, 160), NOP, WS(8), NOP, NOP, SACK)),
	ROW("macOS", O_MSS | O_SACK | O_TS | O_WS, 1460, 6, TO4(80),
	    .options = BYTES(MSS(5, 180), NOP, WS(6), NOP, NOP, TS, SACK, EOL)),
	ROW("FreeBSD", O_MSS | O_SACK | O_TS | O_WS, 1460, 6, TO4(80),
	    .options = BYTES(MSS(5, 180), NOP, WS(6), SACK, TS)),
	ROW("NetBSD", O_MSS | O_SACK | O_TS | O_WS, 1460, 3, TO4(80),
	    .options = BYTES(MSS(5, 180), NOP, WS(3), SACK, NOP, NOP, NOP, NOP, TS)),
	ROW("MPTCP client", O_MSS | O_SACK | O_TS | O_WS, 1460, 7, TO4(80),
	    .options = BYTES(MSS(5, 180), SACK, TS, NOP, WS(7), MPTCP)),
	ROW("no options", 0, 536, NONE, TO4(80)),
	ROW("no options, IPv6", 0, 1220, NONE, TO6(80)),
	ROW("MSS only", O_MSS, 1400, NONE, TO4(80), .options = BYTES(MSS(5, 0x78))),
	ROW("MSS and SACK", O_MSS | O_SACK, 1460, NONE, TO4(80),
	    .options = BYTES(MSS(5, 180), NOP, NOP, SACK)),
	ROW("MSS and SACK, packed", O_MSS | O_SACK, 1460, NONE, TO4(80),
	    .options = BYTES(MSS(5, 180), SACK, EOL)),
	ROW("MSS, SACK, WS, packed", O_MSS | O_SACK | O_WS, 1460, 4, TO4(80),
	    .options = BYTES(SACK, WS(4), MSS(5, 180))),
	ROW("WS only", O_WS, 536, 2, TO4(80), .options = BYTES(WS(2))),
	ROW("SACK only", O_SACK, 536, NONE, TO4(80), .options = BYTES(SACK)),
	ROW("WS and SACK, packed", O_WS | O_SACK, 536, 9, TO4(80), .options = BYTES(WS(9), SACK)),
	ROW("TS only", O_TS, 536, NONE, TO4(80), .options = BYTES(TS)),
	ROW("TS only, aligned", O_TS, 536, NONE, TO4(80), .options = BYTES(NOP, NOP, TS)),
	ROW("TS and SACK", O_TS | O_SACK, 536, NONE, TO4(80), .options = BYTES(TS, SACK)),
	ROW("TS, SACK and WS", O_TS | O_SACK | O_WS, 1220, 5, TO6(80), .options = BYTES(WS(5), TS, SACK)),
	ROW("TS, WS and MSS, packed", O_TS | O_WS | O_MSS, 1460, 5, TO4(80),
	    .options = BYTES(WS(5), TS, MSS(5, 180))),
};

static const struct row oddities[] = {
	ROW("40 NOPs", 0, 536, NONE, TO4(80), .options = BYTES(NOPS_8, NOPS_8, NOPS_8, NOPS_8, NOPS_8)),
	ROW("40 NOPs, IPv6", 0, 1220, NONE, TO6(80),
	    .options = BYTES(NOPS_8, NOPS_8, NOPS_8, NOPS_8, NOPS_8)),
	ROW("36 NOPs, then MSS", O_MSS, 1460, NONE, TO4(80),
	    .options = BYTES(NOPS_8, NOPS_8, NOPS_8, NOPS_8, NOP, NOP, NOP, NOP, MSS(5, 180))),
	ROW("37 NOPs, then WS", O_WS, 536, 1, TO4(80),
	    .options = BYTES(NOPS_8, NOPS_8, NOPS_8, NOPS_8, NOP, NOP, NOP, NOP, NOP, WS(1))),
	ROW("nothing behind EOL", O_SACK, 536, NONE, TO4(80), .options = BYTES(SACK, EOL, EOL, MSS(5, 180))),
	ROW("length 0", O_MSS, 1460, NONE, TO4(80), .options = BYTES(MSS(5, 180), 3, 0, 7, SACK, EOL)),
	ROW("length 1", O_MSS, 1460, NONE, TO4(80), .options = BYTES(MSS(5, 180), 9, 1, SACK)),
	ROW("length beyond the header", O_MSS, 1460, NONE, TO4(80),
	    .options = BYTES(MSS(5, 180), 8, 10, 1, 2)),
	ROW("length 255", O_MSS, 1460, NONE, TO4(80), .options = BYTES(MSS(5, 180), 99, 255, 1, 2)),
	ROW("length beyond, into the payload", O_MSS, 1460, NONE, TO4(80),
	    .options = BYTES(MSS(5, 180), NOP, NOP, 8, 10), .payload = BYTES(1, 2, 3, 4, 5, 6, 7, 8)),
	ROW("last byte begins an option", O_MSS, 1460, NONE, TO4(80),
	    .options = BYTES(MSS(5, 180), NOP, NOP, NOP, 4)),
	ROW("MSS of length 3", 0, 536, NONE, TO4(80), .options = BYTES(2, 3, 5, NOP)),
	ROW("MSS of length 6", O_SACK, 536, NONE, TO4(80), .options = BYTES(2, 6, 5, 180, 0, 0, SACK)),
	ROW("WS of length 2", O_SACK, 536, NONE, TO4(80), .options = BYTES(3, 2, SACK)),
	ROW("SACK of length 3", O_WS, 536, 7, TO4(80), .options = BYTES(4, 3, 0, WS(7))),
	ROW("TS of length 9", 0, 536, NONE, TO4(80), .options = BYTES(8, 9, 1, 2, 3, 4, 0, 0, 0)),
	ROW("TS of length 11", 0, 536, NONE, TO4(80), .options = BYTES(8, 11, 1, 2, 3, 4, 0, 0, 0, 0, 0)),
	ROW("unknown options", O_MSS | O_SACK, 1460, NONE, TO4(80),
	    .options = BYTES(253, 4, 1, 2, MSS(5, 180), 254, 2, SACK)),
	ROW("MSS twice: the last", O_MSS, 1440, NONE, TO4(80), .options = BYTES(MSS(5, 180), MSS(5, 160))),
	ROW("MSS 0", O_MSS, 536, NONE, TO4(80), .options = BYTES(MSS(0, 0))),
	ROW("MSS 1", O_MSS, 1, NONE, TO4(80), .options = BYTES(MSS(0, 1))),
	ROW("MSS 65535", O_MSS, 65535, NONE, TO4(80), .options = BYTES(MSS(255, 255))),
	ROW("MSS 0, IPv6", O_MSS, 1220, NONE, TO6(80), .options = BYTES(MSS(0, 0))),
	ROW("MSS 65535, IPv6", O_MSS, 65535, NONE, TO6(80), .options = BYTES(MSS(255, 255))),
	ROW("MSS 1 with TS", O_MSS | O_TS, 1, NONE, TO4(80), .options = BYTES(MSS(0, 1), NOP, NOP, TS)),
	ROW("MSS 65535, Linux", O_MSS | O_SACK | O_TS | O_WS, 65535, 14, TO4(80),
	    .options = BYTES(MSS(255, 255), SACK, TS, NOP, WS(14))),
	ROW("wscale 0", O_WS, 536, 0, TO4(80), .options = BYTES(WS(0))),
	ROW("wscale 14", O_WS, 536, 14, TO4(80), .options = BYTES(WS(14))),
	ROW("wscale 15", O_WS, 536, 14, TO4(80), .options = BYTES(WS(15))),
	ROW("wscale 255", O_WS, 536, 14, TO4(80), .options = BYTES(WS(255))),
	ROW("wscale 255, Linux", O_MSS | O_SACK | O_TS | O_WS, 1460, 14, TO4(80),
	    .options = BYTES(MSS(5, 180), SACK, TS, NOP, WS(255))),
	ROW("wscale 255, Windows", O_MSS | O_SACK | O_WS, 1460, 14, TO4(80),
	    .options = BYTES(MSS(5, 180), NOP, WS(255), NOP, NOP, SACK)),
	ROW("TFO cookie and payload", O_MSS | O_SACK | O_TS | O_WS, 1460, 7, TO4(80),
	    .options = BYTES(MSS(5, 180), SACK, TS, NOP, WS(7), TFO), .payload = BYTES('G', 'E', 'T')),
	ROW("payload of odd length, IPv6", O_MSS, 1440, NONE, TO6(80), .options = BYTES(MSS(5, 160)),
	    .payload = BYTES(1, 2, 3, 4, 5, 6, 7)),
	ROW_ECN("PSH and URG", O_MSS, 1460, NONE, false, TO4(80), .flags = SYN | PSH | URG,
		.options = BYTES(MSS(5, 180))),
};

#define LINUX(...) __VA_ARGS__, .options = BYTES(MSS(5, 160), SACK, TS, NOP, WS(7))
#define ALL	   (O_MSS | O_SACK | O_TS | O_WS)

static const struct row carriers[] = {
	ROW("VLAN", ALL, 1440, 7, LINUX(TO4(80), .vlans = 1)),
	ROW("QinQ", ALL, 1440, 7, LINUX(TO4(80), .vlans = 2)),
	ROW("VLAN, IPv6", ALL, 1440, 7, LINUX(TO6(80), .vlans = 1)),
	ROW("QinQ, IPv6", ALL, 1440, 7, LINUX(TO6(80), .vlans = 2)),
	ROW("IPv4 options", ALL, 1440, 7, LINUX(TO4(80), .ip_options = BYTES(148, 4, 0, 0))),
	ROW("40 bytes of IPv4 options", ALL, 1440, 7,
	    LINUX(TO4(80), .ip_options = BYTES(NOPS_8, NOPS_8, NOPS_8, NOPS_8, NOPS_8))),
	ROW("QinQ and IPv4 options, no TCP options", 0, 536, NONE, TO4(80), .vlans = 2,
	    .ip_options = BYTES(148, 4, 0, 0)),
	ROW("hop-by-hop", ALL, 1440, 7, LINUX(TO6(80), .extensions = EXTENSIONS({ IPPROTO_HOPOPTS, 8, 0 }))),
	ROW("destination options of 64 bytes", ALL, 1440, 7,
	    LINUX(TO6(80), .extensions = EXTENSIONS({ IPPROTO_DSTOPTS, 64, 0 }))),
	ROW("routing", ALL, 1440, 7, LINUX(TO6(80), .extensions = EXTENSIONS({ IPPROTO_ROUTING, 24, 0 }))),
	ROW("AH", ALL, 1440, 7, LINUX(TO6(80), .extensions = EXTENSIONS({ IPPROTO_AH, 24, 0 }))),
	ROW("AH of 28 bytes", ALL, 1440, 7, LINUX(TO6(80), .extensions = EXTENSIONS({ IPPROTO_AH, 28, 0 }))),
	ROW("atomic fragment", ALL, 1440, 7,
	    LINUX(TO6(80), .extensions = EXTENSIONS({ IPPROTO_FRAGMENT, 8, 0 }))),
	ROW("QinQ and four extension headers", ALL, 1440, 7,
	    LINUX(TO6(80), .vlans = 2,
		  .extensions = EXTENSIONS({ IPPROTO_HOPOPTS, 16, 0 }, { IPPROTO_ROUTING, 8, 0 },
					   { IPPROTO_FRAGMENT, 8, 0 }, { IPPROTO_DSTOPTS, 24, 0 }))),
	ROW("extension headers of 960 bytes", ALL, 1440, 7,
	    LINUX(TO6(80), .extensions = EXTENSIONS({ IPPROTO_DSTOPTS, 960, 0 }))),
	ROW("padded to 60 bytes", O_MSS, 1460, NONE, TO4(80), .options = BYTES(MSS(5, 180)), .trailer = 2),
	ROW("trailer of 500 bytes", 0, 1220, NONE, TO6(80), .trailer = 500),
	ROW("traffic class", ALL, 1440, 7, LINUX(TO4(80), .tos = 0xb8)),
};

static const struct row ecn[] = {
	ROW_ECN("ECN", 0, 536, NONE, true, TO4(80), .flags = SYN | ECE | CWR),
	ROW_ECN("ECN, IPv6", 0, 1220, NONE, true, TO6(80), .flags = SYN | ECE | CWR),
	ROW_ECN("ECN, Linux", ALL, 1440, 7, true, LINUX(TO4(80), .flags = SYN | ECE | CWR)),
	ROW_ECN("ECE alone", 0, 536, NONE, false, TO4(80), .flags = SYN | ECE),
	ROW_ECN("CWR alone", 0, 536, NONE, false, TO4(80), .flags = SYN | CWR),
	ROW_ECN("marked ECT(0)", 0, 536, NONE, false, TO4(80), .flags = SYN | ECE | CWR, .tos = 2),
	ROW_ECN("marked ECT(1)", 0, 536, NONE, false, TO4(80), .flags = SYN | ECE | CWR, .tos = 1),
	ROW_ECN("marked CE", 0, 536, NONE, false, TO4(80), .flags = SYN | ECE | CWR, .tos = 3),
	ROW_ECN("marked ECT(0), IPv6", 0, 1220, NONE, false, TO6(80), .flags = SYN | ECE | CWR, .tos = 2),
	ROW_ECN("DSCP", 0, 1220, NONE, true, TO6(80), .flags = SYN | ECE | CWR, .tos = 0xb8),
};

/* A service whose server agrees to no option announces its MSS, and no more. */
static const struct row bare[] = {
	ROW("Linux", O_MSS, 1440, NONE, LINUX(TO4(PORT_BARE))),
	ROW("Linux, IPv6", O_MSS, 1440, NONE, LINUX(TO6(PORT_BARE))),
	ROW("Windows", O_MSS, 1452, NONE, TO4(PORT_BARE), .options = WINDOWS_OPTIONS),
	ROW("no options", 0, 536, NONE, TO4(PORT_BARE)),
	ROW_ECN("ECN", 0, 536, NONE, false, TO4(PORT_BARE), .flags = SYN | ECE | CWR),
};

/* --- what we expect --- */

struct options {
	uint8_t bytes[40];
	size_t length;
};

static void put(struct options *o, const void *bytes, size_t length)
{
	memcpy(o->bytes + o->length, bytes, length);
	o->length += length;
}

static void put_word(struct options *o, uint32_t value)
{
	value = htonl(value);
	put(o, &value, 4);
}

/* In our order: MSS, SACK and timestamps, window scale. */
static void expected_options(struct options *o, const struct row *row, bool v6, uint32_t tsval)
{
	static const uint8_t client_tsval[4] = { 0x11, 0x22, 0x33, 0x44 };
	uint16_t mss = htons(v6 ? SERVER_MSS6 : SERVER_MSS4);

	o->length = 0;
	if (row->offer & O_MSS) {
		put(o, (const uint8_t[]){ 2, 4 }, 2);
		put(o, &mss, 2);
	}
	if (row->offer & O_TS) {
		put(o, row->offer & O_SACK ? (const uint8_t[]){ 4, 2 } : (const uint8_t[]){ 1, 1 }, 2);
		put(o, (const uint8_t[]){ 8, 10 }, 2);
		put_word(o, tsval);
		put(o, client_tsval, 4);
	} else if (row->offer & O_SACK) {
		put(o, (const uint8_t[]){ 1, 1, 4, 2 }, 4);
	}
	if (row->offer & O_WS)
		put(o, (const uint8_t[]){ 1, 3, 3, SERVER_WSCALE }, 4);
}

static struct cookie_answer expected_cookie(const struct harness *h, const struct row *row)
{
	struct cookie_case c = {
		.client = row->syn.saddr,
		.server = row->syn.daddr,
		.client_port = row->syn.source,
		.server_port = row->syn.dest,
		.client_isn = row->syn.seq,
		.generation = h->runtime.key_generation,
		.slot = h->runtime.slot_base,
		.timestamps = row->offer & O_TS,
		.mss = row->mss,
		.wscale = row->wscale,
		.sack = row->offer & O_SACK,
		.ecn = row->ecn,
	};

	harness_key(h, c.generation, c.key);
	return cookie_reference(&c);
}

static void expected_synack(struct frame *f, const struct harness *h, const struct row *row)
{
	struct cookie_answer cookie = expected_cookie(h, row);
	bool v6 = strchr(row->syn.daddr, ':');
	struct frame_spec reply = {
		.saddr = row->syn.daddr,
		.daddr = row->syn.saddr,
		.source = row->syn.dest,
		.dest = row->syn.source,
		.seq = cookie.isn,
		.ack = row->syn.seq + 1,
		.flags = (uint8_t)(SYN | ACK | (row->ecn ? ECE : 0)),
		.window = v6 ? SERVER_WINDOW6 : SERVER_WINDOW4,
		.vlans = row->syn.vlans,
		.reply = true,
	};
	struct options options;

	expected_options(&options, row, v6, cookie.tsval);
	reply.options = (struct bytes){ options.bytes, options.length };
	frame_build(f, &reply);
}

/* --- what must hold for any SYN --- */

static bool offers(const struct frame *f, const struct frame_view *v, uint8_t kind, uint8_t length)
{
	return frame_option(f, v, kind, length) != NULL;
}

static void check_bounds(const struct row *row, const struct frame *syn, const struct frame *synack)
{
	static const uint8_t kinds[][2] = { { 2, 4 }, { 3, 3 }, { 4, 2 }, { 8, 10 } };
	struct frame_view in, out;
	const char *error = frame_checksum_error(synack);

	assert_true(frame_read(syn, &in));
	if (error || !frame_read(synack, &out))
		fail_msg("%s: %s", row->name, error);
	if (synack->length > syn->length || out.end - out.ip > in.end - in.ip ||
	    out.end - out.tcp > in.end - in.tcp || out.doff > in.doff)
		fail_msg("%s: the answer is longer", row->name);
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (offers(synack, &out, kinds[i][0], kinds[i][1]) &&
		    !offers(syn, &in, kinds[i][0], kinds[i][1]))
			fail_msg("%s: offers option %u, which the SYN did not", row->name, kinds[i][0]);
}

static void explain(const struct row *row, const struct frame *got, const struct frame *expected)
{
	for (size_t i = 0; i < got->length && i < expected->length; i++)
		if (got->bytes[i] != expected->bytes[i])
			fail_msg("%s: byte %zu is %02x, not %02x", row->name, i, got->bytes[i],
				 expected->bytes[i]);
	if (got->length != expected->length)
		fail_msg("%s: %zu bytes, not %zu", row->name, got->length, expected->length);
}

static void check_rows(struct harness *h, const struct row *rows, size_t count)
{
	struct frame syn, expected;
	struct outcome o;

	for (const struct row *row = rows; row < rows + count; row++) {
		frame_build(&syn, &row->syn);
		harness_expect(h, row->name, &syn, TX_SYNACK, &o);
		expected_synack(&expected, h, row);
		explain(row, &o.out, &expected);
		check_bounds(row, &syn, &o.out);
	}
}

#define CHECK(table)                                                                                         \
	static void answers_##table(void **state)                                                            \
	{                                                                                                    \
		check_rows(*state, table, COUNT(table));                                                     \
	}

CHECK(layouts)
CHECK(oddities)
CHECK(carriers)
CHECK(ecn)
CHECK(bare)

/* Payloads of every length, up to what a frame holds: the checksum covers all of it, odd or even. */
static void answers_any_payload(void **state)
{
	static uint8_t payload[1400];
	struct frame_spec syn = { TO4(80), .flags = SYN, .options = LINUX_OPTIONS };
	struct outcome o;
	struct frame f;

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 37 + 11);
	for (size_t length = 0; length <= sizeof(payload); length += length < 140 ? 1 : 61) {
		syn.payload = (struct bytes){ payload, length };
		frame_build(&f, &syn);
		harness_expect(*state, "payload", &f, TX_SYNACK, &o);
		assert_null(frame_checksum_error(&o.out));
		f.bytes[f.length - 1] ^= 1;
		harness_expect(*state, "payload changed", &f, DROP_BAD_CHECKSUM, &o);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_layouts), TEST(answers_oddities), TEST(answers_carriers),
		TEST(answers_ecn),     TEST(answers_bare),     TEST(answers_any_payload),
	};

	return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
