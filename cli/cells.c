// SPDX-License-Identifier: GPL-2.0-or-later
/* See cells.h. */
#include "cli/cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WIDEST 1024

int cells_init(struct cells *cells, int rows, int columns)
{
	size_t count = rows > 0 && columns > 0 ? (size_t)rows * (size_t)columns : 0;

	*cells = (struct cells){ 0 };
	cells->items = calloc(count ? count : 1, sizeof(*cells->items));
	if (!cells->items)
		return -ENOMEM;
	cells->rows = count ? rows : 0;
	cells->columns = count ? columns : 0;
	for (size_t i = 0; i < count; i++)
		cells->items[i].character = L' ';
	return 0;
}

void cells_fini(struct cells *cells)
{
	free(cells->items);
	*cells = (struct cells){ 0 };
}

/* How many characters; those that are broken or not one cell wide become '?'. */
static int decode(const char *text, wchar_t characters[WIDEST])
{
	size_t left = strlen(text);
	mbstate_t state = { 0 };
	int count = 0;

	while (left && count < WIDEST) {
		size_t length = mbrtowc(&characters[count], text, left, &state);

		if (length == (size_t)-1 || length == (size_t)-2 || length == 0) {
			memset(&state, 0, sizeof(state));
			characters[count] = L'?';
			length = 1;
		} else if (wcwidth(characters[count]) != 1) {
			characters[count] = L'?';
		}
		text += length;
		left -= length;
		count++;
	}
	return count;
}

static int put(struct cells *cells, int row, int column, int width, enum tint tint, const wchar_t *characters,
	       int count)
{
	int taken = 0;

	if (row < 0 || row >= cells->rows || column < 0)
		return 0;
	for (; taken < count && taken < width && column + taken < cells->columns; taken++)
		cells->items[row * cells->columns + column + taken] =
			(struct cell){ characters[taken], tint };
	return taken;
}

int cells_print(struct cells *cells, int row, int column, int width, enum tint tint, const char *text)
{
	wchar_t characters[WIDEST];

	return put(cells, row, column, width, tint, characters, decode(text, characters));
}

void cells_print_right(struct cells *cells, int row, int column, int width, enum tint tint, const char *text)
{
	wchar_t characters[WIDEST];
	int count = decode(text, characters), gap = count < width ? width - count : 0;

	put(cells, row, column + gap, width - gap, tint, characters, count);
}
