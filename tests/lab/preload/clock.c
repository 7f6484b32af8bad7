// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Before libc's by LD_PRELOAD, by whichever call it is asked: CLOCK_REALTIME is off by as many seconds as the
 * file $LAB_CLOCK says, since the clock of the machine is not a test's to set.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset_s(void)
{
	const char *path = getenv("LAB_CLOCK");
	FILE *file = path ? fopen(path, "re") : NULL;
	long offset = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%ld", &offset) != 1)
		offset = 0;
	fclose(file);
	return offset;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, id, now);

	if (!result && id == CLOCK_REALTIME)
		now->tv_sec += offset_s();
	return result;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
	return 0;
}
