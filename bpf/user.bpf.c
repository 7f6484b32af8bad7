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
	counts = source_count(&p, level, 0, rt);
	if (level == (p.v6 ? LEVEL_PREFIX : LEVEL_SOURCE)) {
		__u32 *held = source_handshakes(source_place(&p, 32, 0));

		if (held)
			args->held = *held;
	}
	args->begun = counts;
	args->completed = counts >> 32;
	args->tag = source_hash(&p, level, SALT_SKETCH) | 1;
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
	connection_sweep(&s, rt, ~0U, false);
	args->expired = s.expired;
	args->connections = s.kept;
	args->translated = s.translated;
	args->pending = s.pending;
	return 0;
}

/* User space is about to reset both ends. What they still say crosses a while, so that each hears of it. */
SEC("syscall")
int connection_reset(struct reset_args *args)
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
