/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Turns a SYN into our SYN-ACK in place. Offers nothing that the SYN did not, in whole words, so the reply is
 * never longer than the request. Also the checksums that a SYN must have right before it gets an answer.
 */
#ifndef SYNMOAT_SYNACK_BPF_H
#define SYNMOAT_SYNACK_BPF_H

#include "cookie.bpf.h"
#include "maps.bpf.h"
#include "option.bpf.h"
#include "packet.bpf.h"

#define SYNACK_TTL 64
#define SUM_MAX	   9216
#define SUM_CHUNK  64 /* a power of two */

/*
 * Sum of LENGTH bytes, 1 to SUM_MAX, from L4 on; negative: cut short. Chunks are summed where they lie, but
 * for the last one, whole or not, which is copied and padded with zeros: to go on in ever smaller chunks took
 * the verifier longer than all else in its program.
 */
__noinline __weak int segment_sum(struct xdp_md *ctx, __u32 l4, __u32 length)
{
	void *data = XDP_DATA(ctx), *data_end = XDP_DATA_END(ctx);
	__u32 offset = 0, rest = ((length - 1) & (SUM_CHUNK - 1)) + 1;
	__be32 last[SUM_CHUNK / 4] = {};
	__u64 first = l4;
	__s64 sum = 0;

	barrier_var(first); /* the register that is compared has the bound */
	if (first > L4_MAX || length - 1 >= SUM_MAX)
		return -1;
	barrier_var(rest); /* or it would be another for the verifier after each number of chunks */
	data += first;
	for (int i = 0; i < SUM_MAX / SUM_CHUNK; i++) {
		void *chunk = data + offset;

		if (offset + SUM_CHUNK >= length)
			break;
		if (chunk + SUM_CHUNK > data_end)
			return -1;
		sum = bpf_csum_diff(NULL, 0, chunk, SUM_CHUNK, sum);
		offset += SUM_CHUNK;
	}
	if (bpf_xdp_load_bytes(ctx, l4 + offset, last, rest))
		return -1;
	return checksum_fold((__u32)bpf_csum_diff(NULL, 0, last, sizeof(last), sum));
}

static __always_inline __u64 pseudo_header_sum(const struct packet *p, __u32 length)
{
	__u64 sum = (__u64)p->saddr[0] + p->daddr[0] + bpf_htons(IPPROTO_TCP) + bpf_htons(length);

	if (p->v6)
		sum += (__u64)p->saddr[1] + p->saddr[2] + p->saddr[3] + p->daddr[1] + p->daddr[2] +
		       p->daddr[3];
	return sum;
}

/* Sum of COUNT words from WORD on; -1: cut short. */
static __always_inline __s64 sum_words(const __be32 *word, void *data_end, __u32 count)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < 15; i++) {
		if (i >= count)
			break;
		if ((void *)(word + i + 1) > data_end)
			return -1;
		sum += word[i];
	}
	return sum;
}

static __always_inline __u64 sum_five(const __be32 *word)
{
	return (__u64)word[0] + word[1] + word[2] + word[3] + word[4];
}

/* The usual lengths look at the packet's end once, not for each word. */
static __always_inline __s64 sum_header(const __be32 *word, void *data_end, __u32 length)
{
	if (length == 20) /* IPv4 without options */
		return (void *)(word + 5) > data_end ? -1 : (__s64)sum_five(word);
	if (length == 40) /* TCP as Linux opens it */
		return (void *)(word + 10) > data_end ? -1 : (__s64)(sum_five(word) + sum_five(word + 5));
	if (length == 32) /* as Windows does */
		return (void *)(word + 8) > data_end ? -1
						     : (__s64)(sum_five(word) + word[5] + word[6] + word[7]);
	return sum_words(word, data_end, length / 4);
}

/* The IPv4 header's checksum (RFC 791); true for IPv6, which has none. */
static __always_inline bool ip_checksum_ok(struct xdp_md *ctx, const struct packet *p)
{
	void *data = XDP_DATA(ctx), *data_end = XDP_DATA_END(ctx);
	__s64 sum;

	if (p->v6)
		return true;
	if (p->l3 > L3_MAX)
		return false;
	sum = sum_header(data + p->l3, data_end, p->l4 - p->l3);
	return sum >= 0 && checksum_fold(sum) == 0xffff;
}

/* TCP header without payload, the usual SYN, by whole words; the rest by segment_sum(). */
static __always_inline bool tcp_checksum_ok(struct xdp_md *ctx, const struct packet *p)
{
	void *data = XDP_DATA(ctx), *data_end = XDP_DATA_END(ctx);
	__s64 sum;

	if (p->l4 > L4_MAX)
		return false;
	if (p->payload)
		sum = segment_sum(ctx, p->l4, p->doff + p->payload);
	else
		sum = sum_header(data + p->l4, data_end, p->doff);
	return sum >= 0 && checksum_fold(sum + pseudo_header_sum(p, p->doff + p->payload)) == 0xffff;
}

/* Bytes of the options that we offer: whole words, and never more than the SYN's own options took. */
static __always_inline __u32 synack_options_length(const struct tcp_options *in,
						   const struct cookie_options *o, bool timestamps)
{
	__u32 words = 0;

	words += !!(in->present & OPTION_MSS);
	words += o->wscale != COOKIE_NO_WSCALE;
	words += timestamps ? 3 : o->sack;
	return words * 4;
}

/* Appends a word to the header being written; *sum is of all words so far. */
static __always_inline bool put_word(__be32 **at, void *data_end, __u32 value, __u64 *sum)
{
	__be32 *w = *at;

	if ((void *)(w + 1) > data_end)
		return false;
	*w = bpf_htonl(value);
	*sum += *w;
	*at = w + 1;
	return true;
}

/* Every path writes as many words as synack_options_length() says. */
static __always_inline bool synack_options_write(__be32 *at, void *data_end, const struct tcp_options *in,
						 const struct cookie_options *o, const struct service *s,
						 bool v6, bool timestamps, __u32 tsval, __u64 *sum)
{
	if (in->present & OPTION_MSS &&
	    !put_word(&at, data_end, 2 << 24 | 4 << 16 | (v6 ? s->mss6 : s->mss4), sum))
		return false;
	if (timestamps) {
		if (!put_word(&at, data_end, o->sack ? 0x0402080a : 0x0101080a, sum) ||
		    !put_word(&at, data_end, tsval, sum) || !put_word(&at, data_end, in->tsval, sum))
			return false;
	} else if (o->sack && !put_word(&at, data_end, 0x01010402, sum)) {
		return false;
	}
	if (o->wscale != COOKIE_NO_WSCALE)
		return put_word(&at, data_end, 1 << 24 | 3 << 16 | 3 << 8 | s->wscale, sum);
	return true;
}

static __always_inline void swap_macs(struct ethhdr *eth)
{
	__u16 *m = (__u16 *)eth;

#pragma unroll
	for (int i = 0; i < 3; i++) {
		__u16 t = m[i];

		m[i] = m[i + 3];
		m[i + 3] = t;
	}
}

/* IP header of our reply to p, LENGTH bytes of TCP following; no options, no extension headers. */
static __always_inline void synack_ip_header(void *l3, const struct packet *p, __u32 length)
{
	if (p->v6) {
		struct ipv6hdr *ip = l3;

		ip->flow = bpf_htonl(6 << 28);
		ip->payload_len = bpf_htons(length);
		ip->nexthdr = IPPROTO_TCP;
		ip->hop_limit = SYNACK_TTL;
		__builtin_memcpy(ip->saddr, p->daddr, sizeof(ip->saddr));
		__builtin_memcpy(ip->daddr, p->saddr, sizeof(ip->daddr));
	} else {
		__be32 *w = l3;
		__u64 sum;

		w[0] = bpf_htonl(0x45000000 | (sizeof(struct iphdr) + length));
		w[1] = bpf_htonl(0x4000); /* don't fragment */
		w[2] = bpf_htonl(SYNACK_TTL << 24 | IPPROTO_TCP << 16);
		w[3] = p->daddr[0];
		w[4] = p->saddr[0];
		sum = (__u64)w[0] + w[1] + w[2] + w[3] + w[4];
		((struct iphdr *)l3)->check = ~checksum_fold(sum);
	}
}

/* What the server's stack would agree to, out of what the client offered. */
static __always_inline void negotiate(const struct packet *p, const struct tcp_options *in,
				      const struct service *s, struct cookie_options *o)
{
	o->mss = in->mss ? in->mss : p->v6 ? MSS_DEFAULT6 : MSS_DEFAULT4;
	o->wscale = in->present & OPTION_WS && s->wscale_ok ? in->wscale : COOKIE_NO_WSCALE;
	o->sack = in->present & OPTION_SACK && s->sack_ok;
	/* RFC 3168, section 6.1.1; a SYN that itself is marked ECT is not trusted (as Linux does) */
	o->ecn = (p->flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR) && !p->ecn && s->ecn_ok;
}

/* Rewrites the SYN p into our SYN-ACK; false: it could not be rewritten. */
static __always_inline bool synack_write(struct xdp_md *ctx, const struct packet *p,
					 const struct tcp_options *in, const struct service *s,
					 const struct runtime *rt)
{
	bool timestamps = in->present & OPTION_TS && s->timestamps_ok;
	__u32 header = p->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	__u32 tsval = 0, isn, length, l3;
	int grow;
	struct cookie_options o;
	void *data, *data_end, *ip;
	__be32 *tcp;
	__u64 sum;

	negotiate(p, in, s, &o);
	isn = cookie_make(p, &o, timestamps, rt, &tsval);
	length = TCP_MIN + synack_options_length(in, &o, timestamps);
	grow = (int)(p->l3 + header + length) - (int)bpf_xdp_get_buff_len(ctx);
	if (grow && bpf_xdp_adjust_tail(ctx, grow))
		return false;
	barrier_var(ctx);
	data = XDP_DATA(ctx);
	data_end = XDP_DATA_END(ctx);
	l3 = p->l3;
	barrier_var(l3); /* one value for the verifier, not a reload each time */
	if (l3 > L3_MAX || data + sizeof(struct ethhdr) > data_end)
		return false;
	ip = data + l3;
	tcp = ip + header;
	if ((void *)tcp + TCP_MIN > data_end)
		return false;
	swap_macs(data);
	synack_ip_header(ip, p, length);
	tcp[0] = p->dest | (__u32)p->source << 16;
	tcp[1] = bpf_htonl(isn);
	tcp[2] = bpf_htonl(p->seq + 1);
	tcp[3] = bpf_htonl(length / 4 << 28 | (TCP_SYN | TCP_ACK | (o.ecn ? TCP_ECE : 0)) << 16 |
			   (p->v6 ? s->window6 : s->window4));
	sum = pseudo_header_sum(p, length) + tcp[0] + tcp[1] + tcp[2] + tcp[3];
	if (!synack_options_write(tcp + 5, data_end, in, &o, s, p->v6, timestamps, tsval, &sum))
		return false;
	tcp[4] = (__u16)~checksum_fold(sum); /* and the urgent pointer, 0 */
	return true;
}

#endif
