/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From files to one finished struct config: reads them in order, each over what the ones before it said, then
 * judges the whole. Keys and types are in keys.c and value*.c.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/config/check.h"
#include "daemon/config/error.h"
#include "daemon/config/keys.h"
#include "daemon/config/limits.h"

struct loader {
	struct config *config;
	struct source *sources, **end; /* in the order in which they were read */
	struct config_error *error;
};

static struct config *config_new(const char *path)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	config->flow_entries = 1 << 20;
	config->lookup_budget_pps = 50000;
	config->sanity = POLICY_MONITOR;
	config->reflection = POLICY_MONITOR;
	config->smurf = POLICY_MONITOR;
	config->synack_budget_pps = 20000;
	config->connections = 1 << 18;
	config->handshakes = 4096;
	config->handshakes_per_source = 256;
	config->unknown_pps = 1000;
	config->unknown_per_prefix_pps = 100;
	config->probe_after_s = 30;
	config->wscale = 7;
	config->tracking = true;
	config->tracked_flows = 1 << 18;
	config->timers = (struct tracking_timers){ .fin_wait_2_s = 60, .closing_s = 30 };
	config->attack_timers =
		(struct tracking_timers){ .half_open_timeout_s = 3, .fin_wait_2_s = 20, .closing_s = 10 };
	config->tracked_scan_ports = 20;
	config->slow_handshake_ms = 3000;
	config->slow_handshakes = 100;
	config->time_wait_s = 60;
	config->established_s = 600;
	config->hook_timeout_s = 30;
	config->hook_events[EVENT_ATTACK_BEGUN] = config->hook_events[EVENT_ATTACK_ENDED] = true;
	config->limits = limits_defaults;
	config->punish = punish_defaults;
	config->completion_percent = 50;
	config->share_percent = 50;
	config->connections_per_minute = 12;
	config->scan_ports = 64;
	config->evidence_files = 64;
	config->path = strdup(path);
	config->control_group = strdup("synmoat");
	config->metrics_listen = strdup("127.0.0.1:9826");
	if (!config->path || !config->control_group || !config->metrics_listen) {
		config_free(config);
		return NULL;
	}
	return config;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->service_count; i++) {
		free(config->services[i].prefixes);
		free(config->services[i].ports);
	}
	free(config->services);
	free(config->blocked.items);
	free(config->allowed.items);
	for (size_t i = 0; i < config->protected_count; i++) {
		free(config->protected[i].prefixes);
		free(config->protected[i].outward_to);
		free(config->protected[i].outward_ports);
	}
	free(config->protected);
	free(config->control_group);
	free(config->metrics_listen);
	free(config->cookie_secret_file);
	free(config->events_file);
	free(config->hook);
	free(config->path);
	free(config);
}

/* --- one source over what was read before --- */

static int apply_source(struct loader *loader, struct source *source)
{
	*loader->end = source;
	loader->end = &source->next;
	return keys_read(config_keys, config_root_setting(&source->tree), loader->config, loader->error);
}

static int apply_file(struct loader *loader, const char *path)
{
	struct source *source;
	int err = source_read(path, &source, loader->error);

	return err ? err : apply_source(loader, source);
}

/* --- conf.d --- */

static int is_fragment(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 && !strcmp(entry->d_name + length - 5, ".conf");
}

static int compare_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int check_folder(struct loader *loader, const char *folder)
{
	struct stat status;

	if (stat(folder, &status) || !(status.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	return error_set(loader->error, -EPERM, folder, 0, "",
			 "others than its owner can put files here; allow the owner only: chmod go-w %s",
			 folder);
}

static int apply_entry(struct loader *loader, const char *folder, const char *name)
{
	char *path;
	int err;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return error_memory(loader->error);
	err = apply_file(loader, path);
	free(path);
	return err;
}

static int apply_folder(struct loader *loader, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_fragment, compare_bytes);
	int err = 0;

	if (count < 0 && errno == ENOENT)
		return 0;
	if (count < 0)
		return error_set(loader->error, -errno, folder, 0, "", "cannot read this folder: %s",
				 strerror(errno));
	if (count)
		err = check_folder(loader, folder);
	for (int i = 0; i < count; i++) {
		if (!err)
			err = apply_entry(loader, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return err;
}

static int apply_folder_beside(struct loader *loader, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int err;

	if (asprintf(&folder, "%.*sconf.d", slash ? (int)(slash + 1 - path) : 0, path) < 0)
		return error_memory(loader->error);
	err = apply_folder(loader, folder);
	free(folder);
	return err;
}

/* --- the whole --- */

/* Keys that are needed, at the top and in its groups, in one file or another. */
static int check_needed(const struct loader *loader, const struct key *keys, const char *prefix)
{
	char path[64];
	int err = 0;

	for (; !err && keys->name; keys++) {
		snprintf(path, sizeof(path), "%s%s", prefix, keys->name);
		if (keys->example && !source_find(loader->sources, path))
			return error_set(loader->error, -EINVAL, loader->config->path, 0, path,
					 "missing: write %s", keys->example);
		snprintf(path, sizeof(path), "%s%s.", prefix, keys->name);
		if (keys->members && !keys->example &&
		    !keys->list) /* the services' own are checked service by service */
			err = check_needed(loader, keys->members, path);
	}
	return err;
}

/* Keys of the other deployment say that something was misunderstood. */
static int check_deployment(const struct loader *loader)
{
	static const char *const inline_keys[] = { "forward", "interfaces.inside", "inline" };
	const struct config *config = loader->config;
	const config_setting_t *setting;

	if (config->deployment == DEPLOYMENT_INLINE) {
		if (!source_find(loader->sources, "interfaces.inside"))
			return error_between(
				loader->error, loader->sources, config->path, "interfaces.inside",
				"deployment",
				"missing: write inside = \"eth1\"; the interface of the servers");
		if (!strcmp(config->inside, config->outside))
			return error_at(loader->error, source_find(loader->sources, "interfaces.inside"),
					"the same as outside: inline takes two interfaces");
		return 0;
	}
	for (size_t i = 0; i < sizeof(inline_keys) / sizeof(*inline_keys); i++) {
		setting = source_find(loader->sources, inline_keys[i]);
		if (setting)
			return error_at(loader->error, setting,
					"for deployment = \"inline\" only: remove it");
	}
	return 0;
}

static uint32_t round_up_to_power(uint32_t value)
{
	uint32_t power = 1;

	while (power < value)
		power *= 2;
	return power;
}

static int finish(struct loader *loader)
{
	struct config *config = loader->config;
	int err = check_needed(loader, config_keys, "");

	if (!err)
		err = check_deployment(loader);
	if (err)
		return err;
	if (!config->service_count)
		return error_set(loader->error, -EINVAL, config->path, 0, "services",
				 "no service is declared: declare at least one");
	config->flow_entries = round_up_to_power(config->flow_entries);
	err = limits_check(&config->limits, loader->sources, config->path, loader->error);
	if (!err)
		err = limits_check_punish(&config->punish, loader->sources, config->path, loader->error);
	if (!err)
		err = check_services(config, loader->sources, loader->error);
	return err ? err : check_protected(config, loader->sources, loader->error);
}

static int loader_init(struct loader *loader, const char *path, struct config_error *error)
{
	loader->error = error;
	loader->sources = NULL;
	loader->end = &loader->sources;
	loader->config = config_new(path);
	return loader->config ? 0 : error_memory(error);
}

/* Hands the config over if all went well. */
static int loader_fini(struct loader *loader, int err, struct config **config)
{
	struct source *next;

	if (!err)
		*config = loader->config;
	else
		config_free(loader->config);
	for (struct source *source = loader->sources; source; source = next) {
		next = source->next;
		source_free(source);
	}
	return err;
}

int config_load(const char *path, struct config **config, struct config_error *error)
{
	struct loader loader;
	int err = loader_init(&loader, path, error);

	if (!err)
		err = apply_file(&loader, path);
	if (!err)
		err = apply_folder_beside(&loader, path);
	if (!err)
		err = finish(&loader);
	return loader_fini(&loader, err, config);
}

int config_parse(const char *text, size_t size, const char *name, struct config **config,
		 struct config_error *error)
{
	struct source *source = NULL;
	struct loader loader;
	int err = loader_init(&loader, name, error);

	if (!err)
		err = source_parse(text, size, name, &source, error);
	if (!err)
		err = apply_source(&loader, source);
	if (!err)
		err = finish(&loader);
	return loader_fini(&loader, err, config);
}

void config_locate(const char *path, const char *key, struct config_error *error)
{
	const config_setting_t *setting;
	struct config_error ignored = { 0 };
	struct loader loader;

	snprintf(error->file, sizeof(error->file), "%s", path);
	error->line = 0;
	if (loader_init(&loader, path, &ignored))
		return;
	if (!apply_file(&loader, path))
		apply_folder_beside(&loader, path);
	setting = *key ? source_find(loader.sources, key) : NULL;
	if (setting) {
		snprintf(error->file, sizeof(error->file), "%s", source_of(setting)->name);
		error->line = config_setting_source_line(setting);
	}
	loader_fini(&loader, -ENOENT, NULL);
}

int config_print(const struct config *config, FILE *out)
{
	keys_print(config_keys, config, 0, out);
	return fflush(out) || ferror(out) ? -EIO : 0;
}

const char *config_mode_word(enum service_mode mode)
{
	return mode_words[mode];
}

const char *config_policy_word(enum policy_mode mode)
{
	return policy_words[mode];
}

int config_mode_parse(const char *word)
{
	return value_find_word(mode_words, word);
}

int config_find_service(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->service_count; i++)
		if (!strcmp(config->services[i].name, name))
			return (int)i;
	return -1;
}

bool config_serves(const struct config *config, bool v6)
{
	for (size_t i = 0; i < config->service_count; i++)
		for (size_t j = 0; j < config->services[i].prefix_count; j++)
			if (prefix_is_v4(&config->services[i].prefixes[j]) != v6)
				return true;
	return false;
}
