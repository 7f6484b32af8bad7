/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people read of the daemon's replies: states under alarms and in mode monitor, alarms on every screen,
 * words for one and for many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cli/attacks.h"
#include "cli/render.h"
#include "cli/show.h"

#define SERVICE(mode, mitigation)                                                                            \
	"{\"name\":\"web\",\"mode\":\"" mode "\",\"configured_mode\":\"" mode                                \
	"\",\"mitigation\":\"" mitigation "\",\"answered_pps\":16}"
#define SERVICES(mode, mitigation) "\"services\":[" SERVICE(mode, mitigation) "]"
#define BYPASS			   "\"bypass\":true,"
#define NO_SYNCOOKIES		   "\"syncookies_off\":true,"

#define ATTACK(class, going_on)                                                                              \
	"{\"service\":\"web\",\"class\":\"" class "\",\"going_on\":" going_on                                \
						  ",\"sources\":1000,\"completion_percent\":3,\"answered\":" \
						  "7,\"dropped\":8,\"top\":[{\"prefix\":\"192.0.2.7/32\","   \
						  "\"percent\":97},{\"prefix\":\"192.0.2.0/"                 \
						  "24\",\"percent\":10}],\"classes_before\":[\"forged\","    \
						  "\"few_sources\"],\"calm_s\":58,\"evidence\":\"x.pcap\","  \
						  "\"evidence_path\":\"/e/x.pcap\"}"
#define WATCHED                                                                                              \
	"{\"service\":\"web\",\"class\":\"many_sources\",\"monitor\":true,\"completion_percent\":null,"      \
	"\"would_answer\":9}"

static const struct {
	void (*show)(struct render *render, const json_t *reply);
	const char *reply, *has, *has_not;
} rows[] = {
	{ show_services, "{" SERVICES("always", "active") "}", " active ", "(" },
	{ show_services, "{" SERVICES("monitor", "active") "}", "would be active", "bypassed" },
	{ show_services, "{" SERVICES("monitor", "active") "}", " (16) ", "IS ON" },
	{ show_services, "{" BYPASS SERVICES("always", "active") "}", " bypassed ", " active " },
	{ show_services, "{" NO_SYNCOOKIES SERVICES("auto", "active") "}", " bypassed ", " active " },
	{ show_services, "{" BYPASS SERVICES("auto", "idle") "}", " idle ", "bypassed" },
	{ show_services, "{" BYPASS SERVICES("auto", "grace") "}", "BYPASS IS ON", "NOTHING IS" },
	{ show_services, "{" NO_SYNCOOKIES "\"services\":[]}", "NOTHING IS DEFENDED", "BYPASS" },
	{ show_interfaces, "{" BYPASS "\"interfaces\":[]}", "BYPASS IS ON", "NOTHING IS" },
	{ show_service, "{" BYPASS "\"service\":" SERVICE("always", "active") "}", "bypassed for", "active" },
	{ show_service, "{\"service\":" SERVICE("monitor", "active") "}", "(16) would have", "of answered" },
	{ show_status, "{\"flows_seeded\":1}", "1 connection older than the daemon was", "connections" },
	{ show_status, "{\"flows_seeded\":1000}", "1,000 connections older than the daemon were", " was " },
	{ show_status, "{\"half_opens_cleared\":1}", "1 half-open from before mitigation was", "half-opens" },
	{ show_status, "{\"handovers\":{\"known\":{\"connections\":7}}}", "SEGMENTS", "CONNECTIONS" },
	{ show_status,
	  "{\"verdicts\":{\"drop_rate_source\":{\"would\":4000},\"drop_rate_prefix\":{\"would\":3000},"
	  "\"pass_open\":{\"packets\":5000}}}",
	  "sum                 5,000         -  ", "7,000" },
	{ show_rotated, "{\"coalesced\":true,\"key\":{\"rotation_in_s\":121}}", "it will happen in 2m 01s",
	  "-" },
	{ show_bypass, "{\"bypass\":false}", "bypass is off", "BYPASS" },
	{ show_services, "{\"draining\":true," SERVICES("always", "active") "}", " bypassed ", " active " },
	{ show_drain, "{\"deployment\":\"inline\",\"draining\":true,\"translated\":1}", "1 connection left",
	  "nections" },
	{ show_drain, "{\"deployment\":\"inline\",\"draining\":true,\"translated\":2}", "2 connections left",
	  "drained" },
	{ show_drain, "{\"deployment\":\"inline\",\"draining\":true,\"drained\":true}", "drained: stopping",
	  "left" },
	{ show_drain, "{\"deployment\":\"inline\"}", "not draining", "drained" },
	{ show_drain, "{\"deployment\":\"host\",\"drained\":true}", "nothing needs draining", "left" },
	{ show_service,
	  "{\"servers\":[{\"address\":\"fd99::1\",\"port\":80,\"mss\":1440,\"sack\":true,\"timestamps\":"
	  "false,"
	  "\"window_scaling\":true,\"wscale\":0,\"ecn\":false,\"state\":\"closed\",\"age_s\":61}]}",
	  "[fd99::1]:80  1,440  yes           0  yes   no          no   closed  1m 01s", "?" },
	{ show_service, "{\"service\":{\"asymmetric\":true}}", "do not come back through here", "MPTCP" },
	{ show_attacks, "{\"attacks\":[]}", "no attack since the daemon's start", "SERVICE" },
	{ show_attacks, "{" BYPASS "\"attacks\":[" ATTACK("forged", "true") "],\"folder\":\"/e\"}",
	  "BYPASS IS ON", "crowd" },
	{ show_attacks, "{\"attacks\":[" ATTACK("single_source", "false") "],\"folder\":\"/e\"}",
	  "    1,000        3 %  192.0.2.7/32 97%, 192.0.2.0/24 10%", "forged:" },
	{ show_attacks, "{\"attacks\":[" ATTACK("single_source", "false") "],\"folder\":\"/e\"}",
	  "\n  at first: forged, then few sources\n  packets: /e/x.pcap\n", "calm" },
	{ show_attacks, "{\"attacks\":[" ATTACK("single_source", "false") "],\"folder\":\"/e\"}",
	  "single source: one address sends attacks.share_percent (50 %) of the SYNs or more\n",
	  "most SYNs" },
	{ show_attacks, "{\"attacks\":[" ATTACK("forged", "true") "],\"folder\":\"/e\"}",
	  "answered 7 SYNs with cookies, dropped 8 packets\n  at first: forged, then few sources\n  calm for "
	  "58s\n  packets: /e/x.pcap\n",
	  "monitor" },
	{ show_attacks, "{\"attacks\":[" WATCHED "]}",
	  "would have answered 9 SYNs with cookies, dropped up to 0 packets", "packets:" },
	{ show_attacks, "{\"attacks\":[" WATCHED "]}", "  ?  ", "0 %" },
	{ show_services,
	  "{\"services\":[{\"name\":\"web\",\"attack\":{\"class\":\"forged\",\"going_on\":true,\"duration_"
	  "s\":61,"
	  "\"peak_pps\":2000,\"sources\":1}}]}",
	  "web: UNDER ATTACK (forged) for ", "last" },
	{ show_services,
	  "{\"services\":[{\"name\":\"web\",\"attack\":{\"class\":\"forged\",\"going_on\":true,\"duration_"
	  "s\":61,"
	  "\"peak_pps\":2000,\"sources\":1}}]}",
	  " for 1m 01s, peak 2,000 SYN/s, 1 source\n", "sources" },
	{ show_services,
	  "{\"services\":[{\"name\":\"web\",\"attack\":{\"class\":\"single_source\",\"going_on\":true,"
	  "\"duration_s\":37,\"calm_s\":58,\"peak_pps\":2000,\"sources\":1}}]}",
	  "web: attack (single source) of 37s, calm for 58s, peak 2,000 SYN/s, 1 source\n", "UNDER" },
	{ show_status,
	  "{\"services\":[{\"name\":\"web\",\"attack\":{\"class\":\"connections\",\"going_on\":false,"
	  "\"sources\":2}}]}",
	  "web: last attack (connections) at ", "UNDER" },
	{ show_service, "{\"service\":{\"name\":\"web\",\"attack\":{\"class\":\"crowd\",\"going_on\":true}}}",
	  "attack         a crowd of real clients for ", "UNDER" },
	{ show_service, "{\"service\":{\"name\":\"web\",\"attack\":null}}", "web", "attack" },
	{ show_status,
	  "{\"protected\":[{\"prefixes\":[\"192.0.2.0/24\",\"::/"
	  "0\"],\"prefix_count\":3,\"closed\":\"monitor\","
	  "\"outward\":\"enforce\",\"counts\":{\"drop_closed\":{\"packets\":0,\"would\":1234}}}]}",
	  "192.0.2.0/24 and 2 more  closed   monitor        0     1,234", "::" },
	{ show_status,
	  "{\"protected\":[{\"prefixes\":[\"::/0\"],\"prefix_count\":1,\"outward\":\"enforce\",\"counts\":"
	  "{\"drop_outward_rate\":{\"packets\":3},\"drop_outward_destination\":{\"packets\":4}}}]}",
	  "outward  enforce        7         0", "more" },
	{ show_drain, "{\"deployment\":\"inline\",\"draining\":true,\"translated\":0,\"honours_s\":5}",
	  "0 connections left to end; cookies that are out are honoured for 5s more", "drained" },
	{ show_limits,
	  "{\"mode\":\"enforce\",\"limits\":[{\"name\":\"syn_service\",\"service\":\"web\",\"rate\":5,"
	  "\"changed\":true}]}",
	  "syn_service of web* ", "monitor" },
	{ show_limits,
	  "{\"mode\":\"monitor\",\"limits\":[{\"name\":\"syn_source\",\"rate\":5,\"over\":9,"
	  "\"dropped\":8,\"would_drop\":8}]}",
	  "    9        0         8\n", "        8         8" },
	{ show_limits, "{\"mode\":\"monitor\",\"limits\":[]}", "not to be added\n", "otherwise" },
	{ show_limits, "{\"mode\":\"enforce\",\"limits\":[]}", "proven sources", "added" },
	{ show_limits,
	  "{\"mode\":\"enforce\",\"limits\":[{\"name\":\"syn_source\",\"rate\":5,\"over\":9,"
	  "\"dropped\":8,\"would_drop\":6}]}",
	  "    9        2         6\n", "monitor" },
	{ show_sources, "{\"accounting\":true,\"limits_mode\":\"monitor\",\"sources\":[{\"dropped\":3}]}",
	  "WOULD BE\n", "DROPPED" },
	{ show_sources, "{\"accounting\":true,\"limits_mode\":\"enforce\",\"sources\":[{\"dropped\":3}]}",
	  "DROPPED\n", "WOULD BE" },
	{ show_service, "{\"settings\":{\"half_open_begins\":128,\"half_open_ends\":64,\"backlog\":512}}",
	  "half-open mark begins above 128 (a quarter of the backlog of 512), ends below 64\n", "1,024" },
	{ show_service,
	  "{\"settings\":{\"half_open_high\":300,\"half_open_begins\":300,\"half_open_ends\":150,"
	  "\"backlog\":512}}",
	  "half-open mark begins above 300, ends below 150\n", "quarter" },
	{ show_service, "{\"settings\":{\"half_open_begins\":null,\"backlog\":null}}",
	  "half-open mark begins above a quarter of the listener's backlog, known from its next SYN on, ends "
	  "below half of it\n",
	  "512" },
	{ show_flows, "{\"total\":1,\"flows\":[{\"client_state\":\"SYN-SENT\",\"server_state\":\"LISTEN\"}]}",
	  "holds no half-open: syn-recv does not count it\n", "no such" },
	{ show_flows,
	  "{\"total\":1,\"flows\":[{\"client_state\":\"SYN-SENT\",\"server_state\":\"SYN-RECV\"}]}",
	  "SYN-RECV", "syn-recv" },
	{ show_limit_set,
	  "{\"limit\":\"syn_service of "
	  "web\",\"settings\":\"rate=5\",\"before\":\"none\",\"mode\":\"monitor\"}",
	  "limit syn_service of web: rate=5 (before: none)\nmode monitor: counted only", "off" },
	{ show_service,
	  "{\"limits\":[{\"name\":\"syn_service\",\"rate\":5000,\"action\":\"thin\",\"changed\":true}]}",
	  "own limit      syn_service: 5,000/s, beyond: thin (set at runtime)", "none" },
	{ show_service, "{\"limits\":[{\"name\":\"half_open_service\",\"rate\":0,\"action\":\"thin\"}]}",
	  "own limit      half_open_service: none", "beyond" },
	{ show_version, NULL, "synmoat  " SYNMOAT_VERSION, "synmoatd" },
	{ show_version, "{\"version\":\"9.9\"}", "synmoatd 9.9", "-" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *reply = rows[i].reply ? json_loads(rows[i].reply, 0, NULL) : NULL;
		struct render render;

		assert_true(reply || !rows[i].reply);
		assert_int_equal(render_init(&render, COLOR_NEVER), 0);
		rows[i].show(&render, reply);
		fflush(render.out);
		if (!strstr(render.text, rows[i].has) || strstr(render.text, rows[i].has_not))
			fail_msg("row %zu: '%s'", i, render.text);
		render_fini(&render);
		json_decref(reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
