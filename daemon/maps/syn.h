/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon owes a server, as a whole frame: our SYN as bpf/proxy.bpf.h writes it over a client's ACK,
 * or a RST; and what it owes a client: a probe, or a RST.
 */
#ifndef SYNMOAT_SYN_H
#define SYNMOAT_SYN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

#define SYN_FRAME_MAX 104 /* two VLAN tags, IPv6, all options */

/* To the client? */
bool syn_goes_outside(const struct pending *pending);

/* Length of the frame, or 0: it is not known where that end is. */
size_t syn_write(const struct pending *pending, uint8_t frame[SYN_FRAME_MAX]);

#endif
