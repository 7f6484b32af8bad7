// SPDX-License-Identifier: GPL-2.0-or-later
/* See attack_memory.h. */
#include "daemon/engine/attack_memory.h"

#include <string.h>

#include "daemon/engine/memory.h"

#define NAME "attacks"

/* To be changed with what the members of struct attack_memory mean; another size is seen without. */
#define MAGIC 0x316b636174744153ULL

static bool is_text(const char *text, size_t size)
{
	return strnlen(text, size) < size;
}

/* What a place is found by, or a word: else another version wrote it. */
static bool is_sound_record(const struct attack *a)
{
	bool sound = is_text(a->service, sizeof(a->service)) && is_text(a->evidence, sizeof(a->evidence)) &&
		     a->class < CLASS_COUNT && a->before_count <= CLASSES_BEFORE &&
		     a->top_count <= TALKERS_TOP;

	for (uint32_t i = 0; sound && i < a->before_count; i++)
		sound = a->before[i] < CLASS_COUNT;
	return sound;
}

static bool is_sound(const struct watch *w)
{
	bool sound = is_sound_record(&w->attack) && w->detect.state <= DETECT_ATTACK &&
		     w->detect.class < CLASS_COUNT && w->detect.next < CLASS_COUNT &&
		     w->recent.kept <= TALKERS_ROOM && w->all.kept <= TALKERS_ROOM &&
		     w->evidence.count <= EVIDENCE_PACKETS &&
		     (w->detect.state == DETECT_CALM || *w->attack.service);

	for (uint32_t i = 0; sound && i < w->evidence.count; i++)
		sound = w->evidence.kept[i].captured <= SAMPLE_BYTES;
	return sound;
}

static void clear_unsound(struct attack_memory *m)
{
	for (size_t i = 0; i < ATTACKS_KEPT; i++)
		if (!is_sound_record(&m->past[i]))
			m->past_count = 0;
	for (uint32_t slot = 0; slot < SERVICE_SLOTS; slot++)
		if (!is_sound(&m->watches[slot]))
			memset(&m->watches[slot], 0, sizeof(m->watches[slot]));
}

struct attack_memory *attack_memory_open(struct fdstore *store)
{
	struct attack_memory *m;
	void *memory;

	if (memory_open(store, NAME, MAGIC, sizeof(*m), &memory))
		return NULL;
	m = memory;
	if (m->magic == MAGIC)
		clear_unsound(m);
	m->magic = MAGIC;
	return m;
}

void attack_memory_close(struct attack_memory *memory)
{
	memory_close(memory, sizeof(*memory));
}
