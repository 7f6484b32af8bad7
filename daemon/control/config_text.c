// SPDX-License-Identifier: GPL-2.0-or-later
/* The configuration in force as text. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"
#include "daemon/control/config_text.h"

static int print_to_memory(const struct config *config, char **text, size_t *length)
{
	FILE *stream = open_memstream(text, length);
	int error;

	if (!stream)
		return -errno;
	error = config_print(config, stream);
	if (fclose(stream) && !error)
		error = -errno;
	return error;
}

static int make(const struct config *config, time_t now_s, struct config_text **out)
{
	struct config_text *made = calloc(1, sizeof(*made));
	int error;

	if (!made)
		return -ENOMEM;
	made->holders = 1;
	made->made_s = now_s;
	made->path = strdup(config->path ? config->path : "");
	error = made->path ? print_to_memory(config, &made->text, &made->length) : -ENOMEM;
	if (error) {
		config_text_drop(made);
		return error;
	}
	*out = made;
	return 0;
}

int config_text_hold(struct config_text **cache, const struct config *config, struct config_text **out)
{
	struct config_text *fresh;
	struct timespec now;
	int error;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!*cache || (*cache)->made_s != now.tv_sec) {
		error = make(config, now.tv_sec, &fresh);
		if (error)
			return error;
		config_text_drop(*cache);
		*cache = fresh;
	}
	(*cache)->holders++;
	*out = *cache;
	return 0;
}

void config_text_drop(void *text)
{
	struct config_text *dropped = text;

	if (!dropped || --dropped->holders)
		return;
	free(dropped->path);
	free(dropped->text);
	free(dropped);
}
