/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can happen, as data: one row a kind of event. To add one: a name in the enum, a row in catalogue.c
 * with a fresh id of `systemd-id128 new`, and event_tell() where it happens. Calls no other part of the
 * daemon.
 */
#ifndef SYNMOAT_EVENTS_CATALOGUE_H
#define SYNMOAT_EVENTS_CATALOGUE_H

#include <stdbool.h>

enum event_kind {
	/* the daemon */
	EVENT_DAEMON_STARTED,
	EVENT_DAEMON_STOPPED,
	EVENT_CONFIG_RELOADED,
	EVENT_CONFIG_REFUSED,
	EVENT_LOOP_LATE,
	EVENT_CLOCK_STEPPED,
	EVENT_STATE_UNWRITABLE,
	EVENT_STATE_WRITABLE,
	/* the interfaces and what the kernel must have */
	EVENT_INTERFACE_ATTACHED,
	EVENT_INTERFACE_DETACHED,
	EVENT_INTERFACE_LOST,
	EVENT_INTERFACE_BACK,
	EVENT_INTERFACE_FAILED,
	EVENT_INTERFACE_DOWN,
	EVENT_INTERFACE_UP,
	EVENT_SYNCOOKIES_OFF,
	EVENT_SYNCOOKIES_ON,
	EVENT_FORWARDING_OFF,
	EVENT_FORWARDING_ON,
	EVENT_RETURN_PATH_ASYMMETRIC,
	/* attacks */
	EVENT_MITIGATION_BEGUN,
	EVENT_MITIGATION_ENDED,
	EVENT_MITIGATION_OVER,
	EVENT_ATTACK_BEGUN,
	EVENT_ATTACK_CHANGED,
	EVENT_ATTACK_ENDED,
	EVENT_CROWD_BEGUN,
	EVENT_CROWD_ENDED,
	EVENT_SOURCE_BLOCKED,
	EVENT_PORT_SCAN,
	EVENT_SLOW_HANDSHAKES,
	/* changes by a user */
	EVENT_MODE_CHANGED,
	EVENT_LIMIT_CHANGED,
	EVENT_LIST_CHANGED,
	EVENT_BYPASS_ON,
	EVENT_BYPASS_OFF,
	EVENT_DRAIN_BEGUN,
	EVENT_DRAIN_CANCELLED,
	EVENT_DRAINED,
	EVENT_KEY_ROTATED,
	EVENT_KEY_RETIRED,
	EVENT_FLOW_KILLED,
	EVENT_CHANGE_FAILED,
	EVENT_ACCESS_REFUSED,
	/* tracking and lists */
	EVENT_TRACKING_LOST,
	EVENT_TRACKING_HEALED,
	EVENT_LIST_FILE_READ,
	EVENT_LIST_FILE_FAILED,
	EVENT_LIST_LINE_BAD,
	EVENT_METRICS_FAILED,
	EVENT_SYN_RECV_INTERVAL,
	/* the event log itself */
	EVENT_EVENTS_LEFT_OUT,
	EVENT_EVENTS_MISSING,
	EVENT_EVENTS_DAMAGED,
	EVENT_EVENTS_UNWRITTEN,
	EVENT_EVENTS_WRITTEN,
	EVENT_HOOK_FAILED,
	EVENT_HOOK_LEFT_OUT,
	EVENT_KINDS
};

enum event_type { EVENT_TEXT = 1, EVENT_NUMBER, EVENT_REAL, EVENT_FLAG, EVENT_JSON };

struct event_field_row {
	enum event_type type;
	bool detail; /* names a single address: for root and the group alone */
};

/*
 * text: one line; {field} is its value, and what stands in [ ] is left out unless each field named inside it
 * was told and is not empty; {?field} prints nothing, and asks that it is neither 0 nor false; {field,} is a
 * number with its thousands apart.
 */
struct event_row {
	const char *name; /* kebab-case, stable: hooks and scripts know it */
	const char *id;	  /* MESSAGE_ID of the journal, 32 hex digits */
	int severity;	  /* LOG_ALERT ... LOG_INFO of syslog(3) */
	const char *text;
	const char *key;	 /* the field whose values are limited one by one; NULL: the kind alone */
	unsigned int per_minute; /* of one key; 0: EVENT_PER_MINUTE */
	const char *fields;	 /* "name[:number|:real|:flag|:json][!] ..."; !: names a single address */
};

#define EVENT_PER_MINUTE 20

const struct event_row *catalogue_row(enum event_kind kind);

/* -1: no kind has this name. */
int catalogue_find(const char *name);

/* false: the kind has no such field. */
bool catalogue_field(enum event_kind kind, const char *name, struct event_field_row *row);

/* "warning", as syslog and journalctl -p name it. */
const char *catalogue_severity_word(int severity);
int catalogue_find_severity(const char *word); /* LOG_INFO: no such word */

#endif
