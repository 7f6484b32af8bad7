/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics as text, in the two formats that Prometheus reads: OpenMetrics 1.0 and its older text format 0.0.4.
 * Families come one after the other, each with its samples. Knows nothing of what is measured. Pure.
 */
#ifndef SYNMOAT_METRICS_EXPOSITION_H
#define SYNMOAT_METRICS_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

enum exposition_format { EXPOSITION_TEXT, EXPOSITION_OPENMETRICS, EXPOSITION_FORMATS };

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_INFO };

struct exposition;

/* NULL: no memory. */
struct exposition *exposition_new(enum exposition_format format);
void exposition_free(struct exposition *exposition);

/*
 * Begins a family. Name: without the _total of a counter or the _info of an info; unit: what the name ends in
 * ("seconds", "bytes"), or NULL. created_s: of counters, when they began with 0, in seconds of the Unix
 * epoch; 0: not known.
 */
void exposition_family(struct exposition *exposition, enum metric_type type, const char *name,
		       const char *unit, double created_s, const char *help);

/* A sample of the family that was begun last; labels: pairs of a name and a value, then NULL. */
void exposition_count(struct exposition *exposition, uint64_t value, ...) __attribute__((sentinel));
void exposition_value(struct exposition *exposition, double value, ...) __attribute__((sentinel));

/*
 * Ends it: the text, to be freed, and its length. NULL: no memory.
 */
char *exposition_finish(struct exposition *exposition, size_t *length);

#endif
