/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every arrow of RFC 9293, figure 5 (section 3.3.2, "TCP Connection State Diagram") with the figure's words,
 * and those that its notes add. VIA: the events of our matrix that take it, in order; an arrow "rcv X / snd
 * Y" is taken when Y is seen, since only that proves it to somebody in the middle.
 */
#ifndef SYNMOAT_TESTS_RFC9293_H
#define SYNMOAT_TESTS_RFC9293_H

#include "daemon/tracker/state.h"

#define VIA_END EV_COUNT

struct arrow {
	enum tcp_state from, to;
	const char *words; /* of the figure, or of its note or the text that SOURCE names */
	const char *source;
	enum tcp_event via[3]; /* VIA_END ends them */
};

#define FIGURE "figure 5"
#define NOTE_1 "figure 5, note 1"
#define NOTE_2 "figure 5, note 2"
#define NOTE_3 "figure 5, note 3"

static const struct arrow rfc9293_arrows[] = {
	{ TS_CLOSED, TS_LISTEN, "passive OPEN / create TCB", FIGURE, { EV_PASSIVE_OPEN, VIA_END } },
	{ TS_CLOSED, TS_SYN_SENT, "active OPEN / create TCB, snd SYN", FIGURE, { EV_SND_SYN, VIA_END } },
	{ TS_LISTEN, TS_CLOSED, "CLOSE / delete TCB", FIGURE, { EV_GONE, VIA_END } },
	{ TS_LISTEN, TS_SYN_RECEIVED, "rcv SYN / snd SYN,ACK", FIGURE, { EV_SND_SYNACK, VIA_END } },
	{ TS_LISTEN, TS_SYN_SENT, "SEND / snd SYN", FIGURE, { EV_SND_SYN, VIA_END } },
	{ TS_SYN_SENT, TS_CLOSED, "CLOSE / delete TCB", FIGURE, { EV_GONE, VIA_END } },
	{ TS_SYN_SENT, TS_SYN_RECEIVED, "rcv SYN / snd SYN,ACK", FIGURE, { EV_SND_SYNACK, VIA_END } },
	{ TS_SYN_SENT, TS_ESTABLISHED, "rcv SYN,ACK / snd ACK", FIGURE, { EV_SND_ACK_OF_SYN, VIA_END } },
	{ TS_SYN_RECEIVED, TS_LISTEN, "rcv RST", NOTE_1, { EV_RCV_RST, VIA_END } },
	{ TS_SYN_RECEIVED, TS_ESTABLISHED, "rcv ACK of SYN / x", FIGURE, { EV_RCV_ACK_OF_SYN, VIA_END } },
	{ TS_SYN_RECEIVED, TS_FIN_WAIT_1, "CLOSE / snd FIN", FIGURE, { EV_SND_FIN, VIA_END } },
	{ TS_ESTABLISHED, TS_FIN_WAIT_1, "CLOSE / snd FIN", FIGURE, { EV_SND_FIN, VIA_END } },
	{ TS_ESTABLISHED, TS_CLOSE_WAIT, "rcv FIN / snd ACK", FIGURE, { EV_SND_ACK_OF_FIN, VIA_END } },
	{ TS_FIN_WAIT_1, TS_FIN_WAIT_2, "rcv ACK of FIN / x", FIGURE, { EV_RCV_ACK_OF_FIN, VIA_END } },
	{ TS_FIN_WAIT_1, TS_CLOSING, "rcv FIN / snd ACK", FIGURE, { EV_SND_ACK_OF_FIN, VIA_END } },
	{ TS_FIN_WAIT_1,
	  TS_TIME_WAIT,
	  "a FIN is received and the local FIN is also acknowledged",
	  NOTE_2,
	  { EV_RCV_ACK_OF_FIN, EV_SND_ACK_OF_FIN, VIA_END } },
	{ TS_FIN_WAIT_2, TS_TIME_WAIT, "rcv FIN / snd ACK", FIGURE, { EV_SND_ACK_OF_FIN, VIA_END } },
	{ TS_CLOSE_WAIT, TS_LAST_ACK, "CLOSE / snd FIN", FIGURE, { EV_SND_FIN, VIA_END } },
	{ TS_CLOSING, TS_TIME_WAIT, "rcv ACK of FIN / x", FIGURE, { EV_RCV_ACK_OF_FIN, VIA_END } },
	{ TS_LAST_ACK, TS_CLOSED, "rcv ACK of FIN / x", FIGURE, { EV_RCV_ACK_OF_FIN, VIA_END } },
	{ TS_TIME_WAIT, TS_CLOSED, "Timeout=2MSL / delete TCB", FIGURE, { EV_2MSL, VIA_END } },

	/* "receipt of a RST from any state results in a transition to LISTEN or CLOSED" */
	{ TS_SYN_SENT, TS_CLOSED, "rcv RST", NOTE_3, { EV_RCV_RST, VIA_END } },
	{ TS_ESTABLISHED, TS_CLOSED, "rcv RST", NOTE_3, { EV_RCV_RST, VIA_END } },
	{ TS_FIN_WAIT_1, TS_CLOSED, "rcv RST", NOTE_3, { EV_RCV_RST, VIA_END } },
	{ TS_FIN_WAIT_2, TS_CLOSED, "rcv RST", NOTE_3, { EV_RCV_RST, VIA_END } },
	{ TS_CLOSE_WAIT, TS_CLOSED, "rcv RST", NOTE_3, { EV_RCV_RST, VIA_END } },
	{ TS_CLOSING, TS_CLOSED, "rcv RST", NOTE_3, { EV_RCV_RST, VIA_END } },
	{ TS_LAST_ACK, TS_CLOSED, "rcv RST", NOTE_3, { EV_RCV_RST, VIA_END } },
	{ TS_TIME_WAIT, TS_CLOSED, "rcv RST", NOTE_3, { EV_RCV_RST, VIA_END } },

	{ TS_SYN_RECEIVED,
	  TS_CLOSE_WAIT,
	  "FIN bit: SYN-RECEIVED, ESTABLISHED: enter the CLOSE-WAIT state",
	  "section 3.10.7.4, eighth",
	  { EV_SND_ACK_OF_FIN, VIA_END } },
};

#endif
