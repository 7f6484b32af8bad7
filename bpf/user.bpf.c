// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that user space runs itself by BPF_PROG_TEST_RUN, so that what only BPF knows (jiffies, the hash
 * of the flow table) is written once.
 */
#include "abi.h"
#include "connection.bpf.h"
#include "event.bpf.h"
#include "flow.bpf.h"
#include "sketch.bpf.h"
#include "source.bpf.h"

SEC("syscall")
int clock_read(struct clock_args *args)
{
	args->jiffies = bpf_jiffies64();
	return 0;
}

/* The kernel has a connection for this tuple: verified as of now. */
SEC("syscall")
int flow_seed(struct flow_seed_args *args)
{
	struct tuple *t = &args->tuple;

	if (t->v6)
		flow_add(tuple_hash(true, t->client, t->server, t->client_port, t->server_port));
	else
		flow_add(tuple_hash(false, &t->client[3], &t->server[3], t->client_port, t->server_port));
	return 0;
}

SEC("syscall")
int source_query(struct source_args *args)
{
	const struct runtime *rt = runtime_live();
	struct packet p = { .v6 = args->v6 };
	__u32 level = args->level;
	__u64 counts;

	if (!rt || level >= SKETCH_LEVELS)
		return 0;
	__builtin_memcpy(p.saddr, args->address, sizeof(p.saddr));
	counts = source_count(&p, level, rt);
	if (level == (p.v6 ? LEVEL_PREFIX : LEVEL_SOURCE)) {
		__u32 *held = source_handshakes(source_place(&p, 32, 0));

		if (held)
			args->held = *held;
	}
	args->begun = counts;
	args->completed = counts >> 32;
	args->tag = source_hash(&p, level, SALT_ACCOUNT) | 1;
	return 0;
}

/* Handshakes that a server has not done yet, by its port. Only the sweep writes here, and there is but one.
 */
static __always_inline void note_half_open(const struct tuple *t, const struct connection *c,
					   const struct sweep *s)
{
	__u32 port = bpf_ntohs(t->server_port), age = clock_elapsed(c->seen, s->now);
	struct port_half_opens *h;

	if (c->state != CONNECTION_SYN_SENT && c->state != CONNECTION_SYN_RCVD)
		return;
	h = bpf_map_lookup_elem(&half_open_ports, &port);
	if (!h)
		return;
	if (t->v6)
		h->v6++;
	else
		h->v4++;
	if (c->resends)
		h->resent++;
	if (h->oldest < age)
		h->oldest = age;
}

static long expire_set(void *map, const __u32 *set, struct connection_set *words, struct sweep *s)
{
	for (__u32 way = 0; way < CONNECTION_WAYS; way++) {
		__u32 at = *set * CONNECTION_WAYS + way;
		struct connection_slot *slot;

		if (SLOT_STATE_OF(words->word[way]) != SLOT_LIVE)
			continue;
		sweep_slot(at, s);
		slot = slot_get(at);
		if (slot)
			note_half_open(&slot->tuple, &slot->connection, s);
	}
	return 0;
}

/* Once a second: what has expired makes room. */
SEC("syscall")
int connection_expire(struct sweep_args *args)
{
	const struct runtime *rt = runtime_live();
	struct sweep s;

	if (!rt)
		return 0;
	sweep_begin(&s, rt, ~0U, false);
	bpf_for_each_map_elem(&connection_sets, expire_set, &s, 0);
	args->expired = s.expired;
	args->connections = s.kept;
	args->translated = s.translated;
	args->pending = s.pending;
	return 0;
}

SEC("syscall")
int connection_query(struct connection_args *args)
{
	struct tuple key = args->tuple;
	const struct connection *c = connection_find(&key);

	args->found = !!c;
	if (c)
		args->connection = *c;
	return 0;
}

/* User space is about to reset both ends. What they still say crosses a while, so that each hears of it. */
SEC("syscall")
int connection_reset(struct connection_args *args)
{
	struct tuple key = args->tuple;
	struct connection *c = connection_find(&key);

	args->found = 0;
	if (!c || c->state == CONNECTION_RESET)
		return 0;
	args->found = 1;
	args->connection = *c;
	c->seen = connection_clock();
	connection_move(c, args->connection.state, CONNECTION_RESET);
	return 0;
}

SEC("syscall")
int ring_query(struct ring_args *args)
{
	args->used = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	args->size = bpf_ringbuf_query(&events, BPF_RB_RING_SIZE);
	return 0;
}

struct waiting_sweep {
	__u32 now, limit, kept;
};

static long waiting_sweep_one(void *map, const void *key, void *value, void *arg)
{
	const struct waiting *w = value;
	struct waiting_sweep *s = arg;
	__u32 *near = waiting_counter(*(const __u64 *)key);

	s->kept++;
	if ((__s32)(s->now - w->since) > (__s32)s->limit && near && !bpf_map_delete_elem(&waiting, key)) {
		__sync_fetch_and_add(near, -1);
		s->kept--;
	}
	return 0;
}

/* Nobody waits for ever: an ACK that has not come for so long is of a peer that has vanished. */
SEC("syscall")
int waiting_expire(struct waiting_args *args)
{
	const struct runtime *rt = runtime_live();
	struct waiting_sweep s = { .now = bpf_jiffies64() >> EVENT_TIME_SHIFT };

	if (!rt)
		return 0;
	s.limit = (__u64)args->older_s * rt->jiffies_hz >> EVENT_TIME_SHIFT;
	bpf_for_each_map_elem(&waiting, waiting_sweep_one, &s, 0);
	args->kept = s.kept;
	return 0;
}

/*
 * How long the SYN queue of the socket is that a SYN of this tuple would meet. Asked and answered in the
 * packet that it is run on, in the network namespace of who runs it.
 */
SEC("tc")
int listener_query(struct __sk_buff *skb)
{
	struct listener_args *args = (void *)(long)skb->data;
	struct bpf_sock_tuple t = {};
	struct tcp_sock *tp;
	struct bpf_sock *sk;
	__u32 size;

	if ((void *)(args + 1) > (void *)(long)skb->data_end)
		return 0;
	args->found = 0;
	if (args->tuple.v6) {
		__builtin_memcpy(t.ipv6.saddr, args->tuple.client, sizeof(t.ipv6.saddr));
		__builtin_memcpy(t.ipv6.daddr, args->tuple.server, sizeof(t.ipv6.daddr));
		t.ipv6.sport = args->tuple.client_port;
		t.ipv6.dport = args->tuple.server_port;
		size = sizeof(t.ipv6);
	} else {
		t.ipv4.saddr = args->tuple.client[3];
		t.ipv4.daddr = args->tuple.server[3];
		t.ipv4.sport = args->tuple.client_port;
		t.ipv4.dport = args->tuple.server_port;
		size = sizeof(t.ipv4);
	}
	sk = size == sizeof(t.ipv6) ? bpf_skc_lookup_tcp(skb, &t, sizeof(t.ipv6), BPF_F_CURRENT_NETNS, 0)
				    : bpf_skc_lookup_tcp(skb, &t, sizeof(t.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return 0;
	tp = sk->state == BPF_TCP_LISTEN ? bpf_skc_to_tcp_sock(sk) : NULL;
	if (tp) {
		args->found = 1;
		args->half_open = tp->inet_conn.icsk_accept_queue.qlen.counter;
		args->cookie = tp->inet_conn.icsk_inet.sk.__sk_common.skc_cookie.counter;
	}
	bpf_sk_release(sk);
	return 0;
}

/* Sends the frame that it is run on. */
static __always_inline int inject(struct __sk_buff *skb, enum port port)
{
	const struct runtime *rt = runtime_live();

	return rt ? bpf_clone_redirect(skb, rt->port_ifindex[port], 0) : -1;
}

SEC("tc")
int inject_inside(struct __sk_buff *skb)
{
	return inject(skb, PORT_INSIDE);
}

SEC("tc")
int inject_outside(struct __sk_buff *skb)
{
	return inject(skb, PORT_OUTSIDE);
}

char _license[] SEC("license") __weak = "GPL";
