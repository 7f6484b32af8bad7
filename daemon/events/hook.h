/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command that the configuration names for some kinds of events: called with the event in its
 * environment, without a shell, one call at a time, for a limited time. The daemon's capabilities are not
 * handed down.
 */
#ifndef SYNMOAT_EVENTS_HOOK_H
#define SYNMOAT_EVENTS_HOOK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/events/event.h"

#define HOOK_WAITING_MOST 32 /* calls that wait for the one that runs; the oldest are left out, and told */

struct hook_settings {
	const char *command; /* a path; NULL: none */
	bool kinds[EVENT_KINDS];
	unsigned int timeout_s;
};

struct hook {
	pthread_mutex_t lock;
	char *command; /* these under the lock */
	bool kinds[EVENT_KINDS];
	unsigned int timeout_s;
	bool stop;
};

void hook_init(struct hook *hook);
void hook_fini(struct hook *hook);
void hook_set(struct hook *hook, const struct hook_settings *settings);

/* A call that runs is waited for no longer, and goes on alone. */
void hook_leave(struct hook *hook);

/* 0; else a negative errno, and text says why this cannot be called: not there, not executable, not a file,
 * others than its owner can write to it, or it belongs to a third. */
int hook_check(const char *command, char *text, size_t size);

/* As a sink has them. */
bool hook_wants(void *hook, const struct event_entry *event);
int hook_call(void *hook, struct event_entry *const *events, size_t count);
void hook_left_out(void *hook, uint64_t count);

#endif
