/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where output goes and how: tables (libsmartcols), coloured words, JSON, and a screen that is drawn again
 * and again. Knows nothing of what it shows.
 */
#ifndef SYNMOAT_CLI_RENDER_H
#define SYNMOAT_CLI_RENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum tint { TINT_NONE, TINT_GOOD, TINT_WARN, TINT_BAD, TINT_HEAD };

struct render {
	FILE *out; /* collects; render_flush brings it to stdout */
	char *text;
	size_t length;
	bool tty, color;
	size_t width, height; /* of the terminal */
};

enum column_kind {
	COLUMN_LEFT,
	COLUMN_RIGHT,
	COLUMN_FOLD,  /* goes on below itself when the terminal is narrow */
	COLUMN_LINES, /* on a terminal, its text may have line breaks */
	COLUMN_WRAP,  /* last: takes what width is left, on several lines */
};

struct column {
	const char *name;
	enum column_kind kind;
};

struct table;

/* 0 or -ENOMEM. */
int render_init(struct render *render, enum color_choice choice);
void render_fini(struct render *render);

/* Writes what was collected to stdout and begins anew; redraw: over the screen, as much as fits on it. */
int render_flush(struct render *render, bool redraw);

void render_print(struct render *render, const char *format, ...) __attribute__((format(printf, 2, 3)));
void render_tinted(struct render *render, enum tint tint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void render_json(struct render *render, const json_t *value, bool one_line);

/* Columns live as long as the table. render_table_print frees the table; an empty one prints nothing. */
struct table *render_table(struct render *render, const struct column *columns, size_t count);
void render_row(struct table *table);
void render_cell(struct table *table, size_t column, enum tint tint, const char *text);
void render_table_print(struct table *table);

#endif
