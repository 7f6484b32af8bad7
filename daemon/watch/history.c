// SPDX-License-Identifier: GPL-2.0-or-later
/* See history.h: rings, in which a second's place is its number modulo their length. */
#include "daemon/watch/history.h"

#include <stdlib.h>

static size_t place(uint64_t second)
{
	return second % HISTORY_S;
}

static void clear_second(struct history *h, uint64_t second)
{
	h->all[place(second)] = HISTORY_NONE;
	for (size_t i = 0; i < HISTORY_PORTS; i++)
		h->rows[i].samples[place(second)] = HISTORY_NONE;
}

void history_advance(struct history *h, uint64_t now_s)
{
	uint64_t first = h->filled ? h->now_s + 1 : now_s;

	if (h->filled && now_s <= h->now_s)
		return;
	if (now_s - first >= HISTORY_S)
		first = now_s - HISTORY_S + 1;
	for (uint64_t second = first; second <= now_s; second++)
		clear_second(h, second);
	h->filled += (uint32_t)(now_s - first + 1);
	if (h->filled > HISTORY_S)
		h->filled = HISTORY_S;
	h->now_s = now_s;
}

void history_begin(struct history *h)
{
	for (size_t i = 0; i < HISTORY_PORTS; i++)
		if (h->rows[i].port)
			h->rows[i].samples[place(h->now_s)] = 0;
}

void history_note_all(struct history *h, uint32_t half_opens)
{
	h->all[place(h->now_s)] = half_opens;
}

static uint32_t peak(const struct history *h, const struct history_row *row)
{
	uint32_t most = 0;

	for (uint32_t back = 0; back < h->filled; back++) {
		uint32_t sample = row->samples[place(h->now_s - back)];

		if (sample != HISTORY_NONE && sample > most)
			most = sample;
	}
	return most;
}

static struct history_row *find(struct history *h, uint16_t port)
{
	for (size_t i = 0; i < HISTORY_PORTS; i++)
		if (h->rows[i].port == port)
			return &h->rows[i];
	return NULL;
}

static struct history_row *least(struct history *h, uint32_t below)
{
	struct history_row *found = NULL;

	for (size_t i = 0; i < HISTORY_PORTS; i++) {
		uint32_t most = peak(h, &h->rows[i]);

		if (most < below) {
			found = &h->rows[i];
			below = most;
		}
	}
	return found;
}

/* While there was room, a port without a row had no half-opens; later nothing is known of it. */
static void take(struct history_row *row, const struct history *h, uint16_t port)
{
	for (uint32_t i = 0; i < HISTORY_S; i++)
		row->samples[i] = row->port || h->all[i] == HISTORY_NONE ? HISTORY_NONE : 0;
	row->port = port;
}

void history_note_port(struct history *h, uint16_t port, uint32_t half_opens)
{
	struct history_row *row = find(h, port);

	if (!port || (!row && !half_opens))
		return;
	if (!row)
		row = find(h, 0);
	if (!row)
		row = least(h, half_opens);
	if (!row)
		return;
	if (row->port != port)
		take(row, h, port);
	row->samples[place(h->now_s)] = half_opens;
}

size_t history_read(const struct history *h, uint16_t port, uint32_t samples[HISTORY_S])
{
	const uint32_t *from = h->all;

	for (size_t i = 0; port && i <= HISTORY_PORTS; i++) {
		if (i == HISTORY_PORTS)
			return 0;
		from = h->rows[i].samples;
		if (h->rows[i].port == port)
			break;
	}
	for (uint32_t i = 0; i < h->filled; i++)
		samples[i] = from[place(h->now_s - h->filled + 1 + i)];
	return h->filled;
}

struct ranked {
	uint32_t peak;
	uint16_t port;
};

static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->peak != y->peak)
		return x->peak > y->peak ? -1 : 1;
	return (int)x->port - (int)y->port;
}

size_t history_ports(const struct history *h, uint16_t ports[HISTORY_PORTS])
{
	struct ranked ranked[HISTORY_PORTS];
	size_t count = 0;

	for (size_t i = 0; i < HISTORY_PORTS; i++)
		if (h->rows[i].port)
			ranked[count++] = (struct ranked){ peak(h, &h->rows[i]), h->rows[i].port };
	qsort(ranked, count, sizeof(*ranked), compare);
	for (size_t i = 0; i < count; i++)
		ports[i] = ranked[i].port;
	return count;
}
