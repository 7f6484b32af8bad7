/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packets of the benchmark: segments of each kind, without their client, and crowds of clients that send
 * or receive them (refill.h puts both together). All clients with a valid cookie have the same ISN, and so
 * have the servers that answer them.
 */
#ifndef SYNMOAT_BENCH_TRAFFIC_H
#define SYNMOAT_BENCH_TRAFFIC_H

#include "tests/bench/refill.h"
#include "tests/bpf/harness.h"

enum segment {
	SYN_LINUX,
	SYN_WINDOWS,
	SYN_MACOS,
	SYN_BARE,
	ACK_COOKIE,	 /* acknowledges the cookie that its client has */
	ACK_BAD,	 /* acknowledges something else */
	RST_EARLY,	 /* of a client whose server has not answered */
	SERVER_SYNACK,	 /* answers what a cookie began */
	CLIENT_ACK,	 /* later */
	SERVER_ACK,	 /* likewise */
	CLIENT_ACK_AUTO, /* to a service that is not being mitigated */
	SERVER_ACK_AUTO,
	ACK_NOBODY, /* to no service */
	DATAGRAM,   /* UDP */
	SEGMENTS,
};

struct traffic_segment {
	struct frame frame; /* its client's address 0; the acknowledgement, if each has its own */
	bool v6, tcp, to_client, acks_cookie;
};

void traffic_segment(struct traffic_segment *segment, const struct harness *h, enum segment kind, bool v6);

/* In no order, and of any two none is in both. */
enum crowd {
	STRANGERS,
	LISTED, /* on the block list */
	FLOWS,	/* have a connection */
	NEWCOMERS,
	CROWDS,
};

#define STRANGERS_MAX REFILL_CLIENTS
#define LISTED_MAX    REFILL_CLIENTS
#define FLOWS_MAX     (REFILL_CLIENTS / 2) /* of each family: a million in all */
#define NEWCOMERS_MAX 65536

struct traffic_crowd {
	uint32_t count; /* a power of two */
	struct refill_client *clients;
};

struct traffic_crowds {
	struct traffic_crowd of[CROWDS][2]; /* second: IPv6 */
};

/* FLOWS and NEWCOMERS, with cookies as the harness' runtime makes them. The caller fills the rest. */
int traffic_crowds_init(struct traffic_crowds *crowds, const struct harness *h);
void traffic_crowds_fini(struct traffic_crowds *crowds);

/* As the maps have them. */
void traffic_tuple(struct tuple *tuple, const struct refill_client *client, bool v6);

#endif
