// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets of several buffers: judged as any other, handed over with metadata, and never answered by what lies
 * beyond the first buffer.
 */
#include <string.h>

#include "tests/bpf/harness.h"

#define TO4(port) .saddr = CLIENT4, .daddr = SERVER4, .source = 40000, .dest = (port)
#define TO6(port) .saddr = CLIENT6, .daddr = SERVER6, .source = 40000, .dest = (port)

static const uint8_t data[8900];

static struct bytes payload(size_t length)
{
	return (struct bytes){ data, length };
}

static void segments_are_judged(void **state)
{
	struct frame_spec ack = { TO4(80), .flags = ACK, .payload = payload(8900) };
	struct frame_spec vouch = {
		.saddr = SERVER4, .daddr = CLIENT4, .source = 80, .dest = 40000, .flags = ACK
	};
	struct harness *h = *state;
	struct frame f;

	harness_expect_spec(h, "no cookie", &ack, DROP_BAD_COOKIE);
	frame_build(&f, &vouch);
	harness_run_tc(h, FASTPATH_TC_EGRESS, &f);
	harness_expect_spec(h, "verified", &ack, PASS_FLOW);
	ack.dest = PORT_FREE;
	harness_expect_spec(h, "no service", &ack, PASS_NO_SERVICE);
}

static void cookies_are_handed_over(void **state)
{
	static const struct frame_spec syns[] = { { TO4(80), .flags = SYN }, { TO6(80), .flags = SYN } };

	for (size_t i = 0; i < 2; i++) {
		struct frame_spec ack = harness_answer(*state, &syns[i], NULL);

		ack.payload = payload(8900);
		harness_expect_spec(*state, "third ACK with data", &ack, PASS_COOKIE);
	}
}

static void lengths_beyond_all_buffers_are_refused(void **state)
{
	struct frame_spec ack = { TO4(80), .flags = ACK, .payload = payload(8900) };
	struct frame f;

	frame_build(&f, &ack);
	f.length--;
	harness_expect(*state, "cut", &f, DROP_MALFORMED, NULL);
}

/* Only what lies in the first buffer can be summed; no client sends so much in a SYN. */
static void long_syns_are_not_answered(void **state)
{
	struct frame_spec syn = { TO4(80), .flags = SYN, .payload = payload(2000) };

	harness_expect_spec(*state, "in one buffer", &syn, TX_SYNACK);
	syn.payload = payload(8000);
	harness_expect_spec(*state, "in several", &syn, DROP_BAD_CHECKSUM);
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(segments_are_judged),
		TEST(cookies_are_handed_over),
		TEST(lengths_beyond_all_buffers_are_refused),
		TEST(long_syns_are_not_answered),
	};

	harness_frags = true;
	return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
