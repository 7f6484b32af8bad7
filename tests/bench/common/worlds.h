/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs of both deployments, each with the flows that they are to know and a million entries on their
 * lists, side by side in one process.
 */
#ifndef SYNMOAT_BENCH_WORLDS_H
#define SYNMOAT_BENCH_WORLDS_H

#include "tests/bench/common/runner.h"

enum world_name {
	WORLD_HOST,	   /* a million flows: what it keeps of them costs only who looks one up */
	WORLD_INLINE,	   /* a thousand flows of each family */
	WORLD_INLINE_MANY, /* a million; no lists */
	WORLDS,
};

#define FLOWS_FEW 1024U

struct lists;

struct world {
	struct harness *h;
	struct harness own; /* of inline worlds */
	struct lists *lists;
	uint32_t list_root[2];
	bool spent; /* newcomers have begun connections here */
};

struct worlds {
	struct world of[WORLDS];
	struct traffic_crowds crowds;
	struct runner *runner;
};

/* In a network namespace of their own. LISTS, MANY: as they take a while, only if they are needed. 0, or -1:
 * said on stderr. */
int worlds_set_up(struct worlds *worlds, bool lists, bool many);
void worlds_tear_down(struct worlds *worlds);

/* The program that a segment meets: of the client's side, or inline of the server's. */
int world_program(const struct worlds *worlds, enum world_name name, bool to_client);

/* The connections of newcomers end, so that they can begin anew. */
void worlds_refresh(struct worlds *worlds);

#endif
