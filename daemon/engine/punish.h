/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Automatic blocks: whom to block for what it did, for how long. Counts only acts that each needed a valid
 * cookie, and that XDP did not take for another's (design.md, section 7). Pure.
 */
#ifndef SYNMOAT_ENGINE_PUNISH_H
#define SYNMOAT_ENGINE_PUNISH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config/config.h"

#define PUNISH_OFFENDERS 4096 /* remembered */

struct offender {
	struct in6_addr address; /* IPv4 as v4-mapped */
	bool used;
	uint32_t spent;	      /* acts of its present minute, for a block of before */
	uint32_t acts_since;  /* that minute */
	int64_t seen_s;	      /* when it was last judged */
	int64_t until_s;      /* of its last block; 0: none yet */
	unsigned int blocked; /* how often in a row */
};

struct punish {
	struct offender offenders[PUNISH_OFFENDERS];
};

/*
 * ADDRESS has committed ACTS within the minute that began at ACTS_SINCE (any clock), and to be asked at least
 * once within each. Seconds to block it for from now on, or 0. What it did before a block ended does not
 * count again. Durations double with each block that follows within duration_most_s of the end of the one
 * before.
 */
uint32_t punish_judge(struct punish *punish, const struct config_punish *config,
		      const struct in6_addr *address, uint32_t acts, uint32_t acts_since, int64_t now_s);

/* Whether acts that began to be counted at ACTS_SINCE, in jiffies >> HEAVY_SHIFT, are of the last minute. */
bool punish_is_present(uint32_t acts_since, uint64_t jiffies, uint32_t jiffies_hz);

/* Blocks in force. */
size_t punish_count(const struct punish *punish, int64_t now_s);

#endif
