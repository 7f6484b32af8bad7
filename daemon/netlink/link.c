// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See link.h.
 */
#include "daemon/netlink/link.h"

#include <errno.h>
#include <ifaddrs.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define MESSAGES_A_TURN 64

struct link_monitor {
	struct mnl_socket *socket;
	sd_event_source *source;
	link_change_fn *fn;
	void *arg;
};

static int on_attribute(const struct nlattr *attribute, void *arg)
{
	struct link_state *state = arg;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		strncpy(state->name, mnl_attr_get_str(attribute), sizeof(state->name) - 1);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attribute) == sizeof(state->mac))
			memcpy(state->mac, mnl_attr_get_payload(attribute), sizeof(state->mac));
		break;
	case IFLA_MTU:
		state->mtu = mnl_attr_get_u32(attribute);
		break;
	}
	return MNL_CB_OK;
}

static int on_message(const struct nlmsghdr *header, void *arg)
{
	struct link_monitor *monitor = arg;
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
	struct link_state state = { 0 };

	if (header->nlmsg_type != RTM_NEWLINK && header->nlmsg_type != RTM_DELLINK)
		return MNL_CB_OK;
	if (info->ifi_family !=
	    AF_UNSPEC) /* a bridge port speaks for itself: not an interface come or gone */
		return MNL_CB_OK;
	state.ifindex = (unsigned int)info->ifi_index;
	state.up = (info->ifi_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
	mnl_attr_parse(header, sizeof(*info), on_attribute, &state);
	monitor->fn(&state, header->nlmsg_type == RTM_DELLINK, monitor->arg);
	return MNL_CB_OK;
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct link_monitor *monitor = arg;
	char buffer[32768];

	(void)source;
	(void)fd;
	(void)events;
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		ssize_t length = mnl_socket_recvfrom(monitor->socket, buffer, sizeof(buffer));

		if (length <
		    0) /* EAGAIN; or ENOBUFS: events were lost, the 1 Hz look at the links finds out */
			return 0;
		mnl_cb_run(buffer, (size_t)length, 0, 0, on_message, monitor);
	}
	return 0;
}

int link_monitor_new(struct link_monitor **out, struct sd_event *event, link_change_fn *fn, void *arg)
{
	struct link_monitor *m = calloc(1, sizeof(*m));
	int error;

	if (!m)
		return -ENOMEM;
	m->fn = fn;
	m->arg = arg;
	m->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!m->socket || mnl_socket_bind(m->socket, RTMGRP_LINK, MNL_SOCKET_AUTOPID) < 0)
		error = -errno;
	else
		error = sd_event_add_io(event, &m->source, mnl_socket_get_fd(m->socket), EPOLLIN, on_readable,
					m);
	if (error < 0) {
		link_monitor_free(m);
		return error;
	}
	*out = m;
	return 0;
}

void link_monitor_free(struct link_monitor *m)
{
	if (!m)
		return;
	sd_event_source_unref(m->source);
	if (m->socket)
		mnl_socket_close(m->socket);
	free(m);
}

/* An ioctl on an interface by its name. 0 or a negative errno. */
static int interface_ioctl(const char *name, unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	strncpy(ifr->ifr_name, name, sizeof(ifr->ifr_name) - 1);
	if (ioctl(fd, request, ifr))
		error = -errno;
	close(fd);
	return error;
}

int link_read(const char *name, struct link_state *state)
{
	struct ifreq flags = { 0 }, mtu = { 0 }, mac = { 0 };
	unsigned int ifindex = if_nametoindex(name);

	if (!ifindex || interface_ioctl(name, SIOCGIFFLAGS, &flags) ||
	    interface_ioctl(name, SIOCGIFMTU, &mtu) || interface_ioctl(name, SIOCGIFHWADDR, &mac))
		return -ENODEV;
	memset(state, 0, sizeof(*state));
	strncpy(state->name, name, sizeof(state->name) - 1);
	state->ifindex = ifindex;
	state->mtu = (unsigned int)mtu.ifr_mtu;
	memcpy(state->mac, mac.ifr_hwaddr.sa_data, sizeof(state->mac));
	state->up = (flags.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
	return 0;
}

int link_ethtool(const char *name, void *command)
{
	struct ifreq ifr = { 0 };

	ifr.ifr_data = command;
	return interface_ioctl(name, SIOCETHTOOL, &ifr);
}

static int ethtool_flags(const char *name, uint32_t command, uint32_t *flags)
{
	struct ethtool_value value = { .cmd = command, .data = *flags };
	int error = link_ethtool(name, &value);

	*flags = value.data;
	return error;
}

static int set_rxvlan(const char *name, bool on)
{
	uint32_t flags = 0;
	int error = ethtool_flags(name, ETHTOOL_GFLAGS, &flags);

	if (error == -EOPNOTSUPP)
		return 0;
	if (error)
		return error;
	if (!(flags & ETH_FLAG_RXVLAN) == !on)
		return 0;
	flags ^= ETH_FLAG_RXVLAN;
	error = ethtool_flags(name, ETHTOOL_SFLAGS, &flags);
	return error ? error : 1;
}

int link_rxvlan_off(const char *name)
{
	return set_rxvlan(name, false);
}

int link_rxvlan_on(const char *name)
{
	return set_rxvlan(name, true);
}

/* By the mask, as the kernel's routing table has it, whether or not the address names a broadcast address. */
static bool find_broadcast(const struct ifaddrs *one, uint32_t *address)
{
	struct sockaddr_in own, mask;

	if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET || !one->ifa_netmask ||
	    !(one->ifa_flags & IFF_BROADCAST))
		return false;
	memcpy(&own, one->ifa_addr, sizeof(own));
	memcpy(&mask, one->ifa_netmask, sizeof(mask));
	if (ntohl(~mask.sin_addr.s_addr) < 3) /* /31 and /32 have none */
		return false;
	*address = own.sin_addr.s_addr | ~mask.sin_addr.s_addr;
	return true;
}

void link_read_broadcasts(const char *name, uint32_t *addresses, size_t max)
{
	struct ifaddrs *all;
	size_t count = 0;

	if (getifaddrs(&all))
		return;
	for (const struct ifaddrs *one = all; one && count < max; one = one->ifa_next)
		if (!strcmp(one->ifa_name, name) && find_broadcast(one, &addresses[count]))
			count++;
	freeifaddrs(all);
}

bool link_is_veth(const char *name)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	return !link_ethtool(name, &info) && !strcmp(info.driver, "veth");
}
