/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counts: one verdict for each packet, on this CPU, under the service that it belongs to.
 */
#ifndef SYNMOAT_COUNT_BPF_H
#define SYNMOAT_COUNT_BPF_H

#include "maps.bpf.h"

static __always_inline void count_verdict(__u32 service, enum verdict verdict)
{
	struct service_counters *c = bpf_map_lookup_elem(&counters, &service);

	if (c && verdict < VERDICT_COUNT)
		c->verdict[verdict]++;
}

static __always_inline void count_would_all(__u32 service, enum verdict verdict, __u32 packets)
{
	struct service_counters *c = bpf_map_lookup_elem(&counters, &service);

	if (c && verdict < VERDICT_COUNT)
		c->would[verdict] += packets;
}

static __always_inline void count_would(__u32 service, enum verdict verdict)
{
	count_would_all(service, verdict, 1);
}

/* Which SYN of its service it is, on this CPU. */
static __always_inline __u64 count_syn(__u32 service)
{
	struct service_counters *c = bpf_map_lookup_elem(&counters, &service);

	return c ? ++c->syns : 0;
}

static __always_inline void count_completed(__u32 service)
{
	struct service_counters *c = bpf_map_lookup_elem(&counters, &service);

	if (c)
		c->completed++;
}

static __always_inline void count_handover(enum handover_outcome outcome)
{
	__u32 zero = 0;
	struct handover_counters *c = bpf_map_lookup_elem(&handovers, &zero);

	if (c && outcome < HANDOVER_COUNT)
		c->outcome[outcome]++;
}

static __always_inline void count_handover_error(int error)
{
	__u32 zero = 0;
	struct handover_counters *c = bpf_map_lookup_elem(&handovers, &zero);

	if (c)
		c->last_error = error;
}

#endif
