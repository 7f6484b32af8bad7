// SPDX-License-Identifier: GPL-2.0-or-later
/* See memory.h. */
#include "daemon/engine/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/fdstore.h"

static void *map(int fd, size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void *open_kept(struct fdstore *store, const char *name, uint64_t magic, size_t bytes)
{
	int fd = fdstore_get(store, name);
	struct stat status;
	void *memory;

	if (fd < 0)
		return NULL;
	memory = !fstat(fd, &status) && status.st_size == (off_t)bytes ? map(fd, bytes) : NULL;
	if (memory && *(const uint64_t *)memory == magic) {
		fdstore_claim(store, name);
		return memory;
	}
	memory_close(memory, bytes);
	fdstore_remove(store, name);
	return NULL;
}

int memory_open(struct fdstore *store, const char *name, uint64_t magic, size_t bytes, void **memory)
{
	void *opened = open_kept(store, name, magic, bytes);
	int fd, error = 0;

	if (opened) {
		*memory = opened;
		return 0;
	}
	fd = memfd_create("synmoat", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		error = -errno;
	else if (!(opened = map(fd, bytes)))
		error = -ENOMEM;
	if (!error) {
		fdstore_put(store, name, fd);
		*memory = opened;
	}
	close(fd);
	return error;
}

void memory_close(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, bytes);
}
