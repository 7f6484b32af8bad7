// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See mutate.h.
 */
#include "tests/bpf/mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

uint64_t mutate_frames, mutate_seed;

/* splitmix64 */
static uint64_t random_state;

uint32_t mutate_random(uint32_t below)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return (uint32_t)((z >> 32) * below >> 32);
}

/* Options as a fuzzer would have them: known and unknown kinds, lengths mostly right. */
size_t mutate_options(uint8_t options[40])
{
	static const uint8_t known[][2] = { { 0, 1 }, { 1, 1 },	 { 1, 1 },   { 2, 4 },	 { 3, 3 },
					    { 4, 2 }, { 8, 10 }, { 19, 18 }, { 29, 16 }, { 34, 10 } };
	size_t used = 0, length = mutate_random(41);

	for (size_t i = 0; i < length; i++)
		options[i] = (uint8_t)mutate_random(256);
	while (used < length) {
		const uint8_t *kind = known[mutate_random(COUNT(known))];

		options[used] = kind[0];
		if (kind[1] == 1) {
			used++;
			continue;
		}
		if (used + 1 < length && mutate_random(16))
			options[used + 1] = kind[1];
		used += kind[1];
	}
	return length;
}

/* --- mutations --- */

static void flip_bit(struct frame *f)
{
	f->bytes[mutate_random((uint32_t)f->length)] ^= (uint8_t)(1 << mutate_random(8));
}

/* In the headers, and to a value that is a limit of something. */
static void set_byte(struct frame *f)
{
	static const uint8_t limits[] = { 0, 1, 2, 3, 4, 5, 6, 8, 15, 16, 40, 43, 44, 51, 60, 127, 128, 255 };

	f->bytes[mutate_random(f->length < 100 ? (uint32_t)f->length : 100)] =
		limits[mutate_random(COUNT(limits))];
}

static void change_length(struct frame *f)
{
	struct frame_view v;
	size_t at;

	if (!frame_read(f, &v))
		return;
	switch (mutate_random(4)) {
	case 0: /* IPv4: header, IPv6: next header */
		at = v.v6 ? v.ip + 6 : v.ip;
		break;
	case 1: /* the packet's length */
		at = v.v6 ? v.ip + 5 : v.ip + 3;
		break;
	case 2: /* its upper byte, or an extension header's length */
		at = v.v6 && v.tcp > v.ip + 41 ? v.ip + 41 : v.ip + 2;
		break;
	default: /* TCP's data offset */
		f->bytes[v.tcp + 12] = (uint8_t)(mutate_random(16) << 4);
		return;
	}
	f->bytes[at] = (uint8_t)(f->bytes[at] + mutate_random(17) - 8);
}

static void truncate_frame(struct frame *f)
{
	f->length = 14 + mutate_random((uint32_t)f->length - 13);
}

static void extend_frame(struct frame *f)
{
	size_t more = mutate_random(64);

	if (f->length + more > 1600)
		return;
	memset(f->bytes + f->length, (int)mutate_random(256), more);
	f->length += more;
}

void mutate_frame(struct frame *f)
{
	static void (*const mutations[])(struct frame * f) = {
		flip_bit, flip_bit, set_byte, set_byte, change_length, truncate_frame, extend_frame,
	};

	for (uint32_t n = mutate_random(5); n > 0; n--)
		mutations[mutate_random(COUNT(mutations))](f);
	if (mutate_random(2)) /* or checksums would hide all that lies behind them */
		frame_repair(f);
}

/* --- what is asked, and said --- */

bool mutate_is_swapped(const struct frame *in, const struct frame *out, const struct frame_view *i,
		       const struct frame_view *o)
{
	size_t size = i->v6 ? 16 : 4, source = i->v6 ? 8 : 12;
	const uint8_t *from = in->bytes + i->ip + source, *to = out->bytes + o->ip + source;

	return !memcmp(in->bytes, out->bytes + 6, 6) && !memcmp(in->bytes + 6, out->bytes, 6) &&
	       !memcmp(from, to + size, size) && !memcmp(from + size, to, size) && i->source == o->dest &&
	       i->dest == o->source;
}

void mutate_report(uint64_t number, const struct frame *f, const char *error)
{
	print_error("frame %llu of seed %llu: %s\n", (unsigned long long)number,
		    (unsigned long long)mutate_seed, error);
	for (size_t i = 0; i < f->length; i++)
		print_error("%02x%s", f->bytes[i], (i + 1) % 32 ? "" : "\n");
	print_error("\n");
	fail();
}

void mutate_print_verdicts(const uint64_t before[VERDICT_COUNT], const uint64_t after[VERDICT_COUNT])
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		print_message("%-20s %10llu\n", harness_verdict_word(v),
			      (unsigned long long)(after[v] - before[v]));
}

static uint64_t number_of(const char *text, uint64_t otherwise)
{
	return text ? strtoull(text, NULL, 0) : otherwise;
}

void mutate_begin(int argc, char **argv, uint64_t frames)
{
	mutate_frames = number_of(argc > 1 ? argv[1] : getenv("SYNMOAT_FRAMES"), frames);
	mutate_seed = number_of(argc > 2 ? argv[2] : getenv("SYNMOAT_SEED"), (uint64_t)time(NULL));
	random_state = mutate_seed;
}
