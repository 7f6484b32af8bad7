/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The listening socket itself: taken from systemd, or bound to a path, whose stale predecessor is cleared
 * away.
 */
#ifndef SYNMOAT_CONTROL_LISTENER_H
#define SYNMOAT_CONTROL_LISTENER_H

#include <sys/types.h>
#include <sys/un.h>

struct listener {
	int fd;
	char path[sizeof(
		((struct sockaddr_un *)0)->sun_path)]; /* empty: systemd's, which is not ours to unlink */
	dev_t device;				       /* of the socket that we made at path */
	ino_t inode;
};

/* passed: systemd's socket, or -1. Errors are those of control_new, and logged. */
int listener_init(struct listener *listener, int passed, const char *path);
/* Before anything is loaded: -EADDRINUSE, and logged, when another daemon answers there. */
int listener_check(int passed, const char *path);
void listener_fini(struct listener *listener);

#endif
