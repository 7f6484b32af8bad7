/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The methods about tracked flows, and what Status says of tracking.
 */
#ifndef SYNMOAT_CONTROL_FLOWS_H
#define SYNMOAT_CONTROL_FLOWS_H

#include <jansson.h>

struct request;
struct tracker;

json_t *flows_encode_tracking(struct tracker *tracker);

void flows_handle_list(struct request *request);
void flows_handle_get(struct request *request);
void flows_handle_kill(struct request *request);

#endif
