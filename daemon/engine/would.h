/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a limit's drops only would have been: XDP counts both in one number (struct limit_counters), by the
 * mode that limits are in at that moment. Kept in the memory that outlives the daemon.
 */
#ifndef SYNMOAT_ENGINE_WOULD_H
#define SYNMOAT_ENGINE_WOULD_H

#include <stdbool.h>
#include <stdint.h>

struct engine;

/*
 * One number a limit is enough: how many of its drops were counted in the other mode than the one in force
 * (ENFORCED or not). Returns how many of DROPPED only would have been. OTHER above DROPPED: counters have
 * begun anew. Pure.
 */
uint64_t would_share(uint64_t dropped, uint64_t other, bool enforced);

/* OTHER as the mode changes to the other one. Pure. */
uint64_t would_turn(uint64_t dropped, uint64_t other);

/* Before the mode of limits is published. Sources, whose numbers are of seconds, begin anew as it changes. */
void would_follow_mode(struct engine *e);

/* Of DROPPED at INDEX: LIMIT_COUNT(), a service's own limit by its slot, all services' together by
 * SERVICE_NONE. */
uint64_t would_have_dropped(const struct engine *e, uint32_t index, uint64_t dropped);

/* Another service takes the slot. */
void would_forget(struct engine *e, uint32_t slot);

#endif
