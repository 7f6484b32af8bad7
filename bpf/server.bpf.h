/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each server's own SYN-ACKs offer, so that ours announce the same: learned from the inside, kept by
 * address and port in a table without collision chains, since another server's profile would be wrong.
 */
#ifndef SYNMOAT_SERVER_BPF_H
#define SYNMOAT_SERVER_BPF_H

#include "connection.bpf.h"
#include "cookie.bpf.h"

static __always_inline struct server *server_slot(const struct tuple *t, __u32 *tag)
{
	__be32 none[4] = {};
	__u64 hash = tuple_hash(true, none, t->server, 0, t->server_port);
	__u32 index = hash & (SERVERS_MAX - 1);

	*tag = hash >> 32 | 1;
	return bpf_map_lookup_elem(&servers, &index);
}

/* IN: of a SYN-ACK that answered a SYN which offered C's options. */
static __always_inline void server_learn(const struct tuple *t, const struct connection *c,
					 const struct tcp_options *in)
{
	__u32 tag;
	struct server *s = server_slot(t, &tag);
	struct server learned = {};

	if (!s)
		return;
	if (s->tag == tag)
		learned = *s;
	else
		learned = (struct server){
			.tag = tag,
			.wscale = 7,
			.options = OPTION_SACK | OPTION_TS,
			.port = t->server_port,
			.address = { t->server[0], t->server[1], t->server[2], t->server[3] },
		};
	learned.seen = connection_clock();
	if (in->present & OPTION_MSS)
		learned.mss = in->mss;
	if (c->client_wscale != COOKIE_NO_WSCALE) {
		learned.known |= OPTION_WS;
		learned.wscale = in->present & OPTION_WS ? in->wscale : COOKIE_NO_WSCALE;
	}
	if (c->flags & CONNECTION_SACK) {
		learned.known |= OPTION_SACK;
		learned.options = (learned.options & ~OPTION_SACK) | (in->present & OPTION_SACK);
	}
	if (c->flags & CONNECTION_TIMESTAMPS) {
		learned.known |= OPTION_TS;
		learned.options = (learned.options & ~OPTION_TS) | (in->present & OPTION_TS);
	}
	*s = learned;
}

/*
 * *s: as configured, narrowed to what the server offers. Not its window scale: no cookie carries ours, so it
 * must not change between a SYN-ACK and its ACK.
 */
static __always_inline void server_apply(const struct tuple *t, struct service *s)
{
	__u32 tag;
	const struct server *known = server_slot(t, &tag);

	if (!known || known->tag != tag)
		return;
	if (known->mss && known->mss < s->mss4)
		s->mss4 = known->mss;
	if (known->mss && known->mss < s->mss6)
		s->mss6 = known->mss;
	s->wscale_ok = known->wscale != COOKIE_NO_WSCALE;
	s->sack_ok = !!(known->options & OPTION_SACK);
	s->timestamps_ok = !!(known->options & OPTION_TS);
}

#endif
