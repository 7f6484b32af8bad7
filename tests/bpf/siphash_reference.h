/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SipHash-c-d on bytes, written from the paper alone (Aumasson, Bernstein: "SipHash: a fast short-input PRF",
 * section 2): the oracle of the cookie tests. Slow, and shares nothing with bpf/siphash.bpf.h.
 */
#ifndef SYNMOAT_TESTS_SIPHASH_REFERENCE_H
#define SYNMOAT_TESTS_SIPHASH_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash_reference(unsigned int c, unsigned int d, const uint8_t key[16], const void *message,
			   size_t length);

#endif
