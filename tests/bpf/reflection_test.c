// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reflection and Smurf: SYN-ACKs, RSTs and echo replies that nobody asked for, echo requests to many, and the
 * budget of SYN-ACKs for one prefix; in host mode and inline, IPv4 and IPv6, with and without VLAN tags.
 */
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "tests/bpf/harness.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define PORT_OWN     50000 /* of a connection that the server opened */
#define PEER_PORT    443

enum { ECHO_ID = 0x1234 };

/* The host's programs, or the inline ones in their places. */
struct side {
	struct harness *h;
	bool inlined;
};

static struct harness inline_harness;
static struct side deployments[2];

static void set_policies(struct harness *h, enum policy_mode mode)
{
	h->runtime.policy[POLICY_REFLECTION] = (uint8_t)mode;
	h->runtime.policy[POLICY_SMURF] = (uint8_t)mode;
	h->runtime.synack_pps = 1000000;
	for (uint32_t slot = 1; slot < SLOT_COUNT; slot++)
		h->services[slot].reflection = (uint8_t)mode;
	harness_publish(h);
}

/* A frame that leaves the protected side. */
static void send_out(const struct side *d, const struct frame *frame)
{
	if (!d->inlined) {
		harness_run_tc(d->h, FASTPATH_TC_EGRESS, frame);
	} else {
		int outside = d->h->xdp;

		d->h->xdp = d->h->programs[FASTPATH_XDP_INSIDE];
		harness_run_bare(d->h, frame, NULL);
		d->h->xdp = outside;
	}
}

static void expect(const struct side *d, const char *name, const struct frame_spec *spec,
		   enum verdict verdict, int would)
{
	static struct outcome o;
	struct frame f;

	frame_build(&f, spec);
	harness_run(d->h, &f, &o);
	if (o.verdict != verdict || o.would != would)
		fail_msg("%s, %s, IPv%d: %s, would be %s; not %s, %s", d->inlined ? "inline" : "host", name,
			 strchr(spec->daddr, ':') ? 6 : 4, harness_verdict_word((int)o.verdict),
			 harness_verdict_word(o.would), harness_verdict_word((int)verdict),
			 harness_verdict_word(would));
}

/* In each mode; PASS is what becomes of it otherwise. */
static void expect_policy(const struct side *d, const char *name, const struct frame_spec *spec,
			  enum verdict fault, enum verdict pass)
{
	set_policies(d->h, POLICY_OFF);
	expect(d, name, spec, pass, -1);
	set_policies(d->h, POLICY_MONITOR);
	expect(d, name, spec, pass, (int)fault);
	set_policies(d->h, POLICY_ENFORCE);
	expect(d, name, spec, fault, -1);
	d->h->runtime.bypass = 1;
	harness_publish(d->h);
	expect(d, name, spec, pass, -1);
	d->h->runtime.bypass = 0;
	harness_publish(d->h);
}

#define EACH(d, v6)                                                                                          \
	for (struct side *d = deployments; d < deployments + 2; d++)                                         \
		for (int v6 = 0; v6 < 2; v6++)

/* --- TCP --- */

static struct frame_spec answer(int v6, uint16_t port, uint8_t flags, unsigned int vlans)
{
	return (struct frame_spec){ .saddr = v6 ? CLIENT6 : CLIENT4,
				    .daddr = v6 ? SERVER6 : SERVER4,
				    .source = PEER_PORT,
				    .dest = port,
				    .flags = flags,
				    .vlans = vlans };
}

/* What the server sent for it to be an answer. */
static struct frame_spec question(int v6, uint16_t port, uint8_t flags)
{
	return (struct frame_spec){ .saddr = v6 ? SERVER6 : SERVER4,
				    .daddr = v6 ? CLIENT6 : CLIENT4,
				    .source = port,
				    .dest = PEER_PORT,
				    .flags = flags,
				    .reply = true };
}

static void answers_that_nobody_asked_for(void **state)
{
	(void)state;
	EACH(d, v6)
	{
		for (unsigned int vlans = 0; vlans < 3; vlans++) {
			struct frame_spec synack = answer(v6, PORT_OWN, SYN | ACK, vlans);
			struct frame_spec rst = answer(v6, PORT_OWN, RST | ACK, vlans);

			expect_policy(d, "SYN-ACK", &synack, DROP_STRAY_SYNACK, PASS_NO_SERVICE);
			expect_policy(d, "RST", &rst, DROP_STRAY_RST, PASS_NO_SERVICE);
			synack.dest = rst.dest = PORT_AUTO;
			expect_policy(d, "SYN-ACK to a service", &synack, DROP_STRAY_SYNACK, PASS_OPEN);
			expect_policy(d, "RST to a service", &rst, DROP_STRAY_RST, PASS_OPEN);
		}
	}
}

static void other_addresses_and_segments_are_not_judged(void **state)
{
	(void)state;
	EACH(d, v6)
	{
		struct frame_spec spec = answer(v6, PORT_OWN, SYN | ACK, 0);

		set_policies(d->h, POLICY_ENFORCE);
		spec.daddr = v6 ? "fd00:2::1" : "10.2.0.1";
		expect(d, "of no service", &spec, PASS_NO_SERVICE, -1);
		spec = answer(v6, PORT_OWN, ACK, 0);
		expect(d, "ACK", &spec, PASS_NO_SERVICE, -1);
		spec.flags = SYN;
		expect(d, "SYN", &spec, PASS_NO_SERVICE, -1);
	}
}

static void answers_to_what_was_sent_pass(void **state)
{
	(void)state;
	EACH(d, v6)
	{
		uint16_t port = (uint16_t)(PORT_OWN + 1);
		struct frame_spec syn = question(v6, port, SYN), rst = question(v6, port, RST);
		struct frame_spec synack = answer(v6, port, SYN | ACK, 0);
		struct frame f;

		set_policies(d->h, POLICY_ENFORCE);
		frame_build(&f, &rst);
		send_out(d, &f);
		expect(d, "a RST asks for nothing", &synack, DROP_STRAY_SYNACK, -1);
		frame_build(&f, &syn);
		send_out(d, &f);
		expect(d, "SYN-ACK", &synack, PASS_NO_SERVICE, -1);
		synack.flags = RST | ACK;
		expect(d, "refusal", &synack, PASS_NO_SERVICE, -1);
		synack.source++;
		expect(d, "another port's", &synack, DROP_STRAY_RST, -1);
	}
}

static void nothing_is_remembered_while_the_policy_is_off(void **state)
{
	(void)state;
	EACH(d, v6)
	{
		struct frame_spec syn = question(v6, PORT_OWN + 2, SYN);
		struct frame_spec synack = answer(v6, PORT_OWN + 2, SYN | ACK, 0);
		struct frame f;

		set_policies(d->h, POLICY_OFF);
		frame_build(&f, &syn);
		send_out(d, &f);
		set_policies(d->h, POLICY_ENFORCE);
		expect(d, "SYN-ACK", &synack, DROP_STRAY_SYNACK, -1);
	}
}

/* On a host the kernel knows sockets that are older than us, as far as it may be asked. */
static void sockets_vouch_for_answers(void **state)
{
	const struct side *d = &deployments[0];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PEER_PORT) };
	struct sockaddr_in from = { 0 };
	socklen_t length = sizeof(from);
	struct frame_spec synack;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)state;
	to.sin_addr.s_addr = htonl(0x0a010709); /* CLIENT4 */
	set_policies(d->h, POLICY_ENFORCE);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&from, &length), 0);
	synack = answer(0, ntohs(from.sin_port), SYN | ACK, 0);
	expect(d, "SYN-ACK to a socket", &synack, PASS_NO_SERVICE, -1);
	close(fd);
	synack.source++;
	d->h->runtime.lookups_per_s = 0;
	harness_publish(d->h);
	expect(d, "beyond the budget", &synack, DROP_LOOKUP_BUDGET, -1);
}

/* --- ICMP echo --- */

static struct frame_spec echo(int v6, bool reply, uint8_t message[8])
{
	static const uint8_t types[2][2] = { { 8, 0 }, { 128, 129 } };

	memcpy(message, (uint8_t[8]){ types[v6][reply], 0, 0, 0, ECHO_ID >> 8, ECHO_ID & 255, 0, 1 }, 8);
	return (struct frame_spec){ .saddr = v6 ? CLIENT6 : CLIENT4,
				    .daddr = v6 ? SERVER6 : SERVER4,
				    .protocol = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
				    .payload = { message, 8 } };
}

static void echo_replies(void **state)
{
	(void)state;
	EACH(d, v6)
	{
		uint8_t message[8];
		struct frame_spec reply = echo(v6, true, message);
		struct frame f;

		for (reply.vlans = 0; reply.vlans < 3; reply.vlans++)
			expect_policy(d, "echo reply", &reply, DROP_ECHO_REPLY, PASS_NOT_TCP);
		reply.vlans = 0;
		set_policies(d->h, POLICY_ENFORCE);
		reply = echo(v6, false, message);
		expect(d, "echo request", &reply, PASS_NOT_TCP, -1);
		reply.saddr = v6 ? SERVER6 : SERVER4;
		reply.daddr = v6 ? CLIENT6 : CLIENT4;
		frame_build(&f, &reply);
		send_out(d, &f);
		reply = echo(v6, true, message);
		expect(d, "echo reply that was asked for", &reply, PASS_NOT_TCP, -1);
		message[5]++;
		expect(d, "with another id", &reply, DROP_ECHO_REPLY, -1);
		message[0] = v6 ? 1 : 3;
		expect(d, "an error", &reply, PASS_NOT_TCP, -1);
		reply = echo(v6, true, message);
		reply.daddr = v6 ? "fd00:2::1" : "10.2.0.1";
		expect(d, "to no service's address", &reply, PASS_NOT_TCP, -1);
	}
}

static void echoes_to_many(void **state)
{
	static const char *const many4[] = { "255.255.255.255", "224.0.0.1", "239.1.2.3", "10.1.255.255" };

	(void)state;
	EACH(d, v6)
	{
		uint8_t message[8];
		struct frame_spec request = echo(v6, false, message);

		d->h->runtime.broadcast[0] = htonl(0x0a01ffff); /* 10.1.255.255 */
		if (v6) {
			request.daddr = "ff02::1";
			expect_policy(d, "multicast", &request, DROP_ECHO_BROADCAST, PASS_NOT_TCP);
			message[0] = 135; /* neighbour solicitation */
			expect(d, "neighbour discovery", &request, PASS_NOT_TCP, -1);
			continue;
		}
		for (size_t i = 0; i < COUNT(many4); i++) {
			request.daddr = many4[i];
			expect_policy(d, many4[i], &request, DROP_ECHO_BROADCAST, PASS_NOT_TCP);
		}
		request.daddr = "10.1.255.254";
		set_policies(d->h, POLICY_ENFORCE);
		expect(d, "to one", &request, PASS_NOT_TCP, -1);
	}
}

static void echoes_to_a_group_of_the_link(void **state)
{
	(void)state;
	for (struct side *d = deployments; d < deployments + 2; d++) {
		uint8_t message[8];
		struct frame_spec request = echo(0, false, message);
		struct outcome o;
		struct frame f;

		set_policies(d->h, POLICY_ENFORCE);
		frame_build(&f, &request);
		memset(f.bytes, 0xff, 6);
		harness_run(d->h, &f, &o);
		assert_int_equal(o.verdict, DROP_ECHO_BROADCAST);
	}
}

/* --- the budget of SYN-ACKs --- */

static unsigned int count_answers(const struct side *d, const char *const sources[2], unsigned int syns,
				  int would)
{
	unsigned int answered = 0;
	struct outcome o;
	struct frame f;

	for (unsigned int i = 0; i < syns; i++) {
		const char *source = sources[i & 1];
		struct frame_spec spec = { .saddr = source,
					   .daddr = strchr(source, ':') ? SERVER6 : SERVER4,
					   .source = (uint16_t)(1024 + i),
					   .dest = PORT_ALWAYS,
					   .flags = SYN };

		frame_build(&f, &spec);
		harness_run(d->h, &f, &o);
		if (o.verdict == TX_SYNACK && o.would == would)
			answered++;
		else if (o.verdict != (would < 0 ? DROP_SYNACK_BUDGET : TX_SYNACK))
			fail_msg("%s", harness_verdict_word((int)o.verdict));
	}
	return answered;
}

/* A quarter of a second's worth at once, and what the test's own time brings. */
static void a_prefix_gets_its_share(void **state)
{
	static const char *const one[2][2] = { { "172.16.1.1", "172.16.1.200" },
					       { "2001:db8:1:1::1", "2001:db8:1:1:8000::1" } };
	static const char *const other[2][2] = { { "172.16.2.1", "172.16.2.1" },
						 { "2001:db8:1:2::1", "2001:db8:1:2::1" } };

	(void)state;
	EACH(d, v6)
	{
		set_policies(d->h, POLICY_ENFORCE);
		d->h->runtime.synack_pps = 40;
		harness_publish(d->h);
		assert_in_range(count_answers(d, one[v6], 100, -1), 10, 50);
		assert_int_equal(count_answers(d, other[v6], 4, -1), 4);
		set_policies(d->h, POLICY_MONITOR);
		d->h->runtime.synack_pps = 40;
		harness_publish(d->h);
		assert_in_range(count_answers(d, one[v6], 100, DROP_SYNACK_BUDGET), 50, 100);
		set_policies(d->h, POLICY_OFF);
		assert_int_equal(count_answers(d, one[v6], 100, -1), 100);
	}
}

/* --- inline set-up: beside the host's --- */

static int set_up(void **state)
{
	if (harness_set_up(state))
		return -1;
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

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_that_nobody_asked_for),
		TEST(other_addresses_and_segments_are_not_judged),
		TEST(answers_to_what_was_sent_pass),
		TEST(nothing_is_remembered_while_the_policy_is_off),
		TEST(sockets_vouch_for_answers),
		TEST(echo_replies),
		TEST(echoes_to_many),
		TEST(echoes_to_a_group_of_the_link),
		TEST(a_prefix_gets_its_share),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
