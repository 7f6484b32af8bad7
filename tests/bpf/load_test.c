// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each program loads in each deployment, with tracking and without, and leaves room below the million
 * instructions that the verifier looks at, however the next kernel counts. The figures are the kernel's own
 * (fdinfo).
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "daemon/config/config.h"
#include "daemon/maps/fastpath.h"

#define VERIFIED_MAX 900000
#define PROGRAMS_MIN 4

/* False: it is no program. */
static bool read_verified(const char *fd, uint32_t *verified)
{
	char path[64], line[128];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%.16s", fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "verified_insns: %" SCNu32, verified) == 1;
	fclose(file);
	return found;
}

/* Of all programs that this process holds. */
static int check_programs(const char *deployment)
{
	DIR *folder = opendir("/proc/self/fdinfo");
	struct dirent *entry;
	int count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof(info), verified;

		if (!read_verified(entry->d_name, &verified))
			continue;
		assert_int_equal(bpf_obj_get_info_by_fd(atoi(entry->d_name), &info, &size), 0);
		assert_int_not_equal(verified, 0);
		print_message("%s: %s: %" PRIu32 "\n", deployment, info.name, verified);
		if (verified > VERIFIED_MAX)
			fail_msg("%s, %s: the verifier looked at %" PRIu32 " instructions: above %d",
				 deployment, info.name, verified, VERIFIED_MAX);
		count++;
	}
	closedir(folder);
	return count;
}

static void load(const char *deployment, struct fastpath_options options)
{
	static const uint32_t tracked[] = { 1024, 0 };

	options.frags = true;
	for (size_t i = 0; i < sizeof(tracked) / sizeof(*tracked); i++) {
		struct fastpath *fastpath;
		char text[512] = "", name[64];

		options.tracked = tracked[i];
		snprintf(name, sizeof(name), "%s, tracking %s", deployment, tracked[i] ? "on" : "off");
		if (fastpath_new(&fastpath, &options, text, sizeof(text)))
			fail_msg("%s: %s", name, text);
		assert_in_range(check_programs(name), PROGRAMS_MIN, 100);
		fastpath_free(fastpath);
		assert_int_equal(check_programs(name), 0);
	}
}

static void host(void **state)
{
	(void)state;
	load("host", (struct fastpath_options){ .flow_entries = 1024 });
}

static void bridge(void **state)
{
	(void)state;
	load("bridge", (struct fastpath_options){
			       .inline_mode = true, .forward = FORWARD_BRIDGE, .connections = 1024 });
}

static void route(void **state)
{
	(void)state;
	load("route",
	     (struct fastpath_options){ .inline_mode = true, .forward = FORWARD_ROUTE, .connections = 1024 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host),
		cmocka_unit_test(bridge),
		cmocka_unit_test(route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
