/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ICMP errors from outside that quote a segment of a server: the quoted sequence number is the one that the
 * client would have seen, and the server takes an error for its own only by the number that it sent (RFC
 * 5927, section 4.1). Path MTU discovery needs it. The other way nothing is shifted.
 */
#ifndef SYNMOAT_ICMP_BPF_H
#define SYNMOAT_ICMP_BPF_H

#include "asked.bpf.h"
#include "connection.bpf.h"
#include "packet.bpf.h"
#include "translate.bpf.h"

struct icmp_header {
	__u8 type, code;
	__sum16 check;
	__be32 rest;
};

struct quoted_tcp {
	__be16 source, dest;
	__be32 seq;
};

struct icmp_quote4 {
	struct icmp_header icmp;
	struct iphdr ip;
	struct quoted_tcp tcp;
};

struct icmp_quote6 {
	struct icmp_header icmp;
	struct ipv6hdr ip;
	struct quoted_tcp tcp;
};

/* OFFSET: of the quoted sequence number in the frame, which lies at an even distance from the checksum. */
static __always_inline void icmp_rewrite(struct xdp_md *ctx, const struct packet *p, const struct tuple *key,
					 __sum16 check, __be32 seq, __u32 offset)
{
	struct connection *c = connection_find(key);
	__u64 sum = (__u16)~check;
	__be32 new;

	if (!c || !(c->flags & CONNECTION_ANSWERED))
		return;
	new = bpf_htonl(bpf_ntohl(seq) - c->delta);
	checksum_replace(&sum, seq, new);
	check = ~checksum_fold(sum);
	if (!bpf_xdp_store_bytes(ctx, offset, &new, sizeof(new)))
		bpf_xdp_store_bytes(ctx, p->l4 + __builtin_offsetof(struct icmp_header, check), &check,
				    sizeof(check));
}

static __always_inline int icmp_translate4(struct xdp_md *ctx, const struct packet *p)
{
	struct icmp_quote4 q;
	struct packet inner = {};
	struct tuple key;

	if (bpf_xdp_load_bytes(ctx, p->l4, &q, sizeof(q)))
		return 0;
	if ((q.icmp.type != 3 && q.icmp.type != 11 && q.icmp.type != 12) || q.ip.protocol != IPPROTO_TCP ||
	    q.ip.ihl != 5)
		return 0;
	inner.saddr[0] = q.ip.saddr;
	inner.daddr[0] = q.ip.daddr;
	inner.source = q.tcp.source;
	inner.dest = q.tcp.dest;
	connection_key(&inner, true, &key);
	icmp_rewrite(ctx, p, &key, q.icmp.check, q.tcp.seq,
		     p->l4 + __builtin_offsetof(struct icmp_quote4, tcp.seq));
	return 0;
}

static __always_inline int icmp_translate6(struct xdp_md *ctx, const struct packet *p)
{
	struct icmp_quote6 q;
	struct packet inner = {};
	struct tuple key;

	if (bpf_xdp_load_bytes(ctx, p->l4, &q, sizeof(q)))
		return 0;
	if (q.icmp.type < 1 || q.icmp.type > 4 || q.ip.nexthdr != IPPROTO_TCP)
		return 0;
	__builtin_memcpy(inner.saddr, q.ip.saddr, sizeof(inner.saddr));
	__builtin_memcpy(inner.daddr, q.ip.daddr, sizeof(inner.daddr));
	inner.source = q.tcp.source;
	inner.dest = q.tcp.dest;
	inner.v6 = true;
	connection_key(&inner, true, &key);
	icmp_rewrite(ctx, p, &key, q.icmp.check, q.tcp.seq,
		     p->l4 + __builtin_offsetof(struct icmp_quote6, tcp.seq));
	return 0;
}

/* Global, so that it is verified once, and has a stack frame of its own. */
__noinline __weak int icmp_translate(struct xdp_md *ctx, const struct packet *p)
{
	void *data = XDP_DATA(ctx), *data_end = XDP_DATA_END(ctx);
	__u32 l3;

	if (!p)
		return 0;
	l3 = p->l3;
	barrier_var(l3);
	if (l3 > L3_MAX || p->l4 > L4_MAX || data + l3 + sizeof(struct iphdr) > data_end)
		return 0;
	if (!p->v6)
		return ((struct iphdr *)(data + l3))->protocol == IPPROTO_ICMP ? icmp_translate4(ctx, p) : 0;
	return ((struct ipv6hdr *)(data + l3))->nexthdr == IPPROTO_ICMPV6 ? icmp_translate6(ctx, p) : 0;
}

#endif
