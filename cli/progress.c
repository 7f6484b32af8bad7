// SPDX-License-Identifier: GPL-2.0-or-later
/* See progress.h. */
#include "cli/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define EVERY_S 0.1

void progress_begin(struct progress *p)
{
	*p = (struct progress){ .tty = isatty(STDERR_FILENO) };
}

void progress_say(struct progress *p, const char *format, ...)
{
	struct timespec now;
	va_list arguments;
	double now_s;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	if (!p->tty || (p->shown && now_s - p->said_s < EVERY_S))
		return;
	fputs("\r", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs("\033[K", stderr);
	fflush(stderr);
	p->shown = true;
	p->said_s = now_s;
}

void progress_clear(struct progress *p)
{
	if (!p->shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	p->shown = false;
}

int progress_percent(uint64_t done, uint64_t all)
{
	if (!all)
		return 0;
	return done >= all ? 100 : (int)((double)done * 100 / (double)all);
}
