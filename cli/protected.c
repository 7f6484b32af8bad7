// SPDX-License-Identifier: GPL-2.0-or-later
/* See protected.h. */
#include "cli/protected.h"

#include <stdio.h>
#include <string.h>

#include "cli/format.h"
#include "cli/render.h"
#include "cli/reply.h"

/* What each policy drops, summed up. */
static const struct policy_row {
	const char *policy, *verdicts[2];
} rows[] = {
	{ "closed", { "drop_closed", NULL } },
	{ "outward", { "drop_outward_destination", "drop_outward_rate" } },
};

static int64_t sum(const json_t *group, const struct policy_row *row, const char *key)
{
	const json_t *counts = json_object_get(group, "counts");
	int64_t total = 0;

	for (int i = 0; i < 2 && row->verdicts[i]; i++)
		total += number(json_object_get(counts, row->verdicts[i]), key);
	return total;
}

/* "192.0.2.0/24 and 3 more" */
static void name_group(const json_t *group, char *text, size_t size)
{
	const char *first = json_string_value(json_array_get(json_object_get(group, "prefixes"), 0));
	int64_t count = number(group, "prefix_count");

	if (count > 1)
		snprintf(text, size, "%s and %lld more", first ? first : "", (long long)count - 1);
	else
		snprintf(text, size, "%s", first ? first : "");
}

static enum tint tint_of(const char *mode)
{
	return strcmp(mode, "enforce") ? TINT_NONE : TINT_GOOD;
}

static void print_group(struct table *table, const json_t *group)
{
	char name[96], count[FORMAT_SIZE];

	name_group(group, name, sizeof(name));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *mode = string(group, rows[i].policy);

		render_row(table);
		render_cell(table, 0, TINT_NONE, i ? "" : name);
		render_cell(table, 1, TINT_NONE, rows[i].policy);
		render_cell(table, 2, tint_of(mode), mode);
		render_cell(table, 3, TINT_NONE, format_count(count, sum(group, &rows[i], "packets")));
		render_cell(table, 4, TINT_NONE, format_count(count, sum(group, &rows[i], "would")));
	}
}

void protected_print(struct render *render, const json_t *groups)
{
	static const struct column columns[] = {
		{ "PROTECTED", COLUMN_LEFT }, { "POLICY", COLUMN_LEFT },    { "MODE", COLUMN_LEFT },
		{ "DROPPED", COLUMN_RIGHT },  { "WOULD BE", COLUMN_RIGHT },
	};
	const json_t *group;
	struct table *table;
	size_t i;

	if (!json_array_size(groups))
		return;
	render_print(render, "\n");
	table = render_table(render, columns, sizeof(columns) / sizeof(*columns));
	json_array_foreach(groups, i, group)
		print_group(table, group);
	render_table_print(table);
}
