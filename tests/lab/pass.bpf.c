// SPDX-License-Identifier: GPL-2.0
/*
 * The least that an XDP program can do: what other programs are measured against. Attached by pass.c.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define FORGED_V4_BYTE 11 /* 11.0.0.0/8, as in switch.bpf.c */

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

/* What no defence can do better, as none is told who is forged. IPv4. */
SEC("xdp")
int drop_forged(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(ethernet + 1);

	if ((void *)(ip + 1) > (void *)(long)ctx->data_end || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	return *(__u8 *)&ip->saddr == FORGED_V4_BYTE ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
