/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of an interface, from what was read of it.
 */
#ifndef SYNMOAT_DOCTOR_INTERFACE_H
#define SYNMOAT_DOCTOR_INTERFACE_H

#include <stdbool.h>

#include "daemon/doctor/findings.h"
#include "daemon/netlink/device.h"
#include "daemon/netlink/link.h"

struct config;

struct interface_facts {
	const struct config *config;
	struct link_state link; /* name always; ifindex 0: there is none */
	struct device device;
	unsigned int other_mtu; /* inline: of the other one; 0: unknown */
	unsigned int cpus;
	bool attached;	  /* ours: what holds its hooks is a daemon that we know of */
	bool running;	  /* not that one, but some synmoatd runs */
	char program[17]; /* name of the XDP program that holds it; empty: none, or not told */
};

void interface_judge(const struct interface_facts *facts, struct findings *findings);

#endif
