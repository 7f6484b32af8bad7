/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits and modes that were set at runtime outlive the daemon: each that differs from the configuration,
 * with what that said meanwhile. If it says something else when it is read again, it wins.
 */
#ifndef SYNMOAT_ENGINE_OVERRIDE_H
#define SYNMOAT_ENGINE_OVERRIDE_H

#include "bpf/abi.h"
#include "daemon/config/config.h"

/* What is in force. */
struct override {
	struct config_limits limits;
	enum service_mode modes[SERVICES_MAX]; /* of each service of the configuration */
};

void override_init(struct override *force, const struct config *config);

/* DIR/changes and its copy. 0 or a negative errno; the old files then stay. */
int override_save(const char *dir, const struct config *config, const struct override *force);

/* Applies to *force, which is as CONFIG says, what was kept; what cannot be applied is logged. Returns how
 * many changes were, or a negative errno: there are some, but they cannot be read. */
int override_load(const char *dir, const struct config *config, struct override *force);

#endif
