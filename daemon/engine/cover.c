// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the tracker asks: which service an address and port belong to, and what a slot's service is called.
 */
#include "daemon/engine/state.h"

#include "daemon/maps/fastpath.h"

struct fastpath *engine_get_fastpath(struct engine *e)
{
	return e->fastpath;
}

uint32_t engine_cover_slot(const struct engine *e, const struct tuple *tuple)
{
	return fastpath_find_service(e->fastpath, tuple->server, tuple->server_port);
}

const char *engine_slot_name(const struct engine *e, uint32_t slot)
{
	return slot < SERVICE_SLOTS && e->slots[slot].used ? e->slots[slot].name : "";
}

enum service_mode engine_slot_mode(const struct engine *e, uint32_t slot)
{
	return slot < SERVICE_SLOTS && e->slots[slot].used ? e->slots[slot].mode : MODE_OFF;
}

bool engine_slot_above_marks(const struct engine *e, uint32_t slot)
{
	return fastpath_state(e->fastpath, slot)->mitigation == MITIGATION_ACTIVE;
}

bool engine_slot_attacked(const struct engine *e, uint32_t slot)
{
	return engine_slot_mode(e, slot) == MODE_AUTO && engine_slot_above_marks(e, slot);
}
