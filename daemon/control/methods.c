// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The handlers: each calls the engine and encodes what it says. Errors of the engine become errors of the
 * protocol through tables at the top.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/control/authority.h"
#include "daemon/control/config_text.h"
#include "daemon/control/dispatch.h"
#include "daemon/control/doctor_method.h"
#include "daemon/control/encode.h"
#include "daemon/control/event_methods.h"
#include "daemon/control/flows.h"
#include "daemon/control/list_methods.h"
#include "daemon/control/methods.h"
#include "daemon/control/protocol.h"
#include "daemon/control/varlink.h"
#include "daemon/control/watch_methods.h"
#include "daemon/engine/engine.h"
#include "daemon/metrics/metrics.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Parts of a long reply; both stay below MESSAGE_MAX however much JSON has to escape. */
#define ITEMS_IN_PART	512
#define SERVERS_IN_PART 64
#define TEXT_IN_PART	10240

/* Sources in a reply, which holds some 250 bytes of each. */
#define SOURCES_SHOWN	  20
#define SOURCES_SHOWN_MAX 200
#define ATTACKS_SHOWN	  20
#define ATTACKS_SHOWN_MAX 64 /* keeps a reply below MESSAGE_MAX */
#define DRAIN_EVERY_MS	  1000
#define SERVICES_NAMED	  12 /* in an error */
#define MODE_CONFIGURED	  "configured"

#define SECRET_FILE_RULE                                                                                     \
	"the secret file must hold one line GENERATION:HEX (0 or 1, 32 hex digits), readable by the daemon " \
	"alone"

static const struct {
	int error;
	const char *name;
} interface_errors[] = {
	{ -ENOENT, ERROR_NO_SUCH_INTERFACE },
	{ -ENODEV, ERROR_INTERFACE_MISSING },
	{ -EBUSY, ERROR_INTERFACE_BUSY },
};

static const struct {
	int error;
	const char *text;
} secret_errors[] = {
	{ -EALREADY,
	  "the secret file still holds the generation that is in force: write the other one with a new "
	  "secret to it first" },
	{ -EINVAL, SECRET_FILE_RULE },
	{ -EPERM, SECRET_FILE_RULE },
	{ -ENOENT, SECRET_FILE_RULE },
};

static struct engine *engine_of(const struct request *request)
{
	return ((const struct method_context *)request->context)->engine;
}

static json_t *json_text(const char *text)
{
	return varlink_text(text, strlen(text));
}

static void fail_errno(struct request *request, int error, const char *text)
{
	const char *reason = *text ? text : strerror(-error);

	request_explain(request, reason);
	request_fail(request, ERROR_FAILED,
		     json_pack("{s:i,s:o}", "errno", -error, "text", json_text(reason)));
}

static void fail_expected_more(struct request *request)
{
	request_fail(request, ERROR_EXPECTED_MORE, json_object());
}

/* "web, mail and 3 more"; bounded. */
static void name_services(struct engine *engine, char *text, size_t size)
{
	struct service_status status;
	size_t used = 0, i;

	*text = '\0';
	for (i = 0; engine_get_service(engine, i, &status) == 0; i++)
		if (i < SERVICES_NAMED)
			used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
						 status.config->name);
	if (i > SERVICES_NAMED)
		snprintf(text + used, size - used, " and %zu more", i - SERVICES_NAMED);
}

void methods_fail_no_such_service(struct request *request, const char *name)
{
	char names[SERVICES_NAMED * 34 + 32];
	json_t *text;

	name_services(engine_of(request), names, sizeof(names));
	text = json_sprintf("the configuration has no service \"%s\": there is %s", name, names);
	request_explain(request, text ? json_string_value(text) : "");
	request_fail(request, ERROR_NO_SUCH_SERVICE, json_pack("{s:s,s:o}", "name", name, "text", text));
}

static void fail_interface(struct request *request, const char *name, int error, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(interface_errors); i++) {
		if (interface_errors[i].error != error)
			continue;
		text = *text ? text : strerror(-error);
		request_explain(request, text);
		request_fail(request, interface_errors[i].name,
			     json_pack("{s:s,s:o}", "name", name, "text", json_text(text)));
		return;
	}
	fail_errno(request, error, text);
}

static void handle_status(struct request *request)
{
	struct tracker *tracker = ((const struct method_context *)request->context)->tracker;
	json_t *reply = encode_status(engine_of(request));

	json_object_set_new(reply, "tracking", flows_encode_tracking(tracker));
	json_object_set_new(reply, "health",
			    encode_health(((const struct method_context *)request->context)->metrics));
	request_reply(request, reply);
}

static void handle_list_services(struct request *request)
{
	struct engine *engine = engine_of(request);

	request_reply(request,
		      encode_with_alarms(json_pack("{s:o}", "services", encode_services(engine)), engine));
}

/* The servers of a service, as they were when the first part was made. */
struct servers {
	struct server_status *items;
	size_t count;
};

static void drop_servers(void *held)
{
	struct servers *servers = held;

	free(servers->items);
	free(servers);
}

static int hold_servers(struct request *request, const char *name)
{
	struct servers *servers = calloc(1, sizeof(*servers));
	int error;

	if (!servers)
		return -ENOMEM;
	request->progress->held = servers;
	request->progress->release = drop_servers;
	error = engine_get_servers(engine_of(request), name, &servers->items, &servers->count);
	return error == -ENOENT ? 0 : error;
}

static json_t *servers_part(const struct servers *servers, size_t part)
{
	json_t *array = json_array();

	for (size_t i = part * SERVERS_IN_PART; i < servers->count && i < (part + 1) * SERVERS_IN_PART; i++)
		json_array_append_new(array, encode_server(&servers->items[i]));
	return array;
}

static json_t *service_part(const struct config_service *config, const struct servers *servers, size_t first)
{
	return json_pack("{s:o,s:o,s:o}", "prefixes", encode_prefixes(config, first, ITEMS_IN_PART), "ports",
			 encode_ports(config, first, ITEMS_IN_PART), "servers",
			 servers_part(servers, first / ITEMS_IN_PART));
}

static json_t *service_first_part(struct engine *engine, const struct service_status *status,
				  const struct servers *servers)
{
	json_t *part = service_part(status->config, servers, 0);

	json_object_set_new(part, "service", encode_service(status));
	json_object_set_new(part, "settings", encode_settings(status));
	json_object_set_new(part, "limits", encode_own_limits(engine, status->config->name));
	json_object_set_new(part, "verdicts", encode_verdicts(&status->counters));
	return part;
}

/* Without `more` a reply ends with its first part. */
static size_t servers_left_out(const struct request *request, const struct servers *servers)
{
	return !request->more && servers->count > SERVERS_IN_PART ? servers->count - SERVERS_IN_PART : 0;
}

static size_t most(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void handle_get_service(struct request *request)
{
	const char *name = request_string(request, "name");
	struct service_status status;
	size_t items, first = request->progress->at;
	const struct servers *servers;
	json_t *part;
	int error = 0;

	if (engine_find_service(engine_of(request), name, &status)) {
		methods_fail_no_such_service(request, name);
		return;
	}
	items = most(status.config->prefix_count, status.config->port_count);
	if (items > ITEMS_IN_PART && !request->more) {
		fail_expected_more(request);
		return;
	}
	if (!request->progress->held)
		error = hold_servers(request, name);
	if (error) {
		fail_errno(request, error, "");
		return;
	}
	servers = request->progress->held;
	if (first) {
		part = service_part(status.config, servers, first);
	} else {
		part = encode_with_alarms(service_first_part(engine_of(request), &status, servers),
					  engine_of(request));
		json_object_set_new(part, "servers_left_out",
				    json_integer((json_int_t)servers_left_out(request, servers)));
	}
	if (request->more)
		items = most(items, servers->count * (ITEMS_IN_PART / SERVERS_IN_PART));
	if (first + ITEMS_IN_PART < items)
		request_part(request, part, first + ITEMS_IN_PART);
	else
		request_reply(request, part);
}

static void handle_set_service_mode(struct request *request)
{
	const char *name = request_string(request, "name"), *word = request_string(request, "mode");
	bool back = !strcmp(word, MODE_CONFIGURED);
	int mode = config_mode_parse(word), error;
	struct service_status status;
	enum service_mode before;

	if (mode < 0 && !back) {
		request_fail_parameter(request, "mode");
		return;
	}
	if (engine_find_service(engine_of(request), name, &status)) {
		methods_fail_no_such_service(request, name);
		return;
	}
	before = status.mode;
	if (back)
		mode = (int)status.config->mode;
	error = engine_set_mode(engine_of(request), name, (enum service_mode)mode);
	if (error || engine_find_service(engine_of(request), name, &status)) {
		fail_errno(request, error ? error : -ENOENT, "");
		return;
	}
	request_tell(request, EVENT_MODE_CHANGED, EV_TEXT("service", name),
		     EV_TEXT("mode", config_mode_word(status.mode)),
		     EV_TEXT("before", config_mode_word(before)), EV_FLAG("changed", status.mode != before));
	request_reply(request, json_pack("{s:o}", "service", encode_service(&status)));
}

static void handle_list_interfaces(struct request *request)
{
	struct engine *engine = engine_of(request);

	request_reply(request, encode_with_alarms(json_pack("{s:o}", "interfaces", encode_interfaces(engine)),
						  engine));
}

static bool find_interface(struct engine *engine, const char *name, struct interface_status *status)
{
	for (size_t i = 0; engine_get_interface(engine, i, status) == 0; i++)
		if (!strcmp(status->name, name))
			return true;
	return false;
}

/* True: done, and answered. */
static bool change_interface(struct request *request,
			     int (*change)(struct engine *, const char *, char *, size_t),
			     struct interface_status *status)
{
	const char *name = request_string(request, "name");
	char text[256] = "";
	int error = change(engine_of(request), name, text, sizeof(text));

	if (error)
		fail_interface(request, name, error, text);
	else if (!find_interface(engine_of(request), name, status))
		fail_interface(request, name, -ENOENT, "");
	else
		request_reply(request, json_pack("{s:o}", "interface", encode_interface(status)));
	return !request->error;
}

static void handle_attach_interface(struct request *request)
{
	struct interface_status status;

	if (change_interface(request, engine_attach, &status))
		request_tell(request, EVENT_INTERFACE_ATTACHED, EV_TEXT("interface", status.name),
			     EV_TEXT("xdp", status.xdp), EV_NUMBER("mtu", status.mtu));
}

static void handle_detach_interface(struct request *request)
{
	struct interface_status status;

	if (change_interface(request, engine_detach, &status))
		request_tell(request, EVENT_INTERFACE_DETACHED, EV_TEXT("interface", status.name));
}

/* As much as a part holds, and where it can, up to the end of a line. */
static size_t text_part_length(const char *text, size_t length)
{
	const char *line_end;

	if (length <= TEXT_IN_PART)
		return length;
	line_end = memrchr(text, '\n', TEXT_IN_PART);
	return line_end ? (size_t)(line_end - text) + 1 : TEXT_IN_PART;
}

/* path: that the text comes from, or NULL. */
static void reply_text(struct request *request, const char *whole, size_t length, const char *path)
{
	size_t at = request->progress->at, left = length - at;
	const char *text = whole + at;
	size_t size = text_part_length(text, left);
	json_t *part = json_pack("{s:o}", "text", varlink_text(text, size));

	if (!at && path)
		json_object_set_new(part, "path", json_text(path));
	if (size < left)
		request_part(request, part, at + size);
	else
		request_reply(request, part);
}

static void handle_show_config(struct request *request)
{
	struct method_context *context = request->context;
	struct progress *progress = request->progress;
	struct config_text *text;
	int error;

	if (!progress->held) {
		error = config_text_hold(&context->config_text, engine_get_config(context->engine), &text);
		if (error) {
			fail_errno(request, error, "");
			return;
		}
		progress->held = text;
		progress->release = config_text_drop;
	}
	text = progress->held;
	if (text->length > TEXT_IN_PART && !request->more)
		fail_expected_more(request);
	else
		reply_text(request, text->text, text->length, text->path);
}

/* The metrics as they were when the first part was made. */
static void handle_metrics(struct request *request)
{
	const struct method_context *context = request->context;
	bool open = request_bool(request, "openmetrics", false);
	struct progress *progress = request->progress;
	size_t length;

	if (!progress->held) {
		progress->held = metrics_render(context->metrics,
						open ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT, &length);
		progress->release = free;
	}
	if (!progress->held) {
		fail_errno(request, -ENOMEM, "");
		return;
	}
	length = strlen(progress->held);
	if (length > TEXT_IN_PART && !request->more)
		fail_expected_more(request);
	else
		reply_text(request, progress->held, length, NULL);
}

void methods_configuration_changed(struct method_context *context)
{
	config_text_drop(context->config_text);
	context->config_text = NULL;
	authority_set_group(context->authority, engine_get_config(context->engine)->control_group);
}

static void handle_reload(struct request *request)
{
	struct method_context *context = request->context;
	struct config_error error = { 0 };
	const struct config *config;
	char text[REASON_SIZE];

	if (engine_reload(context->engine, &error)) {
		config_error_format(&error, text, sizeof(text));
		request_tell(request, EVENT_CONFIG_REFUSED, EV_TEXT("error", text));
		request_fail(request, ERROR_CONFIG,
			     json_pack("{s:o,s:I,s:o,s:o}", "file", json_text(error.file), "line",
				       (json_int_t)error.line, "key", json_text(error.key), "text",
				       json_text(error.text)));
		return;
	}
	methods_configuration_changed(context);
	config = engine_get_config(context->engine);
	request_tell(request, EVENT_CONFIG_RELOADED, EV_TEXT("config", config->path),
		     EV_NUMBER("services", (int64_t)config->service_count));
	request_reply(request, json_pack("{s:o,s:I}", "path", json_text(config->path ? config->path : ""),
					 "service_count", (json_int_t)config->service_count));
}

/* What an error of a rotation says of the secret file; empty: nothing. */
static const char *secret_error_text(const struct config *config, int error)
{
	if (!config->cookie_secret_file)
		return "";
	for (size_t i = 0; i < ARRAY_SIZE(secret_errors); i++)
		if (secret_errors[i].error == error)
			return secret_errors[i].text;
	return "";
}

static void handle_rotate_key(struct request *request)
{
	bool now = request_bool(request, "now", false);
	int result = engine_rotate_key(engine_of(request), now);
	struct engine_status status;

	if (result < 0) {
		fail_errno(request, result, secret_error_text(engine_get_config(engine_of(request)), result));
		return;
	}
	engine_get_status(engine_of(request), &status);
	request_tell(request, EVENT_KEY_ROTATED, EV_FLAG("now", now), EV_FLAG("coalesced", result == 1),
		     EV_NUMBER("generation", status.key_generation));
	request_reply(request, json_pack("{s:b,s:o}", "coalesced", result == 1, "key", encode_key(&status)));
}

static void handle_set_bypass(struct request *request)
{
	bool on = request_bool(request, "on", false);
	int error = engine_set_bypass(engine_of(request), on);

	if (error) {
		fail_errno(request, error, "");
		return;
	}
	request_tell(request, on ? EVENT_BYPASS_ON : EVENT_BYPASS_OFF);
	request_reply(request, json_pack("{s:b}", "bypass", on));
}

static void tell_drain(struct request *request, bool cancel, const struct engine_status *status)
{
	if (cancel)
		request_tell(request, EVENT_DRAIN_CANCELLED);
	else
		request_tell(request, EVENT_DRAIN_BEGUN,
			     EV_NUMBER("translated", (int64_t)status->translated));
}

/* With `more`, how far it has come, once a second until it is over: also because somebody has cancelled it.
 */
static void handle_drain(struct request *request)
{
	bool cancel = request_bool(request, "cancel", false), was;
	struct engine_status status;
	int error = 0;

	engine_get_status(engine_of(request), &status);
	was = status.draining;
	if (!request->progress->at)
		error = engine_set_drain(engine_of(request), !cancel);
	if (error) {
		fail_errno(request, error, "");
		return;
	}
	engine_get_status(engine_of(request), &status);
	request->told = was == status.draining; /* a further look at it */
	if (!request->told)
		tell_drain(request, cancel, &status);
	if (!request->more || request->oneway || request->caller->deaf || !status.draining ||
	    status.drained) {
		request_reply(request, encode_drain(&status));
		return;
	}
	request_part(request, encode_drain(&status), request->progress->at + 1);
	request_pause(request, DRAIN_EVERY_MS);
}

static void handle_list_limits(struct request *request)
{
	struct engine *engine = engine_of(request);

	request_reply(request, encode_with_alarms(encode_limits(engine), engine));
}

/* Tells it, and answers. */
static void limit_set(struct request *request, const char *service, const char *before)
{
	const char *name = request_string(request, "name");
	char limit[96], settings[LIMIT_WORDS_SIZE];
	json_t *reply = encode_limits(engine_of(request));

	snprintf(limit, sizeof(limit), "%s%s%s", name, service ? " of " : "", service ? service : "");
	engine_describe_limit(engine_of(request), name, service, settings);
	request_tell(request, EVENT_LIMIT_CHANGED, EV_TEXT("limit", limit), EV_TEXT("settings", settings),
		     EV_TEXT("before", before), EV_FLAG("changed", strcmp(settings, before) != 0));
	json_object_set_new(reply, "limit", json_text(limit));
	json_object_set_new(reply, "settings", json_text(settings));
	json_object_set_new(reply, "before", json_text(before));
	request_reply(request, reply);
}

static void handle_set_limit(struct request *request)
{
	const char *name = request_string(request, "name"), *service = request_string(request, "service");
	char text[REASON_SIZE], before[LIMIT_WORDS_SIZE];
	struct config_error error = { 0 };
	int result;

	engine_describe_limit(engine_of(request), name, service, before);
	result = engine_change_limit(engine_of(request), name, service, request_string(request, "settings"),
				     &error);
	if (result == -ENOENT) {
		methods_fail_no_such_service(request, service);
	} else if (result == -EINVAL) {
		request_explain(request, config_error_format(&error, text, sizeof(text)));
		request_fail(
			request, ERROR_BAD_LIMIT,
			json_pack("{s:o,s:o}", "key", json_text(error.key), "text", json_text(error.text)));
	} else if (result) {
		fail_errno(request, result, "");
	} else {
		limit_set(request, service, before);
	}
}

static void handle_list_sources(struct request *request)
{
	const char *sort = request_string(request, "sort");
	long long wanted = request_integer(request, "count", SOURCES_SHOWN);
	int order = source_order_parse(sort ? sort : "half_open");

	if (order < 0 || wanted < 1 || wanted > SOURCES_SHOWN_MAX)
		request_fail_parameter(request, order < 0 ? "sort" : "count");
	else
		request_reply(request,
			      encode_with_alarms(encode_sources(engine_of(request), (enum source_order)order,
								(size_t)wanted),
						 engine_of(request)));
}

static void handle_list_attacks(struct request *request)
{
	struct engine *engine = engine_of(request);
	long long wanted = request_integer(request, "count", ATTACKS_SHOWN);

	if (wanted < 1 || wanted > ATTACKS_SHOWN_MAX)
		request_fail_parameter(request, "count");
	else
		request_reply(request, encode_with_alarms(encode_attacks(engine, (size_t)wanted), engine));
}

static void handle_version(struct request *request)
{
	request_reply(request, json_pack("{s:s}", "version", SYNMOAT_VERSION));
}

static void handle_get_info(struct request *request)
{
	request_reply(request, json_pack("{s:s,s:s,s:s,s:s,s:[s,s]}", "vendor", "synmoat", "product",
					 "synmoatd", "version", SYNMOAT_VERSION, "url", "", "interfaces",
					 "io.synmoat", "org.varlink.service"));
}

static const char service_description[] =
	"# What every varlink service answers.\n"
	"interface org.varlink.service\n"
	"\n"
	"method GetInfo() -> (\n"
	"  vendor: string,\n"
	"  product: string,\n"
	"  version: string,\n"
	"  url: string,\n"
	"  interfaces: []string\n"
	")\n"
	"\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"error InterfaceNotFound (interface: string)\n"
	"error MethodNotFound (method: string)\n"
	"error InvalidParameter (parameter: string)\n"
	"error ExpectedMore ()\n";

static void handle_get_interface_description(struct request *request)
{
	const char *interface = request_string(request, "interface");
	const char *description = NULL;

	if (!strcmp(interface, "io.synmoat"))
		description = methods_description();
	else if (!strcmp(interface, "org.varlink.service"))
		description = service_description;
	if (description)
		request_reply(request, json_pack("{s:s}", "description", description));
	else
		request_fail(request, ERROR_INTERFACE_NOT_FOUND, json_pack("{s:s}", "interface", interface));
}

#define NAME                                                                                                 \
	{                                                                                                    \
		"name", PARAMETER_STRING, false                                                              \
	}

#define KIND                                                                                                 \
	{                                                                                                    \
		"kind", PARAMETER_STRING, false                                                              \
	}

#define BETWEEN                                                                                              \
	{                                                                                                    \
		{ "client", PARAMETER_STRING, false },                                                       \
		{                                                                                            \
			"server", PARAMETER_STRING, false                                                    \
		}                                                                                            \
	}

static const struct method methods[] = {
	{ METHOD_STATUS, ACCESS_READ, handle_status, { { 0 } }, NULL, NULL },
	{ METHOD_LIST_SERVICES, ACCESS_READ, handle_list_services, { { 0 } }, NULL, NULL },
	{ METHOD_GET_SERVICE, ACCESS_READ, handle_get_service, { NAME }, NULL, NULL },
	{ METHOD_SET_SERVICE_MODE,
	  ACCESS_CHANGE,
	  handle_set_service_mode,
	  { NAME, { "mode", PARAMETER_STRING, false } },
	  "service mode {name} {mode}",
	  NULL },
	{ METHOD_LIST_INTERFACES, ACCESS_READ, handle_list_interfaces, { { 0 } }, NULL, NULL },
	{ METHOD_ATTACH_INTERFACE,
	  ACCESS_CHANGE,
	  handle_attach_interface,
	  { NAME },
	  "interface attach {name}",
	  NULL },
	{ METHOD_DETACH_INTERFACE,
	  ACCESS_CHANGE,
	  handle_detach_interface,
	  { NAME },
	  "interface detach {name}",
	  NULL },
	{ METHOD_SHOW_CONFIG, ACCESS_READ, handle_show_config, { { 0 } }, NULL, NULL },
	{ METHOD_RELOAD, ACCESS_CHANGE, handle_reload, { { 0 } }, "reload", NULL },
	{ METHOD_ROTATE_KEY,
	  ACCESS_CHANGE,
	  handle_rotate_key,
	  { { "now", PARAMETER_BOOL, true } },
	  "cookie rotate",
	  NULL },
	{ METHOD_SET_BYPASS,
	  ACCESS_CHANGE,
	  handle_set_bypass,
	  { { "on", PARAMETER_BOOL, false } },
	  "bypass {on}",
	  NULL },
	{ METHOD_DRAIN, ACCESS_CHANGE, handle_drain, { { "cancel", PARAMETER_BOOL, true } }, "drain", NULL },
	{ METHOD_ADD_ENTRY,
	  ACCESS_CHANGE,
	  handle_add_entry,
	  { KIND,
	    { "prefix", PARAMETER_STRING, false },
	    { "for_s", PARAMETER_INTEGER, true },
	    { "reason", PARAMETER_STRING, true },
	    { "force", PARAMETER_BOOL, true } },
	  "{kind} add",
	  "{prefix}" },
	{ METHOD_REMOVE_ENTRY,
	  ACCESS_CHANGE,
	  handle_remove_entry,
	  { KIND, { "prefix", PARAMETER_STRING, false } },
	  "{kind} del",
	  "{prefix}" },
	{ METHOD_LIST_ENTRIES,
	  ACCESS_DETAIL,
	  handle_list_entries,
	  { KIND, { "origin", PARAMETER_STRING, true }, { "after", PARAMETER_INTEGER, true } },
	  "{kind} list",
	  NULL },
	{ METHOD_FLUSH_ENTRIES,
	  ACCESS_CHANGE,
	  handle_flush_entries,
	  { KIND, { "origin", PARAMETER_STRING, true } },
	  "{kind} flush",
	  NULL },
	{ METHOD_IMPORT_ENTRIES,
	  ACCESS_CHANGE,
	  handle_import_entries,
	  { KIND,
	    { "text", PARAMETER_STRING, false },
	    { "commit", PARAMETER_BOOL, true },
	    { "for_s", PARAMETER_INTEGER, true },
	    { "reason", PARAMETER_STRING, true },
	    { "force", PARAMETER_BOOL, true } },
	  "{kind} import",
	  NULL },
	{ METHOD_LIST_STATUS, ACCESS_READ, handle_list_status, { { 0 } }, NULL, NULL },
	{ METHOD_TEST_ADDRESS,
	  ACCESS_DETAIL,
	  handle_test_address,
	  { { "address", PARAMETER_STRING, false } },
	  "block test",
	  "{address}" },
	{ METHOD_LIST_FLOWS,
	  ACCESS_DETAIL,
	  flows_handle_list,
	  { { "address", PARAMETER_STRING, true },
	    { "port", PARAMETER_INTEGER, true },
	    { "service", PARAMETER_STRING, true },
	    { "client_state", PARAMETER_STRING, true },
	    { "server_state", PARAMETER_STRING, true },
	    { "older_s", PARAMETER_INTEGER, true },
	    { "younger_s", PARAMETER_INTEGER, true },
	    { "order", PARAMETER_STRING, true },
	    { "limit", PARAMETER_INTEGER, true } },
	  "flows",
	  NULL },
	{ METHOD_GET_FLOW, ACCESS_DETAIL, flows_handle_get, BETWEEN, "flows show", "{client} {server}" },
	{ METHOD_KILL_FLOW, ACCESS_CHANGE, flows_handle_kill, BETWEEN, "flows kill", "{client} {server}" },
	{ METHOD_LIST_LIMITS, ACCESS_READ, handle_list_limits, { { 0 } }, NULL, NULL },
	{ METHOD_SET_LIMIT,
	  ACCESS_CHANGE,
	  handle_set_limit,
	  { NAME, { "settings", PARAMETER_STRING, false }, { "service", PARAMETER_STRING, true } },
	  "limit set {name}",
	  NULL },
	{ METHOD_LIST_SOURCES,
	  ACCESS_DETAIL,
	  handle_list_sources,
	  { { "sort", PARAMETER_STRING, true }, { "count", PARAMETER_INTEGER, true } },
	  "sources",
	  NULL },
	{ METHOD_METRICS,
	  ACCESS_READ,
	  handle_metrics,
	  { { "openmetrics", PARAMETER_BOOL, true } },
	  NULL,
	  NULL },
	{ METHOD_SYN_RECV,
	  ACCESS_READ,
	  handle_syn_recv,
	  { { "port", PARAMETER_INTEGER, true }, { "history", PARAMETER_BOOL, true } },
	  NULL,
	  NULL },
	{ METHOD_DOCTOR, ACCESS_READ, doctor_method_handle, { { 0 } }, NULL, NULL },
	{ METHOD_LIST_ATTACKS,
	  ACCESS_DETAIL,
	  handle_list_attacks,
	  { { "count", PARAMETER_INTEGER, true } },
	  "attacks",
	  NULL },
	{ METHOD_LIST_EVENTS,
	  ACCESS_READ, /* single addresses are left out for those who may not see them */
	  event_methods_list,
	  { { "after", PARAMETER_INTEGER, true },
	    { "since_us", PARAMETER_INTEGER, true },
	    { "last", PARAMETER_INTEGER, true },
	    { "kinds", PARAMETER_STRING, true },
	    { "follow", PARAMETER_BOOL, true } },
	  NULL,
	  NULL },
	{ METHOD_LIST_EVENT_KINDS, ACCESS_READ, event_methods_kinds, { { 0 } }, NULL, NULL },
	{ METHOD_VERSION, ACCESS_READ, handle_version, { { 0 } }, NULL, NULL },
	{ METHOD_GET_INFO, ACCESS_READ, handle_get_info, { { 0 } }, NULL, NULL },
	{ METHOD_GET_INTERFACE_DESCRIPTION,
	  ACCESS_READ,
	  handle_get_interface_description,
	  { { "interface", PARAMETER_STRING, false } },
	  NULL,
	  NULL },
};

const struct method *methods_table(size_t *count)
{
	*count = ARRAY_SIZE(methods);
	return methods;
}
