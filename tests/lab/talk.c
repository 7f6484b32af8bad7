// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * talk: one end of one long conversation, over TCP or UDP, or in ICMP echoes. One end speaks numbered lines,
 * each different, and demands every byte of them back before the next; the other echoes. Either may be the
 * one that connects. Lasts until it has said what it had to, or SIGTERM; then says in one JSON line how it
 * went.
 */
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "common.h"

#define SIZE_MAX_BYTES	65000
#define MAX_LINES	100000000
#define ECHO_REQUEST_V4 8
#define ECHO_REQUEST_V6 128
#define ECHO_HEADER	8
#define POLL_MS		50 /* how often a blocked receive looks at the stop flag */

enum transport { TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_PING };

static struct talk {
	union address address;
	enum transport transport;
	bool listen, echo;
	uint64_t lines, after_ms, interval_ms, timeout_ms;
	size_t size;

	int fd;
	volatile sig_atomic_t stop;
	uint64_t said, bad, lost, bytes, longest_ns;
	const char *error;
} talk = { .interval_ms = 100, .timeout_ms = 10000, .size = 64, .fd = -1, .error = "" };

static void __attribute__((noreturn)) usage(void)
{
	die(EXIT_USAGE,
	    "usage: talk --connect|--listen ADDR:PORT --speak|--echo [--udp] [--lines N] [--size BYTES]\n"
	    "       talk --ping --connect ADDR:1 --speak ...\n"
	    "            [--after-ms T] [--interval-ms T] [--timeout-ms T]");
}

static void options_parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "connect", required_argument, NULL, 'c' },
		{ "listen", required_argument, NULL, 'l' },
		{ "speak", no_argument, NULL, 's' },
		{ "echo", no_argument, NULL, 'e' },
		{ "udp", no_argument, NULL, 'u' },
		{ "ping", no_argument, NULL, 'p' },
		{ "lines", required_argument, NULL, 'n' },
		{ "size", required_argument, NULL, 'b' },
		{ "after-ms", required_argument, NULL, 'a' },
		{ "interval-ms", required_argument, NULL, 'i' },
		{ "timeout-ms", required_argument, NULL, 't' },
		{ 0 },
	};
	bool role = false;
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (option) {
		case 'c':
		case 'l':
			endpoint_parse(option == 'l' ? "--listen" : "--connect", optarg, &talk.address);
			talk.listen = option == 'l';
			break;
		case 's':
		case 'e':
			talk.echo = option == 'e';
			role = true;
			break;
		case 'u':
			talk.transport = TRANSPORT_UDP;
			break;
		case 'p':
			talk.transport = TRANSPORT_PING;
			break;
		case 'n':
			talk.lines = number_parse("--lines", optarg, 1, MAX_LINES);
			break;
		case 'b':
			talk.size = number_parse("--size", optarg, ECHO_HEADER, SIZE_MAX_BYTES);
			break;
		case 'a':
			talk.after_ms = number_parse("--after-ms", optarg, 0, 600000);
			break;
		case 'i':
			talk.interval_ms = number_parse("--interval-ms", optarg, 0, 600000);
			break;
		case 't':
			talk.timeout_ms = number_parse("--timeout-ms", optarg, 1, 600000);
			break;
		default:
			usage();
		}
	}
	if (optind != argc || !talk.address.any.sa_family || !role)
		usage();
}

static void on_signal(int signal)
{
	(void)signal;
	talk.stop = 1;
}

static int socket_open(void)
{
	bool v6 = talk.address.any.sa_family == AF_INET6;
	int protocol = talk.transport != TRANSPORT_PING ? 0 : v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	int type = talk.transport == TRANSPORT_TCP ? SOCK_STREAM : SOCK_DGRAM, one = 1;
	int fd = socket(talk.address.any.sa_family, type | SOCK_CLOEXEC, protocol);
	struct timeval poll = { .tv_usec = POLL_MS * 1000 };

	if (fd < 0)
		die(EXIT_FAILURE, "socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &poll, sizeof(poll));
	return fd;
}

static void say_ready(void)
{
	union address local;
	socklen_t len = sizeof(local);

	if (getsockname(talk.fd, &local.any, &len))
		die(EXIT_FAILURE, "getsockname: %s", strerror(errno));
	printf("ready %u\n", ntohs(local.any.sa_family == AF_INET6 ? local.v6.sin6_port : local.v4.sin_port));
	fflush(stdout);
}

static void open_listening(void)
{
	int fd = socket_open();

	if (bind(fd, &talk.address.any, address_len(&talk.address)) ||
	    (talk.transport == TRANSPORT_TCP && listen(fd, 1)))
		die(EXIT_FAILURE, "listen: %s", strerror(errno));
	talk.fd = fd;
	say_ready();
	if (talk.transport != TRANSPORT_TCP)
		return;
	while ((talk.fd = accept(fd, NULL, NULL)) < 0 && !talk.stop)
		;
	close(fd);
	if (talk.fd >= 0)
		setsockopt(talk.fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ .tv_usec = POLL_MS * 1000 },
			   sizeof(struct timeval));
}

static void open_connecting(void)
{
	talk.fd = socket_open();
	if (connect(talk.fd, &talk.address.any, address_len(&talk.address))) {
		talk.error = errno == ECONNREFUSED ? "refused" : "no connection";
		return;
	}
	say_ready();
}

static void pause_ms(uint64_t ms)
{
	uint64_t end = now_ns() + ms * NS_PER_MS, now;

	while (!talk.stop && (now = now_ns()) < end) {
		uint64_t left = end - now < POLL_MS * NS_PER_MS ? end - now : POLL_MS * NS_PER_MS;

		nanosleep(&(struct timespec){ .tv_nsec = (long)left }, NULL);
	}
}

static void line_fill(uint8_t *line, uint64_t number)
{
	uint64_t state = number * 0x9e3779b97f4a7c15ULL + 1;

	for (size_t i = 0; i < talk.size; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		line[i] = (uint8_t)state;
	}
	if (talk.transport == TRANSPORT_PING) { /* type and code; the kernel writes the rest of the header */
		line[0] = talk.address.any.sa_family == AF_INET6 ? ECHO_REQUEST_V6 : ECHO_REQUEST_V4;
		line[1] = 0;
	}
}

/* Receives LEN bytes, or one datagram; false: they did not come, and talk.error says why if it is TCP. */
static bool line_receive(uint8_t *line, size_t len)
{
	uint64_t end = now_ns() + talk.timeout_ms * NS_PER_MS;
	bool tcp = talk.transport == TRANSPORT_TCP;
	size_t have = 0;

	while (have < len && now_ns() < end) {
		ssize_t got = recv(talk.fd, line + have, len - have, 0);

		if (got > 0 && !tcp)
			return (size_t)got == len;
		if (got > 0)
			have += (size_t)got;
		else if (!got && tcp)
			talk.error = "closed by the peer";
		else if (errno != EAGAIN && errno != EINTR && tcp)
			talk.error = errno == ECONNRESET ? "reset" : "receive failed";
		if (*talk.error)
			return false;
	}
	if (have < len && tcp)
		talk.error = "stalled";
	return have == len;
}

static void line_say(uint64_t number)
{
	static uint8_t out[SIZE_MAX_BYTES], in[SIZE_MAX_BYTES];
	size_t header = talk.transport == TRANSPORT_PING ? ECHO_HEADER : 0;
	uint64_t begin = now_ns();

	line_fill(out, number);
	if (send(talk.fd, out, talk.size, MSG_NOSIGNAL) != (ssize_t)talk.size) {
		if (talk.transport != TRANSPORT_TCP)
			talk.lost++;
		else
			talk.error = "send failed";
		return;
	}
	talk.said++;
	memset(in, 0, talk.size);
	if (!line_receive(in, talk.size)) {
		talk.lost++;
		return;
	}
	talk.bytes += talk.size;
	if (memcmp(in + header, out + header, talk.size - header) != 0)
		talk.bad++;
	if (now_ns() - begin > talk.longest_ns)
		talk.longest_ns = now_ns() - begin;
}

static void speak(void)
{
	pause_ms(talk.after_ms);
	for (uint64_t i = 0; !talk.stop && !*talk.error && (!talk.lines || i < talk.lines); i++) {
		if (i)
			pause_ms(talk.interval_ms);
		if (!talk.stop)
			line_say(i);
	}
}

static void echo(void)
{
	static uint8_t bytes[SIZE_MAX_BYTES];

	while (!talk.stop) {
		union address peer;
		socklen_t len = sizeof(peer);
		ssize_t got = recvfrom(talk.fd, bytes, sizeof(bytes), 0, &peer.any, &len);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got < 0)
			talk.error = "receive failed";
		if (got <= 0)
			return;
		if (sendto(talk.fd, bytes, (size_t)got, MSG_NOSIGNAL,
			   talk.transport == TRANSPORT_UDP ? &peer.any : NULL,
			   talk.transport == TRANSPORT_UDP ? len : 0) != got)
			talk.error = "send failed";
		talk.bytes += (uint64_t)got;
	}
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };

	options_parse(argc, argv);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (talk.listen)
		open_listening();
	else
		open_connecting();
	if (talk.fd >= 0 && !*talk.error) {
		if (talk.echo)
			echo();
		else
			speak();
	}
	printf("{\"lines\": %llu, \"bytes\": %llu, \"bad\": %llu, \"lost\": %llu, \"longest_ms\": %.1f, "
	       "\"error\": \"%s\"}\n",
	       (unsigned long long)talk.said, (unsigned long long)talk.bytes, (unsigned long long)talk.bad,
	       (unsigned long long)talk.lost, (double)talk.longest_ns / NS_PER_MS, talk.error);
	return EXIT_SUCCESS;
}
