/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loaded BPF programs and their maps: the only part of the daemon that touches either. Loads, attaches,
 * publishes whole states, reads counters. Knows nothing of policy.
 */
#ifndef SYNMOAT_FASTPATH_H
#define SYNMOAT_FASTPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

struct fastpath;
struct fdstore;
struct ranges_table;

struct fastpath_options {
	bool inline_mode;	   /* the programs of two interfaces, else those of host mode */
	enum forward_mode forward; /* inline */
	uint32_t connections;	   /* inline: room for so many */
	uint32_t flow_entries;	   /* host: verified flows, rounded up to a power of two, at least 8 */
	uint32_t tracked;	   /* endpoint tracking: of so many flows; 0: off */
	bool frags;		   /* multi-buffer packets: needed above an MTU of about 3,400 */
	/* nobody outside may know where in the hashed tables something lies */
	uint64_t table_key[2];
	struct fdstore *store; /* maps and links of the daemon before; NULL: begin anew */
	uint64_t translated;   /* inline: of its connections, would break without its table of them */
};

/* Text: what is missing and what to do, filled on failure. -EOPNOTSUPP: the kernel is too old for host mode.
 * -EUCLEAN: connections of before could not be taken over. Nothing is detached then. */
int fastpath_new(struct fastpath **fastpath, const struct fastpath_options *options, char *text, size_t size);
/* What the store keeps goes on without us; else it is detached. */
void fastpath_free(struct fastpath *fastpath);

/* Inline: XDP on both interfaces, inside first, so that no handshake begins whose answer nobody would take.
 */
int fastpath_attach_inline(struct fastpath *fastpath, unsigned int outside, unsigned int inside, bool generic,
			   char *text, size_t size);

/* Of the last fastpath_attach_inline() that failed. */
enum port fastpath_port_at_fault(const struct fastpath *fastpath);

/* Inline: ends what has expired, sends what is owed. What stays: all connections, and those of them
 * that are translated and have not ended. */
int fastpath_expire(struct fastpath *fastpath, uint32_t *connections, uint32_t *translated);

/* Inline: by port in host order, 65536 of them, as the last fastpath_expire() found them. */
const struct port_half_opens *fastpath_half_opens(const struct fastpath *fastpath);

/* Host mode; in: tuple. In the network namespace of the caller. */
int fastpath_query_listener(struct fastpath *fastpath, struct listener_args *args);

/* Attaches tcx ingress and egress, then XDP, in the place of the programs of before. -EBUSY: another program
 * holds XDP. All or nothing. */
int fastpath_attach(struct fastpath *fastpath, unsigned int ifindex, bool generic, char *text, size_t size);
void fastpath_detach(struct fastpath *fastpath);
bool fastpath_attached(const struct fastpath *fastpath);
/* The programs of a daemon before still do: ours have not been attached in their place. */
bool fastpath_goes_on(const struct fastpath *fastpath);

/* The interface has gone, and the links with it? */
bool fastpath_links_dead(const struct fastpath *fastpath);

/*
 * Publishing is whole and in order: fill the dead half of the services table (services indexed by slot,
 * SERVICE_SLOTS of them), then publish a runtime that names it live. Returns that half.
 */
uint32_t fastpath_stage_services(struct fastpath *fastpath, const struct ranges_table *table,
				 const struct service *services);
/* Fills the dead half of the limits and returns it, for a runtime to name. of_service: by slot, SERVICE_SLOTS
 * of them, in place of what limits say at LEVEL_SERVICE; NULL: services have none of their own. */
uint32_t fastpath_stage_limits(struct fastpath *fastpath, const struct limits *limits,
			       const struct limit (*of_service)[KIND_COUNT]);

/* Policy of protected prefixes, GUARDS_MAX of them, for the half that was staged last. */
void fastpath_stage_guards(struct fastpath *fastpath, uint32_t half, const struct guard *guards);

/* Of one protected entry, by its place in the configuration. */
int fastpath_read_guard(struct fastpath *fastpath, uint32_t index, struct guard_counters *sum);

/* Host mode: what tcx egress dropped, and would have. 0 or a negative errno. */
int fastpath_read_outward(struct fastpath *fastpath, struct outward_counters *sum);

void fastpath_publish(struct fastpath *fastpath, const struct runtime *runtime);
const struct runtime *fastpath_runtime(const struct fastpath *fastpath);

/* Shared with XDP while packets flow. */
struct service_state *fastpath_state(struct fastpath *fastpath, uint32_t slot);

/* Sums over all CPUs. 0 or a negative errno. */
int fastpath_read_counters(struct fastpath *fastpath, uint32_t slot, struct service_counters *sum);
int fastpath_read_limit(struct fastpath *fastpath, enum limit_kind kind, enum limit_level level,
			struct limit_counters *sum);
/* LEVEL_SERVICE of one service; above: of all. */
int fastpath_read_service_limit(struct fastpath *fastpath, enum limit_kind kind, uint32_t slot,
				struct limit_counters *sum);
/* Handshakes begun by all whom LEVEL distinguishes, in the window of JIFFIES and the one before. */
int fastpath_read_begun(struct fastpath *fastpath, enum limit_level level, uint64_t jiffies, uint64_t *sum);
/* Fills *heavy with those that stand out now, at most max; returns how many. */
size_t fastpath_read_heavies(struct fastpath *fastpath, struct heavy *heavy, size_t max);
/* What of theirs was over limits and dropped counts from now on. */
void fastpath_forget_source_drops(struct fastpath *fastpath);
/* In: address, v6, level. */
int fastpath_query_source(struct fastpath *fastpath, struct source_args *source);
int fastpath_read_handovers(struct fastpath *fastpath, struct handover_counters *sum);

int fastpath_read_jiffies(struct fastpath *fastpath, uint64_t *jiffies);
int fastpath_seed_flow(struct fastpath *fastpath, const struct tuple *tuple);

/* Inline: what servers were seen to offer, entry by entry up to SERVERS_MAX; a free one has tag 0. */
uint32_t fastpath_server_count(const struct fastpath *fastpath);
void fastpath_read_server(const struct fastpath *fastpath, uint32_t index, struct server *server);

/* The slot of the service that covers an address (IPv4 as v4-mapped) and port, or SERVICE_NONE. */
uint32_t fastpath_find_service(const struct fastpath *fastpath, const __be32 address[4], __be16 port);

/*
 * Memory of the lists, in which XDP finds chunk ID from then on: LIST_CHUNK_LINES lines, zeroed; NULL: no
 * memory. Freed when XDP reads it no more. arg: the fastpath.
 */
void *fastpath_chunk_new(void *arg, uint32_t id);
void fastpath_chunk_free(void *arg, uint32_t id, void *chunk);
/* Hits that are not yet in the lists' records, by CPU. */
struct list_hits *fastpath_list_hits(const struct fastpath *fastpath, uint32_t *cpus);

/*
 * Endpoint tracking. Hands what BPF has told to fn, at most about max events, oldest first; returns how many,
 * or a negative errno. 0 where tracking is off.
 */
typedef void fastpath_event_fn(const struct event *event, void *arg);
int fastpath_read_events(struct fastpath *fastpath, fastpath_event_fn *fn, void *arg, int max);
/* Bytes of events that wait to be read, and room for them. -ENODATA: tracking is off; or another negative
 * errno. */
int fastpath_read_ring(struct fastpath *fastpath, uint64_t *used, uint64_t *size);
int fastpath_read_event_counters(struct fastpath *fastpath, struct event_counters *sum);

/*
 * Detection. Registers: what XDP has noted of a service since they were last taken. Samples: as events above;
 * XDP takes them while service_state.sample asks for it.
 */
void fastpath_take_registers(struct fastpath *fastpath, uint32_t slot, struct registers *registers);
typedef void fastpath_sample_fn(const struct sample *sample, void *arg);
int fastpath_read_samples(struct fastpath *fastpath, fastpath_sample_fn *fn, void *arg, int max);
int fastpath_read_sample_counters(struct fastpath *fastpath, struct sample_counters *sum);

/* Inline: what the table of connections says of this one. 0 with *connection filled, or -ENOENT. */
int fastpath_find_connection(const struct fastpath *fastpath, const struct tuple *tuple,
			     struct connection *connection);

/* Inline: a RST to the server and, where it is known where that is, to the client; of a half-open to the
 * server alone. 0; -ENOENT: no such connection; -EHOSTUNREACH: not known where the server is. */
int fastpath_reset_connection(struct fastpath *fastpath, const struct tuple *tuple);

/* Inline: calls fn for the next connections of the table, some 4,096 at most; *position is 0 at first. 1:
 * there may be more; 0: those were the last; or a negative errno. */
typedef void fastpath_connection_fn(const struct tuple *tuple, const struct connection *connection,
				    void *arg);
int fastpath_next_connections(const struct fastpath *fastpath, uint32_t *position, fastpath_connection_fn *fn,
			      void *arg);

/* Forgets ACKs that have been due for longer than older_s. */
int fastpath_expire_waiting(struct fastpath *fastpath, uint32_t older_s);

/* Those that packets run through. */
enum fastpath_program {
	FASTPATH_XDP_HOST,
	FASTPATH_TC_INGRESS,
	FASTPATH_TC_EGRESS,
	FASTPATH_XDP_OUTSIDE,
	FASTPATH_XDP_INSIDE,
	FASTPATH_PROGRAMS,
};
/* For tests that run one by BPF_PROG_TEST_RUN; -1: of the other deployment. */
int fastpath_program_fd(const struct fastpath *fastpath, enum fastpath_program program);

#endif
