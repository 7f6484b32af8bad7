// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * probe: makes real connections with the kernel's own TCP, times them, and says in one JSON line how many
 * worked and how the others failed. Exits 0 whenever it ran; the verdict is the reader's.
 */
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "common.h"

#define MAX_COUNT	10000000
#define MAX_CONCURRENCY 20000
#define MAX_SOURCES	256
#define MAX_EVENTS	256
#define FAILED_PORTS	50
#define REPLY_MAX	512
#define MAX_LATE	8 /* intervals */

enum protocol { PROTOCOL_CLIENT, PROTOCOL_SERVER, PROTOCOL_HTTP, PROTOCOL_CLOSE };

static const char *const protocol_names[] = {
	[PROTOCOL_CLIENT] = "client", /* we speak first, our line comes back */
	[PROTOCOL_SERVER] = "server", /* the server speaks first, then we */
	[PROTOCOL_HTTP] = "http",
	[PROTOCOL_CLOSE] = "close", /* no data: we close, the server closes */
};

enum failure {
	FAILED_CONNECT_TIMEOUT,
	FAILED_REFUSED,
	FAILED_RESET,
	FAILED_IO_TIMEOUT,
	FAILED_BAD_DATA,
	FAILED_LOCAL,
	FAILED_KINDS
};

static const char *const failure_names[FAILED_KINDS] = {
	[FAILED_CONNECT_TIMEOUT] = "connect_timeout",
	[FAILED_REFUSED] = "refused",
	[FAILED_RESET] = "reset",
	[FAILED_IO_TIMEOUT] = "io_timeout",
	[FAILED_BAD_DATA] = "bad_data",
	[FAILED_LOCAL] = "local", /* the attempt never left this host */
};

enum state { STATE_FREE, STATE_CONNECTING, STATE_WAITING };

struct attempt {
	int fd;
	enum state state;
	uint64_t start_ns, connected_ns, first_byte_ns;
	size_t received;
	char reply[REPLY_MAX];
};

/* Durations of the successful attempts, in ns, by order of success. */
struct durations {
	uint64_t *connect, *first_byte, *total;
};

static struct prober {
	union address target;
	union address sources[MAX_SOURCES];
	unsigned int source_count;
	unsigned int count, concurrency;
	uint64_t interval_ns, timeout_ns;
	enum protocol protocol;

	int epoll;
	struct attempt *attempts;
	uint64_t next_start_ns;
	unsigned int started, running;
	unsigned int successes, failures[FAILED_KINDS];
	struct durations durations;
	uint16_t failed_ports[FAILED_PORTS];
	unsigned int failed_port_count;
} prober = { .concurrency = 1, .timeout_ns = 3000 * NS_PER_MS };

static const char line[] = "synmoat probe\n";
static const char quit[] = "quit\r\n";
static const char http_request[] = "GET / HTTP/1.0\r\nHost: lab\r\n\r\n";

static void __attribute__((noreturn)) usage(void)
{
	die(EXIT_USAGE,
	    "usage: probe --connect ADDR:PORT --count N [--concurrency C] [--interval-us U]\n"
	    "             [--protocol client|server|http|close] [--timeout-ms T] [--source ADDR,...]");
}

/* LAB_PATIENCE of the lab: so many times as long may an attempt take. */
static uint64_t patience(void)
{
	const char *times = getenv("LAB_PATIENCE");

	return times ? number_parse("LAB_PATIENCE", times, 1, 1000) : 1;
}

static enum protocol protocol_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(protocol_names) / sizeof(*protocol_names); i++)
		if (!strcmp(protocol_names[i], name))
			return (enum protocol)i;
	usage();
}

static void sources_parse(char *text)
{
	for (char *source = strtok(text, ","); source; source = strtok(NULL, ",")) {
		if (prober.source_count == MAX_SOURCES)
			die(EXIT_USAGE, "--source: at most %d addresses", MAX_SOURCES);
		address_parse("--source", source, &prober.sources[prober.source_count++]);
	}
}

static void options_parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "connect", required_argument, NULL, 'd' },
		{ "count", required_argument, NULL, 'n' },
		{ "concurrency", required_argument, NULL, 'c' },
		{ "interval-us", required_argument, NULL, 'i' },
		{ "protocol", required_argument, NULL, 'p' },
		{ "timeout-ms", required_argument, NULL, 't' },
		{ "source", required_argument, NULL, 's' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (option) {
		case 'd':
			endpoint_parse("--connect", optarg, &prober.target);
			break;
		case 'n':
			prober.count = (unsigned int)number_parse("--count", optarg, 1, MAX_COUNT);
			break;
		case 'c':
			prober.concurrency =
				(unsigned int)number_parse("--concurrency", optarg, 1, MAX_CONCURRENCY);
			break;
		case 'i':
			prober.interval_ns = number_parse("--interval-us", optarg, 0, 60000000) * NS_PER_US;
			break;
		case 'p':
			prober.protocol = protocol_parse(optarg);
			break;
		case 't':
			prober.timeout_ns = number_parse("--timeout-ms", optarg, 1, 600000) * NS_PER_MS;
			break;
		case 's':
			sources_parse(optarg);
			break;
		default:
			usage();
		}
	}
	if (optind != argc || !prober.target.any.sa_family || !prober.count)
		usage();
	for (unsigned int i = 0; i < prober.source_count; i++)
		if (prober.sources[i].any.sa_family != prober.target.any.sa_family)
			die(EXIT_USAGE, "--source and --connect: one is IPv4, the other IPv6");
	prober.timeout_ns *= patience();
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		die(EXIT_FAILURE, "out of memory");
	return memory;
}

static void attempt_close(struct attempt *attempt)
{
	if (attempt->fd >= 0)
		close(attempt->fd);
	attempt->state = STATE_FREE;
	prober.running--;
}

static void attempt_succeed(struct attempt *attempt, uint64_t now)
{
	unsigned int i = prober.successes++;

	prober.durations.connect[i] = attempt->connected_ns - attempt->start_ns;
	prober.durations.first_byte[i] = attempt->first_byte_ns - attempt->start_ns;
	prober.durations.total[i] = now - attempt->start_ns;
	attempt_close(attempt);
}

static void attempt_fail(struct attempt *attempt, enum failure why)
{
	union address local;
	socklen_t len = sizeof(local);

	prober.failures[why]++;
	if (attempt->fd >= 0 && prober.failed_port_count < FAILED_PORTS &&
	    !getsockname(attempt->fd, &local.any, &len))
		prober.failed_ports[prober.failed_port_count++] =
			ntohs(local.any.sa_family == AF_INET6 ? local.v6.sin6_port : local.v4.sin_port);
	attempt_close(attempt);
}

static enum failure failure_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return FAILED_REFUSED;
	case ECONNRESET:
	case EPIPE:
		return FAILED_RESET;
	case ETIMEDOUT:
		return FAILED_CONNECT_TIMEOUT;
	default:
		return FAILED_LOCAL;
	}
}

static int socket_open(void)
{
	int fd = socket(prober.target.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
	const union address *source;

	if (fd < 0 || !prober.source_count)
		return fd;
	source = &prober.sources[prober.started % prober.source_count];
	/* The port is chosen by connect, when the whole 4-tuple is known. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	if (bind(fd, &source->any, address_len(source))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void attempt_start(struct attempt *attempt)
{
	struct epoll_event event = { .events = EPOLLOUT, .data.ptr = attempt };

	*attempt = (struct attempt){ .fd = socket_open(), .state = STATE_CONNECTING };
	prober.started++;
	prober.running++;
	attempt->start_ns = now_ns();
	if (attempt->fd < 0 ||
	    (connect(attempt->fd, &prober.target.any, address_len(&prober.target)) && errno != EINPROGRESS)) {
		attempt_fail(attempt, attempt->fd < 0 ? FAILED_LOCAL : failure_of(errno));
		return;
	}
	if (epoll_ctl(prober.epoll, EPOLL_CTL_ADD, attempt->fd, &event))
		die(EXIT_FAILURE, "epoll_ctl: %s", strerror(errno));
}

static bool bytes_send(const struct attempt *attempt, const char *bytes, size_t len)
{
	return send(attempt->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* Sends what the protocol begins with. */
static bool exchange_begin(const struct attempt *attempt)
{
	switch (prober.protocol) {
	case PROTOCOL_CLIENT:
		return bytes_send(attempt, line, sizeof(line) - 1);
	case PROTOCOL_SERVER:
		return true;
	case PROTOCOL_HTTP:
		return bytes_send(attempt, http_request, sizeof(http_request) - 1);
	case PROTOCOL_CLOSE:
		return !shutdown(attempt->fd, SHUT_WR);
	}
	return false;
}

static void attempt_connected(struct attempt *attempt, uint64_t now)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = attempt };
	socklen_t len = sizeof(int);
	int error = 0;

	getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		attempt_fail(attempt, failure_of(error));
		return;
	}
	attempt->connected_ns = now;
	attempt->state = STATE_WAITING;
	if (!exchange_begin(attempt))
		attempt_fail(attempt, failure_of(errno));
	else if (epoll_ctl(prober.epoll, EPOLL_CTL_MOD, attempt->fd, &event))
		die(EXIT_FAILURE, "epoll_ctl: %s", strerror(errno));
}

enum answer { ANSWER_PART, ANSWER_GOOD, ANSWER_BAD };

static enum answer starts_with(const struct attempt *attempt, const char *expected, size_t len)
{
	size_t have = attempt->received < len ? attempt->received : len;

	if (memcmp(attempt->reply, expected, have) != 0)
		return ANSWER_BAD;
	return have == len ? ANSWER_GOOD : ANSWER_PART;
}

static enum answer answer_judge(const struct attempt *attempt)
{
	switch (prober.protocol) {
	case PROTOCOL_CLIENT:
		return starts_with(attempt, line, sizeof(line) - 1);
	case PROTOCOL_SERVER:
		return memchr(attempt->reply, '\n', attempt->received) ? ANSWER_GOOD : ANSWER_PART;
	case PROTOCOL_HTTP:
		if (starts_with(attempt, "HTTP/1.", 7) != ANSWER_GOOD)
			return starts_with(attempt, "HTTP/1.", 7);
		if (attempt->received < 12)
			return ANSWER_PART;
		return memcmp(attempt->reply + 8, " 200", 4) ? ANSWER_BAD : ANSWER_GOOD;
	case PROTOCOL_CLOSE:
		return ANSWER_BAD;
	}
	return ANSWER_BAD;
}

static void attempt_readable(struct attempt *attempt, uint64_t now)
{
	ssize_t len = recv(attempt->fd, attempt->reply + attempt->received, REPLY_MAX - attempt->received, 0);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (!attempt->first_byte_ns)
		attempt->first_byte_ns = now;
	if (len < 0) {
		attempt_fail(attempt, errno == ETIMEDOUT ? FAILED_IO_TIMEOUT : failure_of(errno));
		return;
	}
	if (!len) {
		if (prober.protocol == PROTOCOL_CLOSE)
			attempt_succeed(attempt, now);
		else
			attempt_fail(attempt, FAILED_BAD_DATA);
		return;
	}
	attempt->received += (size_t)len;
	switch (answer_judge(attempt)) {
	case ANSWER_GOOD:
		if (prober.protocol == PROTOCOL_SERVER && !bytes_send(attempt, quit, sizeof(quit) - 1))
			attempt_fail(attempt, failure_of(errno));
		else
			attempt_succeed(attempt, now);
		break;
	case ANSWER_PART:
		if (attempt->received == REPLY_MAX)
			attempt_fail(attempt, FAILED_BAD_DATA);
		break;
	case ANSWER_BAD:
		attempt_fail(attempt, FAILED_BAD_DATA);
		break;
	}
}

/* Starts what is due; returns when to look again. Much lateness is forgotten: no burst makes good for it. */
static uint64_t attempts_start(void)
{
	uint64_t now = now_ns();

	for (unsigned int i = 0; i < prober.concurrency && prober.started < prober.count; i++) {
		if (prober.next_start_ns > now)
			return prober.next_start_ns;
		if (prober.attempts[i].state != STATE_FREE)
			continue;
		attempt_start(&prober.attempts[i]);
		prober.next_start_ns += prober.interval_ns;
		if (prober.next_start_ns + MAX_LATE * prober.interval_ns < now)
			prober.next_start_ns = now;
	}
	return UINT64_MAX;
}

/* Fails what has taken too long; returns when the next one will have. */
static uint64_t attempts_expire(void)
{
	uint64_t now = now_ns(), next = UINT64_MAX;

	for (unsigned int i = 0; i < prober.concurrency; i++) {
		struct attempt *attempt = &prober.attempts[i];
		uint64_t end = attempt->start_ns + prober.timeout_ns;

		if (attempt->state == STATE_FREE)
			continue;
		if (end <= now)
			attempt_fail(attempt, attempt->state == STATE_CONNECTING ? FAILED_CONNECT_TIMEOUT
										 : FAILED_IO_TIMEOUT);
		else if (end < next)
			next = end;
	}
	return next;
}

static void events_handle(uint64_t until)
{
	struct epoll_event events[MAX_EVENTS];
	uint64_t now = now_ns(), wait_ns = until > now ? until - now : 0;
	struct timespec wait = { (time_t)(wait_ns / NS_PER_SEC), (long)(wait_ns % NS_PER_SEC) };
	int count = epoll_pwait2(prober.epoll, events, MAX_EVENTS, &wait, NULL);

	for (int i = 0; i < count; i++) {
		struct attempt *attempt = events[i].data.ptr;

		now = now_ns();
		if (attempt->state == STATE_CONNECTING)
			attempt_connected(attempt, now);
		else if (attempt->state == STATE_WAITING)
			attempt_readable(attempt, now);
	}
}

static void prober_run(void)
{
	uint64_t next_expiry = 0, checked = 0;

	prober.next_start_ns = now_ns();
	while (prober.started < prober.count || prober.running) {
		uint64_t next_start = attempts_start();

		/* Walking all attempts costs time: at most once a millisecond. */
		if (now_ns() >= checked + NS_PER_MS) {
			checked = now_ns();
			next_expiry = attempts_expire();
		}
		if (prober.started == prober.count && !prober.running)
			break;
		if (next_expiry < checked + NS_PER_MS || next_expiry == UINT64_MAX)
			next_expiry = checked + NS_PER_MS;
		events_handle(next_start < next_expiry ? next_start : next_expiry);
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void durations_print(const char *name, uint64_t *values)
{
	unsigned int n = prober.successes;

	printf("\"%s\": ", name);
	if (!n) {
		printf("null");
		return;
	}
	qsort(values, n, sizeof(*values), compare);
	printf("{\"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"max\": %.3f}",
	       (double)values[n / 2] / NS_PER_MS, (double)values[(uint64_t)n * 90 / 100] / NS_PER_MS,
	       (double)values[(uint64_t)n * 99 / 100] / NS_PER_MS, (double)values[n - 1] / NS_PER_MS);
}

static void report(double seconds)
{
	printf("{\"attempts\": %u, \"successes\": %u, \"seconds\": %.3f, \"per_second\": %.0f, \"failures\": "
	       "{",
	       prober.started, prober.successes, seconds, prober.successes / seconds);
	for (int i = 0; i < FAILED_KINDS; i++)
		printf("%s\"%s\": %u", i ? ", " : "", failure_names[i], prober.failures[i]);
	printf("}, ");
	durations_print("connect_ms", prober.durations.connect);
	printf(", ");
	durations_print("first_byte_ms", prober.durations.first_byte);
	printf(", ");
	durations_print("total_ms", prober.durations.total);
	printf(", \"failed_ports\": [");
	for (unsigned int i = 0; i < prober.failed_port_count; i++)
		printf("%s%u", i ? ", " : "", prober.failed_ports[i]);
	printf("]}\n");
}

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	uint64_t begin;

	options_parse(argc, argv);
	setrlimit(RLIMIT_NOFILE, &files);
	prober.epoll = epoll_create1(EPOLL_CLOEXEC);
	prober.attempts = allocate(prober.concurrency, sizeof(*prober.attempts));
	prober.durations.connect = allocate(prober.count, sizeof(uint64_t));
	prober.durations.first_byte = allocate(prober.count, sizeof(uint64_t));
	prober.durations.total = allocate(prober.count, sizeof(uint64_t));
	begin = now_ns();
	prober_run();
	report((double)(now_ns() - begin) / 1e9);
	return EXIT_SUCCESS;
}
