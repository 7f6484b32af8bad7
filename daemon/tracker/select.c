// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first of many flows that fit, in order, found in slices: all flows are looked at once, the best so far
 * kept in a heap whose root is the worst of them, which at last is taken apart into their order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/tracker/store.h"

#define LOOKED_AT_ONCE 1024
#define SORTED_AT_ONCE 256
#define VIEWS_AT_FIRST 128

enum phase { PHASE_LOOK, PHASE_SORT, PHASE_DONE };

struct flow_selection {
	struct tracker *tracker;
	struct flow_filter filter;
	char service[32];
	uint32_t now_s;
	enum phase phase;
	uint32_t cursor; /* of flowtable_walk */
	struct flow_view *views;
	size_t count, size, max, total;
	size_t heap; /* PHASE_SORT: so many are not in their place yet */
	int error;
};

int store_select_new(struct flow_selection **selection, struct tracker *t, const struct flow_filter *filter,
		     size_t max)
{
	struct flow_selection *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->tracker = t;
	s->filter = *filter;
	if (filter->service) {
		strncpy(s->service, filter->service, sizeof(s->service) - 1);
		s->filter.service = s->service;
	}
	s->now_s = store_now_s();
	s->max = max;
	*selection = s;
	return 0;
}

void tracker_select_free(struct flow_selection *s)
{
	if (!s)
		return;
	free(s->views);
	free(s);
}

size_t tracker_select_views(const struct flow_selection *s, const struct flow_view **views, size_t *total)
{
	*views = s->views;
	*total = s->total;
	return s->count;
}

/* --- what fits --- */

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

/* --- order --- */

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

static bool is_behind(const struct flow_selection *s, size_t a, size_t b)
{
	return compare(&s->views[a], &s->views[b], s->filter.order) > 0;
}

static void swap(struct flow_selection *s, size_t a, size_t b)
{
	struct flow_view kept = s->views[a];

	s->views[a] = s->views[b];
	s->views[b] = kept;
}

static void sift_up(struct flow_selection *s, size_t at)
{
	while (at && is_behind(s, at, (at - 1) / 2)) {
		swap(s, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

/* Of a heap of COUNT views, from its root. */
static void sift_down(struct flow_selection *s, size_t count)
{
	size_t at = 0, child;

	while ((child = 2 * at + 1) < count) {
		if (child + 1 < count && is_behind(s, child + 1, child))
			child++;
		if (!is_behind(s, child, at))
			break;
		swap(s, at, child);
		at = child;
	}
}

/* --- slices --- */

static bool make_room(struct flow_selection *s)
{
	size_t size = s->size ? 2 * s->size : VIEWS_AT_FIRST;
	struct flow_view *views;

	if (s->count < s->size)
		return true;
	views = realloc(s->views, size * sizeof(*views));
	if (!views) {
		s->error = -ENOMEM;
		return false;
	}
	s->views = views;
	s->size = size;
	return true;
}

static void look_at(struct flowtable *table, struct flow *f, void *arg)
{
	struct flow_selection *s = arg;
	struct flow_view v;

	(void)table;
	if (!fits_flow(&s->filter, f))
		return;
	store_view(s->tracker, f, s->now_s, &v);
	if (!fits_view(&s->filter, &v))
		return;
	s->total++;
	if (s->count < s->max && make_room(s)) {
		s->views[s->count] = v;
		sift_up(s, s->count++);
	} else if (s->count && s->count == s->max && compare(&v, &s->views[0], s->filter.order) < 0) {
		s->views[0] = v;
		sift_down(s, s->count);
	}
}

static void look(struct flow_selection *s)
{
	if (flowtable_walk(s->tracker->table, &s->cursor, LOOKED_AT_ONCE, look_at, s))
		return;
	s->heap = s->count;
	s->phase = PHASE_SORT;
}

static void sort(struct flow_selection *s)
{
	for (int i = 0; i < SORTED_AT_ONCE && s->heap > 1; i++) {
		swap(s, 0, --s->heap);
		sift_down(s, s->heap);
	}
	if (s->heap <= 1)
		s->phase = PHASE_DONE;
}

int tracker_select_step(struct flow_selection *s, uint32_t slice_us)
{
	uint64_t until = store_now_us() + slice_us;

	if (!s->tracker->table)
		return 0;
	while (s->phase == PHASE_LOOK && !s->error && store_now_us() < until)
		look(s);
	while (s->phase == PHASE_SORT && store_now_us() < until)
		sort(s);
	return s->error ? s->error : s->phase != PHASE_DONE;
}
