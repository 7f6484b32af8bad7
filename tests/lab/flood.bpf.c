// SPDX-License-Identifier: GPL-2.0
/*
 * Writes one forged TCP segment for every run of the program and sends it out of the device it is run on
 * (XDP_TX). Run by flood.c through BPF_PROG_TEST_RUN with live frames; flood.c fills the globals, checksums
 * are always right.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "flood.h"

#define TCP_FLAGS_OFFSET 13
#define FLAG_ACK	 0x10

const volatile bool is_v6;
const volatile bool is_echo;
const volatile __u8 icmp_type;
const volatile bool has_fragment_header; /* IPv6 */
const volatile bool discard;		 /* what was written, instead of sending it */
const volatile __u32 frame_len;
const volatile __u32 port_count = 1;
const volatile __u32 flags_count = 1;
const volatile bool has_payload;
const volatile __u32 timestamp_offset; /* of TSval from the TCP header; 0: no timestamps */

/* Not read-only: bpf_xdp_store_bytes of older kernels refuses a read-only buffer. */
__u8 frame[FLOOD_FRAME_MAX];  /* variable fields are zero here */
__u16 ports[FLOOD_MAX_PORTS]; /* wire order */
__u8 flags[FLOOD_MAX_FLAGS];
__u32 source[4], source_mask[4]; /* wire order; mask: the bits that are random */
__u64 ip_sum, tcp_sum;		 /* one's complement sums over the frame, variable fields zero */
__u64 random_state, emitted;

/* splitmix64: passes every test we need at 2 ns */
static __always_inline __u64 random64(void)
{
	__u64 z = (random_state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static __always_inline __u16 checksum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Returns the sum of the source's words, which is part of both checksums. */
static __always_inline __u64 write_source(__u8 *data, __u64 low, __u64 high)
{
	__u32 random[4] = { high, high >> 32, low, low >> 32 };
	__u32 *at = is_v6 ? (__u32 *)(data + ETH_HLEN + 8) : (__u32 *)(data + ETH_HLEN + 12);
	__u64 sum = 0;

	for (int i = is_v6 ? 0 : 3; i < 4; i++) {
		__u32 word = source[i] | (random[i] & source_mask[i]);

		at[is_v6 ? i : 0] = word;
		sum += word;
	}
	return sum;
}

struct echo {
	__u8 type, code;
	__u16 check, id, sequence;
};

/* SUM: of the frame's ICMP part and, for IPv6, the pseudo-header. */
static __always_inline void write_echo(struct echo *echo, __u64 sum, __u64 numbers)
{
	echo->type = icmp_type;
	echo->code = 0;
	echo->check = 0;
	echo->id = numbers;
	echo->sequence = numbers >> 16;
	sum += *(__u16 *)echo + echo->id + echo->sequence;
	echo->check = checksum_fold(sum);
}

SEC("xdp")
int flood_generate(struct xdp_md *ctx)
{
	const __u32 l4 = ETH_HLEN + (is_v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) +
			 (has_fragment_header ? 8 : 0);
	const int verdict = discard ? XDP_DROP : XDP_TX;
	const __u32 needed = l4 + sizeof(struct tcphdr) + (timestamp_offset ? FLOOD_MAX_TIMESTAMP : 0);
	__u64 ids = random64(), numbers = random64(), low = random64(), high = is_v6 ? random64() : 0;

	/*
	 * Frames come back as others left them. The kernel resets the length of one only if its own length of
	 * it changes in this run: else one that went into a shorter reply would go out cut off.
	 */
	if (has_payload && bpf_xdp_adjust_tail(ctx, -1))
		return XDP_ABORTED;
	if (bpf_xdp_store_bytes(ctx, 0, frame, frame_len))
		return XDP_ABORTED;

	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + needed > end)
		return XDP_ABORTED;

	struct tcphdr *tcp = (void *)(data + l4);
	__u64 address_sum = write_source(data, low, high);
	__u64 sum = tcp_sum + address_sum;
	__u8 flag = flags[(numbers >> 60) % flags_count & (FLOOD_MAX_FLAGS - 1)];
	__u16 source_port = bpf_htons(1024 + (__u16)ids % (65536 - 1024));
	__u16 port = ports[(ids >> 56) % port_count & (FLOOD_MAX_PORTS - 1)];
	__u32 sequence = ids >> 16, timestamp = numbers;

	if (!is_v6)
		((struct iphdr *)(data + ETH_HLEN))->check = checksum_fold(ip_sum + address_sum);
	emitted++;
	if (is_echo) {
		write_echo((struct echo *)tcp, is_v6 ? sum : tcp_sum, numbers);
		return verdict;
	}
	tcp->source = source_port;
	tcp->dest = port;
	tcp->seq = sequence;
	((__u8 *)tcp)[TCP_FLAGS_OFFSET] = flag;
	sum += (__u64)sequence + source_port + port + bpf_htons(flag);
	if (flag & FLAG_ACK) {
		tcp->ack_seq = ~sequence;
		sum += tcp->ack_seq;
	}
	if (timestamp_offset) {
		*(__u32 *)((__u8 *)tcp + (timestamp_offset & 31)) = timestamp;
		sum += timestamp;
	}
	tcp->check = checksum_fold(sum);
	return verdict;
}

char _license[] SEC("license") = "GPL";
