// SPDX-License-Identifier: GPL-2.0-or-later
/* See watch_methods.h. */
#include "daemon/control/watch_methods.h"

#include <netinet/in.h>
#include <net/if.h>
#include <string.h>

#include "daemon/control/dispatch.h"
#include "daemon/control/encode.h"
#include "daemon/control/methods.h"
#include "daemon/watch/watch.h"

/* Both stay below MESSAGE_MAX together: 350 bytes each, and 4 KiB. */
#define LISTENERS_SHOWN 64
#define HISTORIES_SHOWN 8

static json_t *encode_resends(const struct listener *one)
{
	json_t *resends = json_array();

	for (int i = 0; i < RESENDS; i++)
		json_array_append_new(resends, json_integer(one->resends[i]));
	return resends;
}

static json_t *encode_listener(const struct listener *one)
{
	char address[INET6_ADDRSTRLEN] = "", interface[IF_NAMESIZE] = "";

	if (one->ifindex && !if_indextoname(one->ifindex, interface))
		*interface = '\0';
	return json_pack("{s:i,s:s,s:s,s:b,s:i,s:i,s:i,s:i,s:i,s:o,s:o,s:i,s:i,s:b}", "port", (int)one->port,
			 "address", listener_address(one, address), "interface", interface, "dual_stack",
			 one->family == AF_INET6 && !one->v6only, "sockets", (int)one->sockets, "half_open",
			 (int)listener_half_opens(one), "v4", (int)one->v4, "v6", (int)one->v6, "oldest_ms",
			 (int)one->oldest_ms, "resends", encode_resends(one), "syn_queue",
			 one->syn_queue < 0 ? json_null() : json_integer(one->syn_queue), "accept_queue",
			 (int)one->accept_queue, "accept_limit", (int)one->accept_limit, "accept_full",
			 one->accept_full);
}

static json_t *encode_history(const struct history *history, uint16_t port)
{
	uint32_t samples[HISTORY_S];
	size_t count = history_read(history, port, samples);
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array,
				      samples[i] == HISTORY_NONE ? json_null() : json_integer(samples[i]));
	return json_pack("{s:o,s:o}", "port", port ? json_integer(port) : json_null(), "samples", array);
}

/* Of all ports together, then of the one that is asked for, or of those with the highest peaks. */
static json_t *encode_histories(const struct history *history, uint16_t port)
{
	json_t *histories = json_pack("[o]", encode_history(history, 0));
	uint16_t ports[HISTORY_PORTS];
	size_t count = history_ports(history, ports);

	if (port)
		json_array_append_new(histories, encode_history(history, port));
	for (size_t i = 0; !port && i < count && i < HISTORIES_SHOWN; i++)
		json_array_append_new(histories, encode_history(history, ports[i]));
	return histories;
}

void handle_syn_recv(struct request *request)
{
	const struct method_context *context = request->context;
	long long port = request_integer(request, "port", 0);
	const struct listener *listeners[LISTENERS_SHOWN];
	struct watch_status status;
	json_t *array = json_array(), *reply;
	size_t total, count;

	if (port < 0 || port > UINT16_MAX) {
		json_decref(array);
		request_fail_parameter(request, "port");
		return;
	}
	watch_get_status(context->watch, &status);
	count = watch_select(context->watch, (uint16_t)port, listeners, LISTENERS_SHOWN, &total);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, encode_listener(listeners[i]));
	reply = json_pack("{s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:o,s:I}", "kernel", status.kernel,
			  "half_open", (json_int_t)status.v4 + status.v6, "v4", (json_int_t)status.v4, "v6",
			  (json_int_t)status.v6, "age_ms", (json_int_t)status.age_ms, "every_s",
			  (json_int_t)status.every_s, "cost_us", (json_int_t)status.cost_us, "slice_us",
			  (json_int_t)status.slice_us, "error", status.error ? strerror(-status.error) : "",
			  "listeners", array, "left_out", (json_int_t)(total - count));
	if (request_bool(request, "history", false))
		json_object_set_new(reply, "history",
				    encode_histories(watch_history(context->watch), (uint16_t)port));
	request_reply(request, encode_with_alarms(reply, context->engine));
}
