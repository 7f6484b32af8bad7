/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool of frames that refill.bpf.c and pass.c share. Frames are of even length.
 */
#ifndef SYNMOAT_BENCH_REFILL_H
#define SYNMOAT_BENCH_REFILL_H

#define REFILL_FRAMES 4096
#define REFILL_WORDS  16

struct refill_frame {
	__u64 words[REFILL_WORDS];
};

#endif
