/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where on a screen of any size each thing that top knows stands. Draws into cells; knows no terminal and
 * asks nobody.
 */
#ifndef SYNMOAT_CLI_TOP_LAYOUT_H
#define SYNMOAT_CLI_TOP_LAYOUT_H

#include <stdbool.h>
#include <time.h>

#include "cli/cells.h"
#include "cli/top_data.h"

enum top_page { TOP_OVERVIEW, TOP_SERVICES, TOP_VERDICTS, TOP_SOURCES, TOP_SYN_RECV, TOP_EVENTS, TOP_PAGES };
enum top_sort { TOP_SORT_RATE, TOP_SORT_PACKETS, TOP_SORT_NAME, TOP_SORTS }; /* of verdicts */

struct top_view {
	enum top_page page;
	enum top_sort sort;
	enum top_order order;
	bool paused, help;
	bool utf8; /* sparklines of blocks, not of . : | # */
	double interval_s;
	int scroll; /* rows of a page's table that are above the screen; the layout brings it into range */
	time_t now;
};

void top_layout_draw(struct cells *cells, const struct top_data *data, struct top_view *view);

#endif
