// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See event.h.
 */
#include "daemon/events/event.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "daemon/log.h"

#define TEXT_MOST 512
#define JSON_MOST 4096
#define US_PER_S  1000000

/* --- fields --- */

/* One line that a terminal shows as it is; text is changed. */
static void make_printable(char *text, bool ascii)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		if (*c < ' ' || *c == 127 || (ascii && *c > 127))
			*c = *c == '\n' || *c == '\t' ? ' ' : '?';
		else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) /* the upper control characters */
			c[0] = c[1] = '?';
	}
}

static json_t *text_value(const char *text)
{
	size_t length = strnlen(text ? text : "", TEXT_MOST);
	char copy[TEXT_MOST + 1];
	json_t *value;

	memcpy(copy, text ? text : "", length);
	while (length == TEXT_MOST && length && (copy[length - 1] & 0x80)) /* not within a character */
		length--;
	copy[length] = '\0';
	make_printable(copy, false);
	value = json_string(copy);
	if (!value) { /* not UTF-8 */
		make_printable(copy, true);
		value = json_string(copy);
	}
	return value;
}

/* Takes json over. */
static json_t *json_value(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	bool fits = text && strlen(text) <= JSON_MOST;

	free(text);
	if (fits)
		return json;
	json_decref(json);
	return json_string("(too long)");
}

static json_t *field_value(const struct event_field *field)
{
	switch (field->type) {
	case EVENT_TEXT:
		return text_value(field->text);
	case EVENT_NUMBER:
		return json_integer(field->number);
	case EVENT_REAL:
		return json_real(field->real);
	case EVENT_FLAG:
		return json_boolean(field->number);
	case EVENT_JSON:
		return field->json ? json_value(field->json) : NULL;
	}
	return NULL;
}

json_t *event_fields(enum event_kind kind, const struct event_field *fields)
{
	json_t *object = json_object();
	struct event_field_row row;

	for (; fields && fields->name; fields++) {
		json_t *value = field_value(fields);

		if (catalogue_field(kind, fields->name, &row) && row.type == fields->type) {
			if (value && object)
				json_object_set(object, fields->name, value);
		} else {
			log_print(LOG_ERR, "event %s: no field %s of this type in the catalogue",
				  catalogue_row(kind)->name, fields->name);
		}
		json_decref(value);
	}
	return object;
}

char *event_field_text(const json_t *value)
{
	char number[32];
	char *text;

	if (json_is_string(value))
		return strdup(json_string_value(value));
	if (json_is_real(value)) {
		snprintf(number, sizeof(number), "%.1f", json_real_value(value));
		return strdup(number);
	}
	if (json_is_array(value)) { /* of words: as one would write them */
		size_t length = 0;
		FILE *out = open_memstream(&text, &length);
		const json_t *item;

		if (!out)
			return NULL;
		for (size_t i = 0; i < json_array_size(value); i++) {
			char *one;

			item = json_array_get(value, i);
			one = event_field_text(item);
			fprintf(out, "%s%s", i ? ", " : "", one ? one : "");
			free(one);
		}
		return fclose(out) ? NULL : text;
	}
	return value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
}

/* --- the text --- */

/* Not empty; strictly: neither 0 nor false either. */
static bool is_told(const json_t *fields, const char *name, size_t length, bool strictly)
{
	const json_t *value = json_object_getn(fields, name, length);

	if (json_is_string(value))
		return *json_string_value(value);
	if (json_is_array(value))
		return json_array_size(value);
	if (!strictly)
		return value && !json_is_null(value);
	if (json_is_integer(value))
		return json_integer_value(value);
	return json_is_true(value) || (json_is_real(value) && json_real_value(value) != 0.0);
}

/* {name} or {name,} */
static size_t name_length(const char *name, const char *close)
{
	return (size_t)(close - name) - (close[-1] == ',');
}

static bool group_holds(const json_t *fields, const char *group, const char *end)
{
	for (const char *open = group; (open = memchr(open, '{', (size_t)(end - open)));) {
		const char *close = memchr(open, '}', (size_t)(end - open));
		bool strictly = open[1] == '?';
		const char *name = open + 1 + strictly;

		if (!close || !is_told(fields, name, name_length(name, close), strictly))
			return false;
		open = close;
	}
	return true;
}

/* 1234567 as 1,234,567. */
static char *group_digits(char *text)
{
	size_t length = strlen(text), at = 0;
	char *grouped = calloc(2, length + 1);

	for (size_t i = 0; grouped && i < length; i++) {
		if (i && (length - i) % 3 == 0 && text[i - 1] != '-')
			grouped[at++] = ',';
		grouped[at++] = text[i];
	}
	free(text);
	return grouped;
}

static void print_field(FILE *out, const json_t *fields, const char *name, const char *close)
{
	const json_t *value = json_object_getn(fields, name, name_length(name, close));
	char *text = event_field_text(value);

	if (text && close[-1] == ',' && json_is_integer(value))
		text = group_digits(text);

	if (text)
		make_printable(text, false);
	fputs(text ? text : "?", out);
	free(text);
}

static char *render(const char *template, const json_t *fields)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	for (const char *c = template; *c; c++) {
		const char *end = strchr(c, *c == '{' ? '}' : ']');

		if (*c == '[' && end && !group_holds(fields, c, end)) {
			c = end;
		} else if (*c == '{' && end) {
			if (c[1] != '?')
				print_field(out, fields, c + 1, end);
			c = end;
		} else if (*c != '[' && *c != ']') {
			fputc(*c, out);
		}
	}
	return fclose(out) ? NULL : text;
}

/* --- times --- */

const char *event_format_time(int64_t wall_us, char *buffer, size_t size)
{
	time_t seconds = wall_us / US_PER_S;
	struct tm tm;
	size_t length;

	gmtime_r(&seconds, &tm);
	length = strftime(buffer, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buffer + length, size - length, ".%06dZ", (int)(wall_us % US_PER_S));
	return buffer;
}

int event_parse_time(const char *text, int64_t *wall_us)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	unsigned int us;
	int length = 0;

	if (!rest || sscanf(rest, ".%6uZ%n", &us, &length) != 1 || length != 8 || rest[length])
		return -EINVAL;
	*wall_us = (int64_t)timegm(&tm) * US_PER_S + us;
	return 0;
}

/* --- life --- */

struct event_entry *event_ref(struct event_entry *event)
{
	__atomic_add_fetch(&event->references, 1, __ATOMIC_RELAXED);
	return event;
}

void event_unref(struct event_entry *event)
{
	if (!event || __atomic_sub_fetch(&event->references, 1, __ATOMIC_ACQ_REL))
		return;
	free(event);
}

/* head with words of its own, as one allocation. */
static struct event_entry *make_entry(const struct event_entry *head, const char *name, const char *text,
				      const char *line, size_t line_length)
{
	size_t name_size = strlen(name) + 1, text_size = strlen(text) + 1;
	struct event_entry *event = malloc(sizeof(*event) + name_size + text_size + line_length + 2);
	char *at;

	if (!event)
		return NULL;
	*event = *head;
	event->references = 1;
	at = event->words;
	event->name = memcpy(at, name, name_size);
	at += name_size;
	event->text = memcpy(at, text, text_size);
	at += text_size;
	event->line = memcpy(at, line, line_length);
	memcpy(at + line_length, "\n", 2);
	return event;
}

static char *make_line(const struct event_entry *head, const char *name, const char *text, json_t *fields)
{
	char time[32], *line;
	json_t *object = json_pack("{s:I,s:s,s:I,s:s,s:s,s:s,s:O}", "number", (json_int_t)head->number,
				   "time", event_format_time(head->wall_us, time, sizeof(time)),
				   "monotonic_us", (json_int_t)head->monotonic_us, "kind", name, "severity",
				   catalogue_severity_word(head->severity), "text", text, "fields", fields);

	line = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return line;
}

struct event_entry *event_new(enum event_kind kind, const struct event_stamp *stamp, json_t *fields)
{
	const struct event_row *row = catalogue_row(kind);
	struct event_entry head = { .number = stamp->number,
				    .kind = kind,
				    .severity = row->severity,
				    .wall_us = stamp->wall_us,
				    .monotonic_us = stamp->monotonic_us };
	char *text = fields ? render(row->text, fields) : NULL;
	char *line = text ? make_line(&head, row->name, text, fields) : NULL;
	struct event_entry *event = line ? make_entry(&head, row->name, text, line, strlen(line)) : NULL;

	free(line);
	free(text);
	json_decref(fields);
	return event;
}

struct event_entry *event_parse(const char *line, size_t length)
{
	json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL), *fields;
	const char *time, *name, *text, *severity;
	json_int_t number, monotonic_us;
	struct event_entry *event = NULL, head = { 0 };

	if (object &&
	    !json_unpack(object, "{s:I,s:s,s:I,s:s,s:s,s:s,s:o}", "number", &number, "time", &time,
			 "monotonic_us", &monotonic_us, "kind", &name, "severity", &severity, "text", &text,
			 "fields", &fields) &&
	    number > 0 && json_is_object(fields) && !event_parse_time(time, &head.wall_us)) {
		head.number = (uint64_t)number;
		head.monotonic_us = monotonic_us;
		head.kind = catalogue_find(name);
		head.severity = catalogue_find_severity(severity);
		event = make_entry(&head, name, text, line, length);
	}
	json_decref(object);
	return event;
}

json_t *event_read_fields(const struct event_entry *event)
{
	json_t *object = json_loads(event->line, 0, NULL);
	json_t *fields = json_incref(json_object_get(object, "fields"));

	json_decref(object);
	return fields;
}

/* --- for others --- */

json_t *event_public_fields(const struct event_entry *event, const json_t *fields)
{
	json_t *public = json_object(), *value;
	struct event_field_row row;
	const char *name;

	json_object_foreach((json_t *)fields, name, value)
		if (event->kind >= 0 && catalogue_field((enum event_kind)event->kind, name, &row) &&
		    !row.detail)
			json_object_set(public, name, value);
	return public;
}

/* A placeholder that stands alone, outside of [ ], says what was left out. */
char *event_public_text(const struct event_entry *event, const json_t *public_fields)
{
	return event->kind < 0 ? strdup(event->name)
			       : render(catalogue_row((enum event_kind)event->kind)->text, public_fields);
}
