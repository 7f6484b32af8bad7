/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Policy of protected prefixes: which entry an address belongs to, and what its servers may open towards the
 * outside: allowed destinations and ports, a rate of SYNs, and no source that is not theirs.
 */
#ifndef SYNMOAT_GUARD_BPF_H
#define SYNMOAT_GUARD_BPF_H

#include "abi.h"
#include "reflection.bpf.h"
#include "service.bpf.h"

ARRAY_MAP(guards, 2 * GUARDS_MAX, struct guard, BPF_F_MMAPABLE);

PERCPU_MAP(outward_counts, 1, struct outward_counters);

PERCPU_MAP(guard_counts, GUARDS_MAX, struct guard_counters); /* by entry */

/* 63..32 jiffies of the last refill, 31..0 tokens times HZ; by entry. */
ARRAY_MAP(guard_budgets, GUARDS_MAX, __u64, 0);

/* In the ranges that LIST names; SERVICE_NONE: in none. */
static __always_inline __u32 ranges_find(const struct port_ranges *list, bool v6, const __be32 *address)
{
	if (!v6)
		return list->count4 ? find_range4(list->first4, list->count4, bpf_ntohl(address[0]))
				    : SERVICE_NONE;
	return list->count6 ? find_range6(list->first6, list->count6,
					  (__u64)bpf_ntohl(address[0]) << 32 | bpf_ntohl(address[1]),
					  (__u64)bpf_ntohl(address[2]) << 32 | bpf_ntohl(address[3]))
			    : SERVICE_NONE;
}

/* Number of the protected entry, from 1 on; 0: none. */
static __always_inline __u32 guard_number(const struct runtime *rt, bool v6, const __be32 *address)
{
	return ranges_find(&rt->guarded, v6, address);
}

static __always_inline struct guard *guard_get(const struct runtime *rt, __u32 number)
{
	__u32 index = (rt->half & 1) * GUARDS_MAX + number - 1;

	return number && number <= GUARDS_MAX ? bpf_map_lookup_elem(&guards, &index) : NULL;
}

static __always_inline void guard_count(__u32 number, enum guard_reason reason, __u32 mode)
{
	__u32 index = number - 1;
	struct guard_counters *c = bpf_map_lookup_elem(&guard_counts, &index);

	if (!c)
		return;
	if (mode == POLICY_ENFORCE)
		c->dropped[reason]++;
	else
		c->would[reason]++;
}

/* Whether the ports of the protected entry that ADDRESS belongs to are closed but for its services': the
 * mode, and from bit 8 on the entry's number. */
#define CLOSED_NUMBER_SHIFT 8
static __always_inline __u32 closed_mode(const struct runtime *rt, bool v6, const __be32 *address)
{
	struct guard *g;
	__u32 number;

	if (rt->bypass || !(rt->guarded.count4 | rt->guarded.count6))
		return POLICY_OFF;
	number = guard_number(rt, v6, address);
	g = guard_get(rt, number);
	return g && g->closed ? g->closed | number << CLOSED_NUMBER_SHIFT : POLICY_OFF;
}

/* --- outward --- */

static __always_inline bool guard_allows(const struct guard *g, const struct packet *p)
{
	__u16 port = bpf_ntohs(p->dest);
	bool allowed = !g->span_count;

	for (int i = 0; i < GUARD_SPANS; i++)
		if (i < g->span_count && port >= g->spans[i].first && port <= g->spans[i].last)
			allowed = true;
	return allowed && (g->any_destination || ranges_find(&g->to, p->v6, p->daddr) != SERVICE_NONE);
}

/* Takes one SYN from the entry's budget: syn_pps, at most a quarter of a second's worth at once. */
static __always_inline bool guard_within_rate(const struct guard *g, __u32 number, const struct runtime *rt)
{
	__u32 index = number - 1;
	__u64 *budget = bpf_map_lookup_elem(&guard_budgets, &index);

	return !g->syn_pps || !budget || budget_take(budget, g->syn_pps, rt->jiffies_hz);
}

/* Sources that belong to a link or to nobody yet: neighbour discovery, DHCP. */
static __always_inline bool is_local_source(const struct packet *p)
{
	__u32 high = bpf_ntohl(p->saddr[0]);

	if (p->v6)
		return high >> 22 == 0xfe80 >> 6 || !(p->saddr[0] | p->saddr[1] | p->saddr[2] | p->saddr[3]);
	return !high || high >> 16 == 0xa9fe;
}

static __always_inline bool is_forged(const struct runtime *rt, const struct packet *p)
{
	return !is_local_source(p) && !guard_number(rt, p->v6, p->saddr) &&
	       service_find(rt, p->v6, p->saddr, 0) == SERVICE_NONE;
}

/*
 * What a packet that leaves the protected side deserves, or SANE: the mode in bits 8 and up; counted for its
 * entry. Global: verified once. TCP: its ports and flags could be read.
 */
__noinline __weak int outward_fault(const struct packet *p, __u32 tcp)
{
	const struct runtime *rt = runtime_live();
	struct guard *g;
	__u32 number;

	if (!p || !rt || rt->bypass)
		return SANE;
	if (rt->policy[POLICY_SOURCE] && is_forged(rt, p))
		return DROP_OUTWARD_SOURCE | rt->policy[POLICY_SOURCE] << 8;
	if (!tcp || (p->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return SANE;
	number = guard_number(rt, p->v6, p->saddr);
	g = guard_get(rt, number);
	if (!g || g->outward == POLICY_OFF)
		return SANE;
	if (!guard_allows(g, p)) {
		guard_count(number, GUARD_DESTINATION, g->outward);
		return DROP_OUTWARD_DESTINATION | g->outward << 8;
	}
	if (guard_within_rate(g, number, rt))
		return SANE;
	guard_count(number, GUARD_RATE, g->outward);
	return DROP_OUTWARD_RATE | g->outward << 8;
}

/* What outward_fault() returned. */
static __always_inline enum policy_mode fault_mode(int fault)
{
	return (enum policy_mode)(fault >> 8 & 3);
}

static __always_inline enum verdict fault_verdict(int fault)
{
	return (enum verdict)(fault & 0xff);
}

_Static_assert(VERDICT_COUNT < 256, "a fault's mode lies in bits 8 and up");

static __always_inline bool outward_wanted(const struct runtime *rt)
{
	return rt->policy[POLICY_SOURCE] || rt->guarded.count4 | rt->guarded.count6;
}

#endif
