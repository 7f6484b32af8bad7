/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tokens of a configuration text, cut exactly as libconfig's own scanner cuts them (tests/fuzz holds the
 * two together). Judges only what scan.h lists; whether the tokens make sense is libconfig's business.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/config/scan.h"

#define DIGITS	   "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"
#define NAME_START "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ*"
#define NAME_REST  NAME_START DIGITS "-_"

/* Kinds of the last token, beside the punctuation that stands for itself. */
#define LAST_NONE   '\0'
#define LAST_STRING '"'
#define LAST_OTHER  'o'

struct scanner {
	const char *at;
	unsigned int line;
	char last;
	char open[SCAN_DEPTH_MAX + 1]; /* brackets around; [0] is the file itself, a group */
	unsigned int open_line[SCAN_DEPTH_MAX + 1];
	unsigned int scope[SCAN_DEPTH_MAX + 1];
	unsigned int depth, scopes;
	struct scan *scan;
	struct scan_fault *fault;
};

static int fail(struct scanner *scanner, const char *text)
{
	*scanner->fault = (struct scan_fault){ .line = scanner->line, .text = text };
	return -EINVAL;
}

/* The array with room for one more (it doubles at each power of two), or NULL. */
static void *grow(void *array, size_t count, size_t size)
{
	return count & (count - 1) ? array : reallocarray(array, count ? 2 * count : 1, size);
}

static int add_scalar(struct scanner *scanner, struct scan_scalar scalar)
{
	struct scan *scan = scanner->scan;
	struct scan_scalar *scalars = grow(scan->scalars, scan->scalar_count, sizeof(scalar));

	if (!scalars)
		return -ENOMEM;
	scan->scalars = scalars;
	scan->scalars[scan->scalar_count++] = scalar;
	return 0;
}

static int add_name(struct scanner *scanner, size_t length)
{
	struct scan *scan = scanner->scan;
	struct scan_name *names = grow(scan->names, scan->name_count, sizeof(*names));

	if (!names)
		return -ENOMEM;
	scan->names = names;
	scan->names[scan->name_count++] = (struct scan_name){
		.line = scanner->line,
		.scope = scanner->scope[scanner->depth],
		.text = scanner->at,
		.length = length,
	};
	return 0;
}

static void skip(struct scanner *scanner, size_t length)
{
	for (; length && *scanner->at; length--)
		scanner->line += *scanner->at++ == '\n';
}

static int skip_comment(struct scanner *scanner)
{
	const char *end = strstr(scanner->at + 2, "*/");

	if (!end)
		return fail(scanner, "this comment is never closed: end it with */");
	skip(scanner, (size_t)(end + 2 - scanner->at));
	return 0;
}

/* libconfig forgets to free a string that it did not expect. */
static bool string_may_stand(const struct scanner *scanner)
{
	if (scanner->last == ',')
		return scanner->open[scanner->depth] != '{';
	return scanner->last && strchr("=[(\"", scanner->last);
}

static int scan_string(struct scanner *scanner)
{
	const char *at = scanner->at + 1;
	int err = 0;

	if (!string_may_stand(scanner))
		return fail(scanner, "a string cannot stand here: before it, = or , or ; is missing");
	for (; *at && *at != '"'; at++) {
		if (!strncasecmp(at, "\\x00", 4))
			return fail(scanner, "\\x00 cannot be part of a string");
		if (at[0] == '\\' && (at[1] == '\\' || at[1] == '"'))
			at++;
	}
	if (!*at)
		return fail(scanner, "this string is never closed: end it with \"");
	if (scanner->last != LAST_STRING)
		err = add_scalar(scanner, (struct scan_scalar){ .line = scanner->line });
	scanner->last = LAST_STRING;
	skip(scanner, (size_t)(at + 1 - scanner->at));
	return err;
}

static size_t exponent_length(const char *text)
{
	size_t sign = text[0] && text[1] && strchr("+-", text[1]);
	size_t digits;

	if (text[0] != 'e' && text[0] != 'E')
		return 0;
	digits = strspn(text + 1 + sign, DIGITS);
	return digits ? 1 + sign + digits : 0;
}

static size_t suffix_length(const char *text)
{
	size_t length = strspn(text, "L");

	return length < 2 ? length : 2;
}

/* Length of the number at text (0: none), and its value where it is an integer. */
static size_t scan_number(const char *text, struct scan_scalar *scalar)
{
	size_t length = *text == '+' || *text == '-';
	size_t digits = strspn(text + length, DIGITS), fraction = 0, exponent;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && isxdigit((unsigned char)text[2])) {
		unsigned long long value = strtoull(text, NULL, 16);

		scalar->integer = true;
		scalar->value = value > LLONG_MAX ? LLONG_MAX : (long long)value;
		length = 2 + strspn(text + 2, HEX_DIGITS);
		return length + suffix_length(text + length);
	}
	length += digits;
	if (text[length] == '.')
		fraction = 1 + strspn(text + length + 1, DIGITS);
	exponent = digits || fraction ? exponent_length(text + length + fraction) : 0;
	if (fraction || exponent)
		return length + fraction + exponent;
	if (!digits)
		return 0;
	scalar->integer = true;
	scalar->value = strtoll(text, NULL, 10);
	return length + suffix_length(text + length);
}

static bool is_boolean(const char *text, size_t length)
{
	return (length == 4 && !strncasecmp(text, "true", 4)) ||
	       (length == 5 && !strncasecmp(text, "false", 5));
}

static int scan_word(struct scanner *scanner)
{
	struct scan_scalar scalar = { .line = scanner->line };
	bool name = strchr(NAME_START, *scanner->at);
	size_t length = name ? strspn(scanner->at, NAME_REST) : scan_number(scanner->at, &scalar);
	int err = 0;

	if (name && !is_boolean(scanner->at, length))
		err = add_name(scanner, length);
	else if (length)
		err = add_scalar(scanner, scalar);
	scanner->last = LAST_OTHER;
	skip(scanner, length ? length : 1);
	return err;
}

static int open_bracket(struct scanner *scanner)
{
	if (scanner->depth == SCAN_DEPTH_MAX)
		return fail(scanner, "brackets are nested too deeply here");
	scanner->depth++;
	scanner->open[scanner->depth] = *scanner->at;
	scanner->open_line[scanner->depth] = scanner->line;
	scanner->scope[scanner->depth] = ++scanner->scopes;
	return 0;
}

static int close_bracket(struct scanner *scanner)
{
	struct scan *scan = scanner->scan;
	char opening = strchr("{}[]()", *scanner->at)[-1];

	if (!scanner->depth || scanner->open[scanner->depth] != opening)
		return fail(scanner,
			    "this bracket closes none that is open: another one before it is missing");
	if (scanner->last == ',' && *scanner->at != '}' && !scan->trailing_comma_line)
		scan->trailing_comma_line = scanner->line;
	scanner->depth--;
	return 0;
}

static int check_closed(struct scanner *scanner)
{
	if (!scanner->depth)
		return 0;
	scanner->line = scanner->open_line[scanner->depth];
	return fail(scanner, "a bracket that opens here is never closed");
}

static int scan_punctuation(struct scanner *scanner)
{
	int err = 0;

	if (strchr("{[(", *scanner->at))
		err = open_bracket(scanner);
	else if (strchr("}])", *scanner->at))
		err = close_bracket(scanner);
	scanner->last = *scanner->at == ':' ? '=' : *scanner->at;
	skip(scanner, 1);
	return err;
}

static int scan_token(struct scanner *scanner)
{
	const char *at = scanner->at;

	if (strchr(" \t\n\r\f", *at)) {
		skip(scanner, 1);
		return 0;
	}
	if (*at == '#' || !strncmp(at, "//", 2)) {
		skip(scanner, strcspn(at, "\n"));
		return 0;
	}
	if (!strncmp(at, "/*", 2))
		return skip_comment(scanner);
	if (*at == '"')
		return scan_string(scanner);
	return strchr("{}[]()=:,;", *at) ? scan_punctuation(scanner) : scan_word(scanner);
}

/* By lines, not by tokens: whatever else this scanner may get wrong, libconfig never meets an @include. */
static int refuse_include(struct scanner *scanner)
{
	const char *text = scanner->at;

	while (*scanner->at) {
		if (!strncmp(scanner->at + strspn(scanner->at, " \t"), "@include", 8))
			return fail(scanner, "@include is not supported: put further files into conf.d/");
		skip(scanner, strcspn(scanner->at, "\n") + 1);
	}
	scanner->at = text;
	scanner->line = 1;
	return 0;
}

int scan_text(const char *text, struct scan *scan, struct scan_fault *fault)
{
	struct scanner scanner = { .at = text, .line = 1, .open = "{", .scan = scan, .fault = fault };
	int err;

	*scan = (struct scan){ 0 };
	err = refuse_include(&scanner);
	while (!err && *scanner.at)
		err = scan_token(&scanner);
	if (!err)
		err = check_closed(&scanner);
	if (err)
		scan_free(scan);
	return err;
}

void scan_free(struct scan *scan)
{
	free(scan->scalars);
	free(scan->names);
	*scan = (struct scan){ 0 };
}

static bool same_name(const struct scan_name *a, const struct scan_name *b)
{
	return a->scope == b->scope && a->length == b->length && !memcmp(a->text, b->text, a->length);
}

const struct scan_name *scan_find_duplicate(const struct scan *scan, unsigned int line)
{
	for (size_t i = 0; i < scan->name_count; i++) {
		if (scan->names[i].line != line)
			continue;
		for (size_t j = 0; j < i; j++) {
			if (same_name(&scan->names[i], &scan->names[j]))
				return &scan->names[i];
		}
	}
	return NULL;
}
