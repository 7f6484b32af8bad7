// SPDX-License-Identifier: GPL-2.0
/*
 * XDP inline, on the interface that servers answer on: their handshakes with us end here, what belongs to a
 * known connection is translated and crosses, what is older than we are is learned. Also the program that
 * writes, behind a devmap, the ACK of a server's SYN-ACK.
 */
#include "abi.h"
#include "follow.bpf.h"
#include "guard.bpf.h"
#include "inline.bpf.h"
#include "proxy.bpf.h"
#include "reflection.bpf.h"
#include "sanity.bpf.h"
#include "stash.bpf.h"
#include "translate.bpf.h"

enum { ANSWER_BOTH = VERDICT_COUNT }; /* two packets, written behind the devmap */

static __always_inline void count_answered(__u32 service)
{
	struct service_state *st = service_state_get(service);

	if (st)
		__sync_fetch_and_add(&st->answered, 1);
}

/* The server speaks while its handshake with us is not done, or begins it again. */
static __always_inline __u32 judge_answer(struct xdp_md *ctx, struct crossing *x)
{
	struct connection *c = x->connection;
	struct packet *p = &x->packet;
	bool pending = c->state == CONNECTION_SYN_SENT;

	if (checksums_wrong(ctx, p)) /* what we make of it would have right ones */
		return DROP_BAD_CHECKSUM;
	if (p->flags & TCP_RST) {
		if (!pending || p->ack != c->client_isn + 1 || !(p->flags & TCP_ACK) ||
		    !connection_move(c, CONNECTION_SYN_SENT, CONNECTION_RESET))
			return DROP_STRAY_RST;
		server_failed(&x->key, SERVER_CLOSED, true);
		return proxy_tell_refusal(ctx, p, c) ? PASS_HANDSHAKE : DROP_INTERNAL;
	}
	if ((p->flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK)) {
		if (!(p->flags & TCP_ACK))
			return stray_verdict(p->flags);
		/* a challenge ACK: an old incarnation is in our way (RFC 5961, section 4) */
		return proxy_refuse(ctx, p) ? TX_RST : DROP_INTERNAL;
	}
	if (p->ack != c->client_isn + 1 || c->state == CONNECTION_RESET)
		return proxy_refuse(ctx, p) ? TX_RST : DROP_INTERNAL;
	if (!pending)
		return c->our_isn - p->seq == c->delta ? ANSWER_BOTH : DROP_STRAY_SYNACK;
	if (!option_read(ctx, p, &x->options))
		return DROP_MALFORMED;
	count_answered(c->service);
	proxy_establish(&x->key, c, p, &x->options, bpf_ntohs(window_of(ctx, p)));
	event_cookie(p, x->slot, true);
	return ANSWER_BOTH;
}

/* The server answers a SYN that passed. */
static __always_inline void follow_opening(const struct tuple *t, struct connection *c,
					   const struct packet *p)
{
	struct server *s;

	if (p->flags & TCP_RST && !c->server_next) {
		server_failed(t, SERVER_CLOSED, false);
		connection_move(c, CONNECTION_SYN_RCVD, CONNECTION_RESET);
	}
	if ((p->flags & (TCP_SYN | TCP_RST)) != TCP_SYN)
		return;
	c->server_next = p->seq + 1;
	count_answered(c->service);
	s = server_find(t);
	if (s)
		server_opened(s);
}

/* The server has its answer, and acknowledges it. */
static __always_inline void follow_outward(struct connection *c, const struct packet *p)
{
	if ((p->flags & (TCP_ACK | TCP_SYN | TCP_RST)) != TCP_ACK)
		return;
	c->client_next = p->ack;
	c->server_next = p->seq + p->payload;
	connection_move(c, CONNECTION_OUTWARD, CONNECTION_ESTABLISHED);
}

/* What passes untranslated from the beginning: the server's ISN is the one thing to know. */
static __always_inline void follow_plain(const struct tuple *t, struct connection *c, const struct packet *p)
{
	if (c->state == CONNECTION_OUTWARD)
		follow_outward(c, p);
	else if (c->state == CONNECTION_SYN_RCVD && p->flags & (TCP_SYN | TCP_RST) && p->flags & TCP_ACK &&
		 p->ack == c->client_isn + 1)
		follow_opening(t, c, p);
	else if (!(p->flags & TCP_SYN))
		follow(c, p, false);
}

static __always_inline __u32 judge_known(struct xdp_md *ctx, struct crossing *x)
{
	struct connection *c = x->connection;
	struct packet *p = &x->packet;

	if (c->flags & CONNECTION_PLAIN) {
		follow_plain(&x->key, c, p);
		return PASS_FLOW;
	}
	if (c->state == CONNECTION_SYN_SENT || p->flags & TCP_SYN)
		return judge_answer(ctx, x);
	if (!connection_crosses(c))
		return stray_verdict(p->flags);
	if (hop_ends(&c->hop[PORT_OUTSIDE], p))
		return PASS_ROUTED;
	if (c->duplicates)
		c->duplicates = 0; /* an idle client answers a server's keepalive with its third ACK again */
	if (!translate_ecn(ctx, p, c))
		return DROP_CE;
	follow(c, p, false);
	return translate(ctx, p, c, false) ? PASS_TRANSLATED : DROP_MALFORMED;
}

/*
 * A server that acknowledges, and does not refuse, has a connection that is older than we are. One that opens
 * a connection out of a service's port must get its answer, which nobody else's SYN-ACK does.
 */
static __always_inline void learn(struct crossing *x)
{
	__u8 flags = x->packet.flags & (TCP_ACK | TCP_SYN | TCP_RST | TCP_FIN);
	bool opens = flags == TCP_SYN && x->stance == STANCE_DEFEND;
	struct workspace *w = workspace_get();
	struct packet *p = &x->packet;

	if (!w || (flags != TCP_ACK && !opens))
		return;
	w->connection = (struct connection){
		.state = opens ? CONNECTION_OUTWARD : CONNECTION_ESTABLISHED,
		.flags = CONNECTION_PLAIN,
		.service = x->slot,
		.seen = connection_clock(),
		.client_next = p->ack,
		.server_next = p->seq + p->payload,
		.client_wscale = COOKIE_NO_WSCALE,
		.server_wscale = COOKIE_NO_WSCALE,
	};
	connection_add(&x->key, &w->connection, BPF_NOEXIST);
}

/* A segment or echo request that leaves. Global: its own stack frame. */
__noinline __weak int note_outward(struct xdp_md *ctx, const struct packet *p)
{
	const struct runtime *rt = runtime_live();
	struct echo_header echo;

	if (!p || !rt || !asked_wanted(rt))
		return 0;
	if (p->protocol == IPPROTO_TCP)
		asked_note_segment(p);
	else if (!bpf_xdp_load_bytes(ctx, p->l4, &echo, sizeof(echo)))
		asked_note_echo(p, &echo);
	return 0;
}

/* PASS, or the verdict of a policy against it. */
static __always_inline enum verdict judge_outward(const struct runtime *rt, const struct packet *p, bool tcp,
						  enum verdict pass)
{
	int fault;

	if (!rt || !outward_wanted(rt))
		return pass;
	fault = outward_fault(p, tcp);
	return fault == SANE ? pass
			     : policy_verdict(fault_mode(fault), SERVICE_NONE, fault_verdict(fault), pass);
}

/* A function, or the compiler lets all redirects share one call: of which the kernel no longer knows the map,
 * which costs every packet an indirect call, 16 ns. */
static __noinline int redirect_to_both(void)
{
	return bpf_redirect_map(&both, 0, BPF_F_BROADCAST);
}

/*
 * The server's SYN-ACK becomes two packets: here the client's, the window that it opens; of that, behind the
 * devmap, the server's. There the kernel runs the program of the first frame over all frames that one poll of
 * the driver sends to an interface: so outside, where all else goes as well, has none.
 */
static __always_inline int answer_both(struct xdp_md *ctx, struct crossing *x)
{
	struct connection *c = x->connection;
	struct workspace *w = workspace_get();

	if (!w)
		return cross(ctx, x, DROP_INTERNAL, PORT_OUTSIDE);
	if (forward_mode == FORWARD_ROUTE)
		hop_return(ctx, &c->hop[PORT_INSIDE]);
	proxy_opening(c, &w->segment);
	if (!segment_write(ctx, &x->packet))
		return cross(ctx, x, DROP_INTERNAL, PORT_OUTSIDE);
	/* without a way to the client it goes nowhere, the server's all the same */
	if (forward_mode == FORWARD_ROUTE &&
	    !hop_resolve(ctx, &x->packet, &c->hop[PORT_OUTSIDE], PORT_OUTSIDE))
		hop_apply(ctx, &x->packet, &c->hop[PORT_OUTSIDE]);
	count_verdict(x->slot, PASS_HANDSHAKE);
	return redirect_to_both();
}

SEC("xdp")
int xdp_inside(struct xdp_md *ctx)
{
	struct crossing x = {};
	struct packet *p = &x.packet;
	enum parsed parsed = packet_read(ctx, p);
	__u32 verdict;

	if (parsed == PARSED_NOT_IP)
		return cross(ctx, &x, PASS_NOT_IP, PORT_OUTSIDE);
	if (parsed == PARSED_NOT_TCP && is_echo_protocol(p))
		note_outward(ctx, p);
	if (parsed != PARSED_TCP || !frame_holds(ctx, p))
		return cross(ctx, &x, judge_outward(runtime_live(), p, false, PASS_NOT_TCP), PORT_OUTSIDE);
	connection_key(p, true, &x.key);
	x.connection = connection_find(&x.key);
	if (x.connection) {
		x.slot = x.connection->service;
		verdict = judge_known(ctx, &x);
		if (verdict == ANSWER_BOTH)
			return answer_both(ctx, &x);
		return cross(ctx, &x, verdict, PORT_OUTSIDE);
	}
	x.rt = runtime_live();
	verdict = judge_outward(x.rt, p, true, PASS_NO_SERVICE);
	if (verdict != PASS_NO_SERVICE)
		return cross(ctx, &x, verdict, PORT_OUTSIDE);
	if (x.rt && asked_wanted(x.rt))
		note_outward(ctx, p);
	if (!x.rt || !crossing_service(&x, p->saddr, p->source))
		return cross(ctx, &x, PASS_NO_SERVICE, PORT_OUTSIDE);
	if (x.stance != STANCE_OPEN && !x.service->agent)
		learn(&x);
	return cross(ctx, &x, PASS_OPEN, PORT_OUTSIDE);
}

/* --- behind the devmap: a copy of what opens the window of the client --- */

static __always_inline struct connection *copied_connection(struct xdp_md *ctx, struct packet *p)
{
	struct tuple key;

	if (packet_read(ctx, p) != PARSED_TCP)
		return NULL;
	connection_key(p, true, &key);
	return connection_find(&key);
}

static __always_inline bool store_stash(struct xdp_md *ctx, const struct packet *p, const struct segment *s,
					struct connection *c)
{
	struct stash *stash = stash_get(c->stash);
	__u32 at = p->l3 + (p->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) + TCP_MIN + s->words * 4;
	__u32 length = s->payload;

	if (!stash || !stash_bound(&length, STASH_WINDOW) ||
	    bpf_xdp_store_bytes(ctx, at, stash->data, length))
		return false;
	connection_clear(c, CONNECTION_STASHED);
	stash_release(stash, c->our_isn);
	return true;
}

SEC("xdp/devmap")
int xdp_copy_inside(struct xdp_md *ctx)
{
	struct packet p = {};
	struct connection *c = copied_connection(ctx, &p);
	struct workspace *w = workspace_get();
	struct stash *stash = NULL;

	if (!c || !w)
		return XDP_DROP;
	proxy_ack(c, &w->segment);
	if (c->flags & CONNECTION_STASHED)
		stash = stash_get(c->stash);
	if (stash && stash->owner == c->our_isn && stash->length <= STASH_WINDOW) {
		w->segment.payload = stash->length;
		w->segment.payload_sum = stash->sum;
		w->segment.flags |= TCP_PSH;
	}
	if (!segment_write(ctx, &p) ||
	    (forward_mode == FORWARD_ROUTE && !hop_address(ctx, &c->hop[PORT_INSIDE])))
		return XDP_DROP;
	return !w->segment.payload || store_stash(ctx, &p, &w->segment, c) ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") __weak = "GPL";
