/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of tracked flows: found by tuple, expired by a timer wheel, counted by the states of both ends.
 * Memory is reserved for flows_max at once but touched only as flows come; when it is full, no more are added
 * and none is pushed out. Knows no time but what it is told.
 */
#ifndef SYNMOAT_TRACKER_FLOWTABLE_H
#define SYNMOAT_TRACKER_FLOWTABLE_H

#include "daemon/tracker/flow.h"

struct flowtable;

#define FLOWTABLE_TICKS_PER_S 4

/* 0 or -ENOMEM. */
int flowtable_new(struct flowtable **table, uint32_t flows_max, uint32_t now_ticks);
void flowtable_free(struct flowtable *table);

/* Addresses as v4-mapped where the tuple is not v6. */
struct flow *flowtable_find(const struct flowtable *table, const struct tuple *tuple);

/* All zero but for its tuple; not counted before flowtable_count. NULL: full. The tuple must not be in it. */
struct flow *flowtable_add(struct flowtable *table, const struct tuple *tuple);
void flowtable_remove(struct flowtable *table, struct flow *flow);
void flowtable_tuple(const struct flowtable *table, const struct flow *flow, struct tuple *tuple);

/* Expires then; an earlier due time gives way to this one. */
void flowtable_arm(struct flowtable *table, struct flow *flow, uint32_t due_ticks);

/* How long until it expires; 0: at once. */
uint32_t flowtable_due_ms(const struct flowtable *table, const struct flow *flow);

/* Hands over flows that are due, unlinked from the wheel: fn arms or removes each. At most max, the rest at
 * the next call. Returns how many. */
typedef void flowtable_fn(struct flowtable *table, struct flow *flow, void *arg);
uint32_t flowtable_expire(struct flowtable *table, uint32_t now_ticks, flowtable_fn *fn, void *arg,
			  uint32_t max);

/* fn may remove the flow that it is given, and no other. */
void flowtable_each(struct flowtable *table, flowtable_fn *fn, void *arg);

/* Likewise in slices of max places; *cursor is 0 at first. False: that was all. What is added between two
 * slices may be left out. */
bool flowtable_walk(struct flowtable *table, uint32_t *cursor, uint32_t max, flowtable_fn *fn, void *arg);

uint32_t flowtable_size(const struct flowtable *table);
uint32_t flowtable_max(const struct flowtable *table);

/* How many flows have these states; move tells of a change, with the states of before. */
uint32_t flowtable_pairs(const struct flowtable *table, enum tcp_state client, enum tcp_state server);
void flowtable_moved(struct flowtable *table, const struct flow *flow, const uint8_t before[ENDPOINTS]);
void flowtable_count(struct flowtable *table, const struct flow *flow);

#endif
