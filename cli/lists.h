/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of block and allow: what they ask for, and how the answers are shown.
 */
#ifndef SYNMOAT_CLI_LISTS_H
#define SYNMOAT_CLI_LISTS_H

#include <jansson.h>

struct options;
struct render;

json_t *parameters_block_add(char **arguments, const struct options *options);
json_t *parameters_allow_add(char **arguments, const struct options *options);
json_t *parameters_block_del(char **arguments, const struct options *options);
json_t *parameters_allow_del(char **arguments, const struct options *options);
json_t *parameters_block_flush(char **arguments, const struct options *options);
json_t *parameters_allow_flush(char **arguments, const struct options *options);
json_t *parameters_address(char **arguments, const struct options *options);

int run_block_list(char **arguments, const struct options *options);
int run_allow_list(char **arguments, const struct options *options);
int run_block_import(char **arguments, const struct options *options);
int run_allow_import(char **arguments, const struct options *options);

/* On a terminal: waits until lists that are being loaded are in force, and tells how far that has come. An
 * exit code. */
int lists_follow(const char *socket);

void show_entry_added(struct render *render, const json_t *reply);
void show_entry_removed(struct render *render, const json_t *reply);
void show_flushed(struct render *render, const json_t *reply);
void show_tested(struct render *render, const json_t *reply);

#endif
