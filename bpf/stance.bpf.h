/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much of the defence applies to a service now, in both deployments; and sources that nobody can have.
 */
#ifndef SYNMOAT_STANCE_BPF_H
#define SYNMOAT_STANCE_BPF_H

#include "abi.h"
#include "packet.bpf.h"

enum stance {
	STANCE_OPEN,   /* everything passes */
	STANCE_WATCH,  /* everything passes, SYNs are held against the high marks */
	STANCE_GRACE,  /* as WATCH, but cookies validate */
	STANCE_DEFEND, /* SYNs are answered, unknown segments dropped */
};

static __always_inline enum stance stance_of(const struct runtime *rt, const struct service *s,
					     const struct service_state *st)
{
	if (s->mode == MODE_ALWAYS)
		return rt->bypass ? STANCE_GRACE : STANCE_DEFEND;
	if (st->mitigation == MITIGATION_IDLE)
		return s->mode == MODE_OFF || rt->bypass ? STANCE_OPEN : STANCE_WATCH;
	if (st->mitigation == MITIGATION_ACTIVE && s->mode != MODE_OFF && !rt->bypass)
		return STANCE_DEFEND;
	return STANCE_GRACE;
}

/* What the packet's own length field says lies in the frame? Only a frame of several buffers needs the
 * helper. */
static __always_inline bool frame_holds(struct xdp_md *ctx, const struct packet *p)
{
	return XDP_DATA(ctx) + p->frame_end <= XDP_DATA_END(ctx) || p->frame_end <= bpf_xdp_get_buff_len(ctx);
}

static __always_inline bool is_land(const struct packet *p)
{
	__u32 differ = p->saddr[0] ^ p->daddr[0];

	if (p->v6)
		differ |= (p->saddr[1] ^ p->daddr[1]) | (p->saddr[2] ^ p->daddr[2]) |
			  (p->saddr[3] ^ p->daddr[3]);
	return !differ;
}

static __always_inline bool bad_source(const struct packet *p)
{
	__u8 first = *(const __u8 *)p->saddr;

	if (p->v6) { /* ff00::/8, ::, ::1, ::ffff:0:0/96 */
		if (first == 0xff)
			return true;
		if (p->saddr[0] | p->saddr[1])
			return false;
		return p->saddr[2] == bpf_htonl(0xffff) || (!p->saddr[2] && bpf_ntohl(p->saddr[3]) <= 1);
	}
	return first == 0 || first == 127 || first >= 224;
}

#endif
