/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every map, and the settings that are fixed before load. Defined weak, so that each hook's object carries
 * the same definition and bpftool links them into one. Sizes that depend on the configuration are set before
 * load.
 */
#ifndef SYNMOAT_MAPS_BPF_H
#define SYNMOAT_MAPS_BPF_H

#include "abi.h"
#include <bpf/bpf_helpers.h>

#define ARRAY_MAP(map, entries, value_type, flags)                                                           \
	struct {                                                                                             \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                            \
		__uint(max_entries, entries);                                                                \
		__uint(map_flags, flags);                                                                    \
		__type(key, __u32);                                                                          \
		__type(value, value_type);                                                                   \
	} map SEC(".maps") __weak

#define PERCPU_MAP(map, entries, value_type)                                                                 \
	struct {                                                                                             \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                                     \
		__uint(max_entries, entries);                                                                \
		__type(key, __u32);                                                                          \
		__type(value, value_type);                                                                   \
	} map SEC(".maps") __weak

struct lookup_budget {
	__u64 jiffy;  /* of the last refill */
	__u64 tokens; /* lookups times HZ */
};

ARRAY_MAP(control, 1, struct control, BPF_F_MMAPABLE);
ARRAY_MAP(ports, 2 * 65536, struct port_ranges, BPF_F_MMAPABLE);
ARRAY_MAP(ranges4, 2 * RANGES_MAX, struct range4, BPF_F_MMAPABLE);
ARRAY_MAP(ranges6, 2 * RANGES_MAX, struct range6, BPF_F_MMAPABLE);
ARRAY_MAP(services, 2 * SERVICE_SLOTS, struct service, BPF_F_MMAPABLE);
ARRAY_MAP(service_states, SERVICE_SLOTS, struct service_state, BPF_F_MMAPABLE);
ARRAY_MAP(flows, 131072, struct flow_bucket, BPF_F_MMAPABLE); /* begins at a page: a bucket is one line */
ARRAY_MAP(flow_near, 131072 / FLOW_NEAR_BUCKETS, struct flow_near, BPF_F_MMAPABLE);
ARRAY_MAP(half_open_ports, 65536, struct port_half_opens, BPF_F_MMAPABLE);
ARRAY_MAP(listeners, 1024, __u64, 0);
PERCPU_MAP(counters, SERVICE_SLOTS, struct service_counters);
PERCPU_MAP(handovers, 1, struct handover_counters);
PERCPU_MAP(lookup_budgets, 1, struct lookup_budget);

/* Maps of chunks are made as they are needed: empty lists take no memory. */
struct list_chunk {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LIST_MAP_LINES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, sizeof(__u32)); /* clang 14 describes no types in here */
	__uint(value_size, sizeof(struct list_line));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, LIST_MAPS);
	__type(key, __u32);
	__array(values, struct list_chunk);
} list_chunks SEC(".maps") __weak;
ARRAY_MAP(list_hits, 1, struct list_hits, BPF_F_MMAPABLE); /* by CPU */
/* Limits: two halves of their settings, by service; buckets, those of services and of all together apart, as
 * they are exact. */
ARRAY_MAP(limits, 2 * SERVICE_SLOTS, struct limits, BPF_F_MMAPABLE);
ARRAY_MAP(accounts, ACCOUNTS, struct account,
	  BPF_F_MMAPABLE); /* which begins at a page: no place lies on two lines */
ARRAY_MAP(connection_buckets, CONNECTION_BUCKETS, struct bucket, 0);
ARRAY_MAP(service_buckets, KIND_COUNT *SERVICE_SLOTS, struct bucket, 0);
PERCPU_MAP(limit_counts, LIMIT_COUNTS, struct limit_counters);
PERCPU_MAP(begun_by_all, 2, struct begun); /* IPv4, IPv6 */
ARRAY_MAP(service_half_opens, SERVICE_SLOTS, struct sketch_cell, BPF_F_MMAPABLE);
ARRAY_MAP(guessers, GUESSERS, struct guesser, 0);
ARRAY_MAP(limited_lately, LIMITED, __u32, 0); /* jiffies, 0: never */
ARRAY_MAP(heavies, HEAVY_SETS, struct heavy_set, BPF_F_MMAPABLE);

/* Inline. The servers' profiles are written from the inside only, so no flood can push one out. */
#define SERVERS_MAX 4096
ARRAY_MAP(connection_sets, 1, struct connection_set, BPF_F_MMAPABLE); /* begins at a page, as do the slots */
ARRAY_MAP(connections, CONNECTION_WAYS, struct connection_slot, BPF_F_MMAPABLE);
ARRAY_MAP(connections_now, 1, __u32, 0); /* so many are in it */
ARRAY_MAP(servers, SERVERS_MAX, struct server, BPF_F_MMAPABLE);
ARRAY_MAP(handshakes, SOURCES, __u32, 0); /* by source, with servers */
ARRAY_MAP(unknown_budgets, SOURCES, struct unknown_budget, 0);
ARRAY_MAP(stashes, STASHES, struct stash, 0);
ARRAY_MAP(pending, PENDING_MAX, struct pending, BPF_F_MMAPABLE);

#define DEVICE_MAP(map)                                                                                      \
	struct {                                                                                             \
		__uint(type, BPF_MAP_TYPE_DEVMAP);                                                           \
		__uint(max_entries, PORT_COUNT);                                                             \
		__type(key, __u32);                                                                          \
		__type(value, struct bpf_devmap_val);                                                        \
	} map SEC(".maps") __weak

DEVICE_MAP(egress); /* by enum port */
DEVICE_MAP(both);   /* inside first, with a program that makes its copy of the frame the server's */

/* Endpoint tracking: records for user space; directions of flows that wait for an ACK, and counters in front
 * of them that answer for all others. */
struct waiting {
	__u32 ack;   /* that ends it */
	__u32 since; /* jiffies64 / 64 */
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} events SEC(".maps") __weak;
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__type(key, __u64);
	__type(value, struct waiting);
} waiting SEC(".maps") __weak;
ARRAY_MAP(waiting_near, 1048576, __u32, 0);
PERCPU_MAP(event_counts, 1, struct event_counters);

/* Detection of attacks. */
ARRAY_MAP(source_registers, SERVICE_SLOTS, struct registers, BPF_F_MMAPABLE);
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} samples SEC(".maps") __weak;
PERCPU_MAP(sample_counts, 1, struct sample_counters);

/* Keys the hash of the flow and listener tables: nobody outside may find tuples that collide. */
const volatile __u64 table_key[2] __weak = {};
/* flows has this many buckets, less one; always a power of two less one. */
const volatile __u32 flow_mask __weak = 131071;
const volatile __u32 connection_set_count __weak = 1;
const volatile __u32 connections_max __weak = 1;
const volatile __u32 forward_mode __weak = FORWARD_BRIDGE;
const volatile __u32 tracking __weak = 0;
const volatile __u32 waiting_near_mask __weak = 1048575;

static __always_inline const struct runtime *runtime_live(void)
{
	__u32 zero = 0;
	struct control *c = bpf_map_lookup_elem(&control, &zero);

	return c ? &c->runtime[c->live & 1] : NULL;
}

#endif
