/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of the ports that listen, beside what the services declare.
 */
#ifndef SYNMOAT_DOCTOR_EXPOSURE_H
#define SYNMOAT_DOCTOR_EXPOSURE_H

#include <netinet/in.h>
#include <stdint.h>

#include "daemon/doctor/findings.h"

struct config;

struct exposed {
	struct in6_addr address; /* IPv4 as v4-mapped; :: and 0.0.0.0: any */
	uint16_t port;		 /* host order */
	uint32_t backlog;
};

/* listeners, sorted by port */
void exposure_judge(const struct config *config, const struct exposed *listeners, size_t count,
		    struct findings *findings);

#endif
