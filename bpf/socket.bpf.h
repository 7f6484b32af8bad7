/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel's own socket table says of a packet: who owns it, whether anybody listens, how full the
 * listener's SYN queue is. A look costs 65 ns and more, so unknown segments meet a budget and listeners are
 * remembered a moment.
 */
#ifndef SYNMOAT_SOCKET_BPF_H
#define SYNMOAT_SOCKET_BPF_H

#include "flow.bpf.h"
#include "maps.bpf.h"
#include "packet.bpf.h"
#include <bpf/bpf_core_read.h>

enum owner {
	OWNER_NONE,
	OWNER_LISTENER,
	OWNER_MPTCP_LISTENER,
	OWNER_KERNEL_COOKIE, /* no socket yet, but an ACK of the kernel's own SYN cookie */
	OWNER_HANDSHAKE,     /* SYN_RCVD or SYN_SENT */
	OWNER_TIME_WAIT,
	OWNER_CONNECTION,
};

struct listener_queue {
	__u32 half_open, backlog;
};

static __always_inline struct bpf_sock *socket_lookup(void *ctx, const struct packet *p)
{
	struct bpf_sock_tuple t;

	if (p->v6) {
		__builtin_memcpy(t.ipv6.saddr, p->saddr, sizeof(t.ipv6.saddr));
		__builtin_memcpy(t.ipv6.daddr, p->daddr, sizeof(t.ipv6.daddr));
		t.ipv6.sport = p->source;
		t.ipv6.dport = p->dest;
		return bpf_skc_lookup_tcp(ctx, &t, sizeof(t.ipv6), BPF_F_CURRENT_NETNS, 0);
	}
	t.ipv4.saddr = p->saddr[0];
	t.ipv4.daddr = p->daddr[0];
	t.ipv4.sport = p->source;
	t.ipv4.dport = p->dest;
	return bpf_skc_lookup_tcp(ctx, &t, sizeof(t.ipv4), BPF_F_CURRENT_NETNS, 0);
}

/* Asks only whether the kernel sent out cookies of its own on this listener lately, and if this is one. */
static __always_inline bool kernel_cookie_valid(struct bpf_sock *listener, const struct packet *p)
{
	struct tcphdr tcp = {
		.source = p->source,
		.dest = p->dest,
		.seq = bpf_htonl(p->seq),
		.ack_seq = bpf_htonl(p->ack),
		.doff_reserved = TCP_MIN << 2,
		.flags = p->flags,
	};

	if (p->v6) {
		struct ipv6hdr ip = { .flow = bpf_htonl(6 << 28), .nexthdr = IPPROTO_TCP };

		__builtin_memcpy(ip.saddr, p->saddr, sizeof(ip.saddr));
		__builtin_memcpy(ip.daddr, p->daddr, sizeof(ip.daddr));
		return !bpf_tcp_check_syncookie(listener, &ip, sizeof(ip), &tcp, sizeof(tcp));
	} else {
		struct iphdr ip = { .version = 4, .ihl = 5, .saddr = p->saddr[0], .daddr = p->daddr[0] };

		return !bpf_tcp_check_syncookie(listener, &ip, sizeof(ip), &tcp, sizeof(tcp));
	}
}

static __always_inline enum owner listener_kind(struct bpf_sock *listener, struct listener_queue *queue)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(listener);

	if (!tp)
		return OWNER_LISTENER;
	queue->half_open = tp->inet_conn.icsk_accept_queue.qlen.counter;
	queue->backlog = tp->inet_conn.icsk_inet.sk.sk_max_ack_backlog;
	if (bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp)
		return OWNER_MPTCP_LISTENER;
	return OWNER_LISTENER;
}

static __noinline enum owner socket_owner(struct xdp_md *ctx, const struct packet *p,
					  struct listener_queue *queue)
{
	struct bpf_sock *sk = socket_lookup(ctx, p);
	enum owner owner;

	if (!sk)
		return OWNER_NONE;
	switch (sk->state) {
	case BPF_TCP_LISTEN:
		owner = listener_kind(sk, queue);
		if (p->flags & TCP_ACK && owner == OWNER_LISTENER && kernel_cookie_valid(sk, p))
			owner = OWNER_KERNEL_COOKIE;
		break;
	case BPF_TCP_NEW_SYN_RECV:
	case BPF_TCP_SYN_SENT:
		owner = OWNER_HANDSHAKE;
		break;
	case BPF_TCP_TIME_WAIT:
		owner = OWNER_TIME_WAIT;
		break;
	default:
		owner = OWNER_CONNECTION;
	}
	bpf_sk_release(sk);
	return owner;
}

/* Entry: 63..26 fingerprint of address and port, 25..24 what listens, 23..0 time in jiffies / 32. */
#define LISTENER_TIME_MASK     0xffffff
#define LISTENER_JIFFIES_SHIFT 5

/* As socket_owner() on a SYN of a new tuple, but remembered for about a quarter of a second. */
static __always_inline enum owner listener_owner(struct xdp_md *ctx, const struct packet *p)
{
	static const __be32 nobody[4];
	__u64 hash = tuple_hash(p->v6, nobody, p->daddr, 0, p->dest);
	__u32 index = hash & 1023;
	__u32 now = bpf_jiffies64() >> LISTENER_JIFFIES_SHIFT & LISTENER_TIME_MASK;
	__u64 *entry = bpf_map_lookup_elem(&listeners, &index);
	struct listener_queue queue;
	enum owner owner;

	if (!entry)
		return OWNER_NONE;
	if (*entry >> 26 == hash >> 26 && ((now - (__u32)*entry) & LISTENER_TIME_MASK) <= 1)
		return *entry >> 24 & 3;
	owner = socket_owner(ctx, p, &queue);
	if (owner <= OWNER_MPTCP_LISTENER)
		*entry = hash >> 26 << 26 | (__u64)owner << 24 | now;
	return owner;
}

/* Takes one lookup from this CPU's budget: lookups_per_s, at most a sixteenth of a second's worth at once. */
static __always_inline bool lookup_allowed(const struct runtime *rt)
{
	__u32 zero = 0;
	struct lookup_budget *b = bpf_map_lookup_elem(&lookup_budgets, &zero);
	__u64 now = bpf_jiffies64(), ceiling = (__u64)rt->lookups_per_s * rt->jiffies_hz >> 4;

	if (!b)
		return false;
	if (now != b->jiffy) {
		__u64 elapsed = now - b->jiffy;

		if (elapsed > rt->jiffies_hz)
			elapsed = rt->jiffies_hz;
		if (ceiling < rt->jiffies_hz && rt->lookups_per_s)
			ceiling = rt->jiffies_hz; /* at least one lookup */
		b->tokens += elapsed * rt->lookups_per_s;
		if (b->tokens > ceiling)
			b->tokens = ceiling;
		b->jiffy = now;
	}
	if (b->tokens < rt->jiffies_hz)
		return false;
	b->tokens -= rt->jiffies_hz;
	return true;
}

#endif
