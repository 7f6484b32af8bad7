// SPDX-License-Identifier: GPL-2.0
/*
 * The table of connections, by itself: the one that the appliance has (bpf/connection.bpf.h, its own code),
 * and for comparison an array table: buckets of one cache line by two choices, words of a 40-bit fingerprint,
 * tuple and connection in a parallel array, slots that go dying and are free after a grace time. Each program
 * is one operation; idle() is what all of them do besides.
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
int hash_find(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct connection *c;
	struct tuple t;

	turn_take(turn, &t);
	c = connection_find(&t);
	if (c)
		touch(turn, c);
	else
		turn->refused++;
	return XDP_DROP;
}

/* Without the counters in front of it. */
SEC("xdp")
int bare_find(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct connection *c;
	struct tuple t;

	turn_take(turn, &t);
	c = bpf_map_lookup_elem(&connections, &t);
	if (c)
		touch(turn, c);
	else
		turn->refused++;
	return XDP_DROP;
}

SEC("xdp")
int hash_add(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct tuple t;

	turn_take(turn, &t);
	if (connection_add(&t, &fresh, BPF_NOEXIST))
		turn->refused++;
	return XDP_DROP;
}

SEC("xdp")
int hash_remove(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct tuple t;

	turn_take(turn, &t);
	if (connection_find(&t))
		connection_remove(&t);
	else
		turn->refused++;
	return XDP_DROP;
}

/* --- the array --- */

#define SLOT_WAYS	 8
#define SLOT_FINGERPRINT 24 /* bits below it: state, and the time at which it began to die */
#define SLOT_STATE	 22
#define SLOT_TIME_MASK	 ((1ULL << SLOT_STATE) - 1)

enum slot_state { SLOT_FREE, SLOT_CLAIMED, SLOT_LIVE, SLOT_DYING };

struct slot_bucket {
	__u64 word[SLOT_WAYS];
};

struct slot_entry {
	struct tuple tuple;
	struct connection connection;
} __attribute__((aligned(64)));

ARRAY_MAP(slot_buckets, 1, struct slot_bucket, BPF_F_MMAPABLE); /* begins at a page */
ARRAY_MAP(slot_entries, 1, struct slot_entry, BPF_F_MMAPABLE);

const volatile __u32 slot_count = 1; /* buckets */
__u64 slot_grace;		     /* jiffies that a slot is dying */

static __always_inline __u64 slot_word(__u64 hash, enum slot_state state)
{
	return (hash >> SLOT_FINGERPRINT | 1) << SLOT_FINGERPRINT | (__u64)state << SLOT_STATE;
}

/* Bucket one or two of the flow. */
static __always_inline __u32 slot_choice(__u64 hash, int which)
{
	return (__u64)(__u32)(which ? mix(hash, table_key[1]) : hash) * slot_count >> 32;
}

static __always_inline bool same_tuple(const struct tuple *a, const struct tuple *b)
{
	const __u64 *x = (const void *)a, *y = (const void *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]));
}

/* No two live words of a bucket have the same fingerprint, as an addition sees to. */
static __always_inline struct slot_entry *slot_find(const struct tuple *t, __u64 hash, __u64 **word)
{
	__u64 wanted = slot_word(hash, SLOT_LIVE);

	for (int which = 0; which < 2; which++) {
		__u32 index = slot_choice(hash, which), way = SLOT_WAYS;
		struct slot_bucket *b = bpf_map_lookup_elem(&slot_buckets, &index);
		struct slot_entry *e;

		if (!b)
			return NULL;
#pragma unroll
		for (int i = 0; i < SLOT_WAYS; i++)
			if (b->word[i] == wanted)
				way = i;
		if (way == SLOT_WAYS)
			continue;
		index = index * SLOT_WAYS + way;
		e = bpf_map_lookup_elem(&slot_entries, &index);
		*word = &b->word[way & (SLOT_WAYS - 1)];
		if (e && same_tuple(&e->tuple, t))
			return e;
	}
	return NULL;
}

static __always_inline bool slot_usable(__u64 word, __u64 now)
{
	enum slot_state state = word >> SLOT_STATE & 3;

	return state == SLOT_FREE || (state == SLOT_DYING && ((now - word) & SLOT_TIME_MASK) >= slot_grace);
}

static __always_inline __u32 slot_room(const struct slot_bucket *b, __u64 now, __u32 *way)
{
	__u32 room = 0;

#pragma unroll
	for (__u32 i = 0; i < SLOT_WAYS; i++)
		if (slot_usable(b->word[i], now)) {
			room++;
			*way = i;
		}
	return room;
}

/* In the emptier one of the two buckets: claimed, filled in, then made live. */
static __always_inline int slot_add(const struct tuple *t, const struct connection *c)
{
	__u64 hash = connection_hash(t), now = bpf_jiffies64(), *found, old;
	__u32 first = slot_choice(hash, 0), second = slot_choice(hash, 1), way = 0, other_way = 0, index;
	struct slot_bucket *b, *other;
	struct slot_entry *e;

	if (slot_find(t, hash, &found))
		return -17;
	b = bpf_map_lookup_elem(&slot_buckets, &first);
	other = bpf_map_lookup_elem(&slot_buckets, &second);
	if (!b || !other)
		return -1;
	index = slot_room(b, now, &way);
	if (slot_room(other, now, &other_way) > index) {
		b = other;
		way = other_way;
		first = second;
	} else if (!index) {
		return -7;
	}
	way &= SLOT_WAYS - 1;
	old = b->word[way];
	if (!slot_usable(old, now) ||
	    __sync_val_compare_and_swap(&b->word[way], old, slot_word(hash, SLOT_CLAIMED)) != old)
		return -11;
	index = first * SLOT_WAYS + way;
	e = bpf_map_lookup_elem(&slot_entries, &index);
	if (!e)
		return -1;
	e->tuple = *t;
	e->connection = *c;
	barrier();
	__sync_lock_test_and_set(&b->word[way], slot_word(hash, SLOT_LIVE));
	return 0;
}

SEC("xdp")
int array_find(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct slot_entry *e;
	struct tuple t;
	__u64 *word;

	turn_take(turn, &t);
	e = slot_find(&t, connection_hash(&t), &word);
	if (e)
		touch(turn, &e->connection);
	else
		turn->refused++;
	return XDP_DROP;
}

SEC("xdp")
int array_add(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	struct tuple t;

	turn_take(turn, &t);
	count_begun(&fresh, fresh.state, 1);
	if (slot_add(&t, &fresh))
		turn->refused++;
	return XDP_DROP;
}

SEC("xdp")
int array_remove(struct xdp_md *ctx)
{
	struct flowtable_turn *turn = turn_get();
	__u64 *word = NULL, hash;
	struct tuple t;

	turn_take(turn, &t);
	hash = connection_hash(&t);
	if (slot_find(&t, hash, &word) && word)
		__sync_lock_test_and_set(word,
					 slot_word(hash, SLOT_DYING) | (bpf_jiffies64() & SLOT_TIME_MASK));
	else
		turn->refused++;
	return XDP_DROP;
}

char _license[] SEC("license") __weak = "GPL";
