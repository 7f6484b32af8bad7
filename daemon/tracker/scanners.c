// SPDX-License-Identifier: GPL-2.0-or-later
/* See scanners.h. Different ones are counted by the bits that they set (linear counting). */
#include "daemon/tracker/scanners.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SETS  1024
#define WAYS  4
#define WORDS 4
#define BITS  (WORDS * 64)

struct bits {
	uint64_t words[WORDS];
};

struct scanner {
	struct in6_addr source; /* all zero: free */
	uint32_t began_s;
	bool told;
	struct bits refused, completed;
};

struct scanners {
	uint64_t key[2];
	struct scanner all[SETS][WAYS];
};

int scanners_new(struct scanners **scanners)
{
	struct scanners *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	if (getrandom(s->key, sizeof(s->key), 0) != sizeof(s->key)) {
		free(s);
		return -EIO;
	}
	*scanners = s;
	return 0;
}

void scanners_free(struct scanners *s)
{
	free(s);
}

/* Keyed, so that nobody outside can choose what shares a place. */
static uint64_t hash(const struct scanners *s, const struct in6_addr *address, in_port_t port)
{
	uint64_t h = s->key[0] ^ port;

	for (int i = 0; i < 4; i++) {
		h = (h ^ address->s6_addr32[i]) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 32;
	}
	h = (h ^ s->key[1]) * 0xbf58476d1ce4e5b9ULL;
	return h ^ h >> 29;
}

static void set(struct bits *bits, uint64_t hash)
{
	bits->words[hash % WORDS] |= 1ULL << (hash / WORDS % 64);
}

static uint32_t count(const struct bits *bits)
{
	int taken = 0;

	for (int i = 0; i < WORDS; i++)
		taken += __builtin_popcountll(bits->words[i]);
	if (taken >= BITS)
		taken = BITS - 1;
	return (uint32_t)lround(-BITS * log((double)(BITS - taken) / BITS));
}

static uint32_t tried(const struct scanner *s)
{
	return count(&s->refused) + count(&s->completed);
}

static struct in6_addr origin_of(const struct in6_addr *source)
{
	struct in6_addr origin = *source;

	if (!IN6_IS_ADDR_V4MAPPED(source))
		origin.s6_addr32[2] = origin.s6_addr32[3] = 0;
	return origin;
}

static bool is_over(const struct scanner *s, uint32_t now_s)
{
	return now_s - s->began_s >= SCANNERS_WINDOW_S;
}

/* Its place, which may have been another's. */
static struct scanner *place_of(struct scanners *s, const struct in6_addr *origin, uint32_t now_s)
{
	struct scanner *set = s->all[hash(s, origin, 0) % SETS], *least = set;

	for (int i = 0; i < WAYS; i++) {
		if (!memcmp(&set[i].source, origin, sizeof(*origin)) && !is_over(&set[i], now_s))
			return &set[i];
		if (is_over(least, now_s))
			continue;
		if (is_over(&set[i], now_s) || tried(&set[i]) < tried(least))
			least = &set[i];
	}
	*least = (struct scanner){ .source = *origin, .began_s = now_s };
	return least;
}

bool scanners_note(struct scanners *s, const struct in6_addr *source, const struct in6_addr *server,
		   in_port_t port, enum attempt attempt, uint32_t most, uint32_t now_s,
		   struct scan_report *report)
{
	static const struct in6_addr any;
	struct in6_addr origin = origin_of(source);
	struct scanner *place = place_of(s, &origin, now_s);

	if (attempt == ATTEMPT_COMPLETED)
		set(&place->completed, hash(s, &any, port));
	else
		set(&place->refused, hash(s, server, port));
	if (place->told || tried(place) < most)
		return false;
	place->told = true;
	*report = (struct scan_report){ origin, tried(place), count(&place->completed) };
	return true;
}
