/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of connections that cross the appliance: finding, adding, ending; one for both families (IPv4 as
 * v4-mapped: capacity is shared and there is one path). It refuses what is new when it is full and never
 * pushes anything out; what has expired goes by a sweep that the daemon runs, or, when it is dead, an
 * addition that finds no room.
 *
 * A connection lies in one of two sets of eight slots, by a keyed hash; the words of a set are one cache
 * line, so that a stranger costs two. A slot that a connection has left is nobody's for SLOT_GRACE_S: who has
 * found it, on whatever CPU, has a pointer to this connection and to no other for as long as it runs, where
 * the kernel's hash gives an entry to the next key at once (tests/bpf/inline_reuse_test.c).
 *
 * Against that hash behind counters (tests/bench/run flowtable), ns: found, of 16 connections: 8 to its 40,
 * of 64k: 120 to 230, of 1M: 370 to 650; not found: 20 to 30, 40 to 90, 80 to 250; added: 400 to 400, 400 to
 * 450, 580 to 690; for 300 bytes of memory a connection to its 210.
 */
#ifndef SYNMOAT_CONNECTION_BPF_H
#define SYNMOAT_CONNECTION_BPF_H

#include "clock.bpf.h"
#include "event.bpf.h"
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

/* REPLY: p comes from the server. In the words by which same_tuple() loads it (see struct packet). */
static __always_inline void connection_key(const struct packet *p, bool reply, struct tuple *t)
{
	const __be32 *client = reply ? p->daddr : p->saddr;
	const __be32 *server = reply ? p->saddr : p->daddr;
	__u32 ports = reply ? p->ports >> 16 | p->ports << 16 : p->ports;

	((__u64 *)t)[4] = ports | (__u64)p->v6 << 32;
	if (p->v6) {
		copy_address(t->client, client);
		copy_address(t->server, server);
	} else {
		map_address(t->client, client[0]);
		map_address(t->server, server[0]);
	}
}

static __always_inline bool same_tuple(const struct tuple *a, const struct tuple *b)
{
	const __u64 *x = (const void *)a, *y = (const void *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]));
}

static __always_inline __u64 connection_hash(const struct tuple *t)
{
	if (t->v6)
		return tuple_hash(true, t->client, t->server, t->client_port, t->server_port);
	return tuple_hash(false, &t->client[3], &t->server[3], t->client_port, t->server_port);
}

/* --- slots: SET * CONNECTION_WAYS + way --- */

#define SLOT_GRACE_S 1

/* Loads before it are done before those after it. */
static __always_inline void read_barrier(__u64 *word)
{
#ifdef __TARGET_ARCH_x86
	barrier(); /* it keeps loads in order itself */
#else
	__sync_fetch_and_or(word, 0);
#endif
}

static __always_inline __u64 slot_word(__u64 hash, enum slot_state state)
{
	return (hash >> SLOT_FINGERPRINT) << SLOT_FINGERPRINT | (__u64)state << SLOT_STATE;
}

static __always_inline struct connection_set *set_get(__u32 set)
{
	return bpf_map_lookup_elem(&connection_sets, &set);
}

static __always_inline struct connection_slot *slot_get(__u32 at)
{
	return bpf_map_lookup_elem(&connections, &at);
}

/* COUNT of nothing but its lower half. */
static __always_inline __u32 reduce(__u64 hash, __u32 count)
{
	return (hash & 0xffffffff) * count >> 32;
}

static __always_inline __u32 first_set(__u64 hash)
{
	return reduce(hash, connection_set_count);
}

/* Never the first one. */
static __always_inline __u32 second_set(__u64 hash, __u32 first)
{
	__u32 set = first + 1 + reduce(mix(hash, table_key[1]), connection_set_count - 1);

	return set < connection_set_count ? set : set - connection_set_count;
}

/* The connection's slot if it is in SET, or -1. No two words of a set that are in use have the same
 * fingerprint, as an addition sees to. */
static __always_inline int set_find(__u32 set, const struct tuple *t, __u64 wanted)
{
	struct connection_set *s = set_get(set);
	struct connection_slot *slot;
	__u32 way = CONNECTION_WAYS;

	if (!s)
		return -1;
#pragma unroll
	for (__u32 i = 0; i < CONNECTION_WAYS; i++)
		if (s->word[i] == wanted)
			way = i;
	if (way == CONNECTION_WAYS)
		return -1;
	read_barrier(&s->word[way & (CONNECTION_WAYS - 1)]);
	slot = slot_get(set * CONNECTION_WAYS + way);
	return slot && same_tuple(&slot->tuple, t) ? (int)(set * CONNECTION_WAYS + way) : -1;
}

/* The connection's slot, or -1. Global: verified once. */
__noinline __weak int connection_locate(const struct tuple *t)
{
	__u64 hash, wanted;
	__u32 first;
	int at;

	if (!t)
		return -1;
	hash = connection_hash(t);
	wanted = slot_word(hash, SLOT_LIVE);
	first = first_set(hash);
	at = set_find(first, t, wanted);
	return at >= 0 ? at : set_find(second_set(hash, first), t, wanted);
}

static __always_inline struct connection *connection_find(const struct tuple *t)
{
	int at = connection_locate(t);
	struct connection_slot *slot = at < 0 ? NULL : slot_get(at);

	if (!slot)
		return NULL;
	barrier_var(slot); /* clang would add to it before that is asked */
	return &slot->connection;
}

static __always_inline void count_connections(int by)
{
	__u32 zero = 0, *now = bpf_map_lookup_elem(&connections_now, &zero);

	if (now)
		__sync_fetch_and_add(now, by);
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

/* False: it ended before the server had answered, and nothing of it can be translated. */
static __always_inline bool connection_crosses(const struct connection *c)
{
	return c->flags & (CONNECTION_PLAIN | CONNECTION_ANSWERED);
}

/* --- ending --- */

static __always_inline void slot_leave(__u32 at)
{
	struct connection_set *s = set_get(at / CONNECTION_WAYS);
	__u64 *word;

	if (!s)
		return;
	word = &s->word[at % CONNECTION_WAYS];
	__sync_lock_test_and_set(word, (*word >> SLOT_FINGERPRINT) << SLOT_FINGERPRINT |
					       (__u64)SLOT_DYING << SLOT_STATE |
					       (bpf_jiffies64() & SLOT_TIME_MASK));
	count_connections(-1);
}

/* Whoever takes it out of its state takes it out of the table. */
static __always_inline void connection_delete(__u32 at, struct connection *c)
{
	if (connection_move(c, c->state, CONNECTION_GONE))
		slot_leave(at);
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
static __always_inline void account_owed(const struct tuple *t, struct connection *c, enum owed owed,
					 const struct sweep *s)
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
		event_end(t, c);
		break;
	case OWED_NOTHING:
	case OWED_HALF_OPEN:
	case OWED_REFUSAL:
	case OWED_END_CLIENT:
		break;
	}
}

/* One slot that was live. Not 0: enough have expired. Global: verified once. */
__noinline __weak int sweep_slot(__u32 at, struct sweep *s)
{
	struct connection_slot *slot = slot_get(at);
	enum owed owed = OWED_NOTHING;
	struct connection *c;
	bool ends;

	if (!slot || !s)
		return 0;
	c = &slot->connection;
	ends = connection_expired(c, s->now, s->jiffies_hz) || (s->urgent && may_go(c, s));
	if (!s->urgent && !ends)
		owed = owes(c, s);
	else if (!s->urgent && c->state == CONNECTION_SYN_SENT)
		owed = OWED_REFUSAL;
	if (owed != OWED_NOTHING && !note_pending(&slot->tuple, c, owed, s)) {
		owed = OWED_NOTHING; /* it comes round again */
		ends = false;
	}
	if (ends || owed == OWED_HALF_OPEN) {
		account_silence(&slot->tuple, c);
		connection_delete(at, c);
		s->expired++;
		return s->expired >= s->enough;
	}
	s->kept++;
	if (!(c->flags & CONNECTION_PLAIN) && !has_ended(c))
		s->translated++;
	account_owed(&slot->tuple, c, owed, s);
	return 0;
}

static long sweep_set(void *map, const __u32 *set, struct connection_set *words, struct sweep *s)
{
#pragma clang loop unroll(disable) /* for the sake of the stack */
	for (__u32 way = 0; way < CONNECTION_WAYS; way++)
		if (SLOT_STATE_OF(words->word[way]) == SLOT_LIVE &&
		    sweep_slot(*set * CONNECTION_WAYS + way, s))
			return 1;
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

static __always_inline bool slot_usable(__u64 word, __u64 jiffies, __u32 jiffies_hz)
{
	if (SLOT_STATE_OF(word) == SLOT_DYING)
		return ((jiffies - word) & SLOT_TIME_MASK) > SLOT_GRACE_S * jiffies_hz;
	return SLOT_STATE_OF(word) == SLOT_FREE;
}

/* How many slots of the set may be taken, times CONNECTION_WAYS, and the way of one of them. Global: verified
 * once. */
__noinline __weak int set_room(__u32 set, __u32 jiffies_hz)
{
	const struct connection_set *s = set_get(set);
	__u64 jiffies = bpf_jiffies64();
	__u32 room = 0, way = 0;

	for (__u32 i = 0; s && i < CONNECTION_WAYS; i++)
		if (slot_usable(s->word[i], jiffies, jiffies_hz)) {
			room++;
			way = i;
		}
	return room * CONNECTION_WAYS + way;
}

/* Slots of the set that are this connection's, or are about to be. Global: verified once. */
__noinline __weak int set_holds(__u32 set, __u64 hash)
{
	const struct connection_set *s = set_get(set);
	__u32 held = 0;

#pragma clang loop unroll(disable) /* for the sake of the stack */
	for (__u32 i = 0; s && i < CONNECTION_WAYS; i++)
		if (s->word[i] == slot_word(hash, SLOT_LIVE) || s->word[i] == slot_word(hash, SLOT_CLAIMED))
			held++;
	return held;
}

/*
 * In the emptier one of its two sets: claimed, filled in, made live. Of two CPUs that claim slots for the
 * same connection at once each looks for the other afterwards, and who sees it gives way, be it both. Global:
 * verified once.
 */
__noinline __weak int slot_fill(const struct tuple *t, const struct connection *c, __u32 jiffies_hz)
{
	__u32 first, second, room, other, at;
	struct connection_slot *slot;
	struct connection_set *s;
	__u64 hash, old;

	if (!t || !c)
		return -1;
	hash = connection_hash(t);
	first = first_set(hash);
	second = second_set(hash, first);
	if (set_holds(first, hash) + set_holds(second, hash))
		return -17; /* EEXIST */
	room = set_room(first, jiffies_hz);
	other = set_room(second, jiffies_hz);
	if (room < CONNECTION_WAYS && other < CONNECTION_WAYS)
		return -7; /* E2BIG */
	at = other / CONNECTION_WAYS > room / CONNECTION_WAYS
		     ? second * CONNECTION_WAYS + other % CONNECTION_WAYS
		     : first * CONNECTION_WAYS + room % CONNECTION_WAYS;
	s = set_get(at / CONNECTION_WAYS);
	slot = slot_get(at);
	if (!s || !slot)
		return -1;
	old = s->word[at % CONNECTION_WAYS];
	if (!slot_usable(old, bpf_jiffies64(), jiffies_hz) ||
	    __sync_val_compare_and_swap(&s->word[at % CONNECTION_WAYS], old, slot_word(hash, SLOT_CLAIMED)) !=
		    old)
		return -11; /* EAGAIN: another connection's by now */
	if (set_holds(first, hash) + set_holds(second, hash) > 1) {
		__sync_lock_test_and_set(&s->word[at % CONNECTION_WAYS], old);
		return -17;
	}
	slot->tuple = *t;
	slot->connection = *c;
	__sync_lock_test_and_set(&s->word[at % CONNECTION_WAYS], slot_word(hash, SLOT_LIVE));
	return 0;
}

#define FILL_TRIES 4

static __always_inline int slot_add(const struct tuple *t, const struct connection *c,
				    const struct runtime *rt)
{
	__u32 zero = 0, *now = bpf_map_lookup_elem(&connections_now, &zero);
	int error = -7;

	if (!now)
		return -1;
	if (__sync_fetch_and_add(now, 1) < connections_max)
		for (int try = 0; try < FILL_TRIES; try++) {
			error = slot_fill(t, c, rt->jiffies_hz);
			if (error != -11)
				break;
		}
	if (error)
		__sync_fetch_and_add(now, -1);
	return error;
}

/* Adds or, with BPF_ANY, replaces whole. 0, -EEXIST, or another errno: the table is full. */
static __noinline __attribute__((unused)) int connection_add(const struct tuple *t,
							     const struct connection *c, __u64 flags)
{
	const struct runtime *rt = runtime_live();
	__u64 jiffies = bpf_jiffies64(), swept = swept_at;
	struct sweep s;
	int error;

	if (!rt || !t || !c)
		return -1;
	if (flags == BPF_ANY) {
		int at = connection_locate(t);
		struct connection_slot *slot = at < 0 ? NULL : slot_get(at);

		if (slot)
			connection_delete(at, &slot->connection);
	}
	count_begun(c, c->state, 1); /* before it is there to be counted down */
	error = slot_add(t, c, rt);
	if (error == -7 && jiffies - swept > rt->jiffies_hz &&
	    __sync_val_compare_and_swap(&swept_at, swept, jiffies) == swept) {
		sweep_begin(&s, rt, SWEEP_ENOUGH, true);
		bpf_for_each_map_elem(&connection_sets, sweep_set, &s, 0);
		error = slot_add(t, c, rt);
	}
	if (error)
		count_begun(c, c->state, -1);
	return error;
}

#endif
