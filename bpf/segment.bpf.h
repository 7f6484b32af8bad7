/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes a TCP segment of our own over a frame: the frame's Ethernet header and tags, a fresh IP header
 * without options or extension headers, a TCP header, and room for a payload.
 */
#ifndef SYNMOAT_SEGMENT_BPF_H
#define SYNMOAT_SEGMENT_BPF_H

#include "maps.bpf.h"
#include "packet.bpf.h"
#include "synack.bpf.h"
#include "workspace.bpf.h"

/* Grows at the head, as a frame from a veth has no room behind it; for a payload at the tail, as a copy for a
 * devmap has a page to itself. */
static __always_inline bool segment_resize(struct xdp_md *ctx, __u32 size, bool at_head)
{
	__u32 had = bpf_xdp_get_buff_len(ctx);

	if (size > had && at_head)
		return !bpf_xdp_adjust_head(ctx, (int)had - (int)size);
	return size == had || !bpf_xdp_adjust_tail(ctx, (int)size - (int)had);
}

static __always_inline __u64 segment_ip4(const struct packet *p, const struct segment *s, __be32 *w,
					 __u32 length)
{
	w[0] = bpf_htonl(0x45000000 | (sizeof(struct iphdr) + length));
	w[1] = bpf_htonl(0x4000); /* don't fragment */
	w[2] = bpf_htonl(SYNACK_TTL << 24 | IPPROTO_TCP << 16);
	w[3] = s->reply ? p->daddr[0] : p->saddr[0];
	w[4] = s->reply ? p->saddr[0] : p->daddr[0];
	((struct iphdr *)w)->check = ~checksum_fold((__u64)w[0] + w[1] + w[2] + w[3] + w[4]);
	return (__u64)w[3] + w[4];
}

static __always_inline __u64 segment_ip6(const struct packet *p, const struct segment *s, __be32 *w,
					 __u32 length)
{
	__u64 sum = 0;

	w[0] = bpf_htonl(6 << 28);
	w[1] = bpf_htonl(length << 16 | IPPROTO_TCP << 8 | SYNACK_TTL);
#pragma unroll
	for (int i = 0; i < 4; i++) {
		w[2 + i] = s->reply ? p->daddr[i] : p->saddr[i];
		w[6 + i] = s->reply ? p->saddr[i] : p->daddr[i];
		sum += (__u64)w[2 + i] + w[6 + i];
	}
	return sum;
}

/* SUM: of the addresses. */
static __always_inline void segment_tcp(const struct packet *p, const struct segment *s, __be32 *w, __u64 sum)
{
	__u32 length = TCP_MIN + s->words * 4;

	w[0] = s->reply ? p->dest | (__u32)p->source << 16 : p->source | (__u32)p->dest << 16;
	w[1] = bpf_htonl(s->seq);
	w[2] = bpf_htonl(s->ack);
	w[3] = bpf_htonl(length / 4 << 28 | (__u32)s->flags << 16 | s->window);
	sum += bpf_htons(IPPROTO_TCP) + bpf_htons(length + s->payload) + s->payload_sum;
	sum += (__u64)w[0] + w[1] + w[2] + w[3];
#pragma unroll
	for (__u32 i = 0; i < SEGMENT_OPTIONS; i++) {
		w[5 + i] = i < s->words ? s->options[i] : 0;
		sum += w[5 + i];
	}
	w[4] = (__u16)~checksum_fold(sum); /* and the urgent pointer, 0 */
}

/* Writes w->segment. Not 0: it could not be written (no room). Global, so that it is verified once. */
__noinline __weak int segment_put(struct xdp_md *ctx, const struct packet *p)
{
	struct workspace *w = workspace_get();
	__u32 l3, length, header;
	struct segment *s;

	if (!p || !w)
		return -1;
	s = &w->segment;
	l3 = p->l3;
	length = TCP_MIN + s->words * 4;
	header = p->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	if (l3 < sizeof(struct ethhdr) || s->words > SEGMENT_OPTIONS)
		return -1;
	barrier_var(l3); /* bounds one at a time, or the verifier sees their difference only */
	barrier_var(length);
	if (l3 > L3_MAX || length > sizeof(w->tcp))
		return -1;
	barrier_var(length);
	if (length < TCP_MIN)
		return -1;
	if (bpf_xdp_load_bytes(ctx, 0, w->link, l3) ||
	    !segment_resize(ctx, l3 + header + length + s->payload, !s->payload))
		return -1;
	if (s->reply)
		swap_macs((struct ethhdr *)w->link);
	if (bpf_xdp_store_bytes(ctx, 0, w->link, l3))
		return -1;
	if (p->v6) {
		segment_tcp(p, s, w->tcp, segment_ip6(p, s, w->ip6, length + s->payload));
		if (bpf_xdp_store_bytes(ctx, l3, w->ip6, sizeof(w->ip6)))
			return -1;
	} else {
		segment_tcp(p, s, w->tcp, segment_ip4(p, s, w->ip4, length + s->payload));
		if (bpf_xdp_store_bytes(ctx, l3, w->ip4, sizeof(w->ip4)))
			return -1;
	}
	return bpf_xdp_store_bytes(ctx, l3 + header, w->tcp, length);
}

static __always_inline bool segment_write(struct xdp_md *ctx, const struct packet *p)
{
	return !segment_put(ctx, p);
}

#endif
