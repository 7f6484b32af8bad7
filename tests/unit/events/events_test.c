/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log as the daemon uses it, with its threads: told is kept, numbered on over restarts and kills, handed
 * to the file and the hook; a flood is counted, what is broken at start is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/events/events.h"

static char dir[] = "/tmp/synmoat-events.XXXXXX";

static const char *path_of(const char *name)
{
	static char path[2][128];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = { "events.jsonl",
					     "events.number",
					     "events.jsonl.damaged",
					     "out",
					     "out.1",
					     "hook",
					     "called",
					     "go" };

	(void)state;
	events_close();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(path_of(names[i]));
	return rmdir(dir);
}

static bool wait_newest(uint64_t number)
{
	for (int i = 0; i < 6000 && events_newest() < number; i++)
		usleep(5000);
	return events_newest() == number;
}

static size_t count_lines(const char *name, const char *with)
{
	FILE *file = fopen(path_of(name), "r");
	char line[8192];
	size_t count = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		count += strstr(line, with) != NULL;
	fclose(file);
	return count;
}

static bool wait_lines(const char *name, const char *with, size_t count)
{
	for (int i = 0; i < 1000 && count_lines(name, with) < count; i++)
		usleep(5000);
	return count_lines(name, with) == count;
}

static void tell_drained(unsigned int times)
{
	for (unsigned int i = 0; i < times; i++)
		event_tell(EVENT_DRAINED);
}

/* NULL: there is none of this kind. */
static struct event_entry *find(enum event_kind kind)
{
	struct event_entry *event;

	for (uint64_t at = 0; (event = events_next(at)); event_unref(event)) {
		if (event->kind == (int)kind)
			return event;
		at = event->number;
	}
	return NULL;
}

static int64_t number_in(const struct event_entry *event, const char *name)
{
	json_t *fields = event_read_fields(event);
	int64_t value = json_integer_value(json_object_get(fields, name));

	json_decref(fields);
	return value;
}

static void assert_text_in(const struct event_entry *event, const char *name, const char *expected)
{
	json_t *fields = event_read_fields(event);

	assert_string_equal(json_string_value(json_object_get(fields, name)), expected);
	json_decref(fields);
}

static void numbers_go_on_after_a_stop(void **state)
{
	struct event_entry *event;

	(void)state;
	events_open(dir);
	assert_true(events_ended_well());
	tell_drained(3);
	assert_true(wait_newest(3));
	events_close();
	events_open(dir);
	assert_false(events_ended_well());
	assert_int_equal(events_oldest(), 1);
	assert_int_equal(events_newest(), 3);
	event_tell(EVENT_DAEMON_STOPPED, EV_TEXT("signal", "SIGTERM"));
	assert_true(wait_newest(4));
	event = events_next(3);
	assert_string_equal(event->text, "synmoatd stops: SIGTERM");
	assert_null(events_next(4));
	event_unref(event);
	events_close();
	events_open(dir);
	assert_true(events_ended_well());
	assert_int_equal(count_lines("events.jsonl", "\"number\""), 4);
}

/* What anybody was shown before has its number for good. */
static void numbers_go_on_after_a_kill(void **state)
{
	uint64_t seen = 0;
	int channel[2];

	(void)state;
	for (int life = 0; life < 5; life++) {
		pid_t child;
		int status;

		assert_int_equal(pipe(channel), 0);
		child = fork();
		if (!child) {
			events_open(dir);
			for (;;) {
				uint64_t newest = events_newest();

				event_tell(EVENT_BYPASS_ON, EV_NUMBER("uid", 1), EV_NUMBER("pid", 1));
				(void)!write(channel[1], &newest, sizeof(newest));
			}
		}
		close(channel[1]);
		usleep(50000);
		for (int i = 0; i < 50; i++) {
			uint64_t shown;

			assert_int_equal(read(channel[0], &shown, sizeof(shown)), sizeof(shown));
			seen = shown > seen ? shown : seen;
		}
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		close(channel[0]);
	}
	events_open(dir);
	assert_true(seen > 0);
	assert_true(events_newest() >= seen);
	assert_null(find(EVENT_EVENTS_MISSING));
	assert_null(find(EVENT_EVENTS_DAMAGED));
}

static void a_flood_is_counted(void **state)
{
	struct event_entry *event;

	(void)state;
	events_open(dir);
	for (int i = 0; i < 1000; i++)
		event_tell(EVENT_MITIGATION_BEGUN, EV_TEXT("service", "web"));
	assert_true(wait_newest(EVENT_PER_MINUTE));
	events_close(); /* says what it left out */
	events_open(dir);
	event = find(EVENT_EVENTS_LEFT_OUT);
	assert_non_null(event);
	assert_int_equal(number_in(event, "count"), 1000 - EVENT_PER_MINUTE);
	assert_text_in(event, "kind", "mitigation-begun");
	assert_text_in(event, "key", "web");
	event_unref(event);
}

static void the_last_ones_are_kept(void **state)
{
	uint64_t newest;

	(void)state;
	events_open(dir);
	for (int i = 0; i < RING_SIZE + 200; i++) /* of several users, so that none has to be left out */
		event_tell(i % 2 ? EVENT_BYPASS_ON : EVENT_BYPASS_OFF, EV_NUMBER("uid", i / 2 % 4),
			   EV_NUMBER("pid", 1));
	wait_newest(RING_SIZE + 200);
	newest = events_newest();
	assert_in_range(newest, RING_SIZE + 200, RING_SIZE + 201); /* somebody may set the clock meanwhile */
	assert_int_equal(events_oldest(), newest - RING_SIZE + 1);
	events_close();
	events_open(dir);
	assert_int_equal(events_oldest(), newest - RING_SIZE + 1);
	assert_int_equal(events_newest(), newest);
}

static void what_is_broken_is_told_once(void **state)
{
	struct event_entry *event;
	struct stat status;

	(void)state;
	events_open(dir);
	tell_drained(5);
	assert_true(wait_newest(5));
	events_close();
	stat(path_of("events.jsonl"), &status);
	assert_int_equal(truncate(path_of("events.jsonl"), status.st_size - 7), 0);
	events_open(dir);
	assert_true(wait_newest(7)); /* 5 is not given again */
	event = find(EVENT_EVENTS_DAMAGED);
	assert_non_null(event);
	assert_int_equal(number_in(event, "lines"), 1);
	assert_non_null(strstr(event->text, "as after a crash"));
	event_unref(event);
	event = find(EVENT_EVENTS_MISSING);
	assert_non_null(event);
	assert_int_equal(number_in(event, "first"), 5);
	assert_int_equal(number_in(event, "last"), 5);
	event_unref(event);
	events_close();
	events_open(dir);
	assert_int_equal(events_newest(), 7);
}

static void a_full_disk_loses_nothing(void **state)
{
	struct rlimit before, limit;
	struct event_entry *event;
	struct stat status;

	(void)state;
	events_open(dir);
	tell_drained(5);
	assert_true(wait_newest(5));
	stat(path_of("events.jsonl"), &status);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = (rlim_t)status.st_size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	tell_drained(3);
	assert_true(wait_newest(9)); /* shown all the same, and told */
	event = find(EVENT_EVENTS_UNWRITTEN);
	assert_non_null(event);
	event_unref(event);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(wait_newest(10));
	event = find(EVENT_EVENTS_WRITTEN);
	assert_non_null(event);
	assert_int_equal(number_in(event, "missed"), 0);
	event_unref(event);
	events_close();
	assert_int_equal(count_lines("events.jsonl", "\"number\""), 10);
}

static void configure(const char *file, const char *hook, unsigned int timeout_s)
{
	struct events_settings settings = { .file = file,
					    .hook = { .command = hook, .timeout_s = timeout_s } };

	settings.hook.kinds[EVENT_ATTACK_BEGUN] = true;
	events_configure(&settings);
}

static void a_file_gets_lines_and_may_be_rotated(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s", path_of("out"));
	events_open(dir);
	configure(path, NULL, 1);
	tell_drained(2);
	assert_true(wait_lines("out", "\"kind\":\"drained\"", 2));
	assert_int_equal(rename(path_of("out"), path_of("out.1")), 0);
	tell_drained(3);
	assert_true(wait_lines("out", "\"kind\":\"drained\"", 3));
	assert_int_equal(count_lines("out.1", "\"kind\""), 2);
	configure(NULL, NULL, 1);
	tell_drained(1);
	assert_true(wait_newest(6));
	usleep(20000);
	assert_int_equal(count_lines("out", "\"kind\""), 3);
}

static void a_file_that_cannot_be_written_is_told(void **state)
{
	struct event_entry *event = NULL;

	(void)state;
	events_open(dir);
	configure("/dev/null", NULL, 1); /* no file */
	tell_drained(1);
	for (int i = 0; i < 1000 && !event; i++) {
		usleep(5000);
		event = find(EVENT_EVENTS_UNWRITTEN);
	}
	assert_non_null(event);
	assert_text_in(event, "sink", "events.file");
	event_unref(event);
	configure(NULL, NULL, 1);
}

static void make_hook(const char *script, mode_t mode)
{
	FILE *file = fopen(path_of("hook"), "w");

	fprintf(file, "#!/bin/sh\ncd %s || exit 9\n%s\n", dir, script);
	fclose(file);
	assert_int_equal(chmod(path_of("hook"), mode), 0);
}

static void tell_attack(const char *service)
{
	event_tell(EVENT_ATTACK_BEGUN, EV_TEXT("service", service), EV_NUMBER("syn_rate_pps", 1000),
		   EV_JSON("top", json_pack("[s,s]", "192.0.2.0/24", "198.51.100.7/32")));
}

static struct event_entry *wait_for(enum event_kind kind)
{
	struct event_entry *event = NULL;

	for (int i = 0; i < 1000 && !event; i++) {
		usleep(5000);
		event = find(kind);
	}
	return event;
}

static void the_hook_is_called_with_the_event(void **state)
{
	char hook[128];

	(void)state;
	snprintf(hook, sizeof(hook), "%s", path_of("hook"));
	make_hook("env >called.new; echo args $# >>called.new; cat >>called.new; mv called.new called", 0755);
	setenv("SYNMOAT_SECRET", "x", 1); /* of our own environment, nothing is handed down */
	events_open(dir);
	configure(NULL, hook, 5);
	tell_drained(1); /* not asked for */
	tell_attack("web $(touch pwned)");
	assert_true(wait_lines("called", "args 0", 1));
	assert_int_equal(count_lines("called", "SYNMOAT_EVENT=attack-begun\n"), 1);
	assert_int_equal(count_lines("called", "SYNMOAT_NUMBER=2\n"), 1);
	assert_int_equal(count_lines("called", "SYNMOAT_SERVICE=web $(touch pwned)\n"), 1);
	assert_int_equal(count_lines("called", "SYNMOAT_SYN_RATE_PPS=1000\n"), 1);
	assert_int_equal(count_lines("called", "SYNMOAT_TOP=192.0.2.0/24, 198.51.100.7/32\n"), 1);
	assert_int_equal(count_lines("called", "SYNMOAT_SEVERITY=alert\n"), 1);
	assert_int_equal(count_lines("called", "SYNMOAT_TEXT=service web $(touch pwned): attack"), 1);
	assert_int_equal(count_lines("called", "SYNMOAT_SECRET"), 0);
	assert_int_equal(count_lines("called", "PATH=/usr/local/sbin:"), 1);
	assert_null(find(EVENT_HOOK_FAILED));
}

static void a_hook_that_fails_is_told(void **state)
{
	struct event_entry *event;
	char hook[128];

	(void)state;
	snprintf(hook, sizeof(hook), "%s", path_of("hook"));
	make_hook("exit 3", 0755);
	events_open(dir);
	configure(NULL, hook, 5);
	tell_attack("web");
	event = wait_for(EVENT_HOOK_FAILED);
	assert_non_null(event);
	assert_int_equal(number_in(event, "status"), 3);
	assert_int_equal(number_in(event, "of_number"), 1);
	assert_non_null(strstr(event->text, "for attack-begun (event 1): exit status 3"));
	event_unref(event);
}

static void a_hook_that_hangs_is_ended(void **state)
{
	struct event_entry *event;
	char hook[128];

	(void)state;
	snprintf(hook, sizeof(hook), "%s", path_of("hook"));
	make_hook("trap '' TERM; echo $$ >called; sleep 60 & wait; sleep 60", 0755);
	events_open(dir);
	configure(NULL, hook, 1);
	tell_attack("web");
	event = wait_for(EVENT_HOOK_FAILED);
	assert_non_null(event);
	assert_non_null(strstr(event->text, "killed after 1 s"));
	event_unref(event);
}

static void a_hook_that_others_may_write_is_not_called(void **state)
{
	struct event_entry *event;
	char hook[128], text[256];

	(void)state;
	snprintf(hook, sizeof(hook), "%s", path_of("hook"));
	make_hook("touch called", 0775);
	assert_int_equal(hook_check(hook, text, sizeof(text)), -EPERM);
	assert_non_null(strstr(text, "chmod go-w"));
	events_open(dir);
	configure(NULL, hook, 5);
	tell_attack("web");
	event = wait_for(EVENT_HOOK_FAILED);
	assert_non_null(event);
	assert_non_null(strstr(event->text, "others than its owner can write to"));
	event_unref(event);
	assert_int_not_equal(access(path_of("called"), F_OK), 0);
	chmod(hook, 0644);
	assert_int_equal(hook_check(hook, text, sizeof(text)), -EPERM);
	assert_non_null(strstr(text, "chmod +x"));
	assert_int_equal(hook_check("/nonexistent", text, sizeof(text)), -ENOENT);
	assert_int_equal(hook_check("/usr", text, sizeof(text)), -EPERM);
	chmod(hook, 0755);
	assert_int_equal(hook_check(hook, text, sizeof(text)), 0);
}

/* How many were left out, as far as it has been told: on a busy machine in several events. */
static int64_t left_out(void)
{
	struct event_entry *event;
	int64_t sum = 0;

	for (uint64_t at = 0; (event = events_next(at)); event_unref(event)) {
		if (event->kind == EVENT_HOOK_LEFT_OUT)
			sum += number_in(event, "count");
		at = event->number;
	}
	return sum;
}

/* One at a time; a burst waits, and beyond 32 the oldest are left out. */
static void hooks_wait_in_a_bounded_queue(void **state)
{
	char hook[128], name[32];

	(void)state;
	snprintf(hook, sizeof(hook), "%s", path_of("hook"));
	make_hook("[ $SYNMOAT_NUMBER != 1 ] || until [ -e go ]; do sleep 0.05; done; echo $SYNMOAT_NUMBER "
		  ">>called",
		  0755);
	events_open(dir);
	configure(NULL, hook, 20);
	tell_attack("first");
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "service%d", i);
		tell_attack(name);
	}
	for (int i = 0; i < 2000 && events_newest() < 51; i++) /* a slow disk shows them late */
		usleep(5000);
	usleep(300000);
	close(open(path_of("go"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_true(wait_lines("called", "51", 1)); /* the newest */
	for (int i = 0; i < 1000 && left_out() < 50 - HOOK_WAITING_MOST; i++)
		usleep(5000);
	assert_in_range(left_out(), 50 - HOOK_WAITING_MOST, 51 - HOOK_WAITING_MOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_go_on_after_a_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_go_on_after_a_kill, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_ones_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_broken_is_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk_loses_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_gets_lines_and_may_be_rotated, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_cannot_be_written_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(the_hook_is_called_with_the_event, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hook_that_fails_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hook_that_hangs_is_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hook_that_others_may_write_is_not_called, setup, teardown),
		cmocka_unit_test_setup_teardown(hooks_wait_in_a_bounded_queue, setup, teardown),
	};

	/* the hook's command talks to our stderr */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
