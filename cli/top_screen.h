/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal, through ncursesw: cells in, keys out. Gives the terminal back as it was, whatever ends us.
 */
#ifndef SYNMOAT_CLI_TOP_SCREEN_H
#define SYNMOAT_CLI_TOP_SCREEN_H

#include <stdbool.h>

#include "cli/cells.h"

enum screen_key {
	SCREEN_NOTHING = 0, /* nothing in time; a signal; another size of the terminal */
	/* characters are themselves */
	SCREEN_UP = 256,
	SCREEN_DOWN,
	SCREEN_PAGE_UP,
	SCREEN_PAGE_DOWN,
};

/* false: said why not (no terminal, one that curses does not know). */
bool screen_begin(enum color_choice color);
void screen_end(void);

void screen_size(int *rows, int *columns);
void screen_draw(const struct cells *cells);

/* Waits for one, at most so long. */
int screen_read_key(int wait_ms);

/* The signal that asks us to end; 0: none. */
int screen_signal(void);

#endif
