// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See variables.h.
 */
#include "daemon/events/variables.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_SIZE 64

void variables_add(struct variables *variables, const char *format, ...)
{
	char *text;
	va_list arguments;
	int length;

	if (variables->count == VARIABLES_MAX)
		return;
	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length >= 0)
		variables->items[variables->count++] = text;
}

static void add_field(struct variables *variables, const char *name, const json_t *value)
{
	char *text = event_field_text(value), upper[NAME_SIZE];
	size_t i = 0;

	for (; name[i] && i + 1 < sizeof(upper); i++)
		upper[i] = (char)toupper((unsigned char)name[i]);
	upper[i] = '\0';
	if (text)
		variables_add(variables, "SYNMOAT_%s=%s", upper, text);
	free(text);
}

void variables_add_event(struct variables *variables, const struct event_entry *event)
{
	json_t *fields = event_read_fields(event), *value;
	const char *name;

	variables_add(variables, "SYNMOAT_EVENT=%s", event->name);
	variables_add(variables, "SYNMOAT_NUMBER=%" PRIu64, event->number);
	variables_add(variables, "SYNMOAT_MONOTONIC_US=%" PRId64, event->monotonic_us);
	json_object_foreach(fields, name, value)
		add_field(variables, name, value);
	json_decref(fields);
}

void variables_fini(struct variables *variables)
{
	while (variables->count)
		free(variables->items[--variables->count]);
}
