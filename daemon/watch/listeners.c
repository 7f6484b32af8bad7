// SPDX-License-Identifier: GPL-2.0-or-later
/* See listeners.h. */
#include "daemon/watch/listeners.h"

#include <arpa/inet.h>
#include <string.h>

void listeners_clear(struct listeners *l)
{
	memset(l->first, 0, sizeof(l->first));
	l->count = 0;
	l->others_v4 = l->others_v6 = l->left_out = 0;
}

uint32_t listener_half_opens(const struct listener *listener)
{
	return listener->v4 + listener->v6;
}

uint64_t listeners_half_opens(const struct listeners *l, uint32_t *v4, uint32_t *v6)
{
	*v4 = l->others_v4;
	*v6 = l->others_v6;
	for (size_t i = 0; i < l->count; i++) {
		*v4 += l->all[i].v4;
		*v6 += l->all[i].v6;
	}
	return (uint64_t)*v4 + *v6;
}

static struct listener *at(struct listeners *l, uint16_t place)
{
	return place ? &l->all[place - 1] : NULL;
}

static bool is_any(const __be32 address[4])
{
	return !(address[0] | address[1] | address[2] | address[3]);
}

static struct listener *find(struct listeners *l, uint8_t family, const __be32 address[4], uint16_t port,
			     uint32_t ifindex)
{
	for (struct listener *one = at(l, l->first[port]); one; one = at(l, one->next))
		if (one->family == family && one->ifindex == ifindex &&
		    !memcmp(one->address, address, sizeof(one->address)))
			return one;
	return NULL;
}

static struct listener *make(struct listeners *l, uint8_t family, const __be32 address[4], uint16_t port,
			     uint32_t ifindex)
{
	struct listener *one;

	if (l->count == LISTENERS_MAX)
		return NULL;
	one = &l->all[l->count++];
	*one = (struct listener){ .family = family, .port = port, .ifindex = ifindex, .syn_queue = -1 };
	memcpy(one->address, address, sizeof(one->address));
	one->next = l->first[port];
	l->first[port] = (uint16_t)l->count;
	return one;
}

struct listener *listeners_of_port(struct listeners *l, uint16_t port)
{
	static const __be32 any[4];
	struct listener *one = find(l, AF_UNSPEC, any, port, 0);

	return one ? one : make(l, AF_UNSPEC, any, port, 0);
}

static void add_listener(struct listeners *l, const struct diag_entry *e)
{
	struct listener *one = find(l, e->family, e->server, e->port, e->ifindex);

	if (!one)
		one = make(l, e->family, e->server, e->port, e->ifindex);
	if (!one) {
		l->left_out++;
		return;
	}
	if (one->sockets < MEMBERS_MAX)
		one->cookies[one->sockets] = e->cookie;
	one->sockets++;
	one->v6only = e->v6only;
	one->accept_queue += e->queue;
	one->accept_limit += e->limit;
	one->accept_full |= e->queue > e->limit; /* as the kernel's sk_acceptq_is_full() */
}

/* The kernel prefers who is bound to the address, and to the interface, to who is bound to any. */
static struct listener *owner(struct listeners *l, const struct diag_entry *e)
{
	struct listener *best = NULL;
	int best_score = -1;

	for (struct listener *one = at(l, l->first[e->port]); one; one = at(l, one->next)) {
		bool exact = !memcmp(one->address, e->server, sizeof(one->address));
		int score = 2 * exact + (one->ifindex != 0);

		if (one->family != e->family || (!exact && !is_any(one->address)) ||
		    (one->ifindex && one->ifindex != e->ifindex) || (e->v4 && one->v6only))
			continue;
		if (score > best_score) {
			best = one;
			best_score = score;
		}
	}
	return best;
}

static uint32_t age_ms(const struct diag_entry *e)
{
	uint8_t resends = e->resends < 16 ? e->resends : 16;
	uint32_t whole_ms = ((2U << resends) - 1) * SYNACK_TIMEOUT_MS;

	return whole_ms > e->expires_ms ? whole_ms - e->expires_ms : 0;
}

static void add_half_open(struct listeners *l, const struct diag_entry *e)
{
	struct listener *one = owner(l, e);
	uint32_t age = age_ms(e);

	if (!one)
		one = find(l, e->family, e->server, e->port, e->ifindex); /* of one that has gone */
	if (!one)
		one = make(l, e->family, e->server, e->port, e->ifindex);
	if (!one) {
		l->others_v4 += e->v4;
		l->others_v6 += !e->v4;
		return;
	}
	one->v4 += e->v4;
	one->v6 += !e->v4;
	one->resends[e->resends < RESENDS ? e->resends : RESENDS - 1]++;
	if (one->oldest_ms < age)
		one->oldest_ms = age;
}

void listeners_add(struct listeners *l, const struct diag_entry *entry)
{
	if (entry->listens)
		add_listener(l, entry);
	else
		add_half_open(l, entry);
}

void listeners_carry(struct listeners *l, const struct listeners *before)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct listener *old = &before->all[i];
		struct listener *one = find(l, old->family, old->address, old->port, old->ifindex);

		if (!one && listener_half_opens(old))
			one = make(l, old->family, old->address, old->port, old->ifindex);
		if (!one)
			continue;
		one->v4 = old->v4;
		one->v6 = old->v6;
		memcpy(one->resends, old->resends, sizeof(one->resends));
		one->oldest_ms = old->oldest_ms;
	}
	l->others_v4 = before->others_v4;
	l->others_v6 = before->others_v6;
}

const char *listener_address(const struct listener *one, char buffer[INET6_ADDRSTRLEN])
{
	bool v4 = one->family == AF_INET || IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)one->address);

	if (one->family == AF_UNSPEC)
		memcpy(buffer, "*", sizeof("*"));
	else if (v4)
		inet_ntop(AF_INET, &one->address[3], buffer, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, one->address, buffer, INET6_ADDRSTRLEN);
	return buffer;
}
