// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the policies of protected prefixes dropped. XDP counts by an entry's place in the configuration, which
 * a reload may change: then each takes what it had along.
 */
#include "daemon/engine/state.h"

#include <errno.h>
#include <string.h>

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
	*counters = e->guard_carried[index];
	add(counters, &raw, 1);
	return 0;
}

/* No prefix stands in two entries, so that the first one tells which is which. */
static bool is_same(const struct config_protected *a, const struct config_protected *b)
{
	return a->prefix_count && b->prefix_count &&
	       !memcmp(&a->prefixes[0], &b->prefixes[0], sizeof(struct prefix));
}

void guard_reassign(struct engine *e, const struct config *before, const struct config *now)
{
	struct guard_counters carried[GUARDS_MAX] = { 0 }, raw;

	for (size_t i = 0; i < now->protected_count; i++) {
		for (size_t j = 0; j < before->protected_count; j++)
			if (is_same(&now->protected[i], &before -> protected[j]))
				read_counters(e, j, &carried[i]);
		if (!fastpath_read_guard(e->fastpath, (uint32_t)i, &raw))
			add(&carried[i], &raw, -1);
	}
	memcpy(e->guard_carried, carried, sizeof(carried));
}

int engine_get_protected(struct engine *e, size_t index, struct protected_status *status)
{
	if (index >= e->config->protected_count)
		return -ENOENT;
	status->config = &e->config->protected[index];
	return read_counters(e, index, &status->counters);
}
