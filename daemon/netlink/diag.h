/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own TCP sockets, through sock_diag(7) on libmnl. Needs no capability. A dump walks the whole
 * socket table, other network namespaces included, so its cost grows with the machine.
 */
#ifndef SYNMOAT_NETLINK_DIAG_H
#define SYNMOAT_NETLINK_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

/* Called for each connection (any state between ESTABLISHED and CLOSING, TIME_WAIT excluded); the server is
 * this host. */
typedef void diag_connection_fn(const struct tuple *tuple, void *arg);

/* Likewise, for each half-open socket (SYN_RCVD). 0 or a negative errno. */
int diag_each_half_open(diag_connection_fn *fn, void *arg);

/* Both families; an IPv4 connection of a dual-stack socket is told as IPv4. 0 or a negative errno. */
int diag_each_connection(diag_connection_fn *fn, void *arg);

/*
 * One dump after another in slices, so that nobody waits for 50,000 sockets. An IPv4 half-open of a
 * dual-stack listener is told with family AF_INET6 and an IPv4 client.
 */
struct diag_entry {
	struct tuple tuple; /* of a connection or half-open; the server is this host */
	unsigned int state; /* TCP_… of <netinet/tcp.h>, half-opens as TCP_SYN_RECV */
	uint8_t family;	    /* of the listener */
	bool listens;	    /* else half-open */
	bool v4;	    /* half-open: the client's family; of a listener: that of its address */
	bool v6only;	    /* of a listener */
	uint8_t resends;    /* of the SYN-ACK */
	__be32 server[4];   /* zero: any address */
	uint16_t port;
	uint32_t ifindex;      /* bound to; 0: to none */
	uint32_t expires_ms;   /* until the SYN-ACK is sent again */
	uint32_t queue, limit; /* of a listener: connections to accept, and how many there may be */
	uint64_t cookie;
};

struct diag_dump;
typedef void diag_entry_fn(const struct diag_entry *entry, void *arg);

int diag_dump_new(struct diag_dump **dump); /* 0 or a negative errno */
void diag_dump_free(struct diag_dump *dump);

/* Listeners and, unless half_opens is false, half-opens: those of a family after its listeners. Ends what was
 * under way. 0 or a negative errno. */
int diag_dump_begin(struct diag_dump *dump, bool half_opens);

/* Likewise, of every state but LISTEN and CLOSED. */
int diag_dump_begin_sockets(struct diag_dump *dump);

/* Goes on for about slice_us. 1: there is more; 0: that was all; or a negative errno, and it has ended. */
int diag_dump_step(struct diag_dump *dump, uint32_t slice_us, diag_entry_fn *fn, void *arg);

/* Of one message of the kernel; as in struct diag_entry. */
struct inet_diag_msg;
void diag_read_tuple(const struct inet_diag_msg *m, struct tuple *tuple);
unsigned int diag_read_state(const struct inet_diag_msg *m);

/* For questions about single sockets; NULL with errno set on failure. */
struct mnl_socket;
struct mnl_socket *diag_open(void);
void diag_close(struct mnl_socket *diag);

/* Asks for a dump of all sockets of a family in states, a bit for each. 0 or a negative errno. */
int diag_send_request(struct mnl_socket *diag, uint8_t family, uint32_t states);

/* State of the socket with exactly this tuple (TIME_WAIT included), or -ENOENT, or another negative errno.
 * ifindex: where it receives; without it (0), a socket that is bound to an interface is not found. */
int diag_find(struct mnl_socket *diag, const struct tuple *tuple, unsigned int ifindex);

/* What either end has sent: of the server's bytes those that were acknowledged. known: the socket still has
 * them. As diag_find, or 0. */
struct diag_traffic {
	bool known;
	uint64_t client_bytes, server_bytes, client_packets, server_packets;
};
int diag_find_traffic(struct mnl_socket *diag, const struct tuple *tuple, unsigned int ifindex,
		      struct diag_traffic *traffic);

/* Of a struct tcp_info, which may be that of an older kernel. */
void diag_read_info(const void *info, size_t size, struct diag_traffic *traffic);

/* Ends it: its application sees ECONNABORTED, its peer a RST, if it was not half-open. As diag_find, or 0. */
int diag_destroy(struct mnl_socket *diag, const struct tuple *tuple, unsigned int ifindex);

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
