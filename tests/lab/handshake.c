// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * handshake: a TCP client of its own on a packet socket, for what no kernel's client does: it waits between
 * the SYN-ACK and its ACK as long as it is told, or sends that ACK with one thing changed. Many handshakes go
 * on at once, each from its own tuple of addresses that no host has. After the ACK goes a line, which an echo
 * server returns; or nothing more ever, as from one who guessed a cookie and hears no answer. Says in one
 * JSON line what became of them.
 */
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "common.h"

#define MAX_COUNT    1000000
#define MAX_SOURCES  65536
#define PORT_FIRST   10000
#define PORTS	     20000 /* the same number again is kept for forged source ports */
#define TICK_NS	     (2 * NS_PER_MS)
#define RESEND_NS    NS_PER_SEC
#define SYN_TRIES    5
#define FRAME_MAX    256
#define RECEIVE_MAX  65536
#define RCVBUF_BYTES (16 << 20)

/* What is changed in the ACK, after the SYN-ACK came to the right one. */
enum forgery {
	FORGE_NOTHING,
	FORGE_SOURCE,
	FORGE_SOURCE_PORT,
	FORGE_PORT,
	FORGE_SEQUENCE,
	FORGE_ACK,
	FORGE_TIMESTAMP,
	FORGERIES
};

static const char *const forgery_names[FORGERIES] = {
	[FORGE_NOTHING] = "nothing",
	[FORGE_SOURCE] = "source",	     /* another client's address */
	[FORGE_SOURCE_PORT] = "source-port", /* another port of the same client */
	[FORGE_PORT] = "port",		     /* another port of the server: --other-port */
	[FORGE_SEQUENCE] = "sequence",	     /* our sequence number, shifted by one */
	[FORGE_ACK] = "ack",		     /* one bit of the cookie */
	[FORGE_TIMESTAMP] = "timestamp",     /* one bit of the timestamp echo */
};

struct layout {
	const char *name;
	size_t len, timestamp; /* offset of TSval in the options; 0: none */
	uint8_t bytes[20];
};

static const struct layout layouts[] = {
	{ "linux", 20, 8, { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7 } },
	{ "windows", 12, 0, { 2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2 } },
	{ "none", 0, 0, { 0 } },
};

enum state {
	STATE_SYN_SENT,
	STATE_WAITING,
	STATE_ACK_SENT,
	STATE_ACCEPTED,
	STATE_RESET,
	STATE_SILENT,
	STATE_NO_SYNACK,
	STATES
};

struct attempt {
	enum state state;
	unsigned int tries;
	uint32_t isn, server_isn, server_tsval;
	bool timestamps;
	uint64_t due_ns, end_ns;
};

struct segment {
	uint8_t source[16], destination[16]; /* IPv4: in the last four bytes */
	uint16_t source_port, port;	     /* host order, as all that follows */
	uint32_t seq, ack;
	uint8_t flags;
	const uint8_t *options, *payload;
	size_t options_len, payload_len;
};

static struct client {
	union address server;
	uint8_t server_address[16], source[16];
	uint16_t server_port, other_port;
	bool v6;
	uint8_t own_mac[ETH_ALEN], server_mac[ETH_ALEN];
	const char *interface;
	unsigned int count, rate_per_s, sources;
	uint64_t delay_min_ms, delay_max_ms, timeout_ms;
	const struct layout *layout;
	enum forgery forgery;
	const char *mute;  /* after "ack" or "line" it is; NULL: it goes on */
	unsigned int acks; /* so many copies of it at once */

	int fd, ifindex;
	struct attempt *attempts;
	unsigned int started, first_running, synacks;
	uint64_t random;
	unsigned int results[STATES];
} client = { .rate_per_s = 100, .sources = 64, .timeout_ms = 5000, .acks = 1, .layout = layouts };

static const uint8_t line[] = "synmoat handshake\n";
#define LINE_LEN (sizeof(line) - 1)

static void __attribute__((noreturn)) usage(void)
{
	die(EXIT_USAGE,
	    "usage: handshake --interface IF --dst-mac MAC --connect ADDR:PORT --source ADDR --count N\n"
	    "                 [--sources N] [--rate PER_SECOND] [--delay-ms MIN-MAX] [--timeout-ms T]\n"
	    "                 [--layout linux|windows|none] [--other-port PORT]\n"
	    "                 [--forge nothing|source|source-port|port|sequence|ack|timestamp] [--mute "
	    "ack|line] [--acks N]");
}

/* --- options --- */

static void address_copy(uint8_t out[16], const union address *address)
{
	memset(out, 0, 16);
	if (address->any.sa_family == AF_INET6)
		memcpy(out, &address->v6.sin6_addr, 16);
	else
		memcpy(out + 12, &address->v4.sin_addr, 4);
}

static void mac_parse(const char *text)
{
	uint8_t *m = client.server_mac;

	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) !=
	    ETH_ALEN)
		die(EXIT_USAGE, "--dst-mac: '%s' is not a MAC address", text);
}

static void delay_parse(char *text)
{
	char *dash = strchr(text, '-');

	if (dash)
		*dash++ = '\0';
	client.delay_min_ms = number_parse("--delay-ms", text, 0, 600000);
	client.delay_max_ms =
		dash ? number_parse("--delay-ms", dash, client.delay_min_ms, 600000) : client.delay_min_ms;
}

static void layout_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
		if (!strcmp(layouts[i].name, name)) {
			client.layout = &layouts[i];
			return;
		}
	usage();
}

static void forgery_parse(const char *name)
{
	for (int i = 0; i < FORGERIES; i++)
		if (!strcmp(forgery_names[i], name)) {
			client.forgery = (enum forgery)i;
			return;
		}
	usage();
}

static void options_parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "interface", required_argument, NULL, 'i' },
		{ "dst-mac", required_argument, NULL, 'm' },
		{ "connect", required_argument, NULL, 'd' },
		{ "source", required_argument, NULL, 's' },
		{ "sources", required_argument, NULL, 'S' },
		{ "count", required_argument, NULL, 'n' },
		{ "rate", required_argument, NULL, 'r' },
		{ "delay-ms", required_argument, NULL, 'w' },
		{ "timeout-ms", required_argument, NULL, 't' },
		{ "layout", required_argument, NULL, 'l' },
		{ "forge", required_argument, NULL, 'f' },
		{ "other-port", required_argument, NULL, 'o' },
		{ "mute", required_argument, NULL, 'u' },
		{ "acks", required_argument, NULL, 'a' },
		{ 0 },
	};
	union address source = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (option) {
		case 'i':
			client.interface = optarg;
			break;
		case 'm':
			mac_parse(optarg);
			break;
		case 'd':
			endpoint_parse("--connect", optarg, &client.server);
			break;
		case 's':
			address_parse("--source", optarg, &source);
			break;
		case 'S':
			client.sources = (unsigned int)number_parse("--sources", optarg, 1, MAX_SOURCES);
			break;
		case 'n':
			client.count = (unsigned int)number_parse("--count", optarg, 1, MAX_COUNT);
			break;
		case 'r':
			client.rate_per_s = (unsigned int)number_parse("--rate", optarg, 1, 100000);
			break;
		case 'w':
			delay_parse(optarg);
			break;
		case 't':
			client.timeout_ms = number_parse("--timeout-ms", optarg, 1, 600000);
			break;
		case 'l':
			layout_parse(optarg);
			break;
		case 'f':
			forgery_parse(optarg);
			break;
		case 'o':
			client.other_port = (uint16_t)number_parse("--other-port", optarg, 1, 65535);
			break;
		case 'u':
			if (strcmp(optarg, "ack") != 0 && strcmp(optarg, "line") != 0)
				usage();
			client.mute = optarg;
			break;
		case 'a':
			client.acks = (unsigned int)number_parse("--acks", optarg, 1, 10000);
			break;
		default:
			usage();
		}
	}
	if (optind != argc || !client.interface || !client.count || !client.server.any.sa_family ||
	    source.any.sa_family != client.server.any.sa_family || client.count > client.sources * PORTS)
		usage();
	client.v6 = source.any.sa_family == AF_INET6;
	client.server_port = ntohs(client.v6 ? client.server.v6.sin6_port : client.server.v4.sin_port);
	address_copy(client.server_address, &client.server);
	address_copy(client.source, &source);
}

/* --- tuples: attempt i comes from address i % sources, port i / sources; forged ones from the range above
 * --- */

static uint32_t last_word(const uint8_t address[16])
{
	uint32_t word;

	memcpy(&word, address + 12, sizeof(word));
	return ntohl(word);
}

static void tuple_fill(unsigned int i, enum forgery forgery, struct segment *s)
{
	uint32_t host = last_word(client.source) + i % client.sources;

	if (forgery == FORGE_SOURCE)
		host += client.sources;
	memcpy(s->source, client.source, 12);
	host = htonl(host);
	memcpy(s->source + 12, &host, sizeof(host));
	memcpy(s->destination, client.server_address, 16);
	s->source_port =
		(uint16_t)(PORT_FIRST + i / client.sources + (forgery == FORGE_SOURCE_PORT ? PORTS : 0));
	s->port = forgery == FORGE_PORT ? client.other_port : client.server_port;
}

/* The attempt whose client, true or forged, has this address and port; NULL: none. */
static struct attempt *attempt_find(const uint8_t address[16], uint16_t port)
{
	uint32_t host = last_word(address) - last_word(client.source);
	uint64_t i;

	if (memcmp(address, client.source, 12) != 0 || host >= 2 * client.sources || port < PORT_FIRST ||
	    port >= PORT_FIRST + 2 * PORTS)
		return NULL;
	i = (uint64_t)((port - PORT_FIRST) % PORTS) * client.sources + host % client.sources;
	return i < client.started ? &client.attempts[i] : NULL;
}

/* --- segments --- */

static uint64_t random_next(void)
{
	uint64_t z = (client.random += 0x9e3779b97f4a7c15ULL);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static uint32_t sum_bytes(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static uint16_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static size_t ip_write(uint8_t *at, const struct segment *s, size_t tcp_len)
{
	struct ip6_hdr *ip6 = (struct ip6_hdr *)at;
	struct ip *ip = (struct ip *)at;

	if (client.v6) {
		*ip6 = (struct ip6_hdr){ 0 };
		ip6->ip6_flow = htonl(6U << 28);
		ip6->ip6_plen = htons((uint16_t)tcp_len);
		ip6->ip6_nxt = IPPROTO_TCP;
		ip6->ip6_hlim = 64;
		memcpy(&ip6->ip6_src, s->source, 16);
		memcpy(&ip6->ip6_dst, s->destination, 16);
		return sizeof(*ip6);
	}
	*ip = (struct ip){ .ip_v = 4, .ip_hl = sizeof(*ip) / 4, .ip_ttl = 64, .ip_p = IPPROTO_TCP };
	ip->ip_len = htons((uint16_t)(sizeof(*ip) + tcp_len));
	ip->ip_off = htons(IP_DF);
	memcpy(&ip->ip_src, s->source + 12, 4);
	memcpy(&ip->ip_dst, s->destination + 12, 4);
	ip->ip_sum = checksum(sum_bytes(0, at, sizeof(*ip)));
	return sizeof(*ip);
}

static void segment_send(const struct segment *s)
{
	size_t tcp_len = sizeof(struct tcphdr) + s->options_len + s->payload_len, ip_len;
	uint8_t frame[FRAME_MAX], *ip = frame + ETH_HLEN, *tcp;
	struct ethhdr *ethernet = (struct ethhdr *)frame;
	struct tcphdr header = { 0 };
	uint32_t sum;

	memcpy(ethernet->h_dest, client.server_mac, ETH_ALEN);
	memcpy(ethernet->h_source, client.own_mac, ETH_ALEN);
	ethernet->h_proto = htons(client.v6 ? ETH_P_IPV6 : ETH_P_IP);
	ip_len = ip_write(ip, s, tcp_len);
	tcp = ip + ip_len;
	header.th_sport = htons(s->source_port);
	header.th_dport = htons(s->port);
	header.th_seq = htonl(s->seq);
	header.th_ack = htonl(s->ack);
	header.th_off = (sizeof(header) + s->options_len) / 4 & 15;
	header.th_flags = s->flags;
	header.th_win = htons(64240);
	memcpy(tcp, &header, sizeof(header));
	memcpy(tcp + sizeof(header), s->options, s->options_len);
	memcpy(tcp + sizeof(header) + s->options_len, s->payload, s->payload_len);
	sum = sum_bytes(IPPROTO_TCP + (uint32_t)tcp_len, s->source, 16);
	sum = sum_bytes(sum_bytes(sum, s->destination, 16), tcp, tcp_len);
	header.th_sum = checksum(sum);
	memcpy(tcp + offsetof(struct tcphdr, th_sum), &header.th_sum, sizeof(header.th_sum));
	/* A full queue is as good as loss: everything is sent again. */
	(void)!send(client.fd, frame, ETH_HLEN + ip_len + tcp_len, MSG_DONTWAIT);
}

static void syn_send(unsigned int i)
{
	struct attempt *a = &client.attempts[i];
	struct segment s = { .seq = a->isn, .flags = TH_SYN, .payload = line };
	uint8_t options[sizeof(client.layout->bytes)];
	uint32_t tsval = htonl((uint32_t)(now_ns() / NS_PER_MS));

	memcpy(options, client.layout->bytes, sizeof(options));
	if (client.layout->timestamp)
		memcpy(options + client.layout->timestamp, &tsval, sizeof(tsval));
	s.options = options;
	s.options_len = client.layout->len;
	tuple_fill(i, FORGE_NOTHING, &s);
	segment_send(&s);
}

static void segment_forge(struct segment *s, uint32_t *tsecr)
{
	switch (client.forgery) {
	case FORGE_SEQUENCE:
		s->seq += random_next() & 1 ? 1 : UINT32_MAX;
		break;
	case FORGE_ACK:
		s->ack ^= 1U << (random_next() & 31);
		break;
	case FORGE_TIMESTAMP:
		*tsecr ^= 1U << (random_next() & 31);
		break;
	case FORGE_NOTHING:
	case FORGE_SOURCE:
	case FORGE_SOURCE_PORT:
	case FORGE_PORT:
	case FORGERIES:
		break;
	}
}

/* An ACK of all that the server can have sent so far, with PAYLOAD_LEN bytes of the line. */
static void ack_send(unsigned int i, uint8_t flags, uint32_t sent, uint32_t received, size_t payload_len)
{
	struct attempt *a = &client.attempts[i];
	struct segment s = { .seq = a->isn + 1 + sent,
			     .ack = a->server_isn + 1 + received,
			     .flags = flags,
			     .payload = line,
			     .payload_len = payload_len };
	uint32_t tsval = htonl((uint32_t)(now_ns() / NS_PER_MS)), tsecr = a->server_tsval;
	uint8_t options[12] = { 1, 1, 8, 10 };

	tuple_fill(i, client.forgery, &s);
	segment_forge(&s, &tsecr);
	tsecr = htonl(tsecr);
	memcpy(options + 4, &tsval, sizeof(tsval));
	memcpy(options + 8, &tsecr, sizeof(tsecr));
	s.options = options;
	s.options_len = a->timestamps ? sizeof(options) : 0;
	segment_send(&s);
}

/* --- attempts --- */

static void attempt_end(struct attempt *a, enum state state)
{
	a->state = state;
	client.results[state]++;
}

static void attempt_start(void)
{
	struct attempt *a = &client.attempts[client.started];

	*a = (struct attempt){ .state = STATE_SYN_SENT, .isn = (uint32_t)random_next() };
	a->due_ns = now_ns();
	client.started++;
}

static void attempt_step(unsigned int i, uint64_t now)
{
	struct attempt *a = &client.attempts[i];

	if (a->state == STATE_SYN_SENT && a->tries++ == SYN_TRIES) {
		attempt_end(a, STATE_NO_SYNACK);
	} else if (a->state == STATE_SYN_SENT) {
		syn_send(i);
		a->due_ns = now + RESEND_NS;
	} else if (a->state == STATE_ACK_SENT && now >= a->end_ns) {
		attempt_end(a, STATE_SILENT);
	} else {
		if (a->state == STATE_WAITING)
			a->end_ns = now + client.timeout_ms * NS_PER_MS;
		a->state = STATE_ACK_SENT;
		for (unsigned int n = 0; n < client.acks; n++)
			ack_send(i, TH_ACK, 0, 0, 0);
		if (!client.mute || !strcmp(client.mute, "line"))
			ack_send(i, TH_ACK | TH_PUSH, 0, 0, LINE_LEN);
		a->due_ns = now + RESEND_NS < a->end_ns && !client.mute ? now + RESEND_NS : a->end_ns;
	}
}

static void timestamp_find(struct attempt *a, const uint8_t *options, size_t len)
{
	for (size_t i = 0; i + 1 < len && options[i];) {
		size_t length = options[i] == 1 ? 1 : options[i + 1];

		if (options[i] == 8 && length == 10 && i + length <= len) {
			memcpy(&a->server_tsval, options + i + 2, sizeof(a->server_tsval));
			a->server_tsval = ntohl(a->server_tsval);
			a->timestamps = true;
		}
		if (!length)
			break;
		i += length;
	}
}

static void synack_take(struct attempt *a, const struct segment *s)
{
	uint64_t spread_ms = client.delay_max_ms - client.delay_min_ms;

	if (a->state != STATE_SYN_SENT || s->ack != a->isn + 1)
		return;
	client.synacks++;
	a->server_isn = s->seq;
	timestamp_find(a, s->options, s->options_len);
	a->state = STATE_WAITING;
	a->due_ns = now_ns() + (client.delay_min_ms * NS_PER_MS) +
		    (spread_ms ? random_next() % (spread_ms * NS_PER_MS) : 0);
}

/* After our ACK: a RST means no, and whatever else has a payload means that a connection was made. */
static void answer_take(struct attempt *a, const struct segment *s)
{
	if (a->state != STATE_ACK_SENT)
		return;
	if (s->flags & TH_RST) {
		attempt_end(a, STATE_RESET);
		return;
	}
	if (client.mute)
		return;
	if (client.forgery == FORGE_NOTHING && (s->seq != a->server_isn + 1 || s->payload_len < LINE_LEN ||
						memcmp(s->payload, line, LINE_LEN) != 0))
		return;
	attempt_end(a, STATE_ACCEPTED);
	ack_send((unsigned int)(a - client.attempts), TH_RST | TH_ACK, LINE_LEN, (uint32_t)s->payload_len, 0);
}

/* False if the frame holds no whole TCP header from the server. */
static bool frame_parse(const uint8_t *frame, size_t len, struct segment *s)
{
	const uint8_t *ip = frame + ETH_HLEN, *tcp;
	size_t ip_len = client.v6 ? sizeof(struct ip6_hdr) : sizeof(struct ip), total, header_len;
	struct tcphdr header;

	if (len < ETH_HLEN + ip_len + sizeof(header) ||
	    ((const struct ethhdr *)frame)->h_proto != htons(client.v6 ? ETH_P_IPV6 : ETH_P_IP))
		return false;
	if (client.v6 ? ip[6] != IPPROTO_TCP : ip[9] != IPPROTO_TCP || ip[0] != 0x45)
		return false;
	total = client.v6 ? ip_len + (size_t)(ip[4] << 8 | ip[5]) : (size_t)(ip[2] << 8 | ip[3]);
	if (total > len - ETH_HLEN || total < ip_len + sizeof(header))
		return false;
	*s = (struct segment){ 0 };
	memcpy(client.v6 ? s->source : s->source + 12, ip + (client.v6 ? 8 : 12), client.v6 ? 16 : 4);
	memcpy(client.v6 ? s->destination : s->destination + 12, ip + (client.v6 ? 24 : 16),
	       client.v6 ? 16 : 4);
	tcp = ip + ip_len;
	memcpy(&header, tcp, sizeof(header));
	header_len = header.th_off * 4U;
	if (header_len < sizeof(header) || header_len > total - ip_len)
		return false;
	s->source_port = ntohs(header.th_sport);
	s->port = ntohs(header.th_dport);
	s->seq = ntohl(header.th_seq);
	s->ack = ntohl(header.th_ack);
	s->flags = header.th_flags;
	s->options = tcp + sizeof(header);
	s->options_len = header_len - sizeof(header);
	s->payload = tcp + header_len;
	s->payload_len = total - ip_len - header_len;
	return true;
}

static void frames_receive(void)
{
	static uint8_t frame[RECEIVE_MAX];
	struct attempt *a;
	struct segment s;
	ssize_t len;

	while ((len = recv(client.fd, frame, sizeof(frame), MSG_DONTWAIT)) > 0) {
		if (!frame_parse(frame, (size_t)len, &s) || memcmp(s.source, client.server_address, 16) != 0)
			continue;
		a = attempt_find(s.destination, s.port);
		if (!a)
			continue;
		if ((s.flags & (TH_SYN | TH_ACK)) == (TH_SYN | TH_ACK))
			synack_take(a, &s);
		else if (a->state == STATE_SYN_SENT && s.flags & TH_RST)
			attempt_end(a, STATE_RESET);
		else
			answer_take(a, &s);
	}
}

/* --- life --- */

static void socket_open(void)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int one = 1, size = RCVBUF_BYTES;
	struct ifreq request = { 0 };

	client.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (client.fd < 0)
		die(EXIT_FAILURE, "packet socket: %s", strerror(errno));
	client.ifindex = (int)if_nametoindex(client.interface);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", client.interface);
	if (!client.ifindex || ioctl(client.fd, SIOCGIFHWADDR, &request))
		die(EXIT_FAILURE, "%s: no such interface, or no hardware address", client.interface);
	memcpy(client.own_mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	setsockopt(client.fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	setsockopt(client.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	address.sll_ifindex = client.ifindex;
	if (bind(client.fd, (struct sockaddr *)&address, sizeof(address)))
		die(EXIT_FAILURE, "bind: %s", strerror(errno));
}

static bool is_over(enum state state)
{
	return state >= STATE_ACCEPTED;
}

static void run(void)
{
	uint64_t begin = now_ns();

	while (client.first_running < client.count) {
		struct pollfd poll_fd = { .fd = client.fd, .events = POLLIN };
		struct timespec tick = { .tv_nsec = TICK_NS };
		uint64_t now = now_ns(), due = (now - begin) * client.rate_per_s / NS_PER_SEC + 1;

		while (client.started < client.count && client.started < due)
			attempt_start();
		for (unsigned int i = client.first_running; i < client.started; i++) {
			if (is_over(client.attempts[i].state)) {
				client.first_running += i == client.first_running;
				continue;
			}
			if (client.attempts[i].due_ns <= now)
				attempt_step(i, now);
		}
		ppoll(&poll_fd, 1, &tick, NULL);
		frames_receive();
	}
}

int main(int argc, char **argv)
{
	options_parse(argc, argv);
	socket_open();
	client.random = now_ns();
	client.attempts = calloc(client.count, sizeof(*client.attempts));
	if (!client.attempts)
		die(EXIT_FAILURE, "out of memory");
	puts("ready");
	fflush(stdout);
	run();
	printf("{\"attempts\": %u, \"synacks\": %u, \"accepted\": %u, \"reset\": %u, \"silent\": %u, "
	       "\"no_synack\": "
	       "%u}\n",
	       client.count, client.synacks, client.results[STATE_ACCEPTED], client.results[STATE_RESET],
	       client.results[STATE_SILENT], client.results[STATE_NO_SYNACK]);
	return EXIT_SUCCESS;
}
