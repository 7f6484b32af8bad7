/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happened, told by any part of the daemon with one call, numbered without gaps, kept, and handed on.
 * One log a process, as daemon/log.h. Calls no other part of the daemon but log.h.
 *
 *   event_tell(EVENT_FLOW_KILLED, EV_TEXT("client", client), EV_TEXT("server", server), EV_TEXT("service",
 * name), EV_NUMBER("uid", uid), EV_NUMBER("pid", pid));
 *
 * The catalogue says which fields a kind has; those that do not apply are simply not told.
 */
#ifndef SYNMOAT_EVENTS_EVENTS_H
#define SYNMOAT_EVENTS_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/events/catalogue.h"
#include "daemon/events/event.h"
#include "daemon/events/hook.h"
#include "daemon/events/ring.h"

struct sd_event;

#define EVENTS_KEPT RING_SIZE /* in memory */

#define EV_TEXT(field, value) ((struct event_field){ .name = (field), .type = EVENT_TEXT, .text = (value) })
#define EV_NUMBER(field, value)                                                                              \
	((struct event_field){ .name = (field), .type = EVENT_NUMBER, .number = (value) })
#define EV_REAL(field, value) ((struct event_field){ .name = (field), .type = EVENT_REAL, .real = (value) })
#define EV_FLAG(field, value) ((struct event_field){ .name = (field), .type = EVENT_FLAG, .number = (value) })
/* Takes the json_t over; of an array of words the text shows the words. */
#define EV_JSON(field, value) ((struct event_field){ .name = (field), .type = EVENT_JSON, .json = (value) })

/* From any thread; never blocks. Beyond the allowance of its kind it is counted only. */
#define event_tell(kind, ...)                                                                                \
	event_tell_fields(kind, (const struct event_field[]){ __VA_ARGS__ __VA_OPT__(, ){ .name = NULL } })
void event_tell_fields(enum event_kind kind, const struct event_field *fields);

/* The first event whose number is above AFTER and that may be shown, to be given back with event_unref();
 * NULL: there is none yet. */
struct event_entry *events_next(uint64_t after);

/* Of those that are kept and may be shown; 0: none. */
uint64_t events_oldest(void);
uint64_t events_newest(void);

/* What the configuration says. */
struct events_settings {
	const char *file; /* NULL: none */
	struct hook_settings hook;
};

/*
 * Reads what DIR has of before, and goes on with the next number; tells what is missing or damaged. From then
 * on events are written there and elsewhere by threads; before, and when DIR cannot be written (which is
 * logged), they are only kept in memory and printed. dir: NULL: not kept.
 */
void events_open(const char *dir);
/* Whether the daemon before this one said that it stopped (or there was none). */
bool events_ended_well(void);
void events_configure(const struct events_settings *settings);

/* Looks after clocks, and tells what was left out, once a second. 0 or a negative errno. */
int events_attach(struct sd_event *event);

/* What the allowance of a kind left out, when its minute is over. */
void events_tell_left_out(void);

/* Writes what there is, but takes no longer than a few seconds. */
void events_close(void);

#endif
