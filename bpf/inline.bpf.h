/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What both hooks of the inline deployment share: a packet on its way across, and what its verdict does to
 * it.
 */
#ifndef SYNMOAT_INLINE_BPF_H
#define SYNMOAT_INLINE_BPF_H

#include "connection.bpf.h"
#include "cookie.bpf.h"
#include "count.bpf.h"
#include "event.bpf.h"
#include "forward.bpf.h"
#include "option.bpf.h"
#include "stance.bpf.h"
#include "synack.bpf.h"

struct crossing {
	const struct runtime *rt;
	const struct service *service;
	struct service_state *state;
	struct connection *connection; /* NULL: none is known */
	__u32 slot;
	__u8 stance;  /* enum stance */
	bool allowed; /* by the lists: no limit applies, cookies do */
	__u8 weight;  /* of a SYN: sample_weight(); 0 while nothing is counted */
	struct tuple key;
	struct packet packet;
	struct tcp_options options;
};

/* What we neither wrote nor changed is the kernel's to route. */
static __always_inline bool is_ours(enum verdict verdict)
{
	return verdict == PASS_TRANSLATED || verdict == PASS_HANDSHAKE || verdict == PASS_COOKIE;
}

/* Segments of the handshake between us and the server. */
static __always_inline bool is_ours_alone(enum verdict verdict)
{
	return verdict == PASS_HANDSHAKE || verdict == PASS_COOKIE;
}

/* What may move an endpoint's state crosses. Our own handshake with the server is no business of the
 * client's, and a RST counts only if the other end must have taken it. */
static __always_inline void cross_event(const struct crossing *x, enum verdict verdict, enum port to)
{
	const struct connection *c = x->connection;
	const struct packet *p = &x->packet;
	__u32 ack = p->ack;

	if (x->slot == SERVICE_NONE || verdict >= TX_SYNACK || is_ours_alone(verdict))
		return;
	if (c && p->flags & TCP_RST && c->state != CONNECTION_RESET && c->state != CONNECTION_SYN_RCVD)
		return;
	if (c && to == PORT_INSIDE)
		ack -= c->delta;
	event_segment(p, x->slot, to == PORT_OUTSIDE, ack);
}

static __always_inline int cross(struct xdp_md *ctx, const struct crossing *x, enum verdict verdict,
				 enum port to)
{
	count_verdict(x->slot, verdict);
	if (tracking)
		cross_event(x, verdict, to);
	if (verdict < TX_SYNACK)
		return forward(ctx, &x->packet, x->connection, is_ours(verdict), to);
	return verdict <= TX_REFUSED ? XDP_TX : XDP_DROP;
}

/* The service that the address and port belong to; false: none. */
static __always_inline bool crossing_service(struct crossing *x, const __be32 *address, __be16 port)
{
	x->slot = service_find(x->rt, x->packet.v6, address, port);
	if (x->slot == SERVICE_NONE)
		return false;
	x->service = service_get(x->rt, x->slot);
	x->state = service_state_get(x->slot);
	if (!x->service || !x->state)
		return false;
	x->stance = stance_of(x->rt, x->service, x->state);
	return true;
}

/* Not 0: a checksum is wrong. Global, so that it is verified once. */
__noinline __weak int checksums_wrong(struct xdp_md *ctx, const struct packet *p)
{
	return !p || !ip_checksum_ok(ctx, p) || !tcp_checksum_ok(ctx, p);
}

/* The window field of the TCP header, which struct packet does not carry. */
static __always_inline __be16 window_of(struct xdp_md *ctx, const struct packet *p)
{
	void *data = XDP_DATA(ctx), *data_end = XDP_DATA_END(ctx);
	struct tcphdr *tcp;

	if (p->l4 > L4_MAX)
		return 0;
	tcp = data + p->l4;
	return (void *)(tcp + 1) > data_end ? 0 : tcp->window;
}

#endif
