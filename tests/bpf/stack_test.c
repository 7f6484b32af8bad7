// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The whole host path with the kernel's stack behind it: XDP (generic) and tcx on the wire, the test as the
 * client. A cookie's connection must come out of accept() with the options that the client offered, whatever
 * old socket was in its way.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bpf/harness.h"
#include "tests/bpf/wire.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define FROM4(port)  .saddr = CLIENT4, .daddr = SERVER4, .source = (port), .dest = PORT_CLOSED, .seq = 5000
#define FROM6(port)  .saddr = CLIENT6, .daddr = SERVER6, .source = (port), .dest = PORT_CLOSED, .seq = 5000
#define HELLO	     BYTES('h', 'e', 'l', 'l', 'o')

static int listener4 = -1, listener6 = -1;

/* --- a client --- */

struct client {
	struct frame_spec next; /* segment */
	uint8_t timestamps[12];
};

/* SYN out, our SYN-ACK back; the third ACK is made, not sent. */
static void open_client(struct harness *h, struct client *c, const struct frame_spec *syn)
{
	static const uint8_t head[8] = { 1, 1, 8, 10, 0, 0, 0, 10 };
	struct frame_view v;
	const uint8_t *ts;
	struct frame f;

	wire_send(h->wire, syn);
	if (!wire_receive(h->wire, syn->source, &f, &v))
		fail_msg("no SYN-ACK");
	assert_int_equal(v.flags & ~ECE, SYN | ACK);
	assert_int_equal(v.ack, syn->seq + 1);
	c->next = *syn;
	c->next.flags = ACK;
	c->next.seq++;
	c->next.ack = v.seq + 1;
	c->next.options.length = 0;
	ts = frame_option(&f, &v, 8, 10);
	if (!ts)
		return;
	memcpy(c->timestamps, head, sizeof(head));
	memcpy(c->timestamps + 8, ts, 4);
	c->next.options = (struct bytes){ c->timestamps, 12 };
}

static int try_accept(int listener)
{
	struct pollfd pollfd = { .fd = listener, .events = POLLIN };

	return poll(&pollfd, 1, 300) > 0 ? accept(listener, NULL, NULL) : -1;
}

static int take(int listener, const char *name)
{
	int fd = try_accept(listener);

	if (fd < 0)
		fail_msg("%s: no connection", name);
	return fd;
}

static uint64_t outcomes(struct harness *h, enum handover_outcome outcome)
{
	struct handover_counters sum;

	assert_int_equal(fastpath_read_handovers(h->fastpath, &sum), 0);
	return sum.outcome[outcome];
}

/* --- options --- */

struct row {
	const char *name;
	struct frame_spec syn;
	uint8_t options; /* TCPI_OPT_… */
	uint8_t wscale;	 /* the client's */
	uint16_t mss;	 /* to the client, less timestamps */
};

#define ROW(text, bits, scale, size, ...)                                                                    \
	{                                                                                                    \
		.name = text, .options = bits, .wscale = scale, .mss = size, .syn = { __VA_ARGS__ }          \
	}
#define TCPI_ALL (TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE)

static const struct row rows[] = {
	ROW("Linux", TCPI_ALL, 7, 1448, FROM4(30000), .flags = SYN, .options = LINUX_OPTIONS),
	ROW("Linux, ECN", TCPI_ALL | TCPI_OPT_ECN, 7, 1448, FROM4(30001), .flags = SYN | ECE | CWR,
	    .options = LINUX_OPTIONS),
	ROW("Linux, IPv6", TCPI_ALL, 7, 1428, FROM6(30002), .flags = SYN, .options = LINUX_OPTIONS),
	ROW("Windows", TCPI_OPT_SACK | TCPI_OPT_WSCALE, 8, 1452, FROM4(30003), .flags = SYN,
	    .options = WINDOWS_OPTIONS),
	ROW("Windows, IPv6", TCPI_OPT_SACK | TCPI_OPT_WSCALE, 8, 1440, FROM6(30004), .flags = SYN,
	    .options = WINDOWS_OPTIONS),
	ROW("no options", 0, 0, 536, FROM4(30005), .flags = SYN),
	ROW("no options, IPv6", 0, 0, 1220, FROM6(30006), .flags = SYN),
	ROW("MSS 1400", 0, 0, 1400, FROM4(30007), .flags = SYN, .options = BYTES(2, 4, 5, 120)),
	ROW("MSS 100", 0, 0, 536, FROM4(30008), .flags = SYN, .options = BYTES(2, 4, 0, 100)),
	ROW("scale 14, ECN", TCPI_OPT_WSCALE | TCPI_OPT_ECN, 14, 536, FROM4(30009), .flags = SYN | ECE | CWR,
	    .options = BYTES(3, 3, 14)),
};

static void check_options(const struct row *row, int fd)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
	if ((info.tcpi_options & (TCPI_ALL | TCPI_OPT_ECN)) != row->options)
		fail_msg("%s: options %02x, not %02x", row->name, info.tcpi_options, row->options);
	if (info.tcpi_snd_wscale != row->wscale)
		fail_msg("%s: window scale %u, not %u", row->name, info.tcpi_snd_wscale, row->wscale);
	if (info.tcpi_snd_mss != row->mss)
		fail_msg("%s: MSS %u, not %u", row->name, info.tcpi_snd_mss, row->mss);
}

/* Data both ways; the server's first segment is also its proof that it counts on from our ISN. */
static void check_data(struct harness *h, const char *name, struct client *c, int fd)
{
	struct frame_view v;
	char buffer[16];
	struct frame f;

	c->next.payload = (struct bytes)HELLO;
	wire_send(h->wire, &c->next);
	if (recv(fd, buffer, sizeof(buffer), 0) != 5)
		fail_msg("%s: no data came", name);
	assert_int_equal(send(fd, "world", 5, 0), 5);
	do {
		if (!wire_receive(h->wire, c->next.source, &f, &v))
			fail_msg("%s: the server sends nothing", name);
	} while (v.end == v.tcp + v.doff);
	assert_int_equal(v.seq, c->next.ack);
	assert_int_equal(v.ack, c->next.seq + 5);
	c->next.payload.length = 0;
	c->next.seq += 5;
	c->next.ack += 5;
}

static void options_are_restored(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t before = outcomes(*state, HANDOVER_ASSIGNED);
		struct client c;
		int fd;

		open_client(*state, &c, &rows[i].syn);
		wire_send(((struct harness *)*state)->wire, &c.next);
		fd = take(strchr(rows[i].syn.daddr, ':') ? listener6 : listener4, rows[i].name);
		assert_int_equal(outcomes(*state, HANDOVER_ASSIGNED), before + 1);
		check_options(&rows[i], fd);
		check_data(*state, rows[i].name, &c, fd);
		close(fd);
	}
}

static void the_third_ack_may_carry_data(void **state)
{
	static const struct frame_spec syn = { FROM4(30100), .flags = SYN };
	struct harness *h = *state;
	struct client c;
	char buffer[16];
	int fd;

	open_client(h, &c, &syn);
	c.next.payload = (struct bytes)HELLO;
	c.next.flags |= PSH;
	wire_send(h->wire, &c.next);
	fd = take(listener4, "data");
	assert_int_equal(recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT), 5);
	close(fd);
}

/* --- what may be in the way --- */

static void a_replayed_ack_makes_no_second_connection(void **state)
{
	static const struct frame_spec syn = { FROM4(30200), .flags = SYN };
	struct harness *h = *state;
	uint64_t known = outcomes(h, HANDOVER_KNOWN);
	struct client c;
	int fd;

	open_client(h, &c, &syn);
	wire_send(h->wire, &c.next);
	wire_send(h->wire, &c.next);
	fd = take(listener4, "first");
	assert_int_equal(try_accept(listener4), -1);
	assert_int_equal(outcomes(h, HANDOVER_KNOWN), known + 1);
	close(fd);
}

static void check_time_wait(struct harness *h, const struct frame_spec *syn, int listener)
{
	uint64_t replaced = outcomes(h, HANDOVER_REPLACED);
	struct wire_client closing = { .wire = h->wire };
	struct frame_spec again = *syn;
	struct client c;
	int fd;

	open_client(h, &c, syn);
	wire_send(h->wire, &c.next);
	fd = take(listener, "old connection");
	close(fd);
	closing.next = c.next;
	wire_close_after(&closing);
	again.seq += 100000;
	wire_drain(h->wire);
	open_client(h, &c, &again);
	wire_send(h->wire, &c.next);
	fd = take(listener, "new connection");
	assert_int_equal(outcomes(h, HANDOVER_REPLACED), replaced + 1);
	check_data(h, "new connection", &c, fd);
	close(fd);
}

static void time_wait_is_cleared_out_of_the_way(void **state)
{
	const struct frame_spec linux_syn = { FROM4(30300), .flags = SYN, .options = LINUX_OPTIONS };
	const struct frame_spec bare_syn = { FROM4(30301), .flags = SYN };
	const struct frame_spec ipv6_syn = { FROM6(30302), .flags = SYN };

	check_time_wait(*state, &linux_syn, listener4);
	check_time_wait(*state, &bare_syn, listener4);
	check_time_wait(*state, &ipv6_syn, listener6);
}

/* A half-open socket of the kernel from before mitigation, on the same tuple. */
static void half_opens_are_cleared_out_of_the_way(void **state)
{
	static const struct frame_spec syn = { FROM4(30400), .flags = SYN };
	struct harness *h = *state;
	uint64_t replaced = outcomes(h, HANDOVER_REPLACED);
	struct client c;
	int fd;

	h->runtime.bypass = 1;
	fastpath_publish(h->fastpath, &h->runtime);
	open_client(h, &c, &syn); /* the kernel's own SYN-ACK */
	h->runtime.bypass = 0;
	fastpath_publish(h->fastpath, &h->runtime);
	open_client(h, &c, &syn);
	wire_send(h->wire, &c.next);
	fd = take(listener4, "behind a half-open socket");
	assert_int_equal(outcomes(h, HANDOVER_REPLACED), replaced + 1);
	check_data(h, "behind a half-open socket", &c, fd);
	close(fd);
}

static void a_listener_that_has_gone_is_counted(void **state)
{
	struct frame_spec syn = { FROM4(30500), .flags = SYN };
	struct harness *h = *state;
	uint64_t none = outcomes(h, HANDOVER_NO_LISTENER);
	int listener = harness_listen(SERVER4, PORT_MPTCP, 16, 0);
	struct client c;

	syn.dest = PORT_MPTCP;
	open_client(h, &c, &syn);
	close(listener);
	wire_send(h->wire, &c.next);
	assert_int_equal(outcomes(h, HANDOVER_NO_LISTENER), none + 1);
}

/* What the server sends makes its flow a verified one, and its end is followed. */
static void the_flow_is_verified_by_what_the_server_sends(void **state)
{
	static const struct frame_spec syn = { FROM4(30600), .flags = SYN };
	uint64_t before[VERDICT_COUNT], after[VERDICT_COUNT];
	struct harness *h = *state;
	struct client c;
	int fd;

	open_client(h, &c, &syn);
	wire_send(h->wire, &c.next);
	fd = take(listener4, "connection");
	check_data(h, "connection", &c, fd);
	harness_count_verdicts(h, before);
	for (int i = 0; i < 10; i++)
		wire_send(h->wire, &c.next);
	harness_count_verdicts(h, after);
	assert_int_equal(after[PASS_FLOW] - before[PASS_FLOW], 10);
	close(fd);
}

/* --- acts --- */

#define NEVER (1ULL << 50) /* jiffies << PACE_SHIFT: a token in some days */

static void limit_connections_to_one(struct harness *h)
{
	struct limits limits = { 0 };

	limits.limit[KIND_CONNECTION][LEVEL_SOURCE] =
		(struct limit){ .base = { .interval = NEVER }, .action = LIMIT_DROP };
	h->runtime.limits = fastpath_stage_limits(h->fastpath, &limits, NULL);
	h->runtime.limits_mode = POLICY_ENFORCE;
	h->runtime.accounting = h->runtime.auto_block = 1;
	h->runtime.window_shift = 20;
	harness_publish(h);
}

/* Opens one more connection, whose third ACK comes TIMES times; *LIMITED: how many of them were over the
 * limit. */
static void connect_over_and_over(struct harness *h, const struct frame_spec *syn, int times,
				  uint64_t *limited)
{
	uint64_t before = outcomes(h, HANDOVER_LIMITED);
	struct client c;

	open_client(h, &c, syn);
	for (int i = 0; i < times; i++)
		wire_send(h->wire, &c.next);
	*limited = outcomes(h, HANDOVER_LIMITED) - before;
}

/* A cookie over the limit is one act however often its ACK comes, and none while its prefix may be guessing.
 */
static void a_cookie_is_one_act(void **state)
{
	const struct frame_spec syns[] = {
		{ FROM4(31000), .flags = SYN, .options = LINUX_OPTIONS },
		{ FROM6(31000), .flags = SYN, .options = WINDOWS_OPTIONS },
	};
	struct harness *h = *state;
	uint64_t limited;

	limit_connections_to_one(h);
	for (size_t v6 = 0; v6 < COUNT(syns); v6++) {
		struct frame_spec syn = syns[v6], bad = syns[v6];
		const char *client = v6 ? "fd00:1:0:8::9" : "10.1.8.9";

		syn.saddr = bad.saddr = client;
		connect_over_and_over(h, &syn, 100, &limited);
		assert_int_equal(limited, 0);
		close(take(v6 ? listener6 : listener4, client));
		for (uint32_t acts = 1; acts <= 25; acts++) {
			syn.source++;
			connect_over_and_over(h, &syn, acts == 1 ? 100 : 2, &limited);
			assert_int_equal(limited, acts == 1 ? 100 : 2);
			assert_int_equal(harness_count_acts(h, client), acts);
		}
		bad.source = 40000;
		bad.flags = ACK;
		bad.options.length = 0;
		for (uint32_t i = 0; i < 150; i++) {
			bad.ack = i * 4096;
			wire_send(h->wire, &bad);
		}
		syn.source++;
		connect_over_and_over(h, &syn, 1, &limited);
		assert_int_equal(limited, 1);
		assert_int_equal(harness_count_acts(h, client), 25);
	}
}

/* --- set up --- */

static int attach(void **state)
{
	struct harness *h;
	char text[512];

	if (harness_set_up(state))
		return -1;
	h = *state;
	if (fastpath_attach(h->fastpath, if_nametoindex("wire"), true, text, sizeof(text))) {
		print_error("%s\n", text);
		return -1;
	}
	harness_sysctl("ipv4/tcp_ecn", "1");
	listener4 = harness_listen(SERVER4, PORT_CLOSED, 16, 0);
	listener6 = harness_listen(SERVER6, PORT_CLOSED, 16, 0);
	return listener4 < 0 || listener6 < 0;
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(options_are_restored),
		TEST(the_third_ack_may_carry_data),
		TEST(a_replayed_ack_makes_no_second_connection),
		TEST(time_wait_is_cleared_out_of_the_way),
		TEST(half_opens_are_cleared_out_of_the_way),
		TEST(a_listener_that_has_gone_is_counted),
		TEST(the_flow_is_verified_by_what_the_server_sends),
		TEST(a_cookie_is_one_act),
	};

	return cmocka_run_group_tests(tests, attach, harness_tear_down);
}
