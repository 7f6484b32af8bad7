// SPDX-License-Identifier: GPL-2.0-or-later
/* See event_methods.h. */
#include "daemon/control/event_methods.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/control/dispatch.h"
#include "daemon/control/protocol.h"
#include "daemon/events/events.h"

#define PART_SIZE  32768 /* of text; JSON may escape much of it once more, below MESSAGE_MAX */
#define FOLLOW_MS  250	 /* between looks for new events */
#define KINDS_SIZE 2048
#define LOOKED_AT  1024 /* events in one turn of the loop, when few fit */

/* What is asked for, and how far it has been answered. */
struct following {
	bool any_kind;
	bool kinds[EVENT_KINDS];
	int64_t since_us;
	uint64_t at;	 /* number looked at last */
	uint64_t missed; /* not told yet */
	bool follow;
};

/* --- what is asked for --- */

/* words: names of kinds, or patterns such as attack-*, with commas between them. False: one fits no kind. */
static bool parse_kinds(struct following *f, const char *words)
{
	char copy[KINDS_SIZE], *save;

	f->any_kind = !words;
	if (!words)
		return true;
	if (snprintf(copy, sizeof(copy), "%s", words) >= (int)sizeof(copy))
		return false;
	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		bool found = false;

		for (int kind = 0; kind < EVENT_KINDS; kind++)
			if (!fnmatch(word, catalogue_row((enum event_kind)kind)->name, 0))
				found = f->kinds[kind] = true;
		if (!found)
			return false;
	}
	return true;
}

static bool is_wanted(const struct following *f, const struct event_entry *event)
{
	return (f->any_kind || (event->kind >= 0 && f->kinds[event->kind])) && event->wall_us >= f->since_us;
}

/* The number before the first of the last COUNT wanted ones. */
static uint64_t before_last(const struct following *f, long long count)
{
	uint64_t *numbers = calloc((size_t)count, sizeof(*numbers)), at = f->at, first, wanted = 0;
	struct event_entry *event;

	if (!numbers)
		return f->at;
	for (; (event = events_next(at)); event_unref(event)) {
		if (is_wanted(f, event))
			numbers[wanted++ % (uint64_t)count] = event->number;
		at = event->number;
	}
	first = wanted > (uint64_t)count ? numbers[wanted % (uint64_t)count] - 1 : f->at;
	free(numbers);
	return first;
}

/* NULL: answered with what is wrong. */
static struct following *begin(struct request *request)
{
	struct following *f = calloc(1, sizeof(*f));
	long long last = request_integer(request, "last", -1);
	long long after = request_integer(request, "after", 0);
	const char *wrong = NULL;

	if (!f) {
		request_fail(request, ERROR_FAILED, NULL);
		return NULL;
	}
	f->since_us = request_integer(request, "since_us", INT64_MIN);
	f->follow = request_bool(request, "follow", false);
	f->at = (uint64_t)after;
	if (after < 0)
		wrong = "after";
	else if (last < -1 || last > EVENTS_KEPT)
		wrong = "last";
	else if (!parse_kinds(f, request_string(request, "kinds")))
		wrong = "kinds";
	if (wrong) {
		free(f);
		request_fail_parameter(request, wrong);
		return NULL;
	}
	if (last == 0)
		f->at = events_newest();
	else if (last > 0)
		f->at = before_last(f, last);
	request->progress->held = f;
	request->progress->release = free;
	return f;
}

/* --- parts --- */

static json_t *encode(const struct event_entry *event, bool whole)
{
	json_t *all = event_read_fields(event);
	json_t *fields = whole ? json_incref(all) : event_public_fields(event, all);
	char *text = whole ? NULL : event_public_text(event, fields), time[32];
	json_t *object =
		json_pack("{s:I,s:s,s:I,s:s,s:s,s:s,s:o,s:b}", "number", (json_int_t)event->number, "time",
			  event_format_time(event->wall_us, time, sizeof(time)), "monotonic_us",
			  (json_int_t)event->monotonic_us, "kind", event->name, "severity",
			  catalogue_severity_word(event->severity), "text", whole ? event->text : text,
			  "fields", fields, "whole", json_object_size(fields) == json_object_size(all));

	free(text);
	json_decref(all);
	return object;
}

/* Numbers that the ring has dropped since, which a slow client did not get. */
static void note_missed(struct following *f)
{
	uint64_t oldest = events_oldest();

	if (!f->at || oldest <= f->at + 1)
		return;
	f->missed += oldest - f->at - 1;
	f->at = oldest - 1;
}

/* *more: it did not all go into this part. */
static json_t *make_part(struct following *f, bool whole, bool *more)
{
	json_t *events = json_array(), *part;
	struct event_entry *event;
	size_t size = 0, looked_at = 0;

	note_missed(f);
	*more = false;
	for (; !*more && (event = events_next(f->at)); event_unref(event)) {
		*more = size + strlen(event->line) > PART_SIZE || ++looked_at > LOOKED_AT;
		if (*more)
			continue;
		f->at = event->number;
		if (!is_wanted(f, event))
			continue;
		size += strlen(event->line);
		json_array_append_new(events, encode(event, whole));
	}
	part = json_pack("{s:o,s:I}", "events", events, "missed", (json_int_t)f->missed);
	return part;
}

static bool is_empty(const struct following *f, const json_t *part)
{
	return !json_array_size(json_object_get(part, "events")) && !f->missed;
}

void event_methods_list(struct request *request)
{
	struct following *f = request->progress->held ? request->progress->held : begin(request);
	json_t *part;
	bool more;

	if (!f)
		return;
	part = make_part(f, request->caller->may_change, &more);
	if ((more || f->follow) && !request->more) {
		json_decref(part);
		request_fail(request, ERROR_EXPECTED_MORE, json_object());
		return;
	}
	if (!more && !f->follow) {
		request_reply(request, part);
		return;
	}
	if (request->progress->at && is_empty(f, part) && !more)
		json_decref(part);
	else
		request_part(request, part, 1);
	f->missed = 0;
	if (!more)
		request_pause(request, FOLLOW_MS);
}

/* --- kinds --- */

static json_t *encode_fields(enum event_kind kind)
{
	json_t *names = json_array();
	const char *word = catalogue_row(kind)->fields ? catalogue_row(kind)->fields : "";

	for (; *word; word += strspn(word, " ")) {
		json_array_append_new(names, json_stringn(word, strcspn(word, ":! ")));
		word += strcspn(word, " ");
	}
	return names;
}

void event_methods_kinds(struct request *request)
{
	json_t *kinds = json_array();

	for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++) {
		const struct event_row *row = catalogue_row(kind);

		json_array_append_new(kinds,
				      json_pack("{s:s,s:s,s:s,s:s,s:o}", "name", row->name, "severity",
						catalogue_severity_word(row->severity), "message_id", row->id,
						"text", row->text, "fields", encode_fields(kind)));
	}
	request_reply(request, json_pack("{s:o}", "kinds", kinds));
}
