// SPDX-License-Identifier: GPL-2.0-or-later
/* See list_methods.h. */
#include "daemon/control/list_methods.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/control/dispatch.h"
#include "daemon/control/methods.h"
#include "daemon/control/protocol.h"
#include "daemon/control/varlink.h"
#include "daemon/engine/cut.h"
#include "daemon/engine/engine.h"
#include "daemon/lists/lists.h"
#include "daemon/lists/parse.h"
#include "daemon/lists/store.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define FOR_MAX_S	  (10LL * 366 * 86400)
#define ENTRIES_IN_PAGE	  100
#define LOOKED_AT_IN_PAGE 20000 /* so that a filter that few pass holds up nobody */
#define MATCHES_MAX	  64

static struct engine *engine_of(const struct request *request)
{
	return ((const struct method_context *)request->context)->engine;
}

static struct lists *lists_of(const struct request *request)
{
	return engine_lists(engine_of(request));
}

static void fail_text(struct request *request, int error, const char *text)
{
	request_explain(request, text);
	request_fail(request, ERROR_FAILED,
		     json_pack("{s:i,s:o}", "errno", -error, "text", varlink_text(text, strlen(text))));
}

static bool take_kind(struct request *request, enum list_kind *kind)
{
	const char *word = request_string(request, "kind");

	*kind = !strcmp(word, lists_kind_word(LIST_ALLOW)) ? LIST_ALLOW : LIST_BLOCK;
	if (!strcmp(word, lists_kind_word(*kind)))
		return true;
	request_fail_parameter(request, "kind");
	return false;
}

static bool take_prefix(struct request *request, struct prefix *prefix)
{
	const char *text = request_string(request, "prefix");
	char fault[256];

	if (!prefix_parse(text, prefix))
		return true;
	request_fail_value(request, "prefix", prefix_explain(text, fault, sizeof(fault)));
	return false;
}

/* -1: any. */
static bool take_origin(struct request *request, int *origin)
{
	const char *word = request_string(request, "origin");

	*origin = word ? lists_origin_parse(word) : -1;
	if (!word || *origin >= 0)
		return true;
	request_fail_parameter(request, "origin");
	return false;
}

static json_t *encode_entry(struct engine *engine, const struct lists_entry *e)
{
	char text[INET6_ADDRSTRLEN + 4];
	int64_t now_s = engine_list_clock(), left_s = e->expires_s - now_s;
	json_t *entry = json_pack(
		"{s:s,s:s,s:s,s:o,s:o,s:I,s:I}", "prefix", prefix_format(&e->prefix, text, sizeof(text)),
		"kind", lists_kind_word(e->kind), "origin", lists_origin_word(e->origin), "file",
		varlink_text(e->name, strlen(e->name)), "reason", varlink_text(e->reason, strlen(e->reason)),
		"age_s", (json_int_t)(now_s - e->added_s), "hits", (json_int_t)e->hits);

	json_object_set_new(entry, "expires_in_s",
			    e->expires_s ? json_integer(left_s > 0 ? left_s : 0) : json_null());
	json_object_set_new(entry, "last_hit_s",
			    e->last ? json_integer((json_int_t)engine_list_age_s(engine, e->last))
				    : json_null());
	return entry;
}

/* By an entry for the very same prefix, which wins. */
static bool is_allowed(const struct request *request, const struct prefix *prefix)
{
	struct lists_entry entries[MATCHES_MAX];
	size_t count = lists_match(lists_of(request), &prefix->address, entries, MATCHES_MAX);

	for (size_t i = 0; i < count && i < MATCHES_MAX; i++)
		if (entries[i].kind == LIST_ALLOW && entries[i].prefix.length_bits == prefix->length_bits)
			return true;
	return false;
}

static void added(struct request *request, enum list_kind kind, const struct prefix *prefix, long long for_s,
		  bool changed)
{
	char text[INET6_ADDRSTRLEN + 4];

	request_tell(request, EVENT_LIST_CHANGED, EV_TEXT("kind", lists_kind_word(kind)),
		     EV_TEXT("action", changed ? "changed" : "added"),
		     EV_TEXT("prefix", prefix_format(prefix, text, sizeof(text))), EV_NUMBER("for_s", for_s),
		     EV_TEXT("reason", request_string(request, "reason")));
	request_reply(request,
		      json_pack("{s:s,s:s,s:b,s:b}", "kind", lists_kind_word(kind), "prefix", text, "changed",
				changed, "overruled", kind == LIST_BLOCK && is_allowed(request, prefix)));
}

/* True: the request has been answered. */
static bool would_cut_off(struct request *request, const struct prefix *prefix)
{
	char text[256], name[INET6_ADDRSTRLEN + 8];

	if (!cut_explain(engine_get_config(engine_of(request)), prefix, text, sizeof(text)))
		return false;
	request_explain(request, text);
	request_fail(
		request, ERROR_WOULD_CUT_OFF,
		json_pack("{s:s,s:s}", "prefix", prefix_format(prefix, name, sizeof(name)), "text", text));
	return true;
}

/* False: the request has been answered. */
static bool reason_is_fit(struct request *request)
{
	const char *reason = request_string(request, "reason");
	bool fit = !reason || strlen(reason) <= STORE_REASON_MAX;

	for (const char *c = reason; fit && c && *c; c++)
		fit = !iscntrl((unsigned char)*c);
	if (!fit)
		request_fail_value(request, "reason", "a reason is one line of text, at most 96 bytes long");
	return fit;
}

void handle_add_entry(struct request *request)
{
	long long for_s = request_integer(request, "for_s", 0);
	int64_t now_s = engine_list_clock();
	struct prefix prefix;
	enum list_kind kind;
	int result;

	if (!take_kind(request, &kind) || !take_prefix(request, &prefix) || !reason_is_fit(request))
		return;
	if (for_s < 0 || for_s > FOR_MAX_S) {
		request_fail_parameter(request, "for_s");
		return;
	}
	if (kind == LIST_BLOCK && !request_bool(request, "force", false) && would_cut_off(request, &prefix))
		return;
	result = lists_add(lists_of(request), kind, &prefix, ORIGIN_MANUAL, for_s ? now_s + for_s : 0, now_s,
			   request_string(request, "reason"));
	engine_lists_changed(engine_of(request));
	if (result == -ENOSPC)
		fail_text(request, result, "the lists hold as many entries as they can");
	else if (result < 0)
		fail_text(request, result, strerror(-result));
	else
		added(request, kind, &prefix, for_s, result == 1);
}

void handle_remove_entry(struct request *request)
{
	char text[INET6_ADDRSTRLEN + 4], reason[256];
	struct prefix prefix;
	enum list_kind kind;

	if (!take_kind(request, &kind) || !take_prefix(request, &prefix))
		return;
	if (lists_remove(lists_of(request), kind, &prefix)) {
		snprintf(reason, sizeof(reason),
			 "no %s entry for %s was added by hand or automatically (entries of files are "
			 "changed there)",
			 lists_kind_word(kind), prefix_format(&prefix, text, sizeof(text)));
		request_explain(request, reason);
		request_fail(request, ERROR_NO_SUCH_ENTRY,
			     json_pack("{s:s,s:s}", "prefix", text, "text", reason));
		return;
	}
	engine_lists_changed(engine_of(request));
	request_tell(request, EVENT_LIST_CHANGED, EV_TEXT("kind", lists_kind_word(kind)),
		     EV_TEXT("action", "removed"),
		     EV_TEXT("prefix", prefix_format(&prefix, text, sizeof(text))));
	request_reply(request, json_pack("{s:s,s:s,s:b}", "kind", lists_kind_word(kind), "prefix", text,
					 "changed", true));
}

/* A page: the next one begins at what `next` says. */
void handle_list_entries(struct request *request)
{
	long long after = request_integer(request, "after", 0);
	json_t *entries, *next = json_null();
	struct lists_entry entry;
	enum list_kind kind;
	uint32_t place;
	int origin;

	if (!take_kind(request, &kind) || !take_origin(request, &origin))
		return;
	if (after < 0 || after > UINT32_MAX) {
		request_fail_parameter(request, "after");
		return;
	}
	place = (uint32_t)after;
	entries = json_array();
	for (int i = 0; lists_next(lists_of(request), &place, &entry); i++) {
		if (entry.kind == kind && (origin < 0 || entry.origin == (enum list_origin)origin))
			json_array_append_new(entries, encode_entry(engine_of(request), &entry));
		if (json_array_size(entries) < ENTRIES_IN_PAGE && i < LOOKED_AT_IN_PAGE)
			continue;
		next = json_integer(place);
		break;
	}
	request_reply(request, json_pack("{s:o,s:o}", "entries", entries, "next", next));
}

void handle_flush_entries(struct request *request)
{
	enum list_kind kind;
	int origin;
	int64_t removed = 0;

	if (!take_kind(request, &kind) || !take_origin(request, &origin))
		return;
	if (origin == ORIGIN_CONFIG || origin == ORIGIN_FEED) {
		request_fail_value(
			request, "origin",
			"entries of files go when the files do: remove them there, then synmoat reload");
		return;
	}
	if (origin < 0 || origin == ORIGIN_MANUAL)
		removed += lists_flush(lists_of(request), kind, ORIGIN_MANUAL);
	if (origin < 0 || origin == ORIGIN_AUTO)
		removed += lists_flush(lists_of(request), kind, ORIGIN_AUTO);
	engine_lists_changed(engine_of(request));
	request_tell(request, EVENT_LIST_CHANGED, EV_TEXT("kind", lists_kind_word(kind)),
		     EV_TEXT("action", "flushed"), EV_NUMBER("entries", removed),
		     EV_TEXT("origin", request_string(request, "origin")));
	request_reply(request,
		      json_pack("{s:s,s:I}", "kind", lists_kind_word(kind), "removed", (json_int_t)removed));
}

/* --- import --- */

#define FAULTS_TOLD 10

struct import {
	struct engine *engine;
	int set;
	enum list_kind kind;
	bool force;
	uint64_t entries, lines, faults;
};

static void import_drop(void *held)
{
	struct import *import = held;

	lists_set_drop(engine_lists(import->engine), import->set);
	engine_lists_changed(import->engine);
	free(import);
}

/* The import of this connection, begun if there is none. NULL: the call has been answered. */
static struct import *import_of(struct request *request, enum list_kind kind)
{
	struct session *session = request->caller->session;
	struct import *import = session ? session->held : NULL;

	if (!session) {
		fail_text(request, -EINVAL, "an import needs a connection of its own");
		return NULL;
	}
	if (import && import->kind == kind)
		return import;
	if (import) {
		fail_text(request, -EINVAL, "an import of the other kind is under way on this connection");
		return NULL;
	}
	import = calloc(1, sizeof(*import));
	if (import)
		import->set = lists_set_begin(lists_of(request), ORIGIN_MANUAL, "");
	if (!import || import->set < 0) {
		free(import);
		fail_text(request, -ENOSPC, "too many imports are under way");
		return NULL;
	}
	import->engine = engine_of(request);
	import->kind = kind;
	session->held = import;
	session->release = import_drop;
	return import;
}

static void import_fault(struct import *import, const char *fault, json_t *faults)
{
	char text[320];

	if (import->faults++ >= FAULTS_TOLD)
		return;
	snprintf(text, sizeof(text), "line %llu: %s", (unsigned long long)import->lines, fault);
	json_array_append_new(faults, varlink_text(text, strlen(text)));
}

/* 0 or a negative errno. */
static int import_line(struct import *import, char *line, int64_t expires_s, int64_t now_s,
		       const char *fallback, json_t *faults)
{
	char fault[256];
	struct prefix prefix;
	const char *reason;
	int result;

	import->lines++;
	switch (parse_list_line(line, &prefix, &reason, fault, sizeof(fault))) {
	case PARSE_NOTHING:
		return 0;
	case PARSE_BAD:
		import_fault(import, fault, faults);
		return 0;
	case PARSE_ENTRY:
		break;
	}
	if (import->kind == LIST_BLOCK && !import->force &&
	    cut_explain(engine_get_config(import->engine), &prefix, fault, sizeof(fault))) {
		import_fault(import, fault, faults);
		return 0;
	}
	result = lists_set_add(engine_lists(import->engine), import->set, import->kind, &prefix, expires_s,
			       now_s, *reason || !fallback ? reason : fallback);
	import->entries += result == 0;
	return result < 0 ? result : 0;
}

static int import_text(struct request *request, struct import *import, int64_t for_s, json_t *faults)
{
	char *text = strdup(request_string(request, "text")), *rest = text, *line;
	const char *reason = request_string(request, "reason");
	int64_t now_s = engine_list_clock();
	int error = text ? 0 : -ENOMEM;

	while (!error && rest && *rest && (line = strsep(&rest, "\n")))
		error = import_line(import, line, for_s ? now_s + for_s : 0, now_s, reason, faults);
	free(text);
	return error;
}

void handle_import_entries(struct request *request)
{
	long long for_s = request_integer(request, "for_s", 0);
	struct import *import;
	enum list_kind kind;
	json_t *faults;
	int error;

	if (!take_kind(request, &kind) || !reason_is_fit(request))
		return;
	if (for_s < 0 || for_s > FOR_MAX_S) {
		request_fail_parameter(request, "for_s");
		return;
	}
	import = import_of(request, kind);
	if (!import)
		return;
	import->force = request_bool(request, "force", false);
	faults = json_array();
	error = import_text(request, import, for_s, faults);
	if (error) {
		json_decref(faults);
		session_end(request->caller->session);
		fail_text(request, error,
			  error == -ENOSPC
				  ? "the lists hold as many entries as they can: nothing was imported"
				  : strerror(-error));
		return;
	}
	request->told = true; /* with the last part */
	request_reply(request, json_pack("{s:I,s:I,s:I,s:o}", "entries", (json_int_t)import->entries, "lines",
					 (json_int_t)import->lines, "fault_count", (json_int_t)import->faults,
					 "faults", faults));
	if (!request_bool(request, "commit", false))
		return;
	request_tell(request, EVENT_LIST_CHANGED, EV_TEXT("kind", lists_kind_word(kind)),
		     EV_TEXT("action", "imported"), EV_NUMBER("entries", (int64_t)import->entries),
		     EV_NUMBER("for_s", for_s), EV_TEXT("reason", request_string(request, "reason")));
	lists_set_commit(lists_of(request), import->set);
	engine_lists_changed(engine_of(request));
	request->caller->session->held = NULL;
	free(import);
}

void handle_list_status(struct request *request)
{
	json_t *kinds[2] = { json_object(), json_object() };
	struct lists_progress progress;
	struct lists_counts counts;

	lists_count(lists_of(request), &counts);
	engine_lists_progress(engine_of(request), &progress);
	for (int kind = LIST_BLOCK; kind <= LIST_ALLOW; kind++)
		for (int origin = 0; origin < ORIGIN_COUNT; origin++)
			json_object_set_new(kinds[kind], lists_origin_word((enum list_origin)origin),
					    json_integer((json_int_t)counts.entries[kind][origin]));
	request_reply(request,
		      json_pack("{s:o,s:o,s:I,s:b,s:{s:s,s:o,s:I,s:I}}", "block", kinds[LIST_BLOCK], "allow",
				kinds[LIST_ALLOW], "bytes", (json_int_t)counts.bytes, "loading",
				engine_lists_busy(engine_of(request)), "progress", "phase", progress.phase,
				"file", varlink_text(progress.file, strlen(progress.file)), "entries",
				(json_int_t)progress.entries, "left", (json_int_t)progress.left));
}

void handle_test_address(struct request *request)
{
	const char *address = request_string(request, "address");
	struct lists_entry entries[MATCHES_MAX];
	struct engine_status status;
	struct prefix prefix;
	json_t *matches;
	size_t count;

	if (strchr(address, '/') || prefix_parse(address, &prefix)) {
		request_fail_value(request, "address",
				   "test takes one address, such as 192.0.2.1 or 2001:db8::1");
		return;
	}
	count = lists_match(lists_of(request), &prefix.address, entries, MATCHES_MAX);
	matches = json_array();
	for (size_t i = 0; i < count && i < MATCHES_MAX; i++)
		json_array_append_new(matches, encode_entry(engine_of(request), &entries[i]));
	engine_get_status(engine_of(request), &status);
	request_reply(request, json_pack("{s:s,s:s,s:o,s:b,s:b}", "address", address, "verdict",
					 !count				 ? "none"
					 : entries[0].kind == LIST_ALLOW ? "allow"
									 : "block",
					 "matches", matches, "bypass", status.bypass, "loading",
					 engine_lists_busy(engine_of(request))));
}
