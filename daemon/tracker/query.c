// SPDX-License-Identifier: GPL-2.0-or-later
/* What is asked about flows: counts, and one. Many: select.c. */
#include <errno.h>
#include <string.h>

#include "daemon/netlink/diag.h"
#include "daemon/tracker/resync.h"
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

	if (t->table)
		store_catch_up(t);
	store_keep_counters(t);
	*status = t->status;
	status->enabled = t->table;
	status->refused = t->kept[KEPT_REFUSED];
	status->opened = t->kept[KEPT_OPENED];
	status->closed = t->kept[KEPT_CLOSED];
	status->unknown = t->kept[KEPT_UNKNOWN];
	status->resyncs = t->kept[KEPT_RESYNCS];
	status->ended = t->kept[KEPT_ENDED];
	if (!t->table)
		return;
	status->resyncing = resync_running(t->resync);
	status->resync_met = resync_met(t->resync);
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

static uint32_t age_at(uint32_t now_s, uint32_t then_s)
{
	return (int32_t)(now_s - then_s) > 0 ? now_s - then_s : 0;
}

void store_view(const struct tracker *t, const struct flow *f, uint32_t now_s, struct flow_view *v)
{
	flowtable_tuple(t->table, f, &v->tuple);
	for (int end = 0; end < ENDPOINTS; end++)
		v->state[end] = (enum tcp_state)f->state[end];
	v->service = engine_slot_name(t->engine, f->service);
	v->age_s = age_at(now_s, f->begun_s);
	v->in_state_s = age_at(now_s, f->changed_s);
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
	store_view(t, f, store_now_s(), v);
	return 0;
}

int tracker_select_new(struct flow_selection **selection, struct tracker *t, const struct flow_filter *filter,
		       size_t max)
{
	if (t->table)
		store_catch_up(t);
	return store_select_new(selection, t, filter, max);
}

static void traffic_of_socket(struct tracker *t, const struct tuple *tuple, struct flow_traffic *traffic)
{
	struct diag_traffic d;

	if (diag_find_traffic(t->diag, tuple, store_ifindex(t), &d) || !d.known)
		return;
	*traffic = (struct flow_traffic){ .known = true,
					  .with_packets = true,
					  .bytes = { d.client_bytes, d.server_bytes },
					  .packets = { d.client_packets, d.server_packets } };
}

/* From the SYN's number to the last one that was seen, SYN and FIN left out. */
static uint32_t sent(uint32_t isn, uint32_t next, bool fin)
{
	return next - isn - 1 - fin;
}

static void traffic_of_connection(struct tracker *t, const struct tuple *tuple, struct flow_traffic *traffic)
{
	struct connection c;

	if (fastpath_find_connection(t->fastpath, tuple, &c) || c.flags & CONNECTION_PLAIN ||
	    (c.state != CONNECTION_ESTABLISHED && c.state != CONNECTION_CLOSING &&
	     c.state != CONNECTION_TIME_WAIT))
		return;
	traffic->known = true;
	traffic->bytes[CLIENT] = sent(c.client_isn, c.client_next, c.flags & CONNECTION_CLIENT_FIN);
	traffic->bytes[SERVER] = sent(c.our_isn - c.delta, c.server_next, c.flags & CONNECTION_SERVER_FIN);
}

void tracker_get_traffic(struct tracker *t, const struct tuple *tuple, struct flow_traffic *traffic)
{
	*traffic = (struct flow_traffic){ 0 };
	if (store_asks_kernel(t))
		traffic_of_socket(t, tuple, traffic);
	else if (t->table)
		traffic_of_connection(t, tuple, traffic);
}
