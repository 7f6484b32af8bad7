// SPDX-License-Identifier: GPL-2.0-or-later
/* See doctor.h. */
#include "cli/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "cli/render.h"
#include "cli/reply.h"
#include "daemon/control/protocol.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define ANSWER_WITHIN_S	  5
#define INDENT		  10
#define NARROWEST	  40

/* The worst first. */
static const struct severity {
	const char *word;
	enum tint tint;
} severities[] = {
	{ "critical", TINT_BAD },
	{ "warning", TINT_WARN },
	{ "note", TINT_HEAD },
};

/* --- showing --- */

static void print_wrapped(struct render *render, const char *text)
{
	size_t width = render->width > INDENT + NARROWEST ? render->width - INDENT - 1 : NARROWEST;
	char *lines = render->tty ? format_wrap(text, width) : strdup(text), *rest = lines, *line;

	for (size_t i = 0; (line = strsep(&rest, "\n")); i++)
		render_print(render, "%*s%s\n", i ? INDENT : 0, "", line);
	free(lines);
}

static void print_finding(struct render *render, const struct severity *severity, const json_t *finding)
{
	const char *advice = string(finding, "advice");

	render_tinted(render, severity->tint, "%-*s", INDENT, severity->word);
	print_wrapped(render, string(finding, "seen"));
	if (!*advice)
		return;
	render_print(render, "%*s", INDENT, "   to do: ");
	print_wrapped(render, advice);
}

static size_t print_those(struct render *render, const json_t *findings, const struct severity *severity)
{
	const json_t *finding;
	size_t i, count = 0;

	json_array_foreach(findings, i, finding) {
		if (strcmp(string(finding, "severity"), severity->word) != 0)
			continue;
		print_finding(render, severity, finding);
		count++;
	}
	return count;
}

static bool same(const json_t *a, const json_t *b)
{
	return b && !strcmp(string(a, "check"), string(b, "check")) &&
	       !strcmp(string(a, "interface"), string(b, "interface"));
}

/* "in order  xdp (eth0), mtu (eth0), kernel" */
static void print_in_order(struct render *render, const json_t *findings)
{
	const json_t *finding, *last = NULL;
	char text[2048] = "";
	size_t used = 0, i;

	json_array_foreach(findings, i, finding) {
		const char *interface = string(finding, "interface");

		if (strcmp(string(finding, "severity"), "ok") != 0 || same(finding, last))
			continue;
		if (used < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s%s%s",
						 used ? ", " : "", string(finding, "check"),
						 *interface ? " (" : "", interface, *interface ? ")" : "");
		last = finding;
	}
	if (!used)
		return;
	render_tinted(render, TINT_GOOD, "%-*s", INDENT, "in order");
	print_wrapped(render, text);
}

void show_findings(struct render *render, const json_t *reply)
{
	const json_t *findings = json_object_get(reply, "findings");
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(severities); i++)
		count += print_those(render, findings, &severities[i]);
	print_in_order(render, findings);
	if (!count)
		render_print(render, "nothing to do\n");
}

/* A warning is for eyes: a fresh install has some, and a script that stops at one would never come to start
 * it. */
static int judge(const json_t *reply)
{
	const json_t *finding;
	size_t i;

	json_array_foreach(json_object_get(reply, "findings"), i, finding)
		if (!strcmp(string(finding, "severity"), severities[0].word))
			return EXIT_FAILED;
	return EXIT_OK;
}

/* --- without a daemon --- */

/* synmoatd --doctor, whose output is the reply; NULL when it could not be run, which has been said. */
static json_t *look_ourselves(const char *config, bool running)
{
	char name[] = "synmoatd", doctor[] = "--doctor", option[] = "--config", runs[] = "--running";
	char *argv[] = { name, doctor, option, (char *)config, running ? runs : NULL, NULL };
	int ends[2], status = 0;
	json_t *reply = NULL;
	FILE *in;
	pid_t pid;

	if (pipe(ends))
		return NULL;
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		command_exec_daemon(argv);
		fprintf(stderr, "synmoat: cannot run synmoatd to look: %m. Put synmoatd into PATH\n");
		_exit(EXIT_FAILED);
	}
	close(ends[1]);
	in = fdopen(ends[0], "r");
	if (in && pid > 0)
		reply = json_loadf(in, 0, NULL);
	if (in)
		fclose(in);
	if (pid > 0)
		waitpid(pid, &status, 0);
	return reply;
}

static void add_absence(json_t *reply, const char *socket, int error)
{
	const char *seen = error == -EAGAIN
				   ? "takes calls, but does not answer: it hangs"
				   : "does not answer: nothing is defended, unless by what it left attached";
	json_t *finding = json_pack("{s:s,s:s,s:o,s:s}", "check", "daemon", "severity", "critical", "seen",
				    json_sprintf("synmoatd at %s %s", socket, seen), "advice",
				    "start it again (under systemd: systemctl restart synmoatd); its log "
				    "(journalctl -u synmoatd) tells why it ended. What follows was seen "
				    "without it");

	json_array_insert_new(json_object_get(reply, "findings"), 0, finding);
}

/* --- the command --- */

static int ask_daemon(const char *path, struct client_answer *answer)
{
	struct client *client = NULL;
	int error = client_open(&client, path, ANSWER_WITHIN_S);

	if (!error)
		error = client_call(client, METHOD_DOCTOR, json_object(), answer);
	client_close(client);
	return error;
}

/* systemd listens in its place, so only an answer tells. */
static bool daemon_answers(const char *path)
{
	struct client_answer answer = { 0 };
	struct client *client = NULL;
	int error = client_open(&client, path, ANSWER_WITHIN_S);

	if (!error)
		error = client_call(client, METHOD_VERSION, json_object(), &answer);
	client_close(client);
	client_answer_fini(&answer);
	return !error;
}

static int show(const struct options *options, const json_t *reply)
{
	struct render render;

	if (render_init(&render, options->color))
		return EXIT_FAILED;
	if (options->json)
		render_json(&render, reply, false);
	else
		show_findings(&render, reply);
	render_flush(&render, false);
	render_fini(&render);
	return judge(reply);
}

int run_doctor(char **arguments, const struct options *options)
{
	const char *file = arguments[0] ? arguments[0] : DEFAULT_CONFIG;
	struct client_answer answer = { 0 };
	int error = arguments[0] ? 0 : ask_daemon(options->socket, &answer), code;

	if (answer.error) {
		code = command_say_error(answer.error, answer.reply);
	} else {
		if (!answer.reply)
			answer.reply = look_ourselves(file, arguments[0] && daemon_answers(options->socket));
		if (error && answer.reply)
			add_absence(answer.reply, options->socket, error);
		code = answer.reply ? show(options, answer.reply) : EXIT_FAILED;
	}
	client_answer_fini(&answer);
	return code;
}
