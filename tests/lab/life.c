// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * life: how connections end, one case at a time, with the kernel's own TCP on both ends: FIN by either,
 * half-closed and still in use, both at once, RST, a port used again, a client that vanishes and comes back,
 * and forged segments that must not end one (RFC 5961). Also a router's word
 * that the path's MTU is small, or that a segment's hops are used up. Each end says in a line what it saw.
 * The client names the case to the server.
 */
#include <getopt.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/tcp.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>
#include "common.h"

#define HALF_BYTES (8 << 20) /* over the half that is still open */
#define CHUNK	   65536
#define PATIENCE_S 15
#define AHEAD_NS   (1000 * NS_PER_MS)
#define AWAY_NS                                                                                              \
	(1500 * NS_PER_MS) /* ISNs of a tuple count on with the time: till they are far from the last ones   \
			    */
#define REUSES	    5
#define REUSED_PORT 999
#define PATH_MTU    1300
#define TCP_RST	    0x04
#define TCP_SYN	    0x02

struct request {
	char name[24];
	uint64_t at_ns; /* when both close */
};

struct life {
	const char *name;
	bool (*client)(int fd, uint64_t at_ns);
	bool (*server)(int fd, uint64_t at_ns);
};

static union address address;
static const struct life *chosen;

static void __attribute__((noreturn)) usage(void)
{
	die(EXIT_USAGE, "usage: life --listen ADDR:PORT\n"
			"       life --connect ADDR:PORT --case NAME");
}

/* --- what an end does, and what it must see --- */

static bool ends(int fd)
{
	return recv(fd, &(char){ 0 }, 1, 0) == 0;
}

static bool is_reset(int fd)
{
	return recv(fd, &(char){ 0 }, 1, 0) < 0 && errno == ECONNRESET;
}

static bool finish(int fd)
{
	return !shutdown(fd, SHUT_WR);
}

static void reset(int fd)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static uint8_t pattern(size_t at)
{
	return (uint8_t)(at ^ at >> 8 ^ at >> 16);
}

static bool pattern_send(int fd)
{
	static uint8_t bytes[CHUNK];

	for (size_t at = 0; at < HALF_BYTES; at += CHUNK) {
		for (size_t i = 0; i < CHUNK; i++)
			bytes[i] = pattern(at + i);
		if (send(fd, bytes, CHUNK, MSG_NOSIGNAL) != CHUNK)
			return false;
	}
	return true;
}

/* All of it, right, and then the end. */
static bool pattern_receive(int fd)
{
	static uint8_t bytes[CHUNK];
	size_t at = 0;
	ssize_t got;

	while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		for (ssize_t i = 0; i < got; i++)
			if (bytes[i] != pattern(at++))
				return false;
	return !got && at == HALF_BYTES;
}

static void wait_until(uint64_t at_ns)
{
	const struct timespec at = { (time_t)(at_ns / NS_PER_SEC), (long)(at_ns % NS_PER_SEC) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static bool close_first(int fd, uint64_t at_ns)
{
	(void)at_ns;
	return finish(fd) && ends(fd);
}

static bool close_second(int fd, uint64_t at_ns)
{
	(void)at_ns;
	return ends(fd);
}

static bool half_close(int fd, uint64_t at_ns)
{
	(void)at_ns;
	return finish(fd) && pattern_receive(fd);
}

static bool half_closed(int fd, uint64_t at_ns)
{
	(void)at_ns;
	return ends(fd) && pattern_send(fd) && finish(fd);
}

static bool close_at_once(int fd, uint64_t at_ns)
{
	wait_until(at_ns);
	return finish(fd) && ends(fd);
}

static bool reset_first(int fd, uint64_t at_ns)
{
	(void)at_ns;
	reset(fd);
	return true;
}

static bool reset_second(int fd, uint64_t at_ns)
{
	(void)at_ns;
	return is_reset(fd);
}

static bool echo_until_reset(int fd, uint64_t at_ns)
{
	char byte;

	(void)at_ns;
	while (recv(fd, &byte, 1, 0) == 1)
		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
			return false;
	return errno == ECONNRESET;
}

static bool echoes(int fd)
{
	char byte = 'e';

	return send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1;
}

/* --- connections of the client --- */

static void option_set(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		die(EXIT_FAILURE, "setsockopt %d: %s", name, strerror(errno));
}

static int socket_open(int type, int protocol)
{
	int fd = socket(address.any.sa_family, type | SOCK_CLOEXEC, protocol);
	struct timeval patience = { .tv_sec = PATIENCE_S };

	if (fd < 0)
		die(EXIT_FAILURE, "socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

static int connection_make(const char *name, uint64_t at_ns, uint16_t port)
{
	struct request request = { .at_ns = at_ns };
	int fd = socket_open(SOCK_STREAM, 0);
	union address local = { 0 };

	local.any.sa_family = address.any.sa_family;
	local.v4.sin_port = htons(port); /* where IPv6 has it, too */
	option_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	snprintf(request.name, sizeof(request.name), "%s", name);
	if (bind(fd, &local.any, address_len(&local)) || connect(fd, &address.any, address_len(&address)) ||
	    send(fd, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request) || !echoes(fd))
		die(EXIT_FAILURE, "%s: no connection: %s", name, strerror(errno));
	return fd;
}

/* The kernel's way of taking a connection along leaves nothing on the wire. */
static void vanish(int fd)
{
	option_set(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON);
	close(fd);
}

static bool come_back(int fd, uint64_t at_ns)
{
	union address local;
	socklen_t len = sizeof(local);
	bool good;

	if (getsockname(fd, &local.any, &len))
		return false;
	vanish(fd);
	wait_until(now_ns() + AWAY_NS);
	fd = connection_make("returned", at_ns, ntohs(local.v4.sin_port));
	good = close_first(fd, at_ns);
	close(fd);
	return good;
}

static bool reuse_port(int fd, uint64_t at_ns)
{
	bool good = ends(fd);

	close(fd);
	for (int i = 0; good && i < REUSES; i++) {
		wait_until(now_ns() + AHEAD_NS); /* for the ACK of our FIN */
		fd = connection_make("reused", at_ns, REUSED_PORT);
		good = ends(fd);
		close(fd);
	}
	return good;
}

/* --- forged segments --- */

static uint32_t queue_next(int fd, int queue)
{
	uint32_t next = 0;
	socklen_t len = sizeof(next);

	option_set(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON);
	option_set(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, queue);
	if (getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &next, &len))
		die(EXIT_FAILURE, "TCP_QUEUE_SEQ: %s", strerror(errno));
	option_set(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
	return next;
}

static uint16_t checksum(const struct tcphdr *tcp, const union address *local)
{
	const uint16_t *parts[] = { (const void *)tcp, (const void *)&local->v4.sin_addr,
				    (const void *)&address.v4.sin_addr };
	const size_t words[] = { sizeof(*tcp) / 2, 2, 2 };
	uint32_t sum = htons(IPPROTO_TCP) + htons(sizeof(*tcp));

	for (int part = 0; part < 3; part++)
		for (size_t i = 0; i < words[part]; i++)
			sum += parts[part][i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* As if from FD's connection. */
static void forge(int fd, uint8_t flags, uint32_t seq)
{
	bool v6 = address.any.sa_family == AF_INET6;
	int raw = socket_open(SOCK_RAW, IPPROTO_TCP);
	struct tcphdr tcp = { .seq = htonl(seq), .doff = sizeof(tcp) / 4, .window = htons(1000) };
	union address local, to = address;
	socklen_t len = sizeof(local);

	if (getsockname(fd, &local.any, &len))
		die(EXIT_FAILURE, "getsockname: %s", strerror(errno));
	tcp.source = local.v4.sin_port;
	tcp.dest = address.v4.sin_port;
	tcp.rst = !!(flags & TCP_RST);
	tcp.syn = !!(flags & TCP_SYN);
	local.v4.sin_port = to.v4.sin_port = 0;
	if (v6)
		option_set(raw, IPPROTO_IPV6, IPV6_CHECKSUM, 16); /* its offset: the kernel fills it in */
	else
		tcp.check = checksum(&tcp, &local);
	if (bind(raw, &local.any, address_len(&local)) ||
	    sendto(raw, &tcp, sizeof(tcp), 0, &to.any, address_len(&to)) != sizeof(tcp))
		die(EXIT_FAILURE, "raw socket: %s", strerror(errno));
	close(raw);
}

/* Only the RST at exactly the number that the server expects ends it. */
static bool resist(int fd, uint64_t at_ns)
{
	uint32_t next;
	bool good;

	(void)at_ns;
	for (int i = 0; i < 3; i++) {
		next = queue_next(fd, TCP_SEND_QUEUE);
		forge(fd, TCP_RST, next + 1);
		forge(fd, TCP_RST, next + 10000);
		forge(fd, TCP_RST, next - 1);
		forge(fd, TCP_SYN, next + 5000);
		forge(fd, TCP_SYN, next - 100000000);
		if (!echoes(fd))
			return false;
	}
	good = echoes(fd);
	forge(fd, TCP_RST, queue_next(fd, TCP_SEND_QUEUE));
	vanish(fd);
	return good;
}

/* --- end of a segment's life --- */

/* On the wire, whatever the socket's family. */
static bool is_v4(int fd)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	union address local = { 0 };
	socklen_t len = sizeof(local);

	getsockname(fd, &local.any, &len);
	return local.any.sa_family == AF_INET || !memcmp(&local.v6.sin6_addr, mapped, sizeof(mapped));
}

static void hops_set(int fd, int hops)
{
	if (is_v4(fd))
		option_set(fd, IPPROTO_IP, IP_TTL, hops);
	else
		option_set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops);
}

/* A router on the way must say so when a segment may not go further; it is sent again, and may. */
static bool expire(int fd, uint64_t at_ns)
{
	bool v4 = is_v4(fd), good;
	char byte = 'e';

	(void)at_ns;
	option_set(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, 1);
	hops_set(fd, 1);
	good = send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) < 0 && errno == EHOSTUNREACH;
	hops_set(fd, 64);
	while (good && recv(fd, &byte, 1, 0) != 1) /* each segment that was lost may have brought an error */
		good = errno == EHOSTUNREACH;
	return good && finish(fd) && ends(fd);
}

static bool echo_until_end(int fd, uint64_t at_ns)
{
	char byte;
	ssize_t got;

	(void)at_ns;
	while ((got = recv(fd, &byte, 1, 0)) == 1)
		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
			return false;
	return !got;
}

/* --- path MTU --- */

struct quote4 {
	struct icmphdr icmp;
	struct ip ip;
	__be16 source, dest;
	__be32 seq;
} __attribute__((packed));

struct quote6 {
	struct icmp6hdr icmp;
	struct ip6_hdr ip;
	__be16 source, dest;
	__be32 seq;
} __attribute__((packed));

static uint16_t sum16(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)b[i] << 8 | b[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* "Fragmentation needed" or "packet too big", about a segment of the server as it comes here with the number
 * SEQ. */
static void complain(int fd, uint32_t seq)
{
	bool v6 = address.any.sa_family == AF_INET6;
	int raw = socket_open(SOCK_RAW, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	union address local, to = address;
	socklen_t len = sizeof(local);
	struct quote4 q4 = { 0 };
	struct quote6 q6 = { 0 };

	if (getsockname(fd, &local.any, &len))
		die(EXIT_FAILURE, "getsockname: %s", strerror(errno));
	q4.icmp.type = ICMP_DEST_UNREACH;
	q4.icmp.code = ICMP_FRAG_NEEDED;
	q4.icmp.un.frag.mtu = htons(PATH_MTU);
	q4.ip = (struct ip){
		.ip_v = 4, .ip_hl = 5, .ip_len = htons(1500), .ip_ttl = 60, .ip_p = IPPROTO_TCP
	};
	q4.ip.ip_src = address.v4.sin_addr;
	q4.ip.ip_dst = local.v4.sin_addr;
	q4.source = address.v4.sin_port;
	q4.dest = local.v4.sin_port;
	q4.seq = htonl(seq);
	q4.icmp.checksum = sum16(&q4, sizeof(q4));
	q6.icmp.icmp6_type = ICMPV6_PKT_TOOBIG;
	q6.icmp.icmp6_mtu = htonl(PATH_MTU);
	q6.ip.ip6_flow = htonl(6U << 28);
	q6.ip.ip6_plen = htons(1460);
	q6.ip.ip6_nxt = IPPROTO_TCP;
	q6.ip.ip6_src = address.v6.sin6_addr;
	q6.ip.ip6_dst = local.v6.sin6_addr;
	q6.source = q4.source;
	q6.dest = q4.dest;
	q6.seq = q4.seq;
	to.v4.sin_port = 0;
	len = v6 ? sizeof(q6) : sizeof(q4);
	if (sendto(raw, v6 ? (void *)&q6 : (void *)&q4, len, 0, &to.any, address_len(&to)) != (ssize_t)len)
		die(EXIT_FAILURE, "raw socket: %s", strerror(errno));
	close(raw);
}

/* One with a number that is not the connection's teaches nothing. */
static bool complain_first(int fd, uint64_t at_ns)
{
	(void)at_ns;
	complain(fd, queue_next(fd, TCP_RECV_QUEUE) + 100000000);
	if (!echoes(fd))
		return false;
	complain(fd, queue_next(fd, TCP_RECV_QUEUE));
	return echoes(fd) && finish(fd) && pattern_receive(fd);
}

static int path_mtu(int fd)
{
	bool v4 = is_v4(fd);
	socklen_t len = sizeof(int);
	int mtu = 0;

	getsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu, &len);
	return mtu;
}

static bool listen_to_complaint(int fd, uint64_t at_ns)
{
	char byte;
	int before;

	(void)at_ns;
	if (recv(fd, &byte, 1, 0) != 1 || (before = path_mtu(fd)) <= PATH_MTU ||
	    send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return false;
	if (recv(fd, &byte, 1, 0) != 1 || path_mtu(fd) != PATH_MTU || send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return false;
	return ends(fd) && pattern_send(fd) && finish(fd);
}

static const struct life lives[] = {
	{ "client-fin", close_first, close_second },
	{ "server-fin", close_second, close_first },
	{ "client-half", half_close, half_closed },
	{ "server-half", half_closed, half_close },
	{ "simultaneous", close_at_once, close_at_once },
	{ "client-reset", reset_first, reset_second },
	{ "server-reset", reset_second, reset_first },
	{ "reboot", come_back, reset_second },
	{ "reuse", reuse_port, close_first },
	{ "returned", close_first, close_second }, /* of these two */
	{ "reused", close_second, close_first },
	{ "last-hop", expire, echo_until_end },
	{ "server-last-hop", echo_until_end, expire },
	{ "path-mtu", complain_first, listen_to_complaint },
	{ "blind", resist, echo_until_reset },
};

static const struct life *life_find(const char *name)
{
	for (size_t i = 0; i < sizeof(lives) / sizeof(*lives); i++)
		if (!strcmp(lives[i].name, name))
			return &lives[i];
	return NULL;
}

static void report(const char *name, bool good)
{
	printf("%s %s\n", name, good ? "good" : "bad");
	fflush(stdout);
}

/* --- the server --- */

static void connection_serve(int fd)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct request request;
	const struct life *life;
	char byte;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (recv(fd, &request, sizeof(request), MSG_WAITALL) != sizeof(request) ||
	    recv(fd, &byte, 1, 0) != 1 || send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return;
	request.name[sizeof(request.name) - 1] = '\0';
	life = life_find(request.name);
	if (life)
		report(life->name, life->server(fd, request.at_ns));
}

static void serve(void)
{
	int fd, listener = socket_open(SOCK_STREAM, 0);

	option_set(listener, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(listener, &address.any, address_len(&address)) || listen(listener, 16))
		die(EXIT_FAILURE, "listen: %s", strerror(errno));
	signal(SIGCHLD, SIG_IGN);
	puts("ready");
	fflush(stdout);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd >= 0 && !fork()) {
			close(listener);
			connection_serve(fd);
			exit(EXIT_SUCCESS);
		}
		if (fd >= 0)
			close(fd);
	}
}

int main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "connect", required_argument, NULL, 'c' },
		{ "listen", required_argument, NULL, 'l' },
		{ "case", required_argument, NULL, 'n' },
		{ 0 },
	};
	uint64_t at_ns = now_ns() + AHEAD_NS;
	bool listens = false, good;
	int option, fd;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (option == 'n') {
			chosen = life_find(optarg);
		} else if (option == 'c' || option == 'l') {
			endpoint_parse(option == 'l' ? "--listen" : "--connect", optarg, &address);
			listens = option == 'l';
		} else {
			usage();
		}
	}
	if (optind != argc || !address.any.sa_family || listens == !!chosen)
		usage();
	if (listens)
		serve();
	fd = connection_make(chosen->name, at_ns, chosen->client == reuse_port ? REUSED_PORT : 0);
	good = chosen->client(fd, at_ns);
	report(chosen->name, good);
	return EXIT_SUCCESS;
}
