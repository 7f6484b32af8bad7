/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks after what nobody tells: that the wall clock was set, and that the event loop was late.
 */
#ifndef SYNMOAT_EVENTS_CLOCK_WATCH_H
#define SYNMOAT_EVENTS_CLOCK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct sd_event;
struct sd_event_source;

struct clock_watch {
	struct sd_event_source *timer, *clock;
	int clock_fd;
	int64_t apart_us; /* wall clock less the clock since boot */
	int64_t due_us;	  /* when the timer should run, CLOCK_MONOTONIC */
	void (*every_second)(void);
};

/* Steps smaller than this are what keeps a clock on time, and not told. */
#define CLOCK_STEP_US 250000
/* The loop's work is sliced to 10 ms; a machine that others share may well stall for a while. */
#define CLOCK_LATE_US 1000000

/* 0 or a negative errno. */
int clock_watch_start(struct clock_watch *watch, struct sd_event *event, void (*every_second)(void));
void clock_watch_stop(struct clock_watch *watch);

/* Takes note of how far the clocks are apart; true: *step_us is by how much the wall clock was set. */
bool clock_watch_judge(struct clock_watch *watch, int64_t wall_us, int64_t boot_us, int64_t *step_us);

#endif
