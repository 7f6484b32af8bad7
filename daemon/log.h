/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line to the log: through stderr, which systemd hands to the journal with its priority, or with the time
 * of day for a person who runs the daemon by hand. Calls no other part of the daemon.
 */
#ifndef SYNMOAT_LOG_H
#define SYNMOAT_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* priority: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO … of syslog(3). Line breaks become blanks. */
void log_print(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether stderr goes to the journal. */
bool log_is_journal(void);

#endif
