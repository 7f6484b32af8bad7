// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fastpath.h without packets: loading (with and without multi-buffer support), publishing by halves,
 * attaching all or nothing, and noticing that the interface has gone. In a network namespace of its own;
 * needs root.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/engine/ranges.h"
#include "daemon/maps/fastpath.h"

static bool alone;

static void need_namespace(void)
{
	if (alone)
		return;
	print_message("skip: not root\n");
	skip();
}

static struct fastpath *load(bool frags)
{
	const struct fastpath_options options = { .flow_entries = 8, .frags = frags };
	struct fastpath *f;
	char text[512] = "";
	int error;

	need_namespace();
	error = fastpath_new(&f, &options, text, sizeof(text));
	if (error == -EOPNOTSUPP) {
		print_message("skip: %s\n", text);
		skip();
	}
	if (error)
		fail_msg("%s", text);
	return f;
}

static unsigned int make_interface(void)
{
	assert_int_equal(system("ip link add v0 type veth peer name v1"), 0);
	return if_nametoindex("v0");
}

static void remove_interface(void)
{
	assert_int_equal(system("ip link del v0"), 0);
}

static void programs_load(void **state)
{
	(void)state;
	fastpath_free(load(false));
	fastpath_free(load(true));
	fastpath_free(NULL);
}

static void programs_load_with_tracking(void **state)
{
	const struct fastpath_options options[] = {
		{ .flow_entries = 8, .tracked = 1024 },
		{ .inline_mode = true, .connections = 1024, .tracked = 1024 },
	};
	char text[512] = "";
	struct fastpath *f;

	(void)state;
	need_namespace();
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		int error = fastpath_new(&f, &options[i], text, sizeof(text));

		if (error == -EOPNOTSUPP && !options[i].inline_mode)
			continue;
		if (error)
			fail_msg("%s", text);
		fastpath_free(f);
	}
}

static void counters_begin_at_zero(void **state)
{
	struct fastpath *f = load(false);
	static const struct service_counters none;
	struct handover_counters handovers;
	struct service_counters sum;

	(void)state;
	for (uint32_t slot = 0; slot < SERVICE_SLOTS; slot++) {
		assert_int_equal(fastpath_read_counters(f, slot, &sum), 0);
		assert_memory_equal(&sum, &none, sizeof(sum));
	}
	assert_int_not_equal(fastpath_read_counters(f, SERVICE_SLOTS, &sum), 0);
	assert_int_equal(fastpath_read_handovers(f, &handovers), 0);
	assert_int_equal(handovers.outcome[HANDOVER_ASSIGNED], 0);
	fastpath_free(f);
}

/* What is live is never the half that is being filled. */
static void services_are_staged_in_the_dead_half(void **state)
{
	static struct port_ranges ports[RANGES_PORTS];
	const struct ranges_table table = { .ports = ports };
	static struct service services[SERVICE_SLOTS];
	struct fastpath *f = load(false);
	struct runtime runtime = { .lookups_per_s = 1 };

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t live = fastpath_runtime(f)->half;

		runtime.half = fastpath_stage_services(f, &table, services);
		assert_int_not_equal(runtime.half, live);
		assert_int_equal(fastpath_runtime(f)->half, live);
		runtime.key_generation = i;
		fastpath_publish(f, &runtime);
		assert_memory_equal(fastpath_runtime(f), &runtime, sizeof(runtime));
	}
	fastpath_free(f);
}

/* The search of the daemon's own: first and last address of each range, what lies between, and both halves.
 */
static void services_are_found(void **state)
{
	static struct port_ranges ports[RANGES_PORTS];
	static struct range4 v4[] = { { 0x0a000001, 0x0a0000ff, 1, 0 }, { 0x0a000200, 0x0a000200, 2, 0 } };
	static struct range6 v6[] = { { { 5, 9 }, { 5, 20 }, 3, 0 }, { { 6, 0 }, { 7, UINT64_MAX }, 4, 0 } };
	static const struct {
		uint32_t words[4];
		uint16_t port;
		uint32_t slot;
	} rows[] = {
		{ { 0, 0, 0xffff, 0x0a000000 }, 80, SERVICE_NONE },
		{ { 0, 0, 0xffff, 0x0a000001 }, 80, 1 },
		{ { 0, 0, 0xffff, 0x0a0000ff }, 80, 1 },
		{ { 0, 0, 0xffff, 0x0a000100 }, 80, SERVICE_NONE },
		{ { 0, 0, 0xffff, 0x0a000200 }, 80, 2 },
		{ { 0, 0, 0xffff, 0x0a000201 }, 80, SERVICE_NONE },
		{ { 0, 0, 0xffff, 0x0a000001 }, 81, SERVICE_NONE },
		{ { 0, 5, 0, 8 }, 80, SERVICE_NONE },
		{ { 0, 5, 0, 9 }, 80, 3 },
		{ { 0, 5, 0, 20 }, 80, 3 },
		{ { 0, 5, 0, 21 }, 80, SERVICE_NONE },
		{ { 0, 6, 0, 0 }, 80, 4 },
		{ { 0, 7, ~0U, ~0U }, 80, 4 },
		{ { 0, 8, 0, 0 }, 80, SERVICE_NONE },
	};
	const struct ranges_table table = {
		.ports = ports, .v4 = v4, .v4_count = 2, .v6 = v6, .v6_count = 2
	};
	static struct service services[SERVICE_SLOTS];
	struct fastpath *f = load(false);
	struct runtime runtime = { 0 };

	(void)state;
	ports[80] = (struct port_ranges){ .count4 = 2, .count6 = 2 };
	for (int half = 0; half < 2; half++) {
		runtime.half = fastpath_stage_services(f, &table, services);
		fastpath_publish(f, &runtime);
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			__be32 address[4];

			for (int j = 0; j < 4; j++)
				address[j] = htonl(rows[i].words[j]);
			assert_int_equal(fastpath_find_service(f, address, htons(rows[i].port)),
					 rows[i].slot);
		}
	}
	fastpath_free(f);
}

static void jiffies_go_on(void **state)
{
	struct fastpath *f = load(false);
	uint64_t before, after;

	(void)state;
	assert_int_equal(fastpath_read_jiffies(f, &before), 0);
	usleep(50000);
	assert_int_equal(fastpath_read_jiffies(f, &after), 0);
	assert_in_range(after - before, 1, 1000);
	fastpath_free(f);
}

static void attaching_is_all_or_nothing(void **state)
{
	struct fastpath *first = load(false), *second = load(false);
	unsigned int ifindex = make_interface();
	char text[512];

	(void)state;
	assert_false(fastpath_attached(first));
	assert_int_equal(fastpath_attach(first, ifindex, false, text, sizeof(text)), 0);
	assert_true(fastpath_attached(first));
	assert_int_equal(fastpath_attach(second, ifindex, false, text, sizeof(text)), -EBUSY);
	assert_non_null(strstr(text, "another XDP program"));
	assert_false(fastpath_attached(second));
	assert_false(fastpath_links_dead(first));
	fastpath_detach(first);
	assert_int_equal(fastpath_attach(second, ifindex, true, text, sizeof(text)), 0);
	remove_interface();
	fastpath_free(first);
	fastpath_free(second);
}

static void a_gone_interface_is_noticed(void **state)
{
	struct fastpath *f = load(false);
	unsigned int ifindex = make_interface();
	char text[512];

	(void)state;
	assert_int_equal(fastpath_attach(f, ifindex, false, text, sizeof(text)), 0);
	remove_interface();
	assert_true(fastpath_links_dead(f));
	fastpath_detach(f);
	assert_int_not_equal(fastpath_attach(f, ifindex, false, text, sizeof(text)), 0);
	assert_false(fastpath_attached(f));
	fastpath_free(f);
}

/* Multi-buffer support lifts the limit that one page sets to the MTU. */
static void a_large_mtu_needs_frags(void **state)
{
	struct fastpath *plain = load(false), *frags = load(true);
	unsigned int ifindex = make_interface();
	char text[512];

	(void)state;
	assert_int_equal(system("ip link set v0 mtu 9000; ip link set v1 mtu 9000"), 0);
	assert_int_equal(fastpath_attach(plain, ifindex, false, text, sizeof(text)), -ERANGE);
	assert_non_null(strstr(text, "MTU"));
	assert_int_equal(fastpath_attach(frags, ifindex, false, text, sizeof(text)), 0);
	remove_interface();
	fastpath_free(plain);
	fastpath_free(frags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_load),
		cmocka_unit_test(programs_load_with_tracking),
		cmocka_unit_test(counters_begin_at_zero),
		cmocka_unit_test(services_are_staged_in_the_dead_half),
		cmocka_unit_test(services_are_found),
		cmocka_unit_test(jiffies_go_on),
		cmocka_unit_test(attaching_is_all_or_nothing),
		cmocka_unit_test(a_gone_interface_is_noticed),
		cmocka_unit_test(a_large_mtu_needs_frags),
	};

	alone = !geteuid() && !unshare(CLONE_NEWNET);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
