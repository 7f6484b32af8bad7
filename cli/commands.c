// SPDX-License-Identifier: GPL-2.0-or-later
/* Running one command. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "cli/lists.h"
#include "daemon/control/protocol.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define ATTACKS_MOST	     64 /* as the daemon has it */
#define ANSWER_WITHIN_S	     3
#define SLOW_ANSWER_WITHIN_S 10

/* --- arguments --- */

json_t *parameters_name(char **arguments, const struct options *options)
{
	(void)options;
	return json_pack("{s:s}", "name", arguments[0]);
}

json_t *parameters_mode(char **arguments, const struct options *options)
{
	static const char *const modes[] = { "off", "monitor", "auto", "always", "configured" };

	(void)options;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(arguments[1], modes[i]))
			return json_pack("{s:s,s:s}", "name", arguments[0], "mode", modes[i]);
	fprintf(stderr, "synmoat: there is no mode '%s': give off, monitor, auto, always or configured\n",
		arguments[1]);
	return NULL;
}

json_t *parameters_rotate(char **arguments, const struct options *options)
{
	(void)arguments;
	return json_pack("{s:b}", "now", options->now);
}

json_t *parameters_count(char **arguments, const struct options *options)
{
	(void)arguments;
	if (options->count > ATTACKS_MOST) {
		fprintf(stderr, "synmoat: the last %d attacks are remembered: --count is 1 to %d\n",
			ATTACKS_MOST, ATTACKS_MOST);
		return NULL;
	}
	return options->count ? json_pack("{s:i}", "count", options->count) : json_object();
}

json_t *parameters_sources(char **arguments, const struct options *options)
{
	static const char *const orders[] = { "half_open", "rate", "dropped" };
	json_t *parameters = json_object();

	if (options->count)
		json_object_set_new(parameters, "count", json_integer(options->count));
	if (!arguments[0])
		return parameters;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		if (!strcmp(arguments[0], orders[i])) {
			json_object_set_new(parameters, "sort", json_string(orders[i]));
			return parameters;
		}
	fprintf(stderr, "synmoat: sources are sorted by half_open, rate or dropped, not '%s'\n",
		arguments[0]);
	json_decref(parameters);
	return NULL;
}

/* NAME KEY=VALUE..., of which the daemon knows the rules. */
json_t *parameters_limit(char **arguments, const struct options *options)
{
	char settings[1024] = "";
	size_t used = 0;

	for (int i = 1; arguments[i] && used < sizeof(settings); i++)
		used += (size_t)snprintf(settings + used, sizeof(settings) - used, "%s%s", i > 1 ? " " : "",
					 arguments[i]);
	if (used < sizeof(settings))
		return json_pack("{s:s,s:s,s:s*}", "name", arguments[0], "settings", settings, "service",
				 options->service);
	fprintf(stderr, "synmoat: too long: give settings such as rate=500 burst=1000 action=thin\n");
	return NULL;
}

json_t *parameters_bypass(char **arguments, const struct options *options)
{
	bool on = !strcmp(arguments[0], "on");

	(void)options;
	if (on || !strcmp(arguments[0], "off"))
		return json_pack("{s:b}", "on", on);
	fprintf(stderr, "synmoat: bypass is on or off, not '%s'\n", arguments[0]);
	return NULL;
}

json_t *parameters_drain(char **arguments, const struct options *options)
{
	(void)arguments;
	return json_pack("{s:b}", "cancel", options->cancel);
}

json_t *parameters_flow(char **arguments, const struct options *options)
{
	(void)options;
	return json_pack("{s:s,s:s}", "client", arguments[0], "server", arguments[1]);
}

static const struct flow_word {
	const char *word, *parameter;
	bool number;
} flow_words[] = {
	{ "address", "address", false },     { "port", "port", true },
	{ "service", "service", false },     { "client", "client_state", false },
	{ "server", "server_state", false }, { "older", "older_s", true },
	{ "younger", "younger_s", true },    { "order", "order", false },
	{ "limit", "limit", true },
};

static const struct flow_word *find_flow_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(flow_words); i++)
		if (!strcmp(flow_words[i].word, word))
			return &flow_words[i];
	fprintf(stderr, "synmoat: flows knows no '%s': give", word);
	for (size_t i = 0; i < ARRAY_SIZE(flow_words); i++)
		fprintf(stderr, "%s %s", i ? "," : "", flow_words[i].word);
	fprintf(stderr, "\n");
	return NULL;
}

/* NULL: VALUE is not what WORD takes. */
static json_t *flow_value(const struct flow_word *word, const char *value)
{
	size_t length = value ? strlen(value) : 0;

	if (!length) {
		fprintf(stderr, "synmoat: flows %s takes a value\n", word->word);
		return NULL;
	}
	if (!word->number)
		return json_string(value);
	if (!strcmp(word->word, "limit") && !strcmp(value, "all"))
		return json_integer(FLOWS_LIMIT_MAX);
	if (strspn(value, "0123456789") == length && length < 10)
		return json_integer(atoll(value));
	fprintf(stderr, "synmoat: flows %s takes a whole number, not '%s'\n", word->word, value);
	return NULL;
}

json_t *parameters_flows(char **arguments, const struct options *options)
{
	json_t *parameters = json_object();

	(void)options;
	for (; *arguments; arguments += 2) {
		const struct flow_word *word = find_flow_word(arguments[0]);
		json_t *value = word ? flow_value(word, arguments[1]) : NULL;

		if (!value) {
			json_decref(parameters);
			return NULL;
		}
		json_object_set_new(parameters, word->parameter, value);
	}
	return parameters;
}

/* --- config check --- */

/* Returns only when there is none to run. */
static void exec_beside_us(char **argv)
{
	static const char *const places[] = { "synmoatd", "../sbin/synmoatd" };
	char self[PATH_MAX], path[PATH_MAX + 32];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length <= 0)
		return;
	self[length] = '\0';
	dirname(self);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), "%s/%s", self, places[i]);
		execv(path, argv);
	}
}

void command_exec_daemon(char **argv)
{
	exec_beside_us(argv);
	execvp(argv[0], argv);
}

int run_config_check(char **arguments, const struct options *options)
{
	static char name[] = "synmoatd", check[] = "--check", default_file[] = DEFAULT_CONFIG,
		    as_json[] = "--json";
	char *argv[] = { name, check, arguments[0] ? arguments[0] : default_file,
			 options->json ? as_json : NULL, NULL };

	command_exec_daemon(argv);
	fprintf(stderr, "synmoat: cannot run synmoatd to check the file: %m. Put synmoatd into PATH\n");
	return EXIT_FAILED;
}

/* --- what can go wrong --- */

static int say_unreachable(const char *path, int error, unsigned int within_s)
{
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		fprintf(stderr,
			"synmoat: synmoatd is not answering at %s: start it (under systemd: systemctl start "
			"synmoatd), or give --socket\n",
			path);
		return EXIT_NOT_RUNNING;
	case -EAGAIN:
		fprintf(stderr,
			"synmoat: synmoatd took the call at %s but does not answer within %u s: it is "
			"starting, or it hangs. "
			"The fast path goes on as last decided; see its log, then restart it (under systemd: "
			"journalctl -u synmoatd, systemctl restart synmoatd)\n",
			path, within_s);
		return EXIT_NOT_RUNNING;
	case -EACCES:
	case -EPERM:
		fprintf(stderr, "synmoat: no permission to connect to %s: try as root, or give --socket\n",
			path);
		return EXIT_PERMISSION;
	case -ECONNRESET:
		fprintf(stderr,
			"synmoat: synmoatd at %s hung up without an answer: see its log (under systemd: "
			"journalctl -u synmoatd)\n",
			path);
		return EXIT_FAILED;
	case -EBADMSG:
		fprintf(stderr, "synmoat: what answers at %s is not synmoatd\n", path);
		return EXIT_FAILED;
	default:
		fprintf(stderr, "synmoat: cannot talk to synmoatd at %s: %s\n", path, strerror(-error));
		return EXIT_FAILED;
	}
}

/* Errors of the daemon: what they mean for the exit code, and what to do. */
static const struct {
	const char *error;
	enum exit_code code;
	const char *key; /* parameter of the error that says more than its text; NULL: none */
	const char *fallback;
	const char *hint; /* NULL: none */
} answers[] = {
	{ ERROR_PERMISSION_DENIED, EXIT_PERMISSION, NULL, "permission denied", "use sudo" },
	{ ERROR_NO_SUCH_SERVICE, EXIT_FAILED, NULL, "no such service", NULL },
	{ ERROR_WOULD_CUT_OFF, EXIT_FAILED, NULL, "too much would be cut off",
	  "nothing was blocked; --force does it all the same" },
	{ ERROR_BAD_VALUE, EXIT_USAGE, NULL, "there is no such value", NULL },
	{ ERROR_NO_SUCH_INTERFACE, EXIT_FAILED, NULL, "no such interface",
	  "synmoat interface list shows them" },
	{ ERROR_NO_SUCH_FLOW, EXIT_FAILED, NULL, "no such connection", "synmoat flows lists them" },
	{ ERROR_INVALID_PARAMETER, EXIT_FAILED, "parameter", "the daemon does not accept this value of ",
	  "are synmoat and synmoatd of one version? synmoat version tells" },
	{ ERROR_METHOD_NOT_FOUND, EXIT_FAILED, "method", "the daemon does not know ",
	  "are synmoat and synmoatd of one version? synmoat version tells" },
};

static const char *text_of(const json_t *parameters, const char *key)
{
	const char *text = json_string_value(json_object_get(parameters, key));

	return text ? text : "";
}

static int say_config_error(const json_t *parameters)
{
	json_int_t line = json_integer_value(json_object_get(parameters, "line"));
	const char *key = text_of(parameters, "key");

	fprintf(stderr, "synmoat: %s:", text_of(parameters, "file"));
	if (line)
		fprintf(stderr, "%" JSON_INTEGER_FORMAT ":", line);
	fprintf(stderr, " %s%s%s\n", key, *key ? ": " : "", text_of(parameters, "text"));
	fprintf(stderr, "synmoat: the configuration that was in force still is\n");
	return EXIT_FAILED;
}

/* The key, and what is possible. */
static int say_bad_limit(const json_t *parameters)
{
	const char *key = text_of(parameters, "key");

	fprintf(stderr, "synmoat: %s%s%s\n", key, *key ? ": " : "", text_of(parameters, "text"));
	return EXIT_USAGE;
}

static int say_error(const char *error, const json_t *parameters)
{
	const char *text = text_of(parameters, "text");

	if (!strcmp(error, ERROR_CONFIG))
		return say_config_error(parameters);
	if (!strcmp(error, ERROR_BAD_LIMIT))
		return say_bad_limit(parameters);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		if (strcmp(answers[i].error, error) != 0)
			continue;
		fprintf(stderr, "synmoat: %s%s%s%s%s\n", *text ? text : answers[i].fallback,
			answers[i].key ? text_of(parameters, answers[i].key) : "",
			answers[i].hint ? " (" : "", answers[i].hint ? answers[i].hint : "",
			answers[i].hint ? ")" : "");
		return answers[i].code;
	}
	fprintf(stderr, "synmoat: %s\n", *text ? text : error);
	return EXIT_FAILED;
}

int command_say_unreachable(const char *path, int error)
{
	return say_unreachable(path, error, ANSWER_WITHIN_S);
}

int command_say_error(const char *error, const json_t *parameters)
{
	return say_error(error, parameters);
}

/* --- a call --- */

/* Those that read files or wait for drivers. */
static unsigned int answer_within_s(const char *method)
{
	static const char *const slow[] = { METHOD_RELOAD, METHOD_ATTACH_INTERFACE, METHOD_DETACH_INTERFACE };

	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		if (!strcmp(slow[i], method))
			return SLOW_ANSWER_WITHIN_S;
	return ANSWER_WITHIN_S;
}

/* Of both programs. NULL: that of the daemon is not known. */
static void print_versions_json(struct render *render, const json_t *reply)
{
	json_t *versions = json_pack("{s:s,s:s?}", "synmoat", SYNMOAT_VERSION, "synmoatd",
				     json_string_value(json_object_get(reply, "version")));

	render_json(render, versions, false);
	json_decref(versions);
}

/* What there is to say without the daemon comes before the error. */
static void show_alone(const struct command *command, const struct options *options, struct render *render)
{
	if (!command->alone)
		return;
	if (options->json)
		print_versions_json(render, NULL);
	else
		command->show(render, NULL);
	render_flush(render, false);
}

static void print_error_json(struct render *render, const struct client_answer *answer, bool one_line)
{
	json_t *object = json_pack("{s:s,s:O}", "error", answer->error, "parameters", answer->reply);

	render_json(render, object, one_line);
	json_decref(object);
}

static int show_answer(const struct command *command, const struct options *options, struct render *render,
		       const struct client_answer *answer)
{
	if (options->json && answer->error)
		print_error_json(render, answer, options->watch);
	else if (options->json && command->alone)
		print_versions_json(render, answer->reply);
	else if (options->json)
		render_json(render, answer->reply, options->watch);
	else if (!answer->error)
		command->show(render, answer->reply);
	return answer->error ? say_error(answer->error, answer->reply) : EXIT_OK;
}

static int call_once(const struct command *command, json_t *parameters, const struct options *options,
		     struct render *render)
{
	struct client_answer answer = { 0 };
	struct client *client = NULL;
	unsigned int within_s = answer_within_s(command->method);
	int error = client_open(&client, options->socket, within_s), code;

	if (error)
		json_decref(parameters);
	else
		error = client_call(client, command->method, parameters, &answer);
	if (error || answer.error)
		show_alone(command, options, render);
	code = error ? say_unreachable(options->socket, error, within_s)
		     : show_answer(command, options, render, &answer);
	client_answer_fini(&answer);
	client_close(client);
	return code;
}

static int flush(struct render *render, bool redraw, int code)
{
	int error = render_flush(render, redraw);

	if (!error)
		return code;
	fprintf(stderr, "synmoat: cannot write the output: %s\n", strerror(-error));
	return EXIT_FAILED;
}

/* --- following --- */

struct following {
	const struct command *command;
	const struct options *options;
	struct render *render;
	double ends_s;	  /* on the monotonic clock; negative: never */
	json_int_t shown; /* connections left, as people were told; negative: nothing yet */
};

static double clock_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void show_part(const struct following *following, const json_t *part)
{
	if (following->options->json)
		render_json(following->render, part, true);
	else
		following->command->show(following->render, part);
}

static bool on_part(const json_t *part, void *arg)
{
	json_int_t left = json_integer_value(json_object_get(part, "translated"));
	struct following *following = arg;

	if (following->ends_s >= 0 && clock_s() >= following->ends_s)
		return false;
	if (following->options->json || left != following->shown)
		show_part(following, part);
	following->shown = left;
	return flush(following->render, false, EXIT_OK) == EXIT_OK;
}

/* Draining ends for one of three reasons, of which one is what was wanted. */
static int judge_end(const struct following *following, const json_t *reply)
{
	if (following->options->cancel || json_is_true(json_object_get(reply, "drained")))
		return EXIT_OK;
	if (json_is_true(json_object_get(reply, "draining")))
		fprintf(stderr,
			"synmoat: not drained within %g s; the daemon goes on: synmoat drain shows how far, "
			"synmoat drain --cancel ends it\n",
			following->options->timeout_s);
	else
		fprintf(stderr, "synmoat: somebody has cancelled it\n");
	return EXIT_FAILED;
}

static int show_end(const struct following *following, const struct client_answer *answer)
{
	if (answer->error && following->options->json)
		print_error_json(following->render, answer, true);
	if (answer->error)
		return say_error(answer->error, answer->reply);
	show_part(following, answer->reply);
	return judge_end(following, answer->reply);
}

/* Shows what comes until it is over, or our time is; the daemon goes on all the same. */
static int follow(const struct command *command, json_t *parameters, const struct options *options,
		  struct render *render)
{
	struct following following = { command, options, render, -1, -1 };
	struct client_answer answer = { 0 };
	struct client *client = NULL;
	int error = client_open(&client, options->socket, ANSWER_WITHIN_S), code;

	if (options->timeout_s >= 0)
		following.ends_s = clock_s() + options->timeout_s;
	if (error)
		json_decref(parameters);
	else
		error = client_follow(client, command->method, parameters, on_part, &following, &answer);
	code = error ? say_unreachable(options->socket, error, ANSWER_WITHIN_S)
		     : show_end(&following, &answer);
	client_answer_fini(&answer);
	client_close(client);
	return code;
}

static json_t *make_parameters(const struct command *command, char **arguments, const struct options *options)
{
	return command->parameters ? command->parameters(arguments, options) : json_object();
}

/* --- watching --- */

static void print_watch_headline(struct render *render, const struct options *options)
{
	char clock[FORMAT_SIZE];
	time_t now = time(NULL);

	strftime(clock, sizeof(clock), "%F %T", localtime(&now));
	render_tinted(render, TINT_HEAD, "%s, every %g s", clock, options->interval_s);
	render_print(render, "\n\n");
}

static void pause_for(double seconds)
{
	struct timespec interval = { .tv_sec = (time_t)seconds };

	interval.tv_nsec = (long)((seconds - (double)interval.tv_sec) * 1e9);
	nanosleep(&interval, NULL);
}

/* Goes on when the daemon is away for a moment, but not when it never was there. */
static int watch(const struct command *command, char **arguments, const struct options *options,
		 struct render *render)
{
	bool redraw = render->tty && !options->json, seen = false;
	int code;

	if (redraw)
		fputs("\033[H\033[2J", stdout);
	for (;;) {
		if (!options->json)
			print_watch_headline(render, options);
		code = call_once(command, make_parameters(command, arguments, options), options, render);
		if (code != EXIT_OK && !seen)
			return code;
		seen = true;
		if (!options->json && !redraw)
			render_print(render, "\n");
		code = flush(render, redraw, EXIT_OK);
		if (code != EXIT_OK)
			return code;
		pause_for(options->interval_s);
	}
}

static int call(const struct command *command, char **arguments, const struct options *options,
		struct render *render)
{
	json_t *parameters = make_parameters(command, arguments, options);
	int code;

	if (!parameters)
		return EXIT_USAGE;
	if (json_is_null(parameters))
		return EXIT_FAILED;
	code = flush(render, false,
		     command->takes & FOLLOWS ? follow(command, parameters, options, render)
					      : call_once(command, parameters, options, render));
	if (code == EXIT_OK && !strcmp(command->method, METHOD_RELOAD)) /* lists.d is read after it */
		code = lists_follow(options->socket);
	return code;
}

int command_run(const struct command *command, char **arguments, const struct options *options)
{
	struct render render;
	int code;

	if (command->run)
		return command->run(arguments, options);
	if (render_init(&render, options->color)) {
		fprintf(stderr, "synmoat: out of memory\n");
		return EXIT_FAILED;
	}
	code = options->watch ? watch(command, arguments, options, &render)
			      : call(command, arguments, options, &render);
	render_fini(&render);
	return code;
}
