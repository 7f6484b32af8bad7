/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to the daemon's control socket, and calls over it. Blocking, with a time limit.
 */
#ifndef SYNMOAT_CLI_CLIENT_H
#define SYNMOAT_CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

struct client;

/* An answer: reply, or error with the parameters of the error in reply. */
struct client_answer {
	char *error; /* NULL: success */
	json_t *reply;
};

/* 0 or a negative errno: -ENOENT and -ECONNREFUSED say that no daemon listens. within_s: how long to wait for
 * it, here and in calls. */
int client_open(struct client **out, const char *path, unsigned int within_s);
void client_close(struct client *client);

/*
 * Takes parameters over; a reply in parts is put together (arrays and texts of the same name are joined).
 * 0 with *answer filled, or -EAGAIN (no answer in time), -ECONNRESET (closed before the answer), -EBADMSG
 * (not the protocol), -ENOMEM.
 */
int client_call(struct client *client, const char *method, json_t *parameters, struct client_answer *answer);

/*
 * The same, but each part is the whole state of something that goes on: all but the last are handed to part,
 * which ends the call by returning false. *answer: the last that came.
 */
typedef bool client_part_fn(const json_t *part, void *arg);
int client_follow(struct client *client, const char *method, json_t *parameters, client_part_fn *part,
		  void *arg, struct client_answer *answer);
void client_answer_fini(struct client_answer *answer);

#endif
