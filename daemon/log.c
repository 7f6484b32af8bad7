// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The log: a line is formatted whole and written with one write(2), so that lines of several writers never
 * mix.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/log.h"

#define LINE_MAX_BYTES 2048

/* systemd.exec(5): JOURNAL_STREAM is inherited, so it counts only while it names our own stderr. */
bool log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static size_t format_time(char *buffer, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t length;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	length = strftime(buffer, size, "%H:%M:%S", &tm);
	return length + (size_t)snprintf(buffer + length, size - length, ".%03ld ", now.tv_nsec / 1000000);
}

void log_print(int priority, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	size_t head, room, body;
	va_list arguments;
	int wanted;

	if (log_is_journal())
		head = (size_t)snprintf(line, sizeof(line), "<%d>", LOG_PRI(priority));
	else
		head = format_time(line, sizeof(line));
	room = sizeof(line) - head - 1; /* the line break takes one */
	va_start(arguments, format);
	wanted = vsnprintf(line + head, room, format, arguments);
	va_end(arguments);
	if (wanted < 0)
		return;
	body = (size_t)wanted < room ? (size_t)wanted : room - 1;
	for (char *c = line + head; c < line + head + body; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	line[head + body] = '\n';
	if (write(STDERR_FILENO, line, head + body + 1) < 0)
		return; /* nowhere left to say so */
}
