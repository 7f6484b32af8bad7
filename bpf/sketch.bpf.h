/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known of a source, at each level from its address to its widest prefix: its place, with a sketch of
 * the handshakes that it began and completed, and the table of heavy ones. All keyed, so that nobody outside
 * can aim at a place.
 */
#ifndef SYNMOAT_SKETCH_BPF_H
#define SYNMOAT_SKETCH_BPF_H

#include "flow.bpf.h"
#include "maps.bpf.h"
#include "packet.bpf.h"
#include "ratelimit.bpf.h"

#define SALT_ACCOUNT	0xff
#define SALT_GUESSER	0xfe
#define SALT_LIMITED	0xfd
#define SALT_CONNECTION 0xfc
#define PROVEN_LEAST	32 /* completed handshakes; and at least half of those begun */

/* Keyed. SALT tells uses apart. */
static __always_inline __u64 source_hash(const struct packet *p, __u32 level, __u32 salt)
{
	__u64 h = table_key[0] ^ ((__u64)salt << 8 | level) << 32;

	if (p->v6) {
		h = mix(h, (__u64)p->saddr[0] << 32 |
				   (level == LEVEL_SITE ? p->saddr[1] & bpf_htonl(0xffff0000) : p->saddr[1]));
		if (level == LEVEL_SOURCE)
			h = mix(h, (__u64)p->saddr[2] << 32 | p->saddr[3]);
	} else {
		h = mix(h, level == LEVEL_SOURCE ? p->saddr[0] : p->saddr[0] & bpf_htonl(0xffffff00));
	}
	return mix(h, table_key[1]);
}

static __always_inline struct account *account_find(const struct packet *p, __u32 level)
{
	__u32 index = source_hash(p, level, SALT_ACCOUNT) & (ACCOUNTS_OF(level) - 1);

	if (level != LEVEL_SOURCE)
		index += ACCOUNTS_OF(LEVEL_SOURCE);
	if (level == LEVEL_SITE)
		index += ACCOUNTS_OF(LEVEL_PREFIX);
	return bpf_map_lookup_elem(&accounts, &index);
}

/*
 * Both counts of a window in one word. Not atomic, as an atomic waits until all loads before it have come
 * from memory: what two CPUs add to one cell within the same nanoseconds may be counted once, which is far
 * less than the error of the sketch.
 */
static __always_inline bool cell_fits(__u64 half, __u64 add)
{
	if ((__s64)add < 0)
		return (half & SKETCH_MASK) >= -add;
	return (half & SKETCH_MASK) <= SKETCH_FULL &&
	       (half >> SKETCH_BITS & SKETCH_MASK) <= SKETCH_FULL; /* never carries into its neighbour */
}

/* Adds, and returns of the window and the one before: completed in the upper half, begun in the lower. */
static __always_inline __u64 cell_count(struct sketch_cell *cell, __u32 window, __u64 add)
{
	volatile __u64 *word = &cell->half[window & 1];
	__u64 now = *word, before = cell->half[~window & 1], epoch = window & 0xffff;

	if (now >> SKETCH_EPOCH_SHIFT != epoch)
		now = epoch << SKETCH_EPOCH_SHIFT;
	if (before >> SKETCH_EPOCH_SHIFT != ((window - 1) & 0xffff))
		before = 0;
	if (add && cell_fits(now, add)) {
		now += add;
		*word = now;
	}
	return ((now >> SKETCH_BITS & SKETCH_MASK) + (before >> SKETCH_BITS & SKETCH_MASK)) << 32 |
	       ((now & SKETCH_MASK) + (before & SKETCH_MASK));
}

static __always_inline __u32 window_now(const struct runtime *rt)
{
	return bpf_jiffies64() >> (rt->window_shift & 31);
}

/* As cell_count(). */
static __always_inline __u64 source_add(const struct packet *p, __u32 level, __u32 window, __u64 add)
{
	struct account *account = account_find(p, level);

	return account ? cell_count(&account->handshakes, window, add) : 0;
}

/* Likewise, without adding. Global, so that it is verified once. */
__noinline __weak __u64 source_count(const struct packet *p, __u32 level, const struct runtime *rt)
{
	return p && rt ? source_add(p, level, window_now(rt), 0) : 0;
}

static __always_inline void begun_add(bool v6, __u32 window, __u64 add)
{
	__u32 family = v6, half = window & 1;
	struct begun *b = bpf_map_lookup_elem(&begun_by_all, &family);

	if (!b)
		return;
	if (b->window[half] != window) {
		b->window[half] = window;
		b->count[half] = 0;
	}
	b->count[half] += add;
}

static __always_inline __u32 source_half_open(__u64 counts)
{
	__u32 begun = counts, completed = counts >> 32;

	return begun > completed ? begun - completed : 0;
}

/* With 98 % certainty an estimate is too high by at most this: 55 times the mean of all places (Markov's
 * inequality, as in Cormode and Muthukrishnan's count-min sketch with one row). */
static __always_inline __u32 source_error(__u32 level, const struct runtime *rt)
{
	return level < SKETCH_LEVELS ? rt->sketch_error[level] : 0;
}

/* Brings its cookies back. */
static __always_inline bool source_proven(__u64 counts, __u32 level, const struct runtime *rt)
{
	__u32 begun = counts, completed = counts >> 32, error = source_error(level, rt);

	begun = begun > error ? begun - error : 0;
	return completed >= PROVEN_LEAST && completed >= begun / 2;
}

/* --- those that send bad cookies: somebody may be guessing in their name --- */

static __always_inline struct guesser *guesser_of(const struct packet *p)
{
	__u32 index = source_hash(p, LEVEL_PREFIX, SALT_GUESSER) & (GUESSERS - 1);

	return bpf_map_lookup_elem(&guessers, &index);
}

/* An ACK without a valid cookie. */
static __always_inline void guess_note(const struct packet *p, const struct runtime *rt)
{
	struct pace pace = { .interval = ((__u64)rt->jiffies_hz << PACE_SHIFT) / GUESSES_A_SECOND };
	__u64 now = bpf_jiffies64();
	struct guesser *g = guesser_of(p);

	pace.tolerance = (GUESSES_A_SECOND - 1) * pace.interval;
	if (g && !bucket_take(&g->full_at, &pace, now << PACE_SHIFT) && g->empty != now)
		g->empty = now;
}

static __always_inline bool is_guessing(const struct packet *p, const struct runtime *rt)
{
	struct guesser *g = guesser_of(p);

	return g && g->empty && bpf_jiffies64() - g->empty <= (__u64)GUESSING_S * rt->jiffies_hz;
}

/* --- sampling --- */

static __always_inline __u32 *limited_of(const struct packet *p)
{
	__u32 index = source_hash(p, p->v6 ? LEVEL_SITE : LEVEL_PREFIX, SALT_LIMITED) & (LIMITED - 1);

	return bpf_map_lookup_elem(&limited_lately, &index);
}

/* A source met a limit: for the next second all SYNs of its widest prefix are looked at. */
static __always_inline void limited_note(const struct packet *p, const struct runtime *rt)
{
	__u32 now = (__u32)bpf_jiffies64() | 1, *since;

	if (rt->sample <= 1)
		return;
	since = limited_of(p);
	if (since && *since != now)
		*since = now;
}

/* How many SYNs this one, the NTH on its CPU, stands for before the limits and the sketch of its source. 0:
 * others do for it. A keyed hash chooses, so that nobody outside can tell which, for less than a random
 * number costs. */
static __always_inline __u32 sample_weight(const struct packet *p, const struct runtime *rt, __u64 nth)
{
	__u32 *since;

	if (rt->sample <= 1)
		return 1;
	if (rt->limits_mode == POLICY_ENFORCE) {
		since = limited_of(p);
		if (since && *since && (__u32)bpf_jiffies64() - *since + 1 <= rt->jiffies_hz)
			return 1;
	}
	return mix(mix(table_key[1], nth), table_key[0]) & (rt->sample - 1) ? 0 : rt->sample & 0xff;
}

/* --- the heavy ones --- */

/* The lightest of the set, or one that has not been seen for two windows; NULL: all are heavier. */
static __always_inline struct heavy *heavy_victim(struct heavy_set *set, __u32 weight, __u32 now)
{
	struct heavy *victim = NULL;

#pragma clang loop unroll(disable)
	for (int i = 0; i < HEAVY_WAYS; i++) {
		struct heavy *h = &set->way[i];
		__u32 its = now - h->seen > HEAVY_STALE ? 0 : h->weight;

		if (its < weight) {
			weight = its;
			victim = h;
		}
	}
	return victim;
}

static __always_inline void heavy_fill(struct heavy *h, const struct packet *p, __u32 level)
{
	h->over = h->dropped = h->acts = 0;
	barrier(); /* whoever reads the new address reads no acts of the old one */
	h->level = level;
	h->v6 = p->v6;
	h->address[0] = p->saddr[0];
	h->address[1] = p->v6 ? p->saddr[1] : 0;
	h->address[2] = p->v6 ? p->saddr[2] : 0;
	h->address[3] = p->v6 ? p->saddr[3] : 0;
}

/* Begins to count anew a minute after the first, so that all that stands there is of one minute. */
static __always_inline void heavy_act(struct heavy *h, __u32 now, const struct runtime *rt)
{
	if (!h->acts || now - h->acts_since > (__u64)ACTS_WITHIN_S * rt->jiffies_hz >> HEAVY_SHIFT) {
		h->acts = 0;
		h->acts_since = now;
	}
	__sync_fetch_and_add(&h->acts, 1);
}

/* Global, so that it is verified once. OUTCOME: of a limit that it met, or 0, and from bit 8 on by how many
 * packets; WEIGHT: its half-opens. */
#define HEAVY_PACKETS_SHIFT 8
__noinline __weak int heavy_note(const struct packet *p, const struct runtime *rt, __u32 level, __u32 outcome,
				 __u32 weight)
{
	struct heavy *h = NULL;
	struct heavy_set *set;
	__u32 index, now;
	__u64 tag, old;

	barrier_var(level);
	if (!p || !rt || level >= SKETCH_LEVELS)
		return 0;
	tag = source_hash(p, level, SALT_ACCOUNT) | 1;
	index = tag >> 40 & (HEAVY_SETS - 1);
	set = bpf_map_lookup_elem(&heavies, &index);
	if (!set)
		return 0;
	/* only now: a place less on the stack, of which Linux 6.1 has none to spare for xdp_outside */
	now = bpf_jiffies64() >> HEAVY_SHIFT;
#pragma clang loop unroll(disable)
	for (int i = 0; i < HEAVY_WAYS; i++)
		if (set->way[i].tag == tag)
			h = &set->way[i];
	if (!h) {
		h = heavy_victim(set, weight ? weight : 1, now);
		if (!h)
			return 0;
		old = h->tag;
		if (__sync_val_compare_and_swap(&h->tag, old, tag) != old)
			return 0; /* another CPU was first: next time */
		heavy_fill(h, p, level);
		h->weight = 0;
	}
	h->seen = now;
	if (outcome) {
		__sync_fetch_and_add(&h->over, outcome >> HEAVY_PACKETS_SHIFT);
		if (outcome & HEAVY_DROPPED)
			__sync_fetch_and_add(&h->dropped, outcome >> HEAVY_PACKETS_SHIFT);
		if (outcome & HEAVY_ACT)
			heavy_act(h, now, rt);
	}
	h->weight = weight;
	return 0;
}

#endif
