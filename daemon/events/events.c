// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See events.h.
 */
#include "daemon/events/events.h"

#include <pthread.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>

#include "daemon/events/throttle.h"
#include "daemon/log.h"

#define US_PER_S 1000000

/* Events lie in the order of their numbers, from ring[first % EVENTS_KEPT] on. */
static struct {
	pthread_mutex_t lock;
	struct event_entry *ring[EVENTS_KEPT];
	uint64_t first, count; /* places, not numbers */
	uint64_t last;	       /* number that was given */
	struct throttle throttle;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int64_t clock_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * (int64_t)US_PER_S + now.tv_nsec / 1000;
}

/* --- under the lock --- */

static struct event_entry *at(uint64_t place)
{
	return state.ring[(state.first + place) % EVENTS_KEPT];
}

static void keep(struct event_entry *event)
{
	if (state.count == EVENTS_KEPT) {
		event_unref(at(0));
		state.first++;
		state.count--;
	}
	state.ring[(state.first + state.count++) % EVENTS_KEPT] = event;
}

/* Takes fields over. */
static void add(enum event_kind kind, json_t *fields)
{
	struct event_stamp stamp = { .number = state.last + 1,
				     .wall_us = clock_us(CLOCK_REALTIME),
				     .monotonic_us = clock_us(CLOCK_MONOTONIC) };
	struct event_entry *event = event_new(kind, &stamp, fields);

	if (!event) {
		log_print(LOG_ERR, "out of memory: an event %s is lost", catalogue_row(kind)->name);
		return;
	}
	state.last++;
	keep(event);
	log_print(event->severity, "%s", event->text);
}

static void add_left_out(int64_t now_s)
{
	struct throttle_place over;

	while (throttle_take(&state.throttle, now_s, false, &over)) {
		const struct event_field fields[] = {
			EV_TEXT("kind", catalogue_row(over.kind)->name),
			EV_TEXT("key", over.key),
			EV_NUMBER("count", (int64_t)over.left_out),
			EV_NUMBER("window_s", now_s - over.began_s),
			{ .name = NULL },
		};

		add(EVENT_EVENTS_LEFT_OUT, event_fields(EVENT_EVENTS_LEFT_OUT, fields));
	}
}

/* --- */

void event_tell_fields(enum event_kind kind, const struct event_field *fields)
{
	int64_t now_s = clock_us(CLOCK_BOOTTIME) / US_PER_S;
	const char *name = catalogue_row(kind)->key;
	json_t *object = event_fields(kind, fields);
	char *key = name ? event_field_text(json_object_get(object, name)) : NULL;

	pthread_mutex_lock(&state.lock);
	add_left_out(now_s);
	if (throttle_allow(&state.throttle, kind, key, now_s))
		add(kind, object);
	else
		json_decref(object);
	pthread_mutex_unlock(&state.lock);
	free(key);
}

/* The first place whose number is above AFTER; count: none. */
static uint64_t place_after(uint64_t after)
{
	uint64_t low = 0, high = state.count;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (at(middle)->number > after)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct event_entry *events_next(uint64_t after)
{
	struct event_entry *event = NULL;
	uint64_t place;

	pthread_mutex_lock(&state.lock);
	place = place_after(after);
	if (place < state.count)
		event = event_ref(at(place));
	pthread_mutex_unlock(&state.lock);
	return event;
}

uint64_t events_oldest(void)
{
	uint64_t number;

	pthread_mutex_lock(&state.lock);
	number = state.count ? at(0)->number : 0;
	pthread_mutex_unlock(&state.lock);
	return number;
}

uint64_t events_newest(void)
{
	uint64_t number;

	pthread_mutex_lock(&state.lock);
	number = state.count ? at(state.count - 1)->number : 0;
	pthread_mutex_unlock(&state.lock);
	return number;
}
