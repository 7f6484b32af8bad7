// SPDX-License-Identifier: GPL-2.0-or-later
/* An interface: what its driver can do, what is switched on, and who else is there. */
#include "daemon/doctor/interface.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "daemon/doctor/doctor.h"
#include "daemon/engine/engine.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* What XDP has of a page: without the headroom, the kernel's own record, and the frame's header. */
#define MTU_OF_A_PAGE 3498

static bool is_inline(const struct interface_facts *facts)
{
	return facts->config->deployment == DEPLOYMENT_INLINE;
}

static bool is_veth(const struct interface_facts *facts)
{
	return !strcmp(facts->device.driver, "veth");
}

static void judge_driver(const struct interface_facts *facts, struct findings *f)
{
	static const char *const stacked[] = { "802.1Q VLAN Support", "bonding", "team", "bridge",
					       "macvlan" };
	const char *name = facts->link.name, *driver = facts->device.driver;
	uint64_t features = facts->device.xdp_features;
	bool native = facts->config->xdp == XDP_NATIVE;

	if (!facts->device.features_known)
		findings_add(f, SEVERITY_NOTE, "driver",
			     "%s: driver %s; the kernel does not say what XDP it can do (Linux 6.3 does)",
			     name, *driver ? driver : "unknown");
	else if (!(features & DEVICE_XDP_BASIC) && native) {
		findings_add(f, SEVERITY_CRITICAL, "driver", "%s: driver %s has no native XDP", name, driver);
		findings_advise(f, "say xdp = \"generic\" (slower), or use a card whose driver has it");
	} else if (!(features & DEVICE_XDP_BASIC)) {
		findings_add(f, SEVERITY_NOTE, "driver",
			     "%s: driver %s has no native XDP; generic was asked for", name, driver);
	} else if (!native && is_veth(facts) && facts->device.peer != DEVICE_PEER_HAS_PROGRAM) {
		findings_add(f, SEVERITY_OK, "driver",
			     "%s: a veth with xdp = \"generic\", as one needs whose peer has no XDP program",
			     name);
	} else if (!native) {
		findings_add(f, SEVERITY_WARNING, "driver",
			     "%s: driver %s has native XDP, but xdp = \"generic\" is configured: slower",
			     name, driver);
		findings_advise(f, "take xdp = \"generic\" out of the configuration");
	} else if (is_inline(facts) && !(features & DEVICE_XDP_REDIRECT)) {
		findings_add(f, SEVERITY_CRITICAL, "driver", "%s: driver %s cannot redirect (XDP_REDIRECT)",
			     name, driver);
		findings_advise(f, "use a card whose driver can, or xdp = \"generic\"");
	} else if (is_inline(facts) && device_transmits(&facts->device) == DEVICE_TRANSMITS_NOT) {
		findings_add(f, SEVERITY_CRITICAL, "driver",
			     "%s: driver %s takes no packets that are redirected to it (ndo_xdp_xmit)", name,
			     driver);
		findings_advise(f, "%s", device_transmit_advice(&facts->device));
	} else if (is_inline(facts) && device_transmits(&facts->device) == DEVICE_TRANSMIT_UNTOLD) {
		findings_add(
			f, SEVERITY_NOTE, "driver",
			"%s: whether driver %s takes packets that are redirected to it shows only once a "
			"program is attached: synmoatd looks then",
			name, driver);
	} else {
		findings_add(f, SEVERITY_OK, "driver", "%s: driver %s has native XDP", name, driver);
	}
	for (size_t i = 0; i < ARRAY_SIZE(stacked); i++)
		if (!strcmp(stacked[i], driver)) {
			findings_add(f, SEVERITY_WARNING, "driver",
				     "%s lies on top of another interface, which receives first", name);
			findings_advise(f, "attach to the card itself: VLAN tags are understood there");
		}
}

/* What XDP sends back over a veth is fetched only for an XDP program of the peer's (veth.c, veth_xdp_flush).
 */
static void judge_peer(const struct interface_facts *facts, struct findings *f)
{
	const char *name = facts->link.name;
	bool inside = is_inline(facts) && !strcmp(name, facts->config->inside);
	enum device_peer peer = facts->device.peer;

	if (!is_veth(facts) || facts->config->xdp != XDP_NATIVE)
		return;
	if (peer == DEVICE_PEER_HAS_PROGRAM) {
		findings_add(f, SEVERITY_OK, "peer", "%s: the veth's peer has an XDP program, too", name);
		return;
	}
	if (peer == DEVICE_PEER_UNTOLD)
		findings_add(f, SEVERITY_WARNING, "peer",
			     "%s is a veth: our answers leave it only if its peer has an XDP program, too, "
			     "which cannot be seen from here",
			     name);
	else
		findings_add(f, inside ? SEVERITY_WARNING : SEVERITY_CRITICAL, "peer",
			     "%s is a veth whose peer has no XDP program: our answers, %s, do not leave it",
			     name, inside ? "a few RSTs and probes to servers" : "cookies above all");
	findings_advise(f, "in the peer's namespace (nsenter -t PID -n): synmoatd --pass PEER; or say xdp = "
			   "\"generic\"");
}

/*
 * A veth hands over what its peer has left to a card to compute. What native XDP redirects has forgotten that
 * it was left; generic XDP remembers, until it is translated.
 */
static void judge_checksums(const struct interface_facts *facts, struct findings *f)
{
	if (!is_veth(facts))
		return;
	if (is_inline(facts))
		findings_add(f, SEVERITY_WARNING, "checksum",
			     "%s is a veth: once %s, what servers and clients on this machine send, and "
			     "leave the checksum of to a card, goes on with a bad one",
			     facts->link.name,
			     facts->config->xdp == XDP_GENERIC ? "cookies are sent" : "attached");
	else
		findings_add(f, SEVERITY_NOTE, "checksum",
			     "%s is a veth: once cookies are sent, SYNs from this machine whose sender "
			     "leaves the checksum to a card are dropped (drop_bad_checksum)",
			     facts->link.name);
	findings_advise(f, "ethtool -K PEER tx off, at each sender on this machine");
}

static void judge_offloads(const struct interface_facts *facts, struct findings *f)
{
	const struct {
		bool on;
		const char *name, *keyword, *why;
	} rows[] = {
		{ facts->device.lro, "large receive offload", "lro", "XDP would see merged segments" },
		{ facts->device.gro_hw, "GRO in the card", "rx-gro-hw", "XDP would see merged segments" },
		{ facts->device.rxvlan, "VLAN tag stripping", "rxvlan",
		  "answers would lack their tag; attaching switches it off" },
	};
	unsigned int on = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].on)
			continue;
		findings_add(f, facts->attached ? SEVERITY_WARNING : SEVERITY_NOTE, "offload",
			     "%s: %s is on: %s", facts->link.name, rows[i].name, rows[i].why);
		findings_advise(f, "ethtool -K %s %s off", facts->link.name, rows[i].keyword);
		on++;
	}
	if (!on)
		findings_add(f, SEVERITY_OK, "offload", "%s: no offload is in the way", facts->link.name);
}

static void judge_mtu(const struct interface_facts *facts, struct findings *f)
{
	const struct device *device = &facts->device;
	unsigned int mtu = facts->link.mtu;

	if (mtu > MTU_OF_A_PAGE && device->features_known && !(device->xdp_features & DEVICE_XDP_FRAGS) &&
	    facts->config->xdp == XDP_NATIVE) {
		findings_add(f, SEVERITY_CRITICAL, "mtu",
			     "%s: MTU %u, but driver %s gives XDP no packets of several buffers",
			     facts->link.name, mtu, device->driver);
		findings_advise(f, "ip link set %s mtu 1500 (%u at most), or xdp = \"generic\"",
				facts->link.name, MTU_OF_A_PAGE);
	} else if (facts->other_mtu && facts->other_mtu != mtu) {
		findings_add(f, SEVERITY_WARNING, "mtu",
			     "%s: MTU %u, the other interface has %u: what is too large for one is lost",
			     facts->link.name, mtu, facts->other_mtu);
		findings_advise(f, "give both the same MTU");
	} else {
		findings_add(f, SEVERITY_OK, "mtu", "%s: MTU %u", facts->link.name, mtu);
	}
}

static void judge_queues(const struct interface_facts *facts, struct findings *f)
{
	unsigned int queues = facts->device.receive_queues, most = facts->device.queues_max;
	unsigned int better = most < facts->cpus ? most : facts->cpus;

	if (!queues) {
		findings_add(f, SEVERITY_NOTE, "queues", "%s: the driver does not tell its receive queues",
			     facts->link.name);
	} else if (queues < better) {
		findings_add(f, SEVERITY_NOTE, "queues",
			     "%s: %u receive queue%s on %u CPUs: a flood is met by %u of them",
			     facts->link.name, queues, queues == 1 ? "" : "s", facts->cpus, queues);
		findings_advise(f, "ethtool -L %s combined %u (or rx %u; ethtool -l shows which)",
				facts->link.name, better, better);
	} else {
		findings_add(f, SEVERITY_OK, "queues", "%s: %u receive queue%s, %u CPU%s", facts->link.name,
			     queues, queues == 1 ? "" : "s", facts->cpus, facts->cpus == 1 ? "" : "s");
	}
}

static void judge_bridge(const struct interface_facts *facts, struct findings *f)
{
	if (!is_inline(facts) || facts->config->forward != FORWARD_BRIDGE)
		return;
	if (facts->device.master) {
		findings_add(f, SEVERITY_OK, "bridge", "%s is a port of a kernel bridge", facts->link.name);
		return;
	}
	findings_add(f, SEVERITY_WARNING, "bridge",
		     "%s is no port of a kernel bridge: nothing crosses while synmoat is not attached",
		     facts->link.name);
	findings_advise(f, "ip link add br0 up type bridge; ip link set %s master br0, and the other one",
			facts->link.name);
}

/* "17, 18" */
static const char *list_ids(const uint32_t *ids, unsigned int count, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (unsigned int i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%u", i ? ", " : "", ids[i]);
	return text;
}

/* The program is a synmoatd's, this one's or another's. */
static bool is_ours(const struct interface_facts *facts)
{
	static const char *const programs[] = { "xdp_host", "xdp_outside", "xdp_inside" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (!strcmp(programs[i], facts->program))
			return true;
	return false;
}

/* On a host we have one program at each of tcx's ends; inline none. */
static void judge_tc(const struct interface_facts *facts, struct findings *f)
{
	const struct device *device = &facts->device;
	unsigned int ours = facts->attached ? !is_inline(facts) : !strcmp(facts->program, "xdp_host");
	char in[96], out[96];

	if (device->ingress_count > ours || device->egress_count > ours) {
		findings_add(f, SEVERITY_NOTE, "tc",
			     "%s: other programs at tcx, too: ingress %s; egress %s%s", facts->link.name,
			     list_ids(device->ingress, device->ingress_count, in, sizeof(in)),
			     list_ids(device->egress, device->egress_count, out, sizeof(out)),
			     ours ? " (one of each is ours)" : "");
		findings_advise(f,
				"bpftool net show dev %s names them; one that ends a packet's way keeps it "
				"from the others",
				facts->link.name);
	}
	if (device->filters) {
		findings_add(f, SEVERITY_NOTE, "tc", "%s: %u tc filter%s (clsact)", facts->link.name,
			     device->filters, device->filters == 1 ? "" : "s");
		findings_advise(f, "tc filter show dev %s ingress; they see what synmoat has passed",
				facts->link.name);
	}
}

static void name_program(uint32_t id, char *name, size_t size)
{
	struct bpf_prog_info info = { 0 };
	uint32_t length = sizeof(info);
	int fd = id ? bpf_prog_get_fd_by_id(id) : -1;

	*name = '\0';
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length))
		snprintf(name, size, "%s", info.name);
	if (fd >= 0)
		close(fd);
}

/* What another holds, whoever that is. */
static void judge_holder(const struct interface_facts *facts, struct findings *f)
{
	const char *name = facts->link.name, *mode = facts->device.xdp_generic ? "generic" : "native";
	uint32_t id = facts->device.xdp_program;

	if (is_ours(facts) && facts->running) {
		findings_add(f, SEVERITY_OK, "xdp", "%s: the synmoatd that runs holds it: id %u (%s), %s",
			     name, id, facts->program, mode);
	} else if (is_ours(facts)) {
		findings_add(f, SEVERITY_WARNING, "xdp",
			     "%s: held by a synmoatd that does not answer: id %u (%s), %s", name, id,
			     facts->program, mode);
		findings_advise(f,
				"restart synmoatd (under systemd: systemctl restart synmoatd): the next one "
				"takes it over");
	} else {
		findings_add(f, SEVERITY_CRITICAL, "xdp",
			     "%s: another XDP program holds the interface: id %u%s%s%s, %s", name, id,
			     *facts->program ? " (" : "", facts->program, *facts->program ? ")" : "", mode);
		findings_advise(
			f, "bpftool net show dev %s tells whose; end that, or: ip link set dev %s xdp off",
			name, name);
	}
}

static void judge_xdp(const struct interface_facts *facts, struct findings *f)
{
	if (facts->attached)
		findings_add(f, SEVERITY_OK, "xdp", "%s: attached, %s XDP", facts->link.name,
			     facts->device.xdp_generic ? "generic" : "native");
	else if (facts->device.xdp_program)
		judge_holder(facts, f);
	else
		findings_add(f, SEVERITY_OK, "xdp", "%s: nobody holds the XDP hook", facts->link.name);
}

static void judge(const struct interface_facts *facts, struct findings *f)
{
	const char *name = facts->link.name;

	if (!facts->link.ifindex) {
		findings_add(f, SEVERITY_CRITICAL, "interface",
			     "%s does not exist: nothing on it is defended", name);
		findings_advise(f, "ip link lists those that do; interfaces.outside and .inside name them");
		return;
	}
	if (!facts->link.up) {
		findings_add(f, SEVERITY_WARNING, "interface", "%s is down, or has no carrier", name);
		findings_advise(f, "ip link set %s up; check the cable", name);
	}
	judge_xdp(facts, f);
	judge_driver(facts, f);
	judge_peer(facts, f);
	judge_checksums(facts, f);
	judge_offloads(facts, f);
	judge_mtu(facts, f);
	judge_queues(facts, f);
	judge_bridge(facts, f);
	judge_tc(facts, f);
}

void interface_judge(const struct interface_facts *facts, struct findings *f)
{
	size_t before = f->count;

	judge(facts, f);
	for (size_t i = before; i < f->count; i++)
		snprintf(f->items[i].interface, sizeof(f->items[i].interface), "%s", facts->link.name);
}

static bool is_attached(struct engine *engine, size_t index)
{
	struct interface_status status;

	return engine && !engine_get_interface(engine, index, &status) && status.attached;
}

static void check(const struct doctor *doctor, size_t index, struct findings *f)
{
	const struct config *config = doctor->config;
	const char *name = index ? config->inside : config->outside;
	struct interface_facts facts = { .config = config,
					 .attached = is_attached(doctor->engine, index),
					 .running = doctor->running };
	struct link_state other;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	facts.cpus = cpus > 0 ? (unsigned int)cpus : 1;
	if (link_read(name, &facts.link) || device_read(name, &facts.device)) {
		facts.link = (struct link_state){ 0 };
		snprintf(facts.link.name, sizeof(facts.link.name), "%s", name);
	}
	name_program(facts.device.xdp_program, facts.program, sizeof(facts.program));
	if (is_inline(&facts) && !link_read(index ? config->outside : config->inside, &other))
		facts.other_mtu = other.mtu;
	interface_judge(&facts, f);
}

void interface_check_outside(const struct doctor *doctor, struct findings *f)
{
	check(doctor, 0, f);
}

void interface_check_inside(const struct doctor *doctor, struct findings *f)
{
	if (doctor->config->deployment == DEPLOYMENT_INLINE)
		check(doctor, 1, f);
}
