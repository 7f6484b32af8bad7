/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Draws addresses and prefixes at random, as lists have them; IPv4 as v4-mapped, but lengths as in IPv4's own
 * notation.
 */
#ifndef SYNMOAT_BENCH_DRAW_H
#define SYNMOAT_BENCH_DRAW_H

#include <netinet/in.h>

void draw_v4_addresses(struct in6_addr *address, unsigned int *length);
void draw_v4_netset(struct in6_addr *address, unsigned int *length);
void draw_v4_feed(struct in6_addr *address, unsigned int *length);
void draw_v6_blocks(struct in6_addr *address, unsigned int *length);
void draw_v6_one_provider(struct in6_addr *address, unsigned int *length);

/* Sets all after the first BITS of 128 to zero. */
void draw_cut(struct in6_addr *address, unsigned int bits);

#endif
