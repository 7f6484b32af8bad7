// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See watch.h. A dump goes on in slices of the event loop, beside the table that is shown, which it replaces
 * when it is whole. It may cost a twenty-fifth of a core: beyond that half-opens are counted less often, and
 * in between only listeners are looked at.
 */
#include "daemon/timer.h"
#include "daemon/watch/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "daemon/engine/engine.h"
#include "daemon/events/events.h"
#include "daemon/maps/fastpath.h"

#define TICK_US		 1000000
#define ACCURACY_US	 1000
#define SLICE_US	 3000
#define SHARE		 25   /* of a core */
#define QUERIES_A_TURN	 1024 /* for lengths of SYN queues, 2 us each */
#define QUERIES_A_SOCKET 8    /* until each socket of a listener has turned up */
#define LOG_EVERY_S	 60

enum { KEPT_COUNTS, KEPT_CPU_US }; /* words that outlive the daemon */

struct watch {
	struct fastpath *fastpath;
	uint64_t *kept; /* of status: counts, and CPU time in us */
	bool kernel;
	sd_event_source *timer, *slice;
	struct diag_dump *dump;
	struct listeners *shown, *built;
	struct history history;
	bool dumping, counting; /* counting: the dump has half-opens in it */
	uint64_t counted_ms;	/* when the half-opens that are shown were */
	uint64_t due_s;		/* of the next count */
	uint64_t used_us;	/* CPU time of this dump */
	uint32_t longest_us;
	uint64_t logged_s;
	struct watch_status status;
};

static uint64_t clock_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t now_s(void)
{
	return clock_us(CLOCK_MONOTONIC) / 1000000;
}

/* --- lengths of SYN queues --- */

/* Any address will do for who listens on any; these belong to nobody (RFC 5737, RFC 3849). */
static void fill_tuple(struct tuple *t, const struct listener *one, uint16_t client_port)
{
	bool any = !(one->address[0] | one->address[1] | one->address[2] | one->address[3]);

	*t = (struct tuple){ .client_port = htons(client_port), .server_port = htons(one->port) };
	t->v6 = one->family == AF_INET6 &&
		(any || one->address[2] != htonl(0xffff) || one->address[0] || one->address[1]);
	memcpy(t->server, one->address, sizeof(t->server));
	if (t->v6) {
		t->client[0] = htonl(0x20010db8);
		t->client[3] = htonl(2);
		if (any)
			memcpy(t->server, (__be32[4]){ htonl(0x20010db8), 0, 0, htonl(1) },
			       sizeof(t->server));
	} else {
		t->client[3] = htonl(0xc0000202);
		if (any)
			t->server[3] = htonl(0xc0000201);
	}
}

static bool is_new_member(const struct listener *one, uint64_t cookie, uint32_t *seen)
{
	for (uint32_t i = 0; i < one->sockets && i < MEMBERS_MAX; i++) {
		if (one->cookies[i] != cookie || *seen >> i & 1)
			continue;
		*seen |= 1U << i;
		return true;
	}
	return false;
}

/* Each socket of a listener has a queue of its own, and is found by chance: the length is known when all
 * were. */
static void query_listener(struct watch *w, struct listener *one, uint32_t *queries)
{
	uint32_t found = 0, seen = 0, sum = 0;

	if (!one->sockets || one->sockets > MEMBERS_MAX)
		return;
	for (uint32_t i = 0; found < one->sockets && i < one->sockets * QUERIES_A_SOCKET && *queries; i++) {
		struct listener_args args = { 0 };

		fill_tuple(&args.tuple, one, (uint16_t)(1 + i));
		--*queries;
		if (fastpath_query_listener(w->fastpath, &args) || !args.found)
			return;
		if (one->sockets == 1 && args.cookie != one->cookies[0])
			return;
		if (is_new_member(one, args.cookie, &seen)) {
			sum += args.half_open;
			found++;
		}
	}
	if (found == one->sockets)
		one->syn_queue = sum;
}

static void query_all(struct watch *w, struct listeners *l)
{
	uint32_t queries = QUERIES_A_TURN;

	for (size_t i = 0; i < l->count && queries; i++)
		query_listener(w, &l->all[i], &queries);
}

/* --- history --- */

/* Counted just now or, between two counts, as long as the SYN queue is; HISTORY_NONE: not known. */
static uint32_t sample_of(const struct listener *one, bool counted)
{
	if (counted)
		return listener_half_opens(one);
	if (one->syn_queue >= 0)
		return (uint32_t)one->syn_queue;
	return listener_half_opens(one) ? HISTORY_NONE : 0;
}

static void note_port(struct watch *w, uint16_t port, bool counted, uint64_t *all)
{
	const struct listeners *l = w->shown;
	uint32_t sum = 0;

	for (uint16_t place = l->first[port]; place; place = l->all[place - 1].next) {
		uint32_t sample = sample_of(&l->all[place - 1], counted);

		sum = sample == HISTORY_NONE || sum == HISTORY_NONE ? HISTORY_NONE : sum + sample;
	}
	*all = sum == HISTORY_NONE || *all == HISTORY_NONE ? HISTORY_NONE : *all + sum;
	history_note_port(&w->history, port, sum);
}

static void note_history(struct watch *w, bool counted)
{
	const struct listeners *l = w->shown;
	uint64_t all = counted ? l->others_v4 + l->others_v6 : l->others_v4 + l->others_v6 ? HISTORY_NONE : 0;

	history_begin(&w->history);
	for (size_t i = 0; i < l->count; i++)
		if (l->first[l->all[i].port] == i + 1) /* each port once */
			note_port(w, l->all[i].port, counted, &all);
	history_note_all(&w->history, all < HISTORY_NONE ? (uint32_t)all : HISTORY_NONE);
}

/* --- the kernel's sockets --- */

static void show(struct watch *w)
{
	struct listeners *before = w->shown;

	w->shown = w->built;
	w->built = before;
	if (w->counting)
		w->counted_ms = clock_us(CLOCK_MONOTONIC) / 1000;
	note_history(w, w->counting);
}

static void say_rate(struct watch *w, uint32_t before)
{
	if ((before > 1) == (w->status.every_s > 1) || (w->logged_s && now_s() - w->logged_s < LOG_EVERY_S))
		return;
	w->logged_s = now_s();
	event_tell(EVENT_SYN_RECV_INTERVAL, EV_NUMBER("half_opens", w->status.v4 + w->status.v6),
		   EV_NUMBER("cpu_ms", w->status.cost_us / 1000), EV_NUMBER("every_s", w->status.every_s));
}

static void account(struct watch *w)
{
	uint32_t before = w->status.every_s;

	w->kept[KEPT_CPU_US] += w->used_us;
	if (!w->counting)
		return;
	w->status.cost_us = (uint32_t)w->used_us;
	w->status.slice_us = w->longest_us;
	w->status.every_s = (uint32_t)(w->used_us * SHARE / 1000000) + 1;
	w->due_s = now_s() + w->status.every_s;
	w->kept[KEPT_COUNTS]++;
	listeners_half_opens(w->shown, &w->status.v4, &w->status.v6);
	say_rate(w, before);
}

static void finish(struct watch *w, int error)
{
	w->dumping = false;
	w->status.error = error;
	if (!error) {
		if (!w->counting)
			listeners_carry(w->built, w->shown);
		query_all(w, w->built);
		show(w);
	}
}

static void add_entry(const struct diag_entry *entry, void *arg)
{
	listeners_add(((struct watch *)arg)->built, entry);
}

static int on_slice(sd_event_source *source, void *arg)
{
	struct watch *w = arg;
	uint64_t cpu = clock_us(CLOCK_THREAD_CPUTIME_ID), began = clock_us(CLOCK_MONOTONIC), took;
	int result = diag_dump_step(w->dump, SLICE_US, add_entry, w);

	if (result <= 0)
		finish(w, result);
	took = clock_us(CLOCK_MONOTONIC) - began;
	w->used_us += clock_us(CLOCK_THREAD_CPUTIME_ID) - cpu;
	if (w->longest_us < took)
		w->longest_us = (uint32_t)took;
	if (!result)
		account(w);
	return sd_event_source_set_enabled(source, w->dumping ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void begin_dump(struct watch *w)
{
	int error;

	if (w->dumping)
		return;
	w->counting = now_s() >= w->due_s;
	w->used_us = w->longest_us = 0;
	listeners_clear(w->built);
	error = diag_dump_begin(w->dump, w->counting);
	w->status.error = error;
	w->dumping = !error;
	if (!error)
		sd_event_source_set_enabled(w->slice, SD_EVENT_ONESHOT);
}

/* --- inline --- */

static void read_ports(struct watch *w)
{
	const struct port_half_opens *ports = fastpath_half_opens(w->fastpath);
	uint32_t hz = fastpath_runtime(w->fastpath)->jiffies_hz;
	struct listeners *l = w->built;

	listeners_clear(l);
	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		const struct port_half_opens *p = &ports[port];
		struct listener *one = p->v4 | p->v6 ? listeners_of_port(l, (uint16_t)port) : NULL;

		if (!one) {
			l->others_v4 += p->v4;
			l->others_v6 += p->v6;
			continue;
		}
		one->v4 = p->v4;
		one->v6 = p->v6;
		one->resends[0] = p->v4 + p->v6 - p->resent;
		one->resends[1] = p->resent;
		one->oldest_ms = (uint32_t)((uint64_t)p->oldest * 1000 / (hz ? hz : 1));
	}
}

static void count_inline(struct watch *w)
{
	uint64_t cpu = clock_us(CLOCK_THREAD_CPUTIME_ID), began = clock_us(CLOCK_MONOTONIC);

	w->counting = true;
	read_ports(w);
	show(w);
	w->longest_us = (uint32_t)(clock_us(CLOCK_MONOTONIC) - began);
	w->used_us = clock_us(CLOCK_THREAD_CPUTIME_ID) - cpu;
	account(w);
}

/* --- life --- */

static int on_tick(sd_event_source *source, uint64_t usec, void *arg)
{
	struct watch *w = arg;

	history_advance(&w->history, now_s());
	if (w->kernel)
		begin_dump(w);
	else
		count_inline(w);
	return timer_repeat(source, usec, TICK_US);
}

static int start(struct watch *w, struct sd_event *event)
{
	int error = diag_dump_new(&w->dump);

	w->shown = calloc(1, sizeof(*w->shown));
	w->built = calloc(1, sizeof(*w->built));
	if (error || !w->shown || !w->built)
		return -ENOMEM;
	error = sd_event_add_defer(event, &w->slice, on_slice, w);
	if (error >= 0)
		error = sd_event_source_set_enabled(w->slice, SD_EVENT_OFF);
	if (error >= 0)
		error = sd_event_add_time_relative(event, &w->timer, CLOCK_MONOTONIC, 0, ACCURACY_US, on_tick,
						   w);
	return error < 0 ? error : 0;
}

int watch_new(struct watch **watch, struct sd_event *event, struct engine *engine)
{
	struct watch *w = calloc(1, sizeof(*w));
	int error;

	if (!w)
		return -ENOMEM;
	w->fastpath = engine_get_fastpath(engine);
	w->kept = engine_kept(engine, KEPT_WATCH);
	w->kernel = engine_get_config(engine)->deployment == DEPLOYMENT_HOST;
	w->status.kernel = w->kernel;
	w->status.every_s = 1;
	error = start(w, event);
	if (error) {
		watch_free(w);
		return error;
	}
	*watch = w;
	return 0;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	sd_event_source_disable_unref(w->timer);
	sd_event_source_disable_unref(w->slice);
	diag_dump_free(w->dump);
	free(w->shown);
	free(w->built);
	free(w);
}

/* --- what is asked --- */

void watch_get_status(const struct watch *w, struct watch_status *status)
{
	*status = w->status;
	status->counts = w->kept[KEPT_COUNTS];
	status->cpu_s = (double)w->kept[KEPT_CPU_US] / 1e6;
	status->age_ms = (uint32_t)(clock_us(CLOCK_MONOTONIC) / 1000 - w->counted_ms);
}

static int compare(const void *a, const void *b)
{
	const struct listener *x = *(const struct listener *const *)a,
			      *y = *(const struct listener *const *)b;
	uint32_t half_opens_x = listener_half_opens(x), half_opens_y = listener_half_opens(y);

	if (half_opens_x != half_opens_y)
		return half_opens_x > half_opens_y ? -1 : 1;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return x < y ? -1 : x > y;
}

size_t watch_select(const struct watch *w, uint16_t port, const struct listener **listeners, size_t max,
		    size_t *total)
{
	const struct listener *found[LISTENERS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < w->shown->count; i++)
		if (!port || w->shown->all[i].port == port)
			found[count++] = &w->shown->all[i];
	qsort(found, count, sizeof(struct listener *), compare);
	*total = count;
	if (count > max)
		count = max;
	memcpy(listeners, found, count * sizeof(struct listener *));
	return count;
}

const struct history *watch_history(const struct watch *w)
{
	return &w->history;
}
