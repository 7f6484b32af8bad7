// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inline, forward = "route": what is ours leaves with the MAC addresses that the FIB says and one hop less to
 * live; what is not ours, too big for the way out, or at the end of its life reaches the kernel as it came.
 */
#include <string.h>

#include "tests/bpf/dialogue.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void connections_are_routed(void **state)
{
	static const struct said words[] = {
		{ "data", .flags = ACK | PSH, .length = 999, .nops = 2, .tick = 1 },
		{ "SACK", .flags = ACK, .ack = 7, .nops = 1, .blocks = 2, .tick = 1 },
		{ "zero window", .flags = ACK, .zero_window = true },
	};

	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "routed", v6, 0);

		dialogue_open(&d);
		for (size_t i = 0; i < COUNT(words); i++) {
			dialogue_say(&d, PORT_OUTSIDE, &words[i], PASS_TRANSLATED);
			dialogue_say(&d, PORT_INSIDE, &words[i], PASS_TRANSLATED);
		}
		dialogue_expect_state(&d, d.name, CONNECTION_ESTABLISHED);
	}
}

static void early_data_are_routed(void **state)
{
	static const struct bytes hello = { (const uint8_t *)"hello", 5 };

	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "early data", v6, 0);

		dialogue_begin(&d);
		dialogue_ask(&d);
		dialogue_prove(&d, &hello);
		dialogue_answer(&d);
	}
}

/* The kernel sends "fragmentation needed" or "packet too big": it must quote what the server has sent. */
static void what_is_too_big_is_left_to_the_kernel(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct dialogue d = dialogue_new(*state, "too big", v6, 0);
		size_t most = ROUTED_MTU_OUTSIDE - (v6 ? 40 : 20) - 32;
		struct said s = { "as large as may be", .flags = ACK, .nops = 2, .length = most };

		dialogue_open(&d);
		dialogue_say(&d, PORT_INSIDE, &s, PASS_TRANSLATED);
		s.name = "too big";
		s.length++;
		dialogue_say(&d, PORT_INSIDE, &s, PASS_ROUTED);
		s.name = "towards the server it is not";
		dialogue_say(&d, PORT_OUTSIDE, &s, PASS_TRANSLATED);
	}
}

static void set_hops(struct frame *f, bool v6, uint8_t hops)
{
	f->bytes[v6 ? 21 : 22] = hops;
	frame_repair(f);
}

/* The kernel says "time exceeded", and quotes what was sent; no frame leaves with nothing to live. */
static void hops_run_out(void **state)
{
	static const struct said s = { "TTL", .flags = ACK, .length = 10, .nops = 2 };

	for (int i = 0; i < 4; i++) {
		enum port from = i & 2 ? PORT_INSIDE : PORT_OUTSIDE;
		struct dialogue d = dialogue_new(*state, "TTL", i & 1, 0);
		struct frame in, out;

		appliance_forget(*state);
		dialogue_open(&d);
		dialogue_build(&d, from, &s, &in, &out);
		set_hops(&in, d.v6, 2);
		set_hops(&out, d.v6, 1);
		appliance_expect(*state, "two hops left", from, &in, PASS_TRANSLATED, &out);
		set_hops(&in, d.v6, 1);
		appliance_expect(*state, "one hop left", from, &in, PASS_ROUTED, NULL);
	}
}

/* Everything else goes through the kernel's own routing, unchanged. */
static void what_is_not_ours_is_left_to_the_kernel(void **state)
{
	struct dialogue d = dialogue_new(*state, "not ours", false, 0);
	struct frame_spec s = dialogue_client_frame(&d, ACK, 1, 1);

	appliance_expect_spec(*state, "unknown", PORT_OUTSIDE, &s, PASS_UNKNOWN);
	s.dest = PORT_FREE;
	appliance_expect_spec(*state, "no service", PORT_OUTSIDE, &s, PASS_NO_SERVICE);
	s.dest = PORT_AUTO;
	s.flags = SYN;
	appliance_expect_spec(*state, "below the marks", PORT_OUTSIDE, &s, PASS_OPEN);
	s = dialogue_server_frame(&d, SYN | ACK, 5, 2);
	s.source = PORT_AUTO;
	appliance_expect_spec(*state, "its answer", PORT_INSIDE, &s, PASS_FLOW);
	s.protocol = 17;
	appliance_expect_spec(*state, "UDP", PORT_INSIDE, &s, PASS_NOT_TCP);
}

#define TEST(name) cmocka_unit_test_setup(name, appliance_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(connections_are_routed),
		TEST(early_data_are_routed),
		TEST(what_is_too_big_is_left_to_the_kernel),
		TEST(hops_run_out),
		TEST(what_is_not_ours_is_left_to_the_kernel),
	};

	harness_forward = FORWARD_ROUTE;
	return cmocka_run_group_tests(tests, appliance_set_up, appliance_tear_down);
}
