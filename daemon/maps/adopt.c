// SPDX-License-Identifier: GPL-2.0-or-later
/* See adopt.h. */
#include "daemon/maps/adopt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "daemon/fdstore.h"
#include "daemon/log.h"

#define NAME_SIZE   64
#define TYPES_DEPTH 16

/* --- layouts --- */

static uint32_t mix(uint32_t hash, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++) /* FNV-1a */
		hash = (hash ^ bytes[i]) * 16777619U;
	return hash;
}

static uint32_t mix_word(uint32_t hash, uint32_t word)
{
	return mix(hash, &word, sizeof(word));
}

static uint32_t mix_type(const struct btf *btf, uint32_t id, uint32_t hash, int depth);

static uint32_t mix_members(const struct btf *btf, const struct btf_type *type, uint32_t hash, int depth)
{
	const struct btf_member *member = btf_members(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(btf, member[i].name_off);

		hash = mix(hash, name, strlen(name));
		hash = mix_word(hash, btf_member_bit_offset(type, i));
		hash = mix_type(btf, member[i].type, hash, depth);
	}
	return hash;
}

static uint32_t mix_type(const struct btf *btf, uint32_t id, uint32_t hash, int depth)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type)))
		type = btf__type_by_id(btf, type->type);
	if (!type || !depth)
		return hash;
	hash = mix_word(hash, btf_kind(type));
	if (btf_is_array(type)) {
		hash = mix_word(hash, btf_array(type)->nelems);
		return mix_type(btf, btf_array(type)->type, hash, depth - 1);
	}
	hash = mix_word(hash, type->size);
	return btf_is_composite(type) ? mix_members(btf, type, hash, depth - 1) : hash;
}

uint32_t adopt_layout(const struct btf *btf, uint32_t type)
{
	return mix_type(btf, type, 2166136261U, TYPES_DEPTH);
}

/* --- maps --- */

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

#define IS_ONE_OF(name, names) is_one_of(name, names, sizeof(names) / sizeof(*(names)))

/* Not what the configuration decides, nor what user space reads as it comes: old programs keep theirs. */
static bool outlives(const struct bpf_map *map)
{
	static const char *const fresh[] = { "control", "ports",  "ranges4", "ranges6",	 "services",
					     "guards",	"limits", "pending", "list_hits" };

	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
		return false;
	default:
		return !bpf_map__is_internal(map) && !IS_ONE_OF(bpf_map__name(map), fresh);
	}
}

/* What is right only together: all of it is taken over, or nothing. */
static const char *const connections_group[] = { "connections", "connection_sets", "connections_now",
						 "handshakes",	"stashes",	   "service_states",
						 NULL };
static const char *const waiting_group[] = { "waiting", "waiting_near", NULL };

static void print_name(const struct bpf_object *object, const struct bpf_map *map, char name[NAME_SIZE])
{
	const struct btf *btf = bpf_object__btf(object);
	uint32_t layout = adopt_layout(btf, bpf_map__btf_value_type_id(map)) ^
			  adopt_layout(btf, bpf_map__btf_key_type_id(map)) << 1;

	snprintf(name, NAME_SIZE, "map.%s.%08x", bpf_map__name(map), layout);
}

static bool fits(const struct bpf_map *map, const struct bpf_map_info *info)
{
	return info->type == bpf_map__type(map) && info->key_size == bpf_map__key_size(map) &&
	       info->value_size == bpf_map__value_size(map) &&
	       info->max_entries == bpf_map__max_entries(map) && info->map_flags == bpf_map__map_flags(map);
}

/* The store's descriptor in *fd, or -1: none that fits. 0, or a negative errno: it cannot be looked at. */
static int find_fitting(const struct bpf_object *object, const struct bpf_map *map,
			const struct fdstore *store, int *fd)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	char name[NAME_SIZE];

	print_name(object, map, name);
	*fd = fdstore_get(store, name);
	if (*fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(*fd, &info, &length))
		return -errno;
	if (!fits(map, &info))
		*fd = -1;
	return 0;
}

/* One of that name, however it is laid out. */
static const char *find_any(const struct fdstore *store, const char *map)
{
	char beginning[NAME_SIZE];

	snprintf(beginning, sizeof(beginning), "map.%s.", map);
	return fdstore_find(store, beginning);
}

static void forget(struct fdstore *store, const char *map)
{
	const char *name;
	char copy[256];

	while ((name = find_any(store, map))) {
		snprintf(copy, sizeof(copy), "%s", name);
		fdstore_remove(store, copy);
	}
}

/* The first of the group that is there and does not fit, or does not exist while others do; NULL: none. */
static int find_misfit(struct bpf_object *object, const struct fdstore *store, const char *const *group,
		       const char **misfit)
{
	const char *missing = NULL;
	bool any = false;
	int error, fd;

	for (; *group; group++) {
		const struct bpf_map *map = bpf_object__find_map_by_name(object, *group);

		if (find_any(store, *group))
			any = true;
		if (!map || missing)
			continue;
		error = find_fitting(object, map, store, &fd);
		if (error)
			return error;
		if (fd < 0)
			missing = *group;
	}
	*misfit = any ? missing : NULL;
	return 0;
}

static void forget_group(struct fdstore *store, const char *const *group)
{
	for (; *group; group++)
		forget(store, *group);
}

static int judge_groups(struct bpf_object *object, struct fdstore *store, uint64_t translated, char *text,
			size_t size)
{
	const char *connections, *waiting;
	int error = find_misfit(object, store, connections_group, &connections);

	if (!error)
		error = find_misfit(object, store, waiting_group, &waiting);
	if (error) {
		snprintf(text, size, "cannot look at the maps of before: %s", strerror(-error));
		return error;
	}
	if (connections && translated) {
		snprintf(text, size,
			 "%" PRIu64
			 " translated connections cross, and their table (map %s) is laid out or sized "
			 "otherwise here: the programs of before go on without a daemon. Go back to that "
			 "version "
			 "or configuration, `synmoat drain`, then restart",
			 translated, connections);
		return -EUCLEAN;
	}
	if (connections)
		forget_group(store, connections_group);
	if (waiting)
		forget_group(store, waiting_group);
	return 0;
}

static int adopt(struct bpf_object *object, struct bpf_map *map, struct fdstore *store)
{
	char name[NAME_SIZE];
	int fd, error = find_fitting(object, map, store, &fd);

	if (error)
		return error;
	if (fd < 0) {
		if (find_any(store, bpf_map__name(map)))
			log_print(
				LOG_NOTICE,
				"map %s is laid out or sized otherwise than before: it begins anew, and what "
				"it counted or knew is lost",
				bpf_map__name(map));
		forget(store, bpf_map__name(map));
		return 0;
	}
	error = bpf_map__reuse_fd(map, fd); /* duplicates it */
	print_name(object, map, name);
	if (!error)
		fdstore_claim(store, name);
	return error;
}

int adopt_maps(struct bpf_object *object, struct fdstore *store, uint64_t translated, char *text, size_t size)
{
	int error = judge_groups(object, store, translated, text, size);
	struct bpf_map *map;

	if (error)
		return error;
	bpf_object__for_each_map(map, object)
	{
		if (outlives(map))
			error = adopt(object, map, store);
		if (!error)
			continue;
		snprintf(text, size, "cannot take map %s over: %s", bpf_map__name(map), strerror(-error));
		return error;
	}
	return 0;
}

void adopt_keep(struct bpf_object *object, struct fdstore *store)
{
	struct bpf_map *map;
	char name[NAME_SIZE];

	bpf_object__for_each_map(map, object)
	{
		if (!outlives(map))
			continue;
		print_name(object, map, name);
		fdstore_put(store, name, bpf_map__fd(map));
	}
}
