// SPDX-License-Identifier: GPL-2.0
/*
 * tcx egress in host mode: what the server's own stack sends vouches for the flow that it belongs to, and its
 * FIN or RST ends it; endpoint tracking sees the server's half of the conversation here. What it sends
 * otherwise is remembered, so that answers are known for such. Holds back only what the outward policy
 * forbids.
 */
#include "abi.h"
#include "event.bpf.h"
#include "flow.bpf.h"
#include "guard.bpf.h"
#include "packet.bpf.h"
#include "reflection.bpf.h"
#include "service.bpf.h"

static __always_inline void note_echo(struct __sk_buff *skb, const struct packet *p)
{
	struct echo_header echo;

	if (!bpf_skb_load_bytes(skb, p->l4, &echo, sizeof(echo)))
		asked_note_echo(p, &echo);
}

/* Counts it, too. */
static __always_inline bool outward_forbidden(const struct packet *p, bool tcp)
{
	int fault = outward_fault(p, tcp);
	__u32 zero = 0, verdict = fault_verdict(fault);
	struct outward_counters *c;

	if (fault == SANE || verdict >= VERDICT_COUNT)
		return false;
	c = bpf_map_lookup_elem(&outward_counts, &zero);
	if (c && fault_mode(fault) == POLICY_ENFORCE)
		c->dropped[verdict]++;
	else if (c)
		c->would[verdict]++;
	return fault_mode(fault) == POLICY_ENFORCE;
}

SEC("tc")
int tc_egress(struct __sk_buff *skb)
{
	const struct runtime *rt = runtime_live();
	struct packet p = {};
	enum flow_freshness flow;
	enum parsed parsed;
	__u32 slot;
	__u64 hash;

	if (!rt)
		return TCX_NEXT;
	parsed = packet_parse(SKB_DATA(skb), SKB_DATA_END(skb), &p);
	if (parsed != PARSED_NOT_IP && outward_wanted(rt) && outward_forbidden(&p, parsed == PARSED_TCP))
		return TCX_DROP;
	if (parsed == PARSED_NOT_TCP && is_echo_protocol(&p) && asked_wanted(rt))
		note_echo(skb, &p);
	if (parsed != PARSED_TCP)
		return TCX_NEXT;
	slot = service_find(rt, p.v6, p.saddr, p.source);
	if (slot != SERVICE_NONE)
		event_segment(&p, slot, true, p.ack);
	if (p.flags & TCP_SYN || slot == SERVICE_NONE) {
		if (asked_wanted(rt))
			asked_note_segment(&p);
		return TCX_NEXT;
	}
	hash = flow_hash_reply(&p);
	flow = flow_find(hash, rt);
	if (flow == FLOW_CLOSING)
		return TCX_NEXT;
	if (p.flags & TCP_FIN) {
		flow_close(hash, rt);
	} else if (p.flags & TCP_RST) { /* on a miss it answers a stray segment */
		if (flow != FLOW_MISS)
			flow_close(hash, rt);
	} else if (flow != FLOW_FRESH) {
		flow_add(hash);
	}
	return TCX_NEXT;
}

char _license[] SEC("license") __weak = "GPL";
