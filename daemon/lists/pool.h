/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that XDP reads the lists from: chunks of lines (bpf/abi.h), made as they are needed. What nothing
 * refers to any more is retired, and used again after pool_recycle. Who really makes chunks is the caller's
 * business: maps/ in the daemon, malloc in tests.
 */
#ifndef SYNMOAT_LISTS_POOL_H
#define SYNMOAT_LISTS_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"

#define POOL_RECORDS_A_CHUNK (LIST_CHUNK_LINES * 4)

struct pool_backing {
	void *(*chunk_new)(void *arg, uint32_t id); /* zeroed; NULL: no memory */
	void (*chunk_free)(void *arg, uint32_t id, void *chunk);
	void *arg;
	struct list_hits *hits; /* of each CPU, shared with XDP */
	uint32_t cpus;
};

/*
 * Pieces of one size share a chunk: 2^n lines (n up to LIST_CHUNK_SHIFT), and apart from these, since only
 * lines are waited for, 2^n units of words.
 */
#define POOL_WORDS_SIZES 3
#define POOL_LINES_SIZES (LIST_CHUNK_SHIFT + 1)
#define POOL_SIZES	 (POOL_WORDS_SIZES + POOL_LINES_SIZES)

struct pool_stack {
	uint32_t *items, count, room;
};

/* 0 or -ENOMEM. */
int pool_push(struct pool_stack *stack, uint32_t value);

struct pool {
	struct pool_backing backing;
	void *chunks[LIST_CHUNKS];
	uint16_t unused[LIST_CHUNKS]; /* pieces of a chunk */
	uint32_t chunk_count;
	uint8_t size[LIST_CHUNKS];	    /* of a chunk's pieces, and one; 0: records */
	struct pool_stack free[POOL_SIZES]; /* numbers of units */
	struct pool_stack retired;
	bool awaited[LIST_CHUNKS]; /* for pool_recycle */
	uint32_t settled;	   /* of the retired: these may be used again at the next pool_recycle */
	uint32_t records[LIST_CHUNKS], record_chunks;
};

struct pool *pool_new(const struct pool_backing *backing);
void pool_free(struct pool *pool);

/* Number of the first of 2^bits lines in a row (bits up to LIST_CHUNK_SHIFT), or 0: no memory. */
uint32_t pool_lines(struct pool *pool, unsigned int bits);
/* Unit of so many words in a row (up to 4 units), or 0. */
uint32_t pool_words(struct pool *pool, unsigned int count);

/* As they were taken, they were taken out of the table. */
void pool_retire_lines(struct pool *pool, uint32_t line);
void pool_retire_words(struct pool *pool, uint32_t unit);

/*
 * After all packets have ended that began before the call before this one: makes the oldest retired free, but
 * for words at which hits are still to be counted.
 */
void pool_recycle(struct pool *pool);
/* Gives chunks back that are free as a whole. */
void pool_trim(struct pool *pool);

/* The record of an entry: makes one without hits (0 or -ENOMEM), tells its word. */
int pool_record_make(struct pool *pool, uint32_t entry);
uint32_t pool_record_word(const struct pool *pool, uint32_t entry);

/* Hits of an entry, and when the last one was (as in struct list_record); exact, but while XDP adds them. */
uint64_t pool_hits(const struct pool *pool, uint32_t entry, uint32_t *last);
void pool_hits_add(struct pool *pool, uint32_t to, uint32_t from);

static inline struct list_line *pool_line_at(const struct pool *pool, uint32_t line)
{
	return (struct list_line *)pool->chunks[line >> LIST_CHUNK_SHIFT] + (line & (LIST_CHUNK_LINES - 1));
}

/* The words of a root. */
static inline uint32_t *pool_root_at(const struct pool *pool, uint32_t root)
{
	return (uint32_t *)pool_line_at(pool, root & LIST_LINE);
}

static inline uint32_t *pool_words_at(const struct pool *pool, uint32_t unit)
{
	return (uint32_t *)pool_line_at(pool, unit / 2) + unit % 2 * LIST_UNIT_WORDS;
}

#endif
