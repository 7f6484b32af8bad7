// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See clock_watch.h. A timer of CLOCK_REALTIME that is never to run is cancelled when that clock is set
 * (timerfd_create(2)); the comparison once a second stands in where that is not told.
 */
#include "daemon/events/clock_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "daemon/events/events.h"

#define US_PER_S    1000000
#define ACCURACY_US 10000

static int64_t clock_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * (int64_t)US_PER_S + now.tv_nsec / 1000;
}

bool clock_watch_judge(struct clock_watch *watch, int64_t wall_us, int64_t boot_us, int64_t *step_us)
{
	int64_t step = wall_us - boot_us - watch->apart_us;

	watch->apart_us += step;
	if (llabs(step) < CLOCK_STEP_US)
		return false;
	*step_us = step;
	return true;
}

static void look_at_clock(struct clock_watch *watch)
{
	int64_t wall_us = clock_us(CLOCK_REALTIME), boot_us = clock_us(CLOCK_BOOTTIME), step_us;
	char before[32];

	if (!clock_watch_judge(watch, wall_us, boot_us, &step_us))
		return;
	event_tell(EVENT_CLOCK_STEPPED, EV_REAL("step_s", (double)step_us / US_PER_S),
		   EV_TEXT("before", event_format_time(wall_us - step_us, before, sizeof(before))));
}

/* Far away, so that only a change of the clock ends it. */
static int arm(int fd)
{
	struct itimerspec never = { .it_value = { .tv_sec = INT32_MAX } };

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) ? -errno : 0;
}

static int on_clock(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	uint64_t expirations;

	(void)events;
	if (read(fd, &expirations, sizeof(expirations)) >= 0 || errno != ECANCELED || arm(fd))
		sd_event_source_set_enabled(source,
					    SD_EVENT_OFF); /* after 2038, or not told by this kernel */
	look_at_clock(userdata);
	return 0;
}

static int on_second(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct clock_watch *watch = userdata;
	int64_t now_us = clock_us(CLOCK_MONOTONIC);

	(void)usec;
	if (now_us - watch->due_us > CLOCK_LATE_US)
		event_tell(EVENT_LOOP_LATE, EV_NUMBER("late_ms", (now_us - watch->due_us) / 1000));
	look_at_clock(watch);
	watch->every_second();
	watch->due_us = now_us + US_PER_S;
	sd_event_source_set_time(source, (uint64_t)watch->due_us);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int add_clock(struct clock_watch *watch, struct sd_event *event)
{
	int error;

	watch->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (watch->clock_fd < 0)
		return -errno;
	error = arm(watch->clock_fd);
	if (error)
		return error;
	return sd_event_add_io(event, &watch->clock, watch->clock_fd, EPOLLIN, on_clock, watch);
}

int clock_watch_start(struct clock_watch *watch, struct sd_event *event, void (*every_second)(void))
{
	int64_t wall_us = clock_us(CLOCK_REALTIME);
	int error;

	*watch = (struct clock_watch){ .clock_fd = -1,
				       .apart_us = wall_us - clock_us(CLOCK_BOOTTIME),
				       .due_us = clock_us(CLOCK_MONOTONIC) + US_PER_S,
				       .every_second = every_second };
	error = sd_event_add_time(event, &watch->timer, CLOCK_MONOTONIC, (uint64_t)watch->due_us, ACCURACY_US,
				  on_second, watch);
	if (error >= 0)
		error = add_clock(watch, event);
	return error < 0 ? error : 0;
}

void clock_watch_stop(struct clock_watch *watch)
{
	if (!watch->every_second)
		return; /* was never started */
	sd_event_source_disable_unref(watch->timer);
	sd_event_source_disable_unref(watch->clock);
	if (watch->clock_fd >= 0)
		close(watch->clock_fd);
	*watch = (struct clock_watch){ .clock_fd = -1 };
}
