/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who tries many ports: for each source, how many different ones refused it, and on how many it completed a
 * handshake, within a minute. A table of fixed size: sources that tried the least make room for others, so
 * that forged ones, which come once, push out no scanner. Pure but for its key.
 */
#ifndef SYNMOAT_TRACKER_SCANNERS_H
#define SYNMOAT_TRACKER_SCANNERS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define SCANNERS_WINDOW_S 60
#define SCANNERS_MOST	  192 /* beyond that the count is too coarse */

struct scanners;

enum attempt {
	ATTEMPT_REFUSED,   /* a SYN in its name was answered by a RST: anybody can send that */
	ATTEMPT_COMPLETED, /* it has shown that it reads what is sent to the address */
};

struct scan_report {
	struct in6_addr source; /* IPv4 as v4-mapped; of IPv6 the /64 */
	uint32_t ports;		/* about */
	uint32_t completed;	/* of these; 0: perhaps it was another who sent it all */
};

int scanners_new(struct scanners **scanners); /* 0 or a negative errno */
void scanners_free(struct scanners *scanners);

/* True once a minute and source: with this one it has tried most ports or more. A completed one counts by its
 * port alone: a large network has reasons to be on many addresses. */
bool scanners_note(struct scanners *scanners, const struct in6_addr *source, const struct in6_addr *server,
		   in_port_t port, enum attempt attempt, uint32_t most, uint32_t now_s,
		   struct scan_report *report);

#endif
