/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An event as NAME=VALUE texts, as the journal takes its fields and a hook its environment.
 */
#ifndef SYNMOAT_EVENTS_VARIABLES_H
#define SYNMOAT_EVENTS_VARIABLES_H

#include <stddef.h>

#include "daemon/events/event.h"

#define VARIABLES_MAX 48

struct variables {
	char *items[VARIABLES_MAX + 1]; /* ends in NULL */
	size_t count;
};

/* All zero at the beginning. Text in printf's form; what finds no room or no memory is left out. */
void variables_add(struct variables *variables, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* SYNMOAT_EVENT, SYNMOAT_NUMBER and so on, then SYNMOAT_<FIELD> of every field. */
void variables_add_event(struct variables *variables, const struct event_entry *event);

void variables_fini(struct variables *variables);

#endif
