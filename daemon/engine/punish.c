// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See punish.h.
 */
#include "daemon/engine/punish.h"

#include <string.h>

size_t punish_count(const struct punish *p, int64_t now_s)
{
	size_t count = 0;

	for (size_t i = 0; i < PUNISH_OFFENDERS; i++)
		count += p->offenders[i].used && p->offenders[i].until_s > now_s;
	return count;
}

/* Nothing that would matter is known of it any more. */
static bool is_forgotten(const struct offender *o, const struct config_punish *config, int64_t now_s)
{
	return now_s - o->seen_s > ACTS_WITHIN_S &&
	       (!o->until_s || now_s - o->until_s > (int64_t)config->duration_most_s);
}

/* The one with this address, or a place for it; NULL: all places are taken. */
static struct offender *find(struct punish *p, const struct config_punish *config,
			     const struct in6_addr *address, int64_t now_s)
{
	struct offender *place = NULL;

	for (size_t i = 0; i < PUNISH_OFFENDERS; i++) {
		struct offender *o = &p->offenders[i];

		if (o->used && !memcmp(&o->address, address, sizeof(*address)))
			return o;
		if (!place && (!o->used || is_forgotten(o, config, now_s)))
			place = o;
	}
	if (place)
		*place = (struct offender){ .address = *address, .used = true };
	return place;
}

static uint32_t duration_of(const struct config_punish *config, uint32_t blocked)
{
	uint64_t duration = config->duration_s;

	while (blocked-- && duration < config->duration_most_s)
		duration *= 2;
	return (uint32_t)(duration < config->duration_most_s ? duration : config->duration_most_s);
}

bool punish_is_present(uint32_t acts_since, uint64_t jiffies, uint32_t jiffies_hz)
{
	uint32_t age = (uint32_t)(jiffies >> HEAVY_SHIFT) - acts_since;

	return age <= ((uint64_t)ACTS_WITHIN_S * jiffies_hz >> HEAVY_SHIFT) + 1;
}

uint32_t punish_judge(struct punish *p, const struct config_punish *config, const struct in6_addr *address,
		      uint32_t acts, uint32_t acts_since, int64_t now_s)
{
	struct offender *o = find(p, config, address, now_s);
	uint32_t duration;

	if (!o)
		return 0;
	o->seen_s = now_s;
	if (acts_since != o->acts_since || acts < o->spent) {
		o->acts_since = acts_since;
		o->spent = 0;
	}
	if (o->until_s > now_s)
		o->spent = acts; /* before the block came into force */
	if (acts - o->spent < config->acts || punish_count(p, now_s) >= config->most)
		return 0;
	if (o->until_s && now_s - o->until_s > (int64_t)config->duration_most_s)
		o->blocked = 0;
	duration = duration_of(config, o->blocked);
	o->blocked++;
	o->until_s = now_s + duration;
	o->spent = acts;
	return duration;
}
