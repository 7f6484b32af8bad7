// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target for the reader of captures (tests/replay), and so for the tracker's own segment, state and
 * table code: whatever the file holds, it is read to its end or refused.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define FLOWS_MAX 1024
#define main	  replay_main
int replay_main(int argc, char **argv);
#include "tests/replay/replay.c"
#undef main

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct replay r = { 0 };
	char path[32];
	int fd = memfd_create("capture", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	replay(&r, path);
	close(fd);
	return 0;
}
