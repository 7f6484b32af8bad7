/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock of what is kept for long: no helper call, 32 bits.
 */
#ifndef SYNMOAT_CLOCK_BPF_H
#define SYNMOAT_CLOCK_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define CONNECTION_SHIFT 6 /* it counts jiffies / 64 */

static __always_inline __u32 connection_clock(void)
{
	return bpf_jiffies64() >> CONNECTION_SHIFT;
}

/* Jiffies from WHEN to NOW, both of this clock. */
static __always_inline __u64 clock_elapsed(__u32 when, __u32 now)
{
	return (__u64)(now - when) << CONNECTION_SHIFT;
}

#endif
