// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Services as they run: their slots, which outlive reloads, their modes and states of mitigation.
 */
#include "daemon/engine/state.h"

#include <stddef.h>
#include <string.h>

#include "daemon/engine/lasting.h"
#include "daemon/engine/limit.h"
#include "daemon/engine/would.h"
#include "daemon/maps/fastpath.h"

uint64_t slot_state_age_s(struct engine *e, const struct service_state *state)
{
	uint64_t jiffies;

	if (!state->since || fastpath_read_jiffies(e->fastpath, &jiffies) || jiffies < state->since)
		return 0;
	return (jiffies - state->since) / e->clock.jiffies_hz;
}

bool slot_covers_port(const struct config_service *service, uint16_t port)
{
	for (size_t i = 0; i < service->port_count; i++)
		if (port >= service->ports[i].first && port <= service->ports[i].last)
			return true;
	return false;
}

void slot_set_mitigation(struct engine *e, uint32_t slot, enum mitigation mitigation)
{
	struct service_state *state = fastpath_state(e->fastpath, slot);

	if (fastpath_read_jiffies(e->fastpath, (uint64_t *)&state->since))
		return;
	__atomic_store_n(&state->mitigation, mitigation, __ATOMIC_RELEASE);
	e->slots[slot].calm_s = 0;
}

/* Cookies that are out must validate on, whatever the mode that follows. An attack that goes on as always is
 * left for auto is defended until the calm that ends it in auto. */
void slot_change_mode(struct engine *e, uint32_t slot, enum service_mode mode)
{
	struct slot *s = &e->slots[slot];
	bool answering =
		s->mode == MODE_ALWAYS ||
		(fastpath_state(e->fastpath, slot)->mitigation == MITIGATION_ACTIVE && s->mode != MODE_OFF);
	bool goes_on = s->mode == MODE_ALWAYS && mode == MODE_AUTO && attack_goes_on(e, slot);

	if (s->mode == mode)
		return;
	s->mode = mode;
	lasting_note_slot(e, slot);
	if (answering && mode != MODE_ALWAYS)
		slot_set_mitigation(e, slot, goes_on ? MITIGATION_ACTIVE : MITIGATION_GRACE);
	if (goes_on) /* the change of mode has told it */
		s->seen = MITIGATION_ACTIVE;
}

uint32_t slot_find(const struct engine *e, const char *name)
{
	for (uint32_t i = 1; i < SERVICE_SLOTS; i++)
		if (e->slots[i].used && !strcmp(e->slots[i].name, name))
			return i;
	return SERVICE_NONE;
}

/* One that no service has had, while there is one: connections of the service before are counted there. */
static uint32_t find_free(const struct engine *e)
{
	uint32_t had = SERVICE_NONE;

	for (uint32_t i = 1; i < SERVICE_SLOTS; i++) {
		if (e->slots[i].used)
			continue;
		if (!*e->slots[i].name)
			return i;
		if (had == SERVICE_NONE)
			had = i;
	}
	return had;
}

#define LIES_IN(at, member)                                                                                  \
	((at) >= offsetof(struct service_state, member) &&                                                   \
	 (at) < offsetof(struct service_state, member) + sizeof(((struct service_state *)NULL)->member))

/* Inline, connections of the service before go on, and will take themselves off two of the numbers. */
static void clear_state(const struct engine *e, struct service_state *state)
{
	for (size_t at = 0; at < sizeof(*state); at++)
		if (!is_inline(e) || !(LIES_IN(at, half_open) || LIES_IN(at, handshakes)))
			((uint8_t *)state)[at] = 0;
}

static uint32_t take_slot(struct engine *e, const struct config_service *service)
{
	uint32_t slot = find_free(e);
	struct slot *s = &e->slots[slot];

	if (slot == SERVICE_NONE)
		return SERVICE_NONE;
	memset(s, 0, sizeof(*s));
	s->used = true;
	s->mode = service->mode;
	s->limits = service->limits;
	memcpy(s->name, service->name, sizeof(s->name));
	fastpath_read_counters(e->fastpath, slot, &s->base);
	s->last = s->before = s->base;
	for (int kind = 0; kind < KIND_COUNT; kind++)
		fastpath_read_service_limit(e->fastpath, (enum limit_kind)kind, slot, &s->limit_base[kind]);
	would_forget(e, slot);
	clear_state(e, fastpath_state(e->fastpath, slot));
	lasting_note_slot(e, slot);
	return slot;
}

static const struct config_service *find_config(const struct config *config, const char *name)
{
	int place = config_find_service(config, name);

	return place < 0 ? NULL : &config->services[place];
}

/* Gives each service of CONFIG a slot; frees those of services that are gone. before: the configuration in
 * force. */
void slot_assign_all(struct engine *e, const struct config *config, const struct config *before)
{
	for (uint32_t i = 1; i < SERVICE_SLOTS; i++)
		if (e->slots[i].used && !find_config(config, e->slots[i].name))
			e->slots[i].used = false;
	for (size_t i = 0; i < config->service_count; i++) {
		const struct config_service *service = &config->services[i];
		const struct config_service *old = before ? find_config(before, service->name) : NULL;
		uint32_t slot = slot_find(e, service->name);

		if (slot == SERVICE_NONE)
			slot = take_slot(e, service);
		else if (old && old->mode != service->mode) /* else a change at runtime stays */
			slot_change_mode(e, slot, service->mode);
		if (old && slot != SERVICE_NONE)
			limit_merge_own(&e->slots[slot].limits, &old->limits, &service->limits);
		e->slot_of[i] = slot;
		lasting_note_configured(e, slot, service->mode);
	}
}

/* The state that an operator sees, and since when. */
void slot_note_shown(struct engine *e, uint32_t slot)
{
	struct slot *s = &e->slots[slot];
	enum mitigation shown =
		s->mode == MODE_ALWAYS ? MITIGATION_ACTIVE : fastpath_state(e->fastpath, slot)->mitigation;

	if (shown == s->shown && s->shown_since_s)
		return;
	s->shown = shown;
	s->shown_since_s = clock_now_s();
}
