/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Segments that no stack sends (RFC 9293): combinations of flags, sources that nobody can have. Judged before
 * any lookup, and also for services that are not being mitigated, as the policy `sanity` says.
 */
#ifndef SYNMOAT_SANITY_BPF_H
#define SYNMOAT_SANITY_BPF_H

#include "abi.h"
#include "count.bpf.h"
#include "packet.bpf.h"
#include "stance.bpf.h"

enum { SANE = VERDICT_COUNT }; /* nothing wrong with it */

/* A bit for each combination of the six flags. PSH, ECE and CWR may stand with all of them. */
#define FLAGS_BIT(flags) (1ULL << (flags) | 1ULL << ((flags) | TCP_PSH))
#define FLAGS_LEGAL                                                                                          \
	(FLAGS_BIT(TCP_SYN) | FLAGS_BIT(TCP_SYN | TCP_URG) | FLAGS_BIT(TCP_SYN | TCP_ACK) |                  \
	 FLAGS_BIT(TCP_RST) | FLAGS_BIT(TCP_RST | TCP_ACK) | FLAGS_BIT(TCP_FIN | TCP_ACK) |                  \
	 FLAGS_BIT(TCP_FIN | TCP_ACK | TCP_URG) | FLAGS_BIT(TCP_ACK) | FLAGS_BIT(TCP_ACK | TCP_URG))

static __always_inline bool flags_legal(__u8 flags)
{
	return FLAGS_LEGAL >> (flags & 0x3f) & 1;
}

static __always_inline enum verdict flags_fault(__u8 flags)
{
	switch (flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK | TCP_URG)) {
	case 0:
		return DROP_NULL;
	case TCP_URG:
		return DROP_URG;
	case TCP_FIN:
		return DROP_BARE_FIN;
	case TCP_FIN | TCP_URG:
		return DROP_XMAS;
	}
	return DROP_BAD_FLAGS;
}

/* Of a segment that opens nothing and belongs to nothing. */
static __always_inline enum verdict stray_verdict(__u8 flags)
{
	if (!flags_legal(flags))
		return flags_fault(flags);
	if (flags & TCP_SYN)
		return DROP_STRAY_SYNACK;
	if (flags & TCP_RST)
		return DROP_STRAY_RST;
	return flags & TCP_FIN ? DROP_STRAY_FIN : DROP_BAD_COOKIE;
}

/* The verdict that a segment deserves by itself, or SANE. Global: verified once. */
__noinline __weak int sanity_fault(const struct packet *p)
{
	if (!p)
		return SANE;
	if (!flags_legal(p->flags))
		return flags_fault(p->flags);
	if (is_land(p))
		return DROP_LAND;
	return bad_source(p) ? DROP_BAD_SOURCE : SANE;
}

/* The verdict if the segment is to be dropped for it, or SANE. */
static __always_inline __u32 sanity_verdict(const struct service *s, const struct runtime *rt,
					    const struct packet *p)
{
	return s->sanity == POLICY_ENFORCE && !rt->bypass ? sanity_fault(p) : SANE;
}

/* Counts what was not dropped and would have been. Asked anew behind all else, since a verdict carried along
 * would multiply the verifier's states. */
static __always_inline void sanity_watch(const struct service *s, const struct runtime *rt,
					 const struct packet *p, __u32 slot)
{
	__u32 fault;

	if (s->sanity != POLICY_MONITOR || rt->bypass)
		return;
	fault = sanity_fault(p);
	if (fault != SANE)
		count_would(slot, fault);
}

/* VERDICT is what a packet that cannot be parsed deserves: on its way to a defended service it is dropped,
 * never passed; to another it is as the policy says. */
static __always_inline enum verdict sanity_refuse(const struct service *s, const struct runtime *rt,
						  enum stance stance, __u32 slot, enum verdict verdict)
{
	bool judged = stance == STANCE_DEFEND || (s->sanity != POLICY_OFF && !rt->bypass);

	if (judged && s->mode != MODE_MONITOR && (stance == STANCE_DEFEND || s->sanity == POLICY_ENFORCE))
		return verdict;
	if (judged)
		count_would(slot, verdict);
	return s->mode == MODE_MONITOR ? PASS_MONITOR : PASS_OPEN;
}

#endif
