/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store compiled for XDP (bpf/abi.h): whole tables aside, in slices; and the one that is in force changed
 * in place, line by line, so that no packet meets anything half made. Pure but for the pool's memory.
 */
#ifndef SYNMOAT_LISTS_TABLE_H
#define SYNMOAT_LISTS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/lists/pool.h"
#include "daemon/lists/store.h"

#define TABLE_KEYS 65536U /* of the root */

/*
 * A line that is still to be made, for the addresses whose first bits these are. NODE is the topmost one
 * among them (0: none), INHERITED what covers them all from above.
 */
struct table_task {
	uint64_t high, low;
	uint32_t line, node, inherited;
	uint8_t bits;
};

/* What holds from a key on; node: not the word, but a line for the lower half. */
struct table_segment {
	uint64_t key;
	uint32_t word, node, inherited;
	uint8_t shift; /* alone: so large a block; otherwise TABLE_NOT_ALONE */
};

#define TABLE_SEGMENTS (2 * LIST_NARROW_KEYS + 2)

struct table_builder {
	const struct store *store;
	struct pool *pool;
	enum store_view view;
	unsigned int family;
	uint32_t root, key; /* of the table under construction; the root's next key */
	struct table_task *tasks;
	uint32_t task_count, task_room;
	struct table_segment segments[TABLE_SEGMENTS]; /* of the line that is being made */
	uint32_t segment_count;			       /* TABLE_SEGMENTS and one: too many */
	uint64_t last;				       /* value of that line's addresses */
	uint32_t *weights;			       /* of the lines among which an index is to choose */
	struct pool_stack plan;			       /* what is to be dropped */
	int error;
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

/* How much of the address space is left to the table under construction: of TABLE_LEFT_MAX, fewer and fewer.
 */
#define TABLE_LEFT_MAX ((uint64_t)TABLE_KEYS << 16)
uint64_t table_left(const struct table_builder *b);

/*
 * Makes the table at *root, which may be in force, say what the store says of PREFIX. -EFBIG, with the rest
 * unchanged: for that, more than NODES nodes of the store were to be looked at in one place.
 */
int table_refresh(struct table_builder *b, uint32_t *root, const struct prefix *prefix, uint32_t nodes);

/* Retires all that a root leads to, in steps: PLAN, empty at first, is what is left. */
int table_drop_begin(struct pool *pool, struct pool_stack *plan, uint32_t root, bool v6);
bool table_drop_run(struct pool *pool, struct pool_stack *plan, uint32_t steps);

/* As XDP does it. */
uint32_t table_find(const struct pool *pool, uint32_t root, bool v6, const struct in6_addr *address);

#endif
