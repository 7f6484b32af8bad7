/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of a list as people publish them: an address or prefix, then perhaps a comment; Spamhaus DROP
 * (text and JSON), FireHOL netsets, plain lists. Pure.
 */
#ifndef SYNMOAT_LISTS_PARSE_H
#define SYNMOAT_LISTS_PARSE_H

#include <stddef.h>

#include "daemon/config/config.h"

enum parse_result { PARSE_NOTHING, PARSE_ENTRY, PARSE_BAD };

#define PARSE_LINE_MAX 1024 /* longer lines are bad */

/*
 * The line is changed. PARSE_ENTRY: *prefix and *reason (within the line, may be empty) are set. PARSE_BAD:
 * fault says what is wrong with it, and what would be right.
 */
enum parse_result parse_list_line(char *line, struct prefix *prefix, const char **reason, char *fault,
				  size_t fault_size);

#endif
