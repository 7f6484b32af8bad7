// SPDX-License-Identifier: GPL-2.0-or-later
/* See health.h. A timer of ten times a second tells by how much it is late. */
#include "daemon/metrics/health.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#define TICK_US	    100000
#define ACCURACY_US 1 /* 0 would mean 250 ms */
#define SLOTS	    60

struct health {
	sd_event_source *timer;
	uint64_t lag_us;
	uint64_t most_us[SLOTS]; /* of each second of the last minute */
	uint64_t second;
	double started_s;
};

static void note(struct health *h, uint64_t now_s, uint64_t lag_us)
{
	for (; h->second < now_s; h->second++) {
		if (now_s - h->second > SLOTS)
			h->second = now_s - SLOTS;
		h->most_us[(h->second + 1) % SLOTS] = 0;
	}
	h->lag_us = lag_us;
	if (h->most_us[now_s % SLOTS] < lag_us)
		h->most_us[now_s % SLOTS] = lag_us;
}

static int on_tick(sd_event_source *source, uint64_t due_us, void *arg)
{
	struct health *h = arg;
	struct timespec t;
	uint64_t now_us;

	clock_gettime(CLOCK_MONOTONIC, &t);
	now_us = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
	note(h, now_us / 1000000, now_us > due_us ? now_us - due_us : 0);
	sd_event_source_set_time(source, now_us + TICK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int health_new(struct health **health, struct sd_event *event)
{
	struct health *h = calloc(1, sizeof(*h));
	struct timespec t;
	int error;

	if (!h)
		return -ENOMEM;
	clock_gettime(CLOCK_REALTIME, &t);
	h->started_s = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
	clock_gettime(CLOCK_MONOTONIC, &t);
	h->second = (uint64_t)t.tv_sec;
	error = sd_event_add_time_relative(event, &h->timer, CLOCK_MONOTONIC, TICK_US, ACCURACY_US, on_tick,
					   h);
	if (error < 0) {
		health_free(h);
		return error;
	}
	*health = h;
	return 0;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	sd_event_source_disable_unref(h->timer);
	free(h);
}

static void read_memory(struct health_status *status)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages[2] = { 0 };

	if (file && fscanf(file, "%lu %lu", &pages[0], &pages[1]) == 2) {
		status->virtual_bytes = (uint64_t)pages[0] * (uint64_t)sysconf(_SC_PAGESIZE);
		status->memory_bytes = (uint64_t)pages[1] * (uint64_t)sysconf(_SC_PAGESIZE);
	}
	if (file)
		fclose(file);
}

static uint32_t count_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	uint32_t count = 0;

	if (!folder)
		return 0;
	for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count ? count - 1 : 0; /* the one that is being read */
}

void health_get(const struct health *h, struct health_status *status)
{
	struct rusage usage;
	struct rlimit limit;
	uint64_t most_us = 0;

	*status = (struct health_status){ .lag_s = (double)h->lag_us / 1e6, .started_s = h->started_s };
	for (int i = 0; i < SLOTS; i++)
		most_us = h->most_us[i] > most_us ? h->most_us[i] : most_us;
	status->lag_most_s = (double)most_us / 1e6;
	if (!getrusage(RUSAGE_SELF, &usage))
		status->cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
				(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	if (!getrlimit(RLIMIT_NOFILE, &limit))
		status->fds_max = limit.rlim_cur < UINT32_MAX ? (uint32_t)limit.rlim_cur : UINT32_MAX;
	status->fds = count_fds();
	read_memory(status);
}
