// SPDX-License-Identifier: GPL-2.0-or-later
/* See slowness.h. */
#include "daemon/tracker/slowness.h"

#define LENGTHS (sizeof(((struct slowness *)0)->lengths) / sizeof(uint32_t))

static unsigned int power_of(uint32_t us)
{
	return us ? 31 - (unsigned int)__builtin_clz(us) : 0;
}

bool slowness_note(struct slowness *s, uint32_t handshake_us, uint32_t slow_us, uint32_t most, uint32_t now_s)
{
	if (now_s - s->began_s >= SLOWNESS_WINDOW_S)
		*s = (struct slowness){ .began_s = now_s };
	if (handshake_us != SLOWNESS_NEVER)
		s->lengths[power_of(handshake_us)]++;
	s->slow += handshake_us > slow_us;
	if (s->told || s->slow < most)
		return false;
	s->told = true;
	return true;
}

uint32_t slowness_median_us(const struct slowness *s)
{
	uint64_t all = 0, below = 0;

	for (unsigned int i = 0; i < LENGTHS; i++)
		all += s->lengths[i];
	for (unsigned int i = 0; i < LENGTHS && all; i++) {
		below += s->lengths[i];
		if (below * 2 >= all)
			return i == 31 ? UINT32_MAX : (2U << i) - 1;
	}
	return 0;
}
