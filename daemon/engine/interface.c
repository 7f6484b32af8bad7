// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interfaces: attached with all that goes with it, and looked after when they go and come back.
 */
#include "daemon/engine/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/events/events.h"
#include "daemon/log.h"
#include "daemon/maps/fastpath.h"
#include "daemon/netlink/device.h"
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
	if (stack->rfc1337)
		log_print(LOG_WARNING,
			  "net.ipv4.tcp_rfc1337 is 1: under mitigation a client that uses a port again "
			  "within TIME_WAIT has to try twice; 0 is better");
	if (!stack->conntrack_loose)
		log_print(LOG_WARNING,
			  "net.netfilter.nf_conntrack_tcp_loose is 0: conntrack never sees our SYN-ACK "
			  "and will take connections for invalid; set it to 1");
}

static void warn_of_veth(const struct engine *e, const char *name)
{
	if (e->config->xdp == XDP_NATIVE && link_is_veth(name) &&
	    device_read_peer(name) != DEVICE_PEER_HAS_PROGRAM)
		log_print(LOG_WARNING,
			  "interface %s is a veth: our answers leave it only if its peer has an XDP program, "
			  "too (synmoatd --pass PEER); else say xdp = \"generic\"",
			  name);
}

static int read_link(const char *name, struct link_state *link, char *text, size_t size)
{
	int error = link_read(name, link);

	if (error) {
		link->ifindex = 0;
		link->up = false;
		snprintf(text, size, "does not exist (yet): waiting for it");
	}
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

/* The first of the two that is missing is the one at fault. */
static int read_links(struct engine *e, char *text, size_t size)
{
	int error = read_link(e->config->outside, &e->link, text, size);

	snprintf(e->at_fault, sizeof(e->at_fault), "%s", e->config->outside);
	if (error)
		return error;
	snprintf(e->at_fault, sizeof(e->at_fault), "%s", e->config->inside);
	return read_link(e->config->inside, &e->inside, text, size);
}

static int keep_tags(struct engine *e, const char *name, bool *switched, char *text, size_t size)
{
	int error = rxvlan_off(name, text, size);

	snprintf(e->at_fault, sizeof(e->at_fault), "%s", name);
	*switched |= error > 0;
	return error < 0 ? error : 0;
}

static const char *interface_name(const struct engine *e, int place)
{
	return place ? e->config->inside : e->config->outside;
}

/* Inline, what crosses is redirected: an interface that takes none of that is a black hole. */
static bool takes_redirected(const struct engine *e, int place, struct device *device)
{
	const struct refused *refused = &e->refused[place];
	const char *name = interface_name(e, place);

	if (e->config->xdp == XDP_GENERIC || device_read_xdp(name, device))
		return true;
	switch (device_transmits(device)) {
	case DEVICE_TRANSMITS:
		return true;
	case DEVICE_TRANSMITS_NOT:
		return false;
	case DEVICE_TRANSMIT_UNTOLD:
		return refused->ifindex != if_nametoindex(name) ||
		       refused->xdp_features != device->xdp_features;
	}
	return true;
}

/* Without us the kernel's bridge or routes forward. What a daemon before left goes when nobody claims it. */
static void let_cross(struct engine *e, int place)
{
	struct device device;

	fastpath_detach(e->fastpath);
	e->refused[place] = (struct refused){ 0 };
	if (!device_read_xdp(interface_name(e, place), &device))
		e->refused[place] =
			(struct refused){ if_nametoindex(interface_name(e, place)), device.xdp_features };
}

/* The first that takes no redirected packets; -1: both do, or nobody knows. */
static int find_black_hole(const struct engine *e, struct device *device)
{
	for (int place = 0; place < 2; place++)
		if (!takes_redirected(e, place, device))
			return place;
	return -1;
}

/* -EAGAIN where nothing would cross. */
static int refuse_black_hole(struct engine *e, char *text, size_t size)
{
	struct device device;
	int place = find_black_hole(e, &device);

	if (place < 0)
		return 0;
	snprintf(e->at_fault, sizeof(e->at_fault), "%s", interface_name(e, place));
	snprintf(text, size, "takes no packets that are redirected to it (ndo_xdp_xmit): %s",
		 device_transmit_advice(&device));
	let_cross(e, place);
	return -EAGAIN;
}

static int attach_inline(struct engine *e, char *text, size_t size)
{
	int error = read_links(e, text, size);

	if (!error)
		error = refuse_black_hole(e, text, size);
	if (!error)
		error = keep_tags(e, e->config->outside, &e->rxvlan_switched, text, size);
	if (!error)
		error = keep_tags(e, e->config->inside, &e->rxvlan_switched_inside, text, size);
	if (error)
		return error;
	*e->at_fault = '\0';
	error = publish_services(e); /* the MTUs are known now */
	if (error) {
		snprintf(text, size, "cannot publish the services: %s", strerror(-error));
		return error;
	}
	error = fastpath_attach_inline(e->fastpath, e->link.ifindex, e->inside.ifindex,
				       e->config->xdp == XDP_GENERIC, text, size);
	if (error)
		snprintf(e->at_fault, sizeof(e->at_fault), "%s",
			 fastpath_port_at_fault(e->fastpath) == PORT_INSIDE ? e->config->inside
									    : e->config->outside);
	return error ? error : refuse_black_hole(e, text, size); /* some drivers tell only now */
}

void interface_tell_syncookies(struct engine *e)
{
	if (e->syncookies_off == !e->stack.syncookies)
		return;
	e->syncookies_off = !e->stack.syncookies;
	if (e->syncookies_off)
		event_tell(EVENT_SYNCOOKIES_OFF);
	else
		event_tell(EVENT_SYNCOOKIES_ON, EV_NUMBER("value", e->stack.syncookies));
}

static int attach_host(struct engine *e, char *text, size_t size)
{
	const char *name = e->config->outside;
	int error = read_link(name, &e->link, text, size);

	snprintf(e->at_fault, sizeof(e->at_fault), "%s", name);
	if (error)
		return error;
	stack_settings_read(&e->stack);
	interface_tell_syncookies(e);
	warn_of_settings(&e->stack);
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

/* Of an interface that is still there, and the one that was meant. */
static void restore_rxvlan(const char *name, const struct link_state *was, bool *switched)
{
	if (*switched && was->ifindex && if_nametoindex(name) == was->ifindex)
		link_rxvlan_on(name);
	*switched = false;
}

static void restore_both(struct engine *e)
{
	restore_rxvlan(e->config->outside, &e->link, &e->rxvlan_switched);
	restore_rxvlan(e->config->inside, &e->inside, &e->rxvlan_switched_inside);
}

int interface_attach(struct engine *e)
{
	char reason[sizeof(e->reason)] = "";
	int error = is_inline(e) ? attach_inline(e, reason, sizeof(reason))
				 : attach_host(e, reason, sizeof(reason));

	if (error && !fastpath_goes_on(e->fastpath))
		restore_both(e);
	if (error && strcmp(e->reason, reason))
		event_tell(EVENT_INTERFACE_FAILED,
			   EV_TEXT("interface", *e->at_fault ? e->at_fault : e->config->outside),
			   EV_TEXT("error", reason));
	if (!error)
		warn_of_veth(e, e->config->outside);
	if (!error && is_inline(e) && e->link.mtu != e->inside.mtu)
		log_print(LOG_WARNING,
			  "the MTUs of %s (%u) and %s (%u) differ: a packet that is too large for one of "
			  "them is "
			  "lost%s",
			  e->config->outside, e->link.mtu, e->config->inside, e->inside.mtu,
			  e->config->forward == FORWARD_ROUTE
				  ? ", or answered with an ICMP error by the kernel"
				  : "");
	memcpy(e->reason, reason, sizeof(e->reason));
	return error;
}

static void tell_one(const struct engine *e, const char *name, unsigned int mtu)
{
	event_tell(e->lost ? EVENT_INTERFACE_BACK : EVENT_INTERFACE_ATTACHED, EV_TEXT("interface", name),
		   EV_TEXT("xdp", e->config->xdp == XDP_GENERIC ? "generic" : "native"),
		   EV_NUMBER("mtu", mtu));
}

void interface_tell_attached(struct engine *e)
{
	if (is_inline(e))
		tell_one(e, e->config->inside, e->inside.mtu);
	tell_one(e, e->config->outside, e->link.mtu);
	e->lost = false;
}

void interface_detach(struct engine *e)
{
	fastpath_detach(e->fastpath);
	restore_both(e);
}

/* --- what forward = "route" asks of the kernel --- */

static void note_forwarding(struct engine *e, const char *interface, bool v6)
{
	size_t length = strlen(e->forwarding_off);

	if (!stack_forwards(interface, v6))
		snprintf(e->forwarding_off + length, sizeof(e->forwarding_off) - length,
			 "%snet.ipv%d.conf.%s.forwarding", length ? " " : "", v6 ? 6 : 4, interface);
}

/* Not refused: whoever sets up the host may be about to set them. */
void interface_check_forwarding(struct engine *e)
{
	char before[sizeof(e->forwarding_off)];

	if (!is_inline(e) || e->config->forward != FORWARD_ROUTE)
		return;
	memcpy(before, e->forwarding_off, sizeof(before));
	*e->forwarding_off = '\0';
	for (int v6 = 0; v6 < 2; v6++) {
		if (!config_serves(e->config, v6))
			continue;
		note_forwarding(e, e->config->outside, v6);
		note_forwarding(e, e->config->inside, v6);
	}
	if (!strcmp(before, e->forwarding_off))
		return;
	if (*e->forwarding_off)
		event_tell(EVENT_FORWARDING_OFF, EV_TEXT("sysctls", e->forwarding_off));
	else
		event_tell(EVENT_FORWARDING_ON);
}

/* It may come and go under us, in a namespace of somebody else's. */
void interface_check_peer(struct engine *e)
{
	e->answers_lost = fastpath_attached(e->fastpath) && e->config->xdp == XDP_NATIVE &&
			  device_read_peer(e->config->outside) == DEVICE_PEER_BARE;
}

/* One of two interfaces has gone, or is another by now: what was attached is of no use. */
static bool inside_lost(const struct engine *e)
{
	struct link_state state;

	return is_inline(e) && (link_read(e->config->inside, &state) || state.ifindex != e->inside.ifindex);
}

/* Carrier included. */
static void tell_up(struct link_state *was, const struct link_state *now)
{
	if (was->up != now->up)
		event_tell(now->up ? EVENT_INTERFACE_UP : EVENT_INTERFACE_DOWN,
			   EV_TEXT("interface", now->name));
	was->up = now->up;
}

/* What is translated cannot go on either way; all else can, and the next try to attach says why. */
static void leave_black_hole(struct engine *e)
{
	struct device device;
	int place = find_black_hole(e, &device);

	if (place < 0)
		return;
	let_cross(e, place);
	restore_both(e);
}

void interface_look_after(struct engine *e)
{
	struct link_state state, inside;
	bool there = !link_read(e->config->outside, &state);

	if (fastpath_attached(e->fastpath) && (fastpath_links_dead(e->fastpath) || !there ||
					       state.ifindex != e->link.ifindex || inside_lost(e))) {
		fastpath_detach(e->fastpath);
		restore_both(e);
		e->lost = true;
		event_tell(EVENT_INTERFACE_LOST,
			   EV_TEXT("interface", inside_lost(e) ? e->config->inside : e->config->outside));
	}
	if (is_inline(e) && fastpath_attached(e->fastpath))
		leave_black_hole(e);
	if (!there) {
		e->link.ifindex = 0;
		e->link.up = false;
	} else if (fastpath_attached(e->fastpath)) {
		bool mtu_changed = state.mtu != e->link.mtu;

		tell_up(&e->link, &state);
		e->link = state;
		if (is_inline(e) && !link_read(e->config->inside, &inside))
			tell_up(&e->inside, &inside);
		if (mtu_changed)
			publish_services(e);
	} else if (!e->detached_by_hand && !interface_attach(e)) {
		interface_tell_attached(e);
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
