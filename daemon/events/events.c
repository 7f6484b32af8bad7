// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See events.h. The caller's thread makes the event and puts it into the ring; whatever may block happens in
 * sinks.
 */
#include "daemon/events/events.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "daemon/events/file_sink.h"
#include "daemon/events/journal.h"
#include "daemon/events/ledger.h"
#include "daemon/events/sink.h"
#include "daemon/events/throttle.h"
#include "daemon/events/clock_watch.h"
#include "daemon/log.h"

#define US_PER_S     1000000
#define PATIENCE_MS  3000 /* with a sink at the end */
#define HOOK_WAIT_MS 500

enum { SINK_LEDGER, SINK_JOURNAL, SINK_FILE, SINK_HOOK, SINKS };

static struct {
	pthread_once_t once;
	struct ring ring;
	struct throttle throttle; /* under the ring's lock */
	bool open, ended_well, to_journal;
	struct ledger ledger;
	struct file_sink file;
	struct hook hook;
	uint64_t journal_last;
	struct sink sinks[SINKS];
	struct clock_watch watch;
} state = { .once = PTHREAD_ONCE_INIT };

static void init(void)
{
	ring_init(&state.ring);
}

static void lock(void)
{
	pthread_once(&state.once, init);
	pthread_mutex_lock(&state.ring.lock);
}

static void unlock(void)
{
	pthread_mutex_unlock(&state.ring.lock);
}

static int64_t clock_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * (int64_t)US_PER_S + now.tv_nsec / 1000;
}

/* --- under the lock --- */

/* Takes fields over. */
static void add(enum event_kind kind, json_t *fields)
{
	struct event_stamp stamp = { .number = state.ring.last + 1,
				     .wall_us = clock_us(CLOCK_REALTIME),
				     .monotonic_us = clock_us(CLOCK_MONOTONIC) };
	struct event_entry *event = event_new(kind, &stamp, fields);

	if (!event) {
		log_print(LOG_ERR, "out of memory: an event %s is lost", catalogue_row(kind)->name);
		return;
	}
	if (!state.to_journal)
		log_print(event->severity, "%s", event->text);
	ring_add(&state.ring, event);
}

static void add_left_out(int64_t now_s, bool all)
{
	struct throttle_place over;

	while (throttle_take(&state.throttle, now_s, all, &over)) {
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

/* --- telling --- */

void event_tell_fields(enum event_kind kind, const struct event_field *fields)
{
	int64_t now_s = clock_us(CLOCK_BOOTTIME) / US_PER_S;
	const char *name = catalogue_row(kind)->key;
	json_t *object = event_fields(kind, fields);
	char *key = name ? event_field_text(json_object_get(object, name)) : NULL;

	lock();
	add_left_out(now_s, false);
	if (throttle_allow(&state.throttle, kind, key, now_s))
		add(kind, object);
	else
		json_decref(object);
	unlock();
	free(key);
}

void events_tell_left_out(void)
{
	lock();
	add_left_out(clock_us(CLOCK_BOOTTIME) / US_PER_S, false);
	unlock();
}

/* --- reading --- */

struct event_entry *events_next(uint64_t after)
{
	struct event_entry *event;

	lock();
	event = ring_after(&state.ring, after);
	if (event && event->number > ring_shown(&state.ring))
		event = NULL;
	if (event)
		event_ref(event);
	unlock();
	return event;
}

uint64_t events_oldest(void)
{
	uint64_t number;

	lock();
	number = ring_oldest(&state.ring);
	if (number > ring_shown(&state.ring))
		number = 0;
	unlock();
	return number;
}

uint64_t events_newest(void)
{
	uint64_t newest, shown;

	lock();
	newest = ring_newest(&state.ring);
	shown = ring_shown(&state.ring);
	unlock();
	return newest < shown ? newest : shown;
}

/* --- life --- */

static void take_old(void *ring, struct event_entry *event)
{
	ring_add(ring, event);
}

static void tell_report(const struct ledger_report *report)
{
	if (report->bad)
		event_tell(EVENT_EVENTS_DAMAGED, EV_TEXT("file", report->file),
			   EV_NUMBER("lines", report->bad), EV_NUMBER("line", report->line),
			   EV_FLAG("cut", report->cut), EV_FLAG("kept", report->kept));
	for (size_t i = 0; i < report->gap_count; i++)
		event_tell(EVENT_EVENTS_MISSING, EV_NUMBER("first", (int64_t)report->gaps[i].first),
			   EV_NUMBER("last", (int64_t)report->gaps[i].last),
			   EV_FLAG("at_end", report->gaps[i].at_end));
}

static void start_sink(int which, struct sink sink)
{
	int error;

	sink.ring = &state.ring;
	sink.cursor = state.ring.last;
	state.sinks[which] = sink;
	error = sink_start(&state.sinks[which]);
	if (error)
		log_print(LOG_ERR, "events: no thread to write to %s: %s", sink.name, strerror(-error));
}

static void start_sinks(bool ledger)
{
	if (ledger) {
		state.ring.gated = true;
		state.ring.on_disk = state.ring.last;
		start_sink(SINK_LEDGER, (struct sink){ .name = state.ledger.dir,
						       .gate = true,
						       .write = ledger_write,
						       .written_not = ledger_mark,
						       .arg = &state.ledger });
	}
	if (log_is_journal()) {
		state.to_journal = true;
		start_sink(SINK_JOURNAL, (struct sink){ .name = "the journal",
							.write = journal_write,
							.arg = &state.journal_last });
	}
	file_sink_init(&state.file);
	start_sink(SINK_FILE,
		   (struct sink){ .name = "events.file", .write = file_sink_write, .arg = &state.file });
	hook_init(&state.hook);
	start_sink(SINK_HOOK, (struct sink){ .name = "the hook",
					     .most = HOOK_WAITING_MOST,
					     .wants = hook_wants,
					     .write = hook_call,
					     .left_out = hook_left_out,
					     .arg = &state.hook });
}

void events_open(const char *dir)
{
	struct ledger_report report = { .ended = true };
	int error = 0;

	lock();
	unlock();
	if (dir) {
		error = ledger_open(&state.ledger, dir, take_old, &state.ring, &report);
		if (report.last > state.ring.last)
			state.ring.last = report.last;
	}
	if (error)
		log_print(LOG_ERR, "events: cannot keep them in %s: %s", dir,
			  error == -EBUSY ? "another daemon does" : strerror(-error));
	state.ended_well = report.ended;
	state.open = true;
	start_sinks(dir && !error);
	tell_report(&report);
}

bool events_ended_well(void)
{
	return state.ended_well;
}

void events_configure(const struct events_settings *settings)
{
	file_sink_set(&state.file, settings->file);
	hook_set(&state.hook, &settings->hook);
}

int events_attach(struct sd_event *event)
{
	return clock_watch_start(&state.watch, event, events_tell_left_out);
}

/* The ledger first, which the others wait for. */
void events_close(void)
{
	bool ended[SINKS];

	if (!state.open)
		return;
	clock_watch_stop(&state.watch);
	lock();
	add_left_out(clock_us(CLOCK_BOOTTIME) / US_PER_S, true);
	unlock();
	hook_leave(&state.hook);
	for (int i = 0; i < SINKS; i++)
		ended[i] = sink_stop(&state.sinks[i], i == SINK_HOOK ? HOOK_WAIT_MS : PATIENCE_MS);
	if (ended[SINK_LEDGER])
		ledger_close(&state.ledger);
	if (ended[SINK_FILE])
		file_sink_fini(&state.file);
	if (ended[SINK_HOOK])
		hook_fini(&state.hook);
	if (ended[SINK_LEDGER] && ended[SINK_JOURNAL] && ended[SINK_FILE] && ended[SINK_HOOK]) {
		lock();
		ring_clear(&state.ring);
		state.throttle = (struct throttle){ 0 };
		unlock();
	}
	state.open = state.to_journal = false;
}
