// SPDX-License-Identifier: GPL-2.0-or-later
/* See fdstore.h. */
#include "daemon/fdstore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/log.h"

/* Of FileDescriptorStoreMax= in systemd/synmoatd.service: more are not kept. */
#define PASSED_MAX 128

struct fdstore {
	bool keeps;
	int socket;
	size_t count;
	struct passed {
		char *name; /* empty: removed */
		int fd;	    /* -1: claimed */
	} passed[PASSED_MAX];
};

static void note(struct fdstore *store, char *name, int fd)
{
	if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0)
		store->socket = fd;
	if (store->count == PASSED_MAX || store->socket == fd) {
		free(name);
		return;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	store->passed[store->count++] = (struct passed){ name, fd };
}

struct fdstore *fdstore_new(void)
{
	struct fdstore *store = calloc(1, sizeof(*store));
	char **names = NULL;
	int count;

	if (!store)
		return NULL;
	store->socket = -1;
	store->keeps = getenv("NOTIFY_SOCKET") != NULL;
	count = sd_listen_fds_with_names(0, &names);
	for (int i = 0; i < count; i++)
		note(store, names[i], SD_LISTEN_FDS_START + i);
	free(names);
	return store;
}

void fdstore_free(struct fdstore *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < store->count; i++) {
		if (store->passed[i].fd >= 0)
			close(store->passed[i].fd);
		free(store->passed[i].name);
	}
	free(store);
}

int fdstore_socket(const struct fdstore *store)
{
	return store->socket;
}

bool fdstore_keeps(const struct fdstore *store)
{
	return store && store->keeps;
}

static const struct passed *find(const struct fdstore *store, const char *beginning, bool whole)
{
	for (size_t i = 0; store && i < store->count; i++) {
		const struct passed *p = &store->passed[i];

		if (p->fd >= 0 && !strncmp(p->name, beginning, strlen(beginning)) &&
		    (!whole || !p->name[strlen(beginning)]))
			return p;
	}
	return NULL;
}

int fdstore_get(const struct fdstore *store, const char *name)
{
	const struct passed *p = find(store, name, true);

	return p ? p->fd : -1;
}

const char *fdstore_find(const struct fdstore *store, const char *beginning)
{
	const struct passed *p = find(store, beginning, false);

	return p ? p->name : NULL;
}

void fdstore_claim(struct fdstore *store, const char *name)
{
	struct passed *p = (struct passed *)find(store, name, true);

	if (!p)
		return;
	close(p->fd);
	p->fd = -1;
}

static bool is_claimed(const struct fdstore *store, const char *name)
{
	for (size_t i = 0; i < store->count; i++)
		if (store->passed[i].fd < 0 && !strcmp(store->passed[i].name, name))
			return true;
	return false;
}

/* FDPOLL=0: array and hash maps always report EPOLLERR, upon which the manager would drop them. */
void fdstore_put(struct fdstore *store, const char *name, int fd)
{
	char state[320];
	int error;

	if (!fdstore_keeps(store) || is_claimed(store, name))
		return;
	snprintf(state, sizeof(state), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	error = sd_pid_notify_with_fds(0, 0, state, &fd, 1);
	if (error >= 0)
		return;
	store->keeps = false;
	log_print(LOG_WARNING,
		  "the service manager keeps no descriptors (%s): a restart will detach the fast path",
		  strerror(-error));
}

void fdstore_remove(struct fdstore *store, const char *name)
{
	if (fdstore_keeps(store))
		sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
	fdstore_claim(store, name);
	for (size_t i = 0; store && i < store->count; i++)
		if (!strcmp(store->passed[i].name, name))
			*store->passed[i].name = '\0';
}

void fdstore_drop_rest(struct fdstore *store)
{
	char name[256];

	for (size_t i = 0; store && i < store->count; i++)
		if (store->passed[i].fd >= 0) {
			snprintf(name, sizeof(name), "%s", store->passed[i].name);
			fdstore_remove(store, name);
		}
}
