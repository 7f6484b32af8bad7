/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the Nagios plugin makes of two replies of Status: each outcome, its words and its performance data.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/check.h"

#define PORT	     "\"interfaces\":[{\"name\":\"s0\",\"present\":true,\"attached\":true,\"up\":true}],"
#define WEB(fields)  "\"services\":[{\"name\":\"web\"," fields "}]"
#define QUIET	     WEB("\"mode\":\"auto\",\"mitigation\":\"idle\",\"syn_rate_pps\":1234,\"half_open\":7")
#define FLOODED	     WEB("\"mode\":\"auto\",\"mitigation\":\"active\",\"since_s\":42,\"answered_pps\":9")
#define DROPS(count) ",\"verdicts\":{\"drop_blocked\":{\"packets\":" count "},\"pass_flow\":{\"packets\":99}}"

static const struct {
	const char *before, *now;
	const char *warning, *critical; /* of half_open; NULL: none */
	enum check_state attack, state;
	const char *has;
} rows[] = {
	{ "{}", "{" PORT QUIET "}", NULL, NULL, CHECK_WARNING, CHECK_OK,
	  "SYNMOAT OK: 1 service, 1,234 SYN/s |" },
	{ "{}", "{" PORT QUIET "}", NULL, NULL, CHECK_WARNING, CHECK_OK,
	  "| half_open=7;;;0 syn_rate=1234;;;0" },
	{ "{}", "{" PORT QUIET "}", "7", "8", CHECK_WARNING, CHECK_OK, " half_open=7;7;8;0" },
	{ "{}", "{" PORT QUIET "}", "6", "8", CHECK_WARNING, CHECK_WARNING,
	  "SYNMOAT WARNING: 7 half-opens (above 6) |" },
	{ "{}", "{" PORT QUIET "}", "5", "6", CHECK_WARNING, CHECK_CRITICAL,
	  "SYNMOAT CRITICAL: 7 half-opens (above 6) |" },
	{ "{}", "{" PORT FLOODED "}", NULL, NULL, CHECK_WARNING, CHECK_WARNING,
	  "SYNMOAT WARNING: web is being mitigated, for 42 s |" },
	{ "{}", "{" PORT FLOODED "}", NULL, NULL, CHECK_CRITICAL, CHECK_CRITICAL,
	  "SYNMOAT CRITICAL: web is" },
	{ "{}", "{" PORT FLOODED "}", NULL, NULL, CHECK_OK, CHECK_OK, "SYNMOAT OK: web is being mitigated" },
	{ "{}",
	  "{" PORT WEB("\"mode\":\"always\",\"attack\":{\"going_on\":true,\"class\":\"forged\",\"duration_"
		       "s\":9}") "}",
	  NULL, NULL, CHECK_WARNING, CHECK_WARNING, "web is under attack (forged), for 9 s |" },
	{ "{}",
	  "{" PORT WEB("\"mode\":\"auto\",\"attack\":{\"going_on\":true,\"class\":\"forged\",\"duration_"
		       "s\":37,\"calm_s\":58}") "}",
	  NULL, NULL, CHECK_WARNING, CHECK_WARNING, "web: attack (forged) of 37 s, calm for 58 s |" },
	{ "{}",
	  "{" PORT WEB(
		  "\"mode\":\"auto\",\"mitigation\":\"active\",\"since_s\":3,\"attack\":{\"going_on\":true,"
		  "\"class\":\"crowd\"}") "}",
	  NULL, NULL, CHECK_WARNING, CHECK_WARNING,
	  "web is being mitigated (a crowd of real clients), for 3 s |" },
	{ "{}",
	  "{" PORT WEB("\"mode\":\"auto\",\"mitigation\":\"idle\",\"attack\":{\"going_on\":false,"
		       "\"class\":\"forged\"}") "}",
	  NULL, NULL, CHECK_WARNING, CHECK_OK, "1 service, 0 SYN/s" },
	{ "{}", "{" PORT WEB("\"mode\":\"always\",\"mitigation\":\"active\"") "}", NULL, NULL, CHECK_WARNING,
	  CHECK_OK, "1 service, 0 SYN/s" },
	{ "{}", "{\"interfaces\":[{\"name\":\"s0\"}]}", NULL, NULL, CHECK_WARNING, CHECK_CRITICAL,
	  "interface s0 is missing" },
	{ "{}", "{\"interfaces\":[{\"name\":\"s0\",\"present\":true}]}", NULL, NULL, CHECK_WARNING,
	  CHECK_CRITICAL, "interface s0 is not defended" },
	{ "{}", "{\"interfaces\":[{\"name\":\"s0\",\"present\":true,\"attached\":true}]}", NULL, NULL,
	  CHECK_WARNING, CHECK_WARNING, "interface s0 is down" },
	{ "{}", "{\"bypass\":true," PORT QUIET "}", NULL, NULL, CHECK_WARNING, CHECK_WARNING,
	  "bypass is on" },
	{ "{}", "{\"bypass\":true," PORT FLOODED "}", NULL, NULL, CHECK_WARNING, CHECK_WARNING,
	  "SYNMOAT WARNING: bypass is on, web would be mitigated, for 42 s |" },
	{ "{}", "{" PORT WEB("\"mode\":\"monitor\",\"mitigation\":\"active\",\"since_s\":3") "}", NULL, NULL,
	  CHECK_WARNING, CHECK_WARNING, "SYNMOAT WARNING: web would be mitigated, for 3 s |" },
	{ "{}", "{\"draining\":true," PORT QUIET "}", NULL, NULL, CHECK_WARNING, CHECK_WARNING, "draining" },
	{ "{}", "{\"syncookies_off\":true,\"bypass\":true," PORT QUIET "}", NULL, NULL, CHECK_WARNING,
	  CHECK_CRITICAL, "SYNMOAT CRITICAL: nothing is defended: net.ipv4.tcp_syncookies is 0 |" },
	{ "{}", "{\"forwarding_off\":\"net.ipv4.ip_forward\"}", NULL, NULL, CHECK_WARNING, CHECK_CRITICAL,
	  "forwards nothing" },
	{ "{}", "{\"answers_lost\":true}", NULL, NULL, CHECK_WARNING, CHECK_CRITICAL,
	  "no cookie leaves the veth" },
	{ "{}", "{" PORT WEB("\"asymmetric\":true") "}", NULL, NULL, CHECK_WARNING, CHECK_WARNING,
	  "another way" },
	{ "{}", "{" PORT WEB("\"mptcp_listener\":true") "}", NULL, NULL, CHECK_WARNING, CHECK_WARNING,
	  "MPTCP" },
	{ "{" QUIET DROPS("1000") "}", "{" PORT QUIET DROPS("3000") "}", NULL, NULL, CHECK_WARNING, CHECK_OK,
	  " drops=1000;;;0" },
	{ "{" QUIET DROPS("3000") "}", "{" PORT QUIET DROPS("1000") "}", NULL, NULL, CHECK_WARNING, CHECK_OK,
	  " drops=0;;;0" }, /* started again */
	{ "{\"handovers\":{\"refused\":{\"connections\":3}}}",
	  "{\"handovers\":{\"refused\":{\"connections\":5}}," PORT QUIET "}", NULL, NULL, CHECK_WARNING,
	  CHECK_WARNING, "2 connections refused by the kernel" },
	{ "{}", "{\"verdicts\":{\"drop_internal\":{\"packets\":1}}," PORT QUIET "}", NULL, NULL,
	  CHECK_WARNING, CHECK_WARNING, "1 packets dropped for a fault of ours" },
	{ "{\"tracking\":{\"lost\":10}}", "{\"tracking\":{\"lost\":30}," PORT QUIET "}", NULL, NULL,
	  CHECK_WARNING, CHECK_WARNING, "10 records lost/s (above 0)" },
	{ "{}", "{\"connections\":95,\"connections_max\":100," PORT QUIET "}", NULL, NULL, CHECK_WARNING,
	  CHECK_WARNING, "95 % of the table of connections (above 90)" },
	{ "{}", "{\"connections\":95,\"connections_max\":100," PORT QUIET "}", NULL, NULL, CHECK_WARNING,
	  CHECK_WARNING, " table=95%;90;;0" },
	/* what a name holds does not end the line's first half */
	{ "{}", "{\"interfaces\":[{\"name\":\"a|b\"}]}", NULL, NULL, CHECK_WARNING, CHECK_CRITICAL,
	  "interface a b is missing |" },
};

static void each_outcome_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_t *before = json_loads(rows[i].before, 0, NULL), *now = json_loads(rows[i].now, 0, NULL);
		struct check_thresholds thresholds = { .attack = rows[i].attack };
		enum check_state got;
		char line[1280];

		assert_non_null(before);
		assert_non_null(now);
		for (size_t j = 0; j < CHECK_METRICS; j++)
			thresholds.warning[j] = thresholds.critical[j] = -1;
		thresholds.warning[0] = rows[i].warning ? atof(rows[i].warning) : -1;
		thresholds.critical[0] = rows[i].critical ? atof(rows[i].critical) : -1;
		for (size_t j = 0; j < CHECK_METRICS; j++) {
			if (!strcmp(check_metric_name(j), "lost"))
				thresholds.warning[j] = 0;
			if (!strcmp(check_metric_name(j), "table"))
				thresholds.warning[j] = 90;
		}
		got = check_judge(before, now, 2, &thresholds, line, sizeof(line));
		if (got != rows[i].state || !strstr(line, rows[i].has))
			fail_msg("row %zu: %d: '%s', expected %d: '%s'", i, got, line, rows[i].state,
				 rows[i].has);
		assert_ptr_equal(strchr(line, '|'), strrchr(line, '|'));
		json_decref(before);
		json_decref(now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_outcome_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
