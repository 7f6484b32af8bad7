// SPDX-License-Identifier: GPL-2.0-or-later
/* Who tries many ports, and slow handshakes: what is counted, what is told, and when it begins again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "daemon/tracker/scanners.h"
#include "daemon/tracker/slowness.h"

#define MOST 20

static struct in6_addr address(const char *text)
{
	struct in6_addr a;

	assert_int_equal(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

/* Tries ports first to last of one server; how often it was told. */
static unsigned int try_ports(struct scanners *s, const char *source, uint16_t first, uint16_t last,
			      enum attempt attempt, uint32_t now_s, struct scan_report *report)
{
	struct in6_addr client = address(source), server = address("::ffff:10.0.0.1");
	unsigned int told = 0;

	for (uint32_t port = first; port <= last; port++)
		told += scanners_note(s, &client, &server, htons((uint16_t)port), attempt, MOST, now_s,
				      report);
	return told;
}

static struct scanners *made(void)
{
	struct scanners *s;

	assert_int_equal(scanners_new(&s), 0);
	return s;
}

static void a_scanner_is_told_once_a_minute(void **state)
{
	struct scanners *s = made();
	struct scan_report report;

	(void)state;
	assert_int_equal(try_ports(s, "::ffff:1.2.3.4", 1, 12, ATTEMPT_REFUSED, 100, &report), 0);
	assert_int_equal(try_ports(s, "::ffff:1.2.3.4", 1, 60, ATTEMPT_REFUSED, 130, &report), 1);
	assert_in_range(report.ports, MOST, MOST + 4);
	assert_int_equal(report.completed, 0);
	assert_memory_equal(&report.source,
			    (&(struct in6_addr){ .s6_addr = { [10] = 0xff, 0xff, 1, 2, 3, 4 } }),
			    sizeof(report.source));
	assert_int_equal(try_ports(s, "::ffff:1.2.3.4", 1, 12, ATTEMPT_REFUSED, 160, &report), 0);
	assert_int_equal(try_ports(s, "::ffff:1.2.3.4", 13, 60, ATTEMPT_REFUSED, 161, &report), 1);
	scanners_free(s);
}

static void the_same_port_again_is_no_scan(void **state)
{
	struct in6_addr client = address("::ffff:1.2.3.4");
	struct scanners *s = made();
	struct scan_report report;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(try_ports(s, "::ffff:1.2.3.4", 80, 89, ATTEMPT_REFUSED, 5, &report), 0);
	/* one port of many servers, as a large network behind one address opens it */
	for (uint32_t i = 0; i < 250; i++) {
		struct in6_addr server = { .s6_addr = { [10] = 0xff, 0xff, 10, 0, 0, (uint8_t)i } };

		assert_false(
			scanners_note(s, &client, &server, htons(443), ATTEMPT_COMPLETED, MOST, 5, &report));
	}
	scanners_free(s);
}

static void what_was_completed_is_told_apart(void **state)
{
	struct scanners *s = made();
	struct scan_report report;

	(void)state;
	assert_int_equal(try_ports(s, "::ffff:1.2.3.4", 1, 8, ATTEMPT_COMPLETED, 9, &report), 0);
	assert_int_equal(try_ports(s, "::ffff:1.2.3.4", 100, 160, ATTEMPT_REFUSED, 9, &report), 1);
	assert_in_range(report.completed, 7, 9);
	scanners_free(s);
}

static void ipv6_counts_by_its_network(void **state)
{
	struct scanners *s = made();
	struct scan_report report;

	(void)state;
	assert_int_equal(try_ports(s, "2001:db8::1", 1, 12, ATTEMPT_REFUSED, 7, &report), 0);
	assert_int_equal(try_ports(s, "2001:db8::2", 13, 40, ATTEMPT_REFUSED, 7, &report), 1);
	assert_int_equal(try_ports(s, "2001:db8:0:1::1", 1, 12, ATTEMPT_REFUSED, 7, &report), 0);
	scanners_free(s);
}

static void a_flood_of_sources_pushes_no_scanner_out(void **state)
{
	struct in6_addr server = address("::ffff:10.0.0.1");
	struct scanners *s = made();
	struct scan_report report;

	(void)state;
	assert_int_equal(try_ports(s, "::ffff:1.2.3.4", 1, 14, ATTEMPT_REFUSED, 7, &report), 0);
	for (uint32_t i = 0; i < 200000; i++) {
		struct in6_addr client = { .s6_addr = { [10] = 0xff,
							0xff,
							11,
							(uint8_t)(i >> 16),
							(uint8_t)(i >> 8),
							(uint8_t)i } };

		assert_false(scanners_note(s, &client, &server, htons((uint16_t)i), ATTEMPT_REFUSED, MOST, 7,
					   &report));
	}
	assert_int_equal(try_ports(s, "::ffff:1.2.3.4", 15, 30, ATTEMPT_REFUSED, 7, &report), 1);
	scanners_free(s);
}

static void slow_handshakes_are_told_once_a_minute(void **state)
{
	struct slowness s = { 0 };
	unsigned int told = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_false(slowness_note(&s, 400, 3000000, 10, 1000));
	assert_in_range(slowness_median_us(&s), 400, 800);
	for (int i = 0; i < 5; i++)
		assert_false(slowness_note(&s, 3500000, 3000000, 10, 1010));
	for (int i = 0; i < 50; i++)
		told += slowness_note(&s, SLOWNESS_NEVER, 3000000, 10, 1059);
	assert_int_equal(told, 1);
	assert_int_equal(s.slow, 55);
	assert_false(slowness_note(&s, SLOWNESS_NEVER, 3000000, 10, 1060));
	assert_int_equal(s.slow, 1);
	assert_int_equal(slowness_median_us(&s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scanner_is_told_once_a_minute),
		cmocka_unit_test(the_same_port_again_is_no_scan),
		cmocka_unit_test(what_was_completed_is_told_apart),
		cmocka_unit_test(ipv6_counts_by_its_network),
		cmocka_unit_test(a_flood_of_sources_pushes_no_scanner_out),
		cmocka_unit_test(slow_handshakes_are_told_once_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
