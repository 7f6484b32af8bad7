/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tracker's facts show besides states: port scans and slow handshakes, told as events.
 */
#ifndef SYNMOAT_TRACKER_NOTICE_H
#define SYNMOAT_TRACKER_NOTICE_H

#include "daemon/tracker/flow.h"

struct config;
struct engine;
struct notice;

int notice_new(struct notice **notice, struct engine *engine); /* 0 or a negative errno */
void notice_free(struct notice *notice);

/* The server has refused a SYN. */
void notice_refusal(struct notice *notice, const struct tuple *tuple, uint32_t now_s);

/* Both ends are ESTABLISHED now. sure: the client's ACK had exactly the number that it was sent. */
void notice_opened(struct notice *notice, const struct flow *flow, const struct tuple *tuple, bool sure,
		   uint32_t now_s);

/* The server has given a half-open up. */
void notice_abandoned(struct notice *notice, const struct flow *flow, uint32_t now_s);

#endif
