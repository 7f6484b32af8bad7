/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who listens and how many half-opens each listener has, out of what sock_diag tells, entry by entry. Sockets
 * that share an address (SO_REUSEPORT) are one listener. Bounded: what finds no room is counted as others.
 * Pure.
 */
#ifndef SYNMOAT_WATCH_LISTENERS_H
#define SYNMOAT_WATCH_LISTENERS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/netlink/diag.h"

#define LISTENERS_MAX 1024
#define MEMBERS_MAX   16 /* sockets of a listener whose cookies are kept */
#define RESENDS	      6	 /* of a SYN-ACK: none to four, and five or more */

/* SYN-ACKs wait a second for their ACK, then twice as long each time (RFC 6298, section 5.5). */
#define SYNACK_TIMEOUT_MS 1000

struct listener {
	uint8_t family; /* AF_INET, AF_INET6, or AF_UNSPEC: inline, servers of either family */
	bool v6only;
	__be32 address[4]; /* IPv4 as v4-mapped; zero: any */
	uint16_t port;
	uint32_t ifindex; /* bound to; 0: to none */
	uint32_t sockets; /* 0: it has gone, its half-opens have not */
	uint64_t cookies[MEMBERS_MAX];
	uint32_t accept_queue, accept_limit; /* sums over its sockets */
	bool accept_full;		     /* of one of them */
	uint32_t v4, v6;		     /* half-opens by the client's family */
	uint32_t resends[RESENDS];
	uint32_t oldest_ms; /* age, by the first timeout of SYNACK_TIMEOUT_MS */
	int64_t syn_queue;  /* its length as the kernel keeps it; -1: not known */
	uint16_t next;	    /* of the same port, an index and one; 0: none */
};

struct listeners {
	struct listener all[LISTENERS_MAX];
	uint16_t first[65536]; /* by port, likewise */
	size_t count;
	uint32_t others_v4, others_v6; /* half-opens of listeners that found no room */
	uint32_t left_out;	       /* sockets that listen, likewise */
};

void listeners_clear(struct listeners *listeners);
void listeners_add(struct listeners *listeners, const struct diag_entry *entry);

/* Gives listeners the half-opens that they had in before. */
void listeners_carry(struct listeners *listeners, const struct listeners *before);

/* NULL: no room. Inline: what a sweep has counted is put into it. */
struct listener *listeners_of_port(struct listeners *listeners, uint16_t port);

/* "0.0.0.0", "::", "192.0.2.1"; inline "*". Returns buffer. */
const char *listener_address(const struct listener *listener, char buffer[INET6_ADDRSTRLEN]);

uint32_t listener_half_opens(const struct listener *listener);
uint64_t listeners_half_opens(const struct listeners *listeners, uint32_t *v4, uint32_t *v6);

#endif
