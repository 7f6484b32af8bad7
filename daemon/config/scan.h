/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A look at a file's tokens before libconfig parses it, for what libconfig 1.5 gets wrong: an integer without
 * L is silently cut to 32 bits; the last string of an array bears the line of the closing bracket; a string
 * where none may stand leaks; and @include of what cannot be read ends the whole process.
 */
#ifndef SYNMOAT_CONFIG_SCAN_H
#define SYNMOAT_CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define SCAN_DEPTH_MAX 16 /* nested brackets; ours nest three deep */

/* A number, boolean or string (parts joined), in the order of the file. */
struct scan_scalar {
	unsigned int line;
	bool integer;
	long long value; /* of an integer, clamped */
};

/* The name of a setting; scope tells one pair of brackets from another. */
struct scan_name {
	unsigned int line;
	unsigned int scope;
	const char *text; /* within the scanned text */
	size_t length;
};

struct scan {
	struct scan_scalar *scalars;
	size_t scalar_count;
	struct scan_name *names;
	size_t name_count;
	unsigned int trailing_comma_line; /* of the first one before ) or ]; 0: none */
};

struct scan_fault {
	unsigned int line;
	const char *text;
};

/* 0; -EINVAL with *fault filled: wrong, and not to be shown to libconfig; or -ENOMEM. */
int scan_text(const char *text, struct scan *scan, struct scan_fault *fault);
void scan_free(struct scan *scan);

/* The first setting on that line whose name was already used between the same brackets, or NULL. */
const struct scan_name *scan_find_duplicate(const struct scan *scan, unsigned int line);

#endif
