// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See floors.h.
 */
#include "tests/bench/common/floors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "floors.skel.h"

struct floors {
	struct floors_bpf *skeleton;
};

static uint32_t entries_of(int fd)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &length) ? 0 : info.max_entries;
}

/* The harness' maps stand for those of the same name; what else the headers declare, no
 * program that is loaded here uses. */
static int share_maps(struct floors_bpf *s, struct harness *h)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, s->obj)
	{
		int fd, err;

		if (bpf_map__is_internal(map) || map == s->maps.table || map == s->maps.port)
			continue;
		fd = harness_find_map(h, bpf_map__name(map));
		err = fd < 0 ? bpf_map__set_autocreate(map, false) : bpf_map__reuse_fd(map, fd);
		if (fd >= 0 && map == s->maps.flows)
			*(__u32 *)&s->rodata->flow_mask = entries_of(fd) - 1;
		if (fd >= 0 && map == s->maps.connection_sets)
			*(__u32 *)&s->rodata->connection_set_count = entries_of(fd);
		if (fd >= 0)
			close(fd); /* it has one of its own */
		if (err)
			return err;
	}
	bpf_program__set_autoload(s->progs.floor_established, bpf_map__autocreate(s->maps.flows));
	bpf_program__set_autoload(s->progs.floor_to_server, bpf_map__autocreate(s->maps.connections));
	bpf_program__set_autoload(s->progs.floor_to_client, bpf_map__autocreate(s->maps.connections));
	return 0;
}

struct floors *floors_new(struct harness *h, unsigned int ifindex)
{
	struct bpf_devmap_val port = { .ifindex = ifindex, .bpf_prog.fd = -1 };
	struct floors *f = calloc(1, sizeof(*f));
	uint32_t zero = 0;

	if (!f)
		return NULL;
	f->skeleton = floors_bpf__open();
	if (!f->skeleton || share_maps(f->skeleton, h) || floors_bpf__load(f->skeleton) ||
	    bpf_map_update_elem(bpf_map__fd(f->skeleton->maps.port), &zero, &port, 0)) {
		perror("floors");
		floors_free(f);
		return NULL;
	}
	return f;
}

void floors_free(struct floors *f)
{
	if (!f)
		return;
	floors_bpf__destroy(f->skeleton);
	free(f);
}

int floors_program(struct floors *f, enum floor floor, uint32_t flows)
{
	const struct bpf_program *const programs[FLOORS] = {
		[FLOOR_PARSE] = f->skeleton->progs.floor_parse,
		[FLOOR_LISTED] = f->skeleton->progs.floor_listed,
		[FLOOR_COOKIE_CHECK] = f->skeleton->progs.floor_cookie_check,
		[FLOOR_COOKIE_MAKE] = f->skeleton->progs.floor_cookie_make,
		[FLOOR_ESTABLISHED] = f->skeleton->progs.floor_established,
		[FLOOR_TO_SERVER] = f->skeleton->progs.floor_to_server,
		[FLOOR_TO_CLIENT] = f->skeleton->progs.floor_to_client,
		[FLOOR_FLOW] = f->skeleton->progs.floor_flow,
		[FLOOR_TRANSLATE] = f->skeleton->progs.floor_translate,
	};

	f->skeleton->bss->read_mask = flows - 1;
	return bpf_program__fd(programs[floor]);
}

double floors_read(struct floors *f, struct runner *r, const struct floors_table *table, uint32_t count,
		   bool waits, uint32_t packets, int times)
{
	struct floors_bpf__bss *bss = f->skeleton->bss;
	int program = bpf_program__fd(f->skeleton->progs.floor_reads);
	double best[2] = { HUGE_VAL, HUGE_VAL }; /* without reads, and with them */

	bss->read_mask = table->lines - 1;
	bss->read_pages = table->pages;
	bss->read_waits = waits;
	bss->read_count = count;
	runner_run(r, program, table->lines); /* warms up */
	for (int i = 0; i < 2 * times; i++) {
		double ns;

		bss->read_count = i & 1 ? count : 0;
		ns = runner_run(r, program, packets);
		if (ns < best[i & 1])
			best[i & 1] = ns;
	}
	return best[1] - best[0];
}
