/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synmoat events`: what happened, and what happens. */
#ifndef SYNMOAT_CLI_EVENTS_H
#define SYNMOAT_CLI_EVENTS_H

#include "cli/commands.h"

int run_events(char **arguments, const struct options *options);

/*
 * When a --since begins: "1234" is the number of an event, "10m" or "2h" so long ago, else a time, of the
 * local clock unless it ends in Z: "18:25", "18:25:13", "2026-11-21", "2026-11-21 18:25",
 * "2026-11-21T18:25:13Z". False: none of these. Of *after (events with a higher number) and *since_us (wall
 * clock) one is set, the other is negative.
 */
bool events_parse_since(const char *text, int64_t now_us, int64_t *after, int64_t *since_us);

#endif
