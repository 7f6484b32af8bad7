// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel, and what it lets this process have. */
#include "daemon/doctor/system.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "daemon/doctor/doctor.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define TESTED_HOST   "6.18" /* as the README says */
#define TESTED_INLINE "6.1, 6.18"
#define HANDOVER      "bpf_sk_assign_tcp_reqsk" /* since Linux 6.9 */
#define MEMORY_LEAST  (512LL << 20)		/* bytes: maps of the default sizes, and the daemon */
#define BTF	      "/sys/kernel/btf/vmlinux"

void system_check_kernel(const struct doctor *doctor, struct findings *f)
{
	bool host = doctor->config->deployment == DEPLOYMENT_HOST;
	unsigned int least = host ? 9 : 1, major = 0, minor = 0;
	char release[128] = "";

	doctor_read_line(doctor, "/proc/sys/kernel/osrelease", release, sizeof(release));
	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		findings_add(f, SEVERITY_NOTE, "kernel", "its version cannot be told from \"%s\"", release);
	else if (major < 6 || (major == 6 && minor < least)) {
		findings_add(f, SEVERITY_CRITICAL, "kernel", "Linux %s, where 6.%u is needed", release,
			     least);
		findings_advise(f,
				host ? "use a later kernel (Debian 12: linux-image-amd64 of "
				       "bookworm-backports), or defend this server from a machine in front "
				       "of it (deployment = \"inline\", Linux 6.1)"
				     : "use a later kernel");
	} else {
		findings_add(f, SEVERITY_OK, "kernel", "Linux %s (tested: %s)", release,
			     host ? TESTED_HOST : TESTED_INLINE);
	}
	if (!doctor_exists(doctor, BTF)) {
		findings_add(f, SEVERITY_CRITICAL, "btf",
			     "the kernel has no " BTF ": no program can be loaded");
		findings_advise(f, "use a kernel with CONFIG_DEBUG_INFO_BTF, as all distributions' are");
	}
}

/* Its name is among the strings of the kernel's types. */
static bool kernel_knows(const char *path, const char *function)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text = NULL;
	bool found = false;
	size_t length = 0;
	ssize_t got = 1;

	if (fd >= 0 && !fstat(fd, &st) && st.st_size > 0)
		text = malloc((size_t)st.st_size);
	while (text && got > 0 && length < (size_t)st.st_size) {
		got = read(fd, text + length, (size_t)st.st_size - length);
		length += got > 0 ? (size_t)got : 0;
	}
	if (text)
		found = memmem(text, length, function, strlen(function) + 1);
	free(text);
	if (fd >= 0)
		close(fd);
	return found;
}

void system_check_handover(const struct doctor *doctor, struct findings *f)
{
	char path[PATH_MAX];

	if (doctor->config->deployment != DEPLOYMENT_HOST || !doctor_exists(doctor, BTF))
		return;
	if (kernel_knows(doctor_path(doctor, BTF, path, sizeof(path)), HANDOVER)) {
		findings_add(f, SEVERITY_OK, "handover", "the kernel takes over handshakes (" HANDOVER ")");
		return;
	}
	findings_add(f, SEVERITY_CRITICAL, "handover",
		     "the kernel lacks " HANDOVER ": it takes over no handshake");
	findings_advise(f, "use Linux 6.9 or later with CONFIG_SYN_COOKIES");
}

/* --- memory of BPF, which belongs to the control group --- */

/* The least limit of a cgroup and those above it; LLONG_MAX: none. */
static long long memory_limit(const struct doctor *doctor, char *group)
{
	long long least = LLONG_MAX, limit;
	char path[PATH_MAX], *slash;

	while ((slash = strrchr(group, '/'))) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.max", group);
		if (!doctor_read_number(doctor, path, &limit) && limit < least)
			least = limit;
		*slash = '\0';
	}
	return least;
}

void system_check_memory(const struct doctor *doctor, struct findings *f)
{
	char line[PATH_MAX / 2] = "";
	long long limit;

	if (!doctor->engine) /* another control group than the daemon's */
		return;
	if (doctor_read_line(doctor, "/proc/self/cgroup", line, sizeof(line)) ||
	    strncmp(line, "0::/", 4) != 0)
		return;
	limit = memory_limit(doctor, line + 3);
	if (limit >= MEMORY_LEAST) {
		findings_add(f, SEVERITY_OK, "memory",
			     "BPF maps are paid by the control group, whose limit is %s",
			     limit == LLONG_MAX ? "none" : "high enough");
		return;
	}
	findings_add(f, SEVERITY_WARNING, "memory", "the control group may have %lld MiB, BPF maps included",
		     limit >> 20);
	findings_advise(f, "raise MemoryMax= of synmoatd.service to %lld MiB at least", MEMORY_LEAST >> 20);
}

/* --- capabilities --- */

static const struct {
	unsigned int bit;
	const char *name;
} needed[] = {
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },
	{ CAP_PERFMON, "CAP_PERFMON" },
	{ CAP_BPF, "CAP_BPF" },
};

void system_judge_capabilities(uint64_t effective, bool daemon, struct findings *f)
{
	char missing[64] = "";
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!(effective >> needed[i].bit & 1))
			used += (size_t)snprintf(missing + used, sizeof(missing) - used, "%s%s",
						 used ? " " : "", needed[i].name);
	if (*missing && daemon) {
		findings_add(f, SEVERITY_CRITICAL, "capabilities", "the daemon lacks %s", missing);
		findings_advise(
			f, "AmbientCapabilities= in synmoatd.service, as installed: systemctl cat synmoatd");
	} else if (*missing) {
		findings_add(f, SEVERITY_NOTE, "capabilities",
			     "you lack %s: rules of nftables and programs at tc were not looked at", missing);
		findings_advise(f, "sudo synmoat doctor");
	} else if (daemon && effective >> CAP_SYS_ADMIN & 1) {
		findings_add(f, SEVERITY_NOTE, "capabilities", "the daemon may do everything, as root may");
		findings_advise(f,
				"run it by synmoatd.service, which gives it a user and three capabilities");
	} else {
		findings_add(f, SEVERITY_OK, "capabilities", "those that are needed are there");
	}
}

void system_check_capabilities(const struct doctor *doctor, struct findings *f)
{
	char path[PATH_MAX], line[128];
	FILE *file = fopen(doctor_path(doctor, "/proc/self/status", path, sizeof(path)), "re");
	uint64_t effective = 0;

	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %" SCNx64, &effective) == 1)
			break;
	fclose(file);
	system_judge_capabilities(effective, doctor->engine, f);
}

/* --- the clock --- */

void system_judge_clock(bool synchronised, bool siblings, struct findings *f)
{
	if (synchronised) {
		findings_add(f, SEVERITY_OK, "clock", "synchronised");
		return;
	}
	findings_add(f, siblings ? SEVERITY_WARNING : SEVERITY_NOTE, "clock",
		     "nothing synchronises the clock: %s",
		     siblings ? "siblings that share cookie.secret_file must agree to a few seconds"
			      : "times of events and evidence may be wrong");
	findings_advise(f, "timedatectl set-ntp true, or chrony");
}

/* The unit's sandbox forbids the system call; systemd-timesyncd leaves a file as well. */
void system_check_clock(const struct doctor *doctor, struct findings *f)
{
	struct timex timex = { 0 };
	int state = adjtimex(&timex);
	bool synchronised = doctor_exists(doctor, "/run/systemd/timesync/synchronized");

	if (state < 0 && !synchronised) /* nobody has told us */
		return;
	system_judge_clock(synchronised || (state >= 0 && !(timex.status & STA_UNSYNC)),
			   doctor->config->cookie_secret_file, f);
}
