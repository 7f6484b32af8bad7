/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flattens prefixes into disjoint ranges. Prefixes either nest or do not touch, so one sweep with a stack of
 * the open ones does it; it works on 128-bit addresses for both families (IPv4 is v4-mapped in struct
 * prefix).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/ranges.h"

#define NESTING_MAX 129 /* prefix lengths 0 to 128 */

__extension__ typedef unsigned __int128 address_number;

struct block {
	address_number first, last;
	size_t service; /* index in the configuration */
	bool v4;
};

struct compiler {
	const struct config *config;
	const uint32_t *slots;
	struct ranges_table table;
	struct block *blocks; /* all prefixes: outer before inner, earlier service before later */
	size_t block_count;
	uint64_t *port_sets; /* for each port the services that declare it, a bit each */
};

/* The prefixes that contain the address reached; `next` is the first address not yet given to a range. */
struct sweep {
	struct compiler *compiler;
	const struct block *open[NESTING_MAX];
	size_t depth;
	address_number next;
	size_t begin; /* of this port's ranges in the table */
};

_Static_assert(SERVICES_MAX <= 64, "a set of services is one 64-bit word");

/* --- blocks --- */

static address_number load_address(const struct in6_addr *address)
{
	address_number number = 0;

	for (int i = 0; i < 16; i++)
		number = number << 8 | address->s6_addr[i];
	return number;
}

static struct block make_block(const struct prefix *prefix, size_t service)
{
	address_number hosts = prefix->length_bits ? ((address_number)1 << (128 - prefix->length_bits)) - 1
						   : ~(address_number)0;
	address_number first = load_address(&prefix->address);

	return (struct block){
		.first = first,
		.last = first | hosts,
		.service = service,
		.v4 = prefix_is_v4(prefix),
	};
}

static int compare_blocks(const void *left, const void *right)
{
	const struct block *a = left, *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->last != b->last)
		return a->last > b->last ? -1 : 1;
	return (a->service > b->service) - (a->service < b->service);
}

static int collect_blocks(struct compiler *compiler)
{
	const struct config *config = compiler->config;
	size_t count = 0;

	for (size_t i = 0; i < config->service_count; i++)
		count += config->services[i].prefix_count;
	compiler->blocks = calloc(count + 1, sizeof(*compiler->blocks));
	if (!compiler->blocks)
		return -ENOMEM;
	for (size_t i = 0; i < config->service_count; i++) {
		for (size_t j = 0; j < config->services[i].prefix_count; j++)
			compiler->blocks[compiler->block_count++] =
				make_block(&config->services[i].prefixes[j], i);
	}
	qsort(compiler->blocks, count, sizeof(*compiler->blocks), compare_blocks);
	return 0;
}

/* --- ranges: append, or widen the last one --- */

static bool extends4(const struct sweep *sweep, uint32_t first, uint32_t slot)
{
	const struct ranges_table *table = &sweep->compiler->table;
	const struct range4 *before;

	if (table->v4_count == sweep->begin)
		return false;
	before = &table->v4[table->v4_count - 1];
	return before->service == slot && before->last + 1 == first;
}

static int append4(struct sweep *sweep, uint32_t first, uint32_t last, uint32_t slot)
{
	struct ranges_table *table = &sweep->compiler->table;

	if (extends4(sweep, first, slot)) {
		table->v4[table->v4_count - 1].last = last;
		return 0;
	}
	if (table->v4_count == RANGES_MAX)
		return -ENOSPC;
	table->v4[table->v4_count++] = (struct range4){ .first = first, .last = last, .service = slot };
	return 0;
}

static bool extends6(const struct sweep *sweep, address_number first, uint32_t slot)
{
	const struct ranges_table *table = &sweep->compiler->table;
	const struct range6 *before;

	if (table->v6_count == sweep->begin)
		return false;
	before = &table->v6[table->v6_count - 1];
	return before->service == slot &&
	       ((address_number)before->last[0] << 64 | before->last[1]) + 1 == first;
}

static int append6(struct sweep *sweep, address_number first, address_number last, uint32_t slot)
{
	struct ranges_table *table = &sweep->compiler->table;

	if (extends6(sweep, first, slot)) {
		table->v6[table->v6_count - 1].last[0] = (uint64_t)(last >> 64);
		table->v6[table->v6_count - 1].last[1] = (uint64_t)last;
		return 0;
	}
	if (table->v6_count == RANGES_MAX)
		return -ENOSPC;
	table->v6[table->v6_count++] = (struct range6){
		.first = { (uint64_t)(first >> 64), (uint64_t)first },
		.last = { (uint64_t)(last >> 64), (uint64_t)last },
		.service = slot,
	};
	return 0;
}

/* --- the sweep --- */

/* Gives what lies between sweep->next and last to the innermost open prefix. */
static int emit_up_to(struct sweep *sweep, address_number last)
{
	const struct block *inner = sweep->open[sweep->depth - 1];
	uint32_t slot = sweep->compiler->slots[inner->service];
	address_number first = sweep->next;

	if (first > last)
		return 0;
	sweep->next = last + 1;
	return inner->v4 ? append4(sweep, (uint32_t)first, (uint32_t)last, slot)
			 : append6(sweep, first, last, slot);
}

/* Closes the innermost prefix. Behind the highest address there is no next one: all others end there too. */
static int close_block(struct sweep *sweep)
{
	address_number last = sweep->open[sweep->depth - 1]->last;
	int err = emit_up_to(sweep, last);

	sweep->depth = last == ~(address_number)0 ? 0 : sweep->depth - 1;
	return err;
}

static int open_block(struct sweep *sweep, const struct block *block)
{
	int err = 0;

	while (!err && sweep->depth && sweep->open[sweep->depth - 1]->last < block->first)
		err = close_block(sweep);
	if (!err && sweep->depth && sweep->next < block->first)
		err = emit_up_to(sweep, block->first - 1);
	sweep->open[sweep->depth++] = block;
	sweep->next = block->first;
	return err;
}

static bool same_prefix(const struct block *a, const struct block *b)
{
	return a->first == b->first && a->last == b->last;
}

/* The ranges of the services in set, of one family. */
static int flatten(struct compiler *compiler, uint64_t set, bool v4)
{
	size_t begin = v4 ? compiler->table.v4_count : compiler->table.v6_count;
	struct sweep sweep = { .compiler = compiler, .begin = begin };
	int err = 0;

	for (size_t i = 0; !err && i < compiler->block_count; i++) {
		const struct block *block = &compiler->blocks[i];

		if (block->v4 != v4 || !(set >> block->service & 1))
			continue;
		if (sweep.depth && same_prefix(sweep.open[sweep.depth - 1], block))
			continue;
		err = open_block(&sweep, block);
	}
	while (!err && sweep.depth)
		err = close_block(&sweep);
	return err;
}

/* --- ports --- */

static void mark_ports(struct compiler *compiler, size_t service)
{
	const struct config_service *declared = &compiler->config->services[service];

	for (size_t i = 0; i < declared->port_count; i++) {
		for (unsigned int port = declared->ports[i].first; port <= declared->ports[i].last; port++)
			compiler->port_sets[port] |= 1ULL << service;
	}
	compiler->port_sets[0] |= 1ULL << service;
}

static int compare_ports(const void *left, const void *right, void *context)
{
	const uint64_t *sets = context;
	const uint16_t *a = left, *b = right;

	return (sets[*a] > sets[*b]) - (sets[*a] < sets[*b]);
}

static int fill_port(struct compiler *compiler, uint64_t set, struct port_ranges *port)
{
	struct ranges_table *table = &compiler->table;
	int err;

	port->first4 = (uint32_t)table->v4_count;
	port->first6 = (uint32_t)table->v6_count;
	err = flatten(compiler, set, true);
	if (!err)
		err = flatten(compiler, set, false);
	port->count4 = (uint32_t)table->v4_count - port->first4;
	port->count6 = (uint32_t)table->v6_count - port->first6;
	return err;
}

/* The ports at which the set of services changes, sorted by that set. Returns how many. */
static size_t sort_changes(struct compiler *compiler, uint16_t *changes)
{
	const uint64_t *sets = compiler->port_sets;
	size_t count = 0;

	for (unsigned int port = 0; port < RANGES_PORTS; port++) {
		if (!port || sets[port] != sets[port - 1])
			changes[count++] = (uint16_t)port;
	}
	qsort_r(changes, count, sizeof(*changes), compare_ports, compiler->port_sets);
	return count;
}

/* One list for each distinct set of services. */
static int fill_ports(struct compiler *compiler, const uint16_t *changes, size_t count)
{
	const uint64_t *sets = compiler->port_sets;
	struct port_ranges *ports = compiler->table.ports, list = { 0 };
	uint64_t set = 0;
	int err = 0;

	for (size_t i = 0; !err && i < count; i++) {
		if (sets[changes[i]] != set) {
			set = sets[changes[i]];
			err = fill_port(compiler, set, &list);
		}
		ports[changes[i]] = list;
	}
	for (size_t port = 1; port < RANGES_PORTS; port++) {
		if (sets[port] == sets[port - 1])
			ports[port] = ports[port - 1];
	}
	return err;
}

static int compile_ports(struct compiler *compiler)
{
	uint16_t *changes = calloc(RANGES_PORTS, sizeof(*changes));
	int err;

	if (!changes)
		return -ENOMEM;
	for (size_t i = 0; i < compiler->config->service_count; i++)
		mark_ports(compiler, i);
	err = fill_ports(compiler, changes, sort_changes(compiler, changes));
	free(changes);
	return err;
}

/* --- broadcast addresses --- */

#define BROADCAST_SLOT 1 /* any but SERVICE_NONE */

static int compare_first4(const void *left, const void *right)
{
	const struct range4 *a = left, *b = right;

	return (a->first > b->first) - (a->first < b->first);
}

static bool has_broadcast(const struct block *block)
{
	return block->v4 && block->last - block->first >= 3;
}

/* Blocks that nest may end at the same address. */
static int compile_broadcasts(struct compiler *compiler)
{
	struct ranges_table *table = &compiler->table;
	struct range4 *list = table->v4 + table->v4_count;
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < compiler->block_count; i++) {
		uint32_t last = (uint32_t)compiler->blocks[i].last;

		if (!has_broadcast(&compiler->blocks[i]))
			continue;
		if (table->v4_count + count == RANGES_MAX)
			return -ENOSPC;
		list[count++] = (struct range4){ .first = last, .last = last, .service = BROADCAST_SLOT };
	}
	qsort(list, count, sizeof(*list), compare_first4);
	for (size_t i = 0; i < count; i++)
		if (!kept || list[kept - 1].first != list[i].first)
			list[kept++] = list[i];
	table->broadcasts = (struct ranges_list){ (uint32_t)table->v4_count, (uint32_t)kept };
	table->v4_count += kept;
	return 0;
}

/* --- protected prefixes: lists that belong to no port --- */

/* The ranges of SERVICES, which only have prefixes, numbered from 1 on. */
static int compile_list(struct compiler *compiler, struct config_service *services, size_t count,
			struct port_ranges *list)
{
	struct config config = { .services = services, .service_count = count };
	uint32_t numbers[GUARDS_MAX];
	struct compiler part = { .config = &config, .slots = numbers, .table = compiler->table };
	int err;

	for (uint32_t i = 0; i < GUARDS_MAX; i++)
		numbers[i] = i + 1;
	err = collect_blocks(&part);
	if (!err)
		err = fill_port(&part, ~0ULL, list);
	compiler->table = part.table;
	free(part.blocks);
	return err;
}

static int compile_protected(struct compiler *compiler)
{
	const struct config *config = compiler->config;
	struct config_service lists[GUARDS_MAX] = { 0 };
	struct port_ranges list = { 0 };
	int err;

	if (!config->protected_count)
		return 0;
	for (size_t i = 0; i < config->protected_count; i++) {
		lists[i].prefixes = config->protected[i].prefixes;
		lists[i].prefix_count = config->protected[i].prefix_count;
	}
	err = compile_list(compiler, lists, config->protected_count, &list);
	compiler->table.guarded = list;
	for (size_t i = 0; !err && i < config->protected_count; i++) {
		struct config_service to = { .prefixes = config->protected[i].outward_to,
					     .prefix_count = config->protected[i].outward_to_count };

		err = compile_list(compiler, &to, 1, &list);
		compiler->table.outward_to[i] = list;
	}
	return err;
}

/* --- the whole --- */

static int allocate(struct compiler *compiler)
{
	struct ranges_table *table = &compiler->table;

	table->ports = calloc(RANGES_PORTS, sizeof(*table->ports));
	table->v4 = calloc(RANGES_MAX, sizeof(*table->v4));
	table->v6 = calloc(RANGES_MAX, sizeof(*table->v6));
	compiler->port_sets = calloc(RANGES_PORTS, sizeof(*compiler->port_sets));
	return table->ports && table->v4 && table->v6 && compiler->port_sets ? 0 : -ENOMEM;
}

int ranges_compile(const struct config *config, const uint32_t *slots, struct ranges_table *table)
{
	struct compiler compiler = { .config = config, .slots = slots };
	int err;

	if (config->service_count > SERVICES_MAX)
		return -EINVAL;
	err = allocate(&compiler);
	if (!err)
		err = collect_blocks(&compiler);
	if (!err)
		err = compile_ports(&compiler);
	if (!err)
		err = compile_broadcasts(&compiler);
	if (!err)
		err = compile_protected(&compiler);
	free(compiler.port_sets);
	free(compiler.blocks);
	if (err)
		ranges_free(&compiler.table);
	else
		*table = compiler.table;
	return err;
}

void ranges_free(struct ranges_table *table)
{
	free(table->ports);
	free(table->v4);
	free(table->v6);
	*table = (struct ranges_table){ 0 };
}
