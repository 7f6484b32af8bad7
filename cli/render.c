// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables, colours, JSON, the screen. */
#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/format.h"
#include "cli/render.h"

#define COLUMNS_MAX 16
#define GAP	    2
#define WRAP_LEAST  20 /* narrower than this is not worth wrapping to */

struct table {
	struct render *render;
	const struct column *columns;
	size_t column_count;
	struct libscols_table *cells;
	struct libscols_line *line;
	size_t widest[COLUMNS_MAX];
	bool failed;
};

static const char *const escapes[] = {
	[TINT_NONE] = "",	   [TINT_GOOD] = "\033[32m", [TINT_WARN] = "\033[33m",
	[TINT_BAD] = "\033[1;31m", [TINT_HEAD] = "\033[1m",
};

static bool wants_color(enum color_choice choice, bool tty)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	if (choice != COLOR_AUTO)
		return choice == COLOR_ALWAYS;
	return tty && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static void measure_terminal(struct render *render)
{
	struct winsize size = { 0 };

	render->width = 80;
	render->height = 24;
	if (!render->tty || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return;
	if (size.ws_col)
		render->width = size.ws_col;
	if (size.ws_row)
		render->height = size.ws_row;
}

static int begin_text(struct render *render)
{
	render->text = NULL;
	render->length = 0;
	render->out = open_memstream(&render->text, &render->length);
	return render->out ? 0 : -ENOMEM;
}

int render_init(struct render *render, enum color_choice choice)
{
	*render = (struct render){ .tty = isatty(STDOUT_FILENO) };
	render->color = wants_color(choice, render->tty);
	measure_terminal(render);
	return begin_text(render);
}

void render_fini(struct render *render)
{
	if (render->out)
		fclose(render->out);
	free(render->text);
	*render = (struct render){ 0 };
}

/* Overwrites line by line and clears the rest, which does not flicker. */
static void redraw_screen(const struct render *render)
{
	const char *line = render->text, *end = render->text + render->length;

	fputs("\033[H", stdout);
	for (size_t row = 1; line < end && row < render->height; row++) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((stop ? stop : end) - line);

		fwrite(line, 1, length, stdout);
		fputs("\033[K\n", stdout);
		line += length + 1;
	}
	fputs("\033[J", stdout);
}

int render_flush(struct render *render, bool redraw)
{
	int error = fclose(render->out) ? -errno : 0;

	if (!error && redraw)
		redraw_screen(render);
	else if (!error)
		fwrite(render->text, 1, render->length, stdout);
	free(render->text);
	measure_terminal(render);
	if (!error && (fflush(stdout) || ferror(stdout)))
		error = errno ? -errno : -EIO;
	return begin_text(render) ? -ENOMEM : error;
}

void render_print(struct render *render, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(render->out, format, arguments);
	va_end(arguments);
}

void render_tinted(struct render *render, enum tint tint, const char *format, ...)
{
	bool tinted = render->color && tint != TINT_NONE;
	va_list arguments;

	if (tinted)
		fputs(escapes[tint], render->out);
	va_start(arguments, format);
	vfprintf(render->out, format, arguments);
	va_end(arguments);
	if (tinted)
		fputs("\033[0m", render->out);
}

void render_json(struct render *render, const json_t *value, bool one_line)
{
	json_dumpf(value, render->out, one_line ? JSON_COMPACT : JSON_INDENT(2));
	fputc('\n', render->out);
}

static int column_flags(const struct render *render, enum column_kind kind)
{
	switch (kind) {
	case COLUMN_LEFT:
		return 0;
	case COLUMN_RIGHT:
		return SCOLS_FL_RIGHT;
	case COLUMN_FOLD:
	case COLUMN_LINES:
	case COLUMN_WRAP:
		return render->tty ? SCOLS_FL_WRAP : 0;
	}
	return 0;
}

static bool add_column(struct table *table, const struct column *column)
{
	int flags = column_flags(table->render, column->kind);
	struct libscols_column *added = scols_table_new_column(table->cells, column->name, 0, flags);

	if (!added)
		return false;
	if (column->kind == COLUMN_WRAP || column->kind == COLUMN_LINES) {
		scols_column_set_wrapfunc(added, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
		scols_column_set_safechars(added, "\n");
	}
	return scols_cell_set_color(scols_column_get_header(added),
				    table->render->color ? "\033[1m" : NULL) == 0;
}

static bool set_up_cells(struct table *table)
{
	const struct render *render = table->render;

	table->cells = scols_new_table();
	if (!table->cells || scols_table_set_stream(table->cells, render->out) ||
	    scols_table_set_column_separator(table->cells, "  "))
		return false;
	scols_table_enable_colors(table->cells, render->color);
	scols_table_enable_noencoding(table->cells, 0);
	scols_table_set_termforce(table->cells, render->tty ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (render->tty)
		scols_table_set_termwidth(table->cells, render->width);
	for (size_t i = 0; i < table->column_count; i++)
		if (!add_column(table, &table->columns[i]))
			return false;
	return true;
}

struct table *render_table(struct render *render, const struct column *columns, size_t count)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->render = render;
	table->columns = columns;
	table->column_count = count < COLUMNS_MAX ? count : COLUMNS_MAX;
	for (size_t i = 0; i < table->column_count; i++)
		table->widest[i] = strlen(columns[i].name);
	table->failed = !set_up_cells(table);
	return table;
}

void render_row(struct table *table)
{
	if (!table || table->failed)
		return;
	table->line = scols_table_new_line(table->cells, NULL);
	table->failed = !table->line;
}

/* What the columns before this one leave of the terminal. */
static size_t width_left(const struct table *table, size_t column)
{
	size_t used = 0;

	for (size_t i = 0; i < column; i++)
		used += table->widest[i] + GAP;
	return used + WRAP_LEAST < table->render->width ? table->render->width - used - 1 : WRAP_LEAST;
}

void render_cell(struct table *table, size_t column, enum tint tint, const char *text)
{
	struct libscols_cell *cell;

	if (!table || table->failed)
		return;
	if (strlen(text) > table->widest[column])
		table->widest[column] = strlen(text);
	cell = scols_line_get_cell(table->line, column);
	table->failed = scols_line_set_data(table->line, column, text) ||
			(tint != TINT_NONE && scols_cell_set_color(cell, escapes[tint]));
}

/* Only now the widths of the other columns are known. */
static void wrap_last_column(struct table *table)
{
	size_t column = table->column_count - 1, width = width_left(table, column);
	struct libscols_line *line;

	if (table->columns[column].kind != COLUMN_WRAP || !table->render->tty)
		return;
	for (size_t i = 0; i < scols_table_get_nlines(table->cells); i++) {
		const char *text;
		char *wrapped;

		line = scols_table_get_line(table->cells, i);
		text = scols_cell_get_data(scols_line_get_cell(line, column));
		wrapped = text ? format_wrap(text, width) : NULL;
		if (wrapped && scols_line_refer_data(line, column, wrapped))
			free(wrapped);
	}
}

void render_table_print(struct table *table)
{
	if (!table)
		return;
	if (!table->failed && scols_table_get_nlines(table->cells)) {
		wrap_last_column(table);
		table->failed = scols_print_table(table->cells) != 0;
	}
	if (table->failed)
		render_print(table->render, "(out of memory)\n");
	scols_unref_table(table->cells);
	free(table);
}
