/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What top knows: the daemon's last replies, and the history of rates that only top keeps. Knows no screen.
 */
#ifndef SYNMOAT_CLI_TOP_DATA_H
#define SYNMOAT_CLI_TOP_DATA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define TOP_SAMPLES 240
#define TOP_SERIES  256

/* Of a counter: its rate, look by look; -1: not known. */
struct top_series {
	char name[64];
	int64_t total, rate; /* the last ones */
	int64_t samples[TOP_SAMPLES];
	size_t count; /* samples; the last is the newest */
};

struct top_data {
	json_t *status, *sources, *syn_recv, *events; /* NULL: none */
	bool sources_denied;			      /* not for this user */
	int error;   /* of the last look: a negative errno; 0: the daemon answered */
	double at_s; /* of the last answer, on the monotonic clock */
	time_t seen; /* the same, by the wall clock; 0: never */
	struct top_series series[TOP_SERIES];
	size_t series_count;
};

enum top_order { TOP_ORDER_HALF_OPEN, TOP_ORDER_RATE, TOP_ORDER_DROPPED, TOP_ORDERS }; /* of sources */

/* Asks the daemon; data->error says how that went. What was known before stays when it does not answer. */
void top_data_look(struct top_data *data, const char *socket, enum top_order order);

/* Takes a reply of Status over, with the rates since the one before, at a time on the monotonic clock. */
void top_data_take_status(struct top_data *data, json_t *status, double at_s);
/* Likewise of SynRecv; NULL: there is none. */
void top_data_take_syn_recv(struct top_data *data, json_t *syn_recv);

void top_data_fini(struct top_data *data);

/* By "verdict drop_null", "packets", "dropped", "service web", "half-open"; NULL: nothing is known. */
const struct top_series *top_data_find(const struct top_data *data, const char *group, const char *name);

#endif
