// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Policy of protected prefixes: ports that no service declares are closed to all but answers, and servers
 * connect only to where they may, at a rate, under their own addresses; in host mode and inline, IPv4 and
 * IPv6.
 */
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "tests/bpf/harness.h"

#define PORT_OWN   50000
#define NEIGHBOUR4 "10.1.0.77" /* protected, of no service */
#define NEIGHBOUR6 "fd00:1:0:1::77"
#define ELSEWHERE4 "10.2.0.1"
#define ELSEWHERE6 "fd00:2::1"

struct side {
	struct harness *h;
	bool inlined;
};

static struct harness inline_harness;
static struct side deployments[2];
static struct prefix inside[3], outside[2];
static struct config_protected protected = {
	.prefixes = inside, .prefix_count = 3, .outward_to = outside, .outward_to_count = 2
};

#define EACH(d, v6)                                                                                          \
	for (struct side *d = deployments; d < deployments + 2; d++)                                         \
		for (int v6 = 0; v6 < 2; v6++)

static struct frame_spec segment(int v6, const char *to4, const char *to6, uint16_t port, uint8_t flags)
{
	return (struct frame_spec){ .saddr = v6 ? CLIENT6 : CLIENT4,
				    .daddr = v6 ? to6 : to4,
				    .source = 443,
				    .dest = port,
				    .flags = flags };
}

static void expect(const struct side *d, const char *name, const struct frame_spec *spec,
		   enum verdict verdict, int would)
{
	static struct outcome o;
	struct frame f;

	frame_build(&f, spec);
	harness_run(d->h, &f, &o);
	if (o.verdict != verdict || o.would != would)
		fail_msg("%s, %s to %s: %s, would be %s; not %s, %s", d->inlined ? "inline" : "host", name,
			 spec->daddr, harness_verdict_word((int)o.verdict), harness_verdict_word(o.would),
			 harness_verdict_word((int)verdict), harness_verdict_word(would));
}

/* Of the one entry that there is. */
static struct guard_counters counted(const struct side *d)
{
	struct guard_counters c;

	assert_int_equal(fastpath_read_guard(d->h->fastpath, 0, &c), 0);
	return c;
}

/* REASON: by which one packet was counted since, or -1. */
static void expect_counted(const struct side *d, const struct guard_counters *before, enum policy_mode mode,
			   int reason)
{
	struct guard_counters after = counted(d);

	for (int r = 0; r < GUARD_REASONS; r++) {
		assert_int_equal(after.dropped[r] - before->dropped[r],
				 mode == POLICY_ENFORCE && r == reason);
		assert_int_equal(after.would[r] - before->would[r], mode == POLICY_MONITOR && r == reason);
	}
}

static void set_closed(const struct side *d, enum policy_mode mode)
{
	d->h->guards[0] = (struct guard){ .closed = (uint8_t)mode };
	harness_publish(d->h);
}

static void expect_closed(const struct side *d, const char *name, const struct frame_spec *spec)
{
	struct guard_counters before = counted(d);

	set_closed(d, POLICY_OFF);
	expect(d, name, spec, PASS_NO_SERVICE, -1);
	expect_counted(d, &before, POLICY_OFF, -1);
	set_closed(d, POLICY_MONITOR);
	expect(d, name, spec, PASS_NO_SERVICE, DROP_CLOSED);
	expect_counted(d, &before, POLICY_MONITOR, GUARD_CLOSED);
	before = counted(d);
	set_closed(d, POLICY_ENFORCE);
	expect(d, name, spec, DROP_CLOSED, -1);
	expect_counted(d, &before, POLICY_ENFORCE, GUARD_CLOSED);
	d->h->runtime.bypass = 1;
	harness_publish(d->h);
	expect(d, name, spec, PASS_NO_SERVICE, -1);
	d->h->runtime.bypass = 0;
	harness_publish(d->h);
}

/* --- closed --- */

static void other_ports_are_closed(void **state)
{
	static const uint8_t flags[] = { SYN, ACK, SYN | ACK, RST, FIN | ACK };

	(void)state;
	EACH(d, v6)
	{
		for (size_t i = 0; i < sizeof(flags); i++) {
			struct frame_spec s = segment(v6, SERVER4, SERVER6, PORT_FREE, flags[i]);

			for (s.vlans = 0; s.vlans < 3; s.vlans++)
				expect_closed(d, "a service's address", &s);
			s = segment(v6, NEIGHBOUR4, NEIGHBOUR6, PORT_ALWAYS, flags[i]);
			expect_closed(d, "an address of no service", &s);
		}
	}
}

static void all_else_stays_open(void **state)
{
	(void)state;
	EACH(d, v6)
	{
		struct frame_spec s = segment(v6, SERVER4, SERVER6, PORT_AUTO, SYN);

		set_closed(d, POLICY_ENFORCE);
		expect(d, "a service", &s, PASS_OPEN, -1);
		s = segment(v6, ELSEWHERE4, ELSEWHERE6, PORT_FREE, SYN);
		expect(d, "an address that is not protected", &s, PASS_NO_SERVICE, -1);
		s = segment(v6, SERVER4, SERVER6, PORT_FREE, 0);
		s.protocol = IPPROTO_UDP;
		expect(d, "UDP", &s, PASS_NOT_TCP, -1);
	}
}

/* Or a SYN in two pieces would be a way round. */
static void fragments_are_closed_out(void **state)
{
	(void)state;
	for (struct side *d = deployments; d < deployments + 2; d++) {
		struct frame_spec s = segment(0, NEIGHBOUR4, NULL, PORT_ALWAYS, SYN);

		s.fragment = FRAME_MF;
		expect_closed(d, "fragment", &s);
	}
}

static void send_out(const struct side *d, const struct frame_spec *spec)
{
	struct frame f;

	frame_build(&f, spec);
	if (!d->inlined) {
		harness_run_tc(d->h, FASTPATH_TC_EGRESS, &f);
	} else {
		int xdp = d->h->xdp;

		d->h->xdp = d->h->programs[FASTPATH_XDP_INSIDE];
		harness_run_bare(d->h, &f, NULL);
		d->h->xdp = xdp;
	}
}

static struct frame_spec outward(int v6, const char *to4, const char *to6, uint16_t port, uint8_t flags)
{
	return (struct frame_spec){ .saddr = v6 ? SERVER6 : SERVER4,
				    .daddr = v6 ? to6 : to4,
				    .source = PORT_OWN,
				    .dest = port,
				    .flags = flags,
				    .reply = true };
}

static void answers_come_in(void **state)
{
	(void)state;
	EACH(d, v6)
	{
		struct frame_spec out = outward(v6, CLIENT4, CLIENT6, 443, ACK);
		struct frame_spec in = segment(v6, SERVER4, SERVER6, PORT_OWN, ACK);

		set_closed(d, POLICY_ENFORCE);
		expect(d, "before", &in, DROP_CLOSED, -1);
		send_out(d, &out);
		expect(d, "after", &in, PASS_NO_SERVICE, -1);
		in.source++;
		expect(d, "another's", &in, DROP_CLOSED, -1);
	}
}

/* An SSH session that is older than the policy. */
static void sockets_of_a_host_stay_open(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(443) }, from = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socklen_t length = sizeof(from);
	struct frame_spec in;

	(void)state;
	to.sin_addr.s_addr = htonl(0x0a010709); /* CLIENT4 */
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&from, &length), 0);
	in = segment(0, SERVER4, NULL, ntohs(from.sin_port), ACK);
	set_closed(&deployments[0], POLICY_ENFORCE);
	expect(&deployments[0], "to a socket", &in, PASS_NO_SERVICE, -1);
	close(fd);
	in.source++;
	deployments[0].h->runtime.lookups_per_s = 0;
	harness_publish(deployments[0].h);
	expect(&deployments[0], "beyond the budget", &in, DROP_LOOKUP_BUDGET, -1);
}

/* --- outward --- */

static void set_outward(const struct side *d, enum policy_mode mode, uint32_t syn_pps)
{
	struct guard g = { .outward = (uint8_t)mode, .span_count = 2, .syn_pps = syn_pps };

	g.spans[0].first = g.spans[0].last = 53;
	g.spans[1].first = 440;
	g.spans[1].last = 443;
	d->h->guards[0] = g;
	d->h->runtime.policy[POLICY_SOURCE] = (uint8_t)mode;
	harness_publish(d->h);
}

/* FAULT: that the policy finds, or -1. */
static void expect_outward(const struct side *d, enum policy_mode mode, const struct frame_spec *spec,
			   int fault, const char *name)
{
	struct outward_counters before, after;
	struct outcome o;
	struct frame f;
	int action;

	frame_build(&f, spec);
	if (d->inlined) {
		int xdp = d->h->xdp;

		d->h->xdp = d->h->programs[FASTPATH_XDP_INSIDE];
		harness_run(d->h, &f, &o);
		d->h->xdp = xdp;
		if (mode == POLICY_ENFORCE && fault >= 0 ? (int)o.verdict != fault : o.verdict >= TX_SYNACK)
			fail_msg("%s: %s", name, harness_verdict_word((int)o.verdict));
		assert_int_equal(o.would, mode == POLICY_MONITOR ? fault : -1);
		return;
	}
	assert_int_equal(fastpath_read_outward(d->h->fastpath, &before), 0);
	action = harness_run_tc(d->h, FASTPATH_TC_EGRESS, &f);
	assert_int_equal(fastpath_read_outward(d->h->fastpath, &after), 0);
	if (action != (mode == POLICY_ENFORCE && fault >= 0 ? 2 : -1))
		fail_msg("%s, %s: action %d", name, spec->daddr, action);
	for (int v = 0; v < VERDICT_COUNT; v++) {
		assert_int_equal(after.dropped[v] - before.dropped[v], mode == POLICY_ENFORCE && v == fault);
		assert_int_equal(after.would[v] - before.would[v], mode == POLICY_MONITOR && v == fault);
	}
}

static void expect_outward_modes(const struct side *d, const struct frame_spec *spec, int fault,
				 const char *name)
{
	for (int mode = POLICY_OFF; mode <= POLICY_ENFORCE; mode++) {
		struct guard_counters before = counted(d);

		set_outward(d, (enum policy_mode)mode, 0);
		expect_outward(d, (enum policy_mode)mode, spec, mode ? fault : -1, name);
		expect_counted(d, &before, (enum policy_mode)mode,
			       fault == DROP_OUTWARD_DESTINATION ? GUARD_DESTINATION : -1);
	}
	d->h->runtime.bypass = 1;
	harness_publish(d->h);
	expect_outward(d, POLICY_OFF, spec, -1, name);
	d->h->runtime.bypass = 0;
}

static void servers_connect_where_they_may(void **state)
{
	(void)state;
	EACH(d, v6)
	{
		struct frame_spec s = outward(v6, CLIENT4, CLIENT6, 443, SYN);

		expect_outward_modes(d, &s, -1, "allowed");
		s.dest = 53;
		expect_outward_modes(d, &s, -1, "allowed, another port");
		s.dest = 25;
		expect_outward_modes(d, &s, DROP_OUTWARD_DESTINATION, "another port");
		s.flags = ACK;
		expect_outward_modes(d, &s, -1, "no SYN");
		s = outward(v6, ELSEWHERE4, ELSEWHERE6, 443, SYN);
		expect_outward_modes(d, &s, DROP_OUTWARD_DESTINATION, "another destination");
		s.vlans = 1;
		expect_outward_modes(d, &s, DROP_OUTWARD_DESTINATION, "another destination, tagged");
	}
}

static void servers_use_their_own_addresses(void **state)
{
	(void)state;
	EACH(d, v6)
	{
		struct frame_spec s = outward(v6, CLIENT4, CLIENT6, 443, ACK);

		s.saddr = v6 ? NEIGHBOUR6 : NEIGHBOUR4;
		expect_outward_modes(d, &s, -1, "a protected one");
		s.saddr = v6 ? ELSEWHERE6 : ELSEWHERE4;
		expect_outward_modes(d, &s, DROP_OUTWARD_SOURCE, "a forged one");
		s.protocol = IPPROTO_UDP;
		expect_outward_modes(d, &s, DROP_OUTWARD_SOURCE, "a forged one, UDP");
		s.saddr = v6 ? "fe80::1" : "169.254.1.1";
		expect_outward_modes(d, &s, -1, "link-local");
		s.saddr = v6 ? "::" : "0.0.0.0";
		expect_outward_modes(d, &s, -1, "none yet");
	}
}

static void servers_keep_to_their_rate(void **state)
{
	(void)state;
	for (struct side *d = deployments; d < deployments + 2; d++) {
		uint64_t before = counted(d).dropped[GUARD_RATE];
		int passed = 0;

		set_outward(d, POLICY_ENFORCE, 40);
		for (int i = 0; i < 100; i++) {
			struct frame_spec s = outward(0, CLIENT4, CLIENT6, 443, SYN);
			struct frame f;
			int xdp = d->h->xdp;

			s.source = (uint16_t)(20000 + i);
			frame_build(&f, &s);
			if (d->inlined) {
				static struct outcome o;

				d->h->xdp = d->h->programs[FASTPATH_XDP_INSIDE];
				harness_run(d->h, &f, &o);
				d->h->xdp = xdp;
				assert_true(o.verdict == PASS_NO_SERVICE || o.verdict == DROP_OUTWARD_RATE);
				passed += o.verdict == PASS_NO_SERVICE;
			} else {
				passed += harness_run_tc(d->h, FASTPATH_TC_EGRESS, &f) < 0;
			}
		}
		assert_in_range(passed, 10, 50); /* a quarter of a second's worth, and what the test takes */
		assert_int_equal(counted(d).dropped[GUARD_RATE] - before, 100 - passed);
	}
}

/* --- set-up --- */

static void protect(struct harness *h)
{
	h->protected = &protected;
	h->protected_count = 1;
}

static int reset(void **state)
{
	struct harness *h = *state;

	memset(h->guards, 0, sizeof(h->guards));
	return harness_reset(state);
}

static int set_up(void **state)
{
	if (prefix_parse("10.1.0.0/24", &inside[0]) || prefix_parse("fd00:1::/64", &inside[1]) ||
	    prefix_parse("fd00:1:0:1::/64", &inside[2]) || prefix_parse("10.1.7.0/24", &outside[0]) ||
	    prefix_parse("fd00:1:0:7::/64", &outside[1]) || harness_set_up(state))
		return -1;
	protect(*state);
	if (harness_set_up_inline(*state, &inline_harness))
		return -1;
	deployments[0] = (struct side){ *state, false };
	deployments[1] = (struct side){ &inline_harness, true };
	return 0;
}

static int tear_down(void **state)
{
	fastpath_free(inline_harness.fastpath);
	return harness_tear_down(state);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(other_ports_are_closed),	       TEST(all_else_stays_open),
		TEST(fragments_are_closed_out),	       TEST(answers_come_in),
		TEST(sockets_of_a_host_stay_open),     TEST(servers_connect_where_they_may),
		TEST(servers_use_their_own_addresses), TEST(servers_keep_to_their_rate),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
