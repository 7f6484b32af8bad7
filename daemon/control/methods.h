/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The methods of io.synmoat and org.varlink.service: one table, which is also the list of what anyone may
 * call.
 */
#ifndef SYNMOAT_CONTROL_METHODS_H
#define SYNMOAT_CONTROL_METHODS_H

#include <stddef.h>

struct authority;
struct engine;
struct method;
struct metrics;
struct tracker;
struct watch;

/* The context of every handler. */
struct method_context {
	struct engine *engine;
	struct tracker *tracker;
	struct watch *watch;
	struct metrics *metrics;
	struct authority *authority;	 /* a reload may name another group */
	struct config_text *config_text; /* cache, NULL at first; drop it at the end */
};

/* The table; *count rows. */
const struct method *methods_table(size_t *count);

/* Another configuration is in force: another group may change things. */
void methods_configuration_changed(struct method_context *context);

/* The text of io.synmoat.varlink. */
const char *methods_description(void);

/* Answers that there is no such service, and which there are. */
struct request;
void methods_fail_no_such_service(struct request *request, const char *name);

#endif
