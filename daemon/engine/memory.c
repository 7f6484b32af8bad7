// SPDX-License-Identifier: GPL-2.0-or-later
/* See memory.h. */
#include "daemon/engine/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/fdstore.h"

/* NULL: errno says why. */
static void *map(int fd, size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* -EUCLEAN: it is laid out otherwise. */
static int map_kept(int fd, uint64_t magic, size_t bytes, void **memory)
{
	struct stat status;
	void *mapped;

	if (fstat(fd, &status))
		return -errno;
	if (status.st_size != (off_t)bytes)
		return -EUCLEAN;
	mapped = map(fd, bytes);
	if (!mapped)
		return -errno;
	if (*(const uint64_t *)mapped != magic) {
		memory_close(mapped, bytes);
		return -EUCLEAN;
	}
	*memory = mapped;
	return 0;
}

static int make(struct fdstore *store, const char *name, size_t bytes, void **memory)
{
	int fd = memfd_create("synmoat", MFD_CLOEXEC | MFD_ALLOW_SEALING), error = 0;
	void *mapped;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) || !(mapped = map(fd, bytes))) {
		error = -errno;
	} else {
		fdstore_put(store, name, fd);
		*memory = mapped;
	}
	close(fd);
	return error;
}

int memory_open(struct fdstore *store, const char *name, uint64_t magic, size_t bytes, void **memory)
{
	int fd = fdstore_get(store, name), error;

	if (fd < 0)
		return make(store, name, bytes, memory);
	error = map_kept(fd, magic, bytes, memory);
	if (!error)
		fdstore_claim(store, name);
	if (error != -EUCLEAN)
		return error;
	fdstore_remove(store, name);
	return make(store, name, bytes, memory);
}

void memory_close(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, bytes);
}
