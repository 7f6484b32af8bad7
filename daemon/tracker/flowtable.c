// SPDX-License-Identifier: GPL-2.0-or-later
/* See flowtable.h. An id is the place in its family's store and one, with bit 31 for IPv6. */
#include "daemon/tracker/flowtable.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#define ID_V6	    (1U << 31)
#define WHEEL_SLOTS 1024 /* 256 s; what is due later comes by, and is put off again */
#define UNARMED	    UINT32_MAX

struct store {
	uint8_t *flows;
	size_t size;	     /* of one flow */
	uint32_t used, free; /* high-water mark; id of the first free one, linked by hash_next */
};

struct flowtable {
	struct store store[2]; /* by v6 */
	uint32_t *buckets;
	uint32_t bucket_mask;
	uint32_t count, max;
	uint64_t key[2];
	uint32_t now, wheel[WHEEL_SLOTS];
	uint32_t pairs[TS_COUNT][TS_COUNT];
};

static struct flow *flow_of(const struct flowtable *t, uint32_t id)
{
	const struct store *s = &t->store[!!(id & ID_V6)];

	return (struct flow *)(s->flows + ((id & ~ID_V6) - 1) * s->size);
}

static bool is_v6(const struct flowtable *t, const struct flow *f)
{
	const uint8_t *at = (const uint8_t *)f, *v6 = t->store[1].flows;

	return at >= v6 && at < v6 + t->store[1].size * t->max;
}

static uint32_t id_of(const struct flowtable *t, const struct flow *f)
{
	bool v6 = is_v6(t, f);
	size_t offset = (size_t)((const uint8_t *)f - t->store[v6].flows);

	return ((uint32_t)(offset / t->store[v6].size) + 1) | (v6 ? ID_V6 : 0);
}

/* --- life --- */

static void *reserve(size_t size)
{
	void *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static size_t bucket_bytes(const struct flowtable *t)
{
	return ((size_t)t->bucket_mask + 1) * sizeof(*t->buckets);
}

int flowtable_new(struct flowtable **table, uint32_t flows_max, uint32_t now_ticks)
{
	struct flowtable *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->max = flows_max;
	t->now = now_ticks;
	t->bucket_mask = 1;
	while (t->bucket_mask + 1 < flows_max)
		t->bucket_mask = t->bucket_mask << 1 | 1;
	t->buckets = reserve(bucket_bytes(t));
	for (int v6 = 0; v6 < 2; v6++) {
		t->store[v6].size = FLOW_SIZE(v6);
		t->store[v6].flows = reserve(t->store[v6].size * flows_max);
	}
	if (!t->buckets || !t->store[0].flows || !t->store[1].flows ||
	    getrandom(t->key, sizeof(t->key), 0) != sizeof(t->key)) {
		flowtable_free(t);
		return -ENOMEM;
	}
	*table = t;
	return 0;
}

void flowtable_free(struct flowtable *t)
{
	if (!t)
		return;
	if (t->buckets)
		munmap(t->buckets, bucket_bytes(t));
	for (int v6 = 0; v6 < 2; v6++)
		if (t->store[v6].flows)
			munmap(t->store[v6].flows, t->store[v6].size * t->max);
	free(t);
}

uint32_t flowtable_size(const struct flowtable *t)
{
	return t->count;
}

uint32_t flowtable_max(const struct flowtable *t)
{
	return t->max;
}

/* --- by tuple --- */

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 32;
}

/* Keyed, so that nobody outside can find tuples that collide. */
static uint32_t *bucket_of(const struct flowtable *t, const struct tuple *tuple)
{
	uint64_t h = t->key[0];

	if (tuple->v6)
		for (int i = 0; i < 3; i++)
			h = mix(h, (uint64_t)tuple->client[i] << 32 | tuple->server[i]);
	h = mix(h, (uint64_t)tuple->client[3] << 32 | tuple->server[3]);
	h = mix(h + t->key[1], (uint64_t)tuple->client_port << 16 | tuple->server_port);
	return &t->buckets[mix(h, t->key[1]) & t->bucket_mask];
}

static bool matches(const struct flow *f, const struct tuple *tuple, bool v6)
{
	if (f->port[CLIENT] != tuple->client_port || f->port[SERVER] != tuple->server_port)
		return false;
	if (!v6)
		return f->address[0] == tuple->client[3] && f->address[1] == tuple->server[3];
	return !memcmp(f->address, tuple->client, sizeof(tuple->client)) &&
	       !memcmp(f->address + 4, tuple->server, sizeof(tuple->server));
}

struct flow *flowtable_find(const struct flowtable *t, const struct tuple *tuple)
{
	for (uint32_t id = *bucket_of(t, tuple); id; id = flow_of(t, id)->hash_next) {
		struct flow *f = flow_of(t, id);

		if (!!(id & ID_V6) == !!tuple->v6 && matches(f, tuple, tuple->v6))
			return f;
	}
	return NULL;
}

void flowtable_tuple(const struct flowtable *t, const struct flow *f, struct tuple *tuple)
{
	memset(tuple, 0, sizeof(*tuple));
	tuple->client_port = f->port[CLIENT];
	tuple->server_port = f->port[SERVER];
	tuple->v6 = is_v6(t, f);
	if (tuple->v6) {
		memcpy(tuple->client, f->address, sizeof(tuple->client));
		memcpy(tuple->server, f->address + 4, sizeof(tuple->server));
	} else {
		tuple->client[2] = tuple->server[2] = htonl(0xffff);
		tuple->client[3] = f->address[0];
		tuple->server[3] = f->address[1];
	}
}

static uint32_t take_place(struct flowtable *t, bool v6)
{
	struct store *s = &t->store[v6];
	uint32_t id = s->free;

	if (id)
		s->free = flow_of(t, id)->hash_next;
	else
		id = ++s->used | (v6 ? ID_V6 : 0);
	return id;
}

struct flow *flowtable_add(struct flowtable *t, const struct tuple *tuple)
{
	uint32_t *bucket = bucket_of(t, tuple), id;
	struct flow *f;

	if (t->count >= t->max)
		return NULL;
	id = take_place(t, tuple->v6);
	f = flow_of(t, id);
	memset(f, 0, sizeof(*f));
	f->due = UNARMED;
	f->port[CLIENT] = tuple->client_port;
	f->port[SERVER] = tuple->server_port;
	if (tuple->v6) {
		memcpy(f->address, tuple->client, sizeof(tuple->client));
		memcpy(f->address + 4, tuple->server, sizeof(tuple->server));
	} else {
		f->address[0] = tuple->client[3];
		f->address[1] = tuple->server[3];
	}
	f->hash_next = *bucket;
	*bucket = id;
	t->count++;
	return f;
}

/* --- timers --- */

static void disarm(struct flowtable *t, struct flow *f)
{
	if (f->due == UNARMED)
		return;
	if (f->timer_prev)
		flow_of(t, f->timer_prev)->timer_next = f->timer_next;
	else
		t->wheel[f->timer_slot] = f->timer_next;
	if (f->timer_next)
		flow_of(t, f->timer_next)->timer_prev = f->timer_prev;
	f->due = UNARMED;
}

void flowtable_arm(struct flowtable *t, struct flow *f, uint32_t due_ticks)
{
	uint32_t id = id_of(t, f), *slot;

	disarm(t, f);
	if ((int32_t)(due_ticks - t->now) < 1) /* that slot has been passed */
		due_ticks = t->now + 1;
	f->due = due_ticks;
	if (due_ticks - t->now >= WHEEL_SLOTS)
		due_ticks = t->now + WHEEL_SLOTS - 1;
	f->timer_slot = (uint16_t)(due_ticks % WHEEL_SLOTS);
	slot = &t->wheel[f->timer_slot];
	f->timer_prev = 0;
	f->timer_next = *slot;
	if (*slot)
		flow_of(t, *slot)->timer_prev = id;
	*slot = id;
}

uint32_t flowtable_due_ms(const struct flowtable *t, const struct flow *f)
{
	int32_t left = (int32_t)(f->due - t->now);

	return left > 0 ? (uint32_t)left * (1000 / FLOWTABLE_TICKS_PER_S) : 0;
}

/* One slot of the wheel; what is put off counts, too, so that no call takes long. */
static uint32_t expire_slot(struct flowtable *t, uint32_t tick, flowtable_fn *fn, void *arg, uint32_t max)
{
	uint32_t id = t->wheel[tick % WHEEL_SLOTS], done = 0;

	while (id && done < max) {
		struct flow *f = flow_of(t, id);
		uint32_t due = f->due;

		id = f->timer_next;
		disarm(t, f);
		done++;
		if ((int32_t)(due - tick) > 0)
			flowtable_arm(t, f, due);
		else
			fn(t, f, arg);
	}
	return done;
}

uint32_t flowtable_expire(struct flowtable *t, uint32_t now_ticks, flowtable_fn *fn, void *arg, uint32_t max)
{
	uint32_t done = 0;

	while ((int32_t)(now_ticks - t->now) > 0) {
		done += expire_slot(t, t->now + 1, fn, arg, max - done);
		if (done >= max) /* the rest of this slot is due still */
			break;
		t->now++;
	}
	return done;
}

void flowtable_remove(struct flowtable *t, struct flow *f)
{
	uint32_t id = id_of(t, f), *link;
	struct tuple tuple;

	disarm(t, f);
	flowtable_tuple(t, f, &tuple);
	for (link = bucket_of(t, &tuple); *link != id; link = &flow_of(t, *link)->hash_next)
		;
	*link = f->hash_next;
	t->pairs[f->state[CLIENT]][f->state[SERVER]]--;
	t->count--;
	memset(f, 0, sizeof(*f));
	f->hash_next = t->store[!!(id & ID_V6)].free;
	t->store[!!(id & ID_V6)].free = id;
}

/* --- all of them --- */

static bool in_use(const struct flow *f)
{
	return f->port[CLIENT] || f->port[SERVER];
}

/* The place after AT, a place's id or 0; 0: there is none. */
static uint32_t place_after(const struct flowtable *t, uint32_t at)
{
	uint32_t v6 = at & ID_V6, next = (at & ~ID_V6) + 1;

	if (next <= (t->store[!!v6].used & ~ID_V6))
		return next | v6;
	return v6 || !t->store[1].used ? 0 : 1 | ID_V6;
}

bool flowtable_walk(struct flowtable *t, uint32_t *cursor, uint32_t max, flowtable_fn *fn, void *arg)
{
	while (max--) {
		uint32_t id = place_after(t, *cursor);

		if (!id)
			return false;
		*cursor = id;
		if (in_use(flow_of(t, id)))
			fn(t, flow_of(t, id), arg);
	}
	return true;
}

void flowtable_each(struct flowtable *t, flowtable_fn *fn, void *arg)
{
	uint32_t cursor = 0;

	while (flowtable_walk(t, &cursor, UINT32_MAX, fn, arg))
		;
}

uint32_t flowtable_pairs(const struct flowtable *t, enum tcp_state client, enum tcp_state server)
{
	return t->pairs[client][server];
}

void flowtable_count(struct flowtable *t, const struct flow *f)
{
	t->pairs[f->state[CLIENT]][f->state[SERVER]]++;
}

void flowtable_moved(struct flowtable *t, const struct flow *f, const uint8_t before[ENDPOINTS])
{
	t->pairs[before[CLIENT]][before[SERVER]]--;
	flowtable_count(t, f);
}
