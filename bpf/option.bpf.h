/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP options of a SYN or an ACK. The layouts of Linux and Windows are recognised by whole words; every other
 * one is walked. Like the kernel, the walk ends at the first option whose length lies, and keeps what it had
 * read.
 */
#ifndef SYNMOAT_OPTION_BPF_H
#define SYNMOAT_OPTION_BPF_H

#include "abi.h"
#include "packet.bpf.h"

#define WSCALE_MAX 14 /* RFC 7323, section 2.3 */

struct tcp_options {
	__u32 tsval, tsecr;
	__u16 mss;
	__u8 wscale;
	__u8 present;
	__u8 doff; /* length of the header that they stand in */
};

/*
 * Walks a copy, zero-padded, so that every read lies within it whatever the lengths say. A global function is
 * verified once, by itself: what it writes through a pointer is not tracked, so the loop stays cheap to
 * verify. So that it does not follow each way of getting to each place, no place is known to it, not even the
 * first.
 */
__noinline __weak int option_walk(struct xdp_md *ctx, __u32 l4, struct tcp_options *o)
{
	__u8 header[64 + 16] = {};
	__u32 doff, options, i;

	if (!o || l4 > L4_MAX)
		return -1;
	doff = o->doff;
	if (doff < TCP_MIN || doff > 60 || bpf_xdp_load_bytes(ctx, l4, header, doff))
		return -1;
	options = doff - TCP_MIN;
	barrier_var(options);
	i = doff - options;
	for (int n = 0; n < 40; n++) {
		__u8 *option = header + (i & 63);
		__u32 kind = option[0], length = option[1];

		if (i >= o->doff || kind == 0)
			break;
		if (kind == 1)
			length = 1;
		else if (length < 2 || i + length > o->doff)
			break;
		if (kind == 2 && length == 4) {
			o->mss = option[2] << 8 | option[3];
			o->present |= OPTION_MSS;
		} else if (kind == 3 && length == 3) {
			o->wscale = option[2] > WSCALE_MAX ? WSCALE_MAX : option[2];
			o->present |= OPTION_WS;
		} else if (kind == 4 && length == 2) {
			o->present |= OPTION_SACK;
		} else if (kind == 8 && length == 10) {
			o->tsval = (__u32)option[2] << 24 | option[3] << 16 | option[4] << 8 | option[5];
			o->tsecr = (__u32)option[6] << 24 | option[7] << 16 | option[8] << 8 | option[9];
			o->present |= OPTION_TS;
		} else if (kind == 19 || kind == 29) {
			o->present |= OPTION_AUTH;
		}
		i = (i + length) & 63;
		barrier_var(i);
	}
	return 0;
}

/* Reads the options of p's TCP header, which lies at p->l4; false: cut short. */
static __always_inline bool option_read(struct xdp_md *ctx, const struct packet *p, struct tcp_options *o)
{
	void *data = XDP_DATA(ctx), *data_end = XDP_DATA_END(ctx);
	__be32 *w;

	if (p->doff == TCP_MIN)
		return true;
	if (p->l4 > L4_MAX)
		return false;
	w = data + p->l4 + TCP_MIN;
	if (p->doff == 32 && (void *)(w + 3) <= data_end) {
		if (w[0] == bpf_htonl(0x0101080a)) { /* NOP NOP TS: an ACK */
			o->tsval = bpf_ntohl(w[1]);
			o->tsecr = bpf_ntohl(w[2]);
			o->present = OPTION_TS;
			return true;
		}
		if ((w[0] & bpf_htonl(0xffff0000)) == bpf_htonl(0x02040000) &&
		    (w[1] & bpf_htonl(0xffffff00)) == bpf_htonl(0x01030300) &&
		    w[2] == bpf_htonl(0x01010402)) {
			__u32 wscale = bpf_ntohl(w[1]) & 0xff;

			o->mss = bpf_ntohl(w[0]);
			o->wscale = wscale > WSCALE_MAX ? WSCALE_MAX : wscale;
			o->present = OPTION_MSS | OPTION_WS | OPTION_SACK; /* a Windows SYN */
			return true;
		}
	}
	if (p->doff == 40 && (void *)(w + 5) <= data_end &&
	    (w[0] & bpf_htonl(0xffff0000)) == bpf_htonl(0x02040000) && w[1] == bpf_htonl(0x0402080a) &&
	    (w[4] & bpf_htonl(0xffffff00)) == bpf_htonl(0x01030300)) { /* a Linux SYN */
		__u32 wscale = bpf_ntohl(w[4]) & 0xff;

		o->mss = bpf_ntohl(w[0]);
		o->tsval = bpf_ntohl(w[2]);
		o->tsecr = bpf_ntohl(w[3]);
		o->wscale = wscale > WSCALE_MAX ? WSCALE_MAX : wscale;
		o->present = OPTION_MSS | OPTION_SACK | OPTION_TS | OPTION_WS;
		return true;
	}
	o->doff = p->doff;
	return !option_walk(ctx, p->l4, o);
}

#endif
