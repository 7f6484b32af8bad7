/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client: its socket, what it has sent and what it has yet to take. Never blocks. One message is handled
 * a turn of the event loop, and none while much output waits, so that no client can hold up another.
 */
#ifndef SYNMOAT_CONTROL_CONNECTION_H
#define SYNMOAT_CONTROL_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

struct connection;
struct sd_event;

struct connection_handler {
	/* A message without its NUL; the answer goes through connection_send. false: there is more of it, so
	 * hand the message over again as soon as the client has taken what waits. */
	bool (*message)(void *userdata, const char *message, size_t length);
	/* More than MESSAGE_MAX bytes without a NUL. The connection ends when the answer has been taken. */
	void (*too_large)(void *userdata);
	/* Over for one reason or the other: the callee frees the connection. */
	void (*closed)(void *userdata);
};

/* Takes fd over on success. */
int connection_new(struct connection **out, struct sd_event *event, int fd,
		   const struct connection_handler *handler, void *userdata);
void connection_free(struct connection *connection);

/* Puts a message with its NUL into the output; a client that lets too much of it wait is disconnected. */
void connection_send(struct connection *connection, const char *message, size_t length);

/* Within message, which then returns false: that there is more only in so long, and not to ask before. */
void connection_pause(struct connection *connection, unsigned int ms);

/* The peer has closed: what it asked to be done is done, but nobody reads an answer. */
bool connection_is_deaf(const struct connection *connection);

int connection_fd(const struct connection *connection);

#endif
