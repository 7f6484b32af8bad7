/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What floors.bpf.c and common/floors.c share. */
#ifndef SYNMOAT_BENCH_FLOORS_PROGRAMS_H
#define SYNMOAT_BENCH_FLOORS_PROGRAMS_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

#define FLOORS_LINES	   (1U << 22) /* 256 MiB */
#define FLOORS_PAGE_LINES  64	      /* of 4 KiB */
#define FLOORS_WORDS_SHIFT 3	      /* words of a line */
#define FLOORS_READS	   3	      /* at most */

struct floors_line {
	__u64 word[1 << FLOORS_WORDS_SHIFT];
};

#endif
