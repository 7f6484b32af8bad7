// SPDX-License-Identifier: GPL-2.0-or-later
/* See part.h. */
#include "daemon/maps/part.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "daemon/maps/verifier_log.h"

static int share_maps(const struct part *part, struct bpf_object *object)
{
	struct bpf_map *map;
	int error;

	bpf_object__for_each_map(map, object)
	{
		error = bpf_map__reuse_fd(map,
					  bpf_object__find_map_fd_by_name(part->object, bpf_map__name(map)));
		if (error)
			return error;
	}
	return 0;
}

static struct bpf_program *choose(const struct part *part, struct bpf_object *object)
{
	struct bpf_program *program, *chosen = NULL;

	bpf_object__for_each_program(program, object)
	{
		bool wanted = !strcmp(bpf_program__name(program), part->name);

		bpf_program__set_autoload(program, wanted);
		if (wanted)
			chosen = program;
	}
	return chosen;
}

static int load(const struct part *part, struct bpf_object *object)
{
	struct bpf_program *program = choose(part, object);
	int error = program ? 0 : -ENOENT;

	if (!error)
		error = bpf_program__set_flags(program, bpf_program__flags(program) | part->flags);
	if (!error)
		error = share_maps(part, object);
	if (!error)
		error = bpf_object__load(object);
	if (error)
		return error;
	error = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 0);
	return error < 0 ? -errno : error;
}

static void *run(void *arg)
{
	struct part *part = arg;
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = bpf_object__name(part->object));
	struct bpf_object *object;
	struct verifier_log log;

	verifier_log_open(&log);
	options.kernel_log_buf = log.text;
	options.kernel_log_size = log.size;
	object = bpf_object__open_mem(part->elf, part->size, &options);
	part->result = object ? load(part, object) : -errno;
	verifier_log_close(&log, part->result < 0);
	bpf_object__close(object);
	return NULL;
}

int part_begin(struct part *part)
{
	return -pthread_create(&part->thread, NULL, run, part);
}

int part_end(struct part *part)
{
	pthread_join(part->thread, NULL);
	return part->result;
}
