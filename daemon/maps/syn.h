/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our SYN to a server as a whole frame, as bpf/proxy.bpf.h writes it over a client's ACK.
 */
#ifndef SYNMOAT_SYN_H
#define SYNMOAT_SYN_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

#define SYN_FRAME_MAX 96

/* Length of the frame, or 0: it is not known where the server is. */
size_t syn_write(const struct pending *pending, uint8_t frame[SYN_FRAME_MAX]);

#endif
