/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What headers of bpf/ need of libbpf's file of this name, to be compiled for the host by a fuzzer, which
 * defines the helpers.
 */
#ifndef SYNMOAT_FUZZ_BPF_HELPERS_H
#define SYNMOAT_FUZZ_BPF_HELPERS_H

#define SEC(name)
#define __uint(name, number) int(*name)[number]
#define __type(name, of)     __typeof__(of) *name
#define __array(name, of)    __typeof__(of) *name[]
#undef __always_inline
#define __always_inline	  inline __attribute__((always_inline))
#define __noinline	  __attribute__((noinline))
#define __weak		  __attribute__((weak))
#define barrier_var(word) __asm__ volatile("" : "+r"(word))

void *bpf_map_lookup_elem(void *map, const void *key);
int bpf_xdp_load_bytes(struct xdp_md *ctx, __u32 offset, void *to, __u32 length);
__u64 bpf_jiffies64(void);

#endif
