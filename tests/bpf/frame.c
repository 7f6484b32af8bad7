// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See frame.h.
 */
#include "tests/bpf/frame.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t client_mac[6] = { 0x02, 0, 0, 0, 0, 0x0c };
const uint8_t frame_server_mac[6] = { 0x02, 0, 0, 0, 0, 0x05 };

uint16_t frame_short(const struct frame *f, size_t offset)
{
	return (uint16_t)(f->bytes[offset] << 8 | f->bytes[offset + 1]);
}

uint32_t frame_word(const struct frame *f, size_t offset)
{
	return (uint32_t)frame_short(f, offset) << 16 | frame_short(f, offset + 2);
}

static void set_short(struct frame *f, size_t offset, size_t value)
{
	f->bytes[offset] = (uint8_t)(value >> 8);
	f->bytes[offset + 1] = (uint8_t)value;
}

/* --- checksums (RFC 1071) --- */

static uint32_t sum_bytes(const uint8_t *bytes, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Of the TCP segment from TCP to END, pseudo-header included; 0xffff where the checksum in it is right. */
static uint16_t tcp_sum(const struct frame *f, const struct frame_view *v)
{
	size_t addresses = v->v6 ? v->ip + 8 : v->ip + 12, length = v->end - v->tcp;

	return fold(sum_bytes(f->bytes + addresses, v->v6 ? 32 : 8) + IPPROTO_TCP + (uint32_t)length +
		    sum_bytes(f->bytes + v->tcp, length));
}

const char *frame_checksum_error(const struct frame *f)
{
	struct frame_view v;

	if (!frame_read(f, &v))
		return "no TCP segment";
	if (!v.v6 && fold(sum_bytes(f->bytes + v.ip, (f->bytes[v.ip] & 15) * 4U)) != 0xffff)
		return "wrong IPv4 checksum";
	return tcp_sum(f, &v) == 0xffff ? NULL : "wrong TCP checksum";
}

void frame_repair(struct frame *f)
{
	struct frame_view v;

	if (!frame_read(f, &v))
		return;
	if (!v.v6) {
		set_short(f, v.ip + 10, 0);
		set_short(f, v.ip + 10, (uint16_t)~fold(sum_bytes(f->bytes + v.ip, v.tcp - v.ip)));
	}
	set_short(f, v.tcp + 16, 0);
	set_short(f, v.tcp + 16, (uint16_t)~tcp_sum(f, &v));
}

/* --- building --- */

static void put(struct frame *f, const void *bytes, size_t length)
{
	if (f->length + length > FRAME_MAX)
		abort();
	if (length && bytes)
		memcpy(f->bytes + f->length, bytes, length);
	else
		memset(f->bytes + f->length, 0, length);
	f->length += length;
}

static void put_number(struct frame *f, uint64_t value, size_t length)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(value >> 8 * (length - 1 - i));
	put(f, bytes, length);
}

static void put_padded(struct frame *f, const struct bytes *b)
{
	put(f, b->data, b->length);
	put(f, NULL, -b->length & 3);
}

static void put_address(struct frame *f, const char *text, bool v6)
{
	uint8_t address[16];

	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, address) != 1)
		abort();
	put(f, address, v6 ? 16 : 4);
}

static void put_ethernet(struct frame *f, const struct frame_spec *s, bool v6)
{
	put(f, s->reply ? client_mac : frame_server_mac, 6);
	put(f, s->reply ? frame_server_mac : client_mac, 6);
	for (unsigned int i = s->vlans; i > 0; i--) {
		put_number(f, i > 1 ? 0x88a8 : 0x8100, 2);
		put_number(f, 0x6000 | (100 + i), 2); /* priority 3 */
	}
	put_number(f, v6 ? 0x86dd : 0x0800, 2);
}

static void put_extension(struct frame *f, const struct frame_extension *e, uint8_t next)
{
	size_t start = f->length;

	put_number(f, next, 1);
	switch (e->kind) {
	case IPPROTO_FRAGMENT:
		put_number(f, 0, 1);
		put_number(f, e->fragment, 2);
		put_number(f, 0x1badcafe, 4);
		break;
	case IPPROTO_AH:
		put_number(f, e->length / 4 - 2, 1);
		break;
	case IPPROTO_ROUTING: /* type 2, no segments left */
		put_number(f, e->length / 8 - 1, 1);
		put_number(f, 0x0200, 2);
		break;
	default: /* one PadN option */
		put_number(f, e->length / 8 - 1, 1);
		put_number(f, 0x0100 | (e->length - 4), 2);
	}
	put(f, NULL, start + e->length - f->length);
}

static size_t put_ipv6(struct frame *f, const struct frame_spec *s, uint8_t protocol)
{
	const struct frame_extension *e = s->extensions;
	size_t start = f->length;

	put_number(f, 6U << 28 | (uint32_t)s->tos << 20, 4);
	put_number(f, 0, 2);
	put_number(f, e && e->length ? e->kind : protocol, 1);
	put_number(f, 64, 1);
	put_address(f, s->saddr, true);
	put_address(f, s->daddr, true);
	for (; e && e->length; e++)
		put_extension(f, e, e[1].length ? e[1].kind : protocol);
	return start;
}

static size_t put_ipv4(struct frame *f, const struct frame_spec *s, uint8_t protocol)
{
	size_t start = f->length;

	put_number(f, 0x45 + (s->ip_options.length + 3) / 4, 1);
	put_number(f, s->tos, 1);
	put_number(f, 0, 4); /* length, identification */
	put_number(f, s->fragment ? s->fragment : FRAME_DF, 2);
	put_number(f, 64, 1);
	put_number(f, protocol, 1);
	put_number(f, 0, 2);
	put_address(f, s->saddr, false);
	put_address(f, s->daddr, false);
	put_padded(f, &s->ip_options);
	return start;
}

static void put_tcp(struct frame *f, const struct frame_spec *s)
{
	put_number(f, s->source, 2);
	put_number(f, s->dest, 2);
	put_number(f, s->seq, 4);
	put_number(f, s->ack, 4);
	put_number(f, (5 + (s->options.length + 3) / 4) << 4, 1);
	put_number(f, s->flags, 1);
	put_number(f, s->window ? s->window : 64240, 2);
	put_number(f, 0, 4);
	put_padded(f, &s->options);
}

void frame_build(struct frame *f, const struct frame_spec *s)
{
	bool v6 = strchr(s->daddr, ':');
	uint8_t protocol = s->protocol ? s->protocol : IPPROTO_TCP;
	size_t ip, tcp;

	f->length = 0;
	put_ethernet(f, s, v6);
	ip = v6 ? put_ipv6(f, s, protocol) : put_ipv4(f, s, protocol);
	tcp = f->length;
	if (protocol == IPPROTO_TCP)
		put_tcp(f, s);
	put(f, s->payload.data, s->payload.length);
	if (v6) {
		set_short(f, ip + 4, f->length - ip - 40);
	} else {
		set_short(f, ip + 2, f->length - ip);
		set_short(f, ip + 10, (uint16_t)~fold(sum_bytes(f->bytes + ip, tcp - ip)));
	}
	if (protocol == IPPROTO_TCP) {
		struct frame_view v = { .v6 = v6, .ip = ip, .tcp = tcp, .end = f->length };

		set_short(f, tcp + 16, (uint16_t)~tcp_sum(f, &v));
	}
	put(f, NULL, s->trailer);
}

/* --- reading --- */

/* Offset of the upper layer, its protocol in *protocol; 0: cut short, or a fragment that is not whole. */
static size_t walk_extensions(const struct frame *f, size_t at, uint8_t *protocol)
{
	while (at + 8 <= f->length) {
		const uint8_t *e = f->bytes + at;

		switch (*protocol) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			at += (e[1] + 1U) * 8;
			break;
		case IPPROTO_AH:
			at += (e[1] + 2U) * 4;
			break;
		case IPPROTO_FRAGMENT:
			if ((e[2] << 8 | e[3]) & 0xfff9)
				return 0;
			at += 8;
			break;
		default:
			return at;
		}
		*protocol = e[0];
	}
	return 0;
}

static bool read_ip(const struct frame *f, size_t ip, bool v6, struct frame_view *v)
{
	uint8_t protocol;

	v->v6 = v6;
	v->ip = ip;
	if (f->length < ip + (v6 ? 40 : 20))
		return false;
	if (v6) {
		protocol = f->bytes[ip + 6];
		v->tcp = walk_extensions(f, ip + 40, &protocol);
		v->end = ip + 40 + frame_short(f, ip + 4);
	} else {
		protocol = f->bytes[ip + 9];
		v->tcp = ip + (f->bytes[ip] & 15) * 4U;
		v->end = ip + frame_short(f, ip + 2);
		if (v->tcp < ip + 20 || frame_short(f, ip + 6) & 0x3fff)
			return false;
	}
	return protocol == IPPROTO_TCP && v->tcp && v->tcp + 20 <= v->end && v->end <= f->length;
}

bool frame_read(const struct frame *f, struct frame_view *v)
{
	size_t type = 12;

	for (int tags = 0; tags < 2 && type + 6 <= f->length; tags++) {
		uint16_t kind = frame_short(f, type);

		if (kind != 0x8100 && kind != 0x88a8)
			break;
		type += 4;
	}
	if (type + 2 > f->length)
		return false;
	if (frame_short(f, type) != 0x0800 && frame_short(f, type) != 0x86dd)
		return false;
	if (!read_ip(f, type + 2, frame_short(f, type) == 0x86dd, v))
		return false;
	v->source = frame_short(f, v->tcp);
	v->dest = frame_short(f, v->tcp + 2);
	v->seq = frame_word(f, v->tcp + 4);
	v->ack = frame_word(f, v->tcp + 8);
	v->doff = (f->bytes[v->tcp + 12] >> 4) * 4U;
	v->flags = f->bytes[v->tcp + 13];
	return v->doff >= 20 && v->tcp + v->doff <= v->end;
}

const uint8_t *frame_option(const struct frame *f, const struct frame_view *v, uint8_t kind, uint8_t length)
{
	const uint8_t *found = NULL, *end = f->bytes + v->tcp + v->doff;

	for (const uint8_t *o = f->bytes + v->tcp + 20; o < end && *o;) {
		if (*o == 1) {
			o++;
			continue;
		}
		if (o + 1 >= end || o[1] < 2 || o + o[1] > end)
			break;
		if (*o == kind && o[1] == length)
			found = o + 2;
		o += o[1];
	}
	return found;
}
