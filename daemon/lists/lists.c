// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See lists.h. Work in slices goes through phases: BUILD a table aside of what is to be in force, swap, DROP
 * the old one, SWEEP the entries of sets that are gone. What changes meanwhile is changed in the old table at
 * once and in the new one before the swap.
 */
#include "daemon/lists/lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "daemon/lists/table.h"
#include "daemon/log.h"

#define SLICE_NS      4000000
#define STEPS_A_LOOK  16
#define REFRESH_NODES 20000 /* to be looked at for one change: more are left to a new table */
#define REFRESHED_MAX 1000  /* changes in place, and a quarter of the entries: then a new table is faster */

enum phase { PHASE_IDLE, PHASE_BUILD, PHASE_DROP, PHASE_SWEEP };

struct lists {
	struct lists_backing backing;
	struct store *store;
	struct pool *pool;
	int manual, automatic; /* sets */
	uint32_t root[2];      /* in force */
	uint64_t changes;
	int64_t now_s;
	bool rebuild; /* wanted */
	bool failed;  /* the last one, for want of memory */
	enum phase phase;
	struct table_builder now, next;
	uint32_t next_root[2];
	unsigned int family;  /* that is being built or dropped */
	struct prefix *again; /* changed while building */
	uint32_t again_count, again_room;
	uint32_t refreshed;	/* changes in place since the last swap */
	struct pool_stack plan; /* what is being dropped */
	uint32_t plan_left;	/* the least that was left of it */
	uint32_t sweep_at;
};

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

struct lists *lists_new(const struct lists_backing *backing)
{
	struct lists *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->backing = *backing;
	l->store = store_new();
	l->pool = pool_new(&backing->pool);
	if (!l->store || !l->pool || table_builder_init(&l->now, l->store, l->pool, VIEW_NOW) ||
	    table_builder_init(&l->next, l->store, l->pool, VIEW_NEXT)) {
		lists_free(l);
		return NULL;
	}
	l->manual = store_set_new(l->store, ORIGIN_MANUAL, "", SET_LIVE);
	l->automatic = store_set_new(l->store, ORIGIN_AUTO, "", SET_LIVE);
	return l;
}

void lists_free(struct lists *l)
{
	if (!l)
		return;
	table_builder_fini(&l->now);
	table_builder_fini(&l->next);
	pool_free(l->pool);
	store_free(l->store);
	free(l->again);
	free(l->plan.items);
	free(l);
}

void lists_get_roots(const struct lists *l, uint32_t root[2])
{
	memcpy(root, l->root, sizeof(l->root));
}

uint64_t lists_changes(const struct lists *l)
{
	return l->changes;
}

/* --- single changes --- */

/* The topmost node within the prefix. */
static uint32_t node_within(const struct store *s, const struct prefix *prefix)
{
	uint32_t index = s->roots[!prefix_is_v4(prefix)];
	uint64_t words[2];

	memcpy(words, &prefix->address, sizeof(words));
	words[0] = __builtin_bswap64(words[0]);
	words[1] = __builtin_bswap64(words[1]);
	while (index && s->nodes[index].bits < prefix->length_bits)
		index = s->nodes[index].child[store_bit(words[0], words[1], s->nodes[index].bits)];
	return index;
}

static bool is_large(const struct lists *l, const struct prefix *prefix)
{
	unsigned int length = prefix->length_bits - (prefix_is_v4(prefix) ? 96U : 0);

	return length < 4 || store_has_more(l->store, node_within(l->store, prefix), REFRESH_NODES);
}

static void remember(struct lists *l, const struct prefix *prefix)
{
	if (l->again_count == l->again_room) {
		uint32_t wanted = l->again_room ? l->again_room * 2 : 256;
		struct prefix *grown = reallocarray(l->again, wanted, sizeof(*grown));

		if (!grown) {
			l->rebuild = true;
			return;
		}
		l->again = grown;
		l->again_room = wanted;
	}
	l->again[l->again_count++] = *prefix;
}

/* The store has changed at PREFIX: so does the table, now or with the next one. */
static void follow(struct lists *l, const struct prefix *prefix)
{
	unsigned int family = !prefix_is_v4(prefix);
	uint32_t before = l->root[family];
	int error;

	if (l->phase == PHASE_BUILD)
		remember(l, prefix);
	if (is_large(l, prefix)) {
		l->rebuild = true;
		return;
	}
	l->refreshed++;
	error = table_refresh(&l->now, &l->root[family], prefix, REFRESH_NODES);
	if (error) {
		if (error != -EFBIG)
			log_print(LOG_ERR, "lists: out of memory: a change is not in force yet");
		l->rebuild = true;
	}
	if (!before != !l->root[family])
		l->backing.publish(l->backing.arg);
}

static bool is_lasting(const struct lists *l, uint16_t set)
{
	enum list_origin origin = l->store->sets[set].origin;

	return origin == ORIGIN_MANUAL || origin == ORIGIN_AUTO;
}

static void remove_entry(struct lists *l, uint32_t entry)
{
	bool lasting = is_lasting(l, l->store->entries[entry].set);
	struct prefix prefix;

	store_prefix(l->store, entry, &prefix);
	store_remove(l->store, entry);
	l->changes += lasting;
	follow(l, &prefix);
}

/* What an entry that is not new keeps are its hits. */
static int add_to_set(struct lists *l, int set, enum list_kind kind, const struct prefix *prefix,
		      int64_t expires_s, int64_t now_s, const char *reason)
{
	uint32_t entry;
	int result = store_add(l->store, (uint16_t)set, kind, prefix, expires_s, now_s, reason, &entry);

	if (result)
		return result;
	result = pool_record_make(l->pool, entry);
	if (result) {
		store_remove(l->store, entry);
		return result;
	}
	return 0;
}

static void note(struct lists *l, enum lists_change_kind what, enum list_kind kind, enum list_origin origin,
		 const struct prefix *prefix, int64_t expires_s, int64_t added_s, const char *reason)
{
	struct lists_change change = {
		.what = what,
		.entry = { .kind = kind,
			   .origin = origin,
			   .reason = reason ? reason : "",
			   .expires_s = expires_s,
			   .added_s = added_s },
	};

	if (prefix)
		change.entry.prefix = *prefix;
	if (l->backing.note)
		l->backing.note(l->backing.arg, &change);
}

int lists_add(struct lists *l, enum list_kind kind, const struct prefix *prefix, enum list_origin origin,
	      int64_t expires_s, int64_t now_s, const char *reason)
{
	int set = origin == ORIGIN_AUTO ? l->automatic : l->manual, result;

	if (origin == ORIGIN_AUTO && l->store->sets[set].count >= LISTS_AUTO_MAX &&
	    !store_find(l->store, (uint16_t)set, kind, prefix))
		return -ENOSPC;
	result = add_to_set(l, set, kind, prefix, expires_s, now_s, reason);
	if (result < 0)
		return result;
	l->changes++;
	note(l, CHANGE_ADDED, kind, origin, prefix, expires_s, now_s, reason);
	if (!result)
		follow(l, prefix);
	return result;
}

int lists_remove(struct lists *l, enum list_kind kind, const struct prefix *prefix)
{
	int result = -ENOENT;

	for (uint16_t set = 0; set < STORE_SETS_MAX; set++) {
		uint32_t entry;

		if (l->store->sets[set].state != SET_LIVE || !is_lasting(l, set))
			continue;
		entry = store_find(l->store, set, kind, prefix);
		if (!entry)
			continue;
		remove_entry(l, entry);
		result = 0;
	}
	if (!result)
		note(l, CHANGE_REMOVED, kind, ORIGIN_MANUAL, prefix, 0, 0, NULL);
	return result;
}

/* Each by itself as long as they are few; else they go all together. */
int64_t lists_flush(struct lists *l, enum list_kind kind, enum list_origin origin)
{
	struct store *s = l->store;
	int64_t removed = 0;

	for (uint32_t i = 1; i < s->entry_end; i++) {
		const struct store_entry *e = &s->entries[i];

		if (!e->node || e->kind != kind || s->sets[e->set].origin != origin ||
		    s->sets[e->set].state != SET_LIVE)
			continue;
		if (++removed > 1000) {
			store_remove(s, i);
			l->rebuild = true;
		} else {
			remove_entry(l, i);
		}
	}
	l->changes += removed > 0;
	if (removed)
		note(l, CHANGE_FLUSHED, kind, origin, NULL, 0, 0, NULL);
	return removed;
}

/* --- whole sets --- */

int lists_set_begin(struct lists *l, enum list_origin origin, const char *name)
{
	return store_set_new(l->store, origin, name, SET_FILLING);
}

int lists_set_add(struct lists *l, int set, enum list_kind kind, const struct prefix *prefix,
		  int64_t expires_s, int64_t now_s, const char *reason)
{
	return add_to_set(l, set, kind, prefix, expires_s, now_s, reason);
}

void lists_set_commit(struct lists *l, int set)
{
	l->store->sets[set].state = SET_READY;
	l->changes += is_lasting(l, (uint16_t)set);
	l->rebuild = true;
}

void lists_set_drop(struct lists *l, int set)
{
	l->store->sets[set].state = SET_DEAD;
	if (l->phase == PHASE_IDLE && !l->rebuild) {
		l->phase = PHASE_SWEEP;
		l->sweep_at = 1;
	}
}

void lists_sets_retain(struct lists *l, enum list_origin origin, bool (*keep)(const char *name, void *arg),
		       void *arg)
{
	for (int i = 0; i < STORE_SETS_MAX; i++) {
		struct store_set *set = &l->store->sets[i];

		if (set->state != SET_LIVE || set->origin != origin || keep(set->name, arg))
			continue;
		set->leaving = true;
		l->rebuild = true;
	}
}

/* --- work in slices --- */

static bool replaces(const struct store_set *set, const struct store_set *other)
{
	return set->state == SET_STAGED && set->origin != ORIGIN_MANUAL && other->state == SET_LIVE &&
	       other->origin == set->origin && !strcmp(set->name, other->name);
}

static void stage_sets(struct store *s)
{
	for (int i = 0; i < STORE_SETS_MAX; i++) {
		if (s->sets[i].state == SET_READY)
			s->sets[i].state = SET_STAGED;
		if (s->sets[i].state == SET_LIVE && s->sets[i].leaving)
			s->sets[i].state = SET_DOOMED;
	}
	for (int i = 0; i < STORE_SETS_MAX; i++)
		for (int k = 0; s->sets[i].state == SET_STAGED && k < STORE_SETS_MAX; k++)
			if (replaces(&s->sets[i], &s->sets[k]))
				s->sets[k].state = SET_DOOMED;
}

static void change_states(struct store *s, enum store_set_state from, enum store_set_state to)
{
	for (int i = 0; i < STORE_SETS_MAX; i++)
		if (s->sets[i].state == from)
			s->sets[i].state = to;
}

static void drop_next(struct lists *l)
{
	for (unsigned int family = 0; family < 2; family++) {
		table_drop_begin(l->pool, &l->plan, l->next_root[family], family);
		l->next_root[family] = 0;
	}
	while (table_drop_run(l->pool, &l->plan, UINT32_MAX))
		;
}

static void begin_build(struct lists *l)
{
	l->rebuild = false;
	l->again_count = 0;
	stage_sets(l->store);
	store_hold(l->store);
	l->phase = PHASE_BUILD;
	l->family = 0;
	l->next_root[0] = l->next_root[1] = 0;
	table_begin(&l->next, 0, &l->next_root[0]); /* an error stays until table_run */
}

/* What was in force stays in force; what was staged waits for memory. */
static void fail_build(struct lists *l)
{
	log_print(LOG_ERR, "lists: out of memory: the lists that were in force still are");
	drop_next(l);
	change_states(l->store, SET_STAGED, SET_READY);
	change_states(l->store, SET_DOOMED, SET_LIVE);
	store_release(l->store);
	l->failed = true;
	l->phase = PHASE_IDLE;
}

static int catch_up(struct lists *l)
{
	int error = 0;

	for (uint32_t i = 0; i < l->again_count && !error; i++)
		error = table_refresh(&l->next, &l->next_root[!prefix_is_v4(&l->again[i])], &l->again[i],
				      UINT32_MAX);
	l->again_count = 0;
	return error;
}

static void swap(struct lists *l)
{
	uint32_t old[2] = { l->root[0], l->root[1] };

	memcpy(l->root, l->next_root, sizeof(l->root));
	l->next_root[0] = l->next_root[1] = 0;
	change_states(l->store, SET_STAGED, SET_LIVE);
	change_states(l->store, SET_DOOMED, SET_DEAD);
	store_release(l->store);
	l->backing.publish(l->backing.arg);
	l->failed = false;
	l->refreshed = 0;
	l->phase = PHASE_DROP;
	for (unsigned int family = 0; family < 2; family++)
		table_drop_begin(l->pool, &l->plan, old[family], family);
	l->plan_left = l->plan.count;
}

static void build(struct lists *l)
{
	int result = table_run(&l->next, STEPS_A_LOOK);

	if (!result && l->family == 0) {
		l->family = 1;
		table_begin(&l->next, 1, &l->next_root[1]);
	} else if (!result) {
		result = catch_up(l);
		if (!result)
			swap(l);
	}
	if (result < 0)
		fail_build(l);
}

/* publish has waited for the packets that read it, pool_recycle waits once more. */
static void drop(struct lists *l)
{
	bool more = table_drop_run(l->pool, &l->plan, 64);

	if (l->plan.count < l->plan_left)
		l->plan_left = l->plan.count;
	if (more)
		return;
	l->phase = PHASE_SWEEP;
	l->sweep_at = 1;
}

/* The entry that has taken the place of one of a set that is gone keeps its hits. */
static void inherit_hits(struct lists *l, uint32_t entry)
{
	const struct store *s = l->store;
	const struct store_entry *e = &s->entries[entry];

	for (uint32_t i = s->nodes[e->node].entry; i; i = s->entries[i].next) {
		const struct store_set *set = &s->sets[s->entries[i].set];

		if (i != entry && s->entries[i].kind == e->kind && set->state == SET_LIVE &&
		    set->origin == s->sets[e->set].origin && !strcmp(set->name, s->sets[e->set].name)) {
			pool_hits_add(l->pool, i, entry);
			return;
		}
	}
}

/* What was imported joins what was added by hand. */
static void merge(struct lists *l, uint32_t entry)
{
	struct store_entry e = l->store->entries[entry];
	struct prefix prefix;
	uint32_t known;

	store_prefix(l->store, entry, &prefix);
	known = store_find(l->store, (uint16_t)l->manual, (enum list_kind)e.kind, &prefix);
	if (!known) {
		store_move(l->store, entry, (uint16_t)l->manual);
		return;
	}
	if (store_add(l->store, (uint16_t)l->manual, (enum list_kind)e.kind, &prefix, e.expires_s, e.added_s,
		      e.reason, &known) < 0)
		return;
	pool_hits_add(l->pool, known, entry);
	remove_entry(l, entry);
}

static void sweep(struct lists *l)
{
	struct store *s = l->store;

	for (uint32_t i = 0; i < 64 && l->sweep_at < s->entry_end; i++) {
		uint32_t entry = l->sweep_at++;
		const struct store_set *set = &s->sets[s->entries[entry].set];

		if (!s->entries[entry].node)
			continue;
		if (set->state == SET_DEAD) {
			inherit_hits(l, entry);
			store_remove(s, entry);
		} else if (set->state == SET_LIVE && set->origin == ORIGIN_MANUAL &&
			   s->entries[entry].set != l->manual) {
			merge(l, entry);
		}
	}
	if (l->sweep_at < s->entry_end)
		return;
	for (int i = 0; i < STORE_SETS_MAX; i++)
		if (!s->sets[i].count && i != l->manual && s->sets[i].origin == ORIGIN_MANUAL &&
		    s->sets[i].state == SET_LIVE)
			s->sets[i].state = SET_DEAD;
	l->phase = PHASE_IDLE;
}

static bool has_expired(const struct lists *l)
{
	return store_expired(l->store, l->now_s) != 0;
}

bool lists_busy(const struct lists *l)
{
	return l->rebuild || l->phase != PHASE_IDLE || has_expired(l);
}

bool lists_work(struct lists *l)
{
	int64_t end = clock_ns() + SLICE_NS;
	uint32_t expired;

	do {
		expired = store_expired(l->store, l->now_s);
		if (expired)
			remove_entry(l, expired);
		else if (l->phase == PHASE_BUILD)
			build(l);
		else if (l->phase == PHASE_DROP)
			drop(l);
		else if (l->phase == PHASE_SWEEP)
			sweep(l);
		else if (l->rebuild)
			begin_build(l);
		else
			return false;
	} while (clock_ns() < end);
	return lists_busy(l);
}

void lists_tick(struct lists *l, int64_t now_s)
{
	l->now_s = now_s;
	pool_recycle(l->pool);
	if (l->phase == PHASE_IDLE)
		pool_trim(l->pool);
	if ((l->failed || l->refreshed > REFRESHED_MAX + l->store->count / 4) && l->phase == PHASE_IDLE)
		l->rebuild = true;
}

/* --- looking --- */

static void fill(const struct lists *l, uint32_t entry, struct lists_entry *out)
{
	const struct store_entry *e = &l->store->entries[entry];

	store_prefix(l->store, entry, &out->prefix);
	out->kind = (enum list_kind)e->kind;
	out->origin = l->store->sets[e->set].origin;
	out->name = l->store->sets[e->set].name;
	out->reason = e->reason ? e->reason : "";
	out->expires_s = e->expires_s;
	out->added_s = e->added_s;
	out->hits = pool_hits(l->pool, entry, &out->last);
}

static bool in_force(const struct store *s, uint32_t entry)
{
	enum store_set_state state = s->sets[s->entries[entry].set].state;

	return s->entries[entry].node && (state == SET_LIVE || state == SET_DOOMED);
}

bool lists_next(const struct lists *l, uint32_t *place, struct lists_entry *entry)
{
	if (*place >= l->store->entry_end) /* who asks may have made it up */
		return false;
	for (uint32_t i = *place + 1; i < l->store->entry_end; i++) {
		if (!in_force(l->store, i))
			continue;
		fill(l, i, entry);
		*place = i;
		return true;
	}
	return false;
}

size_t lists_match(const struct lists *l, const struct in6_addr *address, struct lists_entry *entries,
		   size_t size)
{
	uint32_t found[512];
	size_t count = store_match(l->store, address, found, sizeof(found) / sizeof(*found));

	for (size_t i = 0; i < count && i < size; i++)
		fill(l, found[i], &entries[i]);
	return count;
}

void lists_count(const struct lists *l, struct lists_counts *counts)
{
	memset(counts, 0, sizeof(*counts));
	for (int i = 0; i < STORE_SETS_MAX; i++) {
		const struct store_set *set = &l->store->sets[i];

		if (set->state != SET_LIVE && set->state != SET_DOOMED)
			continue;
		counts->entries[LIST_ALLOW][set->origin] += set->allowed;
		counts->entries[LIST_BLOCK][set->origin] += set->count - set->allowed;
	}
	counts->bytes = (uint64_t)l->pool->chunk_count * LIST_CHUNK_LINES * sizeof(struct list_line);
	counts->loading = lists_busy(l);
}

void lists_get_progress(const struct lists *l, struct lists_progress *progress)
{
	*progress = (struct lists_progress){ .phase = "tidying" };
	switch (l->phase) {
	case PHASE_IDLE:
		progress->phase = lists_busy(l) ? "building" : "idle";
		break;
	case PHASE_BUILD:
		progress->phase = "building";
		progress->left = table_left(&l->next) + (uint64_t)(1 - l->family) * TABLE_LEFT_MAX;
		break;
	case PHASE_DROP:
		progress->left = (uint64_t)l->plan_left + l->store->entry_end;
		break;
	case PHASE_SWEEP:
		progress->left = l->store->entry_end - l->sweep_at;
		break;
	}
}

uint32_t lists_judge(const struct lists *l, const struct in6_addr *address, bool *allowed)
{
	bool v6 = !IN6_IS_ADDR_V4MAPPED(address);
	uint32_t word = l->root[v6] ? table_find(l->pool, l->root[v6], v6, address) : 0;

	*allowed = word & LIST_ALLOWED;
	return word & LIST_RECORD;
}

static const char *const kind_words[] = { [LIST_BLOCK] = "block", [LIST_ALLOW] = "allow" };
static const char *const origin_words[] = {
	[ORIGIN_MANUAL] = "manual",
	[ORIGIN_CONFIG] = "config",
	[ORIGIN_FEED] = "feed",
	[ORIGIN_AUTO] = "auto",
};

const char *lists_kind_word(enum list_kind kind)
{
	return kind_words[kind];
}

const char *lists_origin_word(enum list_origin origin)
{
	return origin_words[origin];
}

int lists_origin_parse(const char *word)
{
	for (int i = 0; i < ORIGIN_COUNT; i++)
		if (!strcmp(origin_words[i], word))
			return i;
	return -1;
}
