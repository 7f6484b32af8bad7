// SPDX-License-Identifier: GPL-2.0
/*
 * The least that an XDP program can do: what other programs are measured against. Attached by pass.c.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
