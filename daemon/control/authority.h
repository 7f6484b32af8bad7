/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is at the other end of a socket, and whether they may change things: root, and members of one group, as
 * the kernel recorded them when they connected.
 */
#ifndef SYNMOAT_CONTROL_AUTHORITY_H
#define SYNMOAT_CONTROL_AUTHORITY_H

#include <stdbool.h>
#include <sys/types.h>

struct authority {
	char group[64]; /* empty: root alone */
	gid_t gid;
	char missing[64]; /* the group that does not exist, as the log has been told; empty: none */
};

struct peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
};

/* Looks the group up (once, since NSS may block); NULL or one that does not exist: root alone. authority is
 * all zero before the first call. */
void authority_set_group(struct authority *authority, const char *group);

int peer_get(int fd, struct peer *peer);
bool authority_may_change(const struct authority *authority, int fd, const struct peer *peer);

#endif
