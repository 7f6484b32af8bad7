/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random changes of valid frames: bits, lengths, options, truncation; and how a frame that was judged wrongly
 * is shown, so that the same seed finds it again.
 */
#ifndef SYNMOAT_TESTS_MUTATE_H
#define SYNMOAT_TESTS_MUTATE_H

#include "tests/bpf/harness.h"

/* How many frames, from which seed: the arguments [FRAMES [SEED]], or SYNMOAT_FRAMES and SYNMOAT_SEED. */
extern uint64_t mutate_frames, mutate_seed;
void mutate_begin(int argc, char **argv, uint64_t frames);

uint32_t mutate_random(uint32_t below);

/* TCP options as a fuzzer would have them; returns their length. */
size_t mutate_options(uint8_t options[40]);

/* Up to four changes; the checksums may be right afterwards. */
void mutate_frame(struct frame *f);

/* OUT goes back where IN came from: MAC and IP addresses, ports. */
bool mutate_is_swapped(const struct frame *in, const struct frame *out, const struct frame_view *i,
		       const struct frame_view *o);

/* Fails the test. */
void mutate_report(uint64_t number, const struct frame *f, const char *error);
void mutate_print_verdicts(const uint64_t before[VERDICT_COUNT], const uint64_t after[VERDICT_COUNT]);

#endif
