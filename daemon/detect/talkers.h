/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who sends most, told from samples: a reservoir of their sources, each sample equally likely to be in it,
 * and the prefixes that have a good share of it. Pure.
 */
#ifndef SYNMOAT_DETECT_TALKERS_H
#define SYNMOAT_DETECT_TALKERS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "daemon/config/config.h"

#define TALKERS_ROOM  1024
#define TALKERS_TOP   5
#define TALKERS_SHARE 10 /* per cent that a prefix needs to be told */
#define TALKERS_FEW   16

struct talkers {
	struct in6_addr source[TALKERS_ROOM]; /* IPv4 as v4-mapped, IPv6 cut to its /64 */
	uint32_t kept;
	uint64_t seen; /* of which those are kept */
	uint64_t random;
};

struct talker {
	struct prefix prefix;
	uint32_t percent; /* of the samples */
};

/* Pseudo-random below LIMIT; STATE moves on. */
uint64_t talkers_random(uint64_t *state, uint64_t limit);

/* The sample's frame holds its source; false: it does not. */
bool talkers_source(const struct sample *sample, struct in6_addr *source);

void talkers_add(struct talkers *talkers, const struct in6_addr *source);

/* Shares of the first source, and of the TALKERS_FEW first ones together, in thousandths. */
void talkers_shares(const struct talkers *talkers, uint32_t *top_permille, uint32_t *few_permille);

/*
 * The narrowest prefixes that have TALKERS_SHARE per cent, leaving out what a narrower one has been told for;
 * the largest share first. Returns how many, at most TALKERS_TOP.
 */
size_t talkers_top(const struct talkers *talkers, struct talker top[TALKERS_TOP]);

#endif
