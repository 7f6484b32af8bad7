/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that XDP reads the lists from: chunks of lines (bpf/abi.h), made as they are needed. What nothing
 * refers to any more is retired, and used again after pool_recycle. Who really makes chunks is the caller's
 * business: maps/ in the daemon, malloc in tests.
 */
#ifndef SYNMOAT_LISTS_POOL_H
#define SYNMOAT_LISTS_POOL_H

#include <stdint.h>

#include "bpf/abi.h"

#define POOL_DIRECT_WORDS    65536U
#define POOL_RECORDS_A_CHUNK (LIST_CHUNK_LINES * 4)

struct pool_backing {
	void *(*chunk_new)(void *arg, uint32_t id); /* zeroed; NULL: no memory */
	void (*chunk_free)(void *arg, uint32_t id, void *chunk);
	void *arg;
};

/* Filters lie together, where all that is looked at for most packets stays in the caches. */
enum pool_use { POOL_TREE, POOL_FILTER, POOL_USES };

struct pool_stack {
	uint32_t *items, count, room;
};

struct pool {
	struct pool_backing backing;
	void *chunks[LIST_CHUNKS];
	uint16_t unused[LIST_CHUNKS]; /* lines of a chunk of lines */
	uint32_t chunk_count;
	uint8_t use[LIST_CHUNKS];	    /* of a chunk of lines */
	struct pool_stack lines[POOL_USES]; /* that are free */
	struct pool_stack retired;
	uint32_t settled; /* of the retired: these may be used again at the next pool_recycle */
	uint32_t records[LIST_CHUNKS], record_chunks;
};

struct pool *pool_new(const struct pool_backing *backing);
void pool_free(struct pool *pool);

/* Number of a free line, or 0 with nothing changed (line 0 is never handed out). */
uint32_t pool_line(struct pool *pool, enum pool_use use);
/* Number of the first line of a whole chunk, or 0. */
uint32_t pool_direct(struct pool *pool);

/* A reference (LIST_REF ...) that was taken out of the table: its line or chunk alone. */
void pool_retire(struct pool *pool, uint32_t reference);

/* After all packets have ended that began before the call before this one: makes the oldest retired free. */
void pool_recycle(struct pool *pool);
/* Gives chunks back that are free as a whole. */
void pool_trim(struct pool *pool);

/* The record of an entry: makes room for it (0 or -ENOMEM), tells its word, shows it (NULL: none). */
int pool_record_make(struct pool *pool, uint32_t entry);
uint32_t pool_record_word(const struct pool *pool, uint32_t entry);
struct list_record *pool_record(const struct pool *pool, uint32_t entry);

static inline struct list_line *pool_at(const struct pool *pool, uint32_t line)
{
	return (struct list_line *)pool->chunks[line >> LIST_CHUNK_SHIFT] + (line & (LIST_CHUNK_LINES - 1));
}

#endif
