// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the policies of protected prefixes dropped. XDP counts by an entry's place in the configuration, which
 * a reload may change: then each takes what it had along.
 */
#include "daemon/engine/state.h"

#include <errno.h>
#include <string.h>

#include "daemon/engine/lasting.h"
#include "daemon/maps/fastpath.h"

/* a += b, or with the SIGN -1, a -= b. */
static void add(struct guard_counters *a, const struct guard_counters *b, int sign)
{
	for (int i = 0; i < GUARD_REASONS; i++) {
		a->dropped[i] += (uint64_t)sign * b->dropped[i];
		a->would[i] += (uint64_t)sign * b->would[i];
	}
}

static int read_counters(struct engine *e, size_t index, struct guard_counters *counters)
{
	struct guard_counters raw;
	int error = fastpath_read_guard(e->fastpath, (uint32_t)index, &raw);

	if (error)
		return error;
	*counters = e->guards[index].carried;
	add(counters, &raw, 1);
	return 0;
}

/* No prefix stands in two entries, so that the first one tells which is which. */
static int find_place(const struct engine *e, const struct prefix *first)
{
	for (int i = 0; i < GUARDS_MAX; i++) {
		const struct prefix *other = &e->guards[i].first;

		if (e->guards[i].used && other->length_bits == first->length_bits &&
		    IN6_ARE_ADDR_EQUAL(&other->address, &first->address))
			return i;
	}
	return -1;
}

void guard_assign(struct engine *e, const struct config *config)
{
	struct guard_place places[GUARDS_MAX] = { 0 };
	struct guard_counters raw;

	for (size_t i = 0; i < config->protected_count; i++) {
		struct guard_place *place = &places[i];
		int before;

		place->used = true;
		place->first = config->protected[i].prefixes[0];
		before = find_place(e, &place->first);
		if (before >= 0)
			read_counters(e, (size_t)before, &place->carried);
		if (!fastpath_read_guard(e->fastpath, (uint32_t)i, &raw))
			add(&place->carried, &raw, -1);
	}
	memcpy(e->guards, places, sizeof(places));
	lasting_note_guards(e);
}

int engine_get_protected(struct engine *e, size_t index, struct protected_status *status)
{
	if (index >= e->config->protected_count)
		return -ENOENT;
	status->config = &e->config->protected[index];
	return read_counters(e, index, &status->counters);
}
