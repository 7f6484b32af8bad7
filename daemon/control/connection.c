// SPDX-License-Identifier: GPL-2.0-or-later
/* One client of the control socket. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "daemon/control/buffer.h"
#include "daemon/control/connection.h"
#include "daemon/control/protocol.h"
#include "daemon/control/varlink.h"

#define READ_SIZE   4096
#define OUTPUT_HIGH (64 * 1024)	 /* nothing more is read or handled until less than this waits */
#define OUTPUT_MAX  (256 * 1024) /* more than a turn can add to that */
#define STALL_US    (30 * UINT64_C(1000000))

struct connection {
	int fd;
	sd_event_source *io;
	sd_event_source *stall; /* runs while we wait for the peer to take output */
	sd_event_source *pause; /* runs while the answer has to wait */
	struct buffer input, output;
	bool ended;	/* the peer will send no more */
	bool gone;	/* the peer will read no more */
	bool finishing; /* no further message is handled */
	bool progress;	/* it did, since the timer was set */
	bool paused;	/* the message at the front has more to be answered, later */
	const struct connection_handler *handler;
	void *userdata;
};

static void drop_output(struct connection *connection)
{
	buffer_consume(&connection->output, buffer_pending(&connection->output));
}

static void lose_peer(struct connection *connection)
{
	connection->gone = true;
	drop_output(connection);
}

void connection_send(struct connection *connection, const char *message, size_t length)
{
	if (connection->gone)
		return;
	if (buffer_pending(&connection->output) + length <= OUTPUT_MAX &&
	    buffer_append(&connection->output, message, length) == 0)
		return;
	lose_peer(connection);
	connection->finishing = true;
}

bool connection_is_deaf(const struct connection *connection)
{
	return connection->gone;
}

int connection_fd(const struct connection *connection)
{
	return connection->fd;
}

static void flush_output(struct connection *connection)
{
	size_t pending = buffer_pending(&connection->output);
	ssize_t sent;

	while (pending) {
		sent = send(connection->fd, buffer_front(&connection->output), pending,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0) {
			if (errno != EAGAIN)
				lose_peer(connection);
			return;
		}
		buffer_consume(&connection->output, (size_t)sent);
		pending -= (size_t)sent;
		connection->progress = true;
	}
}

static bool may_read(const struct connection *connection)
{
	return !connection->ended && !connection->finishing &&
	       buffer_pending(&connection->output) < OUTPUT_HIGH &&
	       buffer_pending(&connection->input) <= MESSAGE_MAX;
}

static void read_input(struct connection *connection)
{
	ssize_t got;

	if (!may_read(connection))
		return;
	if (buffer_reserve(&connection->input, READ_SIZE)) {
		connection->finishing = true;
		return;
	}
	got = recv(connection->fd, connection->input.data + connection->input.end, READ_SIZE, MSG_DONTWAIT);
	if (got > 0)
		connection->input.end += (size_t)got;
	else if (got == 0)
		connection->ended = true;
	else if (errno != EAGAIN && errno != EINTR)
		connection->ended = connection->finishing = true;
}

/* 1: there is a message to handle now, 0: not now, -EMSGSIZE. */
static int next_message(const struct connection *connection, size_t *length)
{
	if (connection->finishing || connection->paused || buffer_pending(&connection->output) >= OUTPUT_HIGH)
		return 0;
	return varlink_next(&connection->input, length);
}

static void handle_one(struct connection *connection)
{
	size_t length;
	int found = next_message(connection, &length);

	connection->progress |= found != 0;
	if (found > 0) {
		if (connection->handler->message(connection->userdata, buffer_front(&connection->input),
						 length))
			buffer_consume(&connection->input, length + 1);
	} else if (found < 0) {
		connection->handler->too_large(connection->userdata);
		connection->finishing = true;
	}
}

static bool is_over(const struct connection *connection)
{
	size_t length;

	if (buffer_pending(&connection->output) || connection->paused)
		return false;
	return connection->finishing || (connection->ended && next_message(connection, &length) == 0);
}

/* sd-event can fail here only for want of memory, which ends the client, not the daemon. */
static int arm_stall(struct connection *connection, bool waits)
{
	int enabled, error;

	if (!waits)
		return sd_event_source_set_enabled(connection->stall, SD_EVENT_OFF);
	error = sd_event_source_get_enabled(connection->stall, &enabled);
	if (error < 0 || (enabled && !connection->progress))
		return error < 0 ? error : 0;
	connection->progress = false;
	error = sd_event_source_set_time_relative(connection->stall, STALL_US);
	return error < 0 ? error : sd_event_source_set_enabled(connection->stall, SD_EVENT_ONESHOT);
}

/*
 * A message that waits already is handled when the socket can take its answer: EPOLLOUT gives every client
 * its turn in order, which a deferred source of sd-event does not (it keeps the age of its making).
 */
static int arm(struct connection *connection)
{
	size_t length;
	bool wants_turn = buffer_pending(&connection->output) || next_message(connection, &length);
	uint32_t events = (may_read(connection) ? EPOLLIN : 0) | (wants_turn ? EPOLLOUT : 0);
	int error = sd_event_source_set_io_events(connection->io, events);

	if (error >= 0) /* off, since the kernel reports a hang-up even when nothing is asked for */
		error = sd_event_source_set_enabled(connection->io, events ? SD_EVENT_ON : SD_EVENT_OFF);
	return error < 0 ? error : arm_stall(connection, wants_turn);
}

/* May end the connection, so that it is the last thing its callers do. */
static int advance(struct connection *connection)
{
	flush_output(connection);
	handle_one(connection);
	flush_output(connection);
	if (is_over(connection) || arm(connection) < 0)
		connection->handler->closed(connection->userdata);
	return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct connection *connection = userdata;

	(void)source, (void)fd;
	if (events & (EPOLLHUP | EPOLLERR))
		lose_peer(connection); /* what it sent before is still handled */
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_input(connection);
	return advance(connection);
}

void connection_pause(struct connection *connection, unsigned int ms)
{
	connection->paused = sd_event_source_set_time_relative(connection->pause, ms * UINT64_C(1000)) >= 0 &&
			     sd_event_source_set_enabled(connection->pause, SD_EVENT_ONESHOT) >= 0;
}

static bool has_hung_up(const struct connection *connection)
{
	struct pollfd poll_fd = { .fd = connection->fd };

	return poll(&poll_fd, 1, 0) > 0 && poll_fd.revents & (POLLHUP | POLLERR);
}

/* A peer that has sent as much as we take is not listened to, so that nobody has told us of its end. */
static int on_pause(sd_event_source *source, uint64_t now, void *userdata)
{
	struct connection *connection = userdata;

	(void)source, (void)now;
	connection->paused = false;
	if (has_hung_up(connection))
		lose_peer(connection);
	return advance(connection);
}

static int on_stall(sd_event_source *source, uint64_t now, void *userdata)
{
	struct connection *connection = userdata;

	(void)source, (void)now;
	connection->handler->closed(connection->userdata);
	return 0;
}

static int add_sources(struct connection *connection, struct sd_event *event)
{
	int error = sd_event_add_io(event, &connection->io, connection->fd, EPOLLIN, on_io, connection);

	if (error >= 0)
		error = sd_event_add_time_relative(event, &connection->stall, CLOCK_MONOTONIC, STALL_US, 0,
						   on_stall, connection);
	if (error >= 0)
		error = sd_event_source_set_enabled(connection->stall, SD_EVENT_OFF);
	if (error >= 0)
		error = sd_event_add_time_relative(event, &connection->pause, CLOCK_MONOTONIC, STALL_US, 0,
						   on_pause, connection);
	return error < 0 ? error : sd_event_source_set_enabled(connection->pause, SD_EVENT_OFF);
}

int connection_new(struct connection **out, struct sd_event *event, int fd,
		   const struct connection_handler *handler, void *userdata)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	int error;

	if (!connection)
		return -ENOMEM;
	connection->fd = fd;
	connection->handler = handler;
	connection->userdata = userdata;
	error = add_sources(connection, event);
	if (error < 0) {
		connection->fd = -1; /* stays the caller's */
		connection_free(connection);
		return error;
	}
	*out = connection;
	return 0;
}

void connection_free(struct connection *connection)
{
	if (!connection)
		return;
	drop_output(connection);
	sd_event_source_disable_unref(connection->pause);
	sd_event_source_disable_unref(connection->stall);
	sd_event_source_disable_unref(connection->io);
	buffer_fini(&connection->output);
	buffer_fini(&connection->input);
	if (connection->fd >= 0)
		close(connection->fd);
	free(connection);
}
