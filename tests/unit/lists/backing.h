/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists in plain memory, with nothing behind them that a packet would see.
 */
#ifndef SYNMOAT_TESTS_LISTS_BACKING_H
#define SYNMOAT_TESTS_LISTS_BACKING_H

#include <stdlib.h>

#include "daemon/lists/lists.h"

static unsigned int published; /* how often */

static void *chunk_new(void *arg, uint32_t id)
{
	(void)arg, (void)id;
	return calloc(LIST_CHUNK_LINES, sizeof(struct list_line));
}

static void chunk_free(void *arg, uint32_t id, void *chunk)
{
	(void)arg, (void)id;
	free(chunk);
}

static void publish(void *arg)
{
	(void)arg;
	published++;
}

static const struct lists_backing backing = {
	.pool = { .chunk_new = chunk_new, .chunk_free = chunk_free },
	.publish = publish,
};

#endif
