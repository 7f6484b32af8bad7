/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of tests/tables/client_syns.h on one family: its SYN as its stack writes it, what that offers, and
 * the ways in which its ACKs may lay out their options.
 */
#ifndef SYNMOAT_TESTS_VISIT_H
#define SYNMOAT_TESTS_VISIT_H

#include "tests/bpf/harness.h"
#include "tests/tables/client_syns.h"

#define LATER 3 /* ticks of the client's timestamp clock, from its SYN to its ACK */

/* A client on one family, and what its SYN offers. */
struct visit {
	struct harness *h;
	const struct client_syn *client;
	char name[96];
	bool v6;
	uint8_t bytes[40]; /* the options as this family has them */
	struct frame_spec syn;
	bool mss_ok, wscale_ok, sack_ok, timestamps, ecn;
	uint16_t mss;
	uint8_t wscale;
	uint32_t tsval;
};

void visit_begin(struct visit *visit, struct harness *h, const struct client_syn *client, bool v6);

/* Frames as this client's stack writes them. */
void visit_build(struct frame *f, const struct visit *visit, const struct frame_spec *spec);
void visit_build_syn(struct frame *f, const struct visit *visit);

/* The MSS that a cookie is made for. */
uint16_t visit_mss(const struct visit *visit);

/* No list says how a system lays out the timestamps of its ACKs: these are the ways in which they fit. */
#define VISIT_LAYOUTS 4
extern const struct visit_layout {
	uint8_t timestamps; /* where the option begins */
	uint8_t bytes[12];
} visit_layouts[VISIT_LAYOUTS];

void visit_set_word(uint8_t *at, uint32_t value);

#endif
