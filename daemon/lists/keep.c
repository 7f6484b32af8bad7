// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See keep.h. Text is made in slices of the event loop, files are written by a thread that touches nothing
 * else.
 */
#include "daemon/lists/keep.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "daemon/file.h"
#include "daemon/file_worker.h"
#include "daemon/lists/journal.h"
#include "daemon/lists/line.h"
#include "daemon/lists/lists.h"
#include "daemon/log.h"

#define SLICE_NS 4000000
#define RETRY_S	 10

struct keep {
	char dir[PATH_MAX - 32];
	struct journal *journal;
	bool quiet;	/* entries are those that were written down */
	uint64_t saved; /* lists_changes of what is on its way or on disk */
	int64_t retry_s;
	bool failed; /* the last one, as the log has been told */
	/* being made into text */
	FILE *out;
	char *text;
	size_t length;
	uint64_t count;
	uint32_t place;
	struct file_worker writer;
};

/* --- the text --- */

static int begin_text(struct keep *k, int64_t now_s)
{
	k->out = open_memstream(&k->text, &k->length);
	if (!k->out)
		return -ENOMEM;
	journal_begin(k->journal);
	line_print_head(k->out, now_s);
	k->count = 0;
	k->place = 0;
	return 0;
}

/* false: that was the last one. */
static bool print_some(struct keep *k, const struct lists *lists, int count)
{
	struct lists_entry e;

	while (count--) {
		if (!lists_next(lists, &k->place, &e))
			return false;
		if (e.origin != ORIGIN_MANUAL && e.origin != ORIGIN_AUTO)
			continue;
		line_print_entry(k->out, &e);
		k->count++;
	}
	return true;
}

static int end_text(struct keep *k)
{
	int error = file_seal(k->out, &k->text, &k->length, k->count);

	k->out = NULL;
	return error;
}

/* --- writing --- */

static void begin_writing(struct keep *k)
{
	file_worker_begin(&k->writer, k->dir, "lists", k->text, k->length);
	k->text = NULL;
}

static void tell(struct keep *k, int error, int64_t now_s)
{
	if (error) {
		k->saved = UINT64_MAX;
		k->retry_s = now_s + RETRY_S;
	} else {
		journal_end(k->journal);
	}
	file_worker_tell(
		k->dir, "lists", error, &k->failed,
		"block and allow entries are in force, but a restart would bring back those of before");
}

void keep_tick(struct keep *k, const struct lists *lists, int64_t now_s)
{
	int error;

	if (file_worker_ended(&k->writer, &error))
		tell(k, error, now_s);
	if (k->out || k->writer.busy || k->saved == lists_changes(lists) || now_s < k->retry_s)
		return;
	if (!begin_text(k, now_s))
		k->saved = lists_changes(lists);
}

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

bool keep_work(struct keep *k, const struct lists *lists)
{
	int64_t end = clock_ns() + SLICE_NS;

	if (!k->out)
		return false;
	do {
		if (print_some(k, lists, 64))
			continue;
		if (end_text(k))
			k->saved = UINT64_MAX;
		else
			begin_writing(k);
		return false;
	} while (clock_ns() < end);
	return true;
}

bool keep_busy(const struct keep *k)
{
	return k->out;
}

/* --- reading --- */

struct loading {
	struct lists *lists;
	int set;
	int64_t now_s;
	struct line_head head;
	uint64_t count;
};

static bool read_entry(struct loading *in, const char *line)
{
	struct lists_entry e;

	if (!line_parse_entry(line, &in->head, &e))
		return false;
	if (e.expires_s && e.expires_s <= in->now_s)
		return true;
	if (e.origin == ORIGIN_AUTO)
		lists_add(in->lists, e.kind, &e.prefix, ORIGIN_AUTO, e.expires_s, e.added_s, e.reason);
	else
		lists_set_add(in->lists, in->set, e.kind, &e.prefix, e.expires_s, e.added_s, e.reason);
	in->count++;
	return true;
}

/* 0, -ENOENT, or another negative errno: it is damaged (-EBADMSG) or cannot be read. */
static int load_file(const struct keep *k, const char *name, struct loading *in)
{
	uint64_t count, lines = 0;
	char *text, *line, *rest;
	int error = file_read(k->dir, name, &text, &count);

	if (error)
		return error;
	rest = text;
	if (!(line = strsep(&rest, "\n")) || !line_parse_head(line, in->now_s, &in->head))
		error = -EBADMSG;
	while (!error && (line = strsep(&rest, "\n")) && *line) {
		lines++;
		if (!read_entry(in, line))
			log_print(LOG_ERR, "%s/%s: an entry that makes no sense: %.80s", k->dir, name, line);
	}
	free(text);
	if (!error && lines != count)
		log_print(LOG_ERR, "%s/%s: %" PRIu64 " entries, and %" PRIu64 " were written", k->dir, name,
			  lines, count);
	return error;
}

uint64_t keep_load(struct keep *k, struct lists *lists, int64_t now_s)
{
	struct loading in = { .lists = lists,
			      .now_s = now_s,
			      .set = lists_set_begin(lists, ORIGIN_MANUAL, "") };
	int error, copy_error = 0;

	if (in.set < 0)
		return 0;
	k->quiet = true;
	error = load_file(k, "lists", &in);
	if (error) {
		file_set_aside(k->dir, "lists", error);
		copy_error = load_file(k, "lists.copy", &in);
		file_set_aside(k->dir, "lists.copy", copy_error);
		if (!copy_error)
			log_print(LOG_ERR,
				  "lists: %s/lists: %s; its copy was read instead, none of its %" PRIu64
				  " entries is lost",
				  k->dir, error == -EBADMSG ? "damaged" : strerror(-error), in.count);
		else if (error != -ENOENT || copy_error != -ENOENT)
			log_print(LOG_ERR,
				  "lists: neither %s/lists (%s) nor its copy (%s) can be read: no entry of "
				  "before is in force",
				  k->dir, strerror(-error), strerror(-copy_error));
	}
	lists_set_commit(lists, in.set);
	k->quiet = false;
	k->saved = error ? UINT64_MAX : lists_changes(lists);
	if (error == -ENOENT && copy_error == -ENOENT)
		k->saved = lists_changes(lists);
	return in.count;
}

void keep_note(struct keep *k, const struct lists_change *change, int64_t now_s)
{
	if (!k->quiet)
		journal_note(k->journal, change, now_s);
}

uint64_t keep_replay(struct keep *k, struct lists *lists, int64_t now_s)
{
	uint64_t count;

	k->quiet = true;
	count = journal_replay(k->journal, lists, now_s);
	k->quiet = false;
	return count;
}

struct keep *keep_new(const char *dir)
{
	struct keep *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->journal = journal_new(dir);
	if (!k->journal) {
		free(k);
		return NULL;
	}
	snprintf(k->dir, sizeof(k->dir), "%s", dir);
	if (mkdir(dir, 0750) && errno != EEXIST)
		log_print(LOG_WARNING, "lists: cannot make %s: %m", dir);
	if (access(dir, W_OK | X_OK))
		log_print(LOG_WARNING,
			  "lists: cannot write to %s: %m. Entries added at run time will not outlive the "
			  "daemon",
			  dir);
	return k;
}

void keep_free(struct keep *k, const struct lists *lists, int64_t now_s)
{
	int error;

	if (!k)
		return;
	if (k->out) { /* begun, but not with what has changed since */
		fclose(k->out);
		free(k->text);
		k->text = NULL;
		k->out = NULL;
		k->saved = UINT64_MAX;
	}
	if (file_worker_wait(&k->writer, &error))
		tell(k, error, now_s);
	if (lists && k->saved != lists_changes(lists) && !begin_text(k, now_s)) {
		while (print_some(k, lists, INT_MAX))
			;
		if (!end_text(k)) {
			begin_writing(k);
			if (file_worker_wait(&k->writer, &error))
				tell(k, error, now_s);
		}
	}
	journal_free(k->journal);
	free(k);
}
