// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers, durations and words as people read them. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/format.h"

#define DURATION_MAX_S (10LL * 366 * 86400)

#define WORD_MAX 32

const char *format_count(char buffer[FORMAT_SIZE], int64_t count)
{
	char digits[FORMAT_SIZE];
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, count);
	size_t sign = count < 0, out = 0;

	for (size_t i = 0; i < length; i++) {
		if (i > sign && (length - i) % 3 == 0)
			buffer[out++] = ',';
		buffer[out++] = digits[i];
	}
	buffer[out] = '\0';
	return buffer;
}

const char *format_duration(char buffer[FORMAT_SIZE], int64_t seconds)
{
	static const struct {
		int64_t unit_s, part_s;
		char unit, part;
	} rows[] = {
		{ 86400, 3600, 'd', 'h' },
		{ 3600, 60, 'h', 'm' },
		{ 60, 1, 'm', 's' },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (seconds < rows[i].unit_s)
			continue;
		snprintf(buffer, FORMAT_SIZE, "%" PRId64 "%c %02" PRId64 "%c", seconds / rows[i].unit_s,
			 rows[i].unit, seconds % rows[i].unit_s / rows[i].part_s, rows[i].part);
		return buffer;
	}
	snprintf(buffer, FORMAT_SIZE, "%" PRId64 "s", seconds);
	return buffer;
}

char *format_wrap(const char *text, size_t width)
{
	char *lines = strdup(text);
	size_t line = 0, blank = 0; /* where the line began; after the last blank in it */

	if (!lines || !width)
		return lines;
	for (size_t i = 0; lines[i]; i++) {
		if (lines[i] == ' ')
			blank = i + 1;
		if (i - line < width || blank <= line)
			continue;
		lines[blank - 1] = '\n';
		line = blank;
	}
	return lines;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t format_distance(const char *from, const char *to)
{
	size_t cost[WORD_MAX + 1][WORD_MAX + 1];
	size_t rows = strlen(from), columns = strlen(to);

	if (rows > WORD_MAX || columns > WORD_MAX)
		return SIZE_MAX;
	for (size_t i = 0; i <= rows; i++)
		cost[i][0] = i;
	for (size_t j = 0; j <= columns; j++)
		cost[0][j] = j;
	for (size_t i = 1; i <= rows; i++) {
		for (size_t j = 1; j <= columns; j++) {
			bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];

			cost[i][j] = least(least(cost[i - 1][j], cost[i][j - 1]) + 1,
					   cost[i - 1][j - 1] + (from[i - 1] != to[j - 1]));
			if (swapped)
				cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
		}
	}
	return cost[rows][columns];
}

/* Of samples [from, to); -1: none is known. */
static int64_t highest(const int64_t *samples, size_t from, size_t to)
{
	int64_t most = -1;

	for (size_t i = from; i < to; i++)
		if (samples[i] > most)
			most = samples[i];
	return most;
}

const char *format_sparkline(char *buffer, size_t width, const int64_t *samples, size_t count, bool utf8,
			     int64_t *peak)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const marks[] = { ".", ".", ":", ":", "|", "|", "#", "#" };
	size_t cells = count < width ? count : width;
	char *end = buffer;

	*buffer = '\0';
	*peak = highest(samples, 0, count);
	for (size_t i = 0; i < cells; i++) {
		int64_t most = highest(samples, i * count / cells, (i + 1) * count / cells);
		/* what is not zero shows */
		int64_t level = *peak > 0 ? (most * 7 + *peak - 1) / *peak : 0;

		end = stpcpy(end, most < 0 ? " " : (utf8 ? blocks : marks)[level]);
	}
	return buffer;
}

long long format_parse_duration(const char *text)
{
	static const struct {
		char letter;
		long long seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 } };
	long long sum = 0;

	if (!*text)
		return -1;
	while (*text) {
		size_t digits = strspn(text, "0123456789"), unit = 0;
		long long value;

		if (!digits || digits > 9)
			return -1;
		value = atoll(text);
		text += digits;
		while (*text && unit < sizeof(units) / sizeof(*units) && units[unit].letter != *text)
			unit++;
		if (unit == sizeof(units) / sizeof(*units))
			return -1;
		sum += value * units[unit].seconds;
		text += *text != '\0';
	}
	return sum > 0 && sum <= DURATION_MAX_S ? sum : -1;
}
