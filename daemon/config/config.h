/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration as one finished, validated object. config_load() returns it or an error that names file,
 * line, key and the right form; it changes nothing else. Calls no other part of the daemon but the catalogue
 * of events, for their names.
 */
#ifndef SYNMOAT_CONFIG_H
#define SYNMOAT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <net/if.h>
#include <netinet/in.h>

#include "bpf/abi.h"
#include "daemon/events/catalogue.h"

enum deployment { DEPLOYMENT_HOST, DEPLOYMENT_INLINE };
enum service_handover { SERVICE_PROXY, SERVICE_AGENT };
enum xdp_mode { XDP_NATIVE, XDP_GENERIC };

/* An address block; IPv4 addresses are v4-mapped and length_bits counts from 96. */
struct prefix {
	struct in6_addr address;
	uint8_t length_bits;
};

struct prefix_list {
	struct prefix *items;
	size_t count;
};

struct port_span {
	uint16_t first, last; /* host order, inclusive */
};

/* Of one kind at one level; rate 0: none. Of half-opens the rates are how many there may be, and bursts are
 * unused. */
struct config_limit {
	uint32_t rate;	       /* a second */
	uint32_t burst;	       /* 0: a second's worth */
	uint32_t proven_rate;  /* of sources that complete what they begin; 0: as of all others */
	uint32_t proven_burst; /* 0: a second's worth */
	enum limit_action action;
};

/* A service's own, in place of what all services have at LEVEL_SERVICE. */
struct config_own_limits {
	bool given[KIND_COUNT];
	struct config_limit limit[KIND_COUNT];
};

struct config_service {
	char name[32];
	struct prefix *prefixes;
	size_t prefix_count;
	struct port_span *ports;
	size_t port_count;
	enum service_mode mode;
	uint16_t mss;			/* 0: from the interface's MTU */
	uint32_t half_open_high;	/* 0: a quarter of the listener's backlog */
	uint32_t half_open_low;		/* 0: half of the high mark */
	uint32_t syn_rate_high;		/* SYN/s, 0: no mark */
	uint32_t syn_rate_low;		/* 0: half of the high mark */
	uint32_t hold_s;		/* calm that must last before mitigation ends */
	enum service_handover handover; /* inline */
	bool tcp_auth;			/* SYNs with TCP-MD5 or TCP-AO pass to the stack */
	uint32_t tcp_auth_rate_pps;
	struct config_own_limits limits;
};

struct config_limits {
	enum policy_mode mode;
	struct config_limit limit[KIND_COUNT][LEVEL_COUNT];
};

/* Automatic blocks. */
struct config_punish {
	enum policy_mode mode;
	uint32_t acts; /* within a minute */
	uint32_t duration_s, duration_most_s;
	uint32_t most; /* in force at a time */
};

/* Policy of prefixes: what may come in, and what their servers may open. */
struct config_protected {
	struct prefix *prefixes;
	size_t prefix_count;
	enum policy_mode closed, outward;
	struct prefix *outward_to; /* none: everywhere */
	size_t outward_to_count;
	struct port_span *outward_ports; /* none: all */
	size_t outward_port_count;
	uint32_t outward_syn_pps; /* 0: no limit */
};

struct tracking_timers {
	uint32_t half_open_timeout_s; /* 0: the kernel's own or, under attack, as else */
	uint32_t fin_wait_2_s, closing_s;
};

struct config {
	char *path; /* that it was loaded from */
	enum deployment deployment;
	enum xdp_mode xdp;
	enum forward_mode forward;
	char outside[IF_NAMESIZE];
	char inside[IF_NAMESIZE];   /* inline only */
	char *control_group;	    /* members may change things */
	char *metrics_listen;	    /* ADDRESS:PORT, or "off" */
	char *cookie_secret_file;   /* NULL: a fresh master from getrandom(2) at start */
	uint32_t flow_entries;	    /* verified flows kept, rounded up to a power of two */
	uint32_t lookup_budget_pps; /* socket lookups for unknown segments, each CPU */
	enum policy_mode sanity, reflection, smurf, outward_source;
	/* SYN-ACKs to one /24 or /64 */
	uint32_t synack_budget_pps;
	uint32_t connections;		 /* inline: at most so many cross at a time */
	uint32_t handshakes;		 /* inline: under way with the servers of one service */
	uint32_t handshakes_per_source;	 /* inline: of them, for one address (IPv6: /64) */
	uint32_t unknown_pps;		 /* inline: segments of no known connection to one service */
	uint32_t unknown_per_prefix_pps; /* inline: of them, from one /24 (IPv6: /64) */
	uint32_t wscale;		 /* inline: announced to clients */
	uint32_t probe_after_s;		 /* inline: silence of a client whose cookie may have been guessed */
	bool tracking;			 /* of the states of both endpoints */
	uint32_t tracked_flows;
	struct tracking_timers timers, attack_timers; /* the latter while a service is being mitigated */
	uint32_t time_wait_s, established_s;
	uint32_t tracked_scan_ports; /* of services, by one source in a minute; 0: not looked for */
	uint32_t slow_handshake_ms;  /* is slow */
	uint32_t slow_handshakes;    /* to one service in a minute; 0: not looked for */
	char *events_file;	     /* NULL: none */
	char *hook;		     /* a command; NULL: none */
	uint32_t hook_timeout_s;
	bool hook_events[EVENT_KINDS]; /* that it is called for */
	struct config_limits limits;
	struct config_punish punish;
	uint32_t completion_percent;	 /* of handshakes: fewer are an attack, not a crowd */
	uint32_t share_percent;		 /* of SYNs, that few sources must have to be told apart from many */
	uint32_t connections_per_minute; /* of each of many sources, in the mean: more is an attack */
	uint32_t scan_ports;		 /* destinations without a service, in four seconds */
	uint32_t evidence_files;	 /* kept; 0: none */
	struct prefix_list blocked;	 /* sources; files of lists.d have more */
	struct prefix_list allowed;
	struct config_service *services;
	size_t service_count;
	struct config_protected *protected;
	size_t protected_count;
};

struct config_error {
	char file[256];
	unsigned int line; /* 0: the file as a whole */
	char key[128];	   /* path of the key, e.g. services[1].ports[0]; empty: none */
	char text[256];	   /* what is wrong, and what would be right */
};

/*
 * Reads PATH and, where it stands beside a folder conf.d, each conf.d/ *.conf in alphabetical (byte) order.
 * Services add up over the files; any other key given again replaces what an earlier file said, key by key.
 * Returns 0 with *config set (free with config_free), or -EINVAL (content), -EPERM (group- or world-writable
 * file or conf.d), or another negative errno, with *error filled and *config untouched.
 */
int config_load(const char *path, struct config **config, struct config_error *error);

/* The same from memory: one text, called NAME in errors and in config->path; no conf.d, no look at modes. */
int config_parse(const char *text, size_t size, const char *name, struct config **config,
		 struct config_error *error);

/* Where KEY, such as "interfaces.outside", was given last in PATH and its conf.d: sets error's file and line.
 * If it stands nowhere: PATH as a whole. */
void config_locate(const char *path, const char *key, struct config_error *error);

/* Writes the effective configuration, defaults included, in the file's own syntax: loading that again gives
 * the same configuration. Returns 0, or -EIO. */
int config_print(const struct config *config, FILE *out);

/* Whether B differs from A, which is in force, in a key that a running daemon cannot change, and its NAME,
 * such as "host.flow_entries". In conf/synmoat.conf these keys are marked (restart). */
bool config_needs_restart(const struct config *a, const struct config *b, char *name, size_t size);

void config_free(struct config *config);

/* Its place among the services; -1: no service has this name. */
int config_find_service(const struct config *config, const char *name);

/* Whether a service has addresses of this family. */
bool config_serves(const struct config *config, bool v6);

/* "192.0.2.1:9826", "[2001:db8::1]:9826" as a socket's address. False: it is none. */
struct sockaddr_storage;
bool config_parse_listen(const char *text, struct sockaddr_storage *address, unsigned int *size);

/* "FILE:LINE: KEY: TEXT", without the parts that are empty. Returns buffer. */
const char *config_error_format(const struct config_error *error, char *buffer, size_t size);

/* The words of the configuration file, the CLI and the protocol for an enum, and back (-1: no such word). */
const char *config_mode_word(enum service_mode mode);
const char *config_policy_word(enum policy_mode mode);
int config_mode_parse(const char *word);

/* "off", "challenge", "thin", "drop"; "syn_source". */
const char *config_limit_action_word(enum limit_action action);
const char *config_limit_name(enum limit_kind kind, enum limit_level level);

/* The burst in force: 0 is a second's worth of RATE. */
uint32_t config_burst(uint32_t rate, uint32_t burst);

/*
 * A change at runtime, by the rules of the file: NAME is "mode", and settings its word, or a limit's name,
 * and settings such as "rate=500 burst=1000 action=thin". 0, or -EINVAL with *error filled and *limits
 * untouched, or -ENOMEM.
 */
int config_change_limits(struct config_limits *limits, const char *name, const char *settings,
			 struct config_error *error);

/* The same of one service's own: syn_service, connection_service or half_open_service. What SETTINGS leave
 * out stays as it is in force: by OWN or, as long as that gives none, by LIMITS. */
int config_change_own_limits(struct config_own_limits *own, const struct config_limits *limits,
			     const char *name, const char *settings, struct config_error *error);

/* What a service has in force. */
const struct config_limit *config_service_limit(const struct config_own_limits *own,
						const struct config_limits *limits, enum limit_kind kind);

/* "192.0.2.0/24", "2001:db8::/64"; an address alone is a full-length prefix. Parse returns 0 or -EINVAL (also
 * when bits are set beyond the length). */
int prefix_parse(const char *text, struct prefix *prefix);
const char *prefix_format(const struct prefix *prefix, char *buffer, size_t size);
bool prefix_is_v4(const struct prefix *prefix);
bool prefix_covers(const struct prefix *prefix, const struct in6_addr *address);

/* What keeps TEXT from being a prefix, and what would be right: for a message, after prefix_parse failed. */
const char *prefix_explain(const char *text, char *buffer, size_t size);

#endif
