/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration: what is read from which text, and for each way to get it wrong the line, the key and the
 * words of the error. LeakSanitizer watches that no error leaks, libconfig's part included.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/config/config.h"
#include "daemon/config/keys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Heads for tests of one part: what else is needed, on one line. */
#define HEAD	"deployment = \"host\"; interfaces = { outside = \"eth0\"; };\n"
#define SERVICE HEAD "services = ( { name = \"web\"; prefixes = [ \"192.0.2.0/24\" ]; ports = [ 80 ];\n"
#define END	" } );\n"
#define TAIL	"services = ( { name = \"web\"; prefixes = [ \"192.0.2.0/24\" ]; ports = [ 80 ]; } );\n"

static struct config *parse(const char *text)
{
	struct config_error error = { 0 };
	struct config *config = NULL;
	char line[600];

	if (config_parse(text, strlen(text), "test.conf", &config, &error))
		fail_msg("refused: %s\n%s", config_error_format(&error, line, sizeof(line)), text);
	return config;
}

/* --- what is read --- */

static void least_config_has_defaults(void **state)
{
	struct config *config = parse(HEAD TAIL);
	const struct config_service *service = &config->services[0];

	(void)state;
	assert_string_equal(config->path, "test.conf");
	assert_int_equal(config->deployment, DEPLOYMENT_HOST);
	assert_int_equal(config->xdp, XDP_NATIVE);
	assert_string_equal(config->outside, "eth0");
	assert_string_equal(config->control_group, "synmoat");
	assert_null(config->cookie_secret_file);
	assert_string_equal(config->metrics_listen, "127.0.0.1:9826");
	assert_int_equal(config->flow_entries, 1048576);
	assert_int_equal(config->lookup_budget_pps, 50000);
	assert_int_equal(config->sanity, POLICY_MONITOR);
	assert_int_equal(config->reflection, POLICY_MONITOR);
	assert_int_equal(config->smurf, POLICY_MONITOR);
	assert_int_equal(config->synack_budget_pps, 20000);
	assert_true(config->tracking);
	assert_int_equal(config->service_count, 1);
	assert_string_equal(service->name, "web");
	assert_int_equal(service->prefix_count, 1);
	assert_int_equal(service->port_count, 1);
	assert_int_equal(service->mode, MODE_AUTO);
	assert_int_equal(service->mss, 0);
	assert_int_equal(service->half_open_high, 0);
	assert_int_equal(service->half_open_low, 0);
	assert_int_equal(service->syn_rate_high, 10000);
	assert_int_equal(service->syn_rate_low, 0);
	assert_int_equal(service->hold_s, 60);
	assert_false(service->tcp_auth);
	assert_int_equal(service->tcp_auth_rate_pps, 100);
	config_free(config);
}

#define EVERY_KEY                                                                                            \
	"deployment = \"host\"; xdp = \"generic\"; interfaces = { outside = \"a-b.c_15-chars.\"; };\n"       \
	"metrics = { listen = \"[2001:db8::1]:9\"; };\n"                                                     \
	"control = { group = \"wheel\"; }; cookie = { secret_file = \"/a \\\"b\\\" \\\\ \\xc3\\xa9\"; };\n"  \
	"host = { flow_entries = 1500; lookup_budget_pps = 7; };\n"                                          \
	"limits = { mode = \"enforce\"; syn_source = { rate = 7; burst = 8; proven_rate = 9; proven_burst "  \
	"= 10;\n"                                                                                            \
	"  action = \"challenge\"; }; connection_site = { action = \"off\"; };\n"                            \
	"  half_open_total = { most = 100000000; proven_most = 100000000; }; };\n"                           \
	"auto_block = { mode = \"off\"; acts = 21; duration_s = 5; duration_most_s = 6; most = 7; };\n"      \
	"events = { file = \"/e\"; hook = \"/h\"; hook_events = [ \"drained\", \"attack-begun\" ]; "         \
	"hook_timeout_s = 9; };\n"                                                                           \
	"policy = { sanity = \"enforce\"; reflection = \"off\"; synack_budget_pps = 9; smurf = "             \
	"\"enforce\"; outward_source = \"monitor\"; };\n"                                                    \
	"protected = ( { prefixes = [ \"192.0.2.0/24\", \"2001:db8::/64\" ]; closed = \"enforce\";\n"        \
	"  outward = \"monitor\"; outward_to = [ \"10.0.0.0/8\" ]; outward_ports = ( 53, \"80-90\" );\n"     \
	"  outward_syn_pps = 5; }, { prefixes = [ \"198.51.100.7\" ]; } );\n"                                \
	"tracking = { enabled = false; flows = 2000; half_open_timeout_s = 4; fin_wait_2_s = 5;\n"           \
	"closing_s = 8; under_attack = { half_open_timeout_s = 2; fin_wait_2_s = 9; closing_s = 11; };\n"    \
	"scan_ports = 0; slow_handshake_ms = 12; slow_handshakes = 13;\n"                                    \
	"  time_wait_s = 6; established_s = 7; };\n"                                                         \
	"services = ( { name = \"a\"; prefixes = [ \"192.0.2.0/24\", \"2001:db8::/64\" ];\n"                 \
	"  ports = ( 80, \"8000-8080\", 443L, \"22\" ); mode = \"always\"; mss = 536;\n"                     \
	"  half_open_high = 4294967295; half_open_low = 0xFFFFFFFF; syn_rate_high = 4294967295L;\n"          \
	"  syn_rate_low = 3000000000; hold_s = 86400; tcp_auth = true; tcp_auth_rate_pps = 5; },\n"          \
	"  { name = \"c\"; prefixes = [ \"10.0.0.0/8\" ]; ports = [ 81 ]; limits = { syn_service = { rate "  \
	"= 5; "                                                                                              \
	"};\n"                                                                                               \
	"    connection_service = { burst = 6; action = \"thin\"; }; half_open_service = { most = 7; }; }; " \
	"},\n"                                                                                               \
	"  { name = \"b\"; prefixes = [ \"::/0\" ]; ports = [ \"1-65535\" ]; mode = \"off\"; } );\n"

static void every_key_is_read(void **state)
{
	struct config *config = parse(EVERY_KEY);
	const struct config_service *service = &config->services[0];

	(void)state;
	assert_int_equal(config->xdp, XDP_GENERIC);
	assert_string_equal(config->outside, "a-b.c_15-chars.");
	assert_string_equal(config->control_group, "wheel");
	assert_string_equal(config->metrics_listen, "[2001:db8::1]:9");
	assert_string_equal(config->cookie_secret_file, "/a \"b\" \\ \xc3\xa9");
	assert_int_equal(config->flow_entries, 2048);
	assert_int_equal(config->lookup_budget_pps, 7);
	assert_int_equal(config->sanity, POLICY_ENFORCE);
	assert_int_equal(config->limits.mode, POLICY_ENFORCE);
	assert_int_equal(config->limits.limit[KIND_SYN][LEVEL_SOURCE].rate, 7);
	assert_int_equal(config->limits.limit[KIND_SYN][LEVEL_SOURCE].burst, 8);
	assert_int_equal(config->limits.limit[KIND_SYN][LEVEL_SOURCE].proven_rate, 9);
	assert_int_equal(config->limits.limit[KIND_SYN][LEVEL_SOURCE].proven_burst, 10);
	assert_int_equal(config->limits.limit[KIND_SYN][LEVEL_SOURCE].action, LIMIT_CHALLENGE);
	assert_int_equal(config->limits.limit[KIND_CONNECTION][LEVEL_SITE].action, LIMIT_OFF);
	assert_int_equal(config->limits.limit[KIND_HALF_OPEN][LEVEL_TOTAL].rate, 100000000);
	assert_string_equal(config->events_file, "/e");
	assert_string_equal(config->hook, "/h");
	assert_int_equal(config->hook_timeout_s, 9);
	assert_true(config->hook_events[EVENT_DRAINED] && config->hook_events[EVENT_ATTACK_BEGUN]);
	assert_false(config->hook_events[EVENT_ATTACK_ENDED]); /* the default is replaced */
	assert_int_equal(config->punish.mode, POLICY_OFF);
	assert_int_equal(config->punish.acts, 21);
	assert_int_equal(config->punish.duration_s, 5);
	assert_int_equal(config->punish.duration_most_s, 6);
	assert_int_equal(config->punish.most, 7);
	assert_false(config->tracking);
	assert_int_equal(config->tracked_flows, 2000);
	assert_int_equal(config->timers.half_open_timeout_s, 4);
	assert_int_equal(config->timers.fin_wait_2_s, 5);
	assert_int_equal(config->timers.closing_s, 8);
	assert_int_equal(config->attack_timers.half_open_timeout_s, 2);
	assert_int_equal(config->attack_timers.fin_wait_2_s, 9);
	assert_int_equal(config->attack_timers.closing_s, 11);
	assert_int_equal(config->tracked_scan_ports, 0);
	assert_int_equal(config->slow_handshake_ms, 12);
	assert_int_equal(config->slow_handshakes, 13);
	assert_int_equal(config->time_wait_s, 6);
	assert_int_equal(config->established_s, 7);
	assert_int_equal(config->reflection, POLICY_OFF);
	assert_int_equal(config->smurf, POLICY_ENFORCE);
	assert_int_equal(config->outward_source, POLICY_MONITOR);
	assert_int_equal(config->protected_count, 2);
	assert_int_equal(config->protected[0].prefix_count, 2);
	assert_int_equal(config->protected[0].closed, POLICY_ENFORCE);
	assert_int_equal(config->protected[0].outward, POLICY_MONITOR);
	assert_int_equal(config->protected[0].outward_to_count, 1);
	assert_int_equal(config->protected[0].outward_port_count, 2);
	assert_int_equal(config->protected[0].outward_ports[1].last, 90);
	assert_int_equal(config->protected[0].outward_syn_pps, 5);
	assert_int_equal(config->protected[1].closed, POLICY_OFF);
	assert_int_equal(config->protected[1].outward_to_count, 0);
	assert_int_equal(config->synack_budget_pps, 9);
	assert_int_equal(service->port_count, 4);
	assert_int_equal(service->ports[1].first, 8000);
	assert_int_equal(service->ports[1].last, 8080);
	assert_int_equal(service->ports[2].first, 443);
	assert_int_equal(service->ports[3].last, 22);
	assert_int_equal(service->mode, MODE_ALWAYS);
	assert_int_equal(service->mss, 536);
	assert_int_equal(service->half_open_high, UINT32_MAX); /* where libconfig 1.5 alone reads -1 */
	assert_int_equal(service->half_open_low, UINT32_MAX);
	assert_int_equal(service->syn_rate_high, UINT32_MAX);
	assert_int_equal(service->syn_rate_low, 3000000000);
	assert_int_equal(service->hold_s, 86400);
	assert_true(service->tcp_auth);
	assert_int_equal(service->tcp_auth_rate_pps, 5);
	assert_int_equal(config->service_count, 3);
	assert_int_equal(config->services[2].mode, MODE_OFF);
	assert_false(service->limits.given[KIND_SYN]);
	service = &config->services[1];
	assert_true(service->limits.given[KIND_SYN]);
	assert_int_equal(service->limits.limit[KIND_SYN].rate, 5);
	assert_int_equal(service->limits.limit[KIND_SYN].action, LIMIT_THIN);
	assert_int_equal(service->limits.limit[KIND_CONNECTION].burst, 6);
	assert_int_equal(service->limits.limit[KIND_CONNECTION].action, LIMIT_THIN);
	assert_int_equal(service->limits.limit[KIND_HALF_OPEN].rate, 7);
	config_free(config);
}

static const char *const accepted[] = {
	HEAD TAIL "# a comment without a newline",
	"/* @include */ // @include \"x\"\n# @include \"x\"\n" HEAD TAIL,
	HEAD "control : { group : \"a\" \"b\" },\n" TAIL,
	HEAD "cookie = { };\n" TAIL,
	SERVICE "half_open_low = 5; }, { name = \"b\"; prefixes = [ \"192.0.2.0/24\" ]; ports = [ 81 ];" END,
	SERVICE "}, { name = \"b\"; prefixes = [ \"192.0.2.0/25\" ]; ports = [ 80 ];" END,
	SERVICE "}, { name = \"b\"; prefixes = [ \"192.0.2.0\", \"192.0.2.0/23\" ]; ports = ( 80, 443 );" END,
	SERVICE "syn_rate_high = 0; syn_rate_low = 20000;" END,
	SERVICE "half_open_high = 7; half_open_low = 7;" END,
	SERVICE "mss = 65535; tcp_auth = TRUE; hold_s = +1;" END,
};

static void accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(accepted); i++)
		config_free(parse(accepted[i]));
}

/* --- what is refused --- */

static const struct {
	const char *text;
	unsigned int line;
	const char *key, *said;
} refused[] = {
	/* syntax */
	{ "deployment = \"host\"\n;;", 2, "", "syntax error" },
	{ "deployment = \"host\";\ninterfaces = {\n", 2, "", "opens here is never closed" },
	{ "deployment = \"host\";\ninterfaces = {\n outside = \"a\";\n);\n", 4, "",
	  "closes none that is open" },
	{ "deployment = \"host\";\n}", 2, "", "closes none that is open" },
	{ "deployment = \"host\";\nxdp =\n", 3, "", "syntax error" },
	{ "deployment = \"host\";\nxdp =", 3, "", "syntax error" },
	{ "# a comment without a newline", 0, "deployment", "missing" },
	{ "deployment = host;\n", 1, "", "strings in \"...\"" },
	{ HEAD "services = ( {\n ports = [ 80,\n 443,\n ]; } );\n", 5, "",
	  "remove the comma before the closing" },
	{ HEAD "services = ( { ports = [ 80, \"8000-8080\" ]; } );\n", 2, "", "mixed list in ( ... )" },
	{ HEAD "xdp = \"native\";\nxdp = \"generic\";\n", 3, "xdp", "given twice" },
	{ SERVICE "hold_s = 1; mss = 0; hold_s = 2;" END, 3, "hold_s", "given twice" },
	{ "deployment = \"host\n;\n", 1, "", "string is never closed" },
	{ HEAD "/* comment\n", 2, "", "comment is never closed" },
	{ HEAD "\n\"stray\" = 1;\n", 3, "", "a string cannot stand here" },
	{ HEAD "xdp \"native\";\n", 2, "", "a string cannot stand here" },
	{ HEAD "services = ( { name = \"a\", \"b\" } );\n", 2, "", "a string cannot stand here" },
	{ HEAD "services = ( { prefixes = [ \"10.0.0.0/8\" \n 5 \"::/0\" ] } );\n", 3, "",
	  "a string cannot stand" },
	{ HEAD "\n  @include \"more.conf\"\n" TAIL, 3, "", "put further files into conf.d/" },
	{ "@include \".\"\n", 1, "", "conf.d" },
	{ HEAD "/*\n@include \".\" */\n", 3, "", "conf.d" },
	{ HEAD "control = { group = \"a\\x00b\"; };\n", 2, "", "\\x00" },
	{ "a=((((((((((((((((1))))))))))))))));\nb=(((((((((((((((((1)))))))))))))))));\n", 2, "",
	  "too deeply" },

	/* keys that are not known, or not there */
	{ "", 0, "deployment", "missing: write deployment = \"host\";" },
	{ "deployment = \"host\";\n" TAIL, 0, "interfaces.outside", "missing: write outside = \"eth0\";" },
	{ "deployment = \"host\"; interfaces = { };\n" TAIL, 0, "interfaces.outside", "missing" },
	{ HEAD, 0, "services", "missing: write services = ( {" },
	{ HEAD "services = ( );\n", 0, "services", "declare at least one" },
	{ HEAD "deploiment = \"host\";\n", 2, "deploiment", "nearest known one is deployment" },
	{ HEAD "\n\nservice = ( );\n", 4, "service", "nearest known one is services" },
	{ HEAD "zzz = 1;\n", 2, "zzz", "nearest known one is " },
	{ HEAD "outside = \"eth0\";\n", 2, "outside", "belongs inside interfaces = { ... }" },
	{ HEAD "mode = \"auto\";\n", 2, "mode", "belongs inside services = ( { ... } )" },
	{ SERVICE "xdp = \"native\";" END, 3, "services[0].xdp", "belongs outside all brackets" },
	{ SERVICE "\nsyn_rate_hi = 5;" END, 4, "services[0].syn_rate_hi",
	  "nearest known one is syn_rate_high" },
	{ SERVICE "}, {\nprefix = [ \"10.0.0.0/8\" ];" END, 4, "services[1].prefix", "one is prefixes" },
	{ HEAD "host = { flow_entry = 5000; };\n" TAIL, 2, "host.flow_entry",
	  "nearest known one is flow_entries" },
	{ HEAD "host = { flows = 5000; };\n" TAIL, 2, "host.flows", "it belongs inside tracking" },
	{ HEAD "tracking = { flows = 4194304; };\n" TAIL, 2, "tracking.flows", "" },
	{ HEAD "tracking = { established_s = 0; };\n" TAIL, 2, "tracking.established_s", "" },
	{ HEAD "cookie = { groups = \"x\"; };\n", 2, "cookie.groups", "nearest known one is " },
	{ HEAD "services = (\n { prefixes = [ \"10.0.0.0/8\" ]; ports = [ 80 ]; } );\n", 3,
	  "services[0].name", "missing: write name = " },
	{ SERVICE "}, {\n name = \"b\"; ports = [ 80 ];" END, 3, "services[1].prefixes",
	  "missing: write prefixes = [" },
	{ SERVICE "}, { name = \"b\"; prefixes = [ \"10.0.0.0/8\" ];" END, 3, "services[1].ports",
	  "missing: write ports = [ 80, 443 ];" },

	/* deployment and interfaces */
	{ "deployment = \"inline\"; interfaces = { outside = \"eth0\"; };\n" TAIL, 1, "interfaces.inside",
	  "missing: write inside" },
	{ "deployment = \"inline\"; interfaces = { outside = \"eth0\"; inside = \"eth0\"; };\n" TAIL, 1,
	  "interfaces.inside", "the same as outside" },
	{ HEAD "forward = \"bridge\";\n" TAIL, 2, "forward", "deployment = \"inline\" only" },
	{ HEAD "inline = { connections = 5000; };\n" TAIL, 2, "inline", "deployment = \"inline\" only" },
	{ "deployment = \"host\"; interfaces = { outside = \"eth0\";\n inside = \"eth1\"; };\n" TAIL, 2,
	  "interfaces.inside", "\"inline\" only" },
	{ "deployment = \"Host\";\n", 1, "deployment", "\"Host\" is not one of \"host\", \"inline\"" },
	{ "deployment = 1;\n", 1, "deployment",
	  "one of \"host\", \"inline\" is wanted here, found the number 1" },
	{ "limits = { syn_source = { action = \"drop\"; }; };\n", 1, "limits.syn_source.action",
	  "in another's name" },
	{ "limits = { connection_total = { action = \"challenge\"; }; };\n", 1,
	  "limits.connection_total.action", "cookie already" },
	{ "limits = { half_open_site = { rate = 5; }; };\n", 1, "limits.half_open_site.rate", "unknown key" },
	{ HEAD TAIL "limits = { syn_source = { rate = 6000; burst = 6000; }; };\n", 3,
	  "limits.syn_source.proven_rate", "5000 is below rate, which is 6000: write at least that" },
	{ HEAD TAIL "limits = { half_open_site = { most = 7;\n proven_most = 6; }; };\n", 4,
	  "limits.half_open_site.proven_most", "6 is below most, which is 7" },
	{ HEAD TAIL "limits = { syn_site = { proven_burst = 0;\n burst = 90000; }; };\n", 3,
	  "limits.syn_site.proven_burst", "80000 is below the burst, which is 90000" },
	{ "events = { hook = \"page me\"; };\n", 1, "events.hook", "full path" },
	{ "events = { hook_events = [ \"drained\",\n\"attack\" ]; };\n", 2, "events.hook_events[1]",
	  "no event \"attack\"" },
	{ "events = { hook_events = [ \"hook-failed\" ]; };\n", 1, "events.hook_events[0]",
	  "the hook itself" },
	{ "events = { hook_events = \"drained\"; };\n", 1, "events.hook_events", "an array such as" },
	{ "events = { hook_events = [ 1 ]; };\n", 1, "events.hook_events[0]", "the name of an event" },
	{ "events = { hook_timeout_s = 0; };\n", 1, "events.hook_timeout_s", "1 to" },
	{ "auto_block = { acts = 19; };\n", 1, "auto_block.acts", "20 to" },
	{ HEAD TAIL "auto_block = { duration_most_s = 599; };\n", 3, "auto_block.duration_most_s",
	  "write at least that" },
	{ HEAD TAIL "auto_block = {\n duration_s = 86401; };\n", 4, "auto_block.duration_most_s",
	  "86400 is below duration_s, which is 86401" },
	{ HEAD "protected = ( { closed = \"off\"; } );\n" TAIL, 2, "protected[0].prefixes", "missing" },
	{ HEAD "protected = ( { prefixes = [ \"192.0.2.0/24\" ];\n outward_ports = [ 0 ]; } );\n" TAIL, 3,
	  "protected[0].outward_ports[0]", "0 is not a port" },
	{ HEAD "protected = ( { prefixes = [ \"192.0.2.0/24\" ]; },\n { prefixes = [ \"192.0.2.0/24\" ]; } "
	       ");\n" TAIL,
	  3, "protected[1].prefixes[0]", "listed already at test.conf:2: keep one of them" },
	{ "policy = { sanity = \"on\"; };\n", 1, "policy.sanity",
	  "\"on\" is not one of \"off\", \"monitor\", \"enforce\"" },
	{ "xdp = \"offload\";\n", 1, "xdp", "\"offload\" is not one of \"native\", \"generic\"" },
	{ "interfaces = \"eth0\";\n", 1, "interfaces",
	  "a group { ... } is wanted here, found the string \"eth0\"" },
	{ "interfaces = { outside = \"\"; };\n", 1, "interfaces.outside", "1 to 15 characters" },
	{ "interfaces = { outside = \"abcdefghijklmnop\"; };\n", 1, "interfaces.outside",
	  "1 to 15 characters" },
	{ "interfaces = { outside = \"eth 0\"; };\n", 1, "interfaces.outside", "no space" },
	{ "interfaces = { outside = \"../eth0\"; };\n", 1, "interfaces.outside", "no space, /" },
	{ "interfaces = { outside = \"..\"; };\n", 1, "interfaces.outside", "will not do" },
	{ "interfaces = { outside = [ \"eth0\" ]; };\n", 1, "interfaces.outside", "found an array" },

	/* control, cookie, host */
	{ "control = { group = \"\"; };\n", 1, "control.group", "name of a group" },
	{ "control = { group = \"a:b\"; };\n", 1, "control.group", "name of a group" },
	{ "control = { group = 100; };\n", 1, "control.group", "a string in \"...\" is wanted here" },
	{ "metrics = { listen = \"127.0.0.1\"; };\n", 1, "metrics.listen", "such as \"127.0.0.1:9826\"" },
	{ "metrics = { listen = \"::1:9826\"; };\n", 1, "metrics.listen", "\"[::1]:9826\"" },
	{ "metrics = { listen = \"[::1:9826\"; };\n", 1, "metrics.listen", "\"[::1]:9826\"" },
	{ "metrics = { listen = \"[127.0.0.1]:9826\"; };\n", 1, "metrics.listen", "\"[::1]:9826\"" },
	{ "metrics = { listen = \"localhost:9826\"; };\n", 1, "metrics.listen", "an address" },
	{ "metrics = { listen = \"127.0.0.1:0\"; };\n", 1, "metrics.listen", "a port" },
	{ "metrics = { listen = \"127.0.0.1:65536\"; };\n", 1, "metrics.listen", "a port" },
	{ "metrics = { listen = \"127.0.0.1:+80\"; };\n", 1, "metrics.listen", "a port" },
	{ "metrics = { listen = \"127.0.0.1:80 \"; };\n", 1, "metrics.listen", "a port" },
	{ "metrics = { listen = \"\"; };\n", 1, "metrics.listen", "\"off\"" },
	{ "cookie = { secret_file = \"key\"; };\n", 1, "cookie.secret_file", "full path" },
	{ "cookie = ( );\n", 1, "cookie", "found a list" },
	{ "host = {\n flow_entries = 1023;\n};\n", 2, "host.flow_entries",
	  "1023 is out of range: write 1024 to 67108864" },
	{ "host = { flow_entries = 5000000000; };\n", 1, "host.flow_entries", "5000000000 is out of range" },
	{ "host = { flow_entries = 99999999999999999999; };\n", 1, "host.flow_entries", "out of range" },
	{ "host = { flow_entries = 0xFFFFFFFFFFFFFFFFL; };\n", 1, "host.flow_entries", "out of range" },
	{ "host = { flow_entries = -1; };\n", 1, "host.flow_entries", "-1 is out of range" },
	{ "host = { flow_entries = 1e6; };\n", 1, "host.flow_entries",
	  "a whole number is wanted here, found the fraction" },
	{ "host = { flow_entries = \"1024\"; };\n", 1, "host.flow_entries", "found the string \"1024\"" },
	{ "host = { lookup_budget_pps = 0; };\n", 1, "host.lookup_budget_pps", "write 1 to 100000000" },

	/* services */
	{ HEAD "services = { name = \"web\"; };\n", 2, "services",
	  "a list of groups ( { ... }, { ... } ) is wanted here" },
	{ HEAD "services = ( 1,\n 2 );\n", 2, "services[0]", "a service { name" },
	{ HEAD "services = ( { name = \"Web\"; } );\n", 2, "services[0].name", "out of a-z 0-9 - _ ." },
	{ HEAD "services = ( { name = \"abcdefghijklmnopqrstuvwxyz012345\"; } );\n", 2, "services[0].name",
	  "1 to 31" },
	{ HEAD "services = ( { name = \"\\x1b[2J\\xff\"; } );\n", 2, "services[0].name",
	  "\"?[2J?\" will not do" },
	{ SERVICE "}, {\n name = \"web\"; prefixes = [ \"::/0\" ]; ports = [ 80 ];" END, 4,
	  "services[1].name", "\"web\" is already the name of the service at test.conf:2" },
	{ SERVICE "mode = \"on\";" END, 3, "services[0].mode",
	  "one of \"off\", \"monitor\", \"auto\", \"always\"" },
	{ SERVICE "mode = true;" END, 3, "services[0].mode", "found true" },
	{ SERVICE "mss = 535;" END, 3, "services[0].mss", "535 is out of range: write 0, or 536 to 65535" },
	{ SERVICE "mss = 65536;" END, 3, "services[0].mss", "out of range" },
	{ SERVICE "half_open_high = 4294967296;" END, 3, "services[0].half_open_high",
	  "write 0 to 4294967295" },
	{ SERVICE "half_open_high = -1;" END, 3, "services[0].half_open_high", "-1 is out of range" },
	{ SERVICE "half_open_high = 5;\nhalf_open_low = 6;" END, 4, "services[0].half_open_low",
	  "6 is above the high mark, which is 5" },
	{ SERVICE "syn_rate_low = 10001;" END, 3, "services[0].syn_rate_low",
	  "the high mark, which is 10000" },
	{ SERVICE "hold_s = 0;" END, 3, "services[0].hold_s", "write 1 to 86400" },
	{ SERVICE "limits = { mode = \"off\"; };" END, 3, "services[0].limits.mode",
	  "unknown key here: there are syn_service, connection_service, half_open_service" },
	{ "limits = { syn_source = { most = 5; }; };\n", 1, "limits.syn_source.most",
	  "unknown key here: there are rate, burst, proven_rate, proven_burst, action" },
	{ SERVICE "limits = { syn_service = 5; };" END, 3, "services[0].limits.syn_service",
	  "a group { ... } is wanted here, found the number 5" },
	{ SERVICE "limits = { syn_service = {\n proven_rate = 5; }; };" END, 4,
	  "services[0].limits.syn_service.proven_rate", "unknown key" },
	{ SERVICE "limits = { half_open_service = { most = 100000001; }; };" END, 3,
	  "services[0].limits.half_open_service.most", "write 0 to 100000000" },
	{ SERVICE "limits = { syn_service = { action = \"drop\"; }; };" END, 3,
	  "services[0].limits.syn_service.action", "in another's name" },
	{ SERVICE "tcp_auth = 1;" END, 3, "services[0].tcp_auth",
	  "true or false is wanted here, found the number 1" },
	{ SERVICE "tcp_auth_rate_pps = 0;" END, 3, "services[0].tcp_auth_rate_pps", "write 1 to" },

	/* prefixes */
	{ HEAD "services = ( { prefixes = \"10.0.0.0/8\"; } );\n", 2, "services[0].prefixes",
	  "an array such as prefixes = [ \"192.0.2.0/24\"" },
	{ HEAD "services = ( { prefixes = [ ]; } );\n", 2, "services[0].prefixes",
	  "empty: write at least one" },
	{ HEAD "services = ( { prefixes = [ 10 ]; } );\n", 2, "services[0].prefixes[0]",
	  "a string such as \"192.0.2.0/24\" is wanted here, found the number 10" },
	{ HEAD "services = ( { prefixes = [\n\"10.0.0.0/8\",\n\"10.1.2.3/8\"\n]; } );\n", 4,
	  "services[0].prefixes[1]", "write \"10.0.0.0/8\", or \"10.1.2.3/32\"" },
	{ HEAD "services = ( { prefixes = [ \"10.0.0.0/33\" ]; } );\n", 2, "services[0].prefixes[0]",
	  "0 to 32" },
	{ HEAD "services = ( { name = \"a\"; ports = [ 1 ]; prefixes = [ \"10.0.0.0/8\",\n\"10.0.0.0/8\"\n "
	       "]; } );\n",
	  3, "services[0].prefixes[1]", "listed twice in this service" },
	{ SERVICE "}, { name = \"b\"; ports = ( \"1-79\", \"70-90\" ); prefixes = [ \"::/0\" ];" END, 3,
	  "services[1].ports[1]", "port 70 is listed twice" },
	{ SERVICE
	  "}, { name = \"b\"; ports = [ \"79-90\" ];\nprefixes = [ \"::/0\",\n\"192.0.2.0/24\" ];" END,
	  5, "services[1].prefixes[1]",
	  "services \"web\" (test.conf:2) and \"b\" both declare this prefix with port 80: give it to one of "
	  "them" },

	/* ports */
	{ HEAD "services = ( { ports = 80; } );\n", 2, "services[0].ports",
	  "an array such as ports = [ 80, 443 ];" },
	{ HEAD "services = ( { ports = ( ); } );\n", 2, "services[0].ports", "empty" },
	{ HEAD "services = ( { ports = [ 0 ]; } );\n", 2, "services[0].ports[0]",
	  "0 is not a port: write 1 to 65535" },
	{ HEAD "services = ( { ports = [ 80,\n65536 ]; } );\n", 3, "services[0].ports[1]",
	  "65536 is not a port" },
	{ HEAD "services = ( { ports = [ 4294967376 ]; } );\n", 2, "services[0].ports[0]",
	  "4294967376 is not a port" },
	{ HEAD "services = ( { ports = [ -80 ]; } );\n", 2, "services[0].ports[0]", "-80 is not a port" },
	{ HEAD "services = ( { ports = ( 80,\n\"http\"\n); } );\n", 3, "services[0].ports[1]",
	  "\"http\" is not a range of ports: write one such as \"8000-8080\"" },
	{ HEAD "services = ( { ports = [ \"90-80\" ]; } );\n", 2, "services[0].ports[0]", "not a range" },
	{ HEAD "services = ( { ports = [ \"80-\" ]; } );\n", 2, "services[0].ports[0]", "not a range" },
	{ HEAD "services = ( { ports = [ \"-80\" ]; } );\n", 2, "services[0].ports[0]", "not a range" },
	{ HEAD "services = ( { ports = [ \"0-80\" ]; } );\n", 2, "services[0].ports[0]", "not a range" },
	{ HEAD "services = ( { ports = [ \"80-65536\" ]; } );\n", 2, "services[0].ports[0]", "not a range" },
	{ HEAD "services = ( { ports = [ \"80 - 90\" ]; } );\n", 2, "services[0].ports[0]", "not a range" },
	{ HEAD "services = ( { ports = [ \"\" ]; } );\n", 2, "services[0].ports[0]", "not a range" },
	{ HEAD "services = ( { ports = [ 80.0 ]; } );\n", 2, "services[0].ports[0]", "a port such as 443" },
	{ HEAD "services = ( { ports = ( [ 80 ] ); } );\n", 2, "services[0].ports[0]", "found an array" },
};

static void refuse(const char *text, size_t size, unsigned int line, const char *key, const char *said)
{
	struct config *config = (struct config *)&line; /* must stay untouched */
	struct config_error error = { 0 };
	char formatted[600];

	if (config_parse(text, size, "test.conf", &config, &error) != -EINVAL)
		fail_msg("not refused: %s", text);
	assert_ptr_equal(config, &line);
	config_error_format(&error, formatted, sizeof(formatted));
	if (error.line != line || strcmp(error.key, key) || !strstr(error.text, said))
		fail_msg("wanted %u: %s: %s, got %s\n%s", line, key, said, formatted, text);
	if (strlen(error.text) > 200)
		fail_msg("long-winded: %s", formatted);
	assert_string_equal(error.file, "test.conf");
}

static void refuses_with_line_key_and_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		refuse(refused[i].text, strlen(refused[i].text), refused[i].line, refused[i].key,
		       refused[i].said);
}

static void refuses_what_is_no_text(void **state)
{
	size_t size = (1 << 20) + 1;
	char *text = malloc(size);

	(void)state;
	memset(text, ' ', size);
	refuse(text, size, 0, "", "larger than 1 MiB");
	refuse("deployment\0 = 1;", 16, 0, "", "NUL byte");
	free(text);
}

static void refuses_a_65th_service(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	fputs(HEAD "services = (", out);
	for (int i = 0; i < 65; i++)
		fprintf(out, "%s\n{ name = \"s%d\"; prefixes = [ \"10.0.0.%d\" ]; ports = [ 80 ]; }",
			i ? "," : "", i, i);
	fputs(");\n", out);
	fclose(out);
	refuse(text, size, 67, "services[64]", "more than 64 services");
	free(text);
}

/* --- files --- */

struct folder {
	char path[64];
};

static void write_file(const struct folder *folder, const char *name, const char *text, mode_t mode)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));
	char sub[128];

	strcpy(folder->path, "/tmp/synmoat-config-XXXXXX");
	*state = folder;
	if (!mkdtemp(folder->path))
		return -1;
	snprintf(sub, sizeof(sub), "%s/conf.d", folder->path);
	return mkdir(sub, 0755) || chmod(sub, 0755);
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;
	char command[128];
	int err;

	snprintf(command, sizeof(command), "rm -r %s", folder->path);
	err = system(command);
	free(folder);
	return err;
}

static int load(const struct folder *folder, const char *name, struct config **config,
		struct config_error *error)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	return config_load(path, config, error);
}

static void refuse_file(const struct folder *folder, const char *name, int err, const char *file,
			const char *said)
{
	struct config_error error = { 0 };
	struct config *config = NULL;

	assert_int_equal(load(folder, name, &config, &error), err);
	assert_null(config);
	if (!strstr(error.file, file) || !strstr(error.text, said))
		fail_msg("wanted %s: %s, got %s: %s", file, said, error.file, error.text);
}

static void fragments_add_and_override(void **state)
{
	struct folder *folder = *state;
	struct config_error error = { 0 };
	struct config *config = NULL;

	write_file(folder, "a.conf", HEAD "host = { flow_entries = 2048; };\n" TAIL, 0644);
	write_file(folder, "conf.d/20-b.conf",
		   "xdp = \"generic\"; control = { group = \"b\"; }; interfaces = { outside = \"eth2\"; };\n",
		   0600);
	write_file(folder, "conf.d/10-a.conf",
		   "control = { group = \"a\"; }; host = { lookup_budget_pps = 9; };\n"
		   "services = ( { name = \"ssh\"; prefixes = [ \"::/0\" ]; ports = [ 22 ]; } );\n",
		   0644);
	write_file(folder, "conf.d/30.conf~", "nonsense", 0666);
	write_file(folder, "conf.d/.conf", "nonsense", 0666);
	write_file(folder, "conf.d/.30.conf", "nonsense", 0666);
	if (load(folder, "a.conf", &config, &error))
		fail_msg("%s:%u: %s: %s", error.file, error.line, error.key, error.text);
	assert_string_equal(config->control_group, "b");
	assert_string_equal(config->outside, "eth2");
	assert_int_equal(config->xdp, XDP_GENERIC);
	assert_int_equal(config->flow_entries, 2048);
	assert_int_equal(config->lookup_budget_pps, 9);
	assert_int_equal(config->service_count, 2);
	assert_string_equal(config->services[0].name, "web");
	assert_string_equal(config->services[1].name, "ssh");
	config_free(config);
}

static void needed_keys_may_stand_in_fragments(void **state)
{
	struct folder *folder = *state;
	struct config_error error = { 0 };
	struct config *config = NULL;

	write_file(folder, "a.conf", "", 0644);
	write_file(folder, "conf.d/a.conf", "deployment = \"host\";", 0644);
	refuse_file(folder, "a.conf", -EINVAL, "/a.conf", "missing: write outside");
	write_file(folder, "conf.d/b.conf", HEAD TAIL, 0644);
	assert_int_equal(load(folder, "a.conf", &config, &error), 0);
	config_free(config);
}

static void errors_name_the_fragment(void **state)
{
	struct folder *folder = *state;
	struct config_error error = { 0 };
	struct config *config = NULL;

	write_file(folder, "a.conf", HEAD TAIL, 0644);
	write_file(folder, "conf.d/x.conf",
		   "\nservices = ( { name = \"b\"; prefixes = [ \"::/0\" ]; ports = [ 1 ]; },\n"
		   "{ name = \"web\"; prefixes = [ \"::/0\" ]; ports = [ 2 ]; } );",
		   0644);
	assert_int_equal(load(folder, "a.conf", &config, &error), -EINVAL);
	assert_non_null(strstr(error.file, "/conf.d/x.conf"));
	assert_int_equal(error.line, 3);
	assert_string_equal(error.key, "services[1].name");
	assert_non_null(strstr(error.text, "/a.conf:2"));
}

/* Two keys that do not agree may stand in two files; and one that a running daemon cannot change is looked
 * up. */
static void errors_of_two_keys_name_the_fragment(void **state)
{
	struct folder *folder = *state;
	struct config_error error = { 0 };
	struct config *config = NULL;
	char path[128];

	write_file(folder, "a.conf", HEAD TAIL "limits = { syn_source = { rate = 7; proven_rate = 8; }; };\n",
		   0644);
	write_file(folder, "conf.d/x.conf",
		   "\nlimits = {\n syn_source = { proven_rate = 6; }; };\nxdp = \"native\";\n", 0644);
	assert_int_equal(load(folder, "a.conf", &config, &error), -EINVAL);
	assert_non_null(strstr(error.file, "/conf.d/x.conf"));
	assert_int_equal(error.line, 3);
	assert_string_equal(error.key, "limits.syn_source.proven_rate");
	snprintf(path, sizeof(path), "%s/a.conf", folder->path);
	config_locate(path, "xdp", &error);
	assert_non_null(strstr(error.file, "/conf.d/x.conf"));
	assert_int_equal(error.line, 4);
	config_locate(path, "interfaces.outside", &error);
	assert_string_equal(error.file, path);
	assert_int_equal(error.line, 1);
	config_locate(path, "host.flow_entries", &error);
	assert_string_equal(error.file, path);
	assert_int_equal(error.line, 0);
}

static void refuses_what_others_can_write(void **state)
{
	struct folder *folder = *state;
	char sub[128];

	write_file(folder, "a.conf", HEAD TAIL, 0664);
	refuse_file(folder, "a.conf", -EPERM, "/a.conf", "chmod go-w /tmp/");
	write_file(folder, "a.conf", HEAD TAIL, 0646);
	refuse_file(folder, "a.conf", -EPERM, "/a.conf", "chmod go-w /tmp/");
	write_file(folder, "a.conf", HEAD TAIL, 0644);
	write_file(folder, "conf.d/b.conf", "", 0660);
	refuse_file(folder, "a.conf", -EPERM, "/conf.d/b.conf", "chmod go-w /tmp/");
	write_file(folder, "conf.d/b.conf", "", 0644);
	snprintf(sub, sizeof(sub), "%s/conf.d", folder->path);
	assert_int_equal(chmod(sub, 0775), 0);
	refuse_file(folder, "a.conf", -EPERM, "/conf.d", "chmod go-w /tmp/");
}

static void refuses_what_is_no_file(void **state)
{
	struct folder *folder = *state;
	char path[128];

	refuse_file(folder, "none.conf", -ENOENT, "/none.conf", "No such file");
	refuse_file(folder, "conf.d", -EINVAL, "/conf.d", "not a regular file");
	snprintf(path, sizeof(path), "%s/fifo.conf", folder->path);
	assert_int_equal(mkfifo(path, 0600), 0);
	refuse_file(folder, "fifo.conf", -EINVAL, "/fifo.conf", "not a regular file");
}

/* --- printing --- */

static char *print(const struct config *config)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(config_print(config, out), 0);
	fclose(out);
	return text;
}

static void compare_services(const struct config_service *a, const struct config_service *b)
{
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->prefix_count, b->prefix_count);
	for (size_t i = 0; i < a->prefix_count; i++) {
		assert_memory_equal(&a->prefixes[i].address, &b->prefixes[i].address,
				    sizeof(struct in6_addr));
		assert_int_equal(a->prefixes[i].length_bits, b->prefixes[i].length_bits);
	}
	assert_int_equal(a->port_count, b->port_count);
	assert_memory_equal(a->ports, b->ports, a->port_count * sizeof(*a->ports));
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->mss, b->mss);
	assert_int_equal(a->half_open_high, b->half_open_high);
	assert_int_equal(a->half_open_low, b->half_open_low);
	assert_int_equal(a->syn_rate_high, b->syn_rate_high);
	assert_int_equal(a->syn_rate_low, b->syn_rate_low);
	assert_int_equal(a->hold_s, b->hold_s);
	assert_int_equal(a->tcp_auth, b->tcp_auth);
	assert_int_equal(a->tcp_auth_rate_pps, b->tcp_auth_rate_pps);
	assert_memory_equal(&a->limits, &b->limits, sizeof(a->limits));
}

static void compare_configs(const struct config *a, const struct config *b)
{
	assert_int_equal(a->deployment, b->deployment);
	assert_int_equal(a->xdp, b->xdp);
	assert_string_equal(a->outside, b->outside);
	assert_string_equal(a->control_group, b->control_group);
	assert_string_equal(a->metrics_listen, b->metrics_listen);
	assert_int_equal(!a->cookie_secret_file, !b->cookie_secret_file);
	if (a->cookie_secret_file)
		assert_string_equal(a->cookie_secret_file, b->cookie_secret_file);
	assert_int_equal(a->flow_entries, b->flow_entries);
	assert_int_equal(a->lookup_budget_pps, b->lookup_budget_pps);
	assert_memory_equal(&a->limits, &b->limits, sizeof(a->limits));
	assert_int_equal(a->service_count, b->service_count);
	for (size_t i = 0; i < a->service_count; i++)
		compare_services(&a->services[i], &b->services[i]);
}

static void printed_config_loads_the_same(void **state)
{
	static const char *const texts[] = { HEAD TAIL, EVERY_KEY };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct config *config = parse(texts[i]), *again;
		char *text = print(config), *text_again;

		again = parse(text);
		compare_configs(config, again);
		text_again = print(again);
		assert_string_equal(text, text_again);
		free(text);
		free(text_again);
		config_free(config);
		config_free(again);
	}
}

static void printing_says_when_it_fails(void **state)
{
	struct config *config = parse(HEAD TAIL);
	FILE *full = fopen("/dev/full", "we");

	(void)state;
	assert_int_equal(config_print(config, full), -EIO);
	fclose(full);
	config_free(config);
}

/* --- the sample --- */

static char *read_sample(void)
{
	FILE *file = fopen("conf/synmoat.conf", "re");
	char *text = calloc(1, 65536);

	if (!file)
		fail_msg("run this test from the top of the tree");
	assert_in_range(fread(text, 1, 65535, file), 1, 65534);
	fclose(file);
	return text;
}

static void sample_says_the_defaults(void **state)
{
	struct config *least = parse(HEAD "services = ( { name = \"web\"; ports = [ 80, 443 ];\n"
					  "prefixes = [ \"192.0.2.0/24\", \"2001:db8::/64\" ]; } );\n");
	char *text = read_sample();
	struct config *sample = parse(text);

	(void)state;
	compare_configs(sample, least);
	config_free(sample);
	config_free(least);
	free(text);
}

/* Each key is on a line of its own, explained by a comment above it; the tables print all of them. */
static void sample_has_every_key(void **state)
{
	struct config *config = parse(EVERY_KEY);
	char *sample = read_sample(), *printed = print(config), *save;
	unsigned int keys = 0;

	(void)state;
	for (char *line = strtok_r(printed, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char key[64], wanted[80];

		if (sscanf(line, " %63[a-z0-9_] = ", key) != 1)
			continue;
		snprintf(wanted, sizeof(wanted), "%s = ", key);
		if (!strstr(sample, wanted))
			fail_msg("conf/synmoat.conf lacks %s", key);
		keys++;
	}
	assert_in_range(keys, 20, 400);
	free(sample);
	free(printed);
	config_free(config);
}

/* The names of all keys that a reload cannot change, each in blanks. Returns how many. */
static unsigned int list_restart_keys(const struct key *keys, char *names, size_t size)
{
	unsigned int count = 0;

	for (; keys->name; keys++) {
		count += keys->restart;
		if (keys->restart)
			snprintf(names + strlen(names), size - strlen(names), " %s ", keys->name);
		if (keys->members)
			count += list_restart_keys(keys->members, names, size);
	}
	return count;
}

/* The comment above a key ends with its line, or with a line without anything. */
static void sample_marks_what_needs_a_restart(void **state)
{
	char *sample = read_sample(), wanted[512] = "", name[64], word[80];
	unsigned int found = 0, keys = list_restart_keys(config_keys, wanted, sizeof(wanted));
	bool marked = false;

	(void)state;
	for (char *line = sample; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *key = line + strspn(line, "#\t ");

		if (sscanf(key, "%63[a-z0-9_] = ", name) == 1 && strstr(key, " = ") == key + strlen(name)) {
			snprintf(word, sizeof(word), " %s ", name);
			if (marked != !!strstr(wanted, word))
				fail_msg("%s is %smarked (restart) in conf/synmoat.conf", name,
					 marked ? "" : "not ");
			found += marked;
			marked = false;
		} else if (*key == '\n') {
			marked = false;
		} else {
			size_t length = strcspn(line, "\n");

			marked |= memmem(line, length, "(restart)", strlen("(restart)")) != NULL;
		}
	}
	assert_int_equal(found, keys);
	free(sample);
}

static void another_key_needs_a_restart(void **state)
{
	static const struct {
		const char *before, *after, *key; /* NULL: none */
	} rows[] = {
		{ HEAD TAIL, HEAD TAIL, NULL },
		{ HEAD TAIL, HEAD "host = { lookup_budget_pps = 9; };\n" TAIL, NULL },
		{ HEAD TAIL, HEAD "host = { flow_entries = 2048; };\n" TAIL, "host.flow_entries" },
		{ HEAD TAIL, HEAD "xdp = \"generic\";\n" TAIL, "xdp" },
		{ HEAD TAIL, HEAD "cookie = { secret_file = \"/a\"; };\n" TAIL, "cookie.secret_file" },
		{ HEAD "cookie = { secret_file = \"/a\"; };\n" TAIL,
		  HEAD "cookie = { secret_file = \"/a\"; };\n" TAIL, NULL },
		{ HEAD "cookie = { secret_file = \"/a\"; };\n" TAIL,
		  HEAD "cookie = { secret_file = \"/b\"; };\n" TAIL, "cookie.secret_file" },
		{ HEAD TAIL, "deployment = \"host\"; interfaces = { outside = \"eth1\"; };\n" TAIL,
		  "interfaces.outside" },
		{ HEAD TAIL, HEAD "tracking = { enabled = false; };\n" TAIL, "tracking.enabled" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *a = parse(rows[i].before), *b = parse(rows[i].after);
		char name[128] = "";

		assert_int_equal(config_needs_restart(a, b, name, sizeof(name)), rows[i].key != NULL);
		assert_string_equal(name, rows[i].key ? rows[i].key : "");
		config_free(a);
		config_free(b);
	}
}

/* --- words and formats --- */

static void words_of_modes(void **state)
{
	(void)state;
	for (int mode = MODE_OFF; mode <= MODE_ALWAYS; mode++)
		assert_int_equal(config_mode_parse(config_mode_word((enum service_mode)mode)), mode);
	assert_string_equal(config_mode_word(MODE_MONITOR), "monitor");
	assert_int_equal(config_mode_parse("on"), -1);
	assert_int_equal(config_mode_parse(""), -1);
}

static void errors_without_empty_parts(void **state)
{
	struct config_error error = {
		.file = "a.conf", .line = 7, .key = "services[0].name", .text = "text"
	};
	char line[600], cut[8];

	(void)state;
	assert_string_equal(config_error_format(&error, line, sizeof(line)),
			    "a.conf:7: services[0].name: text");
	assert_string_equal(config_error_format(&error, cut, sizeof(cut)), "a.conf:");
	error.line = 0;
	assert_string_equal(config_error_format(&error, line, sizeof(line)),
			    "a.conf: services[0].name: text");
	error.key[0] = '\0';
	assert_string_equal(config_error_format(&error, line, sizeof(line)), "a.conf: text");
	error.file[0] = '\0';
	assert_string_equal(config_error_format(&error, line, sizeof(line)), "text");
}

#define TEST_IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(least_config_has_defaults),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses_with_line_key_and_words),
		cmocka_unit_test(refuses_what_is_no_text),
		cmocka_unit_test(refuses_a_65th_service),
		TEST_IN_FOLDER(fragments_add_and_override),
		TEST_IN_FOLDER(needed_keys_may_stand_in_fragments),
		TEST_IN_FOLDER(errors_name_the_fragment),
		TEST_IN_FOLDER(errors_of_two_keys_name_the_fragment),
		TEST_IN_FOLDER(refuses_what_others_can_write),
		TEST_IN_FOLDER(refuses_what_is_no_file),
		cmocka_unit_test(printed_config_loads_the_same),
		cmocka_unit_test(printing_says_when_it_fails),
		cmocka_unit_test(sample_says_the_defaults),
		cmocka_unit_test(sample_has_every_key),
		cmocka_unit_test(sample_marks_what_needs_a_restart),
		cmocka_unit_test(another_key_needs_a_restart),
		cmocka_unit_test(words_of_modes),
		cmocka_unit_test(errors_without_empty_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
