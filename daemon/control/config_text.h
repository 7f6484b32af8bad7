/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration in force as text, shared by all who ask for it within a second, so that neither their
 * number nor their slowness costs the daemon a copy each.
 */
#ifndef SYNMOAT_CONTROL_CONFIG_TEXT_H
#define SYNMOAT_CONTROL_CONFIG_TEXT_H

#include <stddef.h>
#include <time.h>

struct config;

struct config_text {
	unsigned int holders;
	time_t made_s;
	char *path, *text;
	size_t length;
};

/* The text in *cache while it is fresh, else a new one that takes its place. Drop it after use. */
int config_text_hold(struct config_text **cache, const struct config *config, struct config_text **out);
void config_text_drop(void *text);

#endif
