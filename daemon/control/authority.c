// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may change things. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/control/authority.h"
#include "daemon/log.h"

#define GROUPS_GUESS 64

/* Once, not again with every reload. */
static void say_missing(struct authority *authority, const char *group)
{
	if (!strcmp(authority->missing, group))
		return;
	snprintf(authority->missing, sizeof(authority->missing), "%s", group);
	log_print(LOG_WARNING, "control: there is no group %s: only root may change things", group);
}

void authority_set_group(struct authority *authority, const char *group)
{
	const struct group *entry = group && *group ? getgrnam(group) : NULL;

	authority->group[0] = '\0';
	if (group && *group && !entry) {
		say_missing(authority, group);
		return;
	}
	authority->missing[0] = '\0';
	if (!entry)
		return;
	snprintf(authority->group, sizeof(authority->group), "%s", group);
	authority->gid = entry->gr_gid;
}

int peer_get(int fd, struct peer *peer)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length))
		return -errno;
	*peer = (struct peer){ .uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid };
	return 0;
}

/* Supplementary groups of the peer; the caller frees. NULL: none, or not to be had. */
static gid_t *peer_groups(int fd, size_t *count)
{
	socklen_t length = GROUPS_GUESS * sizeof(gid_t);
	gid_t *groups = malloc(length), *larger;

	if (!groups)
		return NULL;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length)) {
		/* ERANGE: the kernel has put the size that it needs into length */
		larger = errno == ERANGE ? realloc(groups, length) : NULL;
		if (!larger || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, larger, &length)) {
			free(larger ? larger : groups);
			return NULL;
		}
		groups = larger;
	}
	*count = length / sizeof(gid_t);
	return groups;
}

static bool peer_has_group(int fd, const struct peer *peer, gid_t gid)
{
	bool found = peer->gid == gid;
	size_t count = 0;
	gid_t *groups;

	if (found)
		return true;
	groups = peer_groups(fd, &count);
	for (size_t i = 0; i < count && !found; i++)
		found = groups[i] == gid;
	free(groups);
	return found;
}

bool authority_may_change(const struct authority *authority, int fd, const struct peer *peer)
{
	return peer->uid == 0 || (*authority->group && peer_has_group(fd, peer, authority->gid));
}
