/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attacks that bounce off others (DRDoS, Smurf), at either end: answers that nobody asked for are dropped,
 * echo requests to many at once, too, and we send no prefix more SYN-ACKs than its share.
 */
#ifndef SYNMOAT_REFLECTION_BPF_H
#define SYNMOAT_REFLECTION_BPF_H

#include "abi.h"
#include "asked.bpf.h"
#include "count.bpf.h"
#include "sanity.bpf.h"
#include "service.bpf.h"

static __always_inline enum policy_mode policy_mode(const struct runtime *rt, enum policy policy)
{
	return rt->bypass ? POLICY_OFF : (enum policy_mode)rt->policy[policy];
}

/* FAULT, which is not SANE, as the policy will have it: that verdict, or PASS and a count. */
static __always_inline enum verdict policy_verdict(enum policy_mode mode, __u32 slot, enum verdict fault,
						   enum verdict pass)
{
	if (mode == POLICY_ENFORCE)
		return fault;
	if (mode == POLICY_MONITOR)
		count_would(slot, fault);
	return pass;
}

/* What answers a segment: SYN-ACK and RST. */
static __always_inline bool is_answer(__u8 flags)
{
	return (flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) || flags & TCP_RST;
}

static __always_inline bool is_service_address(const struct runtime *rt, const struct packet *p)
{
	return service_find(rt, p->v6, p->daddr, 0) != SERVICE_NONE;
}

/* --- ICMP echo --- */

static __always_inline bool is_echo_protocol(const struct packet *p)
{
	return p->protocol == (p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

/* Whoever answers is not alone: multicast, broadcast by either layer's address. */
static __always_inline bool is_to_many(struct xdp_md *ctx, const struct packet *p, const struct runtime *rt)
{
	__u8 *mac = XDP_DATA(ctx), first = *(const __u8 *)p->daddr;
	__be32 to = p->daddr[0];

	if (p->v6)
		return first == 0xff;
	if (first >= 224 || ((void *)(mac + 1) <= XDP_DATA_END(ctx) && *mac & 1))
		return true;
	for (int i = 0; i < BROADCASTS_MAX; i++)
		if (rt->broadcast[i] && rt->broadcast[i] == to)
			return true;
	return rt->broadcast_count &&
	       find_range4(rt->broadcast_first, rt->broadcast_count, bpf_ntohl(to)) != SERVICE_NONE;
}

/* The verdict that an ICMP message deserves, or SANE. Global: verified once. */
__noinline __weak int echo_fault(struct xdp_md *ctx, const struct packet *p)
{
	const struct runtime *rt = runtime_live();
	struct echo_header echo;

	if (!p || !rt || bpf_xdp_load_bytes(ctx, p->l4, &echo, sizeof(echo)))
		return SANE;
	if (echo.type == (p->v6 ? ECHO6_REQUEST : ECHO4_REQUEST))
		return is_to_many(ctx, p, rt) ? DROP_ECHO_BROADCAST : SANE;
	if (echo.type != (p->v6 ? ECHO6_REPLY : ECHO4_REPLY) || !is_service_address(rt, p) ||
	    asked_lately(echo_hash(p, true, echo.id), rt, ASKED_ECHO_S))
		return SANE;
	return DROP_ECHO_REPLY;
}

static __always_inline enum verdict judge_other_protocol(struct xdp_md *ctx, const struct packet *p)
{
	const struct runtime *rt = runtime_live();
	int fault;

	if (!rt || !is_echo_protocol(p) || rt->bypass ||
	    !(rt->policy[POLICY_SMURF] | rt->policy[POLICY_REFLECTION]))
		return PASS_NOT_TCP;
	fault = echo_fault(ctx, p);
	if (fault == DROP_ECHO_BROADCAST)
		return policy_verdict(policy_mode(rt, POLICY_SMURF), SERVICE_NONE, DROP_ECHO_BROADCAST,
				      PASS_NOT_TCP);
	if (fault == DROP_ECHO_REPLY)
		return policy_verdict(policy_mode(rt, POLICY_REFLECTION), SERVICE_NONE, DROP_ECHO_REPLY,
				      PASS_NOT_TCP);
	return PASS_NOT_TCP;
}

/* --- SYN-ACKs of ours --- */

#define SYNACK_BUDGETS 16384

/* 63..32 jiffies of the last refill, 31..0 tokens times HZ. Found by a keyed hash: prefixes that share one
 * also share its tokens. Not atomic: two CPUs at once may count two SYN-ACKs as one. */
ARRAY_MAP(synack_budgets, SYNACK_BUDGETS, __u64, 0);

/* Takes one from BUDGET: PPS of them, at most a quarter of a second's worth at once. */
static __always_inline bool budget_take(__u64 *budget, __u32 pps, __u32 hz)
{
	__u64 tokens, ceiling = (__u64)pps * hz / 4;
	__u32 now = bpf_jiffies64(), elapsed = now - (__u32)(*budget >> 32);

	if (elapsed > hz)
		elapsed = hz;
	if (ceiling < hz)
		ceiling = hz;
	tokens = (__u32)*budget + (__u64)elapsed * pps;
	if (tokens > ceiling)
		tokens = ceiling;
	if (tokens < hz)
		return false;
	*budget = (__u64)now << 32 | (tokens - hz);
	return true;
}

/* By p's prefix, /24 or /64. */
static __always_inline bool synack_within_budget(const struct packet *p, const struct runtime *rt)
{
	__u64 prefix = p->v6 ? (__u64)p->saddr[0] << 32 | p->saddr[1] : p->saddr[0] & bpf_htonl(0xffffff00);
	__u32 index = mix(mix(table_key[0], prefix), table_key[1]) >> 40 & (SYNACK_BUDGETS - 1);
	__u64 *budget = bpf_map_lookup_elem(&synack_budgets, &index);

	return !budget || budget_take(budget, rt->synack_pps, rt->jiffies_hz);
}

/* Of a SYN that would be answered. */
static __always_inline enum verdict judge_synack(const struct packet *p, const struct service *s,
						 const struct runtime *rt, __u32 slot)
{
	if (s->reflection == POLICY_OFF || synack_within_budget(p, rt))
		return TX_SYNACK;
	return policy_verdict((enum policy_mode)s->reflection, slot, DROP_SYNACK_BUDGET, TX_SYNACK);
}

/* --- what goes out --- */

static __always_inline bool asked_wanted(const struct runtime *rt)
{
	return rt->policy[POLICY_REFLECTION] || rt->guarded.count4 | rt->guarded.count6;
}

static __always_inline void asked_note_echo(const struct packet *p, const struct echo_header *echo)
{
	if (echo->type == (p->v6 ? ECHO6_REQUEST : ECHO4_REQUEST))
		asked_note(echo_hash(p, false, echo->id));
}

#endif
