/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that outlives the daemon: a memfd in the store of descriptors (daemon/fdstore.h). */
#ifndef SYNMOAT_ENGINE_MEMORY_H
#define SYNMOAT_ENGINE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct fdstore;

/*
 * The memory of that NAME that a daemon before has left, if it has so many BYTES and begins with MAGIC; else
 * new, all 0: the caller writes MAGIC in front once the rest is whole. 0; or a negative errno, and what was
 * left stays in the store for the next daemon.
 */
int memory_open(struct fdstore *store, const char *name, uint64_t magic, size_t bytes, void **memory);

/* It stays in the store. */
void memory_close(void *memory, size_t bytes);

#endif
