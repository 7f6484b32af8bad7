/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine knows and the fast path does not, in memory that outlives the daemon (daemon/fdstore.h):
 * keys, the cookie's clock, which service has which slot, what was done by hand. Written as it changes, so
 * that a daemon may die at any moment. New members go to the end; those that an older daemon did not know
 * are 0.
 */
#ifndef SYNMOAT_ENGINE_LASTING_H
#define SYNMOAT_ENGINE_LASTING_H

#include <stdint.h>

#include "bpf/abi.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/keyring.h"

struct fdstore;

#define LASTING_BYTES	    (1U << 20)
#define LASTING_WORDS	    512
#define LASTING_LIMIT_WORDS 64
#define LASTING_LIMITS	    256
#define LASTING_TEXT	    (128U << 10)

struct lasting_keys {
	uint64_t key[2][2];
	uint64_t rotated_at_s; /* monotonic */
	uint32_t generation;
	uint8_t older_valid, pending;
	uint8_t pad[2];
};

struct lasting_slot {
	char name[32];		    /* empty: never used */
	uint32_t mode, config_mode; /* enum service_mode: in force, and what the configuration said */
	/* counters of an earlier service, so many words of them */
	uint32_t words, limit_words;
	uint64_t base[LASTING_WORDS], limit_base[LASTING_LIMIT_WORDS];
};

/* A protected entry, by place in the configuration. */
struct lasting_guard {
	uint8_t address[16], length_bits, used; /* of its first prefix */
	uint8_t pad[2];
	uint32_t words;
	uint64_t carried[16]; /* words of them: see struct guard_place */
};

struct lasting {
	uint64_t magic;
	uint64_t table_key[2];
	uint32_t keys_live; /* of the two, which is whole */
	uint32_t published; /* 0: the daemon before never came so far */
	struct lasting_keys keys[2];
	int64_t clock_offset_ns;
	uint64_t counted_since_s; /* monotonic: counters began */
	uint64_t drain_began_s;
	uint64_t connections, translated; /* inline, a second ago at most */
	uint64_t seeded, cleared;
	uint8_t bypass, drain, detached_by_hand, rxvlan_switched, rxvlan_switched_inside;
	uint8_t pad[3];
	struct lasting_slot slots[64 + 1];
	struct lasting_guard guards[32];
	uint64_t words[2][KEPT_WORDS]; /* by enum kept */
	/* limits and modes set by hand, as override_print() writes them */
	char changes[2][LASTING_TEXT];
	uint32_t changes_live; /* 1 or 2: the first or second of them is whole; 0: neither */
	uint32_t limits_mode;  /* daemon/engine/would.c */
	uint64_t limit_other[LASTING_LIMITS];
};

/* The memory of before, or new with a key drawn for the tables. 0 or a negative errno. */
int lasting_open(struct fdstore *store, struct lasting **lasting);
void lasting_close(struct lasting *lasting);

/* --- what of it is the engine's: before anything is published, and after each change --- */
void lasting_restore(struct engine *engine);
void lasting_note(struct engine *engine);
void lasting_restore_slots(struct engine *engine);
void lasting_note_slot(struct engine *engine, uint32_t slot);
void lasting_note_guards(struct engine *engine);
/* Limits and modes set by hand. NULL, or too long for the room: the file has them. */
void lasting_note_changes(struct engine *engine, const char *text);
/* What was noted, for the caller to free. NULL: nothing. */
char *lasting_changes(const struct engine *engine);
void lasting_note_configured(struct engine *engine, uint32_t slot, enum service_mode mode);

#endif
