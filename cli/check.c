// SPDX-License-Identifier: GPL-2.0-or-later
/* See check.h. */
#include "cli/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "cli/reply.h"
#include "daemon/control/protocol.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define ANSWER_WITHIN_S	  5
#define BETWEEN_S	  1 /* two looks, for what has only counters */

/* --- what is measured --- */

struct looks {
	const json_t *before, *now;
	double seconds;
};

static double sum_services(const struct looks *looks, const char *key)
{
	const json_t *service;
	int64_t sum = 0;
	size_t i;

	json_array_foreach(json_object_get(looks->now, "services"), i, service)
		sum += number(service, key);
	return (double)sum;
}

static int64_t count_drops(const json_t *reply)
{
	const char *name;
	json_t *verdict;
	int64_t sum = 0;

	json_object_foreach(json_object_get(reply, "verdicts"), name, verdict)
		if (!strncmp(name, "drop_", 5))
			sum += number(verdict, "packets");
	return sum;
}

/* A daemon that started in between counts from 0. */
static double rate(int64_t before, int64_t now, double seconds)
{
	return now > before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

static double measure_half_open(const struct looks *looks)
{
	return sum_services(looks, "half_open");
}

static double measure_syn_rate(const struct looks *looks)
{
	return sum_services(looks, "syn_rate_pps");
}

static double measure_answered(const struct looks *looks)
{
	return sum_services(looks, "answered_pps");
}

static double measure_completed(const struct looks *looks)
{
	return sum_services(looks, "completed_pps");
}

static double measure_drops(const struct looks *looks)
{
	return rate(count_drops(looks->before), count_drops(looks->now), looks->seconds);
}

/* Percent of the table, inline; of tracked flows on a host. */
static double measure_table(const struct looks *looks)
{
	const json_t *tracking = json_object_get(looks->now, "tracking");
	int64_t most = number(looks->now, "connections_max"), used = number(looks->now, "connections");

	if (!most) {
		most = flag(tracking, "enabled") ? number(tracking, "flows_max") : 0;
		used = number(tracking, "flows");
	}
	return most ? 100.0 * (double)used / (double)most : 0;
}

static double measure_lost(const struct looks *looks)
{
	return rate(number(json_object_get(looks->before, "tracking"), "lost"),
		    number(json_object_get(looks->now, "tracking"), "lost"), looks->seconds);
}

static const struct metric {
	const char *name, *unit, *text;
	double (*measure)(const struct looks *looks);
	double warning; /* when nothing is given; negative: none */
} metrics[CHECK_METRICS] = {
	{ "half_open", "", "half-opens", measure_half_open, -1 },
	{ "syn_rate", "", "SYN/s", measure_syn_rate, -1 },
	{ "answered", "", "answered/s", measure_answered, -1 },
	{ "completed", "", "completed/s", measure_completed, -1 },
	{ "drops", "", "drops/s", measure_drops, -1 },
	{ "table", "%", "% of the table of connections", measure_table, 90 },
	{ "lost", "", "records lost/s", measure_lost, 0 },
};

const char *check_metric_name(size_t index)
{
	return index < CHECK_METRICS ? metrics[index].name : NULL;
}

/* --- judging --- */

struct verdict {
	enum check_state state;
	char text[512];
	size_t length;
};

/* The worst decides, and only what is as bad as that is said. */
static void say(struct verdict *verdict, enum check_state state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct verdict *verdict, enum check_state state, const char *format, ...)
{
	va_list arguments;

	if (state < verdict->state)
		return;
	if (state > verdict->state) {
		verdict->state = state;
		verdict->length = 0;
	}
	if (verdict->length && verdict->length + 2 < sizeof(verdict->text))
		verdict->length += (size_t)snprintf(verdict->text + verdict->length,
						    sizeof(verdict->text) - verdict->length, ", ");
	if (verdict->length >= sizeof(verdict->text))
		return;
	va_start(arguments, format);
	verdict->length += (size_t)vsnprintf(verdict->text + verdict->length,
					     sizeof(verdict->text) - verdict->length, format, arguments);
	va_end(arguments);
}

static void judge_alarms(const json_t *now, struct verdict *verdict)
{
	const json_t *interface;
	size_t i;

	if (flag(now, "syncookies_off"))
		say(verdict, CHECK_CRITICAL, "nothing is defended: net.ipv4.tcp_syncookies is 0");
	if (*string(now, "forwarding_off"))
		say(verdict, CHECK_CRITICAL, "the kernel forwards nothing: %s",
		    string(now, "forwarding_off"));
	if (flag(now, "answers_lost"))
		say(verdict, CHECK_CRITICAL, "no cookie leaves the veth: its peer has no XDP program");
	json_array_foreach(json_object_get(now, "interfaces"), i, interface) {
		const char *name = string(interface, "name");

		if (!flag(interface, "present"))
			say(verdict, CHECK_CRITICAL, "interface %s is missing", name);
		else if (!flag(interface, "attached"))
			say(verdict, CHECK_CRITICAL, "interface %s is not defended", name);
		else if (!flag(interface, "up"))
			say(verdict, CHECK_WARNING, "interface %s is down", name);
	}
	if (flag(now, "bypass"))
		say(verdict, CHECK_WARNING, "bypass is on");
	if (flag(now, "draining"))
		say(verdict, CHECK_WARNING, "draining");
}

/* Though it is above its marks. */
static bool answers_nothing(const json_t *service, const json_t *now)
{
	return flag(now, "bypass") || flag(now, "draining") || flag(now, "syncookies_off") ||
	       !strcmp(string(service, "mode"), "monitor");
}

/* A crowd of real clients is none; mode always answers with cookies in peace, too. */
static void judge_attack(const json_t *service, const json_t *now, enum check_state attack,
			 struct verdict *verdict)
{
	const json_t *seen = json_object_get(service, "attack");
	const char *name = string(service, "name");

	if (flag(seen, "going_on") && strcmp(string(seen, "class"), "crowd") != 0 && number(seen, "calm_s"))
		say(verdict, attack, "%s: attack (%s) of %" PRId64 " s, calm for %" PRId64 " s", name,
		    string(seen, "class"), number(seen, "duration_s"), number(seen, "calm_s"));
	else if (flag(seen, "going_on") && strcmp(string(seen, "class"), "crowd") != 0)
		say(verdict, attack, "%s is under attack (%s), for %" PRId64 " s", name,
		    string(seen, "class"), number(seen, "duration_s"));
	else if (!strcmp(string(service, "mitigation"), "active") &&
		 strcmp(string(service, "mode"), "always") != 0)
		say(verdict, attack, "%s %s mitigated%s, for %" PRId64 " s", name,
		    answers_nothing(service, now) ? "would be" : "is being",
		    flag(seen, "going_on") ? " (a crowd of real clients)" : "", number(service, "since_s"));
}

static void judge_services(const json_t *now, enum check_state attack, struct verdict *verdict)
{
	const json_t *service;
	size_t i;

	json_array_foreach(json_object_get(now, "services"), i, service) {
		const char *name = string(service, "name");

		judge_attack(service, now, attack, verdict);
		if (flag(service, "asymmetric"))
			say(verdict, CHECK_WARNING, "%s: answers take another way", name);
		if (flag(service, "mptcp_listener"))
			say(verdict, CHECK_WARNING, "%s: MPTCP listener, not defended", name);
	}
}

static void judge_counters(const struct looks *looks, struct verdict *verdict)
{
	static const struct {
		const char *group, *name, *key, *text;
	} rows[] = {
		{ "handovers", "refused", "connections", "connections refused by the kernel" },
		{ "verdicts", "drop_internal", "packets", "packets dropped for a fault of ours" },
	};
	char count[FORMAT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t before =
			number(json_object_get(json_object_get(looks->before, rows[i].group), rows[i].name),
			       rows[i].key);
		int64_t now =
			number(json_object_get(json_object_get(looks->now, rows[i].group), rows[i].name),
			       rows[i].key);

		if (now > before)
			say(verdict, CHECK_WARNING, "%s %s", format_count(count, now - before), rows[i].text);
	}
}

/* In whole numbers, but for small ones. */
static const char *format_value(char buffer[FORMAT_SIZE], double value)
{
	snprintf(buffer, FORMAT_SIZE, value < 10 && value != (double)(int64_t)value ? "%.1f" : "%.0f", value);
	return buffer;
}

static size_t print_metric(const struct metric *metric, double value, double warning, double critical,
			   char *text, size_t size)
{
	char number_text[FORMAT_SIZE], warning_text[FORMAT_SIZE] = "", critical_text[FORMAT_SIZE] = "";

	format_value(number_text, value);
	if (warning >= 0)
		format_value(warning_text, warning);
	if (critical >= 0)
		format_value(critical_text, critical);
	return (size_t)snprintf(text, size, " %s=%s%s;%s;%s;0", metric->name, number_text, metric->unit,
				warning_text, critical_text);
}

static void judge_metric(const struct metric *metric, double value, double warning, double critical,
			 struct verdict *verdict)
{
	bool is_critical = critical >= 0 && value > critical;
	char value_text[FORMAT_SIZE], mark_text[FORMAT_SIZE];

	if (!is_critical && (warning < 0 || value <= warning))
		return;
	say(verdict, is_critical ? CHECK_CRITICAL : CHECK_WARNING, "%s %s (above %s)",
	    format_value(value_text, value), metric->text,
	    format_value(mark_text, is_critical ? critical : warning));
}

static const char *state_word(enum check_state state)
{
	switch (state) {
	case CHECK_OK:
		return "OK";
	case CHECK_WARNING:
		return "WARNING";
	case CHECK_CRITICAL:
		return "CRITICAL";
	case CHECK_UNKNOWN:
		return "UNKNOWN";
	}
	return "UNKNOWN";
}

/* A bar would begin the performance data. */
static void print_line(const struct verdict *verdict, char *line, size_t size)
{
	snprintf(line, size, "SYNMOAT %s: %s", state_word(verdict->state), verdict->text);
	for (char *at = line; *at; at++)
		if (*at == '|' || *at == '\n')
			*at = ' ';
}

enum check_state check_judge(const json_t *before, const json_t *now, double seconds,
			     const struct check_thresholds *thresholds, char *line, size_t size)
{
	const struct looks looks = { before, now, seconds };
	struct verdict verdict = { .state = CHECK_OK };
	char data[512] = "", count[FORMAT_SIZE];
	size_t used = 0, length;

	judge_alarms(now, &verdict);
	judge_services(now, thresholds->attack, &verdict);
	judge_counters(&looks, &verdict);
	for (size_t i = 0; i < CHECK_METRICS; i++) {
		double value = metrics[i].measure(&looks);

		judge_metric(&metrics[i], value, thresholds->warning[i], thresholds->critical[i], &verdict);
		if (used < sizeof(data))
			used += print_metric(&metrics[i], value, thresholds->warning[i],
					     thresholds->critical[i], data + used, sizeof(data) - used);
	}
	if (!verdict.length)
		say(&verdict, CHECK_OK, "%zu service%s, %s SYN/s",
		    json_array_size(json_object_get(now, "services")),
		    json_array_size(json_object_get(now, "services")) == 1 ? "" : "s",
		    format_count(count, (int64_t)measure_syn_rate(&looks)));
	print_line(&verdict, line, size);
	length = strlen(line);
	snprintf(line + length, size - length, " |%s", data);
	return verdict.state;
}

/* --- thresholds as they are typed: half_open=1000, or 1000 for half_open --- */

static bool take_threshold(const char *text, double *values)
{
	const char *sign = strchr(text, '=');
	size_t length = sign ? (size_t)(sign - text) : 0, i = 0;
	const char *value = sign ? sign + 1 : text;
	char *end;
	double parsed;

	while (sign && i < CHECK_METRICS &&
	       (strlen(metrics[i].name) != length || strncmp(metrics[i].name, text, length) != 0))
		i++;
	errno = 0;
	parsed = strtod(value, &end);
	if (i < CHECK_METRICS && !errno && end != value && !*end && parsed >= 0 && parsed < 1e15) {
		values[i] = parsed;
		return true;
	}
	printf("SYNMOAT UNKNOWN: '%s' is no threshold: give NAME=NUMBER, where NAME is ", text);
	for (i = 0; i < CHECK_METRICS; i++)
		printf("%s%s", i ? ", " : "", metrics[i].name);
	puts("");
	return false;
}

static bool take_attack(const char *word, enum check_state *state)
{
	static const char *const words[] = { "ok", "warning", "critical" };

	*state = CHECK_WARNING;
	for (size_t i = 0; word && i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], word))
			*state = (enum check_state)i;
	if (!word || !strcmp(words[*state], word))
		return true;
	printf("SYNMOAT UNKNOWN: --attack is ok, warning or critical, not '%s'\n", word);
	return false;
}

static bool take_thresholds(const struct options *options, struct check_thresholds *thresholds)
{
	for (size_t i = 0; i < CHECK_METRICS; i++) {
		thresholds->warning[i] = metrics[i].warning;
		thresholds->critical[i] = -1;
	}
	for (size_t i = 0; i < options->threshold_count; i++)
		if (!take_threshold(options->thresholds[i].text, options->thresholds[i].critical
									 ? thresholds->critical
									 : thresholds->warning))
			return false;
	return take_attack(options->attack, &thresholds->attack);
}

/* --- the command --- */

static int look(struct client *client, struct client_answer *answer, double *at_s)
{
	int error = client_call(client, METHOD_STATUS, json_object(), answer);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	*at_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	return error;
}

static int say_unreachable(const char *path, int error)
{
	enum check_state state =
		error == -EACCES || error == -EPERM || error == -EBADMSG ? CHECK_UNKNOWN : CHECK_CRITICAL;

	printf("SYNMOAT %s: synmoatd at %s %s\n", state_word(state), path,
	       error == -EAGAIN		? "takes calls, but does not answer: it hangs"
	       : state == CHECK_UNKNOWN ? strerror(-error)
					: "does not answer");
	return state;
}

int run_check(char **arguments, const struct options *options)
{
	struct client_answer before = { 0 }, now = { 0 };
	struct check_thresholds thresholds;
	struct client *client = NULL;
	double began_s, ended_s;
	int error, code;
	char line[1280];

	(void)arguments;
	if (!take_thresholds(options, &thresholds))
		return CHECK_UNKNOWN;
	error = client_open(&client, options->socket, ANSWER_WITHIN_S);
	if (!error)
		error = look(client, &before, &began_s);
	if (!error) {
		nanosleep(&(struct timespec){ .tv_sec = BETWEEN_S }, NULL);
		error = look(client, &now, &ended_s);
	}
	if (error) {
		code = say_unreachable(options->socket, error);
	} else if (before.error || now.error) {
		printf("SYNMOAT UNKNOWN: %s\n", before.error ? before.error : now.error);
		code = CHECK_UNKNOWN;
	} else {
		code = check_judge(before.reply, now.reply, ended_s - began_s, &thresholds, line,
				   sizeof(line));
		puts(line);
	}
	client_answer_fini(&before);
	client_answer_fini(&now);
	client_close(client);
	return code;
}
