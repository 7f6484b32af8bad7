// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ends: many connections that end in many ways. The client opens them, and sends on each a letter that says
 * who does what; "plan" below lists them. A server (--listen) does its part of each. Both then keep what they
 * still have open, answer EOF where the plan says so, and say "settled" when no connection has moved for a
 * moment; SIGTERM or SIGKILL ends them, and thereby all that is left.
 */
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "common.h"

#define MAX_COUNT 8000
#define QUIET_MS  700
#define MEET_NS	  (200 * NS_PER_MS) /* after the letter: when both close at once */

enum act { ACT_NOTHING, ACT_CLOSE, ACT_SHUTDOWN, ACT_ABORT, ACT_MEET, ACT_TALK };

/* What each does at once, and whether it closes when it reads EOF. */
static const struct plan {
	char letter;
	enum act client, server;
	bool client_follows, server_follows;
} plans[] = {
	{ 'i', ACT_NOTHING, ACT_NOTHING, false, false },  /* idle */
	{ 'c', ACT_CLOSE, ACT_NOTHING, false, true },	  /* client first */
	{ 's', ACT_NOTHING, ACT_CLOSE, true, false },	  /* server first */
	{ 'h', ACT_SHUTDOWN, ACT_NOTHING, false, false }, /* half-closed by the client, and left so */
	{ 'H', ACT_NOTHING, ACT_SHUTDOWN, false, false },
	{ 'd', ACT_SHUTDOWN, ACT_TALK, true, true },   /* half-closed, the server still talks */
	{ 'o', ACT_CLOSE, ACT_NOTHING, false, false }, /* client's orphan in FIN_WAIT_2 */
	{ 'O', ACT_NOTHING, ACT_CLOSE, false, false },
	{ 'a', ACT_ABORT, ACT_NOTHING, false, true },
	{ 'A', ACT_NOTHING, ACT_ABORT, true, false },
	{ 'b', ACT_MEET, ACT_MEET, false, false }, /* both at the same moment */
	{ 'u', ACT_CLOSE, ACT_TALK, false, true }, /* the server talks to a client that has gone: RST */
};

#define PLANS (sizeof(plans) / sizeof(*plans))

struct end {
	int fd; /* -1: closed */
	const struct plan *plan;
	uint64_t meet_ns;
};

static struct ends {
	union address address, source;
	bool listen;
	uint32_t count;
	uint64_t seed;
	struct end end[MAX_COUNT];
	struct pollfd poll[MAX_COUNT + 1];
	uint32_t used;
	int listener;
	uint64_t moved_ns;
	bool settled;
} ends = { .count = 100, .listener = -1 };

static void __attribute__((noreturn)) usage(void)
{
	die(EXIT_USAGE, "usage: ends --listen ADDR:PORT\n"
			"       ends --connect ADDR:PORT [--count N] [--seed N]");
}

static void options_parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "connect", required_argument, NULL, 'c' },
		{ "count", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (option) {
		case 'l':
			ends.listen = true;
			endpoint_parse("--listen", optarg, &ends.address);
			break;
		case 'c':
			endpoint_parse("--connect", optarg, &ends.address);
			break;
		case 'n':
			ends.count = (uint32_t)number_parse("--count", optarg, 1, MAX_COUNT);
			break;
		case 's':
			ends.seed = number_parse("--seed", optarg, 0, UINT32_MAX);
			break;
		default:
			usage();
		}
	}
	if (optind < argc || !ends.address.any.sa_family)
		usage();
}

static uint32_t random_next(void)
{
	ends.seed = ends.seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(ends.seed >> 33);
}

static void end_close(struct end *e)
{
	close(e->fd);
	e->fd = -1;
}

static void end_act(struct end *e, enum act act)
{
	static const struct linger hard = { .l_onoff = 1 };

	ends.moved_ns = now_ns();
	switch (act) {
	case ACT_NOTHING:
	case ACT_MEET:
		break;
	case ACT_CLOSE:
		end_close(e);
		break;
	case ACT_SHUTDOWN:
		shutdown(e->fd, SHUT_WR);
		break;
	case ACT_ABORT:
		setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		end_close(e);
		break;
	case ACT_TALK:
		for (int i = 0; i < 10; i++)
			if (send(e->fd, "some more\n", 10, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
				break;
		break;
	}
}

/* The letter, and for a meeting its time on the clock that both ends share. */
static void end_begin(struct end *e)
{
	char message[9] = { e->plan->letter };

	e->meet_ns = now_ns() + MEET_NS;
	memcpy(message + 1, &e->meet_ns, sizeof(e->meet_ns));
	if (send(e->fd, message, sizeof(message), MSG_NOSIGNAL) != sizeof(message))
		die(EXIT_FAILURE, "send: %s", strerror(errno));
	end_act(e, e->plan->client);
}

static void end_learn(struct end *e)
{
	char message[9];

	if (recv(e->fd, message, sizeof(message), MSG_WAITALL) != sizeof(message)) {
		end_close(e);
		return;
	}
	memcpy(&e->meet_ns, message + 1, sizeof(e->meet_ns));
	for (size_t i = 0; i < PLANS; i++)
		if (plans[i].letter == message[0])
			e->plan = &plans[i];
	if (e->plan)
		end_act(e, e->plan->server);
}

/* Something came: the letter, talk, EOF or a RST. */
static void end_read(struct end *e, struct pollfd *p)
{
	bool follows = e->plan && (ends.listen ? e->plan->server_follows : e->plan->client_follows);
	char bytes[256];
	ssize_t got;

	if (!e->plan) {
		end_learn(e);
		return;
	}
	got = recv(e->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (got > 0 || (got < 0 && errno == EAGAIN))
		return;
	ends.moved_ns = now_ns();
	if (follows || got < 0)
		end_close(e);
	else
		p->events = 0; /* EOF would be told for ever */
}

static void end_meet(struct end *e)
{
	if (e->plan && e->fd >= 0 && e->plan->client == ACT_MEET && now_ns() >= e->meet_ns)
		end_act(e, ACT_CLOSE);
}

static void connections_accept(void)
{
	int fd = accept(ends.listener, NULL, NULL);

	if (fd < 0 || ends.used == MAX_COUNT)
		die(EXIT_FAILURE, "accept: %s", strerror(errno));
	ends.end[ends.used] = (struct end){ .fd = fd };
	ends.poll[ends.used++].events = POLLIN;
	ends.moved_ns = now_ns();
}

static void connections_open(void)
{
	for (uint32_t i = 0; i < ends.count; i++) {
		int fd = socket(ends.address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

		if (fd < 0 || connect(fd, &ends.address.any, address_len(&ends.address)))
			die(EXIT_FAILURE, "connect: %s", strerror(errno));
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		ends.end[i] = (struct end){ .fd = fd, .plan = &plans[random_next() % PLANS] };
		ends.poll[i].events = POLLIN;
		ends.used = i + 1;
		end_begin(&ends.end[i]);
	}
}

static void listener_open(void)
{
	int one = 1;

	ends.listener = socket(ends.address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(ends.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ends.listener < 0 || bind(ends.listener, &ends.address.any, address_len(&ends.address)) ||
	    listen(ends.listener, 4096))
		die(EXIT_FAILURE, "listen: %s", strerror(errno));
	puts("ready");
	fflush(stdout);
}

static void say_settled(void)
{
	if (ends.settled || !ends.used || now_ns() - ends.moved_ns < QUIET_MS * NS_PER_MS)
		return;
	ends.settled = true;
	puts("settled");
	fflush(stdout);
}

static void run(void)
{
	for (;;) {
		for (uint32_t i = 0; i < ends.used; i++)
			ends.poll[i].fd = ends.poll[i].events ? ends.end[i].fd : -1;
		ends.poll[ends.used] = (struct pollfd){ .fd = ends.listener, .events = POLLIN };
		poll(ends.poll, ends.used + 1, 10);
		if (ends.poll[ends.used].revents)
			connections_accept();
		for (uint32_t i = 0; i < ends.used; i++) {
			if (ends.end[i].fd >= 0 && ends.poll[i].fd >= 0 && ends.poll[i].revents)
				end_read(&ends.end[i], &ends.poll[i]);
			end_meet(&ends.end[i]);
		}
		say_settled();
	}
}

int main(int argc, char **argv)
{
	struct rlimit files = { MAX_COUNT + 100, MAX_COUNT + 100 };

	options_parse(argc, argv);
	setrlimit(RLIMIT_NOFILE, &files);
	if (ends.listen)
		listener_open();
	else
		connections_open();
	run();
}
