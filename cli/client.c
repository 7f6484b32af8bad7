// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls over the control socket. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/client.h"

struct client {
	int fd;
	FILE *in;
	char *line;
	size_t capacity;
};

static int connect_to(const char *path, unsigned int within_s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = within_s };
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int client_open(struct client **out, const char *path, unsigned int within_s)
{
	struct client *client = calloc(1, sizeof(*client));
	int fd;

	if (!client)
		return -ENOMEM;
	fd = connect_to(path, within_s);
	if (fd < 0) {
		free(client);
		return fd;
	}
	client->fd = fd;
	client->in = fdopen(fd, "r");
	if (!client->in) {
		close(fd);
		free(client);
		return -ENOMEM;
	}
	*out = client;
	return 0;
}

void client_close(struct client *client)
{
	if (!client)
		return;
	fclose(client->in);
	free(client->line);
	free(client);
}

/* The message with its NUL. A daemon that turns us away has answered already and hung up: that is read later.
 */
static int send_message(const struct client *client, const char *message)
{
	size_t left = strlen(message) + 1;
	ssize_t sent;

	while (left) {
		sent = send(client->fd, message, left, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EPIPE || errno == ECONNRESET ? 0 : -errno;
		message += sent;
		left -= (size_t)sent;
	}
	return 0;
}

static int send_call(const struct client *client, const char *method, json_t *parameters)
{
	json_t *call = json_pack("{s:s,s:o,s:b}", "method", method, "parameters", parameters, "more", 1);
	char *message = call ? json_dumps(call, JSON_COMPACT) : NULL;
	int error = message ? send_message(client, message) : -ENOMEM;

	free(message);
	json_decref(call);
	return error;
}

static int receive_message(struct client *client, json_t **message)
{
	ssize_t length;

	errno = 0;
	length = getdelim(&client->line, &client->capacity, '\0', client->in);
	if (length < 0)
		return errno == EAGAIN || errno == ENOMEM ? -errno : -ECONNRESET;
	if (client->line[length - 1] != '\0')
		return -ECONNRESET;
	*message = json_loadb(client->line, (size_t)length - 1, 0, NULL);
	return json_is_object(*message) ? 0 : -EBADMSG;
}

static json_t *join_texts(const json_t *first, const json_t *second)
{
	return json_sprintf("%s%s", json_string_value(first), json_string_value(second));
}

/* Adds a further part to what has come so far. */
static void join_part(json_t *whole, json_t *part)
{
	const char *name;
	json_t *value, *old;

	json_object_foreach(part, name, value) {
		old = json_object_get(whole, name);
		if (json_is_array(old) && json_is_array(value))
			json_array_extend(old, value);
		else if (json_is_string(old) && json_is_string(value))
			json_object_set_new(whole, name, join_texts(old, value));
		else
			json_object_set(whole, name, value);
	}
}

/* 1: more parts follow. */
static int take_part(json_t *message, struct client_answer *answer)
{
	json_t *parameters = json_object_get(message, "parameters");
	json_t *error = json_object_get(message, "error");

	if (error) {
		json_decref(answer->reply);
		answer->reply = parameters ? json_incref(parameters) : json_object();
		answer->error = strdup(json_is_string(error) ? json_string_value(error) : "?");
		return answer->error ? 0 : -ENOMEM;
	}
	if (json_is_object(parameters))
		join_part(answer->reply, parameters);
	return json_is_true(json_object_get(message, "continues")) ? 1 : 0;
}

int client_call(struct client *client, const char *method, json_t *parameters, struct client_answer *answer)
{
	struct client_answer got = { .reply = json_object() };
	int result = send_call(client, method, parameters);

	if (!result)
		result = 1;
	while (result > 0) {
		json_t *message = NULL;

		result = receive_message(client, &message);
		if (!result)
			result = take_part(message, &got);
		json_decref(message);
	}
	if (result < 0)
		client_answer_fini(&got);
	else
		*answer = got;
	return result;
}

int client_follow(struct client *client, const char *method, json_t *parameters, client_part_fn *part,
		  void *arg, struct client_answer *answer)
{
	struct client_answer got = { 0 };
	int result = send_call(client, method, parameters);
	bool goes_on = !result;

	while (goes_on) {
		json_t *message = NULL;

		json_decref(got.reply);
		got.reply = json_object();
		result = receive_message(client, &message);
		if (!result)
			result = take_part(message, &got);
		json_decref(message);
		goes_on = result > 0 && part(got.reply, arg);
	}
	if (result < 0)
		client_answer_fini(&got);
	else
		*answer = got;
	return result < 0 ? result : 0;
}

void client_answer_fini(struct client_answer *answer)
{
	free(answer->error);
	json_decref(answer->reply);
	*answer = (struct client_answer){ 0 };
}
