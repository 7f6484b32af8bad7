/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comings and goings of network interfaces, through rtnetlink on libmnl, and the one offload that XDP cannot
 * live with.
 */
#ifndef SYNMOAT_NETLINK_LINK_H
#define SYNMOAT_NETLINK_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* Its IPv4 broadcast addresses, in wire order, at most MAX of them; the rest of the array is not touched. */
void link_read_broadcasts(const char *name, uint32_t *addresses, size_t max);

bool link_is_veth(const char *name);

/* An ethtool command, which is answered in place; 0 or a negative errno. */
int link_ethtool(const char *name, void *command);

#endif
