/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each reply of the daemon as a person wants to read it. Takes the reply's JSON, tolerates what is missing.
 */
#ifndef SYNMOAT_CLI_SHOW_H
#define SYNMOAT_CLI_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/format.h"
#include "cli/render.h"

/* What makes the whole daemon answer nothing, if anything, and a blank line. */
void show_alarms(struct render *render, const json_t *reply);

void show_status(struct render *render, const json_t *reply);
void show_services(struct render *render, const json_t *reply);
void show_service(struct render *render, const json_t *reply);
void show_mode_set(struct render *render, const json_t *reply);
void show_interfaces(struct render *render, const json_t *reply);
void show_interface_set(struct render *render, const json_t *reply);
void show_config(struct render *render, const json_t *reply);
void show_reloaded(struct render *render, const json_t *reply);
void show_rotated(struct render *render, const json_t *reply);
void show_flows(struct render *render, const json_t *reply);
void show_flow(struct render *render, const json_t *reply);
void show_flow_killed(struct render *render, const json_t *reply);
/* What heads the drops of sources: in mode monitor they only would be. */
const char *show_source_drops(const json_t *reply);
void show_sources(struct render *render, const json_t *reply);
void show_limits(struct render *render, const json_t *reply);
void show_limit_set(struct render *render, const json_t *reply);
void show_bypass(struct render *render, const json_t *reply);
void show_drain(struct render *render, const json_t *reply);
void show_metrics(struct render *render, const json_t *reply);
void show_version(struct render *render, const json_t *reply);

/* What a service's mitigation comes to, and how that is tinted; reply: that it is from, with its alarms. */
const char *show_service_state(const json_t *service, const json_t *reply, enum tint *tint);

/* Its SYNs answered a second; those that would have been are in parentheses. Returns buffer. */
const char *show_service_answered(const json_t *service, char buffer[FORMAT_SIZE]);

/* The text of the alarm at INDEX of those that stand; false: there are no more. */
bool show_alarm(const json_t *reply, size_t index, char *text, size_t size);

#endif
