// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stream: moves bytes over one TCP connection as fast as it goes. Either end connects, either sends: from a
 * file, again and again until it has sent what it was told, to a file or to nowhere. The end that receives
 * says how long it took from the first byte to the last, in one JSON line. Initial sequence numbers may be
 * chosen: the connecting end's own by --isn, its peer's (as it sees it) and the listening end's own by
 * --near, trying until it fits.
 */
#include <fcntl.h>
#include <getopt.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common.h"

#define CHUNK	   (256 * 1024)
#define SPACE	   (1ULL << 32) /* of sequence numbers */
#define MAX_TRIES  1000000
#define LOOK_EVERY 10 /* ms, for the file that says go */

static struct stream {
	union address address;
	bool listen;
	const char *from, *to;
	uint64_t bytes;
	uint64_t isn;  /* 0: the kernel's */
	uint64_t near; /* at most so many bytes before the number space ends; 0: any */
	const char *go;
} stream;

static void __attribute__((noreturn)) usage(void)
{
	die(EXIT_USAGE, "usage: stream --connect|--listen ADDR:PORT --send FILE --bytes N\n"
			"       stream --connect|--listen ADDR:PORT --receive [--to FILE]\n"
			"              [--isn N] [--near BYTES (both ends or neither)] [--go FILE, which "
			"says when to send]");
}

static void options_parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "connect", required_argument, NULL, 'c' }, { "listen", required_argument, NULL, 'l' },
		{ "send", required_argument, NULL, 's' },    { "bytes", required_argument, NULL, 'n' },
		{ "receive", no_argument, NULL, 'r' },	     { "to", required_argument, NULL, 't' },
		{ "isn", required_argument, NULL, 'i' },     { "near", required_argument, NULL, 'd' },
		{ "go", required_argument, NULL, 'g' },	     { 0 },
	};
	bool receive = false;
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (option) {
		case 'c':
		case 'l':
			endpoint_parse(option == 'l' ? "--listen" : "--connect", optarg, &stream.address);
			stream.listen = option == 'l';
			break;
		case 's':
			stream.from = optarg;
			break;
		case 'n':
			stream.bytes = number_parse("--bytes", optarg, 1, 1ULL << 40);
			break;
		case 'r':
			receive = true;
			break;
		case 't':
			stream.to = optarg;
			break;
		case 'i':
			stream.isn = number_parse("--isn", optarg, 1, SPACE - 1);
			break;
		case 'd':
			stream.near = number_parse("--near", optarg, 1, SPACE);
			break;
		case 'g':
			stream.go = optarg;
			break;
		default:
			usage();
		}
	}
	if (optind != argc || !stream.address.any.sa_family || !stream.from == !receive ||
	    !stream.from == !!stream.bytes)
		usage();
}

/* --- initial sequence numbers, by the kernel's interface for restoring connections --- */

static void tcp_set(int fd, int option, int value)
{
	if (setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value)))
		die(EXIT_FAILURE, "setsockopt %d: %s", option, strerror(errno));
}

static void isn_set(int fd, uint32_t isn)
{
	tcp_set(fd, TCP_REPAIR, TCP_REPAIR_ON);
	tcp_set(fd, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
	tcp_set(fd, TCP_QUEUE_SEQ, (int)isn);
	tcp_set(fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
}

/* QUEUE's next sequence number, before anything was sent or received, less one. */
static uint32_t isn_get(int fd, int queue)
{
	uint32_t next = 0;
	socklen_t len = sizeof(next);

	tcp_set(fd, TCP_REPAIR, TCP_REPAIR_ON);
	tcp_set(fd, TCP_REPAIR_QUEUE, queue);
	if (getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &next, &len))
		die(EXIT_FAILURE, "TCP_QUEUE_SEQ: %s", strerror(errno));
	tcp_set(fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)); /* which that has cleared */
	return next - 1;
}

/* Both ends must like the numbers that they see: the listening one says so first. */
static bool connection_suits(int fd)
{
	const struct linger reset = { .l_onoff = 1 };
	uint32_t isn = isn_get(fd, stream.listen ? TCP_SEND_QUEUE : TCP_RECV_QUEUE);
	bool suits = SPACE - isn <= stream.near;
	char word = 'k';

	if (suits && stream.listen)
		suits = send(fd, &word, 1, MSG_NOSIGNAL) == 1 && recv(fd, &word, 1, 0) == 1;
	else if (suits)
		suits = recv(fd, &word, 1, 0) == 1 && send(fd, &word, 1, MSG_NOSIGNAL) == 1;
	if (suits) {
		printf("%s %u bytes before the end\n", stream.listen ? "own" : "peer", (uint32_t)(0 - isn));
		return true;
	}
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return false;
}

/* --- connections --- */

static int socket_open(void)
{
	int fd = socket(stream.address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		die(EXIT_FAILURE, "socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

/* Each with an ISN of its own, lest the last try's be taken for it. */
static int connection_make(int number)
{
	int fd = socket_open();

	if (stream.isn)
		isn_set(fd, (uint32_t)stream.isn - (uint32_t)number);
	if (connect(fd, &stream.address.any, address_len(&stream.address)))
		die(EXIT_FAILURE, "connect: %s", strerror(errno));
	return fd;
}

static int connection_accept(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		die(EXIT_FAILURE, "accept: %s", strerror(errno));
	return fd;
}

static int connection_open(void)
{
	int listener = -1, fd = -1;

	if (stream.listen) {
		listener = socket_open();
		if (bind(listener, &stream.address.any, address_len(&stream.address)) || listen(listener, 16))
			die(EXIT_FAILURE, "listen: %s", strerror(errno));
		puts("ready");
		fflush(stdout);
	}
	for (int i = 0; i < MAX_TRIES; i++) {
		fd = stream.listen ? connection_accept(listener) : connection_make(i);
		if (!stream.near || connection_suits(fd))
			break;
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		die(EXIT_FAILURE, "no connection had the sequence numbers wanted");
	if (listener >= 0)
		close(listener);
	if (stream.go || stream.near)
		puts("connected");
	fflush(stdout);
	return fd;
}

static void wait_to_go(void)
{
	while (stream.go && access(stream.go, F_OK))
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_EVERY * NS_PER_MS }, NULL);
}

static void file_send(int connection)
{
	int fd = open(stream.from, O_RDONLY | O_CLOEXEC);
	struct stat status;
	uint64_t sent = 0, size;
	uint8_t *file;

	if (fd < 0 || fstat(fd, &status) || status.st_size <= 0)
		die(EXIT_FAILURE, "%s: cannot read it", stream.from);
	size = (uint64_t)status.st_size;
	file = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (file == MAP_FAILED)
		die(EXIT_FAILURE, "%s: %s", stream.from, strerror(errno));
	while (sent < stream.bytes) {
		uint64_t at = sent % size, left = stream.bytes - sent,
			 len = size - at < CHUNK ? size - at : CHUNK;
		ssize_t done = send(connection, file + at, len < left ? len : left, MSG_NOSIGNAL);

		if (done < 0)
			die(EXIT_FAILURE, "send: %s", strerror(errno));
		sent += (uint64_t)done;
	}
	shutdown(connection, SHUT_WR);
	if (recv(connection, &(char){ 0 }, 1, 0)) /* the other end has it all when it closes */
		die(EXIT_FAILURE, "the receiver did not close cleanly");
}

static void bytes_receive(int connection)
{
	int out = stream.to ? open(stream.to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	static uint8_t bytes[CHUNK];
	uint64_t total = 0, begin = 0;
	double seconds;
	ssize_t got;

	if (stream.to && out < 0)
		die(EXIT_FAILURE, "%s: %s", stream.to, strerror(errno));
	while ((got = recv(connection, bytes, sizeof(bytes), 0)) > 0) {
		if (!begin)
			begin = now_ns();
		total += (uint64_t)got;
		if (out >= 0 && write(out, bytes, (size_t)got) != got)
			die(EXIT_FAILURE, "%s: %s", stream.to, strerror(errno));
	}
	if (got < 0)
		die(EXIT_FAILURE, "receive: %s", strerror(errno));
	seconds = begin ? (double)(now_ns() - begin) / 1e9 : 0;
	printf("{\"bytes\": %llu, \"seconds\": %.6f, \"mbit_per_s\": %.1f}\n", (unsigned long long)total,
	       seconds, seconds > 0 ? (double)total * 8 / seconds / 1e6 : 0);
}

int main(int argc, char **argv)
{
	int connection;

	options_parse(argc, argv);
	connection = connection_open();
	wait_to_go();
	if (stream.from)
		file_send(connection);
	else
		bytes_receive(connection);
	return EXIT_SUCCESS;
}
