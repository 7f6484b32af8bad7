// SPDX-License-Identifier: GPL-2.0
/*
 * In front of the program that is measured: one frame, whose source address is drawn at random from a table
 * of up to a million. What the drawing costs is in the floor, too (the same with drop() behind it).
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
__u64 random_state = 1;

SEC("xdp")
int scatter(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct scatter_address *a;
	__u32 index;

	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	index = random_state >> 33 & address_mask;
	a = bpf_map_lookup_elem(&addresses, &index);
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

char _license[] SEC("license") = "GPL";
