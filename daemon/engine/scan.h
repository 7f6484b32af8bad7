/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port scans: SYNs to many different ports, or addresses, of services' addresses that no service has. No
 * attack on a service; told once, with its source if most of it has one.
 */
#ifndef SYNMOAT_ENGINE_SCAN_H
#define SYNMOAT_ENGINE_SCAN_H

#include <netinet/in.h>

#include "bpf/abi.h"
#include "daemon/detect/talkers.h"

#define SCAN_WINDOW_S 4

struct engine;

struct scan {
	struct registers window[SCAN_WINDOW_S]; /* of destinations, a second each, in turn */
	struct registers merged;
	struct talkers sources; /* of the samples since it was quiet */
	uint32_t at;
	uint32_t samples; /* of this second */
	uint32_t quiet_s; /* since the last second above the threshold */
	bool going_on, told;
};

void scan_sample(struct scan *scan, const struct in6_addr *source);
void scan_tick(struct scan *scan, struct engine *e);

#endif
