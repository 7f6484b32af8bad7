// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each program loads in each deployment, with tracking and without, and leaves room below the million
 * instructions that the verifier looks at, however the next kernel counts. The figures are the kernel's own
 * (fdinfo). And no lookup or redirect is slower than it need be. Skips what this kernel cannot have, as the
 * daemon says.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* --- calls that do not know their map --- */

#define CALL 0x85

/* What the kernel calls instead of the map's own function, indirectly and 16 ns slower, where the compiler
 * has let several maps share one call. ENTRY: as such a call stands in a program. */
static struct {
	const char *name;
	int32_t entry;
} indirect[] = { { .name = "bpf_map_lookup_elem" }, { .name = "bpf_xdp_redirect_map" } };

static uint64_t symbol(const char *name)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	uint64_t address, found = 0;
	char word[64];

	assert_non_null(file);
	while (!found && fscanf(file, "%" SCNx64 " %*c %63s%*[^\n]", &address, word) == 2)
		if (!strcmp(word, name))
			found = address;
	fclose(file);
	assert_int_not_equal(found, 0); /* else kernel.kptr_restrict hides it */
	return found;
}

static int find_entries(void **state)
{
	uint64_t base = symbol("__bpf_call_base");

	(void)state;
	for (size_t i = 0; i < sizeof(indirect) / sizeof(*indirect); i++)
		indirect[i].entry = (int32_t)(symbol(indirect[i].name) - base);
	return 0;
}

static void check_calls(const char *deployment, int fd, uint32_t size)
{
	struct bpf_insn *insns = malloc(size);
	struct bpf_prog_info info = { .xlated_prog_insns = (uintptr_t)insns, .xlated_prog_len = size };
	uint32_t length = sizeof(info);

	assert_non_null(insns);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &length), 0);
	for (uint32_t i = 0; i < size / sizeof(*insns); i++)
		for (size_t k = 0; k < sizeof(indirect) / sizeof(*indirect); k++)
			if (insns[i].code == CALL && !insns[i].src_reg && insns[i].imm == indirect[k].entry)
				fail_msg("%s, %s, instruction %u: %s does not know its map", deployment,
					 info.name, i, indirect[k].name);
	free(insns);
}

/* --- --- */

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
		check_calls(deployment, atoi(entry->d_name), info.xlated_prog_len);
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
		int error;

		options.tracked = tracked[i];
		snprintf(name, sizeof(name), "%s, tracking %s", deployment, tracked[i] ? "on" : "off");
		error = fastpath_new(&fastpath, &options, text, sizeof(text));
		if (error == -EOPNOTSUPP && strstr(text, "needs Linux")) {
			print_message("skip: %s: %s\n", name, text);
			skip();
		}
		if (error)
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

	return cmocka_run_group_tests(tests, find_entries, NULL);
}
