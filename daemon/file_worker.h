/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file_write() by a thread that touches nothing else, so that a slow disk holds up nobody. One file; whoever
 * begins asks now and then whether it is over. Zeroed: nothing is being written.
 */
#ifndef SYNMOAT_FILE_WORKER_H
#define SYNMOAT_FILE_WORKER_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct file_worker {
	bool busy; /* begun, and its end not told */
	bool threaded;
	pthread_t thread;
	char dir[PATH_MAX], name[NAME_MAX + 1];
	char *text;
	size_t length;
	int error;
	/* under the lock */
	pthread_mutex_t lock;
	bool done;
	char *next; /* to be written after that; NULL: nothing */
	size_t next_length;
};

/* Takes TEXT over, from malloc. While it is busy, TEXT is written next, and what had been waiting is not.
 * Without a thread, writes at once. */
void file_worker_begin(struct file_worker *worker, const char *dir, const char *name, char *text,
		       size_t length);

/* True, once: it is over, *error is 0 or a negative errno, of the last. False: not yet, or nothing was begun.
 */
bool file_worker_ended(struct file_worker *worker, int *error);

/* The same, and waits for it. */
bool file_worker_wait(struct file_worker *worker, int *error);

/* Tells that DIR/NAME cannot be written, and what follows from it, once, and when it is written again.
 * *failed: as it was told last. */
void file_worker_tell(const char *dir, const char *name, int error, bool *failed, const char *consequence);

#endif
