// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Allow and block lists in both deployments: what a block drops (everything), what an allow entry changes
 * (nothing but blocks), what counts as a hit, and that a table which is replaced under traffic is never met
 * half made.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

#include "daemon/lists/lists.h"
#include "tests/bpf/appliance.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define TO4(port, ...)                                                                                       \
	{                                                                                                    \
		.saddr = CLIENT4, .daddr = SERVER4, .source = 40000, .dest = (port), __VA_ARGS__             \
	}
#define TO6(port, ...)                                                                                       \
	{                                                                                                    \
		.saddr = CLIENT6, .daddr = SERVER6, .source = 40000, .dest = (port), __VA_ARGS__             \
	}
#define FROM4(...)   TO4(PORT_ALWAYS, __VA_ARGS__)
#define FROM6(...)   TO6(PORT_ALWAYS, __VA_ARGS__)
#define HELLO	     BYTES('h', 'e', 'l', 'l', 'o')
#define ONE_FRAGMENT EXTENSIONS({ .kind = IPPROTO_FRAGMENT, .length = 8, .fragment = 0x0101 })

static const struct row {
	const char *name;
	struct frame_spec frame;
} rows[] = {
	{ "SYN", FROM4(.flags = SYN) },
	{ "SYN, IPv6", FROM6(.flags = SYN) },
	{ "ACK", FROM4(.flags = ACK) },
	{ "data, IPv6", FROM6(.flags = ACK | PSH, .payload = HELLO) },
	{ "RST, VLAN", FROM4(.flags = RST, .vlans = 1) },
	{ "SYN, QinQ, IPv6", FROM6(.flags = SYN, .vlans = 2) },
	{ "to no service", TO4(PORT_FREE, .flags = SYN) },
	{ "to a watched service", TO4(PORT_MONITOR, .flags = SYN) },
	{ "to a service that is off", TO6(PORT_OFF, .flags = SYN) },
	{ "to another address",
	  { .saddr = CLIENT4, .daddr = "10.1.200.1", .source = 40000, .dest = PORT_ALWAYS, .flags = SYN } },
	{ "UDP", FROM4(.protocol = IPPROTO_UDP, .payload = HELLO) },
	{ "UDP, IPv6", FROM6(.protocol = IPPROTO_UDP, .payload = HELLO) },
	{ "ICMP", FROM4(.protocol = IPPROTO_ICMP, .payload = HELLO) },
	{ "ICMPv6, VLAN", FROM6(.protocol = IPPROTO_ICMPV6, .payload = HELLO, .vlans = 1) },
	{ "ESP", FROM4(.protocol = IPPROTO_ESP, .payload = HELLO) },
	{ "fragment", FROM4(.flags = ACK, .fragment = FRAME_MF, .payload = HELLO) },
	{ "fragment, IPv6", FROM6(.flags = ACK, .extensions = ONE_FRAGMENT, .payload = HELLO) },
	{ "IP options", FROM4(.flags = SYN, .ip_options = BYTES(1, 1, 1, 0)) },
};

static bool is_inline;
static struct lists *l;

/* Both deployments behind one name. */
static void run(struct harness *h, const struct frame *frame, struct outcome *o)
{
	if (is_inline)
		appliance_run(h, PORT_OUTSIDE, frame, o);
	else
		harness_run(h, frame, o);
}

static enum verdict verdict_of(struct harness *h, const struct frame_spec *spec)
{
	struct outcome o;
	struct frame f;

	frame_build(&f, spec);
	run(h, &f, &o);
	if (o.verdict == DROP_BLOCKED)
		assert_int_equal(o.action, ACTION_DROP);
	return o.verdict;
}

static void publish(void *arg)
{
	struct harness *h = arg;

	lists_get_roots(l, h->runtime.list_root);
	fastpath_publish(h->fastpath, &h->runtime);
}

static int set_up(void **state)
{
	struct harness *h = *state;
	struct lists_backing backing = {
		.pool = { .chunk_new = fastpath_chunk_new,
			  .chunk_free = fastpath_chunk_free,
			  .arg = h->fastpath },
		.publish = publish,
		.arg = h,
	};

	backing.pool.hits = fastpath_list_hits(h->fastpath, &backing.pool.cpus);
	l = lists_new(&backing);
	return l && !(is_inline ? appliance_reset : harness_reset)(state) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct harness *h = *state;

	memset(h->runtime.list_root, 0, sizeof(h->runtime.list_root));
	fastpath_publish(h->fastpath, &h->runtime);
	lists_free(l);
	return 0;
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void add(enum list_kind kind, const char *text)
{
	struct prefix p = prefix(text);

	assert_in_range(lists_add(l, kind, &p, ORIGIN_MANUAL, 0, 0, NULL), 0, 1);
	while (lists_work(l))
		;
}

static void del(enum list_kind kind, const char *text)
{
	struct prefix p = prefix(text);

	assert_int_equal(lists_remove(l, kind, &p), 0);
	while (lists_work(l))
		;
}

static void a_block_drops_everything(void **state)
{
	struct harness *h = *state;

	for (size_t i = 0; i < COUNT(rows); i++)
		if (verdict_of(h, &rows[i].frame) == DROP_BLOCKED)
			fail_msg("%s: dropped by no list", rows[i].name);
	add(LIST_BLOCK, "10.1.7.0/24");
	add(LIST_BLOCK, CLIENT6);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (verdict_of(h, &rows[i].frame) != DROP_BLOCKED)
			fail_msg("%s: %s", rows[i].name,
				 harness_verdict_word((int)verdict_of(h, &rows[i].frame)));
}

static void bypass_drops_nothing(void **state)
{
	struct harness *h = *state;
	struct frame_spec syn = FROM4(.flags = SYN);

	add(LIST_BLOCK, CLIENT4);
	h->runtime.bypass = 1;
	fastpath_publish(h->fastpath, &h->runtime);
	assert_int_not_equal(verdict_of(h, &syn), DROP_BLOCKED);
	h->runtime.bypass = 0;
	fastpath_publish(h->fastpath, &h->runtime);
	assert_int_equal(verdict_of(h, &syn), DROP_BLOCKED);
}

/* An allowed address can be forged like any other: its SYN is answered with a cookie. */
static void allowed_is_not_trusted(void **state)
{
	struct frame_spec syn4 = FROM4(.flags = SYN), syn6 = FROM6(.flags = SYN);

	add(LIST_ALLOW, CLIENT4);
	add(LIST_BLOCK, "10.0.0.0/8");
	add(LIST_BLOCK, "::/0");
	add(LIST_ALLOW, "::/0");
	assert_int_equal(verdict_of(*state, &syn4), TX_SYNACK);
	assert_int_equal(verdict_of(*state, &syn6), TX_SYNACK);
	del(LIST_ALLOW, CLIENT4);
	del(LIST_ALLOW, "::/0");
	assert_int_equal(verdict_of(*state, &syn4), DROP_BLOCKED);
	assert_int_equal(verdict_of(*state, &syn6), DROP_BLOCKED);
}

/* The same walk in XDP and in C, at every place in a line and down all steps, with filters over one line and
 * over some. */
static void as_the_table_says(void **state)
{
	static const char *const prefixes[] = {
		"0.0.0.0/1",	     "128.0.0.0/3",
		"10.0.0.0/8",	     "10.1.0.0/17",
		"10.1.128.0/18",     "255.255.255.255",
		"255.255.0.0/16",    "2000::/3",
		"2001:db8::/32",     "2001:db8:1:2:3:4:5:6",
		"2001:db8:1:2::/64", "2001:db8:1:2:3::/80",
		"ffff::/16",	     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
	};
	struct frame_spec spec = FROM4(.flags = ACK);
	uint32_t seed = 7, blocked = 0;

	for (size_t i = 0; i < COUNT(prefixes); i++)
		add(i % 3 ? LIST_BLOCK : LIST_ALLOW, prefixes[i]);
	for (uint32_t i = 0; i < 40; i++) {
		char text[64];

		snprintf(text, sizeof(text), "10.2.%u.%u/%u", i * 5, i % 2 * 64, i % 2 ? 26 : 24);
		add(i % 5 ? LIST_BLOCK : LIST_ALLOW, text);
	}
	for (uint32_t i = 0; i < 22; i++) {
		char text[64];

		snprintf(text, sizeof(text), "10.3.%u.%u", i * 11, i % 3 ? i : 255);
		add(LIST_BLOCK, text);
		snprintf(text, sizeof(text), "2001:db8:%x::/40", i * 11 << 8);
		add(i % 5 ? LIST_BLOCK : LIST_ALLOW, text);
	}
	for (int i = 0; i < 6000; i++) {
		char text[INET6_ADDRSTRLEN];
		struct in6_addr address = { 0 };
		bool v6 = i & 1, allowed;

		for (int byte = v6 ? 0 : 12; byte < 16; byte++) {
			seed = seed * 1664525 + 1013904223;
			address.s6_addr[byte] = (uint8_t[]){ 0xff, 0, 1, (uint8_t)(seed >> 8) }[seed >> 30];
		}
		if (v6 && i % 4 == 1) {
			address.s6_addr32[0] = htonl(0x20010db8);
		} else if (!v6) {
			address.s6_addr16[5] = 0xffff;
			if (i % 4)
				address.s6_addr16[6] = htons(i % 8 < 4 ? 0x0a02 : 0x0a03);
			if (i % 8 > 4) {
				address.s6_addr[14] = (uint8_t)(seed % 22 * 11);
				address.s6_addr[15] = seed & 64 ? 255 : (uint8_t)(seed % 22);
			}
		}
		if (v6 && IN6_IS_ADDR_V4MAPPED(&address))
			continue;
		inet_ntop(v6 ? AF_INET6 : AF_INET, &address.s6_addr[v6 ? 0 : 12], text, sizeof(text));
		spec.saddr = text;
		spec.daddr = v6 ? SERVER6 : SERVER4;
		allowed = false;
		if ((lists_judge(l, &address, &allowed) && !allowed) !=
		    (verdict_of(*state, &spec) == DROP_BLOCKED))
			fail_msg("%s", text);
		blocked += verdict_of(*state, &spec) == DROP_BLOCKED;
	}
	assert_in_range(blocked, 600, 5400);
}

static void hits_are_counted(void **state)
{
	struct frame_spec a = FROM4(.flags = ACK), b = a;
	struct lists_entry entries[2];
	struct prefix p = prefix(CLIENT4);

	b.saddr = "10.1.7.10";
	add(LIST_BLOCK, "10.1.7.0/24");
	add(LIST_BLOCK, CLIENT4);
	for (int i = 0; i < 3; i++)
		verdict_of(*state, &a);
	verdict_of(*state, &b);
	assert_int_equal(lists_match(l, &p.address, entries, 2), 2);
	assert_int_equal(entries[0].hits, 3);
	assert_int_equal(entries[1].hits, 1);
	assert_int_not_equal(entries[0].last, 0);
}

#define SENDERS 100

struct sender {
	struct harness *h;
	struct frame frames[SENDERS];
};

static void *send_each(void *arg)
{
	const struct sender *s = arg;

	for (int round = 0; round < 50; round++)
		for (int i = 0; i < SENDERS; i++)
			for (int k = 0; k <= i % 3; k++)
				if (is_inline)
					appliance_run_bare(s->h, PORT_OUTSIDE, &s->frames[i], NULL);
				else
					harness_run_bare(s->h, &s->frames[i], NULL);
	return NULL;
}

static uint64_t hits_of(const char *text)
{
	struct lists_entry entry;
	struct prefix p = prefix(text);

	assert_int_not_equal(lists_match(l, &p.address, &entry, 1), 0);
	return entry.hits;
}

static void source_text(char *text, size_t size, int i)
{
	snprintf(text, size, i % 4 ? "10.1.8.%d" : "10.%d.0.0",
		 i + 10); /* in a line, or in the root itself */
}

/* More entries than hits can wait for, on two CPUs at once; a table is replaced while some wait. */
static void no_hit_is_lost(void **state)
{
	struct sender s = { .h = *state };
	pthread_t threads[2];
	char text[32];

	for (int i = 0; i < SENDERS; i++) {
		struct frame_spec spec = FROM4(.flags = ACK);

		spec.saddr = text;
		source_text(text, sizeof(text) - 4, i);
		frame_build(&s.frames[i], &spec);
		add(LIST_BLOCK, i % 4 ? text : strcat(text, "/16"));
	}
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 2; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, send_each, &s), 0);
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		lists_set_commit(l, lists_set_begin(l, ORIGIN_FEED, "feed"));
		while (lists_work(l))
			;
		for (int i = 0; i < 3; i++)
			lists_tick(l, 0);
	}
	for (int i = 0; i < SENDERS; i++) {
		source_text(text, sizeof(text), i);
		assert_int_equal(hits_of(text), 200 * (i % 3 + 1));
	}
	del(LIST_BLOCK, "10.1.8.109"); /* of the last ones, which still wait */
	add(LIST_BLOCK, "10.1.8.109");
	assert_int_equal(hits_of("10.1.8.109"), 0);
	send_each(&s);
	assert_int_equal(hits_of("10.1.8.109"), 50);
}

/* --- replaced under traffic --- */

struct traffic {
	struct harness *h;
	struct frame frame;
	uint64_t runs, passed;
	bool stop;
};

static void *send_all_the_time(void *arg)
{
	struct traffic *t = arg;

	while (!__atomic_load_n(&t->stop, __ATOMIC_RELAXED)) {
		int action = is_inline ? appliance_run_bare(t->h, PORT_OUTSIDE, &t->frame, NULL)
				       : harness_run_bare(t->h, &t->frame, NULL);

		t->runs++;
		t->passed += action != ACTION_DROP;
	}
	return NULL;
}

/* Each list holds the source under another prefix: it is blocked before, after and while they change places.
 */
static void never_half_a_list(void **state)
{
	static const char *const covering[] = { "10.1.7.9/32", "10.1.7.0/24", "10.1.0.0/16", "10.0.0.0/8" };
	struct frame_spec spec = FROM4(.flags = SYN);
	struct traffic t = { .h = *state };
	pthread_t thread;

	frame_build(&t.frame, &spec);
	add(LIST_BLOCK, "10.1.7.8/29");
	for (int round = 0; round < 30; round++) {
		int set = lists_set_begin(l, ORIGIN_FEED, "feed");
		struct prefix p = prefix(covering[round % 4]);

		assert_int_equal(lists_set_add(l, set, LIST_BLOCK, &p, 0, 0, NULL), 0);
		for (uint32_t i = 0; i < 20000; i++) {
			p = prefix("10.1.0.0");
			p.address.s6_addr32[3] = htonl(0x0a010000 + i * 37 + (uint32_t)round);
			assert_in_range(lists_set_add(l, set, LIST_BLOCK, &p, 0, 0, NULL), 0, 1);
		}
		lists_set_commit(l, set);
		if (!round) {
			while (lists_work(l))
				;
			del(LIST_BLOCK, "10.1.7.8/29");
			assert_int_equal(pthread_create(&thread, NULL, send_all_the_time, &t), 0);
		}
		while (lists_work(l))
			;
		lists_tick(l, round);
	}
	__atomic_store_n(&t.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_int_not_equal(t.runs, 0);
	assert_int_equal(t.passed, 0);
	print_message("%lu packets during 29 replacements of 20,001 prefixes\n", (unsigned long)t.runs);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_block_drops_everything), TEST(bypass_drops_nothing), TEST(allowed_is_not_trusted),
		TEST(as_the_table_says),	TEST(hits_are_counted),	    TEST(never_half_a_list),
		TEST(no_hit_is_lost),
	};
	int failed = cmocka_run_group_tests_name("host", tests, harness_set_up, harness_tear_down);

	is_inline = true;
	return failed + cmocka_run_group_tests_name("inline", tests, appliance_set_up, appliance_tear_down);
}
