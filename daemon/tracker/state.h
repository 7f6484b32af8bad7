/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TCP state machine of one endpoint (RFC 9293, figure 5) as data, as seen from a place between both ends.
 * An endpoint moves when a segment of its own proves it, or when one of its peer must have reached it: the
 * arrow "rcv FIN / snd ACK" is taken at the ACK. Pure.
 */
#ifndef SYNMOAT_TRACKER_STATE_H
#define SYNMOAT_TRACKER_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum tcp_state {
	TS_CLOSED,
	TS_LISTEN,
	TS_SYN_SENT,
	TS_SYN_RECEIVED,
	TS_ESTABLISHED,
	TS_FIN_WAIT_1,
	TS_FIN_WAIT_2,
	TS_CLOSE_WAIT,
	TS_CLOSING,
	TS_LAST_ACK,
	TS_TIME_WAIT,
	TS_COUNT
};

/* What an endpoint sends (SND) or is sent (RCV), from open to close, and what only time tells. */
enum tcp_event {
	EV_PASSIVE_OPEN, /* there is reason to believe that it listens: a SYN goes to it */
	EV_SND_SYN,
	EV_SND_SYNACK,
	EV_SND_ACK_OF_SYN,
	EV_RCV_ACK_OF_SYN,
	EV_COOKIE, /* we vouch for the whole handshake */
	EV_SND_ACK_OF_FIN,
	EV_RCV_ACK_OF_FIN,
	EV_SND_FIN,
	EV_SND_RST, /* and the other end took it */
	EV_RCV_RST, /* and took it */
	EV_2MSL,    /* TIME-WAIT has lasted long enough */
	EV_GONE,    /* the kernel, or a timer, says that there is no such socket any more */
	EV_COUNT
};

/* A cell of the matrix: stay as you are, or one and the number of the state to go to. */
#define TCP_STAY  0
#define TCP_TO(s) ((uint8_t)(1 + (s)))
extern const uint8_t tcp_matrix[TS_COUNT][EV_COUNT];

/* ACTIVE: the endpoint opened the connection, so that SYN-RECEIVED goes back to CLOSED, not to LISTEN. */
enum tcp_state tcp_state_next(enum tcp_state state, enum tcp_event event, bool active);

/* As ss(8) says it: "SYN-RECV". Parse takes RFC 9293's words, too, and returns -1 for any other; case does
 * not matter, and "_" is "-". */
const char *tcp_state_word(enum tcp_state state);
int tcp_state_parse(const char *word);

#endif
