/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One page over HTTP, /metrics, to whoever asks: GET and HEAD alone, few connections at a time, each for a
 * few seconds at most, so that a client that is slow or hostile costs next to nothing. Runs in the event
 * loop.
 */
#ifndef SYNMOAT_METRICS_HTTP_H
#define SYNMOAT_METRICS_HTTP_H

#include <stddef.h>

#include "daemon/metrics/exposition.h"

struct http;
struct sd_event;

/* To be freed; NULL: no memory. */
typedef char *http_page_fn(enum exposition_format format, size_t *length, void *arg);

/* listen: "127.0.0.1:9826" (config_parse_listen). 0, or a negative errno: -EADDRINUSE. */
int http_new(struct http **http, struct sd_event *event, const char *listen, http_page_fn *page, void *arg);
void http_free(struct http *http);

#endif
