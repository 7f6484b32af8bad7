// SPDX-License-Identifier: GPL-2.0-or-later
/* See segment.h. */
#include "daemon/tracker/segment.h"

#include <netinet/tcp.h>

#define FLAG_NEWBORN                                                                                         \
	(FLOW_SYN_KNOWN(CLIENT) | FLOW_SYN_KNOWN(SERVER) | FLOW_SYN_ACKED(CLIENT) | FLOW_SYN_ACKED(SERVER) | \
	 FLOW_FIN_KNOWN(CLIENT) | FLOW_FIN_KNOWN(SERVER) | FLOW_COOKIE | FLOW_TIMED | FLOW_RST_UNSURE |      \
	 FLOW_SEEDED | FLOW_OPENED | FLOW_ENDED)

static bool is_syn(const struct event *e)
{
	return (e->flags & (TH_SYN | TH_ACK)) == TH_SYN;
}

static bool is_synack(const struct event *e)
{
	return (e->flags & (TH_SYN | TH_ACK)) == (TH_SYN | TH_ACK);
}

static enum endpoint sender_of(const struct event *e)
{
	return e->origin == EVENT_SERVER ? SERVER : CLIENT;
}

/* The server's is the passive end; of a connection in which both are active, RFC 9293 tells no other. */
static bool step(struct flow *f, enum endpoint end, enum tcp_event event)
{
	enum tcp_state before = f->state[end];

	f->state[end] = (uint8_t)tcp_state_next(before, event, end == CLIENT);
	return f->state[end] != before;
}

/* The fast path handed one handshake over twice, as its third ACK and the data behind it came by two ways. */
static bool is_known_cookie(const struct flow *f, const struct event *e)
{
	return f->flags & FLOW_COOKIE && !(f->flags & (FLOW_FIN_KNOWN(SERVER) | FLOW_RST_UNSURE)) &&
	       f->state[SERVER] >= TS_ESTABLISHED && f->number[SERVER] == e->ack;
}

bool segment_begins_anew(const struct flow *f, const struct event *e)
{
	enum endpoint sender = sender_of(e);
	enum tcp_state state = f->state[sender];

	if (e->origin == EVENT_COOKIE)
		return !is_known_cookie(f, e);
	if (is_syn(e))
		return state == TS_CLOSED || state == TS_TIME_WAIT || f->flags & FLOW_RST_UNSURE;
	/* the server's own SYN-ACK sent again has the number that we know */
	return is_synack(e) && sender == SERVER && state >= TS_ESTABLISHED &&
	       !(f->flags & FLOW_SYN_KNOWN(SERVER) && !(f->flags & FLOW_FIN_KNOWN(SERVER)) &&
		 f->number[SERVER] == e->next);
}

bool segment_takes_up(const struct event *e, enum tcp_state state[ENDPOINTS])
{
	if (e->origin == EVENT_COOKIE || is_syn(e)) {
		state[CLIENT] = state[SERVER] = TS_CLOSED;
	} else if (is_synack(e) && e->origin == EVENT_SERVER) {
		state[CLIENT] = TS_SYN_SENT;
		state[SERVER] = TS_LISTEN;
	} else if (e->flags & TH_FIN && !(e->flags & TH_RST) && e->origin == EVENT_SERVER) {
		state[CLIENT] = state[SERVER] = TS_ESTABLISHED;
	} else {
		return false;
	}
	return true;
}

bool segment_is_refusal(const struct flow *f, const struct event *e)
{
	return e->origin == EVENT_SERVER && f->state[SERVER] == TS_LISTEN && e->flags & TH_ACK &&
	       f->flags & FLOW_SYN_KNOWN(CLIENT) && e->ack == f->number[CLIENT];
}

static void forget(struct flow *f)
{
	f->flags &= (uint16_t)~FLAG_NEWBORN;
	f->handshake_us = 0;
}

static bool apply_syn(struct flow *f, const struct event *e, enum endpoint sender)
{
	enum endpoint receiver = !sender;
	bool moved = step(f, sender, EV_SND_SYN);

	if (f->state[sender] != TS_SYN_SENT)
		return false;
	if (moved && f->state[receiver] != TS_SYN_SENT)
		forget(f);
	if (moved)
		f->handshake_us = (uint32_t)(e->time_ns / 1000);
	f->number[sender] = e->next;
	f->flags |= FLOW_SYN_KNOWN(sender);
	if (f->state[receiver] == TS_CLOSED)
		step(f, receiver, EV_PASSIVE_OPEN);
	return moved;
}

static bool apply_synack(struct flow *f, const struct event *e, enum endpoint sender)
{
	bool moved = step(f, sender, EV_SND_SYNACK);

	if (f->state[sender] != TS_SYN_RECEIVED)
		return moved;
	f->number[sender] = e->next;
	f->flags |= FLOW_SYN_KNOWN(sender);
	if (moved && f->flags & FLOW_SYN_ACKED(sender)) /* simultaneous open: the other was first */
		step(f, sender, EV_RCV_ACK_OF_SYN);
	return moved;
}

static void note_handshake(struct flow *f, const struct event *e)
{
	if (f->flags & FLOW_TIMED || !f->handshake_us)
		return;
	f->handshake_us = (uint32_t)(e->time_ns / 1000) - f->handshake_us;
	f->handshake_us += !f->handshake_us;
	f->flags |= FLOW_TIMED;
}

static bool apply_ack(struct flow *f, const struct event *e, enum endpoint sender)
{
	enum endpoint receiver = !sender;
	bool moved = false;

	if ((int32_t)(e->ack - f->number[receiver]) < 0)
		return false;
	if (f->flags & FLOW_SYN_KNOWN(receiver) && !(f->flags & FLOW_SYN_ACKED(receiver))) {
		f->flags |= (uint16_t)FLOW_SYN_ACKED(receiver);
		moved |= step(f, sender, EV_SND_ACK_OF_SYN);
		moved |= step(f, receiver, EV_RCV_ACK_OF_SYN);
		if (f->state[CLIENT] >= TS_ESTABLISHED && f->state[SERVER] >= TS_ESTABLISHED)
			note_handshake(f, e);
	}
	if (f->flags & FLOW_FIN_KNOWN(receiver)) {
		moved |= step(f, sender, EV_SND_ACK_OF_FIN);
		moved |= step(f, receiver, EV_RCV_ACK_OF_FIN);
	}
	return moved;
}

static bool apply_fin(struct flow *f, const struct event *e, enum endpoint sender)
{
	step(f, sender, EV_SND_FIN);
	f->number[sender] = e->next;
	f->flags |= (uint16_t)FLOW_FIN_KNOWN(sender);
	return true;
}

static bool apply_cookie(struct flow *f, const struct event *e)
{
	if (is_known_cookie(f, e))
		return false;
	f->state[CLIENT] = f->state[SERVER] = TS_CLOSED;
	forget(f);
	f->flags |= FLOW_COOKIE;
	f->number[SERVER] = e->ack; /* until a FIN: tells this handshake from another */
	step(f, CLIENT, EV_COOKIE);
	step(f, SERVER, EV_COOKIE);
	return true;
}

bool segment_apply(struct flow *f, const struct event *e)
{
	enum endpoint sender = sender_of(e);
	bool moved = false;

	if (e->origin == EVENT_COOKIE)
		return apply_cookie(f, e);
	if (e->flags & TH_RST) {
		moved = step(f, sender, EV_SND_RST);
		return step(f, !sender, EV_RCV_RST) || moved;
	}
	if (is_syn(e))
		return apply_syn(f, e, sender);
	if (is_synack(e))
		moved = apply_synack(f, e, sender);
	if (e->flags & TH_ACK)
		moved |= apply_ack(f, e, sender);
	if (e->flags & TH_FIN)
		moved |= apply_fin(f, e, sender);
	return moved;
}

enum tcp_state segment_peer_of(enum tcp_state server)
{
	static const uint8_t peers[TS_COUNT] = {
		[TS_CLOSED] = TS_CLOSED,	   [TS_LISTEN] = TS_CLOSED,
		[TS_SYN_SENT] = TS_LISTEN,	   [TS_SYN_RECEIVED] = TS_SYN_SENT,
		[TS_ESTABLISHED] = TS_ESTABLISHED, [TS_FIN_WAIT_1] = TS_ESTABLISHED,
		[TS_FIN_WAIT_2] = TS_CLOSE_WAIT,   [TS_CLOSE_WAIT] = TS_FIN_WAIT_2,
		[TS_CLOSING] = TS_CLOSING,	   [TS_LAST_ACK] = TS_FIN_WAIT_2,
		[TS_TIME_WAIT] = TS_CLOSED,
	};

	return (enum tcp_state)peers[server];
}
