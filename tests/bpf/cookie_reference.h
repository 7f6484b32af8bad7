/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cookie, version 1, computed from its written format alone (top of bpf/cookie.bpf.h): what a sibling
 * implementation would do. On bytes, with siphash_reference().
 */
#ifndef SYNMOAT_TESTS_COOKIE_REFERENCE_H
#define SYNMOAT_TESTS_COOKIE_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

struct cookie_case {
	const char *client, *server; /* addresses as text; a colon means IPv6 */
	uint16_t client_port, server_port;
	uint32_t client_isn;
	uint8_t key[16];     /* master of the generation */
	uint32_t generation; /* 0 or 1 */
	uint32_t slot;	     /* wall clock / 60 s */
	bool timestamps;
	uint16_t mss;	/* that the client announced, or what its silence means */
	uint8_t wscale; /* 15: none */
	bool sack, ecn;
};

struct cookie_answer {
	uint32_t isn;
	uint32_t tsval; /* 0 without timestamps */
	uint16_t mss;	/* that the cookie carries */
};

struct cookie_answer cookie_reference(const struct cookie_case *c);

#endif
