// SPDX-License-Identifier: GPL-2.0-or-later
/* See feed.h. */
#include "daemon/lists/feed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/events/events.h"
#include "daemon/lists/lists.h"
#include "daemon/lists/parse.h"

#define SLICE_NS     4000000
#define BUFFER	     65536
#define FAULTS_TOLD  10 /* bad lines of a file that the log names */
#define NAME_MAX_SET 63
#define FILE_SIZE    (PATH_MAX + 256)

struct feed {
	char folder[PATH_MAX];
	struct dirent **files; /* NULL: nothing is being read */
	int count, at;
	int *sets; /* by file; -1: could not be read */
	/* the file that is being read */
	int fd;
	unsigned int line, faults;
	uint64_t entries;
	int error;
	size_t length; /* in the buffer: the beginning of a line */
	bool skipping; /* a line that is too long */
	char buffer[BUFFER + PARSE_LINE_MAX + 1];
};

struct feed *feed_new(void)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (f)
		f->fd = -1;
	return f;
}

static void forget(struct feed *f)
{
	for (int i = 0; i < f->count; i++)
		free(f->files[i]);
	free(f->files);
	free(f->sets);
	if (f->fd >= 0)
		close(f->fd);
	f->files = NULL;
	f->sets = NULL;
	f->count = 0;
	f->fd = -1;
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	forget(f);
	free(f);
}

bool feed_busy(const struct feed *f)
{
	return f->files;
}

static const char *ending(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name ? dot : "";
}

static int is_list(const struct dirent *entry)
{
	const char *end = ending(entry->d_name);

	return entry->d_name[0] != '.' && (!strcmp(end, ".block") || !strcmp(end, ".allow"));
}

static int compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool others_write(const struct stat *status)
{
	return status->st_mode & (S_IWGRP | S_IWOTH);
}

/* Nothing is read from a folder that others could put files into: what it said before stays in force. */
static bool may_read(const char *folder)
{
	struct stat status;

	if (stat(folder, &status) || !others_write(&status))
		return true;
	event_tell(EVENT_LIST_FILE_FAILED, EV_TEXT("file", folder),
		   EV_TEXT("error", "others than its owner can put files here, so none is read: chmod go-w"));
	return false;
}

void feed_begin(struct feed *f, struct lists *lists, const char *folder)
{
	for (int i = 0; i < f->count; i++)
		if (f->sets[i] >= 0)
			lists_set_drop(lists, f->sets[i]);
	forget(f);
	snprintf(f->folder, sizeof(f->folder), "%s", folder);
	if (!may_read(folder))
		return;
	f->count = scandir(folder, &f->files, is_list, compare);
	if (f->count < 0 && errno != ENOENT) {
		event_tell(EVENT_LIST_FILE_FAILED, EV_TEXT("file", folder),
			   EV_TEXT("error", strerror(errno)));
		f->files = NULL;
	} else if (f->count <= 0) { /* it holds no files */
		if (!f->count)
			free(f->files);
		f->files = malloc(1);
	}
	f->count = f->count < 0 ? 0 : f->count;
	f->sets = f->files ? calloc((size_t)f->count + 1, sizeof(*f->sets)) : NULL;
	for (int i = 0; f->sets && i < f->count; i++)
		f->sets[i] = -1;
	f->at = 0;
	if (!f->sets)
		forget(f);
}

/* --- one file --- */

static const char *name_of(const struct feed *f)
{
	return f->files[f->at]->d_name;
}

static const char *file_of(const struct feed *f, char file[FILE_SIZE])
{
	snprintf(file, FILE_SIZE, "%s/%s", f->folder, name_of(f));
	return file;
}

static int fail(struct feed *f, const char *text)
{
	char file[FILE_SIZE];

	event_tell(EVENT_LIST_FILE_FAILED, EV_TEXT("file", file_of(f, file)), EV_TEXT("error", text));
	return -1;
}

static int open_file(struct feed *f)
{
	char path[PATH_MAX + 256];
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", f->folder, name_of(f));
	if (strlen(name_of(f)) > NAME_MAX_SET)
		return fail(f, "its name is longer than 63 characters");
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (f->fd < 0 || fstat(f->fd, &status))
		return fail(f, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return fail(f, "this is not a regular file");
	if (others_write(&status))
		return fail(f, "others than its owner can write to it; allow the owner only: chmod go-w");
	return 0;
}

static void begin_file(struct feed *f, struct lists *lists)
{
	f->line = f->faults = 0;
	f->entries = 0;
	f->error = 0;
	f->length = 0;
	f->skipping = false;
	if (!open_file(f)) {
		f->sets[f->at] = lists_set_begin(lists, ORIGIN_FEED, name_of(f));
		if (f->sets[f->at] >= 0)
			return;
		fail(f, "there are more files than sets of entries");
	}
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->at++;
}

static void end_file(struct feed *f, struct lists *lists)
{
	char file[FILE_SIZE];

	close(f->fd);
	f->fd = -1;
	if (f->error) {
		fail(f, f->error == -ENOSPC ? "the lists hold as many entries as they can"
					    : strerror(-f->error));
		lists_set_drop(lists, f->sets[f->at]);
		f->sets[f->at] = -1;
	} else {
		event_tell(EVENT_LIST_FILE_READ, EV_TEXT("file", file_of(f, file)),
			   EV_NUMBER("entries", (int64_t)f->entries), EV_NUMBER("bad_lines", f->faults));
	}
	f->at++;
}

static void tell_fault(struct feed *f, const char *text)
{
	char file[FILE_SIZE];

	if (f->faults++ < FAULTS_TOLD)
		event_tell(EVENT_LIST_LINE_BAD, EV_TEXT("file", file_of(f, file)), EV_NUMBER("line", f->line),
			   EV_TEXT("error", text));
}

static void take_line(struct feed *f, struct lists *lists, int64_t now_s, char *line)
{
	enum list_kind kind = strcmp(ending(name_of(f)), ".allow") ? LIST_BLOCK : LIST_ALLOW;
	struct prefix prefix;
	const char *reason;
	char fault[256];
	int result;

	f->line++;
	switch (parse_list_line(line, &prefix, &reason, fault, sizeof(fault))) {
	case PARSE_NOTHING:
		return;
	case PARSE_BAD:
		tell_fault(f, fault);
		return;
	case PARSE_ENTRY:
		break;
	}
	result = lists_set_add(lists, f->sets[f->at], kind, &prefix, 0, now_s, reason);
	if (result < 0)
		f->error = result;
	else
		f->entries += result == 0;
}

/* Whole lines out of the buffer; what is left at its end begins the next one. */
static void take_lines(struct feed *f, struct lists *lists, int64_t now_s)
{
	char *at = f->buffer, *end = f->buffer + f->length, *line_end;

	while (!f->error && (line_end = memchr(at, '\n', (size_t)(end - at)))) {
		*line_end = '\0';
		if (f->skipping || line_end - at > PARSE_LINE_MAX) {
			f->line++;
			tell_fault(f, "a line of more than 1,024 characters");
		} else {
			take_line(f, lists, now_s, at);
		}
		f->skipping = false;
		at = line_end + 1;
	}
	f->length = (size_t)(end - at);
	if (f->length > PARSE_LINE_MAX || f->skipping) {
		f->skipping = true;
		f->length = 0;
	}
	memmove(f->buffer, at, f->length);
}

static void read_some(struct feed *f, struct lists *lists, int64_t now_s)
{
	ssize_t got = read(f->fd, f->buffer + f->length, BUFFER / 8);

	if (got < 0 && errno == EINTR)
		return;
	if (got < 0)
		f->error = -errno;
	if (got > 0)
		f->length += (size_t)got;
	else if (!f->error && (f->length || f->skipping))
		f->buffer[f->length++] = '\n'; /* the last line lacks it */
	take_lines(f, lists, now_s);
	if (got <= 0 || f->error)
		end_file(f, lists);
}

void feed_get_progress(const struct feed *f, struct lists_progress *progress)
{
	*progress = (struct lists_progress){ .phase = "reading", .left = (uint64_t)(f->count - f->at) };
	if (f->fd < 0)
		return;
	snprintf(progress->file, sizeof(progress->file), "%s", name_of(f));
	progress->entries = f->entries;
}

/* --- all files --- */

static bool is_there(const char *name, void *arg)
{
	const struct feed *f = arg;

	for (int i = 0; i < f->count; i++)
		if (!strcmp(f->files[i]->d_name, name))
			return true;
	return false;
}

static void end_all(struct feed *f, struct lists *lists)
{
	for (int i = 0; i < f->count; i++)
		if (f->sets[i] >= 0)
			lists_set_commit(lists, f->sets[i]);
	lists_sets_retain(lists, ORIGIN_FEED, is_there, f);
	forget(f);
}

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

bool feed_work(struct feed *f, struct lists *lists, int64_t now_s)
{
	int64_t end = clock_ns() + SLICE_NS;

	while (feed_busy(f)) {
		if (f->fd >= 0)
			read_some(f, lists, now_s);
		else if (f->at < f->count)
			begin_file(f, lists);
		else
			end_all(f, lists);
		if (clock_ns() >= end)
			break;
	}
	return feed_busy(f);
}
