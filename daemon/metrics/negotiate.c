// SPDX-License-Identifier: GPL-2.0-or-later
/* See negotiate.h. */
#include "daemon/metrics/negotiate.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define OPENMETRICS "application/openmetrics-text"
#define TEXT	    "text/plain"

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* "q=0.75" in thousandths. */
static int parse_quality(const char *text)
{
	int quality, digits = 100;

	if (*text != '0' && *text != '1')
		return 0;
	quality = *text == '1' ? 1000 : 0;
	if (text[1] != '.')
		return quality;
	for (text += 2; isdigit((unsigned char)*text) && digits; text++, digits /= 10)
		quality += (*text - '0') * digits;
	return quality < 1000 ? quality : 1000;
}

/* Of one media range, which ends at the next comma: 1000 unless it says otherwise; 0: of another type. */
static int quality_of(const char *range, const char *type)
{
	size_t length = strlen(type);
	const char *end = range + strcspn(range, ",");
	int quality = 1000;

	if (strncasecmp(range, type, length) != 0 || (range[length] && !strchr(" \t;,", range[length])))
		return 0;
	for (const char *at = memchr(range, ';', (size_t)(end - range)); at;
	     at = memchr(at, ';', (size_t)(end - at))) {
		at = skip_blanks(at + 1);
		if ((*at == 'q' || *at == 'Q') && at[1] == '=')
			quality = parse_quality(at + 2);
	}
	return quality;
}

static int best_quality(const char *accept, const char *type)
{
	int best = 0;

	while (*accept) {
		int quality;

		accept = skip_blanks(accept);
		quality = quality_of(accept, type);
		best = quality > best ? quality : best;
		accept += strcspn(accept, ",");
		accept += *accept == ',';
	}
	return best;
}

enum exposition_format negotiate_format(const char *accept)
{
	int open = accept ? best_quality(accept, OPENMETRICS) : 0;

	return open && open >= best_quality(accept, TEXT) ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
}

const char *negotiate_content_type(enum exposition_format format)
{
	return format == EXPOSITION_OPENMETRICS ? OPENMETRICS "; version=1.0.0; charset=utf-8"
						: TEXT "; version=0.0.4; charset=utf-8";
}
