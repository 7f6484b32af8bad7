// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * switch: attaches switch.bpf.c to the ports of this namespace and to the hosts' ends of the cables in
 * theirs, stays, and answers questions on a unix socket. When it ends, every attachment goes with it. Frames
 * that are to come late, twice or out of order take a detour: XDP passes them to a packet socket, and they
 * are sent from here. With --cable it joins two ports, whatever the MAC addresses.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "common.h"
#include "switch.h"
#include "switch.skel.h"

#define MAX_HOSTS   8
#define MAX_REQUEST 256
#define MAX_WORDS   8
#define MILLION	    1000000
#define MAX_HELD    65536
#define MAX_FRAME   9300
#define MAX_LATE_NS (60 * NS_PER_SEC)
#define AT_ONCE	    64 /* frames from one port, before the next is looked at */

struct port {
	char *name, *interface;
	uint64_t mac; /* six bytes in memory order */
	int fd;
};

/* What happens to frames between two ports besides loss; counted as they are sent. */
struct detour {
	uint32_t duplicate, reorder; /* in parts per million */
	uint64_t late_ns;	     /* reordered ones: at most */
	uint64_t delay_ns;	     /* all */
	uint64_t duplicated, reordered, delayed, overflowed;
};

/* A frame on its detour; a heap by the time at which it is due, ties by arrival. */
struct held {
	uint64_t due_ns, number;
	uint8_t *frame;
	size_t len;
	unsigned int to;
};

struct host {
	char *netns, *interface;
	bool is_sink;
};

static struct lab {
	const char *socket_path;
	struct port ports[SWITCH_PORTS];
	unsigned int port_count;
	struct host hosts[MAX_HOSTS];
	unsigned int host_count;
	bool is_cable;
	struct switch_bpf *skel;

	struct detour detours[SWITCH_PORTS][SWITCH_PORTS]; /* [from][to] */
	struct held heap[MAX_HELD];
	size_t held;
	uint64_t numbers, random;
} lab;

static const char *const class_names[CLASS_COUNT] = {
	[CLASS_SYN] = "syn", [CLASS_SYNACK] = "synack", [CLASS_ACK] = "ack",
	[CLASS_RST] = "rst", [CLASS_FIN] = "fin",	[CLASS_OTHER] = "other",
};

static void __attribute__((noreturn)) usage(void)
{
	die(EXIT_USAGE,
	    "usage: switch --socket PATH --port NAME,IF,MAC... [--pass NETNS,IF]... [--sink NETNS,IF]...\n"
	    "       switch --socket PATH --cable --port NAME,IF,MAC --port NAME,IF,MAC\n"
	    "       switch --socket PATH stats | sink\n"
	    "       switch --socket PATH drop|drop-third-ack|duplicate FROM TO PPM\n"
	    "       switch --socket PATH reorder FROM TO PPM US\n"
	    "       switch --socket PATH delay FROM TO US\n"
	    "       switch --socket PATH tag|untag FROM TO 0|1|2\n"
	    "       switch --socket PATH groups 0|1");
}

static void port_parse(char *text)
{
	struct port *port = &lab.ports[lab.port_count++];
	uint8_t mac[ETH_ALEN];
	char *mac_text;

	if (lab.port_count > SWITCH_PORTS)
		die(EXIT_USAGE, "--port: at most %d ports", SWITCH_PORTS);
	port->name = strtok(text, ",");
	port->interface = strtok(NULL, ",");
	mac_text = strtok(NULL, ",");
	if (!mac_text || sscanf(mac_text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
				&mac[4], &mac[5]) != ETH_ALEN)
		usage();
	memcpy(&port->mac, mac, sizeof(mac));
}

static void host_parse(char *text, bool is_sink)
{
	struct host *host = &lab.hosts[lab.host_count++];

	if (lab.host_count > MAX_HOSTS)
		die(EXIT_USAGE, "at most %d hosts", MAX_HOSTS);
	*host = (struct host){ .netns = strtok(text, ","),
			       .interface = strtok(NULL, ","),
			       .is_sink = is_sink };
	if (!host->interface)
		usage();
}

static void options_parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "socket", required_argument, NULL, 's' }, { "port", required_argument, NULL, 'p' },
		{ "pass", required_argument, NULL, 'a' },   { "sink", required_argument, NULL, 'k' },
		{ "cable", no_argument, NULL, 'c' },	    { 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (option) {
		case 's':
			lab.socket_path = optarg;
			break;
		case 'p':
			port_parse(optarg);
			break;
		case 'a':
			host_parse(optarg, false);
			break;
		case 'k':
			host_parse(optarg, true);
			break;
		case 'c':
			lab.is_cable = true;
			break;
		default:
			usage();
		}
	}
	if (!lab.socket_path || !lab.port_count == (optind == argc) || (lab.is_cable && lab.port_count != 2))
		usage();
}

static int netns_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(EXIT_FAILURE, "%s: %s", path, strerror(errno));
	return fd;
}

static unsigned int interface_find(const char *name)
{
	unsigned int ifindex = if_nametoindex(name);

	if (!ifindex)
		die(EXIT_FAILURE, "%s: no such interface", name);
	return ifindex;
}

static void interface_attach(const struct bpf_program *program, const char *interface)
{
	LIBBPF_OPTS(bpf_link_create_opts, native, .flags = XDP_FLAGS_DRV_MODE);
	int ifindex = (int)interface_find(interface);

	if (bpf_link_create(bpf_program__fd(program), ifindex, BPF_XDP, &native) < 0)
		die(EXIT_FAILURE, "%s: cannot attach: %s", interface, strerror(errno));
}

static void ports_load(void)
{
	struct stat netns;

	lab.skel = switch_bpf__open();
	if (!lab.skel)
		die(EXIT_FAILURE, "cannot open the BPF object: %s", strerror(errno));
	if (stat("/proc/self/ns/net", &netns))
		die(EXIT_FAILURE, "/proc/self/ns/net: %s", strerror(errno));
	lab.skel->rodata->own_netns = (__u32)netns.st_ino;
	lab.skel->rodata->is_cable = lab.is_cable;
	for (unsigned int i = 0; i < lab.port_count; i++) {
		lab.skel->rodata->port_ifindex[i] = interface_find(lab.ports[i].interface);
		lab.skel->rodata->port_mac[i] = lab.ports[i].mac;
	}
	if (switch_bpf__load(lab.skel))
		die(EXIT_FAILURE, "cannot load the BPF programs: %s", strerror(errno));
}

static void ports_attach(void)
{
	for (__u32 i = 0; i < lab.port_count; i++) {
		__u32 ifindex = lab.skel->rodata->port_ifindex[i];

		interface_attach(lab.skel->progs.switch_forward, lab.ports[i].interface);
		if (bpf_map_update_elem(bpf_map__fd(lab.skel->maps.ports), &i, &ifindex, BPF_ANY))
			die(EXIT_FAILURE, "%s: %s", lab.ports[i].interface, strerror(errno));
	}
	lab.skel->links.switch_xmit = bpf_program__attach(lab.skel->progs.switch_xmit);
	if (!lab.skel->links.switch_xmit)
		die(EXIT_FAILURE, "cannot attach to xdp_devmap_xmit: %s", strerror(errno));
}

static void hosts_attach(void)
{
	int own = netns_open("/proc/self/ns/net");

	for (unsigned int i = 0; i < lab.host_count; i++) {
		const struct host *host = &lab.hosts[i];
		char path[128];
		int netns;

		snprintf(path, sizeof(path), "/run/netns/%s", host->netns);
		netns = netns_open(path);
		if (setns(netns, CLONE_NEWNET))
			die(EXIT_FAILURE, "%s: %s", path, strerror(errno));
		interface_attach(host->is_sink ? lab.skel->progs.host_sink : lab.skel->progs.host_pass,
				 host->interface);
		close(netns);
	}
	if (setns(own, CLONE_NEWNET))
		die(EXIT_FAILURE, "setns: %s", strerror(errno));
	close(own);
}

/* Adds up the per-CPU values of the map's only element; both kinds of counters are plain arrays of u64. */
static void counters_read(const struct bpf_map *map, void *out, size_t size)
{
	size_t words = size / sizeof(uint64_t);
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values, *sum = out;
	__u32 zero = 0;

	if (cpus < 1)
		die(EXIT_FAILURE, "cannot count the CPUs");
	values = calloc((size_t)cpus, size);
	if (!values || bpf_map_lookup_elem(bpf_map__fd(map), &zero, values))
		die(EXIT_FAILURE, "cannot read the counters: %s", strerror(errno));
	memset(out, 0, size);
	for (size_t i = 0; i < words * (size_t)cpus; i++)
		sum[i % words] += values[i];
	free(values);
}

static void classes_print(FILE *out, const __u64 *counts)
{
	for (int i = 0; i < CLASS_COUNT; i++)
		fprintf(out, "%s\"%s\": %llu", i ? ", " : "", class_names[i], counts[i]);
}

static void port_print(FILE *out, const struct switch_stats *stats, unsigned int port)
{
	__u64 rx_packets = 0, rx_bytes = 0, tx_packets = 0, tx_bytes = 0;

	for (unsigned int other = 0; other < lab.port_count; other++) {
		rx_packets += stats->pairs[port][other].packets + stats->pairs[port][other].dropped;
		rx_bytes += stats->pairs[port][other].bytes;
		tx_packets += stats->pairs[other][port].packets;
		tx_bytes += stats->pairs[other][port].bytes;
	}
	fprintf(out,
		"\"%s\": {\"rx_packets\": %llu, \"rx_bytes\": %llu, \"tx_packets\": %llu, \"tx_bytes\": "
		"%llu, "
		"\"redirect_failed\": %llu}",
		lab.ports[port].name, rx_packets, rx_bytes, tx_packets, tx_bytes,
		stats->redirect_failed[port]);
}

static void pair_print(FILE *out, const struct switch_pair *pair, const struct detour *detour, const char *to)
{
	fprintf(out, "\"%s\": {\"packets\": %llu, \"bytes\": %llu, \"dropped\": %llu, ", to, pair->packets,
		pair->bytes, pair->dropped);
	fprintf(out,
		"\"duplicated\": %lu, \"reordered\": %lu, \"delayed\": %lu, \"overflowed\": %lu, \"tcp\": {",
		detour->duplicated, detour->reordered, detour->delayed, detour->overflowed);
	classes_print(out, pair->tcp);
	fputs("}}", out);
}

static void stats_print(FILE *out)
{
	struct switch_stats stats;

	counters_read(lab.skel->maps.stats, &stats, sizeof(stats));
	fputs("{\"ports\": {", out);
	for (unsigned int i = 0; i < lab.port_count; i++) {
		fputs(i ? ", " : "", out);
		port_print(out, &stats, i);
	}
	fputs("}, \"pairs\": {", out);
	for (unsigned int from = 0; from < lab.port_count; from++) {
		fprintf(out, "%s\"%s\": {", from ? ", " : "", lab.ports[from].name);
		for (unsigned int to = 0; to < lab.port_count; to++) {
			fputs(to ? ", " : "", out);
			pair_print(out, &stats.pairs[from][to], &lab.detours[from][to], lab.ports[to].name);
		}
		fputs("}", out);
	}
	fprintf(out, "}, \"unknown\": %llu}\n", stats.unknown);
}

static void sink_print(FILE *out)
{
	struct sink_stats stats;

	counters_read(lab.skel->maps.sunk, &stats, sizeof(stats));
	fputs("{\"packets\": {", out);
	classes_print(out, stats.packets);
	fputs("}, \"bytes\": {", out);
	classes_print(out, stats.bytes);
	fputs("}}\n", out);
}

static int port_find(const char *name)
{
	for (unsigned int i = 0; name && i < lab.port_count; i++)
		if (!strcmp(lab.ports[i].name, name))
			return (int)i;
	return -1;
}

/* False: no number up to MAX. */
static bool number_read(const char *text, unsigned long max, unsigned long *number)
{
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	*number = strtoul(text, &end, 10);
	return !*end && *number <= max;
}

static bool rule_set(char **words)
{
	int from = port_find(words[1]), to = from < 0 ? -1 : port_find(words[2]);
	bool is_delay = !strcmp(words[0], "delay"), is_reorder = !strcmp(words[0], "reorder");
	unsigned long number, late_us = 0;
	struct switch_rule *rule;
	struct detour *detour;

	if (to < 0 || !number_read(words[3], is_delay ? 60 * MILLION : MILLION, &number) ||
	    (is_reorder && !number_read(words[4], 60 * MILLION, &late_us)))
		return false;
	rule = &lab.skel->bss->rules[from][to];
	detour = &lab.detours[from][to];
	if (!strcmp(words[0], "drop"))
		rule->drop = (__u32)number;
	else if (!strcmp(words[0], "drop-third-ack"))
		rule->drop_third_ack = (__u32)number;
	else if (!strcmp(words[0], "duplicate"))
		detour->duplicate = (uint32_t)number;
	else if (!strcmp(words[0], "tag"))
		rule->tag = (__u32)number;
	else if (!strcmp(words[0], "untag"))
		rule->untag = (__u32)number;
	else if (is_delay)
		detour->delay_ns = number * NS_PER_US;
	else if (is_reorder)
		detour->reorder = (uint32_t)number, detour->late_ns = late_us * NS_PER_US;
	else
		return false;
	rule->detour = detour->delay_ns ? MILLION : detour->duplicate + detour->reorder;
	return rule->detour <= MILLION;
}

/* An empty reply means success; one that starts with '!' is an error. */
static void request_answer(char *request, FILE *out)
{
	char *words[MAX_WORDS] = { strtok(request, " ") };
	unsigned long on;

	for (int i = 1; i < MAX_WORDS && words[i - 1]; i++)
		words[i] = strtok(NULL, " ");
	if (words[0] && !strcmp(words[0], "stats"))
		stats_print(out);
	else if (words[0] && !strcmp(words[0], "sink"))
		sink_print(out);
	else if (words[0] && !strcmp(words[0], "groups") && number_read(words[1], 1, &on))
		lab.skel->bss->pass_groups = on;
	else if (!words[0] || !rule_set(words))
		fputs("!what?\n", out);
}

/* --- detours --- */

static uint64_t random_next(void)
{
	uint64_t z = (lab.random += 0x9e3779b97f4a7c15ULL);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static bool is_sooner(const struct held *a, const struct held *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->number < b->number;
}

static void held_swap(size_t a, size_t b)
{
	struct held t = lab.heap[a];

	lab.heap[a] = lab.heap[b];
	lab.heap[b] = t;
}

/* False: full, and the frame is lost. */
static bool held_add(const uint8_t *frame, size_t len, unsigned int to, uint64_t due_ns)
{
	struct held *h = &lab.heap[lab.held];
	uint8_t *copy = lab.held < MAX_HELD ? malloc(len) : NULL;

	if (!copy)
		return false;
	memcpy(copy, frame, len);
	*h = (struct held){ .due_ns = due_ns, .number = lab.numbers++, .frame = copy, .len = len, .to = to };
	for (size_t i = lab.held++; i && is_sooner(&lab.heap[i], &lab.heap[(i - 1) / 2]); i = (i - 1) / 2)
		held_swap(i, (i - 1) / 2);
	return true;
}

static void held_send_first(void)
{
	struct held first = lab.heap[0];

	lab.heap[0] = lab.heap[--lab.held];
	for (size_t i = 0, child; (child = 2 * i + 1) < lab.held; i = child) {
		child += child + 1 < lab.held && is_sooner(&lab.heap[child + 1], &lab.heap[child]);
		if (!is_sooner(&lab.heap[child], &lab.heap[i]))
			break;
		held_swap(i, child);
	}
	/* a full queue is as good as loss */
	(void)!send(lab.ports[first.to].fd, first.frame, first.len, MSG_DONTWAIT);
	free(first.frame);
}

static unsigned int port_of_frame(const uint8_t *frame, unsigned int from)
{
	uint64_t mac = 0;

	if (lab.is_cable)
		return !from;
	memcpy(&mac, frame, ETH_ALEN);
	for (unsigned int i = 0; i < lab.port_count; i++)
		if (lab.ports[i].mac == mac)
			return i;
	return SWITCH_PORTS;
}

/* XDP has chosen it; which of the reasons it was is drawn here. */
static void frame_detour(const uint8_t *frame, size_t len, unsigned int from)
{
	unsigned int to = port_of_frame(frame, from);
	uint64_t due = now_ns(), drawn;
	struct detour *d;

	if (to == SWITCH_PORTS || !lab.skel->bss->rules[from][to].detour)
		return;
	d = &lab.detours[from][to];
	drawn = random_next() % lab.skel->bss->rules[from][to].detour;
	due += d->delay_ns;
	d->delayed += !!d->delay_ns;
	if (drawn < d->duplicate) {
		d->duplicated++;
		if (!held_add(frame, len, to, due))
			d->overflowed++;
	} else if (drawn - d->duplicate < d->reorder) {
		d->reordered++;
		due += d->late_ns ? random_next() % d->late_ns : 0;
	}
	if (!held_add(frame, len, to, due))
		d->overflowed++;
}

static void port_receive(unsigned int from)
{
	static uint8_t frame[MAX_FRAME];

	for (int i = 0; i < AT_ONCE; i++) {
		ssize_t len = recv(lab.ports[from].fd, frame, sizeof(frame), MSG_DONTWAIT | MSG_TRUNC);

		if (len <= 0)
			return;
		if (len >= ETH_HLEN && (size_t)len <= sizeof(frame))
			frame_detour(frame, (size_t)len, from);
	}
}

static void ports_open(void)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int one = 1, size = 64 << 20;

	for (unsigned int i = 0; i < lab.port_count; i++) {
		int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

		address.sll_ifindex = (int)lab.skel->rodata->port_ifindex[i];
		if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
		    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
		    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) ||
		    bind(fd, (struct sockaddr *)&address, sizeof(address)))
			die(EXIT_FAILURE, "%s: packet socket: %s", lab.ports[i].interface, strerror(errno));
		lab.ports[i].fd = fd;
	}
	lab.random = now_ns();
}

static void connection_serve(int connection)
{
	char request[MAX_REQUEST + 1], *reply = NULL;
	ssize_t len = recv(connection, request, MAX_REQUEST, 0);
	size_t reply_len = 0;
	FILE *out = open_memstream(&reply, &reply_len);

	if (!out)
		die(EXIT_FAILURE, "out of memory");
	request[len > 0 ? len : 0] = '\0';
	request_answer(request, out);
	fclose(out);
	if (send(connection, reply, reply_len, MSG_NOSIGNAL) < 0)
		fprintf(stderr, "reply: %s\n", strerror(errno));
	free(reply);
	close(connection);
}

static struct sockaddr_un socket_address(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(lab.socket_path) >= sizeof(address.sun_path))
		die(EXIT_USAGE, "--socket: too long");
	strcpy(address.sun_path, lab.socket_path);
	return address;
}

/* Requests, frames that came for a detour, frames that are due. */
static void serve_once(int listener)
{
	struct pollfd fds[1 + SWITCH_PORTS] = { { .fd = listener, .events = POLLIN } };
	uint64_t now = now_ns(), wait = MAX_LATE_NS;
	struct timespec timeout;

	while (lab.held && lab.heap[0].due_ns <= now)
		held_send_first();
	if (lab.held)
		wait = lab.heap[0].due_ns - now;
	timeout = (struct timespec){ (time_t)(wait / NS_PER_SEC), (long)(wait % NS_PER_SEC) };
	for (unsigned int i = 0; i < lab.port_count; i++)
		fds[1 + i] = (struct pollfd){ .fd = lab.ports[i].fd, .events = POLLIN };
	if (ppoll(fds, 1 + lab.port_count, &timeout, NULL) <= 0)
		return;
	for (unsigned int i = 0; i < lab.port_count; i++)
		if (fds[1 + i].revents)
			port_receive(i);
	if (fds[0].revents) {
		int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (connection >= 0)
			connection_serve(connection);
	}
}

static void serve(void)
{
	struct sockaddr_un address = socket_address();
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 16))
		die(EXIT_FAILURE, "%s: %s", lab.socket_path, strerror(errno));
	puts("ready");
	fflush(stdout);
	for (;;)
		serve_once(listener);
}

static int ask(char **words)
{
	struct sockaddr_un address = socket_address();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status = EXIT_SUCCESS;
	char buffer[4096] = "";
	ssize_t len;

	for (; *words; words++) {
		strncat(buffer, *words, MAX_REQUEST - strlen(buffer) - 1);
		strncat(buffer, " ", MAX_REQUEST - strlen(buffer) - 1);
	}
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    send(fd, buffer, strlen(buffer), MSG_NOSIGNAL) < 0)
		die(EXIT_FAILURE, "%s: %s", lab.socket_path, strerror(errno));
	while ((len = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
		if (buffer[0] == '!')
			status = EXIT_USAGE;
		fwrite(buffer, 1, (size_t)len, status ? stderr : stdout);
	}
	return status;
}

int main(int argc, char **argv)
{
	options_parse(argc, argv);
	if (!lab.port_count)
		return ask(argv + optind);
	ports_load();
	ports_attach();
	hosts_attach();
	ports_open();
	serve();
}
