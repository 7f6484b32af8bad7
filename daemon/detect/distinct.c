// SPDX-License-Identifier: GPL-2.0-or-later
/* See distinct.h. */
#include "daemon/detect/distinct.h"

#include <math.h>

#define ALPHA (0.7213 / (1 + 1.079 / REGISTERS))

uint32_t distinct_estimate(const struct registers *registers)
{
	double sum = 0, estimate;
	unsigned int empty = 0;

	for (unsigned int i = 0; i < REGISTERS; i++) {
		empty += !registers->bit[i];
		sum += registers->bit[i] ? 0.5 / registers->bit[i] : 1;
	}
	estimate = ALPHA * REGISTERS * REGISTERS / sum;
	if (estimate <= 2.5 * REGISTERS && empty)
		estimate = REGISTERS * log((double)REGISTERS / empty);
	return estimate < UINT32_MAX ? (uint32_t)(estimate + 0.5) : UINT32_MAX;
}

void distinct_merge(struct registers *into, const struct registers *from)
{
	for (unsigned int i = 0; i < REGISTERS; i++)
		if (into->bit[i] < from->bit[i])
			into->bit[i] = from->bit[i];
}
