/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own TCP sockets, through sock_diag(7) on libmnl. Needs no capability. A dump walks the whole
 * socket table, other network namespaces included, so its cost grows with the machine.
 */
#ifndef SYNMOAT_NETLINK_DIAG_H
#define SYNMOAT_NETLINK_DIAG_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"

/* Called for each connection (any state between ESTABLISHED and CLOSING, TIME_WAIT excluded); the server is
 * this host. */
typedef void diag_connection_fn(const struct tuple *tuple, void *arg);

/* Likewise, for each half-open socket (SYN_RCVD). 0 or a negative errno. */
int diag_each_half_open(diag_connection_fn *fn, void *arg);

/* Both families; an IPv4 connection of a dual-stack socket is told as IPv4. 0 or a negative errno. */
int diag_each_connection(diag_connection_fn *fn, void *arg);

/* As above, for every state but LISTEN and CLOSED; state: TCP_… of <netinet/tcp.h>, half-opens as
 * TCP_SYN_RECV. */
typedef void diag_socket_fn(const struct tuple *tuple, unsigned int state, void *arg);
int diag_each_socket(diag_socket_fn *fn, void *arg);

/* For questions about single sockets; NULL with errno set on failure. */
struct mnl_socket;
struct mnl_socket *diag_open(void);
void diag_close(struct mnl_socket *diag);

/* State of the socket with exactly this tuple (TIME_WAIT included), or -ENOENT, or another negative errno. */
int diag_find(struct mnl_socket *diag, const struct tuple *tuple);

/* Ends it: its application sees ECONNABORTED, its peer a RST, if it was not half-open. As diag_find, or 0. */
int diag_destroy(struct mnl_socket *diag, const struct tuple *tuple);

/*
 * Ends half-open sockets (SYN_RCVD) of ours whose SYN-ACK was sent again at least resends times without an
 * answer: two resends are three seconds. wanted says whether the local port is one of ours. Their clients are
 * not told. Returns how many were ended (at most DIAG_DESTROY_MAX a call), or a negative errno: -EOPNOTSUPP
 * from a kernel without CONFIG_INET_DIAG_DESTROY. *left is how many of the wanted ones there still are.
 */
#define DIAG_DESTROY_MAX 4096
typedef bool diag_wanted_fn(uint16_t port, void *arg);
int diag_destroy_half_opens(unsigned int resends, diag_wanted_fn *wanted, void *arg, unsigned int *left);

#endif
