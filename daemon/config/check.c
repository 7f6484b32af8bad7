/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names are unique, a low mark is not above its high mark, and no prefix and port is declared twice. Prefixes
 * of different length may overlap: there the longest wins.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/check.h"
#include "daemon/config/error.h"

#define PORT_WORDS (65536 / 64)

struct port_map {
	uint64_t bits[PORT_WORDS];
};

/* One prefix of one service. */
struct claim {
	struct prefix prefix;
	size_t service, index;
};

struct checker {
	const struct config *config;
	const struct source *sources;
	struct config_error *error;
	struct port_map *ports; /* of each service */
	struct claim *claims;	/* sorted by prefix, then in the order of the files */
	size_t claim_count;
};

/* The group that stands for ENTRY of a top-level list, over all files. */
static const config_setting_t *entry_of(const struct source *sources, const char *list_name, size_t entry)
{
	for (const struct source *source = sources; source; source = source->next) {
		const config_setting_t *list = config_lookup(&source->tree, list_name);
		size_t length = list ? (size_t)config_setting_length(list) : 0;

		if (entry < length)
			return config_setting_get_elem(list, (unsigned int)entry);
		entry -= length;
	}
	return NULL;
}

static const config_setting_t *service_setting(const struct checker *checker, size_t service)
{
	return entry_of(checker->sources, "services", service);
}

static const config_setting_t *member_of(const struct checker *checker, size_t service, const char *key)
{
	return config_setting_get_member(service_setting(checker, service), key);
}

static const config_setting_t *element_of(const struct checker *checker, size_t service, const char *key,
					  size_t index)
{
	return config_setting_get_elem(member_of(checker, service, key), (unsigned int)index);
}

/* --- each service for itself --- */

static int check_name(const struct checker *checker, size_t service)
{
	const struct config_service *all = checker->config->services;

	for (size_t i = 0; i < service; i++) {
		const config_setting_t *other = member_of(checker, i, "name");

		if (!strcmp(all[i].name, all[service].name))
			return error_at(
				checker->error, member_of(checker, service, "name"),
				"\"%s\" is already the name of the service at %.120s:%u: choose another",
				all[i].name, source_of(other)->name, config_setting_source_line(other));
	}
	return 0;
}

static int check_mark(const struct checker *checker, size_t service, const char *key, uint32_t low,
		      uint32_t high)
{
	if (!low || !high || low <= high)
		return 0;
	return error_at(checker->error, member_of(checker, service, key),
			"%u is above the high mark, which is %u: write at most that, or 0 for half of it",
			low, high);
}

static int check_marks(const struct checker *checker, size_t index)
{
	const struct config_service *service = &checker->config->services[index];
	int err =
		check_mark(checker, index, "half_open_low", service->half_open_low, service->half_open_high);

	return err ? err
		   : check_mark(checker, index, "syn_rate_low", service->syn_rate_low,
				service->syn_rate_high);
}

static bool map_add(struct port_map *map, unsigned int port)
{
	uint64_t bit = 1ULL << (port % 64);
	bool new = !(map->bits[port / 64] & bit);

	map->bits[port / 64] |= bit;
	return new;
}

static int check_ports(const struct checker *checker, size_t index)
{
	const struct config_service *service = &checker->config->services[index];

	for (size_t i = 0; i < service->port_count; i++) {
		for (unsigned int port = service->ports[i].first; port <= service->ports[i].last; port++) {
			if (!map_add(&checker->ports[index], port))
				return error_at(checker->error, element_of(checker, index, "ports", i),
						"port %u is listed twice in this service: keep one of them",
						port);
		}
	}
	return 0;
}

static int check_handover(const struct checker *checker, size_t service)
{
	const struct config *config = checker->config;

	if (config->services[service].handover != SERVICE_AGENT)
		return 0;
	if (config->deployment != DEPLOYMENT_INLINE)
		return error_at(
			checker->error, member_of(checker, service, "handover"),
			"only a gateway hands over: leave it out here, and say it in front of this server");
	if (!config->cookie_secret_file)
		return error_at(checker->error, member_of(checker, service, "handover"),
				"the synmoat on the server must know the cookies' secret: name a "
				"cookie.secret_file that both have");
	return 0;
}

static int check_service(const struct checker *checker, size_t service)
{
	int err = check_name(checker, service);

	if (!err)
		err = check_handover(checker, service);

	if (!err)
		err = check_marks(checker, service);
	return err ? err : check_ports(checker, service);
}

/* --- one against the other --- */

static int compare_prefixes(const struct prefix *a, const struct prefix *b)
{
	int order = memcmp(&a->address, &b->address, sizeof(a->address));

	return order ? order : a->length_bits - b->length_bits;
}

static int compare_claims(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = compare_prefixes(&a->prefix, &b->prefix);

	if (!order)
		order = (a->service > b->service) - (a->service < b->service);
	return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* The lowest port that both have, or 0. */
static unsigned int common_port(const struct port_map *a, const struct port_map *b)
{
	for (unsigned int i = 0; i < PORT_WORDS; i++) {
		uint64_t common = a->bits[i] & b->bits[i];

		if (common)
			return i * 64 + (unsigned int)__builtin_ctzll(common);
	}
	return 0;
}

static int check_pair(const struct checker *checker, const struct claim *a, const struct claim *b)
{
	const config_setting_t *first = element_of(checker, a->service, "prefixes", a->index);
	const config_setting_t *second = element_of(checker, b->service, "prefixes", b->index);
	const struct config_service *services = checker->config->services;
	unsigned int port;

	if (a->service == b->service)
		return error_at(checker->error, second, "listed twice in this service: keep one of them");
	port = common_port(&checker->ports[a->service], &checker->ports[b->service]);
	if (!port)
		return 0;
	return error_at(checker->error, second,
			"services \"%s\" (%.80s:%u) and \"%s\" both declare this prefix with port %u: "
			"give it to one of them",
			services[a->service].name, source_of(first)->name, config_setting_source_line(first),
			services[b->service].name, port);
}

static int check_claims(const struct checker *checker)
{
	const struct claim *claims = checker->claims;
	int err = 0;

	for (size_t i = 0; i < checker->claim_count; i++) {
		for (size_t j = i + 1; !err && j < checker->claim_count; j++) {
			if (compare_prefixes(&claims[i].prefix, &claims[j].prefix))
				break;
			err = check_pair(checker, &claims[i], &claims[j]);
		}
	}
	return err;
}

static int collect_claims(struct checker *checker)
{
	const struct config *config = checker->config;
	size_t count = 0;

	for (size_t i = 0; i < config->service_count; i++)
		count += config->services[i].prefix_count;
	checker->claims = calloc(count, sizeof(*checker->claims));
	if (!checker->claims)
		return error_memory(checker->error);
	for (size_t i = 0; i < config->service_count; i++) {
		for (size_t j = 0; j < config->services[i].prefix_count; j++)
			checker->claims[checker->claim_count++] = (struct claim){
				.prefix = config->services[i].prefixes[j],
				.service = i,
				.index = j,
			};
	}
	qsort(checker->claims, count, sizeof(*checker->claims), compare_claims);
	return 0;
}

/* --- protected prefixes --- */

static const config_setting_t *protected_setting(const struct source *sources, size_t group, size_t index)
{
	const config_setting_t *prefixes =
		config_setting_get_member(entry_of(sources, "protected", group), "prefixes");

	return config_setting_get_elem(prefixes, (unsigned int)index);
}

static int check_protected_prefix(const struct config *config, const struct source *sources, size_t group,
				  size_t index, struct config_error *error)
{
	const struct prefix *prefix = &config->protected[group].prefixes[index];
	const config_setting_t *other;

	for (size_t i = 0; i <= group; i++) {
		size_t count = i == group ? index : config->protected[i].prefix_count;

		for (size_t j = 0; j < count; j++) {
			if (compare_prefixes(prefix, &config->protected[i].prefixes[j]))
				continue;
			other = protected_setting(sources, i, j);
			return error_at(error, protected_setting(sources, group, index),
					"listed already at %.120s:%u: keep one of them",
					source_of(other)->name, config_setting_source_line(other));
		}
	}
	return 0;
}

int check_protected(const struct config *config, const struct source *sources, struct config_error *error)
{
	int err = 0;

	for (size_t i = 0; i < config->protected_count; i++)
		for (size_t j = 0; !err && j < config->protected[i].prefix_count; j++)
			err = check_protected_prefix(config, sources, i, j, error);
	return err;
}

int check_services(const struct config *config, const struct source *sources, struct config_error *error)
{
	struct checker checker = { .config = config, .sources = sources, .error = error };
	int err = 0;

	checker.ports = calloc(config->service_count, sizeof(*checker.ports));
	if (!checker.ports)
		return error_memory(error);
	for (size_t i = 0; !err && i < config->service_count; i++)
		err = check_service(&checker, i);
	if (!err)
		err = collect_claims(&checker);
	if (!err)
		err = check_claims(&checker);
	free(checker.claims);
	free(checker.ports);
	return err;
}
