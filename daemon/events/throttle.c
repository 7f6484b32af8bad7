// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See throttle.h.
 */
#include "daemon/events/throttle.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static uint32_t allowance(enum event_kind kind)
{
	unsigned int per_minute = catalogue_row(kind)->per_minute;

	return per_minute ? per_minute : EVENT_PER_MINUTE;
}

static bool is_over(const struct throttle_place *place, int64_t now_s)
{
	return now_s - place->began_s >= THROTTLE_WINDOW_S;
}

static void begin(struct throttle_place *place, int64_t now_s)
{
	place->used = true;
	place->began_s = now_s;
	place->told = 0;
	place->left_out = 0;
}

/* Of this key, or a free one for it; NULL: all are taken. What is over and left something out is not free
 * yet. */
static struct throttle_place *find_place(struct throttle *throttle, enum event_kind kind, const char *key,
					 int64_t now_s)
{
	struct throttle_place *free_place = NULL;

	for (size_t i = 0; i < THROTTLE_PLACES; i++) {
		struct throttle_place *place = &throttle->places[i];

		if (place->used && place->kind == kind && !strncmp(place->key, key, THROTTLE_KEY_SIZE - 1))
			return place;
		if (!free_place && (!place->used || (is_over(place, now_s) && !place->left_out)))
			free_place = place;
	}
	if (free_place) {
		begin(free_place, now_s);
		free_place->kind = kind;
		snprintf(free_place->key, sizeof(free_place->key), "%s", key);
	}
	return free_place;
}

static bool take(struct throttle_place *place, uint32_t most, int64_t now_s)
{
	if (!place->used || (is_over(place, now_s) && !place->left_out))
		begin(place, now_s);
	if (place->told < most) {
		place->told++;
		return true;
	}
	place->left_out++;
	return false;
}

bool throttle_allow(struct throttle *throttle, enum event_kind kind, const char *key, int64_t now_s)
{
	struct throttle_place *whole = &throttle->kinds[kind];
	struct throttle_place *place =
		catalogue_row(kind)->key && key ? find_place(throttle, kind, key, now_s) : NULL;

	whole->kind = kind;
	if (place && !take(place, allowance(kind), now_s))
		return false;
	return take(whole, allowance(kind) * (catalogue_row(kind)->key ? THROTTLE_KEYS : 1), now_s);
}

static bool take_over(struct throttle_place *place, int64_t now_s, bool all, struct throttle_place *over)
{
	if (!place->used || !place->left_out || !(all || is_over(place, now_s)))
		return false;
	*over = *place;
	place->used = false;
	return true;
}

bool throttle_take(struct throttle *throttle, int64_t now_s, bool all, struct throttle_place *over)
{
	for (size_t i = 0; i < THROTTLE_PLACES; i++)
		if (take_over(&throttle->places[i], now_s, all, over))
			return true;
	for (size_t i = 0; i < EVENT_KINDS; i++)
		if (take_over(&throttle->kinds[i], now_s, all, over))
			return true;
	return false;
}
