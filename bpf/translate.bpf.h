/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A segment of a proxied connection, as the other end must see it: only the server's sequence numbers and
 * TSvals are shifted, since our SYN to it carried the client's own. Checksums by their differences (RFC
 * 1624).
 */
#ifndef SYNMOAT_TRANSLATE_BPF_H
#define SYNMOAT_TRANSLATE_BPF_H

#include "connection.bpf.h"
#include "cookie.bpf.h"
#include "packet.bpf.h"

static __always_inline void checksum_replace(__u64 *sum, __be32 old, __be32 new)
{
	*sum += (__u64)(__u32)~old + new;
}

/* A difference of a field at an odd offset counts with its bytes swapped. */
static __always_inline __u16 checksum_align(__u16 difference, __u32 offset)
{
	return offset & 1 ? difference >> 8 | difference << 8 : difference;
}

/*
 * Options in any layout; the difference of their checksum, or -1: cut short. Global: verified once. First
 * finds them, then edits, so that the verifier follows each part alone.
 */
__noinline __weak int translate_options(struct xdp_md *ctx, __u32 l4, __u32 delta, __u32 ts_delta,
					__u32 from_client)
{
	void *data = XDP_DATA(ctx), *data_end = XDP_DATA_END(ctx);
	__u32 offset = TCP_MIN, timestamps = 0, sack = 0, sack_words = 0, doff;
	__u64 sum = 0;
	__u8 *tcp;

	if (l4 > L4_MAX)
		return -1;
	tcp = data + l4;
	if (tcp + TCP_MIN > (__u8 *)data_end)
		return -1;
	doff = tcp[12] >> 4 << 2;
	for (int i = 0; i < 40; i++) {
		__u8 *option = tcp + (offset & 63);
		__u32 length = 1;

		if (offset + 1 >= doff || option + 2 > (__u8 *)data_end || option[0] == 0)
			break;
		if (option[0] != 1) {
			length = option[1];
			if (length < 2 || offset + length > doff)
				break;
			if (option[0] == 8 && length == 10)
				timestamps = offset;
			if (option[0] == 5) {
				sack = offset;
				sack_words = (length - 2) / 4;
			}
		}
		offset = (offset + length) & 255;
		barrier_var(offset);
		barrier_var(timestamps);
		barrier_var(sack);
		barrier_var(sack_words);
	}
	if (timestamps) {
		__be32 *field = (void *)(tcp + (timestamps & 63) + (from_client ? 6 : 2));
		__u64 change = 0;
		__be32 new;

		if ((void *)(field + 1) > data_end)
			return -1;
		new = bpf_htonl(bpf_ntohl(*field) + (from_client ? -ts_delta : ts_delta));
		checksum_replace(&change, *field, new);
		*field = new;
		sum += checksum_align(checksum_fold(change), timestamps);
	}
	if (sack && from_client) {
		__be32 *edge = (void *)(tcp + (sack & 63) + 2);
		__u64 change = 0;

		for (__u32 i = 0; i < 8; i++) {
			__be32 new;

			if (i >= sack_words || (void *)(edge + i + 1) > data_end)
				break;
			new = bpf_htonl(bpf_ntohl(edge[i]) - delta);
			checksum_replace(&change, edge[i], new);
			edge[i] = new;
		}
		sum += checksum_align(checksum_fold(change), sack);
	}
	return checksum_fold(sum);
}

/* As the window field that the other end must read: scaled by TO what was meant by FROM. */
static __always_inline __u16 rescale(__u16 window, __u32 from, __u32 to)
{
	__u32 bytes = ((__u32)window << (from & 15)) >> (to & 15);

	return bytes > 65535 ? 65535 : bytes;
}

/* The server's window scale is not the one that we announced. */
static __always_inline bool rescales(const struct connection *c)
{
	return c->server_wscale != c->our_wscale && c->client_wscale != COOKIE_NO_WSCALE;
}

static __always_inline __u16 translate_window(const struct connection *c, bool from_client, __u16 window)
{
	if (!from_client)
		return rescale(window, c->server_wscale == COOKIE_NO_WSCALE ? 0 : c->server_wscale,
			       c->our_wscale);
	/* a server that scales nothing reads the client's windows unscaled, too */
	if (c->server_wscale == COOKIE_NO_WSCALE && c->client_wscale != COOKIE_NO_WSCALE)
		return rescale(window, c->client_wscale, 0);
	return window;
}

/* False: cut short. */
static __always_inline bool checksum_apply(struct xdp_md *ctx, __u32 l4, __u64 difference)
{
	void *data = XDP_DATA(ctx), *data_end = XDP_DATA_END(ctx);
	struct tcphdr *tcp;

	barrier_var(l4);
	if (l4 > L4_MAX)
		return false;
	tcp = data + l4;
	if ((void *)(tcp + 1) > data_end)
		return false;
	tcp->check = ~checksum_fold(difference + (__u16)~tcp->check);
	return true;
}

#define ECN_CE 3

/* The ECN bits of P, not congestion experienced, become not-ECT. Global: verified once. */
__noinline __weak int clear_ect(struct xdp_md *ctx, const struct packet *p)
{
	void *data = XDP_DATA(ctx), *data_end = XDP_DATA_END(ctx);
	__be16 *ip;
	__u32 l3;

	if (!p)
		return 0;
	l3 = p->l3;

	barrier_var(l3);
	if (l3 > L3_MAX)
		return 0;
	ip = data + l3;
	if (data + l3 + sizeof(struct iphdr) > data_end)
		return 0;
	if (p->v6) {
		*ip &= bpf_htons(0xffcf);
	} else {
		__be16 old = *ip;

		*ip &= bpf_htons(0xfffc);
		((struct iphdr *)ip)->check =
			~checksum_fold((__u64)(__u16) ~((struct iphdr *)ip)->check + (__u16)~old + *ip);
	}
	return 0;
}

/* Of a connection with an end that does no ECN. False: congestion was experienced, which must look as to that
 * end. */
static __always_inline bool translate_ecn(struct xdp_md *ctx, const struct packet *p,
					  const struct connection *c)
{
	if (!(c->flags & CONNECTION_NOT_ECT) || !p->ecn)
		return true;
	if (p->ecn == ECN_CE)
		return false;
	clear_ect(ctx, p);
	return true;
}

/* False: cut short. */
static __always_inline bool translate(struct xdp_md *ctx, const struct packet *p, const struct connection *c,
				      bool from_client)
{
	void *data = XDP_DATA(ctx), *data_end = XDP_DATA_END(ctx);
	__u32 l4 = p->l4;
	struct tcphdr *tcp;
	__be32 new, *w;
	__u64 sum = 0;
	int options;

	if (c->flags & CONNECTION_PLAIN)
		return true;
	barrier_var(l4);
	if (l4 > L4_MAX)
		return false;
	tcp = data + l4;
	w = (void *)(tcp + 1);
	if ((void *)w > data_end)
		return false;
	if (!from_client) {
		new = bpf_htonl(p->seq + c->delta);
		checksum_replace(&sum, tcp->seq, new);
		tcp->seq = new;
	} else if (p->flags & TCP_ACK) {
		new = bpf_htonl(p->ack - c->delta);
		checksum_replace(&sum, tcp->ack_seq, new);
		tcp->ack_seq = new;
	}
	if (rescales(c) && !(p->flags & TCP_RST)) {
		__be16 window = bpf_htons(translate_window(c, from_client, bpf_ntohs(tcp->window)));

		sum += (__u16)~tcp->window;
		sum += window;
		tcp->window = window;
	}
	if (p->doff == TCP_MIN)
		return checksum_apply(ctx, l4, sum);
	if (p->doff == 32 && (void *)(w + 3) <= data_end && w[0] == bpf_htonl(0x0101080a)) {
		w += from_client ? 2 : 1;
		new = bpf_htonl(bpf_ntohl(*w) + (from_client ? -c->ts_delta : c->ts_delta));
		checksum_replace(&sum, *w, new);
		*w = new;
		return checksum_apply(ctx, l4, sum);
	}
	options = translate_options(ctx, l4, c->delta, c->ts_delta, from_client);
	return options >= 0 && checksum_apply(ctx, l4, sum + options);
}

#endif
