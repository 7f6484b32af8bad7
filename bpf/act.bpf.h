/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Acts: connections over a limit, each with a valid cookie. A cookie counts once, however often its ACK is
 * sent: one bit for each that has counted, found by a keyed hash, is kept for longer than any cookie
 * validates. Of those that share a bit only the first counts, which spares somebody and punishes nobody.
 */
#ifndef SYNMOAT_ACT_BPF_H
#define SYNMOAT_ACT_BPF_H

#include "flow.bpf.h"
#include "maps.bpf.h"
#include "packet.bpf.h"

/*
 * Two generations, the even and the odd. A word: 63..48 the generation's number, 47..0 bits. A generation is
 * 16 windows of the sketch, 128 to 256 seconds.
 */
#define ACT_WORDS	     65536
#define ACT_BITS	     48
#define ACT_GENERATION_SHIFT 4

ARRAY_MAP(acts_met, 2 * ACT_WORDS, __u64, 0);

static __always_inline __u64 *act_word(__u64 hash, __u32 generation)
{
	__u32 index = (generation & 1) * ACT_WORDS + (hash & (ACT_WORDS - 1));

	return bpf_map_lookup_elem(&acts_met, &index);
}

static __always_inline bool act_is_of(__u64 word, __u32 generation)
{
	return word >> ACT_BITS == (generation & 0xffff);
}

/* The ACK p bears a valid cookie: is it the first act with it? Then it is remembered. */
static __always_inline bool act_first(const struct packet *p, const struct runtime *rt)
{
	__u32 generation = bpf_jiffies64() >> ((rt->window_shift & 31) + ACT_GENERATION_SHIFT);
	__u64 hash = mix(flow_hash(p), p->ack), old;
	__u64 bit = 1ULL << ((hash >> 48) * ACT_BITS >> 16);
	__u64 *before = act_word(hash, generation - 1), *word = act_word(hash, generation);

	if (!before || !word || (act_is_of(*before, generation - 1) && *before & bit))
		return false;
	old = *(volatile __u64 *)word;
	if (!act_is_of(old, generation) &&
	    __sync_val_compare_and_swap(word, old, (__u64)generation << ACT_BITS | bit) == old)
		return true;
	return !(__sync_fetch_and_or(word, bit) & bit);
}

#endif
