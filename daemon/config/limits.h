/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the limits demand of each other, beyond what each key may be.
 */
#ifndef SYNMOAT_CONFIG_LIMITS_H
#define SYNMOAT_CONFIG_LIMITS_H

#include "daemon/config/config.h"

struct source;

/* 0, or -EINVAL with *error filled. SOURCES: that were read, for the line; FILE: if it stands in none. */
int limits_check(const struct config_limits *limits, const struct source *sources, const char *file,
		 struct config_error *error);

int limits_check_punish(const struct config_punish *punish, const struct source *sources, const char *file,
			struct config_error *error);

#endif
