/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What our SYN-ACK may announce for a service: what the server's own stack would, by its sysctls and the
 * interface's MTU, never more.
 */
#ifndef SYNMOAT_ENGINE_PROFILE_H
#define SYNMOAT_ENGINE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "daemon/config/config.h"

struct stack_settings {
	bool window_scaling, sack, timestamps, ecn, syncookies, rfc1337, conntrack_loose;
	uint64_t receive_buffer_max; /* bytes: the larger of tcp_rmem's third value and rmem_max */
};

/* Reads /proc/sys of this network namespace; what cannot be read is taken at the kernel's default. */
void stack_settings_read(struct stack_settings *settings);

/* Whether the kernel forwards what comes in by an interface (its sysctl forwarding). */
bool stack_forwards(const char *interface, bool v6);

/* Fills *service, without a mode of its own: config says it. mtu in bytes, of the interface. */
void profile_service(const struct config_service *config, const struct stack_settings *settings,
		     unsigned int mtu, struct service *service);

/*
 * What differs inline, over what profile_service() filled: the servers' options are learned, the window is as
 * wide as the early data that we keep.
 */
void profile_inline(const struct config *config, const struct config_service *of, struct service *service);

#endif
