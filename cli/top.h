/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * synmoat top: looks, lays out, draws, and listens to keys until it is ended.
 */
#ifndef SYNMOAT_CLI_TOP_H
#define SYNMOAT_CLI_TOP_H

struct options;

int run_top(char **arguments, const struct options *options);

#endif
