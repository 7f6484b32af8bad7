/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filling a struct config_error: where, which key, and a text that is safe to print. All return the negative
 * errno to return (-EINVAL unless given).
 */
#ifndef SYNMOAT_CONFIG_ERROR_H
#define SYNMOAT_CONFIG_ERROR_H

#include <libconfig.h>

#include "daemon/config/config.h"

int error_set(struct config_error *error, int err, const char *file, unsigned int line, const char *key,
	      const char *format, ...) __attribute__((format(printf, 6, 7)));

/* At a setting: its line, its path, its source's file. */
int error_at(struct config_error *error, const config_setting_t *setting, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct source;

/* Of KEY, which does not agree with OTHER: at the one of both that was given last in one of SOURCES, KEY
 * first; in FILE as a whole if neither was, as both are defaults. */
int error_between(struct config_error *error, const struct source *sources, const char *file, const char *key,
		  const char *other, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* At a setting that lacks NAME, which is needed. */
int error_missing(struct config_error *error, const config_setting_t *parent, const char *name,
		  const char *example);

/* Not of the WANTED type: says what was found. */
int error_type(struct config_error *error, const config_setting_t *setting, const char *wanted);

int error_memory(struct config_error *error);

#endif
