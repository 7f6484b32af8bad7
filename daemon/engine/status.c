// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What control shows: the engine, its services and interfaces as they stand now.
 */
#include "daemon/engine/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/maps/fastpath.h"

#define MPTCP_REMEMBERED_S 60

static void add_counters(struct service_counters *sum, const struct service_counters *c)
{
	const uint64_t *from = (const uint64_t *)c;
	uint64_t *to = (uint64_t *)sum;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static void subtract_counters(struct service_counters *from, const struct service_counters *base)
{
	const uint64_t *b = (const uint64_t *)base;
	uint64_t *to = (uint64_t *)from;

	for (size_t i = 0; i < sizeof(*from) / sizeof(*to); i++)
		to[i] -= b[i];
}

void engine_get_status(struct engine *e, struct engine_status *status)
{
	struct service_counters c;

	memset(status, 0, sizeof(*status));
	status->uptime_s = (uint64_t)((clock_now_ns(CLOCK_MONOTONIC) - e->started_ns) / NS_PER_S);
	status->bypass = e->bypass;
	status->syncookies_off = !is_inline(e) && !e->stack.syncookies;
	memcpy(status->forwarding_off, e->forwarding_off, sizeof(status->forwarding_off));
	status->deployment = e->config->deployment;
	status->service_count = e->config->service_count;
	status->interface_count = is_inline(e) ? 2 : 1;
	for (uint32_t i = 0; i < SERVICE_SLOTS; i++) {
		if (fastpath_read_counters(e->fastpath, i, &c))
			continue;
		add_counters(&status->totals, &c);
		if (i == SERVICE_NONE)
			status->unserved = c;
	}
	for (int i = 0; i < VERDICT_COUNT; i++)
		status->packets += status->totals.verdict[i];
	fastpath_read_handovers(e->fastpath, &status->handover);
	status->key_generation = e->keyring.generation;
	status->key_age_s = clock_now_s() - e->keyring.rotated_at_s;
	status->rotation_pending = e->keyring.pending;
	status->older_ends_in_s = keyring_retires_in(&e->keyring, clock_now_s());
	status->rotation_in_s = e->keyring.pending ? status->older_ends_in_s : 0;
	status->flows_seeded = e->seeded;
	status->connections = e->connections;
	status->connections_max = is_inline(e) ? e->config->connections : 0;
	status->half_opens_cleared = e->cleared;
	status->translated = e->translated;
	status->draining = e->drain != DRAIN_OFF;
	status->drained = e->drain == DRAIN_DONE;
	status->drain_age_s = status->draining ? clock_now_s() - e->drain_began_s : 0;
}

const struct config *engine_get_config(const struct engine *e)
{
	return e->config;
}

int engine_get_service(struct engine *e, size_t index, struct service_status *status)
{
	const struct service_state *state;
	const struct slot *s;

	if (index >= e->config->service_count)
		return -ENOENT;
	slot_note_shown(e, e->slot_of[index]);
	s = &e->slots[e->slot_of[index]];
	state = fastpath_state(e->fastpath, e->slot_of[index]);
	memset(status, 0, sizeof(*status));
	status->config = &e->config->services[index];
	status->mode = s->mode;
	status->mitigation = s->shown;
	status->since_s = clock_now_s() - s->shown_since_s;
	status->half_open = state->half_open;
	status->syn_rate_pps = s->syn_rate_pps;
	status->answered_pps = s->answered_pps;
	status->completed_pps = s->completed_pps;
	status->mptcp_listener = state->mptcp_seen &&
				 slot_state_age_s(e, &(struct service_state){ .since = state->mptcp_seen }) <
					 MPTCP_REMEMBERED_S;
	status->asymmetric = path_is_asymmetric(s);
	status->asymmetric_connections = state->asymmetric;
	fastpath_read_counters(e->fastpath, e->slot_of[index], &status->counters);
	subtract_counters(&status->counters, &s->base);
	return 0;
}

int engine_find_service(struct engine *e, const char *name, struct service_status *status)
{
	for (size_t i = 0; i < e->config->service_count; i++)
		if (!strcmp(e->config->services[i].name, name))
			return engine_get_service(e, i, status);
	return -ENOENT;
}

int engine_get_interface(struct engine *e, size_t index, struct interface_status *status)
{
	const struct link_state *link = index ? &e->inside : &e->link;

	if (index > is_inline(e))
		return -ENOENT;
	memset(status, 0, sizeof(*status));
	memcpy(status->name, index ? e->config->inside : e->config->outside, sizeof(status->name));
	status->present = link->ifindex != 0;
	status->attached = fastpath_attached(e->fastpath);
	status->up = link->up;
	status->ifindex = link->ifindex;
	status->mtu = status->present ? link->mtu : 0;
	if (status->attached)
		snprintf(status->xdp, sizeof(status->xdp), "%s",
			 e->config->xdp == XDP_GENERIC ? "generic" : "native");
	else if (*e->at_fault && strcmp(e->at_fault, status->name) != 0)
		snprintf(status->reason, sizeof(status->reason), "%s: %s", e->at_fault, e->reason);
	else
		snprintf(status->reason, sizeof(status->reason), "%s", e->reason);
	return 0;
}

int engine_get_limit(struct engine *e, size_t index, struct limit_status *status)
{
	enum limit_kind kind = (enum limit_kind)(index / LEVEL_COUNT);
	enum limit_level level = (enum limit_level)(index % LEVEL_COUNT);

	if (index >= KIND_COUNT * LEVEL_COUNT)
		return -ENOENT;
	memset(status, 0, sizeof(*status));
	status->name = config_limit_name(kind, level);
	status->limit = e->limits.limit[kind][level];
	status->changed =
		memcmp(&status->limit, &e->config->limits.limit[kind][level], sizeof(status->limit)) != 0;
	return fastpath_read_limit(e->fastpath, kind, level, &status->counters);
}

enum policy_mode engine_limits_mode(const struct engine *e)
{
	return e->limits.mode;
}

/* False: it has just been replaced by another, or nothing is known of it any more. */
static bool describe(struct engine *e, const struct heavy *heavy, uint32_t window_s, uint64_t jiffies,
		     struct source_status *status)
{
	struct source_args counts = { .v6 = heavy->v6, .level = heavy->level };

	memcpy(counts.address, heavy->address, sizeof(counts.address));
	if (heavy->level >= SKETCH_LEVELS || fastpath_query_source(e->fastpath, &counts) ||
	    counts.tag != heavy->tag)
		return false;
	source_describe(heavy, &counts, e->sketch_error[heavy->level], window_s, status);
	return status->half_open > status->error + HEAVY_LEAST ||
	       (uint32_t)(jiffies >> HEAVY_SHIFT) - heavy->seen <= HEAVY_STALE;
}

size_t engine_get_sources(struct engine *e, enum source_order order, struct source_status *all, size_t max,
			  uint32_t *window_s)
{
	struct heavy *heavies = calloc(SOURCES_MAX, sizeof(*heavies));
	size_t found, count = 0;
	uint64_t jiffies;

	if (!heavies || fastpath_read_jiffies(e->fastpath, &jiffies)) {
		free(heavies);
		return 0;
	}
	*window_s =
		source_window_s(jiffies, fastpath_runtime(e->fastpath)->window_shift, e->clock.jiffies_hz);
	found = fastpath_read_heavies(e->fastpath, heavies, SOURCES_MAX);
	for (size_t i = 0; i < found && count < max; i++)
		count += describe(e, &heavies[i], *window_s, jiffies, &all[count]);
	free(heavies);
	source_sort(all, count, order);
	return count;
}
