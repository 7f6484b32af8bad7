/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept of one tracked connection: 56 bytes with IPv4 addresses, 80 with IPv6 ones, and the table's
 * index. Links are ids of the table (flowtable.h), 0: none.
 */
#ifndef SYNMOAT_TRACKER_FLOW_H
#define SYNMOAT_TRACKER_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "daemon/tracker/state.h"

enum endpoint { CLIENT, SERVER, ENDPOINTS };

/* By endpoint where shifted. number: what an ACK of its SYN, later of its FIN, must reach;
 * of a server's SYN that was a cookie, see segment.c. */
#define FLOW_SYN_KNOWN(endpoint) (0x01U << (endpoint))
#define FLOW_SYN_ACKED(endpoint) (0x04U << (endpoint))
#define FLOW_FIN_KNOWN(endpoint) (0x10U << (endpoint))
#define FLOW_COOKIE		 0x40U	/* began with a cookie of ours */
#define FLOW_TIMED		 0x80U	/* handshake_us is the handshake's length, not yet its beginning */
#define FLOW_RST_UNSURE		 0x100U /* a RST passed, and the kernel still had the socket */
#define FLOW_SEEN		 0x200U /* by the resynchronisation that is under way */
#define FLOW_SEEDED		 0x400U /* read from the kernel: older than the daemon, or its events were lost */
#define FLOW_OPENED		 0x800U	 /* both ends were ESTABLISHED, and that was counted */
#define FLOW_ENDED		 0x1000U /* and so was that neither is open any more */

struct flow {
	uint32_t hash_next;
	uint32_t timer_next, timer_prev;
	uint32_t due;		     /* in ticks of the table's clock */
	uint32_t begun_s, changed_s; /* monotonic */
	uint32_t handshake_us;	     /* from SYN to third ACK; 0: not known */
	uint32_t number[ENDPOINTS];
	uint16_t flags;
	uint8_t state[ENDPOINTS]; /* enum tcp_state */
	__be16 port[ENDPOINTS];
	uint8_t service; /* slot */
	uint8_t pad;
	uint16_t timer_slot; /* of the wheel, while it is armed */
	__be32 address[];    /* the client's, then the server's: one word each, or four */
};

#define FLOW_SIZE(v6) (sizeof(struct flow) + ((v6) ? 8 : 2) * sizeof(__be32))

#endif
