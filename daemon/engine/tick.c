// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Once a second: rates are taken, mitigations ended, the cookie's clock and keys moved on, the interfaces
 * looked after.
 */
#include "daemon/engine/state.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/engine/calm.h"
#include "daemon/engine/limit.h"
#include "daemon/events/events.h"
#include "daemon/log.h"
#include "daemon/maps/fastpath.h"
#include "daemon/netlink/diag.h"
#include "daemon/timer.h"

#define HALF_OPEN_RESENDS 2 /* of the SYN-ACK: three seconds */

static uint32_t rise(uint64_t now, uint64_t before)
{
	return now > before ? (uint32_t)(now - before) : 0;
}

/* Since the tick before: more than one after the daemon has stood still. */
static uint32_t seconds_passed(struct engine *e)
{
	int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC), since_ns = e->ticked_ns ? now_ns - e->ticked_ns : 0;

	e->ticked_ns = now_ns;
	return since_ns < 2 * NS_PER_S ? 1 : (uint32_t)(since_ns / NS_PER_S);
}

static void take_rates(struct engine *e, uint32_t slot, uint32_t seconds)
{
	struct slot *s = &e->slots[slot];
	struct service_counters now;

	if (fastpath_read_counters(e->fastpath, slot, &now))
		return;
	s->syn_rate_pps = rise(now.syns, s->last.syns) / seconds;
	s->answered_pps = (rise(now.verdict[TX_SYNACK], s->last.verdict[TX_SYNACK]) +
			   rise(now.would[TX_SYNACK], s->last.would[TX_SYNACK])) /
			  seconds;
	s->completed_pps = rise(now.completed, s->last.completed) / seconds;
	s->returned_pps = rise(now.verdict[PASS_COOKIE], s->last.verdict[PASS_COOKIE]) / seconds;
	s->unknown_pps = (rise(now.verdict[PASS_UNKNOWN], s->last.verdict[PASS_UNKNOWN]) +
			  rise(now.would[DROP_BAD_COOKIE], s->last.would[DROP_BAD_COOKIE])) /
			 seconds;
	s->before = s->last;
	s->last = now;
}

static void judge_calm(struct engine *e, const struct config_service *service, uint32_t slot)
{
	struct slot *s = &e->slots[slot];
	const struct service_state *state = fastpath_state(e->fastpath, slot);
	struct calm_signals signals = {
		.syn_rate_pps = s->syn_rate_pps,
		.incomplete_pps = rise(s->answered_pps, s->completed_pps),
		.backlog = state->backlog,
	};

	if (!calm_now(service, &signals))
		s->calm_s = 0;
	else if (++s->calm_s >= service->hold_s)
		slot_set_mitigation(e, slot, MITIGATION_GRACE);
}

/* The mark that was passed: last of its list, since it ends it where nothing has begun. */
static struct event_field mark_of(const struct engine *e, const struct config_service *service,
				  const struct service_state *state)
{
	if (state->mitigation != MITIGATION_ACTIVE)
		return (struct event_field){ 0 };
	if (calm_was_syn_rate(service, state->syn_count))
		return EV_NUMBER("syn_rate_high", service->syn_rate_high);
	return EV_NUMBER("half_open_high", calm_half_open_high(service, state->backlog, is_inline(e)));
}

static void tell_mitigation(const struct engine *e, const struct config_service *service,
			    const struct slot *slot, const struct service_state *state)
{
	static const enum event_kind kinds[] = {
		[MITIGATION_IDLE] = EVENT_MITIGATION_OVER,
		[MITIGATION_ACTIVE] = EVENT_MITIGATION_BEGUN,
		[MITIGATION_GRACE] = EVENT_MITIGATION_ENDED,
	};

	if (state->mitigation <= MITIGATION_GRACE)
		event_tell(kinds[state->mitigation], EV_TEXT("service", slot->name),
			   EV_FLAG("monitor", slot->mode == MODE_MONITOR),
			   EV_NUMBER("half_open", state->half_open),
			   EV_NUMBER("syn_rate_pps", slot->syn_rate_pps), mark_of(e, service, state));
}

static void move_mitigation(struct engine *e, const struct config_service *service, uint32_t slot)
{
	struct slot *s = &e->slots[slot];
	const struct service_state *state = fastpath_state(e->fastpath, slot);

	if (state->mitigation != s->seen) {
		s->seen = state->mitigation;
		tell_mitigation(e, service, s, state);
	}
	if (state->mitigation == MITIGATION_ACTIVE && s->mode != MODE_ALWAYS)
		judge_calm(e, service, slot);
	else if (state->mitigation == MITIGATION_GRACE && slot_state_age_s(e, state) > COOKIE_LIFETIME_S)
		slot_set_mitigation(e, slot, MITIGATION_IDLE);
}

static bool is_mitigating(struct engine *e, size_t service)
{
	uint32_t slot = e->slot_of[service];

	return e->slots[slot].mode == MODE_AUTO &&
	       fastpath_state(e->fastpath, slot)->mitigation == MITIGATION_ACTIVE;
}

static bool clears_port(uint16_t port, void *arg)
{
	struct engine *e = arg;

	for (size_t i = 0; i < e->config->service_count; i++)
		if (is_mitigating(e, i) && slot_covers_port(&e->config->services[i], port))
			return true;
	return false;
}

/*
 * The half-opens that passed before mitigation began: those that do not complete soon would fill the queue
 * for a minute, and hold its length above the mark when mitigation ends.
 */
static void clear_half_opens(struct engine *e)
{
	unsigned int left = 0;
	bool any = false;
	int result;

	for (size_t i = 0; i < e->config->service_count; i++)
		any |= is_mitigating(e, i) && fastpath_state(e->fastpath, e->slot_of[i])->half_open;
	if (!any)
		return;
	result = diag_destroy_half_opens(HALF_OPEN_RESENDS, clears_port, e, &left);
	if (result > 0)
		e->cleared += (uint64_t)result;
	if (result < 0 && !e->clear_warned) {
		e->clear_warned = true;
		log_print(LOG_WARNING, "half-open sockets of before stay for a minute: SOCK_DESTROY: %s",
			  strerror(-result));
	}
	/* XDP looks at the queue only when a SYN passes, and none does now */
	for (size_t i = 0; result >= 0 && !left && i < e->config->service_count; i++)
		if (is_mitigating(e, i))
			fastpath_state(e->fastpath, e->slot_of[i])->half_open = 0;
}

static void follow_clock(struct engine *e)
{
	struct clock_reading now;

	if (!clock_read_all(e, &now))
		slot_clock_follow(&e->clock, &now);
}

/* The server's sysctls decide what a handshake may agree on; somebody may change them while we run. */
static void follow_stack_settings(struct engine *e)
{
	struct stack_settings before = e->stack;

	stack_settings_read(&e->stack);
	if (!memcmp(&before, &e->stack, sizeof(before)))
		return;
	interface_tell_syncookies(e);
	publish_services(e);
}

/* How far estimates of half-opens may be off now. */
static void follow_sketch(struct engine *e)
{
	uint64_t jiffies, begun;

	if (e->limits.mode == POLICY_OFF || fastpath_read_jiffies(e->fastpath, &jiffies))
		return;
	for (int level = 0; level < SKETCH_LEVELS; level++)
		if (!fastpath_read_begun(e->fastpath, (enum limit_level)level, jiffies, &begun))
			e->sketch_error[level] = limit_sketch_error((enum limit_level)level, begun);
}

static void judge_offender(struct engine *e, const struct heavy *heavy)
{
	const struct config_punish *config = &e->config->punish;
	bool enforced = config->mode == POLICY_ENFORCE;
	struct prefix prefix = source_prefix(heavy);
	int64_t now_s = engine_list_clock();
	uint32_t duration_s =
		punish_judge(&e->punish, config, &prefix.address, heavy->acts, heavy->acts_since, now_s);
	char address[INET6_ADDRSTRLEN + 4], reason[80];
	int error = 0;

	if (!duration_s)
		return;
	snprintf(reason, sizeof(reason),
		 "%u connections over limits.connection_source, each with a good cookie", heavy->acts);
	if (enforced)
		error = lists_add(e->lists, LIST_BLOCK, &prefix, ORIGIN_AUTO, now_s + duration_s, now_s,
				  reason);
	event_tell(EVENT_SOURCE_BLOCKED, EV_TEXT("prefix", prefix_format(&prefix, address, sizeof(address))),
		   EV_NUMBER("duration_s", duration_s), EV_TEXT("reason", reason),
		   EV_NUMBER("acts", heavy->acts), EV_FLAG("monitor", !enforced),
		   EV_TEXT("error", error < 0 ? strerror(-error) : NULL));
	if (enforced)
		engine_lists_changed(e);
}

/*
 * False: the place was being given to another while it was read, or it was another's connections that used up
 * the bucket that both share: it made not even a second's worth itself.
 */
static bool is_offender(struct engine *e, const struct heavy *heavy)
{
	struct source_args source = { .v6 = heavy->v6, .level = heavy->level };

	memcpy(source.address, heavy->address, sizeof(source.address));
	return !fastpath_query_source(e->fastpath, &source) && source.tag == heavy->tag &&
	       source.completed >= e->limits.limit[KIND_CONNECTION][LEVEL_SOURCE].rate;
}

/* Those who were seen going over a limit with valid cookies. */
static void punish_offenders(struct engine *e)
{
	struct heavy *heavies;
	uint64_t jiffies;
	size_t count;

	if (e->config->punish.mode == POLICY_OFF || e->limits.mode == POLICY_OFF ||
	    fastpath_read_jiffies(e->fastpath, &jiffies))
		return;
	heavies = calloc(SOURCES_MAX, sizeof(*heavies));
	count = heavies ? fastpath_read_heavies(e->fastpath, heavies, SOURCES_MAX) : 0;
	for (size_t i = 0; i < count; i++)
		if (heavies[i].acts && heavies[i].level == LEVEL_SOURCE &&
		    punish_is_present(heavies[i].acts_since, jiffies, e->clock.jiffies_hz) &&
		    is_offender(e, &heavies[i]))
			judge_offender(e, &heavies[i]);
	free(heavies);
}

int tick_run(sd_event_source *source, uint64_t usec, void *arg)
{
	struct engine *e = arg;
	uint32_t seconds = seconds_passed(e);

	for (size_t i = 0; i < e->config->service_count; i++) {
		take_rates(e, e->slot_of[i], seconds);
		move_mitigation(e, &e->config->services[i], e->slot_of[i]);
		slot_note_shown(e, e->slot_of[i]);
		path_judge(e, e->slot_of[i]);
	}
	attack_tick(e);
	if (is_inline(e)) {
		fastpath_expire(e->fastpath, &e->connections, &e->translated);
		drain_follow(e);
	} else {
		clear_half_opens(e);
		follow_stack_settings(e);
	}
	follow_clock(e);
	follow_sketch(e);
	punish_offenders(e);
	if (keyring_tick(e->keyring, clock_now_s()))
		event_tell(EVENT_KEY_RETIRED, EV_FLAG("rotated", e->keyring->older_valid));
	publish_runtime(e);
	if (override_follow(&e->overrides, e->state_dir, (int64_t)clock_now_s()))
		change_save(e);
	list_tick(e);
	interface_look_after(e);
	interface_check_forwarding(e);
	interface_check_peer(e);
	return timer_repeat(source, usec, TICK_US);
}
