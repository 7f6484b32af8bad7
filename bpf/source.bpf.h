/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits by where a packet says that it comes from, inline: handshakes with servers under way for one
 * address, unknown segments from one prefix. Arrays without chains, so that no flood of sources costs more
 * than one.
 */
#ifndef SYNMOAT_SOURCE_BPF_H
#define SYNMOAT_SOURCE_BPF_H

#include "flow.bpf.h"
#include "maps.bpf.h"
#include "packet.bpf.h"

/* WIDTH: bits of an IPv4 address that count; of an IPv6 address it is the first 64. */
static __always_inline __u32 source_place(const struct packet *p, __u32 width, __u32 salt)
{
	__u64 source =
		p->v6 ? (__u64)p->saddr[0] << 32 | p->saddr[1] : bpf_ntohl(p->saddr[0]) >> (32 - width);

	return mix(mix(table_key[1] + salt, source), table_key[0] + p->v6) >> 48;
}

static __always_inline __u32 *source_handshakes(__u32 place)
{
	return bpf_map_lookup_elem(&handshakes, &place);
}

/* Counts one more segment of p's prefix to the service in SLOT; false: there were too many this second. */
static __always_inline bool source_unknown_allowed(const struct packet *p, __u32 slot, __u32 second,
						   __u32 limit)
{
	__u32 place = source_place(p, 24, slot);
	struct unknown_budget *b = bpf_map_lookup_elem(&unknown_budgets, &place);

	if (!b)
		return false;
	if (b->second != second) {
		b->second = second;
		b->count = 0;
	}
	return b->count < limit && __sync_fetch_and_add(&b->count, 1) < limit;
}

#endif
