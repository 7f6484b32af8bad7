/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a message to its handler: requests are one table of method, who may call it, parameters and handler.
 * Checks all three before the handler runs, sees to it that every call is answered, and tells of changes that
 * failed or were refused; handlers tell of their own.
 */
#ifndef SYNMOAT_CONTROL_DISPATCH_H
#define SYNMOAT_CONTROL_DISPATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/events/events.h"

struct request;

/* What anyone may call must be named READ. DETAIL, which tells single addresses, and CHANGE are for root and
 * the group. */
enum access { ACCESS_CHANGE, ACCESS_DETAIL, ACCESS_READ };

enum parameter_type { PARAMETER_NONE, PARAMETER_STRING, PARAMETER_BOOL, PARAMETER_INTEGER };

struct parameter {
	const char *name;
	enum parameter_type type;
	bool optional;
};

#define PARAMETERS_MAX 10

struct method {
	const char *name;
	enum access access;
	void (*handle)(struct request *request);
	struct parameter parameters[PARAMETERS_MAX];
	/* What is tried with it, for the events that it failed or was refused, in the words of the command
	 * line; {NAME} is what the call gives for that parameter. NULL: the method's name. what: the part
	 * that tells single addresses; NULL: none. */
	const char *tried, *what;
};

/* How far a reply in parts has come; all zero before the first part. */
struct progress {
	size_t at;
	void *held; /* what the handler keeps between parts, freed with release */
	void (*release)(void *held);
};

/* The table, and what its handlers work on. */
struct dispatcher {
	const struct method *methods;
	size_t method_count;
	void *context;
	const char *group; /* for the text of a refusal; may be empty */
};

/* What a client has begun and not ended, from one of its calls to the next; released when it goes. */
struct session {
	void *held;
	void (*release)(void *held);
};

struct caller {
	struct session *session;
	uid_t uid;
	pid_t pid;
	bool may_change;
	bool deaf; /* will read no answer, so that none is made */
	/* Takes one encoded message, whose length includes its NUL. */
	void (*send)(void *userdata, const char *message, size_t length);
	void (*pause)(void *userdata, unsigned int ms); /* see request_pause */
	void *userdata;
};

#define REASON_SIZE 768

struct request {
	void *context;
	json_t *parameters; /* an object, never NULL; checked against the table */
	bool more, oneway;
	bool told;		  /* the event of this change, or there is none to tell */
	bool answered;		  /* the last reply has been given */
	const char *error;	  /* that it was answered with */
	char reason[REASON_SIZE]; /* of the error, for its event; may be empty */
	struct progress *progress;
	const struct caller *caller;
};

/* false: the reply has further parts; call again with the same message and progress. */
bool dispatch_message(struct dispatcher *dispatcher, const struct caller *caller, struct progress *progress,
		      const char *message, size_t length);
void dispatch_forget(struct progress *progress);

/* For what goes wrong outside of any call (a message too large, too many clients). */
void dispatch_send_error(const struct caller *caller, const char *error, json_t *parameters);

/*
 * For handlers. Each takes parameters over; NULL says that making them failed. request_part needs
 * request->more: the handler is called again, with progress->at as given here. request_reply or request_fail
 * is the last.
 */
void request_part(struct request *request, json_t *parameters, size_t at);
void request_reply(struct request *request, json_t *parameters);
void request_fail(struct request *request, const char *error, json_t *parameters);
void request_fail_parameter(struct request *request, const char *name);
/* text: what is wrong with a value that a person gave, and which are possible. */
void request_fail_value(struct request *request, const char *name, const char *text);

/* After request_part: the handler is called again only in so long. */
void request_pause(struct request *request, unsigned int ms);

/* Nothing can be said yet: the handler is called again in so long, with progress->at no longer zero. */
void request_wait(struct request *request, unsigned int ms);

/* Releases what is held, if anything. */
void session_end(struct session *session);

/* What a change came to, with who made it. */
#define request_tell(request, kind, ...)                                                                     \
	do {                                                                                                 \
		(request)->told = true;                                                                      \
		event_tell(kind, __VA_ARGS__ __VA_OPT__(, ) EV_NUMBER("uid", (request)->caller->uid),        \
			   EV_NUMBER("pid", (request)->caller->pid));                                        \
	} while (0)

/* Before request_fail: what is told of a change that failed, beside the name of the error. */
void request_explain(struct request *request, const char *reason);

/* A parameter that the table declares; fallback when it is optional and absent. */
const char *request_string(const struct request *request, const char *name);
bool request_bool(const struct request *request, const char *name, bool fallback);
long long request_integer(const struct request *request, const char *name, long long fallback);

#endif
