// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The limits' words and what they demand of each other; and a change at runtime, which goes the way of the
 * file, so that the same rules hold for both.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/error.h"
#include "daemon/config/keys.h"
#include "daemon/config/limits.h"
#include "daemon/config/source.h"

#define WORDS_MAX 1024

const char *config_limit_action_word(enum limit_action action)
{
	return limit_action_words[action];
}

const char *config_limit_name(enum limit_kind kind, enum limit_level level)
{
#define X_SYN(name, word)	 [name] = "syn_" #word,
#define X_CONNECTION(name, word) [name] = "connection_" #word,
#define X_HALF_OPEN(name, word)	 [name] = "half_open_" #word,
	static const char *const names[KIND_COUNT][LEVEL_COUNT] = {
		[KIND_SYN] = { LIMIT_LEVELS_X(X_SYN) },
		[KIND_CONNECTION] = { LIMIT_LEVELS_X(X_CONNECTION) },
		[KIND_HALF_OPEN] = { LIMIT_LEVELS_X(X_HALF_OPEN) },
	};
#undef X_SYN
#undef X_CONNECTION
#undef X_HALF_OPEN

	return names[kind][level];
}

static uint32_t burst_of(uint32_t rate, uint32_t burst)
{
	return burst ? burst : rate;
}

static int check_limit(const struct config_limit *l, enum limit_kind kind, enum limit_level level,
		       const char *file, struct config_error *error)
{
	const char *name = config_limit_name(kind, level), *unit = kind == KIND_HALF_OPEN ? "most" : "rate";
	char key[sizeof(error->key)];

	if (!l->proven_rate)
		return 0;
	if (l->proven_rate < l->rate) {
		snprintf(key, sizeof(key), "limits.%s.proven_%s", name, unit);
		return error_set(error, -EINVAL, file, 0, key,
				 "%u is below %s, which is %u: write at least that, or 0 for the same",
				 l->proven_rate, unit, l->rate);
	}
	if (burst_of(l->proven_rate, l->proven_burst) < burst_of(l->rate, l->burst)) {
		snprintf(key, sizeof(key), "limits.%s.proven_burst", name);
		return error_set(error, -EINVAL, file, 0, key,
				 "%u is below the burst, which is %u: write at least that",
				 burst_of(l->proven_rate, l->proven_burst), burst_of(l->rate, l->burst));
	}
	return 0;
}

int limits_check(const struct config_limits *limits, const char *file, struct config_error *error)
{
	int err = 0;

	for (int kind = 0; !err && kind < KIND_COUNT; kind++)
		for (int level = 0; !err && level < LEVEL_COUNT; level++)
			err = check_limit(&limits->limit[kind][level], (enum limit_kind)kind,
					  (enum limit_level)level, file, error);
	return err;
}

int limits_check_punish(const struct config_punish *punish, const char *file, struct config_error *error)
{
	if (punish->duration_s <= punish->duration_most_s)
		return 0;
	return error_set(error, -EINVAL, file, 0, "auto_block.duration_most_s",
			 "%u is below duration_s, which is %u: write at least that", punish->duration_most_s,
			 punish->duration_s);
}

/* --- a change at runtime --- */

#define LETTERS "abcdefghijklmnopqrstuvwxyz_"
#define DIGITS	"0123456789"

static bool is_word(const char *text, size_t length)
{
	return length && strspn(text, LETTERS DIGITS) >= length;
}

static void put_value(const char *value, size_t length, FILE *out)
{
	bool digits = strspn(value, DIGITS) >= length;

	fprintf(out, digits ? "%.*s" : "\"%.*s\"", (int)length, value);
}

/* "rate=500 action=thin" in the file's syntax. False: it is not of this form. */
static bool put_settings(const char *settings, FILE *out)
{
	for (settings += strspn(settings, " "); *settings; settings += strspn(settings, " ")) {
		size_t length = strcspn(settings, " ");
		const char *equals = memchr(settings, '=', length);
		size_t key = equals ? (size_t)(equals - settings) : 0;

		if (!is_word(settings, key) || !is_word(settings + key + 1, length - key - 1))
			return false;
		fprintf(out, "%.*s = ", (int)key, settings);
		put_value(settings + key + 1, length - key - 1, out);
		fputs("; ", out);
		settings += length;
	}
	return true;
}

static bool put_change(const char *name, const char *settings, FILE *out)
{
	bool good = is_word(name, strlen(name));

	if (good && !strcmp(name, "mode")) {
		good = is_word(settings, strlen(settings));
		fprintf(out, "limits = { mode = \"%s\"; };", settings);
	} else if (good) {
		fprintf(out, "limits = { %s = { ", name);
		good = put_settings(settings, out);
		fputs("}; };", out);
	}
	return good;
}

static int apply_text(struct config_limits *limits, const char *text, size_t size, struct config_error *error)
{
	struct config config = { .limits = *limits };
	struct source *source;
	int err = source_parse(text, size, "", &source, error);

	if (err)
		return err;
	err = keys_read(config_keys, config_root_setting(&source->tree), &config, error);
	if (!err)
		err = limits_check(&config.limits, "", error);
	error->line = 0;
	source_free(source);
	if (!err)
		*limits = config.limits;
	return err;
}

int config_change_limits(struct config_limits *limits, const char *name, const char *settings,
			 struct config_error *error)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out;
	int err;

	if (strlen(name) + strlen(settings) > WORDS_MAX)
		return error_set(error, -EINVAL, "", 0, "", "too long");
	out = open_memstream(&text, &size);
	if (!out)
		return error_memory(error);
	if (put_change(name, settings, out))
		err = 0;
	else
		err = error_set(error, -EINVAL, "", 0, "",
				"write settings such as rate=500 burst=1000 action=thin, or mode enforce");
	if (fclose(out) && !err)
		err = error_memory(error);
	if (!err)
		err = apply_text(limits, text, size, error);
	free(text);
	return err;
}
