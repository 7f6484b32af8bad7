/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A screen as a table of characters, each with a tint: what a layout writes into and a terminal is drawn
 * from.
 */
#ifndef SYNMOAT_CLI_CELLS_H
#define SYNMOAT_CLI_CELLS_H

#include <stdbool.h>
#include <wchar.h>

#include "cli/render.h"

struct cell {
	wchar_t character;
	enum tint tint;
};

struct cells {
	int rows, columns;
	struct cell *items; /* row by row */
};

/* All blank. 0 or -ENOMEM. */
int cells_init(struct cells *cells, int rows, int columns);
void cells_fini(struct cells *cells);

/* Text of the locale's encoding, clipped to width cells and to the screen; what takes no single cell is '?'.
 * Returns how many cells it took. */
int cells_print(struct cells *cells, int row, int column, int width, enum tint tint, const char *text);
/* The same, ending where width ends. */
void cells_print_right(struct cells *cells, int row, int column, int width, enum tint tint, const char *text);

#endif
