// SPDX-License-Identifier: GPL-2.0-or-later
/* See events.h. */
#include "cli/events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/format.h"
#include "cli/reply.h"
#include "daemon/control/protocol.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define US_PER_S	  1000000
#define SHOWN		  50 /* without --since or -n */
#define ANSWER_WITHIN_S	  10
#define RECONNECT_US	  500000
#define KINDS_SIZE	  2048

struct shown {
	struct render render;
	bool json;
	int64_t last; /* number; 0: none yet */
};

/* --- when --- */

static bool parse_clock(const char *text, int64_t now_us, int64_t *since_us)
{
	static const char *const forms[] = {
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
		"%Y-%m-%d",	     "%H:%M:%S",	  "%H:%M",
	};
	time_t now = now_us / US_PER_S;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm;
		const char *rest;
		bool utc;

		localtime_r(&now, &tm);
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		tm.tm_isdst = -1;
		rest = strptime(text, forms[i], &tm);
		utc = rest && !strcmp(rest, "Z");
		if (!rest || (*rest && !utc))
			continue;
		*since_us = (int64_t)(utc ? timegm(&tm) : mktime(&tm)) * US_PER_S;
		if (forms[i][1] == 'H' && *since_us > now_us)
			*since_us -= INT64_C(86400) * US_PER_S; /* yesterday's */
		return true;
	}
	return false;
}

bool events_parse_since(const char *text, int64_t now_us, int64_t *after, int64_t *since_us)
{
	size_t digits = strspn(text, "0123456789");
	long long ago_s = format_parse_duration(text);

	*after = *since_us = -1;
	if (digits && digits <= 18 && !text[digits]) {
		*after = atoll(text) - 1;
		return *after >= 0;
	}
	if (ago_s > 0) {
		*since_us = now_us - (int64_t)ago_s * US_PER_S;
		return true;
	}
	return parse_clock(text, now_us, since_us);
}

/* --- showing --- */

static enum tint tint_of(const char *severity)
{
	static const struct {
		const char *word;
		enum tint tint;
	} tints[] = {
		{ "alert", TINT_BAD }, { "crit", TINT_BAD }, { "err", TINT_BAD }, { "warning", TINT_WARN }
	};

	for (size_t i = 0; i < ARRAY_SIZE(tints); i++)
		if (!strcmp(tints[i].word, severity))
			return tints[i].tint;
	return TINT_NONE;
}

/* "2026-11-21T18:25:13.000123Z" as the local clock shows it. */
static const char *local_time(const char *text, char *buffer, size_t size)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t seconds = timegm(&tm);
	size_t length;

	if (!rest || !localtime_r(&seconds, &tm))
		return text;
	length = strftime(buffer, size, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(buffer + length, size - length, "%.4s", rest); /* milliseconds */
	return buffer;
}

static void show_one(struct shown *shown, const json_t *event)
{
	const char *severity = string(event, "severity");
	char time[64];

	if (shown->json) {
		render_json(&shown->render, event, true);
		return;
	}
	render_print(&shown->render, "%6" PRId64 "  %s  ", number(event, "number"),
		     local_time(string(event, "time"), time, sizeof(time)));
	render_tinted(&shown->render, tint_of(severity), "%-7s", severity);
	render_print(&shown->render, "  %s\n", string(event, "text"));
}

static bool show_part(const json_t *part, void *arg)
{
	const json_t *events = json_object_get(part, "events");
	struct shown *shown = arg;

	if (number(part, "missed"))
		fprintf(stderr,
			"synmoat: %" PRId64 " events after number %" PRId64 " are not kept any more\n",
			number(part, "missed"), shown->last);
	for (size_t i = 0; i < json_array_size(events); i++) {
		const json_t *event = json_array_get(events, i);

		show_one(shown, event);
		shown->last = number(event, "number");
	}
	return !render_flush(&shown->render, false);
}

/* --- asking --- */

/* With commas between them; too many are cut, which the daemon will not know. */
static json_t *join_kinds(char **kinds)
{
	char joined[KINDS_SIZE] = "";
	size_t length = 0;

	for (char **kind = kinds; *kind && length < sizeof(joined); kind++)
		length += (size_t)snprintf(joined + length, sizeof(joined) - length, "%s%s", *kind,
					   kind[1] ? "," : "");
	return json_string(joined);
}

/* NULL: said what is wrong. */
static json_t *make_parameters(char **kinds, const struct options *options, struct shown *shown)
{
	json_t *parameters = json_pack("{s:b}", "follow", options->follow);
	int64_t after = -1, since_us = -1;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (options->since &&
	    !events_parse_since(options->since, (int64_t)now.tv_sec * US_PER_S, &after, &since_us)) {
		fprintf(stderr,
			"synmoat: --since takes the number of an event (1234), a time ago (10m, 2h, 7d) or a "
			"time "
			"(18:25, 2026-11-21, '2026-11-21 18:25', 2026-11-21T18:25:13Z), not '%s'\n",
			options->since);
		json_decref(parameters);
		return NULL;
	}
	shown->last = after > 0 ? after : 0;
	if (after >= 0)
		json_object_set_new(parameters, "after", json_integer(after));
	if (since_us >= 0)
		json_object_set_new(parameters, "since_us", json_integer(since_us));
	if (options->count || !options->since)
		json_object_set_new(parameters, "last",
				    json_integer(options->count ? options->count : SHOWN));
	if (*kinds)
		json_object_set_new(parameters, "kinds", join_kinds(kinds));
	return parameters;
}

/* After the daemon has come back: what follows what was shown. */
static void go_on(json_t *parameters, const struct shown *shown)
{
	json_object_del(parameters, "last");
	if (shown->last)
		json_object_set_new(parameters, "after", json_integer(shown->last));
}

static int say_answer(const struct client_answer *answer)
{
	if (!strcmp(answer->error, ERROR_INVALID_PARAMETER) &&
	    !strcmp(string(answer->reply, "parameter"), "kinds")) {
		fprintf(stderr, "synmoat: no event has such a name: synmoat events --kinds lists them\n");
		return EXIT_USAGE;
	}
	return command_say_error(answer->error, answer->reply);
}

/* An exit code, or -1: the daemon has gone meanwhile. */
static int ask(struct client *client, const json_t *parameters, struct shown *shown)
{
	struct client_answer answer = { 0 };
	int error = client_follow(client, METHOD_LIST_EVENTS, json_deep_copy(parameters), show_part, shown,
				  &answer);
	int code = EXIT_OK;

	if (error)
		return -1;
	if (answer.error)
		code = say_answer(&answer);
	else
		show_part(answer.reply, shown);
	client_answer_fini(&answer);
	return code;
}

static int follow(const struct options *options, json_t *parameters, struct shown *shown)
{
	struct client *client = NULL;
	int error = client_open(&client, options->socket, options->follow ? 0 : ANSWER_WITHIN_S);
	bool said = false;
	int code = -1;

	if (error)
		return command_say_unreachable(options->socket, error);
	while (code < 0) {
		code = client ? ask(client, parameters, shown) : -1;
		client_close(client);
		client = NULL;
		if (code >= 0 || !options->follow)
			break;
		go_on(parameters, shown);
		if (!said)
			fprintf(stderr, "synmoat: the daemon has gone: waiting for it to come back\n");
		said = true;
		usleep(RECONNECT_US);
		if (!client_open(&client, options->socket, 0))
			said = false;
	}
	return code < 0 ? command_say_unreachable(options->socket, -ECONNRESET) : code;
}

/* --- kinds --- */

static void show_kinds(struct render *render, const json_t *reply)
{
	static const struct column columns[] = {
		{ "EVENT", COLUMN_LEFT },
		{ "SEVERITY", COLUMN_LEFT },
		{ "MESSAGE_ID", COLUMN_LEFT },
		{ "FIELDS", COLUMN_WRAP },
	};
	const json_t *kinds = json_object_get(reply, "kinds");
	struct table *table = render_table(render, columns, ARRAY_SIZE(columns));

	for (size_t i = 0; i < json_array_size(kinds); i++) {
		const json_t *kind = json_array_get(kinds, i), *names = json_object_get(kind, "fields");
		char fields[512] = "";

		for (size_t j = 0; j < json_array_size(names); j++) {
			size_t length = strlen(fields);

			snprintf(fields + length, sizeof(fields) - length, "%s%s", j ? " " : "",
				 json_string_value(json_array_get(names, j)));
		}
		render_row(table);
		render_cell(table, 0, TINT_NONE, string(kind, "name"));
		render_cell(table, 1, tint_of(string(kind, "severity")), string(kind, "severity"));
		render_cell(table, 2, TINT_NONE, string(kind, "message_id"));
		render_cell(table, 3, TINT_NONE, fields);
	}
	render_table_print(table);
}

static const struct command kinds_command = {
	.object = "events",
	.arguments = "--kinds",
	.takes = TAKES_JSON,
	.method = METHOD_LIST_EVENT_KINDS,
	.show = show_kinds,
};

int run_events(char **arguments, const struct options *options)
{
	struct shown shown = { .json = options->json };
	json_t *parameters;
	int code;

	if (options->kinds)
		return command_run(&kinds_command, arguments, options);
	parameters = make_parameters(arguments, options, &shown);
	if (!parameters)
		return EXIT_USAGE;
	if (render_init(&shown.render, options->color)) {
		json_decref(parameters);
		return EXIT_FAILED;
	}
	code = follow(options, parameters, &shown);
	render_flush(&shown.render, false);
	render_fini(&shown.render);
	json_decref(parameters);
	return code;
}
