// SPDX-License-Identifier: GPL-2.0
/*
 * In front of the program that is measured: writes the frame into the packet anew, as BPF_PROG_TEST_RUN
 * repeats with whatever the last run left, gives it the next client of a table, which is in no order, or one
 * that is new, with right checksums, and tail-calls the program. Measured once more with a floor behind it
 * (peers.bpf.c), which is then subtracted: what remains is the program alone. To undo what a program did to
 * the packet's length or metadata costs a helper's call, some 5 ns, that no floor has.
 */
#include "packet.bpf.h"
#include "tests/bench/refill.h"

#define WORDS (REFILL_BYTES / 8)

struct {
	__uint(type, 3); /* BPF_MAP_TYPE_PROG_ARRAY */
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, REFILL_CLIENTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct refill_client);
} clients SEC(".maps");

/* The client's address and the acknowledgement in it are 0, and its checksums right all the same. */
__u64 frame[WORDS];
__u32 frame_length;
__u32 v6, tcp;
__u32 to_client;   /* it is the server that sends */
__u32 client_mask; /* so many clients of the table, less one */
__u32 acks_cookie; /* each client acknowledges something else */
__u32 stride;	   /* an odd number: every so many-th in turn */
__u32 turn;
__u32 all_new; /* no table: each client, and its port, has never been seen before */
__u64 born;    /* of these */
__u64 fence;

/* As it was but for its bytes, which the caller writes: programs let packets grow in front only. */
static __always_inline bool restore_shape(struct xdp_md *ctx)
{
	void *data = XDP_DATA(ctx);
	long grown = XDP_DATA_END(ctx) - data - frame_length;
	long metadata = data - XDP_DATA_META(ctx);

	if (metadata && bpf_xdp_adjust_meta(ctx, (int)metadata))
		return false;
	if (grown > 0)
		return !bpf_xdp_adjust_head(ctx, (int)grown);
	return !grown || !bpf_xdp_adjust_tail(ctx, (int)-grown);
}

static __always_inline bool copy_frame(struct xdp_md *ctx)
{
	__u64 *to = XDP_DATA(ctx);
	void *end = XDP_DATA_END(ctx);
	__u32 done = 0;

	for (int i = 0; i < WORDS; i++) {
		if ((void *)(to + i + 1) > end)
			break;
		to[i] = frame[i];
		done = i + 1;
	}
	/* the last bytes, of a frame whose length is even */
	for (int i = 0; i < 3; i++) {
		__u32 at = (done * 4 + i) & (REFILL_BYTES / 2 - 1);
		__u16 *half = (__u16 *)to + at;

		if ((void *)(half + 1) > end)
			break;
		*half = ((const __u16 *)frame)[at];
	}
	return true;
}

static __always_inline void add_to_checksum(__be16 *check, __u64 sum)
{
	*check = ~checksum_fold(sum + (__u16) ~*check);
}

static __always_inline void name_tcp(struct tcphdr *to, const struct refill_client *c, __u64 sum)
{
	if (acks_cookie) {
		to->ack_seq = c->ack;
		sum += c->ack;
	}
	if (c->port) {
		sum += (__u16)~to->source + c->port;
		to->source = c->port;
	}
	add_to_checksum(&to->check, sum);
}

static __always_inline void name_client4(struct xdp_md *ctx, const struct refill_client *c)
{
	struct iphdr *ip = XDP_DATA(ctx) + sizeof(struct ethhdr);
	struct tcphdr *segment = (void *)(ip + 1);
	void *end = XDP_DATA_END(ctx);

	if ((void *)(ip + 1) > end)
		return;
	if (to_client)
		ip->daddr = c->address[3];
	else
		ip->saddr = c->address[3];
	add_to_checksum(&ip->check, c->address[3]);
	if (tcp && (void *)(segment + 1) <= end)
		name_tcp(segment, c, c->address[3]);
}

static __always_inline void name_client6(struct xdp_md *ctx, const struct refill_client *c)
{
	struct ipv6hdr *ip = XDP_DATA(ctx) + sizeof(struct ethhdr);
	struct tcphdr *segment = (void *)(ip + 1);
	void *end = XDP_DATA_END(ctx);
	__u64 sum = (__u64)c->address[0] + c->address[1] + c->address[2] + c->address[3];

	if ((void *)(ip + 1) > end)
		return;
	if (to_client)
		__builtin_memcpy(ip->daddr, c->address, sizeof(c->address));
	else
		__builtin_memcpy(ip->saddr, c->address, sizeof(c->address));
	if (tcp && (void *)(segment + 1) <= end)
		name_tcp(segment, c, sum);
}

/* Far from the one before, in 16.0.0.0/4 or 2001:dc0::/32, and none twice in 2^40. */
static __always_inline void bear(struct refill_client *c)
{
	__u64 spread = ++born * 0x9e3779b97f4a7c15ULL;

	c->port = bpf_htons(spread >> 20 | 1024);
	if (v6) {
		c->address[0] = bpf_htonl(0x20010dc0);
		c->address[1] = spread >> 32;
		c->address[3] = spread;
	} else {
		c->address[3] = bpf_htonl(0x10000000 | spread >> 36);
	}
}

SEC("xdp")
int refill(struct xdp_md *ctx)
{
	struct refill_client newborn = {}, *c = &newborn;
	__u32 index = turn++ * stride & client_mask;

	if (all_new)
		bear(&newborn);
	else
		c = bpf_map_lookup_elem(&clients, &index);
	if (!c || !restore_shape(ctx) || !copy_frame(ctx))
		return XDP_ABORTED;
	if (v6)
		name_client6(ctx, c);
	else
		name_client4(ctx, c);
	/* a packet out of DMA is nobody's recent store: let these reach the cache, as loads that overlap with
	 * several of them would wait */
	__sync_fetch_and_add(&fence, 1);
	bpf_tail_call_static(ctx, &target, 0);
	return XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";
