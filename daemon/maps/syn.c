// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See syn.h.
 */
#include "daemon/maps/syn.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <stdbool.h>
#include <string.h>

#define MACS	  12
#define IP4	  20
#define IP6	  40
#define TCP	  20
#define WORDS_MAX 10 /* of the TCP header */
#define TTL	  64

#define FLAG_SYN 0x02
#define FLAG_RST 0x04
#define FLAG_ACK 0x10
#define FLAG_ECE 0x40
#define FLAG_CWR 0x80

static uint32_t add_bytes(const void *data, size_t size, uint32_t sum)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)byte[i] << 8 | byte[i + 1];
	return sum;
}

static uint16_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint32_t unscaled_window(const struct connection *c)
{
	uint32_t window = c->client_window;

	if (c->client_wscale != COOKIE_NO_WSCALE)
		window <<= c->client_wscale;
	return window > 65535 ? 65535 : window;
}

static size_t write_syn_options(const struct connection *c, uint32_t *words)
{
	bool sack = c->flags & CONNECTION_SACK;
	size_t n = 0;

	words[n++] = 2U << 24 | 4 << 16 | c->client_mss;
	if (c->flags & CONNECTION_TIMESTAMPS) {
		words[n++] = sack ? 0x0402080a : 0x0101080a;
		words[n++] = c->client_tsval;
		words[n++] = 0;
	} else if (sack) {
		words[n++] = 0x01010402;
	}
	if (c->client_wscale != COOKIE_NO_WSCALE)
		words[n++] = 1U << 24 | 3 << 16 | 3 << 8 | c->client_wscale;
	return n;
}

/* Fills the words in host order; returns their number. */
static size_t write_words(const struct pending *pending, uint32_t words[WORDS_MAX])
{
	const struct connection *c = &pending->connection;
	uint32_t flags = FLAG_RST, window = 0;
	size_t n = 5;

	words[0] = (uint32_t)ntohs(pending->tuple.client_port) << 16 | ntohs(pending->tuple.server_port);
	words[1] = words[2] = words[4] = 0;
	switch ((enum owed)pending->owed) {
	case OWED_NOTHING:
		return 0;
	case OWED_SYN:
		words[1] = c->client_isn;
		flags = FLAG_SYN;
		if (c->flags & (CONNECTION_ECN | CONNECTION_ECN_ASKED) && c->resends < RESENDS_ECN)
			flags |= FLAG_ECE | FLAG_CWR;
		window = unscaled_window(c);
		n += write_syn_options(c, words + n);
		break;
	case OWED_HALF_OPEN:
		words[1] = c->client_isn + 1;
		break;
	case OWED_PROBE: /* the byte before the next that the client waits for, as a keepalive */
		words[1] = c->acked + c->delta - 1;
		words[2] = c->client_next;
		flags = FLAG_ACK;
		window = c->server_window;
		break;
	case OWED_END:
		words[1] = c->client_next;
		break;
	case OWED_REFUSAL:
		words[1] = c->our_isn + 1;
		words[2] = c->client_next;
		flags = FLAG_RST | FLAG_ACK;
		break;
	case OWED_END_CLIENT: /* in the numbers that it knows */
		words[1] = c->server_next + c->delta;
		break;
	}
	words[3] = (uint32_t)n << 28 | flags << 16 | window;
	return n;
}

static size_t write_tcp(const struct pending *pending, uint8_t *tcp)
{
	const struct tuple *t = &pending->tuple;
	uint32_t words[WORDS_MAX], sum;
	size_t n = write_words(pending, words);
	uint16_t check;

	for (size_t i = 0; i < n; i++)
		words[i] = htonl(words[i]);
	memcpy(tcp, words, n * 4);
	/* of a v4-mapped address the 0xffff adds nothing to a sum of ones' complements */
	sum = add_bytes(t->client, sizeof(t->client), IPPROTO_TCP + (uint32_t)n * 4);
	sum = add_bytes(t->server, sizeof(t->server), sum);
	check = htons(checksum(add_bytes(tcp, n * 4, sum)));
	memcpy(tcp + 16, &check, sizeof(check));
	return n * 4;
}

static void write_ip4(const struct tuple *t, uint8_t *ip, size_t length)
{
	uint16_t check;

	memset(ip, 0, IP4);
	ip[0] = 0x45;
	ip[2] = (uint8_t)((IP4 + length) >> 8);
	ip[3] = (uint8_t)(IP4 + length);
	ip[6] = 0x40; /* don't fragment */
	ip[8] = TTL;
	ip[9] = IPPROTO_TCP;
	memcpy(ip + 12, &t->client[3], 4);
	memcpy(ip + 16, &t->server[3], 4);
	check = htons(checksum(add_bytes(ip, IP4, 0)));
	memcpy(ip + 10, &check, sizeof(check));
}

static void write_ip6(const struct tuple *t, uint8_t *ip, size_t length)
{
	memset(ip, 0, 8);
	ip[0] = 0x60;
	ip[5] = (uint8_t)length;
	ip[6] = IPPROTO_TCP;
	ip[7] = TTL;
	memcpy(ip + 8, t->client, 16);
	memcpy(ip + 24, t->server, 16);
}

bool syn_goes_outside(const struct pending *pending)
{
	return pending->owed == OWED_PROBE || pending->owed == OWED_REFUSAL ||
	       pending->owed == OWED_END_CLIENT;
}

/* MAC addresses, VLAN tags, EtherType; returns their length. */
static size_t write_ethernet(const struct connection *c, const struct hop *hop, bool v6, uint8_t *frame)
{
	uint16_t type = htons(v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	size_t length = MACS;

	memcpy(frame, hop->to, 6);
	memcpy(frame + 6, hop->from, 6);
	for (size_t i = 0; i < 4 && c->tags[i]; i += 2) {
		memcpy(frame + length, &c->tags[i], 4);
		length += 4;
	}
	memcpy(frame + length, &type, sizeof(type));
	return length + sizeof(type);
}

/* The tuple as its sender sees it: what stands under client is where the frame comes from. */
static struct tuple turn(const struct tuple *t)
{
	struct tuple turned = { .client_port = t->server_port, .server_port = t->client_port, .v6 = t->v6 };

	memcpy(turned.client, t->server, sizeof(turned.client));
	memcpy(turned.server, t->client, sizeof(turned.server));
	return turned;
}

size_t syn_write(const struct pending *owed, uint8_t frame[SYN_FRAME_MAX])
{
	static const uint8_t unknown[6];
	bool outside = syn_goes_outside(owed);
	const struct connection *c = &owed->connection;
	const struct hop *hop = &c->hop[outside ? PORT_OUTSIDE : PORT_INSIDE];
	struct pending pending = *owed;
	size_t ip = owed->tuple.v6 ? IP6 : IP4, ethernet, length;

	if (!memcmp(hop->to, unknown, sizeof(unknown)))
		return 0;
	if (outside)
		pending.tuple = turn(&owed->tuple);
	ethernet = write_ethernet(c, hop, owed->tuple.v6, frame);
	length = write_tcp(&pending, frame + ethernet + ip);
	if (!length)
		return 0;
	if (owed->tuple.v6)
		write_ip6(&pending.tuple, frame + ethernet, length);
	else
		write_ip4(&pending.tuple, frame + ethernet, length);
	return ethernet + ip + length;
}
