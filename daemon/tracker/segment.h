/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a segment to the events of both endpoints: the only place that looks at sequence numbers. ACKs come
 * before FIN (RFC 9293, section 3.10.7.4), so that a segment that is both makes two ordinary steps. Pure.
 */
#ifndef SYNMOAT_TRACKER_SEGMENT_H
#define SYNMOAT_TRACKER_SEGMENT_H

#include "daemon/tracker/flow.h"

/* The segment can only belong to a newer connection on the same tuple than the one in flow. */
bool segment_begins_anew(const struct flow *flow, const struct event *event);

/* May a connection that nobody knows be taken up from this segment, and with which states? */
bool segment_takes_up(const struct event *event, enum tcp_state state[ENDPOINTS]);

/* Moves both endpoints, and notes the numbers. A RST only if the caller knows that it was taken. True: the
 * segment moved something, or must start the timer of TIME-WAIT again. */
bool segment_apply(struct flow *flow, const struct event *event);

/* The server refuses a SYN: there is no socket to ask the kernel for. */
bool segment_is_refusal(const struct flow *flow, const struct event *event);

/* What the client's state must be, as far as the server's alone tells. */
enum tcp_state segment_peer_of(enum tcp_state server);

#endif
