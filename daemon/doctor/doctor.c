// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of checks, and how they read files. */
#include "daemon/doctor/doctor.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* What stops all defence comes first. */
static void (*const checks[])(const struct doctor *doctor, struct findings *findings) = {
	running_check,	     interface_check_outside, interface_check_inside,	 exposure_check,
	firewall_check,	     sysctls_check,	      system_check_kernel,	 system_check_handover,
	system_check_memory, system_check_clock,      system_check_capabilities, install_check_files,
	install_check_state, install_check_group,     install_check_unit,
};

bool doctor_check(const struct doctor *doctor, size_t index, struct findings *findings)
{
	if (index >= ARRAY_SIZE(checks))
		return false;
	checks[index](doctor, findings);
	return true;
}

const char *doctor_path(const struct doctor *doctor, const char *path, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s%s", doctor->root, path);
	return buffer;
}

bool doctor_exists(const struct doctor *doctor, const char *path)
{
	char whole[PATH_MAX];

	return access(doctor_path(doctor, path, whole, sizeof(whole)), F_OK) == 0;
}

int doctor_read_line(const struct doctor *doctor, const char *path, char *line, size_t size)
{
	char whole[PATH_MAX];
	FILE *file = fopen(doctor_path(doctor, path, whole, sizeof(whole)), "re");
	int error = 0;

	if (!file)
		return -errno;
	if (fgets(line, (int)size, file))
		line[strcspn(line, "\n")] = '\0';
	else
		error = ferror(file) ? -EIO : -ENODATA;
	fclose(file);
	return error;
}

int doctor_read_number(const struct doctor *doctor, const char *path, long long *number)
{
	char line[64], *end;
	int error = doctor_read_line(doctor, path, line, sizeof(line));
	long long value;

	if (error)
		return error;
	errno = 0;
	value = strtoll(line, &end, 10);
	if (errno || end == line)
		return -EINVAL;
	*number = value;
	return 0;
}
