// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target for what the data plane reads of a frame, from the same headers: the packet parser, the
 * reader of TCP options, the cookie. Nothing beyond the frame is read (which ASan sees, as the frame has a
 * block of memory to itself), what is said to be TCP lies within it, the shortcuts for common layouts of
 * options say what the walk says, and a cookie that was made of a SYN is good in its client's ACK, and gives
 * back what it was made of.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct xdp_md;

/* In the place of the context's 32-bit pointers, which are data (0) and data_end (4). */
static uint8_t *frame, *frame_end;
#define CTX_POINTER(ctx, offset) ((void)(ctx), (void *)((offset) ? frame_end : frame))

#undef NULL
#include "bpf/vmlinux.h"
#include "bpf/cookie.bpf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static __u64 jiffies;

void *bpf_map_lookup_elem(void *map, const void *key)
{
	(void)map, (void)key;
	return NULL;
}

int bpf_xdp_load_bytes(struct xdp_md *ctx, __u32 offset, void *to, __u32 length)
{
	(void)ctx;
	if (offset > frame_end - frame || length > frame_end - frame - offset)
		return -1;
	memcpy(to, frame + offset, length);
	return 0;
}

__u64 bpf_jiffies64(void)
{
	return jiffies;
}

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void check_packet(const struct packet *p)
{
	require(p->l3 >= sizeof(struct ethhdr) && p->l3 <= L3_MAX, "the IP header begins where it may");
	require(p->l4 >= p->l3 + 20 && p->l4 <= L4_MAX, "the TCP header is behind it");
	require(frame + p->l4 + TCP_MIN <= frame_end, "and lies in the frame");
	require(p->doff >= TCP_MIN && p->doff <= 60, "and is as long as one can be");
	require(p->l4 + p->doff + p->payload == p->frame_end, "lengths add up");
}

static void check_options(const struct packet *p, const struct tcp_options *o)
{
	struct tcp_options walked = { .doff = p->doff };

	if (p->doff == TCP_MIN || option_walk(NULL, p->l4, &walked))
		return;
	require(o->present == walked.present, "a shortcut finds the options that the walk finds");
	require(o->mss == walked.mss && o->wscale == walked.wscale, "with the same MSS and window scale");
	require(o->tsval == walked.tsval && o->tsecr == walked.tsecr, "and timestamps");
}

/* The third ACK of the handshake that the SYN begins. */
static void check_cookie(const struct packet *syn, const struct tcp_options *offered)
{
	bool timestamps = offered->present & OPTION_TS;
	struct runtime rt = { .key = { { 1, 2 }, { 3, 4 } },
			      .key_generation = syn->seq & 1,
			      .slot_base = syn->ack,
			      .slot_jiffies = 15000,
			      .key_valid = 3 };
	struct cookie_options in = { .mss = offered->mss ? offered->mss : MSS_DEFAULT4,
				     .wscale = offered->present & OPTION_WS ? offered->wscale : 15,
				     .sack = offered->present & OPTION_SACK,
				     .ecn = (syn->flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR) };
	struct cookie_options out = { 0 };
	struct tcp_options answer = { .present = timestamps ? OPTION_TS : 0 };
	struct packet ack = *syn;
	__u32 isn;

	jiffies = syn->dest;
	isn = cookie_make(syn, &in, timestamps, &rt, &answer.tsecr);
	ack.seq = syn->seq + 1;
	ack.ack = isn + 1;
	jiffies += syn->source % rt.slot_jiffies; /* it comes within a slot, if perhaps in the next one */
	require(cookie_check(&ack, &answer, &rt, &out), "a cookie is good");
	require(out.wscale == in.wscale && out.sack == in.sack && out.ecn == in.ecn, "and has the options");
	require(timestamps ? out.mss == in.mss : out.mss <= in.mss || in.mss < 216, "and no larger an MSS");
	jiffies += 2 * rt.slot_jiffies + 1;
	rt.key_valid = 1U << !rt.key_generation;
	require(!cookie_check(&ack, &answer, &rt, &out), "with another key alone it is not");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet p = { 0 };
	struct tcp_options o = { 0 };

	frame = malloc(size ? size : 1);
	if (!frame)
		return 0;
	if (size)
		memcpy(frame, data, size);
	frame_end = frame + size;
	if (packet_parse(frame, frame_end, &p) == PARSED_TCP) {
		check_packet(&p);
		if (option_read(NULL, &p, &o)) {
			check_options(&p, &o);
			check_cookie(&p, &o);
		}
	}
	free(frame);
	return 0;
}
