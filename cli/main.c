// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * synmoat: the command line. The table of commands, which also prints the usage, and the options before,
 * between and after them.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/attacks.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/events.h"
#include "cli/format.h"
#include "cli/lists.h"
#include "cli/show.h"
#include "cli/top.h"
#include "cli/syn_recv.h"
#include "daemon/control/protocol.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define INTERVAL_S	  2.0
#define INTERVAL_LEAST_S  0.1
#define INTERVAL_MOST_S	  86400.0
#define TIMEOUT_MOST_S	  1e9
#define COUNT_MOST	  4096
#define LIKE_ENOUGH	  2 /* edits between what was typed and what was meant */

static const struct command commands[] = {
	{ "status", NULL, "", 0, 0, TAKES_JSON | TAKES_WATCH,
	  "how things are: interfaces, services, verdicts", METHOD_STATUS, NULL, show_status, NULL, false },
	{ "top", NULL, "[-i SECONDS]", 0, 0, TAKES_INTERVAL, "the same, live, with rates; keys: ?", NULL,
	  NULL, NULL, run_top, false },
	{ "service", "list", "", 0, 0, TAKES_JSON | TAKES_WATCH, "services, their modes and rates",
	  METHOD_LIST_SERVICES, NULL, show_services, NULL, false },
	{ "service", "show", "NAME", 1, 1, TAKES_JSON | TAKES_WATCH, "one service with its verdicts",
	  METHOD_GET_SERVICE, parameters_name, show_service, NULL, false },
	{ "service", "mode", "NAME off|monitor|auto|always|configured", 2, 2, TAKES_JSON,
	  "change a mode, until the file changes it, or back (configured)", METHOD_SET_SERVICE_MODE,
	  parameters_mode, show_mode_set, NULL, false },
	{ "interface", "list", "", 0, 0, TAKES_JSON | TAKES_WATCH, "interfaces and whether they are defended",
	  METHOD_LIST_INTERFACES, NULL, show_interfaces, NULL, false },
	{ "interface", "attach", "NAME", 1, 1, TAKES_JSON, "defend an interface", METHOD_ATTACH_INTERFACE,
	  parameters_name, show_interface_set, NULL, false },
	{ "interface", "detach", "NAME", 1, 1, TAKES_JSON, "leave an interface alone",
	  METHOD_DETACH_INTERFACE, parameters_name, show_interface_set, NULL, false },
	{ "block", "add", "PREFIX [--for 10m] [--reason TEXT] [--force]", 1, 1,
	  TAKES_JSON | TAKES_FOR | TAKES_REASON | TAKES_FORCE, "drop all packets from an address or block",
	  METHOD_ADD_ENTRY, parameters_block_add, show_entry_added, NULL, false },
	{ "block", "del", "PREFIX", 1, 1, TAKES_JSON, "take it back", METHOD_REMOVE_ENTRY,
	  parameters_block_del, show_entry_removed, NULL, false },
	{ "block", "list", "[--origin manual|config|feed|auto]", 0, 0, TAKES_JSON | TAKES_ORIGIN,
	  "entries, their hits and when they expire", NULL, NULL, NULL, run_block_list, false },
	{ "block", "flush", "[--origin manual|auto]", 0, 0, TAKES_JSON | TAKES_ORIGIN,
	  "take back all that was added by hand or automatically", METHOD_FLUSH_ENTRIES,
	  parameters_block_flush, show_flushed, NULL, false },
	{ "block", "import", "FILE|- [--for 10m] [--reason TEXT] [--force]", 1, 1,
	  TAKES_JSON | TAKES_FOR | TAKES_REASON | TAKES_FORCE,
	  "the lines of a file, in force at once; bad ones are named and skipped, and no failure", NULL, NULL,
	  NULL, run_block_import, false },
	{ "block", "test", "ADDRESS", 1, 1, TAKES_JSON, "how an address is treated, and why",
	  METHOD_TEST_ADDRESS, parameters_address, show_tested, NULL, false },
	{ "allow", "add", "PREFIX [--for 10m] [--reason TEXT]", 1, 1, TAKES_JSON | TAKES_FOR | TAKES_REASON,
	  "exempt from blocks and limits an address or block", METHOD_ADD_ENTRY, parameters_allow_add,
	  show_entry_added, NULL, false },
	{ "allow", "del", "PREFIX", 1, 1, TAKES_JSON, "take it back", METHOD_REMOVE_ENTRY,
	  parameters_allow_del, show_entry_removed, NULL, false },
	{ "allow", "list", "[--origin manual|config|feed|auto]", 0, 0, TAKES_JSON | TAKES_ORIGIN,
	  "entries, their hits and when they expire", NULL, NULL, NULL, run_allow_list, false },
	{ "allow", "flush", "[--origin manual|auto]", 0, 0, TAKES_JSON | TAKES_ORIGIN,
	  "take back all that was added by hand or automatically", METHOD_FLUSH_ENTRIES,
	  parameters_allow_flush, show_flushed, NULL, false },
	{ "allow", "import", "FILE|- [--for 10m] [--reason TEXT]", 1, 1,
	  TAKES_JSON | TAKES_FOR | TAKES_REASON,
	  "the lines of a file, in force at once; bad ones are named and skipped, and no failure", NULL, NULL,
	  NULL, run_allow_import, false },
	{ "allow", "test", "ADDRESS", 1, 1, TAKES_JSON, "how an address is treated, and why",
	  METHOD_TEST_ADDRESS, parameters_address, show_tested, NULL, false },
	{ "config", "check", "[FILE]", 0, 1, TAKES_JSON, "check FILE, by default " DEFAULT_CONFIG, NULL, NULL,
	  NULL, run_config_check, false },
	{ "config", "show", "", 0, 0, TAKES_JSON, "the configuration in force", METHOD_SHOW_CONFIG, NULL,
	  show_config, NULL, false },
	{ "reload", NULL, "", 0, 0, TAKES_JSON, "read the configuration again", METHOD_RELOAD, NULL,
	  show_reloaded, NULL, false },
	{ "cookie", "rotate", "[--now]", 0, 0, TAKES_JSON | TAKES_NOW,
	  "new cookie key; --now: the old one ends at once", METHOD_ROTATE_KEY, parameters_rotate,
	  show_rotated, NULL, false },
	{ "flows", "show", "CLIENT:PORT SERVER:PORT", 2, 2, TAKES_JSON | TAKES_WATCH,
	  "one tracked connection", METHOD_GET_FLOW, parameters_flow, show_flow, NULL, false },
	{ "flows", "kill", "CLIENT:PORT SERVER:PORT", 2, 2, TAKES_JSON,
	  "end a connection: both ends see it reset", METHOD_KILL_FLOW, parameters_flow, show_flow_killed,
	  NULL, false },
	{ "flows", NULL, "[WORD VALUE]...", 0, 18, TAKES_JSON | TAKES_WATCH,
	  "tracked connections, states of both ends", METHOD_LIST_FLOWS, parameters_flows, show_flows, NULL,
	  false },
	{ "sources", NULL, "[half_open|rate|dropped] [-n N]", 0, 1, TAKES_JSON | TAKES_WATCH | TAKES_COUNT,
	  "heaviest sources and prefixes, sorted", METHOD_LIST_SOURCES, parameters_sources, show_sources,
	  NULL, false },
	{ "syn-recv", NULL, "[--port PORT] [--history]", 0, 0,
	  TAKES_JSON | TAKES_WATCH | TAKES_PORT | TAKES_HISTORY, "half-opens (SYN_RECV) by listener, queues",
	  METHOD_SYN_RECV, parameters_syn_recv, show_syn_recv, NULL, false },
	{ "attacks", NULL, "[-n N]", 0, 0, TAKES_JSON | TAKES_WATCH | TAKES_COUNT,
	  "attacks on services, now and past; crowds", METHOD_LIST_ATTACKS, parameters_count, show_attacks,
	  NULL, false },
	{ "events", NULL, "[-f] [--since WHEN] [-n N] [--kinds] [NAME]...", 0, 32,
	  TAKES_JSON | TAKES_FOLLOW | TAKES_SINCE | TAKES_COUNT | TAKES_KINDS,
	  "what happened (the last 50, or since a number, 2h, 18:25); names such as attack-*", NULL, NULL,
	  NULL, run_events, false },
	{ "limit", "show", "", 0, 0, TAKES_JSON | TAKES_WATCH,
	  "limits on SYNs and connections, and what met them", METHOD_LIST_LIMITS, NULL, show_limits, NULL,
	  false },
	{ "limit", "set", "NAME KEY=VALUE...|NAME configured|mode off|monitor|enforce [--service NAME]", 2, 6,
	  TAKES_JSON | TAKES_SERVICE,
	  "change a limit (of one service alone), or the mode of all, until the file changes it",
	  METHOD_SET_LIMIT, parameters_limit, show_limit_set, NULL, false },
	{ "bypass", NULL, "on|off", 1, 1, TAKES_JSON, "on: no new cookies, no drops", METHOD_SET_BYPASS,
	  parameters_bypass, show_bypass, NULL, false },
	{ "drain", NULL, "[--timeout SECONDS|--cancel]", 0, 0,
	  TAKES_JSON | TAKES_CANCEL | TAKES_TIMEOUT | FOLLOWS,
	  "inline: bypass, and wait (5 s at least) until stopping breaks nothing", METHOD_DRAIN,
	  parameters_drain, show_drain, NULL, false },
	{ "check", NULL, "[-w NAME=N]... [-c NAME=N]... [--attack ok|warning|critical]", 0, 0,
	  TAKES_THRESHOLDS, "for Nagios: one line, exit status 0 to 3, performance data", NULL, NULL, NULL,
	  run_check, false },
	{ "doctor", NULL, "[FILE]", 0, 1, TAKES_JSON,
	  "what is in the way on this machine, and what to do; FILE: as if that were in force, without the "
	  "daemon",
	  NULL, NULL, NULL, run_doctor, false },
	{ "metrics", NULL, "", 0, 0, TAKES_JSON, "what Prometheus is told, in its text format",
	  METHOD_METRICS, NULL, show_metrics, NULL, false },
	{ "version", NULL, "", 0, 0, TAKES_JSON, "versions of this program and of the daemon", METHOD_VERSION,
	  NULL, show_version, NULL, true },
};

/* Of one object, or of all (NULL). */
static void print_usage(const char *object)
{
	printf("usage: synmoat [OPTION]... COMMAND\n\ncommands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];
		int length;

		if (object && strcmp(command->object, object) != 0)
			continue;
		length = printf("  %s%s%s%s%s", command->object, command->verb ? " " : "",
				command->verb ? command->verb : "", *command->arguments ? " " : "",
				command->arguments);

		if (length > 29)
			length = printf("\n") - 1;
		printf("%*s%s\n", 30 - length, "", command->help);
	}
	if (!object || !strcmp(object, "flows"))
		printf("\nflows takes any of: address PREFIX, port N, service NAME, client STATE, server "
		       "STATE,\n"
		       "  older SECONDS, younger SECONDS, order age|newest|client|state, limit N|all.\n"
		       "  STATE: CLOSED, LISTEN, SYN-SENT, SYN-RECV, ESTAB, FIN-WAIT-1, FIN-WAIT-2, "
		       "CLOSE-WAIT,\n"
		       "  CLOSING, LAST-ACK, TIME-WAIT, or as RFC 9293 has it\n");
	if (!object || !strcmp(object, "limit"))
		printf("\nlimits are syn, connection and half_open, each with _source, _prefix, _site, "
		       "_service and "
		       "_total;\n"
		       "  keys: rate, burst, proven_rate, proven_burst, action; of half_open: most, "
		       "proven_most, action.\n"
		       "  WOULD BE is what mode monitor only counted, by each limit for itself: not to be "
		       "added\n");
	if (!object || !strcmp(object, "check"))
		printf("\ncheck tells what is above N: half_open; a second: syn_rate, answered, completed, "
		       "drops, "
		       "lost (records);\n"
		       "  table (%% full). It exits with 0 ok, 1 warning, 2 critical, 3 unknown\n");
	printf("\noptions:\n"
	       "      --socket PATH           the daemon's socket (" CONTROL_SOCKET ")\n"
	       "  -j, --json                  the daemon's reply as JSON\n"
	       "  -w, --watch [SECONDS]       again and again (status, flows, service list|show, interface "
	       "list,\n"
	       "                              limit show, sources, attacks, syn-recv)\n"
	       "  -n, --count N               so many sources, attacks (20) or events (50)\n"
	       "  -f, --follow                events: go on as they happen\n"
	       "      --since WHEN            events: from this number, time ago or time on\n"
	       "      --kinds                 events: which there are, with their fields and MESSAGE_IDs\n"
	       "      --port PORT             of this port only\n"
	       "      --history               with -j: every second of the last 10 minutes, too\n"
	       "      --service NAME          limit set: of this service alone\n"
	       "  -i, --interval SECONDS      how often top looks (1)\n"
	       "      --timeout SECONDS       how long drain waits; the daemon goes on draining\n"
	       "      --color WHEN            auto, always or never\n"
	       "  -h, --help                  this; so does synmoat help [COMMAND]\n"
	       "  -V, --version               version of this program\n"
	       "\nexit status: 0 ok, 1 failed, 2 usage, 3 daemon not running, 4 permission;\n"
	       "  doctor: 1 if anything is critical, 0 if there are only warnings and notes;\n"
	       "  check: 0 ok, 1 warning, 2 critical, 3 unknown\n");
}

/* --- finding the command --- */

struct nearest {
	const char *word;
	size_t distance;
};

static void consider(struct nearest *nearest, const char *typed, const char *word)
{
	size_t distance = format_distance(typed, word);

	/* a word as short as the difference would always be like it */
	if (distance > LIKE_ENOUGH || distance >= strlen(word) || distance >= nearest->distance)
		return;
	*nearest = (struct nearest){ word, distance };
}

static void say_unknown(const char *object, const char *typed, const struct nearest *nearest)
{
	fprintf(stderr, "synmoat: there is no command '%s%s%s'", object, *object ? " " : "", typed);
	if (nearest->word)
		fprintf(stderr, ": did you mean '%s%s%s'?\n", object, *object ? " " : "", nearest->word);
	else
		fprintf(stderr, ": synmoat --help lists them\n");
}

static void say_unknown_object(const char *typed)
{
	struct nearest nearest = { NULL, SIZE_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		consider(&nearest, typed, commands[i].object);
	say_unknown("", typed, &nearest);
}

static void say_unknown_verb(const char *object, const char *typed)
{
	struct nearest nearest = { NULL, SIZE_MAX };
	const char *separator = "";

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (typed && !strcmp(commands[i].object, object))
			consider(&nearest, typed, commands[i].verb);
	if (typed) {
		say_unknown(object, typed, &nearest);
		return;
	}
	fprintf(stderr, "synmoat: %s what? Give ", object);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].object, object) != 0)
			continue;
		fprintf(stderr, "%s%s", separator, commands[i].verb);
		separator = ", ";
	}
	fprintf(stderr, "\n");
}

/* Advances *words past the command's own; NULL when it has said what is wrong. */
static const struct command *find_command(char ***words)
{
	const char *object = (*words)[0], *verb = (*words)[1];
	bool object_known = false;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];

		if (strcmp(command->object, object) != 0)
			continue;
		object_known = true;
		if (command->verb && (!verb || strcmp(command->verb, verb) != 0))
			continue;
		*words += command->verb ? 2 : 1;
		return command;
	}
	if (object_known)
		say_unknown_verb(object, verb);
	else
		say_unknown_object(object);
	return NULL;
}

/* --- options --- */

static bool parse_color(const char *word, enum color_choice *choice)
{
	static const char *const words[] = {
		[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i], word) != 0)
			continue;
		*choice = (enum color_choice)i;
		return true;
	}
	fprintf(stderr, "synmoat: --color is auto, always or never, not '%s'\n", word);
	return false;
}

static bool read_interval(const char *word, double *interval_s)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(word, &end);
	if (errno || end == word || *end || !(value >= INTERVAL_LEAST_S && value <= INTERVAL_MOST_S))
		return false;
	*interval_s = value;
	return true;
}

static bool parse_interval(const char *word, double *interval_s)
{
	if (read_interval(word, interval_s))
		return true;
	fprintf(stderr, "synmoat: --interval takes seconds, from %g, not '%s'\n", INTERVAL_LEAST_S, word);
	return false;
}

/* SECONDS may follow as a word of its own (-w 5), which getopt does not know of. */
static bool parse_watch(const char *seconds, char *const *argv, struct options *options)
{
	const char *next = argv[optind];

	options->watch = true;
	if (!seconds && next && *next && strspn(next, "0123456789.") == strlen(next)) {
		seconds = next;
		optind++;
	}
	options->after_watch = seconds ? NULL : next;
	if (!seconds || read_interval(seconds, &options->interval_s))
		return true;
	fprintf(stderr, "synmoat: --watch takes seconds, from %g, not '%s'\n", INTERVAL_LEAST_S, seconds);
	return false;
}

static bool parse_count(const char *word, int *count)
{
	char *end;
	long value = strtol(word, &end, 10);

	*count = (int)value;
	if (end != word && !*end && value >= 1 && value <= COUNT_MOST)
		return true;
	fprintf(stderr, "synmoat: --count takes a number, 1 to %d, not '%s'\n", COUNT_MOST, word);
	return false;
}

static bool parse_port(const char *word, int *port)
{
	char *end;
	long value = strtol(word, &end, 10);

	*port = (int)value;
	if (end != word && !*end && value >= 1 && value <= UINT16_MAX)
		return true;
	fprintf(stderr, "synmoat: --port takes a port, 1 to %d, not '%s'\n", UINT16_MAX, word);
	return false;
}

static bool parse_timeout(const char *word, double *timeout_s)
{
	char *end;

	errno = 0;
	*timeout_s = strtod(word, &end);
	if (!errno && end != word && !*end && *timeout_s >= 0 && *timeout_s <= TIMEOUT_MOST_S)
		return true;
	fprintf(stderr, "synmoat: --timeout takes seconds, 0 to %.0f, not '%s'\n", TIMEOUT_MOST_S, word);
	return false;
}

enum {
	OPTION_SOCKET = 256,
	OPTION_COLOR,
	OPTION_NOW,
	OPTION_CANCEL,
	OPTION_TIMEOUT,
	OPTION_FORCE,
	OPTION_FOR,
	OPTION_REASON,
	OPTION_ORIGIN,
	OPTION_PORT,
	OPTION_HISTORY,
	OPTION_SERVICE,
	OPTION_ATTACK,
	OPTION_SINCE,
	OPTION_KINDS
};

/* `check` by itself, not `config check` and no option's value: there -w and -c have the plugins' meaning. */
static bool is_plugin(char *const *argv)
{
	for (int i = 1; argv[i]; i++)
		if (!strcmp(argv[i], "check"))
			return i == 1 || (argv[i - 1][0] != '-' && strcmp(argv[i - 1], "config") != 0);
	return false;
}

static bool add_threshold(struct options *options, const char *text, bool critical)
{
	if (options->threshold_count == THRESHOLDS_MAX) {
		fprintf(stderr, "synmoat: check takes %d thresholds at most\n", THRESHOLDS_MAX);
		return false;
	}
	options->thresholds[options->threshold_count].text = text;
	options->thresholds[options->threshold_count++].critical = critical;
	return true;
}

/* -1: go on; else the exit code. */
static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "socket", required_argument, NULL, OPTION_SOCKET },
		{ "color", required_argument, NULL, OPTION_COLOR },
		{ "now", no_argument, NULL, OPTION_NOW },
		{ "count", required_argument, NULL, 'n' },
		{ "cancel", no_argument, NULL, OPTION_CANCEL },
		{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
		{ "force", no_argument, NULL, OPTION_FORCE },
		{ "for", required_argument, NULL, OPTION_FOR },
		{ "reason", required_argument, NULL, OPTION_REASON },
		{ "origin", required_argument, NULL, OPTION_ORIGIN },
		{ "port", required_argument, NULL, OPTION_PORT },
		{ "history", no_argument, NULL, OPTION_HISTORY },
		{ "service", required_argument, NULL, OPTION_SERVICE },
		{ "attack", required_argument, NULL, OPTION_ATTACK },
		{ "follow", no_argument, NULL, 'f' },
		{ "since", required_argument, NULL, OPTION_SINCE },
		{ "kinds", no_argument, NULL, OPTION_KINDS },
		{ "interval", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ "watch", optional_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	bool plugin = is_plugin(argv);
	int option;

	while ((option = getopt_long(argc, argv, plugin ? "w:c:hV" : "jfw::n:i:hV", long_options, NULL)) !=
	       -1) {
		switch (option) {
		case OPTION_SOCKET:
			options->socket = optarg;
			break;
		case OPTION_COLOR:
			if (!parse_color(optarg, &options->color))
				return EXIT_USAGE;
			break;
		case OPTION_NOW:
			options->now = true;
			break;
		case OPTION_CANCEL:
			options->cancel = true;
			break;
		case OPTION_TIMEOUT:
			if (!parse_timeout(optarg, &options->timeout_s))
				return EXIT_USAGE;
			break;
		case OPTION_FORCE:
			options->force = true;
			break;
		case OPTION_FOR:
			options->duration = optarg;
			break;
		case OPTION_REASON:
			options->reason = optarg;
			break;
		case OPTION_ORIGIN:
			options->origin = optarg;
			break;
		case OPTION_PORT:
			if (!parse_port(optarg, &options->port))
				return EXIT_USAGE;
			break;
		case OPTION_HISTORY:
			options->history = true;
			break;
		case OPTION_SERVICE:
			options->service = optarg;
			break;
		case OPTION_SINCE:
			options->since = optarg;
			break;
		case OPTION_KINDS:
			options->kinds = true;
			break;
		case 'f':
			options->follow = true;
			break;
		case 'j':
			options->json = true;
			break;
		case 'n':
			if (!parse_count(optarg, &options->count))
				return EXIT_USAGE;
			break;
		case 'i':
			if (!parse_interval(optarg, &options->every_s))
				return EXIT_USAGE;
			break;
		case OPTION_ATTACK:
			options->attack = optarg;
			break;
		case 'c':
			if (!add_threshold(options, optarg, true))
				return EXIT_USAGE;
			break;
		case 'w':
			if (plugin && !add_threshold(options, optarg, false))
				return EXIT_USAGE;
			if (plugin)
				break;
			if (!parse_watch(optarg, argv, options))
				return EXIT_USAGE;
			break;
		case 'h':
			options->help = true;
			break;
		case 'V':
			printf("synmoat %s\n", SYNMOAT_VERSION);
			return EXIT_OK;
		default:
			fprintf(stderr, "synmoat: synmoat --help lists the options\n");
			return EXIT_USAGE;
		}
	}
	return -1;
}

static bool check_options(const struct command *command, const struct options *options)
{
	const struct {
		bool given;
		enum command_takes bit;
		const char *name;
	} rows[] = {
		{ options->json, TAKES_JSON, "--json" },
		{ options->watch, TAKES_WATCH, "--watch" },
		{ options->now, TAKES_NOW, "--now" },
		{ options->count > 0, TAKES_COUNT, "--count" },
		{ options->cancel, TAKES_CANCEL, "--cancel" },
		{ options->timeout_s >= 0, TAKES_TIMEOUT, "--timeout" },
		{ options->force, TAKES_FORCE, "--force" },
		{ options->duration, TAKES_FOR, "--for" },
		{ options->reason, TAKES_REASON, "--reason" },
		{ options->origin, TAKES_ORIGIN, "--origin" },
		{ options->port, TAKES_PORT, "--port" },
		{ options->history, TAKES_HISTORY, "--history" },
		{ options->service, TAKES_SERVICE, "--service" },
		{ options->every_s > 0, TAKES_INTERVAL, "--interval" },
		{ options->attack, TAKES_THRESHOLDS, "--attack" },
		{ options->follow, TAKES_FOLLOW, "--follow" },
		{ options->since, TAKES_SINCE, "--since" },
		{ options->kinds, TAKES_KINDS, "--kinds" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].given || command->takes & rows[i].bit)
			continue;
		fprintf(stderr, "synmoat: %s%s%s does not take %s\n", command->object,
			command->verb ? " " : "", command->verb ? command->verb : "", rows[i].name);
		return false;
	}
	return true;
}

static bool is_object(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].object, word))
			return true;
	return false;
}

/* "help" as the first word is --help of what follows. */
static bool wants_help(const struct options *options, char ***words)
{
	if (!**words || strcmp(**words, "help") != 0)
		return options->help;
	(*words)++;
	return true;
}

static bool check_arguments(const struct command *command, int count)
{
	if (count >= command->least && count <= command->most)
		return true;
	fprintf(stderr, "usage: synmoat %s%s%s%s%s\n", command->object, command->verb ? " " : "",
		command->verb ? command->verb : "", *command->arguments ? " " : "", command->arguments);
	return false;
}

/* Whether the word after --watch, which no number is, stands where only seconds make sense. */
static bool means_seconds(const char *word, char *const *words, const struct command *command)
{
	if (!command)
		return word == words[0] && words[1] && !is_object(words[0]) && is_object(words[1]);
	for (int i = 0; words[i]; i++)
		if (i >= command->most && words[i] == word)
			return true;
	return false;
}

static bool check_watch(const struct options *options, char *const *words, const struct command *command)
{
	if (!options->after_watch || !means_seconds(options->after_watch, words, command))
		return true;
	fprintf(stderr, "synmoat: --watch takes seconds, and '%s' is no number of seconds\n",
		options->after_watch);
	return false;
}

int main(int argc, char **argv)
{
	struct options options = { .socket = CONTROL_SOCKET, .interval_s = INTERVAL_S, .timeout_s = -1 };
	const struct command *command;
	char **words;
	int code;

	setlocale(LC_CTYPE, "");
	code = parse_options(argc, argv, &options);
	if (code >= 0)
		return code;
	words = argv + optind;
	if (wants_help(&options, &words)) {
		print_usage(*words && is_object(*words) ? *words : NULL);
		return EXIT_OK;
	}
	if (!*words) {
		fprintf(stderr, "synmoat: give a command: synmoat --help lists them\n");
		return EXIT_USAGE;
	}
	if (!check_watch(&options, words, NULL))
		return EXIT_USAGE;
	command = find_command(&words);
	if (!command || !check_watch(&options, words, command) || !check_options(command, &options) ||
	    !check_arguments(command, (int)(argv + argc - words)))
		return EXIT_USAGE;
	return command_run(command, words, &options);
}
