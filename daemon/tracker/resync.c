// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See resync.h. First whoever knows the connections is read, and each flow that is met is marked; then the
 * flows that were not met go. Neither source knows the client's end where the server's socket has gone: what
 * was lost of it stays unknown.
 */
#include "daemon/tracker/resync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/netlink/diag.h"
#include "daemon/tracker/segment.h"
#include "daemon/tracker/store.h"

#define SWEEP_AT_ONCE 4096
#define RECENT_S      2 /* what changed so shortly before may be ahead of what was read */

enum phase { PHASE_IDLE, PHASE_READ, PHASE_SWEEP };

struct resync {
	struct tracker *tracker;
	struct diag_dump *dump; /* NULL: inline */
	uint32_t position;	/* inline: in the table of connections */
	enum phase phase;
	uint32_t swept; /* cursor of flowtable_walk */
	uint32_t begun_s;
	uint64_t corrected, met;
	int error; /* of reading: nothing is dropped then */
};

int resync_new(struct resync **resync, struct tracker *t)
{
	struct resync *r = calloc(1, sizeof(*r));
	int error = r ? 0 : -ENOMEM;

	if (r && store_asks_kernel(t))
		error = diag_dump_new(&r->dump);
	if (error) {
		resync_free(r);
		return error;
	}
	r->tracker = t;
	*resync = r;
	return 0;
}

void resync_free(struct resync *r)
{
	if (!r)
		return;
	diag_dump_free(r->dump);
	free(r);
}

bool resync_running(const struct resync *r)
{
	return r->phase != PHASE_IDLE;
}

uint64_t resync_met(const struct resync *r)
{
	return r->met;
}

uint64_t resync_corrected(const struct resync *r)
{
	return r->corrected;
}

int resync_begin(struct resync *r)
{
	int error = r->dump ? diag_dump_begin_sockets(r->dump) : 0;

	if (error)
		return error;
	r->position = 0;
	r->phase = PHASE_READ;
	r->swept = 0;
	r->begun_s = store_now_s();
	r->corrected = r->met = 0;
	r->error = 0;
	return 0;
}

/* --- what is met --- */

/* The flow of a connection of which no event told, too; NULL: it is none of ours, or there is no room. */
static struct flow *find_or_add(struct tracker *t, const struct tuple *tuple, uint32_t slot)
{
	struct flow *f = flowtable_find(t->table, tuple);

	if (f || slot == SERVICE_NONE)
		return f;
	f = flowtable_add(t->table, tuple);
	if (!f) {
		t->status.refused++;
		return NULL;
	}
	f->service = (uint8_t)slot;
	f->begun_s = f->changed_s = store_now_s();
	flowtable_count(t->table, f);
	return f;
}

static void met(struct resync *r, struct flow *f, const uint8_t before[ENDPOINTS])
{
	r->met++;
	r->corrected += memcmp(before, f->state, ENDPOINTS) != 0;
	f->flags |= FLOW_SEEN;
	store_settle(r->tracker, f, before);
}

/* A host's talk with itself does not pass us. */
static bool is_own(const struct tuple *tuple)
{
	return !memcmp(tuple->client, tuple->server, sizeof(tuple->client));
}

static void on_socket(const struct diag_entry *entry, void *arg)
{
	struct resync *r = arg;
	struct tracker *t = r->tracker;
	const struct tuple *tuple = &entry->tuple;
	uint8_t before[ENDPOINTS];
	struct flow *f = is_own(tuple) ? NULL : find_or_add(t, tuple, engine_cover_slot(t->engine, tuple));

	if (!f)
		return;
	memcpy(before, f->state, sizeof(before));
	store_adopt(f, store_state_of_kernel(entry->state));
	met(r, f, before);
}

static bool is_one_of(uint8_t state, uint32_t states)
{
	return states >> state & 1;
}

#define BIT(state) (1U << (state))

/* Both FINs and both ACKs of them have passed: who waits is who closed first. */
static bool adopt_ended(struct flow *f)
{
	const uint32_t ended = BIT(TS_CLOSED) | BIT(TS_TIME_WAIT);
	const uint32_t closed_first = BIT(TS_FIN_WAIT_1) | BIT(TS_FIN_WAIT_2) | BIT(TS_CLOSING);
	bool server = is_one_of(f->state[SERVER], closed_first);

	if (is_one_of(f->state[CLIENT], ended) && is_one_of(f->state[SERVER], ended))
		return false;
	f->state[CLIENT] = server ? TS_CLOSED : TS_TIME_WAIT;
	f->state[SERVER] = server ? TS_TIME_WAIT : TS_CLOSED;
	return true;
}

/* States of the end that closed and its peer's, by whether the FIN was acknowledged. */
static bool adopt_half_closed(struct flow *f, enum endpoint closer, bool acknowledged)
{
	uint8_t mine = acknowledged ? TS_FIN_WAIT_2 : TS_FIN_WAIT_1;
	uint8_t peers = acknowledged ? TS_CLOSE_WAIT : TS_ESTABLISHED;
	bool moved = f->state[closer] != mine || f->state[!closer] != peers;

	f->state[closer] = mine;
	f->state[!closer] = peers;
	return moved;
}

/* Both FINs have passed, at most one ACK of them. */
static bool adopt_closing(struct flow *f, const struct connection *c)
{
	const uint32_t last = BIT(TS_LAST_ACK) | BIT(TS_CLOSING);
	bool client = c->flags & CONNECTION_CLIENT_ACKED, server = c->flags & CONNECTION_SERVER_ACKED;
	enum endpoint waits = server ? SERVER : CLIENT; /* whose FIN was acknowledged */
	uint8_t before[ENDPOINTS] = { f->state[CLIENT], f->state[SERVER] };

	if (!client && !server) {
		f->state[CLIENT] = f->state[SERVER] = TS_FIN_WAIT_1;
	} else {
		f->state[waits] = TS_FIN_WAIT_2;
		if (!is_one_of(f->state[!waits], last))
			f->state[!waits] = TS_LAST_ACK;
	}
	return memcmp(before, f->state, sizeof(before)) != 0;
}

/* True: the fast path's table knows that F stands otherwise than the events told. */
static bool adopt_connection(struct flow *f, const struct connection *c)
{
	bool client = c->flags & CONNECTION_CLIENT_FIN, server = c->flags & CONNECTION_SERVER_FIN;
	bool open = f->state[CLIENT] == TS_ESTABLISHED && f->state[SERVER] == TS_ESTABLISHED;

	switch ((enum connection_state)c->state) {
	case CONNECTION_SYN_SENT:
	case CONNECTION_SYN_RCVD:
	case CONNECTION_RESET:
	case CONNECTION_OUTWARD:
	case CONNECTION_GONE:
		return false;
	case CONNECTION_TIME_WAIT:
		return adopt_ended(f);
	case CONNECTION_ESTABLISHED:
	case CONNECTION_CLOSING:
		break;
	}
	if (client && server)
		return adopt_closing(f, c);
	if (client)
		return adopt_half_closed(f, CLIENT, c->flags & CONNECTION_CLIENT_ACKED);
	if (server)
		return adopt_half_closed(f, SERVER, c->flags & CONNECTION_SERVER_ACKED);
	f->state[CLIENT] = f->state[SERVER] = TS_ESTABLISHED;
	return !open;
}

/* One that has ended, or is being opened, is not taken up anew. */
static void on_connection(const struct tuple *tuple, const struct connection *c, void *arg)
{
	struct resync *r = arg;
	uint32_t slot = c->state == CONNECTION_ESTABLISHED ? c->service : SERVICE_NONE;
	struct flow *f = find_or_add(r->tracker, tuple, slot);
	uint8_t before[ENDPOINTS];

	if (!f || c->state == CONNECTION_RESET || c->state == CONNECTION_GONE)
		return;
	memcpy(before, f->state, sizeof(before));
	if (adopt_connection(f, c))
		f->flags |= FLOW_SEEDED;
	met(r, f, before);
}

/* --- what is not met --- */

/* Inline, mode off: nobody but its own segments tells of it. */
static bool is_unknowable(const struct tracker *t, const struct flow *f)
{
	return !store_asks_kernel(t) && engine_slot_mode(t->engine, f->service) == MODE_OFF;
}

static void sweep_one(struct flowtable *table, struct flow *f, void *arg)
{
	struct resync *r = arg;
	uint8_t before[ENDPOINTS] = { f->state[CLIENT], f->state[SERVER] };
	bool seen = f->flags & FLOW_SEEN;

	f->flags &= (uint16_t)~FLOW_SEEN;
	if (seen || r->error || is_unknowable(r->tracker, f))
		return;
	if (f->state[SERVER] <= TS_LISTEN) /* its time is up anyway, sooner than anybody could say more */
		return;
	if ((int32_t)(f->changed_s + RECENT_S - r->begun_s) >= 0) { /* asked for one by one, then */
		flowtable_arm(table, f, store_now_ticks() + RECENT_S * FLOWTABLE_TICKS_PER_S);
		return;
	}
	store_server_gone(f);
	r->corrected++;
	store_settle(r->tracker, f, before);
}

/* --- slices --- */

static int read_some(struct resync *r, uint32_t slice_us)
{
	if (r->dump)
		return diag_dump_step(r->dump, slice_us, on_socket, r);
	return fastpath_next_connections(r->tracker->fastpath, &r->position, on_connection, r);
}

int resync_step(struct resync *r, uint32_t slice_us)
{
	uint64_t until = store_now_us() + slice_us;
	int more = 0;

	while (r->phase == PHASE_READ && store_now_us() < until) {
		more = read_some(r, (uint32_t)(until - store_now_us()));
		if (more <= 0) {
			r->error = more;
			r->phase = PHASE_SWEEP;
		}
	}
	while (r->phase == PHASE_SWEEP && store_now_us() < until)
		if (!flowtable_walk(r->tracker->table, &r->swept, SWEEP_AT_ONCE, sweep_one, r))
			r->phase = PHASE_IDLE;
	return r->phase == PHASE_IDLE ? r->error : 1;
}
