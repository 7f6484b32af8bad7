// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See file_sink.h.
 */
#include "daemon/events/file_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void file_sink_init(struct file_sink *sink)
{
	*sink = (struct file_sink){ .fd = -1 };
	pthread_mutex_init(&sink->lock, NULL);
}

static void close_file(struct file_sink *sink)
{
	if (sink->fd >= 0)
		close(sink->fd);
	sink->fd = -1;
	free(sink->open_path);
	sink->open_path = NULL;
}

void file_sink_fini(struct file_sink *sink)
{
	close_file(sink);
	free(sink->path);
	pthread_mutex_destroy(&sink->lock);
}

void file_sink_set(struct file_sink *sink, const char *path)
{
	char *copy = path ? strdup(path) : NULL;

	pthread_mutex_lock(&sink->lock);
	free(sink->path);
	sink->path = copy;
	pthread_mutex_unlock(&sink->lock);
}

/* To be freed; NULL: none. */
static char *wanted_path(struct file_sink *sink)
{
	char *copy;

	pthread_mutex_lock(&sink->lock);
	copy = sink->path ? strdup(sink->path) : NULL;
	pthread_mutex_unlock(&sink->lock);
	return copy;
}

/* Still the file of this name? */
static bool is_current(const struct file_sink *sink, const char *path)
{
	struct stat named, open;

	return sink->fd >= 0 && !strcmp(sink->open_path, path) && !stat(path, &named) &&
	       !fstat(sink->fd, &open) && named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

/* Takes path over. */
static int open_file(struct file_sink *sink, char *path)
{
	struct stat status;

	close_file(sink);
	sink->open_path = path;
	sink->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
	if (sink->fd < 0)
		return -errno;
	if (!fstat(sink->fd, &status) && S_ISREG(status.st_mode))
		return 0;
	close_file(sink);
	return -EINVAL; /* a pipe or a device would hold us up */
}

static int write_line(const struct file_sink *sink, const char *line)
{
	size_t length = strlen(line), written = 0;

	while (written < length) {
		ssize_t result = write(sink->fd, line + written, length - written);

		if (result > 0)
			written += (size_t)result;
		else if (errno != EINTR)
			break;
	}
	if (written == length)
		return 0;
	if (written && write(sink->fd, "\n", 1) == 1)
		return -ENOSPC; /* half a line, which a reader skips */
	return errno ? -errno : -EIO;
}

int file_sink_write(void *arg, struct event_entry *const *events, size_t count)
{
	struct file_sink *sink = arg;
	char *path = wanted_path(sink);
	int error = 0;

	if (!path) {
		close_file(sink);
		return 0;
	}
	if (is_current(sink, path))
		free(path);
	else
		error = open_file(sink, path);
	for (size_t i = 0; i < count && !error; i++) {
		if (events[i]->number > sink->last) /* not before the last fault */
			error = write_line(sink, events[i]->line);
		if (!error)
			sink->last = events[i]->number;
	}
	return error;
}
