// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See dialogue.h.
 */
#include "tests/bpf/dialogue.h"

#include <netinet/in.h>
#include <string.h>

#define DATA_MAX 9000

static uint8_t data[DATA_MAX];

const struct carrier dialogue_carriers[CARRIERS] = {
	{ "IPv4", false, 0 }, { "IPv4, VLAN", false, 1 }, { "IPv4, QinQ", false, 2 },
	{ "IPv6", true, 0 },  { "IPv6, VLAN", true, 1 },  { "IPv6, QinQ", true, 2 },
};

static size_t put_word(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
	return 4;
}

/* What leaves through TO, routed: the FIB's MAC addresses. */
static void address(enum port to, struct frame *f)
{
	if (harness_forward == FORWARD_BRIDGE)
		return;
	memcpy(f->bytes, appliance_next_hop[to], 6);
	memcpy(f->bytes + 6, appliance_mac[to], 6);
}

/* And one hop less to live. */
static void route(enum port to, struct frame *f)
{
	struct frame_view v;

	if (harness_forward == FORWARD_BRIDGE)
		return;
	address(to, f);
	assert_true(frame_read(f, &v));
	f->bytes[v.ip + (v.v6 ? 7 : 8)]--;
	frame_repair(f);
}

/* --- the two ends --- */

struct dialogue dialogue_new(struct harness *h, const char *name, bool v6, unsigned int vlans)
{
	for (size_t i = 0; i < DATA_MAX; i++)
		data[i] = (uint8_t)(i * 41 + 7);
	return (struct dialogue){
		.h = h,
		.name = name,
		.v6 = v6,
		.client_address = v6 ? CLIENT6 : CLIENT4,
		.server_address = v6 ? SERVER6 : SERVER4,
		.client_port = 40000,
		.server_port = PORT_ALWAYS,
		.vlans = vlans,
		.later = 3,
		.client = { .isn = 0x1000,
			    .tsval = 0x22334455,
			    .window = 502,
			    .mss = 1440,
			    .wscale = 7,
			    .sack = true,
			    .timestamps = true },
		.server = { .isn = 0x8badf00d,
			    .tsval = 0xdeadbeef,
			    .window = 65160,
			    .mss = 1460,
			    .wscale = 9,
			    .sack = true,
			    .timestamps = true },
	};
}

void dialogue_begin(struct dialogue *d)
{
	const struct party *known = d->learned;
	struct cookie_case c = {
		.client = d->client_address,
		.server = d->server_address,
		.client_port = d->client_port,
		.server_port = d->server_port,
		.client_isn = d->client.isn,
		.generation = d->h->runtime.key_generation,
		.slot = d->h->runtime.slot_base,
	};
	struct frame_spec spec;
	uint8_t options[40];

	d->timestamps = d->client.timestamps && (!known || known->timestamps);
	d->sack = d->client.sack && (!known || known->sack);
	d->wscale = !known || known->wscale != NO_WSCALE ? d->client.wscale : NO_WSCALE;
	d->our_wscale = d->wscale == NO_WSCALE ? 0 : SERVER_WSCALE;
	c.timestamps = d->timestamps;
	c.mss = d->client.mss ? d->client.mss : d->v6 ? 1220 : 536;
	c.wscale = d->wscale;
	c.sack = d->sack;
	c.ecn = d->ecn;
	harness_key(d->h, c.generation, c.key);
	d->cookie = cookie_reference(&c);
	spec = dialogue_syn(d, options);
	appliance_tuple(&d->tuple, &spec);
}

size_t dialogue_options(uint8_t o[40], const struct party *p, uint32_t tsecr)
{
	uint8_t *at = o;

	if (p->mss)
		at += put_word(at, 0x02040000U | p->mss);
	if (p->timestamps) {
		at += put_word(at, p->sack ? 0x0402080a : 0x0101080a);
		at += put_word(at, p->tsval);
		at += put_word(at, tsecr);
	} else if (p->sack) {
		at += put_word(at, 0x01010402);
	}
	if (p->wscale != NO_WSCALE)
		at += put_word(at, 0x01030300U | p->wscale);
	return (size_t)(at - o);
}

static struct frame_spec from_client(const struct dialogue *d)
{
	return (struct frame_spec){
		.saddr = d->client_address,
		.daddr = d->server_address,
		.source = d->client_port,
		.dest = d->server_port,
		.vlans = d->vlans,
	};
}

static struct frame_spec from_server(const struct dialogue *d)
{
	return (struct frame_spec){
		.saddr = d->server_address,
		.daddr = d->client_address,
		.source = d->server_port,
		.dest = d->client_port,
		.vlans = d->vlans,
		.reply = true,
	};
}

static size_t put_timestamps(uint8_t *options, uint32_t tsval, uint32_t tsecr)
{
	put_word(options, 0x0101080a);
	put_word(options + 4, tsval);
	put_word(options + 8, tsecr);
	return 12;
}

/* --- the handshake --- */

struct frame_spec dialogue_syn(const struct dialogue *d, uint8_t options[40])
{
	struct frame_spec s = from_client(d);

	s.seq = d->client.isn;
	s.flags = d->ecn || d->ecn_tried ? SYN | ECE | CWR : SYN;
	s.options = (struct bytes){ options, dialogue_options(options, &d->client, 0) };
	return s;
}

/* Ours, to the client: nothing that it did not ask for, nothing that the server is known to lack. */
void dialogue_synack_frame(const struct dialogue *d, struct frame *f)
{
	uint16_t mss = d->v6 ? SERVER_MSS6 : SERVER_MSS4;
	struct party p = {
		.tsval = d->cookie.tsval,
		.mss = d->client.mss ? mss : 0,
		.wscale = d->wscale == NO_WSCALE ? NO_WSCALE : SERVER_WSCALE,
		.sack = d->sack,
		.timestamps = d->timestamps,
	};
	struct frame_spec s = from_server(d);
	uint8_t options[40];

	if (p.mss && d->learned && d->learned->mss < mss)
		p.mss = d->learned->mss;
	s.seq = d->cookie.isn;
	s.ack = d->client.isn + 1;
	s.flags = d->ecn ? SYN | ACK | ECE : SYN | ACK;
	s.window = d->v6 ? SERVER_WINDOW6 : SERVER_WINDOW4;
	s.options = (struct bytes){ options, dialogue_options(options, &p, d->client.tsval) };
	frame_build(f, &s);
}

void dialogue_ack_frame(const struct dialogue *d, const struct bytes *early, struct frame *f)
{
	struct frame_spec s = from_client(d);
	uint8_t options[12];

	s.seq = d->client.isn + 1;
	s.ack = d->cookie.isn + 1;
	s.flags = early ? ACK | PSH : ACK;
	s.window = d->client.window;
	if (d->timestamps)
		s.options = (struct bytes){ options, put_timestamps(options, d->client.tsval + d->later,
								    d->cookie.tsval) };
	if (early)
		s.payload = *early;
	frame_build(f, &s);
}

static uint16_t clamp(uint32_t window)
{
	return window > 65535 ? 65535 : (uint16_t)window;
}

static uint32_t shift(uint8_t wscale)
{
	return wscale == NO_WSCALE ? 0 : wscale;
}

/* The client's own numbers and options. A SYN's window is not scaled. */
void dialogue_server_syn(const struct dialogue *d, struct frame *f)
{
	struct party p = d->client;
	struct frame_spec s;
	uint8_t options[40];

	p.mss = d->cookie.mss;
	p.tsval += d->later;
	p.timestamps = d->timestamps;
	p.sack = d->sack;
	p.wscale = d->wscale;
	s = from_client(d);
	s.seq = d->client.isn;
	s.flags = d->ecn || d->ecn_tried ? SYN | ECE | CWR : SYN;
	s.window = clamp((uint32_t)d->client.window << shift(d->wscale));
	s.options = (struct bytes){ options, dialogue_options(options, &p, 0) };
	frame_build(f, &s);
	route(PORT_INSIDE, f);
}

/* What the server agrees to is what our SYN offered and it has. */
static struct party server_agrees(const struct dialogue *d)
{
	struct party p = d->server;

	p.timestamps &= d->timestamps;
	p.sack &= d->sack;
	if (d->wscale == NO_WSCALE)
		p.wscale = NO_WSCALE;
	return p;
}

void dialogue_server_synack(const struct dialogue *d, struct frame *f)
{
	struct party p = server_agrees(d);
	struct frame_spec s = from_server(d);
	uint8_t options[40];

	s.seq = d->server.isn;
	s.ack = d->client.isn + 1;
	s.flags = d->ecn || d->ecn_tried ? SYN | ACK | ECE : SYN | ACK;
	s.window = d->server.window;
	s.options = (struct bytes){ options, dialogue_options(options, &p, d->client.tsval + d->later) };
	frame_build(f, &s);
}

void dialogue_zero_window(struct frame *f)
{
	struct frame_view v;

	assert_true(frame_read(f, &v));
	f->bytes[v.tcp + 14] = f->bytes[v.tcp + 15] = 0;
	frame_repair(f);
}

/* In the scales of both ends: the client's towards the server, ours towards the client. */
static uint16_t window_to_server(const struct dialogue *d, uint16_t window)
{
	bool unscaled = server_agrees(d).wscale == NO_WSCALE;

	return unscaled ? clamp((uint32_t)window << shift(d->wscale)) : window;
}

static uint16_t window_to_client(const struct dialogue *d, uint16_t window)
{
	return clamp(((uint32_t)window << shift(server_agrees(d).wscale)) >> d->our_wscale);
}

/* With the timestamps that the client was promised: a server without them ignores them (RFC 7323, section
 * 3.2). */
void dialogue_server_ack(const struct dialogue *d, struct frame *f)
{
	uint32_t tsecr = server_agrees(d).timestamps ? d->server.tsval : 0;
	struct frame_spec s = from_client(d);
	uint8_t options[12];

	s.seq = d->client.isn + 1;
	s.ack = d->server.isn + 1;
	s.flags = d->stashed.length ? ACK | PSH : ACK;
	s.window = window_to_server(d, d->client.window);
	s.payload = d->stashed;
	if (d->timestamps)
		s.options =
			(struct bytes){ options, put_timestamps(options, d->client.tsval + d->later, tsecr) };
	frame_build(f, &s);
	address(PORT_INSIDE, f);
}

/* The window of a SYN-ACK is not scaled, that of any other segment is. */
void dialogue_opening(const struct dialogue *d, struct frame *f)
{
	struct frame_spec s = from_server(d);
	uint8_t options[12];

	s.seq = d->cookie.isn + 1;
	s.ack = d->client.isn + 1;
	s.flags = ACK;
	s.window = (uint16_t)(d->server.window >> d->our_wscale);
	if (d->timestamps)
		s.options = (struct bytes){ options, put_timestamps(options, d->cookie.tsval,
								    d->client.tsval + d->later) };
	frame_build(f, &s);
	if (!s.window)
		dialogue_zero_window(f);
	route(PORT_OUTSIDE, f);
}

void dialogue_ask(struct dialogue *d)
{
	struct frame in, out;
	struct frame_spec syn;
	uint8_t options[40];

	syn = dialogue_syn(d, options);
	frame_build(&in, &syn);
	dialogue_synack_frame(d, &out);
	appliance_expect(d->h, d->name, PORT_OUTSIDE, &in, TX_SYNACK, &out);
}

void dialogue_prove(struct dialogue *d, const struct bytes *early)
{
	struct frame in, out;

	dialogue_ack_frame(d, early, &in);
	dialogue_server_syn(d, &out);
	appliance_expect(d->h, d->name, PORT_OUTSIDE, &in, PASS_COOKIE, &out);
	if (early)
		d->stashed = *early;
}

void dialogue_answer(struct dialogue *d)
{
	struct frame in, opening, out, expected;

	dialogue_server_synack(d, &in);
	dialogue_opening(d, &opening);
	appliance_expect(d->h, d->name, PORT_INSIDE, &in, PASS_HANDSHAKE, &opening);
	assert_true(appliance_copy(d->h, &opening, &out));
	dialogue_server_ack(d, &expected);
	appliance_compare("ACK to the server", &out, &expected);
	d->stashed.length = 0;
}

void dialogue_open(struct dialogue *d)
{
	dialogue_begin(d);
	dialogue_ask(d);
	dialogue_prove(d, NULL);
	dialogue_answer(d);
}

/* --- what is said from then on --- */

/* Numbers as one end says or sees them: its timestamps, and where its peer's data begin. */
struct view {
	uint32_t tsval, tsecr, peer;
};

static size_t put_sack(uint8_t *at, const struct said *s, const struct view *v)
{
	uint8_t *start = at;

	if (!s->blocks)
		return 0;
	*at++ = 5;
	*at++ = (uint8_t)(2 + 8 * s->blocks);
	for (uint32_t i = 0; i < s->blocks; i++) {
		uint32_t from = v->peer + s->ack + 2000 * (i + 1);

		at += put_word(at, from);
		at += put_word(at, from + 1000 + i);
	}
	return (size_t)(at - start);
}

static size_t put_ts(uint8_t *at, const struct view *v)
{
	at[0] = 8;
	at[1] = 10;
	put_word(at + 2, v->tsval);
	put_word(at + 6, v->tsecr);
	return 10;
}

static size_t put_options(uint8_t o[40], const struct said *s, bool timestamps, const struct view *v)
{
	size_t n = 0;

	memset(o, 0, 40);
	if (s->more.length)
		memcpy(o, s->more.data, s->more.length);
	n += s->more.length;
	for (uint8_t i = 0; i < s->nops; i++)
		o[n++] = 1;
	if (s->sack_first)
		n += put_sack(o + n, s, v);
	if (timestamps && !s->no_timestamps)
		n += put_ts(o + n, v);
	if (!s->sack_first)
		n += put_sack(o + n, s, v);
	assert_in_range(n, 0, 40);
	return n;
}

void dialogue_build(const struct dialogue *d, enum port from, const struct said *s, struct frame *in,
		    struct frame *out)
{
	bool client = from == PORT_OUTSIDE;
	/* one end's clock and first byte, as the client knows them and as the server does */
	uint32_t now = d->client.tsval + d->later + s->tick, clock[2] = { now, now };
	uint32_t other[2] = { d->cookie.tsval + s->tick,
			      (server_agrees(d).timestamps ? d->server.tsval : 0) + s->tick };
	uint32_t peer[2] = { d->cookie.isn + 1, d->server.isn + 1 };
	struct frame_spec spec = client ? from_client(d) : from_server(d);
	uint16_t window = s->window ? s->window : 501;
	struct frame *const frames[2] = { client ? in : out, client ? out : in };
	uint8_t options[40];

	spec.flags = s->flags;
	spec.payload = (struct bytes){ data, s->length };
	spec.ip_options = s->ip_options;
	spec.extensions = s->extensions;
	spec.trailer = s->trailer;
	for (int side = 0; side < 2; side++) {
		struct view v = {
			.tsval = client ? clock[side] : other[side],
			.tsecr = client ? other[side] : clock[side],
			.peer = client ? peer[side] : d->client.isn + 1,
		};

		spec.seq = client ? d->client.isn + 1 + s->seq : peer[side] + s->seq;
		spec.ack = s->flags & ACK ? v.peer + s->ack : 0;
		spec.window = window;
		spec.tos = frames[side] == out && d->not_ect ? s->tos & 0xfc : s->tos;
		if (frames[side] == out && !(s->flags & RST))
			spec.window = client ? window_to_server(d, window) : window_to_client(d, window);
		spec.options = (struct bytes){
			options,
			put_options(options, s, client ? d->timestamps : server_agrees(d).timestamps, &v)
		};
		frame_build(frames[side], &spec);
		if (s->zero_window || !spec.window)
			dialogue_zero_window(frames[side]);
	}
	route(client ? PORT_INSIDE : PORT_OUTSIDE, out);
}

void dialogue_say(const struct dialogue *d, enum port from, const struct said *s, enum verdict verdict)
{
	struct frame in, out;

	dialogue_build(d, from, s, &in, &out);
	appliance_expect(d->h, s->name, from, &in, verdict, verdict == PASS_TRANSLATED ? &out : NULL);
}

/* --- frames with numbers of their own --- */

struct connection dialogue_connection(const struct dialogue *d)
{
	struct connection c = { 0 };

	if (!appliance_find(d->h, &d->tuple, &c))
		fail_msg("%s: no connection", d->name);
	return c;
}

void dialogue_expect_state(const struct dialogue *d, const char *name, enum connection_state state)
{
	uint32_t is = dialogue_connection(d).state;

	if (is != state)
		fail_msg("%s: in state %u, not %u", name, is, state);
}

void dialogue_frame(const struct frame_spec *spec, struct frame *f)
{
	frame_build(f, spec);
	if (spec->flags & RST) /* ours say no window */
		dialogue_zero_window(f);
}

/* From the server, with numbers of its own. */
struct frame_spec dialogue_server_frame(const struct dialogue *d, uint8_t flags, uint32_t seq, uint32_t ack)
{
	return (struct frame_spec){
		.saddr = d->server_address,
		.daddr = d->client_address,
		.source = d->server_port,
		.dest = d->client_port,
		.seq = seq,
		.ack = ack,
		.flags = flags,
		.vlans = d->vlans,
		.reply = true,
	};
}

struct frame_spec dialogue_client_frame(const struct dialogue *d, uint8_t flags, uint32_t seq, uint32_t ack)
{
	return (struct frame_spec){
		.saddr = d->client_address,
		.daddr = d->server_address,
		.source = d->client_port,
		.dest = d->server_port,
		.seq = seq,
		.ack = ack,
		.flags = flags,
		.vlans = d->vlans,
	};
}

/* EXPECTED NULL: the frame leaves as it came, or not at all. */
void dialogue_expect(const struct dialogue *d, const char *name, enum port from,
		     const struct frame_spec *spec, enum verdict verdict, const struct frame_spec *expected)
{
	struct frame in, out;

	dialogue_frame(spec, &in);
	if (expected)
		dialogue_frame(expected, &out);
	appliance_expect(d->h, name, from, &in, verdict, expected ? &out : NULL);
}

void dialogue_handshake(struct dialogue *d)
{
	dialogue_begin(d);
	dialogue_ask(d);
	dialogue_prove(d, NULL);
}

void dialogue_talk(const struct dialogue *d, enum port from, const char *name, uint8_t flags, uint32_t seq,
		   uint32_t ack, size_t length)
{
	const struct said s = { .name = name, .flags = flags, .seq = seq, .ack = ack, .length = length };

	dialogue_say(d, from, &s, PASS_TRANSLATED);
}

struct service_state *dialogue_state(const struct dialogue *d, uint32_t slot)
{
	return fastpath_state(d->h->fastpath, slot);
}

/* --- ICMP errors --- */

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint32_t sum_bytes(const uint8_t *bytes, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static void icmp_checksum(struct frame *f, size_t at, bool v6)
{
	uint32_t sum;

	f->bytes[at + 2] = f->bytes[at + 3] = 0;
	sum = sum_bytes(f->bytes + at, f->length - at);
	if (v6)
		sum += sum_bytes(f->bytes + at - 32, 32) + IPPROTO_ICMPV6 + (uint32_t)(f->length - at);
	f->bytes[at + 2] = (uint8_t)(~fold(sum) >> 8);
	f->bytes[at + 3] = (uint8_t)~fold(sum);
}

/* An error of TYPE about a segment with this sequence number; QUOTED bytes of TCP are in it. */
void dialogue_icmp(const struct dialogue *d, uint8_t type, bool to_server, uint32_t seq, size_t quoted,
		   struct frame *f)
{
	struct frame_spec inner =
		to_server ? dialogue_server_frame(d, ACK, seq, 1) : dialogue_client_frame(d, ACK, seq, 1);
	struct frame_spec outer =
		to_server ? dialogue_client_frame(d, 0, 0, 0) : dialogue_server_frame(d, 0, 0, 0);
	size_t l3 = d->v6 ? 40 : 20, at = 14 + 4 * d->vlans + l3;
	uint8_t bytes[8 + 40 + 60] = { type, d->v6 ? 0 : 4, 0, 0, 0, 0, 5, 0 };
	struct frame quote;

	inner.vlans = 0;
	inner.options = (struct bytes)BYTES(1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8);
	frame_build(&quote, &inner);
	memcpy(bytes + 8, quote.bytes + 14, l3 + quoted);
	/* from a router on the way */
	outer.saddr = d->v6 ? "2001:db8:77::1" : "192.0.2.77";
	outer.protocol = d->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	outer.payload = (struct bytes){ bytes, 8 + l3 + quoted };
	frame_build(f, &outer);
	icmp_checksum(f, at, d->v6);
}

/* Of the quoted segment: nobody looks at it, so it stays as it was. */
void dialogue_keep_quoted(const struct dialogue *d, size_t quoted, const struct frame *from, struct frame *to)
{
	size_t l3 = d->v6 ? 40 : 20, at = 14 + 4 * d->vlans + l3, check = at + 8 + l3 + 16;

	if (quoted < 18)
		return;
	memcpy(to->bytes + check, from->bytes + check, 2);
	icmp_checksum(to, at, d->v6);
}
