/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's metrics: one renderer for the HTTP page and for the control socket. Uses engine, tracker and
 * watch.
 */
#ifndef SYNMOAT_METRICS_H
#define SYNMOAT_METRICS_H

#include <stddef.h>

#include "daemon/metrics/exposition.h"
#include "daemon/metrics/health.h"

struct engine;
struct metrics;
struct sd_event;
struct tracker;
struct watch;

/*
 * Listens where the configuration says, and follows it. An address that is taken is no error: it is logged,
 * and tried again. 0 or a negative errno.
 */
int metrics_new(struct metrics **metrics, struct sd_event *event, struct engine *engine,
		struct tracker *tracker, const struct watch *watch);
void metrics_free(struct metrics *metrics);

/* As they are now; to be freed. NULL: no memory. */
char *metrics_render(const struct metrics *metrics, enum exposition_format format, size_t *length);

void metrics_get_health(const struct metrics *metrics, struct health_status *status);

#endif
