// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets of an attack: which are kept, the file's bytes (tests/e2e/attacks.test gives one to tshark), names,
 * modes, and that the oldest go.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/detect/evidence.h"
#include "daemon/detect/evidence_store.h"

static struct evidence evidence;
static char folder[64], path[128];

static void add(uint64_t from_ns, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct sample sample = { .time_ns = from_ns + i, .length = 1514, .captured = SAMPLE_BYTES };

		memset(sample.frame, (int)(i & 0xff), sizeof(sample.frame));
		evidence_add(&evidence, &sample);
	}
}

static void samples_of_all_times_are_kept(void **state)
{
	unsigned int late = 0;

	(void)state;
	memset(&evidence, 0, sizeof(evidence));
	add(1000, 50000);
	assert_int_equal(evidence.count, EVIDENCE_PACKETS);
	add(2000000, 50000);
	assert_int_equal(evidence.count, EVIDENCE_PACKETS);
	for (unsigned int i = 0; i < evidence.count; i++)
		late += evidence.kept[i].time_ns >= 2000000;
	assert_in_range(late, 30, 70);
}

static uint32_t word(const char *bytes, size_t at)
{
	uint32_t value;

	memcpy(&value, bytes + at, sizeof(value));
	return value;
}

static void the_file_is_pcap_in_the_order_of_time(void **state)
{
	size_t length;
	char *bytes;

	(void)state;
	memset(&evidence, 0, sizeof(evidence));
	add(3000, 1);
	add(1000, 1);
	bytes = evidence_encode(&evidence, 1700000000999999000LL, &length);
	assert_non_null(bytes);
	assert_int_equal(length, 24 + 2 * (16 + SAMPLE_BYTES));
	assert_int_equal(word(bytes, 0), 0xa1b23c4d);
	assert_int_equal(word(bytes, 20), 1);	       /* Ethernet */
	assert_int_equal(word(bytes, 24), 1700000001); /* the second of them, which was the first */
	assert_int_equal(word(bytes, 28), 0);
	assert_int_equal(word(bytes, 32), SAMPLE_BYTES);
	assert_int_equal(word(bytes, 36), 1514);
	assert_int_equal(word(bytes, 24 + 16 + SAMPLE_BYTES + 4), 2000);
	free(bytes);
}

static void names_are_in_the_order_of_time(void **state)
{
	char name[EVIDENCE_NAME_SIZE];

	(void)state;
	evidence_name(name, 1738367999, "web");
	assert_string_equal(name, "20250131T235959Z-web.pcap");
	evidence_name(name, 1738367999, "a-service-with-a-name-so-long-31");
	assert_string_equal(name, "20250131T235959Z-a-service-with-a-name-so-long-3.pcap");
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/synmoat-evidence.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static const char *in(const char *name)
{
	snprintf(path, sizeof(path), "%s/evidence/%s", folder, name);
	return path;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command); /* NOLINT */
}

static void put(struct evidence_store *store, const char *name, const char *text)
{
	evidence_store_write(store, name, strdup(text), strlen(text), 3);
}

static void the_oldest_go_and_others_stay(void **state)
{
	struct evidence_store *store = evidence_store_new(folder, "root");
	struct stat status;
	char text[8] = "";
	FILE *file;

	(void)state;
	umask(077); /* as the unit has it */
	put(store, "20250131T000001Z-web.pcap", "1");
	put(store, "20250131T000002Z-web.pcap", "2");
	put(store, "20250131T000003Z-web.pcap", "3");
	put(store, "20250131T000002Z-web.pcap", "again");
	evidence_store_free(store);
	file = fopen(in("notes.txt"), "w");
	assert_non_null(file);
	fclose(file);
	store = evidence_store_new(folder, "root");
	put(store, "20250131T000004Z-web.pcap", "4");
	evidence_store_free(store);
	assert_int_equal(access(in("20250131T000001Z-web.pcap"), F_OK), -1);
	assert_int_equal(access(in("20250131T000003Z-web.pcap"), F_OK), 0);
	assert_int_equal(access(in("20250131T000004Z-web.pcap"), F_OK), 0);
	assert_int_equal(access(in("notes.txt"), F_OK), 0);
	file = fopen(in("20250131T000002Z-web.pcap"), "r");
	assert_non_null(file);
	assert_int_equal(fread(text, 1, sizeof(text), file), 5);
	fclose(file);
	assert_memory_equal(text, "again", 5);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_int_equal(stat(in(""), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0750);
}

/* Ticks until a write is over: its error; 1 if none is within so many. */
static int ticks_to_end(struct evidence_store *store, int ticks)
{
	int error;

	while (ticks--) {
		if (evidence_store_tick(store, &error))
			return error;
		usleep(20000); /* less than a second: only the count of ticks matters */
	}
	return 1;
}

static long size_of(const char *name)
{
	struct stat status;

	return stat(in(name), &status) ? -1 : (long)status.st_size;
}

static void what_cannot_be_written_is_when_it_can(void **state)
{
	struct evidence_store *store;
	char blocked[128];
	FILE *file;

	(void)state;
	snprintf(blocked, sizeof(blocked), "%s/evidence", folder);
	file = fopen(blocked, "w"); /* in the way of the folder */
	assert_non_null(file);
	fclose(file);
	store = evidence_store_new(folder, "no-such-group");
	put(store, "20250131T000001Z-web.pcap", "1");
	assert_true(ticks_to_end(store, 500) < 0);
	assert_true(ticks_to_end(store, 500) < 0);
	put(store, "20250131T000002Z-web.pcap", "22");
	put(store, "20250131T000001Z-web.pcap", "333"); /* its newer form */
	assert_int_equal(unlink(blocked), 0);
	assert_int_equal(ticks_to_end(store, 500), 0);
	assert_int_equal(size_of("20250131T000001Z-web.pcap"), 3);
	assert_int_equal(size_of("20250131T000002Z-web.pcap"), 2);
	assert_int_equal(ticks_to_end(store, 10), 1);
	evidence_store_free(store);
}

/* No more is kept in memory than so much, and of that the newest. */
static void what_waits_has_an_end(void **state)
{
	struct evidence_store *store;
	char blocked[128], name[EVIDENCE_NAME_SIZE];
	FILE *file;

	(void)state;
	snprintf(blocked, sizeof(blocked), "%s/evidence", folder);
	file = fopen(blocked, "w");
	assert_non_null(file);
	fclose(file);
	store = evidence_store_new(folder, NULL);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "20250131T%06dZ-web.pcap", i);
		evidence_store_write(store, name, strdup("x"), 1, 1000);
	}
	assert_true(ticks_to_end(store, 500) < 0);
	assert_int_equal(unlink(blocked), 0);
	evidence_store_free(store); /* tries once more */
	assert_int_equal(size_of("20250131T000043Z-web.pcap"), -1);
	assert_int_equal(size_of("20250131T000044Z-web.pcap"), 1);
	assert_int_equal(size_of("20250131T000299Z-web.pcap"), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_of_all_times_are_kept),
		cmocka_unit_test(the_file_is_pcap_in_the_order_of_time),
		cmocka_unit_test(names_are_in_the_order_of_time),
		cmocka_unit_test_setup_teardown(the_oldest_go_and_others_stay, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_is_when_it_can, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(what_waits_has_an_end, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
