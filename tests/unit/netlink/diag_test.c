// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Questions about single sockets, to the kernel itself, over loopback in a network namespace of its own: a
 * server that is bound to its interface is found, asked for and ended as any other.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/netlink/diag.h"

#define LOOPBACK "lo"

static bool alone; /* root, in a network namespace of our own */

struct talk {
	int listener, client, server;
	struct tuple tuple;
};

static void bring_up(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	request.ifr_flags = IFF_UP;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	return fd;
}

/* BOUND: the server, to its interface. */
static struct talk talk_begin(bool bound)
{
	struct talk t = { .listener = open_socket(), .client = open_socket() };
	struct sockaddr_in server = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
			   client;
	socklen_t length = sizeof(server);

	if (bound)
		assert_int_equal(
			setsockopt(t.listener, SOL_SOCKET, SO_BINDTODEVICE, LOOPBACK, sizeof(LOOPBACK)), 0);
	assert_int_equal(bind(t.listener, (struct sockaddr *)&server, length), 0);
	assert_int_equal(listen(t.listener, 1), 0);
	assert_int_equal(getsockname(t.listener, (struct sockaddr *)&server, &length), 0);
	assert_int_equal(connect(t.client, (struct sockaddr *)&server, length), 0);
	t.server = accept4(t.listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(t.server >= 0);
	assert_int_equal(getsockname(t.client, (struct sockaddr *)&client, &length), 0);
	t.tuple.client_port = client.sin_port;
	t.tuple.server_port = server.sin_port;
	t.tuple.client[2] = t.tuple.server[2] = htonl(0xffff);
	t.tuple.client[3] = t.tuple.server[3] = htonl(INADDR_LOOPBACK);
	return t;
}

static void talk_end(const struct talk *t)
{
	close(t->client);
	close(t->server);
	close(t->listener);
}

/* In a network namespace of our own; without one the test is skipped. */
static struct mnl_socket *diag_of_our_own(void)
{
	struct mnl_socket *diag;

	if (!alone)
		skip();
	bring_up(LOOPBACK);
	diag = diag_open();
	assert_non_null(diag);
	return diag;
}

static void servers_are_found_and_ended(void **state)
{
	unsigned int ifindex = if_nametoindex(LOOPBACK);
	struct mnl_socket *diag;
	struct diag_traffic traffic;

	(void)state;
	diag = diag_of_our_own();
	for (int bound = 0; bound < 2; bound++) {
		struct talk t = talk_begin(bound);

		assert_int_equal(diag_find(diag, &t.tuple, ifindex), TCP_ESTABLISHED);
		assert_int_equal(diag_find_traffic(diag, &t.tuple, ifindex, &traffic), 0);
		assert_true(traffic.known);
		assert_int_equal(diag_destroy(diag, &t.tuple, ifindex), 0);
		assert_int_equal(diag_find(diag, &t.tuple, ifindex), -ENOENT);
		talk_end(&t);
	}
	diag_close(diag);
}

/* Another connection's socket, or none but the listener, is not taken for it. */
static void others_are_not_found(void **state)
{
	unsigned int ifindex = if_nametoindex(LOOPBACK);
	struct mnl_socket *diag;
	struct talk t;

	(void)state;
	diag = diag_of_our_own();
	t = talk_begin(true);
	t.tuple.client_port ^= htons(1);
	assert_int_equal(diag_find(diag, &t.tuple, ifindex), -ENOENT);
	assert_int_equal(diag_destroy(diag, &t.tuple, ifindex), -ENOENT);
	talk_end(&t);
	diag_close(diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_are_found_and_ended),
		cmocka_unit_test(others_are_not_found),
	};

	alone = !geteuid() && !unshare(CLONE_NEWNET);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
