/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits and modes that were set at runtime outlive the daemon: each that differs from the configuration,
 * with what that said meanwhile. If it says something else when it is read again, it wins.
 */
#ifndef SYNMOAT_ENGINE_OVERRIDE_H
#define SYNMOAT_ENGINE_OVERRIDE_H

#include "bpf/abi.h"
#include "daemon/config/config.h"
#include "daemon/file_worker.h"

/* What is in force. */
struct override {
	struct config_limits limits;
	/* of each service of the configuration */
	enum service_mode modes[SERVICES_MAX];
	struct config_own_limits own[SERVICES_MAX];
};

/* What of it is being written, or should be. */
struct override_file {
	struct file_worker writer;
	bool pending; /* it could not be written */
	bool failed;  /* the last one, as the log has been told */
	int64_t retry_s;
};

void override_init(struct override *force, const struct config *config);

/* A limit, or "mode", in the words of settings, with the bursts in force where 0 was written; empty: there is
 * none of this name. */
#define OVERRIDE_SETTINGS_SIZE 160
void override_describe(const struct config_limits *limits, const char *name,
		       char text[OVERRIDE_SETTINGS_SIZE]);
void override_describe_own(const struct config_own_limits *own, const char *name,
			   char text[OVERRIDE_SETTINGS_SIZE]);

/* Begins to write DIR/changes and its copy, or does so next if one is being written. What cannot be written
 * leaves the old files as they are, is logged, and tried again. now_s: of any clock that goes on. */
void override_save(struct override_file *file, const char *dir, const struct config *config,
		   const struct override *force, int64_t now_s);

/* Once a second. True: there is something to save, again. */
bool override_follow(struct override_file *file, const char *dir, int64_t now_s);

/* Waits until it is written. True: there is something to save, again. */
bool override_wait(struct override_file *file, const char *dir, int64_t now_s);

/* What is kept, as text; the caller frees. NULL: no memory. */
char *override_print(const struct config *config, const struct override *force);
/* The same again, as override_load() does it; text is cut up. */
int override_apply(char *text, const struct config *config, struct override *force);

/* Applies to *force, which is as CONFIG says, what was kept; what cannot be applied is logged. Returns how
 * many changes were, or a negative errno: there are some, but they cannot be read. */
int override_load(const char *dir, const struct config *config, struct override *force);

#endif
