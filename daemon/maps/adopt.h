/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maps that outlive the daemon. What a configuration says is loaded anew each time; what packets have left
 * behind (connections, verified flows, counters, budgets) is taken over from the programs of before, if it is
 * laid out as ours is: the same sizes, and the same types as BTF tells them.
 */
#ifndef SYNMOAT_ADOPT_H
#define SYNMOAT_ADOPT_H

#include <stddef.h>
#include <stdint.h>

struct btf;
struct bpf_object;
struct fdstore;

/*
 * Before the object is loaded. translated: connections that would break if the table of them were not taken
 * over. 0; or -EUCLEAN, with nothing changed: it is laid out otherwise, and there are some. text: what is
 * wrong and what to do, filled on failure.
 */
int adopt_maps(struct bpf_object *object, struct fdstore *store, uint64_t translated, char *text,
	       size_t size);

/* After it: puts into the store what has not been there. */
void adopt_keep(struct bpf_object *object, struct fdstore *store);

/* A hash of a type as it lies in memory: names, offsets and sizes of all that it holds. */
uint32_t adopt_layout(const struct btf *btf, uint32_t type);

#endif
