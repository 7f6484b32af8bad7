/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What doctor finds, over the socket and, without a daemon, from `synmoatd --doctor`.
 */
#ifndef SYNMOAT_CONTROL_DOCTOR_METHOD_H
#define SYNMOAT_CONTROL_DOCTOR_METHOD_H

#include <jansson.h>

struct doctor;
struct findings;
struct request;

/* One check a part, so that no call holds up the daemon. */
void doctor_method_handle(struct request *request);

/* All checks, each in its turn: a reply of Doctor; NULL: out of memory. */
json_t *doctor_method_run(const struct doctor *doctor);

/* A reply of Doctor with these findings. */
json_t *doctor_method_encode(const struct findings *findings);

#endif
