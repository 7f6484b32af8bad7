/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parses one frame from Ethernet to TCP with one cursor: VLAN and QinQ tags, IPv4 options, IPv6 extension
 * headers, fragments. Trusts no length field. IPv4 and IPv6 differ only in header offsets and the
 * pseudo-header.
 */
#ifndef SYNMOAT_PACKET_BPF_H
#define SYNMOAT_PACKET_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20
#define TCP_ECE 0x40
#define TCP_CWR 0x80

#define L3_MAX	       22   /* Ethernet and two VLAN tags */
#define L4_MAX	       1024 /* as far as IPv6 extension headers may reach */
#define TCP_MIN	       20
#define VLAN_TAGS      2
#define EXTENSIONS_MAX 8

/*
 * clang 14 merges ctx->data and ctx->data_end into "ctx + variable", which the verifier refuses as a
 * dereference of a modified ctx pointer; loads at a fixed offset are immune.
 */
#ifndef CTX_POINTER /* the fuzzer has one of its own */
#define CTX_POINTER(ctx, offset)                                                                             \
	({                                                                                                   \
		void *__pointer;                                                                             \
		asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(__pointer) : "r"(ctx), "i"(offset));            \
		__pointer;                                                                                   \
	})
#endif
#define XDP_DATA(ctx)	   CTX_POINTER(ctx, __builtin_offsetof(struct xdp_md, data))
#define XDP_DATA_END(ctx)  CTX_POINTER(ctx, __builtin_offsetof(struct xdp_md, data_end))
#define XDP_DATA_META(ctx) CTX_POINTER(ctx, __builtin_offsetof(struct xdp_md, data_meta))
#define SKB_DATA(ctx)	   CTX_POINTER(ctx, __builtin_offsetof(struct __sk_buff, data))
#define SKB_DATA_END(ctx)  CTX_POINTER(ctx, __builtin_offsetof(struct __sk_buff, data_end))
#define SKB_DATA_META(ctx) CTX_POINTER(ctx, __builtin_offsetof(struct __sk_buff, data_meta))

enum parsed {
	PARSED_TCP,
	PARSED_NOT_IP,
	PARSED_NOT_TCP,
	PARSED_FRAGMENT,  /* of a TCP segment: addresses are known, ports may not be */
	PARSED_MALFORMED, /* addresses are known */
};

/* Addresses and ports are stored in words as wide as any that is loaded later: a load that spans two recent
 * stores waits until both have reached the cache (with connection_key() 9 to 15 ns a packet, inline and of
 * IPv6). */
struct packet {
	__be32 saddr[4] __attribute__((aligned(8))), daddr[4]; /* IPv4: the first word */
	union {
		struct {
			__be16 source, dest;
		};
		__be32 ports;
	};
	__u32 seq, ack;
	__u32 frame_end; /* where the IP packet ends in the frame, by its own length field */
	__u16 l3, l4;
	__u16 payload; /* TCP payload in bytes */
	__u8 doff;     /* TCP header length in bytes */
	__u8 flags;
	__u8 ecn;  /* the two ECN bits of the IP header */
	__u8 hops; /* TTL or hop limit */
	bool v6;
	__u8 protocol; /* 0: not read, or a fragment without its header */
};

struct extension_header {
	__u8 nexthdr;
	__u8 len;
	__be16 frag_off;
};

static __always_inline __u16 checksum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Offset of the IP header with *proto its EtherType, or 0: cut short. */
static __always_inline __u32 parse_ethernet(void *data, void *data_end, __be16 *proto)
{
	struct ethhdr *eth = data;
	__u32 offset = sizeof(*eth);

	if ((void *)(eth + 1) > data_end)
		return 0;
	*proto = eth->h_proto;
#pragma unroll
	for (int i = 0; i < VLAN_TAGS; i++) {
		struct vlan_hdr *vlan = data + offset;

		if (*proto != bpf_htons(ETH_P_8021Q) && *proto != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(vlan + 1) > data_end)
			return 0;
		*proto = vlan->h_vlan_encapsulated_proto;
		offset += sizeof(*vlan);
	}
	return offset;
}

/* 1 or 0, without a branch: each doubles what the verifier follows to the end of the walk. */
static __always_inline __u32 is_header(__u32 nexthdr, __u32 which)
{
	__u64 bit = 1ULL << which;

	barrier_var(bit);
	return bit >> (nexthdr & 63) & 1;
}

static __always_inline bool is_extension(__u32 nexthdr)
{
	const __u64 extensions = 1ULL << IPPROTO_HOPOPTS | 1ULL << IPPROTO_ROUTING | 1ULL << IPPROTO_DSTOPTS |
				 1ULL << IPPROTO_FRAGMENT | 1ULL << IPPROTO_AH;

	return nexthdr < 64 && extensions >> nexthdr & 1;
}

/*
 * Walks IPv6 extension headers (RFC 8200, section 4) from OFFSET on. Returns the offset of the upper layer
 * with its protocol in bits 16 to 23 and bit 24 set for a fragment that is not whole; negative: cut short or
 * too many.
 */
static __noinline int skip_extensions(void *data, void *data_end, __u32 offset, __u32 nexthdr)
{
	for (int i = 0; i <= EXTENSIONS_MAX; i++) {
		__u32 fragment = is_header(nexthdr, IPPROTO_FRAGMENT);
		__u32 shift = 3 - is_header(nexthdr, IPPROTO_AH); /* RFC 4302, section 2.2: in words of 4 */
		struct extension_header *ext;

		if (!is_extension(nexthdr))
			return offset | nexthdr << 16;
		if (offset > L4_MAX)
			return -1;
		ext = data + offset;
		if ((void *)(ext + 1) > data_end)
			return -1;
		/* offset or more-fragments: an "atomic" fragment (RFC 6946) is a whole packet. With further
		 * headers in the fragmented part it may be TCP's, which only the first fragment could tell.
		 */
		if (ext->frag_off & bpf_htons(0xfff9) & -fragment)
			return (offset + 8) | 1 << 24 |
			       (is_extension(ext->nexthdr) ? IPPROTO_TCP : ext->nexthdr) << 16;
		nexthdr = ext->nexthdr;
		offset += 8 + ((ext->len & (fragment - 1)) << shift); /* a fragment's header has no length */
		barrier_var(offset);
	}
	return -1;
}

static __always_inline void copy_address(__be32 to[4], const __be32 from[4])
{
	((__u64 *)to)[0] = ((const __u64 *)from)[0];
	((__u64 *)to)[1] = ((const __u64 *)from)[1];
}

/* An IPv4 address as an IPv6 one: ::ffff:a.b.c.d. */
static __always_inline void map_address(__be32 to[4], __be32 address)
{
	((__u64 *)to)[0] = 0;
	((__u64 *)to)[1] = bpf_cpu_to_be64(0xffffULL << 32 | bpf_ntohl(address));
}

/* Sets p->l4 and p->frame_end; *proto is the upper layer. */
static __always_inline enum parsed parse_ipv6(void *data, void *data_end, struct packet *p, __u32 *proto)
{
	struct ipv6hdr *ip = data + p->l3;
	int found;

	if ((void *)(ip + 1) > data_end)
		return PARSED_NOT_IP;
	copy_address(p->saddr, ip->saddr);
	copy_address(p->daddr, ip->daddr);
	p->v6 = true;
	p->ecn = bpf_ntohl(ip->flow) >> 20 & 3;
	p->hops = ip->hop_limit;
	p->frame_end = p->l3 + sizeof(*ip) + bpf_ntohs(ip->payload_len);
	p->l4 = p->l3 + sizeof(*ip);
	*proto = ip->nexthdr;
	p->protocol = ip->nexthdr;
	if (*proto == IPPROTO_TCP)
		return PARSED_TCP;
	found = skip_extensions(data, data_end, p->l4, *proto);
	if (found < 0)
		return PARSED_MALFORMED;
	*proto = found >> 16 & 0xff;
	p->protocol = found >> 24 ? 0 : *proto;
	p->l4 = found & 0xffff;
	if (*proto != IPPROTO_TCP)
		return PARSED_NOT_TCP;
	return found >> 24 ? PARSED_FRAGMENT : PARSED_TCP;
}

static __always_inline enum parsed parse_ipv4(void *data, void *data_end, struct packet *p, __u32 *proto)
{
	struct iphdr *ip = data + p->l3;

	if ((void *)(ip + 1) > data_end)
		return PARSED_NOT_IP;
	p->saddr[0] = ip->saddr;
	p->daddr[0] = ip->daddr;
	p->ecn = ip->tos & 3;
	p->hops = ip->ttl;
	p->frame_end = p->l3 + bpf_ntohs(ip->tot_len);
	p->l4 = p->l3 + ip->ihl * 4;
	*proto = ip->protocol;
	p->protocol = ip->frag_off & bpf_htons(0x1fff) ? 0 : ip->protocol;
	if (*proto != IPPROTO_TCP)
		return PARSED_NOT_TCP;
	if (ip->frag_off & bpf_htons(0x3fff))
		return PARSED_FRAGMENT;
	return ip->ihl < 5 ? PARSED_MALFORMED : PARSED_TCP;
}

static __always_inline enum parsed parse_tcp(void *data, void *data_end, struct packet *p)
{
	struct tcphdr *tcp;
	__u32 l4 = p->l4;

	barrier_var(l4); /* Linux 6.1 knows the bound of what was compared, not of what it was copied from */
	if (l4 > L4_MAX)
		return PARSED_MALFORMED;
	tcp = data + l4;
	if ((void *)(tcp + 1) > data_end)
		return PARSED_MALFORMED;
	p->ports = *(const __be32 *)&tcp->source;
	p->seq = bpf_ntohl(tcp->seq);
	p->ack = bpf_ntohl(tcp->ack_seq);
	p->flags = tcp->flags;
	p->doff = tcp->doff_reserved >> 4 << 2;
	if (p->doff < TCP_MIN || p->l4 + p->doff > p->frame_end)
		return PARSED_MALFORMED;
	p->payload = p->frame_end - p->l4 - p->doff;
	return PARSED_TCP;
}

/* *p must be zeroed. Whether frame_end lies within the frame is left to the caller, who knows its length. */
static __always_inline enum parsed packet_parse(void *data, void *data_end, struct packet *p)
{
	enum parsed parsed;
	__u32 l3, proto;
	__be16 ethertype;

	l3 = parse_ethernet(data, data_end, &ethertype);
	if (!l3)
		return PARSED_NOT_IP;
	p->l3 = l3;
	if (ethertype == bpf_htons(ETH_P_IP))
		parsed = parse_ipv4(data, data_end, p, &proto);
	else if (ethertype == bpf_htons(ETH_P_IPV6))
		parsed = parse_ipv6(data, data_end, p, &proto);
	else
		return PARSED_NOT_IP;
	return parsed == PARSED_TCP ? parse_tcp(data, data_end, p) : parsed;
}

/* Global: the verifier forgets how the packet was read, and need not go through all that follows for each
 * way. */
__noinline __weak int packet_read(struct xdp_md *ctx, struct packet *p)
{
	return p ? (int)packet_parse(XDP_DATA(ctx), XDP_DATA_END(ctx), p) : PARSED_NOT_IP;
}

#endif
