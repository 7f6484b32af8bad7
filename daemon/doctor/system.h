/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of a process's capabilities and of the clock.
 */
#ifndef SYNMOAT_DOCTOR_SYSTEM_H
#define SYNMOAT_DOCTOR_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/doctor/findings.h"

/* effective: one bit a capability; daemon: of the running one, else of whoever asks. */
void system_judge_capabilities(uint64_t effective, bool daemon, struct findings *findings);

/* siblings: cookies of others must validate here. */
void system_judge_clock(bool synchronised, bool siblings, struct findings *findings);

#endif
