/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test vectors of the cookie, version 1 (format: top of bpf/cookie.bpf.h): for an implementation that shares
 * a master with synmoat. Computed by a third implementation (Python) that shares no line with this tree.
 */
#ifndef SYNMOAT_TESTS_COOKIE_VECTORS_H
#define SYNMOAT_TESTS_COOKIE_VECTORS_H

#include "tests/bpf/cookie_reference.h"

#define COOKIE_KEY_0                                                                                         \
	{                                                                                                    \
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15                                         \
	}
#define COOKIE_KEY_1                                                                                         \
	{                                                                                                    \
		16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31                               \
	}

struct cookie_vector {
	const char *name;
	struct cookie_case in;
	struct cookie_answer out; /* ISN, TSval, and the MSS that comes back */
};

#define ADDRESSES_4			  .client = "198.51.100.7", .server = "10.1.0.1"
#define ADDRESSES_6			  .client = "2001:db8:7::7", .server = "fd00:1::1"
#define PORTS(from, to)			  .client_port = from, .server_port = to
#define SIGNED(n, at)			  .generation = n, .key = COOKIE_KEY_##n, .slot = at
#define OFFERED(size, scale, sacks, ecns) .mss = size, .wscale = scale, .sack = sacks, .ecn = ecns

static const struct cookie_vector cookie_vectors[] = {
	{ "Linux",
	  { ADDRESSES_4, PORTS(40000, 80), .client_isn = 0x01020304, SIGNED(0, 29999360), .timestamps = 1,
	    OFFERED(1460, 7, 1, 0) },
	  { 0xcab1b2ca, 0x05b47800, 1460 } },
	{ "Linux, next slot, ECN",
	  { ADDRESSES_4, PORTS(40000, 80), .client_isn = 0x01020304, SIGNED(0, 29999361), .timestamps = 1,
	    OFFERED(1460, 7, 1, 1) },
	  { 0xb775acd8, 0x05b47e00, 1460 } },
	{ "Linux, generation 1",
	  { ADDRESSES_4, PORTS(40000, 80), .client_isn = 0x01020304, SIGNED(1, 29999360), .timestamps = 1,
	    OFFERED(1460, 7, 1, 0) },
	  { 0xbadc0327, 0x05b47900, 1460 } },
	{ "timestamps alone",
	  { ADDRESSES_4, PORTS(65535, 80), .client_isn = 0xffffffff, SIGNED(1, 29999361), .timestamps = 1,
	    OFFERED(536, 15, 0, 0) },
	  { 0x705a92f3, 0x0218f300, 536 } },
	{ "MSS 65535",
	  { ADDRESSES_4, PORTS(1024, 80), .client_isn = 0x00000000, SIGNED(0, 29999360), .timestamps = 1,
	    OFFERED(65535, 14, 1, 1) },
	  { 0x20bd285f, 0xffffec00, 65535 } },
	{ "Windows",
	  { ADDRESSES_4, PORTS(49152, 80), .client_isn = 0x89abcdef, SIGNED(0, 29999360), .timestamps = 0,
	    OFFERED(1460, 8, 1, 0) },
	  { 0x3c5a0560, 0x00000000, 1460 } },
	{ "Windows, next slot",
	  { ADDRESSES_4, PORTS(49152, 80), .client_isn = 0x89abcdef, SIGNED(0, 29999361), .timestamps = 0,
	    OFFERED(1460, 8, 1, 0) },
	  { 0xbc48b1ab, 0x00000000, 1460 } },
	{ "Windows, generation 1, ECN",
	  { ADDRESSES_4, PORTS(49152, 80), .client_isn = 0x89abcdef, SIGNED(1, 29999360), .timestamps = 0,
	    OFFERED(1460, 8, 1, 1) },
	  { 0x7c73048a, 0x00000000, 1460 } },
	{ "no options",
	  { ADDRESSES_4, PORTS(49152, 80), .client_isn = 0x00000000, SIGNED(1, 29999361), .timestamps = 0,
	    OFFERED(536, 15, 0, 0) },
	  { 0xcf9e69be, 0x00000000, 536 } },
	{ "MSS 1412, rounded down",
	  { ADDRESSES_4, PORTS(49152, 80), .client_isn = 0x00000007, SIGNED(0, 29999360), .timestamps = 0,
	    OFFERED(1412, 0, 0, 0) },
	  { 0x201f482b, 0x00000000, 1400 } },
	{ "MSS 512",
	  { ADDRESSES_4, PORTS(49152, 80), .client_isn = 0x00000008, SIGNED(0, 29999360), .timestamps = 0,
	    OFFERED(512, 0, 0, 0) },
	  { 0x000a347c, 0x00000000, 216 } },
	{ "Linux, IPv6",
	  { ADDRESSES_6, PORTS(40000, 80), .client_isn = 0x01020304, SIGNED(0, 29999360), .timestamps = 1,
	    OFFERED(1440, 7, 1, 0) },
	  { 0x8e60e001, 0x05a07800, 1440 } },
	{ "timestamps alone, IPv6, generation 1",
	  { ADDRESSES_6, PORTS(40000, 80), .client_isn = 0xffffffff, SIGNED(1, 29999361), .timestamps = 1,
	    OFFERED(1220, 15, 0, 1) },
	  { 0x8bdf58d8, 0x04c4f700, 1220 } },
	{ "Windows, IPv6",
	  { ADDRESSES_6, PORTS(49152, 80), .client_isn = 0x89abcdef, SIGNED(0, 29999360), .timestamps = 0,
	    OFFERED(1440, 8, 1, 0) },
	  { 0x3c53f235, 0x00000000, 1440 } },
	{ "no options, IPv6, generation 1",
	  { ADDRESSES_6, PORTS(49152, 80), .client_isn = 0x00000000, SIGNED(1, 29999361), .timestamps = 0,
	    OFFERED(1220, 15, 0, 0) },
	  { 0xcf88c2ec, 0x00000000, 1220 } },
	{ "slot of 24 bits at its end",
	  { ADDRESSES_4, PORTS(40000, 80), .client_isn = 0x00000001, SIGNED(0, 16777215), .timestamps = 1,
	    OFFERED(1460, 7, 1, 0) },
	  { 0x7cb57e26, 0x05b47a00, 1460 } },
	{ "slot beyond 24 bits",
	  { ADDRESSES_4, PORTS(40000, 80), .client_isn = 0x00000001, SIGNED(0, 16777216), .timestamps = 0,
	    OFFERED(1460, 7, 1, 0) },
	  { 0x3bd89af0, 0x00000000, 1460 } },
};

#define COOKIE_VECTORS (sizeof(cookie_vectors) / sizeof(*cookie_vectors))

#endif
