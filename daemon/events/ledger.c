// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See ledger.h.
 */
#include "daemon/events/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLDER	    LEDGER_FILE ".1"
#define MARK	    "events.number"
#define MARK_FORMAT "%020" PRIu64 "\n"
#define MARK_SIZE   21

struct reading {
	struct ledger *ledger;
	struct ledger_report *report;
	void (*take)(void *arg, struct event_entry *event);
	void *arg;
	uint64_t previous; /* number; 0: none yet */
	bool rotated;	   /* the first of all need not be there any more */
	unsigned int bad;  /* of this file */
};

static const char *path_of(const struct ledger *ledger, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", ledger->dir, name);
	return path;
}

/* --- the mark --- */

static uint64_t read_mark(const struct ledger *ledger)
{
	char text[MARK_SIZE + 1] = "";
	uint64_t number = 0;

	if (pread(ledger->mark_fd, text, MARK_SIZE, 0) != MARK_SIZE ||
	    sscanf(text, "%20" SCNu64, &number) != 1)
		return 0;
	return number;
}

/* In place, so that a full disk has room for it. */
static int write_mark(const struct ledger *ledger, uint64_t number)
{
	char text[MARK_SIZE + 1];
	ssize_t written;

	snprintf(text, sizeof(text), MARK_FORMAT, number);
	written = pwrite(ledger->mark_fd, text, MARK_SIZE, 0);
	if (written == MARK_SIZE)
		return 0;
	return written < 0 ? -errno : -EIO;
}

void ledger_mark(void *arg, uint64_t number)
{
	const struct ledger *ledger = arg;

	/* that the lines cannot be written has been told; as long as they can, they are synced, and stand for
	 * it */
	if (!write_mark(ledger, number))
		fdatasync(ledger->mark_fd);
}

/* --- reading --- */

/* missing: what was told of the gap. */
static void forget_gap(struct ledger_report *report, const struct event_entry *missing)
{
	json_t *fields = event_read_fields(missing);
	uint64_t first = (uint64_t)json_integer_value(json_object_get(fields, "first"));
	uint64_t last = (uint64_t)json_integer_value(json_object_get(fields, "last"));

	json_decref(fields);
	for (size_t i = 0; i < report->gap_count; i++) {
		if (report->gaps[i].first != first || report->gaps[i].last != last)
			continue;
		report->gaps[i] = report->gaps[--report->gap_count];
		return;
	}
}

/* Beyond what there is room for, gaps are told as one. */
static void note_gap(struct ledger_report *report, uint64_t first, uint64_t last, bool at_end)
{
	if (report->gap_count == LEDGER_GAPS)
		report->gaps[LEDGER_GAPS - 1].last = last;
	else
		report->gaps[report->gap_count++] = (struct ledger_gap){ first, last, at_end };
}

static void note_event(struct reading *reading, struct event_entry *event)
{
	struct ledger_report *report = reading->report;

	if (event->number > reading->previous + 1 && (reading->previous || !reading->rotated))
		note_gap(report, reading->previous + 1, event->number - 1, false);
	if (event->kind == EVENT_EVENTS_MISSING)
		forget_gap(report, event);
	report->ended = event->kind == EVENT_DAEMON_STOPPED;
	reading->previous = event->number;
	reading->take(reading->arg, event);
}

static void note_bad(struct reading *reading, const char *name, unsigned int line, bool cut)
{
	struct ledger_report *report = reading->report;

	reading->bad++;
	if (report->bad++)
		cut = false;
	else
		report->line = line;
	report->cut = cut;
	snprintf(report->file, sizeof(report->file), "%s", name);
}

/* A line whose number is not above all before it was not written there. */
static bool read_line(struct reading *reading, const char *line, size_t length)
{
	struct event_entry *event = event_parse(line, length);

	if (event && event->number > reading->previous) {
		note_event(reading, event);
		return true;
	}
	event_unref(event);
	return false;
}

/* good: gets the lines that are. */
static void read_lines(struct reading *reading, const char *name, FILE *file, FILE *good)
{
	char *line = NULL;
	unsigned int count = 0;
	ssize_t length;
	size_t size = 0;

	while ((length = getline(&line, &size, file)) > 0) {
		bool ended = line[length - 1] == '\n';

		count++;
		if (ended && read_line(reading, line, (size_t)length - 1))
			fwrite(line, (size_t)length, 1, good);
		else
			note_bad(reading, name, count, !ended);
	}
	free(line);
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? -errno : -EIO;
		text += written;
		length -= (size_t)written;
	}
	return 0;
}

static void sync_folder(const struct ledger *ledger)
{
	int fd = open(ledger->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* NAME becomes NAME.damaged, and NAME holds the good lines. */
static bool set_aside(const struct ledger *ledger, const char *name, const char *good, size_t length)
{
	char path[PATH_MAX], fresh[PATH_MAX], aside[PATH_MAX];
	int fd, error;

	path_of(ledger, name, path);
	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh) ||
	    snprintf(aside, sizeof(aside), "%s.damaged", path) >= (int)sizeof(aside))
		return false;
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	error = write_all(fd, good, length);
	if (fsync(fd))
		error = -errno;
	close(fd);
	unlink(aside);
	if (error || link(path, aside) || rename(fresh, path)) {
		unlink(fresh);
		return false;
	}
	sync_folder(ledger);
	return true;
}

static int read_file(struct reading *reading, const char *name)
{
	char path[PATH_MAX];
	int fd = open(path_of(reading->ledger, name, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r"), *good;
	char *text = NULL;
	size_t length = 0;

	if (!file)
		return fd < 0 && errno == ENOENT ? 0 : -errno;
	reading->rotated |= !strcmp(name, OLDER);
	good = open_memstream(&text, &length);
	if (!good) {
		fclose(file);
		return -ENOMEM;
	}
	reading->bad = 0;
	read_lines(reading, name, file, good);
	fclose(file);
	if (fclose(good))
		return -ENOMEM;
	if (reading->bad)
		reading->report->kept = set_aside(reading->ledger, name, text, length);
	free(text);
	return 0;
}

/* --- writing --- */

static int open_file(struct ledger *ledger)
{
	char path[PATH_MAX], last = '\n';
	struct stat status;

	ledger->fd = open(path_of(ledger, LEDGER_FILE, path),
			  O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (ledger->fd < 0 || fstat(ledger->fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EEXIST;
	ledger->size = (size_t)status.st_size;
	ledger->torn =
		status.st_size && (pread(ledger->fd, &last, 1, status.st_size - 1) != 1 || last != '\n');
	return 0;
}

/* In one step, so that a crash leaves the one or the other. */
static int rotate(struct ledger *ledger)
{
	char path[PATH_MAX], older[PATH_MAX];

	if (rename(path_of(ledger, LEDGER_FILE, path), path_of(ledger, OLDER, older)))
		return -errno;
	close(ledger->fd);
	ledger->fd = -1;
	return open_file(ledger);
}

/* What a failed write left is taken off again. */
static void mend(struct ledger *ledger)
{
	if (ftruncate(ledger->fd, (off_t)ledger->size) == 0)
		ledger->torn = false;
}

static int append(struct ledger *ledger, struct event_entry *const *events, size_t count)
{
	size_t size = ledger->size;
	int error = 0;

	for (size_t i = 0; i < count && !error; i++) {
		size_t length = strlen(events[i]->line);

		error = write_all(ledger->fd, events[i]->line, length);
		size += length;
	}
	if (!error && fdatasync(ledger->fd))
		error = -errno;
	if (error) {
		mend(ledger);
		return error;
	}
	ledger->size = size;
	return 0;
}

/* Somebody has removed it: what it held will be missed at the next start. */
static bool is_gone(const struct ledger *ledger)
{
	struct stat status;

	return !fstat(ledger->fd, &status) && !status.st_nlink;
}

int ledger_write(void *arg, struct event_entry *const *events, size_t count)
{
	struct ledger *ledger = arg;
	int error = 0;

	if (ledger->fd >= 0 && is_gone(ledger)) {
		close(ledger->fd);
		ledger->fd = -1;
	}
	if (ledger->fd < 0)
		error = open_file(ledger);
	else if (ledger->size >= LEDGER_SIZE_MAX)
		error = rotate(ledger);
	if (!error && ledger->torn)
		error = write_all(ledger->fd, "\n", 1);
	if (error)
		return error;
	ledger->torn = false;
	error = append(ledger, events, count);
	return error ? error : write_mark(ledger, events[count - 1]->number);
}

/* --- */

static int open_mark(struct ledger *ledger)
{
	char path[PATH_MAX];

	ledger->mark_fd = open(path_of(ledger, MARK, path),
			       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (ledger->mark_fd < 0)
		return -errno;
	return flock(ledger->mark_fd, LOCK_EX | LOCK_NB) ? (errno == EWOULDBLOCK ? -EBUSY : -errno) : 0;
}

static void conclude(const struct reading *reading)
{
	struct ledger_report *report = reading->report;
	uint64_t mark = read_mark(reading->ledger);

	if (mark > reading->previous)
		note_gap(report, reading->previous + 1, mark, true);
	report->last = mark > reading->previous ? mark : reading->previous;
}

int ledger_open(struct ledger *ledger, const char *dir, void (*take)(void *arg, struct event_entry *event),
		void *arg, struct ledger_report *report)
{
	struct reading reading = { .ledger = ledger, .report = report, .take = take, .arg = arg };
	int error;

	*report = (struct ledger_report){ .ended = true };
	*ledger = (struct ledger){ .fd = -1, .mark_fd = -1 };
	if (snprintf(ledger->dir, sizeof(ledger->dir), "%s", dir) >= (int)sizeof(ledger->dir))
		return -ENAMETOOLONG;
	if (mkdir(dir, 0750) && errno != EEXIST)
		return -errno;
	error = open_mark(ledger);
	if (!error)
		error = read_file(&reading, OLDER);
	if (!error)
		error = read_file(&reading, LEDGER_FILE);
	if (!error) {
		conclude(&reading);
		ledger_mark(ledger, report->last); /* on a full disk what is written later will tell */
	}
	if (!error)
		error = open_file(ledger);
	if (error)
		ledger_close(ledger);
	return error;
}

void ledger_close(struct ledger *ledger)
{
	if (ledger->fd >= 0)
		close(ledger->fd);
	if (ledger->mark_fd >= 0)
		close(ledger->mark_fd);
	ledger->fd = ledger->mark_fd = -1;
}
