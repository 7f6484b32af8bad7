/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What scatter.bpf.c and lists.c share. */
#ifndef SYNMOAT_BENCH_SCATTER_H
#define SYNMOAT_BENCH_SCATTER_H

#define SCATTER_ADDRESSES (1U << 20)

struct scatter_address {
	__u32 words[4]; /* as on the wire, IPv4 v4-mapped */
};

#endif
