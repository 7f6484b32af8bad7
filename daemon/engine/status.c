// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What control shows: the engine, its services and interfaces as they stand now.
 */
#include "daemon/engine/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/calm.h"
#include "daemon/engine/lasting.h"
#include "daemon/engine/limit.h"
#include "daemon/engine/would.h"
#include "daemon/maps/fastpath.h"
#include "daemon/netlink/diag.h"

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
	status->counted_since_s = e->lasting->counted_since_s;
	status->bypass = e->bypass;
	status->syncookies_off = !is_inline(e) && !e->stack.syncookies;
	status->answers_lost = e->answers_lost;
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
	fastpath_read_outward(e->fastpath, &status->outward);
	status->key_generation = e->keyring->generation;
	status->key_age_s = clock_now_s() - e->keyring->rotated_at_s;
	status->rotation_pending = e->keyring->pending;
	status->older_ends_in_s = keyring_retires_in(e->keyring, clock_now_s());
	status->rotation_in_s = e->keyring->pending ? status->older_ends_in_s : 0;
	status->flows_seeded = e->seeded;
	status->connections = e->connections;
	status->connections_max = is_inline(e) ? e->config->connections : 0;
	status->half_opens_cleared = e->cleared;
	status->translated = e->translated;
	status->draining = e->drain != DRAIN_OFF;
	status->drained = e->drain == DRAIN_DONE;
	status->drain_age_s = status->draining ? clock_now_s() - e->drain_began_s : 0;
	status->drain_honours_s = drain_honours_s(e);
}

uint64_t *engine_kept(struct engine *e, enum kept which)
{
	return e->lasting->words[which];
}

const struct config *engine_get_config(const struct engine *e)
{
	return e->config;
}

const char *engine_state_dir(const struct engine *e)
{
	return e->state_dir;
}

/* On a host they are known once a SYN has met the listener, unless the configuration says them. */
static void note_marks(const struct engine *e, struct service_status *status, uint32_t backlog)
{
	const struct config_service *config = status->config;

	status->backlog = is_inline(e) ? 0 : backlog;
	status->half_open_high = status->half_open_low = 0;
	if (!status->backlog && !is_inline(e) && !config->half_open_high)
		return;
	status->half_open_high = calm_half_open_high(config, backlog, is_inline(e));
	status->half_open_low = calm_half_open_low(config, backlog);
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
	note_marks(e, status, state->backlog);
	status->syn_rate_pps = s->syn_rate_pps;
	status->answered_pps = s->answered_pps;
	status->completed_pps = s->completed_pps;
	status->mptcp_listener = state->mptcp_seen &&
				 slot_state_age_s(e, &(struct service_state){ .since = state->mptcp_seen }) <
					 MPTCP_REMEMBERED_S;
	status->asymmetric = path_is_asymmetric(s);
	status->attack = attack_of(e, e->slot_of[index]);
	status->asymmetric_connections = state->asymmetric;
	fastpath_read_counters(e->fastpath, e->slot_of[index], &status->counters);
	subtract_counters(&status->counters, &s->base);
	return 0;
}

int engine_find_service(struct engine *e, const char *name, struct service_status *status)
{
	int place = config_find_service(e->config, name);

	return place < 0 ? -ENOENT : engine_get_service(e, (size_t)place, status);
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

static int get_limit(struct engine *e, enum limit_kind kind, enum limit_level level,
		     struct limit_status *status)
{
	int error = fastpath_read_limit(e->fastpath, kind, level, &status->counters);

	status->name = config_limit_name(kind, level);
	status->limit = e->limits.limit[kind][level];
	status->changed =
		memcmp(&status->limit, &e->config->limits.limit[kind][level], sizeof(status->limit)) != 0;
	status->would_drop = would_have_dropped(e, LIMIT_COUNT((uint32_t)kind, (uint32_t)level, SERVICE_NONE),
						status->counters.dropped);
	return error;
}

static int get_own_limit(struct engine *e, enum limit_kind kind, const struct config_service *service,
			 struct limit_status *status)
{
	uint32_t slot = slot_find(e, service->name);
	const struct slot *s = &e->slots[slot];
	int error = fastpath_read_service_limit(e->fastpath, kind, slot, &status->counters);

	status->name = config_limit_name(kind, LEVEL_SERVICE);
	status->service = service->name;
	status->limit = s->limits.limit[kind];
	status->changed = limit_own_differs(&s->limits, &service->limits, kind);
	status->counters.over -= s->limit_base[kind].over;
	status->counters.dropped -= s->limit_base[kind].dropped;
	status->would_drop = would_have_dropped(e, LIMIT_COUNT((uint32_t)kind, LEVEL_SERVICE, slot),
						status->counters.dropped);
	return error;
}

int engine_get_limit(struct engine *e, size_t index, struct limit_status *status)
{
	memset(status, 0, sizeof(*status));
	for (int kind = 0; kind < KIND_COUNT; kind++)
		for (int level = 0; level < LEVEL_COUNT; level++) {
			if (!index--)
				return get_limit(e, (enum limit_kind)kind, (enum limit_level)level, status);
			for (size_t i = 0; level == LEVEL_SERVICE && i < e->config->service_count; i++)
				if (e->slots[e->slot_of[i]].limits.given[kind] && !index--)
					return get_own_limit(e, (enum limit_kind)kind,
							     &e->config->services[i], status);
		}
	return -ENOENT;
}

enum policy_mode engine_limits_mode(const struct engine *e)
{
	return e->limits.mode;
}

/* --- sources --- */

#define HELD_LEAST 8 /* half-opens at the server that make a source stand out */

struct sources {
	struct engine *engine;
	struct source_status *all;
	size_t count, max;
	uint32_t window_s;
	uint64_t jiffies;
	struct held held;
};

static bool is_known(const struct sources *s, const struct prefix *prefix)
{
	for (size_t i = 0; i < s->count; i++)
		if (!memcmp(&s->all[i].prefix, prefix, sizeof(*prefix)))
			return true;
	return false;
}

/* TAG: what the table says, 0: not of the table. Left out: what has just been replaced, or is long past. */
static void describe(struct sources *s, const struct heavy *heavy, uint64_t tag)
{
	struct source_args counts = { .v6 = heavy->v6, .level = heavy->level };
	struct source_status *status = &s->all[s->count];

	memcpy(counts.address, heavy->address, sizeof(counts.address));
	if (s->count == s->max || heavy->level >= SKETCH_LEVELS ||
	    fastpath_query_source(s->engine->fastpath, &counts) || (tag && counts.tag != tag))
		return;
	source_describe(heavy, &counts, s->engine->sketch_error[heavy->level],
			fastpath_runtime(s->engine->fastpath)->sample, s->window_s, status);
	if (!is_inline(s->engine))
		status->held = held_count(&s->held, &status->prefix);
	s->count += status->held || status->half_open > status->error + HEAVY_LEAST ||
		    (tag && (uint32_t)(s->jiffies >> HEAVY_SHIFT) - heavy->seen <= HEAVY_STALE);
}

static void hold(const struct tuple *tuple, void *arg)
{
	struct in6_addr address;

	memcpy(&address, tuple->client, sizeof(address));
	held_add(arg, &address);
}

static void describe_held(struct sources *s)
{
	struct heavy heavy;

	for (int level = 0; level < SKETCH_LEVELS; level++)
		for (size_t place = 0;
		     held_next(&s->held, (enum limit_level)level, HELD_LEAST, &place, &heavy);) {
			struct prefix prefix = source_prefix(&heavy);

			if (!is_known(s, &prefix))
				describe(s, &heavy, 0);
		}
}

static void describe_heavies(struct sources *s)
{
	struct heavy *heavies = calloc(SOURCES_MAX, sizeof(*heavies));
	size_t found = heavies ? fastpath_read_heavies(s->engine->fastpath, heavies, SOURCES_MAX) : 0;

	for (size_t i = 0; i < found; i++)
		if (!source_is_shadow(heavies, found, i))
			describe(s, &heavies[i], heavies[i].tag);
	free(heavies);
}

size_t engine_get_sources(struct engine *e, enum source_order order, struct source_status *all, size_t max,
			  uint32_t *window_s)
{
	struct sources s = { .engine = e, .all = all, .max = max };

	if (fastpath_read_jiffies(e->fastpath, &s.jiffies))
		return 0;
	s.window_s =
		source_window_s(s.jiffies, fastpath_runtime(e->fastpath)->window_shift, e->clock.jiffies_hz);
	if (!is_inline(e))
		diag_each_half_open(hold, &s.held);
	held_sort(&s.held);
	describe_heavies(&s);
	describe_held(&s);
	held_fini(&s.held);
	source_sort(all, s.count, order);
	*window_s = s.window_s;
	return s.count;
}
