// SPDX-License-Identifier: GPL-2.0-or-later
/* Which format a client gets for what it accepts (RFC 9110, section 12.5.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/metrics/negotiate.h"

#define OPEN "application/openmetrics-text"

static void what_is_accepted(void **state)
{
	static const struct {
		const char *accept;
		enum exposition_format format;
	} rows[] = {
		{ NULL, EXPOSITION_TEXT },
		{ "", EXPOSITION_TEXT },
		{ "*/*", EXPOSITION_TEXT },
		{ "text/plain", EXPOSITION_TEXT },
		{ OPEN, EXPOSITION_OPENMETRICS },
		{ "Application/OpenMetrics-Text", EXPOSITION_OPENMETRICS },
		{ OPEN ";version=1.0.0," OPEN
		       ";version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		  EXPOSITION_OPENMETRICS }, /* Prometheus 2.42 itself */
		{ OPEN "; version=1.0.0; charset=utf-8 ; q=0.3 , text/plain;q=0.7", EXPOSITION_TEXT },
		{ "text/plain;q=0.7, " OPEN ";Q=0.701", EXPOSITION_OPENMETRICS },
		{ OPEN ";q=0", EXPOSITION_TEXT },
		{ OPEN ";q=0.000,*/*", EXPOSITION_TEXT },
		{ OPEN ";q=1.000", EXPOSITION_OPENMETRICS },
		{ OPEN ";q=x", EXPOSITION_TEXT },
		{ OPEN ";q=", EXPOSITION_TEXT },
		{ OPEN "-more", EXPOSITION_TEXT },
		{ "text/html;level=1;q=0.9,," OPEN ",", EXPOSITION_OPENMETRICS },
		{ ";;;,,,;q=,", EXPOSITION_TEXT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (negotiate_format(rows[i].accept) != rows[i].format)
			print_error("accept: %s\n", rows[i].accept ? rows[i].accept : "(none)");
		assert_int_equal(negotiate_format(rows[i].accept), rows[i].format);
	}
	assert_string_equal(negotiate_content_type(EXPOSITION_TEXT),
			    "text/plain; version=0.0.4; charset=utf-8");
	assert_string_equal(negotiate_content_type(EXPOSITION_OPENMETRICS),
			    OPEN "; version=1.0.0; charset=utf-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_accepted) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
