/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What flowtable.bpf.c and flowtable.c share: one run of a program is one operation on one flow.
 */
#ifndef SYNMOAT_BENCH_FLOWTABLE_H
#define SYNMOAT_BENCH_FLOWTABLE_H

#define FLOWTABLE_CPUS 64

/* Of one CPU; a line of its own, and the next one's is not fetched along with it. */
struct flowtable_turn {
	__u64 random; /* depends on what the run before has found, so that no two of them overlap */
	__u32 base;   /* flows base to base + mask, at random or, with mask 0, one after the other */
	__u32 mask;
	__u32 next;
	__u32 refused; /* operations that did not come out as they had to */
	__u64 pad[13];
};

#endif
