// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * replay: a capture (pcap, Ethernet with up to two VLAN tags, Linux cooked, or raw IP) through the tracker's
 * own segment, state and table code, without a kernel to ask: a line for each connection with the final
 * states of both ends, "CLIENT SERVER CLIENT-STATE SERVER-STATE". The client is who sent the first SYN, or,
 * of what began before the capture, who does not have the lower port. Takes any file without crashing: what
 * is no whole TCP segment is counted and left out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/tracker/flowtable.h"
#include "daemon/tracker/segment.h"

#ifndef FLOWS_MAX
#define FLOWS_MAX (1 << 21)
#endif
#define PACKET_MAX  (1 << 18)
#define MAGIC_US    0xa1b2c3d4
#define MAGIC_NS    0xa1b23c4d
#define TAGS_MAX    2
#define EXTENSIONS  8
#define LINK_ETHER  1
#define LINK_RAW_12 12
#define LINK_RAW    101
#define LINK_COOKED 113
#define LINK_IPV4   228
#define LINK_IPV6   229

struct replay {
	FILE *file;
	bool swapped, nanoseconds;
	uint32_t link;
	struct flowtable *table;
	uint64_t packets, segments, refused;
};

/* --- headers: a cursor that never reads beyond what was captured --- */

struct cursor {
	const uint8_t *at, *end;
};

static bool take(struct cursor *c, size_t size, const uint8_t **bytes)
{
	if ((size_t)(c->end - c->at) < size)
		return false;
	*bytes = c->at;
	c->at += size;
	return true;
}

static uint16_t get16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)get16(b) << 16 | get16(b + 2);
}

struct segment {
	struct tuple tuple; /* as if its sender were the client */
	uint32_t seq, ack, next;
	uint8_t flags;
};

static bool read_tcp(struct cursor *c, size_t length, struct segment *s)
{
	const uint8_t *tcp;
	size_t header;

	if (!take(c, sizeof(struct tcphdr), &tcp))
		return false;
	header = (size_t)(tcp[12] >> 4) * 4;
	if (header < sizeof(struct tcphdr) || header > length)
		return false;
	memcpy(&s->tuple.client_port, tcp, 2);
	memcpy(&s->tuple.server_port, tcp + 2, 2);
	s->seq = get32(tcp + 4);
	s->ack = get32(tcp + 8);
	s->flags = tcp[13];
	s->next = s->seq + (uint32_t)(length - header) + !!(s->flags & TH_SYN) + !!(s->flags & TH_FIN);
	return s->tuple.client_port || s->tuple.server_port;
}

static bool read_ip4(struct cursor *c, struct segment *s)
{
	const uint8_t *ip, *options;
	size_t header, length;

	if (!take(c, 20, &ip))
		return false;
	header = (size_t)(ip[0] & 15) * 4;
	length = get16(ip + 2);
	if (header < 20 || length < header || ip[9] != IPPROTO_TCP || get16(ip + 6) & 0x3fff ||
	    !take(c, header - 20, &options))
		return false;
	s->tuple.client[2] = s->tuple.server[2] = htonl(0xffff);
	memcpy(&s->tuple.client[3], ip + 12, 4);
	memcpy(&s->tuple.server[3], ip + 16, 4);
	return read_tcp(c, length - header, s);
}

static bool is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS;
}

static bool read_ip6(struct cursor *c, struct segment *s)
{
	const uint8_t *ip, *extension, *rest;
	size_t length;
	uint8_t next;

	if (!take(c, 40, &ip))
		return false;
	length = get16(ip + 4);
	next = ip[6];
	for (int i = 0; i < EXTENSIONS && is_extension(next); i++) {
		size_t size;

		if (!take(c, 8, &extension))
			return false;
		size = (size_t)extension[1] * 8;
		if (!take(c, size, &rest) || length < size + 8)
			return false;
		length -= size + 8;
		next = extension[0];
	}
	s->tuple.v6 = 1;
	memcpy(s->tuple.client, ip + 8, 16);
	memcpy(s->tuple.server, ip + 24, 16);
	return next == IPPROTO_TCP && read_tcp(c, length, s);
}

static bool read_ip(struct cursor *c, struct segment *s)
{
	if (c->at == c->end)
		return false;
	switch (*c->at >> 4) {
	case 4:
		return read_ip4(c, s);
	case 6:
		return read_ip6(c, s);
	default:
		return false;
	}
}

static bool skip_link(uint32_t link, struct cursor *c)
{
	const uint8_t *header;
	uint16_t type;

	if (link == LINK_RAW || link == LINK_RAW_12 || link == LINK_IPV4 || link == LINK_IPV6)
		return true;
	if (!take(c, link == LINK_ETHER ? 14 : 16, &header))
		return false;
	type = get16(c->at - 2);
	for (int i = 0; i < TAGS_MAX && (type == 0x8100 || type == 0x88a8); i++) {
		if (!take(c, 4, &header))
			return false;
		type = get16(header + 2);
	}
	return type == 0x0800 || type == 0x86dd;
}

/* --- a segment of which a fast path would tell, to the tracker --- */

static void turn(struct segment *s)
{
	struct tuple t = s->tuple;

	memcpy(s->tuple.client, t.server, sizeof(t.server));
	memcpy(s->tuple.server, t.client, sizeof(t.client));
	s->tuple.client_port = t.server_port;
	s->tuple.server_port = t.client_port;
}

/* Who of the two is the client; turns the segment's tuple accordingly. */
static struct flow *find(struct replay *r, struct segment *s, enum event_origin *origin)
{
	struct flow *f = flowtable_find(r->table, &s->tuple);
	bool from_server;

	*origin = EVENT_CLIENT;
	if (f)
		return f;
	turn(s);
	f = flowtable_find(r->table, &s->tuple);
	from_server = f || (s->flags & TH_SYN ? s->flags & TH_ACK
					      : ntohs(s->tuple.server_port) < ntohs(s->tuple.client_port));
	if (from_server)
		*origin = EVENT_SERVER;
	else
		turn(s);
	return f;
}

static struct flow *add(struct replay *r, const struct segment *s, const struct event *e)
{
	enum tcp_state states[ENDPOINTS];
	struct flow *f;

	if (!segment_takes_up(e, states)) {
		if (e->flags & (TH_SYN | TH_FIN | TH_RST) || !(e->flags & TH_ACK))
			return NULL;
		states[CLIENT] = states[SERVER] = TS_ESTABLISHED; /* began before the capture */
	}
	f = flowtable_add(r->table, &s->tuple);
	if (!f) {
		r->refused++;
		return NULL;
	}
	f->state[CLIENT] = (uint8_t)states[CLIENT];
	f->state[SERVER] = (uint8_t)states[SERVER];
	flowtable_count(r->table, f);
	return f;
}

static void track(struct replay *r, struct segment *s, uint64_t time_ns)
{
	enum event_origin origin;
	struct flow *f = find(r, s, &origin);
	struct event e = { .time_ns = time_ns, .next = s->next, .flags = s->flags };

	e.origin = (uint8_t)origin;
	e.ack = s->flags & TH_ACK ? s->ack : 0;
	if (!f)
		f = add(r, s, &e);
	if (!f)
		return;
	if (!(e.flags & TH_RST) && segment_begins_anew(f, &e) && origin == EVENT_SERVER) {
		f->state[CLIENT] = TS_SYN_SENT;
		f->state[SERVER] = TS_LISTEN;
		f->flags = 0;
	}
	segment_apply(f, &e);
}

/* --- the file --- */

static uint32_t in_order(const struct replay *r, uint32_t word)
{
	return r->swapped ? __builtin_bswap32(word) : word;
}

static int read_header(struct replay *r)
{
	uint32_t words[6], magic;

	if (fread(words, sizeof(words), 1, r->file) != 1)
		return -EINVAL;
	r->swapped = words[0] == __builtin_bswap32(MAGIC_US) || words[0] == __builtin_bswap32(MAGIC_NS);
	magic = in_order(r, words[0]);
	r->nanoseconds = magic == MAGIC_NS;
	r->link = in_order(r, words[5]) & 0xffff;
	if (magic != MAGIC_US && magic != MAGIC_NS)
		return -EINVAL;
	switch (r->link) {
	case LINK_ETHER:
	case LINK_RAW_12:
	case LINK_RAW:
	case LINK_COOKED:
	case LINK_IPV4:
	case LINK_IPV6:
		return 0;
	default:
		return -EPROTONOSUPPORT;
	}
}

/* False: the file ends here, whole or not. */
static bool replay_packet(struct replay *r, uint8_t *bytes)
{
	struct segment s = { 0 };
	uint32_t record[4], length;
	struct cursor c;

	if (fread(record, sizeof(record), 1, r->file) != 1)
		return false;
	length = in_order(r, record[2]);
	if (length > PACKET_MAX || fread(bytes, 1, length, r->file) != length)
		return false;
	r->packets++;
	c = (struct cursor){ bytes, bytes + length };
	if (!skip_link(r->link, &c) || !read_ip(&c, &s))
		return true;
	r->segments++;
	track(r, &s,
	      in_order(r, record[0]) * 1000000000ULL +
		      in_order(r, record[1]) * (r->nanoseconds ? 1ULL : 1000ULL));
	return true;
}

static void print_end(const struct tuple *t, enum endpoint end)
{
	const __be32 *address = end == CLIENT ? t->client : t->server;
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(t->v6 ? AF_INET6 : AF_INET, t->v6 ? address : &address[3], text, sizeof(text));
	printf(t->v6 ? "[%s]:%u " : "%s:%u ", text, ntohs(end == CLIENT ? t->client_port : t->server_port));
}

static void print_flow(struct flowtable *table, struct flow *f, void *arg)
{
	struct tuple tuple;

	(void)arg;
	flowtable_tuple(table, f, &tuple);
	print_end(&tuple, CLIENT);
	print_end(&tuple, SERVER);
	printf("%s %s\n", tcp_state_word((enum tcp_state)f->state[CLIENT]),
	       tcp_state_word((enum tcp_state)f->state[SERVER]));
}

static int replay(struct replay *r, const char *path)
{
	uint8_t *bytes = malloc(PACKET_MAX);
	int error;

	r->file = fopen(path, "rbe");
	error = !bytes || !r->file ? -errno : read_header(r);
	if (!error)
		error = flowtable_new(&r->table, FLOWS_MAX, 0);
	while (!error && replay_packet(r, bytes))
		;
	if (!error)
		flowtable_each(r->table, print_flow, NULL);
	flowtable_free(r->table);
	if (r->file)
		fclose(r->file);
	free(bytes);
	return error;
}

static void print_usage(FILE *out)
{
	fprintf(out,
		"usage: replay FILE.pcap\n"
		"each connection of the capture, with the states in which it leaves client and server\n");
}

int main(int argc, char **argv)
{
	struct replay r = { 0 };
	int error;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	if (argc != 2) {
		print_usage(stderr);
		return 2;
	}
	error = replay(&r, argv[1]);
	if (error) {
		fprintf(stderr, "replay: %s: %s\n", argv[1],
			error == -EINVAL ? "not a pcap file (a pcapng one? editcap -F pcap makes it one)"
			: error == -EPROTONOSUPPORT ? "neither Ethernet nor IP"
						    : strerror(-error));
		return EXIT_FAILURE;
	}
	fprintf(stderr, "%llu packets, %llu TCP segments%s\n", (unsigned long long)r.packets,
		(unsigned long long)r.segments, r.refused ? "; the table was full" : "");
	return EXIT_SUCCESS;
}
