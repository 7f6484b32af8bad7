/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks that would cut off more than anybody means by them: most of the internet, the service's own servers,
 * what a link lives on. Pure. (Where the caller itself comes from is for the CLI to know.)
 */
#ifndef SYNMOAT_ENGINE_CUT_H
#define SYNMOAT_ENGINE_CUT_H

#include <stdbool.h>

#include "daemon/config/config.h"

/* True: text says what PREFIX would cut off. */
bool cut_explain(const struct config *config, const struct prefix *prefix, char *text, size_t size);

#endif
