/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the daemon itself is doing: how late its event loop runs, memory, file descriptors, CPU time. */
#ifndef SYNMOAT_METRICS_HEALTH_H
#define SYNMOAT_METRICS_HEALTH_H

#include <stdint.h>

struct health;
struct sd_event;

struct health_status {
	double lag_s;	   /* how late the loop took up what was due, last */
	double lag_most_s; /* within the last minute */
	double cpu_s;
	double started_s; /* of the Unix epoch */
	uint64_t memory_bytes, virtual_bytes;
	uint32_t fds, fds_max;
};

int health_new(struct health **health, struct sd_event *event); /* 0 or a negative errno */
void health_free(struct health *health);
void health_get(const struct health *health, struct health_status *status);

#endif
