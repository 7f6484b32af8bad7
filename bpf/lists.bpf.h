/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allow and block lists: which entry decides about a source. The longest prefix has won already when the
 * table was made (daemon/lists/table.c), so there is one walk, of one cache line a step.
 */
#ifndef SYNMOAT_LISTS_BPF_H
#define SYNMOAT_LISTS_BPF_H

#include "maps.bpf.h"
#include "packet.bpf.h"

enum listed { LISTED_NOT, LISTED_BLOCKED, LISTED_ALLOWED };

#define LIST_CLOCK_SHIFT 6

static __always_inline struct list_line *list_line(__u32 number)
{
	__u32 map = number >> LIST_MAP_SHIFT, index = number & (LIST_MAP_LINES - 1);
	void *lines = bpf_map_lookup_elem(&list_chunks, &map);

	return lines ? bpf_map_lookup_elem(lines, &index) : NULL;
}

/* Keys that are not above VALUE; without branches, which would be mispredicted. */
static __always_inline __u32 list_place(const struct list_line *line, __u64 value)
{
	__u64 count = 0, below = ~value;

#pragma unroll
	for (int i = 0; i < LIST_KEYS; i++)
		count += (line->key[i] + below) >> 63;
	return count;
}

/* The place in a LIST_FILTER, whose words are behind the one for all other values. */
static __always_inline __u32 list_filter_place(const struct list_filter *f, __u64 value)
{
	__u64 count = 1, below = ~value, mask = -(__u64)(f->bits[value >> 13 & 7] >> (value >> 8 & 31) & 1);

#pragma unroll
	for (int i = 0; i < LIST_FILTER_KEYS; i++)
		count += (f->key[i] + below) >> 63;
	return count & mask;
}

/* The word of 16 bits of an address in a LIST_DIRECT. */
static __always_inline __u32 list_direct(__u32 word, __u32 value)
{
	struct list_line *line = list_line((word & LIST_LINE) + (value >> 4));

	return line ? ((__u32 *)line)[value & 15] : 0;
}

/* The word that WORD's line or table has for VALUE. Global, so that it is verified once, not for each step.
 */
__noinline __weak int list_step(__u32 word, __u32 value)
{
	__u32 to = word & LIST_TO, place;
	struct list_line *line;

	if (to == LIST_DIRECT)
		return list_direct(word, value);
	line = list_line(word & LIST_LINE);
	if (!line)
		return 0;
	if (to == LIST_FILTER)
		place = list_filter_place((struct list_filter *)line, value);
	else
		place = list_place(line, value);
	barrier_var(place);
	return ((__u32 *)line)[place & 15];
}

static __always_inline __u32 list_walk(__u32 word, __u64 high, __u64 low)
{
	for (int i = 0; i < LIST_STEPS && word & LIST_REF; i++) {
		__u32 done = (word >> 29 ^ word >> 30) & 1, value = high >> 48;

		word = list_step(word, value);
		done <<= 4;
		high = high << done | low >> 32 >> (32 - done);
		low <<= done;
	}
	return word & LIST_REF ? 0 : word;
}

static __always_inline void list_count(__u32 word)
{
	__u32 record = (word & LIST_RECORD) - 1, now = bpf_jiffies64() >> LIST_CLOCK_SHIFT;
	struct list_line *line = list_line(record >> 2);
	struct list_record *r;

	if (!line)
		return;
	r = (struct list_record *)line + (record & 3);
	r->hits++; /* an atomic would wait for the line of memory, which nothing else here does */
	if (r->last != now)
		r->last = now;
}

/* The address comes left-aligned in HIGH and LOW. Global, so that it is verified once, with scalars alone. */
__noinline __weak int list_judge(__u32 root, __u64 high, __u64 low)
{
	__u32 word = list_direct(root, high >> 48);

	if (word & LIST_REF)
		word = list_walk(word, high << 16 | low >> 48, low << 16);
	if (!word)
		return LISTED_NOT;
	list_count(word);
	return word & LIST_ALLOWED ? LISTED_ALLOWED : LISTED_BLOCKED;
}

/* What the lists say of the packet's source; counted for the entry that says it. */
static __always_inline enum listed list_find(const struct runtime *rt, const struct packet *p)
{
	__u32 family = p->v6, root;
	__u64 high, low;

	barrier_var(family);
	root = rt->list_root[family & 1];
	if (!root)
		return LISTED_NOT;
	high = (__u64)bpf_ntohl(p->saddr[0]) << 32 | bpf_ntohl(p->saddr[1]);
	low = (__u64)bpf_ntohl(p->saddr[2]) << 32 | bpf_ntohl(p->saddr[3]);
	return list_judge(root, high, low);
}

#endif
