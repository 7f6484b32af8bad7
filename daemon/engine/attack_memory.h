/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is gathered of attacks, in memory that outlives the daemon (memory.h), so that the next one goes on
 * with those that go on. Written in place: a daemon may die at any moment, and a watch is then a second old
 * in parts.
 */
#ifndef SYNMOAT_ENGINE_ATTACK_MEMORY_H
#define SYNMOAT_ENGINE_ATTACK_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "daemon/detect/detect.h"
#include "daemon/detect/evidence.h"
#include "daemon/detect/talkers.h"
#include "daemon/engine/attack.h"

struct fdstore;

/* Of a service. */
struct watch {
	struct detect detect;
	struct attack attack;
	struct registers registers; /* all sources since it began */
	struct talkers recent, all;
	struct evidence evidence;
	struct service_counters base; /* when it began */
	uint64_t began_s;	      /* monotonic */
	uint64_t told_s, written_s;
	uint32_t told_peak_pps;
	uint32_t samples;    /* that came while there were too many */
	uint32_t half_opens; /* mode monitor: of the kernel, now */
};

struct attack_memory {
	uint64_t magic;
	uint64_t past_count; /* in all; the last ATTACKS_KEPT are kept, in turn */
	struct attack past[ATTACKS_KEPT];
	struct watch watches[SERVICE_SLOTS];
};

/* As the daemon before has left it, less what cannot be; or new. NULL: no memory. */
struct attack_memory *attack_memory_open(struct fdstore *store);
void attack_memory_close(struct attack_memory *memory);

#endif
