// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What was learned from each server's own answers, by the service that covers it.
 */
#include "daemon/engine/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/maps/fastpath.h"

#define SEEN_SHIFT 6 /* seen counts jiffies / 64 */

static int compare(const void *a, const void *b)
{
	const struct server_status *x = a, *y = b;
	int order = memcmp(x->learned.address, y->learned.address, sizeof(x->learned.address));

	return order ? order : ntohs(x->learned.port) - ntohs(y->learned.port);
}

static uint64_t age_s(const struct engine *e, const struct server *server, uint64_t jiffies)
{
	uint32_t units = (uint32_t)(jiffies >> SEEN_SHIFT) - server->seen;

	return ((uint64_t)units << SEEN_SHIFT) / e->clock.jiffies_hz;
}

static const char *state_of(const struct server *server, uint64_t age_s)
{
	if (server->status == SERVER_OPEN)
		return server->opened ? "open" : "unknown";
	if (age_s > SERVER_STALE_S)
		return "unknown";
	return server->status == SERVER_CLOSED ? "closed" : "silent";
}

static size_t collect(const struct engine *e, uint32_t slot, uint64_t jiffies, struct server_status *servers)
{
	uint32_t entries = fastpath_server_count(e->fastpath);
	struct server learned;
	size_t count = 0;

	for (uint32_t i = 0; i < entries; i++) {
		fastpath_read_server(e->fastpath, i, &learned);
		if (!learned.tag || fastpath_find_service(e->fastpath, learned.address, learned.port) != slot)
			continue;
		servers[count] =
			(struct server_status){ .learned = learned, .age_s = age_s(e, &learned, jiffies) };
		servers[count].state = state_of(&learned, servers[count].age_s);
		count++;
	}
	qsort(servers, count, sizeof(*servers), compare);
	return count;
}

int engine_get_servers(struct engine *e, const char *name, struct server_status **servers, size_t *count)
{
	uint32_t slot = slot_find(e, name);
	uint64_t jiffies;
	int error;

	if (slot == SERVICE_NONE)
		return -ENOENT;
	error = fastpath_read_jiffies(e->fastpath, &jiffies);
	if (error)
		return error;
	*servers = calloc(fastpath_server_count(e->fastpath), sizeof(**servers));
	if (!*servers)
		return -ENOMEM;
	*count = collect(e, slot, jiffies, *servers);
	return 0;
}
