// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See exposition.h. What differs: OpenMetrics names a family without its suffix, has units, says when a
 * counter began, and ends with # EOF.
 */
#include "daemon/metrics/exposition.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct exposition {
	enum exposition_format format;
	FILE *out;
	char *text;
	size_t length;
	enum metric_type type;
	const char *name;
	double created_s;
};

struct exposition *exposition_new(enum exposition_format format)
{
	struct exposition *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->format = format;
	x->out = open_memstream(&x->text, &x->length);
	if (!x->out) {
		free(x);
		return NULL;
	}
	return x;
}

void exposition_free(struct exposition *x)
{
	if (!x)
		return;
	if (x->out)
		fclose(x->out);
	free(x->text);
	free(x);
}

static const char *suffix_of(enum metric_type type)
{
	switch (type) {
	case METRIC_COUNTER:
		return "_total";
	case METRIC_INFO:
		return "_info";
	case METRIC_GAUGE:
		break;
	}
	return "";
}

static const char *type_word(const struct exposition *x)
{
	switch (x->type) {
	case METRIC_COUNTER:
		return "counter";
	case METRIC_INFO:
		return x->format == EXPOSITION_OPENMETRICS ? "info" : "gauge";
	case METRIC_GAUGE:
		break;
	}
	return "gauge";
}

/* The older format knows no escaped quotes in a help text. */
static void put_escaped(FILE *out, const char *text, bool quotes)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '\\' || (*text == '"' && quotes))
			fprintf(out, "\\%c", *text);
		else
			putc(*text, out);
	}
}

void exposition_family(struct exposition *x, enum metric_type type, const char *name, const char *unit,
		       double created_s, const char *help)
{
	bool open = x->format == EXPOSITION_OPENMETRICS;
	const char *suffix = open ? "" : suffix_of(type);

	x->type = type;
	x->name = name;
	x->created_s = created_s;
	fprintf(x->out, "# TYPE %s%s %s\n", name, suffix, type_word(x));
	if (open && unit)
		fprintf(x->out, "# UNIT %s %s\n", name, unit);
	fprintf(x->out, "# HELP %s%s ", name, suffix);
	put_escaped(x->out, help, open);
	putc('\n', x->out);
}

static void put_labels(FILE *out, va_list labels)
{
	const char *name = va_arg(labels, const char *);

	for (char separator = '{'; name; separator = ',') {
		fprintf(out, "%c%s=\"", separator, name);
		put_escaped(out, va_arg(labels, const char *), true);
		putc('"', out);
		name = va_arg(labels, const char *);
		if (!name)
			putc('}', out);
	}
}

/* As short as reads back the same. */
static void put_value(FILE *out, double value)
{
	char text[32];

	if (isnan(value))
		fputs("NaN", out);
	else if (isinf(value))
		fputs(value > 0 ? "+Inf" : "-Inf", out);
	else {
		snprintf(text, sizeof(text), "%.15g", value);
		fprintf(out, strtod(text, NULL) == value ? "%.15g" : "%.17g", value);
	}
}

static void put_created(struct exposition *x, va_list labels)
{
	if (x->format != EXPOSITION_OPENMETRICS || x->type != METRIC_COUNTER || !(x->created_s > 0))
		return;
	fprintf(x->out, "%s_created", x->name);
	put_labels(x->out, labels);
	fprintf(x->out, " %.3f\n", x->created_s);
}

void exposition_count(struct exposition *x, uint64_t value, ...)
{
	va_list labels, again;

	va_start(labels, value);
	va_copy(again, labels);
	fprintf(x->out, "%s%s", x->name, suffix_of(x->type));
	put_labels(x->out, labels);
	fprintf(x->out, " %" PRIu64 "\n", value);
	put_created(x, again);
	va_end(again);
	va_end(labels);
}

void exposition_value(struct exposition *x, double value, ...)
{
	va_list labels, again;

	va_start(labels, value);
	va_copy(again, labels);
	fprintf(x->out, "%s%s", x->name, suffix_of(x->type));
	put_labels(x->out, labels);
	putc(' ', x->out);
	put_value(x->out, value);
	putc('\n', x->out);
	put_created(x, again);
	va_end(again);
	va_end(labels);
}

char *exposition_finish(struct exposition *x, size_t *length)
{
	char *text;
	int failed;

	if (x->format == EXPOSITION_OPENMETRICS)
		fputs("# EOF\n", x->out);
	failed = ferror(x->out);
	failed |= fclose(x->out);
	x->out = NULL;
	if (failed)
		return NULL;
	text = x->text;
	*length = x->length;
	x->text = NULL;
	return text;
}
