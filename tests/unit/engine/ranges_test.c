/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The services table against an oracle that knows no ranges: every prefix of every service, the longest that
 * matches wins. Looked up as XDP does it, by a binary search of RANGE_STEPS steps.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/engine/ranges.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Slots differ from indexes, and do not grow with them. */
static uint32_t slots[SERVICES_MAX];

static int set_up(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < SERVICES_MAX; i++)
		slots[i] = SERVICES_MAX - i;
	return 0;
}

/* --- building configurations --- */

struct builder {
	struct config config;
	struct config_service services[SERVICES_MAX];
};

static struct config_service *add_service(struct builder *builder)
{
	builder->config.services = builder->services;
	return &builder->services[builder->config.service_count++];
}

static void add_prefix(struct config_service *service, struct prefix prefix)
{
	service->prefixes = reallocarray(service->prefixes, service->prefix_count + 1, sizeof(prefix));
	service->prefixes[service->prefix_count++] = prefix;
}

static void add_ports(struct config_service *service, uint16_t first, uint16_t last)
{
	service->ports = reallocarray(service->ports, service->port_count + 1, sizeof(*service->ports));
	service->ports[service->port_count++] = (struct port_span){ first, last };
}

/* "192.0.2.0/24 2001:db8::/64" on one span of ports */
static void declare(struct builder *builder, const char *prefixes, uint16_t first, uint16_t last)
{
	struct config_service *service = add_service(builder);
	char *copy = strdup(prefixes), *save;

	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		struct prefix prefix;

		assert_int_equal(prefix_parse(word, &prefix), 0);
		add_prefix(service, prefix);
	}
	add_ports(service, first, last);
	free(copy);
}

static void release(struct builder *builder)
{
	for (size_t i = 0; i < builder->config.service_count; i++) {
		free(builder->services[i].prefixes);
		free(builder->services[i].ports);
	}
}

/* --- looking up --- */

static uint64_t half_of(const uint8_t *bytes)
{
	uint64_t half = 0;

	for (int i = 0; i < 8; i++)
		half = half << 8 | bytes[i];
	return half;
}

static bool less6(const __u64 a[2], const uint64_t b[2])
{
	return a[0] < b[0] || (a[0] == b[0] && a[1] < b[1]);
}

static uint32_t lookup4(const struct ranges_table *table, const struct port_ranges *port, uint32_t address)
{
	uint32_t low = port->first4, high = port->first4 + port->count4;

	for (int step = 0; step < RANGE_STEPS && low < high; step++) {
		uint32_t middle = (low + high) / 2;

		if (table->v4[middle].last < address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == port->first4 + port->count4 || table->v4[low].first > address)
		return SERVICE_NONE;
	return table->v4[low].service;
}

static uint32_t lookup6(const struct ranges_table *table, const struct port_ranges *port,
			const uint64_t address[2])
{
	uint32_t low = port->first6, high = port->first6 + port->count6;

	for (int step = 0; step < RANGE_STEPS && low < high; step++) {
		uint32_t middle = (low + high) / 2;

		if (less6(table->v6[middle].last, address))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == port->first6 + port->count6)
		return SERVICE_NONE;
	if (table->v6[low].first[0] > address[0] ||
	    (table->v6[low].first[0] == address[0] && table->v6[low].first[1] > address[1]))
		return SERVICE_NONE;
	return table->v6[low].service;
}

static uint32_t lookup(const struct ranges_table *table, const struct in6_addr *address, bool v4,
		       unsigned int port)
{
	const uint64_t halves[2] = { half_of(address->s6_addr), half_of(address->s6_addr + 8) };

	return v4 ? lookup4(table, &table->ports[port], (uint32_t)halves[1])
		  : lookup6(table, &table->ports[port], halves);
}

/* --- the oracle --- */

static bool covers(const struct prefix *prefix, const struct in6_addr *address)
{
	for (unsigned int bit = 0; bit < prefix->length_bits; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		if ((prefix->address.s6_addr[bit / 8] ^ address->s6_addr[bit / 8]) & mask)
			return false;
	}
	return true;
}

static bool has_port(const struct config_service *service, unsigned int port)
{
	for (size_t i = 0; i < service->port_count; i++) {
		if (service->ports[i].first <= port && port <= service->ports[i].last)
			return true;
	}
	return !port;
}

static uint32_t oracle(const struct config *config, const struct in6_addr *address, bool v4,
		       unsigned int port)
{
	uint32_t found = SERVICE_NONE;
	int longest = -1;

	for (size_t i = 0; i < config->service_count; i++) {
		const struct config_service *service = &config->services[i];

		for (size_t j = 0; has_port(service, port) && j < service->prefix_count; j++) {
			const struct prefix *prefix = &service->prefixes[j];

			if (prefix_is_v4(prefix) != v4 || prefix->length_bits <= longest ||
			    !covers(prefix, address))
				continue;
			longest = prefix->length_bits;
			found = slots[i];
		}
	}
	return found;
}

static void compare_at(const struct config *config, const struct ranges_table *table,
		       const struct in6_addr *address, bool v4, unsigned int port)
{
	uint32_t want = oracle(config, address, v4, port), got = lookup(table, address, v4, port);
	char text[INET6_ADDRSTRLEN];

	if (want == got)
		return;
	inet_ntop(AF_INET6, address, text, sizeof(text));
	fail_msg("%s port %u: service %u, not %u", text, port, got, want);
}

static void step(struct in6_addr *address, int by, int lowest_byte)
{
	for (int i = 15; i >= lowest_byte; i--) {
		address->s6_addr[i] = (uint8_t)(address->s6_addr[i] + by);
		if (address->s6_addr[i] != (by > 0 ? 0 : 0xff))
			return;
	}
}

static struct in6_addr last_of(const struct prefix *prefix)
{
	struct in6_addr last = prefix->address;

	for (unsigned int bit = prefix->length_bits; bit < 128; bit++)
		last.s6_addr[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return last;
}

/* At each edge of a prefix, and one address to either side of it (wrapping around, which is an edge too). */
static void compare_around(const struct config *config, const struct ranges_table *table,
			   const struct prefix *prefix, unsigned int port)
{
	const struct in6_addr edges[2] = { prefix->address, last_of(prefix) };
	bool v4 = prefix_is_v4(prefix);

	for (size_t i = 0; i < COUNT(edges); i++) {
		for (int by = -1; by <= 1; by++) {
			struct in6_addr address = edges[i];

			if (by)
				step(&address, by, v4 ? 12 : 0);
			compare_at(config, table, &address, v4, port);
		}
	}
}

static void compare_service(const struct config *config, const struct ranges_table *table,
			    const struct config_service *service, unsigned int port)
{
	for (size_t i = 0; i < service->prefix_count; i++)
		compare_around(config, table, &service->prefixes[i], port);
}

static void compare_port(const struct config *config, const struct ranges_table *table, unsigned int port)
{
	for (size_t i = 0; i < config->service_count; i++)
		compare_service(config, table, &config->services[i], port);
}

/* Port 0, and both sides of each edge of a span. */
static void compare_all(const struct config *config, const struct ranges_table *table)
{
	compare_port(config, table, 0);
	for (size_t i = 0; i < config->service_count; i++) {
		for (size_t j = 0; j < config->services[i].port_count; j++) {
			const struct port_span *span = &config->services[i].ports[j];

			compare_port(config, table, span->first - 1U);
			compare_port(config, table, span->first);
			compare_port(config, table, span->last);
			compare_port(config, table, (span->last + 1U) & 0xffff);
		}
	}
}

/* --- what holds of every table --- */

static void check_order(const struct ranges_table *table, const struct port_ranges *port)
{
	for (uint32_t i = port->first4; i < port->first4 + port->count4; i++) {
		const struct range4 *range = &table->v4[i];

		assert_true(range->first <= range->last);
		if (i == port->first4)
			continue;
		assert_true(range[-1].last < range->first);
		assert_false(range[-1].last + 1 == range->first && range[-1].service == range->service);
	}
	for (uint32_t i = port->first6; i < port->first6 + port->count6; i++) {
		const struct range6 *range = &table->v6[i];

		assert_false(less6(range->last, (const uint64_t[2]){ range->first[0], range->first[1] }));
		if (i > port->first6)
			assert_true(less6(range[-1].last,
					  (const uint64_t[2]){ range->first[0], range->first[1] }));
	}
}

static void check_shape(const struct ranges_table *table)
{
	assert_true(table->v4_count <= RANGES_MAX && table->v6_count <= RANGES_MAX);
	for (size_t i = 0; i < RANGES_PORTS; i++) {
		const struct port_ranges *port = &table->ports[i];

		assert_true((size_t)port->first4 + port->count4 <= table->v4_count);
		assert_true((size_t)port->first6 + port->count6 <= table->v6_count);
		if (i && !memcmp(port, port - 1, sizeof(*port)))
			continue;
		check_order(table, port);
	}
}

static struct ranges_table compile(const struct config *config)
{
	struct ranges_table table;

	assert_int_equal(ranges_compile(config, slots, &table), 0);
	check_shape(&table);
	return table;
}

static void compile_and_compare(const struct config *config)
{
	struct ranges_table table = compile(config);

	compare_all(config, &table);
	ranges_free(&table);
}

/* --- tests --- */

/* Up to three services on port 80, and how many ranges they must come to on it. */
static const struct {
	const char *prefixes[3];
	size_t count4, count6;
} edges[] = {
	{ { "0.0.0.0/0" }, 1, 0 },
	{ { "::/0" }, 0, 1 },
	{ { "0.0.0.0/0 ::/0" }, 1, 1 },
	{ { "255.255.255.255/32" }, 1, 0 },
	{ { "0.0.0.0/32" }, 1, 0 },
	{ { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" }, 0, 1 },
	{ { "::" }, 0, 1 },
	{ { "0.0.0.0/0", "255.255.255.255" }, 2, 0 },
	{ { "0.0.0.0/0", "0.0.0.0" }, 2, 0 },
	{ { "0.0.0.0/0", "10.0.0.0/8" }, 3, 0 },
	{ { "10.0.0.0/8", "0.0.0.0/0" }, 3, 0 },
	{ { "0.0.0.0/0 10.0.0.0/8" }, 1, 0 },
	{ { "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24" }, 5, 0 },
	{ { "10.0.0.0/8 10.1.2.0/24", "10.1.0.0/16" }, 5, 0 },
	{ { "10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/24" }, 3, 0 },
	{ { "10.0.0.0/8", "10.255.0.0/16", "10.255.255.0/24" }, 3, 0 },
	{ { "10.0.0.0/9", "10.128.0.0/9" }, 2, 0 },
	{ { "10.0.0.0/9 10.128.0.0/9" }, 1, 0 },
	{ { "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9" }, 2, 0 },
	{ { "9.255.255.255 10.0.0.0/8 11.0.0.0" }, 1, 0 },
	{ { "::/0", "::/1", "8000::/1" }, 0, 2 },
	{ { "::/0", "2001:db8::/32", "2001:db8::/64" }, 0, 4 },
	{ { "::/0", "8000::/1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" }, 0, 3 },
	{ { "2001:db8:0:0::/64 2001:db8:0:1::/64" }, 0, 1 },
	{ { "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::" }, 0, 2 },
	{ { "::/0 0.0.0.0/0", "10.0.0.0/8 2001:db8::/32" }, 3, 3 },
	{ { "::fffe:0:0/96 ::1:0:0:0/80", "0.0.0.0/0" }, 1, 2 },
};

static void edges_of_address_space(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(edges); i++) {
		struct builder builder = { 0 };
		struct ranges_table table;

		for (size_t j = 0; j < 3 && edges[i].prefixes[j]; j++)
			declare(&builder, edges[i].prefixes[j], 80, 80);
		table = compile(&builder.config);
		compare_all(&builder.config, &table);
		if (table.ports[80].count4 != edges[i].count4 || table.ports[80].count6 != edges[i].count6)
			fail_msg("%s: %u and %u ranges", edges[i].prefixes[0], table.ports[80].count4,
				 table.ports[80].count6);
		assert_memory_equal(&table.ports[0], &table.ports[80], sizeof(table.ports[0]));
		assert_int_equal(table.v4_count - table.broadcasts.count, edges[i].count4);
		assert_int_equal(table.v6_count, edges[i].count6);
		ranges_free(&table);
		release(&builder);
	}
}

static void nothing_declared(void **state)
{
	const struct config config = { 0 };
	struct ranges_table table = compile(&config);

	(void)state;
	assert_int_equal(table.v4_count + table.v6_count, 0);
	for (size_t i = 0; i < RANGES_PORTS; i++)
		assert_int_equal(table.ports[i].count4 + table.ports[i].count6, 0);
	ranges_free(&table);
}

static void all_ports_cost_one_list(void **state)
{
	struct builder builder = { 0 };
	struct ranges_table table;

	(void)state;
	declare(&builder, "10.0.0.0/8 2001:db8::/32", 1, 65535);
	table = compile(&builder.config);
	compare_all(&builder.config, &table);
	assert_int_equal(table.v4_count - table.broadcasts.count, 1);
	assert_int_equal(table.v6_count, 1);
	assert_int_equal(table.ports[65535].count4, 1);
	ranges_free(&table);
	release(&builder);
}

/* The first service has the first half of the ports, so a list of its own, one with the second, and port 0.
 */
static void port_0_prefers_the_first(void **state)
{
	struct builder builder = { 0 };
	struct ranges_table table;

	(void)state;
	declare(&builder, "10.0.0.0/8", 1, 100);
	declare(&builder, "10.0.0.0/8 10.1.0.0/16", 200, 300);
	table = compile(&builder.config);
	compare_all(&builder.config, &table);
	assert_int_equal(lookup4(&table, &table.ports[0], 0x0a000001), slots[0]);
	assert_int_equal(lookup4(&table, &table.ports[0], 0x0a010001), slots[1]);
	assert_int_equal(lookup4(&table, &table.ports[200], 0x0a000001), slots[1]);
	assert_int_equal(lookup4(&table, &table.ports[150], 0x0a000001), SERVICE_NONE);
	assert_int_equal(table.v4_count - table.broadcasts.count, 1 + 1 + 3);
	ranges_free(&table);
	release(&builder);
}

/* The last address of each prefix that has a broadcast address, once, in order. */
static void broadcasts_are_the_ends_of_prefixes(void **state)
{
	static const uint32_t ends[] = { 0x0a00ffff, 0x0affffff, 0xc0000203, 0xc00002ff };
	struct builder builder = { 0 };
	struct ranges_table table;

	(void)state;
	declare(&builder, "192.0.2.0/24 10.0.0.0/8 10.0.0.0/16 10.255.0.0/16 2001:db8::/64", 80, 80);
	declare(&builder, "192.0.2.0/30 192.0.2.8/31 192.0.2.9", 81, 81);
	table = compile(&builder.config);
	compare_all(&builder.config, &table);
	assert_int_equal(table.broadcasts.count, 4);
	for (uint32_t i = 0; i < 4; i++) {
		const struct range4 *range = &table.v4[table.broadcasts.first + i];

		assert_int_equal(range->first, ends[i]);
		assert_int_equal(range->last, ends[i]);
		assert_int_not_equal(range->service, SERVICE_NONE);
	}
	ranges_free(&table);
	release(&builder);
}

static struct prefix host4(uint32_t address)
{
	struct prefix prefix = { .length_bits = 128 };

	prefix.address.s6_addr[10] = 0xff;
	prefix.address.s6_addr[11] = 0xff;
	address = htonl(address);
	memcpy(&prefix.address.s6_addr[12], &address, 4);
	return prefix;
}

static void full_table_is_refused(void **state)
{
	struct builder builder = { 0 };
	struct config_service *service = add_service(&builder);
	struct ranges_table table = { .v4_count = 77 }, untouched = table;

	(void)state;
	service->prefixes = calloc(RANGES_MAX + 1, sizeof(*service->prefixes));
	for (uint32_t i = 0; i <= RANGES_MAX; i++)
		service->prefixes[i] = host4(2 * i);
	service->prefix_count = RANGES_MAX;
	add_ports(service, 1, 65535);
	table = compile(&builder.config);
	assert_int_equal(table.v4_count, RANGES_MAX);
	assert_int_equal(lookup4(&table, &table.ports[1], 2 * (RANGES_MAX - 1)), slots[0]);
	assert_int_equal(lookup4(&table, &table.ports[1], 1), SERVICE_NONE);
	ranges_free(&table);

	table = untouched;
	service->prefix_count++;
	assert_int_equal(ranges_compile(&builder.config, slots, &table), -ENOSPC);
	assert_memory_equal(&table, &untouched, sizeof(table));
	release(&builder);
}

/* The same ranges on ports of two different sets count twice. */
static void lists_add_up(void **state)
{
	struct builder builder = { 0 };
	struct ranges_table table;

	(void)state;
	declare(&builder, "192.0.2.1", 80, 80);
	declare(&builder, "192.0.2.3", 80, 81);
	table = compile(&builder.config);
	assert_int_equal(table.ports[80].count4, 2);
	assert_int_equal(table.ports[81].count4, 1);
	assert_int_equal(table.v4_count, 3);
	ranges_free(&table);
	release(&builder);
}

static void too_many_services(void **state)
{
	const struct config config = { .service_count = SERVICES_MAX + 1 };
	struct ranges_table table;

	(void)state;
	assert_int_equal(ranges_compile(&config, slots, &table), -EINVAL);
}

/* --- random configurations, in few bits so that much nests and touches --- */

static struct prefix random_prefix(void)
{
	static const int bytes[] = { 0x00, 0xff, 0x80, 0x40, 0x01, 0xc0 };
	struct prefix prefix = { .length_bits = 0 };
	bool v4 = rand() % 2;

	for (int i = 0; i < 16; i++)
		prefix.address.s6_addr[i] = (uint8_t)bytes[rand() % 6];
	prefix.length_bits = (uint8_t)(rand() % 129);
	if (v4) {
		memset(&prefix.address, 0, 10);
		memset(&prefix.address.s6_addr[10], 0xff, 2);
		prefix.length_bits = (uint8_t)(96 + rand() % 33);
	} else {
		prefix.address.s6_addr[0] |= 0x20; /* not v4-mapped */
	}
	for (unsigned int bit = prefix.length_bits; bit < 128; bit++)
		prefix.address.s6_addr[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return prefix;
}

static bool already_declared(const struct config *config, const struct prefix *prefix)
{
	for (size_t i = 0; i < config->service_count; i++) {
		for (size_t j = 0; j < config->services[i].prefix_count; j++) {
			if (config->services[i].prefixes[j].length_bits == prefix->length_bits &&
			    !memcmp(&config->services[i].prefixes[j].address, &prefix->address, 16))
				return true;
		}
	}
	return false;
}

static void add_random_service(struct builder *builder)
{
	struct config_service *service = add_service(builder);

	for (int i = rand() % 12; i >= 0; i--) {
		struct prefix prefix = random_prefix();

		if (!already_declared(&builder->config, &prefix))
			add_prefix(service, prefix);
	}
	for (int i = rand() % 3; i >= 0; i--) {
		uint16_t first = (uint16_t)(rand() % 20 + 1);

		add_ports(service, first, rand() % 4 ? first : (uint16_t)(first + rand() % 8));
	}
}

static void random_configs(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < 100; seed++) {
		struct builder builder = { 0 };

		srand(seed);
		for (int i = seed % 25 ? rand() % 6 : 20; i >= 0; i--)
			add_random_service(&builder);
		compile_and_compare(&builder.config);
		release(&builder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_of_address_space),
		cmocka_unit_test(nothing_declared),
		cmocka_unit_test(all_ports_cost_one_list),
		cmocka_unit_test(port_0_prefers_the_first),
		cmocka_unit_test(broadcasts_are_the_ends_of_prefixes),
		cmocka_unit_test(lists_add_up),
		cmocka_unit_test(full_table_is_refused),
		cmocka_unit_test(too_many_services),
		cmocka_unit_test(random_configs),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
