// SPDX-License-Identifier: GPL-2.0-or-later
/* See talkers.h. */
#include "daemon/detect/talkers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_LEAST 20 /* fewer tell nothing of prefixes */

/* xorshift64*, Vigna 2016. */
uint64_t talkers_random(uint64_t *state, uint64_t limit)
{
	uint64_t x = *state ? *state : 0x2545f4914f6cdd1dULL;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (x * 0x2545f4914f6cdd1dULL >> 16) % limit;
}

bool talkers_source(const struct sample *sample, struct in6_addr *source)
{
	size_t offset = sample->l3 + (sample->v6 ? 8U : 12U), length = sample->v6 ? 8 : 4;

	if (offset + length > sample->captured || sample->captured > SAMPLE_BYTES)
		return false;
	memset(source, 0, sizeof(*source));
	if (!sample->v6)
		memset(source->s6_addr + 10, 0xff, 2);
	memcpy(source->s6_addr + (sample->v6 ? 0 : 12), sample->frame + offset, length);
	return true;
}

/* Algorithm R, Vitter 1985. */
void talkers_add(struct talkers *t, const struct in6_addr *source)
{
	uint64_t place = t->seen++;

	if (t->kept < TALKERS_ROOM)
		t->kept++;
	else
		place = talkers_random(&t->random, t->seen);
	if (place < TALKERS_ROOM)
		t->source[place] = *source;
}

/* --- in order --- */

struct sorted {
	struct in6_addr source[TALKERS_ROOM];
	bool told[TALKERS_ROOM]; /* in a prefix already */
	uint32_t count;
};

static int compare_addresses(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct in6_addr));
}

static void sort(const struct talkers *t, struct sorted *s)
{
	memset(s->told, 0, sizeof(s->told));
	s->count = t->kept;
	memcpy(s->source, t->source, t->kept * sizeof(*s->source));
	qsort(s->source, s->count, sizeof(*s->source), compare_addresses);
}

static int compare_counts(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

void talkers_shares(const struct talkers *t, uint32_t *top_permille, uint32_t *few_permille)
{
	uint32_t counts[TALKERS_ROOM] = { 0 }, sources = 0, sum = 0;
	struct sorted s;

	sort(t, &s);
	for (uint32_t i = 0; i < s.count; i++) {
		sources += !i || compare_addresses(&s.source[i], &s.source[i - 1]) != 0;
		counts[sources - 1]++;
	}
	qsort(counts, sources, sizeof(*counts), compare_counts);
	for (uint32_t i = 0; i < sources && i < TALKERS_FEW; i++)
		sum += counts[i];
	*top_permille = s.count ? counts[0] * 1000 / s.count : 0;
	*few_permille = s.count ? sum * 1000 / s.count : 0;
}

/* --- prefixes --- */

static bool is_v4(const struct in6_addr *address)
{
	return IN6_IS_ADDR_V4MAPPED(address);
}

static struct prefix cut(const struct in6_addr *address, unsigned int bits)
{
	struct prefix prefix = { .address = *address, .length_bits = (uint8_t)bits };

	for (unsigned int byte = bits / 8; byte < sizeof(prefix.address); byte++)
		prefix.address.s6_addr[byte] = 0;
	return prefix;
}

static int compare_talkers(const void *a, const void *b)
{
	const struct talker *x = a, *y = b;

	return x->percent < y->percent ? 1 : x->percent > y->percent ? -1 : 0;
}

/* From place FIRST on all that PREFIX covers: counts what is not told yet, or with TELL tells it. Returns the
 * count; *next: the place behind. */
static uint32_t walk(struct sorted *s, uint32_t first, const struct prefix *prefix, bool tell, uint32_t *next)
{
	uint32_t count = 0, i;

	for (i = first; i < s->count && prefix_covers(prefix, &s->source[i]); i++) {
		count += !s->told[i];
		s->told[i] |= tell;
	}
	*next = i;
	return count;
}

static size_t tell_level(struct sorted *s, unsigned int bits, bool v4, struct talker *top, size_t found)
{
	uint32_t next;

	for (uint32_t i = 0; i < s->count && found < TALKERS_TOP; i = next) {
		struct prefix prefix = cut(&s->source[i], bits);
		uint32_t count;

		next = i + 1;
		if (is_v4(&s->source[i]) != v4)
			continue;
		count = walk(s, i, &prefix, false, &next);
		if (count * 100 < s->count * TALKERS_SHARE)
			continue;
		walk(s, i, &prefix, true, &next);
		top[found++] = (struct talker){ prefix, count * 100 / s->count };
	}
	return found;
}

size_t talkers_top(const struct talkers *t, struct talker top[TALKERS_TOP])
{
	static const unsigned int bits4[] = { 128, 120, 112, 104 }, bits6[] = { 64, 48, 32 };
	struct sorted s;
	size_t found = 0;

	if (t->kept < SAMPLES_LEAST)
		return 0;
	sort(t, &s);
	for (size_t i = 0; i < sizeof(bits4) / sizeof(*bits4); i++)
		found = tell_level(&s, bits4[i], true, top, found);
	for (size_t i = 0; i < sizeof(bits6) / sizeof(*bits6); i++)
		found = tell_level(&s, bits6[i], false, top, found);
	qsort(top, found, sizeof(*top), compare_talkers);
	return found;
}
