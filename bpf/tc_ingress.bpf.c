// SPDX-License-Identifier: GPL-2.0
/*
 * tcx ingress in host mode: takes the ACKs whose cookies XDP found valid and hands each to its listener as a
 * finished handshake, with every option restored. An old socket on the same tuple (TIME_WAIT, or a half-open
 * one from before mitigation) is reset out of the way first. All else goes on untouched.
 */
#include "abi.h"
#include "count.bpf.h"
#include "event.bpf.h"
#include "halfopen.bpf.h"
#include "limit.bpf.h"
#include "packet.bpf.h"
#include "socket.bpf.h"

/* A full BTF definition of struct sock must exist, or libbpf 1.1 refuses this prototype. */
extern int bpf_sk_assign_tcp_reqsk(struct __sk_buff *s, struct sock *sk, struct bpf_tcp_req_attrs *attrs,
				   int attrs__sz) __ksym __weak;

/* A segment that we sent through ingress again carries this mark, with its slot in replays in the low bits;
 * metadata would be lost, as the kernel drops it when it copies the header. */
#define REPLAY_MARK  0x53594c00
#define REPLAY_SLOTS 1024

struct replay {
	struct handover handover;
	__u32 seq, ack;
	__be16 source, dest;
};

ARRAY_MAP(replays, REPLAY_SLOTS, struct replay, 0);
__u32 replay_next;

/*
 * Handshakes handed over just now, direct-mapped: 63..32 of a hash of tuple and cookie, 31..24 the
 * CPU, 23..16 how many cookies that CPU had met, 15..0 jiffies. A batch of packets passes here as a whole
 * before TCP sees its first, so the data behind a third ACK must not be handed over a second time: TCP would
 * drop it as a duplicate of the socket that the ACK is about to make. The cookie is in the hash because the
 * tuple may come back for a new connection at once; the CPU, because only on the same one is the ACK sure to
 * stay ahead. A machine may stall within a batch, for longer than a few jiffies but for no more packets than
 * it has, and whoever comes after a client's least timeout (200 ms) comes because TCP did not take the first.
 */
#define HANDED_SLOTS	4096
#define HANDED_JIFFIES	2
#define HANDED_BATCH	8   /* net.core.gro_normal_batch */
#define HANDED_BATCH_MS 150 /* at most, for these */

ARRAY_MAP(handed, HANDED_SLOTS, __u64, 0);
PERCPU_MAP(cookies_met, 1, __u32);

static __always_inline __u32 cookies_of_cpu(__u32 more)
{
	__u32 zero = 0, *met = bpf_map_lookup_elem(&cookies_met, &zero);

	return met ? *met += more : 0;
}

static __always_inline __u64 handed_entry(__u64 hash)
{
	return hash >> 32 << 32 | (bpf_get_smp_processor_id() & 0xffULL) << 24 |
	       (cookies_of_cpu(0) & 0xff) << 16 | (bpf_jiffies64() & 0xffff);
}

static __always_inline bool handed_just_now(__u64 hash, const struct runtime *rt)
{
	__u32 slot = hash & (HANDED_SLOTS - 1);
	__u64 *entry = bpf_map_lookup_elem(&handed, &slot);
	__u64 now = handed_entry(hash), age;

	if (!entry || *entry >> 24 != now >> 24)
		return false;
	age = (now - *entry) & 0xffff;
	return age <= HANDED_JIFFIES || (age * 1000 <= (__u64)rt->jiffies_hz * HANDED_BATCH_MS &&
					 (((now >> 16) - (*entry >> 16)) & 0xff) < HANDED_BATCH);
}

static __always_inline void handed_store(__u64 hash)
{
	__u32 slot = hash & (HANDED_SLOTS - 1);
	__u64 *entry = bpf_map_lookup_elem(&handed, &slot);

	if (entry)
		*entry = handed_entry(hash);
}

static __always_inline bool handover_read(struct __sk_buff *skb, struct handover *out)
{
	struct handover *h = SKB_DATA_META(skb);

	if ((void *)(h + 1) > SKB_DATA(skb) || h->magic != HANDOVER_MAGIC)
		return false;
	*out = *h;
	return true;
}

static __always_inline bool replay_read(__u32 mark, const struct packet *p, struct handover *out)
{
	__u32 slot = mark & (REPLAY_SLOTS - 1);
	struct replay *r = bpf_map_lookup_elem(&replays, &slot);

	if (!r || r->seq != p->seq || r->ack != p->ack || r->source != p->source || r->dest != p->dest)
		return false;
	*out = r->handover;
	return true;
}

static __always_inline __u32 replay_store(const struct packet *p, const struct handover *h)
{
	__u32 slot = __sync_fetch_and_add(&replay_next, 1) & (REPLAY_SLOTS - 1);
	struct replay *r = bpf_map_lookup_elem(&replays, &slot);

	if (r) {
		r->handover = *h;
		r->seq = p->seq;
		r->ack = p->ack;
		r->source = p->source;
		r->dest = p->dest;
	}
	return REPLAY_MARK | slot;
}

/* Writes sequence number and the word of data offset and flags, checksum included. */
static __always_inline void rewrite(struct __sk_buff *skb, __u32 l4, __be32 seq_from, __be32 seq_to,
				    __be16 flags_from, __be16 flags_to)
{
	__u32 check = l4 + __builtin_offsetof(struct tcphdr, check);

	bpf_l4_csum_replace(skb, check, seq_from, seq_to, 4);
	bpf_l4_csum_replace(skb, check, flags_from, flags_to, 2);
	bpf_skb_store_bytes(skb, l4 + __builtin_offsetof(struct tcphdr, seq), &seq_to, 4, 0);
	bpf_skb_store_bytes(skb, l4 + __builtin_offsetof(struct tcphdr, doff_reserved), &flags_to, 2, 0);
}

/*
 * Sends through ingress a RST that the old socket must take (at exactly its RCV.NXT; no options, so that no
 * timestamp check refuses it), and this ACK behind it. Both go through this CPU's backlog in order. The
 * caller drops the packet.
 */
static __always_inline void replace_socket(struct __sk_buff *skb, const struct packet *p, __u32 rcv_nxt,
					   const struct handover *h)
{
	__be32 seq = bpf_htonl(p->seq), reset_seq = bpf_htonl(rcv_nxt);
	__be16 flags, reset_flags = bpf_htons(TCP_MIN / 4 << 12 | TCP_RST);
	__u32 l4 = p->l4;

	if (bpf_skb_load_bytes(skb, l4 + __builtin_offsetof(struct tcphdr, doff_reserved), &flags, 2))
		return;
	rewrite(skb, l4, seq, reset_seq, flags, reset_flags);
	skb->mark = replay_store(p, h);
	bpf_clone_redirect(skb, skb->ifindex, BPF_F_INGRESS);
	rewrite(skb, l4, reset_seq, seq, reset_flags, flags);
	bpf_clone_redirect(skb, skb->ifindex, BPF_F_INGRESS);
}

/* RCV.NXT of a TIME_WAIT or half-open socket; false: it is neither. */
static __always_inline bool old_socket(struct bpf_sock *sk, __u32 *rcv_nxt)
{
	if (sk->state == BPF_TCP_TIME_WAIT) {
		struct tcp_timewait_sock *tw = bpf_skc_to_tcp_timewait_sock(sk);

		if (!tw)
			return false;
		*rcv_nxt = tw->tw_sk.__tw_common.skc_tw_rcv_nxt;
		return true;
	}
	if (sk->state == BPF_TCP_NEW_SYN_RECV) {
		struct tcp_request_sock *req = bpf_skc_to_tcp_request_sock(sk);

		if (!req)
			return false;
		*rcv_nxt = req->rcv_nxt;
		return true;
	}
	return false;
}

static __always_inline void attrs_fill(struct bpf_tcp_req_attrs *attrs, const struct handover *h)
{
	attrs->rcv_tsval = h->rcv_tsval;
	attrs->rcv_tsecr = h->rcv_tsecr;
	attrs->mss = h->mss;
	attrs->rcv_wscale = h->rcv_wscale;
	attrs->snd_wscale = h->snd_wscale;
	attrs->ecn_ok = h->ecn_ok;
	attrs->wscale_ok = h->wscale_ok;
	attrs->sack_ok = h->sack_ok;
	attrs->tstamp_ok = h->tstamp_ok;
}

static __always_inline int assign(struct __sk_buff *skb, const struct packet *p, struct bpf_sock *listener,
				  const struct handover *h, const struct runtime *rt)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(listener);
	struct bpf_tcp_req_attrs attrs = {};
	int error;

	if (!tp || !bpf_core_type_exists(struct sock) || !bpf_sk_assign_tcp_reqsk)
		return TCX_DROP;
	/* Like TCP itself: the client comes back with its data, and then there may be room. */
	if (tp->inet_conn.icsk_inet.sk.sk_ack_backlog > tp->inet_conn.icsk_inet.sk.sk_max_ack_backlog) {
		count_handover(HANDOVER_QUEUE_FULL);
		return TCX_DROP;
	}
	attrs_fill(&attrs, h);
	error = bpf_sk_assign_tcp_reqsk(skb, (struct sock *)tp, &attrs, sizeof(attrs));
	if (error) {
		count_handover_error(error);
		count_handover(HANDOVER_REFUSED);
		return TCX_DROP;
	}
	count_handover(HANDOVER_ASSIGNED);
	count_completed(h->service);
	event_cookie(p, h->service, false);
	half_open_complete(p, rt, h->service);
	return TCX_NEXT;
}

/* A valid cookie met SK, which the kernel finds for its tuple. */
static __always_inline int meet(struct __sk_buff *skb, const struct packet *p, struct bpf_sock *sk,
				const struct handover *h, bool replayed)
{
	__u64 hash = mix(flow_hash(p), p->ack);
	bool listening = sk->state == BPF_TCP_LISTEN;
	const struct runtime *rt = runtime_live();
	__u32 rcv_nxt = 0;

	if (!listening && !old_socket(sk, &rcv_nxt)) {
		count_handover(HANDOVER_KNOWN);
		return TCX_NEXT;
	}
	if (!rt)
		return TCX_DROP;
	cookies_of_cpu(1);
	if (!replayed && handed_just_now(hash, rt)) {
		count_handover(HANDOVER_KNOWN);
		if (listening)
			return TCX_NEXT;
		bpf_clone_redirect(skb, skb->ifindex, BPF_F_INGRESS); /* it must stay behind its ACK */
		return TCX_DROP;
	}
	if (listening && !h->allowed && !limit_connection(p, rt, h->service)) {
		count_handover(HANDOVER_LIMITED);
		return TCX_DROP;
	}
	handed_store(hash);
	if (listening)
		return assign(skb, p, sk, h, rt);
	if (replayed) { /* it would not go: net.ipv4.tcp_rfc1337 = 1, for one */
		count_handover(HANDOVER_REFUSED);
		return TCX_DROP;
	}
	replace_socket(skb, p, rcv_nxt, h);
	count_handover(HANDOVER_REPLACED);
	return TCX_DROP;
}

SEC("tc")
int tc_ingress(struct __sk_buff *skb)
{
	bool replayed = (skb->mark & ~(REPLAY_SLOTS - 1)) == REPLAY_MARK;
	struct packet p = {};
	struct handover h = {};
	struct bpf_sock *sk;
	int action;

	if (!replayed && !handover_read(skb, &h))
		return TCX_NEXT;
	if (packet_parse(SKB_DATA(skb), SKB_DATA_END(skb), &p) != PARSED_TCP)
		return TCX_NEXT;
	if (replayed) {
		__u32 mark = skb->mark;

		skb->mark = 0;
		if (p.flags & TCP_RST)
			return TCX_NEXT;
		if (!replay_read(mark, &p, &h))
			return TCX_DROP;
	}
	sk = socket_lookup(skb, &p);
	if (!sk) {
		count_handover(HANDOVER_NO_LISTENER);
		return TCX_NEXT;
	}
	action = meet(skb, &p, sk, &h, replayed);
	bpf_sk_release(sk);
	if (p.flags & TCP_FIN) /* right behind its third ACK, which XDP has left to us */
		event_segment(&p, h.service, false, p.ack);
	return action;
}

char _license[] SEC("license") __weak = "GPL";
