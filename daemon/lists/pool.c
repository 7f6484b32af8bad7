// SPDX-License-Identifier: GPL-2.0-or-later
/* See pool.h. */
#include "daemon/lists/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct pool *pool_new(const struct pool_backing *backing)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p)
		p->backing = *backing;
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
	for (int use = 0; use < POOL_USES; use++)
		free(p->lines[use].items);
	free(p->retired.items);
	free(p);
}

static int push(struct pool_stack *s, uint32_t value)
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
		return (int)id;
	}
	return -ENOSPC;
}

static int lines_make(struct pool *p, enum pool_use use)
{
	int id = chunk_make(p, 1);

	if (id < 0)
		return id;
	for (uint32_t i = LIST_CHUNK_LINES; i--;)
		if (push(&p->lines[use], (uint32_t)id << LIST_CHUNK_SHIFT | i))
			return -ENOMEM;
	p->unused[id] = LIST_CHUNK_LINES;
	p->use[id] = (uint8_t)use;
	return 0;
}

uint32_t pool_line(struct pool *p, enum pool_use use)
{
	uint32_t line;

	if (!p->lines[use].count && lines_make(p, use) < 0)
		return 0;
	line = p->lines[use].items[--p->lines[use].count];
	p->unused[line >> LIST_CHUNK_SHIFT]--;
	return line;
}

uint32_t pool_direct(struct pool *p)
{
	int id = chunk_make(p, 1);

	return id < 0 ? 0 : (uint32_t)id << LIST_CHUNK_SHIFT;
}

void pool_retire(struct pool *p, uint32_t reference)
{
	/* without memory to remember it, it is lost until the daemon ends: never used while read */
	(void)!push(&p->retired, reference);
}

static void reuse(struct pool *p, uint32_t reference)
{
	uint32_t line = reference & LIST_LINE;

	if ((reference & LIST_TO) == LIST_DIRECT)
		chunk_drop(p, line >> LIST_CHUNK_SHIFT);
	else if (!push(&p->lines[p->use[line >> LIST_CHUNK_SHIFT]], line))
		p->unused[line >> LIST_CHUNK_SHIFT]++;
}

void pool_recycle(struct pool *p)
{
	for (uint32_t i = 0; i < p->settled; i++)
		reuse(p, p->retired.items[i]);
	p->retired.count -= p->settled;
	if (p->settled)
		memmove(p->retired.items, p->retired.items + p->settled,
			p->retired.count * sizeof(*p->retired.items));
	p->settled = p->retired.count;
}

/* Forgets the lines of chunks that are free as a whole. */
static void trim_lines(const struct pool *p, struct pool_stack *s)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->count; i++)
		if (p->unused[s->items[i] >> LIST_CHUNK_SHIFT] != LIST_CHUNK_LINES)
			s->items[kept++] = s->items[i];
	s->count = kept;
}

void pool_trim(struct pool *p)
{
	for (int use = 0; use < POOL_USES; use++)
		trim_lines(p, &p->lines[use]);
	for (uint32_t id = 1; id < LIST_CHUNKS; id++)
		if (p->chunks[id] && p->unused[id] == LIST_CHUNK_LINES) {
			p->unused[id] = 0;
			chunk_drop(p, id);
		}
}

int pool_record_make(struct pool *p, uint32_t entry)
{
	uint32_t chunk = entry / POOL_RECORDS_A_CHUNK;
	int id;

	while (p->record_chunks <= chunk) {
		id = chunk_make(p, 0);
		if (id < 0)
			return id;
		p->records[p->record_chunks++] = (uint32_t)id;
	}
	return 0;
}

uint32_t pool_record_word(const struct pool *p, uint32_t entry)
{
	return p->records[entry / POOL_RECORDS_A_CHUNK] * POOL_RECORDS_A_CHUNK +
	       entry % POOL_RECORDS_A_CHUNK + 1;
}

struct list_record *pool_record(const struct pool *p, uint32_t entry)
{
	uint32_t chunk = entry / POOL_RECORDS_A_CHUNK;

	if (chunk >= p->record_chunks)
		return NULL;
	return (struct list_record *)p->chunks[p->records[chunk]] + entry % POOL_RECORDS_A_CHUNK;
}
