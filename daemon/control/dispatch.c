// SPDX-License-Identifier: GPL-2.0-or-later
/* From a message to its handler and back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/control/dispatch.h"
#include "daemon/control/protocol.h"
#include "daemon/control/varlink.h"
#include "daemon/log.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define LOGGED_PARAMETERS 256
#define TRIED_SIZE	  256
#define WORD_MOST	  64

static const char out_of_memory[] =
	"{\"error\":\"" ERROR_FAILED
	"\",\"parameters\":{\"errno\":12,\"text\":\"the daemon is out of memory\"}}";

static const char reply_too_large[] =
	"{\"error\":\"" ERROR_FAILED "\",\"parameters\":{\"errno\":90,\"text\":\"the reply is too large\"}}";

/* Sends what was encoded, or why it was not; message is freed. */
static void send_encoded(const struct caller *caller, char *message, size_t length)
{
	if (!message)
		caller->send(caller->userdata, out_of_memory, sizeof(out_of_memory));
	else if (length > MESSAGE_MAX)
		caller->send(caller->userdata, reply_too_large, sizeof(reply_too_large));
	else
		caller->send(caller->userdata, message, length + 1);
	free(message);
}

void dispatch_send_error(const struct caller *caller, const char *error, json_t *parameters)
{
	size_t length = 0;
	char *message = varlink_error_encode(error, parameters, &length);

	send_encoded(caller, message, length);
}

static void answer(struct request *request, json_t *parameters, bool continues)
{
	size_t length = 0;
	char *message;

	if (request->oneway || request->answered) {
		json_decref(parameters);
	} else {
		message = varlink_reply_encode(parameters, continues, &length);
		if (!message || length > MESSAGE_MAX)
			continues = false;
		send_encoded(request->caller, message, length);
	}
	request->answered |= !continues;
}

void request_part(struct request *request, json_t *parameters, size_t at)
{
	request->progress->at = at;
	answer(request, parameters, true);
}

void request_pause(struct request *request, unsigned int ms)
{
	if (!request->answered)
		request->caller->pause(request->caller->userdata, ms);
}

void request_wait(struct request *request, unsigned int ms)
{
	request->progress->at += !request->progress->at;
	request_pause(request, ms);
}

void request_reply(struct request *request, json_t *parameters)
{
	answer(request, parameters, false);
}

void request_fail(struct request *request, const char *error, json_t *parameters)
{
	if (request->oneway || request->answered)
		json_decref(parameters);
	else
		dispatch_send_error(request->caller, error, parameters);
	request->answered = true;
	request->error = error;
}

void request_fail_parameter(struct request *request, const char *name)
{
	request_fail(request, ERROR_INVALID_PARAMETER, json_pack("{s:s}", "parameter", name));
}

void request_fail_value(struct request *request, const char *name, const char *text)
{
	request_explain(request, text);
	request_fail(request, ERROR_BAD_VALUE,
		     json_pack("{s:s,s:o}", "parameter", name, "text", varlink_text(text, strlen(text))));
}

void request_explain(struct request *request, const char *reason)
{
	snprintf(request->reason, sizeof(request->reason), "%s", reason);
}

const char *request_string(const struct request *request, const char *name)
{
	return json_string_value(json_object_get(request->parameters, name));
}

void session_end(struct session *session)
{
	if (session->held)
		session->release(session->held);
	*session = (struct session){ 0 };
}

bool request_bool(const struct request *request, const char *name, bool fallback)
{
	json_t *value = json_object_get(request->parameters, name);

	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

long long request_integer(const struct request *request, const char *name, long long fallback)
{
	json_t *value = json_object_get(request->parameters, name);

	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

static const struct method *find_method(const struct dispatcher *dispatcher, const char *name)
{
	for (size_t i = 0; i < dispatcher->method_count; i++)
		if (!strcmp(dispatcher->methods[i].name, name))
			return &dispatcher->methods[i];
	return NULL;
}

/* "io.synmoat" of "io.synmoat.Status"; the length, or 0 when there is no dot. */
static size_t interface_length(const char *method)
{
	const char *dot = strrchr(method, '.');

	return dot ? (size_t)(dot - method) : 0;
}

static bool interface_known(const struct dispatcher *dispatcher, const char *method)
{
	size_t length = interface_length(method);

	for (size_t i = 0; i < dispatcher->method_count; i++)
		if (interface_length(dispatcher->methods[i].name) == length &&
		    !strncmp(dispatcher->methods[i].name, method, length))
			return true;
	return false;
}

static void refuse_unknown(const struct dispatcher *dispatcher, struct request *request, const char *method)
{
	if (interface_known(dispatcher, method))
		request_fail(request, ERROR_METHOD_NOT_FOUND, json_pack("{s:s}", "method", method));
	else
		request_fail(request, ERROR_INTERFACE_NOT_FOUND,
			     json_pack("{s:s%}", "interface", method, interface_length(method)));
}

static const struct parameter *find_parameter(const struct method *method, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(method->parameters) && method->parameters[i].name; i++)
		if (!strcmp(method->parameters[i].name, name))
			return &method->parameters[i];
	return NULL;
}

static bool parameter_fits(const struct parameter *parameter, const json_t *value)
{
	if (!value || json_is_null(value))
		return parameter->optional;
	switch (parameter->type) {
	case PARAMETER_STRING:
		return json_is_string(value);
	case PARAMETER_BOOL:
		return json_is_boolean(value);
	case PARAMETER_INTEGER:
		return json_is_integer(value);
	case PARAMETER_NONE:
		break;
	}
	return false;
}

/* The first parameter that is unknown, missing or of the wrong type; NULL: none. */
static const char *wrong_parameter(const struct method *method, json_t *parameters)
{
	const char *name;
	json_t *value;

	json_object_foreach(parameters, name, value)
		if (!find_parameter(method, name))
			return name;
	for (size_t i = 0; i < ARRAY_SIZE(method->parameters) && method->parameters[i].name; i++)
		if (!parameter_fits(&method->parameters[i],
				    json_object_get(parameters, method->parameters[i].name)))
			return method->parameters[i].name;
	return NULL;
}

static const char *short_name(const struct method *method)
{
	return method->name + interface_length(method->name) + 1;
}

/* A single word of what a call gives, so that nobody can make up more of an event's text; "?": it is none. */
static const char *single_word(const json_t *value)
{
	const char *word = json_string_value(value);

	if (json_is_boolean(value))
		return json_is_true(value) ? "on" : "off";
	if (!word || !*word || strlen(word) > WORD_MOST)
		return "?";
	for (const char *c = word; *c; c++)
		if (*c <= ' ' || *c > '~')
			return "?";
	return word;
}

/* TEMPLATE with what the call gives in the place of {NAME}. */
static const char *expand(const char *template, const json_t *parameters, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	while (*template && used < size) {
		size_t plain = strcspn(template, "{"), name = strcspn(template + plain, "}");

		used += (size_t)snprintf(text + used, size - used, "%.*s", (int)plain, template);
		template += plain;
		if (!*template || used >= size)
			break;
		used += (size_t)snprintf(text + used, size - used, "%s",
					 single_word(json_object_getn(parameters, template + 1, name - 1)));
		template += name + 1;
	}
	return text;
}

static const char *tried(const struct request *request, const struct method *method, char text[TRIED_SIZE])
{
	return expand(method->tried ? method->tried : short_name(method), request->parameters, text,
		      TRIED_SIZE);
}

static const char *what(const struct request *request, const struct method *method, char text[TRIED_SIZE])
{
	return method->what ? expand(method->what, request->parameters, text, TRIED_SIZE) : NULL;
}

static void refuse_access(struct dispatcher *dispatcher, struct request *request, const struct method *method)
{
	char text[256], tried_text[TRIED_SIZE], what_text[TRIED_SIZE];

	request_tell(request, EVENT_ACCESS_REFUSED, EV_TEXT("tried", tried(request, method, tried_text)),
		     EV_TEXT("what", what(request, method, what_text)),
		     EV_TEXT("method", short_name(method)));
	snprintf(text, sizeof(text), "this %s: only root%s%s may do it; you are uid %u",
		 method->access == ACCESS_DETAIL ? "names single addresses" : "changes things",
		 *dispatcher->group ? " and members of group " : "", dispatcher->group, request->caller->uid);
	request_fail(request, ERROR_PERMISSION_DENIED, json_pack("{s:s}", "text", text));
}

/* As ASCII, so that nothing from outside can forge a line. */
static void tell_change(struct request *request, const struct method *method)
{
	char *parameters = json_dumps(request->parameters, JSON_COMPACT | JSON_ENSURE_ASCII);
	char tried_text[TRIED_SIZE], what_text[TRIED_SIZE];

	if (request->error)
		request_tell(request, EVENT_CHANGE_FAILED,
			     EV_TEXT("tried", tried(request, method, tried_text)),
			     EV_TEXT("what", what(request, method, what_text)),
			     EV_TEXT("method", short_name(method)),
			     EV_TEXT("error", request->error + interface_length(request->error) + 1),
			     EV_TEXT("reason", request->reason),
			     EV_TEXT("parameters", parameters ? parameters : "?"));
	else
		log_print(LOG_NOTICE, "control: %s %.*s by uid %u pid %d: done", short_name(method),
			  LOGGED_PARAMETERS, parameters ? parameters : "?", request->caller->uid,
			  request->caller->pid);
	free(parameters);
}

static void run(struct request *request, const struct method *method)
{
	const char *wrong = wrong_parameter(method, request->parameters);
	bool first = !request->progress->at;

	if (wrong) {
		request_fail_parameter(request, wrong);
		return;
	}
	method->handle(request);
	if (!request->answered && !request->progress->at)
		request_fail(request, ERROR_FAILED,
			     json_pack("{s:i,s:s}", "errno", EIO, "text", "the daemon has no answer"));
	if (method->access == ACCESS_CHANGE && !request->told && (first || request->error))
		tell_change(request, method);
}

static void dispatch_call(struct dispatcher *dispatcher, struct request *request, const char *name)
{
	const struct method *method = find_method(dispatcher, name);

	if (!method)
		refuse_unknown(dispatcher, request, name);
	else if (method->access != ACCESS_CHANGE && request->caller->deaf)
		request->answered = true;
	else if (method->access != ACCESS_READ && !request->caller->may_change)
		refuse_access(dispatcher, request, method);
	else
		run(request, method);
}

void dispatch_forget(struct progress *progress)
{
	if (progress->held)
		progress->release(progress->held);
	*progress = (struct progress){ 0 };
}

bool dispatch_message(struct dispatcher *dispatcher, const struct caller *caller, struct progress *progress,
		      const char *message, size_t length)
{
	struct request request = { .context = dispatcher->context, .caller = caller, .progress = progress };
	struct varlink_call call;
	char text[256];

	if (varlink_call_parse(&call, message, length, text, sizeof(text))) {
		dispatch_send_error(caller, ERROR_INVALID_MESSAGE,
				    json_pack("{s:o}", "text", varlink_text(text, strlen(text))));
		return true;
	}
	request.more = call.more;
	request.oneway = call.oneway;
	request.parameters = call.parameters ? json_incref(call.parameters) : json_object();
	if (request.parameters)
		dispatch_call(dispatcher, &request, call.method);
	else
		request_fail(&request, ERROR_FAILED, NULL);
	json_decref(request.parameters);
	varlink_call_fini(&call);
	if (request.answered)
		dispatch_forget(progress);
	return request.answered;
}
