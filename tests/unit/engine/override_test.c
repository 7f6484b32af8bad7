// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits and modes that were changed at runtime, over a restart: kept, unless the configuration has changed;
 * a file that is damaged is read from its copy, one that cannot be written loses nothing else.
 */
#include <errno.h>
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

#include "daemon/engine/override.h"
#include "daemon/file.h"

static char dir[64];

static struct config_service services[] = { { .name = "web", .mode = MODE_AUTO },
					    { .name = "mail", .mode = MODE_AUTO } };
static struct config config;

static int start(void **state)
{
	(void)state;
	config = (struct config){
		.services = services,
		.service_count = 2,
		.limits = { .mode = POLICY_MONITOR,
			    .limit = { [KIND_SYN] = { [LEVEL_SOURCE] = { 500, 1000, 5000, 10000,
									 LIMIT_THIN } } } },
	};
	services[0].mode = MODE_AUTO;
	services[1].limits = (struct config_own_limits){ 0 };
	strcpy(dir, "/tmp/synmoat-changes-XXXXXX");
	return !mkdtemp(dir);
}

static int end(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void change(struct override *force, const char *name, const char *settings)
{
	struct config_error error = { 0 };

	assert_int_equal(config_change_limits(&force->limits, name, settings, &error), 0);
}

static void change_own(struct config_own_limits *own, const struct config_limits *limits, const char *name,
		       const char *settings)
{
	struct config_error error = { 0 };

	assert_int_equal(config_change_own_limits(own, limits, name, settings, &error), 0);
}

static void save(const struct override *force)
{
	struct override_file file = { 0 };

	override_save(&file, dir, &config, force, 0);
	assert_false(override_wait(&file, dir, 0));
}

static void save_some(struct override *force)
{
	override_init(force, &config);
	change(force, "mode", "enforce");
	change(force, "syn_source", "rate=7 burst=8");
	change(force, "half_open_site", "most=9 action=challenge");
	force->modes[0] = MODE_ALWAYS;
	change_own(&force->own[1], &force->limits, "syn_service", "rate=3 action=challenge");
	save(force);
}

static void assert_loads(int applied, const struct override *force)
{
	struct override again;

	override_init(&again, &config);
	assert_int_equal(override_load(dir, &config, &again), applied);
	assert_memory_equal(&again, force, sizeof(again));
}

static void what_was_changed_is_kept(void **state)
{
	struct override force;

	(void)state;
	override_init(&force, &config);
	assert_loads(0, &force); /* nothing there */
	save_some(&force);
	assert_loads(5, &force);
	override_init(&force, &config); /* changed back */
	save(&force);
	assert_loads(0, &force);
}

static void a_burst_that_is_not_given_is_described_as_in_force(void **state)
{
	char text[OVERRIDE_SETTINGS_SIZE];
	struct override force;

	(void)state;
	override_init(&force, &config);
	change(&force, "syn_total", "rate=5000 proven_rate=6000 action=thin");
	override_describe(&force.limits, "syn_total", text);
	assert_string_equal(text, "rate=5000 burst=5000 proven_rate=6000 proven_burst=6000 action=thin");
	change_own(&force.own[1], &force.limits, "syn_service", "rate=3 action=thin");
	override_describe_own(&force.own[1], "syn_service", text);
	assert_string_equal(text, "rate=3 burst=3 action=thin");
}

static void a_changed_configuration_wins(void **state)
{
	struct override force;

	(void)state;
	save_some(&force);
	config.limits.limit[KIND_SYN][LEVEL_SOURCE].burst = 2000;
	force.limits.limit[KIND_SYN][LEVEL_SOURCE] = config.limits.limit[KIND_SYN][LEVEL_SOURCE];
	assert_loads(4, &force);
	force.modes[0] = services[0].mode = MODE_OFF;
	assert_loads(3, &force);
	config.limits.mode = POLICY_OFF;
	force.limits.mode = POLICY_OFF;
	services[1].limits.given[KIND_SYN] = true;
	force.own[1] = services[1].limits;
	assert_loads(1, &force);
	config.service_count = 1;
	force.modes[1] = 0;
	memset(&force.own[1], 0, sizeof(force.own[1]));
	assert_loads(1, &force);
}

static char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* Each length that the file can be cut to, and each byte of it changed. */
static void a_damaged_file_is_read_from_its_copy(void **state)
{
	struct override force, none;
	struct stat status;

	(void)state;
	save_some(&force);
	assert_int_equal(stat(path_of("changes"), &status), 0);
	for (off_t at = 0; at < status.st_size; at++) {
		FILE *file;
		int byte;

		save_some(&force);
		assert_int_equal(truncate(path_of("changes"), at), 0);
		assert_loads(5, &force);
		assert_int_equal(access(path_of("changes"), F_OK), -1);
		assert_int_equal(access(path_of("changes.damaged"), F_OK), 0);
		save_some(&force);
		file = fopen(path_of("changes"), "r+e");
		assert_non_null(file);
		fseek(file, at, SEEK_SET);
		byte = getc(file);
		fseek(file, at, SEEK_SET);
		putc(byte ^ 1, file);
		fclose(file);
		assert_loads(5, &force);
	}
	assert_int_equal(truncate(path_of("changes.copy"), 30), 0);
	override_init(&none, &config);
	assert_loads(-ENOENT, &none); /* the first one was set aside */
}

static void keep_text(const char *text)
{
	char *sealed;
	size_t length;
	FILE *out = open_memstream(&sealed, &length);

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(file_seal(out, &sealed, &length, 0), 0);
	assert_int_equal(file_write(dir, "changes", sealed, length), 0);
	free(sealed);
}

static void lines_that_make_no_sense_are_skipped(void **state)
{
	struct override force;

	(void)state;
	override_init(&force, &config);
	keep_text(
		"synmoat-changes 1\n|\n|||\nlimit\nlimit|monitor\nlimit|monitor|enforce\nlimit|a|b|nonsense\n"
		"nonsense|a|b|c\nmode|auto|sometimes|web\nmode|auto|always|unknown\n"
		"limit|rate=0 burst=0 proven_rate=0 proven_burst=0 action=off|rate=5 action=drop|syn_total\n"
		"own|none|rate=1 burst=1 action=thin|syn_service unknown\nown||rate=1|syn_service unknown\n"
		"own|none|rate=1 burst=1 action=thin|syn_source web\nown|none|rate=1|syn_service\n"
		"own|none|nonsense|syn_service web\nlimit|monitor|enforce|mode\n");
	force.limits.mode = POLICY_ENFORCE;
	assert_loads(1, &force);
	override_init(&force, &config);
	keep_text("synmoat-changes 2\nlimit|monitor|enforce|mode\n");
	assert_loads(-EBADMSG, &force);
	keep_text("");
	assert_loads(-EBADMSG, &force);
}

static void a_folder_that_is_not_there_is_said(void **state)
{
	struct override force;

	(void)state;
	override_init(&force, &config);
	assert_int_equal(override_load("/nonexistent", &config, &force), 0);
}

/* What could not be written is written again once it can be, but not every second. */
static void what_cannot_be_written_is_tried_again(void **state)
{
	struct override_file file = { 0 };
	struct override force;
	char gone[80];

	(void)state;
	override_init(&force, &config);
	change(&force, "mode", "enforce");
	snprintf(gone, sizeof(gone), "%s/later", dir);
	override_save(&file, gone, &config, &force, 100);
	assert_true(override_wait(&file, gone, 100));
	assert_true(file.failed);
	assert_false(override_follow(&file, gone, 101));
	assert_int_equal(mkdir(gone, 0700), 0);
	assert_true(override_follow(&file, gone, 110));
	override_save(&file, gone, &config, &force, 110);
	assert_false(override_wait(&file, gone, 110));
	assert_false(file.failed);
	strcat(dir, "/later");
	assert_loads(1, &force);
	*strrchr(dir, '/') = '\0';
}

/* Changes while the one before is being written. */
static void the_last_of_many_changes_is_kept(void **state)
{
	struct override_file file = { 0 };
	struct override force;
	char settings[32];
	int waited = 0;

	(void)state;
	override_init(&force, &config);
	for (int i = 1; i <= 100; i++) {
		snprintf(settings, sizeof(settings), "rate=%d burst=%d", i, i);
		change(&force, "syn_source", settings);
		override_save(&file, dir, &config, &force, 0);
	}
	while (file.writer.busy && waited++ < 1000) {
		assert_false(override_follow(&file, dir, 0));
		usleep(10000);
	}
	assert_false(file.writer.busy);
	assert_loads(1, &force);
	for (int i = 1; i <= 10; i++) { /* and when it ends meanwhile */
		snprintf(settings, sizeof(settings), "rate=%d burst=%d", 1000 + i, i);
		change(&force, "syn_source", settings);
		override_save(&file, dir, &config, &force, 0);
		usleep((useconds_t)i * 300);
	}
	assert_false(override_wait(&file, dir, 0));
	assert_loads(1, &force);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_changed_is_kept, start, end),
		cmocka_unit_test_setup_teardown(a_burst_that_is_not_given_is_described_as_in_force, start,
						end),
		cmocka_unit_test_setup_teardown(a_changed_configuration_wins, start, end),
		cmocka_unit_test_setup_teardown(a_damaged_file_is_read_from_its_copy, start, end),
		cmocka_unit_test_setup_teardown(lines_that_make_no_sense_are_skipped, start, end),
		cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_is_said, start, end),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_is_tried_again, start, end),
		cmocka_unit_test_setup_teardown(the_last_of_many_changes_is_kept, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
