/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events to the journal: MESSAGE_ID of the kind, PRIORITY, MESSAGE, SYNMOAT_EVENT, SYNMOAT_NUMBER,
 * SYNMOAT_MONOTONIC_US, and SYNMOAT_<FIELD> for each field.
 */
#ifndef SYNMOAT_EVENTS_JOURNAL_H
#define SYNMOAT_EVENTS_JOURNAL_H

#include <stddef.h>

#include "daemon/events/event.h"

/* A sink's write; waits while journald does not take them. last: a uint64_t, the number that it has, 0 at
 * first. */
int journal_write(void *last, struct event_entry *const *events, size_t count);

#endif
