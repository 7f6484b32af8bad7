// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What XDP must know, published whole: runtime and services. And the clocks.
 */
#include "daemon/engine/state.h"

#include <string.h>
#include <time.h>

#include "daemon/engine/lasting.h"
#include "daemon/engine/limit.h"
#include "daemon/engine/ranges.h"
#include "daemon/engine/would.h"
#include "daemon/maps/fastpath.h"

int64_t clock_now_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

uint64_t clock_now_s(void)
{
	return (uint64_t)(clock_now_ns(CLOCK_MONOTONIC) / NS_PER_S);
}

int clock_read_all(struct engine *e, struct clock_reading *reading)
{
	reading->monotonic_ns = clock_now_ns(CLOCK_MONOTONIC);
	reading->wall_ns = clock_now_ns(CLOCK_REALTIME);
	return fastpath_read_jiffies(e->fastpath, &reading->jiffies);
}

static struct port_ranges in_half(uint32_t half, const struct port_ranges *list)
{
	struct port_ranges moved = *list;

	moved.first4 += half * RANGES_MAX;
	moved.first6 += half * RANGES_MAX;
	return moved;
}

/* Of services' own limits, runtime.wide. */
static uint32_t own_kinds(const struct engine *e)
{
	uint32_t kinds = 0;

	for (size_t i = 0; i < e->config->service_count; i++)
		kinds |= limit_own_kinds(&e->slots[e->slot_of[i]].limits);
	return kinds;
}

int publish_runtime(struct engine *e)
{
	struct clock_reading now;
	struct runtime runtime = {
		.half = e->half,
		.bypass = e->bypass || e->drain != DRAIN_OFF || (!is_inline(e) && !e->stack.syncookies),
		.unknown_pps = e->config->unknown_pps,
		.handshakes_max = e->config->handshakes,
		.handshakes_per_source = e->config->handshakes_per_source,
		.unknown_per_prefix = e->config->unknown_per_prefix_pps,
		.probe_after_s = e->config->probe_after_s,
		.port_ifindex = { [PORT_OUTSIDE] = e->link.ifindex, [PORT_INSIDE] = e->inside.ifindex },
		.lookups_per_s = e->config->lookup_budget_pps,
		.limits = e->limits_half,
		.limits_mode = limit_mode_needed(&e->limits, own_kinds(e)),
		.auto_block = e->config->punish.mode != POLICY_OFF && e->limits.mode != POLICY_OFF,
		.accounting = e->limits.mode != POLICY_OFF,
		.sample = limit_sample(&e->limits, e->sketch_error[LEVEL_SOURCE]),
		.wide = limit_wide_kinds(&e->limits) | own_kinds(e),
		.window_shift = limit_window_shift(e->clock.jiffies_hz),
		.policy = { [POLICY_REFLECTION] = (uint8_t)e->config->reflection,
			    [POLICY_SMURF] = (uint8_t)e->config->smurf,
			    [POLICY_SOURCE] = (uint8_t)e->config->outward_source },
		.guarded = in_half(e->half, &e->guarded),
		.synack_pps = e->config->synack_budget_pps,
		.broadcast_first = e->half * RANGES_MAX + e->broadcasts.first,
		.broadcast_count = e->broadcasts.count,
	};
	int error = clock_read_all(e, &now);

	if (error)
		return error;
	would_follow_mode(e);
	lists_get_roots(e->lists, runtime.list_root);
	memcpy(runtime.sketch_error, e->sketch_error, sizeof(runtime.sketch_error));
	for (int level = 0; level < SKETCH_LEVELS; level++)
		runtime.heavy_from[level] =
			limit_heavy_from(&e->limits, (enum limit_level)level, e->sketch_error[level]);
	link_read_broadcasts(e->config->outside, runtime.broadcast, BROADCASTS_MAX);
	memcpy(runtime.mac, e->link.mac, sizeof(e->link.mac));
	slot_clock_fill(&e->clock, &now, &runtime);
	keyring_fill(e->keyring, &runtime);
	if (e->drain >= DRAIN_SEALED)
		runtime.key_valid = 0;
	fastpath_publish(e->fastpath, &runtime);
	lasting_note(e);
	explicit_bzero(runtime.key, sizeof(runtime.key));
	return 0;
}

static unsigned int least_mtu(const struct engine *e)
{
	return e->inside.mtu && e->inside.mtu < e->link.mtu ? e->inside.mtu : e->link.mtu;
}

/* A service that is only watched loses no packet, one that is left alone is not looked at. */
static enum policy_mode policy_for(enum policy_mode policy, enum service_mode mode)
{
	if (mode == MODE_OFF)
		return POLICY_OFF;
	return mode == MODE_MONITOR && policy == POLICY_ENFORCE ? POLICY_MONITOR : policy;
}

static void fill_guard(const struct config_protected *p, const struct port_ranges *to, struct guard *guard)
{
	guard->closed = (uint8_t)p->closed;
	guard->outward = (uint8_t)p->outward;
	guard->any_destination = !p->outward_to_count;
	guard->to = *to;
	guard->syn_pps = p->outward_syn_pps;
	for (; guard->span_count < p->outward_port_count && guard->span_count < GUARD_SPANS;
	     guard->span_count++) {
		guard->spans[guard->span_count].first = p->outward_ports[guard->span_count].first;
		guard->spans[guard->span_count].last = p->outward_ports[guard->span_count].last;
	}
}

/* To the half that is about to be published. */
static void stage_guards(struct engine *e, const struct ranges_table *table)
{
	struct guard guards[GUARDS_MAX] = { 0 };

	for (size_t i = 0; i < e->config->protected_count; i++) {
		struct port_ranges to = in_half(e->half, &table->outward_to[i]);

		fill_guard(&e->config->protected[i], &to, &guards[i]);
	}
	e->guarded = table->guarded;
	fastpath_stage_guards(e->fastpath, e->half, guards);
}

/* To the half that is about to be published. */
static void stage_limits(struct engine *e)
{
	struct limit of_service[SERVICE_SLOTS][KIND_COUNT] = { 0 };
	struct limits limits;

	limit_compile(&e->limits, e->clock.jiffies_hz, &limits);
	for (size_t i = 0; i < e->config->service_count; i++)
		limit_compile_own(&e->slots[e->slot_of[i]].limits, &e->limits, e->clock.jiffies_hz,
				  of_service[e->slot_of[i]]);
	e->limits_half = fastpath_stage_limits(e->fastpath, &limits, of_service);
}

/* Compiles the configuration's services, with the modes and limits in force, and publishes them. */
int publish_services(struct engine *e)
{
	struct service services[SERVICE_SLOTS] = { 0 };
	struct ranges_table table;
	int error = ranges_compile(e->config, e->slot_of, &table);

	if (error)
		return error;
	for (size_t i = 0; i < e->config->service_count; i++) {
		struct service *s = &services[e->slot_of[i]];

		profile_service(&e->config->services[i], &e->stack, least_mtu(e), s);
		if (is_inline(e))
			profile_inline(e->config, &e->config->services[i], s);
		s->mode = (uint8_t)e->slots[e->slot_of[i]].mode;
		s->sanity = (uint8_t)policy_for(e->config->sanity, (enum service_mode)s->mode);
		s->reflection = (uint8_t)policy_for(e->config->reflection, (enum service_mode)s->mode);
	}
	e->half = fastpath_stage_services(e->fastpath, &table, services);
	e->broadcasts = table.broadcasts;
	stage_guards(e, &table);
	stage_limits(e);
	ranges_free(&table);
	return publish_runtime(e);
}

int publish_limits(struct engine *e)
{
	stage_limits(e);
	return publish_runtime(e);
}
