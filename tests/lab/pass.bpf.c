// SPDX-License-Identifier: GPL-2.0
/*
 * The least that an XDP program can do: what other programs are measured against. Attached by pass.c.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
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

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

/* Exchanges the 2 * WORDS 16-bit words at AT, first half and second half. */
static __always_inline void exchange(__u16 *at, int words)
{
	for (int i = 0; i < words; i++) {
		__u16 word = at[i];

		at[i] = at[words + i];
		at[words + i] = word;
	}
}

/* Sends a TCP segment back as it is, with both ends exchanged: the checksums stay right. */
SEC("xdp")
int swap(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct ipv6hdr *ip6 = (void *)(ethernet + 1);
	void *end = (void *)(long)ctx->data_end, *ports;

	if ((void *)(ip + 1) > end)
		return XDP_PASS;
	ports = ip + 1;
	if (ethernet->h_proto == bpf_htons(ETH_P_IPV6)) {
		if ((void *)(ip6 + 1) > end)
			return XDP_PASS;
		ports = ip6 + 1;
		exchange((__u16 *)&ip6->saddr, 8);
	} else {
		exchange((__u16 *)&ip->saddr, 2);
	}
	if (ports + 4 > end)
		return XDP_PASS;
	exchange((__u16 *)ethernet, 3);
	exchange(ports, 1);
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";
