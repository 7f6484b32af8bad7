// SPDX-License-Identifier: GPL-2.0-or-later
/* See findings.h. */
#include "daemon/doctor/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void findings_add(struct findings *f, enum severity severity, const char *check, const char *seen, ...)
{
	struct finding *items = reallocarray(f->items, f->count + 1, sizeof(*items)), *added;
	va_list arguments;

	if (!items) {
		f->failed = true;
		return;
	}
	f->items = items;
	added = &items[f->count++];
	memset(added, 0, sizeof(*added));
	added->severity = severity;
	added->check = check;
	va_start(arguments, seen);
	vsnprintf(added->seen, sizeof(added->seen), seen, arguments);
	va_end(arguments);
}

void findings_advise(struct findings *f, const char *advice, ...)
{
	struct finding *last = &f->items[f->count - 1];
	va_list arguments;

	if (f->failed || !f->count)
		return;
	va_start(arguments, advice);
	vsnprintf(last->advice, sizeof(last->advice), advice, arguments);
	va_end(arguments);
}

void findings_fini(struct findings *f)
{
	free(f->items);
	*f = (struct findings){ 0 };
}

const char *findings_severity_word(enum severity severity)
{
	switch (severity) {
	case SEVERITY_OK:
		return "ok";
	case SEVERITY_NOTE:
		return "note";
	case SEVERITY_WARNING:
		return "warning";
	case SEVERITY_CRITICAL:
		return "critical";
	}
	return "?";
}
