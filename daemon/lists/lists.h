/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allow and block lists as the engine uses them: the store, the table that XDP reads, and the work that keeps
 * the one like the other. Single changes are in force when the call returns; whole sets (files, imports) are
 * made aside in slices and come into force at once. Times are seconds of CLOCK_BOOTTIME, which no step of the
 * wall clock moves.
 */
#ifndef SYNMOAT_LISTS_H
#define SYNMOAT_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config/config.h"
#include "daemon/lists/pool.h"
#include "daemon/lists/store.h"

#define LISTS_AUTO_MAX 65536 /* automatic blocks at a time */

struct lists;

struct lists_entry {
	struct prefix prefix;
	enum list_kind kind;
	enum list_origin origin;
	const char *name, *reason; /* of the set; of the entry: never NULL; valid until the next change */
	int64_t expires_s, added_s;
	uint64_t hits;
	uint32_t last; /* jiffies64 / 64, 0: never */
};

/* A single change to manual or automatic entries. FLUSHED: all of that kind and origin. */
struct lists_change {
	enum lists_change_kind { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_FLUSHED } what;
	struct lists_entry entry;
};

struct lists_backing {
	struct pool_backing pool;
	void (*publish)(void *arg);				    /* the roots have changed */
	void (*note)(void *arg, const struct lists_change *change); /* NULL: nobody wants to know */
	void *arg;
};

struct lists *lists_new(const struct lists_backing *backing);
void lists_free(struct lists *lists);

/* Of both families, for struct runtime; 0: empty. */
void lists_get_roots(const struct lists *lists, uint32_t root[2]);

/*
 * Adds an entry, or changes expiry and reason of the one that is there. origin: ORIGIN_MANUAL or ORIGIN_AUTO.
 * expires_s 0: never. reason may be NULL. 0, 1 (was there already), -ENOSPC (LISTS_AUTO_MAX, or
 * STORE_ENTRIES_MAX) or -ENOMEM.
 */
int lists_add(struct lists *lists, enum list_kind kind, const struct prefix *prefix, enum list_origin origin,
	      int64_t expires_s, int64_t now_s, const char *reason);

/* 0, or -ENOENT: no such entry of manual or automatic origin. */
int lists_remove(struct lists *lists, enum list_kind kind, const struct prefix *prefix);

/* Removes all entries of an origin (manual or auto). Number of them, or a negative errno. */
int64_t lists_flush(struct lists *lists, enum list_kind kind, enum list_origin origin);

/* Once a second: what has expired goes, memory that packets no longer read is used again. */
void lists_tick(struct lists *lists, int64_t now_s);

/* Work that is waiting: does some of it (about 4 ms) and says whether there is more. */
bool lists_work(struct lists *lists);
bool lists_busy(const struct lists *lists);

/*
 * A set that comes into force as a whole: begin, add, then commit (replacing the sets of that origin and
 * name, unless that is ORIGIN_MANUAL, to which it adds) or drop. lists_set_begin returns its number or
 * -ENOSPC.
 */
int lists_set_begin(struct lists *lists, enum list_origin origin, const char *name);
int lists_set_add(struct lists *lists, int set, enum list_kind kind, const struct prefix *prefix,
		  int64_t expires_s, int64_t now_s, const char *reason);
void lists_set_commit(struct lists *lists, int set);
void lists_set_drop(struct lists *lists, int set);
/* The sets of ORIGIN, but for those that KEEP says, go. */
void lists_sets_retain(struct lists *lists, enum list_origin origin,
		       bool (*keep)(const char *name, void *arg), void *arg);

/* Counts changes of manual and automatic entries, which are to outlive the daemon. */
uint64_t lists_changes(const struct lists *lists);

/* Entries in force, in no order, from *place on (0 first); false: no more. */
bool lists_next(const struct lists *lists, uint32_t *place, struct lists_entry *entry);

/* All that cover the address, the one that decides first. Returns how many there are. */
size_t lists_match(const struct lists *lists, const struct in6_addr *address, struct lists_entry *entries,
		   size_t size);

struct lists_counts {
	uint64_t entries[2][ORIGIN_COUNT]; /* by kind */
	uint64_t bytes;			   /* that XDP reads */
	bool loading;
};
void lists_count(const struct lists *lists, struct lists_counts *counts);

/* How far work has come. reading: files of lists.d; building: what comes into force at its end; tidying: what
 * was in force before. left: steps of the phase that are left, as far as they are known: they become fewer.
 */
struct lists_progress {
	const char *phase; /* "idle", "reading", "building", "tidying" */
	char file[256];	   /* being read; else empty */
	uint64_t entries;  /* read of it */
	uint64_t left;
};
void lists_get_progress(const struct lists *lists, struct lists_progress *progress);

/* Who wins for an address by what XDP would read: for tests. Entry number, 0: none. */
uint32_t lists_judge(const struct lists *lists, const struct in6_addr *address, bool *allowed);

const char *lists_kind_word(enum list_kind kind);
const char *lists_origin_word(enum list_origin origin);
int lists_origin_parse(const char *word); /* -1: no such origin */

#endif
