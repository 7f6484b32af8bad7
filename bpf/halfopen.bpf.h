/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Half-open handshakes that we answered without keeping state, by source address and prefix: a count-min
 * sketch of what was begun and one of what was completed (a cookie's first acceptance), in windows of time
 * that follow each other by the kernel's clock alone. An estimate spans the window and the one before it.
 * Sources whose estimate stands out are kept in a small table, in which the heavier displaces the lighter:
 * forged ones, each new, can push nobody out of it.
 */
#ifndef SYNMOAT_HALFOPEN_BPF_H
#define SYNMOAT_HALFOPEN_BPF_H

#include "limit.bpf.h"
#include "sketch.bpf.h"

/* Services and all together have counts of their own, exact. */
static __always_inline __u64 half_open_of_service(__u32 slot, __u64 add, const struct runtime *rt)
{
	struct sketch_cell *cell = bpf_map_lookup_elem(&service_half_opens, &slot);
	__u32 window = bpf_jiffies64() >> (rt->window_shift & 31);

	if (!cell)
		return 0;
	if (add)
		cell_add(cell, window, add);
	return cell_sum(cell, window);
}

static __always_inline __u64 half_open_add(const struct packet *p, __u32 level, __u32 slot, __u64 add,
					   const struct runtime *rt)
{
	if (level >= LEVEL_SERVICE)
		return half_open_of_service(level == LEVEL_SERVICE ? slot : SERVICE_NONE, add, rt);
	return source_count(p, level, add, rt);
}

/* What is over the limit beyond all doubt: the estimate less its error. */
static __always_inline bool half_open_over(const struct limit *l, __u64 counts, __u32 level,
					   const struct runtime *rt)
{
	__u64 most = l->most;

	if (l->action == LIMIT_OFF)
		return false;
	if (l->proven_most > most && source_proven(counts, level, rt))
		most = l->proven_most;
	return source_half_open(counts) > most + source_error(level, rt);
}

static __always_inline enum verdict half_open_verdict(__u32 level)
{
	switch (level) {
	case LEVEL_SOURCE:
		return DROP_HALF_OPEN_SOURCE;
	case LEVEL_PREFIX:
	case LEVEL_SITE:
		return DROP_HALF_OPEN_PREFIX;
	case LEVEL_SERVICE:
		return DROP_HALF_OPEN_SERVICE;
	default:
		return DROP_HALF_OPEN_TOTAL;
	}
}

/*
 * One level of a SYN that is about to be answered. HOW: the level, from bit 8 on how much it counts, from bit
 * 16 on whether its source is on the allow list. Global, so that it is verified once.
 */
#define HOW_WEIGHT_SHIFT  8
#define HOW_ALLOWED_SHIFT 16
#define LEVEL_HEAVY	  1 /* its source stands out */
#define LEVEL_OVER	  2 /* drop it */
__noinline __weak __u32 half_open_level(const struct packet *p, const struct runtime *rt, __u32 slot,
					__u32 how)
{
	__u32 level = how & 0xff, weight = how >> HOW_WEIGHT_SHIFT & 0xff, found = 0, packets;
	const struct limits *l;
	const struct limit *limit;
	enum limit_outcome outcome;
	__u64 counts;

	barrier_var(level);
	if (!p || !rt || level >= LEVEL_COUNT)
		return 0;
	l = limits_live(rt, slot);
	if (!l)
		return 0;
	limit = &l->limit[KIND_HALF_OPEN][level];
	counts = half_open_add(p, level, slot, level < LEVEL_SERVICE ? SKETCH_BEGUN * weight : SKETCH_BEGUN,
			       rt);
	if (level < SKETCH_LEVELS && source_half_open(counts) > rt->heavy_from[level])
		found = LEVEL_HEAVY;
	if (how >> HOW_ALLOWED_SHIFT || !half_open_over(limit, counts, level, rt))
		return found;
	if (level < SKETCH_LEVELS && rt->limits_mode == POLICY_ENFORCE)
		limited_note(p, rt);
	outcome = limit_outcome_of(limit->action, bpf_get_prandom_u32());
	packets = limit_packets(rt, level, weight);
	limit_count(KIND_HALF_OPEN, level, slot, outcome == LIMIT_DROPPED, packets);
	if (outcome != LIMIT_DROPPED)
		return found;
	if (rt->limits_mode == POLICY_ENFORCE)
		return found | LEVEL_OVER;
	count_would_all(slot, half_open_verdict(level), packets);
	return found;
}

/* It is not answered after all: it did not begin at LEVEL. */
static __always_inline void half_open_undo(const struct packet *p, const struct runtime *rt, __u32 slot,
					   __u32 level)
{
	half_open_add(p, level, slot, -SKETCH_BEGUN, rt);
}

static __always_inline bool half_open_wanted(const struct runtime *rt, __u32 weight)
{
	return rt->accounting && limit_wanted(rt, KIND_HALF_OPEN, weight);
}

/*
 * A SYN is about to be answered, and half_open_wanted(). Returns TX_SYNACK, or the verdict in its place, and
 * then nothing was counted as begun (but of what is sampled, of which others were answered). WEIGHT:
 * sample_weight().
 */
static __always_inline enum verdict half_open_begin(const struct packet *p, const struct runtime *rt,
						    __u32 slot, bool allowed, __u32 weight)
{
	const struct limits *l = limits_live(rt, slot);
	__u32 found;

	if (!l)
		return TX_SYNACK;
#pragma unroll
	for (__u32 level = 0; level < LEVEL_COUNT; level++) {
		if ((level == LEVEL_SITE && !p->v6) || (level < LEVEL_SERVICE && !weight) ||
		    (level >= LEVEL_SERVICE && l->limit[KIND_HALF_OPEN][level].action == LIMIT_OFF))
			continue;
		found = half_open_level(p, rt, slot,
					level | weight << HOW_WEIGHT_SHIFT |
						(__u32)allowed << HOW_ALLOWED_SHIFT);
		if (found && level < SKETCH_LEVELS)
			heavy_note(p, level,
				   found & LEVEL_OVER ? HEAVY_DROPPED | 1 << HEAVY_PACKETS_SHIFT : 0,
				   source_half_open(source_count(p, level, 0, rt)));
		if (!(found & LEVEL_OVER))
			continue;
		if (weight == 1)
			half_open_undo(p, rt, slot, level);
		return half_open_verdict(level);
	}
	return TX_SYNACK;
}

/* A cookie has made its connection. */
__noinline __weak int half_open_complete(const struct packet *p, const struct runtime *rt, __u32 slot)
{
	if (!p || !rt || !rt->accounting)
		return 0;
#pragma unroll
	for (__u32 level = 0; level < LEVEL_COUNT; level++)
		if (!(level == LEVEL_SITE && !p->v6))
			half_open_add(p, level, slot, SKETCH_COMPLETED, rt);
	return 0;
}

#endif
