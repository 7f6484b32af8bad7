/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no single key can tell: whether services contradict themselves or one another.
 */
#ifndef SYNMOAT_CONFIG_CHECK_H
#define SYNMOAT_CONFIG_CHECK_H

#include "daemon/config/source.h"

/* sources: in the order in which their services were read into config. */
int check_services(const struct config *config, const struct source *sources, struct config_error *error);

/* No prefix stands in two groups, or twice in one; of those that nest, the longest decides. */
int check_protected(const struct config *config, const struct source *sources, struct config_error *error);

#endif
