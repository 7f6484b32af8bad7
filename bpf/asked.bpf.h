/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the protected side began: flows on which it sent something, echo requests that it sent. Tells an
 * answer from what nobody asked for. A cache of keyed fingerprints as flow.bpf.h's, in both deployments; what
 * does not fit displaces what was last seen longest ago.
 */
#ifndef SYNMOAT_ASKED_BPF_H
#define SYNMOAT_ASKED_BPF_H

#include "flow.bpf.h"
#include "maps.bpf.h"
#include "packet.bpf.h"

#define ASKED_BUCKETS  8192
#define ASKED_TCP_S    7440 /* RFC 5382, REQ-5: an established connection may be silent for 2 h 4 min */
#define ASKED_ECHO_S   60
#define IPPROTO_ICMP   1
#define IPPROTO_ICMPV6 58

enum { ECHO4_REPLY = 0, ECHO4_REQUEST = 8, ECHO6_REQUEST = 128, ECHO6_REPLY = 129 };

struct echo_header {
	__u8 type, code;
	__sum16 check;
	__be16 id, sequence;
};

ARRAY_MAP(asked, ASKED_BUCKETS, struct flow_bucket, 0);

static __always_inline struct flow_bucket *asked_bucket(__u64 hash)
{
	__u32 index = hash & (ASKED_BUCKETS - 1);

	return bpf_map_lookup_elem(&asked, &index);
}

/* Written at most once in four seconds or so, so that a flow that is talking does not dirty its line. */
static __always_inline void asked_note(__u64 hash)
{
	struct flow_bucket *b = asked_bucket(hash);
	__u32 now = flow_time(bpf_jiffies64());
	__u64 *entry;

	if (!b)
		return;
	entry = flow_lookup(b, hash);
	if (entry && ((now - (__u32)*entry) & FLOW_TIME_MASK) < 16)
		return;
	flow_put(b, hash, now);
}

static __always_inline bool asked_lately(__u64 hash, const struct runtime *rt, __u32 seconds)
{
	struct flow_bucket *b = asked_bucket(hash);
	__u64 *entry = b ? flow_lookup(b, hash) : NULL;
	__u32 age;

	if (!entry)
		return false;
	age = (flow_time(bpf_jiffies64()) - (__u32)*entry) & FLOW_TIME_MASK;
	return age <= seconds * rt->jiffies_hz >> FLOW_JIFFIES_SHIFT;
}

/* A segment that left the protected side; a RST may only answer what nobody asked for. */
static __always_inline void asked_note_segment(const struct packet *p)
{
	if (!(p->flags & TCP_RST))
		asked_note(flow_hash_reply(p));
}

/* PEER's answer to the echo request ID would be this one; TCP has no port 0. */
static __always_inline __u64 echo_hash(const struct packet *p, bool reply, __be16 id)
{
	return reply ? tuple_hash(p->v6, p->saddr, p->daddr, id, 0)
		     : tuple_hash(p->v6, p->daddr, p->saddr, id, 0);
}

#endif
