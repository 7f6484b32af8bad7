// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which listener a half-open is told to belong to: each row of the first table adds sockets as sock_diag
 * tells them, and says where half-opens end up. Then what the numbers of a listener are.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/watch/listeners.h"

static struct diag_entry entry(int family, const char *address, uint16_t port, bool listens)
{
	struct diag_entry e = { .family = (uint8_t)family, .port = port, .listens = listens };

	if (!strchr(address, ':')) { /* an IPv4 address, mapped in an IPv6 socket */
		e.v4 = true;
		assert_int_equal(inet_pton(AF_INET, address, &e.server[3]), 1);
		e.server[2] = e.server[3] ? htonl(0xffff) : 0;
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, e.server), 1);
	}
	return e;
}

static struct listeners *fresh(void)
{
	struct listeners *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	return l;
}

static void a_half_open_belongs_to_who_the_kernel_would_ask(void **state)
{
	static const struct {
		const char *what;
		struct {
			const char *address;
			int family;
			bool v6only;
			uint32_t ifindex;
		} listens[3], half_open;
		int owner; /* of listens; -1: one that has gone */
	} rows[] = {
#define V4(address)			 address, AF_INET, false, 0
#define V6(address)			 address, AF_INET6, false, 0
#define V6ONLY(address)			 address, AF_INET6, true, 0
#define V4_ON(address, ifindex)		 address, AF_INET, false, ifindex
#define ROW(what, one, two, half, owner) { what, { { one }, { two }, { V4(NULL) } }, { half }, owner }
		ROW("any address", V4("0.0.0.0"), V4(NULL), V4("10.0.0.1"), 0),
		ROW("the address itself before any", V4("0.0.0.0"), V4("10.0.0.1"), V4("10.0.0.1"), 1),
		ROW("whatever came first", V4("10.0.0.1"), V4("0.0.0.0"), V4("10.0.0.1"), 0),
		ROW("another address", V4("10.0.0.2"), V4(NULL), V4("10.0.0.1"), -1),
		ROW("IPv4 on a dual-stack listener", V6("::"), V4(NULL), V6("10.0.0.1"), 0),
		ROW("IPv4 on its mapped address", V6("::"), V6("10.0.0.1"), V6("10.0.0.1"), 1),
		ROW("no IPv4 where IPv6 only", V6ONLY("::"), V4(NULL), V6("10.0.0.1"), -1),
		ROW("IPv4 of its own beside that", V6ONLY("::"), V4("0.0.0.0"), V4("10.0.0.1"), 1),
		ROW("IPv6 there", V6ONLY("::"), V4("0.0.0.0"), V6("fd00::1"), 0),
		ROW("its interface before any", V4("0.0.0.0"), V4_ON("0.0.0.0", 3), V4_ON("10.0.0.1", 3), 1),
		ROW("not another interface", V4_ON("0.0.0.0", 4), V4(NULL), V4_ON("10.0.0.1", 3), -1),
		ROW("nobody", V4(NULL), V4(NULL), V4("10.0.0.1"), -1),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct listeners *l = fresh();
		struct diag_entry e;
		size_t count = 0;

		listeners_clear(l);
		for (; count < 3 && rows[i].listens[count].address; count++) {
			e = entry(rows[i].listens[count].family, rows[i].listens[count].address, 80, true);
			e.v6only = rows[i].listens[count].v6only;
			e.ifindex = rows[i].listens[count].ifindex;
			listeners_add(l, &e);
		}
		e = entry(rows[i].half_open.family, rows[i].half_open.address, 80, false);
		e.ifindex = rows[i].half_open.ifindex;
		listeners_add(l, &e);
		listeners_add(l, &e);
		e.port = 81;
		listeners_add(l, &e); /* another port: nobody's */
		for (size_t j = 0; j < l->count; j++) {
			uint32_t wanted = j == (size_t)rows[i].owner ? 2
					  : j == count		     ? (rows[i].owner < 0 ? 2 : 1)
								     : j > count;

			if (listener_half_opens(&l->all[j]) != wanted)
				print_error("%s: listener %zu has %u\n", rows[i].what, j,
					    listener_half_opens(&l->all[j]));
			assert_int_equal(listener_half_opens(&l->all[j]), wanted);
			assert_int_equal(l->all[j].sockets, j < count);
		}
		free(l);
	}
}

static void what_a_listener_tells(void **state)
{
	static const struct {
		uint8_t resends;
		uint32_t expires_ms, age_ms;
	} ages[] = { { 0, 1000, 0 }, { 0, 400, 600 },	 { 0, 4000, 0 },       { 1, 500, 2500 },
		     { 2, 0, 7000 }, { 5, 1000, 62000 }, { 200, 0, 131071000 } };
	struct listeners *l = fresh();
	struct diag_entry e = entry(AF_INET6, "::", 443, true),
			  half_open = entry(AF_INET6, "fd00::1", 443, false);
	uint32_t v4, v6;

	(void)state;
	e.queue = 3;
	e.limit = 128;
	for (uint64_t cookie = 1; cookie <= 3; cookie++) {
		e.cookie = cookie;
		listeners_add(l, &e);
	}
	assert_int_equal(l->count, 1);
	assert_int_equal(l->all[0].sockets, 3);
	assert_int_equal(l->all[0].cookies[2], 3);
	assert_int_equal(l->all[0].accept_queue, 9);
	assert_int_equal(l->all[0].accept_limit, 384);
	assert_false(l->all[0].accept_full);
	e.queue = 128; /* one more than the limit is what Linux takes */
	listeners_add(l, &e);
	assert_false(l->all[0].accept_full);
	e.queue = 129;
	listeners_add(l, &e);
	assert_true(l->all[0].accept_full);
	for (size_t i = 0; i < sizeof(ages) / sizeof(*ages); i++) {
		half_open.resends = ages[i].resends;
		half_open.expires_ms = ages[i].expires_ms;
		l->all[0].oldest_ms = 0;
		listeners_add(l, &half_open);
		assert_int_equal(l->all[0].oldest_ms, ages[i].age_ms);
	}
	assert_int_equal(l->all[0].resends[0], 3);
	assert_int_equal(l->all[0].resends[1], 1);
	assert_int_equal(l->all[0].resends[RESENDS - 1], 2);
	half_open = entry(AF_INET6, "10.0.0.1", 443, false);
	listeners_add(l, &half_open);
	assert_int_equal(listeners_half_opens(l, &v4, &v6), 8);
	assert_int_equal(v4, 1);
	assert_int_equal(v6, 7);
	free(l);
}

static void what_has_no_room_is_counted(void **state)
{
	struct listeners *l = fresh();
	uint32_t v4, v6;

	(void)state;
	for (uint32_t port = 1; port <= LISTENERS_MAX + 10; port++) {
		struct diag_entry e = entry(AF_INET, "0.0.0.0", (uint16_t)port, true);

		listeners_add(l, &e);
		e = entry(AF_INET, "10.0.0.1", (uint16_t)port, false);
		listeners_add(l, &e);
	}
	assert_int_equal(l->count, LISTENERS_MAX);
	assert_int_equal(l->left_out, 10);
	assert_int_equal(l->others_v4, 10);
	assert_int_equal(listeners_half_opens(l, &v4, &v6), LISTENERS_MAX + 10);
	free(l);
}

/* Between two counts, listeners are read anew and half-opens stay: also those of a listener that has gone. */
static void half_opens_are_carried_over(void **state)
{
	struct listeners *before = fresh(), *l = fresh();
	struct diag_entry stays = entry(AF_INET, "0.0.0.0", 80, true),
			  goes = entry(AF_INET, "0.0.0.0", 81, true);
	struct diag_entry half_open = entry(AF_INET, "10.0.0.1", 80, false);
	uint32_t v4, v6;

	(void)state;
	listeners_add(before, &stays);
	listeners_add(before, &goes);
	listeners_add(before, &half_open);
	half_open.port = 81;
	listeners_add(before, &half_open);
	before->others_v6 = 7;
	stays.queue = 5;
	listeners_add(l, &stays);
	listeners_carry(l, before);
	assert_int_equal(l->count, 2);
	assert_int_equal(l->all[0].accept_queue, 5);
	assert_int_equal(listener_half_opens(&l->all[0]), 1);
	assert_int_equal(l->all[1].port, 81);
	assert_int_equal(l->all[1].sockets, 0);
	assert_int_equal(listeners_half_opens(l, &v4, &v6), 9);
	free(before);
	free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_half_open_belongs_to_who_the_kernel_would_ask),
		cmocka_unit_test(what_a_listener_tells),
		cmocka_unit_test(what_has_no_room_is_counted),
		cmocka_unit_test(half_opens_are_carried_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
