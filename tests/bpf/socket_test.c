// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Verdicts that depend on what was before: marks and rates, sockets of the kernel in every state, the table
 * of verified flows, the budget of lookups. Time passes by making flows older, sockets are real ones.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bpf/harness.h"
#include "tests/bpf/wire.h"

#define TO4(port) .saddr = CLIENT4, .daddr = SERVER4, .source = 40000, .dest = (port)
#define TO6(port) .saddr = CLIENT6, .daddr = SERVER6, .source = 40000, .dest = (port)
#define TCP_MD5	  BYTES(19, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1, 1)

/* --- TCP-MD5 and TCP-AO over their rate --- */

static void tcp_auth_has_a_rate(void **state)
{
	const struct frame_spec syn = { TO4(PORT_AUTH), .flags = SYN, .options = TCP_MD5 };
	struct harness *h = *state;
	struct outcome o;
	struct frame f;
	int passed = 0;

	frame_build(&f, &syn);
	for (int i = 0; i < 40; i++) {
		harness_run(h, &f, &o);
		passed += o.verdict == PASS_TCP_AUTH;
	}
	assert_int_equal(o.verdict, DROP_TCP_AUTH);
	assert_in_range(passed, 8, 16); /* two where a second ends meanwhile */
}

/* --- mode auto: the marks --- */

static void a_rate_above_the_mark_begins_mitigation(void **state)
{
	static const struct frame_spec syn = { TO4(PORT_AUTO), .flags = SYN };
	struct harness *h = *state;
	struct outcome o;
	struct frame f;
	int passed = 0;

	h->services[SLOT_AUTO].syn_rate_high = 80; /* ten in an eighth of a second */
	harness_publish(h);
	frame_build(&f, &syn);
	for (int i = 0; i < 40; i++) {
		harness_run(h, &f, &o);
		if (o.verdict == TX_SYNACK)
			break;
		passed++;
	}
	assert_int_equal(o.verdict, TX_SYNACK); /* the very SYN above the mark */
	assert_in_range(passed, 10, 24);
	assert_int_equal(fastpath_state(h->fastpath, SLOT_AUTO)->mitigation, MITIGATION_ACTIVE);
	assert_true(fastpath_state(h->fastpath, SLOT_AUTO)->since > 0);
	harness_expect_spec(h, "afterwards", &(struct frame_spec){ TO6(PORT_AUTO), .flags = SYN }, TX_SYNACK);
}

static void grace_ends_above_the_mark(void **state)
{
	static const struct frame_spec syn = { TO4(PORT_AUTO), .flags = SYN };
	struct harness *h = *state;
	struct outcome o;
	struct frame f;

	h->services[SLOT_AUTO].syn_rate_high = 8;
	harness_publish(h);
	fastpath_state(h->fastpath, SLOT_AUTO)->mitigation = MITIGATION_GRACE;
	frame_build(&f, &syn);
	for (int i = 0; i < 10; i++)
		harness_run(h, &f, &o);
	assert_int_equal(o.verdict, TX_SYNACK);
	assert_int_equal(fastpath_state(h->fastpath, SLOT_AUTO)->mitigation, MITIGATION_ACTIVE);
}

static void monitor_begins_too_but_answers_nothing(void **state)
{
	static const struct frame_spec syn = { TO4(PORT_MONITOR), .flags = SYN };
	struct harness *h = *state;
	struct outcome o;
	struct frame f;

	h->services[SLOT_MONITOR].syn_rate_high = 8;
	harness_publish(h);
	frame_build(&f, &syn);
	for (int i = 0; i < 10; i++)
		harness_run(h, &f, &o);
	assert_int_equal(o.verdict, PASS_MONITOR);
	assert_int_equal(o.would, TX_SYNACK);
}

/* The listener's backlog is 16, so its SYN queue reaches the default mark at 4. */
static void check_half_open_mark(struct harness *h, const char *client, const char *server, uint16_t port,
				 uint32_t mark)
{
	struct frame_spec syn = {
		.saddr = client, .daddr = server, .source = 40000, .dest = PORT_AUTO, .flags = SYN
	};

	for (uint32_t i = 0; i < mark; i++) {
		harness_expect_spec(h, "below the mark", &syn, PASS_OPEN);
		assert_int_equal(fastpath_state(h->fastpath, SLOT_AUTO)->half_open, i);
		assert_int_equal(fastpath_state(h->fastpath, SLOT_AUTO)->backlog, 16);
		wire_half_open(h->wire, client, (uint16_t)(port + i), server, PORT_AUTO);
	}
	harness_expect_spec(h, "at the mark", &syn, TX_SYNACK);
	assert_int_equal(fastpath_state(h->fastpath, SLOT_AUTO)->mitigation, MITIGATION_ACTIVE);
}

static void half_opens_at_the_mark_begin_mitigation(void **state)
{
	check_half_open_mark(*state, CLIENT4, SERVER4, 41000, 4);
}

static void the_half_open_mark_can_be_set(void **state)
{
	struct harness *h = *state;

	h->services[SLOT_AUTO].half_open_high = 7;
	harness_publish(h);
	check_half_open_mark(h, CLIENT6, SERVER6, 41100, 7);
}

/* --- what the kernel's sockets own --- */

static void mptcp_listeners_are_left_to_the_kernel(void **state)
{
	int fd = harness_listen(SERVER4, PORT_MPTCP, 16, IPPROTO_MPTCP);
	struct harness *h = *state;

	if (fd < 0) {
		print_message("skip: this kernel has no MPTCP\n");
		skip();
	}
	harness_expect_spec(h, "SYN", &(struct frame_spec){ TO4(PORT_MPTCP), .flags = SYN }, PASS_MPTCP);
	assert_true(fastpath_state(h->fastpath, SLOT_ALWAYS)->mptcp_seen > 0);
	harness_expect_spec(h, "ACK", &(struct frame_spec){ TO4(PORT_MPTCP), .flags = ACK }, PASS_MPTCP);
	close(fd);
}

static void a_listener_that_comes_is_seen_soon(void **state)
{
	static const struct frame_spec syn = { TO4(PORT_CLOSED), .flags = SYN };
	struct harness *h = *state;
	int fd;

	harness_expect_spec(h, "before", &syn, PASS_NO_LISTENER);
	fd = harness_listen(SERVER4, PORT_CLOSED, 16, 0);
	usleep(64 * 1000000 / h->runtime.jiffies_hz);
	harness_expect_spec(h, "after", &syn, TX_SYNACK);
	close(fd);
}

static void dual_stack_listeners_are_seen(void **state)
{
	int fd = harness_listen("::", PORT_CLOSED, 16, 0);
	struct harness *h = *state;
	struct wire_client c;

	harness_expect_spec(h, "IPv4", &(struct frame_spec){ TO4(PORT_CLOSED), .flags = SYN }, TX_SYNACK);
	harness_expect_spec(h, "IPv6", &(struct frame_spec){ TO6(PORT_CLOSED), .flags = SYN }, TX_SYNACK);
	c = wire_half_open(h->wire, CLIENT4, 42300, SERVER4, PORT_CLOSED);
	harness_expect_spec(h, "half-open", &c.next, PASS_SOCKET);
	c = wire_connect(h->wire, CLIENT4, 42301, SERVER4, PORT_CLOSED);
	harness_expect_spec(h, "connection", &c.next, PASS_SOCKET);
	harness_expect_spec(h, "verified", &c.next, PASS_FLOW);
	harness_sysctl("ipv4/tcp_syncookies", "2");
	c = wire_half_open(h->wire, CLIENT4, 42302, SERVER4, PORT_CLOSED);
	harness_sysctl("ipv4/tcp_syncookies", "1");
	harness_expect_spec(h, "kernel's cookie", &c.next, PASS_SOCKET);
	close(fd);
}

static void half_open_sockets_own_their_segments(void **state)
{
	struct harness *h = *state;
	struct wire_client c = wire_half_open(h->wire, CLIENT4, 42000, SERVER4, PORT_ALWAYS);

	harness_expect_spec(h, "third ACK", &c.next, PASS_SOCKET);
	c.next.flags = RST;
	harness_expect_spec(h, "RST", &c.next, PASS_SOCKET);
	c.next.source++;
	harness_expect_spec(h, "another tuple", &c.next, DROP_STRAY_RST);
}

static void kernel_cookies_are_let_through(void **state)
{
	struct harness *h = *state;
	struct wire_client c4, c6;

	harness_sysctl("ipv4/tcp_syncookies", "2");
	c4 = wire_half_open(h->wire, CLIENT4, 42100, SERVER4, PORT_ALWAYS);
	c6 = wire_half_open(h->wire, CLIENT6, 42100, SERVER6, PORT_ALWAYS);
	harness_sysctl("ipv4/tcp_syncookies", "1");
	harness_expect_spec(h, "ACK", &c4.next, PASS_SOCKET);
	harness_expect_spec(h, "ACK in IPv6", &c6.next, PASS_SOCKET);
	c4.next.ack += 1000;
	harness_expect_spec(h, "guessed", &c4.next, DROP_BAD_COOKIE);
}

/* What syn-recv tells: of whichever family's SYN the listener is asked for. */
static void syn_queues_are_read(void **state)
{
	int fd = harness_listen("::", PORT_CLOSED, 16, 0);
	struct harness *h = *state;
	struct listener_args v4 = { .tuple = { .client_port = htons(1), .server_port = htons(PORT_CLOSED) } };
	struct listener_args v6 = v4, nobody = v4;
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size), 0);
	v4.tuple.client[3] = htonl(0xc0000202);
	v4.tuple.server[3] = htonl(0xc0000201);
	v6.tuple.v6 = 1;
	v6.tuple.client[0] = v6.tuple.server[0] = htonl(0x20010db8);
	for (uint32_t half_opens = 0; half_opens < 4; half_opens++) {
		assert_int_equal(fastpath_query_listener(h->fastpath, &v4), 0);
		assert_int_equal(fastpath_query_listener(h->fastpath, &v6), 0);
		assert_true(v4.found && v6.found);
		assert_true(v4.cookie == cookie && v6.cookie == cookie);
		assert_int_equal(v4.half_open, half_opens);
		assert_int_equal(v6.half_open, half_opens);
		wire_half_open(h->wire, CLIENT4, (uint16_t)(42600 + half_opens), SERVER4, PORT_CLOSED);
	}
	close(fd);
	nobody.found = 1;
	assert_int_equal(fastpath_query_listener(h->fastpath, &nobody), 0);
	assert_int_equal(nobody.found, 0);
}

static void time_wait_owns_its_segments(void **state)
{
	struct harness *h = *state;
	int listener = harness_listen(SERVER4, PORT_CLOSED, 16, 0);
	struct wire_client c = wire_connect(h->wire, CLIENT4, 42200, SERVER4, PORT_CLOSED);

	close(accept(listener, NULL, NULL));
	wire_close_after(&c);
	harness_expect_spec(h, "ACK", &c.next, PASS_SOCKET);
	harness_expect_spec(h, "and again: it vouches for nothing", &c.next, PASS_SOCKET);
	c.next.flags = SYN;
	harness_expect_spec(h, "SYN", &c.next, TX_SYNACK);
	close(listener);
}

/* --- verified flows --- */

static void check_life_of_a_flow(struct harness *h, const char *client, const char *server)
{
	struct wire_client c = wire_connect(h->wire, client, 43000, server, PORT_ALWAYS);
	struct frame_spec syn = c.next;

	syn.flags = SYN;
	harness_expect_spec(h, "new: asks the kernel", &c.next, PASS_SOCKET);
	harness_expect_spec(h, "fresh", &c.next, PASS_FLOW);
	harness_expect_spec(h, "fresh: SYN, for a challenge ACK", &syn, PASS_FLOW);
	harness_age_flows(h, 2);
	harness_expect_spec(h, "stale: SYN, the socket lives", &syn, PASS_FLOW);
	harness_expect_spec(h, "stale, the socket lives", &c.next, PASS_FLOW);
	harness_age_flows(h, 2);
	c.next.flags = RST | ACK; /* the kernel takes no RST out of window, so the socket lives */
	harness_expect_spec(h, "stale: RST", &c.next, PASS_FLOW);
	c.next.flags = ACK;
	harness_expect_spec(h, "closing", &c.next, PASS_FLOW);
	harness_expect_spec(h, "closing: SYN of a new incarnation", &syn, TX_SYNACK);
	harness_age_flows(h, 6);
	harness_expect_spec(h, "closed: asks the kernel", &c.next, PASS_SOCKET);
	harness_expect_spec(h, "fresh again", &c.next, PASS_FLOW);
	c.next.flags = RST;
	wire_send(h->wire, &c.next); /* now the kernel's socket is gone */
	c.next.flags = ACK;
	harness_expect_spec(h, "fresh, the socket is gone", &c.next, PASS_FLOW);
	harness_age_flows(h, 2);
	harness_expect_spec(h, "stale, the socket is gone", &c.next, DROP_BAD_COOKIE);
	harness_expect_spec(h, "forgotten", &c.next, DROP_BAD_COOKIE);
	harness_expect_spec(h, "forgotten: SYN", &syn, TX_SYNACK);
}

static void flows_live_and_die_ipv4(void **state)
{
	check_life_of_a_flow(*state, CLIENT4, SERVER4);
}

static void flows_live_and_die_ipv6(void **state)
{
	check_life_of_a_flow(*state, CLIENT6, SERVER6);
}

static void seeded_flows_pass(void **state)
{
	struct tuple v4 = { .client = { 0, 0, htonl(0xffff), htonl(0x0a010709) },
			    .server = { 0, 0, htonl(0xffff), htonl(0x0a010001) },
			    .client_port = htons(40000),
			    .server_port = htons(80) };
	struct tuple v6 = { .client = { htonl(0xfd000001), htonl(7), 0, htonl(9) },
			    .server = { htonl(0xfd000001), 0, 0, htonl(1) },
			    .client_port = htons(40000),
			    .server_port = htons(80),
			    .v6 = 1 };
	struct harness *h = *state;

	assert_int_equal(fastpath_seed_flow(h->fastpath, &v4), 0);
	harness_expect_spec(h, "IPv4", &(struct frame_spec){ TO4(80), .flags = ACK }, PASS_FLOW);
	harness_expect_spec(h, "IPv6, not yet", &(struct frame_spec){ TO6(80), .flags = ACK },
			    DROP_BAD_COOKIE);
	assert_int_equal(fastpath_seed_flow(h->fastpath, &v6), 0);
	harness_expect_spec(h, "IPv6", &(struct frame_spec){ TO6(80), .flags = ACK }, PASS_FLOW);
	harness_expect_spec(h, "another port", &(struct frame_spec){ TO4(PORT_AUTH), .flags = ACK },
			    DROP_BAD_COOKIE);
}

static void send_from_server(struct harness *h, const char *server, const char *client, uint8_t flags)
{
	const struct frame_spec spec = { .saddr = server,
					 .daddr = client,
					 .source = PORT_ALWAYS,
					 .dest = 40000,
					 .flags = flags,
					 .reply = true };
	struct frame f;

	frame_build(&f, &spec);
	assert_int_equal(harness_run_tc(h, FASTPATH_TC_EGRESS, &f), -1); /* TCX_NEXT */
}

/* Far more flows than the buckets hold: the latest always passes, and none of a tuple that nobody added. */
static void each_flow_is_known_in_front_of_its_bucket(void **state)
{
	struct harness *h = *state;
	struct frame_spec ack = { .saddr = CLIENT4, .daddr = SERVER4, .dest = PORT_ALWAYS, .flags = ACK };
	struct tuple tuple = { .client = { 0, 0, htonl(0xffff), htonl(0x0a010709) },
			       .server = { 0, 0, htonl(0xffff), htonl(0x0a010001) },
			       .server_port = htons(PORT_ALWAYS) };

	for (uint16_t port = 20000; port < 20400; port++) {
		ack.source = port;
		harness_expect_spec(h, "not added yet", &ack, DROP_BAD_COOKIE);
		tuple.client_port = htons(port);
		assert_int_equal(fastpath_seed_flow(h->fastpath, &tuple), 0);
		harness_expect_spec(h, "added", &ack, PASS_FLOW);
	}
}

static void check_egress(struct harness *h, const char *client, const char *server)
{
	struct frame_spec ack = {
		.saddr = client, .daddr = server, .source = 40000, .dest = 80, .flags = ACK
	};

	send_from_server(h, server, client, RST | ACK);
	harness_expect_spec(h, "the server knows it not", &ack, DROP_BAD_COOKIE);
	send_from_server(h, server, client, SYN | ACK);
	harness_expect_spec(h, "a SYN-ACK vouches for nothing", &ack, DROP_BAD_COOKIE);
	send_from_server(h, server, client, ACK | PSH);
	harness_expect_spec(h, "an ACK vouches", &ack, PASS_FLOW);
	harness_age_flows(h, 2);
	send_from_server(h, server, client, ACK);
	harness_expect_spec(h, "and again", &ack, PASS_FLOW);
	send_from_server(h, server, client, ACK | FIN);
	harness_expect_spec(h, "closing", &ack, PASS_FLOW);
	send_from_server(h, server, client, ACK);
	harness_age_flows(h, 6);
	harness_expect_spec(h, "closed, whatever came after the FIN", &ack, DROP_BAD_COOKIE);
}

static void what_the_server_sends_vouches(void **state)
{
	check_egress(*state, CLIENT4, SERVER4);
	check_egress(*state, CLIENT6, SERVER6);
}

/* The budget: a sixteenth of a second's worth at once, and it comes back. */
static void lookups_have_a_budget(void **state)
{
	struct frame_spec ack = { TO4(80), .flags = ACK };
	struct harness *h = *state;
	struct outcome o;
	struct frame f;
	int dropped = 0;

	h->runtime.lookups_per_s = 160;
	harness_publish(h);
	for (int i = 0; i < 50; i++) {
		ack.source = (uint16_t)(44000 + i);
		frame_build(&f, &ack);
		harness_run(h, &f, &o);
		dropped += o.verdict == DROP_LOOKUP_BUDGET;
	}
	assert_in_range(dropped, 20, 50);
	usleep(100000);
	harness_expect_spec(h, "later", &ack, DROP_BAD_COOKIE);
}

static void the_least_budget_is_one_lookup(void **state)
{
	struct frame_spec ack = { TO4(80), .flags = ACK };
	struct harness *h = *state;

	h->runtime.lookups_per_s = 10;
	harness_publish(h);
	usleep(200000);
	harness_expect_spec(h, "first", &ack, DROP_BAD_COOKIE);
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tcp_auth_has_a_rate),
		TEST(a_rate_above_the_mark_begins_mitigation),
		TEST(grace_ends_above_the_mark),
		TEST(monitor_begins_too_but_answers_nothing),
		TEST(half_opens_at_the_mark_begin_mitigation),
		TEST(the_half_open_mark_can_be_set),
		TEST(mptcp_listeners_are_left_to_the_kernel),
		TEST(a_listener_that_comes_is_seen_soon),
		TEST(dual_stack_listeners_are_seen),
		TEST(half_open_sockets_own_their_segments),
		TEST(kernel_cookies_are_let_through),
		TEST(syn_queues_are_read),
		TEST(time_wait_owns_its_segments),
		TEST(flows_live_and_die_ipv4),
		TEST(flows_live_and_die_ipv6),
		TEST(seeded_flows_pass),
		TEST(each_flow_is_known_in_front_of_its_bucket),
		TEST(what_the_server_sends_vouches),
		TEST(lookups_have_a_budget),
		TEST(the_least_budget_is_one_lookup),
	};

	return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
