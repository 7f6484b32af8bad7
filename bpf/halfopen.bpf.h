/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Half-open handshakes that we answered without keeping state, by source address and prefix: a sketch of what
 * was begun and one of what was completed (a cookie's first acceptance), in windows of time that follow each
 * other by the kernel's clock alone. An estimate spans the window and the one before it.
 * Sources whose estimate stands out are kept in a small table, in which the heavier displaces the lighter:
 * forged ones, each new, can push nobody out of it.
 */
#ifndef SYNMOAT_HALFOPEN_BPF_H
#define SYNMOAT_HALFOPEN_BPF_H

#include "limit.bpf.h"
#include "sketch.bpf.h"

/* Services and all together have counts of their own, exact. */
static __always_inline __u64 half_open_of_service(__u32 slot, __u32 window, __u64 add)
{
	struct sketch_cell *cell = bpf_map_lookup_elem(&service_half_opens, &slot);

	return cell ? cell_count(cell, window, add) : 0;
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

/* HOW: the level, from bit 8 on how much a SYN counts, from bit 16 on whether its source is on the allow
 * list. */
#define HOW_WEIGHT_SHIFT  8
#define HOW_ALLOWED_SHIFT 16

/*
 * A level at which a SYN that is about to be answered stands out, or that is of services: is it one too many?
 * Global, so that it is verified once.
 */
__noinline __weak int half_open_judge(const struct packet *p, const struct runtime *rt, __u32 slot, __u32 how)
{
	__u32 level = how & 0xff, weight = how >> HOW_WEIGHT_SHIFT & 0xff, packets;
	const struct limits *l;
	const struct limit *limit;
	bool over, dropped;
	__u64 counts;

	barrier_var(level);
	if (!p || !rt || level >= LEVEL_COUNT)
		return false;
	l = limits_live(rt, slot);
	if (!l)
		return false;
	limit = &l->limit[KIND_HALF_OPEN][level];
	if (level >= LEVEL_SERVICE && limit->action == LIMIT_OFF)
		return false;
	counts = level < SKETCH_LEVELS ? source_count(p, level, rt)
				       : half_open_of_service(level == LEVEL_SERVICE ? slot : SERVICE_NONE,
							      window_now(rt), SKETCH_BEGUN);
	packets = limit_packets(rt, level, weight);
	over = !(how >> HOW_ALLOWED_SHIFT) && half_open_over(limit, counts, level, rt);
	dropped = over && limit_outcome_of(limit->action, bpf_get_prandom_u32()) == LIMIT_DROPPED;
	if (over)
		limit_count(KIND_HALF_OPEN, level, slot, dropped, packets);
	if (dropped && rt->limits_mode != POLICY_ENFORCE) {
		count_would_all(slot, half_open_verdict(level), packets);
		dropped = false;
	}
	if (level < SKETCH_LEVELS) {
		if (over && rt->limits_mode == POLICY_ENFORCE)
			limited_note(p, rt);
		heavy_note(p, rt, level, dropped ? HEAVY_DROPPED | 1 << HEAVY_PACKETS_SHIFT : 0,
			   source_half_open(counts));
	}
	return dropped;
}

/* What was dropped at LEVEL has begun nowhere; but of what is sampled others were answered. */
static __always_inline void half_open_undo(const struct packet *p, __u32 window, __u32 slot, __u32 level,
					   __u32 weight)
{
	if (level >= LEVEL_SERVICE)
		half_open_of_service(slot, window, -SKETCH_BEGUN);
	if (level == LEVEL_TOTAL)
		half_open_of_service(SERVICE_NONE, window, -SKETCH_BEGUN);
	if (weight != 1)
		return;
	begun_add(p->v6, window, -SKETCH_BEGUN);
#pragma unroll
	for (__u32 each = 0; each < SKETCH_LEVELS; each++)
		if (each <= level && !(each == LEVEL_SITE && !p->v6))
			source_add(p, each, window, -SKETCH_BEGUN);
}

static __always_inline bool half_open_wanted(const struct runtime *rt, __u32 weight)
{
	return rt->accounting && limit_wanted(rt, KIND_HALF_OPEN, weight);
}

/*
 * A SYN is about to be answered, and half_open_wanted(). HOW: without a level; its weight is sample_weight().
 * Returns 0, or half_open_dropped() of it is the verdict in the answer's place, and then nothing was counted
 * as begun. Global, so that it is verified once.
 */
__noinline __weak __u32 half_open_begin(const struct packet *p, const struct runtime *rt, __u32 slot,
					__u32 how)
{
	__u32 weight = how >> HOW_WEIGHT_SHIFT & 0xff, window;

	if (!p || !rt)
		return 0;
	window = window_now(rt);
	if (weight)
		begun_add(p->v6, window, SKETCH_BEGUN * weight);
#pragma unroll
	for (__u32 level = 0; level < LEVEL_COUNT; level++) {
		if (level < SKETCH_LEVELS) {
			if (!weight || (level == LEVEL_SITE && !p->v6) ||
			    source_half_open(source_add(p, level, window, SKETCH_BEGUN * weight)) <=
				    rt->heavy_from[level])
				continue;
		} else if (!limit_wide(rt, KIND_HALF_OPEN)) {
			break;
		}
		if (!half_open_judge(p, rt, slot, how | level))
			continue;
		half_open_undo(p, window, slot, level, weight);
		return half_open_verdict(level) - DROP_HALF_OPEN_SOURCE + 1;
	}
	return 0;
}

static __always_inline __u32 half_open_how(__u32 weight, bool allowed)
{
	return weight << HOW_WEIGHT_SHIFT | (__u32)allowed << HOW_ALLOWED_SHIFT;
}

_Static_assert(DROP_HALF_OPEN_TOTAL - DROP_HALF_OPEN_SOURCE == 3, "half_open_begin() numbers the verdicts");

/* Of what half_open_begin() returned; an unknown number, so that the verifier follows one way, not four. */
static __always_inline enum verdict half_open_dropped(__u32 begun)
{
	return (enum verdict)(DROP_HALF_OPEN_SOURCE - 1 + (begun & 7));
}

/* A cookie has made its connection. */
__noinline __weak int half_open_complete(const struct packet *p, const struct runtime *rt, __u32 slot)
{
	__u32 window;

	if (!p || !rt || !rt->accounting)
		return 0;
	window = window_now(rt);
#pragma unroll
	for (__u32 level = 0; level < SKETCH_LEVELS; level++)
		if (!(level == LEVEL_SITE && !p->v6))
			source_add(p, level, window, SKETCH_COMPLETED);
	if (limit_wide(rt, KIND_HALF_OPEN)) {
		half_open_of_service(slot, window, SKETCH_COMPLETED);
		half_open_of_service(SERVICE_NONE, window, SKETCH_COMPLETED);
	}
	return 0;
}

#endif
