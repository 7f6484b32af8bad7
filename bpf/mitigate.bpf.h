/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mode auto: each SYN that would pass is held against the service's high marks, and the one above them
 * already begins mitigation. The daemon ends it. Also the rate of SYNs with TCP-MD5 or TCP-AO.
 */
#ifndef SYNMOAT_MITIGATE_BPF_H
#define SYNMOAT_MITIGATE_BPF_H

#include "maps.bpf.h"
#include "socket.bpf.h"

static __always_inline void mitigation_begin(struct service_state *st)
{
	st->since = bpf_jiffies64();
	st->mitigation = MITIGATION_ACTIVE;
}

/* Cookies validate, for one SYN that is challenged; others pass on. Ended by the daemon as grace is. */
static __always_inline void mitigation_challenge(struct service_state *st)
{
	__u64 now = bpf_jiffies64();

	if (st->mitigation == MITIGATION_IDLE)
		st->mitigation = MITIGATION_GRACE;
	if (st->mitigation == MITIGATION_GRACE && st->since != now)
		st->since = now;
}

/* Counts this SYN in its eighth of a second; true: more than the mark allows. */
static __always_inline bool syn_rate_exceeded(const struct service *s, struct service_state *st,
					      const struct runtime *rt)
{
	__u64 window = bpf_jiffies64() / (rt->jiffies_hz / SYN_RATE_WINDOWS + 1);
	__u32 limit = SYN_RATE_WINDOW_MOST(s->syn_rate_high);

	if (st->syn_window != window) {
		st->syn_window = window;
		st->syn_count = 0;
	}
	return __sync_fetch_and_add(&st->syn_count, 1) >= limit && s->syn_rate_high;
}

static __always_inline bool half_open_exceeded(const struct service *s, struct service_state *st,
					       const struct listener_queue *queue)
{
	__u32 high = s->half_open_high ? s->half_open_high : queue->backlog / 4;

	st->half_open = queue->half_open;
	st->backlog = queue->backlog;
	return queue->half_open >= (high ? high : 1);
}

/* SYN-rate limit for SYNs that we cannot answer, as their replies must be signed. */
static __always_inline bool tcp_auth_allowed(const struct service *s, struct service_state *st,
					     const struct runtime *rt)
{
	__u64 window = rt->jiffies_hz ? bpf_jiffies64() / rt->jiffies_hz : 0;

	if (!s->tcp_auth)
		return false;
	if (st->auth_window != window) {
		st->auth_window = window;
		st->auth_count = 0;
	}
	return __sync_fetch_and_add(&st->auth_count, 1) < s->tcp_auth_pps;
}

#endif
