// SPDX-License-Identifier: GPL-2.0-or-later
/* See pool.h. */
#include "daemon/lists/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_A_CHUNK (LIST_CHUNK_LINES * 16)

struct pool *pool_new(const struct pool_backing *backing)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->backing = *backing;
	for (uint32_t cpu = 0; cpu < backing->cpus; cpu++)
		backing->hits[cpu].count = 0; /* they were of another pool */
	return p;
}

static void chunk_drop(struct pool *p, uint32_t id)
{
	p->backing.chunk_free(p->backing.arg, id, p->chunks[id]);
	p->chunks[id] = NULL;
	p->chunk_count--;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	for (uint32_t id = 0; id < LIST_CHUNKS; id++)
		if (p->chunks[id])
			chunk_drop(p, id);
	for (int size = 0; size < POOL_SIZES; size++)
		free(p->free[size].items);
	free(p->retired.items);
	free(p);
}

int pool_push(struct pool_stack *s, uint32_t value)
{
	if (s->count == s->room) {
		uint32_t wanted = s->room ? s->room * 2 : 8192;
		uint32_t *grown = reallocarray(s->items, wanted, sizeof(*s->items));

		if (!grown)
			return -ENOMEM;
		s->items = grown;
		s->room = wanted;
	}
	s->items[s->count++] = value;
	return 0;
}

/* Chunk 0 serves records only, so that no reference has the number 0. */
static int chunk_make(struct pool *p, uint32_t first)
{
	for (uint32_t id = first; id < LIST_CHUNKS; id++) {
		if (p->chunks[id])
			continue;
		p->chunks[id] = p->backing.chunk_new(p->backing.arg, id);
		if (!p->chunks[id])
			return -ENOMEM;
		p->chunk_count++;
		p->unused[id] = 0;
		p->size[id] = 0;
		return (int)id;
	}
	return -ENOSPC;
}

/* Units of 32 bytes, as a power of two. */
static unsigned int size_bits(unsigned int size)
{
	return size < POOL_WORDS_SIZES ? size : size - POOL_WORDS_SIZES + 1;
}

static int pieces_make(struct pool *p, unsigned int size)
{
	int id = chunk_make(p, 1);
	uint32_t count = LIST_CHUNK_LINES * 2 >> size_bits(size);

	if (id < 0)
		return id;
	p->size[id] = (uint8_t)(size + 1);
	for (uint32_t i = count; i--; p->unused[id]++)
		if (pool_push(&p->free[size], (uint32_t)id * LIST_CHUNK_LINES * 2 + (i << size_bits(size))))
			return -ENOMEM;
	return 0;
}

static uint32_t take(struct pool *p, unsigned int size)
{
	uint32_t unit;

	if (!p->free[size].count && pieces_make(p, size) < 0)
		return 0;
	unit = p->free[size].items[--p->free[size].count];
	p->unused[unit / 2 >> LIST_CHUNK_SHIFT]--;
	return unit;
}

static unsigned int words_size(unsigned int count)
{
	return count <= LIST_UNIT_WORDS ? 0 : count <= 2 * LIST_UNIT_WORDS ? 1 : 2;
}

uint32_t pool_lines(struct pool *p, unsigned int bits)
{
	return take(p, POOL_WORDS_SIZES + bits) / 2;
}

uint32_t pool_words(struct pool *p, unsigned int count)
{
	return take(p, words_size(count));
}

/* Without memory to remember them, they are lost until the daemon ends: never used while read. */
void pool_retire_words(struct pool *p, uint32_t unit)
{
	(void)!pool_push(&p->retired, unit);
}

void pool_retire_lines(struct pool *p, uint32_t line)
{
	pool_retire_words(p, line * 2);
}

static void reuse(struct pool *p, uint32_t unit)
{
	uint32_t id = unit / 2 >> LIST_CHUNK_SHIFT;

	if (!pool_push(&p->free[p->size[id] - 1], unit))
		p->unused[id]++;
}

/* Chunks with words at which hits wait to be counted. */
static void find_awaited(struct pool *p)
{
	memset(p->awaited, 0, sizeof(p->awaited));
	for (uint32_t cpu = 0; cpu < p->backing.cpus; cpu++)
		for (uint32_t i = 0; i < LIST_HITS && i < p->backing.hits[cpu].count; i++) {
			uint32_t at = p->backing.hits[cpu].hit[i].at;

			if (!(at & LIST_HIT_RECORD))
				p->awaited[at / WORDS_A_CHUNK % LIST_CHUNKS] = true;
		}
}

static bool is_awaited(const struct pool *p, uint32_t unit)
{
	uint32_t id = unit / 2 >> LIST_CHUNK_SHIFT;
	uint32_t units = 1U << size_bits(p->size[id] - 1U);

	if (!p->awaited[id] || p->size[id] > POOL_WORDS_SIZES)
		return false;
	for (uint32_t cpu = 0; cpu < p->backing.cpus; cpu++) {
		const struct list_hits *hits = &p->backing.hits[cpu];

		for (uint32_t i = 0; i < LIST_HITS && i < hits->count; i++)
			if (hits->hit[i].at / LIST_UNIT_WORDS - unit < units)
				return true;
	}
	return false;
}

void pool_recycle(struct pool *p)
{
	uint32_t kept = 0;

	if (p->settled)
		find_awaited(p);
	for (uint32_t i = 0; i < p->settled; i++) {
		uint32_t unit = p->retired.items[i];

		if (is_awaited(p, unit))
			p->retired.items[kept++] = unit;
		else
			reuse(p, unit);
	}
	if (p->settled != kept)
		memmove(p->retired.items + kept, p->retired.items + p->settled,
			(p->retired.count - p->settled) * sizeof(*p->retired.items));
	p->retired.count -= p->settled - kept;
	p->settled = p->retired.count;
}

static bool is_whole(const struct pool *p, uint32_t id)
{
	return p->chunks[id] && p->size[id] &&
	       p->unused[id] == LIST_CHUNK_LINES * 2 >> size_bits(p->size[id] - 1U);
}

/* Forgets the pieces of chunks that are free as a whole. */
static void trim_pieces(const struct pool *p, struct pool_stack *s)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->count; i++)
		if (!is_whole(p, s->items[i] / 2 >> LIST_CHUNK_SHIFT))
			s->items[kept++] = s->items[i];
	s->count = kept;
}

void pool_trim(struct pool *p)
{
	for (int size = 0; size < POOL_SIZES; size++)
		trim_pieces(p, &p->free[size]);
	for (uint32_t id = 1; id < LIST_CHUNKS; id++)
		if (is_whole(p, id))
			chunk_drop(p, id);
}

/* --- records --- */

static struct list_record *record_of(const struct pool *p, uint32_t entry)
{
	return (struct list_record *)p->chunks[p->records[entry / POOL_RECORDS_A_CHUNK]] +
	       entry % POOL_RECORDS_A_CHUNK;
}

uint32_t pool_record_word(const struct pool *p, uint32_t entry)
{
	return p->records[entry / POOL_RECORDS_A_CHUNK] * POOL_RECORDS_A_CHUNK +
	       entry % POOL_RECORDS_A_CHUNK + 1;
}

static uint32_t hit_record(const struct pool *p, uint32_t at)
{
	const uint32_t *words = p->chunks[at / WORDS_A_CHUNK % LIST_CHUNKS];

	if (at & LIST_HIT_RECORD)
		return at & ~LIST_HIT_RECORD;
	return words ? (words[at % WORDS_A_CHUNK] & LIST_RECORD) - 1 : UINT32_MAX;
}

/* Hits that are not yet in the record. */
static uint64_t count_waiting(const struct pool *p, uint32_t entry, uint32_t *last)
{
	uint32_t record = pool_record_word(p, entry) - 1;
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < p->backing.cpus; cpu++) {
		const struct list_hits *hits = &p->backing.hits[cpu];
		uint32_t count = __atomic_load_n(&hits->count, __ATOMIC_ACQUIRE);

		for (uint32_t i = 0; i < count && i < LIST_HITS; i++) {
			if (hit_record(p, hits->hit[i].at) != record)
				continue;
			sum += hits->hit[i].hits;
			*last = hits->hit[i].last;
		}
	}
	return sum;
}

int pool_record_make(struct pool *p, uint32_t entry)
{
	uint32_t chunk = entry / POOL_RECORDS_A_CHUNK, last;
	struct list_record *record;
	int id;

	while (p->record_chunks <= chunk) {
		id = chunk_make(p, 0);
		if (id < 0)
			return id;
		p->records[p->record_chunks++] = (uint32_t)id;
	}
	/* what still waits for the entry that had the record before shall not be this one's */
	record = record_of(p, entry);
	record->hits = 0 - count_waiting(p, entry, &last);
	record->last = 0;
	return 0;
}

uint64_t pool_hits(const struct pool *p, uint32_t entry, uint32_t *last)
{
	const struct list_record *record = record_of(p, entry);
	uint64_t hits = __atomic_load_n(&record->hits, __ATOMIC_RELAXED);

	*last = record->last;
	hits += count_waiting(p, entry, last);
	if (!hits)
		*last = 0;
	return hits;
}

void pool_hits_add(struct pool *p, uint32_t to, uint32_t from)
{
	struct list_record *target = record_of(p, to);
	uint32_t last;

	__atomic_fetch_add(&target->hits, pool_hits(p, from, &last), __ATOMIC_RELAXED);
	if (!target->last)
		target->last = last;
}
