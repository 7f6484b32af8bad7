/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of the configuration, as tables, and the walk over them: reading a group, printing a group.
 */
#ifndef SYNMOAT_CONFIG_KEYS_H
#define SYNMOAT_CONFIG_KEYS_H

#include "daemon/config/value.h"

extern const struct key config_keys[];	 /* of struct config */
extern const char *const mode_words[];	 /* by enum service_mode */
extern const char *const policy_words[]; /* by enum policy_mode */
extern const char *const limit_action_words[];
extern const struct config_limits limits_defaults;
extern const struct config_punish punish_defaults;

/* NULL: there is none of this name. */
const struct key *keys_find(const struct key *keys, const char *name);

/* "rate, burst, action", cut where the buffer ends. Returns buffer. */
const char *keys_list(const struct key *keys, char *buffer, size_t size);

/* Reads the members of a group into object; a key that the table lacks is an error. */
int keys_read(const struct key *keys, const config_setting_t *group, void *object,
	      struct config_error *error);
void keys_print(const struct key *keys, const void *object, int depth, FILE *out);

#endif
