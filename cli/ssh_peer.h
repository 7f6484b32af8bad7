/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the person at this terminal comes from, if it is by ssh.
 */
#ifndef SYNMOAT_CLI_SSH_PEER_H
#define SYNMOAT_CLI_SSH_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Addresses of the other ends of the ssh session that this process belongs to (IPv4 as v4-mapped): of the
 * sockets that the sshd among our ancestors holds, and by SSH_CONNECTION and SSH_CLIENT of theirs and our own
 * environments, which sudo takes away. Returns how many, at most SIZE.
 */
size_t ssh_peers(struct in6_addr *peers, size_t size);

/* PREFIX (an address, or with /LENGTH) covers the address; false, too, if it is none. */
bool ssh_prefix_covers(const char *prefix, const struct in6_addr *address);

#endif
