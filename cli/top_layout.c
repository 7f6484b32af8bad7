// SPDX-License-Identifier: GPL-2.0-or-later
/* See top_layout.h. */
#include "cli/top_layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/attacks.h"
#include "cli/format.h"
#include "cli/reply.h"
#include "cli/show.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define SPARK_LEAST	  8   /* narrower says nothing */
#define SPARK_MOST	  120 /* two minutes at a look a second */
#define VERDICTS_MAX	  128
#define SUMS_FROM	  110 /* columns */

/* --- one line, column by column; what does not fit as a whole is left out, with all that follows --- */

struct line {
	struct cells *cells;
	int row, column;
	enum tint tint; /* of cells that have none of their own */
};

static void put(struct line *line, int width, bool right, enum tint tint, const char *text)
{
	if (line->column + width > line->cells->columns) {
		line->column = line->cells->columns;
		return;
	}
	if (right)
		cells_print_right(line->cells, line->row, line->column, width, tint ? tint : line->tint,
				  text);
	else
		cells_print(line->cells, line->row, line->column, width, tint ? tint : line->tint, text);
	line->column += width + 1;
}

static void put_count(struct line *line, int width, enum tint tint, int64_t count)
{
	char text[FORMAT_SIZE];

	put(line, width, true, tint, format_count(text, count));
}

static void put_duration(struct line *line, int width, int64_t seconds)
{
	char text[FORMAT_SIZE];

	put(line, width, true, TINT_NONE, format_duration(text, seconds));
}

static int width_left(const struct line *line)
{
	return line->cells->columns - line->column;
}

/* Text that goes on from where the line is, clipped at the edge. */
static void say(struct line *line, enum tint tint, const char *text)
{
	line->column += cells_print(line->cells, line->row, line->column, width_left(line),
				    tint ? tint : line->tint, text);
}

/* The newest samples that the rest of the line holds. */
static void put_spark(struct line *line, const struct top_view *view, const struct top_series *series)
{
	int width = width_left(line) < SPARK_MOST ? width_left(line) : SPARK_MOST;
	char text[3 * SPARK_MOST + 1];
	size_t shown;
	int64_t peak;

	if (width < SPARK_LEAST || !series)
		return;
	shown = series->count < (size_t)width ? series->count : (size_t)width;
	format_sparkline(text, (size_t)width, series->samples + series->count - shown, shown, view->utf8,
			 &peak);
	cells_print(line->cells, line->row, line->column, width, TINT_GOOD, text);
	line->column += width;
}

/* --- sections: a heading and rows --- */

struct drawing {
	struct cells *cells;
	const struct top_data *data;
	struct top_view *view;
};

struct section {
	int (*count)(const struct drawing *drawing); /* rows that it has to show, without the heading */
	/* The heading at row, then rows from first on, as many as count says. */
	void (*draw)(const struct drawing *drawing, int row, int first, int count);
	int most; /* rows on the overview */
};

static struct line heading(const struct drawing *d, int row)
{
	return (struct line){ d->cells, row, 0, TINT_HEAD };
}

static struct line body(const struct drawing *d, int row)
{
	return (struct line){ d->cells, row, 0, TINT_NONE };
}

/* --- text on several lines, of a table whose rows are as many lines as they need --- */

struct flow {
	int at;		  /* line of the table, counted from its beginning */
	int first, count; /* those on the screen */
	int row;	  /* that the first is on */
};

/* NULL: not on the screen. */
static struct line *flow_line(const struct drawing *d, const struct flow *flow, struct line *line)
{
	if (flow->at < flow->first || flow->at >= flow->first + flow->count)
		return NULL;
	*line = body(d, flow->row + flow->at - flow->first);
	return line;
}

/* From a column to the edge; goes on with the line after. */
static void flow_text(const struct drawing *d, struct flow *flow, int column, enum tint tint,
		      const char *text)
{
	int width = d->cells->columns - column;
	char *lines = width > 0 ? format_wrap(text, (size_t)width) : NULL, *rest = lines, *one;
	struct line line;

	while ((one = strsep(&rest, "\n"))) {
		if (flow_line(d, flow, &line))
			cells_print(d->cells, line.row, column, width, tint, one);
		flow->at++;
	}
	flow->at += !lines;
	free(lines);
}

/* --- services --- */

static int service_name_width(const struct drawing *d)
{
	int spare = d->cells->columns - 69;

	return spare < 11 ? 11 : spare > 32 ? 32 : spare;
}

static int count_services(const struct drawing *d)
{
	size_t count = json_array_size(json_object_get(d->data->status, "services"));

	return count ? (int)count : 1;
}

static void draw_service(const struct drawing *d, int row, const json_t *service)
{
	bool changed = strcmp(string(service, "mode"), string(service, "configured_mode")) != 0;
	struct line line = body(d, row);
	enum tint tint;
	const char *state = show_service_state(service, d->data->status, &tint);
	char mode[FORMAT_SIZE], answered[FORMAT_SIZE];

	snprintf(mode, sizeof(mode), "%s%s", string(service, "mode"), changed ? "*" : "");
	put(&line, service_name_width(d), false, TINT_NONE, string(service, "name"));
	put(&line, 7, false, changed ? TINT_WARN : TINT_NONE, mode);
	put(&line, 8, false, tint, !strcmp(state, "would be active") ? "would be" : state);
	put_duration(&line, 7, number(service, "since_s"));
	put_count(&line, 10, TINT_NONE, number(service, "syn_rate_pps"));
	put(&line, 10, true, TINT_NONE, show_service_answered(service, answered));
	put_count(&line, 11, TINT_NONE, number(service, "completed_pps"));
	put_count(&line, 9, TINT_NONE, number(service, "half_open"));
	put_spark(&line, d->view, top_data_find(d->data, "service", string(service, "name")));
}

static void draw_services(const struct drawing *d, int row, int first, int count)
{
	const json_t *services = json_object_get(d->data->status, "services");
	struct line line = heading(d, row);

	put(&line, service_name_width(d), false, TINT_NONE, "SERVICE");
	put(&line, 7, false, TINT_NONE, "MODE");
	put(&line, 8, false, TINT_NONE, "STATE");
	put(&line, 7, true, TINT_NONE, "SINCE");
	put(&line, 10, true, TINT_NONE, "SYN/S");
	put(&line, 10, true, TINT_NONE, "ANSWERED/S");
	put(&line, 11, true, TINT_NONE, "COMPLETED/S");
	put(&line, 9, true, TINT_NONE, "HALF-OPEN");
	if (width_left(&line) >= SPARK_LEAST)
		say(&line, TINT_NONE, "HISTORY");
	if (!json_array_size(services))
		cells_print(d->cells, row + 1, 0, d->cells->columns, TINT_WARN, "no service is configured");
	for (int i = 0; i < count; i++) {
		const json_t *service = json_array_get(services, (size_t)(first + i));

		if (service)
			draw_service(d, row + 1 + i, service);
	}
}

/* --- verdicts --- */

struct verdict {
	const char *name, *meaning;
	int64_t packets, would, rate;
};

struct verdicts {
	struct verdict rows[VERDICTS_MAX];
	int count;
	bool would;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct verdict *)a)->name, ((const struct verdict *)b)->name);
}

static int by_packets(const void *a, const void *b)
{
	const struct verdict *first = a, *second = b;

	if (first->packets != second->packets)
		return first->packets < second->packets ? 1 : -1;
	return by_name(a, b);
}

static int by_rate(const void *a, const void *b)
{
	const struct verdict *first = a, *second = b;

	if (first->rate != second->rate)
		return first->rate < second->rate ? 1 : -1;
	return by_packets(a, b);
}

/* Those that have happened, or would have. */
static void read_verdicts(const struct drawing *d, struct verdicts *verdicts)
{
	static int (*const orders[])(const void *, const void *) = {
		[TOP_SORT_RATE] = by_rate, [TOP_SORT_PACKETS] = by_packets, [TOP_SORT_NAME] = by_name
	};
	const char *name;
	json_t *verdict;

	verdicts->count = 0;
	verdicts->would = false;
	json_object_foreach(json_object_get(d->data->status, "verdicts"), name, verdict) {
		const struct top_series *series = top_data_find(d->data, "verdict", name);
		struct verdict row = { name, string(verdict, "meaning"), number(verdict, "packets"),
				       number(verdict, "would"), series ? series->rate : 0 };

		if ((row.packets || row.would) && verdicts->count < VERDICTS_MAX)
			verdicts->rows[verdicts->count++] = row;
		verdicts->would |= row.would > 0;
	}
	qsort(verdicts->rows, (size_t)verdicts->count, sizeof(*verdicts->rows), orders[d->view->sort]);
}

static enum tint verdict_tint(const struct verdict *verdict)
{
	if (!strcmp(verdict->name, "drop_internal"))
		return TINT_BAD;
	return verdict->rate > 0 && !strncmp(verdict->name, "drop_", 5) ? TINT_WARN : TINT_NONE;
}

/* A narrow page gives its room to what verdicts mean; the overview has the sums. */
static bool shows_sums(const struct drawing *d)
{
	return d->view->page != TOP_VERDICTS || d->cells->columns >= SUMS_FROM;
}

/* The meaning is for flow_text, behind it. */
static void draw_verdict(const struct drawing *d, struct line *line, const struct verdict *verdict,
			 bool would)
{
	put(line, 24, false, verdict_tint(verdict), verdict->name);
	put_count(line, 10, TINT_NONE, verdict->rate);
	if (shows_sums(d))
		put_count(line, 15, TINT_NONE, verdict->packets);
	if (would && shows_sums(d))
		put_count(line, 11, TINT_NONE, verdict->would);
	if (d->view->page != TOP_VERDICTS)
		put_spark(line, d->view, top_data_find(d->data, "verdict", verdict->name));
}

static void flow_verdicts(const struct drawing *d, const struct verdicts *verdicts, struct flow *flow)
{
	int column = 36 + (shows_sums(d) ? 16 + 12 * verdicts->would : 0);
	struct line line;

	for (int i = 0; i < verdicts->count; i++) {
		if (flow_line(d, flow, &line))
			draw_verdict(d, &line, &verdicts->rows[i], verdicts->would);
		if (d->view->page == TOP_VERDICTS)
			flow_text(d, flow, column, TINT_NONE, verdicts->rows[i].meaning);
		else
			flow->at++;
	}
}

static int count_verdicts(const struct drawing *d)
{
	struct verdicts verdicts;
	struct flow flow = { 0 };

	read_verdicts(d, &verdicts);
	flow_verdicts(d, &verdicts, &flow);
	return flow.at ? flow.at : 1;
}

static void draw_verdicts(const struct drawing *d, int row, int first, int count)
{
	static const char *const headings[] = { [TOP_SORT_RATE] = "VERDICT, by rate",
						[TOP_SORT_PACKETS] = "VERDICT, by packets",
						[TOP_SORT_NAME] = "VERDICT, by name" };
	struct flow flow = { .first = first, .count = count, .row = row + 1 };
	struct line line = heading(d, row);
	struct verdicts verdicts;

	read_verdicts(d, &verdicts);
	put(&line, 24, false, TINT_NONE, headings[d->view->sort]);
	put(&line, 10, true, TINT_NONE, "PACKETS/S");
	if (shows_sums(d))
		put(&line, 15, true, TINT_NONE, "PACKETS");
	if (verdicts.would && shows_sums(d))
		put(&line, 11, true, TINT_NONE, "WOULD BE");
	if (d->view->page == TOP_VERDICTS)
		say(&line, TINT_NONE, "MEANING");
	else if (width_left(&line) >= SPARK_LEAST)
		say(&line, TINT_NONE, "HISTORY");
	if (!verdicts.count)
		cells_print(d->cells, row + 1, 0, d->cells->columns, TINT_NONE, "no packet seen yet");
	flow_verdicts(d, &verdicts, &flow);
}

/* --- sources --- */

static int count_sources(const struct drawing *d)
{
	size_t count = json_array_size(json_object_get(d->data->sources, "sources"));

	return count ? (int)count : 1;
}

static const char *why_no_sources(const struct drawing *d)
{
	if (d->data->sources_denied)
		return "single addresses are for root and the control group to see: sudo synmoat top";
	if (!d->data->sources)
		return "not known";
	if (!flag(d->data->sources, "accounting"))
		return "nothing is counted: limits.mode is off (synmoat limit set mode monitor)";
	return "no source stands out";
}

static void draw_source(const struct drawing *d, int row, const json_t *source)
{
	int64_t begun = number(source, "begun"), completed = number(source, "completed");
	struct line line = body(d, row);
	char text[FORMAT_SIZE];

	put(&line, 24, false, TINT_NONE, string(source, "prefix"));
	put_count(&line, 10, TINT_NONE, number(source, "half_open"));
	put_count(&line, 8, TINT_NONE, number(source, "held"));
	put_count(&line, 10, TINT_NONE, number(source, "syn_rate_pps"));
	snprintf(text, sizeof(text), "%.0f %%", begun ? 100.0 * (double)completed / (double)begun : 0.0);
	put(&line, 9, true, flag(source, "proven") ? TINT_GOOD : TINT_NONE, text);
	put_count(&line, 9, TINT_NONE, number(source, "dropped"));
}

static void draw_sources(const struct drawing *d, int row, int first, int count)
{
	static const char *const orders[] = { [TOP_ORDER_HALF_OPEN] = "half-open",
					      [TOP_ORDER_RATE] = "answered",
					      [TOP_ORDER_DROPPED] = "dropped" };
	const json_t *sources = json_object_get(d->data->sources, "sources");
	struct line line = heading(d, row);
	char text[64];

	snprintf(text, sizeof(text), "SOURCE, by %s", orders[d->view->order]);
	put(&line, 24, false, TINT_NONE, text);
	put(&line, 10, true, TINT_NONE, "HALF-OPEN");
	put(&line, 8, true, TINT_NONE, "HELD");
	put(&line, 10, true, TINT_NONE, "ANSWERED/S");
	put(&line, 9, true, TINT_NONE, "COMPLETED");
	put(&line, 9, true, TINT_NONE, show_source_drops(d->data->sources));
	if (!json_array_size(sources))
		cells_print(d->cells, row + 1, 0, d->cells->columns, TINT_NONE, why_no_sources(d));
	for (int i = 0; i < count; i++) {
		const json_t *source = json_array_get(sources, (size_t)(first + i));

		if (source)
			draw_source(d, row + 1 + i, source);
	}
}

/* --- SYN_RECV --- */

static int count_syn_recv(const struct drawing *d)
{
	size_t count = json_array_size(json_object_get(d->data->syn_recv, "listeners"));

	return count ? (int)count : 1;
}

static const char *accept_queue_text(const json_t *listener, char *text, size_t size)
{
	char waiting[FORMAT_SIZE], most[FORMAT_SIZE];

	snprintf(text, size, "%s/%s", format_count(waiting, number(listener, "accept_queue")),
		 format_count(most, number(listener, "accept_limit")));
	return number(listener, "sockets") ? text : "-";
}

/* "[::]:443", as ss has it; inline the servers are elsewhere. */
static const char *listener_text(const struct drawing *d, const json_t *listener, char *text, size_t size)
{
	const char *address = string(listener, "address");

	if (!flag(d->data->syn_recv, "kernel"))
		snprintf(text, size, "port %" PRId64 ", of servers", number(listener, "port"));
	else
		snprintf(text, size, strchr(address, ':') ? "[%s]:%" PRId64 : "%s:%" PRId64, address,
			 number(listener, "port"));
	return text;
}

static void draw_listener(const struct drawing *d, int row, const json_t *listener)
{
	struct line line = body(d, row);
	char text[128];

	put(&line, 29, false, TINT_NONE, listener_text(d, listener, text, sizeof(text)));
	put_count(&line, 10, TINT_NONE, number(listener, "half_open"));
	put_count(&line, 9, TINT_NONE, number(listener, "v4"));
	put_count(&line, 9, TINT_NONE, number(listener, "v6"));
	put(&line, 13, true, flag(listener, "accept_full") ? TINT_BAD : TINT_NONE,
	    accept_queue_text(listener, text, sizeof(text)));
}

static void draw_syn_recv(const struct drawing *d, int row, int first, int count)
{
	const json_t *listeners = json_object_get(d->data->syn_recv, "listeners");
	struct line line = heading(d, row);

	put(&line, 29, false, TINT_NONE, "SYN_RECV, by listener");
	put(&line, 10, true, TINT_NONE, "HALF-OPEN");
	put(&line, 9, true, TINT_NONE, "IPV4");
	put(&line, 9, true, TINT_NONE, "IPV6");
	put(&line, 13, true, TINT_NONE, "TO ACCEPT");
	if (!json_array_size(listeners))
		cells_print(d->cells, row + 1, 0, d->cells->columns, TINT_NONE,
			    d->data->syn_recv ? "no half-open" : "not known");
	for (int i = 0; i < count; i++) {
		const json_t *listener = json_array_get(listeners, (size_t)(first + i));

		if (listener)
			draw_listener(d, row + 1 + i, listener);
	}
}

/* --- events: the newest first --- */

/* "2026-11-21T18:25:13.000123Z" by the local clock, with the day where that is another one. */
static const char *event_clock(const struct drawing *d, const json_t *event, char text[FORMAT_SIZE])
{
	struct tm tm = { 0 }, today;
	time_t seconds;

	if (!strptime(string(event, "time"), "%Y-%m-%dT%H:%M:%S", &tm))
		return "";
	seconds = timegm(&tm);
	localtime_r(&seconds, &tm);
	localtime_r(&d->view->now, &today);
	strftime(text, FORMAT_SIZE, tm.tm_yday == today.tm_yday ? "%H:%M:%S" : "%b %d", &tm);
	return text;
}

static enum tint event_tint(const json_t *event)
{
	static const struct {
		const char *severity;
		enum tint tint;
	} rows[] = {
		{ "alert", TINT_BAD }, { "crit", TINT_BAD }, { "err", TINT_BAD }, { "warning", TINT_WARN }
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].severity, string(event, "severity")))
			return rows[i].tint;
	return TINT_NONE;
}

/* A line each, but on their own page as many as they need. */
static void flow_events(const struct drawing *d, struct flow *flow)
{
	char text[FORMAT_SIZE];
	struct line line;

	for (size_t i = json_array_size(d->data->events); i-- > 0;) {
		const json_t *event = json_array_get(d->data->events, i);
		enum tint tint = event_tint(event);
		bool shown = flow_line(d, flow, &line);

		if (shown)
			put(&line, 8, false, TINT_NONE, event_clock(d, event, text));
		if (d->view->page == TOP_EVENTS)
			flow_text(d, flow, 9, tint, string(event, "text"));
		else if (shown)
			say(&line, tint, string(event, "text"));
		flow->at += d->view->page != TOP_EVENTS;
	}
}

static int count_events(const struct drawing *d)
{
	struct flow flow = { 0 };

	flow_events(d, &flow);
	return flow.at ? flow.at : 1;
}

static void draw_events(const struct drawing *d, int row, int first, int count)
{
	struct flow flow = { .first = first, .count = count, .row = row + 1 };
	struct line line = heading(d, row);

	put(&line, 8, false, TINT_NONE, "WHEN");
	say(&line, TINT_NONE, "EVENT");
	if (!json_array_size(d->data->events))
		cells_print(d->cells, row + 1, 0, d->cells->columns, TINT_NONE,
			    d->data->events ? "none" : "not known");
	flow_events(d, &flow);
}

/* --- the head of every page --- */

static void draw_title(const struct drawing *d)
{
	const json_t *status = d->data->status, *interface;
	struct line line = heading(d, 0);
	char text[128], up[FORMAT_SIZE], clock[FORMAT_SIZE];
	const char *rest = d->view->paused ? "  PAUSED" : "";
	size_t i;

	snprintf(text, sizeof(text), "synmoat %s", string(status, "version"));
	say(&line, TINT_HEAD, text);
	line.tint = TINT_NONE;
	snprintf(text, sizeof(text), "  %s, up %s", string(status, "deployment"),
		 format_duration(up, number(status, "uptime_s")));
	if (status)
		say(&line, TINT_NONE, text);
	json_array_foreach(json_object_get(status, "interfaces"), i, interface) {
		bool attached = flag(interface, "attached");

		snprintf(text, sizeof(text), "  %s %s", string(interface, "name"),
			 attached ? string(interface, "xdp") : "NOT DEFENDED");
		say(&line, !attached ? TINT_BAD : flag(interface, "up") ? TINT_NONE : TINT_WARN, text);
	}
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&d->view->now));
	snprintf(text, sizeof(text), "  %s  every %g s%s", clock, d->view->interval_s, rest);
	if ((int)strlen(text) <= width_left(&line))
		cells_print_right(d->cells, 0, line.column, width_left(&line), TINT_NONE, text);
	else
		cells_print_right(d->cells, 0, line.column, width_left(&line), TINT_WARN, rest);
}

static void draw_sums(const struct drawing *d, int row)
{
	const struct top_series *packets = top_data_find(d->data, "all", "packets"),
				*dropped = top_data_find(d->data, "all", "dropped");
	struct line line = body(d, row);
	const struct top_series *answered = top_data_find(d->data, "verdict", "tx_synack");
	char text[96], count[FORMAT_SIZE], drops[FORMAT_SIZE];

	if (!packets || !dropped)
		return;
	snprintf(text, sizeof(text), "%s packets/s", format_count(count, packets->rate));
	say(&line, TINT_HEAD, text);
	snprintf(text, sizeof(text), ": %s answered, ", format_count(count, answered ? answered->rate : 0));
	say(&line, TINT_NONE, text);
	snprintf(text, sizeof(text), "%s dropped  ", format_count(drops, dropped->rate));
	say(&line, dropped->rate ? TINT_WARN : TINT_NONE, text);
	put_spark(&line, d->view, packets);
}

/* "web: UNDER ATTACK (forged) for 7s, peak 200,000 SYN/s, about 190,000 sources" */
static void draw_attack(const struct drawing *d, int row, const char *name, const json_t *attack)
{
	char text[160], class[32], lasted[3 * FORMAT_SIZE], peak[FORMAT_SIZE], sources[FORMAT_SIZE];
	bool crowd = !strcmp(string(attack, "class"), "crowd"), calm = number(attack, "calm_s") > 0;
	struct line line = body(d, row);

	snprintf(class, sizeof(class), "%s", string(attack, "class"));
	for (char *at = class; *at; at++)
		if (*at == '_')
			*at = ' ';
	snprintf(text, sizeof(text), "%s: ", name);
	say(&line, TINT_HEAD, text);
	if (crowd)
		snprintf(text, sizeof(text), "A CROWD of real clients");
	else
		snprintf(text, sizeof(text), calm ? "attack (%s)" : "UNDER ATTACK (%s)", class);
	say(&line, crowd || calm ? TINT_WARN : TINT_BAD, text);
	snprintf(text, sizeof(text), " %s, peak %s SYN/s, about %s source%s",
		 attacks_duration(lasted, sizeof(lasted), attack),
		 format_count(peak, number(attack, "peak_pps")),
		 format_count(sources, number(attack, "sources")), number(attack, "sources") == 1 ? "" : "s");
	say(&line, TINT_NONE, text);
}

/* What must not be missed; returns the row after. */
static int draw_alarms(const struct drawing *d, int row)
{
	const json_t *service, *attack;
	char text[256], seen[FORMAT_SIZE];
	size_t i;

	if (d->data->error) {
		bool hangs = d->data->error == -EAGAIN;

		if (d->data->seen)
			strftime(seen, sizeof(seen), "%H:%M:%S", localtime(&d->data->seen));
		snprintf(text, sizeof(text), "%s%s%s",
			 hangs ? "DAEMON HANGS: takes calls, does not answer"
			       : "DAEMON NOT RUNNING (trying again)",
			 d->data->seen ? "; what stands here is of " : "", d->data->seen ? seen : "");
		cells_print(d->cells, row++, 0, d->cells->columns, TINT_BAD, text);
	}
	for (i = 0; show_alarm(d->data->status, i, text, sizeof(text)); i++)
		cells_print(d->cells, row++, 0, d->cells->columns, TINT_BAD, text);
	json_array_foreach(json_object_get(d->data->status, "services"), i, service) {
		attack = json_object_get(service, "attack");
		if (flag(attack, "going_on"))
			draw_attack(d, row++, string(service, "name"), attack);
	}
	return row;
}

/* --- the foot --- */

static void draw_keys(const struct drawing *d)
{
	static const char *const pages[] = {
		[TOP_OVERVIEW] = "1 all",    [TOP_SERVICES] = "2 services", [TOP_VERDICTS] = "3 verdicts",
		[TOP_SOURCES] = "4 sources", [TOP_SYN_RECV] = "5 syn-recv", [TOP_EVENTS] = "6 events",
	};
	struct line line = body(d, d->cells->rows - 1);

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		say(&line, i == d->view->page ? TINT_HEAD : TINT_NONE, pages[i]);
		say(&line, TINT_NONE, " ");
	}
	say(&line, TINT_NONE, " p pause ? help q quit");
}

static void draw_help(const struct drawing *d, int row)
{
	static const char *const lines[] = {
		"1 2 3 4 5 6, Tab   all; services; verdicts; sources; syn-recv; events",
		"s                  next order: of verdicts by rate, packets, name; of sources by",
		"                   half-open, answered, dropped",
		"p, space           pause: what stands there stays; again: go on",
		"i, + -             every 0.5, 1, 2, 5 or 10 seconds",
		"up down, PgUp PgDn the rest of a page's table",
		"? h                this; any key ends it",
		"q                  quit",
		"",
		"Sparklines begin with top; each mark is one look. ANSWERED/S: SYNs answered with a",
		"cookie; COMPLETED/S: cookies that came back. A mode with * was set at runtime.",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		cells_print(d->cells, row + (int)i, 0, d->cells->columns, TINT_NONE, lines[i]);
}

/* --- pages --- */

static const struct section sections[TOP_PAGES] = {
	[TOP_SERVICES] = { count_services, draw_services, 6 },
	[TOP_VERDICTS] = { count_verdicts, draw_verdicts, 8 },
	[TOP_SOURCES] = { count_sources, draw_sources, 5 },
	[TOP_SYN_RECV] = { count_syn_recv, draw_syn_recv, 3 },
	[TOP_EVENTS] = { count_events, draw_events, 5 },
};

/* What is more urgent has its place first; then all grow in turn until nothing is left. Rows with the
 * heading; 0: left out. */
static void share_rows(const struct drawing *d, int rows, int given[TOP_PAGES])
{
	static const enum top_page urgent[] = { TOP_SERVICES, TOP_VERDICTS, TOP_SOURCES, TOP_EVENTS,
						TOP_SYN_RECV };
	bool grown = true;

	memset(given, 0, TOP_PAGES * sizeof(*given));
	for (size_t i = 0; i < ARRAY_SIZE(urgent) && rows >= 2; i++) {
		given[urgent[i]] = 2;
		rows -= 2;
	}
	while (rows > 0 && grown) {
		grown = false;
		for (size_t i = 0; i < ARRAY_SIZE(urgent) && rows > 0; i++) {
			const struct section *section = &sections[urgent[i]];
			int wanted = section->count(d);

			wanted = wanted < section->most ? wanted : section->most;
			if (!given[urgent[i]] || given[urgent[i]] > wanted)
				continue;
			given[urgent[i]]++;
			rows--;
			grown = true;
		}
	}
}

static void draw_overview(const struct drawing *d, int row, int end)
{
	int given[TOP_PAGES], gaps = end - row, used = 0;

	share_rows(d, end - row, given);
	for (int page = 0; page < TOP_PAGES; page++)
		used += given[page];
	gaps -= used; /* blank lines between sections, as far as there is room */
	for (int page = 0; page < TOP_PAGES; page++) {
		if (!given[page])
			continue;
		sections[page].draw(d, row, 0, given[page] - 1);
		row += given[page] + (gaps > 0);
		gaps--;
	}
}

static void draw_page(const struct drawing *d, int row, int end)
{
	const struct section *section = &sections[d->view->page];
	int count = section->count(d), room = end - row - 1, most = count > room ? count - room : 0;
	char text[48];

	if (d->view->scroll > most)
		d->view->scroll = most;
	if (d->view->scroll < 0)
		d->view->scroll = 0;
	section->draw(d, row, d->view->scroll, room < count ? room : count);
	if (most && end < d->cells->rows) {
		snprintf(text, sizeof(text), " %d-%d of %d ", d->view->scroll + 1, d->view->scroll + room,
			 count);
		cells_print_right(d->cells, row, 0, d->cells->columns, TINT_NONE, text);
	}
}

void top_layout_draw(struct cells *cells, const struct top_data *data, struct top_view *view)
{
	struct drawing d = { cells, data, view };
	int row, end = cells->rows - 1;

	draw_title(&d);
	draw_sums(&d, 1);
	row = draw_alarms(&d, data->status ? 2 : 1);
	if (view->help)
		draw_help(&d, row + 1);
	else if (data->status && view->page == TOP_OVERVIEW)
		draw_overview(&d, row, end);
	else if (data->status)
		draw_page(&d, row, end);
	if (end > row)
		draw_keys(&d);
}
