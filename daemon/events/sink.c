// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See sink.h.
 */
#include "daemon/events/sink.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "daemon/events/events.h"

#define NS_PER_S 1000000000

static struct timespec from_now(unsigned int ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	if (at.tv_nsec >= NS_PER_S) {
		at.tv_sec++;
		at.tv_nsec -= NS_PER_S;
	}
	return at;
}

/* --- under the lock --- */

static uint64_t limit_of(const struct sink *sink)
{
	return sink->gate ? sink->ring->last : ring_shown(sink->ring);
}

static bool wants(const struct sink *sink, const struct event_entry *event)
{
	return !sink->wants || sink->wants(sink->arg, event);
}

static size_t count_wanted(const struct sink *sink)
{
	const struct event_entry *event = ring_after(sink->ring, sink->cursor);
	size_t count = 0;

	for (; event && event->number <= limit_of(sink); event = ring_after(sink->ring, event->number))
		count += wants(sink, event);
	return count;
}

/* What the ring dropped before it was taken. */
static void note_missed(struct sink *sink)
{
	uint64_t oldest = ring_oldest(sink->ring);

	if (oldest <= sink->cursor + 1)
		return;
	sink->missed += oldest - sink->cursor - 1;
	sink->missed_in_all += oldest - sink->cursor - 1;
	sink->cursor = oldest - 1;
}

/* Fills batch with references, and moves the cursor over all that was looked at. *excess: that were left out.
 */
static size_t gather(struct sink *sink, struct event_entry **batch, size_t *excess)
{
	size_t most = sink->most ? 1 : SINK_BATCH, waiting = sink->most ? count_wanted(sink) : 0, count = 0;
	uint64_t limit = limit_of(sink);
	struct event_entry *event;

	note_missed(sink);
	*excess = 0;
	while (count < most && (event = ring_after(sink->ring, sink->cursor)) && event->number <= limit) {
		sink->cursor = event->number;
		if (!wants(sink, event))
			continue;
		if (sink->most && waiting > sink->most) {
			waiting--;
			++*excess;
		} else {
			batch[count++] = event_ref(event);
		}
	}
	return count;
}

static void wait_for_more(struct sink *sink)
{
	struct timespec until = from_now(RING_PATIENCE_US / 1000 / 4);

	if (ring_newest(sink->ring) > sink->cursor) /* held back by the gate, which may hang */
		pthread_cond_timedwait(&sink->ring->bell, &sink->ring->lock, &until);
	else
		pthread_cond_wait(&sink->ring->bell, &sink->ring->lock);
}

static void wait_to_retry(struct sink *sink)
{
	struct timespec until = from_now(SINK_RETRY_S * 1000);

	while (!sink->stop &&
	       pthread_cond_timedwait(&sink->ring->bell, &sink->ring->lock, &until) != ETIMEDOUT)
		;
}

static void note_busy(struct sink *sink, bool busy)
{
	struct timespec now;

	if (!sink->gate)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	sink->ring->gate_busy_us = busy ? now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000 : 0;
}

static void note_written(struct sink *sink)
{
	sink->done = sink->cursor;
	if (sink->gate) {
		sink->ring->on_disk = sink->done;
		sink->ring->gate_failing = false;
	}
	pthread_cond_broadcast(&sink->ring->bell);
}

/* --- without the lock, but for what it says --- */

static void tell_trouble(struct sink *sink, int error)
{
	if (sink->failing)
		return;
	sink->failing = true;
	event_tell(EVENT_EVENTS_UNWRITTEN, EV_TEXT("sink", sink->name), EV_TEXT("error", strerror(-error)),
		   EV_NUMBER("kept", RING_SIZE));
}

static void tell_recovery(struct sink *sink, uint64_t missed)
{
	if (!sink->failing && !missed)
		return;
	sink->failing = false;
	event_tell(EVENT_EVENTS_WRITTEN, EV_TEXT("sink", sink->name), EV_NUMBER("missed", (int64_t)missed));
}

/* Under the lock, which it gives up meanwhile. */
static void write_batch(struct sink *sink, struct event_entry *const *batch, size_t count)
{
	struct ring *ring = sink->ring;
	uint64_t missed, last;
	int error = -EAGAIN;

	for (bool again = false; error && (!again || !sink->stop); again = true) {
		note_busy(sink, true);
		pthread_mutex_unlock(&ring->lock);
		error = sink->write(sink->arg, batch, count);
		if (error)
			tell_trouble(sink, error);
		pthread_mutex_lock(&ring->lock);
		note_busy(sink, false);
		if (!error)
			break;
		if (sink->gate)
			ring->gate_failing = true;
		pthread_cond_broadcast(&ring->bell);
		last = ring->last;
		if (sink->written_not) {
			pthread_mutex_unlock(&ring->lock);
			sink->written_not(sink->arg, last);
			pthread_mutex_lock(&ring->lock);
		}
		wait_to_retry(sink);
	}
	if (error)
		return;
	missed = sink->missed;
	sink->missed = 0;
	note_written(sink);
	pthread_mutex_unlock(&ring->lock);
	tell_recovery(sink, missed);
	pthread_mutex_lock(&ring->lock);
}

static void take(struct sink *sink)
{
	struct event_entry *batch[SINK_BATCH];
	size_t excess, count = gather(sink, batch, &excess);

	if (excess && sink->left_out) {
		pthread_mutex_unlock(&sink->ring->lock);
		sink->left_out(sink->arg, excess);
		pthread_mutex_lock(&sink->ring->lock);
	}
	if (count)
		write_batch(sink, batch, count);
	else if (sink->done != sink->cursor)
		note_written(sink);
	for (size_t i = 0; i < count; i++)
		event_unref(batch[i]);
}

static bool has_more(const struct sink *sink)
{
	const struct event_entry *event = ring_after(sink->ring, sink->cursor);

	return event && event->number <= limit_of(sink);
}

static void *run(void *arg)
{
	struct sink *sink = arg;

	pthread_mutex_lock(&sink->ring->lock);
	while (!sink->stop || (has_more(sink) && !sink->failing)) {
		if (has_more(sink))
			take(sink);
		else
			wait_for_more(sink);
	}
	sink->ended = true;
	pthread_cond_broadcast(&sink->ring->bell);
	pthread_mutex_unlock(&sink->ring->lock);
	return NULL;
}

int sink_start(struct sink *sink)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	sink->done = sink->cursor;
	pthread_sigmask(SIG_BLOCK, &all, &before); /* signals are the event loop's */
	error = pthread_create(&sink->thread, NULL, run, sink);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	sink->running = !error;
	return -error;
}

bool sink_stop(struct sink *sink, unsigned int patience_ms)
{
	struct timespec until = from_now(patience_ms);
	bool ended;
	int error = 0;

	if (!sink->running)
		return true;
	pthread_mutex_lock(&sink->ring->lock);
	sink->stop = true;
	pthread_cond_broadcast(&sink->ring->bell);
	while (!sink->ended && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&sink->ring->bell, &sink->ring->lock, &until);
	ended = sink->ended;
	pthread_mutex_unlock(&sink->ring->lock);
	if (ended)
		pthread_join(sink->thread, NULL);
	else
		pthread_detach(sink->thread);
	sink->running = false;
	return ended;
}
