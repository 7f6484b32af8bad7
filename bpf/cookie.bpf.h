/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cookie, version 1 (test vectors: tests/bpf/cookie_vectors.h).
 *
 * MAC = SipHash-1-3, keyed by the 128-bit master of a generation, over 23 bytes (IPv4) or 47 (IPv6):
 *   source address, destination address, source port, destination port   (as on the wire in the client's SYN)
 *   client ISN, option word                                               (32 bits each, little-endian)
 *   slot                                                                  (24 bits, little-endian)
 * A slot is COOKIE_SLOT_S of wall-clock time.
 *
 * Client offered timestamps: ISN = the MAC's low 32 bits, option word = our TSval:
 *   31..16 MSS   15..12 window scale (15: none)   11 SACK   10 ECN   9 slot parity   8 key generation   7..0
 * zero Otherwise: ISN = 31 slot parity   30 key generation   29..27 MSS index   26..23 window scale (15:
 * none)   22 SACK   21 ECN 20..0 the MAC's low bits with the upper 11 bits, shifted down, as the option word
 * (below 2^16, so never one of the first kind).
 *
 * Parity and generation in the cookie make a bad ACK cost one hash.
 */
#ifndef SYNMOAT_COOKIE_BPF_H
#define SYNMOAT_COOKIE_BPF_H

#include "maps.bpf.h"
#include "option.bpf.h"
#include "siphash.bpf.h"

#define COOKIE_MAC_BITS 21
#define COOKIE_MAC_MASK ((1U << COOKIE_MAC_BITS) - 1)

/* Of a client that announces none (RFC 9293, section 3.7.1). The kernel accepts no less from
 * bpf_sk_assign_tcp_reqsk(). */
#define MSS_DEFAULT4 536
#define MSS_DEFAULT6 1220

/* Rounded down to one of these when no timestamp carries the exact value. volatile: clang would put 16 bytes
 * into .rodata.cst16, which libbpf 1.1 cannot size. */
const volatile __u16 cookie_mss4[8] __weak = { 216, 536, 1200, 1360, 1400, 1440, 1452, 1460 };
const volatile __u16 cookie_mss6[8] __weak = { 216, 1220, 1340, 1360, 1380, 1400, 1420, 1440 };

/* What a handshake agreed on, as seen from the server. */
struct cookie_options {
	__u16 mss;
	__u8 wscale; /* COOKIE_NO_WSCALE: none */
	bool sack, ecn;
};

static __always_inline __u32 cookie_slot(const struct runtime *rt, __u64 jiffies)
{
	__u64 elapsed = jiffies - rt->slot_began;
	__u32 slot = rt->slot_base;

	if (elapsed >= rt->slot_jiffies &&
	    rt->slot_jiffies) /* the daemon has not come round yet, or is dead */
		slot += elapsed / rt->slot_jiffies;
	return slot;
}

static __always_inline __u32 cookie_mac(const struct packet *p, __u32 client_isn, __u32 option_word,
					__u32 slot, const __u64 key[2])
{
	__u64 ports = p->ports | (__u64)client_isn << 32;
	__u64 last = option_word | (__u64)(slot & 0xffffff) << 32;

	if (p->v6) {
		__u64 words[6] = {
			p->saddr[0] | (__u64)p->saddr[1] << 32,
			p->saddr[2] | (__u64)p->saddr[3] << 32,
			p->daddr[0] | (__u64)p->daddr[1] << 32,
			p->daddr[2] | (__u64)p->daddr[3] << 32,
			ports,
			last | 47ULL << 56,
		};

		return siphash13(key, words, 6);
	} else {
		__u64 words[3] = { p->saddr[0] | (__u64)p->daddr[0] << 32, ports, last | 23ULL << 56 };

		return siphash13(key, words, 3);
	}
}

static __always_inline __u32 mss_index(__u16 mss, bool v6)
{
	__u32 index = 0;

#pragma unroll
	for (int i = 1; i < 8; i++)
		index += mss >= (v6 ? cookie_mss6[i] : cookie_mss4[i]);
	return index;
}

/* ISN for the SYN p; *tsval is ours if the client offered timestamps. */
static __always_inline __u32 cookie_make(const struct packet *p, const struct cookie_options *o,
					 bool timestamps, const struct runtime *rt, __u32 *tsval)
{
	__u32 slot = cookie_slot(rt, bpf_jiffies64());
	__u32 generation = rt->key_generation & 1;
	__u32 mark = (slot & 1) << 1 | generation;

	if (timestamps) {
		*tsval = (__u32)o->mss << 16 | o->wscale << 12 | o->sack << 11 | o->ecn << 10 | mark << 8;
		return cookie_mac(p, p->seq, *tsval, slot, rt->key[generation]);
	} else {
		__u32 word =
			mark << 9 | mss_index(o->mss, p->v6) << 6 | o->wscale << 2 | o->sack << 1 | o->ecn;

		return word << COOKIE_MAC_BITS |
		       (cookie_mac(p, p->seq, word, slot, rt->key[generation]) & COOKIE_MAC_MASK);
	}
}

/* The ACK p acknowledges a cookie of ours that is still good: *o is what it carried. One hash, whatever
 * comes. */
static __always_inline bool cookie_check(const struct packet *p, const struct tcp_options *in,
					 const struct runtime *rt, struct cookie_options *o)
{
	bool timestamps = in->present & OPTION_TS;
	__u32 isn = p->ack - 1;
	__u32 word = timestamps ? in->tsecr : isn >> COOKIE_MAC_BITS;
	__u32 mark = timestamps ? word >> 8 & 3 : word >> 9;
	__u32 slot = cookie_slot(rt, bpf_jiffies64());
	__u32 generation = mark & 1;
	__u32 difference;

	if (!(rt->key_valid >> generation & 1))
		return false;
	slot -= (slot ^ mark >> 1) & 1; /* no branch: whoever forges cookies would have it mispredicted */
	difference = cookie_mac(p, p->seq - 1, word, slot, rt->key[generation]) ^ isn;
	if (timestamps) {
		if (difference)
			return false;
		o->mss = word >> 16;
		o->wscale = word >> 12 & 15;
		o->sack = word >> 11 & 1;
		o->ecn = word >> 10 & 1;
	} else {
		if (difference & COOKIE_MAC_MASK)
			return false;
		o->mss = p->v6 ? cookie_mss6[word >> 6 & 7] : cookie_mss4[word >> 6 & 7];
		o->wscale = word >> 2 & 15;
		o->sack = word >> 1 & 1;
		o->ecn = word & 1;
	}
	return true;
}

#endif
