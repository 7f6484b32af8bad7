/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * synmoat check, a plugin for Nagios and its kin: one line, one of four exit statuses, performance data.
 */
#ifndef SYNMOAT_CLI_CHECK_H
#define SYNMOAT_CLI_CHECK_H

#include <jansson.h>
#include <stddef.h>

struct options;

enum check_state { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };

#define CHECK_METRICS 7

/* Above either; negative: no threshold. By the order of check_metric_name(). */
struct check_thresholds {
	double warning[CHECK_METRICS], critical[CHECK_METRICS];
	enum check_state attack; /* what an attack in progress is */
};

/* "half_open"; NULL beyond the last. */
const char *check_metric_name(size_t index);

/*
 * Judges two replies of Status, seconds apart. line: "SYNMOAT OK: ... | half_open=0;;;0 ...", without a line
 * break.
 */
enum check_state check_judge(const json_t *before, const json_t *now, double seconds,
			     const struct check_thresholds *thresholds, char *line, size_t size);

int run_check(char **arguments, const struct options *options);

#endif
