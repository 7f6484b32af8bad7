// SPDX-License-Identifier: GPL-2.0-or-later
/* See journal.h. */
#include "daemon/lists/journal.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/lists/line.h"

/* How lines begin. */
enum { ADDED = '+', REMOVED = '-', FLUSHED = '!' };

struct journal {
	char path[PATH_MAX], old[PATH_MAX];
	int fd; /* -1: nothing has been written down */
};

struct journal *journal_new(const char *dir)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	snprintf(j->path, sizeof(j->path), "%s/lists.journal", dir);
	snprintf(j->old, sizeof(j->old), "%s/lists.journal.old", dir);
	j->fd = -1;
	return j;
}

static void close_file(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	close_file(j);
	free(j);
}

static void print_change(FILE *out, const struct lists_change *change)
{
	static const char begins[] = {
		[CHANGE_ADDED] = ADDED,
		[CHANGE_REMOVED] = REMOVED,
		[CHANGE_FLUSHED] = FLUSHED,
	};

	putc(begins[change->what], out);
	line_print_entry(out, &change->entry);
}

/* All of it, or nothing: what follows half a line would be lost with it. */
static bool append(int fd, const char *text, size_t length)
{
	off_t end = lseek(fd, 0, SEEK_END);
	ssize_t written = write(fd, text, length);

	if (written == (ssize_t)length)
		return true;
	if (written > 0 && end >= 0)
		(void)!ftruncate(fd, end);
	return false;
}

/* Whole lines at once: a daemon that is killed leaves no half of one. */
void journal_note(struct journal *j, const struct lists_change *change, int64_t now_s)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return;
	if (j->fd < 0) {
		j->fd = open(j->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
		if (j->fd >= 0 && !lseek(j->fd, 0, SEEK_END))
			line_print_head(out, now_s);
	}
	print_change(out, change);
	if (!fclose(out) && j->fd >= 0 && !append(j->fd, text, length))
		close_file(j);
	free(text);
}

/* After a write of all entries that failed, the old one is still needed: then both go on. */
void journal_begin(struct journal *j)
{
	if (access(j->old, F_OK) && !rename(j->path, j->old))
		close_file(j);
}

void journal_end(struct journal *j)
{
	unlink(j->old);
}

static void do_again(struct lists *lists, char what, const struct lists_entry *e, int64_t now_s)
{
	switch (what) {
	case ADDED:
		if (!e->expires_s || e->expires_s > now_s)
			lists_add(lists, e->kind, &e->prefix, e->origin, e->expires_s, e->added_s, e->reason);
		break;
	case REMOVED:
		lists_remove(lists, e->kind, &e->prefix);
		break;
	case FLUSHED:
		lists_flush(lists, e->kind, e->origin);
		while (lists_work(lists))
			;
		break;
	default:
		break;
	}
}

static uint64_t replay_file(const char *path, struct lists *lists, int64_t now_s)
{
	FILE *file = fopen(path, "re");
	struct line_head head;
	char line[512], *end;
	uint64_t count = 0;
	bool known = false;

	while (file && fgets(line, sizeof(line), file) && (end = strchr(line, '\n'))) {
		struct lists_entry entry;

		*end = '\0';
		if (!known)
			known = line_parse_head(line, now_s, &head);
		else if (line_parse_entry(line + 1, &head, &entry)) {
			do_again(lists, *line, &entry, now_s);
			count++;
		}
	}
	if (file)
		fclose(file);
	return count;
}

uint64_t journal_replay(struct journal *j, struct lists *lists, int64_t now_s)
{
	uint64_t count = replay_file(j->old, lists, now_s);

	return count + replay_file(j->path, lists, now_s);
}
