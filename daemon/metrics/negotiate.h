/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which format an HTTP client wants (RFC 9110, section 12.5.1). Pure. */
#ifndef SYNMOAT_METRICS_NEGOTIATE_H
#define SYNMOAT_METRICS_NEGOTIATE_H

#include "daemon/metrics/exposition.h"

/* accept: the field's value; NULL: there is none. OpenMetrics is for those who name it. */
enum exposition_format negotiate_format(const char *accept);
const char *negotiate_content_type(enum exposition_format format);

#endif
