/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an interface's driver can do and how it is set up, as far as XDP cares; through ethtool's ioctl,
 * rtnetlink and generic netlink. Nothing needs a capability but the programs at tcx.
 */
#ifndef SYNMOAT_NETLINK_DEVICE_H
#define SYNMOAT_NETLINK_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

/* xdp_features: NETDEV_XDP_ACT_… of <linux/netdev.h> (Linux 6.3), which Debian 12 does not have. */
enum {
	DEVICE_XDP_BASIC = 1,
	DEVICE_XDP_REDIRECT = 2,
	DEVICE_XDP_TRANSMIT = 4, /* takes packets that were redirected to it */
	DEVICE_XDP_FRAGS = 32,	 /* packets of several buffers */
};

/* Whether packets that are redirected to it go out (ndo_xdp_xmit). */
enum device_transmit {
	DEVICE_TRANSMITS,
	DEVICE_TRANSMITS_NOT,
	DEVICE_TRANSMIT_UNTOLD, /* the kernel does not say, or not before a program is attached */
};

/* Whether a veth's other end has a native XDP program. */
enum device_peer {
	DEVICE_PEER_UNTOLD, /* no veth, or its namespace is not for us to look into */
	DEVICE_PEER_BARE,
	DEVICE_PEER_HAS_PROGRAM,
};

#define DEVICE_PROGRAMS_MAX 8

struct device {
	char driver[32];
	bool features_known; /* xdp_features */
	uint64_t xdp_features;
	bool lro, gro_hw, rxvlan;
	unsigned int receive_queues; /* 0: the driver does not say */
	unsigned int queues_max;
	unsigned int master;  /* ifindex of the bridge or bond that it is a port of; 0: none */
	uint32_t xdp_program; /* id; 0: none */
	bool xdp_generic;
	/* at tcx, ours included */
	uint32_t ingress[DEVICE_PROGRAMS_MAX], egress[DEVICE_PROGRAMS_MAX];
	unsigned int ingress_count, egress_count;
	enum device_peer peer;
	bool programs_known;  /* those at tcx: false without CAP_NET_ADMIN */
	unsigned int filters; /* of tc, at clsact's ingress and egress */
};

/* 0, or -ENODEV. What cannot be found out stays 0. */
int device_read(const char *name, struct device *device);

/* The same, but only driver, xdp_features and the XDP program: quick enough for once a second. */
int device_read_xdp(const char *name, struct device *device);

/* In whatever namespace it is: that takes CAP_NET_ADMIN there. */
enum device_peer device_read_peer(const char *name);

enum device_transmit device_transmits(const struct device *device);

/* What to do about one that transmits not. */
const char *device_transmit_advice(const struct device *device);

#endif
