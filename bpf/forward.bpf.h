/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Out through the other interface. As a bridge a frame keeps its MAC addresses, whatever it carries.
 */
#ifndef SYNMOAT_FORWARD_BPF_H
#define SYNMOAT_FORWARD_BPF_H

#include "maps.bpf.h"
#include "packet.bpf.h"

static __always_inline int forward(struct xdp_md *ctx, enum port to)
{
	return bpf_redirect_map(&egress, to, XDP_DROP);
}

#endif
