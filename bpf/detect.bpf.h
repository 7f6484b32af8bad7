/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the daemon needs to tell attacks apart, beside the counters: how many different sources a service's
 * SYNs have, and, while it asks for them, some of the SYNs themselves. And SYNs to addresses of services on
 * ports that nobody declared: how many different ones.
 */
#ifndef SYNMOAT_DETECT_BPF_H
#define SYNMOAT_DETECT_BPF_H

#include "maps.bpf.h"
#include "packet.bpf.h"
#include "reflection.bpf.h"
#include "sketch.bpf.h"

#define SALT_REGISTER 0xfc
#define FRAME_LEAST   14

/* No atomics: of two CPUs that meet the same register at once one may have to tell it again. */
static __always_inline void register_note(__u32 slot, __u64 hash)
{
	struct registers *r = bpf_map_lookup_elem(&source_registers, &slot);
	__u32 low = (__u32)hash | 1U << 31, *bit;

	if (!r)
		return;
	bit = &r->bit[hash >> (64 - REGISTER_BITS)];
	low &= -low;
	if (*bit < low)
		*bit = low;
}

static __always_inline void source_register(const struct packet *p, __u32 slot)
{
	register_note(slot, source_hash(p, p->v6 ? LEVEL_PREFIX : LEVEL_SOURCE, SALT_REGISTER));
}

/* Global, so that it is verified once. HOW: the service's slot, from bit 8 on the IP header's offset, from
 * bit 16 on whether it is IPv6; WEIGHT: SYNs that it stands for. */
__noinline __weak int sample_take(struct xdp_md *ctx, __u32 how, __u32 weight)
{
	__u32 zero = 0, length = bpf_xdp_get_buff_len(ctx), captured = length;
	struct sample_counters *c = bpf_map_lookup_elem(&sample_counts, &zero);
	struct sample *s;

	if (captured > SAMPLE_BYTES)
		captured = SAMPLE_BYTES;
	if (!c || captured < FRAME_LEAST)
		return 0;
	s = bpf_ringbuf_reserve(&samples, sizeof(*s), 0);
	if (!s) {
		c->lost++;
		return 0;
	}
	s->time_ns = bpf_ktime_get_ns();
	s->length = length;
	s->captured = captured;
	s->service = how & 0xff;
	s->stands_for = weight;
	s->l3 = how >> 8;
	s->v6 = how >> 16 & 1;
	s->pad[0] = s->pad[1] = 0;
	barrier_var(captured);
	if (captured < FRAME_LEAST || captured > SAMPLE_BYTES ||
	    bpf_xdp_load_bytes(ctx, 0, s->frame, captured)) {
		bpf_ringbuf_discard(s, BPF_RB_NO_WAKEUP);
		return 0;
	}
	bpf_ringbuf_submit(s, BPF_RB_NO_WAKEUP);
	c->taken++;
	return 0;
}

/*
 * NTH: which SYN of its service it is, on this CPU. Which of them are kept follows the golden ratio, so that
 * they lie evenly and no sender's own rhythm can hide between them.
 */
static __always_inline void sample_syn(struct xdp_md *ctx, const struct packet *p,
				       const struct service_state *st, __u32 slot, __u64 nth)
{
	__u32 every = st->sample;

	if (every && !((nth * 0x9e3779b97f4a7c15ULL) >> 32 & (every - 1)))
		sample_take(ctx, slot | p->l3 << 8 | (__u32)p->v6 << 16, every);
}

/* A SYN to no service: a destination that somebody tries. Global: verified once. */
__noinline __weak int scan_note(struct xdp_md *ctx, const struct packet *p)
{
	const struct service_state *st = service_state_get(SERVICE_NONE);
	const struct runtime *rt = runtime_live();
	__u64 hash;

	if (!p || !rt || !st || rt->bypass || !is_service_address(rt, p))
		return 0;
	hash = mix(table_key[0] ^ (__u64)SALT_REGISTER << 40, (__u64)p->daddr[0] << 32 | p->daddr[3]);
	hash = mix(hash ^ p->daddr[2], (__u64)p->daddr[1] << 32 | p->dest);
	register_note(SERVICE_NONE, mix(hash, table_key[1]));
	if (st->sample)
		sample_syn(ctx, p, st, SERVICE_NONE, bpf_get_prandom_u32());
	return 0;
}

#endif
