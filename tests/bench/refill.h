/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What refill.bpf.c and program.c share: one frame, and a table of the clients that send or receive it.
 */
#ifndef SYNMOAT_BENCH_REFILL_H
#define SYNMOAT_BENCH_REFILL_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

#define REFILL_BYTES   128 /* of the longest frame; lengths are even */
#define REFILL_CLIENTS (1U << 20)

/* As on the wire. */
struct refill_client {
	__u32 address[4]; /* IPv4: the last word */
	__u32 ack;	  /* acknowledgement number, of segments that have one of their own */
	__u32 port;	  /* 0: the frame's */
};

#endif
