/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The events on disk: numbers go on after every end, what was cut off, garbled, taken out or lost to a full
 * disk is found at the next start, and nothing grows without bounds.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/events/events.h"
#include "daemon/events/ledger.h"

static char dir[] = "/tmp/synmoat-ledger.XXXXXX";
static struct ledger ledger;
static struct ledger_report report;
static uint64_t taken, last_taken;

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { LEDGER_FILE, LEDGER_FILE ".1", "events.number",
					     LEDGER_FILE ".damaged", LEDGER_FILE ".1.damaged" };

	(void)state;
	ledger_close(&ledger);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(path_of(names[i]));
	return rmdir(dir);
}

static void take(void *arg, struct event_entry *event)
{
	(void)arg;
	taken++;
	assert_true(event->number > last_taken);
	last_taken = event->number;
	event_unref(event);
}

static void open_ledger(void)
{
	ledger_close(&ledger);
	taken = last_taken = 0;
	assert_int_equal(ledger_open(&ledger, dir, take, NULL, &report), 0);
}

static struct event_entry *make(uint64_t number, enum event_kind kind, const struct event_field *fields)
{
	const struct event_stamp stamp = { .number = number, .wall_us = 1795285513000000, .monotonic_us = 1 };
	struct event_entry *event = event_new(kind, &stamp, event_fields(kind, fields));

	assert_non_null(event);
	return event;
}

static int write_one(uint64_t number, enum event_kind kind)
{
	struct event_entry *event = make(number, kind, NULL);
	int error = ledger_write(&ledger, &event, 1);

	event_unref(event);
	return error;
}

static void write_numbers(uint64_t first, uint64_t last)
{
	for (uint64_t number = first; number <= last; number++)
		assert_int_equal(write_one(number, EVENT_DRAINED), 0);
}

/* As one who edits the file: line `line` becomes text, or goes when that is NULL. */
static void edit(const char *name, unsigned int line, const char *text)
{
	FILE *in = fopen(path_of(name), "r"), *out;
	static char buffer[2 * LEDGER_SIZE_MAX];
	size_t length = fread(buffer, 1, sizeof(buffer) - 1, in);
	unsigned int count = 0;

	buffer[length] = '\0';
	fclose(in);
	out = fopen(path_of(name), "w");
	for (char *c = buffer; *c;) {
		size_t size = strcspn(c, "\n") + 1;

		if (++count != line)
			fwrite(c, size, 1, out);
		else if (text)
			fputs(text, out);
		c += size;
	}
	fclose(out);
}

static void numbers_go_on(void **state)
{
	(void)state;
	open_ledger();
	assert_int_equal(report.last, 0);
	assert_true(report.ended); /* there was none before */
	write_numbers(1, 10);
	open_ledger();
	assert_int_equal(taken, 10);
	assert_int_equal(report.last, 10);
	assert_int_equal(report.gap_count, 0);
	assert_int_equal(report.bad, 0);
	assert_false(report.ended);
	assert_int_equal(write_one(11, EVENT_DAEMON_STOPPED), 0);
	open_ledger();
	assert_true(report.ended);
	assert_int_equal(report.last, 11);
}

static void a_line_cut_off_is_said_once(void **state)
{
	struct stat status;

	(void)state;
	open_ledger();
	write_numbers(1, 5);
	assert_int_equal(stat(path_of(LEDGER_FILE), &status), 0);
	for (off_t cut = 1; cut < 40; cut += 13) {
		uint64_t before;

		open_ledger();
		before = report.last;
		write_numbers(before + 1, before + 2);
		assert_int_equal(stat(path_of(LEDGER_FILE), &status), 0);
		assert_int_equal(truncate(path_of(LEDGER_FILE), status.st_size - cut), 0);
		open_ledger();
		assert_int_equal(report.bad, 1);
		assert_true(report.cut);
		assert_true(report.kept);
		assert_string_equal(report.file, LEDGER_FILE);
		assert_int_equal(access(path_of(LEDGER_FILE ".damaged"), F_OK), 0);
		assert_int_equal(report.last, before + 2); /* never again */
		assert_true(report.gap_count >= 1);	   /* and those of before, that nobody told */
		assert_int_equal(report.gaps[report.gap_count - 1].first, before + 2);
		assert_true(report.gaps[report.gap_count - 1].at_end);
		open_ledger();
		assert_int_equal(report.bad, 0);
		write_numbers(before + 3, before + 3);
	}
}

static void a_changed_line_is_found(void **state)
{
	static const char *const lines[] = { "\n", "{}\n", "garbage\n", "{\"number\":3}\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		open_ledger();
		write_numbers(report.last + 1, report.last + 5);
		edit(LEDGER_FILE, 3, lines[i]);
		open_ledger();
		assert_int_equal(report.bad, 1);
		assert_int_equal(report.line, 3);
		assert_false(report.cut);
		assert_true(report.kept);
		assert_true(report.gap_count >= 1);
		open_ledger();
		assert_int_equal(report.bad, 0); /* set aside */
	}
}

static void a_line_taken_out_is_missed_until_it_is_told(void **state)
{
	const struct event_field fields[] = { EV_NUMBER("first", 4), EV_NUMBER("last", 4), { .name = NULL } };
	struct event_entry *told;

	(void)state;
	open_ledger();
	write_numbers(1, 9);
	edit(LEDGER_FILE, 4, NULL);
	open_ledger();
	assert_int_equal(report.gap_count, 1);
	assert_int_equal(report.gaps[0].first, 4);
	assert_int_equal(report.gaps[0].last, 4);
	assert_false(report.gaps[0].at_end);
	told = make(10, EVENT_EVENTS_MISSING, fields);
	assert_int_equal(ledger_write(&ledger, &told, 1), 0);
	event_unref(told);
	open_ledger();
	assert_int_equal(report.gap_count, 0);
	assert_int_equal(report.last, 10);
}

static void its_end_cut_off_by_hand_is_missed(void **state)
{
	(void)state;
	open_ledger();
	write_numbers(1, 9);
	edit(LEDGER_FILE, 9, NULL);
	edit(LEDGER_FILE, 8, NULL);
	open_ledger();
	assert_int_equal(report.bad, 0);
	assert_int_equal(report.gap_count, 1);
	assert_int_equal(report.gaps[0].first, 8);
	assert_int_equal(report.gaps[0].last, 9);
	assert_true(report.gaps[0].at_end);
	assert_int_equal(report.last, 9);
}

static void its_beginning_cut_off_is_missed(void **state)
{
	(void)state;
	open_ledger();
	write_numbers(1, 9);
	edit(LEDGER_FILE, 1, NULL);
	open_ledger();
	assert_int_equal(report.gap_count, 1);
	assert_int_equal(report.gaps[0].first, 1);
	assert_int_equal(report.gaps[0].last, 1);
}

static void a_file_removed_as_a_whole_is_missed(void **state)
{
	(void)state;
	open_ledger();
	write_numbers(1, 9);
	assert_int_equal(unlink(path_of(LEDGER_FILE)), 0);
	write_numbers(10, 11); /* not into nowhere */
	open_ledger();
	assert_int_equal(taken, 2);
	assert_int_equal(report.gap_count, 1);
	assert_int_equal(report.gaps[0].first, 1);
	assert_int_equal(report.gaps[0].last, 9);
	ledger_close(&ledger);
	unlink(path_of(LEDGER_FILE));
	open_ledger();
	assert_int_equal(report.last, 11);
}

static void a_number_that_was_there_already_is_foreign(void **state)
{
	(void)state;
	open_ledger();
	write_numbers(1, 3);
	write_numbers(2, 2);
	write_numbers(4, 4);
	open_ledger();
	assert_int_equal(report.bad, 1);
	assert_int_equal(report.line, 4);
	assert_int_equal(report.last, 4);
	assert_int_equal(report.gap_count, 0);
}

static void many_gaps_are_bounded(void **state)
{
	(void)state;
	open_ledger();
	for (uint64_t number = 2; number < 100; number += 2)
		write_numbers(number, number);
	open_ledger();
	assert_int_equal(report.gap_count, LEDGER_GAPS);
	assert_int_equal(report.gaps[0].first, 1);
	assert_int_equal(report.gaps[LEDGER_GAPS - 1].last, 97);
}

/* What the disk has no room for has had its number given all the same. */
static void a_full_disk_gives_no_number_twice(void **state)
{
	struct rlimit limit, before;
	struct stat status;

	(void)state;
	open_ledger();
	write_numbers(1, 5);
	assert_int_equal(stat(path_of(LEDGER_FILE), &status), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = (rlim_t)status.st_size + 20; /* within a line */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(write_one(6, EVENT_DRAINED), -EFBIG);
	ledger_mark(&ledger, 6);
	assert_int_equal(write_one(7, EVENT_DRAINED), -EFBIG);
	ledger_mark(&ledger, 7);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	open_ledger();
	assert_int_equal(report.bad, 0); /* nothing is left of what did not fit */
	assert_int_equal(report.last, 7);
	assert_int_equal(report.gap_count, 1);
	assert_int_equal(report.gaps[0].first, 6);
	write_numbers(8, 8);
}

static void the_older_of_two_files_goes(void **state)
{
	char text[512];
	const struct event_field fields[] = { EV_TEXT("error", text), { .name = NULL } };
	struct event_entry *batch[64];
	struct stat status;
	uint64_t number = 0;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	open_ledger();
	for (size_t size = 0; size < 3 * LEDGER_SIZE_MAX;) {
		for (size_t i = 0; i < 64; i++) {
			batch[i] = make(++number, EVENT_CONFIG_REFUSED, fields);
			size += strlen(batch[i]->line);
		}
		assert_int_equal(ledger_write(&ledger, batch, 64), 0);
		for (size_t i = 0; i < 64; i++)
			event_unref(batch[i]);
	}
	assert_int_equal(stat(path_of(LEDGER_FILE), &status), 0);
	assert_in_range(status.st_size, 1, LEDGER_SIZE_MAX + (1 << 18));
	assert_int_equal(stat(path_of(LEDGER_FILE ".1"), &status), 0);
	assert_in_range(status.st_size, LEDGER_SIZE_MAX, LEDGER_SIZE_MAX + (1 << 18));
	open_ledger();
	assert_int_equal(report.last, number);
	assert_int_equal(report.gap_count, 0); /* the first ones need not be there any more */
	assert_int_equal(report.bad, 0);
	assert_in_range(taken, RING_SIZE, number - 1);
	/* both files, as somebody finds them who took a line out where they meet */
	edit(LEDGER_FILE, 1, NULL);
	open_ledger();
	assert_int_equal(report.gap_count, 1);
}

static void two_daemons_do_not_write_to_one_folder(void **state)
{
	struct ledger other = { .fd = -1, .mark_fd = -1 };
	struct ledger_report ignored;

	(void)state;
	open_ledger();
	assert_int_equal(ledger_open(&other, dir, take, NULL, &ignored), -EBUSY);
	write_numbers(1, 1);
}

static void a_link_in_place_of_the_file_is_not_followed(void **state)
{
	(void)state;
	assert_int_equal(symlink("/tmp/synmoat-ledger-target", path_of(LEDGER_FILE)), 0);
	assert_int_equal(ledger_open(&ledger, dir, take, NULL, &report), -ELOOP);
	assert_int_not_equal(access("/tmp/synmoat-ledger-target", F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_go_on, setup, teardown),
		cmocka_unit_test_setup_teardown(a_line_cut_off_is_said_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_changed_line_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(a_line_taken_out_is_missed_until_it_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(its_end_cut_off_by_hand_is_missed, setup, teardown),
		cmocka_unit_test_setup_teardown(its_beginning_cut_off_is_missed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_removed_as_a_whole_is_missed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_number_that_was_there_already_is_foreign, setup, teardown),
		cmocka_unit_test_setup_teardown(many_gaps_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk_gives_no_number_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(the_older_of_two_files_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(two_daemons_do_not_write_to_one_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(a_link_in_place_of_the_file_is_not_followed, setup, teardown),
	};

	ledger = (struct ledger){ .fd = -1, .mark_fd = -1 };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
