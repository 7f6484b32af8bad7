// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket: accepts clients up to a limit of which some places are kept for those who may change
 * things, and hands their messages to the dispatcher.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "daemon/control/authority.h"
#include "daemon/control/config_text.h"
#include "daemon/control/connection.h"
#include "daemon/control/control.h"
#include "daemon/control/dispatch.h"
#include "daemon/control/listener.h"
#include "daemon/control/methods.h"
#include "daemon/control/protocol.h"
#include "daemon/log.h"

#define CLIENTS_MAX	 256
#define CLIENTS_RESERVED 32 /* of them for those who may change things */
#define ACCEPTS_A_TURN	 64
#define ACCEPT_PAUSE_US	 UINT64_C(1000000) /* when the process is out of file descriptors */

struct client {
	unsigned int place; /* in control->clients */
	struct control *control;
	struct connection *connection;
	struct peer peer;
	struct progress progress;
	struct session session;
};

struct control {
	struct sd_event *event;
	struct listener listener;
	sd_event_source *accept;
	sd_event_source *resume; /* accepts again after a pause */
	struct client *clients[CLIENTS_MAX];
	unsigned int client_count;
	struct authority authority;
	struct method_context context;
	struct dispatcher dispatcher;
};

static void send_to_client(void *userdata, const char *message, size_t length)
{
	connection_send(((struct client *)userdata)->connection, message, length);
}

static void pause_client(void *userdata, unsigned int ms)
{
	connection_pause(((struct client *)userdata)->connection, ms);
}

static struct caller caller_of(struct client *client)
{
	return (struct caller){
		.session = &client->session,
		.uid = client->peer.uid,
		.pid = client->peer.pid,
		.may_change = authority_may_change(&client->control->authority,
						   connection_fd(client->connection), &client->peer),
		.deaf = connection_is_deaf(client->connection),
		.send = send_to_client,
		.pause = pause_client,
		.userdata = client,
	};
}

static bool on_message(void *userdata, const char *message, size_t length)
{
	struct client *client = userdata;
	struct caller caller = caller_of(client);

	return dispatch_message(&client->control->dispatcher, &caller, &client->progress, message, length);
}

static void on_too_large(void *userdata)
{
	struct caller caller = caller_of(userdata);

	dispatch_send_error(&caller, ERROR_MESSAGE_TOO_LARGE,
			    json_pack("{s:i,s:s}", "limit", MESSAGE_MAX, "text",
				      "the message is too large, or lacks the NUL at its end"));
}

static void client_free(struct client *client)
{
	struct control *control = client->control;
	struct client *last = control->clients[--control->client_count];

	last->place = client->place;
	control->clients[last->place] = last;
	connection_free(client->connection);
	dispatch_forget(&client->progress);
	session_end(&client->session);
	free(client);
}

static void on_closed(void *userdata)
{
	client_free(userdata);
}

static const struct connection_handler handler = { on_message, on_too_large, on_closed };

static int add_client(struct control *control, int fd, const struct peer *peer)
{
	struct client *client = calloc(1, sizeof(*client));
	int error;

	if (!client)
		return -ENOMEM;
	client->control = control;
	client->peer = *peer;
	error = connection_new(&client->connection, control->event, fd, &handler, client);
	if (error) {
		free(client);
		return error;
	}
	client->place = control->client_count++;
	control->clients[client->place] = client;
	return 0;
}

static void send_to_stranger(void *userdata, const char *message, size_t length)
{
	/* a fresh socket has room; who does not get it sees the connection end */
	(void)!send(*(int *)userdata, message, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void turn_away(int fd)
{
	struct caller caller = { .send = send_to_stranger, .userdata = &fd };

	dispatch_send_error(
		&caller, ERROR_TOO_MANY_CLIENTS,
		json_pack("{s:i,s:s}", "limit", CLIENTS_MAX, "text",
			  "the daemon serves no more clients at a time: close some, or try again"));
}

static bool has_place(const struct control *control, int fd, const struct peer *peer)
{
	if (control->client_count < CLIENTS_MAX - CLIENTS_RESERVED)
		return true;
	return control->client_count < CLIENTS_MAX && authority_may_change(&control->authority, fd, peer);
}

static void welcome(struct control *control, int fd)
{
	struct peer peer;

	if (peer_get(fd, &peer)) {
		close(fd);
	} else if (!has_place(control, fd, &peer)) {
		turn_away(fd);
		close(fd);
	} else if (add_client(control, fd, &peer)) {
		close(fd);
	}
}

/* A connection that cannot be accepted stays in the queue and would wake us without end. */
static int pause_accepting(struct control *control)
{
	log_print(LOG_WARNING, "control: cannot accept clients for a moment: %m");
	if (sd_event_source_set_time_relative(control->resume, ACCEPT_PAUSE_US) < 0 ||
	    sd_event_source_set_enabled(control->resume, SD_EVENT_ONESHOT) < 0)
		return 0;
	sd_event_source_set_enabled(control->accept, SD_EVENT_OFF);
	return 0;
}

static bool out_of_resources(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

static int on_accept(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct control *control = userdata;

	(void)source, (void)events;
	for (unsigned int i = 0; i < ACCEPTS_A_TURN; i++) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (client >= 0)
			welcome(control, client);
		else
			return out_of_resources(errno) ? pause_accepting(control) : 0;
	}
	return 0;
}

static int on_resume(sd_event_source *source, uint64_t now, void *userdata)
{
	struct control *control = userdata;

	(void)source, (void)now;
	sd_event_source_set_enabled(control->accept, SD_EVENT_ON);
	return 0;
}

static int add_sources(struct control *control)
{
	int error = sd_event_add_io(control->event, &control->accept, control->listener.fd, EPOLLIN,
				    on_accept, control);

	if (error >= 0)
		error = sd_event_add_time_relative(control->event, &control->resume, CLOCK_MONOTONIC,
						   ACCEPT_PAUSE_US, 0, on_resume, control);
	return error < 0 ? error : sd_event_source_set_enabled(control->resume, SD_EVENT_OFF);
}

static void init_dispatcher(struct control *control, const struct control_parts *parts)
{
	control->context = (struct method_context){ .engine = parts->engine,
						    .tracker = parts->tracker,
						    .watch = parts->watch,
						    .metrics = parts->metrics,
						    .authority = &control->authority };
	control->dispatcher.methods = methods_table(&control->dispatcher.method_count);
	control->dispatcher.context = &control->context;
	control->dispatcher.group = control->authority.group;
}

int control_check(int passed, const char *path)
{
	return listener_check(passed, path ? path : CONTROL_SOCKET);
}

int control_new(struct control **out, struct sd_event *event, const struct control_parts *parts, int passed,
		const char *path, const char *group)
{
	struct control *control = calloc(1, sizeof(*control));
	int error;

	if (!control)
		return -ENOMEM;
	control->event = sd_event_ref(event);
	authority_set_group(&control->authority, group);
	init_dispatcher(control, parts);
	error = listener_init(&control->listener, passed, path ? path : CONTROL_SOCKET);
	if (error >= 0)
		error = add_sources(control);
	if (error < 0) {
		control_free(control);
		return error;
	}
	*out = control;
	return 0;
}

void control_configuration_changed(struct control *control)
{
	methods_configuration_changed(&control->context);
}

void control_free(struct control *control)
{
	if (!control)
		return;
	while (control->client_count)
		client_free(control->clients[control->client_count - 1]);
	sd_event_source_disable_unref(control->resume);
	sd_event_source_disable_unref(control->accept);
	listener_fini(&control->listener);
	config_text_drop(control->context.config_text);
	sd_event_unref(control->event);
	free(control);
}
