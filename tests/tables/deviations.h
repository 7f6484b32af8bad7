/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where our matrix moves and RFC 9293 has no arrow, or another one; each with its reason.
 */
#ifndef SYNMOAT_TESTS_DEVIATIONS_H
#define SYNMOAT_TESTS_DEVIATIONS_H

#include "daemon/tracker/state.h"

struct deviation {
	enum tcp_state from;
	enum tcp_event event;
	enum tcp_state to;
	const char *reason;
};

#define ABORT                                                                                                \
	"note 3 leads to TIME-WAIT on sending a RST; Linux, as all stacks in use, frees the socket at once"
#define SILENT	"no segment tells: a timeout or an orphan's silent end, known from the kernel's socket table"
#define VOUCHED "our cookie stood for SYN and SYN-ACK, and no socket was there before the third ACK"

static const struct deviation deviations[] = {
	{ TS_CLOSED, EV_SND_SYNACK, TS_SYN_RECEIVED,
	  "its SYN was not seen: the passive OPEN is in the answer" },
	{ TS_CLOSED, EV_COOKIE, TS_ESTABLISHED, VOUCHED },
	{ TS_LISTEN, EV_COOKIE, TS_ESTABLISHED, VOUCHED },
	{ TS_SYN_RECEIVED, EV_COOKIE, TS_ESTABLISHED,
	  "a half-open of before mitigation gave way to a cookie" },
	{ TS_TIME_WAIT, EV_SND_SYN, TS_SYN_SENT,
	  "a port used again within 2MSL: section 3.6.1 lets timestamps or a higher ISN end TIME-WAIT" },
	{ TS_TIME_WAIT, EV_SND_SYNACK, TS_SYN_RECEIVED, "the other end of the same (section 3.6.1)" },
	{ TS_LISTEN, EV_SND_RST, TS_CLOSED, "it refuses a SYN: we took it for a listener, and it is none" },
	{ TS_SYN_SENT, EV_SND_RST, TS_CLOSED, ABORT },
	{ TS_SYN_RECEIVED, EV_SND_RST, TS_CLOSED, ABORT },
	{ TS_ESTABLISHED, EV_SND_RST, TS_CLOSED, ABORT },
	{ TS_FIN_WAIT_1, EV_SND_RST, TS_CLOSED, ABORT },
	{ TS_FIN_WAIT_2, EV_SND_RST, TS_CLOSED, ABORT },
	{ TS_CLOSE_WAIT, EV_SND_RST, TS_CLOSED, ABORT },
	{ TS_CLOSING, EV_SND_RST, TS_CLOSED, ABORT },
	{ TS_LAST_ACK, EV_SND_RST, TS_CLOSED, ABORT },
	{ TS_TIME_WAIT, EV_SND_RST, TS_CLOSED, ABORT },
	{ TS_SYN_RECEIVED, EV_GONE, TS_CLOSED, SILENT },
	{ TS_ESTABLISHED, EV_GONE, TS_CLOSED, SILENT },
	{ TS_FIN_WAIT_1, EV_GONE, TS_CLOSED, SILENT },
	{ TS_FIN_WAIT_2, EV_GONE, TS_CLOSED, SILENT },
	{ TS_CLOSE_WAIT, EV_GONE, TS_CLOSED, SILENT },
	{ TS_CLOSING, EV_GONE, TS_CLOSED, SILENT },
	{ TS_LAST_ACK, EV_GONE, TS_CLOSED, SILENT },
	{ TS_TIME_WAIT, EV_GONE, TS_CLOSED, SILENT },
};

#endif
