// SPDX-License-Identifier: GPL-2.0-or-later
/* See evidence.h. */
#include "daemon/detect/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/detect/talkers.h"

#define NS_PER_S	1000000000LL
#define PCAP_NANOSECOND 0xa1b23c4d
#define PCAP_ETHERNET	1

void evidence_add(struct evidence *e, const struct sample *sample)
{
	uint64_t place = e->seen++;

	if (e->count < EVIDENCE_PACKETS)
		e->count++;
	else
		place = talkers_random(&e->random, e->seen);
	if (place < EVIDENCE_PACKETS)
		e->kept[place] = *sample;
}

/* --- pcap: draft-ietf-opsawg-pcap --- */

struct pcap_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snapshot, link;
};

struct pcap_packet {
	uint32_t seconds, nanoseconds, captured, length;
};

static int compare_times(const void *a, const void *b)
{
	const struct sample *const *x = a, *const *y = b;

	return (*x)->time_ns < (*y)->time_ns ? -1 : (*x)->time_ns > (*y)->time_ns;
}

static void write_packet(FILE *out, const struct sample *sample, int64_t offset_ns)
{
	int64_t time_ns = (int64_t)sample->time_ns + offset_ns;
	uint32_t captured = sample->captured <= SAMPLE_BYTES ? sample->captured : SAMPLE_BYTES;
	struct pcap_packet packet = { .seconds = (uint32_t)(time_ns / NS_PER_S),
				      .nanoseconds = (uint32_t)(time_ns % NS_PER_S),
				      .captured = captured,
				      .length = sample->length };

	fwrite(&packet, sizeof(packet), 1, out);
	fwrite(sample->frame, captured, 1, out);
}

char *evidence_encode(const struct evidence *e, int64_t offset_ns, size_t *length)
{
	struct pcap_header header = { .magic = PCAP_NANOSECOND,
				      .major = 2,
				      .minor = 4,
				      .snapshot = SAMPLE_BYTES,
				      .link = PCAP_ETHERNET };
	const struct sample *order[EVIDENCE_PACKETS];
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, length);

	if (!out)
		return NULL;
	for (uint32_t i = 0; i < e->count; i++)
		order[i] = &e->kept[i];
	qsort(order, e->count, sizeof(*order), compare_times);
	fwrite(&header, sizeof(header), 1, out);
	for (uint32_t i = 0; i < e->count; i++)
		write_packet(out, order[i], offset_ns);
	if (!fclose(out))
		return bytes;
	free(bytes);
	return NULL;
}

void evidence_name(char name[EVIDENCE_NAME_SIZE], int64_t begun_s, const char *service)
{
	time_t time = begun_s;
	char stamp[32];
	struct tm utc;

	gmtime_r(&time, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	snprintf(name, EVIDENCE_NAME_SIZE, "%.16s-%.31s.pcap", stamp, service);
}
