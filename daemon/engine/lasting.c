// SPDX-License-Identifier: GPL-2.0-or-later
/* See lasting.h. */
#include "daemon/engine/lasting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "daemon/engine/memory.h"
#include "daemon/engine/state.h"
#include "daemon/maps/fastpath.h"
#include "daemon/secret.h"

#define NAME  "memory"
#define MAGIC 0x31656d616f6d7953ULL

#define COUNTER_WORDS (sizeof(struct service_counters) / sizeof(uint64_t))
#define GUARD_WORDS   (sizeof(struct guard_counters) / sizeof(uint64_t))
#define LIMIT_WORDS   (sizeof(((struct slot *)0)->limit_base) / (sizeof(uint64_t)))

_Static_assert(sizeof(struct lasting) <= LASTING_BYTES, "the memory has room for what lasts");
_Static_assert(KEPT_WATCH < sizeof(((struct lasting *)0)->words) / sizeof(uint64_t[KEPT_WORDS]),
	       "there are words for each part");
_Static_assert(COUNTER_WORDS <= LASTING_WORDS, "a slot has room for all counters");
_Static_assert(LIMIT_WORDS <= LASTING_LIMIT_WORDS, "a slot has room for the counters of all limits");
_Static_assert(LIMIT_COUNTS <= LASTING_LIMITS, "there is a place for each limit");
_Static_assert(GUARD_WORDS <= sizeof(((struct lasting_guard *)0)->carried) / sizeof(uint64_t) &&
		       GUARDS_MAX <= sizeof(((struct lasting *)0)->guards) / sizeof(struct lasting_guard),
	       "there is a place for each protected entry");
_Static_assert(SERVICE_SLOTS <= sizeof(((struct lasting *)0)->slots) / sizeof(struct lasting_slot),
	       "there is a place for each slot");

int lasting_open(struct fdstore *store, struct lasting **lasting)
{
	struct lasting *l;
	void *memory;
	int error = memory_open(store, NAME, MAGIC, LASTING_BYTES, &memory);

	if (error)
		return error;
	l = memory;
	secret_guard(l, LASTING_BYTES); /* keys lie here */
	if (l->magic != MAGIC) {
		if (getrandom(l->table_key, sizeof(l->table_key), 0) != sizeof(l->table_key)) {
			lasting_close(l);
			return -EIO;
		}
		l->magic = MAGIC;
	}
	*lasting = l;
	return 0;
}

void lasting_close(struct lasting *lasting)
{
	memory_close(lasting, LASTING_BYTES);
}

static void restore_keys(struct engine *e, const struct lasting_keys *saved)
{
	struct keyring before = {
		.generation = saved->generation & 1,
		.older_valid = saved->older_valid,
		.pending = saved->pending,
		.rotated_at_s = saved->rotated_at_s,
	};

	memcpy(before.key, saved->key, sizeof(before.key));
	keyring_continue(e->keyring, &before, clock_now_s());
	keyring_fini(&before);
}

void lasting_note_guards(struct engine *e)
{
	for (int i = 0; i < GUARDS_MAX; i++) {
		struct lasting_guard *to = &e->lasting->guards[i];
		const struct guard_place *from = &e->guards[i];

		to->used = from->used;
		memcpy(to->address, &from->first.address, sizeof(to->address));
		to->length_bits = from->first.length_bits;
		to->words = GUARD_WORDS;
		memcpy(to->carried, &from->carried, sizeof(from->carried));
	}
}

static void restore_guards(struct engine *e)
{
	for (int i = 0; i < GUARDS_MAX; i++) {
		const struct lasting_guard *from = &e->lasting->guards[i];
		struct guard_place *to = &e->guards[i];

		to->used = from->used && from->words == GUARD_WORDS;
		memcpy(&to->first.address, from->address, sizeof(from->address));
		to->first.length_bits = from->length_bits;
		if (to->used)
			memcpy(&to->carried, from->carried, sizeof(to->carried));
	}
}

void lasting_restore(struct engine *e)
{
	const struct lasting *l = e->lasting;

	if (!l->published) {
		e->lasting->counted_since_s = clock_now_s();
		return;
	}
	restore_keys(e, &l->keys[l->keys_live & 1]);
	e->clock.offset_ns = l->clock_offset_ns;
	e->bypass = l->bypass;
	e->drain = l->drain <= DRAIN_DONE ? l->drain : DRAIN_OFF;
	e->drain_began_s = l->drain_began_s;
	e->connections = (uint32_t)l->connections;
	e->translated = (uint32_t)l->translated;
	e->seeded = l->seeded;
	e->cleared = l->cleared;
	e->detached_by_hand = l->detached_by_hand;
	e->rxvlan_switched = l->rxvlan_switched;
	e->rxvlan_switched_inside = l->rxvlan_switched_inside;
	restore_guards(e);
}

/* Two places, as the daemon may die between any two words. */
static void note_keys(struct lasting *l, const struct keyring *keyring)
{
	uint32_t next = !(l->keys_live & 1);
	struct lasting_keys *to = &l->keys[next];

	memcpy(to->key, keyring->key, sizeof(to->key));
	to->rotated_at_s = keyring->rotated_at_s;
	to->generation = keyring->generation;
	to->older_valid = keyring->older_valid;
	to->pending = keyring->pending;
	__atomic_store_n(&l->keys_live, next, __ATOMIC_RELEASE);
	explicit_bzero(&l->keys[!next], sizeof(l->keys[!next]));
}

void lasting_note(struct engine *e)
{
	struct lasting *l = e->lasting;

	note_keys(l, e->keyring);
	l->clock_offset_ns = e->clock.offset_ns;
	l->bypass = e->bypass;
	l->drain = (uint8_t)e->drain;
	l->drain_began_s = e->drain_began_s;
	l->connections = e->connections;
	l->translated = e->translated;
	l->seeded = e->seeded;
	l->cleared = e->cleared;
	l->detached_by_hand = e->detached_by_hand;
	l->rxvlan_switched = e->rxvlan_switched;
	l->rxvlan_switched_inside = e->rxvlan_switched_inside;
	l->published = 1;
}

void lasting_note_slot(struct engine *e, uint32_t slot)
{
	struct lasting_slot *to = &e->lasting->slots[slot];
	const struct slot *s = &e->slots[slot];

	if (strncmp(to->name, s->name, sizeof(to->name))) {
		memset(to, 0, sizeof(*to));
		memcpy(to->base, &s->base, sizeof(s->base));
		to->words = COUNTER_WORDS;
		memcpy(to->limit_base, s->limit_base, sizeof(s->limit_base));
		to->limit_words = LIMIT_WORDS;
		memcpy(to->name, s->name, sizeof(to->name));
	}
	to->mode = s->mode;
}

void lasting_note_configured(struct engine *e, uint32_t slot, enum service_mode mode)
{
	e->lasting->slots[slot].config_mode = mode;
}

void lasting_note_changes(struct engine *e, const char *text)
{
	struct lasting *l = e->lasting;
	uint32_t next = l->changes_live == 1 ? 2 : 1;
	size_t size = text ? strlen(text) + 1 : 0;

	if (size && size <= LASTING_TEXT)
		memcpy(l->changes[next - 1], text, size);
	else
		next = 0;
	__atomic_store_n(&l->changes_live, next, __ATOMIC_RELEASE);
}

char *lasting_changes(const struct engine *e)
{
	const struct lasting *l = e->lasting;

	if (l->changes_live < 1 || l->changes_live > 2)
		return NULL;
	return strndup(l->changes[l->changes_live - 1], LASTING_TEXT);
}

/* A mode set by hand stays, as the file of changes may not have been written any more. */
static bool is_configured_as_before(const struct engine *e, const struct lasting_slot *slot)
{
	int place = config_find_service(e->config, slot->name);

	return place >= 0 && e->config->services[place].mode == slot->config_mode;
}

/* Counters that are laid out otherwise have begun anew. */
static void restore_slot(struct engine *e, uint32_t slot)
{
	const struct lasting_slot *from = &e->lasting->slots[slot];
	struct slot *s = &e->slots[slot];

	if (!*from->name || from->mode > MODE_ALWAYS)
		return;
	s->used = true;
	snprintf(s->name, sizeof(s->name), "%s", from->name);
	s->mode = (enum service_mode)from->mode;
	s->mode_kept = is_configured_as_before(e, from);
	s->seen = fastpath_state(e->fastpath, slot)->mitigation;
	if (from->words == COUNTER_WORDS)
		memcpy(&s->base, from->base, sizeof(s->base));
	if (from->limit_words == LIMIT_WORDS)
		memcpy(s->limit_base, from->limit_base, sizeof(s->limit_base));
	fastpath_read_counters(e->fastpath, slot, &s->last);
	s->before = s->last;
}

void lasting_restore_slots(struct engine *e)
{
	for (uint32_t slot = 1; slot < SERVICE_SLOTS; slot++)
		restore_slot(e, slot);
}
