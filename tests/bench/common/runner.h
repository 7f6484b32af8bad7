/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs one program over a segment of many clients, by BPF_PROG_TEST_RUN behind refill.bpf.c.
 */
#ifndef SYNMOAT_BENCH_RUNNER_H
#define SYNMOAT_BENCH_RUNNER_H

#include "tests/bench/common/traffic.h"

struct runner;

/* In a network namespace that nothing else happens in. NULL: said on stderr. */
struct runner *runner_new(void);
void runner_free(struct runner *r);

/* The segment and, in turn, the first COUNT of the crowd (a power of two), beginning with the first. */
void runner_load(struct runner *r, const struct traffic_segment *segment, const struct traffic_crowd *crowd,
		 uint32_t count);

/* The segment and, in each run and for good, clients with addresses and ports that were never seen before. */
void runner_load_new(struct runner *r, const struct traffic_segment *segment);

/* With the first client again. */
void runner_restart(struct runner *r);

/* In another order, in which each comes once all the same: every STRIDE-th, an odd number. */
void runner_stride(struct runner *r, uint32_t stride);

/* ns a packet, what stands in front included; ends the process when the kernel refuses. */
double runner_run(struct runner *r, int program, uint32_t packets);

#endif
