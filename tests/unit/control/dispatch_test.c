/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From message to handler, with a table of our own: who may call what, which parameters are refused, that
 * every call gets exactly one answer. And the daemon's own table: what in it anyone may call, and that the
 * interface description tells of all of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/control/dispatch.h"
#include "daemon/control/methods.h"
#include "daemon/control/protocol.h"

struct outbox {
	char text[4 * MESSAGE_MAX];
	unsigned int messages, changes, paused_ms;
};

static void collect(void *userdata, const char *message, size_t length)
{
	struct outbox *outbox = userdata;

	assert_int_equal(message[length - 1], '\0');
	assert_true(strlen(outbox->text) + length < sizeof(outbox->text));
	strcat(outbox->text, message);
	outbox->messages++;
}

static void note_pause(void *userdata, unsigned int ms)
{
	((struct outbox *)userdata)->paused_ms += ms;
}

static void handle_read(struct request *request)
{
	request_reply(request, json_pack("{s:s}", "read", request_string(request, "name")));
}

static void handle_change(struct request *request)
{
	((struct outbox *)request->context)->changes++;
	request_reply(request, json_pack("{s:b}", "force", request_bool(request, "force", false)));
}

static void handle_told(struct request *request)
{
	request_tell(request, EVENT_MODE_CHANGED, EV_TEXT("service", "web"), EV_TEXT("mode", "off"));
	request_reply(request, json_object());
}

static void handle_failing(struct request *request)
{
	request_fail_value(request, "force", "give it here");
}

static void handle_silent(struct request *request)
{
	(void)request;
}

static void handle_parts(struct request *request)
{
	if (request->progress->at < 3)
		request_part(request, json_pack("{s:i}", "part", (int)request->progress->at),
			     request->progress->at + 1);
	else
		request_reply(request, json_pack("{s:s}", "part", "last"));
}

/* Something that goes on: one part, a second later the last. */
static void handle_slow(struct request *request)
{
	if (!request->progress->at)
		((struct outbox *)request->context)->changes++;
	if (request->progress->at || !request->more) {
		request_reply(request, json_pack("{s:b}", "done", 1));
		return;
	}
	request_part(request, json_pack("{s:b}", "done", 0), 1);
	request_pause(request, 1000);
}

static void handle_large(struct request *request)
{
	static char large[MESSAGE_MAX];

	memset(large, 'x', sizeof(large));
	request_reply(request, json_pack("{s:s#}", "large", large, MESSAGE_MAX));
}

static const struct method methods[] = {
	{ "t.i.Read", ACCESS_READ, handle_read, { { "name", PARAMETER_STRING, false } }, NULL, NULL },
	{ "t.i.Detail", ACCESS_DETAIL, handle_read, { { "name", PARAMETER_STRING, false } }, NULL, NULL },
	{ "t.i.Told", ACCESS_CHANGE, handle_told, { { 0 } }, NULL, NULL },
	{ "t.i.Failing", ACCESS_CHANGE, handle_failing, { { 0 } }, NULL, NULL },
	{ "t.i.Change", ACCESS_CHANGE, handle_change, { { "force", PARAMETER_BOOL, true } }, NULL, NULL },
	{ "t.i.Worded",
	  ACCESS_CHANGE,
	  handle_failing,
	  { { "name", PARAMETER_STRING, true }, { "on", PARAMETER_BOOL, true } },
	  "thing {name} switch {on}",
	  "{name}" },
	{ "t.i.Silent", ACCESS_READ, handle_silent, { { 0 } }, NULL, NULL },
	{ "t.i.Parts", ACCESS_READ, handle_parts, { { 0 } }, NULL, NULL },
	{ "t.i.Large", ACCESS_READ, handle_large, { { 0 } }, NULL, NULL },
	{ "t.i.Slow", ACCESS_CHANGE, handle_slow, { { 0 } }, NULL, NULL },
};

#define PARAMETERS(json) ",\"parameters\":" json "}"

static const struct {
	const char *message;
	bool may_change;
	const char *answer;
	unsigned int changes;
} rows[] = {
	{ "{\"method\":\"t.i.Read\"" PARAMETERS("{\"name\":\"x\"}"), false,
	  "{\"parameters\":{\"read\":\"x\"}}", 0 },
	{ "{\"method\":\"t.i.Read\"}", false,
	  "{\"error\":\"" ERROR_INVALID_PARAMETER "\",\"parameters\":{\"parameter\":\"name\"}}", 0 },
	{ "{\"method\":\"t.i.Read\"" PARAMETERS("{\"name\":1}"), false,
	  "{\"error\":\"" ERROR_INVALID_PARAMETER "\",\"parameters\":{\"parameter\":\"name\"}}", 0 },
	{ "{\"method\":\"t.i.Read\"" PARAMETERS("{\"name\":\"x\",\"y\":1}"), false,
	  "{\"error\":\"" ERROR_INVALID_PARAMETER "\",\"parameters\":{\"parameter\":\"y\"}}", 0 },
	{ "{\"method\":\"t.i.Change\"}", true, "{\"parameters\":{\"force\":false}}", 1 },
	{ "{\"method\":\"t.i.Change\"" PARAMETERS("{\"force\":true}"), true,
	  "{\"parameters\":{\"force\":true}}", 1 },
	{ "{\"method\":\"t.i.Change\"" PARAMETERS("{\"force\":\"yes\"}"), true,
	  "{\"error\":\"" ERROR_INVALID_PARAMETER "\",\"parameters\":{\"parameter\":\"force\"}}", 0 },
	{ "{\"method\":\"t.i.Change\"}", false,
	  "{\"error\":\"" ERROR_PERMISSION_DENIED
	  "\",\"parameters\":{\"text\":\"this changes things: only root and "
	  "members of group staff may do it; you are uid 1000\"}}",
	  0 },
	{ "{\"method\":\"t.i.Detail\"" PARAMETERS("{\"name\":\"x\"}"), true,
	  "{\"parameters\":{\"read\":\"x\"}}", 0 },
	{ "{\"method\":\"t.i.Detail\"" PARAMETERS("{\"name\":\"x\"}"), false,
	  "{\"error\":\"" ERROR_PERMISSION_DENIED
	  "\",\"parameters\":{\"text\":\"this names single addresses: only root and "
	  "members of group staff may do it; you are uid 1000\"}}",
	  0 },
	/* refused before its parameters are looked at */
	{ "{\"method\":\"t.i.Change\"" PARAMETERS("{\"z\":1}"), false,
	  "{\"error\":\"" ERROR_PERMISSION_DENIED
	  "\",\"parameters\":{\"text\":\"this changes things: only root and "
	  "members of group staff may do it; you are uid 1000\"}}",
	  0 },
	{ "{\"method\":\"t.i.Change\",\"oneway\":true}", true, "", 1 },
	{ "{\"method\":\"t.i.Change\",\"oneway\":true}", false, "", 0 },
	{ "{\"method\":\"t.i.Nope\"}", true,
	  "{\"error\":\"" ERROR_METHOD_NOT_FOUND "\",\"parameters\":{\"method\":\"t.i.Nope\"}}", 0 },
	{ "{\"method\":\"t.x.Read\"}", true,
	  "{\"error\":\"" ERROR_INTERFACE_NOT_FOUND "\",\"parameters\":{\"interface\":\"t.x\"}}", 0 },
	{ "{\"method\":\"Read\"}", true,
	  "{\"error\":\"" ERROR_INTERFACE_NOT_FOUND "\",\"parameters\":{\"interface\":\"\"}}", 0 },
	{ "{\"method\":\"t.i.Failing\"}", true,
	  "{\"error\":\"" ERROR_BAD_VALUE
	  "\",\"parameters\":{\"parameter\":\"force\",\"text\":\"give it here\"}}",
	  0 },
	{ "{\"method\":\"t.i.Silent\"}", true,
	  "{\"error\":\"" ERROR_FAILED
	  "\",\"parameters\":{\"errno\":5,\"text\":\"the daemon has no answer\"}}",
	  0 },
	{ "{\"method\":\"t.i.Large\"}", true,
	  "{\"error\":\"" ERROR_FAILED
	  "\",\"parameters\":{\"errno\":90,\"text\":\"the reply is too large\"}}",
	  0 },
	{ "[]", true,
	  "{\"error\":\"" ERROR_INVALID_MESSAGE
	  "\",\"parameters\":{\"text\":\"a call must be a JSON object\"}}",
	  0 },
};

static struct outbox outbox;

static struct dispatcher make_dispatcher(void)
{
	memset(&outbox, 0, sizeof(outbox));
	return (struct dispatcher){ .methods = methods,
				    .method_count = sizeof(methods) / sizeof(methods[0]),
				    .context = &outbox,
				    .group = "staff" };
}

static struct caller make_caller(bool may_change)
{
	return (struct caller){
		.uid = 1000,
		.pid = 1,
		.may_change = may_change,
		.send = collect,
		.pause = note_pause,
		.userdata = &outbox,
	};
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dispatcher dispatcher = make_dispatcher();
		struct caller caller = make_caller(rows[i].may_change);
		struct progress progress = { 0 };

		assert_true(dispatch_message(&dispatcher, &caller, &progress, rows[i].message,
					     strlen(rows[i].message)));
		assert_string_equal(outbox.text, rows[i].answer);
		assert_int_equal(outbox.changes, rows[i].changes);
		assert_int_equal(outbox.messages, *rows[i].answer ? 1 : 0);
	}
}

/* Who changed something, and what became of it, is one event: the handler's own, or that it failed or was
 * refused. */
static void test_told(void **state)
{
	static const struct {
		const char *message;
		bool may_change;
		const char *event, *text;
	} changes[] = {
		{ "{\"method\":\"t.i.Told\"}", true, "mode-changed",
		  "web: mode off, set by uid 1000 (pid 1)" },
		{ "{\"method\":\"t.i.Failing\"}", true, "change-failed",
		  "Failing failed, nothing changed: give it here (BadValue), by uid 1001 (pid 1)" },
		{ "{\"method\":\"t.i.Worded\"" PARAMETERS("{\"name\":\"192.0.2.7\",\"on\":true}"), true,
		  "change-failed",
		  "thing 192.0.2.7 switch on 192.0.2.7 failed, nothing changed: give it here (BadValue), by "
		  "uid 1002 "
		  "(pid 1)" },
		{ "{\"method\":\"t.i.Worded\"" PARAMETERS("{\"name\":\"two words\"}"), true, "change-failed",
		  "thing ? switch ? ? failed, nothing changed" },
		{ "{\"method\":\"t.i.Worded\"" PARAMETERS("{\"name\":\"web\",\"on\":false}"), false,
		  "access-refused", "thing web switch off web refused to uid 1004 (pid 1)" },
		{ "{\"method\":\"t.i.Change\"}", false, "access-refused",
		  "Change refused to uid 1005 (pid 1)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct dispatcher dispatcher = make_dispatcher();
		struct caller caller = make_caller(changes[i].may_change);
		struct progress progress = { 0 };
		uint64_t before = events_newest();
		struct event_entry *event;

		caller.uid += (uid_t)i; /* each user has so many a minute */
		dispatch_message(&dispatcher, &caller, &progress, changes[i].message,
				 strlen(changes[i].message));
		assert_int_equal(events_newest(), before + 1);
		event = events_next(before);
		assert_string_equal(event->name, changes[i].event);
		assert_non_null(strstr(event->text, changes[i].text));
		event_unref(event);
	}
}

static void test_parts(void **state)
{
	static const char message[] = "{\"method\":\"t.i.Parts\",\"more\":true}";
	struct dispatcher dispatcher = make_dispatcher();
	struct caller caller = make_caller(false);
	struct progress progress = { 0 };
	unsigned int turns = 1;

	(void)state;
	while (!dispatch_message(&dispatcher, &caller, &progress, message, sizeof(message) - 1))
		turns++;
	assert_int_equal(turns, 4);
	assert_int_equal(progress.at, 0);
	assert_string_equal(outbox.text, "{\"parameters\":{\"part\":0},\"continues\":true}"
					 "{\"parameters\":{\"part\":1},\"continues\":true}"
					 "{\"parameters\":{\"part\":2},\"continues\":true}"
					 "{\"parameters\":{\"part\":\"last\"}}");
}

static void test_slow(void **state)
{
	static const char message[] = "{\"method\":\"t.i.Slow\",\"more\":true}";
	struct dispatcher dispatcher = make_dispatcher();
	struct caller caller = make_caller(true);
	struct progress progress = { 0 };

	(void)state;
	assert_false(dispatch_message(&dispatcher, &caller, &progress, message, sizeof(message) - 1));
	assert_int_equal(outbox.paused_ms, 1000);
	assert_true(dispatch_message(&dispatcher, &caller, &progress, message, sizeof(message) - 1));
	assert_int_equal(outbox.paused_ms, 1000);
	assert_int_equal(outbox.changes, 1);
	assert_string_equal(outbox.text, "{\"parameters\":{\"done\":false},\"continues\":true}"
					 "{\"parameters\":{\"done\":true}}");
}

/* A client that has gone: what it asked to be done is done, what it asked to be told is not looked up. */
static void test_deaf(void **state)
{
	static const char change[] = "{\"method\":\"t.i.Change\"}", large[] = "{\"method\":\"t.i.Large\"}";
	struct dispatcher dispatcher = make_dispatcher();
	struct caller caller = make_caller(true);
	struct progress progress = { 0 };

	(void)state;
	caller.deaf = true;
	assert_true(dispatch_message(&dispatcher, &caller, &progress, large, sizeof(large) - 1));
	assert_int_equal(outbox.messages, 0);
	assert_true(dispatch_message(&dispatcher, &caller, &progress, change, sizeof(change) - 1));
	assert_int_equal(outbox.changes, 1);
}

/* What anyone may call; a new method is not among it until someone writes it down here as well. */
static const char *const readable[] = {
	METHOD_STATUS,	    METHOD_LIST_SERVICES, METHOD_GET_SERVICE, METHOD_LIST_INTERFACES,
	METHOD_SHOW_CONFIG, METHOD_VERSION,	  METHOD_GET_INFO,    METHOD_GET_INTERFACE_DESCRIPTION,
	METHOD_LIST_LIMITS, METHOD_LIST_STATUS,	  METHOD_LIST_EVENTS, METHOD_LIST_EVENT_KINDS,
	METHOD_SYN_RECV,    METHOD_DOCTOR,	  METHOD_METRICS,
};

/* These tell single addresses. */
static const char *const detailed[] = {
	METHOD_LIST_ENTRIES, METHOD_TEST_ADDRESS, METHOD_LIST_FLOWS,
	METHOD_GET_FLOW,     METHOD_LIST_SOURCES, METHOD_LIST_ATTACKS,
};

static bool is_among(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void test_table(void **state)
{
	size_t count;
	const struct method *table = methods_table(&count);
	char line[128];

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(table[i].access == ACCESS_READ,
				 is_among(readable, sizeof(readable) / sizeof(readable[0]), table[i].name));
		assert_int_equal(table[i].access == ACCESS_DETAIL,
				 is_among(detailed, sizeof(detailed) / sizeof(detailed[0]), table[i].name));
		if (strncmp(table[i].name, "io.synmoat.", 11) != 0)
			continue;
		assert_true(table[i].access == ACCESS_READ || table[i].tried);
		snprintf(line, sizeof(line), "\nmethod %s(", table[i].name + 11);
		assert_non_null(strstr(methods_description(), line));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told), /* while nothing is left out of the log */
		cmocka_unit_test(test_rows), cmocka_unit_test(test_parts), cmocka_unit_test(test_slow),
		cmocka_unit_test(test_deaf), cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
