/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types of configuration values: each reads a setting into a field and prints the field as a setting. A key
 * is one row of a table (keys.c), which says where in its object the value lives and what it may be.
 */
#ifndef SYNMOAT_CONFIG_VALUE_H
#define SYNMOAT_CONFIG_VALUE_H

#include <libconfig.h>
#include <stdio.h>

#include "daemon/config/config.h"

struct value_type;

struct key {
	const char *name; /* NULL ends a table */
	const struct value_type *type;
	size_t offset, size;			      /* of the field in its object */
	unsigned int min, max;			      /* of a number */
	bool zero_ok;				      /* a number may also be 0 */
	const char *const *words;		      /* of an enum, by value; NULL ends them */
	const char *(*find_fault)(const char *value); /* in a string or word: text, or NULL */
	const struct key *members;		      /* of a group or of the groups in a list */
	const char *example;			      /* not NULL: needed, and this is how to write it */
	bool list;				      /* the members are those of each group in a list */
	bool inline_only;			      /* in struct config: for deployment = "inline" */
	bool restart;				      /* likewise: a running daemon cannot change it */
};

struct value_type {
	int (*read)(const struct key *key, const config_setting_t *setting, void *object,
		    struct config_error *error);
	void (*print)(const struct key *key, const void *object, int depth, FILE *out); /* NULL: never */
};

extern const struct value_type value_number, value_boolean, value_word, value_text, value_string;
extern const struct value_type value_prefixes, value_ports, value_prefix_list, value_event_kinds;

/* Index of a word, or -1. */
int value_find_word(const char *const *words, const char *word);

void value_print_indent(int depth, FILE *out);

#endif
