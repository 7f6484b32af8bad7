// SPDX-License-Identifier: GPL-2.0-or-later
/* See timer.h. */
#include "daemon/timer.h"

#include <time.h>

int timer_repeat(sd_event_source *source, uint64_t due_us, uint64_t every_us)
{
	uint64_t next_us = due_us + every_us, now_us = 0;

	sd_event_now(sd_event_source_get_event(source), CLOCK_MONOTONIC, &now_us);
	if (next_us < now_us)
		next_us = now_us + every_us;
	sd_event_source_set_time(source, next_us);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}
