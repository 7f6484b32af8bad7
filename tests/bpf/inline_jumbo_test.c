// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inline, packets of several buffers: translated as any other, and never read beyond the first one.
 */
#include <string.h>

#include "tests/bpf/dialogue.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const size_t lengths[] = { 3000, 3500, 4096, 7999, 8900 };

static void segments_are_translated(void **state)
{
	for (int i = 0; i < CARRIERS; i++) {
		struct dialogue d = dialogue_new(*state, dialogue_carriers[i].name, dialogue_carriers[i].v6,
						 dialogue_carriers[i].vlans);
		struct said s = { "large", .flags = ACK | PSH, .nops = 1, .blocks = 1, .tick = 8 };

		dialogue_open(&d);
		for (size_t n = 0; n < COUNT(lengths); n++) {
			s.length = lengths[n];
			dialogue_say(&d, PORT_OUTSIDE, &s, PASS_TRANSLATED);
			dialogue_say(&d, PORT_INSIDE, &s, PASS_TRANSLATED);
		}
		appliance_forget(*state);
	}
}

static void lengths_beyond_all_buffers_are_refused(void **state)
{
	struct dialogue d = dialogue_new(*state, "cut", false, 0);
	struct said s = { "cut", .flags = ACK, .length = 8900 };
	struct frame in, out;

	dialogue_open(&d);
	dialogue_build(&d, PORT_OUTSIDE, &s, &in, &out);
	in.length--;
	appliance_expect(*state, "cut, from the client", PORT_OUTSIDE, &in, DROP_MALFORMED, NULL);
	dialogue_build(&d, PORT_INSIDE, &s, &in, &out);
	in.length--;
	appliance_expect(*state, "cut, from the server", PORT_INSIDE, &in, PASS_NOT_TCP, NULL);
}

/* More than a window of ours, so no client sends it so early: its sum is not known, and nothing begins. */
static void third_acks_of_several_buffers(void **state)
{
	static const uint8_t bytes[8000];
	const struct bytes data = { bytes, sizeof(bytes) };
	struct dialogue d = dialogue_new(*state, "third ACK", false, 0);
	struct frame f;

	dialogue_begin(&d);
	dialogue_ask(&d);
	dialogue_ack_frame(&d, &data, &f);
	appliance_expect(*state, "several buffers", PORT_OUTSIDE, &f, DROP_BAD_CHECKSUM, NULL);
	assert_int_equal(appliance_count(*state), 0);
	dialogue_prove(&d, NULL);
	appliance_expect(*state, "early", PORT_OUTSIDE, &f, DROP_EARLY, NULL);
	dialogue_answer(&d);
}

#define TEST(name) cmocka_unit_test_setup(name, appliance_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(segments_are_translated),
		TEST(lengths_beyond_all_buffers_are_refused),
		TEST(third_acks_of_several_buffers),
	};

	harness_frags = true;
	return cmocka_run_group_tests(tests, appliance_set_up, appliance_tear_down);
}
