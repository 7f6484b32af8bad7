/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comings and goings of network interfaces, through rtnetlink on libmnl, and the one offload that XDP cannot
 * live with.
 */
#ifndef SYNMOAT_NETLINK_LINK_H
#define SYNMOAT_NETLINK_LINK_H

#include <net/if.h>
#include <stdbool.h>

struct link_monitor;
struct sd_event;

struct link_state {
	char name[IF_NAMESIZE];
	unsigned int ifindex; /* 0: no such interface */
	unsigned int mtu;     /* bytes */
	unsigned char mac[6];
	bool up; /* carrier included */
};

/* An interface has come, changed, or gone (gone). Called from the event loop. */
typedef void link_change_fn(const struct link_state *state, bool gone, void *arg);

int link_monitor_new(struct link_monitor **monitor, struct sd_event *event, link_change_fn *fn, void *arg);
void link_monitor_free(struct link_monitor *monitor);

/* As it stands now. -ENODEV: no such interface. */
int link_read(const char *name, struct link_state *state);

/*
 * A VLAN tag that the card strips is lost to XDP_TX and redirect. Returns 1 when it was on and is off now, 0
 * when it was off (or the driver knows no such thing), or a negative errno when it cannot be switched off.
 */
int link_rxvlan_off(const char *name);
int link_rxvlan_on(const char *name);

bool link_is_veth(const char *name);

#endif
