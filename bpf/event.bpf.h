/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tells user space of the segments that may move the state of an endpoint: SYN, FIN and RST always, of bare
 * ACKs those alone that somebody waits for: of a SYN-ACK, of a FIN. All others cost a look at a counter.
 * Never wakes user space, and never holds up a packet: what finds no room is counted.
 */
#ifndef SYNMOAT_EVENT_BPF_H
#define SYNMOAT_EVENT_BPF_H

#include "flow.bpf.h"
#include "maps.bpf.h"
#include "packet.bpf.h"

#define EVENT_TIME_SHIFT 6		       /* waiting.since */
#define EVENT_REPLY	 0x5bd1e9955bd1e995ULL /* tells the key of the server's ACKs from the client's */

static __always_inline struct event_counters *event_counters(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&event_counts, &zero);
}

static __always_inline __u32 *waiting_counter(__u64 key)
{
	__u32 index = key & waiting_near_mask;

	return bpf_map_lookup_elem(&waiting_near, &index);
}

static __always_inline __u32 event_next(const struct packet *p)
{
	return p->seq + p->payload + !!(p->flags & TCP_SYN) + !!(p->flags & TCP_FIN);
}

static __always_inline void event_lose(void)
{
	struct event_counters *c = event_counters();

	if (c)
		c->lost++;
}

static __always_inline void event_submit(struct event *e)
{
	struct event_counters *c = event_counters();

	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	if (c)
		c->emitted++;
}

static __always_inline void event_put(const struct packet *p, __u32 service, bool reply,
				      enum event_origin origin, __u32 ack)
{
	const __be32 *client = reply ? p->daddr : p->saddr;
	const __be32 *server = reply ? p->saddr : p->daddr;
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		event_lose();
		return;
	}
	e->time_ns = bpf_ktime_get_ns();
	e->client_port = reply ? p->dest : p->source;
	e->server_port = reply ? p->source : p->dest;
	e->next = event_next(p);
	e->ack = p->flags & TCP_ACK ? ack : 0;
	e->flags = p->flags;
	e->origin = origin;
	e->service = service;
	e->v6 = p->v6;
	if (p->v6) {
		__builtin_memcpy(e->client, client, sizeof(e->client));
		__builtin_memcpy(e->server, server, sizeof(e->server));
	} else {
		map_address(e->client, client[0]);
		map_address(e->server, server[0]);
	}
	event_submit(e);
}

static __always_inline void waiting_add(__u64 key, __u32 ack)
{
	struct waiting w = { .ack = ack, .since = bpf_jiffies64() >> EVENT_TIME_SHIFT };
	__u32 *near = waiting_counter(key);
	struct event_counters *c;
	int error;

	if (!near)
		return;
	__sync_fetch_and_add(near, 1); /* first, so that no ACK slips by */
	error = bpf_map_update_elem(&waiting, &key, &w, BPF_NOEXIST);
	if (!error)
		return;
	__sync_fetch_and_add(near, -1);
	if (error == -17) { /* EEXIST: sent again, or the FIN after an unanswered SYN-ACK */
		bpf_map_update_elem(&waiting, &key, &w, BPF_EXIST);
		return;
	}
	c = event_counters();
	if (c)
		c->unawaited++;
}

/* True once: this ACK is what its direction of the flow waited for. */
static __always_inline bool waiting_end(__u64 key, __u32 ack)
{
	struct waiting *w = bpf_map_lookup_elem(&waiting, &key);
	__u32 *near = waiting_counter(key);

	if (!w || !near || (__s32)(ack - w->ack) < 0 || bpf_map_delete_elem(&waiting, &key))
		return false;
	__sync_fetch_and_add(near, -1);
	return true;
}

static __noinline int event_rare(const struct packet *p, __u32 service, __u32 reply, __u64 key, __u32 ack)
{
	bool due = p->flags & TCP_ACK && waiting_end(key, ack);

	if (!due && !(p->flags & (TCP_SYN | TCP_FIN | TCP_RST)))
		return 0;
	event_put(p, service, reply, reply ? EVENT_SERVER : EVENT_CLIENT, ack);
	if (p->flags & TCP_FIN || (p->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
		waiting_add(key ^ EVENT_REPLY, event_next(p));
	return 0;
}

/* P passes to or, REPLY, from a service. ACK: its acknowledgement in the numbers of the end that it goes to.
 */
static __always_inline void event_segment(const struct packet *p, __u32 service, bool reply, __u32 ack)
{
	__u32 *near;
	__u64 key;

	if (!tracking)
		return;
	key = reply ? flow_hash_reply(p) ^ EVENT_REPLY : flow_hash(p);
	near = waiting_counter(key);
	if ((near && *near) || p->flags & (TCP_SYN | TCP_FIN | TCP_RST))
		event_rare(p, service, reply, key, ack);
}

/* The daemon ends the connection at the server, in the client's name: no program sees its RST pass. */
static __always_inline void event_end(const struct tuple *t, const struct connection *c)
{
	struct event *e;

	if (!tracking)
		return;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		event_lose();
		return;
	}
	e->time_ns = bpf_ktime_get_ns();
	__builtin_memcpy(e->client, t->client, sizeof(e->client));
	__builtin_memcpy(e->server, t->server, sizeof(e->server));
	e->client_port = t->client_port;
	e->server_port = t->server_port;
	e->next = c->client_next;
	e->ack = 0;
	e->flags = TCP_RST;
	e->origin = EVENT_CLIENT;
	e->service = c->service;
	e->v6 = t->v6;
	event_submit(e);
}

/* The handshake is done, by a cookie: P is its third ACK or, REPLY, the server's answer to our SYN. */
static __always_inline void event_cookie(const struct packet *p, __u32 service, bool reply)
{
	if (tracking)
		event_put(p, service, reply, EVENT_COOKIE, p->ack);
}

#endif
