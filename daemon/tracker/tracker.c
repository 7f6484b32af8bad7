// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See tracker.h. Events are read by a timer, often while there are any and seldom while there are none: being
 * woken for each would cost the fast path more than the event. The kernel's sockets are the truth about the
 * server: they are asked when a RST passes, when a flow's time is up, and, all at once, when events were
 * lost.
 */
#include "daemon/timer.h"
#include "daemon/tracker/state.h"
#include "daemon/tracker/store.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "daemon/events/events.h"
#include "daemon/log.h"
#include "daemon/netlink/diag.h"
#include "daemon/tracker/notice.h"
#include "daemon/tracker/resync.h"
#include "daemon/tracker/segment.h"

#define BUSY_US		 2000
#define IDLE_US		 64000
#define ACCURACY_US	 500
#define EVENTS_A_TURN	 32768 /* some 5 ms */
#define SLICE_US	 4000
#define REARMED_A_TURN	 16384
#define EXPIRED_A_TURN	 2048
#define QUESTIONS_A_TURN 1000 /* to the kernel */
#define RESYNC_EVERY_S	 5
#define SWEEP_EVERY_S	 30
#define VANISHED_S	 120 /* an ACK that is due for so long will not come */
#define UNSURE_S	 1
#define HALF_OPEN_S	 15 /* between two questions, where the kernel's own timeout rules */

static uint32_t ticks_of(uint32_t seconds)
{
	return seconds * FLOWTABLE_TICKS_PER_S;
}

/* --- how long a flow may stay as it is --- */

static const struct tracking_timers *timers_of(const struct tracker *t, const struct flow *f)
{
	const struct config *config = engine_get_config(t->engine);

	return t->attacked[f->service] ? &config->attack_timers : &config->timers;
}

/* 0: the kernel's own. */
static uint32_t half_open_timeout_s(const struct tracker *t, const struct flow *f)
{
	uint32_t timeout = timers_of(t, f)->half_open_timeout_s;

	return timeout ? timeout : engine_get_config(t->engine)->timers.half_open_timeout_s;
}

static uint32_t state_timeout_s(const struct tracker *t, const struct flow *f, enum endpoint end)
{
	const struct config *config = engine_get_config(t->engine);
	uint32_t half_open = half_open_timeout_s(t, f);

	switch ((enum tcp_state)f->state[end]) {
	case TS_CLOSED:
	case TS_LISTEN:
	case TS_COUNT:
		break;
	case TS_SYN_SENT:
	case TS_SYN_RECEIVED:
		return half_open ? half_open : HALF_OPEN_S;
	case TS_ESTABLISHED:
	case TS_CLOSE_WAIT:
		return config->established_s;
	case TS_FIN_WAIT_1:
	case TS_CLOSING:
	case TS_LAST_ACK:
		return timers_of(t, f)->closing_s;
	case TS_FIN_WAIT_2:
		return timers_of(t, f)->fin_wait_2_s;
	case TS_TIME_WAIT:
		return config->time_wait_s;
	}
	return UINT32_MAX;
}

static uint32_t timeout_s(const struct tracker *t, const struct flow *f)
{
	uint32_t client = state_timeout_s(t, f, CLIENT), server = state_timeout_s(t, f, SERVER);

	return f->flags & FLOW_RST_UNSURE ? UNSURE_S : client < server ? client : server;
}

static void arm(struct tracker *t, struct flow *f)
{
	flowtable_arm(t->table, f, store_now_ticks() + ticks_of(timeout_s(t, f)));
}

/* Its service has come under attack since it was armed. */
static void arm_sooner(struct flowtable *table, struct flow *f, void *arg)
{
	struct tracker *t = arg;
	uint32_t timeout = t->attacked[f->service] ? timeout_s(t, f) : UINT32_MAX;
	uint32_t passed = store_now_s() - f->changed_s;
	uint32_t left = timeout > passed ? timeout - passed : 0;

	if (timeout != UINT32_MAX && left < flowtable_due_ms(table, f) / 1000)
		flowtable_arm(table, f, store_now_ticks() + ticks_of(left));
}

static void follow_attacks(struct tracker *t)
{
	for (uint32_t slot = 0; slot < SERVICE_SLOTS; slot++) {
		bool attacked = engine_slot_attacked(t->engine, slot);

		if (attacked && !t->attacked[slot]) {
			t->rearming = true;
			t->rearmed = 0;
		}
		t->attacked[slot] = attacked;
	}
}

static void go_on_rearming(struct tracker *t)
{
	t->rearming = flowtable_walk(t->table, &t->rearmed, REARMED_A_TURN, arm_sooner, t);
}

static bool is_over(const struct flow *f)
{
	return f->state[CLIENT] == TS_CLOSED && f->state[SERVER] <= TS_LISTEN;
}

static bool is_open(enum tcp_state state)
{
	return state >= TS_ESTABLISHED && state != TS_TIME_WAIT;
}

static bool are_open(const struct flow *f)
{
	return is_open((enum tcp_state)f->state[CLIENT]) && is_open((enum tcp_state)f->state[SERVER]);
}

/* Each connection once, at either end of its life. */
static void count_life(struct tracker *t, struct flow *f)
{
	bool client = is_open((enum tcp_state)f->state[CLIENT]),
	     server = is_open((enum tcp_state)f->state[SERVER]);

	if (are_open(f) && !(f->flags & FLOW_OPENED)) {
		f->flags |= FLOW_OPENED;
		t->status.opened++;
	}
	if (!client && !server && (f->flags & (FLOW_OPENED | FLOW_ENDED)) == FLOW_OPENED) {
		f->flags |= FLOW_ENDED;
		t->status.closed++;
	}
}

void store_settle(struct tracker *t, struct flow *f, const uint8_t before[ENDPOINTS])
{
	if (memcmp(before, f->state, ENDPOINTS) != 0) {
		flowtable_moved(t->table, f, before);
		f->changed_s = store_now_s();
	}
	count_life(t, f);
	if (is_over(f))
		flowtable_remove(t->table, f);
	else
		arm(t, f);
}

/* --- what the kernel says --- */

enum tcp_state store_state_of_kernel(unsigned int state)
{
	static const uint8_t states[] = {
		[TCP_ESTABLISHED] = TS_ESTABLISHED,
		[TCP_SYN_SENT] = TS_SYN_SENT,
		[TCP_SYN_RECV] = TS_SYN_RECEIVED,
		[TCP_FIN_WAIT1] = TS_FIN_WAIT_1,
		[TCP_FIN_WAIT2] = TS_FIN_WAIT_2,
		[TCP_TIME_WAIT] = TS_TIME_WAIT,
		[TCP_CLOSE] = TS_CLOSED,
		[TCP_CLOSE_WAIT] = TS_CLOSE_WAIT,
		[TCP_LAST_ACK] = TS_LAST_ACK,
		[TCP_LISTEN] = TS_LISTEN,
		[TCP_CLOSING] = TS_CLOSING,
	};

	return state < sizeof(states) ? (enum tcp_state)states[state] : TS_CLOSED;
}

/* Inline, the fast path's table: it knows whether a connection lives, and no more than we of its states. */
static int ask_fastpath(struct tracker *t, const struct flow *f, const struct tuple *tuple)
{
	struct connection c;

	if (fastpath_find_connection(t->fastpath, tuple, &c) || c.state == CONNECTION_RESET)
		return TS_CLOSED;
	if (c.state == CONNECTION_ESTABLISHED && f->state[SERVER] <= TS_SYN_RECEIVED)
		return TS_ESTABLISHED; /* the event of the third ACK was lost */
	return f->state[SERVER];
}

/* The server's state, as whoever knows it says. TS_CLOSED: no such socket. Negative: it cannot be asked now.
 */
static int ask_server(struct tracker *t, const struct flow *f)
{
	struct tuple tuple;
	int state;

	if (!t->questions)
		return -EAGAIN;
	t->questions--;
	flowtable_tuple(t->table, f, &tuple);
	if (!store_asks_kernel(t))
		return ask_fastpath(t, f, &tuple);
	state = diag_find(t->diag, &tuple, store_ifindex(t));
	if (state == -ENOENT)
		return TS_CLOSED;
	return state < 0 ? state : (int)store_state_of_kernel((unsigned int)state);
}

void store_adopt(struct flow *f, enum tcp_state server)
{
	if (f->state[SERVER] == server)
		return;
	f->state[SERVER] = (uint8_t)server;
	f->state[CLIENT] = (uint8_t)segment_peer_of(server);
	f->flags |= FLOW_SEEDED;
}

void store_server_gone(struct flow *f)
{
	f->state[SERVER] = (uint8_t)tcp_state_next((enum tcp_state)f->state[SERVER], EV_GONE, false);
	if (f->state[CLIENT] != TS_CLOSE_WAIT && f->state[CLIENT] != TS_TIME_WAIT)
		f->state[CLIENT] = (uint8_t)tcp_state_next((enum tcp_state)f->state[CLIENT], EV_GONE, true);
}

/* --- events --- */

static void on_reset(struct tracker *t, struct flow *f, const struct tuple *tuple, const struct event *e)
{
	uint8_t before[ENDPOINTS] = { f->state[CLIENT], f->state[SERVER] };

	if (segment_is_refusal(f, e))
		notice_refusal(t->notice, tuple, store_now_s());
	/* a RST counts only if its receiver took it (RFC 5961, section 3.2): the kernel knows */
	if (store_asks_kernel(t) && !segment_is_refusal(f, e) && ask_server(t, f) != TS_CLOSED)
		f->flags |= FLOW_RST_UNSURE;
	else
		segment_apply(f, e);
	store_settle(t, f, before);
}

static struct flow *take_up(struct tracker *t, const struct tuple *tuple, const struct event *e)
{
	enum tcp_state state[ENDPOINTS];
	struct flow *f;

	if (!segment_takes_up(e, state)) {
		t->status.unknown++;
		return NULL;
	}
	f = flowtable_add(t->table, tuple);
	if (!f) {
		t->status.refused++;
		return NULL;
	}
	f->service = e->service;
	f->state[CLIENT] = (uint8_t)state[CLIENT];
	f->state[SERVER] = (uint8_t)state[SERVER];
	f->begun_s = f->changed_s = store_now_s();
	flowtable_count(t->table, f);
	return f;
}

/* Another connection on the same tuple. */
static void begin_anew(struct tracker *t, struct flow *f, const struct event *e)
{
	if ((f->flags & (FLOW_OPENED | FLOW_ENDED)) == FLOW_OPENED)
		t->status.closed++;
	if (e->origin == EVENT_SERVER) {
		f->state[CLIENT] = TS_SYN_SENT;
		f->state[SERVER] = TS_LISTEN;
		f->flags = 0;
	} else if (f->flags & FLOW_RST_UNSURE) {
		f->state[CLIENT] = f->state[SERVER] = TS_CLOSED;
		f->flags = 0;
	}
	f->begun_s = store_now_s();
}

static void on_event(const struct event *e, void *arg)
{
	struct tracker *t = arg;
	struct tuple tuple = { .client_port = e->client_port, .server_port = e->server_port, .v6 = e->v6 };
	uint8_t before[ENDPOINTS];
	bool anew, opened, sure;
	struct flow *f;

	memcpy(tuple.client, e->client, sizeof(tuple.client));
	memcpy(tuple.server, e->server, sizeof(tuple.server));
	f = flowtable_find(t->table, &tuple);
	if (e->flags & TH_RST && e->origin != EVENT_COOKIE) {
		if (f)
			on_reset(t, f, &tuple, e);
		return;
	}
	if (!f)
		f = take_up(t, &tuple, e);
	if (!f)
		return;
	memcpy(before, f->state, sizeof(before));
	anew = segment_begins_anew(f, e);
	if (anew)
		begin_anew(t, f, e);
	opened = f->flags & FLOW_OPENED && !anew;
	sure = e->origin == EVENT_COOKIE ||
	       (f->flags & FLOW_SYN_KNOWN(SERVER) && e->ack == f->number[SERVER]);
	segment_apply(f, e);
	if (!opened && are_open(f))
		notice_opened(t->notice, f, &tuple, sure, store_now_s());
	store_settle(t, f, before);
}

/* --- time --- */

/* Both ends see the connection reset; of a half-open, the server alone. */
static int reset(struct tracker *t, const struct tuple *tuple)
{
	return store_asks_kernel(t) ? diag_destroy(t->diag, tuple, store_ifindex(t))
				    : fastpath_reset_connection(t->fastpath, tuple);
}

static bool end_half_open(struct tracker *t, const struct flow *f)
{
	uint32_t timeout = half_open_timeout_s(t, f);
	struct tuple tuple;

	if (!timeout || store_now_s() - f->changed_s + 1 < timeout)
		return false;
	flowtable_tuple(t->table, f, &tuple);
	if (reset(t, &tuple))
		return false;
	t->status.ended++;
	return true;
}

static void on_due(struct flowtable *table, struct flow *f, void *arg)
{
	uint8_t before[ENDPOINTS] = { f->state[CLIENT], f->state[SERVER] };
	struct tracker *t = arg;
	/* a server that has none left would have told of a new one */
	bool known_gone = before[SERVER] == TS_CLOSED && !(f->flags & FLOW_RST_UNSURE);
	int server = known_gone ? TS_CLOSED : ask_server(t, f);

	(void)table;
	if (server == -EAGAIN) { /* too many at once */
		flowtable_arm(t->table, f, store_now_ticks() + 1);
		return;
	}
	if (store_now_s() - f->changed_s + 1 >= engine_get_config(t->engine)->time_wait_s)
		f->state[CLIENT] = (uint8_t)tcp_state_next((enum tcp_state)before[CLIENT], EV_2MSL, true);
	if (store_asks_kernel(t) && server == TS_TIME_WAIT && before[SERVER] == TS_TIME_WAIT) {
		/* the kernel's clock began later */
		store_settle(t, f, before);
		flowtable_arm(t->table, f, store_now_ticks() + ticks_of(UNSURE_S));
		return;
	}
	if (!store_asks_kernel(t) && server == TS_TIME_WAIT)
		server = TS_CLOSED;
	if (server == TS_SYN_RECEIVED && before[SERVER] == TS_SYN_RECEIVED && end_half_open(t, f))
		server = TS_CLOSED;
	if (server == TS_CLOSED && before[SERVER] == TS_SYN_RECEIVED)
		notice_abandoned(t->notice, f, store_now_s());
	if (server == TS_CLOSED && f->flags & FLOW_RST_UNSURE)
		f->state[CLIENT] = f->state[SERVER] = TS_CLOSED;
	else if (server <= TS_CLOSED && before[SERVER] == TS_TIME_WAIT)
		f->state[SERVER] = (uint8_t)tcp_state_next(TS_TIME_WAIT, EV_2MSL, false);
	else if (server <= TS_CLOSED && before[SERVER] > TS_LISTEN)
		store_server_gone(f);
	else if (server <= TS_CLOSED) /* nothing can be known of the client any more */
		f->state[CLIENT] = TS_CLOSED;
	else
		store_adopt(f, (enum tcp_state)server);
	f->flags &= (uint16_t)~FLOW_RST_UNSURE;
	store_settle(t, f, before);
}

/* --- losses --- */

static void end_resync(struct tracker *t, int error)
{
	t->status.resyncs++;
	t->resynced_s = store_now_s();
	if (error)
		log_print(LOG_ERR, "tracking: connections could not be read anew: %s", strerror(-error));
	else
		t->healed = t->healing;
	if (!error && t->status.resyncs > 1)
		event_tell(EVENT_TRACKING_HEALED, EV_NUMBER("flows", flowtable_size(t->table)),
			   EV_NUMBER("corrected", (int64_t)resync_corrected(t->resync)));
}

static void go_on_resync(struct tracker *t)
{
	int more = resync_step(t->resync, SLICE_US);

	if (more <= 0)
		end_resync(t, more);
}

/* When what there is of events has been read. */
static void heal_losses(struct tracker *t)
{
	struct event_counters c;
	uint64_t lost;
	int error;

	if (fastpath_read_event_counters(t->fastpath, &c))
		return;
	lost = c.lost + c.unawaited;
	if (lost == t->healed || resync_running(t->resync) ||
	    (t->status.resyncs > 1 && store_now_s() - t->resynced_s < RESYNC_EVERY_S))
		return;
	event_tell(EVENT_TRACKING_LOST, EV_NUMBER("lost", (int64_t)(lost - t->healed)));
	t->healing = lost;
	error = resync_begin(t->resync);
	if (error)
		end_resync(t, error);
}

void store_keep_counters(struct tracker *t)
{
	const struct tracker_status *s = &t->status;
	const uint64_t now[KEPT_COUNTERS] = {
		[KEPT_REFUSED] = s->refused, [KEPT_OPENED] = s->opened,	  [KEPT_CLOSED] = s->closed,
		[KEPT_UNKNOWN] = s->unknown, [KEPT_RESYNCS] = s->resyncs, [KEPT_ENDED] = s->ended,
	};

	for (int i = 0; i < KEPT_COUNTERS; i++)
		t->kept[i] = t->base[i] + now[i];
}

static void look_after(struct tracker *t)
{
	uint32_t now = store_now_s();

	if (now == t->looked_s)
		return;
	t->looked_s = now;
	follow_attacks(t);
	store_keep_counters(t);
	if (now - t->swept_s < SWEEP_EVERY_S)
		return;
	t->swept_s = now;
	fastpath_expire_waiting(t->fastpath, VANISHED_S);
}

int store_catch_up(struct tracker *t)
{
	int events;

	t->questions = QUESTIONS_A_TURN;
	events = fastpath_read_events(t->fastpath, on_event, t, EVENTS_A_TURN);
	flowtable_expire(t->table, store_now_ticks(), on_due, t, EXPIRED_A_TURN);
	return events;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct tracker *t = arg;
	int events = store_catch_up(t);

	if (resync_running(t->resync))
		go_on_resync(t);
	else if (events < EVENTS_A_TURN)
		heal_losses(t);
	if (t->rearming)
		go_on_rearming(t);
	if (events > 0 || resync_running(t->resync) || t->rearming)
		t->interval_us = BUSY_US;
	else if (t->interval_us < IDLE_US)
		t->interval_us *= 2;
	look_after(t);
	return timer_repeat(source, usec, t->interval_us);
}

/* --- life --- */

static int start(struct tracker *t, struct sd_event *event, const struct config *config)
{
	int error = flowtable_new(&t->table, config->tracked_flows, store_now_ticks());

	if (error)
		return error;
	if (config->deployment == DEPLOYMENT_HOST) {
		t->diag = diag_open();
		if (!t->diag)
			return -errno;
	}
	error = notice_new(&t->notice, t->engine);
	if (!error)
		error = resync_new(&t->resync, t);
	if (!error)
		error = resync_begin(t->resync);
	while (!error && (error = resync_step(t->resync, SLICE_US)) > 0)
		error = 0;
	if (!error)
		end_resync(t, 0);
	if (!error)
		error = sd_event_add_time_relative(event, &t->timer, CLOCK_MONOTONIC, t->interval_us,
						   ACCURACY_US, on_timer, t);
	return error < 0 ? error : 0;
}

int tracker_new(struct tracker **tracker, struct sd_event *event, struct engine *engine)
{
	const struct config *config = engine_get_config(engine);
	struct tracker *t = calloc(1, sizeof(*t));
	int error = 0;

	if (!t)
		return -ENOMEM;
	t->engine = engine;
	t->fastpath = engine_get_fastpath(engine);
	t->kept = engine_kept(engine, KEPT_TRACKER);
	memcpy(t->base, t->kept, sizeof(t->base));
	t->interval_us = BUSY_US;
	if (config->tracking)
		error = start(t, event, config);
	if (error) {
		tracker_free(t);
		return error;
	}
	*tracker = t;
	return 0;
}

void tracker_free(struct tracker *t)
{
	if (!t)
		return;
	sd_event_source_disable_unref(t->timer);
	resync_free(t->resync);
	notice_free(t->notice);
	diag_close(t->diag);
	flowtable_free(t->table);
	free(t);
}

int tracker_kill(struct tracker *t, const struct tuple *tuple)
{
	struct flow *f = t->table ? flowtable_find(t->table, tuple) : NULL;
	int error = f ? reset(t, tuple) : -ENOENT;
	uint8_t before[ENDPOINTS];

	if (error || store_asks_kernel(t)) /* the kernel's RST will pass, and tell */
		return error;
	memcpy(before, f->state, sizeof(before));
	f->state[CLIENT] = f->state[SERVER] = TS_CLOSED;
	store_settle(t, f, before);
	return 0;
}
