/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole server on a socket in a folder of its own, in one event loop with the test; only methods that
 * need no engine are called. Hostile and slow clients, the limit of clients, stale sockets, a message in
 * pieces.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-event.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/control/control.h"
#include "daemon/control/protocol.h"

#define VERSION_CALL  "{\"method\":\"" METHOD_VERSION "\"}"
#define VERSION_REPLY "{\"parameters\":{\"version\":\"" SYNMOAT_VERSION "\"}}"
#define CLIENTS_MAX   256

static const struct control_parts no_parts;

struct server {
	char folder[32], path[64];
	sd_event *event;
	struct control *control;
};

static int set_up(void **state)
{
	struct server *server = calloc(1, sizeof(*server));

	snprintf(server->folder, sizeof(server->folder), "/tmp/control.XXXXXX");
	assert_non_null(mkdtemp(server->folder));
	snprintf(server->path, sizeof(server->path), "%s/control.sock", server->folder);
	assert_true(sd_event_new(&server->event) >= 0);
	assert_int_equal(control_new(&server->control, server->event, &no_parts, -1, server->path, NULL), 0);
	*state = server;
	return 0;
}

static int tear_down(void **state)
{
	struct server *server = *state;

	control_free(server->control);
	sd_event_unref(server->event);
	assert_int_equal(access(server->path, F_OK), -1);
	assert_int_equal(rmdir(server->folder), 0);
	free(server);
	return 0;
}

static int connect_client(const struct server *server)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", server->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Runs the loop until nothing happens any more. */
static void settle(const struct server *server)
{
	while (sd_event_run(server->event, 0) > 0)
		;
}

static void send_bytes(const struct server *server, int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

		assert_true(sent > 0 || errno == EAGAIN);
		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		}
		settle(server);
	}
}

/* All that waits for the client; messages end in '\n' instead of NUL. Returns whether the connection has
 * ended. */
static bool receive(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t got;

	while ((got = recv(fd, text + length, size - 1 - length, 0)) > 0)
		length += (size_t)got;
	for (size_t i = 0; i < length; i++)
		if (!text[i])
			text[i] = '\n';
	text[length] = '\0';
	return got == 0 || errno == ECONNRESET;
}

static bool answers(const struct server *server, int fd)
{
	char text[4096];

	send_bytes(server, fd, VERSION_CALL, sizeof(VERSION_CALL));
	settle(server);
	return !receive(fd, text, sizeof(text)) && !strcmp(text, VERSION_REPLY "\n");
}

static void test_pieces(void **state)
{
	struct server *server = *state;
	int fd = connect_client(server);
	char text[4096];

	for (size_t i = 0; i < sizeof(VERSION_CALL); i++) {
		assert_false(receive(fd, text, sizeof(text)));
		assert_string_equal(text, "");
		send_bytes(server, fd, &VERSION_CALL[i], 1);
	}
	assert_false(receive(fd, text, sizeof(text)));
	assert_string_equal(text, VERSION_REPLY "\n");
	close(fd);
	settle(server);
}

static unsigned int count_replies(const char *text)
{
	unsigned int replies = 0;

	for (const char *c = text; (c = strstr(c, VERSION_REPLY "\n")); c++)
		replies++;
	return replies;
}

static void test_pipeline(void **state)
{
	struct server *server = *state;
	char calls[1000 * sizeof(VERSION_CALL)], text[65536];
	unsigned int replies = 0;
	int fd = connect_client(server);
	bool ended = false;

	for (size_t i = 0; i < 1000; i++)
		memcpy(calls + i * sizeof(VERSION_CALL), VERSION_CALL, sizeof(VERSION_CALL));
	send_bytes(server, fd, calls, sizeof(calls));
	shutdown(fd, SHUT_WR); /* what was sent is still answered */
	while (!ended) {
		settle(server);
		ended = receive(fd, text, sizeof(text));
		replies += count_replies(text);
	}
	assert_int_equal(replies, 1000);
	close(fd);
}

/* Junk costs an answer, not the connection. */
static void test_junk(void **state)
{
	static const char *const junk[] = { "",
					    "junk",
					    "[[[[",
					    "{\"method\":7}",
					    "{\"method\":\"x.y.Z\"}",
					    "{\"method\":\"io.synmoat.Version\",\"parameters\":{\"a\":1}}" };
	struct server *server = *state;
	int fd = connect_client(server);
	char text[4096];

	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		send_bytes(server, fd, junk[i], strlen(junk[i]) + 1);
		settle(server);
		assert_false(receive(fd, text, sizeof(text)));
		assert_non_null(strstr(text, "\"error\""));
	}
	assert_true(answers(server, fd));
	close(fd);
	settle(server);
}

static void test_too_large(void **state)
{
	static char large[MESSAGE_MAX + 1];
	struct server *server = *state;
	int fd = connect_client(server), other = connect_client(server);
	char text[4096];

	memset(large, 'x', sizeof(large));
	send_bytes(server, fd, large, sizeof(large));
	settle(server);
	assert_true(receive(fd, text, sizeof(text)));
	assert_non_null(strstr(text, ERROR_MESSAGE_TOO_LARGE));
	assert_true(answers(server, other));
	close(fd);
	close(other);
	settle(server);
}

/* Fills the pipe both ways without reading; must neither block the server nor grow its buffers. */
static int connect_stalled(const struct server *server)
{
	static const char call[] = "{\"method\":\"" METHOD_GET_INTERFACE_DESCRIPTION
				   "\",\"parameters\":{\"interface\":\"io.synmoat\"}}";
	int fd = connect_client(server);

	for (unsigned int full = 0; full < 3;) {
		if (send(fd, call, sizeof(call), MSG_NOSIGNAL) < 0)
			full++;
		settle(server);
	}
	return fd;
}

static void test_stalled(void **state)
{
	struct server *server = *state;
	int stalled[20], fd;

	for (size_t i = 0; i < 20; i++)
		stalled[i] = i % 2 ? connect_stalled(server) : connect_client(server);
	send_bytes(server, stalled[0], "{\"half", 6);
	fd = connect_client(server);
	assert_true(answers(server, fd));
	for (size_t i = 0; i < 20; i++)
		close(stalled[i]);
	settle(server);
	assert_true(answers(server, fd));
	close(fd);
	settle(server);
}

static void test_limit(void **state)
{
	struct server *server = *state;
	int clients[CLIENTS_MAX], beyond;
	/* those who may not change things get fewer places; run as root or not, the limit holds */
	size_t places = geteuid() == 0 ? CLIENTS_MAX : CLIENTS_MAX - 32;
	char text[4096];

	for (size_t i = 0; i < places; i++) {
		clients[i] = connect_client(server);
		settle(server);
	}
	assert_true(answers(server, clients[places - 1]));
	beyond = connect_client(server);
	settle(server);
	assert_true(receive(beyond, text, sizeof(text)));
	assert_non_null(strstr(text, ERROR_TOO_MANY_CLIENTS));
	close(beyond);
	close(clients[0]);
	settle(server);
	clients[0] = connect_client(server);
	assert_true(answers(server, clients[0]));
	for (size_t i = 0; i < places; i++)
		close(clients[i]);
	settle(server);
}

static void test_mode(void **state)
{
	struct server *server = *state;
	struct stat st;

	assert_int_equal(stat(server->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0666);
}

static void test_second_daemon(void **state)
{
	struct server *server = *state;
	struct control *second = NULL;

	assert_int_equal(control_new(&second, server->event, &no_parts, -1, server->path, NULL), -EADDRINUSE);
	assert_null(second);
	assert_int_equal(access(server->path, F_OK), 0);
}

static void test_stale_socket(void **state)
{
	struct server *server = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct control *control = NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/stale.sock", server->folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(control_new(&control, server->event, &no_parts, -1, address.sun_path, NULL), 0);
	control_free(control);
	assert_int_equal(access(address.sun_path, F_OK), -1);
}

static void test_no_socket(void **state)
{
	struct server *server = *state;
	struct control *control = NULL;
	char path[64];

	snprintf(path, sizeof(path), "%s/file", server->folder);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(control_new(&control, server->event, &no_parts, -1, path, NULL), -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	assert_int_equal(control_new(&control, server->event, &no_parts, -1, "", NULL), -EINVAL);
	assert_null(control);
}

#define SERVER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER_TEST(test_pieces),    SERVER_TEST(test_pipeline),      SERVER_TEST(test_junk),
		SERVER_TEST(test_too_large), SERVER_TEST(test_stalled),	      SERVER_TEST(test_limit),
		SERVER_TEST(test_mode),	     SERVER_TEST(test_second_daemon), SERVER_TEST(test_stale_socket),
		SERVER_TEST(test_no_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
