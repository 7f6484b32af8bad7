/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of the control group and of the unit.
 */
#ifndef SYNMOAT_DOCTOR_INSTALL_H
#define SYNMOAT_DOCTOR_INSTALL_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/doctor/findings.h"

void install_judge_group(const char *name, bool exists, size_t members, struct findings *findings);

#endif
