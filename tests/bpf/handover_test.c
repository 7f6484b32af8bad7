// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACKs with a valid cookie: which of them pass, when, and that the metadata in front of them tells tc ingress
 * every option that the handshake agreed on.
 */
#include <string.h>

#include "tests/bpf/harness.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define TO4(port)    .saddr = CLIENT4, .daddr = SERVER4, .source = 40000, .dest = (port)
#define TO6(port)    .saddr = CLIENT6, .daddr = SERVER6, .source = 40000, .dest = (port)

#define HELLO BYTES('h', 'e', 'l', 'l', 'o')

/* What the server agrees to, in the handover. */
#define SCALED(client) .snd_wscale = (client), .rcv_wscale = SERVER_WSCALE, .wscale_ok = 1
#define TIMED(value)   .rcv_tsval = (value), .tstamp_ok = 1
#define ROW(text, s, ...)                                                                                    \
	{                                                                                                    \
		.name = text, .syn = s, .handover = {.magic = HANDOVER_MAGIC, __VA_ARGS__ }                  \
	}
#define SYN_OF(...)                                                                                          \
	{                                                                                                    \
		.flags = SYN, __VA_ARGS__                                                                    \
	}
#define ECN_SYN_OF(...)                                                                                      \
	{                                                                                                    \
		.flags = SYN | ECE | CWR, __VA_ARGS__                                                        \
	}

static const struct {
	const char *name;
	struct frame_spec syn;
	struct handover handover; /* but for rcv_tsecr */
} carried[] = {
	ROW("Linux", SYN_OF(TO4(80), .options = LINUX_OPTIONS), .mss = 1460, .sack_ok = 1, SCALED(7),
	    TIMED(10)),
	ROW("Linux, ECN, IPv6", ECN_SYN_OF(TO6(80), .options = LINUX_OPTIONS), .mss = 1460, .sack_ok = 1,
	    SCALED(7), TIMED(10), .ecn_ok = 1),
	ROW("Windows", SYN_OF(TO4(80), .options = WINDOWS_OPTIONS), .mss = 1452, .sack_ok = 1, SCALED(8)),
	ROW("no options", SYN_OF(TO4(80)), .mss = 536),
	ROW("no options, IPv6, ECN", ECN_SYN_OF(TO6(80)), .mss = 1220, .ecn_ok = 1),
	ROW("scale 0", SYN_OF(TO4(80), .options = BYTES(3, 3, 0)), .mss = 536, SCALED(0)),
	ROW("scale 255", SYN_OF(TO4(80), .options = BYTES(3, 3, 255)), .mss = 536, SCALED(14)),
	ROW("nothing agreed to", ECN_SYN_OF(TO4(PORT_BARE), .options = LINUX_OPTIONS), .mss = 1460),
};

static void cookies_hand_over_what_they_carry(void **state)
{
	uint8_t timestamps[12];
	struct outcome o;
	struct frame f;

	for (size_t i = 0; i < COUNT(carried); i++) {
		struct frame_spec ack = harness_answer(*state, &carried[i].syn, timestamps);
		struct handover expected = carried[i].handover;

		expected.service = carried[i].syn.dest == PORT_BARE ? SLOT_BARE : SLOT_ALWAYS;
		if (expected.tstamp_ok)
			expected.rcv_tsecr = (uint32_t)timestamps[8] << 24 | (uint32_t)timestamps[9] << 16 |
					     (uint32_t)timestamps[10] << 8 | timestamps[11];
		frame_build(&f, &ack);
		harness_expect(*state, carried[i].name, &f, PASS_COOKIE, &o);
		if (memcmp(&o.handover, &expected, sizeof(expected)))
			fail_msg("%s: handed over something else", carried[i].name);
	}
}

static void cookies_of_all_kinds_of_ack(void **state)
{
	static const struct frame_spec syn = { TO4(80), .flags = SYN };
	struct frame_spec ack = harness_answer(*state, &syn, NULL);

	harness_expect_spec(*state, "ACK", &ack, PASS_COOKIE);
	harness_expect_spec(*state, "replayed: tc knows", &ack, PASS_COOKIE);
	ack.payload = (struct bytes)HELLO;
	ack.flags = ACK | PSH;
	harness_expect_spec(*state, "with data", &ack, PASS_COOKIE);
	ack.vlans = 2;
	harness_expect_spec(*state, "tagged", &ack, PASS_COOKIE);
	ack.flags = RST | ACK;
	harness_expect_spec(*state, "RST", &ack, DROP_STRAY_RST);
	ack.flags = SYN | ACK;
	harness_expect_spec(*state, "SYN-ACK", &ack, DROP_STRAY_SYNACK);
	ack.flags = ACK;
	ack.options = (struct bytes)BYTES(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2);
	harness_expect_spec(*state, "timestamps that were never offered", &ack, DROP_BAD_COOKIE);
}

static void set_mitigation(struct harness *h, enum mitigation mitigation)
{
	fastpath_state(h->fastpath, SLOT_AUTO)->mitigation = mitigation;
}

static void cookies_validate_in_grace_and_bypass(void **state)
{
	static const struct frame_spec syn = { TO4(PORT_AUTO), .flags = SYN };
	struct harness *h = *state;
	struct frame_spec ack;

	set_mitigation(h, MITIGATION_ACTIVE);
	ack = harness_answer(h, &syn, NULL);
	set_mitigation(h, MITIGATION_GRACE);
	harness_expect_spec(h, "grace", &ack, PASS_COOKIE);
	h->runtime.bypass = 1;
	harness_publish(h);
	harness_expect_spec(h, "grace, bypass", &ack, PASS_COOKIE);
	set_mitigation(h, MITIGATION_ACTIVE);
	harness_expect_spec(h, "bypass", &ack, PASS_COOKIE);
	set_mitigation(h, MITIGATION_IDLE);
	harness_expect_spec(h, "idle", &ack, PASS_OPEN);
}

/* A new incarnation of a tuple whose old one was just closed shows its cookie. */
static void a_cookie_comes_before_a_closing_flow(void **state)
{
	static const struct frame_spec syn = { TO4(80), .flags = SYN };
	struct frame_spec fin = { .saddr = SERVER4, .daddr = CLIENT4, .source = 80, .dest = 40000 };
	struct frame_spec ack = { TO4(80), .flags = ACK };
	struct harness *h = *state;
	struct frame f;

	fin.flags = ACK;
	frame_build(&f, &fin);
	harness_run_tc(h, FASTPATH_TC_EGRESS, &f);
	fin.flags = FIN | ACK;
	frame_build(&f, &fin);
	harness_run_tc(h, FASTPATH_TC_EGRESS, &f);
	harness_expect_spec(h, "the old one's last ACK", &ack, PASS_FLOW);
	ack = harness_answer(h, &syn, NULL);
	harness_expect_spec(h, "the new one's third ACK", &ack, PASS_COOKIE);
	ack.ack++;
	harness_expect_spec(h, "closing was forgotten", &ack, DROP_BAD_COOKIE);
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cookies_hand_over_what_they_carry),
		TEST(cookies_of_all_kinds_of_ack),
		TEST(cookies_validate_in_grace_and_bypass),
		TEST(a_cookie_comes_before_a_closing_flow),
	};

	return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
