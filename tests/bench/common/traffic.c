// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See traffic.h.
 */
#include "tests/bench/common/traffic.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bpf/cookie_reference.h"

#define CLIENT_PORT 40000
#define CLIENT_ISN  0x1000
#define SERVER_ISN  0x8badf00d
#define CLIENT_SAID 1000 /* bytes, long before the later segments */
#define SERVER_SAID 3000

#define NOTHING4 "0.0.0.0"
#define NOTHING6 "::"

#define MACOS_OPTIONS BYTES(2, 4, 5, 180, 1, 3, 3, 6, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 4, 2, 0, 0)
#define TIMESTAMPS    BYTES(1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 2)
#define SERVER_SAYS   BYTES(2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 3, 3, 9)

#define LATER_CLIENT .seq = CLIENT_ISN + 1 + CLIENT_SAID
#define LATER_SERVER .seq = SERVER_ISN + 1 + SERVER_SAID, .ack = CLIENT_ISN + 1 + CLIENT_SAID, .reply = true

static const struct frame_spec segments[SEGMENTS] = {
	[SYN_LINUX] = { .dest = PORT_ALWAYS, .flags = SYN, .seq = CLIENT_ISN, .options = LINUX_OPTIONS },
	[SYN_WINDOWS] = { .dest = PORT_ALWAYS, .flags = SYN, .seq = CLIENT_ISN, .options = WINDOWS_OPTIONS },
	[SYN_MACOS] = { .dest = PORT_ALWAYS, .flags = SYN, .seq = CLIENT_ISN, .options = MACOS_OPTIONS },
	[SYN_BARE] = { .dest = PORT_ALWAYS, .flags = SYN, .seq = CLIENT_ISN },
	[ACK_COOKIE] = { .dest = PORT_ALWAYS, .flags = ACK, .seq = CLIENT_ISN + 1, .options = TIMESTAMPS },
	[ACK_BAD] = { .dest = PORT_ALWAYS, .flags = ACK, .seq = 7, .ack = 9, .options = TIMESTAMPS },
	[RST_EARLY] = { .dest = PORT_ALWAYS, .flags = RST, .seq = CLIENT_ISN + 1 },
	[SERVER_SYNACK] = { .dest = PORT_ALWAYS,
			    .flags = SYN | ACK,
			    .seq = SERVER_ISN,
			    .ack = CLIENT_ISN + 1,
			    .options = SERVER_SAYS,
			    .reply = true },
	[CLIENT_ACK] = { .dest = PORT_ALWAYS, .flags = ACK, LATER_CLIENT, .options = TIMESTAMPS },
	[SERVER_ACK] = { .dest = PORT_ALWAYS, .flags = ACK, LATER_SERVER, .options = TIMESTAMPS },
	[CLIENT_ACK_AUTO] = { .dest = PORT_AUTO,
			      .flags = ACK,
			      LATER_CLIENT,
			      .ack = SERVER_ISN + 1 + SERVER_SAID,
			      .options = TIMESTAMPS },
	[SERVER_ACK_AUTO] = { .dest = PORT_AUTO, .flags = ACK, LATER_SERVER, .options = TIMESTAMPS },
	[ACK_NOBODY] = { .dest = PORT_FREE, .flags = ACK, .seq = 7, .ack = 9, .options = TIMESTAMPS },
	[DATAGRAM] = { .dest = PORT_ALWAYS,
		       .protocol = IPPROTO_UDP,
		       .payload = BYTES(0, 1, 2, 3, 4, 5, 6, 7) },
};

/* What a SYN with the options of Linux gets from whoever has these keys. */
static struct cookie_answer cookie_of(const struct harness *h, const char *client, bool v6)
{
	struct cookie_case c = {
		.client = client,
		.server = v6 ? SERVER6 : SERVER4,
		.client_port = CLIENT_PORT,
		.server_port = PORT_ALWAYS,
		.client_isn = CLIENT_ISN,
		.generation = h->runtime.key_generation,
		.slot = h->runtime.slot_base,
		.timestamps = true,
		.mss = 1460,
		.wscale = 7,
		.sack = true,
	};

	harness_key(h, c.generation, c.key);
	return cookie_reference(&c);
}

void traffic_segment(struct traffic_segment *s, const struct harness *h, enum segment kind, bool v6)
{
	struct frame_spec spec = segments[kind];
	uint32_t tsval = htonl(cookie_of(h, v6 ? NOTHING6 : NOTHING4, v6).tsval);
	const char *client = v6 ? NOTHING6 : NOTHING4, *server = v6 ? SERVER6 : SERVER4;
	uint8_t options[12];

	spec.saddr = spec.reply ? server : client;
	spec.daddr = spec.reply ? client : server;
	spec.source = spec.reply ? spec.dest : CLIENT_PORT;
	if (spec.reply)
		spec.dest = CLIENT_PORT;
	if (kind == ACK_COOKIE) { /* no client's cookie has another */
		memcpy(options, spec.options.data, 8);
		memcpy(options + 8, &tsval, 4);
		spec.options.data = options;
	}
	s->v6 = v6;
	s->tcp = !spec.protocol;
	s->to_client = spec.reply;
	s->acks_cookie = kind == ACK_COOKIE || kind == CLIENT_ACK;
	frame_build(&s->frame, &spec);
	if (s->frame.length > REFILL_BYTES || s->frame.length & 1)
		abort();
	memset(s->frame.bytes + s->frame.length, 0, REFILL_BYTES - s->frame.length);
}

/* The ITH of COUNT, in no order. */
static void address_of(struct refill_client *c, enum crowd crowd, uint32_t i, uint32_t count, bool v6)
{
	uint32_t at = i * 2654435761U & (count - 1);

	if (v6) {
		c->address[0] = htonl(0x20010db8U + crowd);
		c->address[1] = htonl(at);
		c->address[3] = htonl(1);
	} else {
		c->address[2] = htonl(0xffff);
		c->address[3] = htonl(0x0a800000U + crowd * REFILL_CLIENTS + at); /* 10.128.0.0/9 */
	}
}

static void fill(struct traffic_crowd *t, const struct harness *h, enum crowd crowd, bool v6)
{
	for (uint32_t i = 0; i < t->count; i++) {
		struct refill_client *c = &t->clients[i];
		char text[INET6_ADDRSTRLEN];

		address_of(c, crowd, i, t->count, v6);
		inet_ntop(v6 ? AF_INET6 : AF_INET, &c->address[v6 ? 0 : 3], text, sizeof(text));
		c->ack = htonl(cookie_of(h, text, v6).isn + 1);
	}
}

int traffic_crowds_init(struct traffic_crowds *crowds, const struct harness *h)
{
	static const uint32_t counts[CROWDS] = { STRANGERS_MAX, LISTED_MAX, FLOWS_MAX, NEWCOMERS_MAX };

	memset(crowds, 0, sizeof(*crowds));
	for (int crowd = 0; crowd < CROWDS; crowd++) {
		for (int v6 = 0; v6 < 2; v6++) {
			struct traffic_crowd *t = &crowds->of[crowd][v6];

			t->count = counts[crowd];
			t->clients = calloc(t->count, sizeof(*t->clients));
			if (!t->clients)
				return -1;
			if (crowd == FLOWS || crowd == NEWCOMERS)
				fill(t, h, (enum crowd)crowd, v6);
		}
	}
	return 0;
}

void traffic_crowds_fini(struct traffic_crowds *crowds)
{
	for (int crowd = 0; crowd < CROWDS; crowd++)
		for (int v6 = 0; v6 < 2; v6++)
			free(crowds->of[crowd][v6].clients);
}

void traffic_tuple(struct tuple *tuple, const struct refill_client *client, bool v6)
{
	memset(tuple, 0, sizeof(*tuple));
	memcpy(tuple->client, client->address, sizeof(tuple->client));
	if (v6) {
		inet_pton(AF_INET6, SERVER6, tuple->server);
	} else {
		tuple->server[2] = htonl(0xffff);
		inet_pton(AF_INET, SERVER4, &tuple->server[3]);
	}
	tuple->client_port = htons(CLIENT_PORT);
	tuple->server_port = htons(PORT_ALWAYS);
	tuple->v6 = v6;
}
