// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * switch: attaches switch.bpf.c to the ports of this namespace and to the hosts' ends of the cables in
 * theirs, stays, and answers questions on a unix socket. When it ends, every attachment goes with it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <net/if.h>
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

struct port {
	char *name, *interface;
	uint64_t mac; /* six bytes in memory order */
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
	struct switch_bpf *skel;
} lab;

static const char *const class_names[CLASS_COUNT] = {
	[CLASS_SYN] = "syn", [CLASS_SYNACK] = "synack", [CLASS_ACK] = "ack",
	[CLASS_RST] = "rst", [CLASS_FIN] = "fin",	[CLASS_OTHER] = "other",
};

static void __attribute__((noreturn)) usage(void)
{
	die(EXIT_USAGE,
	    "usage: switch --socket PATH --port NAME,IF,MAC... [--pass NETNS,IF]... [--sink NETNS,IF]...\n"
	    "       switch --socket PATH stats | sink\n"
	    "       switch --socket PATH drop|drop-third-ack FROM TO PPM");
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
		{ "socket", required_argument, NULL, 's' },
		{ "port", required_argument, NULL, 'p' },
		{ "pass", required_argument, NULL, 'a' },
		{ "sink", required_argument, NULL, 'k' },
		{ 0 },
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
		default:
			usage();
		}
	}
	if (!lab.socket_path || !lab.port_count == (optind == argc))
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

static void pair_print(FILE *out, const struct switch_pair *pair, const char *to)
{
	fprintf(out, "\"%s\": {\"packets\": %llu, \"bytes\": %llu, \"dropped\": %llu, \"tcp\": {", to,
		pair->packets, pair->bytes, pair->dropped);
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
			pair_print(out, &stats.pairs[from][to], lab.ports[to].name);
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

static bool rule_set(char **words)
{
	int from = port_find(words[1]), to = from < 0 ? -1 : port_find(words[2]);
	char *end;
	unsigned long ppm = to < 0 || !words[3] ? 0 : strtoul(words[3], &end, 10);
	struct switch_rule *rule;

	if (to < 0 || !words[3] || *end || ppm > MILLION)
		return false;
	rule = &lab.skel->bss->rules[from][to];
	if (!strcmp(words[0], "drop"))
		rule->drop = (__u32)ppm;
	else
		rule->drop_third_ack = (__u32)ppm;
	return true;
}

/* An empty reply means success; one that starts with '!' is an error. */
static void request_answer(char *request, FILE *out)
{
	char *words[MAX_WORDS] = { strtok(request, " ") };

	for (int i = 1; i < MAX_WORDS && words[i - 1]; i++)
		words[i] = strtok(NULL, " ");
	if (words[0] && !strcmp(words[0], "stats"))
		stats_print(out);
	else if (words[0] && !strcmp(words[0], "sink"))
		sink_print(out);
	else if (!words[0] || strncmp(words[0], "drop", 4) || !rule_set(words))
		fputs("!what?\n", out);
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

static void serve(void)
{
	struct sockaddr_un address = socket_address();
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 16))
		die(EXIT_FAILURE, "%s: %s", lab.socket_path, strerror(errno));
	puts("ready");
	fflush(stdout);
	for (;;) {
		int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (connection >= 0)
			connection_serve(connection);
	}
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
	serve();
}
