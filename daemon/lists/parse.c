// SPDX-License-Identifier: GPL-2.0-or-later
/* See parse.h. */
#include "daemon/lists/parse.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static char *trim(char *text)
{
	size_t length;

	while (isspace((unsigned char)*text))
		text++;
	length = strlen(text);
	while (length && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

static void make_printable(char *text)
{
	for (; *text; text++)
		if (!isascii((unsigned char)*text) || !isprint((unsigned char)*text))
			*text = '?';
}

/* The string behind "KEY": on a line of JSON that holds no escapes, as Spamhaus writes them; NULL: none. */
static char *json_field(char *line, const char *key)
{
	char *at = strstr(line, key), *end;

	if (!at)
		return NULL;
	at += strlen(key);
	at += strspn(at, " \t:");
	if (*at++ != '"')
		return NULL;
	end = strchr(at, '"');
	if (!end)
		return NULL;
	return at;
}

static void end_field(char *field)
{
	if (field)
		*strchr(field, '"') = '\0';
}

/* Leaves the address at the returned place; NULL: a line of JSON that carries none. */
static char *split_json(char *line, const char **reason)
{
	char *address = json_field(line, "\"cidr\""), *why = json_field(line, "\"sblid\"");

	end_field(address);
	end_field(why);
	*reason = why ? why : "";
	return address;
}

static char *split_text(char *line, const char **reason)
{
	char *end = line + strcspn(line, " \t;#,");

	if (*end) {
		*end++ = '\0';
		end += strspn(end, " \t;#,");
	}
	make_printable(end);
	*reason = end;
	return line;
}

enum parse_result parse_list_line(char *line, struct prefix *prefix, const char **reason, char *fault,
				  size_t fault_size)
{
	char *address;

	if (!strncmp(line, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)))
		line += strlen(BYTE_ORDER_MARK);
	line = trim(line);
	if (!*line || *line == '#' || *line == ';')
		return PARSE_NOTHING;
	if (*line == '{' && strstr(line, "\"metadata\""))
		return PARSE_NOTHING;
	address = *line == '{' ? split_json(line, reason) : split_text(line, reason);
	if (address && !prefix_parse(address, prefix))
		return PARSE_ENTRY;
	if (address) {
		make_printable(address);
		prefix_explain(address, fault, fault_size);
	} else {
		snprintf(fault, fault_size, "no \"cidr\" on this line of JSON");
	}
	return PARSE_BAD;
}
