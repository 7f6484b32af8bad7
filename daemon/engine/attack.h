/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks on services and crowds of clients, as they stand and stood: what is decided of them (daemon/detect)
 * is told, kept, and shown.
 */
#ifndef SYNMOAT_ENGINE_ATTACK_H
#define SYNMOAT_ENGINE_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "daemon/detect/detect.h"
#include "daemon/detect/evidence.h"
#include "daemon/detect/talkers.h"

#define ATTACKS_KEPT   64 /* past ones */
#define CLASSES_BEFORE 8  /* of one; what comes beyond is not kept */

struct attack {
	char service[32];
	enum detect_class class;		  /* CLASS_CROWD: no attack */
	enum detect_class before[CLASSES_BEFORE]; /* what it was called until then, the oldest first */
	uint32_t before_count;
	bool going_on;
	bool monitor;	       /* mode monitor: only watched */
	bool completes_known;  /* anybody was answered, or would have been */
	int64_t begun_ms;      /* wall clock: the SYN above the mark */
	uint64_t duration_s;   /* until it was calm for the last time */
	uint32_t calm_s;       /* since then; 0: it is not calm */
	uint32_t syn_rate_pps; /* over the last second */
	uint32_t peak_pps, half_open_peak;
	uint32_t sources; /* different ones, estimated; IPv6: /64 */
	uint64_t syns, answered, completed;
	uint64_t dropped, would_answer, would_drop; /* packets to the service meanwhile */
	struct talker top[TALKERS_TOP];
	size_t top_count;
	char evidence[EVIDENCE_NAME_SIZE]; /* empty: none */
};

struct engine;
struct attacks;
struct fdstore;

/* NULL: no memory. */
struct attacks *attack_new(struct fdstore *fdstore, const char *state, const char *group);
void attack_free(struct attacks *attacks);

/* Goes on with what the daemon before has left, once the slots are as it left them. */
void attack_restore(struct engine *e);

/* Once a second, after the rates were taken. */
void attack_tick(struct engine *e);

/* Keeps the packets of attacks that go on as the daemon ends. */
void attack_stop(struct engine *e);

/* What a second has brought, as an event. folder: of its packets. */
void attack_tell(const struct attack *attack, const char *folder, enum detect_step step);

/* Whether a service is above its marks, or has not been calm for its hold_s since it was. */
bool attack_goes_on(const struct engine *e, uint32_t slot);

/* Of a service: the one that goes on, else the last one that is remembered; NULL: none. Valid until the next
 * tick. */
const struct attack *attack_of(const struct engine *e, uint32_t slot);

#endif
