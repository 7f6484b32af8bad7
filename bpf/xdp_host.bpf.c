// SPDX-License-Identifier: GPL-2.0
/*
 * XDP in host mode, on the server's own interface: every packet is parsed, given to its service, judged, and
 * ends in exactly one counted verdict. Judging changes nothing in the packet; acting on the verdict does.
 */
#include "abi.h"
#include "cookie.bpf.h"
#include "count.bpf.h"
#include "detect.bpf.h"
#include "event.bpf.h"
#include "flow.bpf.h"
#include "guard.bpf.h"
#include "lists.bpf.h"
#include "halfopen.bpf.h"
#include "limit.bpf.h"
#include "maps.bpf.h"
#include "mitigate.bpf.h"
#include "option.bpf.h"
#include "packet.bpf.h"
#include "reflection.bpf.h"
#include "sanity.bpf.h"
#include "service.bpf.h"
#include "socket.bpf.h"
#include "stance.bpf.h"
#include "synack.bpf.h"

struct judgement {
	const struct runtime *rt;
	const struct service *service;
	struct service_state *state;
	struct packet packet;
	struct tcp_options options;
	struct cookie_options cookie;
	enum stance stance;
	bool allowed; /* by the lists: no limit applies, cookies do */
	__u8 weight;  /* of a SYN: sample_weight(); 0 while nothing is counted */
};

/* The stack ignores what is not addressed to it (a promiscuous or bridged interface sees such): so do we. */
static __always_inline bool for_other_host(struct xdp_md *ctx, const struct runtime *rt)
{
	__u16 *dest = XDP_DATA(ctx);

	if ((void *)(dest + 3) > XDP_DATA_END(ctx) || !(rt->mac[0] | rt->mac[1] | rt->mac[2]))
		return false;
	return (dest[0] ^ rt->mac[0]) | (dest[1] ^ rt->mac[1]) | (dest[2] ^ rt->mac[2]);
}

/* A SYN to a service that is defended: what keeps it from being answered with a cookie. */
static __always_inline enum verdict judge_syn(struct xdp_md *ctx, struct judgement *j)
{
	struct packet *p = &j->packet;
	struct listener_queue queue;
	enum flow_freshness flow;
	enum owner owner;

	if (!flags_legal(p->flags))
		return DROP_BAD_FLAGS;
	if (is_land(p))
		return DROP_LAND;
	if (bad_source(p))
		return DROP_BAD_SOURCE;
	/* Is the tuple in use? The kernel then sends a challenge ACK (RFC 5961, section 4), and a new client
	 * resets what it belongs to. */
	flow = flow_find(flow_hash(p), j->rt);
	if (flow == FLOW_FRESH || (flow == FLOW_STALE && socket_owner(ctx, p, &queue) == OWNER_CONNECTION))
		return PASS_FLOW;
	owner = listener_owner(ctx, p);
	if (owner == OWNER_NONE)
		return PASS_NO_LISTENER;
	if (owner == OWNER_MPTCP_LISTENER) {
		j->state->mptcp_seen = bpf_jiffies64();
		return PASS_MPTCP;
	}
	if (!ip_checksum_ok(ctx, p) || !tcp_checksum_ok(ctx, p))
		return DROP_BAD_CHECKSUM;
	if (!option_read(ctx, p, &j->options))
		return DROP_MALFORMED;
	if (j->options.present & OPTION_AUTH)
		return tcp_auth_allowed(j->service, j->state, j->rt) ? PASS_TCP_AUTH : DROP_TCP_AUTH;
	return TX_SYNACK;
}

/* A SYN below the marks passes, and its listener's queue is looked at; the one above begins the defence. */
static __always_inline bool syn_exceeds_marks(struct xdp_md *ctx, struct judgement *j)
{
	struct listener_queue queue = {};

	if (syn_rate_exceeded(j->service, j->state, j->rt))
		return true;
	return socket_owner(ctx, &j->packet, &queue) == OWNER_LISTENER &&
	       half_open_exceeded(j->service, j->state, &queue);
}

static __always_inline enum verdict judge_owner(const struct judgement *j, enum owner owner, __u64 hash)
{
	switch (owner) {
	case OWNER_CONNECTION:
		if (!(j->packet.flags & (TCP_FIN | TCP_RST)))
			flow_add(hash);
		return PASS_SOCKET;
	case OWNER_KERNEL_COOKIE:
	case OWNER_HANDSHAKE:
	case OWNER_TIME_WAIT:
		return PASS_SOCKET;
	case OWNER_MPTCP_LISTENER:
		return PASS_MPTCP;
	case OWNER_NONE:
		return PASS_NO_LISTENER;
	case OWNER_LISTENER:
		break;
	}
	return stray_verdict(j->packet.flags);
}

/* Anything but an opening SYN, while cookies validate. */
static __always_inline enum verdict judge_segment(struct xdp_md *ctx, struct judgement *j)
{
	struct packet *p = &j->packet;
	__u64 hash = flow_hash(p);
	enum flow_freshness flow = flow_find(hash, j->rt);
	struct listener_queue queue;
	enum owner owner = OWNER_NONE;

	if (flow == FLOW_STALE) {
		owner = socket_owner(ctx, p, &queue);
		if (owner == OWNER_CONNECTION) {
			flow_add(hash);
			flow = FLOW_FRESH;
		} else {
			flow_forget(hash);
		}
	}
	if (flow == FLOW_FRESH) {
		if (p->flags & (TCP_FIN | TCP_RST))
			flow_close(hash, j->rt);
		return PASS_FLOW;
	}
	if ((p->flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK && option_read(ctx, p, &j->options) &&
	    cookie_check(p, &j->options, j->rt, &j->cookie)) {
		/* an older incarnation; tc egress or the kernel vouch for the new one */
		flow_forget(hash);
		return PASS_COOKIE;
	}
	if (flow == FLOW_CLOSING)
		return PASS_FLOW;
	if (j->stance == STANCE_GRACE)
		return PASS_OPEN;
	if (flow == FLOW_STALE)
		return judge_owner(j, owner, hash);
	owner = listener_owner(ctx, p);
	if (owner == OWNER_NONE)
		return PASS_NO_LISTENER;
	if (owner == OWNER_MPTCP_LISTENER)
		return PASS_MPTCP;
	if (!lookup_allowed(j->rt))
		return DROP_LOOKUP_BUDGET;
	return judge_owner(j, socket_owner(ctx, p, &queue), hash);
}

static __always_inline enum verdict judge_tcp(struct xdp_md *ctx, struct judgement *j, __u32 slot)
{
	bool syn = (j->packet.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	__u32 limited = 0;
	enum verdict verdict;
	__u64 nth = 0;

	if (syn)
		nth = count_syn(slot);
	if (j->stance == STANCE_OPEN)
		return PASS_OPEN;
	if (syn)
		source_register(&j->packet, slot);
	if (syn && (j->rt->accounting || j->rt->limits_mode != POLICY_OFF)) {
		limited = limit_syn(&j->packet, j->rt, slot, !j->allowed && limits_apply(j->rt, j->service),
				    nth);
		j->weight = limited >> LIMITED_WEIGHT_SHIFT;
		if (limited_challenge(limited) && j->stance != STANCE_DEFEND) {
			if (j->service->mode != MODE_MONITOR)
				mitigation_challenge(j->state);
			j->stance = STANCE_DEFEND;
		}
	}
	if (syn && j->stance != STANCE_DEFEND && j->service->mode != MODE_OFF && !j->rt->bypass &&
	    syn_exceeds_marks(ctx, j)) {
		mitigation_begin(j->state);
		j->stance = STANCE_DEFEND;
	}
	if (j->stance == STANCE_WATCH || (syn && j->stance == STANCE_GRACE))
		return PASS_OPEN;
	if (!syn)
		return judge_segment(ctx, j);
	sample_syn(ctx, &j->packet, j->state, slot, nth);
	verdict = judge_syn(ctx, j);
	return verdict == TX_SYNACK && limited_verdict(limited) ? limited_verdict(limited) : verdict;
}

/* Leaves what the cookie carried for tc ingress, in front of the packet. */
static __always_inline bool handover_write(struct xdp_md *ctx, const struct judgement *j, __u32 slot)
{
	const struct cookie_options *o = &j->cookie;
	__u16 least = j->packet.v6 ? MSS_DEFAULT6 : MSS_DEFAULT4;
	struct handover *h;
	void *data;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*h)))
		return false;
	barrier_var(ctx);
	h = XDP_DATA_META(ctx);
	data = XDP_DATA(ctx);
	if ((void *)(h + 1) > data)
		return false;
	h->magic = HANDOVER_MAGIC;
	h->tstamp_ok = !!(j->options.present & OPTION_TS);
	h->rcv_tsval = j->options.tsval;
	h->rcv_tsecr = j->options.tsecr;
	h->mss = o->mss > least ? o->mss : least;
	h->wscale_ok = o->wscale != COOKIE_NO_WSCALE;
	h->snd_wscale = h->wscale_ok ? o->wscale : 0;
	h->rcv_wscale = h->wscale_ok ? j->service->wscale : 0;
	h->sack_ok = o->sack;
	h->ecn_ok = o->ecn;
	h->service = slot;
	h->allowed = j->allowed;
	h->pad = 0;
	return true;
}

static __always_inline int act(struct xdp_md *ctx, __u32 slot, enum verdict verdict)
{
	count_verdict(slot, verdict);
	if (verdict == TX_SYNACK)
		return XDP_TX;
	return verdict < TX_SYNACK ? XDP_PASS : XDP_DROP;
}

enum { ASKED, UNASKED, OVER_BUDGET };

/* FAULT for a segment of a flow on which this host sent nothing and of which its kernel knows nothing, else
 * SANE. */
__noinline __weak int unasked_host(struct xdp_md *ctx, const struct packet *p)
{
	const struct runtime *rt = runtime_live();
	struct listener_queue queue;
	__u64 hash;

	if (!p || !rt)
		return ASKED;
	hash = flow_hash(p);
	if (asked_lately(hash, rt, ASKED_TCP_S) || flow_find(hash, rt) != FLOW_MISS)
		return ASKED;
	if ((p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return UNASKED;
	if (!lookup_allowed(rt))
		return OVER_BUDGET;
	if (socket_owner(ctx, p, &queue) <= OWNER_MPTCP_LISTENER)
		return UNASKED;
	asked_note(hash);
	return ASKED;
}

static __always_inline __u32 unasked(struct xdp_md *ctx, const struct packet *p, enum verdict fault)
{
	int answer = unasked_host(ctx, p);

	if (answer == ASKED)
		return SANE;
	return answer == OVER_BUDGET ? DROP_LOOKUP_BUDGET : fault;
}

/* TCP to no declared service, or none that can be told. */
static __always_inline enum verdict judge_unserved(struct xdp_md *ctx, struct judgement *j,
						   enum parsed parsed)
{
	struct packet *p = &j->packet;
	__u32 closed = closed_mode(j->rt, p->v6, p->daddr);
	enum policy_mode mode = (enum policy_mode)(closed & 3);
	enum verdict verdict = DROP_CLOSED;
	__u32 fault = DROP_CLOSED;

	if (parsed == PARSED_TCP && (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		scan_note(ctx, p);
	if (parsed == PARSED_TCP && is_answer(p->flags) && is_service_address(j->rt, p) &&
	    policy_mode(j->rt, POLICY_REFLECTION) >= mode) {
		mode = policy_mode(j->rt, POLICY_REFLECTION);
		verdict = stray_verdict(p->flags);
	}
	if (mode == POLICY_OFF || for_other_host(ctx, j->rt))
		return PASS_NO_SERVICE;
	if (parsed == PARSED_TCP)
		fault = unasked(ctx, p, verdict);
	if (fault == DROP_CLOSED)
		guard_count(closed >> CLOSED_NUMBER_SHIFT, GUARD_CLOSED, mode);
	return fault == SANE ? PASS_NO_SERVICE : policy_verdict(mode, SERVICE_NONE, fault, PASS_NO_SERVICE);
}

/* An answer to a service that is not being mitigated, and would pass. */
static __always_inline enum verdict judge_answer(struct xdp_md *ctx, struct judgement *j, __u32 slot)
{
	__u32 fault;

	if (!is_answer(j->packet.flags) || j->service->reflection == POLICY_OFF || j->rt->bypass)
		return PASS_OPEN;
	fault = unasked(ctx, &j->packet, stray_verdict(j->packet.flags));
	return fault == SANE
		       ? PASS_OPEN
		       : policy_verdict((enum policy_mode)j->service->reflection, slot, fault, PASS_OPEN);
}

/* A packet to the service in SLOT, whose headers could be read. */
static __always_inline int serve(struct xdp_md *ctx, struct judgement *j, __u32 slot)
{
	__u32 fault = sanity_verdict(j->service, j->rt, &j->packet), begun;
	enum verdict verdict;

	if (fault != SANE)
		return act(ctx, slot, fault);
	verdict = judge_tcp(ctx, j, slot);
	if (j->rt->auto_block && (verdict == DROP_BAD_COOKIE || verdict == DROP_LOOKUP_BUDGET))
		guess_note(&j->packet, j->rt);
	if (verdict == PASS_OPEN)
		verdict = judge_answer(ctx, j, slot);
	if (j->service->mode == MODE_MONITOR) {
		if (verdict != PASS_OPEN)
			count_would(slot, verdict);
		else
			sanity_watch(j->service, j->rt, &j->packet, slot);
		event_segment(&j->packet, slot, false, j->packet.ack);
		return act(ctx, slot, PASS_MONITOR);
	}
	if (verdict < TX_SYNACK)
		sanity_watch(j->service, j->rt, &j->packet, slot);
	if (verdict < TX_SYNACK && verdict != PASS_COOKIE) /* of a cookie, tc ingress tells the outcome */
		event_segment(&j->packet, slot, false, j->packet.ack);
	if (verdict == TX_SYNACK)
		verdict = judge_synack(&j->packet, j->service, j->rt, slot);
	if (verdict == TX_SYNACK && half_open_wanted(j->rt, j->weight)) {
		begun = half_open_begin(&j->packet, j->rt, slot, half_open_how(j->weight, j->allowed));
		if (begun)
			return act(ctx, slot, half_open_dropped(begun));
	}
	if (verdict == TX_SYNACK && !synack_write(ctx, &j->packet, &j->options, j->service, j->rt))
		verdict = DROP_INTERNAL;
	if (verdict == PASS_COOKIE && !handover_write(ctx, j, slot))
		verdict = DROP_INTERNAL;
	return act(ctx, slot, verdict);
}

static __always_inline int refuse(struct xdp_md *ctx, struct judgement *j, __u32 slot, enum verdict verdict)
{
	return act(ctx, slot, sanity_refuse(j->service, j->rt, j->stance, slot, verdict));
}

SEC("xdp")
int xdp_host(struct xdp_md *ctx)
{
	struct judgement j = {};
	enum parsed parsed;
	enum listed listed;
	__u32 slot;

	parsed = packet_read(ctx, &j.packet);
	if (parsed == PARSED_NOT_IP)
		return act(ctx, SERVICE_NONE, PASS_NOT_IP);
	j.rt = runtime_live();
	if (!j.rt)
		return act(ctx, SERVICE_NONE, PASS_NO_SERVICE);
	listed = list_find(j.rt, &j.packet);
	if (listed == LISTED_BLOCKED && !j.rt->bypass)
		return act(ctx, SERVICE_NONE, DROP_BLOCKED);
	j.allowed = listed == LISTED_ALLOWED;
	if (parsed == PARSED_NOT_TCP)
		return act(ctx, SERVICE_NONE, judge_other_protocol(ctx, &j.packet));
	slot = service_find(j.rt, j.packet.v6, j.packet.daddr, parsed == PARSED_TCP ? j.packet.dest : 0);
	if (slot == SERVICE_NONE)
		return act(ctx, SERVICE_NONE, judge_unserved(ctx, &j, parsed));
	j.service = service_get(j.rt, slot);
	j.state = service_state_get(slot);
	if (!j.service || !j.state)
		return act(ctx, SERVICE_NONE, PASS_NO_SERVICE);
	if (for_other_host(ctx, j.rt))
		return act(ctx, slot, PASS_OTHER_HOST);
	j.stance = stance_of(j.rt, j.service, j.state);
	if (parsed == PARSED_FRAGMENT)
		return refuse(ctx, &j, slot, DROP_FRAGMENT);
	if (parsed == PARSED_MALFORMED || !frame_holds(ctx, &j.packet))
		return refuse(ctx, &j, slot, DROP_MALFORMED);
	return serve(ctx, &j, slot);
}

char _license[] SEC("license") __weak = "GPL";
