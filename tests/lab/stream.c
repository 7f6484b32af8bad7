// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stream: moves bytes over one TCP connection as fast as it goes. Either end connects, either sends: from a
 * file, again and again until it has sent what it was told, to a file or to nowhere. The end that receives
 * says how long it took from the first byte to the last, in one JSON line.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common.h"

#define CHUNK (256 * 1024)

static struct stream {
	union address address;
	bool listen;
	const char *from, *to;
	uint64_t bytes;
} stream;

static void __attribute__((noreturn)) usage(void)
{
	die(EXIT_USAGE, "usage: stream --connect|--listen ADDR:PORT --send FILE --bytes N\n"
			"       stream --connect|--listen ADDR:PORT --receive [--to FILE]");
}

static void options_parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "connect", required_argument, NULL, 'c' },
		{ "listen", required_argument, NULL, 'l' },
		{ "send", required_argument, NULL, 's' },
		{ "bytes", required_argument, NULL, 'n' },
		{ "receive", no_argument, NULL, 'r' },
		{ "to", required_argument, NULL, 't' },
		{ 0 },
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
		default:
			usage();
		}
	}
	if (optind != argc || !stream.address.any.sa_family || !stream.from == !receive ||
	    !stream.from == !!stream.bytes)
		usage();
}

static int connection_open(void)
{
	int fd = socket(stream.address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, connection;

	if (fd < 0)
		die(EXIT_FAILURE, "socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!stream.listen) {
		if (connect(fd, &stream.address.any, address_len(&stream.address)))
			die(EXIT_FAILURE, "connect: %s", strerror(errno));
		return fd;
	}
	if (bind(fd, &stream.address.any, address_len(&stream.address)) || listen(fd, 16))
		die(EXIT_FAILURE, "listen: %s", strerror(errno));
	puts("ready");
	fflush(stdout);
	connection = accept(fd, NULL, NULL);
	if (connection < 0)
		die(EXIT_FAILURE, "accept: %s", strerror(errno));
	close(fd);
	return connection;
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
	if (stream.from)
		file_send(connection);
	else
		bytes_receive(connection);
	return EXIT_SUCCESS;
}
