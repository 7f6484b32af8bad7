// SPDX-License-Identifier: GPL-2.0
/*
 * In front of the program that is measured: writes the next frame of a pool into the packet, as
 * BPF_PROG_TEST_RUN repeats with whatever the last run left, and tail-calls the program. Measured once more
 * with drop() behind it, which is then subtracted: what remains is the program alone.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "tests/bench/refill.h"

struct {
	__uint(type, 3); /* BPF_MAP_TYPE_PROG_ARRAY */
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

struct refill_frame pool[REFILL_FRAMES];
__u32 frame_length;
__u32 scatter_mask; /* not 0: source addresses at random, base + 0 to mask (IPv4 without tags) */
__u32 scatter_base;
__u32 frame_mask; /* so many frames of the pool, less one */
__u32 turn;
__u64 random_state = 1;

static __always_inline void scatter(__u8 *data)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	*(__be32 *)(data + 26) = bpf_htonl(scatter_base + (random_state >> 33 & scatter_mask));
}

/* The last bytes, of a frame whose length is even. */
static __always_inline void copy_tail(const __u64 *from, __u64 *to, __u64 *end)
{
	__u32 at = (frame_length & ~7U) / 2;

	for (int i = 0; i < 3; i++, at++) {
		__u16 *half = (__u16 *)to + (at & 63);

		if (half + 1 > (__u16 *)end)
			break;
		*half = ((const __u16 *)from)[at & 63];
	}
}

SEC("xdp")
int refill(struct xdp_md *ctx)
{
	__u32 index = turn++ & frame_mask & (REFILL_FRAMES - 1);
	__u64 *from = pool[index].words, *to, *end;

	if (ctx->data_end - ctx->data != frame_length &&
	    bpf_xdp_adjust_tail(ctx, (int)frame_length - (int)(ctx->data_end - ctx->data)))
		return XDP_ABORTED;
	to = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	for (int i = 0; i < REFILL_WORDS; i++) {
		if (to + i + 1 > end)
			break;
		to[i] = from[i];
	}
	copy_tail(from, to, end);
	if (scatter_mask && (void *)to + 34 <= (void *)end)
		scatter((void *)to);
	bpf_tail_call_static(ctx, &target, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
