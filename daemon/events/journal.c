// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See journal.h.
 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "daemon/events/journal.h"

#include <string.h>
#include <systemd/sd-journal.h>

#include "daemon/events/variables.h"

static int send_one(const struct event_entry *event)
{
	struct variables fields = { 0 };
	struct iovec parts[VARIABLES_MAX];
	int result;

	variables_add(&fields, "MESSAGE=%s", event->text);
	variables_add(&fields, "PRIORITY=%d", event->severity);
	if (event->kind >= 0)
		variables_add(&fields, "MESSAGE_ID=%s", catalogue_row((enum event_kind)event->kind)->id);
	variables_add(&fields, "SYSLOG_IDENTIFIER=synmoatd");
	variables_add_event(&fields, event);
	for (size_t i = 0; i < fields.count; i++)
		parts[i] = (struct iovec){ fields.items[i], strlen(fields.items[i]) };
	result = sd_journal_sendv(parts, (int)fields.count);
	variables_fini(&fields);
	return result;
}

int journal_write(void *arg, struct event_entry *const *events, size_t count)
{
	uint64_t *last = arg;

	for (size_t i = 0; i < count; i++) {
		int result = events[i]->number > *last ? send_one(events[i]) : 0;

		if (result < 0)
			return result;
		if (events[i]->number > *last)
			*last = events[i]->number;
	}
	return 0;
}
