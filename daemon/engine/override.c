// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See override.h. A line is KIND|what the configuration said|what is in force|NAME, in the words of `synmoat
 * limit set` and `service mode`; NAME of a service's own limit is LIMIT SERVICE.
 */
#include "daemon/engine/override.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "daemon/file.h"
#include "daemon/log.h"

#define FILE_NAME     "changes"
#define FORMAT	      "synmoat-changes 1"
#define SETTINGS_SIZE OVERRIDE_SETTINGS_SIZE
#define RETRY_S	      10
#define NONE	      "none" /* a service has no such limit of its own */

void override_init(struct override *force, const struct config *config)
{
	memset(force, 0, sizeof(*force));
	force->limits = config->limits;
	for (size_t i = 0; i < config->service_count; i++) {
		force->modes[i] = config->services[i].mode;
		force->own[i] = config->services[i].limits;
	}
}

static void format(enum limit_kind kind, const struct config_limit *l, char text[SETTINGS_SIZE])
{
	if (kind == KIND_HALF_OPEN)
		snprintf(text, SETTINGS_SIZE, "most=%u proven_most=%u action=%s", l->rate, l->proven_rate,
			 config_limit_action_word(l->action));
	else
		snprintf(text, SETTINGS_SIZE, "rate=%u burst=%u proven_rate=%u proven_burst=%u action=%s",
			 l->rate, l->burst, l->proven_rate, l->proven_burst,
			 config_limit_action_word(l->action));
}

/* What LIMITS say of NAME. False: there is no such limit. */
static bool format_named(const struct config_limits *limits, const char *name, char text[SETTINGS_SIZE])
{
	if (!strcmp(name, "mode")) {
		snprintf(text, SETTINGS_SIZE, "%s", config_policy_word(limits->mode));
		return true;
	}
	for (int kind = 0; kind < KIND_COUNT; kind++)
		for (int level = 0; level < LEVEL_COUNT; level++)
			if (!strcmp(name,
				    config_limit_name((enum limit_kind)kind, (enum limit_level)level))) {
				format((enum limit_kind)kind, &limits->limit[kind][level], text);
				return true;
			}
	return false;
}

/* In the words of the file, which know no proven service. */
static void format_own(enum limit_kind kind, const struct config_own_limits *own, char text[SETTINGS_SIZE])
{
	const struct config_limit *l = &own->limit[kind];

	if (!own->given[kind])
		snprintf(text, SETTINGS_SIZE, NONE);
	else if (kind == KIND_HALF_OPEN)
		snprintf(text, SETTINGS_SIZE, "most=%u action=%s", l->rate,
			 config_limit_action_word(l->action));
	else
		snprintf(text, SETTINGS_SIZE, "rate=%u burst=%u action=%s", l->rate, l->burst,
			 config_limit_action_word(l->action));
}

static int find_own_kind(const char *name)
{
	for (int kind = 0; kind < KIND_COUNT; kind++)
		if (!strcmp(config_limit_name((enum limit_kind)kind, LEVEL_SERVICE), name))
			return kind;
	return -1;
}

/* Puts what is in force in the place of bursts that are 0. */
static void fill_bursts(struct config_limit *limits, size_t count)
{
	for (struct config_limit *l = limits; l < limits + count; l++) {
		l->burst = config_burst(l->rate, l->burst);
		l->proven_burst = config_burst(l->proven_rate, l->proven_burst);
	}
}

void override_describe(const struct config_limits *limits, const char *name, char text[SETTINGS_SIZE])
{
	struct config_limits in_force = *limits;

	for (int kind = 0; kind < KIND_COUNT; kind++)
		fill_bursts(in_force.limit[kind], LEVEL_COUNT);
	if (!format_named(&in_force, name, text))
		*text = '\0';
}

void override_describe_own(const struct config_own_limits *own, const char *name, char text[SETTINGS_SIZE])
{
	struct config_own_limits in_force = *own;
	int kind = find_own_kind(name);

	*text = '\0';
	fill_bursts(in_force.limit, KIND_COUNT);
	if (kind >= 0)
		format_own((enum limit_kind)kind, &in_force, text);
}

/* --- writing --- */

/* Returns how many lines. */
static uint64_t print_limit(const char *name, const struct config *config, const struct override *force,
			    FILE *out)
{
	char said[SETTINGS_SIZE], is[SETTINGS_SIZE];

	if (!format_named(&config->limits, name, said) || !format_named(&force->limits, name, is) ||
	    !strcmp(said, is))
		return 0;
	fprintf(out, "limit|%s|%s|%s\n", said, is, name);
	return 1;
}

static uint64_t print_own(const struct config_service *service, const struct config_own_limits *force,
			  FILE *out)
{
	char said[SETTINGS_SIZE], is[SETTINGS_SIZE];
	uint64_t count = 0;

	for (int kind = 0; kind < KIND_COUNT; kind++) {
		format_own((enum limit_kind)kind, &service->limits, said);
		format_own((enum limit_kind)kind, force, is);
		if (!strcmp(said, is))
			continue;
		fprintf(out, "own|%s|%s|%s %s\n", said, is,
			config_limit_name((enum limit_kind)kind, LEVEL_SERVICE), service->name);
		count++;
	}
	return count;
}

static uint64_t print_all(const struct config *config, const struct override *force, FILE *out)
{
	uint64_t count = print_limit("mode", config, force, out);

	for (int kind = 0; kind < KIND_COUNT; kind++)
		for (int level = 0; level < LEVEL_COUNT; level++)
			count +=
				print_limit(config_limit_name((enum limit_kind)kind, (enum limit_level)level),
					    config, force, out);
	for (size_t i = 0; i < config->service_count; i++) {
		count += print_own(&config->services[i], &force->own[i], out);
		if (config->services[i].mode == force->modes[i])
			continue;
		fprintf(out, "mode|%s|%s|%s\n", config_mode_word(config->services[i].mode),
			config_mode_word(force->modes[i]), config->services[i].name);
		count++;
	}
	return count;
}

/* Returns how many lines but the first. */
static uint64_t print_text(const struct config *config, const struct override *force, FILE *out)
{
	fprintf(out, FORMAT "\n");
	return print_all(config, force, out);
}

char *override_print(const struct config *config, const struct override *force)
{
	size_t length;
	char *text;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	print_text(config, force, out);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

/* 0 or -ENOMEM. */
static int make_text(const struct config *config, const struct override *force, char **text, size_t *length)
{
	FILE *out = open_memstream(text, length);

	return out ? file_seal(out, text, length, print_text(config, force, out)) : -ENOMEM;
}

static void tell(struct override_file *file, const char *dir, int error, int64_t now_s)
{
	if (error) {
		file->pending = true;
		file->retry_s = now_s + RETRY_S;
	}
	file_worker_tell(dir, FILE_NAME, error, &file->failed,
			 "limits and modes that were set are in force, but a restart would bring back those "
			 "of before");
}

void override_save(struct override_file *file, const char *dir, const struct config *config,
		   const struct override *force, int64_t now_s)
{
	size_t length;
	char *text;
	int error;

	file->pending = false;
	error = make_text(config, force, &text, &length);
	if (error)
		tell(file, dir, error, now_s);
	else
		file_worker_begin(&file->writer, dir, FILE_NAME, text, length);
}

bool override_follow(struct override_file *file, const char *dir, int64_t now_s)
{
	int error;

	if (file_worker_ended(&file->writer, &error))
		tell(file, dir, error, now_s);
	return file->pending && !file->writer.busy && (!file->failed || now_s >= file->retry_s);
}

bool override_wait(struct override_file *file, const char *dir, int64_t now_s)
{
	int error;

	if (file_worker_wait(&file->writer, &error))
		tell(file, dir, error, now_s);
	return file->pending;
}

/* --- reading --- */

static bool apply_limit(const char *said, const char *is, const char *name, const struct config *config,
			struct override *force)
{
	struct config_error error = { 0 };
	char now[SETTINGS_SIZE];

	if (!format_named(&config->limits, name, now) || strcmp(said, now) != 0) {
		log_print(LOG_NOTICE, "limit %s: the configuration has changed since \"%s\" was set: it wins",
			  name, is);
		return false;
	}
	if (config_change_limits(&force->limits, name, is, &error)) {
		log_print(LOG_WARNING, "limit %s: \"%s\", set before the restart, is skipped: %s", name, is,
			  error.text);
		return false;
	}
	return true;
}

static bool apply_own(const char *said, const char *is, char *name, const struct config *config,
		      struct override *force)
{
	const char *limit = strsep(&name, " ");
	int service = name ? config_find_service(config, name) : -1, kind = find_own_kind(limit);
	struct config_error error = { 0 };
	char now[SETTINGS_SIZE] = "";

	if (service >= 0 && kind >= 0)
		format_own((enum limit_kind)kind, &config->services[service].limits, now);
	if (service < 0 || kind < 0 || strcmp(said, now) != 0) {
		log_print(
			LOG_NOTICE,
			"limit %s of service %s: the configuration has changed since \"%s\" was set: it wins",
			limit, name ? name : "", is);
		return false;
	}
	if (config_change_own_limits(&force->own[service], &force->limits, limit, is, &error)) {
		log_print(LOG_WARNING,
			  "limit %s of service %s: \"%s\", set before the restart, is skipped: %s", limit,
			  name, is, error.text);
		return false;
	}
	return true;
}

static bool apply_mode(const char *said, const char *is, const char *name, const struct config *config,
		       struct override *force)
{
	int mode = config_mode_parse(is), service = config_find_service(config, name);

	if (mode >= 0 && service >= 0 && !strcmp(config_mode_word(config->services[service].mode), said)) {
		force->modes[service] = (enum service_mode)mode;
		return true;
	}
	log_print(LOG_NOTICE, "service %s: the configuration has changed since mode %s was set: it wins",
		  name, is);
	return false;
}

/* LINE is cut up. */
static bool apply_line(char *line, const struct config *config, struct override *force)
{
	char *kind = strsep(&line, "|"), *said = strsep(&line, "|"), *is = strsep(&line, "|");

	if (line && !strcmp(kind, "limit"))
		return apply_limit(said, is, line, config, force);
	if (line && !strcmp(kind, "own"))
		return apply_own(said, is, line, config, force);
	if (line && !strcmp(kind, "mode"))
		return apply_mode(said, is, line, config, force);
	log_print(LOG_WARNING,
		  "limits and modes set before the restart: \"%s\" makes no sense, and is skipped", kind);
	return false;
}

/* NULL: none was kept (*error is 0), or what was cannot be read. */
static char *read_either(const char *dir, int *error)
{
	char *text = NULL;
	uint64_t count;
	int copy_error;

	*error = file_read(dir, FILE_NAME, &text, &count);
	if (!*error)
		return text;
	file_set_aside(dir, FILE_NAME, *error);
	copy_error = file_read(dir, FILE_NAME ".copy", &text, &count);
	file_set_aside(dir, FILE_NAME ".copy", copy_error);
	if (!copy_error) {
		log_print(LOG_ERR, "%s/" FILE_NAME ": %s; its copy was read instead, nothing is lost", dir,
			  strerror(-*error));
		*error = 0;
		return text;
	}
	if (*error == -ENOENT && copy_error == -ENOENT)
		*error = 0;
	return NULL;
}

int override_apply(char *text, const struct config *config, struct override *force)
{
	char *rest = text, *line = strsep(&rest, "\n");
	int applied = 0;

	if (strcmp(line, FORMAT) != 0) {
		log_print(LOG_ERR, "limits and modes that were set: not of this version: they are as the "
				   "configuration says");
		return -EBADMSG;
	}
	while ((line = strsep(&rest, "\n")) && *line)
		applied += apply_line(line, config, force);
	return applied;
}

int override_load(const char *dir, const struct config *config, struct override *force)
{
	char *text;
	int result;

	text = read_either(dir, &result);
	if (result)
		log_print(LOG_ERR,
			  "%s/" FILE_NAME " cannot be read, nor its copy (%s): limits and modes are as the "
			  "configuration says",
			  dir, strerror(-result));
	if (!text)
		return result;
	result = override_apply(text, config, force);
	free(text);
	return result;
}
