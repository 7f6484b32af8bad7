/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames for the tests: built from a description, with every length and checksum right, and read back.
 * Written from the RFCs, byte by byte; shares nothing with bpf/.
 */
#ifndef SYNMOAT_TESTS_FRAME_H
#define SYNMOAT_TESTS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 9216

/* Options as they are seen in the wild. */
#define LINUX_OPTIONS	BYTES(2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7)
#define WINDOWS_OPTIONS BYTES(2, 4, 5, 172, 1, 3, 3, 8, 1, 1, 4, 2)

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, PSH = 0x08, ACK = 0x10, URG = 0x20, ECE = 0x40, CWR = 0x80 };
enum { FRAME_DF = 0x4000, FRAME_MF = 0x2000 };

struct bytes {
	const uint8_t *data;
	size_t length;
};

#define BYTES(...)                                                                                           \
	{                                                                                                    \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })                   \
	}

struct frame {
	uint8_t bytes[FRAME_MAX];
	size_t length;
};

/* IPv6; fragment: offset in units of 8 bytes << 3, bit 0 more-fragments. An array ends with length 0. */
struct frame_extension {
	uint8_t kind; /* IPPROTO_HOPOPTS, ROUTING, DSTOPTS, FRAGMENT, AH */
	size_t length;
	uint16_t fragment;
};

#define EXTENSIONS(...) ((const struct frame_extension[]){ __VA_ARGS__, { 0 } })

/* Destination MAC address of every frame to the server. */
extern const uint8_t frame_server_mac[6];

/* What is left 0 takes the value that a plain TCP segment has. */
struct frame_spec {
	const char *saddr, *daddr; /* text; a colon means IPv6 */
	uint16_t source, dest;
	uint32_t seq, ack;
	uint16_t window;
	uint8_t flags;
	uint8_t protocol;     /* 0: TCP */
	struct bytes options; /* TCP; padded with zeros to whole words */
	struct bytes payload;
	struct bytes ip_options;		  /* IPv4; padded likewise */
	const struct frame_extension *extensions; /* IPv6 */
	unsigned int vlans;			  /* 1: 802.1Q, 2: 802.1ad and 802.1Q inside */
	uint8_t tos;
	uint16_t fragment; /* IPv4: flags and offset in units of 8 bytes; FRAME_DF if 0 */
	size_t trailer;	   /* bytes behind the IP packet */
	bool reply;	   /* from the server's MAC address to the client's */
};

/* Where things lie in a frame of TCP; lengths are those that the headers claim. */
struct frame_view {
	bool v6;
	size_t ip, tcp, end, doff;
	uint8_t flags;
	uint16_t source, dest;
	uint32_t seq, ack;
};

void frame_build(struct frame *frame, const struct frame_spec *spec);

/* False: not a whole TCP segment. */
bool frame_read(const struct frame *frame, struct frame_view *view);

/* The option's bytes after kind and length, or NULL; ends where the kernel's parser ends. */
const uint8_t *frame_option(const struct frame *frame, const struct frame_view *view, uint8_t kind,
			    uint8_t length);

/* Checks IPv4's and TCP's checksums by summing all that they cover. NULL: right; else what is wrong. */
const char *frame_checksum_error(const struct frame *frame);

/* Writes both checksums anew after a frame was changed, as far as its headers can be read. */
void frame_repair(struct frame *frame);

uint32_t frame_word(const struct frame *frame, size_t offset);	/* 32 bits in network order */
uint16_t frame_short(const struct frame *frame, size_t offset); /* 16 bits */

#endif
