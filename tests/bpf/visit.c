// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See visit.h.
 */
#include "tests/bpf/visit.h"

#include <stdio.h>
#include <string.h>

#define NO_WSCALE   15
#define FLOW_LABEL  0x3ca51
#define ETHER_LEAST 60 /* shorter frames arrive padded */

const struct visit_layout visit_layouts[VISIT_LAYOUTS] = {
	{ 2, { NOP, NOP, 8, 10 } },
	{ 0, { [0] = 8, [1] = 10, [10] = NOP, [11] = NOP } },
	{ 0, { [0] = 8, [1] = 10, [10] = EOL, [11] = EOL } },
	{ 1, { NOP, 8, 10, [11] = NOP } },
};

/* --- building --- */

void visit_set_word(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static size_t padded(size_t length)
{
	return (length + 3) & ~(size_t)3;
}

/* The header of a segment as this client's stack writes it. */
static void put_quirks(struct frame *f, const struct visit *visit)
{
	uint8_t quirks = visit->client->quirks, *ip = f->bytes + 14;

	if (visit->v6) {
		visit_set_word(ip, 6U << 28 | FLOW_LABEL);
		ip[7] = visit->client->ttl;
	} else {
		ip[4] = quirks & Q_ID ? 0x4d : 0;
		ip[5] = quirks & Q_ID ? 0x2a : 0;
		ip[6] = quirks & Q_DF ? 0x40 : 0;
		ip[8] = visit->client->ttl;
	}
}

void visit_build(struct frame *f, const struct visit *visit, const struct frame_spec *spec)
{
	struct frame_spec s = *spec;
	size_t length = 54 + padded(s.options.length) + s.payload.length;

	s.trailer = !visit->v6 && length < ETHER_LEAST ? ETHER_LEAST - length : 0;
	frame_build(f, &s);
	put_quirks(f, visit);
	frame_repair(f);
}

void visit_build_syn(struct frame *f, const struct visit *visit)
{
	uint8_t quirks = visit->client->quirks, *tcp = f->bytes + (visit->v6 ? 54 : 34);

	visit_build(f, visit, &visit->syn);
	tcp[12] |= quirks & Q_AE ? 1 : 0;
	tcp[14] = (uint8_t)(visit->client->window >> 8); /* 0 as well */
	tcp[15] = (uint8_t)visit->client->window;
	tcp[19] = quirks & Q_URG_POINTER ? 17 : 0;
	frame_repair(f);
}

/* The MSS that the client announces where the IP header takes 20 bytes more. */
static void lower_mss(struct visit *visit)
{
	for (size_t i = 0; i < visit->syn.options.length && visit->bytes[i] != EOL;) {
		uint8_t *option = visit->bytes + i;
		unsigned int mss = (unsigned int)option[2] << 8 | option[3];

		if (option[0] == 2) {
			option[2] = (uint8_t)((mss - 20) >> 8);
			option[3] = (uint8_t)(mss - 20);
		}
		i += option[0] == NOP ? 1 : option[1];
	}
}

static void read_offer(struct visit *visit)
{
	const uint8_t *mss, *wscale, *ts;
	struct frame_view v;
	struct frame f;

	visit_build_syn(&f, visit);
	assert_true(frame_read(&f, &v));
	mss = frame_option(&f, &v, 2, 4);
	wscale = frame_option(&f, &v, 3, 3);
	ts = frame_option(&f, &v, 8, 10);
	visit->mss_ok = mss;
	visit->mss = mss ? (uint16_t)(mss[0] << 8 | mss[1]) : 0;
	visit->wscale_ok = wscale;
	visit->wscale = wscale ? *wscale : NO_WSCALE;
	visit->sack_ok = frame_option(&f, &v, 4, 2);
	visit->timestamps = ts;
	visit->tsval = ts ? frame_word(&f, (size_t)(ts - f.bytes)) : 0;
	visit->ecn = visit->client->quirks & Q_ECN;
}

void visit_begin(struct visit *visit, struct harness *h, const struct client_syn *client, bool v6)
{
	memset(visit, 0, sizeof(*visit));
	visit->h = h;
	visit->client = client;
	visit->v6 = v6;
	snprintf(visit->name, sizeof(visit->name), "%s, IPv%d", client->name, v6 ? 6 : 4);
	memcpy(visit->bytes, client->options, client->length);
	visit->syn = (struct frame_spec){
		.saddr = v6 ? CLIENT6 : CLIENT4,
		.daddr = v6 ? SERVER6 : SERVER4,
		.source = (uint16_t)(30000 + (client - client_syns)),
		.dest = PORT_ALWAYS,
		.seq = 0xfffffff0 + client->ttl, /* on both sides of 0 */
		.ack = client->quirks & Q_ACK_NUMBER ? 0x00c0ffee : 0,
		.flags = (uint8_t)(SYN | (client->quirks & Q_ECN ? ECE | CWR : 0)),
		.options = { visit->bytes, client->length },
	};
	if (v6)
		lower_mss(visit);
	read_offer(visit);
}

/* What silence means: RFC 9293, section 3.7.1. */
uint16_t visit_mss(const struct visit *visit)
{
	return visit->mss ? visit->mss : visit->v6 ? 1220 : 536;
}
