/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One program loaded by a thread of its own: the verifier takes tenths of a second for each of the large
 * ones, and works on several at once.
 */
#ifndef SYNMOAT_PART_H
#define SYNMOAT_PART_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_object;

struct part {
	pthread_t thread;
	const struct bpf_object *object; /* is loaded, and has the maps; stays until the part has ended */
	const void *elf;		 /* that it was opened from */
	size_t size;
	const char *name;
	uint32_t flags;
	int result;
};

/* Begins to load PART->name. 0 or a negative errno. */
int part_begin(struct part *part);

/* Waits for one that has begun. The program, which is the caller's to close, or a negative errno. */
int part_end(struct part *part);

#endif
