// SPDX-License-Identifier: GPL-2.0-or-later
/* See device.h. */
#include "daemon/netlink/device.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/netlink/ask.h"
#include "daemon/netlink/link.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* <linux/netdev.h>, of Linux 6.3 */
#define NETDEV_FAMILY	    "netdev"
#define NETDEV_GET	    1
#define NETDEV_IFINDEX	    1
#define NETDEV_XDP_FEATURES 3

/* BPF_TCX_INGRESS and BPF_TCX_EGRESS of <linux/bpf.h>, of Linux 6.6 */
#define TCX_INGRESS 46
#define TCX_EGRESS  47

/* --- ethtool --- */

static void read_driver(const char *name, struct device *device)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	if (!link_ethtool(name, &info))
		snprintf(device->driver, sizeof(device->driver), "%.31s", info.driver);
}

static void read_queues(const char *name, struct device *device)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };

	if (link_ethtool(name, &channels))
		return;
	device->receive_queues = channels.rx_count + channels.combined_count;
	device->queues_max =
		channels.max_rx > channels.max_combined ? channels.max_rx : channels.max_combined;
}

static uint32_t count_features(const char *name)
{
	/* the count follows it */
	union {
		struct ethtool_sset_info info;
		uint32_t words[(sizeof(struct ethtool_sset_info) / sizeof(uint32_t)) + 1];
	} question = { .words = { 0 } };

	question.info.cmd = ETHTOOL_GSSET_INFO;
	question.info.sset_mask = 1ULL << ETH_SS_FEATURES;
	return link_ethtool(name, &question) || !question.info.sset_mask ? 0 : question.info.data[0];
}

static void note_feature(struct device *device, const char *feature)
{
	const struct {
		const char *feature;
		bool *flag;
	} rows[] = {
		{ "rx-lro", &device->lro },
		{ "rx-gro-hw", &device->gro_hw },
		{ "rx-vlan-hw-parse", &device->rxvlan },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strncmp(rows[i].feature, feature, ETH_GSTRING_LEN))
			*rows[i].flag = true;
}

/* Offloads have numbers that differ between kernels: they are found by name. */
static void read_offloads(const char *name, struct device *device)
{
	uint32_t count = count_features(name), words = (count + 31) / 32;
	struct ethtool_gstrings *names = calloc(1, sizeof(*names) + (size_t)count * ETH_GSTRING_LEN);
	struct ethtool_gfeatures *features =
		calloc(1, sizeof(*features) + words * sizeof(struct ethtool_get_features_block));

	if (names && features && count) {
		*names = (struct ethtool_gstrings){ .cmd = ETHTOOL_GSTRINGS,
						    .string_set = ETH_SS_FEATURES,
						    .len = count };
		*features = (struct ethtool_gfeatures){ .cmd = ETHTOOL_GFEATURES, .size = words };
		if (!link_ethtool(name, names) && !link_ethtool(name, features))
			for (uint32_t i = 0; i < count; i++)
				if (features->features[i / 32].active & 1U << i % 32)
					note_feature(device,
						     (const char *)names->data + (size_t)i * ETH_GSTRING_LEN);
	}
	free(names);
	free(features);
}

/* --- netlink --- */

struct family {
	uint16_t id;
};

static int on_family_attribute(const struct nlattr *attribute, void *arg)
{
	struct family *family = arg;

	if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID)
		family->id = mnl_attr_get_u16(attribute);
	return MNL_CB_OK;
}

static int on_family(const struct nlmsghdr *header, void *arg)
{
	return mnl_attr_parse(header, sizeof(struct genlmsghdr), on_family_attribute, arg);
}

static struct nlmsghdr *begin_generic(char *buffer, uint16_t type, uint8_t command)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *generic;

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	generic->cmd = command;
	generic->version = 1;
	return header;
}

static uint16_t find_family(const char *name)
{
	char buffer[256];
	struct nlmsghdr *header = begin_generic(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	struct family family = { 0 };

	mnl_attr_put_strz(header, CTRL_ATTR_FAMILY_NAME, name);
	return netlink_ask(NETLINK_GENERIC, header, on_family, &family) ? 0 : family.id;
}

static int on_features_attribute(const struct nlattr *attribute, void *arg)
{
	struct device *device = arg;

	if (mnl_attr_get_type(attribute) == NETDEV_XDP_FEATURES) {
		device->xdp_features = mnl_attr_get_u64(attribute);
		device->features_known = true;
	}
	return MNL_CB_OK;
}

static int on_features(const struct nlmsghdr *header, void *arg)
{
	return mnl_attr_parse(header, sizeof(struct genlmsghdr), on_features_attribute, arg);
}

static void read_xdp_features(unsigned int ifindex, struct device *device)
{
	uint16_t family = find_family(NETDEV_FAMILY);
	char buffer[256];
	struct nlmsghdr *header;

	if (!family)
		return;
	header = begin_generic(buffer, family, NETDEV_GET);
	mnl_attr_put_u32(header, NETDEV_IFINDEX, ifindex);
	netlink_ask(NETLINK_GENERIC, header, on_features, device);
}

#define NAMESPACE_OURS (-1)

struct link {
	bool known;
	uint32_t master; /* ifindex; 0: none */
	uint32_t peer;	 /* a veth's, in this namespace: */
	int32_t peer_namespace;
	uint32_t program; /* id of the native XDP program; 0: none */
};

static int on_xdp_attribute(const struct nlattr *attribute, void *arg)
{
	struct link *link = arg;

	if (mnl_attr_get_type(attribute) == IFLA_XDP_DRV_PROG_ID)
		link->program = mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

static int on_link_attribute(const struct nlattr *attribute, void *arg)
{
	struct link *link = arg;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_MASTER:
		link->master = mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINK:
		link->peer = mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINK_NETNSID:
		link->peer_namespace = (int32_t)mnl_attr_get_u32(attribute);
		break;
	case IFLA_XDP:
		return mnl_attr_parse_nested(attribute, on_xdp_attribute, link);
	}
	return MNL_CB_OK;
}

static int on_link(const struct nlmsghdr *header, void *arg)
{
	struct link *link = arg;

	link->known = true;
	return mnl_attr_parse(header, sizeof(struct ifinfomsg), on_link_attribute, link);
}

/* namespace: an id that this one has for it, or NAMESPACE_OURS. */
static struct link ask_link(unsigned int ifindex, int32_t namespace)
{
	char buffer[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct link link = { .peer_namespace = NAMESPACE_OURS };
	struct ifinfomsg *info;

	header->nlmsg_type = RTM_GETLINK;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
	info->ifi_index = (int)ifindex;
	if (namespace != NAMESPACE_OURS)
		mnl_attr_put_u32(header, IFLA_TARGET_NETNSID, (uint32_t) namespace);
	netlink_ask(NETLINK_ROUTE, header, on_link, &link);
	return link;
}

/* A filter is told at least twice: its chain's head has no handle. */
static int on_filter(const struct nlmsghdr *header, void *arg)
{
	const struct tcmsg *filter = mnl_nlmsg_get_payload(header);
	struct device *device = arg;

	device->filters += filter->tcm_handle != 0;
	return MNL_CB_OK;
}

static void count_filters(unsigned int ifindex, uint32_t minor, struct device *device)
{
	char buffer[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct tcmsg *question;

	header->nlmsg_type = RTM_GETTFILTER;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	question = mnl_nlmsg_put_extra_header(header, sizeof(*question));
	question->tcm_ifindex = (int)ifindex;
	question->tcm_parent = TC_H_MAKE(TC_H_CLSACT, minor);
	netlink_ask(NETLINK_ROUTE, header, on_filter, device);
}

/* --- BPF programs --- */

static void read_xdp_program(unsigned int ifindex, struct device *device)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query((int)ifindex, 0, &query))
		return;
	device->xdp_program = query.prog_id;
	device->xdp_generic = query.attach_mode == XDP_ATTACHED_SKB;
}

static void read_tcx_programs(unsigned int ifindex, struct device *device)
{
	uint32_t flags, count = DEVICE_PROGRAMS_MAX;

	device->programs_known =
		!bpf_prog_query((int)ifindex, TCX_INGRESS, 0, &flags, device->ingress, &count);
	device->ingress_count = device->programs_known ? count : 0;
	count = DEVICE_PROGRAMS_MAX;
	if (!bpf_prog_query((int)ifindex, TCX_EGRESS, 0, &flags, device->egress, &count))
		device->egress_count = count;
}

int device_read_xdp(const char *name, struct device *device)
{
	unsigned int ifindex = if_nametoindex(name);

	if (!ifindex)
		return -ENODEV;
	memset(device, 0, sizeof(*device));
	read_driver(name, device);
	read_xdp_features(ifindex, device);
	read_xdp_program(ifindex, device);
	return 0;
}

enum device_peer device_read_peer(const char *name)
{
	struct link link, peer;

	if (!link_is_veth(name))
		return DEVICE_PEER_UNTOLD;
	link = ask_link(if_nametoindex(name), NAMESPACE_OURS);
	if (!link.peer)
		return DEVICE_PEER_UNTOLD;
	peer = ask_link(link.peer, link.peer_namespace);
	if (!peer.known)
		return DEVICE_PEER_UNTOLD;
	return peer.program ? DEVICE_PEER_HAS_PROGRAM : DEVICE_PEER_BARE;
}

int device_read(const char *name, struct device *device)
{
	unsigned int ifindex = if_nametoindex(name);
	int error = device_read_xdp(name, device);

	if (error)
		return error;
	read_queues(name, device);
	read_offloads(name, device);
	device->master = ask_link(ifindex, NAMESPACE_OURS).master;
	device->peer = device_read_peer(name);
	read_tcx_programs(ifindex, device);
	count_filters(ifindex, TC_H_MIN_INGRESS, device);
	count_filters(ifindex, TC_H_MIN_EGRESS, device);
	return 0;
}

/*
 * A veth's flag follows its peer. Many cards set up the queues for it, and the flag, only with a program of
 * their own (i40e, ice, ena, virtio_net, …): before that its absence says nothing.
 */
enum device_transmit device_transmits(const struct device *device)
{
	bool attached = device->xdp_program && !device->xdp_generic;

	if (device->features_known && device->xdp_features & DEVICE_XDP_TRANSMIT)
		return DEVICE_TRANSMITS;
	if (!device->features_known || !(device->xdp_features & DEVICE_XDP_BASIC))
		return DEVICE_TRANSMIT_UNTOLD;
	return attached || !strcmp(device->driver, "veth") ? DEVICE_TRANSMITS_NOT : DEVICE_TRANSMIT_UNTOLD;
}

/* Off first: the flag is forgotten where GRO was switched on while the peer was down (Linux 6.18, veth.c). */
const char *device_transmit_advice(const struct device *device)
{
	return strcmp(device->driver, "veth")
		       ? "use a card whose driver does, or xdp = \"generic\""
		       : "its peer needs an XDP program (synmoatd --pass PEER), or for all "
			 "but cookies GRO (ethtool -K PEER gro off; ethtool -K PEER "
			 "gro on)";
}
