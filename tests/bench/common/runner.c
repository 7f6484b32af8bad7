// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See runner.h.
 */
#include "tests/bench/common/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "refill.skel.h"

#define CLIENTS_SIZE (REFILL_CLIENTS * sizeof(struct refill_client))

struct runner {
	struct refill_bpf *skeleton;
	struct refill_client *clients; /* in memory that refill reads */
};

struct runner *runner_new(void)
{
	struct runner *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->skeleton = refill_bpf__open_and_load();
	if (!r->skeleton) {
		free(r);
		return NULL;
	}
	/* else each run changes the kernel's XDP dispatcher twice, and waits for RCU each time */
	if (bpf_xdp_attach(1 /* lo */, bpf_program__fd(r->skeleton->progs.refill), XDP_FLAGS_SKB_MODE,
			   NULL)) {
		perror("lo");
		refill_bpf__destroy(r->skeleton);
		free(r);
		return NULL;
	}
	r->clients = mmap(NULL, CLIENTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			  bpf_map__fd(r->skeleton->maps.clients), 0);
	if (r->clients == MAP_FAILED) {
		perror("clients");
		refill_bpf__destroy(r->skeleton);
		free(r);
		return NULL;
	}
	return r;
}

void runner_free(struct runner *r)
{
	if (!r)
		return;
	munmap(r->clients, CLIENTS_SIZE);
	refill_bpf__destroy(r->skeleton);
	free(r);
}

static void load_segment(struct refill_bpf__bss *bss, const struct traffic_segment *s)
{
	memcpy(bss->frame, s->frame.bytes, sizeof(bss->frame));
	bss->frame_length = (uint32_t)s->frame.length;
	bss->v6 = s->v6;
	bss->tcp = s->tcp;
	bss->to_client = s->to_client;
	bss->acks_cookie = s->acks_cookie;
}

void runner_load_new(struct runner *r, const struct traffic_segment *s)
{
	load_segment(r->skeleton->bss, s);
	r->skeleton->bss->all_new = true;
}

void runner_load(struct runner *r, const struct traffic_segment *s, const struct traffic_crowd *crowd,
		 uint32_t count)
{
	struct refill_bpf__bss *bss = r->skeleton->bss;

	load_segment(bss, s);
	bss->all_new = false;
	bss->client_mask = count - 1;
	bss->turn = 0;
	bss->stride = 1;
	memcpy(r->clients, crowd->clients, count * sizeof(*r->clients));
}

void runner_restart(struct runner *r)
{
	r->skeleton->bss->turn = 0;
}

void runner_stride(struct runner *r, uint32_t stride)
{
	r->skeleton->bss->stride = stride;
}

double runner_run(struct runner *r, int program, uint32_t packets)
{
	uint8_t in[REFILL_BYTES] = { 0 };
	uint32_t zero = 0;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in, .data_size_in = r->skeleton->bss->frame_length,
		    .repeat = (int)packets);

	if (bpf_map_update_elem(bpf_map__fd(r->skeleton->maps.target), &zero, &program, 0) ||
	    bpf_prog_test_run_opts(bpf_program__fd(r->skeleton->progs.refill), &options)) {
		perror("BPF_PROG_TEST_RUN");
		exit(1);
	}
	return options.duration;
}
