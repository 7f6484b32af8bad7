/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own TCP sockets, through sock_diag(7) on libmnl. Needs no capability. A dump walks the whole
 * socket table, other network namespaces included, so its cost grows with the machine.
 */
#ifndef SYNMOAT_NETLINK_DIAG_H
#define SYNMOAT_NETLINK_DIAG_H

#include <stdint.h>

#include "bpf/abi.h"

/* Called for each connection (any state between ESTABLISHED and CLOSING, TIME_WAIT excluded); the server is
 * this host. */
typedef void diag_connection_fn(const struct tuple *tuple, void *arg);

/* Both families; an IPv4 connection of a dual-stack socket is told as IPv4. 0 or a negative errno. */
int diag_each_connection(diag_connection_fn *fn, void *arg);

#endif
