/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When mitigation ends. XDP begins it on the SYN above a high mark; it ends when, for hold_s seconds on end,
 * both the SYN rate and the half-opens that the server would hold without us lie below their low marks. Pure.
 */
#ifndef SYNMOAT_ENGINE_CALM_H
#define SYNMOAT_ENGINE_CALM_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/config/config.h"

/* How long Linux keeps an unanswered half-open: five SYN-ACK retransmissions, 1 + 2 + 4 + 8 + 16 + 32
 * seconds. */
#define HALF_OPEN_LIFETIME_S 63

struct calm_signals {
	uint32_t syn_rate_pps;
	uint32_t incomplete_pps; /* cookies sent that nobody came back with */
	uint32_t backlog;	 /* of the listener; 0: not known yet */
};

bool calm_now(const struct config_service *service, const struct calm_signals *signals);

/* Which high mark began mitigation: the SYN rate's, by the service's syn_count (bpf/abi.h) of then, else the
 * half-opens'. */
bool calm_was_syn_rate(const struct config_service *service, uint32_t syn_count);

/* The high mark on half-opens that is in force, as XDP has it. */
uint32_t calm_half_open_high(const struct config_service *service, uint32_t backlog, bool is_inline);

/* And the low one. */
uint32_t calm_half_open_low(const struct config_service *service, uint32_t backlog);

#endif
