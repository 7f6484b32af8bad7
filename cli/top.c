// SPDX-License-Identifier: GPL-2.0-or-later
/* See top.h. */
#include "cli/top.h"

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/top_data.h"
#include "cli/top_layout.h"
#include "cli/top_screen.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define INTERVAL_S	  1.0
#define WAIT_MS		  200 /* for a key, at most: a signal that comes before the wait is seen after it */
#define PAGE_ROWS	  10

static const double intervals[] = { 0.5, 1, 2, 5, 10 };

static double clock_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The next one that is longer, or shorter; of the longest, the shortest. */
static double next_interval(double now_s, bool shorter)
{
	for (size_t i = 0; i < ARRAY_SIZE(intervals); i++) {
		size_t at = shorter ? ARRAY_SIZE(intervals) - 1 - i : i;

		if (shorter ? intervals[at] < now_s : intervals[at] > now_s)
			return intervals[at];
	}
	return shorter ? now_s : intervals[0];
}

/* false: end. */
static bool obey(struct top_view *view, int key)
{
	if (view->help && key) {
		view->help = false;
		return key != 'q';
	}
	switch (key) {
	case 'q':
		return false;
	case '?':
	case 'h':
		view->help = true;
		break;
	case 'p':
	case ' ':
		view->paused = !view->paused;
		break;
	case '\t':
	case 'v':
		view->page = (view->page + 1) % TOP_PAGES;
		view->scroll = 0;
		break;
	case 's':
		if (view->page == TOP_SOURCES)
			view->order = (view->order + 1) % TOP_ORDERS;
		else
			view->sort = (view->sort + 1) % TOP_SORTS;
		break;
	case 'i':
	case '+':
		view->interval_s = next_interval(view->interval_s, false);
		break;
	case '-':
		view->interval_s = next_interval(view->interval_s, true);
		break;
	case SCREEN_UP:
	case SCREEN_DOWN:
		view->scroll += key == SCREEN_DOWN ? 1 : -1;
		break;
	case SCREEN_PAGE_UP:
	case SCREEN_PAGE_DOWN:
		view->scroll += key == SCREEN_PAGE_DOWN ? PAGE_ROWS : -PAGE_ROWS;
		break;
	default:
		if (key >= '1' && key < '1' + TOP_PAGES) {
			view->page = (enum top_page)(key - '1');
			view->scroll = 0;
		}
	}
	return true;
}

/* Lays out for the terminal as large as it is now. */
static int draw(const struct top_data *data, struct top_view *view)
{
	struct cells cells;
	int rows, columns, error;

	screen_size(&rows, &columns);
	error = cells_init(&cells, rows, columns);
	if (error)
		return error;
	top_layout_draw(&cells, data, view);
	screen_draw(&cells);
	cells_fini(&cells);
	return 0;
}

static int wait_ms(double due_s)
{
	double left_ms = (due_s - clock_s()) * 1000;

	return left_ms <= 0 ? 0 : left_ms > WAIT_MS ? WAIT_MS : (int)left_ms + 1;
}

static int loop(struct top_data *data, struct top_view *view, const char *socket)
{
	double due_s = clock_s();
	bool goes_on = true;
	int error = 0;

	while (goes_on && !error && !screen_signal()) {
		enum top_order order = view->order;
		int key;

		if (clock_s() >= due_s && !view->paused) {
			top_data_look(data, socket, view->order);
			view->now = time(NULL);
			due_s = clock_s() + view->interval_s;
		}
		error = draw(data, view);
		key = screen_read_key(view->paused ? WAIT_MS : wait_ms(due_s));
		goes_on = obey(view, key);
		if (view->order != order || (key && clock_s() + view->interval_s < due_s))
			due_s = clock_s();
	}
	return error;
}

int run_top(char **arguments, const struct options *options)
{
	struct top_view view = { .interval_s = INTERVAL_S, .utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8") };
	struct top_data *data = calloc(1, sizeof(*data));
	int error;

	(void)arguments;
	if (options->every_s > 0)
		view.interval_s = options->every_s;
	if (!data || !screen_begin(options->color)) {
		free(data);
		return EXIT_FAILED;
	}
	error = loop(data, &view, options->socket);
	screen_end();
	top_data_fini(data);
	free(data);
	if (screen_signal()) {
		signal(screen_signal(), SIG_DFL);
		raise(screen_signal());
	}
	if (error)
		fprintf(stderr, "synmoat: %s\n", strerror(-error));
	return error ? EXIT_FAILED : EXIT_OK;
}
