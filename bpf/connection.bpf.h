/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of connections that cross the appliance: finding, adding, ending. A preallocated hash, one for
 * both families (IPv4 as v4-mapped: capacity is shared and there is one path), behind counters that answer
 * most unknown tuples without a lookup. It refuses what is new when it is full and never pushes anything out;
 * what has expired goes by a sweep that the daemon runs, or, when it is dead, an addition that finds no room.
 */
#ifndef SYNMOAT_CONNECTION_BPF_H
#define SYNMOAT_CONNECTION_BPF_H

#include "clock.bpf.h"
#include "flow.bpf.h"
#include "maps.bpf.h"
#include "packet.bpf.h"
#include "server.bpf.h"
#include "service.bpf.h"
#include "source.bpf.h"

#define SWEEP_ENOUGH 4096 /* expired connections, for one that found the table full */

/* RFC 5382 asks for 2 h 4 min of an established one. */
static __always_inline __u32 connection_timeout_s(const struct connection *c)
{
	switch ((enum connection_state)c->state) {
	case CONNECTION_SYN_SENT:
		return 8; /* our SYN was sent again after 1, 3 and 7 s */
	case CONNECTION_SYN_RCVD:
	case CONNECTION_OUTWARD:
		return 30;
	case CONNECTION_ESTABLISHED:
		return c->flags & (CONNECTION_CLIENT_FIN | CONNECTION_SERVER_FIN) ? 600 : 7440;
	case CONNECTION_CLOSING:
		return 60;
	case CONNECTION_TIME_WAIT:
	case CONNECTION_RESET:
	case CONNECTION_GONE:
		break;
	}
	return 10;
}

static __always_inline bool connection_expired(const struct connection *c, __u32 now, __u32 jiffies_hz)
{
	__u32 limit = (__u64)connection_timeout_s(c) * jiffies_hz >> CONNECTION_SHIFT;

	return (__s32)(now - c->seen) > (__s32)limit;
}

/* REPLY: p comes from the server. */
static __always_inline void connection_key(const struct packet *p, bool reply, struct tuple *t)
{
	const __be32 *client = reply ? p->daddr : p->saddr;
	const __be32 *server = reply ? p->saddr : p->daddr;

	t->client_port = reply ? p->dest : p->source;
	t->server_port = reply ? p->source : p->dest;
	t->v6 = p->v6;
	if (p->v6) {
		__builtin_memcpy(t->client, client, sizeof(t->client));
		__builtin_memcpy(t->server, server, sizeof(t->server));
	} else {
		t->client[0] = t->client[1] = t->server[0] = t->server[1] = 0;
		t->client[2] = t->server[2] = bpf_htonl(0xffff);
		t->client[3] = client[0];
		t->server[3] = server[0];
	}
}

static __always_inline __u64 connection_hash(const struct tuple *t)
{
	return tuple_hash(true, t->client, t->server, t->client_port, t->server_port);
}

static __always_inline __u32 *connection_counter(const struct tuple *t)
{
	__u32 index = connection_near_mask & connection_hash(t);

	return bpf_map_lookup_elem(&connection_near, &index);
}

static __always_inline struct connection *connection_find(const struct tuple *t)
{
	__u32 *near = connection_counter(t);

	return near && *near ? bpf_map_lookup_elem(&connections, t) : NULL;
}

/* --- what is counted by state --- */

/* Every connection is counted once when it enters a state and once when it leaves it. */
static __always_inline void count_begun(const struct connection *c, __u32 state, int by)
{
	struct service_state *st = service_state_get(c->service);
	__u32 *of_source;

	if (!st)
		return;
	if (state == CONNECTION_SYN_RCVD)
		__sync_fetch_and_add(&st->half_open, by);
	if (state != CONNECTION_SYN_SENT)
		return;
	__sync_fetch_and_add(&st->handshakes, by);
	of_source = source_handshakes(c->source);
	if (of_source)
		__sync_fetch_and_add(of_source, by);
}

/* True for the one that made this step. */
static __always_inline bool connection_move(struct connection *c, __u32 from, __u32 to)
{
	if (from == to || __sync_val_compare_and_swap(&c->state, from, to) != from)
		return false;
	count_begun(c, from, -1);
	return true;
}

static __always_inline void connection_set(struct connection *c, __u32 flag)
{
	if (!(c->flags & flag))
		__sync_fetch_and_or(&c->flags, flag);
}

static __always_inline void connection_clear(struct connection *c, __u32 flag)
{
	__sync_fetch_and_and(&c->flags, ~flag);
}

/* --- ending --- */

static __always_inline void connection_remove(const struct tuple *t)
{
	__u32 *near = connection_counter(t);

	if (!bpf_map_delete_elem(&connections, t) && near)
		__sync_fetch_and_add(near, -1);
}

/* Only who takes it out of its state deletes it: for all others what has its place by now is another one. */
static __always_inline void connection_delete(const struct tuple *t, struct connection *c)
{
	c->seen = connection_clock();
	if (connection_move(c, c->state, CONNECTION_GONE))
		connection_remove(t);
}

static __always_inline bool has_ended(const struct connection *c)
{
	return c->state == CONNECTION_TIME_WAIT || c->state == CONNECTION_RESET ||
	       c->state == CONNECTION_OUTWARD; /* it gives way to clients */
}

#define PROBES		 3
#define PROBE_INTERVAL_S 5
#define SILENCE_URGENT_S 90 /* longer than a living daemon lets any be silent */

struct sweep {
	__u32 now, jiffies_hz, probe_after_s;
	__u32 expired, enough, kept, translated, pending;
	bool urgent; /* what has ended need not wait for what may be under way */
};

static __always_inline __u64 silence(const struct connection *c, const struct sweep *s)
{
	return clock_elapsed(c->seen, s->now);
}

static __always_inline bool is_unproven(const struct connection *c)
{
	return c->flags & CONNECTION_UNPROVEN && c->state == CONNECTION_ESTABLISHED;
}

/* 1, 2 and 4 s after the one before. */
static __always_inline bool owes_syn(const struct connection *c, const struct sweep *s)
{
	return c->state == CONNECTION_SYN_SENT && c->resends < 3 &&
	       silence(c, s) >= s->jiffies_hz << c->resends;
}

static __always_inline bool hop_known(const struct hop *hop)
{
	return hop->to[0] | hop->to[1] | hop->to[2] | hop->to[3] | hop->to[4] | hop->to[5];
}

/* Whoever guessed the cookie does not hear the question; whom we cannot reach is not asked. */
static __always_inline enum owed owes_probe(const struct connection *c, const struct sweep *s)
{
	__u32 interval_s = s->probe_after_s < PROBE_INTERVAL_S ? s->probe_after_s : PROBE_INTERVAL_S;
	__u32 probes = c->probes;

	if (!is_unproven(c) || !hop_known(&c->hop[PORT_OUTSIDE]) ||
	    silence(c, s) < (s->probe_after_s + probes * interval_s) * (__u64)s->jiffies_hz)
		return OWED_NOTHING;
	return probes < PROBES ? OWED_PROBE : OWED_END;
}

/* It passed before mitigation began and did not complete: the server's queue needs the place. */
static __always_inline bool owes_rst(const struct connection *c, const struct sweep *s)
{
	const struct service_state *st;

	if (c->state != CONNECTION_SYN_RCVD || silence(c, s) < 3 * s->jiffies_hz)
		return false;
	st = service_state_get(c->service);
	return st && st->mitigation == MITIGATION_ACTIVE;
}

static __always_inline enum owed owes(const struct connection *c, const struct sweep *s)
{
	if (owes_rst(c, s))
		return OWED_HALF_OPEN;
	return owes_syn(c, s) ? OWED_SYN : owes_probe(c, s);
}

/* A client that answers somebody else's SYN-ACK while ours to its server stays unanswered, more than once. */
#define CHALLENGES_ONE_SIDED 2

/* A handshake that the server has left unanswered ends. */
static __always_inline void account_silence(const struct tuple *t, const struct connection *c)
{
	struct service_state *st;

	if (c->state == CONNECTION_SYN_RCVD && c->flags & CONNECTION_PLAIN && !c->server_next) {
		server_failed(t, SERVER_SILENT, false);
	} else if (c->state == CONNECTION_SYN_SENT && c->duplicates >= CHALLENGES_ONE_SIDED) {
		st = service_state_get(c->service);
		if (st)
			__sync_fetch_and_add(&st->asymmetric, 1);
	} else if (c->state == CONNECTION_SYN_SENT) {
		server_failed(t, SERVER_SILENT, true);
	}
}

/* The table is full, and no daemon came: what has ended, and what nobody ever showed that it was more than a
 * guess. */
static __always_inline bool may_go(const struct connection *c, const struct sweep *s)
{
	return has_ended(c) || (is_unproven(c) && !c->proofs &&
				silence(c, s) > (s->probe_after_s + SILENCE_URGENT_S) * (__u64)s->jiffies_hz);
}

/* False: no room, the next sweep comes in a second. */
static __always_inline bool note_pending(const struct tuple *t, const struct connection *c, enum owed owed,
					 struct sweep *s)
{
	__u32 index = s->pending;
	struct pending *p = bpf_map_lookup_elem(&pending, &index);

	if (!p)
		return false;
	s->pending++;
	p->tuple = *t;
	p->connection = *c;
	p->owed = owed;
	return true;
}

/* It will be sent. */
static __always_inline void account_owed(struct connection *c, enum owed owed, const struct sweep *s)
{
	switch (owed) {
	case OWED_SYN:
		c->resends++;
		c->seen = s->now;
		break;
	case OWED_PROBE:
		c->probes++;
		break;
	case OWED_END:
		c->seen = s->now;
		connection_move(c, CONNECTION_ESTABLISHED, CONNECTION_RESET);
		break;
	case OWED_NOTHING:
	case OWED_HALF_OPEN:
	case OWED_REFUSAL:
	case OWED_END_CLIENT:
		break;
	}
}

static long sweep_one(void *map, const void *key, void *value, void *arg)
{
	struct connection *c = value;
	struct sweep *s = arg;
	bool ends = connection_expired(c, s->now, s->jiffies_hz) || (s->urgent && may_go(c, s));
	enum owed owed = OWED_NOTHING;

	if (!s->urgent && !ends)
		owed = owes(c, s);
	else if (!s->urgent && c->state == CONNECTION_SYN_SENT)
		owed = OWED_REFUSAL;
	if (owed != OWED_NOTHING && !note_pending(key, c, owed, s)) {
		owed = OWED_NOTHING; /* it comes round again */
		ends = false;
	}
	if (ends || owed == OWED_HALF_OPEN) {
		account_silence(key, c);
		if (c->state == CONNECTION_GONE) /* since long: whoever took it meant another */
			connection_remove(key);
		else
			connection_delete(key, c);
		s->expired++;
		return s->expired >= s->enough;
	}
	s->kept++;
	if (!(c->flags & CONNECTION_PLAIN) && !has_ended(c))
		s->translated++;
	account_owed(c, owed, s);
	return 0;
}

static __always_inline void sweep_begin(struct sweep *s, const struct runtime *rt, __u32 enough, bool urgent)
{
	s->now = connection_clock();
	s->jiffies_hz = rt->jiffies_hz;
	s->probe_after_s = rt->probe_after_s;
	s->expired = s->kept = s->translated = s->pending = 0;
	s->enough = enough;
	s->urgent = urgent;
}

/* --- adding --- */

__u64 swept_at __weak; /* jiffies64 of the last sweep that an addition made */

/* Adds or, with BPF_ANY, replaces whole. 0, -EEXIST, or -E2BIG: the table is full. */
static __noinline __attribute__((unused)) int connection_add(const struct tuple *t,
							     const struct connection *c, __u64 flags)
{
	const struct runtime *rt = runtime_live();
	__u64 jiffies = bpf_jiffies64(), swept = swept_at;
	__u32 *near = connection_counter(t);
	struct sweep s;
	int error;

	if (!near || !rt || !t || !c)
		return -1;
	if (flags == BPF_ANY) {
		struct connection *old = bpf_map_lookup_elem(&connections, t);

		if (old)
			connection_delete(t, old);
	}
	__sync_fetch_and_add(near, 1); /* before it is there to be counted down */
	count_begun(c, c->state, 1);
	error = bpf_map_update_elem(&connections, t, c, BPF_NOEXIST);
	if (error == -7 /* E2BIG */ && jiffies - swept > rt->jiffies_hz &&
	    __sync_val_compare_and_swap(&swept_at, swept, jiffies) == swept) {
		sweep_begin(&s, rt, SWEEP_ENOUGH, true);
		bpf_for_each_map_elem(&connections, sweep_one, &s, 0);
		error = bpf_map_update_elem(&connections, t, c, BPF_NOEXIST);
	}
	if (error) {
		__sync_fetch_and_add(near, -1);
		count_begun(c, c->state, -1);
	}
	return error;
}

#endif
