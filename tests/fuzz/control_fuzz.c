/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target for the control socket's input: bytes are cut into messages and dispatched to a table of
 * ours (no engine). Nothing crashes or leaks, every call is answered in well-formed JSON, and nothing changes
 * for who may not change things. The first byte chooses the caller and how the bytes come in.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/control/buffer.h"
#include "daemon/control/dispatch.h"
#include "daemon/control/protocol.h"
#include "daemon/control/varlink.h"

#define PARTS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool may_change;

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void check_answer(void *userdata, const char *message, size_t length)
{
	json_t *answer = json_loadb(message, length - 1, 0, NULL);

	(void)userdata;
	require(message[length - 1] == '\0', "an answer ends in NUL");
	require(length <= MESSAGE_MAX + 1, "an answer is not too large");
	require(json_is_object(json_object_get(answer, "parameters")), "an answer has parameters");
	json_decref(answer);
}

static void handle_echo(struct request *request)
{
	const char *name = request_string(request, "name");

	request_reply(request, json_pack("{s:s}", "name", name));
}

static void handle_change(struct request *request)
{
	require(may_change, "only who may change things does");
	request_fail(request, ERROR_FAILED, json_pack("{s:b}", "now", request_bool(request, "now", false)));
}

static void handle_parts(struct request *request)
{
	struct progress *progress = request->progress;

	if (!progress->held) {
		progress->held = malloc(1);
		progress->release = free;
	}
	if (request->more && progress->at < PARTS)
		request_part(request, json_object(), progress->at + 1);
	else
		request_reply(request, json_object());
}

static const struct method methods[] = {
	{ METHOD_GET_SERVICE, ACCESS_READ, handle_echo, { { "name", PARAMETER_STRING, false } } },
	{ METHOD_ROTATE_KEY, ACCESS_CHANGE, handle_change, { { "now", PARAMETER_BOOL, true } } },
	{ METHOD_SHOW_CONFIG, ACCESS_READ, handle_parts, { { 0 } } },
};

/* As the server does it: as long as there are whole messages, dispatch the first. false: too large. */
static bool take_messages(struct dispatcher *dispatcher, const struct caller *caller, struct buffer *input)
{
	struct progress progress = { 0 };
	size_t length;
	int found;

	while ((found = varlink_next(input, &length)) > 0) {
		char *message = malloc(length + 1); /* of its own, so that reading past it is seen */

		memcpy(message, buffer_front(input), length + 1);
		while (!dispatch_message(dispatcher, caller, &progress, message, length))
			;
		require(!progress.held && !progress.at, "nothing is held after the last part");
		buffer_consume(input, length + 1);
		free(message);
	}
	return found == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dispatcher dispatcher = { .methods = methods, .method_count = 3, .group = "" };
	struct caller caller = { .uid = 1, .send = check_answer };
	struct buffer input = { 0 };
	size_t piece;

	if (!size)
		return 0;
	may_change = caller.may_change = data[0] & 1;
	caller.deaf = data[0] & 2;
	piece = data[0] & 4 ? 7 : size;
	for (size_t at = 1; at < size; at += piece) {
		buffer_append(&input, (const char *)data + at, size - at < piece ? size - at : piece);
		if (!take_messages(&dispatcher, &caller, &input))
			break;
	}
	buffer_fini(&input);
	return 0;
}
