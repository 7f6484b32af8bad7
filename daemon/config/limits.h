/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the limits demand of each other, beyond what each key may be.
 */
#ifndef SYNMOAT_CONFIG_LIMITS_H
#define SYNMOAT_CONFIG_LIMITS_H

#include "daemon/config/config.h"

/* 0, or -EINVAL with *error filled. */
int limits_check(const struct config_limits *limits, const char *file, struct config_error *error);

int limits_check_punish(const struct config_punish *punish, const char *file, struct config_error *error);

#endif
