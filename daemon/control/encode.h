/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's state as JSON, in the types of io.synmoat.varlink. Each returns a new object or array, or NULL
 * when out of memory.
 */
#ifndef SYNMOAT_CONTROL_ENCODE_H
#define SYNMOAT_CONTROL_ENCODE_H

#include <jansson.h>

#include "daemon/engine/source.h"

struct config_service;
struct engine;
struct engine_status;
struct interface_status;
struct metrics;
struct server_status;
struct service_counters;
struct service_status;

json_t *encode_status(struct engine *engine);
/* Takes reply over and adds to it what makes the whole daemon answer nothing: bypass, syncookies_off,
 * draining, forwarding_off, answers_lost. */
json_t *encode_with_alarms(json_t *reply, struct engine *engine);
json_t *encode_health(const struct metrics *metrics);
json_t *encode_limits(struct engine *engine);
json_t *encode_own_limits(struct engine *engine, const char *service);
/* At most count, the heaviest first. */
json_t *encode_sources(struct engine *engine, enum source_order order, size_t count);
/* COUNT at most, those that go on first. */
json_t *encode_attacks(struct engine *engine, size_t count);
json_t *encode_services(struct engine *engine);
json_t *encode_interfaces(struct engine *engine);

json_t *encode_service(const struct service_status *status);
json_t *encode_settings(const struct service_status *status);
json_t *encode_verdicts(const struct service_counters *counters);
json_t *encode_interface(const struct interface_status *status);
json_t *encode_server(const struct server_status *status);
json_t *encode_drain(const struct engine_status *status);
json_t *encode_key(const struct engine_status *status);

/* Items [first, first + count) as far as there are any. */
json_t *encode_prefixes(const struct config_service *config, size_t first, size_t count);
json_t *encode_ports(const struct config_service *config, size_t first, size_t count);

#endif
