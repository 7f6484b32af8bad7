/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One event: made from fields, turned into its line of text and its line of JSON, and read back from the
 * latter. Knows no clock and no file; never changes once it is made.
 */
#ifndef SYNMOAT_EVENTS_EVENT_H
#define SYNMOAT_EVENTS_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/events/catalogue.h"

/* One named value; see the macros of events.h. */
struct event_field {
	const char *name; /* NULL ends a list of them */
	enum event_type type;
	union {
		const char *text;
		int64_t number; /* of a flag: 0 or 1 */
		double real;
		json_t *json;
	};
};

struct event_entry {
	uint64_t number;
	int kind; /* -1: of a daemon that knew others */
	int severity;
	int64_t wall_us, monotonic_us;
	const char *name;
	const char *text; /* one line, without its end */
	const char *line; /* the JSON, with its end */
	unsigned int references;
	char words[]; /* what these point to */
};

struct event_stamp {
	uint64_t number;
	int64_t wall_us, monotonic_us;
};

/* Takes the JSON of fields over, also on failure. Texts of more than 512 bytes are cut, what is not UTF-8 or
 * not printable becomes '?'. A field that the catalogue does not have is left out, and logged. NULL: no
 * memory. */
json_t *event_fields(enum event_kind kind, const struct event_field *fields);

/* Takes fields over. One reference; NULL: no memory. */
struct event_entry *event_new(enum event_kind kind, const struct event_stamp *stamp, json_t *fields);

/* A line as event_new made it, without its end; NULL: it is no such line. */
struct event_entry *event_parse(const char *line, size_t length);

/* From and to any thread. */
struct event_entry *event_ref(struct event_entry *event);
void event_unref(struct event_entry *event);

/* The object of its fields, read anew: thousands of events are kept, and few are asked for. The caller gives
 * it back; NULL: no memory. */
json_t *event_read_fields(const struct event_entry *event);

/* For others than root and the group: of its fields those that name no single addresses, and the text made of
 * them. The caller frees. */
json_t *event_public_fields(const struct event_entry *event, const json_t *fields);
char *event_public_text(const struct event_entry *event, const json_t *public_fields);

/* A field's value as text, for the journal, a hook's environment and the text; NULL: not told. The caller
 * frees. */
char *event_field_text(const json_t *value);

/* "2026-11-21T18:25:13.000123Z"; size: at least 32. */
const char *event_format_time(int64_t wall_us, char *buffer, size_t size);
/* -EINVAL: not such a time. */
int event_parse_time(const char *text, int64_t *wall_us);

#endif
