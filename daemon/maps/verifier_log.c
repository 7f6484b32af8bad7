// SPDX-License-Identifier: GPL-2.0-or-later
/* See verifier_log.h. */
#include "daemon/maps/verifier_log.h"

#include <string.h>
#include <sys/mman.h>
#include <syslog.h>

#include "daemon/log.h"

#define LOG_SIZE    (64U << 20) /* of addresses; memory is what is written to */
#define LINES_SHOWN 8

void verifier_log_open(struct verifier_log *log)
{
	void *text = mmap(NULL, LOG_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			  -1, 0);

	*log = (struct verifier_log){ 0 };
	if (text != MAP_FAILED)
		*log = (struct verifier_log){ .text = text, .size = LOG_SIZE };
}

/* The beginning of the last COUNT lines of text. */
static const char *last_lines(const char *text, unsigned int count)
{
	const char *at = text + strlen(text);

	while (at > text && at[-1] == '\n')
		at--;
	while (at > text && (at[-1] != '\n' || --count))
		at--;
	return at;
}

void verifier_log_close(struct verifier_log *log, bool refused)
{
	if (!log->text)
		return;
	for (const char *line = last_lines(log->text, LINES_SHOWN); refused && *line;) {
		size_t length = strcspn(line, "\n");

		log_print(LOG_ERR, "the verifier: %.*s", (int)length, line);
		line += length + (line[length] == '\n');
	}
	munmap(log->text, log->size);
}
