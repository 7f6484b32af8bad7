// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See calm.h.
 */
#include "daemon/engine/calm.h"

#define BACKLOG_UNKNOWN	 128
#define HALF_OPEN_INLINE 1024 /* as bpf/xdp_outside.bpf.c */

uint32_t calm_half_open_high(const struct config_service *service, uint32_t backlog, bool is_inline)
{
	uint32_t quarter = (backlog ? backlog : BACKLOG_UNKNOWN) / 4;

	if (service->half_open_high)
		return service->half_open_high;
	if (is_inline)
		return HALF_OPEN_INLINE;
	return quarter ? quarter : 1;
}

uint32_t calm_half_open_low(const struct config_service *service, uint32_t backlog)
{
	uint32_t high = service->half_open_high;

	if (service->half_open_low)
		return service->half_open_low;
	if (!high)
		high = (backlog ? backlog : BACKLOG_UNKNOWN) / 4;
	return high > 2 ? high / 2 : 1;
}

bool calm_was_syn_rate(const struct config_service *service, uint32_t syn_count)
{
	return service->syn_rate_high && syn_count > SYN_RATE_WINDOW_MOST(service->syn_rate_high);
}

static uint32_t syn_rate_low(const struct config_service *service)
{
	return service->syn_rate_low ? service->syn_rate_low : service->syn_rate_high / 2;
}

bool calm_now(const struct config_service *service, const struct calm_signals *signals)
{
	uint64_t unanswered = (uint64_t)signals->incomplete_pps * HALF_OPEN_LIFETIME_S;

	if (service->syn_rate_high && signals->syn_rate_pps >= syn_rate_low(service))
		return false;
	return unanswered < calm_half_open_low(service, signals->backlog);
}
