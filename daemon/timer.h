/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers of sd-event that come again and again.
 */
#ifndef SYNMOAT_TIMER_H
#define SYNMOAT_TIMER_H

#include <stdint.h>
#include <systemd/sd-event.h>

/*
 * To be called by what the timer calls: once more, EVERY_US after DUE_US, when it was due. What it missed
 * while the process stood still is not made up for: many turns at once would each take itself for a second.
 * CLOCK_MONOTONIC. As sd_event_source_set_enabled(3).
 */
int timer_repeat(sd_event_source *source, uint64_t due_us, uint64_t every_us);

#endif
