/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of an attack, kept for people: of all samples EVIDENCE_PACKETS, each equally likely, so that they
 * are spread over all of it; and their file, pcap with nanoseconds. Pure.
 */
#ifndef SYNMOAT_DETECT_EVIDENCE_H
#define SYNMOAT_DETECT_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

#define EVIDENCE_PACKETS   100
#define EVIDENCE_NAME_SIZE 64

struct evidence {
	struct sample kept[EVIDENCE_PACKETS];
	uint32_t count;
	uint64_t seen;
	uint64_t random;
};

void evidence_add(struct evidence *evidence, const struct sample *sample);

/* The file as bytes, oldest packet first, which the caller frees; NULL: no memory. offset_ns: from
 * CLOCK_MONOTONIC to CLOCK_REALTIME. */
char *evidence_encode(const struct evidence *evidence, int64_t offset_ns, size_t *length);

/* "20250131T235959Z-web.pcap": names in the order of time. */
void evidence_name(char name[EVIDENCE_NAME_SIZE], int64_t begun_s, const char *service);

#endif
