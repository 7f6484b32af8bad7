// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See siphash_reference.h. Names and steps are the paper's: initialization, compression, finalization.
 */
#include "tests/bpf/siphash_reference.h"

static uint64_t little_endian(const uint8_t *bytes, size_t count)
{
	uint64_t word = 0;

	while (count--)
		word = word << 8 | bytes[count];
	return word;
}

static uint64_t turn(uint64_t word, unsigned int bits)
{
	return word << bits | word >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = turn(v[1], 13);
	v[3] = turn(v[3], 16);
	v[1] ^= v[0];
	v[3] ^= v[2];
	v[0] = turn(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = turn(v[1], 17);
	v[3] = turn(v[3], 21);
	v[1] ^= v[2];
	v[3] ^= v[0];
	v[2] = turn(v[2], 32);
}

static void compress(uint64_t v[4], uint64_t word, unsigned int rounds)
{
	v[3] ^= word;
	while (rounds--)
		sip_round(v);
	v[0] ^= word;
}

uint64_t siphash_reference(unsigned int c, unsigned int d, const uint8_t key[16], const void *message,
			   size_t length)
{
	/* section 2.1; the constants spell "somepseudorandomlygeneratedbytes" */
	static const char constants[] = "uespemos"
					"modnarod"
					"arenegyl"
					"setybdet";
	const uint8_t *bytes = message;
	uint64_t v[4];

	for (size_t i = 0; i < 4; i++)
		v[i] = little_endian((const uint8_t *)constants + 8 * i, 8) ^
		       little_endian(key + 8 * (i & 1), 8);
	for (size_t i = 0; i < length / 8; i++)
		compress(v, little_endian(bytes + 8 * i, 8), c);
	compress(v, little_endian(bytes + length / 8 * 8, length % 8) | (uint64_t)(length & 0xff) << 56, c);
	v[2] ^= 0xff;
	while (d--)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
