/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits as XDP compares them, from limits as the configuration says them. Pure.
 */
#ifndef SYNMOAT_ENGINE_LIMIT_H
#define SYNMOAT_ENGINE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "daemon/config/config.h"

/*
 * A bucket that fills at RATE tokens a second and holds BURST (0: as many as RATE), at least what comes in
 * two jiffies, as its clock moves by jiffies. rate 0: nothing is ever over it.
 */
struct pace limit_pace(uint32_t rate, uint32_t burst, uint32_t jiffies_hz);

void limit_compile(const struct config_limits *config, uint32_t jiffies_hz, struct limits *limits);

/* What stands at LEVEL_SERVICE for a service that has limits of its own. */
void limit_compile_own(const struct config_own_limits *own, const struct config_limits *config,
		       uint32_t jiffies_hz, struct limit limits[KIND_COUNT]);

/* Windows of 8 to 16 seconds, a power of two of jiffies. */
uint32_t limit_window_shift(uint32_t jiffies_hz);

/* By how much an estimate at LEVEL may be too high with 98 % certainty, where all began TOTAL handshakes. */
uint32_t limit_sketch_error(enum limit_level level, uint64_t total);

/* From which half-opens on a source stands out, where its estimate may be too high by ERROR: below its limit.
 */
#define HEAVY_LEAST 32
uint32_t limit_heavy_from(const struct config_limits *config, enum limit_level level, uint32_t error);

/* One SYN stands for so many in a flood: 1 while estimates are better than SAMPLE_FROM; never so many that a
 * limit of a source would go unmet for the first of its burst. */
uint32_t limit_sample(const struct config_limits *config, uint32_t error);

/* runtime.wide */
uint32_t limit_wide_kinds(const struct config_limits *config);
uint32_t limit_own_kinds(const struct config_own_limits *own); /* what a service adds to it */

/* The mode to run in: off also when there is no limit (OWN_KINDS: of services). */
enum policy_mode limit_mode_needed(const struct config_limits *config, uint32_t own_kinds);

/* What is in force after a reload: a change at runtime stays unless the file has changed the same limit. */
void limit_merge(struct config_limits *force, const struct config_limits *before,
		 const struct config_limits *now);
void limit_merge_own(struct config_own_limits *force, const struct config_own_limits *before,
		     const struct config_own_limits *now);
bool limit_own_differs(const struct config_own_limits *a, const struct config_own_limits *b,
		       enum limit_kind kind);

#endif
