/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of rules of nftables, one after another.
 */
#ifndef SYNMOAT_DOCTOR_FIREWALL_H
#define SYNMOAT_DOCTOR_FIREWALL_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/doctor/findings.h"

/* A rule, as far as it matters to a segment that finishes a handshake which the firewall has not seen. */
struct firewall_rule {
	char table[64], chain[64];
	uint64_t handle;
	bool state;    /* looks at conntrack's state */
	bool flags;    /* looks at TCP's flags */
	bool drops;    /* drops or rejects what fits */
	bool synproxy; /* answers SYNs itself */
};

void firewall_judge(const struct firewall_rule *rule, struct findings *findings);

#endif
