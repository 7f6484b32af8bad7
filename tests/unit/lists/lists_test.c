// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lists against a naive reference: which entry decides, in the table that XDP would read, after every
 * change, through whole rebuilds, and with sets that come and go. Chunks are malloc's here.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/lists/lists.h"
#include "daemon/lists/table.h"
#include "tests/unit/lists/backing.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct lists *l;

static int set_up(void **state)
{
	(void)state;
	l = lists_new(&backing);
	return l ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	lists_free(l);
	return 0;
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	if (prefix_parse(text, &p))
		fail_msg("%s", text);
	return p;
}

static int add(enum list_kind kind, const char *text)
{
	struct prefix p = prefix(text);

	return lists_add(l, kind, &p, ORIGIN_MANUAL, 0, 0, NULL);
}

/* 'b', 'a' or '-', by the table and by the store. */
static char judge(const char *text)
{
	struct prefix p = prefix(text);
	struct lists_entry entry;
	bool allowed;
	uint32_t record = lists_judge(l, &p.address, &allowed);
	size_t count = lists_match(l, &p.address, &entry, 1);

	assert_int_equal(record != 0, count != 0);
	if (count)
		assert_int_equal(allowed, entry.kind == LIST_ALLOW);
	return !record ? '-' : allowed ? 'a' : 'b';
}

static void finish(void)
{
	while (lists_work(l))
		;
}

static void longest_prefix_wins(void **state)
{
	static const struct {
		const char *address;
		char verdict;
	} rows[] = {
		{ "10.0.0.1", 'b' },
		{ "10.1.0.0", 'a' },
		{ "10.1.255.255", 'a' },
		{ "10.1.2.2", 'a' },
		{ "10.1.2.3", 'b' },
		{ "10.1.2.4", 'a' },
		{ "10.2.0.0", 'b' },
		{ "9.255.255.255", '-' },
		{ "11.0.0.0", '-' },
		{ "255.255.255.255", 'b' },
		{ "0.0.0.0", '-' },
		{ "2001:db8::1", 'b' },
		{ "2001:db9::", '-' },
		{ "2001:db8:0:1::9", 'a' },
		{ "::", '-' },
		{ "2001:db8:0:1::f", 'b' },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 'b' },
	};

	(void)state;
	assert_int_equal(add(LIST_BLOCK, "10.0.0.0/8"), 0);
	assert_int_equal(add(LIST_ALLOW, "10.1.0.0/16"), 0);
	assert_int_equal(add(LIST_BLOCK, "10.1.2.3"), 0);
	assert_int_equal(add(LIST_BLOCK, "255.255.255.255"), 0);
	assert_int_equal(add(LIST_BLOCK, "2001:db8::/32"), 0);
	assert_int_equal(add(LIST_ALLOW, "2001:db8:0:1::/64"), 0);
	assert_int_equal(add(LIST_BLOCK, "2001:db8:0:1::f"), 0);
	assert_int_equal(add(LIST_BLOCK, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 0);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (judge(rows[i].address) != rows[i].verdict)
			fail_msg("%s: %c", rows[i].address, judge(rows[i].address));
	finish();
}

static void allow_wins_over_block(void **state)
{
	struct prefix p = prefix("192.0.2.0/24");

	(void)state;
	add(LIST_BLOCK, "192.0.2.0/24");
	add(LIST_ALLOW, "192.0.2.0/24");
	assert_int_equal(judge("192.0.2.1"), 'a');
	assert_int_equal(lists_remove(l, LIST_ALLOW, &p), 0);
	assert_int_equal(judge("192.0.2.1"), 'b');
	assert_int_equal(lists_remove(l, LIST_ALLOW, &p), -ENOENT);
	assert_int_equal(lists_remove(l, LIST_BLOCK, &p), 0);
	assert_int_equal(judge("192.0.2.1"), '-');
}

static void families_are_apart(void **state)
{
	(void)state;
	add(LIST_BLOCK, "::/0");
	finish();
	assert_int_equal(judge("192.0.2.1"), '-');
	assert_int_equal(judge("2001:db8::1"), 'b');
	add(LIST_ALLOW, "0.0.0.0/0");
	finish();
	assert_int_equal(judge("192.0.2.1"), 'a');
	assert_int_equal(judge("2001:db8::1"), 'b');
}

static void expiry(void **state)
{
	struct prefix p = prefix("192.0.2.7");

	(void)state;
	assert_int_equal(lists_add(l, LIST_BLOCK, &p, ORIGIN_MANUAL, 100, 40, "test"), 0);
	assert_int_equal(lists_add(l, LIST_BLOCK, &p, ORIGIN_MANUAL, 90, 40, "test"), 1);
	lists_tick(l, 89);
	finish();
	assert_int_equal(judge("192.0.2.7"), 'b');
	lists_tick(l, 90);
	finish();
	assert_int_equal(judge("192.0.2.7"), '-');
}

/* LAB_PATIENCE of the lab: so many times slower is this machine than one that is not emulated. */
static int patience(void)
{
	const char *times = getenv("LAB_PATIENCE");

	return times && atoi(times) > 1 ? atoi(times) : 1;
}

static void automatic_blocks_are_capped(void **state)
{
	struct prefix p = prefix("10.0.0.0/32");
	int result = 0;

	(void)state;
	if (patience() > 1) {
		print_message(
			"skip: automatic_blocks_are_capped: emulated, it was not done after 20 minutes\n");
		skip();
	}
	for (uint32_t i = 0; i < LISTS_AUTO_MAX && !result; i++) {
		p.address.s6_addr32[3] = htonl(0x0a000000 + i);
		result = lists_add(l, LIST_BLOCK, &p, ORIGIN_AUTO, 1000, 0, "guessed");
	}
	assert_int_equal(result, 0);
	assert_int_equal(lists_add(l, LIST_BLOCK, &p, ORIGIN_AUTO, 2000, 0, "again"), 1);
	p.address.s6_addr32[3] = htonl(0x0b000000);
	assert_int_equal(lists_add(l, LIST_BLOCK, &p, ORIGIN_AUTO, 1000, 0, "too many"), -ENOSPC);
	assert_int_equal(lists_flush(l, LIST_BLOCK, ORIGIN_AUTO), LISTS_AUTO_MAX);
	finish();
	assert_int_equal(judge("10.0.0.1"), '-');
	assert_int_equal(judge("10.0.255.255"), '-');
}

/* --- whole sets --- */

static int set_of(const char *name, const char *const *prefixes)
{
	int set = lists_set_begin(l, ORIGIN_FEED, name);

	assert_true(set >= 0);
	for (; *prefixes; prefixes++) {
		struct prefix p = prefix(*prefixes);

		assert_int_equal(lists_set_add(l, set, LIST_BLOCK, &p, 0, 0, "feed"), 0);
	}
	return set;
}

static bool keep_none(const char *name, void *arg)
{
	(void)name, (void)arg;
	return false;
}

static void sets_come_whole(void **state)
{
	const char *const first[] = { "10.0.0.0/8", "192.0.2.1", NULL }, *const second[] = { "10.0.0.0/9",
											     NULL };
	int set = set_of("a.block", first);

	(void)state;
	add(LIST_BLOCK, "203.0.113.1");
	assert_int_equal(judge("10.200.0.0"), '-');
	lists_set_commit(l, set);
	finish();
	assert_int_equal(judge("10.200.0.0"), 'b');
	set = set_of("a.block", second);
	finish();
	assert_int_equal(judge("10.200.0.0"), 'b');
	lists_set_commit(l, set);
	finish();
	assert_int_equal(judge("10.200.0.0"), '-');
	assert_int_equal(judge("10.100.0.0"), 'b');
	assert_int_equal(judge("192.0.2.1"), '-');
	assert_int_equal(judge("203.0.113.1"), 'b');
	lists_set_drop(l, set_of("a.block", first));
	finish();
	assert_int_equal(judge("192.0.2.1"), '-');
	lists_sets_retain(l, ORIGIN_FEED, keep_none, NULL);
	finish();
	assert_int_equal(judge("10.100.0.0"), '-');
	assert_int_equal(judge("203.0.113.1"), 'b');
}

static void imports_join_what_was_added(void **state)
{
	struct prefix p = prefix("192.0.2.1"), q = prefix("192.0.2.2");
	int set = lists_set_begin(l, ORIGIN_MANUAL, "");
	struct lists_counts counts;

	(void)state;
	add(LIST_BLOCK, "192.0.2.1");
	assert_int_equal(lists_set_add(l, set, LIST_BLOCK, &p, 50, 0, "new"), 0);
	assert_int_equal(lists_set_add(l, set, LIST_BLOCK, &q, 50, 0, "new"), 0);
	lists_set_commit(l, set);
	finish();
	lists_count(l, &counts);
	assert_int_equal(counts.entries[LIST_BLOCK][ORIGIN_MANUAL], 2);
	assert_int_equal(judge("192.0.2.1"), 'b');
	lists_tick(l, 50);
	finish();
	assert_int_equal(judge("192.0.2.1"), '-');
	assert_int_equal(judge("192.0.2.2"), '-');
}

/* --- against a naive reference --- */

#define NAIVE_MAX 600

static struct naive {
	struct prefix prefix;
	enum list_kind kind;
	bool used;
} naive[NAIVE_MAX];

static bool covers(const struct prefix *p, const struct in6_addr *address)
{
	for (unsigned int bit = 0; bit < p->length_bits; bit++)
		if ((p->address.s6_addr[bit / 8] ^ address->s6_addr[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return prefix_is_v4(p) == IN6_IS_ADDR_V4MAPPED(address);
}

static char naive_judge(const struct in6_addr *address)
{
	const struct naive *best = NULL;

	for (size_t i = 0; i < NAIVE_MAX; i++) {
		const struct naive *n = &naive[i];

		if (!n->used || !covers(&n->prefix, address))
			continue;
		if (!best || n->prefix.length_bits > best->prefix.length_bits ||
		    (n->prefix.length_bits == best->prefix.length_bits && n->kind > best->kind))
			best = n;
	}
	return !best ? '-' : best->kind == LIST_ALLOW ? 'a' : 'b';
}

static uint32_t seed = 1;

static uint32_t random32(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8 ^ seed << 13;
}

/* Few values in few places, so that prefixes nest and meet. */
static struct in6_addr random_address(bool v6)
{
	struct in6_addr address = { 0 };
	unsigned int first = v6 ? 0 : 12;

	for (unsigned int i = first; i < 16; i++)
		if (random32() % 3 == 0)
			address.s6_addr[i] = (uint8_t[]){ 0xff, 0x80, 1, 0x7f }[random32() % 4];
	if (v6)
		address.s6_addr[0] |= 0x20;
	else
		address.s6_addr16[5] = 0xffff;
	return address;
}

static struct prefix random_prefix(void)
{
	bool v6 = random32() & 1;
	struct prefix p = { .address = random_address(v6) };
	unsigned int length = v6 ? random32() % 129 : 96 + random32() % 33;

	for (unsigned int bit = length; bit < 128; bit++)
		p.address.s6_addr[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	p.length_bits = (uint8_t)length;
	if (v6 && !length)
		memset(&p.address, 0, sizeof(p.address));
	return p;
}

static void check_address(const struct in6_addr *address, const char *when)
{
	char text[INET6_ADDRSTRLEN], expected = naive_judge(address), found;
	bool allowed;
	uint32_t record = lists_judge(l, address, &allowed);

	found = !record ? '-' : allowed ? 'a' : 'b';
	if (found != expected)
		fail_msg("%s: %s is %c, not %c (seed %u)", when,
			 inet_ntop(AF_INET6, address, text, sizeof(text)), found, expected, seed);
}

/* Both ends of every prefix, the addresses beside them, and some at random. */
static void check_all(const char *when)
{
	for (size_t i = 0; i < NAIVE_MAX; i++) {
		struct in6_addr address = naive[i].prefix.address;

		if (!naive[i].used)
			continue;
		check_address(&address, when);
		for (unsigned int bit = naive[i].prefix.length_bits; bit < 128; bit++)
			address.s6_addr[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		check_address(&address, when);
		address.s6_addr[15] ^= 1;
		check_address(&address, when);
	}
	for (int i = 0; i < 300; i++) {
		struct in6_addr address = random_address(i & 1);

		check_address(&address, when);
	}
}

static void change_one(void)
{
	struct naive *n = &naive[random32() % NAIVE_MAX];

	if (n->used) {
		assert_int_equal(lists_remove(l, n->kind, &n->prefix), 0);
		n->used = false;
		return;
	}
	n->prefix = random_prefix();
	n->kind = random32() & 1;
	for (size_t i = 0; i < NAIVE_MAX; i++)
		if (naive[i].used && naive[i].kind == n->kind &&
		    naive[i].prefix.length_bits == n->prefix.length_bits &&
		    !memcmp(&naive[i].prefix.address, &n->prefix.address, 16))
			return;
	assert_int_equal(lists_add(l, n->kind, &n->prefix, ORIGIN_MANUAL, 0, 0, NULL), 0);
	n->used = true;
}

static void as_the_reference_says(void **state)
{
	(void)state;
	memset(naive, 0, sizeof(naive));
	for (int round = 0; round < 150 / patience(); round++) {
		for (int i = 0; i < 20; i++)
			change_one();
		finish(); /* very short prefixes wait for a new table */
		check_all("in place");
		lists_tick(l, round);
	}
}

/* Changes between the slices of a new table are in it. */
static void changes_while_building(void **state)
{
	struct prefix p = prefix("203.0.113.0/24");
	int set;

	(void)state;
	memset(naive, 0, sizeof(naive));
	for (int round = 0; round < 60 / patience(); round++) {
		set = lists_set_begin(l, ORIGIN_FEED, "x");
		assert_int_equal(lists_set_add(l, set, LIST_BLOCK, &p, 0, 0, NULL), 0);
		lists_set_commit(l, set);
		for (bool more = true; more;) {
			for (int i = 0; i < 8; i++)
				change_one();
			more = lists_work(l);
		}
		lists_sets_retain(l, ORIGIN_FEED, keep_none, NULL);
		finish();
		check_all("after a new table");
		lists_tick(l, round);
	}
}

/* Many under one /32, so that there are lines in long rows, and changes go down through them. */
static void dense(void **state)
{
	struct prefix p = prefix("2001:db8::/64"), q = prefix("2001:db8:8000::/48");
	struct lists_counts counts;
	char text[64];
	int set = lists_set_begin(l, ORIGIN_FEED, "dense");

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		p.address.s6_addr16[2] = htons((uint16_t)(i * 3));
		p.address.s6_addr16[3] = htons((uint16_t)(i * 7));
		assert_int_equal(lists_set_add(l, set, LIST_BLOCK, &p, 0, 0, NULL), 0);
	}
	lists_set_commit(l, set);
	finish();
	for (uint32_t i = 0; i < 20000; i += 97) {
		snprintf(text, sizeof(text), "2001:db8:%x:%x::1", i * 3, i * 7 & 0xffff);
		assert_int_equal(judge(text), 'b');
		snprintf(text, sizeof(text), "2001:db8:%x:%x::1", i * 3, (i * 7 + 1) & 0xffff);
		assert_int_equal(judge(text), '-');
		snprintf(text, sizeof(text), "2001:db8:%x:%x::1", i * 3 + 1, i * 7 & 0xffff);
		assert_int_equal(judge(text), '-');
	}
	assert_int_equal(lists_add(l, LIST_BLOCK, &q, ORIGIN_MANUAL, 0, 0, NULL), 0);
	assert_int_equal(judge("2001:db8:8000:1::1"), 'b');
	assert_int_equal(judge("2001:db8:8001:1::1"), '-');
	assert_int_equal(add(LIST_ALLOW, "2001:db8:8000:1::/120"), 0);
	assert_int_equal(judge("2001:db8:8000:1::1"), 'a');
	assert_int_equal(judge("2001:db8:8000:1::100"), 'b');
	assert_int_equal(lists_remove(l, LIST_BLOCK, &q), 0);
	assert_int_equal(judge("2001:db8:8000:1::1"), 'a');
	assert_int_equal(judge("2001:db8:8000:1::100"), '-');
	lists_count(l, &counts);
	assert_in_range(counts.bytes, 1, 32 << 20);
}

/* --- shape --- */

/* Lines that an address of 10.2.0.0/16 leads through, with SINGLES addresses in it so far APART. */
static uint32_t lines_to(unsigned int singles, unsigned int apart, uint32_t last)
{
	struct pool *pool = pool_new(&backing.pool);
	struct store *store = store_new();
	int set = store_set_new(store, ORIGIN_MANUAL, "", SET_LIVE);
	struct prefix p = prefix("10.2.0.0");
	uint32_t root, entry, word, lines = 1;
	const struct list_line *line;
	struct table_builder b;

	assert_int_equal(table_builder_init(&b, store, pool, VIEW_NOW), 0);
	for (uint32_t i = 0; i < singles; i++) {
		p.address.s6_addr32[3] = htonl(0x0a020000 + i * apart);
		assert_int_equal(store_add(store, (uint16_t)set, LIST_BLOCK, &p, 0, 0, NULL, &entry), 0);
		assert_int_equal(pool_record_make(pool, entry), 0);
	}
	assert_int_equal(table_begin(&b, 0, &root), 0);
	while (table_run(&b, 100))
		;
	word = pool_root_at(pool, root)[0x0a02];
	assert_true(word & LIST_REF);
	line = pool_line_at(pool, (word & LIST_LINE) + (last << (word >> LIST_BITS_SHIFT & LIST_BITS) >> 16));
	for (; line->next & LIST_INDEX; lines++)
		line = pool_line_at(pool, (line->next & LIST_LINE) +
						  (last >> line->index.shift & line->index.mask));
	assert_false(line->next & LIST_REF);
	table_builder_fini(&b);
	store_free(store);
	pool_free(pool);
	return lines;
}

static void one_line_for_most(void **state)
{
	(void)state;
	assert_int_equal(lines_to(3, 512, 7), 1);
	assert_int_equal(lines_to(24, 2048, 0xffff), 1);
	assert_int_equal(lines_to(200, 256, 0x1234), 1);
	assert_int_equal(lines_to(2000, 32, 0xffff), 1);
	assert_int_equal(lines_to(32768, 2, 0x8001), 1);
	assert_int_equal(lines_to(128, 2, 0x81), 2); /* all in one /24 */
}

/* Every address of a /16 after every few changes, with something or nothing that covers it. */
static void every_address_of_a_range(void **state)
{
	static char single[65536], block[256]; /* '-': nothing; of /24 in block */
	static const char *const covers[] = { "10.0.0.0/8", "10.2.0.0/16" };
	static const enum list_kind kinds[] = { LIST_ALLOW, LIST_BLOCK };
	char covered[2] = { '-', '-' };

	(void)state;
	memset(single, '-', sizeof(single));
	memset(block, '-', sizeof(block));
	add(LIST_BLOCK, "10.1.0.0/16");
	for (uint32_t round = 0; round < 80; round++) {
		for (int i = 0; i < 6; i++) {
			uint32_t draw = random32() % 20, key = random32() & 0x7f1f, bits = 128;
			char *was = &single[key];
			struct prefix p = prefix("10.2.0.0");

			if (round > 40 && draw > 4) { /* thin out */
				for (key = random32() & 0xffff; key < 0xffff && single[key] == '-';)
					key++;
				was = &single[key];
			}
			if (draw < 4) {
				key &= 0xff00;
				bits = 120;
				was = &block[key >> 8];
			}
			p.address.s6_addr32[3] = htonl(0x0a020000 | key);
			p.length_bits = (uint8_t)bits;
			if (draw == 4) {
				p = prefix(covers[key & 1]);
				was = &covered[key & 1];
			}
			if (*was == '-') {
				*was = "ab"[key >> 1 & 1];
				assert_int_equal(
					lists_add(l, kinds[*was == 'b'], &p, ORIGIN_MANUAL, 0, 0, NULL), 0);
			} else {
				assert_int_equal(lists_remove(l, kinds[*was == 'b'], &p), 0);
				*was = '-';
			}
		}
		if (round % 8 == 0) { /* and what a new table says */
			lists_set_commit(l, lists_set_begin(l, ORIGIN_FEED, "x"));
			finish();
		}
		for (uint32_t key = 0; key < 65536; key++) {
			struct in6_addr a = prefix("10.2.0.0").address;
			char expected = single[key], found;
			uint32_t record;
			bool allowed;

			if (expected == '-')
				expected = block[key >> 8];
			if (expected == '-')
				expected = covered[covered[1] != '-'];
			a.s6_addr32[3] = htonl(0x0a020000 | key);
			record = lists_judge(l, &a, &allowed);
			found = !record ? '-' : allowed ? 'a' : 'b';
			if (found != expected)
				fail_msg("round %u: 10.2.%u.%u is %c, not %c", round, key >> 8, key & 255,
					 found, expected);
		}
		lists_tick(l, round);
	}
}

/* What is retired is used again: memory does not grow with the number of changes. */
static void memory_is_used_again(void **state)
{
	struct lists_counts before, after;

	(void)state;
	memset(naive, 0, sizeof(naive));
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 50; i++)
			change_one();
		finish();
		lists_tick(l, round);
		if (round == 100)
			lists_count(l, &before);
	}
	lists_count(l, &after);
	assert_in_range(after.bytes, 0, before.bytes + (4 << 20));
}

/* Building comes before tidying, each has fewer and fewer steps left, and then it is idle. */
static void progress_is_told_until_all_is_done(void **state)
{
	struct lists_progress before, now;
	int set = lists_set_begin(l, ORIGIN_FEED, "million.block"), looks = 0;

	(void)state;
	for (uint32_t i = 0; i < 200000; i++) {
		struct prefix p = prefix("10.0.0.0");

		p.address.s6_addr[13] = (uint8_t)(i >> 16);
		p.address.s6_addr[14] = (uint8_t)(i >> 8);
		p.address.s6_addr[15] = (uint8_t)i;
		assert_int_equal(lists_set_add(l, set, LIST_BLOCK, &p, 0, 0, ""), 0);
	}
	lists_get_progress(l, &now);
	assert_string_equal(now.phase, "idle");
	lists_set_commit(l, set);
	lists_get_progress(l, &now);
	assert_string_equal(now.phase, "building");
	do {
		before = now;
		lists_work(l);
		lists_get_progress(l, &now);
		if (!strcmp(now.phase, before.phase) && before.left)
			assert_true(now.left < before.left);
		else if (strcmp(now.phase, before.phase) != 0)
			assert_string_not_equal(now.phase, "building");
		looks++;
	} while (strcmp(now.phase, "idle") != 0);
	assert_true(looks > 1);
	assert_int_equal(now.left, 0);
	assert_int_equal(judge("10.3.0.1"), 'b');
	finish();
}

/* A place that nobody was told, as a client may send it. */
static void there_is_nothing_behind_the_end(void **state)
{
	static const uint32_t places[] = { 2, 1000, UINT32_MAX - 1, UINT32_MAX };
	struct lists_entry entry;

	(void)state;
	for (int filled = 0; filled < 2; filled++) {
		for (size_t i = 0; i < COUNT(places); i++) {
			uint32_t place = places[i];

			assert_false(lists_next(l, &place, &entry));
		}
		assert_int_equal(add(LIST_BLOCK, "192.0.2.1/32"), filled);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(longest_prefix_wins, set_up, tear_down),
		cmocka_unit_test_setup_teardown(allow_wins_over_block, set_up, tear_down),
		cmocka_unit_test_setup_teardown(families_are_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(expiry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(automatic_blocks_are_capped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sets_come_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(imports_join_what_was_added, set_up, tear_down),
		cmocka_unit_test_setup_teardown(as_the_reference_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(changes_while_building, set_up, tear_down),
		cmocka_unit_test_setup_teardown(dense, set_up, tear_down),
		cmocka_unit_test(one_line_for_most),
		cmocka_unit_test_setup_teardown(every_address_of_a_range, set_up, tear_down),
		cmocka_unit_test_setup_teardown(memory_is_used_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(there_is_nothing_behind_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(progress_is_told_until_all_is_done, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
