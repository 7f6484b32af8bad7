// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the renderer writes, word for word, in both formats: types, units, when counters began, labels and
 * what has to be escaped in them, values. After OpenMetrics 1.0 and Prometheus's text format 0.0.4.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/metrics/exposition.h"

static void write_all(struct exposition *x)
{
	exposition_family(x, METRIC_INFO, "moat_build", NULL, 0, "Version.");
	exposition_count(x, 1, "version", "1.2", "deployment", "host", NULL);
	exposition_family(x, METRIC_COUNTER, "moat_packets", NULL, 1700000000.25,
			  "Packets \"seen\", by verdict.");
	exposition_count(x, UINT64_MAX, "verdict", "pass", NULL);
	exposition_count(x, 0, "verdict", "a \"b\" \\ c\nd", NULL);
	exposition_family(x, METRIC_COUNTER, "moat_cpu_seconds", "seconds", 1, "CPU\ntime \\ of all.");
	exposition_value(x, 0.1, NULL);
	exposition_family(x, METRIC_GAUGE, "moat_memory_bytes", "bytes", 0, "Memory.");
	exposition_value(x, 65515520, NULL);
	exposition_value(x, 1.0 / 3, "of", "a third", NULL);
	exposition_value(x, INFINITY, NULL);
	exposition_value(x, -INFINITY, NULL);
	exposition_value(x, NAN, NULL);
	exposition_family(x, METRIC_GAUGE, "moat_nothing", NULL, 0, "No sample.");
}

static const char *const expected[EXPOSITION_FORMATS] = {
	[EXPOSITION_TEXT] = "# TYPE moat_build_info gauge\n"
			    "# HELP moat_build_info Version.\n"
			    "moat_build_info{version=\"1.2\",deployment=\"host\"} 1\n"
			    "# TYPE moat_packets_total counter\n"
			    "# HELP moat_packets_total Packets \"seen\", by verdict.\n"
			    "moat_packets_total{verdict=\"pass\"} 18446744073709551615\n"
			    "moat_packets_total{verdict=\"a \\\"b\\\" \\\\ c\\nd\"} 0\n"
			    "# TYPE moat_cpu_seconds_total counter\n"
			    "# HELP moat_cpu_seconds_total CPU\\ntime \\\\ of all.\n"
			    "moat_cpu_seconds_total 0.1\n"
			    "# TYPE moat_memory_bytes gauge\n"
			    "# HELP moat_memory_bytes Memory.\n"
			    "moat_memory_bytes 65515520\n"
			    "moat_memory_bytes{of=\"a third\"} 0.33333333333333331\n"
			    "moat_memory_bytes +Inf\n"
			    "moat_memory_bytes -Inf\n"
			    "moat_memory_bytes NaN\n"
			    "# TYPE moat_nothing gauge\n"
			    "# HELP moat_nothing No sample.\n",
	[EXPOSITION_OPENMETRICS] = "# TYPE moat_build info\n"
				   "# HELP moat_build Version.\n"
				   "moat_build_info{version=\"1.2\",deployment=\"host\"} 1\n"
				   "# TYPE moat_packets counter\n"
				   "# HELP moat_packets Packets \\\"seen\\\", by verdict.\n"
				   "moat_packets_total{verdict=\"pass\"} 18446744073709551615\n"
				   "moat_packets_created{verdict=\"pass\"} 1700000000.250\n"
				   "moat_packets_total{verdict=\"a \\\"b\\\" \\\\ c\\nd\"} 0\n"
				   "moat_packets_created{verdict=\"a \\\"b\\\" \\\\ c\\nd\"} 1700000000.250\n"
				   "# TYPE moat_cpu_seconds counter\n"
				   "# UNIT moat_cpu_seconds seconds\n"
				   "# HELP moat_cpu_seconds CPU\\ntime \\\\ of all.\n"
				   "moat_cpu_seconds_total 0.1\n"
				   "moat_cpu_seconds_created 1.000\n"
				   "# TYPE moat_memory_bytes gauge\n"
				   "# UNIT moat_memory_bytes bytes\n"
				   "# HELP moat_memory_bytes Memory.\n"
				   "moat_memory_bytes 65515520\n"
				   "moat_memory_bytes{of=\"a third\"} 0.33333333333333331\n"
				   "moat_memory_bytes +Inf\n"
				   "moat_memory_bytes -Inf\n"
				   "moat_memory_bytes NaN\n"
				   "# TYPE moat_nothing gauge\n"
				   "# HELP moat_nothing No sample.\n"
				   "# EOF\n",
};

static void both_formats(void **state)
{
	(void)state;
	for (int format = 0; format < EXPOSITION_FORMATS; format++) {
		struct exposition *x = exposition_new((enum exposition_format)format);
		size_t length;
		char *text;

		assert_non_null(x);
		write_all(x);
		text = exposition_finish(x, &length);
		exposition_free(x);
		assert_string_equal(text, expected[format]);
		assert_int_equal(length, strlen(expected[format]));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(both_formats) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
