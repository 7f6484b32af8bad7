/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One configuration text as libconfig's tree, with the lines and integers that libconfig 1.5 gets wrong set
 * right. A source stays alive until the configuration is judged, so that errors can point into it.
 */
#ifndef SYNMOAT_CONFIG_SOURCE_H
#define SYNMOAT_CONFIG_SOURCE_H

#include <libconfig.h>

#include "daemon/config/config.h"
#include "daemon/config/scan.h"

struct source {
	struct source *next;
	char *name; /* of the file */
	char *text;
	struct scan scan;
	config_t tree; /* settings point back to it, so a source never moves */
};

/* 0 or a negative errno with *error filled. */
int source_read(const char *path, struct source **source, struct config_error *error);
int source_parse(const char *text, size_t size, const char *name, struct source **source,
		 struct config_error *error);
void source_free(struct source *source);

/* The source that a setting stands in. */
const struct source *source_of(const config_setting_t *setting);

/* PATH as it was given last in a list of sources, or NULL. */
const config_setting_t *source_find(const struct source *sources, const char *path);

/* The integer as it was written (of an INT or INT64 setting). */
long long source_integer(const config_setting_t *setting);

#endif
