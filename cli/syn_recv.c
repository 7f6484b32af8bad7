// SPDX-License-Identifier: GPL-2.0-or-later
/* See syn_recv.h. */
#include "cli/syn_recv.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/format.h"
#include "cli/render.h"
#include "cli/reply.h"
#include "cli/show.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define HISTORY_MAX	  600
#define LABEL_WIDTH	  14
#define PEAK_WIDTH	  18

json_t *parameters_syn_recv(char **arguments, const struct options *options)
{
	json_t *parameters = json_object();

	(void)arguments;
	if (options->port)
		json_object_set_new(parameters, "port", json_integer(options->port));
	if (options->history || !options->json)
		json_object_set_new(parameters, "history", json_true());
	return parameters;
}

static void cell(struct table *table, size_t column, int64_t count)
{
	char buffer[FORMAT_SIZE];

	render_cell(table, column, TINT_NONE, count < 0 ? "-" : format_count(buffer, count));
}

static int64_t sent_again(const json_t *listener)
{
	const json_t *resends = json_object_get(listener, "resends"), *one;
	int64_t sum = 0;
	size_t i;

	json_array_foreach(resends, i, one)
		sum += i ? json_integer_value(one) : 0;
	return sum;
}

/* "[::]", "0.0.0.0", "10.0.0.1%eth0", and how many sockets share it. */
static const char *listener_text(char *buffer, size_t size, const json_t *listener)
{
	const char *address = string(listener, "address"), *interface = string(listener, "interface");
	int64_t sockets = number(listener, "sockets");
	int length = snprintf(buffer, size, strchr(address, ':') ? "[%s]%s%s" : "%s%s%s", address,
			      *interface ? "%" : "", interface);

	if (sockets > 1 && length > 0 && (size_t)length < size)
		snprintf(buffer + length, size - (size_t)length, " x%lld", (long long)sockets);
	return buffer;
}

static void cell_accept(struct table *table, size_t column, const json_t *listener, bool kernel)
{
	int64_t limit = number(listener, "accept_limit"), queue = number(listener, "accept_queue");
	char text[2 * FORMAT_SIZE], waiting[FORMAT_SIZE], most[FORMAT_SIZE];

	if (!kernel || !number(listener, "sockets")) {
		render_cell(table, column, TINT_NONE, "-");
		return;
	}
	snprintf(text, sizeof(text), "%s/%s", format_count(waiting, queue), format_count(most, limit));
	render_cell(table, column,
		    flag(listener, "accept_full") ? TINT_BAD
		    : queue * 2 > limit		  ? TINT_WARN
						  : TINT_NONE,
		    text);
}

static void print_listeners(struct render *render, const json_t *reply)
{
	static const struct column columns[] = {
		{ "PORT", COLUMN_RIGHT },   { "LISTENER", COLUMN_FOLD },   { "HALF-OPEN", COLUMN_RIGHT },
		{ "IPV4", COLUMN_RIGHT },   { "IPV6", COLUMN_RIGHT },	   { "OLDEST", COLUMN_RIGHT },
		{ "RESENT", COLUMN_RIGHT }, { "SYN QUEUE", COLUMN_RIGHT }, { "TO ACCEPT", COLUMN_RIGHT },
	};
	const json_t *listeners = json_object_get(reply, "listeners"), *one;
	bool kernel = flag(reply, "kernel");
	struct table *table = render_table(render, columns, ARRAY_SIZE(columns));
	char text[128], duration[FORMAT_SIZE];
	size_t i;

	json_array_foreach(listeners, i, one) {
		bool any = number(one, "half_open") > 0;

		render_row(table);
		snprintf(text, sizeof(text), "%lld", (long long)number(one, "port"));
		render_cell(table, 0, TINT_NONE, text);
		render_cell(table, 1, TINT_NONE, kernel ? listener_text(text, sizeof(text), one) : "servers");
		cell(table, 2, number(one, "half_open"));
		cell(table, 3, number(one, "v4"));
		cell(table, 4, number(one, "v6"));
		render_cell(table, 5, TINT_NONE,
			    any ? format_duration(duration, number(one, "oldest_ms") / 1000) : "-");
		cell(table, 6, sent_again(one));
		cell(table, 7,
		     json_is_integer(json_object_get(one, "syn_queue")) ? number(one, "syn_queue") : -1);
		cell_accept(table, 8, one, kernel);
	}
	if (!i)
		render_print(render,
			     kernel ? "nobody listens there\n" : "no server has a handshake under way\n");
	render_table_print(table);
	if (number(reply, "left_out"))
		render_print(render, "and %lld more; --port PORT shows one\n",
			     (long long)number(reply, "left_out"));
}

static void print_history(struct render *render, const json_t *history)
{
	const json_t *samples = json_object_get(history, "samples"), *one;
	size_t width =
		render->width > LABEL_WIDTH + PEAK_WIDTH + 10 ? render->width - LABEL_WIDTH - PEAK_WIDTH : 10;
	char line[3 * HISTORY_MAX + 1], label[FORMAT_SIZE] = "all ports", most[FORMAT_SIZE];
	int64_t values[HISTORY_MAX], peak;
	size_t i, count = 0;

	json_array_foreach(samples, i, one)
		if (count < HISTORY_MAX)
			values[count++] = json_is_integer(one) ? json_integer_value(one) : -1;
	if (!count)
		return;
	if (width > 60)
		width = 60; /* ten seconds each */
	if (json_is_integer(json_object_get(history, "port")))
		snprintf(label, sizeof(label), "port %lld", (long long)number(history, "port"));
	format_sparkline(line, width, values, count, !strcmp(nl_langinfo(CODESET), "UTF-8"), &peak);
	render_print(render, "%-*s%s  peak %s\n", LABEL_WIDTH, label, line,
		     format_count(most, peak < 0 ? 0 : peak));
}

static void print_histories(struct render *render, const json_t *histories)
{
	const json_t *one;
	size_t i;

	if (!json_array_size(histories))
		return;
	render_print(render, "\n");
	render_tinted(render, TINT_HEAD, "HALF-OPEN IN THE LAST 10 MINUTES");
	render_print(render, "\n");
	json_array_foreach(histories, i, one)
		print_history(render, one);
}

static void print_cost(struct render *render, const json_t *reply)
{
	int64_t every_s = number(reply, "every_s");

	if (*string(reply, "error"))
		render_tinted(render, TINT_BAD, "the kernel's sockets could not be read: %s\n",
			      string(reply, "error"));
	if (every_s > 1)
		render_tinted(
			render, TINT_WARN,
			"counting so many takes %lld ms of CPU: done every %lld s, last %lld s ago; SYN "
			"QUEUE is of this second\n",
			(long long)number(reply, "cost_us") / 1000, (long long)every_s,
			(long long)number(reply, "age_ms") / 1000);
}

void show_syn_recv(struct render *render, const json_t *reply)
{
	char all[FORMAT_SIZE], v4[FORMAT_SIZE], v6[FORMAT_SIZE];

	show_alarms(render, reply);
	render_print(render, "%s half-open: IPv4 %s, IPv6 %s%s\n\n",
		     format_count(all, number(reply, "half_open")), format_count(v4, number(reply, "v4")),
		     format_count(v6, number(reply, "v6")),
		     flag(reply, "kernel") ? "" : " (handshakes that servers have not done)");
	print_listeners(render, reply);
	print_histories(render, json_object_get(reply, "history"));
	print_cost(render, reply);
}
