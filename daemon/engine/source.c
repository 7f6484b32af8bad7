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

void source_describe(const struct heavy *heavy, const struct source_args *counts, uint32_t error,
		     uint32_t window_s, struct source_status *status)
{
	uint32_t begun = counts->begun > error ? counts->begun - error : 0;

	*status = (struct source_status){
		.prefix = source_prefix(heavy),
		.level = (enum limit_level)heavy->level,
		.half_open = counts->begun > counts->completed ? counts->begun - counts->completed : 0,
		.error = error,
		.begun = counts->begun,
		.completed = counts->completed,
		.syn_rate_pps = window_s ? counts->begun / window_s : 0,
		.proven = counts->completed >= PROVEN_LEAST && counts->completed >= begun / 2,
		.over = heavy->over,
		.dropped = heavy->dropped,
	};
}

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
	return s->half_open;
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
