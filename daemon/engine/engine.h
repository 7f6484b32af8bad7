/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Desired state and policy: which services there are, in which mode, which keys sign, when mitigation ends.
 * The only part that tells maps/ what to load and to attach. Control calls it; it never calls control.
 */
#ifndef SYNMOAT_ENGINE_H
#define SYNMOAT_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "bpf/abi.h"
#include "daemon/config/config.h"
#include "daemon/engine/attack.h"
#include "daemon/engine/source.h"

struct engine;
struct fdstore;
struct lists;
struct sd_event;

/* One service as it stands now; counters are sums over all CPUs since the daemon loaded its programs. */
struct service_status {
	const struct config_service *config; /* valid until the next engine call that changes something */
	enum service_mode mode;		     /* the mode in force: runtime changes included */
	enum mitigation mitigation;
	uint64_t since_s;			/* seconds in this state of mitigation */
	uint32_t half_open;			/* SYN queue length that the last SYN met */
	uint32_t backlog;			/* of that SYN's listener; 0: not known, as always inline */
	uint32_t half_open_high, half_open_low; /* marks in force; 0: not known */
	uint32_t syn_rate_pps;			/* over the last second */
	uint32_t answered_pps;			/* cookies sent, over the last second */
	uint32_t completed_pps;			/* cookies accepted, over the last second */
	bool mptcp_listener;			/* a SYN met an MPTCP listener in the last minute */
	bool asymmetric; /* inline: its servers' answers were seen not to come back through us */
	uint32_t asymmetric_connections;
	const struct attack *attack; /* that goes on, or the last one; NULL: none */
	struct service_counters counters;
};

/* Inline: a server of a service, as its own answers show it. */
struct server_status {
	struct server learned;
	uint64_t age_s;	   /* of the last evidence */
	const char *state; /* "open", "closed", "silent", or "unknown": never open, or not known for certain
			      any more */
};

/* A group of protected prefixes. */
struct protected_status {
	const struct config_protected *config; /* valid until the next engine call that changes something */
	struct guard_counters counters;
};

struct interface_status {
	char name[IF_NAMESIZE];
	bool present, attached, up;
	unsigned int ifindex;
	unsigned int mtu;
	char xdp[16];	  /* "native", "generic", or empty */
	char reason[256]; /* why it is not attached; empty otherwise */
};

struct engine_status {
	uint64_t uptime_s;
	uint64_t counted_since_s; /* monotonic: counters began, maybe those of a daemon before */
	bool bypass;
	char forwarding_off[256]; /* forward = "route": sysctls that must be 1 and are not, between blanks */
	bool syncookies_off;	  /* net.ipv4.tcp_syncookies is 0: as bypass, until it is not */
	bool answers_lost;	  /* outside is a veth whose peer has no XDP program: no cookie leaves it */
	enum deployment deployment;
	size_t service_count, interface_count;
	struct service_counters totals;	  /* over all services and what belongs to none */
	struct service_counters unserved; /* what belongs to no service */
	struct handover_counters handover;
	struct outward_counters outward; /* host: beside the verdicts */
	uint64_t packets;		 /* seen by XDP: the sum of all verdicts */
	uint32_t key_generation;
	uint64_t key_age_s;
	bool rotation_pending; /* coalesced: it happens when the older key has retired */
	uint64_t rotation_in_s;
	uint64_t older_ends_in_s; /* cookies of the key before this one validate so long; 0: not any more */
	uint64_t half_opens_cleared; /* that had passed before mitigation began and did not complete */
	uint64_t connections;	     /* inline: in the table, a second ago at most */
	uint64_t connections_max;    /* inline: that have room; host mode: 0 */
	uint64_t translated;	     /* inline: that would break without us */
	bool draining;		     /* and whether that has come to its end: */
	bool drained;
	uint64_t drain_age_s;
	uint64_t drain_honours_s; /* so long, cookies that are out validate, whatever is left */
	uint64_t flows_seeded;	  /* connections older than the daemon, taken over at start */
};

/* What the file alone does not show: whether its secret and its hook are there and safe. Negative errno with
 * *error filled. */
int engine_check_config(const struct config *config, struct config_error *error);

/* The engine takes the config over. state: the folder for what outlives the machine's boot; store: what
 * outlives the daemon, as long as the engine. Negative errno with *error filled on failure. */
int engine_new(struct engine **engine, struct sd_event *event, struct config *config, const char *state,
	       struct fdstore *store, struct config_error *error);
/* What the store keeps goes on without us; else the fast path is detached. */
void engine_free(struct engine *engine);

void engine_get_status(struct engine *engine, struct engine_status *status);

/* Words of other parts that outlive the daemon as counters of the fast path do: KEPT_WORDS of them, 0 at
 * first. */
enum kept { KEPT_TRACKER, KEPT_WATCH };
#define KEPT_WORDS 16
uint64_t *engine_kept(struct engine *engine, enum kept which);

const struct config *engine_get_config(const struct engine *engine);
const char *engine_state_dir(const struct engine *engine); /* the folder for what outlives the daemon */

/* 0, or -ENOENT beyond the last / for an unknown name. */
int engine_get_service(struct engine *engine, size_t index, struct service_status *status);
int engine_find_service(struct engine *engine, const char *name, struct service_status *status);
/* By address and port; the caller frees. -ENOENT: no such service. */
int engine_get_servers(struct engine *engine, const char *name, struct server_status **servers,
		       size_t *count);
int engine_get_protected(struct engine *engine, size_t index, struct protected_status *status);
int engine_get_interface(struct engine *engine, size_t index, struct interface_status *status);

/* Runtime change of a mode; kept in the state folder, until the file says another mode of that service. */
int engine_set_mode(struct engine *engine, const char *name, enum service_mode mode);

/* -ENOENT: not an interface of the configuration; -ENODEV: not there; -EBUSY: another XDP program holds it;
 * else as the kernel says. text: what is wrong and what to do, filled on failure. */
int engine_attach(struct engine *engine, const char *interface, char *text, size_t size);
int engine_detach(struct engine *engine, const char *interface, char *text, size_t size);

/* Reads the file of the running configuration again. On failure the old one stays in force and *error says
 * why. */
int engine_reload(struct engine *engine, struct config_error *error);

/* Stages a new master; now: the old ones cease to validate at once. Returns 0, or 1 when coalesced with a
 * pending one. */
int engine_rotate_key(struct engine *engine, bool now);

/* One limit as it stands now. */
struct limit_status {
	const char *name;
	const char *service;	   /* whose own it is; NULL: as all have it */
	struct config_limit limit; /* in force */
	bool changed;		   /* at runtime: the configuration says otherwise */
	/* at the level of services: of all, or of this one */
	struct limit_counters counters;
	uint64_t would_drop; /* of those that are counted as dropped: in mode monitor */
};

/* 0, or -ENOENT beyond the last. Services' own follow on what all services have. */
int engine_get_limit(struct engine *engine, size_t index, struct limit_status *status);
enum policy_mode engine_limits_mode(const struct engine *engine);

/* A change at runtime, as config_change_limits() or, of one SERVICE (NULL: none), config_change_own_limits();
 * kept in the state folder, until the file changes that limit in the file. settings LIMIT_CONFIGURED: as the
 * configuration says again. -ENOENT: no such service. */
#define LIMIT_CONFIGURED "configured"
int engine_change_limit(struct engine *engine, const char *name, const char *service, const char *settings,
			struct config_error *error);

/* In force, in the words of settings: of a service's own ("none": it has none), or of all. Empty: there is no
 * such limit. */
#define LIMIT_WORDS_SIZE 160
void engine_describe_limit(const struct engine *engine, const char *name, const char *service,
			   char text[LIMIT_WORDS_SIZE]);

/* Fills all with sources that stand out, the heaviest first; returns how many. *window_s: that they are
 * counted over. */
size_t engine_get_sources(struct engine *engine, enum source_order order, struct source_status *all,
			  size_t max, uint32_t *window_s);

/* Those that go on first, then past ones, the newest first; NULL beyond the last. Valid until the next
 * second. */
const struct attack *engine_get_attack(const struct engine *engine, size_t index);
const char *engine_evidence_folder(const struct engine *engine);
/* SYNs that were kept for this, and that found no room. */
void engine_get_samples(struct engine *engine, uint64_t *taken, uint64_t *lost);

/* Off ends draining, too. */
int engine_set_bypass(struct engine *engine, bool on);

/* Inline: as bypass, until nothing is translated any more. Host mode, where nothing ever is: does nothing. */
int engine_set_drain(struct engine *engine, bool on);

/*
 * The lists. After a change that may leave work to do (a set, a flush): engine_lists_changed. The clock of
 * expiries is CLOCK_BOOTTIME in seconds; age_s: of what list_record.last says.
 */
struct lists *engine_lists(struct engine *engine);
void engine_lists_changed(struct engine *engine);
bool engine_lists_busy(const struct engine *engine); /* files or imports are on their way */
struct lists_progress;
void engine_lists_progress(const struct engine *engine, struct lists_progress *progress);
int64_t engine_list_clock(void);
uint64_t engine_list_age_s(struct engine *engine, uint32_t last);

/* For the tracker: the fast path, which stays as long as the engine; the slot of the service that covers the
 * tuple's server (SERVICE_NONE: none), its longest prefix deciding; a slot's service, or ""; its mode, and
 * whether mode auto defends it now. */
struct fastpath;
struct fastpath *engine_get_fastpath(struct engine *engine);
uint32_t engine_cover_slot(const struct engine *engine, const struct tuple *tuple);
const char *engine_slot_name(const struct engine *engine, uint32_t slot);
enum service_mode engine_slot_mode(const struct engine *engine, uint32_t slot);
bool engine_slot_attacked(const struct engine *engine, uint32_t slot);
/* Mode monitor included, where nothing is done about it. */
bool engine_slot_above_marks(const struct engine *engine, uint32_t slot);

/* "pass_flow", its meaning. */
const char *engine_verdict_word(enum verdict verdict);
const char *engine_verdict_meaning(enum verdict verdict);
const char *engine_mitigation_word(enum mitigation mitigation); /* "idle", "active", "grace" */
const char *engine_deployment_word(enum deployment deployment);
const char *engine_handover_word(enum handover_outcome outcome);
const char *engine_handover_meaning(enum handover_outcome outcome);

#endif
