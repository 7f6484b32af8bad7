/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each server is like, learned from the inside alone: what its own SYN-ACKs offer, so that ours announce
 * the same; and whether it takes connections at all, so that a client gets what it would get directly. Kept
 * by address and port in a table without collision chains, since another server's profile would be wrong.
 */
#ifndef SYNMOAT_SERVER_BPF_H
#define SYNMOAT_SERVER_BPF_H

#include "clock.bpf.h"
#include "cookie.bpf.h"
#include "flow.bpf.h"

#define SERVER_TRUSTED_S 10 /* after a SYN-ACK: a server may well refuse one client, and take another */

static __always_inline struct server *server_slot(const struct tuple *t, __u32 *tag)
{
	__be32 none[4] = {};
	__u64 hash = tuple_hash(true, none, t->server, 0, t->server_port);
	__u32 index = hash & (SERVERS_MAX - 1);

	*tag = hash >> 32 | 1;
	return bpf_map_lookup_elem(&servers, &index);
}

/* NULL: nothing is known of it. */
static __always_inline struct server *server_find(const struct tuple *t)
{
	__u32 tag;
	struct server *s = server_slot(t, &tag);

	return s && s->tag == tag ? s : NULL;
}

static __always_inline void server_init(struct server *s, const struct tuple *t, __u32 tag)
{
	*s = (struct server){
		.tag = tag,
		.wscale = 7,
		.options = OPTION_SACK | OPTION_TS,
		.port = t->server_port,
		.address = { t->server[0], t->server[1], t->server[2], t->server[3] },
	};
}

/* --- whether it takes connections --- */

static __always_inline void server_opened(struct server *s)
{
	s->seen = s->opened = connection_clock();
	if (s->failures)
		s->failures = 0;
	if (s->status != SERVER_OPEN)
		s->status = SERVER_OPEN;
}

static __always_inline bool server_within(__u32 when, __u32 now, __u32 seconds)
{
	const struct runtime *rt = runtime_live();

	return rt && clock_elapsed(when, now) <= (__u64)seconds * rt->jiffies_hz;
}

/*
 * A handshake came to nothing. PROVEN: its client had a good cookie. Any other may be forged, by somebody who
 * knows whom the server refuses: it only refreshes what is known.
 */
static __always_inline void server_failed(const struct tuple *t, enum server_status_word status, bool proven)
{
	__u32 tag, now = connection_clock();
	struct server *s = server_slot(t, &tag);

	if (!s)
		return;
	if (s->tag != tag) {
		if (!proven || (s->tag && server_within(s->seen, now, SERVER_STALE_S)))
			return;
		server_init(s, t, tag);
	}
	if (s->status == SERVER_OPEN &&
	    (!proven || (s->opened && server_within(s->opened, now, SERVER_TRUSTED_S))))
		return;
	s->seen = now;
	if (s->failures < SERVER_FAILURES)
		s->failures++;
	if (s->failures >= SERVER_FAILURES)
		s->status = status;
}

/* What a SYN to it would come to. */
static __always_inline enum server_status_word server_status(const struct server *s)
{
	if (!s || s->status == SERVER_OPEN || !server_within(s->seen, connection_clock(), SERVER_STALE_S))
		return SERVER_OPEN;
	return s->status == SERVER_CLOSED ? SERVER_CLOSED : SERVER_SILENT;
}

/* --- what it offers --- */

/*
 * IN: of a SYN-ACK that answered a SYN which offered C's options. Global: its own stack frame, or those of
 * its callers are too large together for Linux 6.1.
 */
__noinline __weak int server_learn(const struct tuple *t, const struct connection *c,
				   const struct tcp_options *in)
{
	struct server learned = {};
	struct server *s;
	__u32 tag;

	if (!t || !c || !in)
		return 0;
	s = server_slot(t, &tag);
	if (!s)
		return 0;
	if (s->tag == tag)
		learned = *s;
	else
		server_init(&learned, t, tag);
	server_opened(&learned);
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
	return 0;
}

/* --- ECN --- */

static __always_inline bool server_ecn_fresh(const struct server *s)
{
	return s->ecn != SERVER_ECN_UNKNOWN &&
	       server_within(s->ecn_seen, connection_clock(), SERVER_ECN_STALE_S);
}

/* A client would like ECN: the next handshake with the server may ask. */
static __always_inline void server_want_ecn(struct server *s, const struct packet *syn)
{
	if (s && (syn->flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR) && !s->ecn_wanted &&
	    !server_ecn_fresh(s))
		s->ecn_wanted = 1;
}

/* Once a minute a handshake may ask the server for ECN that its client does not do. Global: verified once. */
__noinline __weak int server_ask_ecn(const struct tuple *t)
{
	const struct runtime *rt = runtime_live();
	__u32 before, now = connection_clock();
	struct server *s;

	if (!t || !rt)
		return 0;
	s = server_find(t);
	if (!s || !s->ecn_wanted)
		return 0;
	before = s->ecn_asked;
	return (!before || clock_elapsed(before, now) >= 60ULL * rt->jiffies_hz) &&
	       __sync_val_compare_and_swap(&s->ecn_asked, before, now) == before;
}

static __always_inline void server_learn_ecn(struct server *s, bool agreed)
{
	s->ecn = agreed ? SERVER_ECN_YES : SERVER_ECN_NO;
	s->ecn_seen = connection_clock();
	s->ecn_wanted = 0;
}

/* --- a SYN --- */

/* Once a second somebody may see whether it has come back. */
static __always_inline bool server_may_ask(struct server *s, const struct runtime *rt)
{
	__u32 before = s->asked, now = connection_clock();

	return clock_elapsed(before, now) >= rt->jiffies_hz &&
	       __sync_val_compare_and_swap(&s->asked, before, now) == before;
}

enum { SERVER_RECHECK = SERVER_SILENT + 1 };

/*
 * What becomes of a SYN: enum server_status_word, or SERVER_RECHECK: it passes, to see whether the server has
 * come back (not if LIVE: its tuple is taken). Global: verified once.
 */
__noinline __weak int server_judge(const struct tuple *t, const struct packet *syn, bool live)
{
	const struct runtime *rt = runtime_live();
	enum server_status_word status;
	struct server *s;

	if (!t || !syn || !rt)
		return SERVER_OPEN;
	s = server_find(t);
	if (!s)
		return SERVER_OPEN;
	server_want_ecn(s, syn);
	status = server_status(s);
	return status != SERVER_OPEN && !live && server_may_ask(s, rt) ? SERVER_RECHECK : (int)status;
}

/*
 * *s: as configured, narrowed to what the server offers. Not its window scale: no cookie carries ours, so it
 * must not change between a SYN-ACK and its ACK. Global: verified once.
 */
__noinline __weak int server_apply(const struct tuple *t, struct service *s)
{
	const struct server *known;

	if (!t || !s)
		return 0;
	known = server_find(t);
	if (!known)
		return 0;
	if (known->mss && known->mss < s->mss4)
		s->mss4 = known->mss;
	if (known->mss && known->mss < s->mss6)
		s->mss6 = known->mss;
	s->wscale_ok = known->wscale != COOKIE_NO_WSCALE;
	s->sack_ok = !!(known->options & OPTION_SACK);
	s->timestamps_ok = !!(known->options & OPTION_TS);
	s->ecn_ok = known->ecn == SERVER_ECN_YES && server_ecn_fresh(known);
	return 0;
}

#endif
