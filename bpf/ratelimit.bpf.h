/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Token buckets and what is done with what is over them. Pure, and compiled for user space, too, so that
 * tests can set the clock: no map, no helper.
 *
 * A bucket is one word, the time at which it would be full again (GCRA, virtual scheduling; ITU-T I.371), so
 * that CPUs share it by atomics alone. Time is in jiffies, which stand still for milliseconds: who sets a
 * pace must let at least two jiffies' worth of tokens be saved (limit_pace() in the daemon does).
 *
 * An atomic waits for all that the packet has still to load, so a bucket that is nearly full does without: of
 * what two CPUs take within the same nanoseconds one may get lost. One that is at its limit is never so full,
 * as pace.ease is a jiffy less than what may be saved.
 */
#ifndef SYNMOAT_RATELIMIT_BPF_H
#define SYNMOAT_RATELIMIT_BPF_H

#include "abi.h"

/* Tokens beyond the tolerance: what CPUs may take, and give back, at once, and what is taken on credit. */
#define PACE_SLACK  (16 + SAMPLE_MOST)
#define THIN_ONE_IN 4 /* of what is over the limit goes on: a power of two */

enum limit_outcome {
	LIMIT_WITHIN,
	LIMIT_CHALLENGED, /* goes on, if it is ready to bring a cookie back */
	LIMIT_DROPPED,
};

/* Takes as many tokens as packets stand behind this one, the last of them on credit. False: there is none,
 * and nothing was taken. */
static __always_inline bool bucket_take_all(__u64 *full_at, const struct pace *pace, __u64 now, __u32 packets)
{
	__u64 seen = *(volatile __u64 *)full_at, interval = pace->interval * packets, taken;

	if (seen > now + pace->tolerance) {
		/* further off than this pace could ever put it: it was slower before a reload */
		if (seen > now + pace->tolerance + PACE_SLACK * pace->interval)
			__sync_val_compare_and_swap(full_at, seen, now + pace->tolerance);
		return false;
	}
	if ((__s64)(seen - now) < pace->ease) {
		*(volatile __u64 *)full_at = (seen < now ? now : seen) + interval;
		return true;
	}
	if (seen < now && __sync_val_compare_and_swap(full_at, seen, now + interval) == seen)
		return true;
	taken = __sync_fetch_and_add(full_at, interval);
	if (taken <= now + pace->tolerance)
		return true;
	__sync_fetch_and_add(full_at, -interval); /* another CPU was first */
	return false;
}

/* Takes one token. False: there is none, and nothing was taken. */
static __always_inline bool bucket_take(__u64 *full_at, const struct pace *pace, __u64 now)
{
	return bucket_take_all(full_at, pace, now, 1);
}

/* Over the limit of everyone? Then *b's extra tokens are for sources that are proven. */
static __always_inline bool limit_within(const struct limit *l, struct bucket *b, __u64 now, __u32 packets)
{
	return !l->base.interval || bucket_take_all(&b->base, &l->base, now, packets);
}

static __always_inline bool limit_within_extra(const struct limit *l, struct bucket *b, __u64 now,
					       __u32 packets)
{
	return l->extra.interval && bucket_take_all(&b->extra, &l->extra, now, packets);
}

/* What happens to what is over a limit; RANDOM: 32 bits. */
static __always_inline enum limit_outcome limit_outcome_of(__u32 action, __u32 random)
{
	if (action == LIMIT_DROP)
		return LIMIT_DROPPED;
	if (action == LIMIT_THIN)
		return random & (THIN_ONE_IN - 1) ? LIMIT_DROPPED : LIMIT_CHALLENGED;
	return action == LIMIT_CHALLENGE ? LIMIT_CHALLENGED : LIMIT_WITHIN;
}

#endif
