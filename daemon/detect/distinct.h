/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many different things XDP's registers have met: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007),
 * with linear counting while few registers are taken. The standard error is 1.04 / sqrt(REGISTERS), 3.3 %.
 * Pure.
 */
#ifndef SYNMOAT_DETECT_DISTINCT_H
#define SYNMOAT_DETECT_DISTINCT_H

#include <stdint.h>

#include "bpf/abi.h"

uint32_t distinct_estimate(const struct registers *registers);

/* What either has met. */
void distinct_merge(struct registers *into, const struct registers *from);

#endif
