// SPDX-License-Identifier: GPL-2.0-or-later
/* See attacks.h. */
#include "cli/attacks.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/format.h"
#include "cli/render.h"
#include "cli/reply.h"
#include "cli/show.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static void cell_count(struct table *table, size_t column, int64_t count)
{
	char buffer[FORMAT_SIZE];

	render_cell(table, column, TINT_NONE, format_count(buffer, count));
}

static const struct attack_class {
	const char *word, *name, *meaning;
} attack_classes[] = {
	{ "crowd", "crowd",
	  "real clients, no attack: they complete their handshakes, and new ones keep coming" },
	{ "single_source", "single source",
	  "one address sends attacks.share_percent (50 %) of the SYNs or more" },
	{ "few_sources", "few sources",
	  "up to 16 addresses send attacks.share_percent (50 %) of the SYNs or more" },
	{ "forged", "forged", "very many addresses that do not complete their handshakes: forged ones" },
	{ "connections", "connections",
	  "many real addresses that connect over and over, and hardly any new ones: a botnet" },
	{ "many_sources", "many sources", "very many addresses, forged or not: we answered none of them" },
};

static const char *class_name(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(attack_classes); i++)
		if (!strcmp(attack_classes[i].word, word))
			return attack_classes[i].name;
	return word;
}

static const char *attack_class_name(const json_t *attack)
{
	return class_name(string(attack, "class"));
}

static bool is_crowd(const json_t *attack)
{
	return !strcmp(string(attack, "class"), "crowd");
}

static enum tint attack_tint(const json_t *attack)
{
	if (!flag(attack, "going_on"))
		return TINT_NONE;
	return is_crowd(attack) || number(attack, "calm_s") ? TINT_WARN : TINT_BAD;
}

/* Local time, without the day where that is today. */
static const char *format_begun(char buffer[FORMAT_SIZE], const json_t *attack)
{
	time_t begun = (time_t)(number(attack, "begun_ms") / 1000), now = time(NULL);
	struct tm then, today;

	localtime_r(&begun, &then);
	localtime_r(&now, &today);
	if (then.tm_year == today.tm_year && then.tm_yday == today.tm_yday)
		strftime(buffer, FORMAT_SIZE, "%H:%M:%S", &then);
	else
		strftime(buffer, FORMAT_SIZE, "%Y-%m-%d %H:%M:%S", &then);
	return buffer;
}

const char *attacks_duration(char *text, size_t size, const json_t *attack)
{
	int64_t calm_s = number(attack, "calm_s");
	char lasted[FORMAT_SIZE], calm[FORMAT_SIZE];

	format_duration(lasted, number(attack, "duration_s"));
	if (calm_s)
		snprintf(text, size, "of %s, calm for %s", lasted, format_duration(calm, calm_s));
	else
		snprintf(text, size, "for %s", lasted);
	return text;
}

/* "UNDER ATTACK (forged) for 7s, peak 200,000 SYN/s, 190,000 sources", "attack (forged) of 7s, calm for 3s,
 * …" */
void attacks_print_line(struct render *render, const json_t *attack)
{
	char begun[FORMAT_SIZE], lasted[3 * FORMAT_SIZE], peak[FORMAT_SIZE], sources[FORMAT_SIZE];
	bool on = flag(attack, "going_on"), calm = number(attack, "calm_s") > 0;

	if (is_crowd(attack))
		render_tinted(render, attack_tint(attack), "%s",
			      on ? "a crowd of real clients" : "last: a crowd");
	else
		render_tinted(render, attack_tint(attack), "%s (%s)",
			      !on    ? "last attack"
			      : calm ? "attack"
				     : "UNDER ATTACK",
			      attack_class_name(attack));
	if (!on)
		render_print(render, " at %s", format_begun(begun, attack));
	render_print(
		render, " %s, peak %s SYN/s, %s source%s\n", attacks_duration(lasted, sizeof(lasted), attack),
		format_count(peak, number(attack, "peak_pps")),
		format_count(sources, number(attack, "sources")), number(attack, "sources") == 1 ? "" : "s");
}

void attacks_print_services(struct render *render, const json_t *services)
{
	const json_t *service, *attack;
	size_t i;

	json_array_foreach(services, i, service) {
		attack = json_object_get(service, "attack");
		if (!json_is_object(attack))
			continue;
		render_print(render, "%s: ", string(service, "name"));
		attacks_print_line(render, attack);
	}
}

/* "11.0.0.0/8 97%" */
static void format_top(char *buffer, size_t size, const json_t *attack)
{
	const json_t *top = json_object_get(attack, "top"), *talker;
	size_t used = 0, i;

	snprintf(buffer, size, "-");
	json_array_foreach(top, i, talker)
		if (used < size)
			used += (size_t)snprintf(buffer + used, size - used, "%s%s %" PRId64 "%%",
						 i ? ", " : "", string(talker, "prefix"),
						 number(talker, "percent"));
}

static void attack_row(struct table *table, const json_t *attack)
{
	const json_t *percent = json_object_get(attack, "completion_percent");
	char text[512], begun[FORMAT_SIZE];
	bool on = flag(attack, "going_on");

	render_row(table);
	render_cell(table, 0, TINT_NONE, string(attack, "service"));
	render_cell(table, 1, attack_tint(attack), attack_class_name(attack));
	render_cell(table, 2, TINT_NONE, format_begun(begun, attack));
	format_duration(text, number(attack, "duration_s"));
	render_cell(table, 3, on ? TINT_WARN : TINT_NONE, text);
	cell_count(table, 4, number(attack, "peak_pps"));
	cell_count(table, 5, number(attack, "sources"));
	snprintf(text, sizeof(text), "%" PRId64 " %%", (int64_t)json_integer_value(percent));
	render_cell(table, 6, TINT_NONE, json_is_integer(percent) ? text : "?");
	format_top(text, sizeof(text), attack);
	render_cell(table, 7, TINT_NONE, text);
}

/* "  at first: forged, few sources" */
static void print_before(struct render *render, const json_t *classes)
{
	const json_t *class;
	size_t i;

	json_array_foreach(classes, i, class)
		render_print(render, "%s%s",
			     i ? ", then " : "  at first: ", class_name(json_string_value(class)));
	if (i)
		render_print(render, "\n");
}

/* What was done, and the file of its packets: lines below the table for each. */
static void print_done(struct render *render, const json_t *attack)
{
	bool monitor = flag(attack, "monitor");
	char begun[FORMAT_SIZE], answered[FORMAT_SIZE], dropped[FORMAT_SIZE];

	format_count(answered, number(attack, monitor ? "would_answer" : "answered"));
	format_count(dropped, number(attack, monitor ? "would_drop" : "dropped"));
	render_print(render, "%s %s: ", string(attack, "service"), format_begun(begun, attack));
	render_print(
		render,
		monitor ? "mode monitor: would have answered %s SYNs with cookies, dropped up to %s packets\n"
			: "answered %s SYNs with cookies, dropped %s packets\n",
		answered, dropped);
	print_before(render, json_object_get(attack, "classes_before"));
	if (flag(attack, "going_on") && number(attack, "calm_s"))
		render_print(render, "  calm for %s\n", format_duration(begun, number(attack, "calm_s")));
	if (*string(attack, "evidence_path"))
		render_print(render, "  packets: %s\n", string(attack, "evidence_path"));
}

static void print_classes(struct render *render, const json_t *attacks)
{
	const json_t *attack;
	size_t i;

	for (size_t c = 0; c < ARRAY_SIZE(attack_classes); c++) {
		json_array_foreach(attacks, i, attack)
			if (!strcmp(string(attack, "class"), attack_classes[c].word))
				break;
		if (i < json_array_size(attacks))
			render_print(render, "%s: %s\n", attack_classes[c].name, attack_classes[c].meaning);
	}
}

void show_attacks(struct render *render, const json_t *reply)
{
	static const struct column columns[] = {
		{ "SERVICE", COLUMN_LEFT },    { "WHAT", COLUMN_LEFT },	       { "SINCE", COLUMN_LEFT },
		{ "FOR", COLUMN_RIGHT },       { "PEAK SYN/S", COLUMN_RIGHT }, { "SOURCES", COLUMN_RIGHT },
		{ "COMPLETED", COLUMN_RIGHT }, { "MOST FROM", COLUMN_WRAP },
	};
	const json_t *attacks = json_object_get(reply, "attacks"), *attack;
	struct table *table;
	size_t i;

	show_alarms(render, reply);
	if (!json_array_size(attacks)) {
		render_print(render, "no attack since the daemon's start\n");
		return;
	}
	table = render_table(render, columns, ARRAY_SIZE(columns));
	json_array_foreach(attacks, i, attack)
		attack_row(table, attack);
	render_table_print(table);
	render_print(render, "\n");
	json_array_foreach(attacks, i, attack)
		print_done(render, attack);
	render_print(render, "\n");
	print_classes(render, attacks);
	render_print(render,
		     "WHAT is by the last seconds above the marks; MOST FROM by all SYNs since it began\n");
}
