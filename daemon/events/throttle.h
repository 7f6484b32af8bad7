/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of one kind of event, and of one key of it, goes into the log in a minute, and how much was left
 * out. A minute begins with the first event in it. Pure: the caller says the time.
 */
#ifndef SYNMOAT_EVENTS_THROTTLE_H
#define SYNMOAT_EVENTS_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/events/catalogue.h"

#define THROTTLE_PLACES	  256 /* keys looked after at a time; those beyond share their kind's allowance */
#define THROTTLE_WINDOW_S 60
#define THROTTLE_KEYS	  4 /* times its allowance a kind may have over all its keys */
#define THROTTLE_KEY_SIZE 64

struct throttle_place {
	bool used;
	enum event_kind kind;
	char key[THROTTLE_KEY_SIZE]; /* empty: the kind as a whole */
	int64_t began_s;
	uint32_t told;
	uint64_t left_out;
};

/* All zero at the beginning. */
struct throttle {
	struct throttle_place places[THROTTLE_PLACES];
	struct throttle_place kinds[EVENT_KINDS];
};

/* Whether this one goes into the log; it is counted either way. key: may be NULL. */
bool throttle_allow(struct throttle *throttle, enum event_kind kind, const char *key, int64_t now_s);

/* The next minute that is over and had to leave something out; false: none. all: those that are not over,
 * too. */
bool throttle_take(struct throttle *throttle, int64_t now_s, bool all, struct throttle_place *over);

#endif
