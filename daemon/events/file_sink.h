/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The events as JSON lines in a file that the configuration names, for programs that read it. It is opened
 * anew when it has been renamed or removed (logrotate), so that nobody has to be told.
 */
#ifndef SYNMOAT_EVENTS_FILE_SINK_H
#define SYNMOAT_EVENTS_FILE_SINK_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/events/event.h"

struct file_sink {
	pthread_mutex_t lock;
	char *path; /* NULL: none; under the lock */
	char *open_path;
	int fd;
	uint64_t last; /* number that stands in it */
};

void file_sink_init(struct file_sink *sink);
void file_sink_fini(struct file_sink *sink);
/* path: may be NULL. */
void file_sink_set(struct file_sink *sink, const char *path);

/* A sink's write. */
int file_sink_write(void *sink, struct event_entry *const *events, size_t count);

#endif
