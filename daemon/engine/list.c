// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine's side of the lists: their memory and their root in XDP, and the slices in which they are made.
 */
#include "daemon/engine/state.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/log.h"
#include "daemon/maps/fastpath.h"

#define PAUSE_US    100 /* between slices, for everything else */
#define ACCURACY_US 1	/* 0 would be a quarter of a second */
#define CLOCK_SHIFT 6	/* of list_record.last */

int64_t engine_list_clock(void)
{
	return clock_now_ns(CLOCK_BOOTTIME) / NS_PER_S;
}

uint64_t engine_list_age_s(struct engine *e, uint32_t last)
{
	uint32_t hz = fastpath_runtime(e->fastpath)->jiffies_hz;
	uint64_t jiffies;

	if (!hz || fastpath_read_jiffies(e->fastpath, &jiffies))
		return 0;
	return (uint64_t)((uint32_t)(jiffies >> CLOCK_SHIFT) - last) * (1U << CLOCK_SHIFT) / hz;
}

struct lists *engine_lists(struct engine *e)
{
	return e->lists;
}

static void publish_roots(void *arg)
{
	publish_runtime(arg);
}

static void note_change(void *arg, const struct lists_change *change)
{
	struct engine *e = arg;

	keep_note(e->keep, change, engine_list_clock());
}

/* One slice; true: there is more. */
static bool work(struct engine *e)
{
	return feed_work(e->feed, e->lists, engine_list_clock()) || lists_work(e->lists) ||
	       keep_work(e->keep, e->lists);
}

static int on_work(sd_event_source *source, uint64_t usec, void *arg)
{
	struct engine *e = arg;

	(void)usec;
	if (!work(e))
		return 0;
	sd_event_source_set_time_relative(source, PAUSE_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

bool engine_lists_busy(const struct engine *e)
{
	return lists_busy(e->lists) || feed_busy(e->feed);
}

void engine_lists_progress(const struct engine *e, struct lists_progress *progress)
{
	if (feed_busy(e->feed))
		feed_get_progress(e->feed, progress);
	else
		lists_get_progress(e->lists, progress);
}

void engine_lists_changed(struct engine *e)
{
	int enabled;

	if ((!engine_lists_busy(e) && !keep_busy(e->keep)) ||
	    sd_event_source_get_enabled(e->list_work, &enabled) < 0 || enabled)
		return;
	sd_event_source_set_time_relative(e->list_work, 0);
	sd_event_source_set_enabled(e->list_work, SD_EVENT_ONESHOT);
}

/* What the configuration itself lists, as one set. */
static void load_config(struct engine *e)
{
	const struct prefix_list *lists[] = { &e->config->blocked, &e->config->allowed };
	int64_t now_s = engine_list_clock();
	int set = lists_set_begin(e->lists, ORIGIN_CONFIG, ""), error = set < 0 ? set : 0;

	for (int kind = LIST_BLOCK; kind <= LIST_ALLOW; kind++)
		for (size_t i = 0; i < lists[kind]->count && error >= 0; i++)
			error = lists_set_add(e->lists, set, (enum list_kind)kind, &lists[kind]->items[i], 0,
					      now_s, "");
	if (error >= 0) {
		lists_set_commit(e->lists, set);
		return;
	}
	log_print(LOG_ERR, "lists: entries of the configuration: %s; those of before stay in force",
		  strerror(-error));
	if (set >= 0)
		lists_set_drop(e->lists, set);
}

void list_reload(struct engine *e)
{
	const char *slash = strrchr(e->config->path, '/');
	char folder[PATH_MAX];

	load_config(e);
	snprintf(folder, sizeof(folder), "%.*slists.d", slash ? (int)(slash + 1 - e->config->path) : 0,
		 e->config->path);
	feed_begin(e->feed, e->lists, folder);
	if (e->list_work)
		engine_lists_changed(e);
}

/* In force before the interface is attached. */
static void load_all(struct engine *e)
{
	uint64_t count = keep_load(e->keep, e->lists, engine_list_clock());

	list_reload(e);
	while (feed_work(e->feed, e->lists, engine_list_clock()) || lists_work(e->lists))
		;
	count += keep_replay(e->keep, e->lists, engine_list_clock());
	if (count)
		log_print(LOG_NOTICE, "lists: %" PRIu64 " entries of before are in force again", count);
}

int list_start(struct engine *e, struct sd_event *event, const char *state)
{
	struct lists_backing backing = {
		.pool = { .chunk_new = fastpath_chunk_new,
			  .chunk_free = fastpath_chunk_free,
			  .arg = e->fastpath },
		.publish = publish_roots,
		.note = note_change,
		.arg = e,
	};
	int error;

	backing.pool.hits = fastpath_list_hits(e->fastpath, &backing.pool.cpus);
	e->lists = lists_new(&backing);
	e->keep = keep_new(state);
	e->feed = feed_new();
	if (!e->lists || !e->keep || !e->feed)
		return -ENOMEM;
	lists_tick(e->lists, engine_list_clock());
	error = sd_event_add_time_relative(event, &e->list_work, CLOCK_MONOTONIC, 0, ACCURACY_US, on_work, e);
	if (error >= 0)
		error = sd_event_source_set_enabled(e->list_work, SD_EVENT_OFF);
	if (error >= 0)
		load_all(e);
	return error < 0 ? error : 0;
}

void list_stop(struct engine *e)
{
	sd_event_source_disable_unref(e->list_work);
	feed_free(e->feed);
	keep_free(e->keep, e->lists, engine_list_clock());
	lists_free(e->lists);
}

/* After publishing, which has waited for the packets of before. */
void list_tick(struct engine *e)
{
	int64_t now_s = engine_list_clock();

	lists_tick(e->lists, now_s);
	keep_tick(e->keep, e->lists, now_s);
	engine_lists_changed(e);
}
