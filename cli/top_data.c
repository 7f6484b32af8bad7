// SPDX-License-Identifier: GPL-2.0-or-later
/* See top_data.h. */
#include "cli/top_data.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/reply.h"
#include "daemon/control/protocol.h"

#define ANSWER_WITHIN_S 2
#define SOURCES_SHOWN	60
#define EVENTS_SHOWN	100

/* --- history --- */

static struct top_series *find(struct top_data *data, const char *group, const char *name, bool add)
{
	char whole[sizeof(data->series[0].name)];
	struct top_series *series;

	snprintf(whole, sizeof(whole), "%s %s", group, name);
	for (size_t i = 0; i < data->series_count; i++)
		if (!strcmp(data->series[i].name, whole))
			return &data->series[i];
	if (!add || data->series_count == TOP_SERIES)
		return NULL;
	series = &data->series[data->series_count++];
	memset(series, 0, sizeof(*series));
	memcpy(series->name, whole, sizeof(whole));
	return series;
}

const struct top_series *top_data_find(const struct top_data *data, const char *group, const char *name)
{
	return find((struct top_data *)data, group, name, false);
}

static void append(struct top_series *series, int64_t sample)
{
	if (!series)
		return;
	if (series->count == TOP_SAMPLES)
		memmove(series->samples, series->samples + 1, (TOP_SAMPLES - 1) * sizeof(*series->samples));
	else
		series->count++;
	series->samples[series->count - 1] = sample;
}

/* A level: as it is. */
static void note_level(struct top_data *data, const char *group, const char *name, int64_t level)
{
	struct top_series *series = find(data, group, name, true);

	if (!series)
		return;
	series->total = series->rate = level;
	append(series, level);
}

/* A counter: what it gained a second; nothing before the second look, and after a new start. seconds 0: first
 * look. */
static void note_counter(struct top_data *data, const char *group, const char *name, int64_t total,
			 double seconds)
{
	struct top_series *series = find(data, group, name, true);

	if (!series)
		return;
	series->rate = seconds > 0 && total >= series->total
			       ? (int64_t)((double)(total - series->total) / seconds + 0.5)
			       : -1;
	series->total = total;
	append(series, series->rate);
	if (series->rate < 0)
		series->rate = 0;
}

/* --- taking replies --- */

static void take_verdicts(struct top_data *data, json_t *verdicts, double seconds)
{
	int64_t packets = 0, dropped = 0;
	const char *name;
	json_t *verdict;

	json_object_foreach(verdicts, name, verdict) {
		int64_t count = number(verdict, "packets");

		note_counter(data, "verdict", name, count, seconds);
		packets += count;
		dropped += strncmp(name, "drop_", 5) ? 0 : count;
	}
	note_counter(data, "all", "packets", packets, seconds);
	note_counter(data, "all", "dropped", dropped, seconds);
}

void top_data_take_status(struct top_data *data, json_t *status, double at_s)
{
	bool same = data->status && number(status, "uptime_s") >= number(data->status, "uptime_s");
	double seconds = same && data->at_s > 0 ? at_s - data->at_s : 0;
	const json_t *service;
	size_t i;

	take_verdicts(data, json_object_get(status, "verdicts"), seconds);
	json_array_foreach(json_object_get(status, "services"), i, service)
		note_level(data, "service", string(service, "name"), number(service, "syn_rate_pps"));
	json_decref(data->status);
	data->status = status;
	data->at_s = at_s;
}

void top_data_take_syn_recv(struct top_data *data, json_t *syn_recv)
{
	if (syn_recv)
		note_level(data, "all", "half-open", number(syn_recv, "half_open"));
	json_decref(data->syn_recv);
	data->syn_recv = syn_recv;
}

/* --- asking --- */

/* The reply, or NULL: the daemon says no (*denied: because of who asks), or nothing (*error). */
static json_t *ask(struct top_data *data, struct client *client, const char *method, json_t *parameters,
		   bool *denied)
{
	struct client_answer answer = { 0 };
	json_t *reply = NULL;

	data->error = client_call(client, method, parameters, &answer);
	if (!data->error && !answer.error)
		reply = json_incref(answer.reply);
	if (!data->error && answer.error && denied)
		*denied = !strcmp(answer.error, ERROR_PERMISSION_DENIED);
	client_answer_fini(&answer);
	return reply;
}

static void replace(json_t **place, json_t *reply)
{
	json_decref(*place);
	*place = reply;
}

static const char *order_word(enum top_order order)
{
	switch (order) {
	case TOP_ORDER_HALF_OPEN:
		return "half_open";
	case TOP_ORDER_RATE:
		return "rate";
	case TOP_ORDER_DROPPED:
	case TOP_ORDERS:
		break;
	}
	return "dropped";
}

static void take_events(struct top_data *data, json_t *reply)
{
	replace(&data->events, json_incref(json_object_get(reply, "events")));
	json_decref(reply);
}

static void look_further(struct top_data *data, struct client *client, enum top_order order)
{
	json_t *parameters = json_pack("{s:s,s:i}", "sort", order_word(order), "count", SOURCES_SHOWN);

	data->sources_denied = false;
	replace(&data->sources, ask(data, client, METHOD_LIST_SOURCES, parameters, &data->sources_denied));
	if (!data->error)
		top_data_take_syn_recv(data, ask(data, client, METHOD_SYN_RECV, json_object(), NULL));
	if (!data->error)
		take_events(data, ask(data, client, METHOD_LIST_EVENTS,
				      json_pack("{s:i}", "last", EVENTS_SHOWN), NULL));
}

void top_data_look(struct top_data *data, const char *socket, enum top_order order)
{
	struct client *client = NULL;
	json_t *status = NULL;
	struct timespec now;

	data->error = client_open(&client, socket, ANSWER_WITHIN_S);
	if (!data->error)
		status = ask(data, client, METHOD_STATUS, json_object(), NULL);
	if (!data->error && !status)
		data->error = -EBADMSG;
	if (status) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		top_data_take_status(data, status, (double)now.tv_sec + (double)now.tv_nsec / 1e9);
		data->seen = time(NULL);
		look_further(data, client, order);
	}
	client_close(client);
}

void top_data_fini(struct top_data *data)
{
	json_decref(data->status);
	json_decref(data->sources);
	json_decref(data->syn_recv);
	json_decref(data->events);
	data->status = data->sources = data->syn_recv = data->events = NULL;
}
