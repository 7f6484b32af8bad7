/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protected prefixes in `synmoat status`: their policies, modes, and what these dropped or would have.
 */
#ifndef SYNMOAT_CLI_PROTECTED_H
#define SYNMOAT_CLI_PROTECTED_H

#include <jansson.h>

struct render;

/* Nothing, if there are none. */
void protected_print(struct render *render, const json_t *groups);

#endif
