/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits on SYNs and on new connections: by source address, its prefixes, service, and in all. From narrow to
 * wide, and what is dropped at one level takes no token of the next, so that one heavy source does not use up
 * its service's.
 */
#ifndef SYNMOAT_LIMIT_BPF_H
#define SYNMOAT_LIMIT_BPF_H

#include "act.bpf.h"
#include "count.bpf.h"
#include "packet.bpf.h"
#include "ratelimit.bpf.h"
#include "sketch.bpf.h"

static __always_inline const struct limits *limits_live(const struct runtime *rt, __u32 slot)
{
	__u32 index = (rt->limits & 1) * SERVICE_SLOTS + slot;

	return bpf_map_lookup_elem(&limits, &index);
}

/* Slot 0: all services. */
static __always_inline struct bucket *limit_service_bucket(__u32 kind, __u32 level, __u32 service)
{
	__u32 index = kind * SERVICE_SLOTS + (level == LEVEL_SERVICE ? service : SERVICE_NONE);

	return bpf_map_lookup_elem(&service_buckets, &index);
}

static __always_inline void limit_count(__u32 kind, __u32 level, __u32 slot, bool dropped, __u32 packets)
{
	__u32 index = LIMIT_COUNT(kind, level, slot);
	struct limit_counters *c = bpf_map_lookup_elem(&limit_counts, &index);

	if (!c)
		return;
	c->over += packets;
	if (dropped)
		c->dropped += packets;
}

/* How many packets one that stands for WEIGHT tells of: where nothing is dropped, its whole share. */
static __always_inline __u32 limit_packets(const struct runtime *rt, __u32 level, __u32 weight)
{
	return rt->limits_mode == POLICY_ENFORCE || level >= LEVEL_SERVICE ? 1 : weight;
}

/* One level; goes on within it. B: NULL for services. */
static __always_inline enum limit_outcome limit_meet(const struct packet *p, const struct limit *l,
						     struct bucket *b, __u64 now, __u32 kind, __u32 level,
						     __u32 service, __u32 weight, const struct runtime *rt)
{
	__u32 tokens = level < LEVEL_SERVICE ? weight : 1;
	enum limit_outcome outcome;

	if (!tokens || l->action == LIMIT_OFF || (level == LEVEL_SITE && !p->v6))
		return LIMIT_WITHIN;
	if (level >= LEVEL_SERVICE)
		b = limit_service_bucket(kind, level, service);
	if (!b || limit_within(l, b, now, tokens))
		return LIMIT_WITHIN;
	if (level < SKETCH_LEVELS && rt->accounting && l->extra.interval &&
	    source_proven(source_count(p, level, rt), level, rt) && limit_within_extra(l, b, now, tokens))
		return LIMIT_WITHIN;
	outcome = limit_outcome_of(l->action, bpf_get_prandom_u32());
	limit_count(kind, level, service, outcome == LIMIT_DROPPED, limit_packets(rt, level, tokens));
	return outcome;
}

/* The buckets of a packet's source; LEVEL_SITE is of IPv6 only. */
struct limit_buckets {
	struct bucket *level[SKETCH_LEVELS];
};

/*
 * The outcome over all levels; above it, from bit 8 on, the level that was the first to drop, or challenge.
 * WEIGHT: for how many packets this one stands at its source's levels.
 */
#define LIMIT_LEVEL_SHIFT 8
static __always_inline __u32 limit_all(const struct packet *p, const struct limits *l,
				       const struct limit_buckets *b, enum limit_kind kind, __u32 service,
				       __u32 weight, const struct runtime *rt)
{
	__u64 now = bpf_jiffies64() << PACE_SHIFT;
	__u32 worst = LIMIT_WITHIN;

#pragma unroll
	for (__u32 level = 0; level < LEVEL_COUNT; level++) {
		enum limit_outcome outcome =
			limit_meet(p, &l->limit[kind][level], level < SKETCH_LEVELS ? b->level[level] : NULL,
				   now, kind, level, service, weight, rt);

		if (outcome == LIMIT_DROPPED)
			return outcome | level << LIMIT_LEVEL_SHIFT;
		if (outcome != LIMIT_WITHIN && worst == LIMIT_WITHIN)
			worst = outcome | level << LIMIT_LEVEL_SHIFT;
	}
	return worst;
}

static __always_inline enum verdict limit_verdict(__u32 level)
{
	switch (level) {
	case LEVEL_SOURCE:
		return DROP_RATE_SOURCE;
	case LEVEL_PREFIX:
	case LEVEL_SITE:
		return DROP_RATE_PREFIX;
	case LEVEL_SERVICE:
		return DROP_RATE_SERVICE;
	default:
		return DROP_RATE_TOTAL;
	}
}

/* A source that met a limit stands out. */
static __always_inline void limit_note(const struct packet *p, __u32 outcome, __u32 kind, __u32 weight,
				       const struct runtime *rt)
{
	bool act = kind == KIND_CONNECTION && rt->auto_block && !is_guessing(p, rt) && act_first(p, rt);
	__u32 level = outcome >> LIMIT_LEVEL_SHIFT;

	if (level < SKETCH_LEVELS && rt->limits_mode == POLICY_ENFORCE)
		limited_note(p, rt);
	if (level < SKETCH_LEVELS && rt->accounting)
		heavy_note(p, rt, level,
			   ((outcome & ((1 << LIMIT_LEVEL_SHIFT) - 1)) == LIMIT_DROPPED ? HEAVY_DROPPED
											: HEAVY_OVER) |
				   (act ? HEAVY_ACT : 0) |
				   limit_packets(rt, level, weight) << HEAVY_PACKETS_SHIFT,
			   source_half_open(source_count(p, level, rt)));
}

static __always_inline bool limits_apply(const struct runtime *rt, const struct service *s)
{
	return rt->limits_mode != POLICY_OFF && !rt->bypass && s->mode != MODE_OFF;
}

/* What limit_syn() found. */
#define LIMITED_CHALLENGE     1
#define LIMITED_VERDICT_SHIFT 1
#define LIMITED_WEIGHT_SHIFT  8

static __always_inline bool limited_challenge(__u32 limited)
{
	return limited & LIMITED_CHALLENGE;
}

/* In place of an answer; 0: none. */
static __always_inline enum verdict limited_verdict(__u32 limited)
{
	__u32 nth = limited >> LIMITED_VERDICT_SHIFT & 7;

	return nth ? (enum verdict)(DROP_RATE_SOURCE - 1 + nth) : (enum verdict)0;
}

_Static_assert(DROP_RATE_TOTAL - DROP_RATE_SOURCE == 3, "limited_verdict() numbers the verdicts of rates");

/* Have services, or all together, such limits? */
static __always_inline bool limit_wide(const struct runtime *rt, enum limit_kind kind)
{
	return rt->wide >> kind & 1;
}

/* Is there anything to do for a SYN of WEIGHT? */
static __always_inline bool limit_wanted(const struct runtime *rt, enum limit_kind kind, __u32 weight)
{
	return weight || limit_wide(rt, kind);
}

/* Reads all, so that each is on its way from memory before the first is needed. False: never. */
static __always_inline bool limit_find_accounts(const struct packet *p, struct limit_buckets *b)
{
#pragma unroll
	for (__u32 level = 0; level < SKETCH_LEVELS; level++) {
		struct account *account;

		if (level == LEVEL_SITE && !p->v6) {
			b->level[level] = b->level[LEVEL_PREFIX];
			break;
		}
		account = account_find(p, level);
		if (!account)
			return false;
		b->level[level] = &account->syns;
		*(volatile __u64 *)&account->syns.base;
	}
	return true;
}

static __always_inline bool limit_find_connections(const struct packet *p, struct limit_buckets *b)
{
#pragma unroll
	for (__u32 level = 0; level < SKETCH_LEVELS; level++) {
		__u32 index = source_hash(p, level, SALT_CONNECTION) & (CONNECTION_BUCKETS - 1);

		b->level[level] = bpf_map_lookup_elem(&connection_buckets, &index);
		if (!b->level[level])
			return false;
	}
	return true;
}

/*
 * A SYN to the service in SLOT, the NTH on this CPU. In monitor: what would have been is counted. Returns its
 * sample_weight(), what replaces its answer, and whether a cookie does, whatever the service's state.
 * APPLIES: limits do. Global, so that it is verified once.
 */
__noinline __weak __u32 limit_syn(const struct packet *p, const struct runtime *rt, __u32 slot, __u32 applies,
				  __u64 nth)
{
	__u32 outcome, level, weight, limited = 0;
	struct limit_buckets b = {};
	const struct limits *l;
	enum verdict verdict;

	if (!p || !rt)
		return 0;
	weight = sample_weight(p, rt, nth);
	if ((weight && !limit_find_accounts(p, &b)) || !applies || !limit_wanted(rt, KIND_SYN, weight))
		return weight << LIMITED_WEIGHT_SHIFT;
	l = limits_live(rt, slot);
	if (!l)
		return weight << LIMITED_WEIGHT_SHIFT;
	outcome = limit_all(p, l, &b, KIND_SYN, slot, weight, rt);
	if (outcome == LIMIT_WITHIN)
		return weight << LIMITED_WEIGHT_SHIFT;
	limit_note(p, outcome, KIND_SYN, weight, rt);
	level = outcome >> LIMIT_LEVEL_SHIFT;
	verdict = limit_verdict(level);
	outcome &= (1 << LIMIT_LEVEL_SHIFT) - 1;
	if (rt->limits_mode == POLICY_ENFORCE) {
		limited = LIMITED_CHALLENGE;
		if (outcome == LIMIT_DROPPED)
			limited |= (verdict - DROP_RATE_SOURCE + 1) << LIMITED_VERDICT_SHIFT;
	} else if (outcome == LIMIT_DROPPED) {
		count_would_all(slot, verdict, limit_packets(rt, level, weight));
	}
	return weight << LIMITED_WEIGHT_SHIFT | limited;
}

/* A cookie is about to make a connection. 0: it is one too many. Global, so that it is verified once. */
__noinline __weak int limit_connection(const struct packet *p, const struct runtime *rt, __u32 slot)
{
	struct limit_buckets b;
	const struct limits *l;
	__u32 outcome;

	if (!p || !rt || rt->limits_mode == POLICY_OFF || rt->bypass)
		return true;
	l = limits_live(rt, slot);
	if (!l || !limit_find_connections(p, &b))
		return true;
	outcome = limit_all(p, l, &b, KIND_CONNECTION, slot, 1, rt);
	if (outcome == LIMIT_WITHIN)
		return true;
	limit_note(p, outcome, KIND_CONNECTION, 1, rt);
	if ((outcome & ((1 << LIMIT_LEVEL_SHIFT) - 1)) != LIMIT_DROPPED)
		return true;
	if (rt->limits_mode == POLICY_ENFORCE)
		return false;
	count_would(slot, DROP_CONNECTIONS);
	return true;
}

#endif
