// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flood: sends forged TCP segments out of an interface, at a set pace or as fast as it goes. The segments are
 * made by flood.bpf.c through BPF_PROG_TEST_RUN with live frames; this file owns the template, the pace and
 * the bounds.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "common.h"
#include "flood.h"
#include "flood.skel.h"

#define LOOPBACK_IFINDEX 1

#define MAX_SECONDS 600
#define MAX_COUNT   1000000000ULL
#define MAX_RATE    20000000ULL
#define BATCH	    64 /* packets between two looks at the veth's queue of 256 */

#define TICK_MIN_NS  (250 * NS_PER_US) /* a wake-up costs some 20 us of CPU */
#define TICK_MAX_NS  (1 * NS_PER_MS)
#define TICK_PACKETS 16 /* few, since a gap between two gusts lets others through that a stream would not */
#define MAX_DEBT_NS  (200 * NS_PER_MS) /* lateness that is made good; more of it is given up */
#define CHUNK	     5000 /* packets a run when unpaced: the clock and signals are looked at in between */
#define MAX_COSTS    4096 /* of the last so many runs */

struct options {
	const char *interface;
	uint8_t dst_mac[ETH_ALEN];
	union address dst;
	uint16_t ports[FLOOD_MAX_PORTS]; /* wire order */
	unsigned int port_count;
	union address src;
	unsigned int src_prefix;
	uint64_t rate_pps, count;
	double seconds;
	const struct class *class;
	const struct layout *layout;
	unsigned int payload;
	int cpu;
	bool discard;
};

struct class
{
	const char *name;
	const char *layout; /* unless told otherwise */
	uint8_t flags[FLOOD_MAX_FLAGS];
	unsigned int flags_count;
	enum { SEGMENT, FRAGMENT, ECHO_REQUEST, ECHO_RESPONSE } kind;
};

static const struct class classes[] = {
	{ "syn", "linux", { TH_SYN }, 1, SEGMENT },
	{ "ack", "none", { TH_ACK }, 1, SEGMENT },
	{ "rst", "none", { TH_RST }, 1, SEGMENT },
	{ "fin", "none", { TH_FIN | TH_ACK }, 1, SEGMENT },
	{ "synack", "linux", { TH_SYN | TH_ACK }, 1, SEGMENT },
	{ "null", "none", { 0 }, 1, SEGMENT },
	{ "xmas", "none", { TH_FIN | TH_PUSH | TH_URG }, 1, SEGMENT },
	{ "urg", "none", { TH_URG }, 1, SEGMENT },
	{ "synfin", "none", { TH_SYN | TH_FIN }, 1, SEGMENT },
	{ "fragment", "none", { TH_ACK }, 1, FRAGMENT },
	{ "echo", "none", { 0 }, 1, ECHO_REQUEST },
	{ "echo-reply", "none", { 0 }, 1, ECHO_RESPONSE },
	{ "mixed", "none", { TH_SYN, TH_ACK, TH_RST, TH_FIN | TH_ACK, TH_SYN | TH_ACK }, 5, SEGMENT },
};

struct layout {
	const char *name;
	unsigned int len, timestamp_offset; /* of TSval from the TCP header, 0: none */
	uint8_t bytes[20];
};

static const struct layout layouts[] = {
	{ "linux", 20, 28, { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7 } },
	{ "windows", 12, 0, { 2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2 } },
	{ "mss", 4, 0, { 2, 4, 5, 0xb4 } },
	{ "none", 0, 0, { 0 } },
};

static struct flood {
	struct options options;
	int program_fd;
	int ifindex;
	unsigned int frame_len;
	uint64_t start_ns, end_ns;
	double costs[MAX_COSTS]; /* of a packet, in ns of CPU, one of each run; a ring */
	size_t runs;
	volatile sig_atomic_t stop;
} flood;

static const char usage_text[] =
	"usage: flood --interface IF --dst-mac MAC --dst ADDR --port N[,N...] (--seconds S | --count N)\n"
	"             [--src PREFIX] [--rate PPS (0: as fast as it goes)] [--payload BYTES] [--cpu N]\n"
	"             [--discard (what was made, instead of sending it)]\n"
	"             [--class "
	"syn|ack|rst|fin|synack|null|xmas|urg|synfin|fragment|echo|echo-reply|mixed]\n"
	"             [--layout linux|windows|mss|none]";

static void __attribute__((noreturn)) usage(void)
{
	die(EXIT_USAGE, "%s", usage_text);
}

static const struct class *class_find(const char *name)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (!strcmp(classes[i].name, name))
			return &classes[i];
	usage();
}

static const struct layout *layout_find(const char *name)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
		if (!strcmp(layouts[i].name, name))
			return &layouts[i];
	usage();
}

static void mac_parse(const char *text, uint8_t mac[ETH_ALEN])
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
		   &mac[5]) != ETH_ALEN)
		die(EXIT_USAGE, "--dst-mac: '%s' is not a MAC address", text);
}

static void ports_parse(char *text, struct options *options)
{
	for (char *port = strtok(text, ","); port; port = strtok(NULL, ",")) {
		if (options->port_count == FLOOD_MAX_PORTS)
			die(EXIT_USAGE, "--port: at most %d ports", FLOOD_MAX_PORTS);
		options->ports[options->port_count++] =
			htons((uint16_t)number_parse("--port", port, 1, 65535));
	}
}

static void prefix_parse(const char *text, struct options *options)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	unsigned int bits;

	if (len >= sizeof(address))
		die(EXIT_USAGE, "--src: '%s' is not a prefix", text);
	memcpy(address, text, len);
	address[len] = '\0';
	address_parse("--src", address, &options->src);
	bits = options->src.any.sa_family == AF_INET6 ? 128 : 32;
	options->src_prefix = slash ? (unsigned int)number_parse("--src", slash + 1, 0, bits) : bits;
}

static void options_parse(int argc, char **argv, struct options *options)
{
	static const struct option table[] = {
		{ "interface", required_argument, NULL, 'i' },
		{ "dst-mac", required_argument, NULL, 'm' },
		{ "dst", required_argument, NULL, 'd' },
		{ "port", required_argument, NULL, 'p' },
		{ "src", required_argument, NULL, 's' },
		{ "rate", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 't' },
		{ "count", required_argument, NULL, 'c' },
		{ "class", required_argument, NULL, 'k' },
		{ "layout", required_argument, NULL, 'l' },
		{ "payload", required_argument, NULL, 'b' },
		{ "cpu", required_argument, NULL, 'C' },
		{ "discard", no_argument, NULL, 'x' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	bool have_mac = false;
	int option;

	*options = (struct options){ .class = class_find("syn") };
	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (option) {
		case 'i':
			options->interface = optarg;
			break;
		case 'm':
			mac_parse(optarg, options->dst_mac);
			have_mac = true;
			break;
		case 'd':
			address_parse("--dst", optarg, &options->dst);
			break;
		case 'p':
			ports_parse(optarg, options);
			break;
		case 's':
			prefix_parse(optarg, options);
			break;
		case 'r':
			options->rate_pps = number_parse("--rate", optarg, 0, MAX_RATE);
			break;
		case 't':
			options->seconds = strtod(optarg, NULL);
			if (!(options->seconds > 0 && options->seconds <= MAX_SECONDS))
				die(EXIT_USAGE, "--seconds: more than 0, at most %d", MAX_SECONDS);
			break;
		case 'c':
			options->count = number_parse("--count", optarg, 1, MAX_COUNT);
			break;
		case 'k':
			options->class = class_find(optarg);
			break;
		case 'l':
			options->layout = layout_find(optarg);
			break;
		case 'b':
			options->payload =
				(unsigned int)number_parse("--payload", optarg, 0, FLOOD_MAX_PAYLOAD);
			break;
		case 'C':
			options->cpu = (int)number_parse("--cpu", optarg, 0, 1023);
			break;
		case 'x':
			options->discard = true;
			break;
		case 'h':
			puts(usage_text);
			exit(EXIT_SUCCESS);
		default:
			usage();
		}
	}
	if (optind != argc || !options->interface || !have_mac || !options->dst.any.sa_family ||
	    !options->port_count || !(options->seconds > 0 || options->count))
		usage();
	if (!options->seconds)
		options->seconds = MAX_SECONDS;
	if (!options->layout)
		options->layout = layout_find(options->class->layout);
	if (!options->src.any.sa_family)
		prefix_parse(options->dst.any.sa_family == AF_INET6 ? "fd11::/16" : "11.0.0.0/8", options);
	if (options->src.any.sa_family != options->dst.any.sa_family)
		die(EXIT_USAGE, "--src and --dst: one is IPv4, the other IPv6");
}

static uint64_t sum_words(const uint8_t *bytes, size_t len)
{
	uint64_t sum = 0;
	uint16_t word;

	for (size_t i = 0; i + 1 < len; i += 2) {
		memcpy(&word, bytes + i, sizeof(word));
		sum += word;
	}
	if (len & 1) {
		word = 0;
		memcpy(&word, bytes + len - 1, 1);
		sum += word;
	}
	return sum;
}

static bool is_echo(const struct options *options)
{
	return options->class->kind == ECHO_REQUEST || options->class->kind == ECHO_RESPONSE;
}

static uint8_t icmp_type(const struct options *options)
{
	bool v6 = options->dst.any.sa_family == AF_INET6;

	if (!is_echo(options))
		return 0;
	if (options->class->kind == ECHO_REQUEST)
		return v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	return v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY;
}

static uint8_t protocol(const struct options *options)
{
	if (!is_echo(options))
		return IPPROTO_TCP;
	return options->dst.any.sa_family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

/* Returns its length, a fragment header included: the first of two. */
static size_t ip_header_write(const struct options *options, uint8_t *at, size_t tcp_len)
{
	struct ip *ip = (struct ip *)at;
	struct ip6_hdr *ip6 = (struct ip6_hdr *)at;
	bool fragment = options->class->kind == FRAGMENT;
	struct ip6_frag *header = (struct ip6_frag *)(ip6 + 1);

	if (options->dst.any.sa_family == AF_INET6) {
		ip6->ip6_flow = htonl(6U << 28);
		ip6->ip6_plen = htons((uint16_t)(tcp_len + (fragment ? sizeof(*header) : 0)));
		ip6->ip6_nxt = fragment ? IPPROTO_FRAGMENT : protocol(options);
		ip6->ip6_hlim = 64;
		ip6->ip6_dst = options->dst.v6.sin6_addr;
		if (!fragment)
			return sizeof(*ip6);
		header->ip6f_nxt = IPPROTO_TCP;
		header->ip6f_offlg = IP6F_MORE_FRAG;
		return sizeof(*ip6) + sizeof(*header);
	}
	ip->ip_v = 4;
	ip->ip_hl = sizeof(*ip) / 4;
	ip->ip_len = htons((uint16_t)(sizeof(*ip) + tcp_len));
	ip->ip_off = htons(fragment ? IP_MF : IP_DF);
	ip->ip_ttl = 64;
	ip->ip_p = protocol(options);
	ip->ip_dst = options->dst.v4.sin_addr;
	return sizeof(*ip);
}

static void own_mac(const char *interface, uint8_t mac[ETH_ALEN])
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request))
		die(EXIT_FAILURE, "%s: no hardware address: %s", interface, strerror(errno));
	memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	close(fd);
}

/* Writes the template and its sums into the program's globals; returns the frame's length. */
static unsigned int template_write(const struct options *options, struct flood_bpf__bss *bss)
{
	bool v6 = options->dst.any.sa_family == AF_INET6;
	size_t tcp_len = sizeof(struct tcphdr) + options->layout->len + options->payload;
	struct ethhdr *ethernet = (struct ethhdr *)bss->frame;
	uint8_t *ip = bss->frame + sizeof(*ethernet), *tcp;
	size_t ip_len;

	memcpy(ethernet->h_dest, options->dst_mac, ETH_ALEN);
	own_mac(options->interface, ethernet->h_source);
	ethernet->h_proto = htons(v6 ? ETH_P_IPV6 : ETH_P_IP);
	ip_len = ip_header_write(options, ip, tcp_len);
	tcp = ip + ip_len;
	if (!is_echo(options)) {
		((struct tcphdr *)tcp)->doff = (sizeof(struct tcphdr) + options->layout->len) / 4 & 15;
		((struct tcphdr *)tcp)->window = htons(64240);
	}
	memcpy(tcp + sizeof(struct tcphdr), options->layout->bytes, options->layout->len);
	memset(tcp + tcp_len - options->payload, 'x', options->payload);
	bss->ip_sum = sum_words(ip, ip_len);
	bss->tcp_sum = sum_words(tcp, tcp_len);
	if (v6 || !is_echo(options)) /* ICMP has no pseudo-header */
		bss->tcp_sum += htons(protocol(options)) + htons((uint16_t)tcp_len) +
				(v6 ? sum_words(options->dst.v6.sin6_addr.s6_addr, 16)
				    : sum_words((const uint8_t *)&options->dst.v4.sin_addr, 4));
	return (unsigned int)(sizeof(*ethernet) + ip_len + tcp_len);
}

/* The program keeps a source in four words; IPv4 has the last of them. */
static void source_write(const struct options *options, struct flood_bpf__bss *bss)
{
	bool v6 = options->src.any.sa_family == AF_INET6;
	unsigned int fixed = options->src_prefix + (v6 ? 0 : 96);

	if (v6)
		memcpy(bss->source, &options->src.v6.sin6_addr, sizeof(bss->source));
	else
		memcpy(&bss->source[3], &options->src.v4.sin_addr, sizeof(bss->source[3]));
	for (unsigned int i = 0; i < 4; i++) {
		unsigned int bits = fixed <= i * 32 ? 0 : fixed - i * 32;

		bss->source_mask[i] = htonl(bits >= 32 ? 0 : UINT32_MAX >> bits);
		bss->source[i] &= ~bss->source_mask[i];
	}
}

static struct flood_bpf *flood_load(const struct options *options)
{
	struct flood_bpf *skel = flood_bpf__open();

	if (!skel)
		die(EXIT_FAILURE, "cannot open the BPF object: %s", strerror(errno));
	flood.frame_len = template_write(options, skel->bss);
	source_write(options, skel->bss);
	memcpy(skel->bss->ports, options->ports, sizeof(options->ports));
	memcpy(skel->bss->flags, options->class->flags, sizeof(options->class->flags));
	skel->bss->random_state = now_ns();
	skel->rodata->is_v6 = options->dst.any.sa_family == AF_INET6;
	skel->rodata->frame_len = flood.frame_len;
	skel->rodata->discard = options->discard;
	skel->rodata->is_echo = is_echo(options);
	skel->rodata->icmp_type = icmp_type(options);
	skel->rodata->has_fragment_header = options->class->kind == FRAGMENT && skel->rodata->is_v6;
	skel->rodata->port_count = options->port_count;
	skel->rodata->flags_count = options->class->flags_count;
	skel->rodata->has_payload = options->payload;
	skel->rodata->timestamp_offset = options->layout->timestamp_offset;
	if (flood_bpf__load(skel))
		die(EXIT_FAILURE, "cannot load the BPF program: %s", strerror(errno));
	return skel;
}

/* Packets that the other end of the veth refused, modulo 2^32. */
static uint32_t interface_dropped(const char *interface)
{
	struct ifaddrs *all, *one;
	uint32_t dropped = 0;

	if (getifaddrs(&all))
		die(EXIT_FAILURE, "getifaddrs: %s", strerror(errno));
	for (one = all; one; one = one->ifa_next)
		if (one->ifa_addr && one->ifa_addr->sa_family == AF_PACKET &&
		    !strcmp(one->ifa_name, interface))
			dropped = ((struct rtnl_link_stats *)one->ifa_data)->tx_dropped;
	freeifaddrs(all);
	return dropped;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How many packets are due at this time, of which `paid` are sent or given up. */
static uint64_t packets_due(uint64_t now, uint64_t paid)
{
	double rate_pps = (double)flood.options.rate_pps;
	uint64_t owed = (uint64_t)((double)(min_u64(now, flood.end_ns) - flood.start_ns) * rate_pps / 1e9);

	if (!flood.options.rate_pps)
		return CHUNK;
	return owed > paid ? owed - paid : 0;
}

static uint64_t cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * NS_PER_SEC + (uint64_t)used.tv_nsec;
}

static int packets_send(uint64_t count)
{
	uint64_t cpu = cpu_ns();
	uint8_t data[FLOOD_FRAME_MAX] = { 0 };
	__u32 len = flood.frame_len + !!flood.options.payload; /* one byte that the program cuts off */
	struct xdp_md context = { .data_end = len, .ingress_ifindex = (__u32)flood.ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = data, .data_size_in = len, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = (int)count, .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
		    .batch_size = (__u32)min_u64(count, BATCH));
	int err = bpf_prog_test_run_opts(flood.program_fd, &run);

	flood.costs[flood.runs++ % MAX_COSTS] = (double)(cpu_ns() - cpu) / (double)count;
	return err == -EINTR ? 0 : err;
}

static uint64_t tick_length(void)
{
	uint64_t tick = flood.options.rate_pps ? TICK_PACKETS * NS_PER_SEC / flood.options.rate_pps : 0;

	return tick < TICK_MIN_NS ? TICK_MIN_NS : min_u64(tick, TICK_MAX_NS);
}

/* Sleeps until the next tick. */
static void tick_wait(uint64_t now)
{
	uint64_t length = tick_length(), tick = (now - flood.start_ns) / length + 1;
	uint64_t at = min_u64(flood.start_ns + tick * length, flood.end_ns);
	struct timespec when = { (time_t)(at / NS_PER_SEC), (long)(at % NS_PER_SEC) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
}

static int flood_run(const volatile __u64 *emitted)
{
	const uint64_t limit = flood.options.count ? flood.options.count : UINT64_MAX;
	const uint64_t debt_max = flood.options.rate_pps * MAX_DEBT_NS / NS_PER_SEC + 1;
	uint64_t given_up = 0, now = now_ns();
	int err = 0;

	flood.start_ns = now;
	flood.end_ns = now + (uint64_t)(flood.options.seconds * 1e9);
	while (!err && !flood.stop && *emitted < limit && now < flood.end_ns) {
		uint64_t due;

		if (flood.options.rate_pps)
			tick_wait(now);
		now = now_ns();
		due = packets_due(now, *emitted + given_up);
		if (flood.options.rate_pps && due > debt_max) {
			given_up += due - debt_max;
			due = debt_max;
		}
		due = min_u64(due, limit - *emitted);
		if (due)
			err = packets_send(due);
	}
	return err;
}

static void on_signal(int signal)
{
	(void)signal;
	flood.stop = 1;
}

/* Without moving about, the softirq of the receiving end runs between two batches, and its queue cannot
 * overflow. */
static void cpu_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die(EXIT_FAILURE, "--cpu %d: %s", cpu, strerror(errno));
}

/*
 * A program that no device has must enter the kernel's XDP dispatcher for each test run: 24 ms a run. So it
 * is held there by an attachment that sees no packet, on the loopback device of a network namespace of its
 * own.
 */
static void dispatcher_anchor(void)
{
	LIBBPF_OPTS(bpf_link_create_opts, generic, .flags = XDP_FLAGS_SKB_MODE);
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (own < 0 || unshare(CLONE_NEWNET))
		die(EXIT_FAILURE, "network namespace: %s", strerror(errno));
	/* Both stay open until we exit. */
	if (open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC) < 0 ||
	    bpf_link_create(flood.program_fd, LOOPBACK_IFINDEX, BPF_XDP, &generic) < 0)
		die(EXIT_FAILURE, "attach to loopback: %s", strerror(errno));
	if (setns(own, CLONE_NEWNET))
		die(EXIT_FAILURE, "setns: %s", strerror(errno));
	close(own);
}

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The lower decile of the runs: what else the machine does only ever adds to some of them, and where its
 * other hyperthread is busy that is to most of them. */
static double packet_cost_ns(void)
{
	size_t count = min_u64(flood.runs, MAX_COSTS);

	qsort(flood.costs, count, sizeof(*flood.costs), double_compare);
	return flood.costs[count / 10];
}

static void report(uint64_t emitted, uint32_t dropped, double seconds)
{
	uint64_t sent = emitted - dropped;

	printf("{\"sent\": %llu, \"dropped\": %u, \"seconds\": %.3f, \"pps\": %.0f, \"bytes\": %llu, "
	       "\"cpu_ns_per_packet\": %.2f}\n",
	       (unsigned long long)sent, dropped, seconds, (double)sent / seconds,
	       (unsigned long long)sent * flood.frame_len, packet_cost_ns());
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct options *options = &flood.options;
	struct flood_bpf *skel;
	uint32_t dropped;
	double seconds;
	int err;

	options_parse(argc, argv, options);
	flood.ifindex = (int)if_nametoindex(options->interface);
	if (!flood.ifindex)
		die(EXIT_FAILURE, "%s: no such interface", options->interface);
	skel = flood_load(options);
	flood.program_fd = bpf_program__fd(skel->progs.flood_generate);
	dispatcher_anchor();
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	cpu_pin(options->cpu);
	prctl(PR_SET_TIMERSLACK, 1UL); /* ns; else every tick comes 50 us late */

	dropped = interface_dropped(options->interface);
	err = flood_run(&skel->bss->emitted);
	seconds = (double)(now_ns() - flood.start_ns) / 1e9;
	dropped = interface_dropped(options->interface) - dropped;
	if (err)
		die(EXIT_FAILURE, "test run: %s", strerror(-err));
	report(skel->bss->emitted, dropped, seconds);
	flood_bpf__destroy(skel);
	return EXIT_SUCCESS;
}
