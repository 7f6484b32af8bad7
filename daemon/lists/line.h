/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries as lines of text, in what is kept and in the journal. Times are CLOCK_BOOTTIME, good as they are
 * within one boot; after another one, what has passed by the wall clock is taken off, and a clock that went
 * backwards takes off nothing.
 */
#ifndef SYNMOAT_LISTS_LINE_H
#define SYNMOAT_LISTS_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/lists/lists.h"

/* What the first line of a file says of the times in the others. */
struct line_head {
	int64_t now_s, passed_s; /* to be taken off of what is left at saved_s */
	int64_t saved_s;
	bool same_boot;
};

void line_print_head(FILE *out, int64_t now_s);
bool line_parse_head(const char *line, int64_t now_s, struct line_head *head);

/* KIND ORIGIN PREFIX EXPIRES ADDED REASON, and a newline; control characters become blanks. */
void line_print_entry(FILE *out, const struct lists_entry *entry);

/* Only manual and automatic ones. entry->reason points into line. */
bool line_parse_entry(const char *line, const struct line_head *head, struct lists_entry *entry);

#endif
