// SPDX-License-Identifier: GPL-2.0
/*
 * Floors that nobody can go below, and what the kernel's own SYN cookies cost an XDP program: the helpers
 * alone, as the kernel's selftest xdp_synproxy calls them, without all that it does beside. Frames have no
 * tags, IP options or extension headers.
 */
#include "packet.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
} port SEC(".maps");

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp")
int redirect(struct xdp_md *ctx)
{
	return bpf_redirect_map(&port, 0, XDP_DROP);
}

SEC("xdp")
int swap_tx(struct xdp_md *ctx)
{
	struct ethhdr *eth = XDP_DATA(ctx), old;

	if ((void *)(eth + 1) > XDP_DATA_END(ctx))
		return XDP_ABORTED;
	old = *eth;
	__builtin_memcpy(eth->h_dest, old.h_source, sizeof(old.h_source));
	__builtin_memcpy(eth->h_source, old.h_dest, sizeof(old.h_dest));
	return XDP_TX;
}

/* Headers as they lie in the frames of program.c; NULL: cut short. */
static __always_inline void *ip_header(struct xdp_md *ctx, __u32 size)
{
	void *ip = XDP_DATA(ctx) + sizeof(struct ethhdr);

	return ip + size > XDP_DATA_END(ctx) ? NULL : ip;
}

static __always_inline bool is_ipv6(struct xdp_md *ctx)
{
	struct ethhdr *eth = XDP_DATA(ctx);

	return (void *)(eth + 1) <= XDP_DATA_END(ctx) && eth->h_proto == bpf_htons(ETH_P_IPV6);
}

/* Of a SYN with the options that Linux sends. */
#define LINUX_SYN (sizeof(struct tcphdr) + 20)

SEC("xdp")
int kernel_make(struct xdp_md *ctx)
{
	bool v6 = is_ipv6(ctx);
	__u32 size = v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	void *ip = ip_header(ctx, size + LINUX_SYN);
	__s64 cookie;

	if (!ip)
		return XDP_ABORTED;
	cookie = v6 ? bpf_tcp_raw_gen_syncookie_ipv6(ip, ip + size, LINUX_SYN)
		    : bpf_tcp_raw_gen_syncookie_ipv4(ip, ip + size, LINUX_SYN);
	return cookie < 0 ? XDP_ABORTED : XDP_TX;
}

SEC("xdp")
int kernel_check(struct xdp_md *ctx)
{
	bool v6 = is_ipv6(ctx);
	__u32 size = v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	void *ip = ip_header(ctx, size + sizeof(struct tcphdr));

	if (!ip)
		return XDP_ABORTED;
	return (v6 ? bpf_tcp_raw_check_syncookie_ipv6(ip, ip + size)
		   : bpf_tcp_raw_check_syncookie_ipv4(ip, ip + size))
		       ? XDP_DROP
		       : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
