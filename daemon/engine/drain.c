// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Draining, inline: as bypass, until no connection is translated any more. Cookies that are out are honoured
 * while their clients may still be on their way; then they cease to validate, so that the end, once told, is
 * final.
 */
#include "daemon/engine/state.h"

#include "daemon/events/events.h"

/* Within so long after its SYN-ACK a client has answered, even if it had to send again. */
#define COOKIES_RETURN_S 5

uint64_t drain_honours_s(const struct engine *e)
{
	uint64_t age_s = clock_now_s() - e->drain_began_s;

	return e->drain == DRAIN_HONOURING && age_s < COOKIES_RETURN_S ? COOKIES_RETURN_S - age_s : 0;
}

int engine_set_drain(struct engine *e, bool on)
{
	if (!is_inline(e) || on == (e->drain != DRAIN_OFF))
		return 0;
	e->drain = on ? DRAIN_HONOURING : DRAIN_OFF;
	e->drain_began_s = clock_now_s();
	return publish_runtime(e);
}

/* The last cookie may have been accepted while the connections were being counted: they are counted twice. */
void drain_follow(struct engine *e)
{
	switch (e->drain) {
	case DRAIN_HONOURING:
		if (!e->translated && clock_now_s() - e->drain_began_s >= COOKIES_RETURN_S)
			e->drain = DRAIN_SEALED;
		break;
	case DRAIN_SEALED:
		if (e->translated)
			break;
		e->drain = DRAIN_DONE;
		event_tell(EVENT_DRAINED);
		break;
	case DRAIN_OFF:
	case DRAIN_DONE:
		break;
	}
}
