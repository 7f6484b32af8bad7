// SPDX-License-Identifier: GPL-2.0
/*
 * What no program that does the same can go below: the tree's own code for the least that a class of packets
 * needs, without everything else that is asked of them, and what lines of memory cost here that are in no
 * cache. The maps are those of the programs of a deployment.
 */
#include "connection.bpf.h"
#include "cookie.bpf.h"
#include "count.bpf.h"
#include "flow.bpf.h"
#include "lists.bpf.h"
#include "option.bpf.h"
#include "service.bpf.h"
#include "synack.bpf.h"
#include "translate.bpf.h"
#include "tests/bench/floors.h"

/* As connections would need it, of whatever layout; begins at a page. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FLOORS_LINES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct floors_line);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
} port SEC(".maps");

/* Of floor_reads(). */
__u32 read_mask; /* so many lines, less one */
__u32 read_count;
__u32 read_waits; /* each for the one before */
__u32 read_pages; /* one line of each page */

SEC("xdp")
int floor_parse(struct xdp_md *ctx)
{
	struct packet p = {};

	return packet_read(ctx, &p) == PARSED_NOT_IP ? XDP_ABORTED : XDP_DROP;
}

SEC("xdp")
int floor_listed(struct xdp_md *ctx)
{
	const struct runtime *rt = runtime_live();
	struct packet p = {};

	if (!rt || packet_read(ctx, &p) == PARSED_NOT_IP)
		return XDP_ABORTED;
	return list_find(rt, &p) == LISTED_BLOCKED ? XDP_DROP : XDP_PASS;
}

/* Parsed, and of which service? */
static __always_inline const struct service *served(struct xdp_md *ctx, const struct runtime *rt,
						    struct packet *p)
{
	if (packet_read(ctx, p) != PARSED_TCP)
		return NULL;
	return service_get(rt, service_find(rt, p->v6, p->daddr, p->dest));
}

SEC("xdp")
int floor_cookie_check(struct xdp_md *ctx)
{
	const struct runtime *rt = runtime_live();
	struct tcp_options options = {};
	struct cookie_options cookie;
	struct packet p = {};

	if (!rt || !served(ctx, rt, &p) || !option_read(ctx, &p, &options))
		return XDP_ABORTED;
	return cookie_check(&p, &options, rt, &cookie) ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int floor_cookie_make(struct xdp_md *ctx)
{
	const struct runtime *rt = runtime_live();
	struct tcp_options options = {};
	const struct service *service;
	struct packet p = {};

	if (!rt)
		return XDP_ABORTED;
	service = served(ctx, rt, &p);
	if (!service || !option_read(ctx, &p, &options))
		return XDP_ABORTED;
	return synack_write(ctx, &p, &options, service, rt) ? XDP_TX : XDP_ABORTED;
}

/* Of a service and a flow that are known, and counted as such. */
SEC("xdp")
int floor_established(struct xdp_md *ctx)
{
	const struct runtime *rt = runtime_live();
	struct packet p = {};
	__u32 slot;

	if (!rt || packet_read(ctx, &p) != PARSED_TCP)
		return XDP_ABORTED;
	slot = service_find(rt, p.v6, p.daddr, p.dest);
	if (slot == SERVICE_NONE || flow_find(flow_hash(&p), rt) != FLOW_FRESH)
		return XDP_ABORTED;
	count_verdict(slot, PASS_FLOW);
	return XDP_PASS;
}

/* The connection found, the segment translated, counted and sent on. */
static __always_inline int floor_cross(struct xdp_md *ctx, bool from_client)
{
	struct packet p = {};
	struct connection *c;
	struct tuple key;

	if (packet_read(ctx, &p) != PARSED_TCP)
		return XDP_ABORTED;
	connection_key(&p, !from_client, &key);
	c = connection_find(&key);
	if (!c || !translate(ctx, &p, c, from_client))
		return XDP_ABORTED;
	count_verdict(c->service, PASS_TRANSLATED);
	return bpf_redirect_map(&port, 0, XDP_DROP);
}

SEC("xdp")
int floor_to_server(struct xdp_md *ctx)
{
	return floor_cross(ctx, true);
}

SEC("xdp")
int floor_to_client(struct xdp_md *ctx)
{
	return floor_cross(ctx, false);
}

/* --- memory --- */

/* The lines are all 0, which only who has read them knows. */
static __always_inline __u64 line_read(__u32 line)
{
	struct floors_line *l = bpf_map_lookup_elem(&table, &line);

	return l ? *(volatile __u64 *)l->word : 0;
}

/* The flow's word among as many as there are flows: eight bytes each. */
SEC("xdp")
int floor_flow(struct xdp_md *ctx)
{
	struct packet p = {};

	if (packet_read(ctx, &p) != PARSED_TCP)
		return XDP_ABORTED;
	return line_read(flow_hash(&p) & (read_mask >> FLOORS_WORDS_SHIFT)) ? XDP_ABORTED : XDP_DROP;
}

/* And then a line of its own for what is to be translated. */
SEC("xdp")
int floor_translate(struct xdp_md *ctx)
{
	struct packet p = {};
	__u64 hash;

	if (packet_read(ctx, &p) != PARSED_TCP)
		return XDP_ABORTED;
	hash = flow_hash(&p);
	hash += line_read(hash & (read_mask >> FLOORS_WORDS_SHIFT));
	if (line_read(hash >> 32 & read_mask))
		return XDP_ABORTED;
	return bpf_redirect_map(&port, 0, XDP_DROP);
}

static __always_inline __u32 line_of(__u64 hash)
{
	__u32 line = hash & read_mask;

	/* not at the same offset of all pages, whose lines would share a few sets of the cache */
	return read_pages ? line * FLOORS_PAGE_LINES + line * 37 % FLOORS_PAGE_LINES : line;
}

SEC("xdp")
int floor_reads(struct xdp_md *ctx)
{
	struct packet p = {};
	__u64 hash, found = 0;

	if (packet_read(ctx, &p) != PARSED_TCP)
		return XDP_ABORTED;
	hash = flow_hash(&p);
	for (__u32 i = 0; i < FLOORS_READS; i++) {
		if (i >= read_count)
			break;
		found += line_read(line_of(read_waits ? hash + found : hash));
		hash = mix(hash, i);
	}
	return found ? XDP_ABORTED : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
