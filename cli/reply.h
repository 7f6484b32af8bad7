/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields of the daemon's replies; 0, "" and false where there is none.
 */
#ifndef SYNMOAT_REPLY_H
#define SYNMOAT_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

static inline int64_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static inline const char *string(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static inline bool flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

#endif
