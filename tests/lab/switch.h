/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What switch.c and switch.bpf.c share: the counters and their sizes.
 */
#ifndef SYNMOAT_LAB_SWITCH_H
#define SYNMOAT_LAB_SWITCH_H

#include <linux/types.h>

#define SWITCH_PORTS 4 /* a power of two: indices are masked with it */

enum tcp_class { CLASS_SYN, CLASS_SYNACK, CLASS_ACK, CLASS_RST, CLASS_FIN, CLASS_OTHER, CLASS_COUNT };

struct switch_pair {
	__u64 packets, bytes;	/* forwarded */
	__u64 dropped;		/* by a drop rule */
	__u64 tcp[CLASS_COUNT]; /* of the forwarded */
};

struct switch_stats {
	struct switch_pair pairs[SWITCH_PORTS][SWITCH_PORTS]; /* [from][to] */
	__u64 redirect_failed[SWITCH_PORTS];		      /* forwarded, but the port's queue was full */
	__u64 unknown;					      /* no port has this destination */
};

struct sink_stats {
	__u64 packets[CLASS_COUNT];
	__u64 bytes[CLASS_COUNT];
};

/* In parts per million; may be changed at any time. */
struct switch_rule {
	__u32 drop;
	__u32 drop_third_ack; /* the first segment with only ACK and no payload after a SYN */
	__u32 detour;	      /* by way of user space, which delays, reorders or duplicates; no VLAN tags */
	__u32 tag;	      /* so many VLAN tags are put on: 1 or 2 */
	__u32 untag;	      /* they are taken off, and a frame that does not bear just them is dropped */
};

#endif
