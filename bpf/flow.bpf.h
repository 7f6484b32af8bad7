/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Verified flows, host mode: which segments of established connections may pass without asking the kernel's
 * socket table. A cache only: a bucket is one cache line of eight 64-bit entries, an entry a keyed
 * fingerprint of the tuple with the time at which the kernel last vouched for it. A second later the kernel
 * is asked again, so no entry outlives its socket by more than that; what does not fit displaces the entry
 * vouched for longest ago.
 * In front of the buckets lies flow_near, small enough for the second-level cache: which parts of all
 * fingerprints a bucket may hold. Segments of no known flow, such as a flood's, are told by it alone and wait
 * for no bucket, which for them is never in any cache.
 */
#ifndef SYNMOAT_FLOW_BPF_H
#define SYNMOAT_FLOW_BPF_H

#include "maps.bpf.h"
#include "packet.bpf.h"

enum flow_freshness {
	FLOW_MISS,
	FLOW_FRESH,
	FLOW_STALE,   /* ask the kernel again */
	FLOW_CLOSING, /* FIN or RST was seen less than FLOW_CLOSING_S ago */
};

/* Entry: 63..24 fingerprint (never 0), 23 closing, 22..0 time in jiffies / 64: of the last check, or when
 * closing ends. The time wraps after 24 days at 250 Hz. */
#define FLOW_CLOSING_BIT   (1U << 23)
#define FLOW_TIME_MASK	   (FLOW_CLOSING_BIT - 1)
#define FLOW_FINGERPRINT   24
#define FLOW_JIFFIES_SHIFT 6
#define FLOW_CLOSING_S	   5
#define FLOW_PART_SHIFT	   60 /* sixteen parts, by the fingerprint's first bits */

static __always_inline __u64 mix(__u64 h, __u64 word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 32;
}

/* Keyed and quick, not cryptographic: nobody outside sees any of its output. */
static __always_inline __u64 tuple_hash(bool v6, const __be32 *client, const __be32 *server,
					__be16 client_port, __be16 server_port)
{
	__u64 ports = (__u64)client_port << 16 | server_port;
	__u64 h = table_key[0];

	if (v6) {
		h = mix(h, (__u64)client[0] << 32 | client[1]);
		h = mix(h, (__u64)client[2] << 32 | client[3]);
		h = mix(h, (__u64)server[0] << 32 | server[1]);
		h = mix(h, (__u64)server[2] << 32 | server[3]);
		ports |= 1ULL << 32;
	} else {
		h = mix(h, (__u64)client[0] << 32 | server[0]);
	}
	h = mix(h + table_key[1], ports);
	return mix(h, table_key[1]);
}

static __always_inline __u64 flow_hash(const struct packet *p)
{
	return tuple_hash(p->v6, p->saddr, p->daddr, p->source, p->dest);
}

static __always_inline __u64 flow_hash_reply(const struct packet *p)
{
	return tuple_hash(p->v6, p->daddr, p->saddr, p->dest, p->source);
}

static __always_inline struct flow_bucket *flow_bucket(__u64 hash)
{
	__u32 index = hash & flow_mask;

	return bpf_map_lookup_elem(&flows, &index);
}

static __always_inline __u64 flow_fingerprint(__u64 hash)
{
	__u64 f = hash >> FLOW_FINGERPRINT;

	return f ? f : 1;
}

static __always_inline __u32 flow_time(__u64 jiffies)
{
	return jiffies >> FLOW_JIFFIES_SHIFT & FLOW_TIME_MASK;
}

/* Time units from FROM to TO, negative if TO lies before it. */
static __always_inline __s32 flow_elapsed(__u32 from, __u32 to)
{
	return (__s32)((to - from) << 9) >> 9;
}

static __always_inline __u64 *flow_lookup(struct flow_bucket *b, __u64 hash)
{
	__u64 fingerprint = flow_fingerprint(hash);

#pragma unroll
	for (int i = 0; i < FLOW_WAYS; i++)
		if (b->entry[i] >> FLOW_FINGERPRINT == fingerprint)
			return &b->entry[i];
	return NULL;
}

/* As flow_lookup(), but the entry's value; 0: none. The path of every packet: no address to carry along. */
static __always_inline __u64 flow_read(const struct flow_bucket *b, __u64 hash)
{
	__u64 fingerprint = flow_fingerprint(hash);

#pragma unroll
	for (int i = 0; i < FLOW_WAYS; i++) {
		__u64 entry = b->entry[i];

		if (entry >> FLOW_FINGERPRINT == fingerprint)
			return entry;
	}
	return 0;
}

static __always_inline __u16 *flow_near_get(__u64 hash)
{
	__u32 bucket = hash & flow_mask, line = bucket / FLOW_NEAR_BUCKETS;
	struct flow_near *near = bpf_map_lookup_elem(&flow_near, &line);

	return near ? &near->parts[bucket % FLOW_NEAR_BUCKETS] : NULL;
}

/* Of an entry or of the hash that it is made of. */
static __always_inline __u32 flow_part(__u64 entry)
{
	return 1U << (entry >> FLOW_PART_SHIFT);
}

static __always_inline enum flow_freshness flow_find(__u64 hash, const struct runtime *rt)
{
	const __u16 *near = flow_near_get(hash);
	struct flow_bucket *b;
	__u32 now, time;
	__u64 entry;

	if (!near || !(*near & flow_part(hash)))
		return FLOW_MISS;
	b = flow_bucket(hash);
	entry = b ? flow_read(b, hash) : 0;
	if (!entry)
		return FLOW_MISS;
	now = flow_time(bpf_jiffies64());
	time = entry & FLOW_TIME_MASK;
	if (entry & FLOW_CLOSING_BIT)
		return flow_elapsed(now, time) > 0 ? FLOW_CLOSING : FLOW_MISS;
	return (__u32)flow_elapsed(time, now) <= rt->jiffies_hz >> FLOW_JIFFIES_SHIFT ? FLOW_FRESH
										      : FLOW_STALE;
}

/* TIME: with its bits in front, if any. */
static __always_inline void flow_put(struct flow_bucket *b, __u64 hash, __u32 time)
{
	__u64 value = flow_fingerprint(hash) << FLOW_FINGERPRINT | time;
	__u32 now = flow_time(bpf_jiffies64());
	__u64 *entry;
	__s32 oldest = -1;

	entry = flow_lookup(b, hash);
	if (!entry) {
#pragma unroll
		for (int i = 0; i < FLOW_WAYS; i++) {
			__u32 t = b->entry[i] & FLOW_TIME_MASK;
			__s32 age = b->entry[i] ? flow_elapsed(t, now) & FLOW_TIME_MASK : FLOW_TIME_MASK;

			if (age > oldest) {
				oldest = age;
				entry = &b->entry[i];
			}
		}
	}
	if (entry)
		*entry = value;
}

static __always_inline bool flow_has_ended(__u64 entry, __u32 now)
{
	return !entry || (entry & FLOW_CLOSING_BIT && flow_elapsed(now, (__u32)entry & FLOW_TIME_MASK) <= 0);
}

/*
 * Tells anew which parts the bucket holds, after each change: those of flows that have ended are forgotten.
 * Of two CPUs that change one bucket at once, one may not see the other's entry: the next segment of that
 * flow is a miss, and adds it again. Global: verified once.
 */
__noinline __weak int flow_near_note(__u64 hash)
{
	__u32 now = flow_time(bpf_jiffies64()), parts = 0;
	struct flow_bucket *b = flow_bucket(hash);
	__u16 *near = flow_near_get(hash);

	if (!b || !near)
		return 0;
	for (int i = 0; i < FLOW_WAYS; i++) {
		__u64 entry = b->entry[i];

		if (!flow_has_ended(entry, now))
			parts |= flow_part(entry);
	}
	if (*near != parts)
		*near = parts;
	return 0;
}

static __always_inline void flow_store(__u64 hash, __u32 time)
{
	struct flow_bucket *b = flow_bucket(hash);

	if (!b)
		return;
	flow_put(b, hash, time);
	flow_near_note(hash);
}

/* The kernel vouches for the flow now. */
static __always_inline void flow_add(__u64 hash)
{
	flow_store(hash, flow_time(bpf_jiffies64()));
}

/* FIN or RST was seen: a new incarnation of the tuple must show its cookie from now on. */
static __always_inline void flow_close(__u64 hash, const struct runtime *rt)
{
	__u64 end = bpf_jiffies64() + FLOW_CLOSING_S * (__u64)rt->jiffies_hz;

	flow_store(hash, flow_time(end) | FLOW_CLOSING_BIT);
}

static __always_inline void flow_forget(__u64 hash)
{
	struct flow_bucket *b = flow_bucket(hash);
	__u64 *entry = b ? flow_lookup(b, hash) : NULL;

	if (entry)
		*entry = 0;
}

#endif
