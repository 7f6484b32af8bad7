/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection across the appliance, as a reference of its own: each end's numbers are given, and from them
 * every frame of both sides is computed and compared byte for byte with what the programs make. Shares
 * nothing with bpf/: what a field means is taken from its sender's numbers, and said again in its receiver's.
 */
#ifndef SYNMOAT_TESTS_DIALOGUE_H
#define SYNMOAT_TESTS_DIALOGUE_H

#include "tests/bpf/appliance.h"
#include "tests/bpf/cookie_reference.h"

#define NO_WSCALE 15

/* What one end says in its SYN or SYN-ACK. */
struct party {
	uint32_t isn, tsval;
	uint16_t window; /* on the wire, of the client's third ACK or the server's SYN-ACK; never 0 */
	uint16_t mss;	 /* 0: no option */
	uint8_t wscale;	 /* NO_WSCALE: no option */
	bool sack, timestamps;
};

struct dialogue {
	struct harness *h;
	const char *name;
	const char *client_address, *server_address;
	uint16_t client_port, server_port;
	unsigned int vlans;
	struct party client, server;
	/* the server's last SYN-ACK was learned: what it lacks is not announced; NULL: as configured */
	const struct party *learned;
	struct bytes stashed; /* data that the client sent too early */
	bool ecn;	      /* the client asks for it, and both ends do it */
	bool ecn_tried; /* the client asks, the server is asked in its place: neither knew of the other */
	bool not_ect;	/* one end does no ECN */
	uint32_t later; /* ticks of the client's clock from its SYN to its ACK */

	/* filled by dialogue_begin() */
	bool v6, timestamps, sack;  /* agreed with the client */
	uint8_t wscale, our_wscale; /* likewise; NO_WSCALE: none */
	struct cookie_answer cookie;
	struct tuple tuple;
};

/* A segment of one end; numbers count from the first byte behind its own SYN and its peer's. */
struct said {
	const char *name;
	uint32_t seq, ack;
	uint16_t window; /* 0: a usual one */
	uint8_t flags;
	size_t length;	/* of the data */
	uint32_t tick;	/* of both timestamps, less those of the handshake */
	uint8_t nops;	/* in front of the options */
	uint8_t blocks; /* of SACK */
	bool sack_first;
	struct bytes more; /* further options, in front of all others */
	bool no_timestamps;
	bool zero_window;
	uint8_t tos;
	struct bytes ip_options;
	const struct frame_extension *extensions;
	size_t trailer;
};

#define CARRIERS 6
extern const struct carrier {
	const char *name;
	bool v6;
	unsigned int vlans;
} dialogue_carriers[CARRIERS];

/* Linux on both sides; the caller changes what it wants, then calls dialogue_begin(). */
struct dialogue dialogue_new(struct harness *h, const char *name, bool v6, unsigned int vlans);
void dialogue_begin(struct dialogue *d);

/* As PARTY's SYN or SYN-ACK has them, in Linux' order; returns their length. */
size_t dialogue_options(uint8_t options[40], const struct party *party, uint32_t tsecr);

/* Frames of the handshake: what comes in, and what must come of it. */
struct frame_spec dialogue_syn(const struct dialogue *d, uint8_t options[40]);
void dialogue_synack_frame(const struct dialogue *d, struct frame *f);
void dialogue_ack_frame(const struct dialogue *d, const struct bytes *data, struct frame *f);
void dialogue_server_syn(const struct dialogue *d, struct frame *f);
void dialogue_server_synack(const struct dialogue *d, struct frame *f);
void dialogue_server_ack(const struct dialogue *d, struct frame *f);
void dialogue_opening(const struct dialogue *d, struct frame *f);

/* Each runs its step, and compares all that leaves. */
void dialogue_ask(struct dialogue *d);				   /* SYN: SYN-ACK */
void dialogue_prove(struct dialogue *d, const struct bytes *data); /* ACK: SYN to the server */
void dialogue_answer(struct dialogue *d);			   /* SYN-ACK: two copies */
void dialogue_open(struct dialogue *d);				   /* all three */

/* A segment as FROM's end sends it, and as the other end must see it. */
void dialogue_build(const struct dialogue *d, enum port from, const struct said *s, struct frame *in,
		    struct frame *out);
void dialogue_say(const struct dialogue *d, enum port from, const struct said *s, enum verdict verdict);

/* Header and data as they are, but for a window of nothing. */
void dialogue_zero_window(struct frame *f);

/* The first two steps: the server has not answered. */
void dialogue_handshake(struct dialogue *d);

/* The usual segment. */
void dialogue_talk(const struct dialogue *d, enum port from, const char *name, uint8_t flags, uint32_t seq,
		   uint32_t ack, size_t length);

/* Frames with numbers of their own, and no options; a RST says no window. */
struct frame_spec dialogue_server_frame(const struct dialogue *d, uint8_t flags, uint32_t seq, uint32_t ack);
struct frame_spec dialogue_client_frame(const struct dialogue *d, uint8_t flags, uint32_t seq, uint32_t ack);
void dialogue_frame(const struct frame_spec *spec, struct frame *f);

/* EXPECTED NULL: the frame leaves as it came, or not at all. */
void dialogue_expect(const struct dialogue *d, const char *name, enum port from,
		     const struct frame_spec *spec, enum verdict verdict, const struct frame_spec *expected);

/* An ICMP error of TYPE about a segment with this sequence number; QUOTED bytes of its TCP header are in it.
 */
void dialogue_icmp(const struct dialogue *d, uint8_t type, bool to_server, uint32_t seq, size_t quoted,
		   struct frame *f);

/* The quoted segment's own checksum: nobody looks at it, so translation leaves it as it was. */
void dialogue_keep_quoted(const struct dialogue *d, size_t quoted, const struct frame *from,
			  struct frame *to);

/* What the program keeps. */
struct connection dialogue_connection(const struct dialogue *d);
void dialogue_expect_state(const struct dialogue *d, const char *name, enum connection_state state);
struct service_state *dialogue_state(const struct dialogue *d, uint32_t slot);

#endif
