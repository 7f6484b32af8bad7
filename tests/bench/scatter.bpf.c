// SPDX-License-Identifier: GPL-2.0
/*
 * In front of the program that is measured: one frame, whose source addresses are those of a table of up to a
 * million, which is in no order. What that costs is in the floor, too (the same with drop() behind it).
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "tests/bench/scatter.h"

struct {
	__uint(type, 3); /* BPF_MAP_TYPE_PROG_ARRAY */
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SCATTER_ADDRESSES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct scatter_address);
} addresses SEC(".maps");

__u32 address_mask; /* so many of them, less one */
__u32 v6;
__u32 turn;

/* One after the other, as the table itself is in no order: the CPU has them in its cache in time, as it has
 * the head of a new packet, and they drive little else out of it. */
SEC("xdp")
int scatter(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 index = turn++ & address_mask;
	struct scatter_address *a = bpf_map_lookup_elem(&addresses, &index);

	if (!a || data + 54 > end)
		return XDP_ABORTED;
	if (v6) {
		__builtin_memcpy(data + 22, a->words, 16);
	} else {
		*(__u32 *)(data + 26) = a->words[3];
	}
	bpf_tail_call_static(ctx, &target, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

__u32 touch_mask; /* so many lines of memory, less one */
__u64 random_state = 1;

/* What one look at memory costs, each waiting for the one before: no list can be faster than that. */
SEC("xdp")
int touch(struct xdp_md *ctx)
{
	__u32 index = (random_state >> 33 & touch_mask) << 2;
	struct scatter_address *a = bpf_map_lookup_elem(&addresses, &index);

	if (!a)
		return XDP_ABORTED;
	random_state = (random_state + a->words[0]) * 6364136223846793005ULL + 1442695040888963407ULL;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
