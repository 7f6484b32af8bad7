/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads one file (or text in memory), refuses what others could have written, has it scanned and parsed. The
 * only file that knows libconfig's parser and its traps.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/error.h"
#include "daemon/config/source.h"

#define SOURCE_SIZE_MAX (1 << 20)

static const char *open_hint(int err)
{
	switch (err) {
	case ENOENT:
		return ": create it, or name another file";
	case EACCES:
		return ": the daemon's user must be able to read it";
	default:
		return "";
	}
}

static int check_file(int fd, const char *path, struct config_error *error)
{
	struct stat status;

	if (fstat(fd, &status))
		return error_set(error, -errno, path, 0, "", "cannot stat it: %s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error_set(error, -EINVAL, path, 0, "", "this is not a regular file");
	if (status.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(error, -EPERM, path, 0, "",
				 "others than its owner can write to it; allow the owner only: chmod go-w %s",
				 path);
	if (status.st_size > SOURCE_SIZE_MAX)
		return error_set(error, -EINVAL, path, 0, "", "larger than 1 MiB: this is no configuration");
	return 0;
}

/* At most size bytes; the length read, or a negative errno. */
static ssize_t read_all(int fd, char *buffer, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t n = read(fd, buffer + length, size - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

static int read_and_parse(int fd, const char *path, struct source **source, struct config_error *error)
{
	char *text = malloc(SOURCE_SIZE_MAX + 1);
	ssize_t length;
	int err;

	if (!text)
		return error_memory(error);
	length = read_all(fd, text, SOURCE_SIZE_MAX + 1);
	if (length < 0)
		err = error_set(error, (int)length, path, 0, "", "cannot read it: %s",
				strerror((int)-length));
	else
		err = source_parse(text, (size_t)length, path, source, error);
	free(text);
	return err;
}

int source_read(const char *path, struct source **source, struct config_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hold us up */
	int err;

	if (fd < 0) {
		err = errno;
		return error_set(error, -err, path, 0, "", "cannot open it: %s%s", strerror(err),
				 open_hint(err));
	}
	err = check_file(fd, path, error);
	if (!err)
		err = read_and_parse(fd, path, source, error);
	close(fd);
	return err;
}

const config_setting_t *source_find(const struct source *sources, const char *path)
{
	const config_setting_t *found = NULL;

	for (; sources; sources = sources->next) {
		const config_setting_t *setting = config_lookup(&sources->tree, path);

		if (setting)
			found = setting;
	}
	return found;
}

const struct source *source_of(const config_setting_t *setting)
{
	return (const struct source *)((const char *)setting->config - offsetof(struct source, tree));
}

/* libconfig 1.5 keeps the low 32 bits of an integer without L; the scanner kept all of it. */
long long source_integer(const config_setting_t *setting)
{
	const struct scan_scalar *scalar = config_setting_get_hook(setting);

	if (scalar && scalar->integer)
		return scalar->value;
	if (config_setting_type(setting) == CONFIG_TYPE_INT64)
		return config_setting_get_int64(setting);
	return config_setting_get_int(setting);
}

static bool scalar_matches(const config_setting_t *setting, const struct scan_scalar *scalar)
{
	int type = config_setting_type(setting);

	return scalar->integer == (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64);
}

/* Hands the scanned scalars out to the tree's leaves, which stand in the same order. False: they differ. */
static bool attach_scalars(config_setting_t *setting, struct scan *scan, size_t *next)
{
	struct scan_scalar *scalar;

	if (config_setting_is_aggregate(setting)) {
		for (unsigned int i = 0; i < (unsigned int)config_setting_length(setting); i++) {
			if (!attach_scalars(config_setting_get_elem(setting, i), scan, next))
				return false;
		}
		return true;
	}
	if (*next == scan->scalar_count)
		return false;
	scalar = &scan->scalars[*next];
	if (!scalar_matches(setting, scalar))
		return false;
	config_setting_set_hook(setting, scalar);
	if (!config_setting_name(setting))
		setting->line = scalar->line; /* an element; a named setting has its name's line */
	(*next)++;
	return true;
}

static int adopt_scan(struct source *source, struct config_error *error)
{
	size_t next = 0;

	if (attach_scalars(config_root_setting(&source->tree), &source->scan, &next) &&
	    next == source->scan.scalar_count)
		return 0;
	return error_set(error, -EINVAL, source->name, 0, "",
			 "holds a notation that cannot be read safely: write plain numbers and strings");
}

static int duplicate_error(const struct source *source, unsigned int line, struct config_error *error)
{
	const struct scan_name *name = scan_find_duplicate(&source->scan, line);
	char key[64] = "";

	if (name)
		snprintf(key, sizeof(key), "%.*s", (int)name->length, name->text);
	return error_set(error, -EINVAL, source->name, line, key, "given twice: keep one of them");
}

static int syntax_error(const struct source *source, struct config_error *error)
{
	unsigned int line = (unsigned int)config_error_line(&source->tree);
	const char *text = config_error_text(&source->tree);

	if (!strncmp(text, "duplicate", 9))
		return duplicate_error(source, line, error);
	if (!strncmp(text, "mismatched", 10))
		text = "an array [ ... ] holds one type only: write a mixed list in ( ... )";
	else if (source->scan.trailing_comma_line == line)
		text = "syntax error: remove the comma before the closing bracket";
	else
		text = "syntax error here or shortly before: write NAME = VALUE; with strings in \"...\", "
		       "arrays in [ ... ], lists in ( ... ), groups in { ... }";
	return error_set(error, -EINVAL, source->name, line, "", "%s", text);
}

static int parse(struct source *source, struct config_error *error)
{
	struct scan_fault fault;
	int err = scan_text(source->text, &source->scan, &fault);

	if (err == -ENOMEM)
		return error_memory(error);
	if (err)
		return error_set(error, err, source->name, fault.line, "", "%s", fault.text);
	if (!config_read_string(&source->tree, source->text))
		return syntax_error(source, error);
	return adopt_scan(source, error);
}

/* libconfig does not see a comment that ends without a newline, so one is added where there is none. */
static struct source *source_new(const char *text, size_t size, const char *name)
{
	struct source *source = calloc(1, sizeof(*source));
	bool whole = size && text[size - 1] == '\n';

	if (!source)
		return NULL;
	config_init(&source->tree);
	source->name = strdup(name);
	source->text = calloc(1, size + 2);
	if (!source->name || !source->text) {
		source_free(source);
		return NULL;
	}
	memcpy(source->text, text, size);
	source->text[size] = whole ? '\0' : '\n';
	return source;
}

int source_parse(const char *text, size_t size, const char *name, struct source **source,
		 struct config_error *error)
{
	struct source *parsed;
	int err;

	if (size > SOURCE_SIZE_MAX)
		return error_set(error, -EINVAL, name, 0, "", "larger than 1 MiB: this is no configuration");
	if (memchr(text, '\0', size))
		return error_set(error, -EINVAL, name, 0, "", "holds a NUL byte: this is not a text");
	parsed = source_new(text, size, name);
	if (!parsed)
		return error_memory(error);
	err = parse(parsed, error);
	if (err) {
		source_free(parsed);
		return err;
	}
	*source = parsed;
	return 0;
}

void source_free(struct source *source)
{
	if (!source)
		return;
	config_destroy(&source->tree);
	scan_free(&source->scan);
	free(source->name);
	free(source->text);
	free(source);
}
