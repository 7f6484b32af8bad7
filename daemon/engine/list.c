// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine's side of the lists: their memory and their root in XDP, and the slices in which they are made.
 */
#include "daemon/engine/state.h"

#include <errno.h>
#include <time.h>

#include "daemon/maps/fastpath.h"

#define PAUSE_US    1000 /* between slices, for everything else */
#define CLOCK_SHIFT 6	 /* of list_record.last */

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

static int on_work(sd_event_source *source, uint64_t usec, void *arg)
{
	struct engine *e = arg;

	(void)usec;
	if (!lists_work(e->lists))
		return 0;
	sd_event_source_set_time_relative(source, PAUSE_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void engine_lists_changed(struct engine *e)
{
	int enabled;

	if (!lists_busy(e->lists) || sd_event_source_get_enabled(e->list_work, &enabled) < 0 || enabled)
		return;
	sd_event_source_set_time_relative(e->list_work, 0);
	sd_event_source_set_enabled(e->list_work, SD_EVENT_ONESHOT);
}

int list_start(struct engine *e, struct sd_event *event)
{
	const struct lists_backing backing = { { fastpath_chunk_new, fastpath_chunk_free, e->fastpath },
					       publish_roots,
					       e };
	int error;

	e->lists = lists_new(&backing);
	if (!e->lists)
		return -ENOMEM;
	lists_tick(e->lists, engine_list_clock());
	error = sd_event_add_time_relative(event, &e->list_work, CLOCK_MONOTONIC, 0, 0, on_work, e);
	if (error >= 0)
		error = sd_event_source_set_enabled(e->list_work, SD_EVENT_OFF);
	return error < 0 ? error : 0;
}

void list_stop(struct engine *e)
{
	sd_event_source_disable_unref(e->list_work);
	lists_free(e->lists);
}

/* After publishing, which has waited for the packets of before. */
void list_tick(struct engine *e)
{
	lists_tick(e->lists, engine_list_clock());
	engine_lists_changed(e);
}
