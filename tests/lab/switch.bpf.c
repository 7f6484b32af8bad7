// SPDX-License-Identifier: GPL-2.0
/*
 * The lab's switch: forwards frames between veth ports by a fixed table of MAC addresses and counts what it
 * forwards; drops what its rules say. Also the two programs that the hosts' ends of the cables carry: pass,
 * and the sink that counts and swallows replies to forged sources. Loaded and read by switch.c.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "switch.h"

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

#define FORGED_V4_BYTE 11     /* 11.0.0.0/8 */
#define FORGED_V6_WORD 0xfd11 /* fd11::/16 */

struct tcp_view {
	__u32 source[4]; /* IPv4: in the last word */
	__u32 destination_top;
	__u16 port;
	bool is_v6, has_payload;
	enum tcp_class class;
};

struct handshake {
	__u32 source[4];
	__u32 port;
};

/* The kernel's types, as far as the tracepoint needs them. */
struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));
struct net {
	struct ns_common ns;
} __attribute__((preserve_access_index));
typedef struct {
	struct net *net;
} possible_net_t;
struct net_device {
	int ifindex;
	possible_net_t nd_net;
} __attribute__((preserve_access_index));

const volatile __u32 port_ifindex[SWITCH_PORTS];
const volatile __u64 port_mac[SWITCH_PORTS]; /* six bytes in memory order, zero padded */
const volatile __u32 own_netns;

const volatile bool is_cable; /* two ports, whatever the MAC addresses */

struct switch_rule rules[SWITCH_PORTS][SWITCH_PORTS]; /* [from][to] */
bool pass_groups;				      /* to all ports: what is addressed to a group */

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, SWITCH_PORTS);
	__type(key, __u32);
	__type(value, __u32);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct switch_stats);
} stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sink_stats);
} sunk SEC(".maps");

/* Clients whose SYN went by and whose third ACK has not; filled only while a rule wants it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct handshake);
	__type(value, __u8);
} handshakes SEC(".maps");

static __always_inline enum tcp_class class_of(__u8 flags)
{
	if (flags & TCP_RST)
		return CLASS_RST;
	if (flags & TCP_SYN)
		return flags & TCP_ACK ? CLASS_SYNACK : CLASS_SYN;
	if (flags & TCP_FIN)
		return CLASS_FIN;
	return flags & TCP_ACK ? CLASS_ACK : CLASS_OTHER;
}

/* False if the frame is no TCP segment with a whole header. */
static __always_inline bool tcp_parse(struct xdp_md *ctx, struct tcp_view *view)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *l4;
	struct ethhdr *ethernet = (void *)data;
	struct iphdr *ip = (void *)(data + ETH_HLEN);
	struct ipv6hdr *ip6 = (void *)(data + ETH_HLEN);
	__u32 l4_len;

	if (data + ETH_HLEN + sizeof(*ip) > end)
		return false;
	*view = (struct tcp_view){ 0 };
	if (ethernet->h_proto == bpf_htons(ETH_P_IP) && ip->protocol == IPPROTO_TCP && ip->ihl >= 5) {
		l4 = data + ETH_HLEN + ip->ihl * 4;
		l4_len = bpf_ntohs(ip->tot_len) - ip->ihl * 4;
		view->source[3] = ip->saddr;
		view->destination_top = ip->daddr;
	} else if (ethernet->h_proto == bpf_htons(ETH_P_IPV6) && data + ETH_HLEN + sizeof(*ip6) <= end &&
		   ip6->nexthdr == IPPROTO_TCP) {
		l4 = data + ETH_HLEN + sizeof(*ip6);
		l4_len = bpf_ntohs(ip6->payload_len);
		__builtin_memcpy(view->source, &ip6->saddr, sizeof(view->source));
		view->destination_top = ip6->daddr.in6_u.u6_addr32[0];
		view->is_v6 = true;
	} else {
		return false;
	}
	if (l4 + sizeof(struct tcphdr) > end)
		return false;
	view->port = ((struct tcphdr *)l4)->source;
	view->has_payload = l4_len > ((struct tcphdr *)l4)->doff * 4U;
	view->class = class_of(l4[13]);
	return true;
}

static __always_inline bool is_forged(const struct tcp_view *view)
{
	__u32 top = bpf_ntohl(view->destination_top);

	return view->is_v6 ? top >> 16 == FORGED_V6_WORD : top >> 24 == FORGED_V4_BYTE;
}

static __always_inline bool chance(__u32 ppm)
{
	return ppm && bpf_get_prandom_u32() % 1000000 < ppm;
}

static __always_inline bool is_third_ack(const struct tcp_view *view)
{
	struct handshake key = { .port = view->port };
	__u8 seen = 1;

	__builtin_memcpy(key.source, view->source, sizeof(key.source));
	if (view->class == CLASS_SYN)
		bpf_map_update_elem(&handshakes, &key, &seen, BPF_ANY);
	if (view->class != CLASS_ACK || view->has_payload)
		return false;
	return !bpf_map_delete_elem(&handshakes, &key);
}

/* SWITCH_PORTS: none */
static __always_inline __u32 port_by_ifindex(__u32 ifindex)
{
	for (__u32 i = 0; i < SWITCH_PORTS; i++)
		if (port_ifindex[i] == ifindex)
			return i;
	return SWITCH_PORTS;
}

/* Where a frame to MAC goes, six bytes in memory order; SWITCH_PORTS: nowhere. */
static __always_inline __u32 port_to(__u64 mac, __u32 from)
{
	if (is_cable)
		return from ^ 1;
	for (__u32 i = 0; i < SWITCH_PORTS; i++)
		if (port_mac[i] == mac)
			return i;
	return SWITCH_PORTS;
}

/* A packet socket would see a tagged frame without its tag. */
static __always_inline bool is_tagged(const __u8 *frame)
{
	__be16 type = ((const struct ethhdr *)frame)->h_proto;

	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

#define TAG_LEN	 4
#define TAGS_MAX 2

/* The outer tag first; a single one is the inner. */
static __always_inline void tags_fill(__be16 tags[2 * TAGS_MAX])
{
	tags[0] = bpf_htons(ETH_P_8021AD);
	tags[1] = bpf_htons(5 << 13 | 1007);
	tags[2] = bpf_htons(ETH_P_8021Q);
	tags[3] = bpf_htons(3 << 13 | 42);
}

/* Global: verified once. Not 0: dropped. */
__noinline __weak int tags_put(struct xdp_md *ctx, __u32 count)
{
	__be16 tags[2 * TAGS_MAX];
	__u8 macs[2 * ETH_ALEN];

	tags_fill(tags);
	if (bpf_xdp_load_bytes(ctx, 0, macs, sizeof(macs)) ||
	    bpf_xdp_adjust_head(ctx, count > 1 ? -2 * TAG_LEN : -TAG_LEN) ||
	    bpf_xdp_store_bytes(ctx, 0, macs, sizeof(macs)))
		return -1;
	if (count > 1)
		return bpf_xdp_store_bytes(ctx, sizeof(macs), tags, sizeof(tags));
	return bpf_xdp_store_bytes(ctx, sizeof(macs), tags + 2, TAG_LEN);
}

__noinline __weak int tags_take(struct xdp_md *ctx, __u32 count)
{
	__be16 tags[2 * TAGS_MAX], found[2 * TAGS_MAX + 1] = { 0 };
	__u8 macs[2 * ETH_ALEN];

	tags_fill(tags);
	if (bpf_xdp_load_bytes(ctx, 0, macs, sizeof(macs)) ||
	    bpf_xdp_load_bytes(ctx, sizeof(macs), count > 1 ? found : found + 2, count > 1 ? 10 : 6))
		return -1;
	if ((count > 1 && (found[0] != tags[0] || found[1] != tags[1])) || found[2] != tags[2] ||
	    found[3] != tags[3] || found[4] == bpf_htons(ETH_P_8021Q))
		return -1;
	return bpf_xdp_adjust_head(ctx, count > 1 ? 2 * TAG_LEN : TAG_LEN) ||
	       bpf_xdp_store_bytes(ctx, 0, macs, sizeof(macs));
}

SEC("xdp.frags")
int switch_forward(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 zero = 0, from = port_by_ifindex(ctx->ingress_ifindex), to;
	struct switch_stats *counters = bpf_map_lookup_elem(&stats, &zero);
	struct switch_rule *rule;
	struct switch_pair *pair;
	struct tcp_view view = { 0 };
	__u64 mac = 0;
	bool is_tcp, tagged;

	if (!counters || data + ETH_HLEN > end || from >= SWITCH_PORTS)
		return XDP_DROP;
	if (data[0] & 1 && pass_groups && !is_cable)
		return bpf_redirect_map(&ports, 0, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);
	__builtin_memcpy(&mac, data, ETH_ALEN);
	to = port_to(mac, from);
	if (to >= SWITCH_PORTS) {
		counters->unknown++;
		return XDP_DROP;
	}
	pair = &counters->pairs[from][to];
	rule = &rules[from][to];
	is_tcp = tcp_parse(ctx, &view);
	tagged = is_tagged(data) || rule->tag;
	if (chance(rule->drop) ||
	    (rule->drop_third_ack && is_tcp && is_third_ack(&view) && chance(rule->drop_third_ack))) {
		pair->dropped++;
		return XDP_DROP;
	}
	if ((rule->untag && tags_take(ctx, rule->untag)) || (rule->tag && tags_put(ctx, rule->tag))) {
		pair->dropped++;
		return XDP_DROP;
	}
	pair->packets++;
	pair->bytes += bpf_xdp_get_buff_len(ctx);
	if (is_tcp)
		pair->tcp[view.class & 7]++;
	if (chance(rule->detour) && !tagged)
		return XDP_PASS;
	return bpf_redirect_map(&ports, to, XDP_DROP);
}

SEC("tp_btf/xdp_devmap_xmit")
int BPF_PROG(switch_xmit, const struct net_device *from, const struct net_device *to, int sent, int drops)
{
	struct switch_stats *counters;
	__u32 zero = 0, port;

	if (drops <= 0 || to->nd_net.net->ns.inum != own_netns)
		return 0;
	port = port_by_ifindex(to->ifindex);
	counters = bpf_map_lookup_elem(&stats, &zero);
	if (counters && port < SWITCH_PORTS)
		counters->redirect_failed[port] += drops;
	return 0;
}

SEC("xdp.frags")
int host_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp.frags")
int host_sink(struct xdp_md *ctx)
{
	struct sink_stats *counters;
	struct tcp_view view;
	__u32 zero = 0;

	if (!tcp_parse(ctx, &view) || !is_forged(&view))
		return XDP_PASS;
	counters = bpf_map_lookup_elem(&sunk, &zero);
	if (!counters)
		return XDP_ABORTED;
	counters->packets[view.class]++;
	counters->bytes[view.class] += bpf_xdp_get_buff_len(ctx);
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
