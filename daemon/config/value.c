/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and prints the scalar types of configuration values.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/error.h"
#include "daemon/config/source.h"
#include "daemon/config/value.h"

static void *field_of(const struct key *key, void *object)
{
	return (char *)object + key->offset;
}

static const void *const_field_of(const struct key *key, const void *object)
{
	return (const char *)object + key->offset;
}

void value_print_indent(int depth, FILE *out)
{
	for (; depth; depth--)
		fputc('\t', out);
}

static void print_name(const struct key *key, int depth, FILE *out)
{
	value_print_indent(depth, out);
	fprintf(out, "%s = ", key->name);
}

/* --- numbers: fields of 16 or 32 bits --- */

static int range_error(const struct key *key, const config_setting_t *setting, struct config_error *error)
{
	return error_at(error, setting, "%lld is out of range: write %s%u to %u", source_integer(setting),
			key->zero_ok ? "0, or " : "", key->min, key->max);
}

static int read_number(const struct key *key, const config_setting_t *setting, void *object,
		       struct config_error *error)
{
	int type = config_setting_type(setting);
	long long value;
	uint32_t wide;
	uint16_t narrow;

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		return error_type(error, setting, "a whole number");
	value = source_integer(setting);
	if ((value < key->min || value > key->max) && !(key->zero_ok && value == 0))
		return range_error(key, setting, error);
	wide = (uint32_t)value;
	narrow = (uint16_t)value;
	memcpy(field_of(key, object), key->size == sizeof(narrow) ? (void *)&narrow : (void *)&wide,
	       key->size);
	return 0;
}

static void print_number(const struct key *key, const void *object, int depth, FILE *out)
{
	uint32_t wide = 0;
	uint16_t narrow;

	if (key->size == sizeof(narrow)) {
		memcpy(&narrow, const_field_of(key, object), sizeof(narrow));
		wide = narrow;
	} else {
		memcpy(&wide, const_field_of(key, object), sizeof(wide));
	}
	print_name(key, depth, out);
	fprintf(out, "%u%s;\n", wide, wide > INT_MAX ? "L" : "");
}

const struct value_type value_number = { read_number, print_number };

/* --- booleans --- */

static int read_boolean(const struct key *key, const config_setting_t *setting, void *object,
			struct config_error *error)
{
	bool value;

	if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
		return error_type(error, setting, "true or false");
	value = config_setting_get_bool(setting);
	memcpy(field_of(key, object), &value, sizeof(value));
	return 0;
}

static void print_boolean(const struct key *key, const void *object, int depth, FILE *out)
{
	print_name(key, depth, out);
	fprintf(out, "%s;\n", *(const bool *)const_field_of(key, object) ? "true" : "false");
}

const struct value_type value_boolean = { read_boolean, print_boolean };

/* --- words: fields that are an enum --- */

_Static_assert(sizeof(enum service_mode) == sizeof(int) && sizeof(enum deployment) == sizeof(int) &&
		       sizeof(enum xdp_mode) == sizeof(int) && sizeof(enum forward_mode) == sizeof(int) &&
		       sizeof(enum policy_mode) == sizeof(int) && sizeof(enum limit_action) == sizeof(int),
	       "words are stored as int");

int value_find_word(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++) {
		if (!strcmp(words[i], word))
			return i;
	}
	return -1;
}

/* "off", "monitor", "auto" */
static const char *join_words(const char *const *words, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (; *words && used < size; words++)
		used += (size_t)snprintf(buffer + used, size - used, "%s\"%s\"", used ? ", " : "", *words);
	return buffer;
}

static int read_word(const struct key *key, const config_setting_t *setting, void *object,
		     struct config_error *error)
{
	char choice[96], wanted[112];
	const char *fault;
	int value;

	join_words(key->words, choice, sizeof(choice));
	if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
		snprintf(wanted, sizeof(wanted), "one of %s", choice);
		return error_type(error, setting, wanted);
	}
	value = value_find_word(key->words, config_setting_get_string(setting));
	if (value < 0)
		return error_at(error, setting, "\"%.60s\" is not one of %s",
				config_setting_get_string(setting), choice);
	fault = key->find_fault ? key->find_fault(key->words[value]) : NULL;
	if (fault)
		return error_at(error, setting, "%s", fault);
	memcpy(field_of(key, object), &value, sizeof(value));
	return 0;
}

static void print_word(const struct key *key, const void *object, int depth, FILE *out)
{
	int value;

	memcpy(&value, const_field_of(key, object), sizeof(value));
	print_name(key, depth, out);
	fprintf(out, "\"%s\";\n", key->words[value]);
}

const struct value_type value_word = { read_word, print_word };

/* --- strings: text lives in the object (char[size]), a string on the heap (char *) --- */

static int check_string(const struct key *key, const config_setting_t *setting, struct config_error *error)
{
	const char *fault;

	if (config_setting_type(setting) != CONFIG_TYPE_STRING)
		return error_type(error, setting, "a string in \"...\"");
	fault = key->find_fault(config_setting_get_string(setting));
	if (fault)
		return error_at(error, setting, "\"%.60s\" will not do: %s",
				config_setting_get_string(setting), fault);
	return 0;
}

static int read_text(const struct key *key, const config_setting_t *setting, void *object,
		     struct config_error *error)
{
	int err = check_string(key, setting, error);

	if (err)
		return err;
	snprintf(field_of(key, object), key->size, "%s", config_setting_get_string(setting));
	return 0;
}

static int read_string(const struct key *key, const config_setting_t *setting, void *object,
		       struct config_error *error)
{
	char **field = field_of(key, object);
	int err = check_string(key, setting, error);
	char *copy;

	if (err)
		return err;
	copy = strdup(config_setting_get_string(setting));
	if (!copy)
		return error_memory(error);
	free(*field);
	*field = copy;
	return 0;
}

static void print_quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (isascii(byte) && isprint(byte))
			fputc(byte, out);
		else
			fprintf(out, "\\x%02x", byte);
	}
	fputc('"', out);
}

static void print_string_value(const struct key *key, const char *value, int depth, FILE *out)
{
	if (!value) {
		value_print_indent(depth, out);
		fprintf(out, "# %s is not set\n", key->name);
		return;
	}
	print_name(key, depth, out);
	print_quoted(value, out);
	fputs(";\n", out);
}

static void print_text(const struct key *key, const void *object, int depth, FILE *out)
{
	print_string_value(key, const_field_of(key, object), depth, out);
}

static void print_string(const struct key *key, const void *object, int depth, FILE *out)
{
	print_string_value(key, *(char *const *)const_field_of(key, object), depth, out);
}

const struct value_type value_text = { read_text, print_text };
const struct value_type value_string = { read_string, print_string };
