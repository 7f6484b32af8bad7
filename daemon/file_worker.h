/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file_write() by a thread that touches nothing else, so that a slow disk holds up nobody. One file at a
 * time: whoever begins asks now and then whether it is over. Zeroed: nothing is being written.
 */
#ifndef SYNMOAT_FILE_WORKER_H
#define SYNMOAT_FILE_WORKER_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct file_worker {
	bool busy;
	bool done; /* by the thread */
	pthread_t thread;
	char dir[PATH_MAX], name[NAME_MAX + 1];
	char *text;
	size_t length;
	int error;
};

/* Takes TEXT over, from malloc. Not while it is busy. Without a thread, writes at once. */
void file_worker_begin(struct file_worker *worker, const char *dir, const char *name, char *text,
		       size_t length);

/* True, once: it is over, *error is 0 or a negative errno. False: not yet, or nothing was begun. */
bool file_worker_ended(struct file_worker *worker, int *error);

/* The same, and waits for it. */
bool file_worker_wait(struct file_worker *worker, int *error);

#endif
