/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where inline packets are put together, since the stack is small: one workspace for each CPU. Nothing in it
 * outlives the program that wrote it.
 */
#ifndef SYNMOAT_WORKSPACE_BPF_H
#define SYNMOAT_WORKSPACE_BPF_H

#include "maps.bpf.h"
#include "packet.bpf.h"

#define SEGMENT_OPTIONS 5 /* words */

struct segment {
	__u32 seq, ack;
	__u16 window;
	__u8 flags;
	__u32 reply;   /* goes back to where the frame came from */
	__u32 words;   /* of options */
	__u32 payload; /* bytes that the caller will store behind the header, and their sum */
	__u32 payload_sum;
	__be32 options[SEGMENT_OPTIONS];
};

struct workspace {
	struct connection connection;
	struct bpf_fib_lookup fib;
	struct segment segment;
	__be32 ip4[5], ip6[10];
	__be32 tcp[5 + SEGMENT_OPTIONS];
	__u8 link[L3_MAX + 2];
};

PERCPU_MAP(workspaces, 1, struct workspace);

static __always_inline struct workspace *workspace_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&workspaces, &zero);
}

#endif
