/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entries of all lists, merged: a path-compressed trie for each family, a heap of expiries. Entries
 * belong to sets (what was added by hand, each file), which come and go as a whole. Pure: no clock, no file,
 * no BPF.
 */
#ifndef SYNMOAT_LISTS_STORE_H
#define SYNMOAT_LISTS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config/config.h"

#define STORE_ENTRIES_MAX (4U << 20)
#define STORE_SETS_MAX	  1024
#define STORE_REASON_MAX  96 /* bytes; longer ones are cut */

enum list_kind { LIST_BLOCK, LIST_ALLOW };
enum list_origin { ORIGIN_MANUAL, ORIGIN_CONFIG, ORIGIN_FEED, ORIGIN_AUTO, ORIGIN_COUNT };

/*
 * FILLING: being read, counts for nothing; READY: whole, for the next table. STAGED: in force when the table
 * under construction is; DOOMED: no longer then. DEAD: to be emptied.
 */
enum store_set_state { SET_FREE, SET_LIVE, SET_FILLING, SET_READY, SET_STAGED, SET_DOOMED, SET_DEAD };

/* Which sets count: those in force now, or when the table under construction is. */
enum store_view { VIEW_NOW, VIEW_NEXT };

struct store_set {
	enum store_set_state state;
	enum list_origin origin;
	bool leaving;		 /* LIVE, but not in the next table */
	uint32_t count, allowed; /* entries, and those of LIST_ALLOW among them */
	char name[64];		 /* of the file; empty: none */
};

/* Index 0 is nothing, of entries and of nodes. */
struct store_entry {
	char *reason;		    /* NULL: none */
	int64_t expires_s, added_s; /* wall clock; expires_s 0: never */
	uint32_t node, next;	    /* next at the same node; node 0: not in use */
	uint32_t heap;		    /* place, and one; 0: none */
	uint16_t set;
	uint8_t kind;
};

/* high and low: the address in host order. IPv4 is v4-mapped, as in struct prefix. */
struct store_node {
	uint64_t high, low;
	uint32_t child[2];
	uint32_t entry; /* 0: only a fork */
	uint8_t bits;
};

struct store {
	struct store_entry *entries;
	struct store_node *nodes;
	uint32_t entry_end, entry_room,
		entry_free; /* free ones are chained through next, nodes through child[0] */
	uint32_t node_end, node_room, node_free;
	uint32_t count, roots[2]; /* by family: 0 IPv4 */
	uint32_t *heap;
	uint32_t heap_count, heap_room;
	bool hold; /* nodes that go stay readable until store_release */
	uint32_t *held, held_count, held_room;
	struct store_set sets[STORE_SETS_MAX];
};

struct store *store_new(void);
void store_free(struct store *store);

/* Index of a new set, or -ENOSPC. A set is freed when it is empty and dead. */
int store_set_new(struct store *store, enum list_origin origin, const char *name, enum store_set_state state);

/*
 * Adds an entry to a set, or changes expiry and reason of the one that the set already has for prefix and
 * kind (then 1 is returned). 0, 1, -ENOSPC or -ENOMEM. *entry is its index.
 */
int store_add(struct store *store, uint16_t set, enum list_kind kind, const struct prefix *prefix,
	      int64_t expires_s, int64_t added_s, const char *reason, uint32_t *entry);
uint32_t store_find(const struct store *store, uint16_t set, enum list_kind kind,
		    const struct prefix *prefix);
void store_remove(struct store *store, uint32_t entry);
void store_move(struct store *store, uint32_t entry, uint16_t set);
void store_prefix(const struct store *store, uint32_t entry, struct prefix *prefix);

/* The entry that expires first and has by now, or 0. */
uint32_t store_expired(const struct store *store, int64_t now_s);

/* While a table is under construction from the trie: nodes stay until released. */
void store_hold(struct store *store);
void store_release(struct store *store);

/* The entry of a node that decides in VIEW, or 0: allow before block, then by origin. */
uint32_t store_winner(const struct store *store, uint32_t node, enum store_view view);

/* All entries that cover the address and count now, longest first; at most SIZE. Returns how many there are.
 */
size_t store_match(const struct store *store, const struct in6_addr *address, uint32_t *entries, size_t size);

/* Are there more than LIMIT nodes from this one down? */
bool store_has_more(const struct store *store, uint32_t node, uint32_t limit);

/* The first N bits of both are the same? */
static inline bool store_same(uint64_t high, uint64_t low, uint64_t other_high, uint64_t other_low,
			      unsigned int bits)
{
	uint64_t differ = high ^ other_high;

	if (bits <= 64)
		return !bits || !(differ >> (64 - bits));
	return !differ && !((low ^ other_low) >> (128 - bits));
}

static inline unsigned int store_bit(uint64_t high, uint64_t low, unsigned int bit)
{
	return (bit < 64 ? high >> (63 - bit) : low >> (127 - bit)) & 1;
}

#endif
