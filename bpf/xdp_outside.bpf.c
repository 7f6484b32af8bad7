// SPDX-License-Identifier: GPL-2.0
/*
 * XDP inline, on the interface that clients come from: what belongs to a known connection is translated and
 * crosses; a SYN to a defended service is answered with a cookie, and the ACK that brings it back begins the
 * handshake with the server. Everything else crosses untouched.
 */
#include "abi.h"
#include "detect.bpf.h"
#include "follow.bpf.h"
#include "guard.bpf.h"
#include "halfopen.bpf.h"
#include "icmp.bpf.h"
#include "inline.bpf.h"
#include "lists.bpf.h"
#include "limit.bpf.h"
#include "mitigate.bpf.h"
#include "proxy.bpf.h"
#include "reflection.bpf.h"
#include "sanity.bpf.h"
#include "stash.bpf.h"
#include "synack.bpf.h"
#include "translate.bpf.h"

enum { JUDGE_KNOWN = VERDICT_COUNT }; /* no verdict yet: the segment is its connection's */

#define REPLAYS_MAX	 32 /* of a third ACK */
#define HALF_OPEN_INLINE 1024

/* --- a valid cookie --- */

static __always_inline __u32 begin(struct xdp_md *ctx, struct crossing *x, const struct cookie_options *o)
{
	struct packet *p = &x->packet;
	struct workspace *w = workspace_get();
	__u32 source = source_place(p, 32, 0), *of_source = source_handshakes(source);
	struct connection *c;

	if (!w || !of_source)
		return DROP_INTERNAL;
	c = &w->connection;
	if (x->state->handshakes >= x->rt->handshakes_max)
		return DROP_HANDSHAKES;
	if (*of_source >= x->rt->handshakes_per_source)
		return DROP_SOURCE_HANDSHAKES;
	if (checksums_wrong(ctx, p))
		return DROP_BAD_CHECKSUM;
	if (!x->allowed && !limit_connection(p, x->rt, x->slot))
		return DROP_CONNECTIONS;
	proxy_connection(p, &x->options, o, x->service, x->slot, window_of(ctx, p), c);
	c->source = source;
	if (!o->ecn && server_ask_ecn(&x->key))
		c->flags |= CONNECTION_ECN_ASKED;
	if (p->payload && p->ecn != ECN_CE)
		stash_begin(ctx, p, c, connection_hash(&x->key), x->rt);
	hop_remember(ctx, p, c);
	switch (connection_add(&x->key, c, x->connection ? BPF_ANY : BPF_NOEXIST)) {
	case 0:
		break;
	case -17: /* EEXIST: another CPU was first */
		if (c->flags & CONNECTION_STASHED)
			stash_forget(c);
		x->connection = connection_find(&x->key);
		return JUDGE_KNOWN;
	default:
		return proxy_refuse(ctx, p) ? TX_REFUSED : DROP_INTERNAL;
	}
	count_completed(x->slot);
	half_open_complete(p, x->rt, x->slot);
	proxy_syn(c, &w->segment);
	return segment_write(ctx, p) ? PASS_COOKIE : DROP_INTERNAL;
}

static __always_inline bool bears_cookie(struct xdp_md *ctx, struct crossing *x, struct cookie_options *o)
{
	struct packet *p = &x->packet;

	if ((p->flags & (TCP_ACK | TCP_SYN | TCP_RST | TCP_FIN)) != TCP_ACK)
		return false;
	return option_read(ctx, p, &x->options) && cookie_check(p, &x->options, x->rt, o);
}

/* --- known connections --- */

/* The server has not answered our SYN yet. */
static __always_inline enum verdict judge_early(struct xdp_md *ctx, struct crossing *x)
{
	struct connection *c = x->connection;
	struct packet *p = &x->packet;
	__u32 now = connection_clock();
	struct workspace *w = workspace_get();

	if (!w)
		return DROP_INTERNAL;
	if (p->flags & TCP_RST) {
		if (checksums_wrong(ctx, p)) /* what we make of it would have right ones */
			return DROP_BAD_CHECKSUM;
		/* it may have sent data by now, which the server has not got */
		if ((p->seq != c->client_isn + 1 && p->seq != c->client_next) ||
		    !connection_move(c, CONNECTION_SYN_SENT, CONNECTION_RESET))
			return DROP_STRAY_RST;
		w->segment = (struct segment){ .seq = c->client_isn + 1, .flags = TCP_RST };
		return segment_write(ctx, p) ? PASS_HANDSHAKE : DROP_INTERNAL;
	}
	if (p->ack != c->our_isn + 1 || p->seq - c->client_isn > STASH_WINDOW + 1 ||
	    p->flags & (TCP_FIN | TCP_SYN))
		return DROP_EARLY;
	if (p->payload && p->ecn != ECN_CE && !checksums_wrong(ctx, p)) {
		if ((__s32)(p->seq + p->payload - c->client_next) > 0)
			c->client_next = p->seq + p->payload;
		if (c->flags & CONNECTION_STASHED) {
			stash_more(ctx, p, c);
		} else if (p->seq == c->client_isn + 1) {
			stash_begin(ctx, p, c, connection_hash(&x->key), x->rt);
			return DROP_EARLY;
		}
	}
	/* an honest client has no reason to, but for a SYN-ACK that did not come from us */
	if (!p->payload && c->duplicates < 255)
		c->duplicates++;
	/* what is sent again asks for our SYN again, once a second and not later than the connection may live
	 */
	if ((now - c->seen) << CONNECTION_SHIFT < x->rt->jiffies_hz || c->resends >= 10)
		return DROP_EARLY;
	if (checksums_wrong(ctx, p))
		return DROP_BAD_CHECKSUM;
	c->resends++;
	c->seen = now;
	proxy_syn(c, &w->segment);
	return segment_write(ctx, p) ? PASS_HANDSHAKE : DROP_INTERNAL;
}

/* The third ACK of a connection, bare, as whoever replays it would send it. */
static __always_inline bool is_replay(struct connection *c, const struct packet *p)
{
	if (p->payload || p->ack != c->our_isn + 1 || p->seq != c->client_isn + 1 || p->flags != TCP_ACK ||
	    c->flags & CONNECTION_PLAIN)
		return false;
	if (c->duplicates >= REPLAYS_MAX)
		return true;
	c->duplicates++;
	return false;
}

/* A SYN that passed is acknowledged by its client, or sent again. No state is built on a SYN-ACK that we have
 * not seen: the SYN and its ACK may both be forged. */
static __always_inline void follow_half_open(struct connection *c, const struct packet *p)
{
	struct service_state *st;

	if (!(p->flags & TCP_ACK) || p->seq != c->client_isn + 1)
		return;
	if (c->server_next && p->ack == c->server_next)
		connection_move(c, CONNECTION_SYN_RCVD, CONNECTION_ESTABLISHED);
	if (c->server_next || c->flags & CONNECTION_ONE_SIDED || p->flags & TCP_RST)
		return;
	/* of a SYN-ACK that we have not seen */
	connection_set(c, CONNECTION_ONE_SIDED);
	st = service_state_get(c->service);
	if (st)
		__sync_fetch_and_add(&st->asymmetric, 1);
}

static __always_inline enum verdict judge_known(struct xdp_md *ctx, struct crossing *x)
{
	struct connection *c = x->connection;
	struct packet *p = &x->packet;

	enum verdict verdict;

	if (!c)
		return DROP_EARLY;
	if (c->state == CONNECTION_SYN_SENT) {
		verdict = judge_early(ctx, x);
		/* the server's answer may have come on another CPU, too early to take what was kept just now
		 */
		if (verdict != DROP_EARLY || c->state != CONNECTION_ESTABLISHED)
			return verdict;
	}
	if (!connection_crosses(c))
		return DROP_EARLY;
	if (c->state == CONNECTION_SYN_RCVD)
		follow_half_open(c, p);
	if (c->flags & CONNECTION_UNPROVEN && c->state == CONNECTION_ESTABLISHED)
		prove(c, p);
	if (is_replay(c, p))
		return DROP_REPLAYED;
	if (!(c->flags & CONNECTION_PLAIN) && hop_ends(&c->hop[PORT_INSIDE], p))
		return PASS_ROUTED;
	if (!translate_ecn(ctx, p, c))
		return DROP_CE;
	follow(c, p, true);
	if (!translate(ctx, p, c, true))
		return DROP_MALFORMED;
	return c->flags & CONNECTION_PLAIN ? PASS_FLOW : PASS_TRANSLATED;
}

/* --- everything else --- */

/* Below the marks: passes with nothing to translate, and is followed from here on. */
static __always_inline enum verdict pass_syn(struct xdp_md *ctx, struct crossing *x)
{
	struct packet *p = &x->packet;
	struct workspace *w = workspace_get();

	if (x->service->agent)
		return PASS_OPEN;
	if (x->connection && x->connection->state < CONNECTION_CLOSING)
		return PASS_OPEN; /* sent again, or the server's to judge (RFC 5961, section 4) */
	if (!w)
		return PASS_OPEN;
	w->connection = (struct connection){
		.state = CONNECTION_SYN_RCVD,
		.flags = CONNECTION_PLAIN,
		.service = x->slot,
		.seen = connection_clock(),
		.client_isn = p->seq,
		.client_next = p->seq + 1,
		.client_wscale = COOKIE_NO_WSCALE,
		.server_wscale = COOKIE_NO_WSCALE,
	};
	hop_remember(ctx, p, &w->connection);
	connection_add(&x->key, &w->connection, x->connection ? BPF_ANY : BPF_NOEXIST);
	return PASS_OPEN;
}

/* A server that takes no connections gets no cookie's either; once a second a SYN passes, to see whether it
 * has come back. */
static __always_inline enum verdict judge_server(struct xdp_md *ctx, struct crossing *x)
{
	bool live = x->connection && x->connection->state < CONNECTION_CLOSING;

	switch (server_judge(&x->key, &x->packet, live)) {
	case SERVER_RECHECK:
		pass_syn(ctx, x);
		return PASS_RECHECK;
	case SERVER_CLOSED:
		return TX_CLOSED;
	case SERVER_SILENT:
		return DROP_SILENT;
	}
	return TX_SYNACK;
}

static __always_inline enum verdict judge_syn(struct xdp_md *ctx, struct crossing *x)
{
	struct packet *p = &x->packet;

	if (!flags_legal(p->flags))
		return DROP_BAD_FLAGS;
	if (is_land(p))
		return DROP_LAND;
	if (bad_source(p))
		return DROP_BAD_SOURCE;
	if (checksums_wrong(ctx, p))
		return DROP_BAD_CHECKSUM;
	if (!option_read(ctx, p, &x->options))
		return DROP_MALFORMED;
	if (x->options.present & OPTION_AUTH)
		return tcp_auth_allowed(x->service, x->state, x->rt) ? PASS_TCP_AUTH : DROP_TCP_AUTH;
	return judge_server(ctx, x);
}

/* The SYN above the marks begins the defence. */
static __always_inline bool syn_exceeds_marks(const struct crossing *x)
{
	__u32 high = x->service->half_open_high ? x->service->half_open_high : HALF_OPEN_INLINE;

	return syn_rate_exceeded(x->service, x->state, x->rt) || x->state->half_open >= high;
}

/*
 * Within what may pass of segments that nobody knows: connections that are older than we are. One prefix
 * takes a part of it at most, so that its flood leaves the rest to the others.
 */
static __always_inline bool unknown_allowed(const struct crossing *x)
{
	struct service_state *st = x->state;
	__u64 window = x->rt->jiffies_hz ? bpf_jiffies64() / x->rt->jiffies_hz : 0;

	if (st->unknown_window != window) {
		st->unknown_window = window;
		st->unknown_count = 0;
	}
	if (st->unknown_count >= x->rt->unknown_pps ||
	    !source_unknown_allowed(&x->packet, x->slot, window, x->rt->unknown_per_prefix))
		return false;
	return __sync_fetch_and_add(&st->unknown_count, 1) < x->rt->unknown_pps;
}

static __always_inline enum verdict judge_unknown(struct crossing *x)
{
	struct packet *p = &x->packet;

	if (x->stance != STANCE_DEFEND)
		return PASS_OPEN;
	if ((p->flags & (TCP_ACK | TCP_SYN | TCP_RST)) != TCP_ACK)
		return stray_verdict(p->flags);
	return unknown_allowed(x) ? PASS_UNKNOWN : stray_verdict(p->flags);
}

static __always_inline enum verdict judge_opening(struct xdp_md *ctx, struct crossing *x)
{
	struct connection *c = x->connection;
	__u64 nth = count_syn(x->slot);
	__u32 limited = 0;
	enum verdict verdict;

	if (x->stance == STANCE_OPEN)
		return PASS_OPEN;
	source_register(&x->packet, x->slot);
	if (c && c->state == CONNECTION_SYN_RCVD && c->client_isn == x->packet.seq)
		return PASS_OPEN; /* what began untranslated stays so */
	if (x->rt->accounting || x->rt->limits_mode != POLICY_OFF) {
		limited = limit_syn(&x->packet, x->rt, x->slot,
				    !x->allowed && limits_apply(x->rt, x->service), nth);
		x->weight = limited >> LIMITED_WEIGHT_SHIFT;
		if (limited_challenge(limited) && x->stance != STANCE_DEFEND) {
			if (x->service->mode != MODE_MONITOR)
				mitigation_challenge(x->state);
			x->stance = STANCE_DEFEND;
		}
	}
	if (x->stance != STANCE_DEFEND) {
		if (x->service->mode == MODE_OFF || x->rt->bypass || !syn_exceeds_marks(x))
			return pass_syn(ctx, x);
		mitigation_begin(x->state);
		x->stance = STANCE_DEFEND;
	}
	sample_syn(ctx, &x->packet, x->state, x->slot, nth);
	verdict = judge_syn(ctx, x);
	return verdict == TX_SYNACK && limited_verdict(limited) ? limited_verdict(limited) : verdict;
}

/*
 * The synmoat on the server judges all but SYNs: it alone knows the connections. What a cookie made is
 * counted, since that tells whether the SYNs are worth defending against.
 */
static __always_inline __u32 judge_agent(struct crossing *x, bool cookie)
{
	if (!cookie)
		return PASS_OPEN;
	if (!x->packet.payload) {
		count_completed(x->slot);
		half_open_complete(&x->packet, x->rt, x->slot);
	}
	return PASS_AGENT;
}

/* The ACK that makes the connection known is no new one. */
static __always_inline bool is_known_cookie(const struct crossing *x)
{
	return x->connection && x->packet.ack == x->connection->our_isn + 1 &&
	       x->packet.seq == x->connection->client_isn + 1;
}

static __always_inline __u32 judge(struct xdp_md *ctx, struct crossing *x)
{
	struct cookie_options o;
	bool cookie;

	if ((x->packet.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return judge_opening(ctx, x);
	cookie = x->stance > STANCE_WATCH && bears_cookie(ctx, x, &o);
	if (x->service->agent && !x->connection)
		return judge_agent(x, cookie);
	/* an old incarnation of the tuple gives way to a fresh cookie */
	if (cookie && !is_known_cookie(x))
		return begin(ctx, x, &o);
	return x->connection ? JUDGE_KNOWN : judge_unknown(x);
}

/* An answer that would pass: to nobody, if nothing was seen to leave on its flow. */
static __always_inline enum verdict judge_answer(struct crossing *x)
{
	struct packet *p = &x->packet;

	if (!is_answer(p->flags) || x->connection || x->service->reflection == POLICY_OFF || x->rt->bypass ||
	    asked_lately(flow_hash(p), x->rt, ASKED_TCP_S))
		return PASS_OPEN;
	return policy_verdict((enum policy_mode)x->service->reflection, x->slot, stray_verdict(p->flags),
			      PASS_OPEN);
}

/* TCP to no declared service, or none that can be told. */
static __always_inline enum verdict judge_unserved(struct xdp_md *ctx, struct crossing *x, enum parsed parsed)
{
	struct packet *p = &x->packet;
	__u32 closed = closed_mode(x->rt, p->v6, p->daddr);
	enum policy_mode mode = (enum policy_mode)(closed & 3);
	enum verdict verdict = DROP_CLOSED;

	if (parsed == PARSED_TCP && (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		scan_note(ctx, p);
	if (parsed == PARSED_TCP && is_answer(p->flags) && is_service_address(x->rt, p) &&
	    policy_mode(x->rt, POLICY_REFLECTION) >= mode) {
		mode = policy_mode(x->rt, POLICY_REFLECTION);
		verdict = stray_verdict(p->flags);
	}
	if (mode == POLICY_OFF || (parsed == PARSED_TCP && asked_lately(flow_hash(p), x->rt, ASKED_TCP_S)))
		return PASS_NO_SERVICE;
	if (verdict == DROP_CLOSED)
		guard_count(closed >> CLOSED_NUMBER_SHIFT, GUARD_CLOSED, mode);
	return policy_verdict(mode, SERVICE_NONE, verdict, PASS_NO_SERVICE);
}

/* A packet to a service, of no connection or not in its usual course. */
static __always_inline __u32 serve(struct xdp_md *ctx, struct crossing *x)
{
	__u32 fault = sanity_verdict(x->service, x->rt, &x->packet), verdict, begun;
	struct service announced;

	if (fault != SANE)
		return fault;
	verdict = judge(ctx, x);
	if (x->rt->auto_block && (verdict == DROP_BAD_COOKIE || verdict == PASS_UNKNOWN))
		guess_note(&x->packet, x->rt);
	/* what was refused has become its answer */
	if (x->service->mode == MODE_MONITOR && verdict > PASS_UNKNOWN && verdict != TX_REFUSED &&
	    verdict != JUDGE_KNOWN) {
		count_would(x->slot, verdict);
		return PASS_MONITOR;
	}
	if (verdict < TX_SYNACK || verdict == JUDGE_KNOWN)
		sanity_watch(x->service, x->rt, &x->packet, x->slot);
	if (verdict == PASS_OPEN)
		verdict = judge_answer(x);
	if (verdict == TX_SYNACK)
		verdict = judge_synack(&x->packet, x->service, x->rt, x->slot);
	if (verdict == TX_SYNACK && half_open_wanted(x->rt, x->weight)) {
		begun = half_open_begin(&x->packet, x->rt, x->slot, half_open_how(x->weight, x->allowed));
		if (begun)
			return half_open_dropped(begun);
	}
	if (verdict == TX_SYNACK) {
		announced = *x->service;
		server_apply(&x->key, &announced);
		if (!synack_write(ctx, &x->packet, &x->options, &announced, x->rt))
			return DROP_INTERNAL;
	}
	if (verdict == TX_CLOSED && !proxy_tell_closed(ctx, &x->packet))
		return DROP_INTERNAL;
	return verdict;
}

static __always_inline enum verdict refuse(struct crossing *x, enum verdict verdict)
{
	return sanity_refuse(x->service, x->rt, x->stance, x->slot, verdict);
}

/* The segment continues a connection as its numbers say it should: no question to ask about services. */
static __always_inline bool is_usual(const struct crossing *x)
{
	return x->connection && !(x->packet.flags & TCP_SYN) && flags_legal(x->packet.flags) &&
	       x->connection->state != CONNECTION_SYN_SENT && follow_fits(x->connection, &x->packet);
}

static __always_inline __u32 decide(struct xdp_md *ctx, struct crossing *x, enum parsed parsed)
{
	struct packet *p = &x->packet;
	bool whole = frame_holds(ctx, p);

	if (parsed == PARSED_TCP && whole) {
		connection_key(p, false, &x->key);
		x->connection = connection_find(&x->key);
		if (is_usual(x)) {
			x->slot = x->connection->service;
			return JUDGE_KNOWN;
		}
	}
	if (!crossing_service(x, p->daddr, parsed == PARSED_TCP ? p->dest : 0))
		return judge_unserved(ctx, x, parsed);
	if (parsed == PARSED_FRAGMENT)
		return refuse(x, DROP_FRAGMENT);
	if (parsed == PARSED_MALFORMED || !whole)
		return refuse(x, DROP_MALFORMED);
	return serve(ctx, x);
}

SEC("xdp")
int xdp_outside(struct xdp_md *ctx)
{
	struct crossing x = {};
	enum parsed parsed = packet_read(ctx, &x.packet);
	enum listed listed;
	__u32 verdict;

	if (parsed == PARSED_NOT_IP)
		return cross(ctx, &x, PASS_NOT_IP, PORT_INSIDE);
	x.rt = runtime_live();
	if (!x.rt)
		return cross(ctx, &x, PASS_NO_SERVICE, PORT_INSIDE);
	listed = list_find(x.rt, &x.packet);
	if (listed == LISTED_BLOCKED && !x.rt->bypass)
		return cross(ctx, &x, DROP_BLOCKED, PORT_INSIDE);
	x.allowed = listed == LISTED_ALLOWED;
	if (parsed == PARSED_NOT_TCP) {
		icmp_translate(ctx, &x.packet);
		return cross(ctx, &x, judge_other_protocol(ctx, &x.packet), PORT_INSIDE);
	}
	verdict = decide(ctx, &x, parsed);
	if (verdict == JUDGE_KNOWN)
		verdict = judge_known(ctx, &x);
	return cross(ctx, &x, verdict, PORT_INSIDE);
}

char _license[] SEC("license") __weak = "GPL";
