/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In front of a program of bpf/: whoever has just found its connection stands still for a while, one time in
 * eight, as a virtual CPU may at any time. What another CPU does to the table meanwhile meets it
 * (inline_reuse_test.c).
 */
#define connection_find connection_find_at_once
#include "connection.bpf.h"
#undef connection_find

#define STILL_TURNS 2000 /* some 5 ns each */

static long dawdle_turn(__u32 i, void *arg)
{
	return 0;
}

static __always_inline struct connection *connection_find(const struct tuple *t)
{
	struct connection *c = connection_find_at_once(t);

	if (c && !(bpf_get_prandom_u32() & 7))
		bpf_loop(STILL_TURNS, dawdle_turn, NULL, 0);
	return c;
}
