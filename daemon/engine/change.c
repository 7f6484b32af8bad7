// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits and modes that are changed at runtime, and outlive the daemon: override.c has the file.
 */
#include "daemon/engine/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/lasting.h"

/* From the memory that outlives the daemon, which is newer than the file if that died at once. */
static bool load_kept(struct engine *e, struct override *force)
{
	char *text = lasting_changes(e);

	if (!text)
		return false;
	e->overrides.pending = override_apply(text, e->config, force) >= 0; /* the file gets them, too */
	free(text);
	return true;
}

/* Changes at runtime, from before the restart. */
void change_load(struct engine *e)
{
	struct override force;

	override_init(&force, e->config);
	if (!load_kept(e, &force))
		override_load(e->state_dir, e->config, &force);
	e->limits = force.limits;
	for (size_t i = 0; i < e->config->service_count; i++) {
		if (!e->slots[e->slot_of[i]].mode_kept)
			slot_change_mode(e, e->slot_of[i], force.modes[i]);
		e->slots[e->slot_of[i]].limits = force.own[i];
	}
}

/* A change that cannot be written is in force nevertheless. */
void change_save(struct engine *e)
{
	struct override force;
	char *text;

	override_init(&force, e->config);
	force.limits = e->limits;
	for (size_t i = 0; i < e->config->service_count; i++) {
		force.modes[i] = e->slots[e->slot_of[i]].mode;
		force.own[i] = e->slots[e->slot_of[i]].limits;
	}
	text = override_print(e->config, &force);
	lasting_note_changes(e, text);
	free(text);
	override_save(&e->overrides, e->state_dir, e->config, &force, (int64_t)clock_now_s());
}

/* Waits for what is being written, and writes what has changed since. */
void change_finish(struct engine *e)
{
	if (!override_wait(&e->overrides, e->state_dir, (int64_t)clock_now_s()) || !e->config)
		return;
	change_save(e);
	override_wait(&e->overrides, e->state_dir, (int64_t)clock_now_s());
}

int engine_set_mode(struct engine *e, const char *name, enum service_mode mode)
{
	uint32_t slot = slot_find(e, name);

	if (slot == SERVICE_NONE)
		return -ENOENT;
	slot_change_mode(e, slot, mode);
	change_save(e);
	return publish_services(e);
}

/* As the configuration says again. */
static int restore_limit(struct engine *e, const char *name, struct config_error *error)
{
	struct config_limits limits = e->config->limits;

	if (!strcmp(name, "mode")) {
		e->limits.mode = limits.mode;
		return 0;
	}
	for (int kind = 0; kind < KIND_COUNT; kind++)
		for (int level = 0; level < LEVEL_COUNT; level++)
			if (!strcmp(name,
				    config_limit_name((enum limit_kind)kind, (enum limit_level)level))) {
				e->limits.limit[kind][level] = limits.limit[kind][level];
				return 0;
			}
	return config_change_limits(&limits, name, "", error); /* says which there are */
}

static int restore_own_limit(struct engine *e, const struct config_service *service, const char *name,
			     struct config_error *error)
{
	struct config_own_limits *own = &e->slots[slot_find(e, service->name)].limits, none = { 0 };

	for (int kind = 0; kind < KIND_COUNT; kind++)
		if (!strcmp(name, config_limit_name((enum limit_kind)kind, LEVEL_SERVICE))) {
			own->given[kind] = service->limits.given[kind];
			own->limit[kind] = service->limits.limit[kind];
			return 0;
		}
	return config_change_own_limits(&none, &e->limits, name, "", error);
}

int engine_change_limit(struct engine *e, const char *name, const char *service_name, const char *settings,
			struct config_error *error)
{
	int place = service_name ? config_find_service(e->config, service_name) : -1;
	const struct config_service *service = place < 0 ? NULL : &e->config->services[place];
	bool restore = !strcmp(settings, LIMIT_CONFIGURED);
	int result;

	if (service_name && !service)
		return -ENOENT;
	if (service && restore)
		result = restore_own_limit(e, service, name, error);
	else if (service)
		result = config_change_own_limits(&e->slots[slot_find(e, service_name)].limits, &e->limits,
						  name, settings, error);
	else if (restore)
		result = restore_limit(e, name, error);
	else
		result = config_change_limits(&e->limits, name, settings, error);
	if (result)
		return result;
	change_save(e);
	return publish_limits(e);
}

_Static_assert(LIMIT_WORDS_SIZE == OVERRIDE_SETTINGS_SIZE, "one size of settings");

void engine_describe_limit(const struct engine *e, const char *name, const char *service,
			   char text[LIMIT_WORDS_SIZE])
{
	if (service)
		override_describe_own(&e->slots[slot_find(e, service)].limits, name, text);
	else
		override_describe(&e->limits, name, text);
}
