// SPDX-License-Identifier: GPL-2.0-or-later
/* See store.h. Indexes instead of pointers: half the memory, and the pools may move. */
#include "daemon/lists/store.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_HIGH 0
#define MAPPED_LOW  0x0000ffff00000000ULL

struct place {
	uint64_t high, low;
	unsigned int bits, family;
};

static uint64_t load64(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return __builtin_bswap64(value);
}

static struct place place_of(const struct prefix *prefix)
{
	return (struct place){
		.high = load64(prefix->address.s6_addr),
		.low = load64(prefix->address.s6_addr + 8),
		.bits = prefix->length_bits,
		.family = !prefix_is_v4(prefix),
	};
}

struct store *store_new(void)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s)
		s->entry_end = s->node_end = 1;
	return s;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	for (uint32_t i = 1; i < s->entry_end; i++)
		free(s->entries[i].reason);
	free(s->entries);
	free(s->nodes);
	free(s->heap);
	free(s->held);
	free(s);
}

int store_set_new(struct store *s, enum list_origin origin, const char *name, enum store_set_state state)
{
	for (int i = 0; i < STORE_SETS_MAX; i++) {
		struct store_set *set = &s->sets[i];

		if (set->state != SET_FREE && !(set->state == SET_DEAD && !set->count))
			continue;
		*set = (struct store_set){ .state = state, .origin = origin };
		strncpy(set->name, name, sizeof(set->name) - 1);
		return i;
	}
	return -ENOSPC;
}

/* --- pools --- */

static void *grow(void *items, uint32_t *room, size_t size)
{
	uint32_t wanted = *room ? *room * 2 : 1024;
	void *grown = reallocarray(items, wanted, size);

	if (grown)
		*room = wanted;
	return grown;
}

/* Room for two more nodes, so that an insertion fails before it begins. */
static int reserve(struct store *s)
{
	void *grown;

	if (s->node_room < s->node_end + 2) {
		grown = grow(s->nodes, &s->node_room, sizeof(*s->nodes));
		if (!grown)
			return -ENOMEM;
		s->nodes = grown;
	}
	if (s->entry_room < s->entry_end + 1) {
		grown = grow(s->entries, &s->entry_room, sizeof(*s->entries));
		if (!grown)
			return -ENOMEM;
		s->entries = grown;
	}
	if (s->heap_room < s->heap_count + 1) {
		grown = grow(s->heap, &s->heap_room, sizeof(*s->heap));
		if (!grown)
			return -ENOMEM;
		s->heap = grown;
	}
	return 0;
}

static uint32_t node_new(struct store *s, const struct place *at, unsigned int bits)
{
	uint32_t index = s->node_free ? s->node_free : s->node_end++;
	struct store_node *n = &s->nodes[index];

	if (s->node_free)
		s->node_free = n->child[0];
	*n = (struct store_node){ .high = at->high, .low = at->low, .bits = (uint8_t)bits };
	if (bits < 64)
		n->high = bits ? n->high & ~(UINT64_MAX >> bits) : 0;
	if (bits < 128)
		n->low = bits > 64 ? n->low & ~(UINT64_MAX >> (bits - 64)) : 0;
	return index;
}

/* A held node stays as it is, so that who stands on it still finds its way down. */
static void node_free(struct store *s, uint32_t index)
{
	void *grown;

	if (!s->hold) {
		s->nodes[index].child[0] = s->node_free;
		s->node_free = index;
		return;
	}
	if (s->held_count == s->held_room) {
		grown = grow(s->held, &s->held_room, sizeof(*s->held));
		if (!grown)
			return; /* lost, but not in use */
		s->held = grown;
	}
	s->held[s->held_count++] = index;
}

void store_hold(struct store *s)
{
	s->hold = true;
}

void store_release(struct store *s)
{
	s->hold = false;
	while (s->held_count)
		node_free(s, s->held[--s->held_count]);
}

/* --- the heap of expiries --- */

static void heap_put(struct store *s, uint32_t place, uint32_t entry)
{
	s->heap[place] = entry;
	s->entries[entry].heap = place + 1;
}

static int64_t heap_key(const struct store *s, uint32_t place)
{
	return s->entries[s->heap[place]].expires_s;
}

static void heap_sift(struct store *s, uint32_t place)
{
	uint32_t entry = s->heap[place];
	int64_t key = s->entries[entry].expires_s;

	while (place && heap_key(s, (place - 1) / 2) > key) {
		heap_put(s, place, s->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	for (uint32_t child = place * 2 + 1; child < s->heap_count; child = place * 2 + 1) {
		if (child + 1 < s->heap_count && heap_key(s, child + 1) < heap_key(s, child))
			child++;
		if (heap_key(s, child) >= key)
			break;
		heap_put(s, place, s->heap[child]);
		place = child;
	}
	heap_put(s, place, entry);
}

static void heap_remove(struct store *s, uint32_t entry)
{
	uint32_t place = s->entries[entry].heap, last;

	if (!place--)
		return;
	s->entries[entry].heap = 0;
	last = s->heap[--s->heap_count];
	if (place == s->heap_count)
		return;
	s->heap[place] = last;
	heap_sift(s, place);
}

static void heap_set(struct store *s, uint32_t entry, int64_t expires_s)
{
	heap_remove(s, entry);
	s->entries[entry].expires_s = expires_s;
	if (!expires_s)
		return;
	s->heap[s->heap_count++] = entry;
	heap_sift(s, s->heap_count - 1);
}

uint32_t store_expired(const struct store *s, int64_t now_s)
{
	return s->heap_count && heap_key(s, 0) <= now_s ? s->heap[0] : 0;
}

/* --- the trie --- */

static unsigned int common_bits(const struct store_node *n, const struct place *at)
{
	uint64_t differ = n->high ^ at->high;
	unsigned int least = n->bits < at->bits ? n->bits : at->bits, common;

	if (differ)
		common = (unsigned int)__builtin_clzll(differ);
	else if ((differ = n->low ^ at->low))
		common = 64 + (unsigned int)__builtin_clzll(differ);
	else
		common = 128;
	return common < least ? common : least;
}

static uint32_t node_insert(struct store *s, const struct place *at)
{
	uint32_t *link = &s->roots[at->family];
	unsigned int common;

	while (*link) {
		struct store_node *n = &s->nodes[*link];
		uint32_t made;

		common = common_bits(n, at);
		if (common == n->bits && n->bits == at->bits)
			return *link;
		if (common == n->bits) {
			link = &n->child[store_bit(at->high, at->low, n->bits)];
			continue;
		}
		made = node_new(s, at, common);
		s->nodes[made].child[store_bit(n->high, n->low, common)] = *link;
		*link = made;
		if (common == at->bits)
			return made;
		link = &s->nodes[made].child[store_bit(at->high, at->low, common)];
	}
	*link = node_new(s, at, at->bits);
	return *link;
}

static uint32_t node_find(const struct store *s, const struct place *at)
{
	uint32_t index = s->roots[at->family];

	while (index) {
		const struct store_node *n = &s->nodes[index];

		if (n->bits > at->bits || !store_same(n->high, n->low, at->high, at->low, n->bits))
			return 0;
		if (n->bits == at->bits)
			return index;
		index = n->child[store_bit(at->high, at->low, n->bits)];
	}
	return 0;
}

/* Takes out a node without entries, and the fork above it that has become needless. */
static void node_prune(struct store *s, uint32_t index)
{
	struct store_node *target = &s->nodes[index];
	uint32_t *link = &s->roots[target->high != MAPPED_HIGH || target->low >> 32 != MAPPED_LOW >> 32 ||
				   target->bits < 96];
	uint32_t *above = NULL, fork;

	if (target->entry || (target->child[0] && target->child[1]))
		return;
	while (*link != index) {
		struct store_node *n = &s->nodes[*link];

		above = link;
		link = &n->child[store_bit(target->high, target->low, n->bits)];
	}
	*link = target->child[0] ? target->child[0] : target->child[1];
	node_free(s, index);
	if (*link || !above)
		return;
	fork = *above;
	if (s->nodes[fork].entry)
		return;
	*above = s->nodes[fork].child[0] ? s->nodes[fork].child[0] : s->nodes[fork].child[1];
	node_free(s, fork);
}

/* --- entries --- */

static uint32_t find_at(const struct store *s, uint32_t node, uint16_t set, enum list_kind kind)
{
	uint32_t entry = s->nodes[node].entry;

	while (entry && (s->entries[entry].set != set || s->entries[entry].kind != kind))
		entry = s->entries[entry].next;
	return entry;
}

uint32_t store_find(const struct store *s, uint16_t set, enum list_kind kind, const struct prefix *prefix)
{
	struct place at = place_of(prefix);
	uint32_t node = node_find(s, &at);

	return node ? find_at(s, node, set, kind) : 0;
}

static int set_reason(struct store_entry *e, const char *reason)
{
	char *copy = NULL;

	if (reason && *reason) {
		copy = strndup(reason, STORE_REASON_MAX);
		if (!copy)
			return -ENOMEM;
		for (char *c = copy; *c; c++) /* it goes to logs and terminals */
			if (iscntrl((unsigned char)*c))
				*c = ' ';
	}
	free(e->reason);
	e->reason = copy;
	return 0;
}

static int entry_new(struct store *s, uint32_t node, const struct store_entry *like, const char *reason,
		     uint32_t *entry)
{
	uint32_t index = s->entry_free ? s->entry_free : s->entry_end;
	uint32_t next_free = s->entry_free ? s->entries[index].next : 0;
	struct store_entry *e = &s->entries[index];
	int error;

	*e = *like;
	error = set_reason(e, reason);
	if (error) {
		*e = (struct store_entry){ .next = next_free };
		return error;
	}
	if (s->entry_free)
		s->entry_free = next_free;
	else
		s->entry_end++;
	e->node = node;
	e->next = s->nodes[node].entry;
	s->nodes[node].entry = index;
	s->sets[e->set].count++;
	s->sets[e->set].allowed += e->kind == LIST_ALLOW;
	s->count++;
	*entry = index;
	return 0;
}

int store_add(struct store *s, uint16_t set, enum list_kind kind, const struct prefix *prefix,
	      int64_t expires_s, int64_t added_s, const char *reason, uint32_t *entry)
{
	const struct store_entry like = { .added_s = added_s, .set = set, .kind = (uint8_t)kind };
	struct place at = place_of(prefix);
	uint32_t node, known;
	int error = reserve(s);

	if (error)
		return error;
	known = store_find(s, set, kind, prefix);
	if (known) {
		error = set_reason(&s->entries[known], reason);
		if (error)
			return error;
		s->entries[known].added_s = added_s;
		heap_set(s, known, expires_s);
		*entry = known;
		return 1;
	}
	if (s->count >= STORE_ENTRIES_MAX)
		return -ENOSPC;
	node = node_insert(s, &at);
	error = entry_new(s, node, &like, reason, entry);
	if (error) {
		node_prune(s, node);
		return error;
	}
	heap_set(s, *entry, expires_s);
	return 0;
}

void store_remove(struct store *s, uint32_t entry)
{
	struct store_entry *e = &s->entries[entry];
	uint32_t node = e->node, *link = &s->nodes[node].entry;

	while (*link != entry)
		link = &s->entries[*link].next;
	*link = e->next;
	heap_remove(s, entry);
	free(e->reason);
	s->sets[e->set].count--;
	s->sets[e->set].allowed -= e->kind == LIST_ALLOW;
	s->count--;
	*e = (struct store_entry){ .next = s->entry_free };
	s->entry_free = entry;
	node_prune(s, node);
}

void store_move(struct store *s, uint32_t entry, uint16_t set)
{
	struct store_entry *e = &s->entries[entry];

	s->sets[e->set].count--;
	s->sets[e->set].allowed -= e->kind == LIST_ALLOW;
	e->set = set;
	s->sets[set].count++;
	s->sets[set].allowed += e->kind == LIST_ALLOW;
}

void store_prefix(const struct store *s, uint32_t entry, struct prefix *prefix)
{
	const struct store_node *n = &s->nodes[s->entries[entry].node];
	uint64_t words[2] = { __builtin_bswap64(n->high), __builtin_bswap64(n->low) };

	memcpy(&prefix->address, words, sizeof(prefix->address));
	prefix->length_bits = n->bits;
}

/* --- who wins --- */

static bool counts(const struct store *s, const struct store_entry *e, enum store_view view)
{
	enum store_set_state state = s->sets[e->set].state;

	return state == SET_LIVE || state == (view == VIEW_NOW ? SET_DOOMED : SET_STAGED);
}

uint32_t store_winner(const struct store *s, uint32_t node, enum store_view view)
{
	uint32_t winner = 0;

	for (uint32_t i = s->nodes[node].entry; i; i = s->entries[i].next) {
		const struct store_entry *e = &s->entries[i], *w = &s->entries[winner];

		if (!counts(s, e, view))
			continue;
		if (!winner || e->kind > w->kind ||
		    (e->kind == w->kind && s->sets[e->set].origin < s->sets[w->set].origin))
			winner = i;
	}
	return winner;
}

static bool has_more(const struct store *s, uint32_t node, uint32_t *left)
{
	if (!node)
		return false;
	if (!*left)
		return true;
	(*left)--;
	return has_more(s, s->nodes[node].child[0], left) || has_more(s, s->nodes[node].child[1], left);
}

bool store_has_more(const struct store *s, uint32_t node, uint32_t limit)
{
	return has_more(s, node, &limit);
}

static void reverse(uint32_t *entries, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		uint32_t other = entries[count - 1 - i];

		entries[count - 1 - i] = entries[i];
		entries[i] = other;
	}
}

size_t store_match(const struct store *s, const struct in6_addr *address, uint32_t *entries, size_t size)
{
	struct prefix whole = { .address = *address, .length_bits = 128 };
	struct place at = place_of(&whole);
	uint32_t index = s->roots[at.family];
	size_t count = 0;

	while (index) {
		const struct store_node *n = &s->nodes[index];

		if (!store_same(n->high, n->low, at.high, at.low, n->bits))
			break;
		/* at one node the winner comes last, so that it is first when all is turned round */
		for (uint32_t pass = 0, winner = store_winner(s, index, VIEW_NOW); pass < 2; pass++)
			for (uint32_t i = n->entry; i; i = s->entries[i].next) {
				if (!counts(s, &s->entries[i], VIEW_NOW) || (i == winner) != (pass == 1))
					continue;
				if (count < size)
					entries[count] = i;
				count++;
			}
		index = n->bits < 128 ? n->child[store_bit(at.high, at.low, n->bits)] : 0;
	}
	reverse(entries, count < size ? count : size);
	return count;
}
