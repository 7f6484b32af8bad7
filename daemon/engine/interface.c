// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interfaces: attached with all that goes with it, and looked after when they go and come back.
 */
#include "daemon/engine/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/maps/fastpath.h"
#include "daemon/netlink/diag.h"

static void seed(const struct tuple *tuple, void *arg)
{
	struct engine *e = arg;

	for (size_t i = 0; i < e->config->service_count; i++)
		if (slot_covers_port(&e->config->services[i], ntohs(tuple->server_port))) {
			if (!fastpath_seed_flow(e->fastpath, tuple))
				e->seeded++;
			return;
		}
}

/* Settings under which some clients fail, though most work. */
static void warn_of_settings(const struct stack_settings *stack)
{
	if (!stack->syncookies)
		log_print(LOG_ERR, NOTHING_DEFENDED);
	if (stack->rfc1337)
		log_print(LOG_WARNING,
			  "net.ipv4.tcp_rfc1337 is 1: under mitigation a client that uses a port again "
			  "within TIME_WAIT has to try twice; 0 is better");
	if (!stack->conntrack_loose)
		log_print(LOG_WARNING,
			  "net.netfilter.nf_conntrack_tcp_loose is 0: conntrack never sees our SYN-ACK "
			  "and will take connections for invalid; set it to 1");
}

static int read_link(const char *name, struct link_state *link, char *text, size_t size)
{
	int error = link_read(name, link);

	if (error)
		snprintf(text, size, "does not exist (yet): waiting for it");
	return error;
}

/* 1: it was on, and is off now. */
static int rxvlan_off(const char *name, char *text, size_t size)
{
	int error = link_rxvlan_off(name);

	if (error < 0)
		snprintf(text, size,
			 "VLAN tags are stripped by the card (rx-vlan-offload) and that cannot be switched "
			 "off: %s",
			 strerror(-error));
	return error;
}

static int attach_inline(struct engine *e, char *text, size_t size)
{
	int error = read_link(e->config->outside, &e->link, text, size);

	if (!error)
		error = read_link(e->config->inside, &e->inside, text, size);
	if (error)
		return error;
	error = rxvlan_off(e->config->outside, text, size);
	if (error >= 0) {
		e->rxvlan_switched |= error > 0;
		error = rxvlan_off(e->config->inside, text, size);
	}
	if (error < 0)
		return error;
	e->rxvlan_switched_inside |= error > 0;
	error = publish_services(e); /* the MTUs are known now */
	if (error) {
		snprintf(text, size, "cannot publish the services: %s", strerror(-error));
		return error;
	}
	return fastpath_attach_inline(e->fastpath, e->link.ifindex, e->inside.ifindex,
				      e->config->xdp == XDP_GENERIC, text, size);
}

static int attach_host(struct engine *e, char *text, size_t size)
{
	const char *name = e->config->outside;
	int error = read_link(name, &e->link, text, size);

	if (error)
		return error;
	stack_settings_read(&e->stack);
	warn_of_settings(&e->stack);
	if (link_is_veth(name) && e->config->xdp == XDP_NATIVE)
		log_print(LOG_NOTICE,
			  "interface %s is a veth: our answers leave it only if its peer has an XDP program, "
			  "too; else say xdp = \"generic\"",
			  name);
	error = rxvlan_off(name, text, size);
	if (error < 0)
		return error;
	e->rxvlan_switched |= error > 0;
	error = publish_services(e); /* the MTU is known now */
	if (!error)
		error = diag_each_connection(seed, e);
	if (error) {
		snprintf(text, size, "cannot take over the connections that are there: %s", strerror(-error));
		return error;
	}
	return fastpath_attach(e->fastpath, e->link.ifindex, e->config->xdp == XDP_GENERIC, text, size);
}

int interface_attach(struct engine *e)
{
	char reason[sizeof(e->reason)] = "";
	int error = is_inline(e) ? attach_inline(e, reason, sizeof(reason))
				 : attach_host(e, reason, sizeof(reason));

	if (error && strcmp(e->reason, reason))
		log_print(LOG_WARNING, "interface %s: %s", e->config->outside, reason);
	if (!error)
		log_print(LOG_NOTICE, "interface %s: attached, %s XDP, MTU %u", e->config->outside,
			  e->config->xdp == XDP_GENERIC ? "generic" : "native", e->link.mtu);
	memcpy(e->reason, reason, sizeof(e->reason));
	return error;
}

void interface_detach(struct engine *e)
{
	fastpath_detach(e->fastpath);
	if (e->rxvlan_switched)
		link_rxvlan_on(e->config->outside);
	if (e->rxvlan_switched_inside)
		link_rxvlan_on(e->config->inside);
	e->rxvlan_switched = e->rxvlan_switched_inside = false;
}

/* One of two interfaces has gone, or is another by now: what was attached is of no use. */
static bool inside_lost(const struct engine *e)
{
	struct link_state state;

	return is_inline(e) && (link_read(e->config->inside, &state) || state.ifindex != e->inside.ifindex);
}

void interface_look_after(struct engine *e)
{
	struct link_state state;
	bool there = !link_read(e->config->outside, &state);

	if (fastpath_attached(e->fastpath) && (fastpath_links_dead(e->fastpath) || !there ||
					       state.ifindex != e->link.ifindex || inside_lost(e))) {
		fastpath_detach(e->fastpath);
		e->rxvlan_switched = e->rxvlan_switched_inside = false;
		log_print(LOG_WARNING, "interface %s has gone",
			  inside_lost(e) ? e->config->inside : e->config->outside);
	}
	if (!there) {
		e->link.ifindex = 0;
		e->link.up = false;
	} else if (fastpath_attached(e->fastpath)) {
		bool mtu_changed = state.mtu != e->link.mtu;

		e->link = state;
		if (mtu_changed)
			publish_services(e);
	} else if (!e->detached_by_hand) {
		interface_attach(e);
	}
}

void interface_on_change(const struct link_state *state, bool gone, void *arg)
{
	struct engine *e = arg;

	(void)gone;
	if (!strcmp(state->name, e->config->outside) ||
	    (is_inline(e) && !strcmp(state->name, e->config->inside)))
		interface_look_after(e);
}
