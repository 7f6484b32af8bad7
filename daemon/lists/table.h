/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store compiled for XDP (bpf/abi.h): whole tables aside, in slices; and the one that is in force changed
 * in place, word by word, so that no packet meets anything half made. Pure but for the pool's memory.
 */
#ifndef SYNMOAT_LISTS_TABLE_H
#define SYNMOAT_LISTS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/lists/pool.h"
#include "daemon/lists/store.h"

/* A step that is still to be made. */
struct table_task {
	uint32_t *word; /* where its word goes */
	uint32_t node, inherited;
	uint16_t step;
	uint8_t family, copies;
};

struct table_segment {
	uint32_t word, node, inherited; /* node: the word is that of a further step */
	uint16_t key;
};

struct table_builder {
	const struct store *store;
	struct pool *pool;
	enum store_view view;
	struct table_task *tasks;
	uint32_t task_count, task_room;
	struct table_segment *segments; /* of the step that is being made */
	uint32_t segment_count;
	int error;
	/* changing in place: words of the old step outside these keys are taken over */
	uint32_t old, keep_below, keep_above;
};

int table_builder_init(struct table_builder *b, const struct store *store, struct pool *pool,
		       enum store_view view);
void table_builder_fini(struct table_builder *b);

/*
 * A whole table: begin, then run until it returns 0 (1: there is more to do; negative errno: it failed, and
 * what was made is retired with table_drop). *root is set at once and may be published when all is done.
 */
int table_begin(struct table_builder *b, unsigned int family, uint32_t *root);
int table_run(struct table_builder *b, uint32_t steps);

/* Makes the table at *root, which may be in force, say what the store says of PREFIX. */
int table_refresh(struct table_builder *b, uint32_t *root, const struct prefix *prefix);

/* Retires all that a reference leads to. */
void table_drop(struct pool *pool, uint32_t root);

/* As XDP does it. */
uint32_t table_find(const struct pool *pool, uint32_t root, bool v6, const struct in6_addr *address);

#endif
