/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Out through the other interface. As a bridge a frame keeps its MAC addresses, whatever it carries. As a
 * router the kernel's FIB says where to, once a second for each direction of a connection; what it has no
 * neighbour for, what is too big or at the end of its life, and what is not ours, is left to the kernel.
 */
#ifndef SYNMOAT_FORWARD_BPF_H
#define SYNMOAT_FORWARD_BPF_H

#include "maps.bpf.h"
#include "packet.bpf.h"
#include "workspace.bpf.h"

#define AF_INET	  2
#define AF_INET6  10
#define HOP_SHIFT 8 /* checked counts jiffies / 256 */

/* Asks the FIB for p's way out through TO. Global: verified once. Not 0: the kernel must decide. */
__noinline __weak int hop_resolve(struct xdp_md *ctx, const struct packet *p, struct hop *hop, __u32 to)
{
	const struct runtime *rt = runtime_live();
	struct workspace *w = workspace_get();
	struct bpf_fib_lookup *fib;

	if (!p || !hop || !rt || !w)
		return -1;
	fib = &w->fib;
	__builtin_memset(fib, 0, sizeof(*fib));
	fib->family = p->v6 ? AF_INET6 : AF_INET;
	fib->l4_protocol = IPPROTO_TCP;
	fib->tot_len = 1; /* or no MTU is told */
	fib->ifindex = ctx->ingress_ifindex;
	if (p->v6) {
		__builtin_memcpy(fib->src, p->saddr, sizeof(fib->src));
		__builtin_memcpy(fib->dst, p->daddr, sizeof(fib->dst));
	} else {
		fib->src[0] = p->saddr[0];
		fib->dst[0] = p->daddr[0];
	}
	if (bpf_fib_lookup(ctx, fib, sizeof(*fib), 0) || fib->ifindex != rt->port_ifindex[to & 1])
		return -1;
	__builtin_memcpy(hop->to, fib->dmac, sizeof(hop->to));
	__builtin_memcpy(hop->from, fib->smac, sizeof(hop->from));
	hop->mtu = fib->tot_len;
	hop->checked = (__u16)(bpf_jiffies64() >> HOP_SHIFT) | 1;
	return 0;
}

static __always_inline bool hop_address(struct xdp_md *ctx, const struct hop *hop)
{
	void *data_end = XDP_DATA_END(ctx);
	struct ethhdr *eth = XDP_DATA(ctx);

	if ((void *)(eth + 1) > data_end)
		return false;
	__builtin_memcpy(eth->h_dest, hop->to, sizeof(eth->h_dest));
	__builtin_memcpy(eth->h_source, hop->from, sizeof(eth->h_source));
	return true;
}

static __always_inline bool hop_apply(struct xdp_md *ctx, const struct packet *p, const struct hop *hop)
{
	void *data = XDP_DATA(ctx), *data_end = XDP_DATA_END(ctx);
	__u32 l3 = p->l3;
	void *ip;

	barrier_var(l3);
	if (l3 > L3_MAX)
		return false;
	ip = data + l3;
	if (ip + sizeof(struct iphdr) > data_end)
		return false;
	if (p->v6) {
		struct ipv6hdr *ip6 = ip;

		if (ip6->hop_limit <= 1)
			return false;
		ip6->hop_limit--;
	} else {
		struct iphdr *ip4 = ip;
		__u32 check = ip4->check + bpf_htons(0x0100);

		if (ip4->ttl <= 1)
			return false;
		ip4->ttl--;
		ip4->check = check + (check >= 0xffff);
	}
	return hop_address(ctx, hop);
}

static __always_inline bool hop_fresh(const struct hop *hop)
{
	return hop->checked == ((__u16)(bpf_jiffies64() >> HOP_SHIFT) | 1);
}

/* The tags lie between the MAC addresses and the EtherType. */
static __always_inline void tags_remember(struct xdp_md *ctx, const struct packet *p, __be16 tags[4])
{
	const __be16 *words = XDP_DATA(ctx) + __builtin_offsetof(struct ethhdr, h_proto);
	void *data_end = XDP_DATA_END(ctx);

	if (p->l3 >= sizeof(struct ethhdr) + 4 && (void *)(words + 2) <= data_end) {
		tags[0] = words[0];
		tags[1] = words[1];
	}
	if (p->l3 >= sizeof(struct ethhdr) + 8 && (void *)(words + 4) <= data_end) {
		tags[2] = words[2];
		tags[3] = words[3];
	}
}

/* Before a SYN to the server: where it goes and came from, for what the daemon may have to send there. */
static __always_inline void hop_remember(struct xdp_md *ctx, const struct packet *p, struct connection *c)
{
	void *data = XDP_DATA(ctx), *data_end = XDP_DATA_END(ctx);
	struct hop *hop = &c->hop[PORT_INSIDE];
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > data_end)
		return;
	if (forward_mode == FORWARD_ROUTE &&
	    p->l3 != sizeof(*eth)) /* a tag would be of a device that is not ours */
		return;
	__builtin_memcpy(c->hop[PORT_OUTSIDE].to, eth->h_source, sizeof(hop->to));
	__builtin_memcpy(c->hop[PORT_OUTSIDE].from, eth->h_dest, sizeof(hop->from));
	if (forward_mode == FORWARD_ROUTE) {
		hop_resolve(ctx, p, hop, PORT_INSIDE);
		return;
	}
	__builtin_memcpy(hop->to, eth->h_dest, sizeof(hop->to));
	__builtin_memcpy(hop->from, eth->h_source, sizeof(hop->from));
	tags_remember(ctx, p, c->tags);
}

/* Unless the FIB has told it: the way back to where the frame has come from. */
static __always_inline void hop_return(struct xdp_md *ctx, struct hop *hop)
{
	void *data_end = XDP_DATA_END(ctx);
	struct ethhdr *eth = XDP_DATA(ctx);

	if (hop->checked || (void *)(eth + 1) > data_end)
		return;
	__builtin_memcpy(hop->to, eth->h_source, sizeof(hop->to));
	__builtin_memcpy(hop->from, eth->h_dest, sizeof(hop->from));
}

/* What is too big for the way out, or has no hop left, must reach the kernel as it came, so that its ICMP
 * error can be understood. */
static __always_inline bool hop_ends(const struct hop *hop, const struct packet *p)
{
	return forward_mode == FORWARD_ROUTE &&
	       (p->hops <= 1 || (hop->mtu && p->frame_end - p->l3 > hop->mtu));
}

/* C: NULL when none is known yet. */
static __always_inline int forward(struct xdp_md *ctx, const struct packet *p, struct connection *c,
				   bool ours, enum port to)
{
	struct workspace *w;
	struct hop *hop;

	if (forward_mode == FORWARD_BRIDGE)
		return bpf_redirect_map(&egress, to, XDP_DROP);
	w = workspace_get();
	if (!ours || !w)
		return XDP_PASS;
	hop = c ? &c->hop[to] : &w->connection.hop[to];
	if (!hop_fresh(hop) && hop_resolve(ctx, p, hop, to))
		return XDP_PASS;
	return hop_apply(ctx, p, hop) ? bpf_redirect_map(&egress, to, XDP_DROP) : XDP_PASS;
}

#endif
