// SPDX-License-Identifier: GPL-2.0-or-later
/* See secret.h. */
#include "daemon/secret.h"

#include <string.h>
#include <sys/mman.h>

void secret_guard(void *memory, size_t size)
{
	madvise(memory, size, MADV_DONTDUMP);
	mlock(memory, size);
}

void *secret_new(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	secret_guard(memory, size);
	return memory;
}

void secret_free(void *memory, size_t size)
{
	if (!memory)
		return;
	explicit_bzero(memory, size);
	munmap(memory, size);
}
