// SPDX-License-Identifier: GPL-2.0-or-later
/* See state.h. Which arrows these are, and where each is from: tests/tables/rfc9293.h and deviations.h. */
#include "daemon/tracker/state.h"

#include <ctype.h>
#include <stddef.h>

const uint8_t tcp_matrix[TS_COUNT][EV_COUNT] = {
	[TS_CLOSED] = {
		[EV_PASSIVE_OPEN] = TCP_TO(TS_LISTEN),
		[EV_SND_SYN] = TCP_TO(TS_SYN_SENT),
		[EV_SND_SYNACK] = TCP_TO(TS_SYN_RECEIVED),
		[EV_COOKIE] = TCP_TO(TS_ESTABLISHED),
	},
	[TS_LISTEN] = {
		[EV_SND_SYN] = TCP_TO(TS_SYN_SENT),
		[EV_SND_SYNACK] = TCP_TO(TS_SYN_RECEIVED),
		[EV_COOKIE] = TCP_TO(TS_ESTABLISHED),
		[EV_SND_RST] = TCP_TO(TS_CLOSED),
		[EV_GONE] = TCP_TO(TS_CLOSED),
	},
	[TS_SYN_SENT] = {
		[EV_SND_SYNACK] = TCP_TO(TS_SYN_RECEIVED),
		[EV_SND_ACK_OF_SYN] = TCP_TO(TS_ESTABLISHED),
		[EV_SND_RST] = TCP_TO(TS_CLOSED),
		[EV_RCV_RST] = TCP_TO(TS_CLOSED),
		[EV_GONE] = TCP_TO(TS_CLOSED),
	},
	[TS_SYN_RECEIVED] = {
		[EV_RCV_ACK_OF_SYN] = TCP_TO(TS_ESTABLISHED),
		[EV_COOKIE] = TCP_TO(TS_ESTABLISHED),
		[EV_SND_ACK_OF_FIN] = TCP_TO(TS_CLOSE_WAIT),
		[EV_SND_FIN] = TCP_TO(TS_FIN_WAIT_1),
		[EV_SND_RST] = TCP_TO(TS_CLOSED),
		[EV_RCV_RST] = TCP_TO(TS_LISTEN),
		[EV_GONE] = TCP_TO(TS_CLOSED),
	},
	[TS_ESTABLISHED] = {
		[EV_SND_ACK_OF_FIN] = TCP_TO(TS_CLOSE_WAIT),
		[EV_SND_FIN] = TCP_TO(TS_FIN_WAIT_1),
		[EV_SND_RST] = TCP_TO(TS_CLOSED),
		[EV_RCV_RST] = TCP_TO(TS_CLOSED),
		[EV_GONE] = TCP_TO(TS_CLOSED),
	},
	[TS_FIN_WAIT_1] = {
		[EV_SND_ACK_OF_FIN] = TCP_TO(TS_CLOSING),
		[EV_RCV_ACK_OF_FIN] = TCP_TO(TS_FIN_WAIT_2),
		[EV_SND_RST] = TCP_TO(TS_CLOSED),
		[EV_RCV_RST] = TCP_TO(TS_CLOSED),
		[EV_GONE] = TCP_TO(TS_CLOSED),
	},
	[TS_FIN_WAIT_2] = {
		[EV_SND_ACK_OF_FIN] = TCP_TO(TS_TIME_WAIT),
		[EV_SND_RST] = TCP_TO(TS_CLOSED),
		[EV_RCV_RST] = TCP_TO(TS_CLOSED),
		[EV_GONE] = TCP_TO(TS_CLOSED),
	},
	[TS_CLOSE_WAIT] = {
		[EV_SND_FIN] = TCP_TO(TS_LAST_ACK),
		[EV_SND_RST] = TCP_TO(TS_CLOSED),
		[EV_RCV_RST] = TCP_TO(TS_CLOSED),
		[EV_GONE] = TCP_TO(TS_CLOSED),
	},
	[TS_CLOSING] = {
		[EV_RCV_ACK_OF_FIN] = TCP_TO(TS_TIME_WAIT),
		[EV_SND_RST] = TCP_TO(TS_CLOSED),
		[EV_RCV_RST] = TCP_TO(TS_CLOSED),
		[EV_GONE] = TCP_TO(TS_CLOSED),
	},
	[TS_LAST_ACK] = {
		[EV_RCV_ACK_OF_FIN] = TCP_TO(TS_CLOSED),
		[EV_SND_RST] = TCP_TO(TS_CLOSED),
		[EV_RCV_RST] = TCP_TO(TS_CLOSED),
		[EV_GONE] = TCP_TO(TS_CLOSED),
	},
	[TS_TIME_WAIT] = {
		[EV_SND_SYN] = TCP_TO(TS_SYN_SENT),
		[EV_SND_SYNACK] = TCP_TO(TS_SYN_RECEIVED),
		[EV_SND_RST] = TCP_TO(TS_CLOSED),
		[EV_RCV_RST] = TCP_TO(TS_CLOSED),
		[EV_2MSL] = TCP_TO(TS_CLOSED),
		[EV_GONE] = TCP_TO(TS_CLOSED),
	},
};

static const char *const words[TS_COUNT] = {
	[TS_CLOSED] = "CLOSED",		[TS_LISTEN] = "LISTEN",		[TS_SYN_SENT] = "SYN-SENT",
	[TS_SYN_RECEIVED] = "SYN-RECV", [TS_ESTABLISHED] = "ESTAB",	[TS_FIN_WAIT_1] = "FIN-WAIT-1",
	[TS_FIN_WAIT_2] = "FIN-WAIT-2", [TS_CLOSE_WAIT] = "CLOSE-WAIT", [TS_CLOSING] = "CLOSING",
	[TS_LAST_ACK] = "LAST-ACK",	[TS_TIME_WAIT] = "TIME-WAIT",
};

enum tcp_state tcp_state_next(enum tcp_state state, enum tcp_event event, bool active)
{
	uint8_t cell = tcp_matrix[state][event];

	if (cell == TCP_STAY)
		return state;
	if (active && cell == TCP_TO(TS_LISTEN) && state == TS_SYN_RECEIVED)
		return TS_CLOSED;
	return (enum tcp_state)(cell - 1);
}

const char *tcp_state_word(enum tcp_state state)
{
	return words[state];
}

static bool same_word(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (toupper((unsigned char)(*a == '_' ? '-' : *a)) != *b)
			return false;
	return *a == *b;
}

int tcp_state_parse(const char *word)
{
	static const struct {
		const char *word;
		enum tcp_state state;
	} others[] = { { "ESTABLISHED", TS_ESTABLISHED },
		       { "SYN-RECEIVED", TS_SYN_RECEIVED },
		       { "SYN-RCVD", TS_SYN_RECEIVED },
		       { "CLOSE", TS_CLOSED } };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (same_word(word, others[i].word))
			return (int)others[i].state;
	for (int state = 0; state < TS_COUNT; state++)
		if (same_word(word, words[state]))
			return state;
	return -1;
}
