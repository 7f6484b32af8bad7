/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiles the declared services into the services table of bpf/abi.h: for each port the sorted, disjoint
 * address ranges, longest prefix first in rank. Pure: touches no map.
 */
#ifndef SYNMOAT_ENGINE_RANGES_H
#define SYNMOAT_ENGINE_RANGES_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "daemon/config/config.h"

#define RANGES_PORTS 65536

/* A part of the ranges of one family. */
struct ranges_list {
	uint32_t first, count;
};

/*
 * One half of the table; first4 and first6 are indexes into v4 and v6 here. Ports that the same services
 * share point at the same ranges. ports[0] holds the ranges of all services over all ports; where two of them
 * declare the same prefix there, the one that is declared first wins.
 */
struct ranges_table {
	struct port_ranges *ports; /* RANGES_PORTS */
	struct range4 *v4;
	size_t v4_count;
	struct range6 *v6;
	size_t v6_count;
	struct port_ranges guarded; /* the protected prefixes, by number of their group from 1 on */
	struct port_ranges outward_to[GUARDS_MAX]; /* by group from 0 on: where it may connect */
	struct ranges_list
		broadcasts; /* in v4: the last address of each prefix of more than two, as a subnet has it */
};

/*
 * slots: for each service of config the number that its ranges carry. Returns 0 (then ranges_free), -ENOSPC
 * when a family needs more than RANGES_MAX ranges, -EINVAL for more than SERVICES_MAX services, or -ENOMEM;
 * *table is untouched on failure.
 */
int ranges_compile(const struct config *config, const uint32_t *slots, struct ranges_table *table);
void ranges_free(struct ranges_table *table);

#endif
