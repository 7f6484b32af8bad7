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

uint32_t config_burst(uint32_t rate, uint32_t burst)
{
	return burst ? burst : rate;
}

static int check_limit(const struct config_limit *l, enum limit_kind kind, enum limit_level level,
		       const struct source *sources, const char *file, struct config_error *error)
{
	const char *name = config_limit_name(kind, level), *unit = kind == KIND_HALF_OPEN ? "most" : "rate";
	char key[sizeof(error->key)], other[sizeof(error->key)];

	if (!l->proven_rate)
		return 0;
	if (l->proven_rate < l->rate) {
		snprintf(key, sizeof(key), "limits.%s.proven_%s", name, unit);
		snprintf(other, sizeof(other), "limits.%s.%s", name, unit);
		return error_between(error, sources, file, key, other,
				     "%u is below %s, which is %u: write at least that, or 0 for the same",
				     l->proven_rate, unit, l->rate);
	}
	if (config_burst(l->proven_rate, l->proven_burst) < config_burst(l->rate, l->burst)) {
		snprintf(key, sizeof(key), "limits.%s.proven_burst", name);
		snprintf(other, sizeof(other), "limits.%s.burst", name);
		return error_between(error, sources, file, key, other,
				     "%u is below the burst, which is %u: write at least that",
				     config_burst(l->proven_rate, l->proven_burst),
				     config_burst(l->rate, l->burst));
	}
	return 0;
}

int limits_check(const struct config_limits *limits, const struct source *sources, const char *file,
		 struct config_error *error)
{
	int err = 0;

	for (int kind = 0; !err && kind < KIND_COUNT; kind++)
		for (int level = 0; !err && level < LEVEL_COUNT; level++)
			err = check_limit(&limits->limit[kind][level], (enum limit_kind)kind,
					  (enum limit_level)level, sources, file, error);
	return err;
}

int limits_check_punish(const struct config_punish *punish, const struct source *sources, const char *file,
			struct config_error *error)
{
	if (punish->duration_s <= punish->duration_most_s)
		return 0;
	return error_between(error, sources, file, "auto_block.duration_most_s", "auto_block.duration_s",
			     "%u is below duration_s, which is %u: write at least that",
			     punish->duration_most_s, punish->duration_s);
}

const struct config_limit *config_service_limit(const struct config_own_limits *own,
						const struct config_limits *limits, enum limit_kind kind)
{
	return own->given[kind] ? &own->limit[kind] : &limits->limit[kind][LEVEL_SERVICE];
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

/* The keys of a limit, of a service's own or in all; NULL: there is no such limit. */
static const struct key *members_of(const char *name, bool own)
{
	const struct key *limits = keys_find(config_keys, "limits");

	if (own)
		limits = keys_find(keys_find(config_keys, "services")->members, "limits");
	limits = keys_find(limits->members, name);
	return limits ? limits->members : NULL;
}

static int fail_form(const char *name, const struct key *members, struct config_error *error)
{
	char names[128];

	return error_set(error, -EINVAL, "", 0, name, "write settings such as %s (there are: %s)",
			 keys_find(members, "most") ? "most=500 action=thin" : "rate=500 burst=1000",
			 keys_list(members, names, sizeof(names)));
}

static int fail_key(const char *name, const char *key, size_t length, const struct key *members,
		    struct config_error *error)
{
	char names[128];

	return error_set(error, -EINVAL, "", 0, name, "there is no key %.*s: the keys of %s are %s",
			 (int)(length < 32 ? length : 32), key, name,
			 keys_list(members, names, sizeof(names)));
}

/* "rate=500 action=thin" in the file's syntax; each key is one of MEMBERS. */
static int put_settings(const char *name, const char *settings, const struct key *members, FILE *out,
			struct config_error *error)
{
	const char *at = settings + strspn(settings, " ");
	char key[32];

	if (!*at)
		return fail_form(name, members, error);
	for (; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");
		const char *equals = memchr(at, '=', length);
		size_t key_length = equals ? (size_t)(equals - at) : 0;

		if (!is_word(at, key_length) || !is_word(at + key_length + 1, length - key_length - 1))
			return fail_form(name, members, error);
		snprintf(key, sizeof(key), "%.*s", (int)key_length, at);
		if (key_length >= sizeof(key) || !keys_find(members, key))
			return fail_key(name, at, key_length, members, error);
		fprintf(out, "%s = ", key);
		put_value(at + key_length + 1, length - key_length - 1, out);
		fputs("; ", out);
		at += length;
	}
	return 0;
}

static int put_change(const char *name, const char *settings, bool own, FILE *out, struct config_error *error)
{
	const struct key *members = members_of(name, own);
	int err;

	if (!strcmp(name, "mode") && !own) {
		if (!is_word(settings, strlen(settings)))
			return error_set(error, -EINVAL, "", 0, "mode", "it is off, monitor or enforce");
		fprintf(out, "mode = \"%s\";", settings);
		return 0;
	}
	if (!members && own)
		return error_set(error, -EINVAL, "", 0, "",
				 "a service has no limit \"%.32s\" of its own: it may have syn_service, "
				 "connection_service and half_open_service",
				 name);
	if (!members)
		return error_set(error, -EINVAL, "", 0, "",
				 "there is no limit \"%.32s\": there is mode, and syn, connection and "
				 "half_open, each with _source, _prefix, _site, _service and _total",
				 name);
	fprintf(out, "%s = { ", name);
	err = put_settings(name, settings, members, out, error);
	fputs("};", out);
	return err;
}

/* Reads TEXT by KEYS into OBJECT. */
static int read_text(const char *text, size_t size, const struct key *keys, void *object,
		     struct config_error *error)
{
	struct source *source;
	int err = source_parse(text, size, "", &source, error);

	if (!err) {
		err = keys_read(keys, config_root_setting(&source->tree), object, error);
		source_free(source);
	}
	error->line = 0;
	return err;
}

/* A change in the file's syntax, by the rules of KEYS, into OBJECT. */
static int apply_change(const char *name, const char *settings, bool own, const struct key *keys,
			void *object, struct config_error *error)
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
	err = put_change(name, settings, own, out, error);
	if (fclose(out) && !err)
		err = error_memory(error);
	if (!err)
		err = read_text(text, size, keys, object, error);
	free(text);
	return err;
}

int config_change_limits(struct config_limits *limits, const char *name, const char *settings,
			 struct config_error *error)
{
	struct config config = { .limits = *limits };
	int err = apply_change(name, settings, false, keys_find(config_keys, "limits")->members, &config,
			       error);

	if (!err)
		err = limits_check(&config.limits, NULL, "", error);
	if (!err)
		*limits = config.limits;
	return err;
}

int config_change_own_limits(struct config_own_limits *own, const struct config_limits *limits,
			     const char *name, const char *settings, struct config_error *error)
{
	struct config_service service = { .limits = *own };
	int err;

	for (int kind = 0; kind < KIND_COUNT; kind++) {
		struct config_limit *l = &service.limits.limit[kind];

		*l = *config_service_limit(own, limits, (enum limit_kind)kind);
		l->proven_rate = l->proven_burst = 0;
	}
	err = apply_change(name, settings, true,
			   keys_find(keys_find(config_keys, "services")->members, "limits")->members,
			   &service, error);
	for (int kind = 0; !err && kind < KIND_COUNT; kind++) {
		own->given[kind] = service.limits.given[kind];
		if (own->given[kind])
			own->limit[kind] = service.limits.limit[kind];
	}
	return err;
}
