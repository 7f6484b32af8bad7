/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks and crowds as a person wants to read them: all of them, and a line of one in other replies.
 */
#ifndef SYNMOAT_CLI_ATTACKS_H
#define SYNMOAT_CLI_ATTACKS_H

#include <stddef.h>

#include <jansson.h>

struct render;

/* The reply of ListAttacks. */
void show_attacks(struct render *render, const json_t *reply);

/* "for 7s"; once it is calm, and not over yet: "of 7s, calm for 3s". */
const char *attacks_duration(char *text, size_t size, const json_t *attack);

/* A service's attack, as a line. */
void attacks_print_line(struct render *render, const json_t *attack);

/* A line for each of the services that is being attacked, or was. */
void attacks_print_services(struct render *render, const json_t *services);

#endif
