// SPDX-License-Identifier: GPL-2.0-or-later
/* The daemon's replies for people. Order: small helpers, tables that several replies share, the replies. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/attacks.h"
#include "cli/format.h"
#include "cli/protected.h"
#include "cli/render.h"
#include "cli/show.h"
#include "cli/reply.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define LABEL_WIDTH	  14
#define SERVICES_WIDTH	  100 /* of the table of services; a narrower terminal gets states on two lines */
#define ASYMMETRIC                                                                                           \
	": its servers' answers do not come back through here (DSR), so it cannot be defended inline"
#define ITEMS_ON_TTY 24 /* of a service's prefixes and ports; without a terminal all are listed */

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

static void warn(struct render *render, const char *subject, const char *text)
{
	render_tinted(render, TINT_WARN, "%s%s", subject, text);
	render_print(render, "\n");
}

static void cell_count(struct table *table, size_t column, int64_t count)
{
	char buffer[FORMAT_SIZE];

	render_cell(table, column, TINT_NONE, format_count(buffer, count));
}

static void cell_duration(struct table *table, size_t column, int64_t seconds)
{
	char buffer[FORMAT_SIZE];

	render_cell(table, column, TINT_NONE, format_duration(buffer, seconds));
}

/* --- alarms --- */

static const struct alarm {
	const char *key, *text;
} alarms[] = {
	{ "bypass", "BYPASS IS ON: no new cookies, no drops. It ends with: synmoat bypass off" },
	{ "draining", "DRAINING: no new cookies, no drops. It ends with: synmoat drain --cancel" },
	{ "syncookies_off", "NOTHING IS DEFENDED. It ends with: sysctl -w net.ipv4.tcp_syncookies=1" },
	{ "answers_lost",
	  "NO COOKIE LEAVES THE VETH. It ends with, in its peer's namespace: synmoatd --pass PEER" },
};

/* What there is to set, each with its value. */
static void format_forwarding(const json_t *reply, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "THE KERNEL FORWARDS NOTHING. It ends with: sysctl -w");
	char names[512], *rest = names;
	const char *name;

	snprintf(names, sizeof(names), "%s", string(reply, "forwarding_off"));
	while ((name = strsep(&rest, " ")) && used < size)
		used += (size_t)snprintf(text + used, size - used, " %s=1", name);
}

bool show_alarm(const json_t *reply, size_t index, char *text, size_t size)
{
	if (*string(reply, "forwarding_off") && index-- == 0) {
		format_forwarding(reply, text, size);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(alarms); i++)
		if (flag(reply, alarms[i].key) && index-- == 0) {
			snprintf(text, size, "%s", alarms[i].text);
			return true;
		}
	return false;
}

/* Whether there was any. */
static bool print_alarms(struct render *render, const json_t *reply)
{
	char text[640];
	size_t i;

	for (i = 0; show_alarm(reply, i, text, sizeof(text)); i++) {
		render_tinted(render, TINT_BAD, "%s", text);
		render_print(render, "\n");
	}
	return i > 0;
}

/* With a blank line between them and what follows. */
void show_alarms(struct render *render, const json_t *reply)
{
	if (print_alarms(render, reply))
		render_print(render, "\n");
}

/* --- interfaces --- */

static enum tint interface_tint(const json_t *interface)
{
	if (!flag(interface, "attached"))
		return TINT_BAD;
	return flag(interface, "up") ? TINT_GOOD : TINT_WARN;
}

static const char *interface_state(const json_t *interface)
{
	if (flag(interface, "attached"))
		return "attached";
	return flag(interface, "present") ? "not attached" : "missing";
}

static bool any_has_reason(const json_t *interfaces)
{
	const json_t *interface;
	bool any = false;
	size_t i;

	json_array_foreach(interfaces, i, interface)
		any |= *string(interface, "reason") != '\0';
	return any;
}

static void interface_row(struct table *table, const json_t *interface, bool reasons)
{
	bool present = flag(interface, "present");

	render_row(table);
	render_cell(table, 0, TINT_NONE, string(interface, "name"));
	render_cell(table, 1, TINT_NONE, !present ? "-" : flag(interface, "up") ? "up" : "down");
	if (present)
		cell_count(table, 2, number(interface, "mtu"));
	else
		render_cell(table, 2, TINT_NONE, "-");
	render_cell(table, 3, TINT_NONE, or_dash(string(interface, "xdp")));
	render_cell(table, 4, interface_tint(interface), interface_state(interface));
	if (reasons)
		render_cell(table, 5, TINT_NONE, or_dash(string(interface, "reason")));
}

static void print_interfaces(struct render *render, const json_t *interfaces)
{
	static const struct column columns[] = {
		{ "INTERFACE", COLUMN_LEFT }, { "LINK", COLUMN_LEFT },	{ "MTU", COLUMN_RIGHT },
		{ "XDP", COLUMN_LEFT },	      { "STATE", COLUMN_LEFT }, { "REASON", COLUMN_WRAP },
	};
	bool reasons = any_has_reason(interfaces);
	struct table *table = render_table(render, columns, ARRAY_SIZE(columns) - !reasons);
	const json_t *interface;
	size_t i;

	json_array_foreach(interfaces, i, interface)
		interface_row(table, interface, reasons);
	render_table_print(table);
}

/* --- services --- */

struct state {
	const char *text;
	const char *narrow; /* the same on two lines; NULL: short enough */
	enum tint tint;
};

static bool is_monitored(const json_t *service)
{
	return !strcmp(string(service, "mode"), "monitor");
}

/* What the mitigation comes to: it answers nothing while an alarm of the whole reply stands, or in mode
 * monitor. */
static struct state state_of(const json_t *service, const json_t *reply)
{
	const char *mitigation = string(service, "mitigation");

	if (strcmp(mitigation, "active") != 0)
		return (struct state){ mitigation, NULL,
				       strcmp(mitigation, "grace") ? TINT_NONE : TINT_WARN };
	if (flag(reply, "bypass") || flag(reply, "draining") || flag(reply, "syncookies_off"))
		return (struct state){ "bypassed", NULL, TINT_BAD };
	if (is_monitored(service))
		return (struct state){ "would be active", "would be\nactive", TINT_WARN };
	return (struct state){ mitigation, NULL, TINT_BAD };
}

const char *show_service_state(const json_t *service, const json_t *reply, enum tint *tint)
{
	struct state state = state_of(service, reply);

	*tint = state.tint;
	return state.text;
}

/* What would have been answered is in parentheses. */
const char *show_service_answered(const json_t *service, char buffer[FORMAT_SIZE])
{
	char count[FORMAT_SIZE];

	format_count(count, number(service, "answered_pps"));
	snprintf(buffer, FORMAT_SIZE, is_monitored(service) ? "(%.29s)" : "%.31s", count);
	return buffer;
}

static bool mode_is_changed(const json_t *service)
{
	return strcmp(string(service, "mode"), string(service, "configured_mode")) != 0;
}

static void cell_mode(struct table *table, size_t column, const json_t *service)
{
	char mode[FORMAT_SIZE];

	snprintf(mode, sizeof(mode), "%s%s", string(service, "mode"), mode_is_changed(service) ? "*" : "");
	render_cell(table, column, mode_is_changed(service) ? TINT_WARN : TINT_NONE, mode);
}

static void service_row(struct table *table, const json_t *service, const json_t *reply, bool narrow)
{
	struct state state = state_of(service, reply);
	char answered[FORMAT_SIZE];

	render_row(table);
	render_cell(table, 0, TINT_NONE, string(service, "name"));
	cell_mode(table, 1, service);
	render_cell(table, 2, state.tint, narrow && state.narrow ? state.narrow : state.text);
	cell_duration(table, 3, number(service, "since_s"));
	cell_count(table, 4, number(service, "syn_rate_pps"));
	render_cell(table, 5, TINT_NONE, show_service_answered(service, answered));
	cell_count(table, 6, number(service, "completed_pps"));
	cell_count(table, 7, number(service, "half_open"));
}

static void print_service_notes(struct render *render, const json_t *services)
{
	const json_t *service;
	bool changed = false, would = false;
	size_t i;

	json_array_foreach(services, i, service) {
		changed |= mode_is_changed(service);
		would |= is_monitored(service) && number(service, "answered_pps");
		if (flag(service, "mptcp_listener"))
			warn(render, string(service, "name"),
			     ": MPTCP listener, left to the kernel's own cookies");
		if (flag(service, "asymmetric"))
			warn(render, string(service, "name"), ASYMMETRIC);
	}
	if (changed)
		render_print(render, "* set at runtime; the configuration says otherwise\n");
	if (would)
		render_print(render, "( ) would have been answered; mode monitor only counts\n");
}

static void print_services(struct render *render, const json_t *reply)
{
	static const struct column columns[] = {
		{ "SERVICE", COLUMN_FOLD },	 { "MODE", COLUMN_LEFT },
		{ "STATE", COLUMN_LINES },	 { "SINCE", COLUMN_RIGHT },
		{ "SYN/S", COLUMN_RIGHT },	 { "ANSWERED/S", COLUMN_RIGHT },
		{ "COMPLETED/S", COLUMN_RIGHT }, { "HALF-OPEN", COLUMN_RIGHT },
	};
	struct table *table = render_table(render, columns, ARRAY_SIZE(columns));
	const json_t *services = json_object_get(reply, "services"), *service;
	bool narrow = render->tty && render->width < SERVICES_WIDTH;
	size_t i;

	if (!json_array_size(services))
		render_print(render, "no service is configured\n");
	json_array_foreach(services, i, service)
		service_row(table, service, reply, narrow);
	render_table_print(table);
	print_service_notes(render, services);
	attacks_print_services(render, services);
}

/* --- verdicts and handovers --- */

struct sums {
	int64_t packets;
	bool would; /* there is any */
};

static struct sums sum_verdicts(json_t *verdicts)
{
	struct sums sums = { 0 };
	const char *name;
	json_t *verdict;

	json_object_foreach(verdicts, name, verdict) {
		sums.packets += number(verdict, "packets");
		sums.would |= number(verdict, "would") > 0;
	}
	return sums;
}

static enum tint verdict_tint(const char *name)
{
	return !strcmp(name, "drop_internal") ? TINT_BAD : TINT_NONE;
}

/* A row; would NULL: the table has no such column. */
static void verdict_row(struct table *table, enum tint tint, const char *name, int64_t packets,
			const char *would, const char *meaning)
{
	size_t column = 0;

	render_row(table);
	render_cell(table, column++, tint, name);
	cell_count(table, column++, packets);
	if (would)
		render_cell(table, column++, TINT_NONE, would);
	render_cell(table, column, TINT_NONE, meaning);
}

/* Those that happened, or would have; then the sum of the former, which sum_meaning explains. Limits and
 * policies count what would have been each for itself, so that a packet may be in several lines of it. */
static void print_verdicts(struct render *render, json_t *verdicts, const char *sum_meaning)
{
	static const struct column all[] = {
		{ "VERDICT", COLUMN_LEFT },
		{ "PACKETS", COLUMN_RIGHT },
		{ "MEANING", COLUMN_WRAP },
	};
	static const struct column monitored[] = {
		{ "VERDICT", COLUMN_LEFT },
		{ "PACKETS", COLUMN_RIGHT },
		{ "WOULD BE", COLUMN_RIGHT },
		{ "MEANING", COLUMN_WRAP },
	};
	struct sums sums = sum_verdicts(verdicts);
	struct table *table;
	const char *name;
	json_t *verdict;

	if (!sums.packets && !sums.would) {
		render_print(render, "no packet seen yet\n");
		return;
	}
	table = sums.would ? render_table(render, monitored, ARRAY_SIZE(monitored))
			   : render_table(render, all, ARRAY_SIZE(all));
	json_object_foreach(verdicts, name, verdict) {
		int64_t packets = number(verdict, "packets"), would = number(verdict, "would");
		char count[FORMAT_SIZE];

		if (packets || would)
			verdict_row(table, verdict_tint(name), name, packets,
				    sums.would ? format_count(count, would) : NULL,
				    string(verdict, "meaning"));
	}
	verdict_row(table, TINT_HEAD, "sum", sums.packets, sums.would ? "-" : NULL, sum_meaning);
	render_table_print(table);
}

static void print_handovers(struct render *render, json_t *handovers, const char *last_error)
{
	static const struct column columns[] = {
		{ "HANDOVER", COLUMN_LEFT },
		{ "SEGMENTS", COLUMN_RIGHT }, /* of an established connection there may be many */
		{ "MEANING", COLUMN_WRAP },
	};
	struct table *table = render_table(render, columns, ARRAY_SIZE(columns));
	const char *name;
	json_t *handover;
	bool any = false;

	json_object_foreach(handovers, name, handover) {
		if (!number(handover, "connections"))
			continue;
		if (!any)
			render_print(render, "\n");
		any = true;
		render_row(table);
		render_cell(table, 0, strcmp(name, "refused") ? TINT_NONE : TINT_BAD, name);
		cell_count(table, 1, number(handover, "connections"));
		render_cell(table, 2, TINT_NONE, string(handover, "meaning"));
	}
	render_table_print(table);
	if (*last_error)
		warn(render, "last handover error: ", last_error);
}

/* --- status --- */

static void print_key(struct render *render, const json_t *key)
{
	char buffer[FORMAT_SIZE];

	render_print(render, "cookie key %s old", format_duration(buffer, number(key, "age_s")));
	if (flag(key, "rotation_pending"))
		render_print(render, ", next in %s", format_duration(buffer, number(key, "rotation_in_s")));
}

/* "policies: sanity monitor" */
static void print_policy(struct render *render, json_t *policy)
{
	const char *separator = "policies: ";
	const char *name;
	json_t *mode;

	json_object_foreach(policy, name, mode) {
		render_print(render, "%s%s ", separator, name);
		render_tinted(render, strcmp(json_string_value(mode), "enforce") ? TINT_NONE : TINT_GOOD,
			      "%s", json_string_value(mode));
		separator = ", ";
	}
	if (json_object_size(policy))
		render_print(render, "\n");
}

static void print_past(struct render *render, int64_t count, const char *one, const char *many)
{
	char buffer[FORMAT_SIZE];

	if (count)
		render_print(render, "%s %s\n", format_count(buffer, count), count == 1 ? one : many);
}

static void print_headline(struct render *render, const json_t *reply)
{
	char buffer[FORMAT_SIZE];

	render_tinted(render, TINT_HEAD, "synmoat %s", string(reply, "version"));
	render_print(render, ", %s deployment, up %s, ", string(reply, "deployment"),
		     format_duration(buffer, number(reply, "uptime_s")));
	print_key(render, json_object_get(reply, "key"));
	render_print(render, "\n");
	if (number(reply, "connections_max")) {
		render_print(render, "%s connections cross, ",
			     format_count(buffer, number(reply, "connections")));
		render_print(render, "with room for %s; ",
			     format_count(buffer, number(reply, "connections_max")));
		render_print(render, "%s of them translated%s\n",
			     format_count(buffer, number(reply, "translated")),
			     flag(reply, "drained") ? ": drained" : "");
	}
	print_policy(render, json_object_get(reply, "policy"));
	print_past(render, number(reply, "flows_seeded"),
		   "connection older than the daemon was taken over at its start",
		   "connections older than the daemon were taken over at its start");
	print_past(render, number(reply, "half_opens_cleared"), "half-open from before mitigation was ended",
		   "half-opens from before mitigation were ended");
	print_alarms(render, reply);
}

static void print_tracking(struct render *render, const json_t *tracking)
{
	const json_t *pairs = json_object_get(tracking, "pairs"), *pair;
	char buffer[FORMAT_SIZE];
	size_t i;

	if (!flag(tracking, "enabled"))
		return;
	render_print(render, "\n%s connections tracked, ", format_count(buffer, number(tracking, "flows")));
	render_print(render, "with room for %s\n", format_count(buffer, number(tracking, "flows_max")));
	if (flag(tracking, "resyncing"))
		render_print(render, "reading all of them anew, %s so far\n",
			     format_count(buffer, number(tracking, "resync_flows")));
	json_array_foreach(pairs, i, pair)
		render_print(render, "  %10s  client %s, server %s\n",
			     format_count(buffer, number(pair, "flows")), string(pair, "client_state"),
			     string(pair, "server_state"));
	if (number(tracking, "lost"))
		warn(render, format_count(buffer, number(tracking, "lost")),
		     " events lost, healed from the kernel's sockets");
	if (number(tracking, "refused"))
		warn(render, format_count(buffer, number(tracking, "refused")),
		     " connections not tracked: the table was full");
}

/* What a host dropped on its way out, if anything. */
static void print_outward(struct render *render, json_t *outward)
{
	struct sums sums = sum_verdicts(outward);

	if (!sums.packets && !sums.would)
		return;
	render_print(render, "\n");
	print_verdicts(render, outward, "on their way out, beside those above");
}

void show_status(struct render *render, const json_t *reply)
{
	char count[FORMAT_SIZE], seen[FORMAT_SIZE + 32];

	print_headline(render, reply);
	render_print(render, "\n");
	print_interfaces(render, json_object_get(reply, "interfaces"));
	render_print(render, "\n");
	print_services(render, reply);
	render_print(render, "\n");
	snprintf(seen, sizeof(seen), "of %s packets seen", format_count(count, number(reply, "packets")));
	print_verdicts(render, json_object_get(reply, "verdicts"), seen);
	print_outward(render, json_object_get(reply, "outward"));
	protected_print(render, json_object_get(reply, "protected"));
	print_handovers(render, json_object_get(reply, "handovers"),
			string(reply, "handover_last_error_text"));
	print_tracking(render, json_object_get(reply, "tracking"));
}

/* --- service --- */

void show_services(struct render *render, const json_t *reply)
{
	show_alarms(render, reply);
	print_services(render, reply);
}

static void label(struct render *render, const char *name)
{
	render_print(render, "%-*s ", LABEL_WIDTH, name);
}

static void field_count(struct render *render, const char *name, int64_t count, const char *rest)
{
	char buffer[FORMAT_SIZE];

	label(render, name);
	render_print(render, "%s%s\n", format_count(buffer, count), rest);
}

/* Items as "a, b, c", broken to the terminal's width and indented below the label. */
static void print_broken(struct render *render, const char *text)
{
	char *lines = format_wrap(text, render->width - LABEL_WIDTH - 2), *rest = lines;
	const char *line = strsep(&rest, "\n");

	render_print(render, "%s\n", line ? line : text);
	while ((line = strsep(&rest, "\n")))
		render_print(render, "%*s%s\n", LABEL_WIDTH + 1, "", line);
	free(lines);
}

static void field_items(struct render *render, const char *name, const json_t *items)
{
	size_t shown = render->tty ? ITEMS_ON_TTY : json_array_size(items), length, i;
	FILE *stream;
	char *text = NULL;
	const json_t *item;

	stream = open_memstream(&text, &length);
	if (!stream)
		return;
	json_array_foreach(items, i, item)
		if (i < shown)
			fprintf(stream, "%s%s", i ? ", " : "", json_string_value(item));
	if (json_array_size(items) > shown)
		fprintf(stream, " and %zu more, which --json lists", json_array_size(items) - shown);
	fclose(stream);
	label(render, name);
	if (render->tty)
		print_broken(render, text);
	else
		render_print(render, "%s\n", text);
	free(text);
}

static void field_mode(struct render *render, const json_t *service)
{
	label(render, "mode");
	render_print(render, "%s", string(service, "mode"));
	if (mode_is_changed(service))
		render_tinted(render, TINT_WARN, " (set at runtime; the configuration says %s)",
			      string(service, "configured_mode"));
	render_print(render, "\n");
}

static void field_state(struct render *render, const json_t *service, const json_t *reply)
{
	struct state state = state_of(service, reply);
	char buffer[FORMAT_SIZE];

	label(render, "state");
	render_tinted(render, state.tint, "%s", state.text);
	render_print(render, " for %s\n", format_duration(buffer, number(service, "since_s")));
}

static void field_rates(struct render *render, const json_t *service)
{
	int64_t answered = number(service, "answered_pps"), completed = number(service, "completed_pps");
	char buffer[FORMAT_SIZE], share[FORMAT_SIZE] = "";
	bool monitored = is_monitored(service);

	if (answered && !monitored)
		snprintf(share, sizeof(share), " (%.1f %% of answered)",
			 100.0 * (double)completed / (double)answered);
	field_count(render, "SYN/s", number(service, "syn_rate_pps"), "");
	label(render, "answered/s");
	render_print(render, "%s%s\n", show_service_answered(service, buffer),
		     monitored && answered ? " would have been; mode monitor only counts" : "");
	field_count(render, "completed/s", completed, share);
	field_count(render, "half-open", number(service, "half_open"), "");
}

/* A high mark and its low one; zero is what the configuration's default means. */
static void field_marks(struct render *render, const char *name, int64_t high, int64_t low,
			const char *default_, const char *why)
{
	char buffer[FORMAT_SIZE];

	label(render, name);
	render_print(render, "begins above %s%s", high ? format_count(buffer, high) : default_, why);
	render_print(render, ", ends below %s\n", low ? format_count(buffer, low) : "half of it");
}

/* As they are in force: without one of its own a service on a host has a quarter of its listener's backlog.
 */
static void field_half_open_marks(struct render *render, const json_t *settings)
{
	int64_t backlog = number(settings, "half_open_high") ? 0 : number(settings, "backlog");
	char why[2 * FORMAT_SIZE + 32] = "", buffer[FORMAT_SIZE];

	if (backlog)
		snprintf(why, sizeof(why), " (a quarter of the backlog of %s)",
			 format_count(buffer, backlog));
	field_marks(render, "half-open mark", number(settings, "half_open_begins"),
		    number(settings, "half_open_ends"),
		    "a quarter of the listener's backlog, known from its next SYN on", why);
}

static void print_settings(struct render *render, const json_t *settings)
{
	if (!settings)
		return;
	field_half_open_marks(render, settings);
	if (number(settings, "syn_rate_high"))
		field_marks(render, "SYN/s mark", number(settings, "syn_rate_high"),
			    number(settings, "syn_rate_low"), "", "");
	field_count(render, "hold", number(settings, "hold_s"), " s of calm before it ends");
	if (number(settings, "mss"))
		field_count(render, "MSS", number(settings, "mss"), "");
	if (flag(settings, "tcp_auth"))
		field_count(render, "TCP-MD5/AO", number(settings, "tcp_auth_rate_pps"), " SYN/s pass");
}

/* A rate or a number, and what happens beyond. */
static void print_own_limits(struct render *render, const json_t *limits)
{
	const json_t *limit;
	char buffer[FORMAT_SIZE];
	size_t i;

	json_array_foreach(limits, i, limit) {
		label(render, "own limit");
		render_print(render, "%s: ", string(limit, "name"));
		if (!number(limit, "rate") || !strcmp(string(limit, "action"), "off")) {
			render_print(render, "none\n");
			continue;
		}
		render_print(render, "%s%s, beyond: %s%s\n", format_count(buffer, number(limit, "rate")),
			     strstr(string(limit, "name"), "half_open") ? "" : "/s", string(limit, "action"),
			     flag(limit, "changed") ? " (set at runtime)" : "");
	}
}

/* --- servers --- */

static void cell_number(struct table *table, size_t column, const json_t *value)
{
	if (json_is_integer(value))
		cell_count(table, column, json_integer_value(value));
	else
		render_cell(table, column, TINT_NONE, "-");
}

/* null: no client has asked yet. */
static void cell_option(struct table *table, size_t column, const json_t *value)
{
	render_cell(table, column, TINT_NONE,
		    json_is_true(value)	   ? "yes"
		    : json_is_false(value) ? "no"
					   : "?");
}

static void cell_state(struct table *table, size_t column, const json_t *value)
{
	const char *state = json_string_value(value);
	bool down = state && (!strcmp(state, "closed") || !strcmp(state, "silent"));

	render_cell(table, column, down ? TINT_BAD : TINT_NONE, state ? state : "-");
}

static void cell_age(struct table *table, size_t column, const json_t *value)
{
	cell_duration(table, column, json_integer_value(value));
}

/* What was learned: a line a field, after the address. */
static const struct server_field {
	struct column column;
	const char *key;
	void (*cell)(struct table *table, size_t column, const json_t *value);
} server_fields[] = {
	{ { "MSS", COLUMN_RIGHT }, "mss", cell_number },
	{ { "SCALING", COLUMN_LEFT }, "window_scaling", cell_option },
	{ { "WSCALE", COLUMN_RIGHT }, "wscale", cell_number },
	{ { "SACK", COLUMN_LEFT }, "sack", cell_option },
	{ { "TIMESTAMPS", COLUMN_LEFT }, "timestamps", cell_option },
	{ { "ECN", COLUMN_LEFT }, "ecn", cell_option },
	{ { "STATE", COLUMN_LEFT }, "state", cell_state },
	{ { "AGE", COLUMN_RIGHT }, "age_s", cell_age },
};

static void server_row(struct table *table, const json_t *server)
{
	const char *address = string(server, "address");
	char text[64];

	snprintf(text, sizeof(text), strchr(address, ':') ? "[%s]:%" PRId64 : "%s:%" PRId64, address,
		 number(server, "port"));
	render_row(table);
	render_cell(table, 0, TINT_NONE, text);
	for (size_t i = 0; i < ARRAY_SIZE(server_fields); i++)
		server_fields[i].cell(table, i + 1, json_object_get(server, server_fields[i].key));
}

/* Inline; nothing before the first answer. */
static void print_servers(struct render *render, const json_t *reply)
{
	struct column columns[ARRAY_SIZE(server_fields) + 1] = { { "SERVER", COLUMN_LEFT } };
	const json_t *servers = json_object_get(reply, "servers"), *server;
	size_t count = json_array_size(servers), shown = render->tty ? ITEMS_ON_TTY : count, i;
	struct table *table;

	if (!count)
		return;
	for (i = 0; i < ARRAY_SIZE(server_fields); i++)
		columns[i + 1] = server_fields[i].column;
	render_print(render, "\n");
	table = render_table(render, columns, ARRAY_SIZE(columns));
	json_array_foreach(servers, i, server)
		if (i < shown)
			server_row(table, server);
	render_table_print(table);
	if (count > shown)
		render_print(render, "and %zu more, which --json lists\n", count - shown);
}

void show_service(struct render *render, const json_t *reply)
{
	const json_t *service = json_object_get(reply, "service");

	show_alarms(render, reply);
	label(render, "service");
	render_tinted(render, TINT_HEAD, "%s", string(service, "name"));
	render_print(render, "\n");
	field_mode(render, service);
	field_state(render, service, reply);
	field_rates(render, service);
	if (json_is_object(json_object_get(service, "attack"))) {
		label(render, "attack");
		attacks_print_line(render, json_object_get(service, "attack"));
	}
	field_items(render, "addresses", json_object_get(reply, "prefixes"));
	field_items(render, "ports", json_object_get(reply, "ports"));
	print_settings(render, json_object_get(reply, "settings"));
	print_own_limits(render, json_object_get(reply, "limits"));
	if (flag(service, "mptcp_listener"))
		warn(render, "", "MPTCP listener, left to the kernel's own cookies");
	if (flag(service, "asymmetric"))
		warn(render, "asymmetric path", ASYMMETRIC);
	render_print(render, "\n");
	print_verdicts(render, json_object_get(reply, "verdicts"), "to this service");
	print_servers(render, reply);
}

void show_mode_set(struct render *render, const json_t *reply)
{
	const json_t *service = json_object_get(reply, "service");

	render_print(render, "service %s is in mode %s now", string(service, "name"),
		     string(service, "mode"));
	if (mode_is_changed(service))
		render_print(render, " (the configuration says %s)", string(service, "configured_mode"));
	render_print(render, "\n");
}

/* --- the rest --- */

void show_interfaces(struct render *render, const json_t *reply)
{
	show_alarms(render, reply);
	if (!json_array_size(json_object_get(reply, "interfaces")))
		render_print(render, "no interface is configured\n");
	print_interfaces(render, json_object_get(reply, "interfaces"));
}

void show_interface_set(struct render *render, const json_t *reply)
{
	const json_t *interface = json_object_get(reply, "interface");

	if (flag(interface, "attached"))
		render_print(render, "%s is attached (%s XDP)\n", string(interface, "name"),
			     string(interface, "xdp"));
	else
		render_print(render, "%s is detached: nothing on it is defended\n",
			     string(interface, "name"));
}

void show_config(struct render *render, const json_t *reply)
{
	const char *text = string(reply, "text");
	size_t length = strlen(text);

	render_print(render, "# in force, from %s\n", string(reply, "path"));
	render_print(render, "%s%s", text, length && text[length - 1] != '\n' ? "\n" : "");
}

void show_metrics(struct render *render, const json_t *reply)
{
	render_print(render, "%s", string(reply, "text"));
}

void show_reloaded(struct render *render, const json_t *reply)
{
	int64_t services = number(reply, "service_count");

	render_print(render, "reloaded %s: %" PRId64 " service%s\n", string(reply, "path"), services,
		     services == 1 ? "" : "s");
}

void show_rotated(struct render *render, const json_t *reply)
{
	const json_t *key = json_object_get(reply, "key");
	int64_t older_ends_in_s = number(key, "older_ends_in_s");
	char buffer[FORMAT_SIZE];

	if (flag(reply, "coalesced"))
		render_print(render, "too soon after the last rotation: it will happen in %s\n",
			     format_duration(buffer, number(key, "rotation_in_s")));
	else if (older_ends_in_s)
		render_print(render, "the cookie key is rotated; cookies of the older one validate for %s\n",
			     format_duration(buffer, older_ends_in_s));
	else
		render_print(render, "the cookie key is rotated; cookies of the older one ended at once\n");
}

/* --- flows --- */

static const struct column flow_columns[] = {
	{ "CLIENT", COLUMN_LEFT },    { "SERVER", COLUMN_LEFT },     { "CLIENT IS", COLUMN_LEFT },
	{ "SERVER IS", COLUMN_LEFT }, { "SERVICE", COLUMN_LEFT },    { "AGE", COLUMN_RIGHT },
	{ "IN STATE", COLUMN_RIGHT }, { "HANDSHAKE", COLUMN_RIGHT },
};

static void flow_row(struct table *table, const json_t *flow)
{
	const json_t *handshake = json_object_get(flow, "handshake_us");
	char text[FORMAT_SIZE] = "-";

	if (json_is_integer(handshake))
		snprintf(text, sizeof(text), "%.2f ms", (double)json_integer_value(handshake) / 1000);
	else if (flag(flow, "cookie"))
		snprintf(text, sizeof(text), "cookie");
	render_row(table);
	render_cell(table, 0, TINT_NONE, string(flow, "client"));
	render_cell(table, 1, TINT_NONE, string(flow, "server"));
	render_cell(table, 2, TINT_NONE, string(flow, "client_state"));
	render_cell(table, 3, TINT_NONE, string(flow, "server_state"));
	render_cell(table, 4, TINT_NONE, or_dash(string(flow, "service")));
	cell_duration(table, 5, number(flow, "age_s"));
	cell_duration(table, 6, number(flow, "in_state_s"));
	render_cell(table, 7, TINT_NONE, text);
}

/* A client that nobody has answered, or whose half-open the server has given up. */
static bool is_left_alone(const json_t *flow)
{
	return !strcmp(string(flow, "client_state"), "SYN-SENT") &&
	       !strcmp(string(flow, "server_state"), "LISTEN");
}

void show_flows(struct render *render, const json_t *reply)
{
	struct table *table = render_table(render, flow_columns, ARRAY_SIZE(flow_columns));
	const json_t *flows = json_object_get(reply, "flows"), *flow;
	int64_t total = number(reply, "total"), shown = (int64_t)json_array_size(flows);
	char buffer[FORMAT_SIZE];
	bool left_alone = false;
	size_t i;

	json_array_foreach(flows, i, flow) {
		flow_row(table, flow);
		left_alone |= is_left_alone(flow);
	}
	render_table_print(table);
	if (left_alone)
		render_print(render,
			     "SYN-SENT to LISTEN: the client may still be trying, but the server holds no "
			     "half-open: syn-recv does not count it\n");
	if (!total)
		render_print(render, "no such connection is tracked\n");
	else if (shown < total)
		render_print(render, "%s in all; show more with: limit N, or all\n",
			     format_count(buffer, total));
}

static void print_sent(struct render *render, const char *end, const json_t *sent)
{
	char buffer[FORMAT_SIZE];

	if (!sent)
		return;
	render_print(render, "the %s sent %s bytes", end, format_count(buffer, number(sent, "bytes")));
	if (json_is_integer(json_object_get(sent, "packets")))
		render_print(render, " in %s packets", format_count(buffer, number(sent, "packets")));
	render_print(render, "\n");
}

void show_flow(struct render *render, const json_t *reply)
{
	struct table *table = render_table(render, flow_columns, ARRAY_SIZE(flow_columns));

	flow_row(table, json_object_get(reply, "flow"));
	render_table_print(table);
	print_sent(render, "client", json_object_get(reply, "client_sent"));
	print_sent(render, "server", json_object_get(reply, "server_sent"));
}

void show_flow_killed(struct render *render, const json_t *reply)
{
	const json_t *flow = json_object_get(reply, "flow");

	render_print(render, "reset: %s to %s\n", string(flow, "client"), string(flow, "server"));
}

/* --- limits --- */

/* A rate, and in parentheses what may come at once; of half-opens, how many there may be. */
static void cell_pace(struct table *table, size_t column, int64_t rate, int64_t burst, bool count)
{
	char rate_text[FORMAT_SIZE], burst_text[FORMAT_SIZE], both[2 * FORMAT_SIZE + 4];

	format_count(rate_text, rate);
	format_count(burst_text, burst ? burst : rate);
	snprintf(both, sizeof(both), "%s (%s)", rate_text, burst_text);
	render_cell(table, column, TINT_NONE, !rate ? "-" : count ? rate_text : both);
}

static void limit_row(struct table *table, const json_t *limit)
{
	bool changed = flag(limit, "changed"), count = strstr(string(limit, "name"), "half_open");
	const char *service = string(limit, "service");
	char name[2 * FORMAT_SIZE + 8];

	snprintf(name, sizeof(name), "%s%s%s%s", string(limit, "name"), *service ? " of " : "", service,
		 changed ? "*" : "");
	render_row(table);
	render_cell(table, 0, changed ? TINT_WARN : TINT_NONE, name);
	cell_pace(table, 1, number(limit, "rate"), number(limit, "burst"), count);
	cell_pace(table, 2, number(limit, "proven_rate"), number(limit, "proven_burst"), count);
	render_cell(table, 3, TINT_NONE, number(limit, "rate") ? string(limit, "action") : "-");
	cell_count(table, 4, number(limit, "over"));
	cell_count(table, 5, number(limit, "dropped") - number(limit, "would_drop"));
	cell_count(table, 6, number(limit, "would_drop"));
}

void show_limits(struct render *render, const json_t *reply)
{
	static const struct column columns[] = {
		{ "LIMIT", COLUMN_LEFT },      { "RATE/S (BURST)", COLUMN_RIGHT },
		{ "IF PROVEN", COLUMN_RIGHT }, { "ACTION", COLUMN_LEFT },
		{ "OVER", COLUMN_RIGHT },      { "DROPPED", COLUMN_RIGHT },
		{ "WOULD BE", COLUMN_RIGHT },
	};
	const char *mode = string(reply, "mode"), *configured = string(reply, "configured_mode");
	struct table *table = render_table(render, columns, ARRAY_SIZE(columns));
	bool changed = strcmp(mode, configured) != 0;
	const json_t *limits = json_object_get(reply, "limits"), *limit;
	size_t i;

	show_alarms(render, reply);
	render_print(render, "mode %s", mode);
	if (changed)
		render_tinted(render, TINT_WARN, " (set at runtime; the configuration says %s)", configured);
	render_print(render, "%s\n",
		     strcmp(mode, "monitor") ? "" : ": counted only, nothing is dropped or challenged");
	changed = false;
	json_array_foreach(limits, i, limit) {
		limit_row(table, limit);
		changed |= flag(limit, "changed");
	}
	render_table_print(table);
	render_print(render,
		     "proven sources complete what they begin; of half_open_..., so many at a time\n");
	if (!strcmp(mode, "monitor"))
		render_print(render, "each limit counts for itself: a packet may be in several lines, which "
				     "are not to be added\n");
	if (changed)
		render_print(render, "* set at runtime; the configuration says otherwise\n");
}

/* What is in force now, and what was. */
void show_limit_set(struct render *render, const json_t *reply)
{
	render_print(render, "limit %s: %s (before: %s)\n", string(reply, "limit"), string(reply, "settings"),
		     string(reply, "before"));
	if (!strcmp(string(reply, "mode"), "monitor"))
		render_print(render, "mode monitor: counted only, nothing is dropped or challenged\n");
	else if (!strcmp(string(reply, "mode"), "off"))
		warn(render, "", "mode off: no limit is in force");
}

/* --- sources --- */

static void source_row(struct table *table, const json_t *source)
{
	int64_t begun = number(source, "begun"), completed = number(source, "completed");
	char text[3 * FORMAT_SIZE], half_open[FORMAT_SIZE], error[FORMAT_SIZE];

	render_row(table);
	render_cell(table, 0, TINT_NONE, string(source, "prefix"));
	format_count(half_open, number(source, "half_open"));
	format_count(error, number(source, "half_open_error"));
	snprintf(text, sizeof(text), "%s (-%s)", half_open, error);
	render_cell(table, 1, TINT_NONE, text);
	cell_count(table, 2, number(source, "held"));
	cell_count(table, 3, number(source, "syn_rate_pps"));
	snprintf(text, sizeof(text), "%.0f %%", begun ? 100.0 * (double)completed / (double)begun : 0.0);
	render_cell(table, 4, flag(source, "proven") ? TINT_GOOD : TINT_NONE, text);
	cell_count(table, 5, number(source, "over"));
	cell_count(table, 6, number(source, "dropped"));
}

const char *show_source_drops(const json_t *reply)
{
	return strcmp(string(reply, "limits_mode"), "monitor") ? "DROPPED" : "WOULD BE";
}

void show_sources(struct render *render, const json_t *reply)
{
	const struct column columns[] = {
		{ "SOURCE", COLUMN_FOLD },
		{ "HALF-OPEN", COLUMN_RIGHT },
		{ "HELD", COLUMN_RIGHT },
		{ "ANSWERED/S", COLUMN_RIGHT },
		{ "COMPLETED", COLUMN_RIGHT },
		{ "OVER", COLUMN_RIGHT },
		{ show_source_drops(reply), COLUMN_RIGHT },
	};
	struct table *table = render_table(render, columns, ARRAY_SIZE(columns));
	const json_t *sources = json_object_get(reply, "sources"), *source;
	size_t i;

	show_alarms(render, reply);
	if (!flag(reply, "accounting"))
		warn(render, "", "nothing is counted: limits.mode is off (synmoat limit set mode monitor)");
	else if (!json_array_size(sources))
		render_print(render, "no source stands out\n");
	json_array_foreach(sources, i, source)
		source_row(table, source);
	render_table_print(table);
	if (json_array_size(sources))
		render_print(render,
			     "of the last %" PRId64
			     " s; half-opens are estimates, too high by at most what is in ( ),\n"
			     "with 98 %% certainty; HELD: by the server itself, exactly%s\n",
			     number(reply, "window_s"),
			     strcmp(string(reply, "limits_mode"), "monitor")
				     ? ""
				     : ";\nWOULD BE: dropped, if limits were enforced");
}

void show_bypass(struct render *render, const json_t *reply)
{
	if (!print_alarms(render, reply))
		render_print(render, "bypass is off: services are defended as their modes say\n");
}

static void show_draining(struct render *render, int64_t left, int64_t honours_s)
{
	char buffer[FORMAT_SIZE];

	render_print(render, "draining: %s connection%s left to end", format_count(buffer, left),
		     left == 1 ? "" : "s");
	if (honours_s)
		render_print(render, "; cookies that are out are honoured for %s more",
			     format_duration(buffer, honours_s));
	render_print(render, "\n");
}

/* One line for each of the replies that drain gives. */
void show_drain(struct render *render, const json_t *reply)
{
	int64_t left = number(reply, "translated");

	if (!strcmp(string(reply, "deployment"), "host"))
		render_print(
			render,
			"host deployment: nothing is translated, so nothing needs draining: stopping breaks "
			"no connection\n");
	else if (flag(reply, "drained"))
		render_print(render, "drained: stopping breaks no connection\n");
	else if (!flag(reply, "draining"))
		render_print(render,
			     "not draining: services are defended as their modes say, unless bypass is on\n");
	else
		show_draining(render, left, number(reply, "honours_s"));
}

void show_version(struct render *render, const json_t *reply)
{
	render_print(render, "synmoat  %s\n", SYNMOAT_VERSION);
	if (reply)
		render_print(render, "synmoatd %s\n", string(reply, "version"));
}
