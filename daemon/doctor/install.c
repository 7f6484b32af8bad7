// SPDX-License-Identifier: GPL-2.0-or-later
/* Files, the group and the unit: what was installed, and by whom it can be changed. */
#include "daemon/doctor/install.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "daemon/doctor/doctor.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define FREE_LEAST	  (64ULL << 20) /* bytes: lists of a million entries are some 40 MiB */
#define UNIT		  "synmoatd.service"

/* --- files --- */

/* Adds to *wrong. */
static void judge_file(const char *path, mode_t forbidden, size_t *wrong, struct findings *f)
{
	struct stat st;

	if (stat(path, &st))
		return;
	if (st.st_mode & forbidden) {
		findings_add(f, SEVERITY_CRITICAL, "files", "%s has mode %04o: others may %s it", path,
			     (unsigned int)(st.st_mode & 07777), forbidden & S_IROTH ? "read" : "change");
		findings_advise(f, "chmod %s %s", forbidden & S_IROTH ? "0600" : "go-w", path);
		(*wrong)++;
	}
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		findings_add(f, SEVERITY_WARNING, "files", "%s belongs to uid %u, who can change it", path,
			     st.st_uid);
		findings_advise(f, "chown root %s", path);
		(*wrong)++;
	}
}

static void judge_folder(const char *folder, const char *name, size_t *wrong, struct findings *f)
{
	char path[PATH_MAX], file[2 * PATH_MAX];
	const struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	dir = opendir(path);
	if (!dir)
		return;
	judge_file(path, S_IWGRP | S_IWOTH, wrong, f);
	while ((entry = readdir(dir))) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			judge_file(file, S_IWGRP | S_IWOTH, wrong, f);
	}
	closedir(dir);
}

void install_check_files(const struct doctor *doctor, struct findings *f)
{
	const char *path = doctor->config->path;
	char copy[PATH_MAX];
	const char *folder;
	size_t wrong = 0;

	if (!path)
		return;
	snprintf(copy, sizeof(copy), "%s", path);
	folder = dirname(copy);
	judge_file(path, S_IWGRP | S_IWOTH, &wrong, f);
	judge_folder(folder, "conf.d", &wrong, f);
	judge_folder(folder, "lists.d", &wrong, f);
	if (doctor->config->cookie_secret_file)
		judge_file(doctor->config->cookie_secret_file, S_IRWXG | S_IRWXO, &wrong, f);
	if (!wrong)
		findings_add(f, SEVERITY_OK, "files", "%s and what belongs to it: changed by root alone",
			     path);
}

void install_check_state(const struct doctor *doctor, struct findings *f)
{
	struct statvfs space;

	if (statvfs(doctor->state, &space)) {
		findings_add(f, doctor->engine ? SEVERITY_WARNING : SEVERITY_NOTE, "state",
			     "%s: %s: what is changed at runtime does not outlive a restart", doctor->state,
			     strerror(errno));
		findings_advise(f, doctor->engine
					   ? "StateDirectory=synmoat in synmoatd.service, or --state DIR"
					   : "synmoatd makes it when it starts");
	} else if (doctor->engine && faccessat(AT_FDCWD, doctor->state, W_OK | X_OK, AT_EACCESS)) {
		findings_add(f, SEVERITY_WARNING, "state",
			     "%s cannot be written: what is changed at runtime does not outlive a restart",
			     doctor->state);
		findings_advise(f, "chown synmoat %s", doctor->state);
	} else if ((unsigned long long)space.f_bavail * space.f_frsize < FREE_LEAST) {
		findings_add(f, SEVERITY_WARNING, "state", "%s: only %llu MiB are free", doctor->state,
			     (unsigned long long)space.f_bavail * space.f_frsize >> 20);
		findings_advise(f, "make room: lists and evidence are kept there");
	} else {
		findings_add(f, SEVERITY_OK, "state", "%s can be written", doctor->state);
	}
}

/* --- who may change things --- */

void install_judge_group(const char *name, bool exists, size_t members, struct findings *f)
{
	if (!exists) {
		findings_add(f, SEVERITY_WARNING, "group",
			     "there is no group %s: only root may change things", name);
		findings_advise(f, "systemd-sysusers makes it, or: groupadd --system %s", name);
	} else if (!members) {
		findings_add(f, SEVERITY_OK, "group", "group %s has no members: only root may change things",
			     name);
	} else {
		findings_add(f, SEVERITY_OK, "group", "group %s: %zu member%s may change things", name,
			     members, members == 1 ? "" : "s");
	}
}

void install_check_group(const struct doctor *doctor, struct findings *f)
{
	const char *name = doctor->config->control_group;
	const struct group *group = name && *name ? getgrnam(name) : NULL;
	size_t members = 0;

	while (group && group->gr_mem[members])
		members++;
	if (name && *name)
		install_judge_group(name, group, members, f);
}

/* --- the unit --- */

static bool exists_in(const struct doctor *doctor, const char *const *folders, size_t count, const char *name)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		if (doctor_exists(doctor, path))
			return true;
	}
	return false;
}

/* systemd keeps it while the unit is active, as a link to no file: the invocation's id. */
static bool is_active(const struct doctor *doctor)
{
	char path[PATH_MAX];
	struct stat st;

	return lstat(doctor_path(doctor, "/run/systemd/units/invocation:" UNIT, path, sizeof(path)), &st) ==
	       0;
}

void install_check_unit(const struct doctor *doctor, struct findings *f)
{
	static const char *const folders[] = { "/etc/systemd/system", "/run/systemd/system",
					       "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
					       "/lib/systemd/system" };

	if (!doctor_exists(doctor, "/run/systemd/system")) {
		findings_add(f, SEVERITY_NOTE, "unit",
			     "systemd does not run here: nothing starts synmoatd again");
	} else if (!exists_in(doctor, folders, ARRAY_SIZE(folders), UNIT)) {
		findings_add(f, SEVERITY_WARNING, "unit", UNIT " is not installed");
		findings_advise(f, "make install PREFIX=/usr && systemctl daemon-reload");
	} else if (!doctor_exists(doctor, "/etc/systemd/system/multi-user.target.wants/" UNIT)) {
		findings_add(f, SEVERITY_WARNING, "unit", UNIT " does not start with the machine");
		findings_advise(f, "systemctl enable --now synmoatd.socket " UNIT);
	} else if (!doctor->engine && !doctor->running && !is_active(doctor)) {
		findings_add(f, SEVERITY_CRITICAL, "unit", UNIT " does not run");
		findings_advise(f, "systemctl start " UNIT "; why it ended: journalctl -u synmoatd");
	} else {
		findings_add(f, SEVERITY_OK, "unit", UNIT " starts with the machine");
	}
}
