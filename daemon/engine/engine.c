// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See engine.h. Life of the engine, and what control changes.
 */
#include "daemon/engine/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "daemon/engine/lasting.h"
#include "daemon/engine/limit.h"
#include "daemon/events/events.h"
#include "daemon/fdstore.h"
#include "daemon/log.h"
#include "daemon/maps/fastpath.h"
#include "daemon/secret.h"

#define TICK_ACCURACY_US 1000
#define FRAGS_ABOVE_MTU	 3400 /* one page, less headroom and tailroom */

static void set_error(struct config_error *error, const struct config *config, const char *key,
		      const char *text)
{
	memset(error, 0, sizeof(*error));
	config_locate(config->path, key, error);
	snprintf(error->key, sizeof(error->key), "%s", key);
	snprintf(error->text, sizeof(error->text), "%s", text);
}

/* What publishing the services ran out of. */
static const char *services_fault(int error)
{
	switch (error) {
	case -ENOSPC:
		return "too many address ranges: prefixes times ports of all services come to more than "
		       "65536 of "
		       "one family: join neighbouring prefixes, or give services the same ports";
	case -ENOMEM:
		return "out of memory for the table of services: give the daemon more (MemoryMax=), or fewer "
		       "prefixes and ports";
	default:
		return strerror(-error);
	}
}

static bool needs_frags(const char *interface, struct link_state *link)
{
	return !link_read(interface, link) && link->mtu > FRAGS_ABOVE_MTU;
}

static int start_fastpath(struct engine *e, struct config_error *error)
{
	struct fastpath_options options = {
		.inline_mode = is_inline(e),
		.forward = e->config->forward,
		.connections = e->config->connections,
		.flow_entries = e->config->flow_entries,
		.tracked = e->config->tracking ? e->config->tracked_flows : 0,
		.frags = needs_frags(e->config->outside, &e->link) ||
			 (is_inline(e) && needs_frags(e->config->inside, &e->inside)),
		.table_key = { e->lasting->table_key[0], e->lasting->table_key[1] },
		.store = e->store,
		.translated = e->lasting->translated,
	};
	struct clock_reading now;
	char text[sizeof(error->text)] = "";
	int result = fastpath_new(&e->fastpath, &options, text, sizeof(text));

	explicit_bzero(options.table_key, sizeof(options.table_key));
	if (!result)
		result = clock_read_all(e, &now);
	if (result) {
		set_error(error, e->config, result == -EOPNOTSUPP ? "deployment" : "",
			  *text ? text : strerror(-result));
		return result;
	}
	slot_clock_init(&e->clock, &now);
	lasting_restore(e);
	return 0;
}

static int start_keys(struct engine *e, struct config_error *error)
{
	char text[sizeof(error->text)] = "";
	int result;

	e->keyring = secret_new(sizeof(*e->keyring));
	if (!e->keyring)
		return -ENOMEM;
	result = keyring_init(e->keyring, e->config->cookie_secret_file, clock_now_s(), text, sizeof(text));
	if (result)
		set_error(error, e->config, "cookie.secret_file", text);
	return result;
}

static int check_hook(const struct config *config, struct config_error *error)
{
	char text[sizeof(error->text)] = "";
	int result = config->hook ? hook_check(config->hook, text, sizeof(text)) : 0;

	if (result)
		set_error(error, config, "events.hook", text);
	return result;
}

static int check_secret(const struct config *config, struct config_error *error)
{
	char text[sizeof(error->text)] = "";
	struct keyring keyring;
	int result;

	if (!config->cookie_secret_file)
		return 0;
	result = keyring_init(&keyring, config->cookie_secret_file, 0, text, sizeof(text));
	if (result)
		set_error(error, config, "cookie.secret_file", text);
	else
		keyring_fini(&keyring);
	return result;
}

int engine_check_config(const struct config *config, struct config_error *error)
{
	int result = check_secret(config, error);

	if (!result)
		result = check_hook(config, error);
	return result;
}

static void configure_events(const struct config *config)
{
	struct events_settings settings = { .file = config->events_file,
					    .hook = { .command = config->hook,
						      .timeout_s = config->hook_timeout_s } };

	memcpy(settings.hook.kinds, config->hook_events, sizeof(settings.hook.kinds));
	events_configure(&settings);
}

static int start_services(struct engine *e, struct config_error *error)
{
	int result;

	if (!e->link.mtu)
		e->link.mtu = 1500;
	stack_settings_read(&e->stack);
	lasting_restore_slots(e);
	attack_restore(e);
	slot_assign_all(e, e->config, NULL);
	change_load(e);
	result = publish_services(e);
	if (result)
		set_error(error, e->config, "services", services_fault(result));
	else
		guard_assign(e, e->config);
	return result;
}

static int say_detached(struct engine *e)
{
	snprintf(e->reason, sizeof(e->reason), "detached by hand: synmoat interface attach %s",
		 e->config->outside);
	*e->at_fault = '\0';
	return 0;
}

static int start_interface(struct engine *e, struct sd_event *event, struct config_error *error)
{
	int result = link_monitor_new(&e->links, event, interface_on_change, e);

	if (!result && e->detached_by_hand)
		return say_detached(e);
	if (!result)
		result = interface_attach(e);
	if (result == -ENODEV || result == -EAGAIN)
		return 0;
	if (!result)
		interface_tell_attached(e);
	else
		set_error(error, e->config,
			  strcmp(e->at_fault, e->config->outside) ? "interfaces.inside"
								  : "interfaces.outside",
			  *e->reason ? e->reason : strerror(-result));
	return result;
}

static int start_timer(struct engine *e, struct sd_event *event)
{
	uint64_t now;
	int error = sd_event_now(event, CLOCK_MONOTONIC, &now);

	if (error < 0)
		return error;
	return sd_event_add_time(event, &e->timer, CLOCK_MONOTONIC, now + TICK_US, TICK_ACCURACY_US, tick_run,
				 e);
}

int engine_new(struct engine **engine, struct sd_event *event, struct config *config, const char *state,
	       struct fdstore *store, struct config_error *error)
{
	struct engine *e = calloc(1, sizeof(*e));
	int result;

	if (!e)
		return -ENOMEM;
	e->state_dir = strdup(state);
	if (!e->state_dir) {
		free(e);
		return -ENOMEM;
	}
	e->attacks = attack_new(store, state, config->control_group);
	if (!e->attacks) {
		free(e->state_dir);
		free(e);
		return -ENOMEM;
	}
	e->store = store;
	e->config = config;
	e->started_ns = clock_now_ns(CLOCK_MONOTONIC);
	configure_events(config);
	result = check_hook(config, error);
	if (!result)
		result = lasting_open(store, &e->lasting);
	if (!result)
		result = start_keys(e, error);
	if (!result)
		result = start_fastpath(e, error);
	if (!result)
		result = list_start(e, event, state);
	if (!result)
		result = start_services(e, error);
	if (!result)
		result = start_interface(e, event, error);
	if (!result)
		result = start_timer(e, event);
	if (result < 0) {
		e->config = NULL; /* the caller keeps it */
		engine_free(e);
		return result;
	}
	*engine = e;
	return 0;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	sd_event_source_unref(e->timer);
	link_monitor_free(e->links);
	if (e->fastpath && e->config) {
		if (!fdstore_keeps(e->store))
			interface_detach(e);
		attack_stop(e);
	}
	list_stop(e);
	change_finish(e);
	attack_free(e->attacks);
	fastpath_free(e->fastpath);
	if (e->keyring)
		keyring_fini(e->keyring);
	secret_free(e->keyring, sizeof(*e->keyring));
	lasting_close(e->lasting);
	config_free(e->config);
	free(e->state_dir);
	free(e);
}

/* Inline, either name stands for both: one alone would be of no use. */
static int check_interface(const struct engine *e, const char *interface, char *text, size_t size)
{
	if (!strcmp(interface, e->config->outside) || (is_inline(e) && !strcmp(interface, e->config->inside)))
		return 0;
	snprintf(text, size, "%s is not an interface of the configuration (outside is %s)", interface,
		 e->config->outside);
	return -ENOENT;
}

int engine_attach(struct engine *e, const char *interface, char *text, size_t size)
{
	int error = check_interface(e, interface, text, size);

	if (error)
		return error;
	e->detached_by_hand = false;
	if (fastpath_attached(e->fastpath))
		return 0;
	memset(e->refused, 0, sizeof(e->refused));
	error = interface_attach(e);
	if (error)
		snprintf(text, size, "%s", e->reason);
	return error;
}

int engine_detach(struct engine *e, const char *interface, char *text, size_t size)
{
	if (check_interface(e, interface, text, size))
		return -ENOENT;
	e->detached_by_hand = true;
	interface_detach(e);
	lasting_note(e);
	return say_detached(e);
}

int engine_reload(struct engine *e, struct config_error *error)
{
	struct config *config, *old = e->config;
	struct config_limits limits = e->limits;
	struct slot *slots;
	char key[sizeof(error->key)];
	int result = config_load(old->path, &config, error);

	if (result)
		return result;
	if (config_needs_restart(old, config, key, sizeof(key))) {
		set_error(error, config, key,
			  "cannot change in a running daemon: restart synmoatd (under systemd: systemctl "
			  "restart "
			  "synmoatd)");
		config_free(config);
		return -EBUSY;
	}
	result = check_hook(config, error);
	if (result) {
		config_free(config);
		return result;
	}
	slots = malloc(sizeof(e->slots));
	if (!slots) {
		set_error(error, config, "services", services_fault(-ENOMEM));
		config_free(config);
		return -ENOMEM;
	}
	memcpy(slots, e->slots, sizeof(e->slots));
	e->config = config;
	slot_assign_all(e, config, old);
	limit_merge(&e->limits, &old->limits, &config->limits);
	result = publish_services(e);
	if (result) {
		set_error(error, config, "services", services_fault(result));
		e->config = old;
		e->limits = limits;
		memcpy(e->slots, slots, sizeof(e->slots));
		for (size_t i = 0; i < old->service_count; i++)
			e->slot_of[i] = slot_find(e, old->services[i].name);
		config_free(config);
	} else {
		guard_assign(e, config);
		config_free(old);
		change_save(e);
		list_reload(e);
		configure_events(config);
	}
	free(slots);
	return result;
}

int engine_rotate_key(struct engine *e, bool now)
{
	int result = keyring_rotate(e->keyring, now, clock_now_s());

	if (result)
		return result;
	return publish_runtime(e);
}

int engine_set_bypass(struct engine *e, bool on)
{
	e->bypass = on;
	if (!on)
		e->drain = DRAIN_OFF;
	return publish_runtime(e);
}
