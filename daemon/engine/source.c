// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See source.h.
 */
#include "daemon/engine/source.h"

#include <stdlib.h>
#include <string.h>

#define PROVEN_LEAST 32 /* as bpf/sketch.bpf.h */

static const char *const order_words[] = {
	[SOURCE_BY_HALF_OPEN] = "half_open",
	[SOURCE_BY_RATE] = "rate",
	[SOURCE_BY_DROPPED] = "dropped",
};

int source_order_parse(const char *word)
{
	for (size_t i = 0; i < sizeof(order_words) / sizeof(*order_words); i++)
		if (!strcmp(order_words[i], word))
			return (int)i;
	return -1;
}

struct prefix source_prefix(const struct heavy *heavy)
{
	static const uint8_t bits4[] = { 32, 24, 24 }, bits6[] = { 128, 64, 48 };
	unsigned int level = heavy->level < SKETCH_LEVELS ? heavy->level : LEVEL_SITE;
	struct prefix prefix = { 0 };

	if (heavy->v6) {
		prefix.length_bits = bits6[level];
		memcpy(&prefix.address, heavy->address, sizeof(prefix.address));
	} else {
		prefix.length_bits = (uint8_t)(96 + bits4[level]);
		memset(prefix.address.s6_addr + 10, 0xff, 2);
		memcpy(prefix.address.s6_addr + 12, heavy->address, 4);
	}
	for (unsigned int byte = prefix.length_bits / 8U; byte < sizeof(prefix.address); byte++)
		prefix.address.s6_addr[byte] = 0;
	return prefix;
}

uint32_t source_window_s(uint64_t jiffies, uint32_t window_shift, uint32_t jiffies_hz)
{
	uint64_t window = 1ULL << window_shift, span = (jiffies & (window - 1)) + window;

	return (uint32_t)((span + jiffies_hz / 2) / jiffies_hz);
}

/* Twice the deviation of what was sampled: of COUNT handshakes, one in SAMPLE was counted, as so many. */
static uint32_t sample_error(uint32_t count, uint32_t sample)
{
	uint64_t square = sample > 1 ? 4ULL * (sample - 1) * count : 0;
	uint32_t root = 0;

	while ((uint64_t)(root + 1) * (root + 1) <= square)
		root++;
	return root;
}

void source_describe(const struct heavy *heavy, const struct source_args *counts, uint32_t error,
		     uint32_t sample, uint32_t window_s, struct source_status *status)
{
	uint32_t begun = counts->begun > error ? counts->begun - error : 0;

	*status = (struct source_status){
		.prefix = source_prefix(heavy),
		.level = (enum limit_level)heavy->level,
		.half_open = counts->begun > counts->completed ? counts->begun - counts->completed : 0,
		.error = error + sample_error(counts->begun, sample),
		.held = counts->held,
		.begun = counts->begun,
		.completed = counts->completed,
		.syn_rate_pps = window_s ? counts->begun / window_s : 0,
		.proven = counts->completed >= PROVEN_LEAST && counts->completed >= begun / 2,
		.over = heavy->over,
		.dropped = heavy->dropped,
	};
}

/* All but the lowest bit of the place is in the tag (bpf/sketch.bpf.h). */
static bool share_place(const struct heavy *a, const struct heavy *b)
{
	return a->level == b->level && a->level < SKETCH_LEVELS &&
	       !((a->tag ^ b->tag) & (ACCOUNTS_OF(a->level) - 2));
}

bool source_is_shadow(const struct heavy *heavies, size_t count, size_t index)
{
	const struct heavy *it = &heavies[index];

	for (size_t i = 0; i < count; i++) {
		const struct heavy *other = &heavies[i];

		if (i == index || !share_place(it, other))
			continue;
		if (other->over != it->over   ? other->over > it->over
		    : other->seen != it->seen ? (int32_t)(other->seen - it->seen) > 0
					      : i < index)
			return true;
	}
	return false;
}

/* --- what the server holds --- */

void held_add(struct held *held, const struct in6_addr *address)
{
	if (held->count == held->room) {
		size_t room = held->room ? held->room * 2 : 1024;
		struct in6_addr *grown =
			room <= HELD_MAX ? reallocarray(held->addresses, room, sizeof(*grown)) : NULL;

		if (!grown)
			return;
		held->addresses = grown;
		held->room = room;
	}
	held->addresses[held->count++] = *address;
}

static int compare_addresses(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct in6_addr));
}

void held_sort(struct held *held)
{
	if (held->count)
		qsort(held->addresses, held->count, sizeof(*held->addresses), compare_addresses);
}

/* The first address that is not below PREFIX, which sorts before all that it covers. */
static size_t first_of(const struct held *held, const struct prefix *prefix)
{
	size_t low = 0, high = held->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(&held->addresses[middle], &prefix->address, sizeof(prefix->address)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t held_count(const struct held *held, const struct prefix *prefix)
{
	size_t first = first_of(held, prefix), last = first;

	while (last < held->count && prefix_covers(prefix, &held->addresses[last]))
		last++;
	return (uint32_t)(last - first);
}

bool held_next(const struct held *held, enum limit_level level, uint32_t least, size_t *place,
	       struct heavy *heavy)
{
	while (*place < held->count) {
		const struct in6_addr *address = &held->addresses[*place];
		struct prefix prefix;
		uint32_t count;

		*heavy = (struct heavy){ .level = (uint16_t)level, .v6 = !IN6_IS_ADDR_V4MAPPED(address) };
		if (heavy->v6)
			memcpy(heavy->address, address, sizeof(heavy->address));
		else
			memcpy(heavy->address, address->s6_addr + 12, 4);
		prefix = source_prefix(heavy);
		count = held_count(held, &prefix);
		*place += count;
		if (count >= least && (heavy->v6 || level != LEVEL_SITE))
			return true;
	}
	return false;
}

void held_fini(struct held *held)
{
	free(held->addresses);
	*held = (struct held){ 0 };
}

/* --- order --- */

static uint64_t weight(const struct source_status *s, enum source_order order)
{
	switch (order) {
	case SOURCE_BY_RATE:
		return s->syn_rate_pps;
	case SOURCE_BY_DROPPED:
		return s->dropped;
	case SOURCE_BY_HALF_OPEN:
		break;
	}
	return (uint64_t)s->half_open + s->held;
}

/* Of equal ones, the one that met more limits, then the narrower. */
static int compare(const struct source_status *a, const struct source_status *b, enum source_order order)
{
	uint64_t x = weight(a, order), y = weight(b, order);

	if (x == y) {
		x = a->over;
		y = b->over;
	}
	if (x == y)
		return (int)a->level - (int)b->level;
	return x < y ? 1 : -1;
}

static int by_half_open(const void *a, const void *b)
{
	return compare(a, b, SOURCE_BY_HALF_OPEN);
}

static int by_rate(const void *a, const void *b)
{
	return compare(a, b, SOURCE_BY_RATE);
}

static int by_dropped(const void *a, const void *b)
{
	return compare(a, b, SOURCE_BY_DROPPED);
}

void source_sort(struct source_status *all, size_t count, enum source_order order)
{
	static int (*const by[])(const void *, const void *) = {
		[SOURCE_BY_HALF_OPEN] = by_half_open,
		[SOURCE_BY_RATE] = by_rate,
		[SOURCE_BY_DROPPED] = by_dropped,
	};

	qsort(all, count, sizeof(*all), by[order]);
}
