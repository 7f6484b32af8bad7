/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire format of https://varlink.org: JSON objects that end in NUL. Cuts messages out of a buffer,
 * decodes calls, encodes replies. Knows no method and touches no file descriptor.
 */
#ifndef SYNMOAT_CONTROL_VARLINK_H
#define SYNMOAT_CONTROL_VARLINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct buffer;

struct varlink_call {
	json_t *message;
	const char *method; /* these two belong to message */
	json_t *parameters; /* an object, or NULL */
	bool more, oneway;
};

/* 1: a whole message begins at the buffer's front (consume length + 1 afterwards); 0: not yet; -EMSGSIZE. */
int varlink_next(const struct buffer *input, size_t *length);

/* 0 (free with varlink_call_fini) or -EINVAL with text saying what is wrong. */
int varlink_call_parse(struct varlink_call *call, const char *message, size_t length, char *text,
		       size_t size);
void varlink_call_fini(struct varlink_call *call);

/* The encoded message, to be freed, without counting its NUL in *length; NULL when out of memory. Both take
 * parameters over; NULL means that their making failed, and gives NULL. */
char *varlink_reply_encode(json_t *parameters, bool continues, size_t *length);
char *varlink_error_encode(const char *error, json_t *parameters, size_t *length);

/* A JSON string; what is not UTF-8 has its odd bytes replaced by '?'. */
json_t *varlink_text(const char *text, size_t length);

#endif
