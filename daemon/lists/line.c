// SPDX-License-Identifier: GPL-2.0-or-later
/* See line.h. */
#include "daemon/lists/line.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define FORMAT	     "synmoat-lists 1"
#define BOOT_ID_SIZE 37

static void read_boot_id(char id[BOOT_ID_SIZE])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file || fscanf(file, "%36s", id) != 1)
		snprintf(id, BOOT_ID_SIZE, "unknown");
	if (file)
		fclose(file);
}

void line_print_head(FILE *out, int64_t now_s)
{
	char id[BOOT_ID_SIZE];

	read_boot_id(id);
	fprintf(out, FORMAT " %s %" PRId64 " %" PRId64 "\n", id, now_s, (int64_t)time(NULL));
}

bool line_parse_head(const char *line, int64_t now_s, struct line_head *head)
{
	char id[BOOT_ID_SIZE], ours[BOOT_ID_SIZE];
	int64_t wall_s;

	if (sscanf(line, FORMAT " %36s %" SCNd64 " %" SCNd64, id, &head->saved_s, &wall_s) != 3)
		return false;
	read_boot_id(ours);
	head->now_s = now_s;
	head->same_boot = !strcmp(id, ours) && strcmp(id, "unknown") != 0;
	head->passed_s = (int64_t)time(NULL) - wall_s;
	if (head->passed_s < 0)
		head->passed_s = 0;
	return true;
}

static int64_t translate(const struct line_head *head, int64_t time_s)
{
	return head->same_boot ? time_s : head->now_s + (time_s - head->saved_s) - head->passed_s;
}

void line_print_entry(FILE *out, const struct lists_entry *e)
{
	char prefix[64];

	fprintf(out, "%s %s %s %" PRId64 " %" PRId64 " ", lists_kind_word(e->kind),
		lists_origin_word(e->origin), prefix_format(&e->prefix, prefix, sizeof(prefix)), e->expires_s,
		e->added_s);
	for (const char *c = e->reason; *c; c++)
		putc((unsigned char)*c < ' ' ? ' ' : *c, out);
	putc('\n', out);
}

bool line_parse_entry(const char *line, const struct line_head *head, struct lists_entry *e)
{
	char kind[8], origin[8], text[64];
	int at = 0, who;

	memset(e, 0, sizeof(*e));
	if (sscanf(line, "%7s %7s %63s %" SCNd64 " %" SCNd64 "%n", kind, origin, text, &e->expires_s,
		   &e->added_s, &at) != 5 ||
	    prefix_parse(text, &e->prefix))
		return false;
	who = lists_origin_parse(origin);
	if (who != ORIGIN_MANUAL && who != ORIGIN_AUTO)
		return false;
	e->kind = strcmp(kind, "allow") ? LIST_BLOCK : LIST_ALLOW;
	e->origin = (enum list_origin)who;
	e->reason = line + at + (line[at] == ' ');
	e->added_s = translate(head, e->added_s);
	if (e->expires_s)
		e->expires_s = translate(head, e->expires_s);
	return true;
}
