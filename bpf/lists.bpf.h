/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allow and block lists: which entry decides about a source. The longest prefix has won already when the
 * table was made (daemon/lists/table.c, format in abi.h), so there is one walk, for most addresses of the
 * root's word and one line.
 */
#ifndef SYNMOAT_LISTS_BPF_H
#define SYNMOAT_LISTS_BPF_H

#include "maps.bpf.h"
#include "packet.bpf.h"

enum listed { LISTED_NOT, LISTED_BLOCKED, LISTED_ALLOWED };

#define LIST_CLOCK_SHIFT 6

/*
 * What a step says: LIST_REF and the line that is next (LIST_LOWER: for the lower half of the address), or
 * the verdict, the place of its word among those of the line, and the line's words.
 */
#define LIST_LOWER	   (1ULL << 32)
#define LIST_VERDICT_SHIFT 32
#define LIST_PLACE_SHIFT   26

static __always_inline struct list_line *list_line(__u32 number)
{
	__u32 map = number >> LIST_MAP_SHIFT, index = number & (LIST_MAP_LINES - 1);
	void *lines = bpf_map_lookup_elem(&list_chunks, &map);

	return lines ? bpf_map_lookup_elem(lines, &index) : NULL;
}

static __always_inline __u32 list_word(__u32 number)
{
	struct list_line *line = list_line(number >> 4);

	return line ? line->word[number & 15] : 0;
}

static __always_inline __u64 list_choose(const struct list_index *index, __u32 next, __u64 value)
{
	if ((value ^ index->key) & index->above)
		return index->outside ? LIST_REF | index->outside : 0;
	return LIST_REF | ((next + (__u32)(value >> index->shift & index->mask)) & LIST_LINE);
}

/* Keys that are not above VALUE, four at a time; without branches, which would be mispredicted. */
static __always_inline __u32 list_narrow_place(const struct list_narrow *line, __u64 value)
{
	const __u64 top = 0x8000800080008000ULL, ones = 0x0001000100010001ULL;
	const __u64 *keys = (const __u64 *)line->key;
	__u64 values = value * ones, biased = values | top, count = 0;

#pragma unroll
	for (int i = 0; i < LIST_NARROW_KEYS / 4; i++) {
		__u64 key = keys[i], rest = biased - (key & ~top);

		count += ((values & ~key) | (~(values ^ key) & rest)) >> 15 & ones;
	}
	return count * ones >> 48;
}

/* Global, so that it is verified once. */
__noinline __weak __u64 list_step_narrow(__u32 number, __u32 value)
{
	struct list_line *line = list_line(number);
	__u32 next, alone, count, place, other;
	struct list_narrow *n;

	if (!line)
		return 0;
	next = *(volatile __u32 *)&line->next;
	if (next & LIST_REF)
		return next;
	if (next & LIST_INDEX)
		return list_choose(&line->index, next, value);
	n = &line->narrow;
	alone = n->alone;
	count = alone >> LIST_NARROW_KEYS;
	place = list_narrow_place(n, value & 0xffff);
	if (place > count) /* an unused key of all ones */
		place = count;
	if (place - 1 < LIST_NARROW_KEYS) {
		other = n->key[place - 1] != value;
		place &= ~-(alone >> (place - 1) & other & 1);
	}
	place &= 31;
	return (__u64)((n->blocked >> place & 1) | (n->allowed >> place & 1) << 1) << LIST_VERDICT_SHIFT |
	       place << LIST_PLACE_SHIFT | next;
}

static __always_inline __u32 list_wide_place(const struct list_wide *line, __u64 value)
{
	__u64 count = LIST_WIDE_KEYS;

#pragma unroll
	for (int i = 0; i < LIST_WIDE_KEYS; i++) {
		__u64 key = line->key[i];

		count -= ((~value & key) | (~(value ^ key) & (value - key))) >> 63; /* value < key */
	}
	return count;
}

__noinline __weak __u64 list_step_wide(__u32 number, __u64 value)
{
	struct list_line *line = list_line(number);
	__u32 next, place, verdict;
	struct list_wide *w;

	if (!line)
		return 0;
	next = *(volatile __u32 *)&line->next;
	if (next & LIST_REF)
		return next;
	if (next & LIST_INDEX)
		return list_choose(&line->index, next, value);
	w = &line->wide;
	place = list_wide_place(w, value);
	if (place > w->count)
		place = w->count;
	if (place - 1 < LIST_WIDE_KEYS) {
		__u64 other = (value ^ w->key[place - 1]) >> (w->shift[place - 1] & 63);

		other = (other | -other) >> 63;
		place &= ~-((__u32)(w->alone >> (place - 1)) & (__u32)other & 1);
	}
	place &= 7;
	verdict = (w->blocked >> place & 1) | (w->allowed >> place & 1) << 1;
	if (verdict == 3)
		return LIST_LOWER | list_word(next * LIST_UNIT_WORDS + place);
	return (__u64)verdict << LIST_VERDICT_SHIFT | place << LIST_PLACE_SHIFT | next;
}

/* --- hits --- */

static __always_inline struct list_record *list_record(__u32 record)
{
	struct list_line *line = list_line(record >> 2);

	return line ? (struct list_record *)line + (record & 3) : NULL;
}

/* In passes: the lines are asked for together, and are there when the first addition waits for its own. */
__noinline __weak int list_settle(__u32 cpu)
{
	struct list_hits *hits = bpf_map_lookup_elem(&list_hits, &cpu);

	if (!hits)
		return 0;
	for (int i = 0; i < LIST_HITS; i++) {
		__u32 at = hits->hit[i].at;

		if (!(at & LIST_HIT_RECORD))
			hits->hit[i].at = LIST_HIT_RECORD | ((list_word(at) & LIST_RECORD) - 1);
	}
	for (int i = 0; i < LIST_HITS; i++) {
		struct list_record *r = list_record(hits->hit[i].at & ~LIST_HIT_RECORD);

		if (r)
			(void)*(volatile __u32 *)&r->last;
	}
	for (int i = 0; i < LIST_HITS; i++) {
		struct list_record *r = list_record(hits->hit[i].at & ~LIST_HIT_RECORD);

		if (!r)
			continue;
		__sync_fetch_and_add(&r->hits, hits->hit[i].hits);
		if (r->last != hits->hit[i].last)
			r->last = hits->hit[i].last;
	}
	return 0;
}

static __always_inline void list_count(__u32 at)
{
	__u32 now = bpf_jiffies64() >> LIST_CLOCK_SHIFT, cpu = bpf_get_smp_processor_id(), count;
	struct list_hits *hits = bpf_map_lookup_elem(&list_hits, &cpu);
	struct list_hit *hit;

	if (!hits)
		return;
	count = hits->count;
	hit = &hits->hit[(count - 1) & (LIST_HITS - 1)];
	if (count && hit->at == at) {
		hit->hits++;
		hit->last = now;
		return;
	}
	if (count >= LIST_HITS) {
		list_settle(cpu);
		count = 0;
	}
	barrier_var(count); /* the mask is for Linux 6.1, which loses the bound in a copy */
	hit = &hits->hit[count & (LIST_HITS - 1)];
	hit->at = at;
	hit->hits = 1;
	hit->last = now;
	hits->count = count + 1;
}

/* --- the walk --- */

static __always_inline enum listed list_verdict(__u64 said)
{
	if (!(said >> LIST_VERDICT_SHIFT))
		return LISTED_NOT;
	list_count((__u32)(said & LIST_UNIT) * LIST_UNIT_WORDS + (said >> LIST_PLACE_SHIFT & 31));
	return said >> LIST_VERDICT_SHIFT & 2 ? LISTED_ALLOWED : LISTED_BLOCKED;
}

static __always_inline enum listed list_root_verdict(__u32 word)
{
	if (!word)
		return LISTED_NOT;
	list_count(LIST_HIT_RECORD | ((word & LIST_RECORD) - 1));
	return word & LIST_ALLOWED ? LISTED_ALLOWED : LISTED_BLOCKED;
}

static __always_inline __u32 list_root_word(__u32 root, __u32 key)
{
	return list_word(((root & LIST_LINE) << 4) + (key & 0xffff));
}

/* Global, so that each is verified once, with scalars alone. */
__noinline __weak int list_judge_narrow(__u32 root, __u32 address)
{
	__u32 word = list_root_word(root, address >> 16), value = address & 0xffff;
	__u64 said;

	if (!(word & LIST_REF))
		return list_root_verdict(word);
	said = LIST_REF | ((word + (value << (word >> LIST_BITS_SHIFT & LIST_BITS) >> 16)) & LIST_LINE);
	for (int i = 0; i < LIST_STEPS && said & LIST_REF; i++)
		said = list_step_narrow(said & LIST_LINE, value);
	return said & LIST_REF ? LISTED_NOT : list_verdict(said);
}

__noinline __weak int list_judge_wide(__u32 root, __u64 high, __u64 low)
{
	__u32 word = list_root_word(root, high >> 48);
	__u64 said = word;

	if (!(word & LIST_REF))
		return list_root_verdict(word);
	for (int i = 0; i < LIST_STEPS && said & LIST_REF; i++) {
		said = list_step_wide(said & LIST_LINE, high);
		if (said & LIST_REF && said & LIST_LOWER)
			high = low;
	}
	return said & LIST_REF ? LISTED_NOT : list_verdict(said);
}

/* What the lists say of the packet's source; counted for the entry that says it. */
static __always_inline enum listed list_find(const struct runtime *rt, const struct packet *p)
{
	if (!p->v6) {
		if (!rt->list_root[0])
			return LISTED_NOT;
		return list_judge_narrow(rt->list_root[0], bpf_ntohl(p->saddr[0]));
	}
	if (!rt->list_root[1])
		return LISTED_NOT;
	return list_judge_wide(rt->list_root[1], (__u64)bpf_ntohl(p->saddr[0]) << 32 | bpf_ntohl(p->saddr[1]),
			       (__u64)bpf_ntohl(p->saddr[2]) << 32 | bpf_ntohl(p->saddr[3]));
}

#endif
