// SPDX-License-Identifier: GPL-2.0-or-later
/* See would.h. */
#include "daemon/engine/would.h"

#include "daemon/engine/lasting.h"
#include "daemon/engine/state.h"
#include "daemon/maps/fastpath.h"

/* What was published last; 0: not known, as an older daemon did not note it. */
enum { MODE_UNKNOWN, MODE_COUNTED, MODE_ENFORCED };

uint64_t would_share(uint64_t dropped, uint64_t other, bool enforced)
{
	if (other > dropped)
		other = 0;
	return enforced ? other : dropped - other;
}

uint64_t would_turn(uint64_t dropped, uint64_t other)
{
	return other > dropped ? dropped : dropped - other;
}

static void turn(struct engine *e, uint32_t index, uint64_t dropped)
{
	e->lasting->limit_other[index] = would_turn(dropped, e->lasting->limit_other[index]);
}

static void turn_all(struct engine *e)
{
	struct limit_counters c;

	for (uint32_t kind = 0; kind < KIND_COUNT; kind++) {
		for (uint32_t level = 0; level < LEVEL_COUNT; level++)
			if (!fastpath_read_limit(e->fastpath, (enum limit_kind)kind, (enum limit_level)level,
						 &c))
				turn(e, LIMIT_COUNT(kind, level, SERVICE_NONE), c.dropped);
		for (uint32_t slot = 1; slot < SERVICE_SLOTS; slot++)
			if (e->slots[slot].used &&
			    !fastpath_read_service_limit(e->fastpath, (enum limit_kind)kind, slot, &c))
				turn(e, LIMIT_COUNT(kind, LEVEL_SERVICE, slot),
				     c.dropped - e->slots[slot].limit_base[kind].dropped);
	}
}

void would_follow_mode(struct engine *e)
{
	uint32_t before = e->lasting->limits_mode;
	uint32_t now = e->limits.mode == POLICY_ENFORCE ? MODE_ENFORCED : MODE_COUNTED;

	if (e->limits.mode == POLICY_OFF || now == before) /* off: nothing is counted */
		return;
	if (before != MODE_UNKNOWN) {
		turn_all(e);
		fastpath_forget_source_drops(e->fastpath);
	}
	e->lasting->limits_mode = now;
}

uint64_t would_have_dropped(const struct engine *e, uint32_t index, uint64_t dropped)
{
	return would_share(dropped, e->lasting->limit_other[index], e->lasting->limits_mode == MODE_ENFORCED);
}

void would_forget(struct engine *e, uint32_t slot)
{
	for (uint32_t kind = 0; kind < KIND_COUNT; kind++)
		e->lasting->limit_other[LIMIT_COUNT(kind, LEVEL_SERVICE, slot)] = 0;
}
