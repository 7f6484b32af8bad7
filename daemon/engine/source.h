/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources that stand out, as people want to see them: from what XDP has counted of them, in the order asked
 * for. Pure.
 */
#ifndef SYNMOAT_ENGINE_SOURCE_H
#define SYNMOAT_ENGINE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "daemon/config/config.h"

#define SOURCES_MAX (HEAVY_SETS * HEAVY_WAYS)

enum source_order { SOURCE_BY_HALF_OPEN, SOURCE_BY_RATE, SOURCE_BY_DROPPED };

struct source_status {
	struct prefix prefix;
	enum limit_level level;
	uint32_t half_open, error; /* estimate, and by how much it may be too high */
	uint32_t held;		   /* half-open at the server, exact */
	uint32_t begun, completed;
	uint32_t syn_rate_pps; /* answered */
	bool proven;
	uint32_t over, dropped; /* of limits */
};

/* The clients of all half-open sockets, sorted: exact counts by any prefix. */
struct held {
	struct in6_addr *addresses; /* IPv4 as v4-mapped */
	size_t count, room;
};

#define HELD_MAX 65536
void held_add(struct held *held, const struct in6_addr *address); /* beyond HELD_MAX: not counted */
void held_sort(struct held *held);
uint32_t held_count(const struct held *held, const struct prefix *prefix);
/* The next different source from *place on (0 first) that holds at least LEAST; false: no more. */
bool held_next(const struct held *held, enum limit_level level, uint32_t least, size_t *place,
	       struct heavy *heavy);
void held_fini(struct held *held);

/* "half_open", "rate", "dropped"; -1: none of them. */
int source_order_parse(const char *word);

/* The address of HEAVY, cut to its level. */
struct prefix source_prefix(const struct heavy *heavy);

/* Seconds that the sketch's counts span at JIFFIES: the window that has passed and the one that is running.
 */
uint32_t source_window_s(uint64_t jiffies, uint32_t window_shift, uint32_t jiffies_hz);

/* COUNTS: of the sketch, which counts one SYN in SAMPLE. */
void source_describe(const struct heavy *heavy, const struct source_args *counts, uint32_t error,
		     uint32_t sample, uint32_t window_s, struct source_status *status);

/*
 * Whether an entry owes what it shows to another, with which it shares a place in the accounts: of those, the
 * one that has met more limits counts, else the one seen last. So that an address that was forged once does
 * not stand beside a heavy one with the same numbers.
 */
bool source_is_shadow(const struct heavy *heavies, size_t count, size_t index);

void source_sort(struct source_status *all, size_t count, enum source_order order);

#endif
