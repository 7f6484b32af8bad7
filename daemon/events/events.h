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

#include <stddef.h>
#include <stdint.h>

#include "daemon/events/catalogue.h"
#include "daemon/events/event.h"

#define EVENTS_KEPT 4096 /* in memory */

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

/* The first event whose number is above AFTER, to be given back with event_unref(); NULL: there is none yet.
 */
struct event_entry *events_next(uint64_t after);

/* Of those that are kept; 0: none are. */
uint64_t events_oldest(void);
uint64_t events_newest(void);

#endif
