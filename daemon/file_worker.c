// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See file_worker.h.
 */
#include "daemon/file_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/events/events.h"
#include "daemon/file.h"

/* False: nothing waits, and none will be taken any more. */
static bool take_next(struct file_worker *w)
{
	bool more;

	pthread_mutex_lock(&w->lock);
	more = w->next;
	if (more) {
		free(w->text);
		w->text = w->next;
		w->length = w->next_length;
		w->next = NULL;
	}
	w->done = !more;
	pthread_mutex_unlock(&w->lock);
	return more;
}

static void *write_all(void *arg)
{
	struct file_worker *w = arg;

	do
		w->error = file_write(w->dir, w->name, w->text, w->length);
	while (take_next(w));
	return NULL;
}

/* False: it is not busy, or too far. */
static bool put_next(struct file_worker *w, char *text, size_t length)
{
	bool taken;

	if (!w->busy)
		return false;
	pthread_mutex_lock(&w->lock);
	taken = !w->done;
	if (taken) {
		free(w->next);
		w->next = text;
		w->next_length = length;
	}
	pthread_mutex_unlock(&w->lock);
	return taken;
}

void file_worker_begin(struct file_worker *w, const char *dir, const char *name, char *text, size_t length)
{
	int ignored;

	if (put_next(w, text, length))
		return;
	file_worker_wait(w, &ignored); /* the one before is over */
	snprintf(w->dir, sizeof(w->dir), "%s", dir);
	snprintf(w->name, sizeof(w->name), "%s", name);
	pthread_mutex_init(&w->lock, NULL);
	w->text = text;
	w->length = length;
	w->busy = true;
	w->done = false;
	w->threaded = !pthread_create(&w->thread, NULL, write_all, w);
	if (!w->threaded)
		write_all(w);
}

bool file_worker_wait(struct file_worker *w, int *error)
{
	if (!w->busy)
		return false;
	if (w->threaded)
		pthread_join(w->thread, NULL);
	pthread_mutex_destroy(&w->lock);
	free(w->text);
	w->text = NULL;
	w->busy = false;
	*error = w->error;
	return true;
}

bool file_worker_ended(struct file_worker *w, int *error)
{
	bool done;

	if (!w->busy)
		return false;
	pthread_mutex_lock(&w->lock);
	done = w->done;
	pthread_mutex_unlock(&w->lock);
	return done && file_worker_wait(w, error);
}

void file_worker_tell(const char *dir, const char *name, int error, bool *failed, const char *consequence)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (error && !*failed)
		event_tell(EVENT_STATE_UNWRITABLE, EV_TEXT("path", path), EV_TEXT("error", strerror(-error)),
			   EV_TEXT("consequence", consequence));
	else if (!error && *failed)
		event_tell(EVENT_STATE_WRITABLE, EV_TEXT("path", path));
	*failed = error != 0;
}
