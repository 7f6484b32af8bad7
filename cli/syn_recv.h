/* SPDX-License-Identifier: GPL-2.0-or-later */
/* synmoat syn-recv: half-opens by listener, and how many there were in the last ten minutes. */
#ifndef SYNMOAT_CLI_SYN_RECV_H
#define SYNMOAT_CLI_SYN_RECV_H

#include <jansson.h>

struct options;
struct render;

json_t *parameters_syn_recv(char **arguments, const struct options *options);
void show_syn_recv(struct render *render, const json_t *reply);

#endif
