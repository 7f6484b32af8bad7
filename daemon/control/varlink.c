// SPDX-License-Identifier: GPL-2.0-or-later
/* The wire format: framing, calls, replies. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/control/buffer.h"
#include "daemon/control/protocol.h"
#include "daemon/control/varlink.h"

int varlink_next(const struct buffer *input, size_t *length)
{
	size_t pending = buffer_pending(input);
	size_t searched = pending < MESSAGE_MAX + 1 ? pending : MESSAGE_MAX + 1;
	const char *front, *end;

	if (!pending)
		return 0;
	front = buffer_front(input);
	end = memchr(front, '\0', searched);
	if (!end)
		return pending > MESSAGE_MAX ? -EMSGSIZE : 0;
	*length = (size_t)(end - front);
	return 1;
}

/* The members that a call may have; method must be there, the others may. */
enum member { MEMBER_METHOD, MEMBER_PARAMETERS, MEMBER_MORE, MEMBER_ONEWAY, MEMBER_UPGRADE, MEMBER_COUNT };

static const struct {
	const char *name, *want;
	bool boolean;
	json_type type; /* when not boolean */
} members[MEMBER_COUNT] = {
	[MEMBER_METHOD] = { "method", "a string", false, JSON_STRING },
	[MEMBER_PARAMETERS] = { "parameters", "an object", false, JSON_OBJECT },
	[MEMBER_MORE] = { "more", "true or false", true, JSON_TRUE },
	[MEMBER_ONEWAY] = { "oneway", "true or false", true, JSON_TRUE },
	[MEMBER_UPGRADE] = { "upgrade", "true or false", true, JSON_TRUE },
};

static int member_find(const char *name)
{
	for (int member = 0; member < MEMBER_COUNT; member++)
		if (!strcmp(members[member].name, name))
			return member;
	return -1;
}

static bool member_fits(int member, const json_t *value)
{
	return members[member].boolean ? json_is_boolean(value) : json_typeof(value) == members[member].type;
}

/* Sorts the members of the message into values[]. */
static int collect_members(json_t *message, json_t *values[MEMBER_COUNT], char *text, size_t size)
{
	const char *name;
	json_t *value;
	int member;

	json_object_foreach(message, name, value) {
		member = member_find(name);
		if (member < 0) {
			snprintf(text, size, "a call has no member \"%.64s\"", name);
			return -EINVAL;
		}
		if (json_is_null(value))
			continue;
		if (!member_fits(member, value)) {
			snprintf(text, size, "\"%s\" must be %s", name, members[member].want);
			return -EINVAL;
		}
		values[member] = value;
	}
	return 0;
}

static int check_call(json_t *message, json_t *values[MEMBER_COUNT], char *text, size_t size)
{
	if (!json_is_object(message)) {
		snprintf(text, size, "a call must be a JSON object");
		return -EINVAL;
	}
	if (collect_members(message, values, text, size))
		return -EINVAL;
	if (!values[MEMBER_METHOD]) {
		snprintf(text, size, "a call must have a \"method\"");
		return -EINVAL;
	}
	if (json_is_true(values[MEMBER_UPGRADE])) {
		snprintf(text, size, "\"upgrade\" is not supported");
		return -EINVAL;
	}
	if (json_is_true(values[MEMBER_MORE]) && json_is_true(values[MEMBER_ONEWAY])) {
		snprintf(text, size, "\"more\" and \"oneway\" exclude each other");
		return -EINVAL;
	}
	return 0;
}

int varlink_call_parse(struct varlink_call *call, const char *message, size_t length, char *text, size_t size)
{
	json_t *values[MEMBER_COUNT] = { NULL };
	json_error_t error;
	json_t *root;

	root = json_loadb(message, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!root) {
		snprintf(text, size, "not JSON: byte %d: %s", error.position, error.text);
		return -EINVAL;
	}
	if (check_call(root, values, text, size)) {
		json_decref(root);
		return -EINVAL;
	}
	*call = (struct varlink_call){
		.message = root,
		.method = json_string_value(values[MEMBER_METHOD]),
		.parameters = values[MEMBER_PARAMETERS],
		.more = json_is_true(values[MEMBER_MORE]),
		.oneway = json_is_true(values[MEMBER_ONEWAY]),
	};
	return 0;
}

void varlink_call_fini(struct varlink_call *call)
{
	json_decref(call->message);
	*call = (struct varlink_call){ 0 };
}

static char *encode(json_t *message, size_t *length)
{
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

	json_decref(message);
	if (text)
		*length = strlen(text);
	return text;
}

char *varlink_reply_encode(json_t *parameters, bool continues, size_t *length)
{
	if (continues)
		return encode(json_pack("{s:o,s:b}", "parameters", parameters, "continues", 1), length);
	return encode(json_pack("{s:o}", "parameters", parameters), length);
}

char *varlink_error_encode(const char *error, json_t *parameters, size_t *length)
{
	return encode(json_pack("{s:s,s:o}", "error", error, "parameters", parameters), length);
}

json_t *varlink_text(const char *text, size_t length)
{
	json_t *string = json_stringn(text, length);
	char *copy;

	if (string)
		return string;
	copy = malloc(length + 1);
	if (!copy)
		return NULL;
	for (size_t i = 0; i < length; i++)
		copy[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	string = json_stringn(copy, length);
	free(copy);
	return string;
}
