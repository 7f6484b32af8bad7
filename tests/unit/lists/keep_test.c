// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What outlives the daemon: entries come back with the time that they have left, after another boot, too; a
 * file that is cut short anywhere, or has any byte changed, or cannot be written, costs no entry of before.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/lists/keep.h"
#include "daemon/lists/lists.h"
#include "tests/unit/lists/backing.h"

#define ENTRIES 100
#define NOW	100000

static char dir[] = "/tmp/synmoat-keep.XXXXXX";

static void path_of(char path[64], const char *name)
{
	snprintf(path, 64, "%s/%s", dir, name);
}

static void remove_all(void)
{
	static const char *const names[] = { "lists",	       "lists.copy",	   "lists.new",
					     "lists.copy.new", "lists.damaged",	   "lists.copy.damaged",
					     "lists.journal",  "lists.journal.old" };
	char path[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		path_of(path, names[i]);
		unlink(path);
	}
}

static struct prefix address(uint32_t i)
{
	struct prefix p;

	assert_int_equal(prefix_parse("10.0.0.0/32", &p), 0);
	p.address.s6_addr32[3] = htonl(0x0a000000 + i);
	return p;
}

/* Entry i expires at NOW + 100 + i, the first never. */
static void add_entries(struct lists *l, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++) {
		struct prefix p = address(i);

		assert_int_equal(lists_add(l, i % 3 ? LIST_BLOCK : LIST_ALLOW, &p,
					   i % 2 ? ORIGIN_AUTO : ORIGIN_MANUAL, i ? NOW + 100 + i : 0, NOW,
					   "why\nnot"),
				 0);
	}
}

static void save(uint32_t count)
{
	struct lists *l = lists_new(&backing);
	struct keep *k = keep_new(dir);

	add_entries(l, 0, count);
	keep_free(k, l, NOW);
	lists_free(l);
}

/* Returns the number of entries; the table must say the same. */
static uint64_t load(int64_t now_s, int64_t late_s)
{
	struct lists *l = lists_new(&backing);
	struct keep *k = keep_new(dir);
	uint64_t count = keep_load(k, l, now_s), seen = 0;
	struct lists_entry e;
	uint32_t place = 0;

	lists_tick(l, now_s);
	while (lists_work(l))
		;
	while (lists_next(l, &place, &e)) {
		uint32_t i = ntohl(e.prefix.address.s6_addr32[3]) - 0x0a000000;
		bool allowed;

		assert_int_equal(e.expires_s, i ? now_s + 100 + i - late_s : 0);
		assert_int_equal(e.origin, i % 2 ? ORIGIN_AUTO : ORIGIN_MANUAL);
		assert_int_equal(e.kind, i % 3 ? LIST_BLOCK : LIST_ALLOW);
		assert_string_equal(e.reason, "why not");
		assert_int_not_equal(lists_judge(l, &e.prefix.address, &allowed), 0);
		assert_int_equal(allowed, e.kind == LIST_ALLOW);
		seen++;
	}
	assert_int_equal(seen, count);
	keep_free(k, NULL, now_s);
	lists_free(l);
	return count;
}

static char *read_file(const char *name, size_t *length)
{
	char path[64], *text = malloc(65536);
	FILE *file;

	path_of(path, name);
	file = fopen(path, "re");
	assert_non_null(file);
	*length = fread(text, 1, 65536, file);
	fclose(file);
	return text;
}

static void write_file(const char *name, const char *text, size_t length)
{
	char path[64];
	FILE *file;

	path_of(path, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	fclose(file);
}

static void time_that_is_left(void **state)
{
	(void)state;
	save(ENTRIES);
	assert_int_equal(load(NOW, 0), ENTRIES);
	assert_int_equal(load(NOW + 150, 150), ENTRIES - 50); /* 1 to 50 have expired */
}

static void write_down(void *arg, const struct lists_change *change)
{
	keep_note(arg, change, NOW);
}

/* What the next daemon has: entries, of them allowed. */
static void expect_after(uint32_t entries, uint32_t allowed)
{
	struct lists *l = lists_new(&backing);
	struct keep *k = keep_new(dir);
	struct lists_entry e;
	uint32_t place = 0, seen = 0, seen_allowed = 0;

	keep_load(k, l, NOW);
	while (lists_work(l))
		;
	keep_replay(k, l, NOW);
	while (lists_work(l))
		;
	while (lists_next(l, &place, &e)) {
		assert_string_equal(e.reason, "why not");
		seen++;
		seen_allowed += e.kind == LIST_ALLOW;
	}
	assert_int_equal(seen, entries);
	assert_int_equal(seen_allowed, allowed);
	keep_free(k, NULL, NOW);
	lists_free(l);
}

/* The file of all entries begins to be written, and the next one, too, once it is. */
static void write_all(struct keep *k, const struct lists *l)
{
	char path[64];

	path_of(path, "lists.copy");
	keep_tick(k, l, NOW);
	while (keep_work(k, l))
		;
	for (int i = 0; i < 500 && access(path, F_OK); i++)
		usleep(2000);
	usleep(20000);
	keep_tick(k, l, NOW);
}

/* Killed at any moment: before, while and after all is written. */
static void killed(void **state)
{
	struct keep *k = keep_new(dir);
	const struct lists_backing noting = { backing.pool, publish, write_down, k };
	struct lists *l = lists_new(&noting);
	struct prefix gone = address(3);

	(void)state;
	add_entries(l, 0, 30);
	expect_after(30, 10);
	assert_int_equal(lists_remove(l, LIST_ALLOW, &gone), 0);
	expect_after(29, 9);
	keep_tick(k, l, NOW);
	add_entries(l, 30, 30);
	expect_after(59, 19);
	write_all(k, l);
	expect_after(59, 19);
	assert_int_equal(lists_flush(l, LIST_ALLOW, ORIGIN_MANUAL), 10);
	expect_after(49, 9);
	write_file("lists.journal", "half of a li", 12);
	expect_after(59, 19);
	keep_free(k, NULL, NOW);
	lists_free(l);
}

/* A file of another boot, written so many seconds ago by the wall clock. */
static void write_as_of_before(int64_t ago_s)
{
	uint64_t sum = 0xcbf29ce484222325;
	char head[128], *rest;
	char *whole = NULL, *text;
	size_t length, size;
	FILE *out = open_memstream(&whole, &size);

	text = read_file("lists", &length);
	text[length] = '\0';
	rest = strchr(text, '\n');
	*strstr(rest, "\nend ") = '\0';
	snprintf(head, sizeof(head), "synmoat-lists 1 00000000-1111-2222-3333-444444444444 %d %" PRId64, NOW,
		 (int64_t)time(NULL) - ago_s);
	fprintf(out, "%s%s\n", head, rest);
	fflush(out);
	for (size_t i = 0; i < size; i++)
		sum = (sum ^ (uint8_t)whole[i]) * 0x100000001b3;
	fprintf(out, "end %d %016" PRIx64 "\n", ENTRIES, sum);
	fclose(out);
	write_file("lists", whole, size);
	free(whole);
	free(text);
}

static void another_boot(void **state)
{
	(void)state;
	save(ENTRIES);
	write_as_of_before(0);
	assert_int_equal(load(50, 0), ENTRIES);
	write_as_of_before(150);
	assert_in_range(load(50, 150), ENTRIES - 51, ENTRIES - 50);
	write_as_of_before(-3600); /* the clock has gone back: nothing has passed */
	assert_int_equal(load(50, 0), ENTRIES);
}

/* Whatever becomes of one of the two files, the other has it all. */
static void cut_short_or_garbled(void **state)
{
	size_t length;
	char *text;

	(void)state;
	save(ENTRIES);
	text = read_file("lists", &length);
	for (size_t cut = 0; cut < length; cut += cut < length - 100 ? 37 : 1) {
		write_file("lists", text, cut);
		assert_int_equal(load(NOW, 0), ENTRIES);
	}
	for (size_t at = 0; at < length; at += 29) {
		char byte = text[at];

		text[at] ^= 1;
		write_file("lists", text, length);
		assert_int_equal(load(NOW, 0), ENTRIES);
		text[at] = byte;
	}
	write_file("lists", text, length);
	write_file("lists.copy", text, length / 2);
	assert_int_equal(load(NOW, 0), ENTRIES);
	write_file("lists", text, length / 2);
	assert_int_equal(load(NOW, 0), 0); /* both: said, and set aside */
	free(text);
	text = read_file("lists.damaged", &length);
	free(text);
}

static void limit_files(rlim_t size)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void no_room(void **state)
{
	char path[64];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	save(ENTRIES);
	limit_files(2000);
	save(2 * ENTRIES);
	limit_files(RLIM_INFINITY);
	assert_int_equal(load(NOW, 0), ENTRIES);
	path_of(path, "lists.new");
	assert_int_not_equal(access(path, F_OK), 0);
}

/* A disk that is full in the middle of a line: what is written down when it has room again is not lost. */
static void no_room_for_a_change(void **state)
{
	struct keep *k = keep_new(dir);
	const struct lists_backing noting = { backing.pool, publish, write_down, k };
	struct lists *l = lists_new(&noting);
	struct stat status;
	char path[64];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	add_entries(l, 0, 10);
	path_of(path, "lists.journal");
	assert_int_equal(stat(path, &status), 0);
	limit_files((rlim_t)status.st_size + 10);
	add_entries(l, 10, 1);
	limit_files(RLIM_INFINITY);
	add_entries(l, 11, 10);
	expect_after(20, 7);
	keep_free(k, NULL, NOW);
	lists_free(l);
}

/* In slices and by the thread, as in the daemon; what changes meanwhile is written next. */
static void while_running(void **state)
{
	struct lists *l = lists_new(&backing);
	struct keep *k = keep_new(dir);

	(void)state;
	add_entries(l, 0, ENTRIES);
	for (int64_t second = 0; second < 50; second++) {
		keep_tick(k, l, NOW + second);
		if (second == 1)
			add_entries(l, ENTRIES, ENTRIES);
		while (keep_work(k, l))
			;
		usleep(10000);
	}
	assert_int_equal(load(NOW, 0), 2 * ENTRIES);
	keep_free(k, l, NOW);
	lists_free(l);
}

static int tear_down(void **state)
{
	(void)state;
	remove_all();
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(time_that_is_left, tear_down),
		cmocka_unit_test_teardown(killed, tear_down),
		cmocka_unit_test_teardown(another_boot, tear_down),
		cmocka_unit_test_teardown(cut_short_or_garbled, tear_down),
		cmocka_unit_test_teardown(no_room_for_a_change, tear_down),
		cmocka_unit_test_teardown(no_room, tear_down),
		cmocka_unit_test_teardown(while_running, tear_down),
	};

	if (!mkdtemp(dir))
		return 1;
	return cmocka_run_group_tests(tests, NULL, tear_down_all);
}
