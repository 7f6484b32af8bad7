// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See cut.h.
 */
#include "daemon/engine/cut.h"

#include <stdio.h>
#include <string.h>

#define LENGTH_V4   96U /* of the v4-mapped part */
#define SHORTEST_V4 8U
#define SHORTEST_V6 16U

/* Nobody sends from there (multicast, reserved), however many they are. */
static const char *const of_nobody[] = { "224.0.0.0/3", "ff00::/8" };

static const struct {
	const char *prefix, *what;
} own[] = {
	{ "127.0.0.0/8", "127.0.0.0/8, this host itself" },
	{ "::1", "::1, this host itself" },
	{ "fe80::/10", "fe80::/10, from which neighbour discovery comes: IPv6 would end on this link" },
};

/* A covers all of B. */
static bool covers(const struct prefix *a, const struct prefix *b)
{
	return prefix_is_v4(a) == prefix_is_v4(b) && a->length_bits <= b->length_bits &&
	       prefix_covers(a, &b->address);
}

static bool is_part_of(const struct prefix *prefix, const char *text)
{
	struct prefix whole;

	return !prefix_parse(text, &whole) && covers(&whole, prefix);
}

static bool is_too_large(const struct prefix *prefix)
{
	for (size_t i = 0; i < sizeof(of_nobody) / sizeof(*of_nobody); i++)
		if (is_part_of(prefix, of_nobody[i]))
			return false;
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (is_part_of(prefix, own[i].prefix))
			return false;
	if (prefix_is_v4(prefix))
		return prefix->length_bits < LENGTH_V4 + SHORTEST_V4;
	return prefix->length_bits < SHORTEST_V6;
}

/* In either direction: a part of it is enough. */
static const char *find_own(const struct prefix *prefix)
{
	struct prefix other;

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (is_part_of(prefix, own[i].prefix) ||
		    (!prefix_parse(own[i].prefix, &other) && covers(prefix, &other)))
			return own[i].what;
	return NULL;
}

static const struct prefix *find_covered(const struct prefix *prefix, const struct prefix *others,
					 size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (covers(prefix, &others[i]))
			return &others[i];
	return NULL;
}

/* The service, or "" for a protected prefix; NULL: it covers none. */
static const char *find_server(const struct config *config, const struct prefix *prefix,
			       const struct prefix **covered)
{
	for (size_t i = 0; i < config->service_count; i++) {
		const struct config_service *s = &config->services[i];

		*covered = find_covered(prefix, s->prefixes, s->prefix_count);
		if (*covered)
			return s->name;
	}
	for (size_t i = 0; i < config->protected_count; i++) {
		const struct config_protected *p = &config->protected[i];

		*covered = find_covered(prefix, p->prefixes, p->prefix_count);
		if (*covered)
			return "";
	}
	return NULL;
}

bool cut_explain(const struct config *config, const struct prefix *prefix, char *text, size_t size)
{
	char name[INET6_ADDRSTRLEN + 8], inner[INET6_ADDRSTRLEN + 8];
	const struct prefix *covered = NULL;
	const char *what = find_own(prefix), *service;

	prefix_format(prefix, name, sizeof(name));
	if (is_too_large(prefix)) {
		snprintf(text, size, "%s would cut off a large part of the internet", name);
		return true;
	}
	if (what) {
		snprintf(text, size, "%s would cut off %s", name, what);
		return true;
	}
	service = find_server(config, prefix, &covered);
	if (!service)
		return false;
	prefix_format(covered, inner, sizeof(inner));
	if (*service)
		snprintf(text, size, "%s would cut off your own servers: %s is of service %s", name, inner,
			 service);
	else
		snprintf(text, size, "%s would cut off %s, which is protected", name, inner);
	return true;
}
