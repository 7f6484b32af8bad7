// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See draw.h.
 */
#include "tests/bench/common/draw.h"

#include <arpa/inet.h>
#include <stdlib.h>

/* Single addresses of the whole unicast space, as feeds of attackers have them. */
void draw_v4_addresses(struct in6_addr *a, unsigned int *length)
{
	a->s6_addr32[2] = htonl(0xffff);
	a->s6_addr32[3] = htonl((uint32_t)(random() ^ random() << 16) % 0xdf000000U + 0x01000000U);
	*length = 32;
}

/* Netsets: most single addresses, some blocks. */
void draw_v4_netset(struct in6_addr *a, unsigned int *length)
{
	draw_v4_addresses(a, length);
	if (random() % 4 == 0)
		*length = (unsigned int)(random() % 9 + 16 + random() % 8);
}

void draw_v6_blocks(struct in6_addr *a, unsigned int *length)
{
	static const unsigned int lengths[] = { 32, 44, 48, 48, 56, 64, 64, 64, 64, 128 };

	for (int i = 0; i < 4; i++)
		a->s6_addr32[i] = (uint32_t)(random() ^ random() << 16);
	a->s6_addr32[0] = htonl(0x20000000U | (uint32_t)random() % 0x0c000000U);
	a->s6_addr16[0] &= htons(0x3c0f); /* 1,024 values, as the registries have */
	*length = lengths[random() % 10];
}

void draw_v6_one_provider(struct in6_addr *a, unsigned int *length)
{
	draw_v6_blocks(a, length);
	a->s6_addr32[0] = htonl(0x20010db8);
	*length = 64;
}

/* As public feeds are: most are single addresses, most of these in a few thousand networks; some blocks. */
void draw_v4_feed(struct in6_addr *a, unsigned int *length)
{
	uint32_t network = ((uint32_t)random() & 8191) * 2654435761U, kind = (uint32_t)random() % 100;

	draw_v4_addresses(a, length);
	if (kind < 60)
		a->s6_addr32[3] = htonl((network % 0xdf000000U + 0x01000000U) & ~4095U) |
				  (a->s6_addr32[3] & htonl(4095));
	else if (kind < 68)
		*length = 24;
	else if (kind < 70)
		*length = (unsigned int)random() % 8 + 16;
}

void draw_cut(struct in6_addr *a, unsigned int bits)
{
	for (unsigned int bit = bits; bit < 128; bit++)
		a->s6_addr[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}
