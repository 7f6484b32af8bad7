/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Follows an established connection to its end: sequence numbers of both sides, FINs and their ACKs, RSTs
 * that the other end must have accepted (RFC 5961, section 3.2).
 */
#ifndef SYNMOAT_FOLLOW_BPF_H
#define SYNMOAT_FOLLOW_BPF_H

#include "connection.bpf.h"

#define PLAUSIBLE (1U << 24) /* how far a number may lie from what is known and still belong */

/* Each costs whoever guesses as many segments again as the cookie did: these together make 26 bits of it. */
#define PROOFS_ENOUGH 32

static __always_inline bool near_to(__u32 number, __u32 known)
{
	return number - known + PLAUSIBLE < 2 * PLAUSIBLE;
}

/* The client's segment P belongs to this incarnation of the tuple, as far as its numbers tell. */
static __always_inline bool follow_fits(const struct connection *c, const struct packet *p)
{
	if (c->state >= CONNECTION_CLOSING)
		return false;
	return near_to(p->seq, c->client_next) && near_to(p->ack - c->delta, c->server_next);
}

/*
 * The client's segment P, of a connection that is unproven: it acknowledges what the server has sent since,
 * or comes after a probe. A guesser may repeat a guess as often as it likes, which is no life either. Global:
 * verified once.
 */
__noinline __weak int prove(struct connection *c, const struct packet *p)
{
	__u32 ack;
	__s32 least;

	if (!c || !p)
		return 0;
	ack = p->ack - c->delta;
	least = c->probes ? 0 : 1;
	if (!(p->flags & TCP_ACK) || p->flags & (TCP_SYN | TCP_RST) || !near_to(p->seq, c->client_next) ||
	    (__s32)(ack - c->server_next) > 0 || (__s32)(ack - c->acked) < least)
		return 0;
	c->acked = ack;
	c->seen = connection_clock();
	c->probes = 0;
	c->duplicates = 0;
	c->proofs++;
	if (c->proofs >= PROOFS_ENOUGH)
		connection_clear(c, CONNECTION_UNPROVEN);
	return 0;
}

/* A segment lets its connection live on; of one that is unproven, only what proves or ends it. */
static __always_inline bool is_life(const struct connection *c, const struct packet *p, bool from_client)
{
	return !(c->flags & CONNECTION_UNPROVEN) || c->state != CONNECTION_ESTABLISHED ||
	       p->flags & TCP_RST || (from_client && p->flags & TCP_FIN);
}

static __always_inline void follow_ends(struct connection *c, bool acked, __u32 flag)
{
	if (acked)
		connection_set(c, flag);
	if ((c->flags & (CONNECTION_CLIENT_FIN | CONNECTION_SERVER_FIN)) !=
	    (CONNECTION_CLIENT_FIN | CONNECTION_SERVER_FIN))
		return;
	connection_move(c, CONNECTION_ESTABLISHED, CONNECTION_CLOSING);
	if ((c->flags & (CONNECTION_CLIENT_ACKED | CONNECTION_SERVER_ACKED)) ==
	    (CONNECTION_CLIENT_ACKED | CONNECTION_SERVER_ACKED))
		connection_move(c, CONNECTION_CLOSING, CONNECTION_TIME_WAIT);
}

/* Before translation: P carries the numbers of its sender. */
static __always_inline void follow(struct connection *c, const struct packet *p, bool from_client)
{
	__u32 next = p->seq + p->payload + !!(p->flags & TCP_FIN);
	__u32 *known = from_client ? &c->client_next : &c->server_next;
	__u32 fin = from_client ? CONNECTION_CLIENT_FIN : CONNECTION_SERVER_FIN;
	__u32 now = connection_clock();

	if (c->seen != now && is_life(c, p, from_client))
		c->seen = now;
	if (p->flags & TCP_RST) {
		/* its receiver may have missed the FIN that we have seen */
		bool due = p->seq == *known || (c->flags & fin && p->seq + 1 == *known);

		if (due && c->state >= CONNECTION_ESTABLISHED) {
			connection_move(c, CONNECTION_ESTABLISHED, CONNECTION_RESET);
			connection_move(c, CONNECTION_CLOSING, CONNECTION_RESET);
		}
		return;
	}
	if (near_to(next, *known) && (__s32)(next - *known) > 0)
		*known = next;
	/* it was not accepted, then */
	if (c->state == CONNECTION_RESET && (p->payload || p->flags & TCP_FIN))
		connection_move(c, CONNECTION_RESET, CONNECTION_ESTABLISHED);
	if (from_client && p->flags & TCP_FIN) {
		c->client_fin = next;
		connection_set(c, CONNECTION_CLIENT_FIN);
	} else if (p->flags & TCP_FIN) {
		c->server_fin = next;
		connection_set(c, CONNECTION_SERVER_FIN);
	}
	if (c->flags & (CONNECTION_CLIENT_FIN | CONNECTION_SERVER_FIN) && p->flags & TCP_ACK) {
		if (from_client)
			follow_ends(c, c->flags & CONNECTION_SERVER_FIN && p->ack - c->delta == c->server_fin,
				    CONNECTION_SERVER_ACKED);
		else
			follow_ends(c, c->flags & CONNECTION_CLIENT_FIN && p->ack == c->client_fin,
				    CONNECTION_CLIENT_ACKED);
	}
}

#endif
