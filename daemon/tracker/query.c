// SPDX-License-Identifier: GPL-2.0-or-later
/* What is asked about flows: counts, one, or the first of many that fit. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/tracker/store.h"

static const char *const orders[ORDER_COUNT] = {
	[ORDER_AGE] = "age",
	[ORDER_NEWEST] = "newest",
	[ORDER_CLIENT] = "client",
	[ORDER_STATE] = "state",
};

const char *tracker_order_word(enum flow_order order)
{
	return orders[order];
}

int tracker_order_parse(const char *word)
{
	for (int order = 0; order < ORDER_COUNT; order++)
		if (!strcmp(orders[order], word))
			return order;
	return -1;
}

void tracker_get_status(struct tracker *t, struct tracker_status *status)
{
	struct event_counters c;

	*status = t->status;
	status->enabled = t->table;
	if (!t->table)
		return;
	store_catch_up(t);
	status->flows = flowtable_size(t->table);
	status->flows_max = flowtable_max(t->table);
	if (!fastpath_read_event_counters(t->fastpath, &c)) {
		status->events = c.emitted;
		status->lost = c.lost + c.unawaited;
	}
	for (int client = 0; client < TS_COUNT; client++)
		for (int server = 0; server < TS_COUNT; server++)
			status->pairs[client][server] =
				flowtable_pairs(t->table, (enum tcp_state)client, (enum tcp_state)server);
}

static void view(struct tracker *t, const struct flow *f, struct flow_view *v)
{
	uint32_t now = store_now_s();

	flowtable_tuple(t->table, f, &v->tuple);
	for (int end = 0; end < ENDPOINTS; end++)
		v->state[end] = (enum tcp_state)f->state[end];
	v->service = engine_slot_name(t->engine, f->service);
	v->age_s = now - f->begun_s;
	v->in_state_s = now - f->changed_s;
	v->handshake_us = f->flags & FLOW_TIMED ? f->handshake_us : 0;
	v->expires_ms = flowtable_due_ms(t->table, f);
	v->cookie = f->flags & FLOW_COOKIE;
	v->seeded = f->flags & FLOW_SEEDED;
}

int tracker_find(struct tracker *t, const struct tuple *tuple, struct flow_view *v)
{
	const struct flow *f;

	if (!t->table)
		return -ENOENT;
	store_catch_up(t);
	f = flowtable_find(t->table, tuple);
	if (!f)
		return -ENOENT;
	view(t, f, v);
	return 0;
}

/* --- many --- */

struct selection {
	struct tracker *tracker;
	const struct flow_filter *filter;
	struct flow_view *views; /* in order, the best first */
	size_t count, max, total;
};

/* The cheap questions, that need no view. */
static bool fits_flow(const struct flow_filter *filter, const struct flow *f)
{
	__be16 port = htons(filter->port);

	return filter->states[CLIENT] >> f->state[CLIENT] & 1 &&
	       filter->states[SERVER] >> f->state[SERVER] & 1 &&
	       (!port || f->port[CLIENT] == port || f->port[SERVER] == port);
}

static bool fits_view(const struct flow_filter *filter, const struct flow_view *v)
{
	const struct in6_addr *client = (const struct in6_addr *)v->tuple.client;
	const struct in6_addr *server = (const struct in6_addr *)v->tuple.server;

	if (filter->has_prefix && !prefix_covers(&filter->prefix, client) &&
	    !prefix_covers(&filter->prefix, server))
		return false;
	if (filter->service && strcmp(filter->service, v->service) != 0)
		return false;
	return v->age_s >= filter->older_s && (!filter->younger_s || v->age_s < filter->younger_s);
}

static int compare_clients(const struct tuple *a, const struct tuple *b)
{
	int difference = memcmp(a->client, b->client, sizeof(a->client));

	return difference ? difference : (int)ntohs(a->client_port) - (int)ntohs(b->client_port);
}

static int compare(const struct flow_view *a, const struct flow_view *b, enum flow_order order)
{
	int difference = 0;

	switch (order) {
	case ORDER_AGE:
		difference = (a->age_s < b->age_s) - (a->age_s > b->age_s);
		break;
	case ORDER_NEWEST:
		difference = (a->age_s > b->age_s) - (a->age_s < b->age_s);
		break;
	case ORDER_STATE:
		difference = (int)a->state[SERVER] - (int)b->state[SERVER];
		if (!difference)
			difference = (int)a->state[CLIENT] - (int)b->state[CLIENT];
		break;
	case ORDER_CLIENT:
	case ORDER_COUNT:
		break;
	}
	return difference ? difference : compare_clients(&a->tuple, &b->tuple);
}

static void insert(struct selection *s, const struct flow_view *v)
{
	size_t low = 0, high = s->count;

	if (s->count == s->max && compare(v, &s->views[s->max - 1], s->filter->order) >= 0)
		return;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(v, &s->views[middle], s->filter->order) < 0)
			high = middle;
		else
			low = middle + 1;
	}
	s->count += s->count < s->max;
	memmove(&s->views[low + 1], &s->views[low], (s->count - 1 - low) * sizeof(*v));
	s->views[low] = *v;
}

static void select_one(struct flowtable *table, struct flow *f, void *arg)
{
	struct selection *s = arg;
	struct flow_view v;

	(void)table;
	if (!fits_flow(s->filter, f))
		return;
	view(s->tracker, f, &v);
	if (!fits_view(s->filter, &v))
		return;
	s->total++;
	if (s->max)
		insert(s, &v);
}

size_t tracker_select(struct tracker *t, const struct flow_filter *filter, struct flow_view *views,
		      size_t max, size_t *total)
{
	struct selection s = { .tracker = t, .filter = filter, .views = views, .max = max };

	*total = 0;
	if (!t->table)
		return 0;
	store_catch_up(t);
	flowtable_each(t->table, select_one, &s);
	*total = s.total;
	return s.count;
}
