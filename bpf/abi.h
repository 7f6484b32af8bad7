/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one header that BPF programs and user space share: verdicts, the services table, keys and the cookie's
 * clock, what XDP hands over to tc, and the arguments of the programs that user space runs itself.
 * Fixed-width types only; every layout is asserted. Wire order is said by name (__be16, __be32), all else is
 * host order.
 */
#ifndef SYNMOAT_ABI_H
#define SYNMOAT_ABI_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

#define SERVICES_MAX  64
#define SERVICE_NONE  0 /* slot 0 of every table indexed by service counts what belongs to no service */
#define SERVICE_SLOTS (SERVICES_MAX + 1)
#define RANGES_MAX    65536 /* address ranges of one family, in one of the two halves of the services table */
#define RANGE_STEPS   17    /* binary search over RANGES_MAX ranges */

/*
 * Every packet that XDP sees ends in exactly one of these verdicts, so their sum is the number of packets
 * seen. X(NAME, word, meaning): the word names the verdict in counters, logs, metrics and the CLI alike.
 */
#define VERDICTS(X)                                                                                          \
	X(PASS_NOT_IP, pass_not_ip, "neither IPv4 nor IPv6: passed untouched")                               \
	X(PASS_NOT_TCP, pass_not_tcp, "IP but not TCP: passed untouched")                                    \
	X(PASS_NO_SERVICE, pass_no_service, "TCP to no declared service: passed untouched")                  \
	X(PASS_OTHER_HOST, pass_other_host, "to a service's address, but another machine's MAC address")     \
	X(PASS_OPEN, pass_open, "to a service that is not being mitigated now")                              \
	X(PASS_MONITOR, pass_monitor, "to a service in mode monitor: passed, see what would have been done") \
	X(PASS_FLOW, pass_flow, "segment of a verified flow")                                                \
	X(PASS_SOCKET, pass_socket, "segment that a socket of the kernel owns")                              \
	X(PASS_COOKIE, pass_cookie, "ACK with a valid cookie, handed to the server's stack")                 \
	X(PASS_NO_LISTENER, pass_no_listener, "SYN to a port without a local listener")                      \
	X(PASS_MPTCP, pass_mptcp, "to an MPTCP listener, which only the kernel's own cookies can serve")     \
	X(PASS_TCP_AUTH, pass_tcp_auth, "SYN with TCP-MD5 or TCP-AO to a service that allows it")            \
	X(PASS_HANDSHAKE, pass_handshake, "inline: our handshake with the server")                           \
	X(PASS_TRANSLATED, pass_translated, "inline: segment of a connection that we proxy, translated")     \
	X(PASS_RECHECK, pass_recheck,                                                                        \
	  "inline: SYN to a server that was closed or silent, one a second: has it come back?")              \
	X(PASS_AGENT, pass_agent, "inline: ACK with a valid cookie, left to the synmoat on the server")      \
	X(PASS_UNKNOWN, pass_unknown, "inline: segment of no known connection, within the budget")           \
	X(PASS_ROUTED, pass_routed, "inline, forward = route: left to the kernel (MTU, TTL, next hop)")      \
	X(TX_SYNACK, tx_synack, "SYN answered with a cookie")                                                \
	X(TX_RST, tx_rst, "inline: RST to the server for a handshake that is not ours any more")             \
	X(TX_CLOSED, tx_closed, "inline: SYN to a server whose port is closed: RST to the client")           \
	X(TX_REFUSED, tx_refused, "inline: valid cookie, but the table is full: RST to the client")          \
	X(DROP_BLOCKED, drop_blocked, "from an address on the block list, whatever it is")                   \
	X(DROP_EARLY, drop_early, "inline: early data kept, or sent again, ahead of the server's answer")    \
	X(DROP_HANDSHAKES, drop_handshakes,                                                                  \
	  "inline: valid cookie, but too many handshakes with the server are under way")                     \
	X(DROP_SOURCE_HANDSHAKES, drop_source_handshakes,                                                    \
	  "inline: valid cookie, but its source has too many handshakes with servers under way")             \
	X(DROP_SILENT, drop_silent, "inline: SYN to a server that answers nothing")                          \
	X(DROP_CE, drop_ce,                                                                                  \
	  "inline: marked as congested, on a connection with an end that knows no ECN: it must see a loss")  \
	X(DROP_REPLAYED, drop_replayed, "inline: third ACK of a known connection, over and over")            \
	X(DROP_BAD_COOKIE, drop_bad_cookie, "ACK without a valid cookie that no socket owns")                \
	X(DROP_STRAY_SYNACK, drop_stray_synack, "SYN-ACK that belongs to no connection")                     \
	X(DROP_STRAY_RST, drop_stray_rst, "RST that belongs to no connection")                               \
	X(DROP_STRAY_FIN, drop_stray_fin, "FIN that belongs to no connection")                               \
	X(DROP_LOOKUP_BUDGET, drop_lookup_budget, "unknown segment beyond the budget of socket lookups")     \
	X(DROP_NULL, drop_null, "segment without any flag (NULL scan)")                                      \
	X(DROP_XMAS, drop_xmas, "FIN and URG without ACK (XMAS scan)")                                       \
	X(DROP_URG, drop_urg, "URG alone")                                                                   \
	X(DROP_BARE_FIN, drop_bare_fin, "FIN without ACK")                                                   \
	X(DROP_BAD_FLAGS, drop_bad_flags, "SYN or FIN or RST together, or flags that no stack combines")     \
	X(DROP_LAND, drop_land, "from the address that it goes to")                                          \
	X(DROP_CLOSED, drop_closed, "to a port of a protected address that no service declares")             \
	X(DROP_OUTWARD_DESTINATION, drop_outward_destination,                                                \
	  "SYN of a protected server to where it may not connect")                                           \
	X(DROP_OUTWARD_RATE, drop_outward_rate, "SYN of a protected server over its rate")                   \
	X(DROP_OUTWARD_SOURCE, drop_outward_source, "outwards, from an address that is not protected")       \
	X(DROP_ECHO_BROADCAST, drop_echo_broadcast, "ICMP echo request to broadcast or multicast (Smurf)")   \
	X(DROP_ECHO_REPLY, drop_echo_reply, "ICMP echo reply that nobody asked for")                         \
	X(DROP_SYNACK_BUDGET, drop_synack_budget, "SYN of a prefix that got its share of SYN-ACKs")          \
	X(DROP_BAD_CHECKSUM, drop_bad_checksum,                                                              \
	  "SYN, or inline any segment of a handshake, with a wrong IP or TCP checksum")                      \
	X(DROP_BAD_SOURCE, drop_bad_source, "from an address that nobody can have (multicast, loopback)")    \
	X(DROP_MALFORMED, drop_malformed, "header cut short, or a length that lies")                         \
	X(DROP_FRAGMENT, drop_fragment, "fragment of a TCP segment to a service's address")                  \
	X(DROP_RATE_SOURCE, drop_rate_source, "SYN over the rate of its source address, thinned out")        \
	X(DROP_RATE_PREFIX, drop_rate_prefix, "SYN over the rate of its source's prefix, thinned out")       \
	X(DROP_RATE_SERVICE, drop_rate_service, "SYN over the rate of its service, thinned out")             \
	X(DROP_RATE_TOTAL, drop_rate_total, "SYN over the rate of all services together, thinned out")       \
	X(DROP_HALF_OPEN_SOURCE, drop_half_open_source,                                                      \
	  "SYN of a source with too many half-open handshakes, thinned out")                                 \
	X(DROP_HALF_OPEN_PREFIX, drop_half_open_prefix,                                                      \
	  "SYN of a prefix with too many half-open handshakes, thinned out")                                 \
	X(DROP_HALF_OPEN_SERVICE, drop_half_open_service,                                                    \
	  "SYN to a service with too many half-open handshakes, thinned out")                                \
	X(DROP_HALF_OPEN_TOTAL, drop_half_open_total, "too many half-open handshakes in all, thinned out")   \
	X(DROP_CONNECTIONS, drop_connections,                                                                \
	  "valid cookie, but over a limit on new connections (host mode: handover limited)")                 \
	X(DROP_TCP_AUTH, drop_tcp_auth,                                                                      \
	  "SYN with TCP-MD5 or TCP-AO: service does not allow it, or over its rate")                         \
	X(DROP_INTERNAL, drop_internal, "packet that could not be rewritten (no room); should stay 0")

enum verdict {
#define X(name, word, meaning) name,
	VERDICTS(X)
#undef X
		VERDICT_COUNT
};

/* What became of an ACK with a valid cookie at tc ingress. */
#define HANDOVERS(X)                                                                                         \
	X(HANDOVER_ASSIGNED, assigned, "connection handed to the listener with its options restored")        \
	X(HANDOVER_KNOWN, known, "a socket of the kernel already owns the connection")                       \
	X(HANDOVER_REPLACED, replaced, "an old TIME_WAIT or half-open socket was cleared out of the way")    \
	X(HANDOVER_NO_LISTENER, no_listener, "the listener has gone since its SYN was answered")             \
	X(HANDOVER_QUEUE_FULL, queue_full,                                                                   \
	  "the listener's accept queue is full: dropped, the client tries again")                            \
	X(HANDOVER_LIMITED, limited, "over a limit on new connections (see limit show): dropped")            \
	X(HANDOVER_REFUSED, refused, "the kernel refused the connection (see its last error)")

enum handover_outcome {
#define X(name, word, meaning) name,
	HANDOVERS(X)
#undef X
		HANDOVER_COUNT
};

/* Per-CPU, one for each service and one (slot 0) for what belongs to none. */
struct service_counters {
	__u64 verdict[VERDICT_COUNT];
	__u64 would[VERDICT_COUNT]; /* mode or policy monitor: the verdict that would have been given */
	__u64 syns;		    /* of all verdicts: packets that open a connection */
	__u64 completed;	    /* connections that a cookie made */
};

struct handover_counters {
	__u64 outcome[HANDOVER_COUNT];
	__s64 last_error; /* of bpf_sk_assign_tcp_reqsk, negative errno */
};

/* Host mode: what tcx egress drops is in no verdict, as XDP never saw it. By enum verdict. */
struct outward_counters {
	__u64 dropped[VERDICT_COUNT];
	__u64 would[VERDICT_COUNT];
};

enum service_mode { MODE_OFF, MODE_MONITOR, MODE_AUTO, MODE_ALWAYS };

/* Policies for packets of no one service; sanity is in struct service. */
enum policy { POLICY_REFLECTION, POLICY_SMURF, POLICY_SOURCE, POLICY_COUNT };

/* MONITOR: what would be dropped is counted and passes. */
enum policy_mode { POLICY_OFF, POLICY_MONITOR, POLICY_ENFORCE };

/* ACTIVE: SYNs are answered with cookies. GRACE: no new cookies, but cookies validate for their lifetime. */
enum mitigation { MITIGATION_IDLE, MITIGATION_ACTIVE, MITIGATION_GRACE };

/* A service as XDP sees it; slot numbers stay with a service's name for the life of the daemon. */
struct service {
	__u8 mode;	/* enum service_mode */
	__u8 wscale;	/* window scale that we announce */
	__u8 wscale_ok; /* the server's stack would use window scaling, SACK, timestamps, ECN (its sysctls) */
	__u8 sack_ok;
	__u8 timestamps_ok;
	__u8 ecn_ok;
	__u8 tcp_auth; /* SYNs with TCP-MD5 or TCP-AO pass, rate-limited */
	__u8 sanity;   /* enum policy_mode */
	__u16 mss4;    /* announced, never larger than what the server itself would announce */
	__u16 mss6;
	__u16 window4; /* announced, unscaled */
	__u16 window6;
	__u32 half_open_high; /* SYN_RCVD sockets of one listener; 0: a quarter of its backlog */
	__u32 syn_rate_high;  /* SYN/s of the service; 0: no mark */
	__u32 tcp_auth_pps;
	__u8 reflection; /* enum policy_mode */
	__u8 agent;	 /* inline: the server runs synmoat, too, with the same secret, and takes the cookies
			    itself */
	__u8 pad2[2];
};

/* The SYN-rate mark is held against each eighth of a second: so many SYNs may pass in it, the next one begins
 * mitigation, and syn_count stays as it then is. */
#define SYN_RATE_WINDOWS	   8
#define SYN_RATE_WINDOW_MOST(rate) ((rate) / SYN_RATE_WINDOWS + 1)

/* What changes while packets flow; written by XDP and by the daemon, not swapped by a reload. */
struct service_state {
	__u32 mitigation; /* enum mitigation */
	__u32 sample;	  /* written by the daemon: one SYN in so many is kept, a power of two; 0: none */
	__u64 since;	  /* jiffies64 at which it began */
	__u64 syn_window; /* SYN-rate mark: the eighth of a second being counted, and its SYNs */
	__u32 syn_count;
	__u32 half_open;   /* SYN queue of the listener that the last passed SYN met */
	__u64 auth_window; /* TCP-MD5/AO rate: the second being counted, and its SYNs */
	__u32 auth_count;
	__u32 backlog;	  /* of that listener */
	__u64 mptcp_seen; /* jiffies64 at which a SYN last met an MPTCP listener; 0: never */
	/* inline: handshakes with the server that are not done, and the second and count of unknown segments
	 */
	__u32 handshakes;
	__u32 unknown_count;
	__u64 unknown_window;
	__u32 answered;	  /* inline: SYN-ACKs of servers that went back through us */
	__u32 asymmetric; /* inline: clients that behaved as if one had reached them another way */
};

/*
 * Services table: for each destination port the sorted, disjoint address ranges that some service covers. Two
 * halves, of which runtime.half is live: a reload builds the other and swaps, so no packet meets a half-built
 * table. Entry 0 of a half (port 0 belongs to nobody) holds all ranges of all ports and judges fragments and
 * cut-off headers.
 */
struct port_ranges {
	__u32 first4, count4;
	__u32 first6, count6;
};

struct range4 {
	__u32 first, last; /* host order, inclusive */
	__u32 service;
	__u32 pad;
};

struct range6 {
	__u64 first[2], last[2]; /* host order, most significant half first, inclusive */
	__u32 service;
	__u32 pad;
};

#define SKETCH_LEVELS  3 /* source, prefix, site */
#define BROADCASTS_MAX 4
#define GUARDS_MAX     32
#define GUARD_SPANS    16

/* Of protected prefixes: what may come in, what may go out. */
struct guard {
	__u8 closed;  /* enum policy_mode: TCP to other ports than the services' */
	__u8 outward; /* likewise: connections that begin inside */
	__u8 any_destination;
	__u8 span_count; /* allowed ports; 0: all */
	struct {
		__u16 first, last;
	} spans[GUARD_SPANS];
	struct port_ranges to; /* allowed destinations */
	__u32 syn_pps;	       /* 0: no limit */
};

/* What a protected entry's policies dropped, and in mode monitor would have. */
enum guard_reason { GUARD_CLOSED, GUARD_DESTINATION, GUARD_RATE, GUARD_REASONS };
struct guard_counters {
	__u64 dropped[GUARD_REASONS], would[GUARD_REASONS];
};

/*
 * All that a packet needs to know at once, published whole: the daemon fills the runtime that is not live,
 * then sets control.live. Nothing in it goes stale if the daemon dies: slots are counted on from slot_base by
 * jiffies.
 */
struct runtime {
	__u64 key[2][2];      /* SipHash masters by generation */
	__u32 key_generation; /* that signs */
	__u32 key_valid;      /* bit g: generation g validates */
	__u64 slot_began;     /* jiffies64 at which slot_base began */
	__u32 slot_base;      /* wall clock / COOKIE_SLOT_S */
	__u32 slot_jiffies;   /* length of a slot */
	__u32 half;	      /* of the services table */
	__u32 bypass;	      /* no new cookies, no drops */
	__u32 jiffies_hz;
	__u32 lookups_per_s;	     /* budget of socket lookups for unknown segments, each CPU */
	__u16 mac[4];		     /* of our interface, in its first three; all zero: any */
	__u32 unknown_pps;	     /* inline: unknown segments that may pass to a service */
	__u32 handshakes_max;	     /* inline: with the servers of one service */
	__u32 handshakes_per_source; /* inline: of them, on behalf of one address (IPv6: /64) */
	__u32 unknown_per_prefix;    /* inline: of unknown_pps, from one prefix (/24, IPv6: /64) */
	__u32 port_ifindex[2];	     /* by enum port */
	__u32 probe_after_s;	     /* inline: silence of a client that is unproven */
	__u32 limits;		     /* half of the limits that is live */
	__u32 limits_mode;	     /* enum policy_mode */
	__u32 accounting;	     /* of half-open handshakes */
	__u32 window_shift;	     /* a window of the sketch lasts 1 << window_shift jiffies */
	/* by level: how much an estimate may be too high; from which half-opens on a source stands out */
	__u32 sketch_error[SKETCH_LEVELS];
	__u32 heavy_from[SKETCH_LEVELS];
	__u32 auto_block; /* acts count */
	__u32 sample;	  /* under a flood one SYN in so many stands for all: a power of two; 0, 1: each */
	__u32 wide;	  /* 1 << KIND_...: services, or all together, have such limits */
	/* enum policy_mode, by enum policy */
	__u8 policy[4];
	/* SYN-ACKs to one prefix, /24 or /64 */
	__u32 synack_pps;
	/* services' broadcast addresses, as ranges in this half of ranges4 */
	__u32 broadcast_first, broadcast_count;
	/* the protected prefixes, as ranges in this half that bear the number of their entry in guards, from
	 * 1 on */
	struct port_ranges guarded;
	/* broadcast addresses of our interface; 0: none */
	__be32 broadcast[BROADCASTS_MAX];
	__u32 list_root[2]; /* of the lists, IPv4 and IPv6: a word (see struct list_line); 0: empty */
};

struct control {
	__u32 live;
	__u32 pad;
	struct runtime runtime[2];
};

/*
 * Lists: a table for each family, made so that most addresses are judged by one line of 64 bytes that is not
 * hot. Its root is a chunk of 65,536 words, by the first 16 bits of the address. A word is a reference
 * (LIST_REF, in IPv4 how many bits choose one of the lines there, number of the first line), or else the
 * verdict for good: 0 none, or the number of the winning entry's record and whether it allows. What leads on
 * are lines: struct list_index chooses one of many by some bits of the address; struct list_narrow and
 * list_wide hold up to 24 keys of 16 bits (IPv4) or 6 of 64 bits (one half of an IPv6 address). Their words
 * stand elsewhere, since a verdict does not wait for the record to be known.
 *
 * A line that packets may be reading changes in one word only: `next` becomes a reference to the line that
 * holds instead of it. Lines that nothing refers to are used again when all packets of before have ended.
 */
#define LIST_CHUNK_SHIFT 12 /* of lines: 256 KiB */
#define LIST_CHUNK_LINES (1U << LIST_CHUNK_SHIFT)
#define LIST_CHUNKS	 8192
#define LIST_MAP_SHIFT	 15 /* of lines: eight chunks share a map, since each new map waits for RCU */
#define LIST_MAP_LINES	 (1U << LIST_MAP_SHIFT)
#define LIST_MAPS	 (LIST_CHUNKS >> (LIST_MAP_SHIFT - LIST_CHUNK_SHIFT))
#define LIST_REF	 0x80000000U
#define LIST_INDEX	 0x40000000U /* in `next`: a struct list_index, the number of its first line */
#define LIST_BITS_SHIFT	 25	     /* in a reference of IPv4's root: 0 to 12 bits choose a line */
#define LIST_BITS	 15U
#define LIST_LINE	 0x01ffffffU
#define LIST_UNIT	 0x03ffffffU /* number of 8 words, two units a line */
#define LIST_UNIT_WORDS	 8
#define LIST_ALLOWED	 0x40000000U
#define LIST_RECORD	 0x3fffffffU /* number of a record, four a line, and one */
#define LIST_STEPS	 128	     /* lines that the daemon lets one address lead through, at most */
#define LIST_NARROW_KEYS 24
#define LIST_WIDE_KEYS	 6

/*
 * Word 0 holds below the first key, word i + 1 from key i on up to the next; if that key stands alone, for
 * itself only, and word 0 behind it. Bit i of blocked and allowed is what word i says; in a wide line both
 * say that it is a reference to the line for the lower half. next: unit of the words; 0: all are 0.
 */
struct list_narrow {
	__u32 next;
	__u32 alone; /* bit i: key i; count above LIST_NARROW_KEYS */
	__u32 blocked, allowed;
	__u16 key[LIST_NARROW_KEYS]; /* ascending; those after the last are all ones */
};

struct list_wide {
	__u32 next;
	__u8 alone, blocked, allowed, count;
	__u8 shift[LIST_WIDE_KEYS]; /* a key that stands alone is a block of 2^shift values */
	__u16 pad;
	__u64 key[LIST_WIDE_KEYS];
};

/* The line base + (value >> shift & mask), for values that have key's bits in `above`. */
struct list_index {
	__u32 next; /* LIST_INDEX and base */
	__u32 mask;
	__u32 shift;
	__u32 outside; /* line for all other values; 0: not listed */
	__u64 key, above;
	__u64 pad[4];
};

struct list_line {
	union {
		__u32 next;
		__u32 word[16];
		struct list_narrow narrow;
		struct list_wide wide;
		struct list_index index;
	};
};

/* Of each entry: packets that it decided. */
struct list_record {
	__u64 hits;
	__u32 last; /* jiffies64 / 64, 0: never */
	__u32 pad;
};

/*
 * Of each CPU: hits that are not yet in the records. Word, record and atomic addition each wait for memory;
 * of so many at once, the lines come together.
 */
#define LIST_HITS	16
#define LIST_HIT_RECORD 0x80000000U

struct list_hit {
	__u32 at; /* number of the word, 16 a line, or LIST_HIT_RECORD and that of the record */
	__u32 hits, last;
};

struct list_hits {
	__u32 count;
	struct list_hit hit[LIST_HITS];
	__u32 pad[15]; /* two CPUs share no line */
};

/* --- limits --- */

/* X(NAME, word): limits are called KIND_LEVEL, such as syn_source. */
#define LIMIT_KINDS_X(X)                                                                                     \
	X(KIND_SYN, syn) /* SYN/s: anyone can forge them, so that none is ever blocked for them */           \
	X(KIND_CONNECTION, connection) /* new connections/s, each proven by a cookie */                      \
	X(KIND_HALF_OPEN, half_open)   /* handshakes begun by cookies and not completed, now */

#define LIMIT_LEVELS_X(X)                                                                                    \
	X(LEVEL_SOURCE, source) /* an address */                                                             \
	X(LEVEL_PREFIX, prefix) /* IPv4 /24, IPv6 /64 */                                                     \
	X(LEVEL_SITE, site)	/* IPv6 /48 */                                                               \
	X(LEVEL_SERVICE, service)                                                                            \
	X(LEVEL_TOTAL, total)

#define X(name, word) name,
enum limit_kind { LIMIT_KINDS_X(X) KIND_COUNT };
enum limit_level { LIMIT_LEVELS_X(X) LEVEL_COUNT };
#undef X

/* What happens to what is over a limit. THIN: challenged, and three of four dropped at random. */
enum limit_action { LIMIT_OFF, LIMIT_CHALLENGE, LIMIT_THIN, LIMIT_DROP };

/*
 * A token bucket's settings, in jiffies << PACE_SHIFT: time between two tokens, how much time may be saved,
 * and while less than which is missing to a full bucket CPUs do not wait for each other (see
 * ratelimit.bpf.h).
 */
#define PACE_SHIFT 24
struct pace {
	__u64 interval; /* 0: nothing is ever over it */
	__u64 tolerance;
	__s64 ease;
};

/* extra: what proven sources may have beyond it. */
struct limit {
	struct pace base, extra;
	__u32 action; /* enum limit_action */
	__u32 most;   /* KIND_HALF_OPEN: and nothing of the above */
	__u32 proven_most;
	__u32 pad;
};

/* As they are for one service: what it has of its own is at LEVEL_SERVICE, all else is alike in all. */
struct limits {
	struct limit limit[KIND_COUNT][LEVEL_COUNT];
};

/* Each word: when the bucket would be full again (the theoretical arrival time of the GCRA). */
struct bucket {
	__u64 base, extra;
};

/* Handshakes of two windows, the even and the odd: each 63..48 the window's number, 47..24 completed, 23..0
 * begun. */
#define SKETCH_EPOCH_SHIFT 48
#define SKETCH_BITS	   24
#define SKETCH_MASK	   ((1ULL << SKETCH_BITS) - 1)
#define SKETCH_FULL	   (SKETCH_MASK - 4096)
#define SKETCH_BEGUN	   1ULL
#define SKETCH_COMPLETED   (1ULL << SKETCH_BITS)
struct sketch_cell {
	__u64 half[2];
};

/*
 * What is counted of sources, in one half of a cache line for each level, since a SYN waits for memory once a
 * line: its handshakes, and the tokens of its SYNs. Places are found by a keyed hash and have no owner:
 * sources that share one also share its tokens, and an estimate is too high by what the others began. Forged
 * sources spread over all of them: of F SYN/s each place sees F / ACCOUNTS_OF(level). A wider level has fewer
 * places, as its limits are higher.
 */
struct account {
	struct bucket syns;
	struct sketch_cell handshakes;
};
/* By all sources of one family, on one CPU, in the even window and the odd: what the sketch's error follows
 * from. */
struct begun {
	__u64 window[2], count[2];
};
#define ACCOUNT_BITS	   20
#define ACCOUNTS_OF(level) (1U << (ACCOUNT_BITS - 2 * (level)))
#define ACCOUNTS	   (ACCOUNTS_OF(LEVEL_SOURCE) + ACCOUNTS_OF(LEVEL_PREFIX) + ACCOUNTS_OF(LEVEL_SITE))
/* Buckets of new connections, of all these levels: those who make any cannot forge their address. */
#define CONNECTION_BUCKETS (1U << 18)

/*
 * Under a flood, when estimates may be off by SAMPLE_FROM and more anyway, one SYN in 8 to SAMPLE_MOST takes
 * its source's tokens and is counted as begun, as so many. While limits are enforced, sources of a prefix
 * that has just met one are looked at on every SYN (limited_lately).
 */
#define SAMPLE_FROM 64
#define SAMPLE_MOST 32
#define LIMITED	    16384 /* places of such prefixes */

/* Sources that stand out. tag: of its address and level, so that a reader notices one that is just being
 * replaced. */
#define HEAVY_SETS  256
#define HEAVY_WAYS  8
#define HEAVY_SHIFT 8 /* seen counts jiffies / 256 */
#define HEAVY_STALE 32
enum { HEAVY_OVER = 1, HEAVY_DROPPED = 2, HEAVY_ACT = 4 };
struct heavy {
	__u64 tag;
	__be32 address[4];
	__u32 weight; /* half-opens, when last seen */
	__u32 seen;
	__u32 over, dropped; /* of limits that it met since it stands here */
	__u16 level, v6;
	__u32 acts; /* connections over a limit, each with a valid cookie of its own, while nobody guessed
		       cookies in its name */
	__u32 acts_since; /* that they are counted, as seen; at most ACTS_WITHIN_S */
	__u32 pad;
};
#define ACTS_WITHIN_S 60
struct heavy_set {
	struct heavy way[HEAVY_WAYS];
};

/* Of prefixes that send bad cookies, in a table without collision chains: a bucket, and when it was last
 * empty. */
#define GUESSERS	 65536
#define GUESSES_A_SECOND 100
#define GUESSING_S	 10 /* that nothing counts afterwards */
struct guesser {
	__u64 full_at;
	__u64 empty; /* jiffies64 */
};

/* Per CPU: what met a limit. */
struct limit_counters {
	__u64 over;    /* and was challenged at least, or would have been */
	__u64 dropped; /* of these */
};

/* Where they stand: those at LEVEL_SERVICE by service. */
#define LIMIT_COUNTS (KIND_COUNT * (LEVEL_COUNT + SERVICE_SLOTS))
#define LIMIT_COUNT(kind, level, slot)                                                                       \
	((kind) * (LEVEL_COUNT + SERVICE_SLOTS) + ((level) == LEVEL_SERVICE ? LEVEL_COUNT + (slot) : (level)))
/* --- detection of attacks --- */

/*
 * How many different sources there are: HyperLogLog registers of each service, by a keyed hash of the IPv4
 * address or the IPv6 /64. A register is the lowest bit of the hashes that met it, the highest of these (so 1
 * << rank). Written by XDP alone, but that the daemon reads and clears them once a second. Those of
 * SERVICE_NONE tell destinations apart instead: addresses and ports that no service has.
 */
#define REGISTER_BITS 10
#define REGISTERS     (1U << REGISTER_BITS)
struct registers {
	__u32 bit[REGISTERS];
};

/* A frame as it came, of a SYN to a service that is being attacked. */
#define SAMPLE_BYTES 128
struct sample {
	__u64 time_ns;	/* CLOCK_MONOTONIC */
	__u32 length;	/* on the wire */
	__u16 captured; /* of these, in frame */
	__u16 service;
	__u32 stands_for; /* SYNs */
	__u8 l3;	  /* where the IP header begins in frame */
	__u8 v6;
	__u8 pad[2];
	__u8 frame[SAMPLE_BYTES];
};

/* Per CPU. */
struct sample_counters {
	__u64 taken;
	__u64 lost; /* no room in the ring */
};

#define COOKIE_SLOT_S	  60
#define COOKIE_LIFETIME_S (2 * COOKIE_SLOT_S)

/* Left in data_meta by XDP for tc ingress: what the cookie carried. */
#define HANDOVER_MAGIC 0x73796e6d
struct handover {
	__u32 magic;
	__u32 rcv_tsval;
	__u32 rcv_tsecr;
	__u16 mss;
	__u8 snd_wscale;
	__u8 rcv_wscale;
	__u8 wscale_ok;
	__u8 sack_ok;
	__u8 tstamp_ok;
	__u8 ecn_ok;
	__u16 service; /* slot */
	__u8 allowed;  /* by the lists: no limit applies */
	__u8 pad;
};

/* Verified flows: a cache in front of the kernel's socket table; one bucket is one cache line. */
#define FLOW_WAYS 8
struct flow_bucket {
	__u64 entry[FLOW_WAYS];
};

/* Which parts of all fingerprints each of so many buckets may hold, a bit each. */
#define FLOW_NEAR_BUCKETS 32
struct flow_near {
	__u16 parts[FLOW_NEAR_BUCKETS];
};

/* A connection, client and server side; IPv4 addresses as v4-mapped IPv6. */
struct tuple {
	__be32 client[4], server[4];
	__be16 client_port, server_port;
	__u32 v6; /* 1: IPv6 on the wire */
};

/* --- inline --- */

enum forward_mode { FORWARD_BRIDGE, FORWARD_ROUTE };

/* Keys of the two devmaps. */
enum port { PORT_OUTSIDE, PORT_INSIDE, PORT_COUNT };

enum connection_state {
	CONNECTION_SYN_SENT,	/* by us, for a client whose cookie was valid */
	CONNECTION_SYN_RCVD,	/* the client's SYN passed, its ACK has not come: half-open */
	CONNECTION_ESTABLISHED, /* half-closed, too */
	CONNECTION_CLOSING,	/* both FINs were seen */
	CONNECTION_TIME_WAIT,	/* and both acknowledged */
	CONNECTION_RESET,	/* by a RST that the other end must have accepted */
	CONNECTION_OUTWARD,	/* the server's own SYN has crossed: it opens a connection */
	CONNECTION_GONE,	/* being taken out of the table */
};

#define CONNECTION_PLAIN	0x01 /* began without a cookie of ours: nothing is translated */
#define CONNECTION_TIMESTAMPS	0x02
#define CONNECTION_SACK		0x04
#define CONNECTION_ECN		0x08
#define CONNECTION_STASHED	0x10 /* the client's early data wait for the server */
#define CONNECTION_CLIENT_FIN	0x20
#define CONNECTION_SERVER_FIN	0x40
#define CONNECTION_CLIENT_ACKED 0x80 /* the client's FIN, by the server */
#define CONNECTION_SERVER_ACKED 0x100
#define CONNECTION_ECN_ASKED	0x800  /* our SYN asked the server, the client does no ECN */
#define CONNECTION_NOT_ECT	0x1000 /* one end does no ECN: nothing crosses as if both did */
#define CONNECTION_ONE_SIDED	0x400  /* counted as asymmetric */
#define CONNECTION_ANSWERED	0x2000 /* by the server: what is to be translated is known */
#define CONNECTION_UNPROVEN                                                                                  \
	0x200 /* its cookie could have been guessed, and the client has shown too little since */

/* Where one direction of a connection goes: forward = "route": as the kernel's FIB says; as a bridge: to the
 * server only, as the client's ACK did, for SYNs that we send again. All zero: not known. */
struct hop {
	__u8 to[6], from[6]; /* MAC addresses */
	__u16 mtu;
	__u16 checked; /* jiffies64 / 256; 0: never */
};

/* The established path as a bridge touches the first half only. */
struct connection {
	__u32 delta;	/* the server's sequence numbers: what the client sees, less what the server says */
	__u32 ts_delta; /* its TSval likewise */
	__u32 client_next; /* the highest sequence number seen, and one */
	__u32 server_next; /* in the server's own numbers */
	__u32 seen;	   /* jiffies64 / 64 of the last segment */
	__u32 state;	   /* enum connection_state */
	__u32 flags;	   /* set by both directions at once: atomically */
	__u8 service;
	__u8 client_wscale; /* COOKIE_NO_WSCALE: none */
	__u8 our_wscale;    /* announced to the client */
	__u8 server_wscale;
	__u32 client_isn;
	__u32 our_isn;	    /* the cookie */
	__u32 our_tsval;    /* of the SYN-ACK that carried it */
	__u32 client_tsval; /* of the client's ACK */
	__u32 client_fin;   /* sequence number after the FIN */
	__u32 server_fin;
	__u16 client_mss;
	__u16 client_window; /* of its ACK, as on the wire */
	__u8 duplicates;     /* of the third ACK, since the server last spoke */
	__u8 resends;	     /* of our SYN */
	__u8 probes;	     /* with CONNECTION_UNPROVEN: sent, and not answered */
	__u8 proofs;	     /* likewise: segments that only a client could know to send */
	struct hop hop[2];   /* by enum port */
	__u32 acked;	     /* likewise: by the client, in the server's numbers */
	__u16 server_window; /* of its SYN-ACK, in the scale that we announced */
	__u16 stash;	     /* with CONNECTION_STASHED */
	__u16 source;	     /* that its handshake is counted for */
	__u16 pad;
	__be16 tags[4]; /* as a bridge: the client's VLAN tags, TPID and TCI each, the outer one first; 0:
			   none */
};

/*
 * The table of connections: sets of one cache line, a word for each of their slots; the slots lie in an array
 * of their own. A word is 40 bits of the tuple's hash, an enum slot_state, and of a slot that is DYING when
 * that began.
 */
#define CONNECTION_WAYS	    8
#define SLOT_FINGERPRINT    24 /* bits below it */
#define SLOT_STATE	    22
#define SLOT_TIME_MASK	    ((1ULL << SLOT_STATE) - 1) /* jiffies */
#define SLOT_STATE_OF(word) ((word) >> SLOT_STATE & 3)

/* CLAIMED: being filled in by an addition. DYING: out of the table, but a packet may still be at it. */
enum slot_state { SLOT_FREE, SLOT_CLAIMED, SLOT_LIVE, SLOT_DYING };

struct connection_set {
	__u64 word[CONNECTION_WAYS];
};

struct connection_slot {
	struct tuple tuple;
	struct connection connection;
	__u8 pad[36]; /* to whole cache lines */
};

/*
 * Sources share a place by chance, which only makes a limit stricter. Their addresses may be forged, so
 * nothing but such limits hangs on it.
 */
#define SOURCES 65536

/* Unknown segments of one prefix to one service, in the second being counted. */
struct unknown_budget {
	__u32 second;
	__u32 count;
};

/* The client's early data, until the server has answered. */
#define STASH_WINDOW 1440
#define STASHES	     2048
struct stash {
	__u32 owner; /* our_isn of its connection; 0: free */
	__u32 seen;  /* jiffies64 / 64 */
	__u32 length;
	__u32 sum; /* of the data, as if at an even offset */
	__u8 data[STASH_WINDOW];
};

/* TCP options, as bits. */
#define OPTION_MSS  0x01
#define OPTION_WS   0x02
#define OPTION_SACK 0x04
#define OPTION_TS   0x08
#define OPTION_AUTH 0x10 /* TCP-MD5 (RFC 2385) or TCP-AO (RFC 5925) */

#define COOKIE_NO_WSCALE 15

/* What a server's own SYN-ACKs offer, learned. A SYN finds it by the tag alone. */
struct server {
	__u32 tag;  /* of its address and port, never 0 */
	__u32 seen; /* jiffies64 / 64 of the last evidence */
	__u16 mss;
	__u8 wscale;  /* COOKIE_NO_WSCALE: none */
	__u8 options; /* OPTION_SACK, OPTION_TS */
	__u8 known;   /* OPTION_WS, OPTION_SACK, OPTION_TS: some client has asked, so that it is no guess */
	__u8 status;  /* enum server_status_word, as of seen */
	__be16 port;
	__be32 address[4]; /* IPv4 as v4-mapped IPv6 */
	__u32 opened;	   /* jiffies64 / 64 of its last SYN-ACK; 0: none */
	__u32 asked;	   /* likewise of the last SYN that passed to see whether it has come back */
	__u32 ecn_seen;	   /* likewise of what ecn says */
	__u32 ecn_asked;
	__u8 ecn;	 /* enum server_ecn */
	__u8 ecn_wanted; /* some client has asked for it */
	__u8 failures;	 /* handshakes in a row */
	__u8 pad[5];
};

enum server_ecn { SERVER_ECN_UNKNOWN, SERVER_ECN_YES, SERVER_ECN_NO };

/* OPEN: or nothing is known. */
enum server_status_word { SERVER_OPEN, SERVER_CLOSED, SERVER_SILENT };

#define SERVER_ECN_STALE_S 600
#define SERVER_FAILURES                                                                                      \
	3 /* handshakes in a row, each begun by a good cookie, tell that a server is not open */
#define SERVER_STALE_S 60 /* how long that is believed without further evidence */

enum owed {
	OWED_NOTHING,
	OWED_SYN,	/* ours to the server, again */
	OWED_HALF_OPEN, /* RST to the server, for a half-open from before mitigation */
	OWED_PROBE, /* to a client that is unproven: an ACK below its window, which it must answer (RFC 9293,
		     * section 3.10.7.4) */
	OWED_END,   /* RST to the server, as it did not answer those, or as somebody asked for it */
	OWED_END_CLIENT, /* RST to the client, likewise */
	OWED_REFUSAL,	 /* RST to a client whose server did not answer */
};

#define RESENDS_ECN 2 /* SYNs that may ask for ECN once more */

/* What the daemon owes a server or a client. */
#define PENDING_MAX 2048
struct pending {
	struct tuple tuple;
	struct connection connection;
	__u32 owed; /* enum owed */
	__u32 pad;
};

/* Expiry, once a second. */
struct sweep_args {
	__u32 expired;
	__u32 pending;	   /* written to the map of this name */
	__u32 connections; /* that stay */
	__u32 translated;  /* of these: that would break without us */
};

/* Of the ring of events. */
struct ring_args {
	__u64 used, size; /* bytes */
};

/* Inline: handshakes to one port that its servers have not done, at the last sweep. */
struct port_half_opens {
	__u32 v4, v6;
	__u32 resent; /* SYNs of ours that had to be sent again */
	__u32 oldest; /* jiffies since the last segment of the one that has waited longest */
};

/* Host mode: the SYN queue of the listener that a SYN of this tuple would meet. */
struct listener_args {
	struct tuple tuple;
	__u64 cookie; /* as sock_diag tells it; 0 before that has been asked */
	__u32 found;  /* somebody listens; else the rest is not filled in */
	__u32 half_open;
};

/* --- endpoint tracking --- */

/* Who sent the segment; or that a cookie made the connection, so that both ends are ESTABLISHED at once. */
enum event_origin { EVENT_CLIENT, EVENT_SERVER, EVENT_COOKIE };

/* A segment that may move the state of an endpoint, or a third ACK with a cookie. */
struct event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__be32 client[4], server[4];
	__be16 client_port, server_port;
	__u32 next; /* the sequence number after it, SYN and FIN counted */
	__u32 ack;  /* 0 without ACK */
	__u8 flags;
	__u8 origin; /* enum event_origin */
	__u8 service;
	__u8 v6;
};

/* Per-CPU. Each of either kind is a transition that user space may have missed. */
struct event_counters {
	__u64 emitted;
	__u64 lost;	 /* no room in the ring */
	__u64 unawaited; /* no room to remember that an ACK is due */
};

/* Argument of the programs that user space runs by BPF_PROG_TEST_RUN. */
struct connection_args {
	struct tuple tuple;
	struct connection connection; /* out: as it is, or was before it was reset */
	__u32 found;		      /* out */
	__u32 pad;
};

struct waiting_args {
	__u32 older_s; /* goes */
	__u32 kept;    /* out */
};

struct flow_seed_args {
	struct tuple tuple;
};

/* What the sketch says of a source. */
struct source_args {
	__be32 address[4]; /* IPv4: the first word */
	__u32 v6;
	__u32 level;
	__u32 begun, completed; /* out */
	__u32 held;		/* out: inline: handshakes with servers for it, IPv4 address or IPv6 /64 */
	__u32 pad;
	__u64 tag; /* out */
};

struct clock_args {
	__u64 jiffies; /* out */
};

#define ABI_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
ABI_SIZE(struct service, 32);
ABI_SIZE(struct service_state, 80);
ABI_SIZE(struct port_ranges, 16);
ABI_SIZE(struct range4, 16);
ABI_SIZE(struct range6, 40);
ABI_SIZE(struct runtime, 216);
ABI_SIZE(struct control, 440);
ABI_SIZE(struct list_line, 64);
ABI_SIZE(struct list_narrow, 64);
ABI_SIZE(struct list_wide, 64);
ABI_SIZE(struct list_index, 64);
ABI_SIZE(struct list_record, 16);
ABI_SIZE(struct list_hits, 256);
ABI_SIZE(struct limit, 64);
ABI_SIZE(struct bucket, 16);
ABI_SIZE(struct account, 32);
ABI_SIZE(struct heavy, 56);
ABI_SIZE(struct source_args, 48);
ABI_SIZE(struct limit_counters, 16);
ABI_SIZE(struct guard, 88);
ABI_SIZE(struct guard_counters, 48);
ABI_SIZE(struct handover, 24);
ABI_SIZE(struct flow_bucket, 64);
ABI_SIZE(struct flow_near, 64);
ABI_SIZE(struct tuple, 40);
ABI_SIZE(struct connection, 116);
ABI_SIZE(struct connection_set, 64);
ABI_SIZE(struct connection_slot, 192);
ABI_SIZE(struct hop, 16);
ABI_SIZE(struct unknown_budget, 8);
ABI_SIZE(struct stash, 1456);
ABI_SIZE(struct server, 56);
ABI_SIZE(struct event, 56);
ABI_SIZE(struct registers, 4096);
ABI_SIZE(struct sample, 152);

#endif
