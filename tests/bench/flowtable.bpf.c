// SPDX-License-Identifier: GPL-2.0
/*
 * The table of connections, by itself: the one that the appliance has (bpf/connection.bpf.h, its own code),
 * and for comparison the kernel's hash, behind counters that answer most unknown tuples without a lookup.
 * Each program is one operation; idle() is what all of them do besides.
 */
#include "connection.bpf.h"
#include "tests/bench/flowtable.h"

struct flowtable_turn turns[FLOWTABLE_CPUS] __attribute__((aligned(128)));
struct connection fresh; /* all that are added */

static __always_inline struct flowtable_turn *turn_get(void)
{
	return &turns[bpf_get_smp_processor_id() & (FLOWTABLE_CPUS - 1)];
}

/* The turn's next flow: a million different clients, from ports in no order. */
static __always_inline void turn_take(struct flowtable_turn *turn, struct tuple *t)
{
	__u32 flow;

	if (turn->mask) {
		turn->random = turn->random * 6364136223846793005ULL + 1442695040888963407ULL;
		flow = turn->base + (turn->random >> 33 & turn->mask);
	} else {
		flow = turn->base + turn->next++;
	}
	t->client[0] = t->client[1] = t->server[0] = t->server[1] = 0;
	t->client[2] = t->server[2] = bpf_htonl(0xffff);
	t->client[3] = bpf_htonl(0x0a000000 + flow);
	t->server[3] = bpf_htonl(0xc0000201);
	t->client_port = (__be16)(flow * 0x9e3779b1U >> 16);
	t->server_port = bpf_htons(443);
	t->v6 = 0;
}

/* What every packet of a known connection reads and writes. */
static __always_inline void touch(struct flowtable_turn *turn, struct connection *c)
{
	turn->random += c->delta;
	c->seen = turn->next;
}

static __always_inline void note_found(struct flowtable_turn *turn, struct connection *c)
{
	if (c)
		touch(turn, c);
	else
		turn->refused++;
}

SEC("xdp")
int idle(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct tuple t;

	turn_take(turn, &t);
	turn->random += connection_hash(&t) & 1;
	return XDP_DROP;
}

/* --- the appliance's --- */

SEC("xdp")
int slots_find(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct connection *c;
	struct tuple t;

	turn_take(turn, &t);
	c = connection_find(&t);
	note_found(turn, c);
	return XDP_DROP;
}

SEC("xdp")
int slots_add(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct tuple t;

	turn_take(turn, &t);
	if (connection_add(&t, &fresh, BPF_NOEXIST))
		turn->refused++;
	return XDP_DROP;
}

SEC("xdp")
int slots_remove(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct connection_slot *slot;
	struct tuple t;
	int at;

	turn_take(turn, &t);
	at = connection_locate(&t);
	slot = at < 0 ? NULL : slot_get(at);
	if (slot)
		connection_delete(at, &slot->connection);
	else
		turn->refused++;
	return XDP_DROP;
}

/* --- the kernel's hash --- */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct tuple);
	__type(value, struct connection);
} hash SEC(".maps");

ARRAY_MAP(hash_near, 1, __u32, 0);
const volatile __u32 hash_near_mask = 0;

static __always_inline __u32 *hash_counter(const struct tuple *t)
{
	__u32 index = hash_near_mask & connection_hash(t);

	return bpf_map_lookup_elem(&hash_near, &index);
}

SEC("xdp")
int hash_find(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct connection *c;
	struct tuple t;
	__u32 *near;

	turn_take(turn, &t);
	near = hash_counter(&t);
	c = near && *near ? bpf_map_lookup_elem(&hash, &t) : NULL;
	note_found(turn, c);
	return XDP_DROP;
}

/* Without the counters in front of it. */
SEC("xdp")
int hash_find_bare(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct connection *c;
	struct tuple t;

	turn_take(turn, &t);
	c = bpf_map_lookup_elem(&hash, &t);
	note_found(turn, c);
	return XDP_DROP;
}

SEC("xdp")
int hash_add(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct tuple t;
	__u32 *near;

	turn_take(turn, &t);
	near = hash_counter(&t);
	count_begun(&fresh, fresh.state, 1);
	if (near)
		__sync_fetch_and_add(near, 1);
	if (bpf_map_update_elem(&hash, &t, &fresh, BPF_NOEXIST))
		turn->refused++;
	return XDP_DROP;
}

SEC("xdp")
int hash_remove(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct connection *c;
	struct tuple t;
	__u32 *near;

	turn_take(turn, &t);
	near = hash_counter(&t);
	c = bpf_map_lookup_elem(&hash, &t);
	if (!c || !near || !connection_move(c, c->state, CONNECTION_GONE) || bpf_map_delete_elem(&hash, &t))
		turn->refused++;
	else
		__sync_fetch_and_add(near, -1);
	return XDP_DROP;
}

char _license[] SEC("license") __weak = "GPL";
