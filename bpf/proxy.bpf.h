/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The handshake with the server on behalf of a client whose cookie was valid: our SYN carries the client's
 * own ISN and options; the server's SYN-ACK becomes two packets, the ACK to the server (with the client's
 * early data) and the opening of the window to the client.
 */
#ifndef SYNMOAT_PROXY_BPF_H
#define SYNMOAT_PROXY_BPF_H

#include "connection.bpf.h"
#include "cookie.bpf.h"
#include "segment.bpf.h"
#include "server.bpf.h"
#include "stash.bpf.h"
#include "translate.bpf.h"

#define OPTION_WORD_MSS(mss)   bpf_htonl(2 << 24 | 4 << 16 | (mss))
#define OPTION_WORD_WS(wscale) bpf_htonl(1 << 24 | 3 << 16 | 3 << 8 | (wscale))
#define OPTION_WORD_SACK       bpf_htonl(0x01010402)
#define OPTION_WORD_TS	       bpf_htonl(0x0101080a)
#define OPTION_WORD_SACK_TS    bpf_htonl(0x0402080a)

/* P: the ACK that acknowledges the cookie. */
static __always_inline void proxy_connection(const struct packet *p, const struct tcp_options *in,
					     const struct cookie_options *o, const struct service *service,
					     __u32 slot, __be16 window, struct connection *c)
{
	__builtin_memset(c, 0, sizeof(*c));
	c->state = CONNECTION_SYN_SENT;
	c->service = slot;
	c->seen = connection_clock();
	c->client_isn = p->seq - 1;
	c->our_isn = p->ack - 1;
	c->client_next = p->seq + p->payload;
	c->client_mss = o->mss;
	c->client_wscale = o->wscale;
	c->our_wscale = o->wscale == COOKIE_NO_WSCALE ? 0 : service->wscale;
	c->client_window = bpf_ntohs(window);
	if (in->present & OPTION_TS) {
		c->flags |= CONNECTION_TIMESTAMPS;
		c->our_tsval = in->tsecr;
		c->client_tsval = in->tsval;
	} else {
		c->flags |= CONNECTION_UNPROVEN; /* the MAC has 21 bits, not 32 */
	}
	if (o->sack)
		c->flags |= CONNECTION_SACK;
	if (o->ecn)
		c->flags |= CONNECTION_ECN;
}

/* What the client asked for, and nothing else; its TSval is its own, TSecr 0. */
static __always_inline void proxy_syn(const struct connection *c, struct segment *s)
{
	__u32 n = 1;

	__builtin_memset(s, 0, sizeof(*s));
	s->seq = c->client_isn;
	s->flags = TCP_SYN;
	/* the last without: something in between may drop what asks for ECN (RFC 3168, section 6.1.1.1) */
	if (c->flags & (CONNECTION_ECN | CONNECTION_ECN_ASKED) && c->resends < RESENDS_ECN)
		s->flags |= TCP_ECE | TCP_CWR;
	s->window = rescale(c->client_window, c->client_wscale == COOKIE_NO_WSCALE ? 0 : c->client_wscale, 0);
	s->options[0] = OPTION_WORD_MSS(c->client_mss);
	if (c->flags & CONNECTION_TIMESTAMPS) {
		s->options[1] = c->flags & CONNECTION_SACK ? OPTION_WORD_SACK_TS : OPTION_WORD_TS;
		s->options[2] = bpf_htonl(c->client_tsval);
		s->options[3] = 0;
		s->options[4] = OPTION_WORD_WS(c->client_wscale);
		n = 4;
	} else if (c->flags & CONNECTION_SACK) {
		s->options[1] = OPTION_WORD_SACK;
		s->options[2] = OPTION_WORD_WS(c->client_wscale);
		n = 2;
	} else {
		s->options[1] = OPTION_WORD_WS(c->client_wscale);
	}
	s->words = n + (c->client_wscale != COOKIE_NO_WSCALE);
}

static __always_inline void proxy_timestamps(struct segment *s, __u32 tsval, __u32 tsecr)
{
	s->options[0] = OPTION_WORD_TS;
	s->options[1] = bpf_htonl(tsval);
	s->options[2] = bpf_htonl(tsecr);
	s->words = 3;
}

/* The third ACK of our handshake with the server. */
static __always_inline void proxy_ack(const struct connection *c, struct segment *s)
{
	__builtin_memset(s, 0, sizeof(*s));
	s->seq = c->client_isn + 1;
	s->ack = c->our_isn - c->delta + 1; /* the server's own ISN */
	s->flags = TCP_ACK;
	s->window = translate_window(c, true, c->client_window);
	s->reply = true;
	if (c->flags & CONNECTION_TIMESTAMPS)
		proxy_timestamps(s, c->client_tsval, c->our_tsval - c->ts_delta);
}

/* To the client, in the place of the server's SYN-ACK: the window that the server opens. */
static __always_inline void proxy_opening(const struct connection *c, struct segment *s)
{
	__builtin_memset(s, 0, sizeof(*s));
	s->seq = c->our_isn + 1;
	s->ack = c->client_isn + 1;
	s->flags = TCP_ACK;
	s->window = c->server_window;
	if (c->flags & CONNECTION_TIMESTAMPS)
		proxy_timestamps(s, c->our_tsval, c->client_tsval);
}

/* RST in answer to P, at exactly the number that its sender expects. */
static __always_inline bool proxy_refuse(struct xdp_md *ctx, const struct packet *p)
{
	struct workspace *w = workspace_get();

	if (!w)
		return false;
	w->segment = (struct segment){ .seq = p->ack, .flags = TCP_RST, .reply = true };
	return segment_write(ctx, p);
}

/* To a SYN: what its closed port would have answered (RFC 9293, section 3.10.7.1). */
static __always_inline bool proxy_tell_closed(struct xdp_md *ctx, const struct packet *p)
{
	struct workspace *w = workspace_get();

	if (!w)
		return false;
	w->segment = (struct segment){
		.ack = p->seq + 1 + p->payload,
		.flags = TCP_RST | TCP_ACK,
		.reply = true,
	};
	return segment_write(ctx, p);
}

/* The client gets what a closed port would have sent: RST that it must accept. */
static __always_inline bool proxy_tell_refusal(struct xdp_md *ctx, const struct packet *p,
					       const struct connection *c)
{
	struct workspace *w = workspace_get();

	if (!w)
		return false;
	w->segment = (struct segment){
		.seq = c->our_isn + 1,
		.ack = c->client_isn + 1,
		.flags = TCP_RST | TCP_ACK,
	};
	return segment_write(ctx, p);
}

/*
 * ECN crosses only when both ends do it. A client that was promised it by a server that has changed its mind
 * goes on as if it had not been: nothing of it is marked on the way, and what was is lost.
 */
static __always_inline void proxy_establish_ecn(const struct tuple *t, struct connection *c,
						const struct packet *p)
{
	bool agreed = (p->flags & (TCP_ECE | TCP_CWR)) == TCP_ECE;
	struct server *s;

	if (!(c->flags & (CONNECTION_ECN | CONNECTION_ECN_ASKED)))
		return;
	if (agreed != !!(c->flags & CONNECTION_ECN))
		connection_set(c, CONNECTION_NOT_ECT);
	s = server_find(t);
	if (s)
		server_learn_ecn(s, agreed);
}

/* The server's SYN-ACK P fixes what is translated from now on. */
static __always_inline void proxy_establish(const struct tuple *t, struct connection *c,
					    const struct packet *p, const struct tcp_options *in,
					    __u16 window)
{
	c->delta = c->our_isn - p->seq;
	c->ts_delta = c->our_tsval - in->tsval;
	c->server_next = c->acked = p->seq + 1;
	c->duplicates = 0;
	c->server_wscale = in->present & OPTION_WS ? in->wscale : COOKIE_NO_WSCALE;
	c->server_window = window >> (c->our_wscale & 15); /* a SYN-ACK's is never scaled */
	c->seen = connection_clock();
	server_learn(t, c, in);
	proxy_establish_ecn(t, c, p);
	connection_set(c, CONNECTION_ANSWERED);
	barrier(); /* whoever sees the new state sees the rest */
	connection_move(c, CONNECTION_SYN_SENT, CONNECTION_ESTABLISHED);
}

#endif
