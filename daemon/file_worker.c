// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See file_worker.h.
 */
#include "daemon/file_worker.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/file.h"

static void *write_it(void *arg)
{
	struct file_worker *w = arg;

	w->error = file_write(w->dir, w->name, w->text, w->length);
	__atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void end(struct file_worker *w, int *error)
{
	free(w->text);
	w->text = NULL;
	w->busy = w->done = false;
	*error = w->error;
}

void file_worker_begin(struct file_worker *w, const char *dir, const char *name, char *text, size_t length)
{
	snprintf(w->dir, sizeof(w->dir), "%s", dir);
	snprintf(w->name, sizeof(w->name), "%s", name);
	w->text = text;
	w->length = length;
	w->busy = true;
	w->done = false;
	w->thread = 0;
	if (pthread_create(&w->thread, NULL, write_it, w)) {
		w->thread = 0;
		write_it(w);
	}
}

bool file_worker_wait(struct file_worker *w, int *error)
{
	if (!w->busy)
		return false;
	if (w->thread)
		pthread_join(w->thread, NULL);
	end(w, error);
	return true;
}

bool file_worker_ended(struct file_worker *w, int *error)
{
	return w->busy && __atomic_load_n(&w->done, __ATOMIC_ACQUIRE) && file_worker_wait(w, error);
}
