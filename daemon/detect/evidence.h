/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of an attack, kept for people: of all samples EVIDENCE_PACKETS, each equally likely, so that they
 * are spread over all of it; and their files, pcap with nanoseconds, in the folder evidence of the state
 * folder. Written by a thread; the oldest beyond so many are removed.
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

struct evidence_store;

/* group: of the files, which it may read; none: ours. NULL: no memory. */
struct evidence_store *evidence_store_new(const char *state, const char *group);
/* Waits until all is written. */
void evidence_store_free(struct evidence_store *store);

/* Takes bytes over; a file of that name is replaced whole. most: files that stay. */
void evidence_store_write(struct evidence_store *store, const char *name, char *bytes, size_t length,
			  uint32_t most);

/* Once a second. 0, or a negative errno: what was written last could not be; told once. */
int evidence_store_tick(struct evidence_store *store);

#endif
