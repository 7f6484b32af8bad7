/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keeps what a client sends before its server has answered, at most STASH_WINDOW bytes, so that the first
 * byte is as fast as without us. A slot belongs to whoever has set its owner; two slots may serve a
 * connection. What finds no slot is dropped, and the client sends it again.
 */
#ifndef SYNMOAT_STASH_BPF_H
#define SYNMOAT_STASH_BPF_H

#include "connection.bpf.h"
#include "synack.bpf.h"

#define STASH_KEPT_S 12

static __always_inline struct stash *stash_get(__u32 index)
{
	return bpf_map_lookup_elem(&stashes, &index);
}

static __always_inline bool stash_claim(struct stash *s, __u32 owner, const struct runtime *rt)
{
	__u32 before = s->owner, now = connection_clock();

	if (before && (__s32)(now - s->seen) <= (__s32)(STASH_KEPT_S * rt->jiffies_hz >> CONNECTION_SHIFT))
		return false;
	if (__sync_val_compare_and_swap(&s->owner, before, owner) != before)
		return false;
	s->seen = now;
	s->length = 0;
	s->sum = 0;
	return true;
}

static __always_inline void stash_release(struct stash *s, __u32 owner)
{
	__sync_val_compare_and_swap(&s->owner, owner, 0);
}

/* A length of 1 to LIMIT, in a register whose bounds every verifier sees: before Linux 6.13 only of what was
 * compared. */
static __always_inline bool stash_bound(__u32 *length, __u32 limit)
{
	__u32 last = *length - 1;

	barrier_var(last);
	if (last >= limit)
		return false;
	barrier_var(last);
	*length = last + 1;
	return true;
}

/* Appends p's payload; its checksum must have been right. */
static __always_inline bool stash_append(struct xdp_md *ctx, const struct packet *p, struct stash *s)
{
	__u32 length = p->payload, at = s->length, l4 = p->l4, doff = p->doff;
	int sum;

	if (!length || length > STASH_WINDOW || at > STASH_WINDOW || at + length > STASH_WINDOW ||
	    l4 > L4_MAX)
		return false;
	sum = segment_sum(ctx, l4 + doff, length);
	if (sum < 0)
		return false;
	/* in steps, as the verifier does not see that at + length stays below the limit */
	if (at == 0) {
		if (!stash_bound(&length, STASH_WINDOW) ||
		    bpf_xdp_load_bytes(ctx, l4 + doff, s->data, length))
			return false;
	} else {
		const __u32 room = STASH_WINDOW / 2;

		barrier_var(at);
		if (at > room || !stash_bound(&length, room))
			return false;
		barrier_var(at);
		if (bpf_xdp_load_bytes(ctx, l4 + doff, s->data + at, length))
			return false;
	}
	s->sum += at & 1 ? (sum >> 8 | sum << 8) & 0xffff : sum;
	s->length = at + length;
	return true;
}

/* The data of a third ACK, or the first after it. */
static __always_inline void stash_begin(struct xdp_md *ctx, const struct packet *p, struct connection *c,
					__u64 hash, const struct runtime *rt)
{
	for (int way = 0; way < 2; way++) {
		__u32 index = hash >> (way ? 32 : 0) & (STASHES - 1);
		struct stash *s = stash_get(index);

		if (!s || !c->our_isn || !stash_claim(s, c->our_isn, rt))
			continue;
		if (!stash_append(ctx, p, s)) {
			stash_release(s, c->our_isn);
			return;
		}
		c->stash = index;
		connection_set(c, CONNECTION_STASHED);
		return;
	}
}

static __always_inline void stash_forget(const struct connection *c)
{
	struct stash *s = stash_get(c->stash);

	if (s)
		stash_release(s, c->our_isn);
}

/* More early data; false: they do not follow what is there. */
static __always_inline bool stash_more(struct xdp_md *ctx, const struct packet *p, const struct connection *c)
{
	struct stash *s = stash_get(c->stash);

	return s && s->owner == c->our_isn && p->seq == c->client_isn + 1 + s->length &&
	       stash_append(ctx, p, s);
}

#endif
