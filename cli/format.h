/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers, durations and words as people read them. Pure functions.
 */
#ifndef SYNMOAT_CLI_FORMAT_H
#define SYNMOAT_CLI_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each returns buffer. 32 bytes hold any count or duration. */
#define FORMAT_SIZE 32
const char *format_count(char buffer[FORMAT_SIZE], int64_t count);	/* 1,234,567 */
const char *format_duration(char buffer[FORMAT_SIZE], int64_t seconds); /* 3d 04h, 2h 05m, 1m 09s, 7s */

/*
 * The last samples as one line of at most width characters, the highest of those behind each, negative ones
 * (not known) as blanks; *peak: the highest of all. utf8: in eighths of a line's height, else as . : | #
 * Returns buffer, which holds 3 * width + 1 bytes.
 */
const char *format_sparkline(char *buffer, size_t width, const int64_t *samples, size_t count, bool utf8,
			     int64_t *peak);

/* Breaks text into lines of at most width bytes at blanks where there are any; to be freed, NULL: no memory.
 */
char *format_wrap(const char *text, size_t width);

/* Seconds of "90", "10m", "2h", "7d", "1h30m", up to ten years; -1: no duration. */
long long format_parse_duration(const char *text);

/* Edits (insert, delete, replace, swap neighbours) from one word to the other; long words: SIZE_MAX. */
size_t format_distance(const char *from, const char *to);

#endif
