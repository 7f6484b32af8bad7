/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that do the least that a class of packets needs (floors.bpf.c), and what reads of memory cost
 * here.
 */
#ifndef SYNMOAT_BENCH_FLOORS_H
#define SYNMOAT_BENCH_FLOORS_H

#include "tests/bench/common/runner.h"
#include "tests/bench/floors.h"

enum floor {
	FLOOR_NONE,
	FLOOR_PARSE,	    /* nothing but that */
	FLOOR_LISTED,	    /* parse, ask the lists */
	FLOOR_COOKIE_CHECK, /* parse, find the service, check the cookie */
	FLOOR_COOKIE_MAKE,  /* parse, find the service, write the SYN-ACK with its cookie */
	FLOOR_ESTABLISHED,  /* parse, find the service and the flow, count */
	FLOOR_TO_SERVER,    /* parse, find the connection, translate, count, redirect */
	FLOOR_TO_CLIENT,
	FLOOR_FLOW,	 /* parse, one line of a table that has eight bytes for each flow */
	FLOOR_TRANSLATE, /* the same, then a line of the flow's own, redirect */
	FLOORS,
};

struct floors;

/* On the maps of the harness; what is redirected goes to the interface IFINDEX. NULL: said on stderr. */
struct floors *floors_new(struct harness *h, unsigned int ifindex);
void floors_free(struct floors *f);

/* A program, where as many flows are known: a power of two, 8 at least. */
int floors_program(struct floors *f, enum floor floor, uint32_t flows);

/* Lines of a table, read at random: all of LINES (a power of two), or one of each of so many pages. */
struct floors_table {
	const char *name;
	uint32_t lines;
	bool pages;
};

/* ns a packet for COUNT reads, up to FLOORS_READS; WAITS: each for the one before. Without what it takes to
 * know which ones; the segment that is loaded must be TCP. */
double floors_read(struct floors *f, struct runner *r, const struct floors_table *table, uint32_t count,
		   bool waits, uint32_t packets, int times);

#endif
