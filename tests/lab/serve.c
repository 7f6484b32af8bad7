// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * serve: the lab's server: echo, banner or http, thousands of connections in one thread. Says "ready" when it
 * listens. Knows nothing of the lab; probe.c is its other end.
 */
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "common.h"

#define MAX_LISTENERS 64
#define MAX_FDS	      65536
#define MAX_EVENTS    256
#define LINE_MAX_LEN  4096

enum protocol { PROTOCOL_ECHO, PROTOCOL_BANNER, PROTOCOL_HTTP };

static const char *const protocol_names[] = {
	[PROTOCOL_ECHO] = "echo",
	[PROTOCOL_BANNER] = "banner",
	[PROTOCOL_HTTP] = "http",
};

static const char banner[] = "220 synmoat lab\r\n";
static const char http_reply[] =
	"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n";

static struct server {
	union address listen;
	enum protocol protocol;
	int backlog, listener_count, v6only; /* v6only -1: as the system has it */
	bool mptcp, close_first, no_accept;
	int epoll;
	int listeners[MAX_LISTENERS];
	/* Bytes that an http request has shown of its closing blank line, by descriptor. */
	uint8_t blank_line[MAX_FDS];
} server = { .backlog = 4096, .listener_count = 1, .v6only = -1 };

static void __attribute__((noreturn)) usage(void)
{
	die(EXIT_USAGE,
	    "usage: serve --listen ADDR:PORT [--protocol echo|banner|http] [--backlog N] [--reuseport N]\n"
	    "             [--v6only 0|1] [--mptcp] [--close-first] [--no-accept]");
}

static enum protocol protocol_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(protocol_names) / sizeof(*protocol_names); i++)
		if (!strcmp(protocol_names[i], name))
			return (enum protocol)i;
	usage();
}

static void options_parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "protocol", required_argument, NULL, 'p' },
		{ "backlog", required_argument, NULL, 'b' },
		{ "reuseport", required_argument, NULL, 'r' },
		{ "v6only", required_argument, NULL, '6' },
		{ "mptcp", no_argument, NULL, 'm' },
		{ "close-first", no_argument, NULL, 'c' },
		{ "no-accept", no_argument, NULL, 'n' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (option) {
		case 'l':
			endpoint_parse("--listen", optarg, &server.listen);
			break;
		case 'p':
			server.protocol = protocol_parse(optarg);
			break;
		case 'b':
			server.backlog = (int)number_parse("--backlog", optarg, 0, 1 << 20);
			break;
		case 'r':
			server.listener_count = (int)number_parse("--reuseport", optarg, 1, MAX_LISTENERS);
			break;
		case '6':
			server.v6only = (int)number_parse("--v6only", optarg, 0, 1);
			break;
		case 'm':
			server.mptcp = true;
			break;
		case 'c':
			server.close_first = true;
			break;
		case 'n':
			server.no_accept = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc || !server.listen.any.sa_family)
		usage();
}

static void option_set(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		die(EXIT_FAILURE, "setsockopt: %s", strerror(errno));
}

static int listener_open(void)
{
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd = socket(server.listen.any.sa_family, type, server.mptcp ? IPPROTO_MPTCP : IPPROTO_TCP);

	if (fd < 0)
		die(EXIT_FAILURE, "socket: %s", strerror(errno));
	option_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (server.listener_count > 1)
		option_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (server.v6only >= 0)
		option_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, server.v6only);
	if (bind(fd, &server.listen.any, address_len(&server.listen)) || listen(fd, server.backlog))
		die(EXIT_FAILURE, "listen: %s", strerror(errno));
	return fd;
}

static void watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &event))
		die(EXIT_FAILURE, "epoll_ctl: %s", strerror(errno));
}

/* Replies are far smaller than a socket's buffer; a peer that reads none of them is cut off. */
static bool reply(int fd, const char *bytes, size_t len)
{
	return send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void connections_accept(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd >= MAX_FDS) {
			close(fd);
			continue;
		}
		server.blank_line[fd] = 0;
		watch(fd);
		if (server.protocol == PROTOCOL_BANNER && !reply(fd, banner, sizeof(banner) - 1))
			close(fd);
	}
}

/* Counts the requests that end in these bytes; the match may have begun in earlier ones. */
static unsigned int http_requests(uint8_t *matched, const char *bytes, size_t len)
{
	static const char blank_line[] = "\r\n\r\n";
	unsigned int requests = 0;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == blank_line[*matched])
			(*matched)++;
		else
			*matched = bytes[i] == blank_line[0];
		if (*matched == sizeof(blank_line) - 1) {
			*matched = 0;
			requests++;
		}
	}
	return requests;
}

/* False when the connection has ended for us. */
static bool bytes_answer(int fd, const char *bytes, size_t len)
{
	bool answered = true, ok = true;

	switch (server.protocol) {
	case PROTOCOL_ECHO:
		ok = reply(fd, bytes, len);
		break;
	case PROTOCOL_BANNER:
		break;
	case PROTOCOL_HTTP: {
		unsigned int requests = http_requests(&server.blank_line[fd], bytes, len);

		answered = requests;
		for (; ok && requests; requests--)
			ok = reply(fd, http_reply, sizeof(http_reply) - 1);
		break;
	}
	}
	return ok && !(answered && server.close_first);
}

static void connection_serve(int fd)
{
	char bytes[LINE_MAX_LEN];
	ssize_t len = recv(fd, bytes, sizeof(bytes), 0);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0 || !bytes_answer(fd, bytes, (size_t)len))
		close(fd);
}

static bool is_listener(int fd)
{
	for (int i = 0; i < server.listener_count; i++)
		if (server.listeners[i] == fd)
			return true;
	return false;
}

static void __attribute__((noreturn)) serve(void)
{
	struct epoll_event events[MAX_EVENTS];

	for (;;) {
		int count = epoll_wait(server.epoll, events, MAX_EVENTS, -1);

		for (int i = 0; i < count; i++) {
			if (is_listener(events[i].data.fd))
				connections_accept(events[i].data.fd);
			else
				connection_serve(events[i].data.fd);
		}
	}
}

int main(int argc, char **argv)
{
	struct rlimit files = { MAX_FDS, MAX_FDS };

	options_parse(argc, argv);
	setrlimit(RLIMIT_NOFILE, &files);
	server.epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < server.listener_count; i++) {
		server.listeners[i] = listener_open();
		if (!server.no_accept)
			watch(server.listeners[i]);
	}
	puts("ready");
	fflush(stdout);
	serve();
}
