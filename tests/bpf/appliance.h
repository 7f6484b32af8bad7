/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inline fast path on top of harness.h: its two hooks, the two programs behind the devmap, and what they
 * keep. The kernel runs no program for a devmap by BPF_PROG_TEST_RUN: the same code is loaded a second time
 * as plain XDP, on the same maps.
 */
#ifndef SYNMOAT_TESTS_APPLIANCE_H
#define SYNMOAT_TESTS_APPLIANCE_H

#include "tests/bpf/harness.h"

struct bpf_object;

/* Interfaces and what lies behind them, with harness_forward = FORWARD_ROUTE; by enum port. */
#define ROUTED_MTU_OUTSIDE 1400
extern const uint8_t appliance_mac[PORT_COUNT][6], appliance_next_hop[PORT_COUNT][6];

/* For cmocka_run_group_tests and cmocka_unit_test_setup, instead of the harness' own. */
int appliance_set_up(void **state);
int appliance_tear_down(void **state);
int appliance_reset(void **state);

/* All connections, and what was learned of servers; quicker than a reset. */
void appliance_forget(struct harness *h);
void appliance_forget_servers(struct harness *h);

/* Runs a hook: the one that frames of the interface FROM meet. */
void appliance_run(struct harness *h, enum port from, const struct frame *frame, struct outcome *outcome);

/* Before OBJECT, of bpf/ as well, is loaded: it shall use the maps of H. */
int appliance_share_maps(struct harness *h, struct bpf_object *object);

/* Looks at nothing but the action, and the frame that is left. */
int appliance_run_bare(struct harness *h, enum port from, const struct frame *frame, struct frame *out);

/* The verdict, its action, and the frame that leaves; EXPECTED NULL: the one that came. */
void appliance_expect(struct harness *h, const char *name, enum port from, const struct frame *frame,
		      enum verdict verdict, const struct frame *expected);

void appliance_expect_spec(struct harness *h, const char *name, enum port from, const struct frame_spec *spec,
			   enum verdict verdict);

/* What the server gets in answer to its SYN-ACK, made of FRAME, which the client gets; false: dropped. */
bool appliance_copy(struct harness *h, const struct frame *frame, struct frame *copy);

/* Fails the test, naming the first byte that differs. */
void appliance_compare(const char *name, const struct frame *got, const struct frame *expected);

/* The connection table; the tuple is as seen from the client. */
void appliance_tuple(struct tuple *tuple, const struct frame_spec *from_client);
bool appliance_find(struct harness *h, const struct tuple *tuple, struct connection *connection);
void appliance_store(struct harness *h, const struct tuple *tuple, const struct connection *connection);
uint32_t appliance_count(struct harness *h);

/* The counter of the table: as many as there are connections. */
uint64_t appliance_counted(struct harness *h);

/* Fails the test unless all that is counted is what the table holds: the connections in it, of each
 * service the handshakes and half-opens, of all sources the handshakes. */
void appliance_check_counts(struct harness *h);

/* Lets a connection look SECONDS older; lets the last sweep be long ago. */
void appliance_age(struct harness *h, const struct tuple *tuple, double seconds);
void appliance_forget_sweep(struct harness *h);

/* The daemon's sweep; *args as it left them. What it says is owed to somebody, by number. */
void appliance_sweep(struct harness *h, struct sweep_args *args);
void appliance_pending(struct harness *h, uint32_t index, struct pending *pending);

#endif
