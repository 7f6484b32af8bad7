// SPDX-License-Identifier: GPL-2.0-or-later
/* See lists.h. */
#include "cli/lists.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "cli/progress.h"
#include "cli/ssh_peer.h"
#include "cli/reply.h"
#include "daemon/control/protocol.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define PEERS_MAX	  8
#define ANSWER_WITHIN_S	  10

/* --- arguments --- */

static bool take_duration(const struct options *options, json_t *parameters)
{
	long long for_s = options->duration ? format_parse_duration(options->duration) : 0;

	if (for_s < 0) {
		fprintf(stderr, "synmoat: --for takes a time such as 90s, 10m, 2h or 7d, not '%s'\n",
			options->duration);
		return false;
	}
	if (for_s)
		json_object_set_new(parameters, "for_s", json_integer(for_s));
	if (options->reason)
		json_object_set_new(parameters, "reason", json_string(options->reason));
	return true;
}

/* Who is at a terminal may well have come from somewhere that we cannot see. */
static void say_peer_unknown(size_t count)
{
	if (!count && isatty(STDERR_FILENO))
		fprintf(stderr,
			"synmoat: no ssh session is to be seen here, so whether this cuts you off yourself "
			"was not checked\n");
}

static bool cuts_us_off(const char *prefix)
{
	struct in6_addr peers[PEERS_MAX];
	size_t count = ssh_peers(peers, PEERS_MAX);
	char text[INET6_ADDRSTRLEN];
	bool v4;

	for (size_t i = 0; i < count; i++) {
		if (!ssh_prefix_covers(prefix, &peers[i]))
			continue;
		v4 = IN6_IS_ADDR_V4MAPPED(&peers[i]);
		inet_ntop(v4 ? AF_INET : AF_INET6, &peers[i].s6_addr[v4 ? 12 : 0], text, sizeof(text));
		fprintf(stderr,
			"synmoat: %s would cut off your own ssh session, which comes from %s: nothing was "
			"blocked "
			"(--force does it all the same)\n",
			prefix, text);
		return true;
	}
	say_peer_unknown(count);
	return false;
}

static json_t *parameters_add(const char *kind, const char *prefix, const struct options *options)
{
	json_t *parameters =
		json_pack("{s:s,s:s,s:b}", "kind", kind, "prefix", prefix, "force", options->force);

	if (!parameters)
		fprintf(stderr, "synmoat: the prefix is not valid text\n");
	if (!parameters || take_duration(options, parameters))
		return parameters;
	json_decref(parameters);
	return NULL;
}

json_t *parameters_block_add(char **arguments, const struct options *options)
{
	if (!options->force && cuts_us_off(arguments[0]))
		return json_null();
	return parameters_add("block", arguments[0], options);
}

json_t *parameters_allow_add(char **arguments, const struct options *options)
{
	return parameters_add("allow", arguments[0], options);
}

json_t *parameters_block_del(char **arguments, const struct options *options)
{
	(void)options;
	return json_pack("{s:s,s:s}", "kind", "block", "prefix", arguments[0]);
}

json_t *parameters_allow_del(char **arguments, const struct options *options)
{
	(void)options;
	return json_pack("{s:s,s:s}", "kind", "allow", "prefix", arguments[0]);
}

/* NULL: no such origin. */
static json_t *parameters_origin(const char *kind, const struct options *options)
{
	static const char *const origins[] = { "manual", "config", "feed", "auto" };
	json_t *parameters = json_pack("{s:s}", "kind", kind);

	if (!options->origin)
		return parameters;
	for (size_t i = 0; i < ARRAY_SIZE(origins); i++)
		if (!strcmp(origins[i], options->origin)) {
			json_object_set_new(parameters, "origin", json_string(origins[i]));
			return parameters;
		}
	fprintf(stderr, "synmoat: --origin is manual, config, feed or auto, not '%s'\n", options->origin);
	json_decref(parameters);
	return NULL;
}

json_t *parameters_block_flush(char **arguments, const struct options *options)
{
	(void)arguments;
	return parameters_origin("block", options);
}

json_t *parameters_allow_flush(char **arguments, const struct options *options)
{
	(void)arguments;
	return parameters_origin("allow", options);
}

json_t *parameters_address(char **arguments, const struct options *options)
{
	(void)options;
	return json_pack("{s:s}", "address", arguments[0]);
}

/* --- answers --- */

void show_entry_added(struct render *render, const json_t *reply)
{
	render_print(render, "%s %s: %s\n", string(reply, "kind"), string(reply, "prefix"),
		     json_is_true(json_object_get(reply, "changed")) ? "was there already, changed"
								     : "added");
	if (flag(reply, "overruled"))
		render_tinted(render, TINT_WARN,
			      "but it does nothing: an allow entry for the same prefix wins (synmoat allow "
			      "del %s)\n",
			      string(reply, "prefix"));
}

void show_entry_removed(struct render *render, const json_t *reply)
{
	render_print(render, "%s %s: taken back\n", string(reply, "kind"), string(reply, "prefix"));
}

void show_flushed(struct render *render, const json_t *reply)
{
	char count[FORMAT_SIZE];

	render_print(render, "%s: %s %s taken back\n", string(reply, "kind"),
		     format_count(count, number(reply, "removed")),
		     number(reply, "removed") == 1 ? "entry" : "entries");
}

/* "-" for null */
static const char *duration_or_dash(char buffer[FORMAT_SIZE], const json_t *seconds)
{
	if (!json_is_integer(seconds))
		return "-";
	return format_duration(buffer, json_integer_value(seconds));
}

static void print_entry(struct render *render, const json_t *entry, bool kind)
{
	char hits[FORMAT_SIZE], last[FORMAT_SIZE], expires[FORMAT_SIZE];
	const char *file = string(entry, "file"), *reason = string(entry, "reason");

	if (kind)
		render_print(render, "%-6s ", string(entry, "kind"));
	render_print(render, "%-20s  %-7s %12s %9s %9s  %s%s%s\n", string(entry, "prefix"),
		     string(entry, "origin"),
		     format_count(hits, json_integer_value(json_object_get(entry, "hits"))),
		     duration_or_dash(last, json_object_get(entry, "last_hit_s")),
		     duration_or_dash(expires, json_object_get(entry, "expires_in_s")), file,
		     *file && *reason ? ": " : "", reason);
}

static void print_head(struct render *render, bool kind)
{
	render_tinted(render, TINT_HEAD, "%s%-20s  %-7s %12s %9s %9s  %s", kind ? "KIND   " : "", "PREFIX",
		      "ORIGIN", "HITS", "LAST", "EXPIRES", "WHY");
	render_print(render, "\n");
}

void show_tested(struct render *render, const json_t *reply)
{
	const json_t *matches = json_object_get(reply, "matches"), *match;
	const char *verdict = string(reply, "verdict");
	size_t i;

	render_print(render, "%s: ", string(reply, "address"));
	if (!strcmp(verdict, "block"))
		render_tinted(render, TINT_BAD, "blocked");
	else if (!strcmp(verdict, "allow"))
		render_tinted(render, TINT_GOOD, "allowed");
	else
		render_print(render, "on no list");
	if (json_array_size(matches))
		render_print(render, " by %s %s", verdict, string(json_array_get(matches, 0), "prefix"));
	if (json_array_size(matches) > 1)
		render_print(render, ", the longest of %zu that cover it", json_array_size(matches));
	render_print(render, "\n");
	if (json_is_true(json_object_get(reply, "bypass")) && !strcmp(verdict, "block")) {
		render_tinted(render, TINT_WARN, "bypass is on: nothing is dropped");
		render_print(render, "\n");
	}
	if (json_is_true(json_object_get(reply, "loading"))) {
		render_tinted(render, TINT_WARN, "lists are being loaded: ask again");
		render_print(render, "\n");
	}
	if (json_array_size(matches)) {
		render_print(render, "\n");
		print_head(render, true);
	}
	json_array_foreach(matches, i, match)
		print_entry(render, match, true);
}

/* --- list: page by page, since there may be a million --- */

struct listing {
	struct render render;
	bool json, any;
};

static void print_page(struct listing *listing, const json_t *reply)
{
	const json_t *entries = json_object_get(reply, "entries"), *entry;
	struct render *render = &listing->render;
	char *text;
	size_t i;

	json_array_foreach(entries, i, entry) {
		if (listing->json) {
			text = json_dumps(entry, JSON_COMPACT);
			render_print(render, "%s\n    %s", listing->any ? "," : "", text ? text : "null");
			free(text);
		} else {
			if (!listing->any)
				print_head(render, false);
			print_entry(render, entry, false);
		}
		listing->any = true;
	}
	render_flush(render, false);
}

static int list_pages(struct listing *listing, struct client *client, const json_t *parameters,
		      const struct options *options)
{
	json_int_t after = 0;
	int code = EXIT_OK;

	while (after >= 0 && code == EXIT_OK) {
		struct client_answer answer = { 0 };
		json_t *page = json_copy((json_t *)parameters);
		const json_t *next;
		int error;

		json_object_set_new(page, "after", json_integer(after));
		error = client_call(client, METHOD_LIST_ENTRIES, page, &answer);
		if (error)
			return command_say_unreachable(options->socket, error);
		if (answer.error)
			code = command_say_error(answer.error, answer.reply);
		else
			print_page(listing, answer.reply);
		next = json_object_get(answer.reply, "next");
		after = json_is_integer(next) ? json_integer_value(next) : -1;
		client_answer_fini(&answer);
	}
	return code;
}

static int run_list(const char *kind, const struct options *options)
{
	struct listing listing = { .json = options->json };
	json_t *parameters = parameters_origin(kind, options);
	struct client *client = NULL;
	int error, code;

	if (!parameters)
		return EXIT_USAGE;
	error = client_open(&client, options->socket, ANSWER_WITHIN_S);
	if (!error)
		error = render_init(&listing.render, options->color);
	if (error) {
		json_decref(parameters);
		client_close(client);
		return command_say_unreachable(options->socket, error);
	}
	if (options->json)
		render_print(&listing.render, "{\n  \"entries\": [");
	code = list_pages(&listing, client, parameters, options);
	if (options->json)
		render_print(&listing.render, "%s]\n}\n", listing.any ? "\n  " : "");
	else if (!listing.any && code == EXIT_OK)
		render_print(&listing.render, "no %s entry\n", kind);
	render_flush(&listing.render, false);
	render_fini(&listing.render);
	json_decref(parameters);
	client_close(client);
	return code;
}

int run_block_list(char **arguments, const struct options *options)
{
	(void)arguments;
	return run_list("block", options);
}

int run_allow_list(char **arguments, const struct options *options)
{
	(void)arguments;
	return run_list("allow", options);
}

/* --- import: lines in chunks, which the daemon applies all together --- */

#define CHUNK_SIZE 32000 /* a message holds 64 KiB, and JSON escapes some characters by a second one */

struct importing {
	const char *kind;
	const struct options *options;
	struct client *client;
	json_t *settings; /* kind, for_s, reason */
	json_t *reply;	  /* the last one */
	char chunk[CHUNK_SIZE + 1];
	size_t length;
	unsigned long long lines;
	uint64_t size, done; /* bytes of the file; 0: not known */
	struct progress progress;
	struct in6_addr peers[PEERS_MAX];
	size_t peer_count;
};

/* "importing: 512,000 lines, 51 %", as far as the size of the file is known. */
static void say_lines(struct importing *im)
{
	char lines[FORMAT_SIZE];

	format_count(lines, (int64_t)im->lines);
	if (im->size)
		progress_say(&im->progress, "importing: %s lines, %d %%", lines,
			     progress_percent(im->done, im->size));
	else
		progress_say(&im->progress, "importing: %s lines", lines);
}

/* An exit code. */
static int send_chunk(struct importing *im, bool commit)
{
	json_t *parameters = json_copy(im->settings), *fault;
	struct client_answer answer = { 0 };
	int error, code;
	size_t i;

	json_object_set_new(parameters, "text", json_stringn(im->chunk, im->length));
	json_object_set_new(parameters, "commit", json_boolean(commit));
	im->length = 0;
	error = client_call(im->client, METHOD_IMPORT_ENTRIES, parameters, &answer);
	if (error || answer.error || json_array_size(json_object_get(answer.reply, "faults")))
		progress_clear(&im->progress);
	if (error)
		return command_say_unreachable(im->options->socket, error);
	code = answer.error ? command_say_error(answer.error, answer.reply) : EXIT_OK;
	json_array_foreach(json_object_get(answer.reply, "faults"), i, fault)
		fprintf(stderr, "%s: skipped\n", json_string_value(fault));
	json_decref(im->reply);
	im->reply = json_incref(answer.reply);
	client_answer_fini(&answer);
	say_lines(im);
	return code;
}

/* Comments in any encoding; what counts is ASCII. */
static void make_plain(char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)line[i] >= 0x7f || ((unsigned char)line[i] < ' ' && line[i] != '\n'))
			line[i] = ' ';
}

static bool cuts_off(struct importing *im, const char *line)
{
	char prefix[64];

	line += strspn(line, " \t");
	snprintf(prefix, sizeof(prefix), "%.*s", (int)strcspn(line, " \t\r\n;#,"), line);
	for (size_t i = 0; i < im->peer_count; i++) {
		if (!ssh_prefix_covers(prefix, &im->peers[i]))
			continue;
		progress_clear(&im->progress);
		fprintf(stderr,
			"synmoat: line %llu, %s, would cut off your own ssh session: nothing was imported "
			"(--force does "
			"it all the same)\n",
			im->lines, prefix);
		return true;
	}
	return false;
}

static int send_lines(struct importing *im, FILE *file)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	int code = EXIT_OK;

	while (code == EXIT_OK && (length = getline(&line, &size, file)) >= 0) {
		im->lines++;
		im->done += (uint64_t)length;
		if (length > 1024 || memchr(line, '\0', (size_t)length)) {
			progress_clear(&im->progress);
			fprintf(stderr, "line %llu: longer than 1,024 characters, or no text: skipped\n",
				im->lines);
			length = snprintf(line, size, "#\n");
		}
		make_plain(line, (size_t)length);
		if (cuts_off(im, line))
			code = EXIT_FAILED;
		else if (im->length + (size_t)length + 1 > CHUNK_SIZE)
			code = send_chunk(im, false);
		if (code != EXIT_OK)
			break;
		memcpy(im->chunk + im->length, line, (size_t)length);
		im->length += (size_t)length;
		if (length && line[length - 1] != '\n')
			im->chunk[im->length++] = '\n';
	}
	free(line);
	if (code == EXIT_OK && ferror(file)) {
		progress_clear(&im->progress);
		fprintf(stderr, "synmoat: cannot read on: nothing was imported\n");
		code = EXIT_FAILED;
	}
	return code == EXIT_OK ? send_chunk(im, true) : code;
}

/* What is left of a phase becomes fewer; most: how much it was at first. */
static void say_phase(struct progress *progress, const json_t *of, char phase[FORMAT_SIZE], uint64_t *most)
{
	uint64_t left = (uint64_t)number(of, "left");
	char entries[FORMAT_SIZE];

	if (strcmp(phase, string(of, "phase")) != 0)
		*most = 0;
	snprintf(phase, FORMAT_SIZE, "%s", string(of, "phase"));
	if (left > *most)
		*most = left;
	if (*string(of, "file"))
		progress_say(progress, "lists: %s %s, %s entries", phase, string(of, "file"),
			     format_count(entries, number(of, "entries")));
	else
		progress_say(progress, "lists: %s, %d %%", phase, progress_percent(*most - left, *most));
}

/* Until what is on its way is in force. */
static int wait_for_lists(struct client *client, const char *socket, struct progress *progress)
{
	char phase[FORMAT_SIZE] = "";
	bool loading = true;
	int code = EXIT_OK;
	uint64_t most = 0;

	while (loading && code == EXIT_OK) {
		struct client_answer answer = { 0 };
		int error = client_call(client, METHOD_LIST_STATUS, json_object(), &answer);

		if (error) {
			progress_clear(progress);
			return command_say_unreachable(socket, error);
		}
		code = answer.error ? command_say_error(answer.error, answer.reply) : EXIT_OK;
		loading = flag(answer.reply, "loading");
		if (loading)
			say_phase(progress, json_object_get(answer.reply, "progress"), phase, &most);
		client_answer_fini(&answer);
		if (loading)
			nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	progress_clear(progress);
	return code;
}

int lists_follow(const char *socket)
{
	struct client *client = NULL;
	struct progress progress;
	int error, code;

	progress_begin(&progress);
	if (!progress.tty)
		return EXIT_OK;
	error = client_open(&client, socket, ANSWER_WITHIN_S);
	code = error ? command_say_unreachable(socket, error) : wait_for_lists(client, socket, &progress);
	client_close(client);
	return code;
}

static int import_file(struct importing *im, const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char entries[FORMAT_SIZE], faults[FORMAT_SIZE];
	struct stat status;
	int code;

	if (!file) {
		fprintf(stderr, "synmoat: cannot read %s: %m\n", path);
		return EXIT_FAILED;
	}
	progress_begin(&im->progress);
	if (!fstat(fileno(file), &status) && S_ISREG(status.st_mode))
		im->size = (uint64_t)status.st_size;
	code = send_lines(im, file);
	if (file != stdin)
		fclose(file);
	if (code == EXIT_OK)
		code = wait_for_lists(im->client, im->options->socket, &im->progress);
	progress_clear(&im->progress);
	if (code != EXIT_OK)
		return code;
	if (im->options->json) {
		json_object_del(im->reply, "faults");
		json_dumpf(im->reply, stdout, JSON_INDENT(2));
		puts("");
	} else {
		printf("%s: %s %s in force now", im->kind,
		       format_count(entries, number(im->reply, "entries")),
		       number(im->reply, "entries") == 1 ? "entry is" : "entries are");
		if (number(im->reply, "fault_count"))
			printf(", bad lines that were skipped: %s",
			       format_count(faults, number(im->reply, "fault_count")));
		printf("\n");
	}
	return EXIT_OK;
}

static int run_import(const char *kind, const char *path, const struct options *options)
{
	struct importing *im = calloc(1, sizeof(*im));
	int error, code = EXIT_USAGE;

	if (!im)
		return EXIT_FAILED;
	im->kind = kind;
	im->options = options;
	im->settings = json_pack("{s:s,s:b}", "kind", kind, "force", options->force);
	if (!options->force && !strcmp(kind, "block")) {
		im->peer_count = ssh_peers(im->peers, PEERS_MAX);
		say_peer_unknown(im->peer_count);
	}
	if (im->settings && take_duration(options, im->settings)) {
		error = client_open(&im->client, options->socket, ANSWER_WITHIN_S);
		code = error ? command_say_unreachable(options->socket, error) : import_file(im, path);
	}
	client_close(im->client);
	json_decref(im->settings);
	json_decref(im->reply);
	free(im);
	return code;
}

int run_block_import(char **arguments, const struct options *options)
{
	return run_import("block", arguments[0], options);
}

int run_allow_import(char **arguments, const struct options *options)
{
	return run_import("allow", arguments[0], options);
}
