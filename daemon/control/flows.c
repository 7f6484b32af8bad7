// SPDX-License-Identifier: GPL-2.0-or-later
/* See flows.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"
#include "daemon/control/dispatch.h"
#include "daemon/control/flows.h"
#include "daemon/control/methods.h"
#include "daemon/control/protocol.h"
#include "daemon/engine/engine.h"
#include "daemon/tracker/tracker.h"

#define FLOWS_IN_PART 128 /* below MESSAGE_MAX */
#define LIMIT_DEFAULT 100
#define SLICE_US      4000
#define PAUSE_MS      1
#define AGE_MAX	      UINT32_MAX

static struct tracker *tracker_of(const struct request *request)
{
	return ((const struct method_context *)request->context)->tracker;
}

static json_int_t count(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

/* --- encoding --- */

/* "192.0.2.1:80", "[2001:db8::1]:80". */
static json_t *encode_end(const struct tuple *tuple, enum endpoint end)
{
	const __be32 *address = end == CLIENT ? tuple->client : tuple->server;
	char buffer[INET6_ADDRSTRLEN] = "";
	unsigned int port = ntohs(end == CLIENT ? tuple->client_port : tuple->server_port);

	if (tuple->v6) {
		inet_ntop(AF_INET6, address, buffer, sizeof(buffer));
		return json_sprintf("[%s]:%u", buffer, port);
	}
	inet_ntop(AF_INET, &address[3], buffer, sizeof(buffer));
	return json_sprintf("%s:%u", buffer, port);
}

static json_t *encode_flow(const struct flow_view *flow)
{
	return json_pack("{s:o,s:o,s:s,s:s,s:s,s:I,s:I,s:o,s:I,s:b,s:b}", "client",
			 encode_end(&flow->tuple, CLIENT), "server", encode_end(&flow->tuple, SERVER),
			 "client_state", tcp_state_word(flow->state[CLIENT]), "server_state",
			 tcp_state_word(flow->state[SERVER]), "service", flow->service, "age_s",
			 count(flow->age_s), "in_state_s", count(flow->in_state_s), "handshake_us",
			 flow->handshake_us ? json_integer(flow->handshake_us) : json_null(), "expires_ms",
			 count(flow->expires_ms), "cookie", flow->cookie, "seeded", flow->seeded);
}

static json_t *encode_pairs(const struct tracker_status *status)
{
	json_t *pairs = json_array();

	for (int c = 0; c < TS_COUNT; c++) {
		for (int s = 0; s < TS_COUNT; s++) {
			if (!status->pairs[c][s])
				continue;
			json_array_append_new(pairs,
					      json_pack("{s:s,s:s,s:I}", "client_state",
							tcp_state_word((enum tcp_state)c), "server_state",
							tcp_state_word((enum tcp_state)s), "flows",
							count(status->pairs[c][s])));
		}
	}
	return pairs;
}

json_t *flows_encode_tracking(struct tracker *tracker)
{
	struct tracker_status status;

	tracker_get_status(tracker, &status);
	return json_pack("{s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "enabled",
			 status.enabled, "resyncing", status.resyncing, "resync_flows",
			 count(status.resync_met), "flows", count(status.flows), "flows_max",
			 count(status.flows_max), "events", count(status.events), "lost", count(status.lost),
			 "refused", count(status.refused), "opened", count(status.opened), "closed",
			 count(status.closed), "unknown", count(status.unknown), "resyncs",
			 count(status.resyncs), "half_opens_ended", count(status.ended), "pairs",
			 encode_pairs(&status));
}

/* --- parameters --- */

static void fail_text(struct request *request, const char *error, const char *text)
{
	request_explain(request, text);
	request_fail(request, error, json_pack("{s:s}", "text", text));
}

/* False, with the answer given: tracking is off. */
static bool tracking_on(struct request *request)
{
	struct tracker_status status;

	tracker_get_status(tracker_of(request), &status);
	if (status.enabled)
		return true;
	fail_text(request, ERROR_TRACKING_OFF,
		  "endpoint tracking is off: say tracking = { enabled = true; }; in the configuration and "
		  "restart");
	return false;
}

/* "192.0.2.1:80" or "[2001:db8::1]:80", into one end of the tuple. */
static bool parse_end(const char *text, __be32 address[4], __be16 *port, __u32 *v6)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2] = "", *end;
	size_t length = colon ? (size_t)(colon - text) : 0;
	unsigned long number;

	if (!length || length >= sizeof(host) || !colon[1] ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	number = strtoul(colon + 1, &end, 10);
	if (number > UINT16_MAX)
		return false;
	*port = htons((uint16_t)number);
	memcpy(host, text, length);
	*v6 = host[0] == '[';
	if (*v6) {
		if (host[length - 1] != ']')
			return false;
		host[length - 1] = '\0';
		return inet_pton(AF_INET6, host + 1, address) == 1;
	}
	address[0] = address[1] = 0;
	address[2] = htonl(0xffff);
	return inet_pton(AF_INET, host, &address[3]) == 1;
}

static void fail_end(struct request *request, const char *name)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "%.80s is no end of a connection: give the %s as 192.0.2.1:40000 or [2001:db8::1]:40000",
		 request_string(request, name), name);
	request_fail_value(request, name, text);
}

static bool read_tuple(struct request *request, struct tuple *tuple)
{
	__u32 v6 = 0;

	memset(tuple, 0, sizeof(*tuple));
	if (!parse_end(request_string(request, "client"), tuple->client, &tuple->client_port, &tuple->v6)) {
		fail_end(request, "client");
		return false;
	}
	if (!parse_end(request_string(request, "server"), tuple->server, &tuple->server_port, &v6)) {
		fail_end(request, "server");
		return false;
	}
	if (v6 == tuple->v6)
		return true;
	request_fail_value(request, "server", "client and server must be both IPv4, or both IPv6");
	return false;
}

static bool read_address(const char *text, struct flow_filter *filter)
{
	if (!text)
		return true;
	filter->has_prefix = !prefix_parse(text, &filter->prefix);
	return filter->has_prefix;
}

static bool read_state(const char *word, uint32_t *states)
{
	int state = word ? tcp_state_parse(word) : -1;

	*states = word && state >= 0 ? 1U << state : FLOW_ANY_STATE;
	return !word || state >= 0;
}

static bool read_order(const char *word, enum flow_order *order)
{
	int found = word ? tracker_order_parse(word) : ORDER_AGE;

	if (found >= 0)
		*order = (enum flow_order)found;
	return found >= 0;
}

static bool in_range(long long value, long long max)
{
	return value >= 0 && value <= max;
}

/* Name of the parameter that is wrong, or NULL. */
static const char *read_filter(const struct request *request, struct flow_filter *filter)
{
	long long port = request_integer(request, "port", 0);
	long long older = request_integer(request, "older_s", 0),
		  younger = request_integer(request, "younger_s", 0);

	if (!read_address(request_string(request, "address"), filter))
		return "address";
	if (!in_range(port, UINT16_MAX))
		return "port";
	if (!read_state(request_string(request, "client_state"), &filter->states[CLIENT]))
		return "client_state";
	if (!read_state(request_string(request, "server_state"), &filter->states[SERVER]))
		return "server_state";
	if (!in_range(older, AGE_MAX))
		return "older_s";
	if (!in_range(younger, AGE_MAX))
		return "younger_s";
	if (!read_order(request_string(request, "order"), &filter->order))
		return "order";
	filter->port = (uint16_t)port;
	filter->older_s = (uint32_t)older;
	filter->younger_s = (uint32_t)younger;
	filter->service = request_string(request, "service");
	return NULL;
}

/* What the parameter takes. */
static void describe_values(const char *name, char *text, size_t size)
{
	size_t used;

	if (strstr(name, "_state")) {
		used = (size_t)snprintf(text, size, "there is no such state: give");
		for (int s = 0; s < TS_COUNT && used < size; s++)
			used += (size_t)snprintf(text + used, size - used, "%s %s", s ? "," : "",
						 tcp_state_word((enum tcp_state)s));
	} else if (!strcmp(name, "order")) {
		used = (size_t)snprintf(text, size, "there is no such order: give");
		for (int o = 0; o < ORDER_COUNT && used < size; o++)
			used += (size_t)snprintf(text + used, size - used, "%s %s", o ? "," : "",
						 tracker_order_word((enum flow_order)o));
	} else if (!strcmp(name, "port")) {
		snprintf(text, size, "there is no such port: give 1 to 65535");
	} else {
		snprintf(text, size, "%s: out of range: give 0 to %u", name,
			 strcmp(name, "limit") ? AGE_MAX : FLOWS_LIMIT_MAX);
	}
}

static void fail_filter(struct request *request, const char *name)
{
	char text[512], fault[256];

	if (strcmp(name, "address") != 0) {
		describe_values(name, text, sizeof(text));
	} else {
		snprintf(text, sizeof(text), "%s",
			 prefix_explain(request_string(request, name), fault, sizeof(fault)));
	}
	request_fail_value(request, name, text);
}

/* A service that the configuration lacks fits no flow but such as are left of it. */
static bool service_known(struct request *request, const char *name)
{
	struct engine *engine = ((const struct method_context *)request->context)->engine;
	struct service_status status;

	if (!name || !engine_find_service(engine, name, &status))
		return true;
	methods_fail_no_such_service(request, name);
	return false;
}

/* --- ListFlows: the selection is made once, in slices, and then told in parts --- */

struct listing {
	struct flow_selection *selection;
	bool ready;
	size_t told;
};

static void release_listing(void *held)
{
	struct listing *l = held;

	tracker_select_free(l->selection);
	free(l);
}

static int hold_listing(struct request *request, const struct flow_filter *filter, size_t limit)
{
	struct listing *l = calloc(1, sizeof(*l));
	int error = l ? tracker_select_new(&l->selection, tracker_of(request), filter, limit) : -ENOMEM;

	if (error) {
		free(l);
		return error;
	}
	request->progress->held = l;
	request->progress->release = release_listing;
	return 0;
}

static void reply_listing(struct request *request, struct listing *l)
{
	const struct flow_view *views;
	size_t total, first = l->told, all = tracker_select_views(l->selection, &views, &total);
	json_t *flows = json_array(), *part;

	l->told = all - first > FLOWS_IN_PART ? first + FLOWS_IN_PART : all;
	for (size_t i = first; i < l->told; i++)
		json_array_append_new(flows, encode_flow(&views[i]));
	part = json_pack("{s:o}", "flows", flows);
	if (!first)
		json_object_set_new(part, "total", json_integer(count((uint64_t)total)));
	if (l->told < all)
		request_part(request, part, l->told);
	else
		request_reply(request, part);
}

static void go_on_listing(struct request *request)
{
	struct listing *l = request->progress->held;
	int more = l->ready ? 0 : tracker_select_step(l->selection, SLICE_US);
	const struct flow_view *views;
	size_t total;

	l->ready = !more;
	if (more > 0)
		request_wait(request, PAUSE_MS);
	else if (more < 0)
		request_reply(request, NULL);
	else if (tracker_select_views(l->selection, &views, &total) > FLOWS_IN_PART && !request->more)
		request_fail(request, ERROR_EXPECTED_MORE, json_object());
	else
		reply_listing(request, l);
}

void flows_handle_list(struct request *request)
{
	struct flow_filter filter = { 0 };
	long long limit = request_integer(request, "limit", LIMIT_DEFAULT);
	const char *wrong;

	if (!request->progress->held) {
		wrong = read_filter(request, &filter);
		if (!wrong && !in_range(limit, FLOWS_LIMIT_MAX))
			wrong = "limit";
		if (wrong) {
			fail_filter(request, wrong);
			return;
		}
		if (!tracking_on(request) || !service_known(request, filter.service))
			return;
		if (hold_listing(request, &filter, (size_t)limit)) {
			request_reply(request, NULL);
			return;
		}
	}
	go_on_listing(request);
}

/* --- one --- */

static bool find_flow(struct request *request, struct flow_view *flow)
{
	struct tuple tuple;

	if (!read_tuple(request, &tuple) || !tracking_on(request))
		return false;
	if (!tracker_find(tracker_of(request), &tuple, flow))
		return true;
	fail_text(request, ERROR_NO_SUCH_FLOW, "no connection between these two is tracked");
	return false;
}

static json_t *encode_traffic(const struct flow_traffic *traffic, enum endpoint end)
{
	json_t *packets = traffic->with_packets ? json_integer(count(traffic->packets[end])) : json_null();

	return json_pack("{s:I,s:o}", "bytes", count(traffic->bytes[end]), "packets", packets);
}

void flows_handle_get(struct request *request)
{
	struct flow_traffic traffic;
	struct flow_view flow;
	json_t *reply;

	if (!find_flow(request, &flow))
		return;
	reply = json_pack("{s:o}", "flow", encode_flow(&flow));
	tracker_get_traffic(tracker_of(request), &flow.tuple, &traffic);
	if (traffic.known) {
		json_object_set_new(reply, "client_sent", encode_traffic(&traffic, CLIENT));
		json_object_set_new(reply, "server_sent", encode_traffic(&traffic, SERVER));
	}
	request_reply(request, reply);
}

static void killed(struct request *request, const struct flow_view *flow)
{
	request_tell(request, EVENT_FLOW_KILLED, EV_TEXT("client", request_string(request, "client")),
		     EV_TEXT("server", request_string(request, "server")), EV_TEXT("service", flow->service));
	request_reply(request, json_pack("{s:o}", "flow", encode_flow(flow)));
}

void flows_handle_kill(struct request *request)
{
	struct flow_view flow;
	int error;

	if (!find_flow(request, &flow))
		return;
	error = tracker_kill(tracker_of(request), &flow.tuple);
	if (!error)
		killed(request, &flow);
	else if (error == -ENOENT)
		fail_text(request, ERROR_NO_SUCH_FLOW,
			  "it has ended or, inline, belongs to a service in mode off, which is only watched");
	else
		request_fail(request, ERROR_FAILED,
			     json_pack("{s:i,s:s}", "errno", -error, "text", strerror(-error)));
}
