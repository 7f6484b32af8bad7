// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See ring.h.
 */
#include "daemon/events/ring.h"

#include <time.h>

#define US_PER_S 1000000

void ring_init(struct ring *ring)
{
	pthread_condattr_t attributes;

	*ring = (struct ring){ 0 };
	pthread_mutex_init(&ring->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&ring->bell, &attributes);
	pthread_condattr_destroy(&attributes);
}

static struct event_entry *at(const struct ring *ring, uint64_t place)
{
	return ring->places[(ring->first + place) % RING_SIZE];
}

static void drop_oldest(struct ring *ring)
{
	event_unref(at(ring, 0));
	ring->first++;
	ring->count--;
}

void ring_clear(struct ring *ring)
{
	while (ring->count)
		drop_oldest(ring);
	ring->last = ring->on_disk = 0;
	ring->gated = ring->gate_failing = false;
	ring->gate_busy_us = 0;
}

void ring_add(struct ring *ring, struct event_entry *event)
{
	if (ring->count == RING_SIZE)
		drop_oldest(ring);
	ring->places[(ring->first + ring->count++) % RING_SIZE] = event;
	ring->last = event->number;
	pthread_cond_broadcast(&ring->bell);
}

struct event_entry *ring_after(const struct ring *ring, uint64_t after)
{
	uint64_t low = 0, high = ring->count;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (at(ring, middle)->number > after)
			high = middle;
		else
			low = middle + 1;
	}
	return low < ring->count ? at(ring, low) : NULL;
}

uint64_t ring_oldest(const struct ring *ring)
{
	return ring->count ? at(ring, 0)->number : 0;
}

uint64_t ring_newest(const struct ring *ring)
{
	return ring->count ? at(ring, ring->count - 1)->number : 0;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)US_PER_S + now.tv_nsec / 1000;
}

uint64_t ring_shown(const struct ring *ring)
{
	if (!ring->gated || ring->gate_failing ||
	    (ring->gate_busy_us && now_us() - ring->gate_busy_us > RING_PATIENCE_US))
		return ring->last;
	return ring->on_disk;
}
