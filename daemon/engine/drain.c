// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Draining, inline: as bypass, until no connection is translated any more. Cookies that are out are honoured
 * while their clients may still be on their way; then they cease to validate, so that the end, once told, is
 * final.
 */
#include "daemon/engine/state.h"

#include "daemon/log.h"

/* Within so long after its SYN-ACK a client has answered, even if it had to send again. */
#define COOKIES_RETURN_S 5

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
		log_print(LOG_NOTICE,
			  "drained: nothing is translated any more, stopping breaks no connection");
		break;
	case DRAIN_OFF:
	case DRAIN_DONE:
		break;
	}
}
