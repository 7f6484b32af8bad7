/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors of the configuration: file, line, key path, text. What the file said is quoted in them, so bytes
 * that a terminal or JSON would trip over are replaced.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "daemon/config/error.h"
#include "daemon/config/source.h"

static void make_printable(char *text)
{
	for (; *text; text++) {
		if (!isascii((unsigned char)*text) || !isprint((unsigned char)*text))
			*text = '?';
	}
}

static void set_text(struct config_error *error, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
static void set_text(struct config_error *error, const char *format, va_list arguments)
{
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	make_printable(error->text);
}

static void set_place(struct config_error *error, const char *file, unsigned int line)
{
	snprintf(error->file, sizeof(error->file), "%s", file);
	error->line = line;
}

/* "services[1].ports[0]"; what does not fit is cut off. Returns the length. */
static size_t format_path(const config_setting_t *setting, char *buffer, size_t size)
{
	const char *name = config_setting_name(setting);
	size_t used;

	if (config_setting_is_root(setting)) {
		buffer[0] = '\0';
		return 0;
	}
	used = format_path(config_setting_parent(setting), buffer, size);
	if (name)
		snprintf(buffer + used, size - used, "%s%s", used ? "." : "", name);
	else
		snprintf(buffer + used, size - used, "[%d]", config_setting_index(setting));
	return used + strlen(buffer + used);
}

int error_set(struct config_error *error, int err, const char *file, unsigned int line, const char *key,
	      const char *format, ...)
{
	va_list arguments;

	set_place(error, file, line);
	snprintf(error->key, sizeof(error->key), "%s", key);
	va_start(arguments, format);
	set_text(error, format, arguments);
	va_end(arguments);
	return err;
}

int error_at(struct config_error *error, const config_setting_t *setting, const char *format, ...)
{
	va_list arguments;

	set_place(error, source_of(setting)->name, config_setting_source_line(setting));
	format_path(setting, error->key, sizeof(error->key));
	va_start(arguments, format);
	set_text(error, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

int error_between(struct config_error *error, const struct source *sources, const char *file, const char *key,
		  const char *other, const char *format, ...)
{
	const config_setting_t *setting = source_find(sources, key);
	va_list arguments;

	if (!setting)
		setting = source_find(sources, other);
	if (setting)
		set_place(error, source_of(setting)->name, config_setting_source_line(setting));
	else
		set_place(error, file, 0);
	snprintf(error->key, sizeof(error->key), "%s", key);
	va_start(arguments, format);
	set_text(error, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

int error_missing(struct config_error *error, const config_setting_t *parent, const char *name,
		  const char *example)
{
	size_t used;

	error_at(error, parent, "missing: write %s", example);
	used = strlen(error->key);
	snprintf(error->key + used, sizeof(error->key) - used, "%s%s", used ? "." : "", name);
	return -EINVAL;
}

static void describe(const config_setting_t *setting, char *buffer, size_t size)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		snprintf(buffer, size, "a group { ... }");
		break;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		snprintf(buffer, size, "the number %lld", source_integer(setting));
		break;
	case CONFIG_TYPE_FLOAT:
		snprintf(buffer, size, "the fraction %#g", config_setting_get_float(setting));
		break;
	case CONFIG_TYPE_STRING:
		snprintf(buffer, size, "the string \"%.60s\"", config_setting_get_string(setting));
		break;
	case CONFIG_TYPE_BOOL:
		snprintf(buffer, size, "%s", config_setting_get_bool(setting) ? "true" : "false");
		break;
	case CONFIG_TYPE_ARRAY:
		snprintf(buffer, size, "an array [ ... ]");
		break;
	default:
		snprintf(buffer, size, "a list ( ... )");
		break;
	}
}

int error_type(struct config_error *error, const config_setting_t *setting, const char *wanted)
{
	char found[80];

	describe(setting, found, sizeof(found));
	return error_at(error, setting, "%s is wanted here, found %s", wanted, found);
}

int error_memory(struct config_error *error)
{
	return error_set(error, -ENOMEM, "", 0, "", "out of memory");
}

const char *config_error_format(const struct config_error *error, char *buffer, size_t size)
{
	char line[16] = "";

	if (error->line)
		snprintf(line, sizeof(line), ":%u", error->line);
	snprintf(buffer, size, "%s%s%s%s%s%s", error->file, line, error->file[0] ? ": " : "", error->key,
		 error->key[0] ? ": " : "", error->text);
	return buffer;
}
