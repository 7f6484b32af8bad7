/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * synmoat doctor: by the daemon, or without one by `synmoatd --doctor`.
 */
#ifndef SYNMOAT_CLI_DOCTOR_H
#define SYNMOAT_CLI_DOCTOR_H

#include <jansson.h>

struct options;
struct render;

int run_doctor(char **arguments, const struct options *options);

/* For run_doctor: the worst first, then those in order by name alone. */
void show_findings(struct render *render, const json_t *reply);

#endif
