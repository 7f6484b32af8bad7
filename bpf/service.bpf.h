/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which service covers an address and port: binary search over the port's disjoint ranges (abi.h, services
 * table).
 */
#ifndef SYNMOAT_SERVICE_BPF_H
#define SYNMOAT_SERVICE_BPF_H

#include "maps.bpf.h"
#include "packet.bpf.h"

static __always_inline bool before6(const __u64 a[2], const __u64 b[2])
{
	return a[0] < b[0] || (a[0] == b[0] && a[1] < b[1]);
}

/* The usual table: one range, known without a search. */
static __always_inline __u32 only_range4(__u32 index, __u32 address)
{
	struct range4 *r = bpf_map_lookup_elem(&ranges4, &index);

	return r && address >= r->first && address <= r->last ? r->service : SERVICE_NONE;
}

/* Global, as its sibling below: verified once. */
__noinline __weak __u32 find_range4(__u32 first, __u32 count, __u32 address)
{
	struct range4 *r;

	for (int i = 0; i < RANGE_STEPS; i++) {
		__u32 middle = first + count / 2;

		if (count <= 1)
			break;
		r = bpf_map_lookup_elem(&ranges4, &middle);
		if (!r)
			return SERVICE_NONE;
		if (address < r->first) {
			count = count / 2;
		} else {
			count -= count / 2;
			first = middle;
		}
	}
	r = bpf_map_lookup_elem(&ranges4, &first);
	if (!r || address < r->first || address > r->last)
		return SERVICE_NONE;
	return r->service;
}

__noinline __weak __u32 find_range6(__u32 first, __u32 count, __u64 high, __u64 low)
{
	__u64 address[2] = { high, low };
	struct range6 *r;

	for (int i = 0; i < RANGE_STEPS; i++) {
		__u32 middle = first + count / 2;

		if (count <= 1)
			break;
		r = bpf_map_lookup_elem(&ranges6, &middle);
		if (!r)
			return SERVICE_NONE;
		if (before6(address, r->first)) {
			count = count / 2;
		} else {
			count -= count / 2;
			first = middle;
		}
	}
	r = bpf_map_lookup_elem(&ranges6, &first);
	if (!r || before6(address, r->first) || before6(r->last, address))
		return SERVICE_NONE;
	return r->service;
}

/* Slot of the service, or SERVICE_NONE. Port 0 asks whether the address belongs to any service at all. */
static __always_inline __u32 service_find(const struct runtime *rt, bool v6, const __be32 *address,
					  __be16 port)
{
	__u32 index = (rt->half & 1) << 16 | bpf_ntohs(port);
	struct port_ranges *r = bpf_map_lookup_elem(&ports, &index);

	if (!r)
		return SERVICE_NONE;
	if (v6) {
		__u64 a[2] = { (__u64)bpf_ntohl(address[0]) << 32 | bpf_ntohl(address[1]),
			       (__u64)bpf_ntohl(address[2]) << 32 | bpf_ntohl(address[3]) };

		return r->count6 ? find_range6(r->first6, r->count6, a[0], a[1]) : SERVICE_NONE;
	}
	if (r->count4 == 1)
		return only_range4(r->first4, bpf_ntohl(address[0]));
	return r->count4 ? find_range4(r->first4, r->count4, bpf_ntohl(address[0])) : SERVICE_NONE;
}

static __always_inline struct service *service_get(const struct runtime *rt, __u32 slot)
{
	__u32 index = (rt->half & 1) * SERVICE_SLOTS + slot;

	return slot < SERVICE_SLOTS ? bpf_map_lookup_elem(&services, &index) : NULL;
}

static __always_inline struct service_state *service_state_get(__u32 slot)
{
	return bpf_map_lookup_elem(&service_states, &slot);
}

#endif
