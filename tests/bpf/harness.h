/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fast path, loaded by fastpath_new() in a network namespace of the test's own, with one service of each
 * kind published, a known key and a slot that stands still; runs one frame at a time by BPF_PROG_TEST_RUN and
 * says how it was judged. The namespace holds an interface `wire` whose other end is the test (wire.h).
 */
#ifndef SYNMOAT_TESTS_HARNESS_H
#define SYNMOAT_TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "daemon/config/config.h"
#include "daemon/maps/fastpath.h"
#include "tests/bpf/frame.h"

/* linux/bpf.h: the actions of XDP and of tc */
enum { ACTION_ABORTED, ACTION_DROP, ACTION_PASS, ACTION_TX, ACTION_REDIRECT };

/* One service of each kind, on SERVER4 and SERVER6. */
enum {
	SLOT_ALWAYS = 1,
	SLOT_AUTO,
	SLOT_MONITOR,
	SLOT_OFF,
	SLOT_AUTH, /* mode always, allows TCP-MD5 and TCP-AO */
	SLOT_BARE, /* mode always, agrees to no option */
	SLOT_COUNT,
};

enum {
	PORT_ALWAYS = 80,
	PORT_AUTO,
	PORT_MONITOR,
	PORT_OFF,
	PORT_AUTH,
	PORT_BARE,
	PORT_MPTCP,  /* SLOT_ALWAYS, for an MPTCP listener */
	PORT_CLOSED, /* SLOT_ALWAYS, nobody listens */
	PORT_FREE,   /* of no service */
};

#define SERVER4 "10.1.0.1"
#define SERVER6 "fd00:1::1"
#define CLIENT4 "10.1.7.9"
#define CLIENT6 "fd00:1:0:7::9"

/* What the services announce. */
enum {
	SERVER_WSCALE = 7,
	SERVER_MSS4 = 1460,
	SERVER_MSS6 = 1440,
	SERVER_WINDOW4 = 64240,
	SERVER_WINDOW6 = 64800
};

#define HARNESS_SLOT 0x1c9c380 /* the slot at the start: even, and above 24 bits */

struct harness {
	struct fastpath *fastpath;
	struct runtime runtime;
	struct service services[SERVICE_SLOTS];
	struct config_protected *protected; /* and for each of them what it says, but for its addresses */
	size_t protected_count;
	struct guard guards[GUARDS_MAX];
	int wire;
	int programs[5];      /* by enum fastpath_program; -1: of the other deployment */
	int xdp;	      /* that runs: host mode's, or one of inline's */
	unsigned int ingress; /* interface that frames come from; 0: any */
};

struct outcome {
	int action;
	uint32_t slot;
	enum verdict verdict;
	int would; /* enum verdict, -1: none was counted */
	uint64_t syns;
	struct frame out;
	bool handed_over; /* data_meta held a handover */
	struct handover handover;
};

/* To be changed before harness_set_up() only; flow entries: a power of two. */
extern uint32_t harness_flow_entries;
extern uint32_t harness_tracked; /* flows; 0: no endpoint tracking */
extern bool harness_frags;	 /* multi-buffer packets */
/* Inline instead of host mode, see appliance.h. */
extern bool harness_inline;
extern uint32_t harness_connections;
extern enum forward_mode harness_forward;

/* For cmocka_run_group_tests and cmocka_unit_test_setup. */
int harness_set_up(void **state);
int harness_tear_down(void **state);

/* A harness of the inline programs beside HOST, for tests of both deployments; free its fastpath. */
int harness_set_up_inline(const struct harness *host, struct harness *h);

/* Everything as it was after harness_set_up: runtime, services, states, flows, budgets, caches. */
int harness_reset(void **state);

/* After changes to h->runtime or h->services. */
void harness_publish(struct harness *h);

/* What the fast path has told the tracker since the last call. */
struct heard {
	unsigned int count;
	struct event last;
};
struct heard harness_hear(struct harness *h);
void harness_set_slot(struct harness *h, uint32_t slot);

/* Master keys as bytes, as the reference takes them. */
void harness_key(const struct harness *h, uint32_t generation, uint8_t key[16]);

/* Runs XDP; fails the test unless exactly one verdict was counted. */
void harness_run(struct harness *h, const struct frame *frame, struct outcome *outcome);

/* Runs XDP; the verdict, its action, and that a frame which is not answered stays as it was. NAME is said on
 * failure. outcome may be NULL. */
void harness_expect(struct harness *h, const char *name, const struct frame *frame, enum verdict verdict,
		    struct outcome *outcome);
void harness_expect_spec(struct harness *h, const char *name, const struct frame_spec *spec,
			 enum verdict verdict);

/* Runs a SYN that must be answered; returns the ACK to the answer. timestamps: storage for its option. */
struct frame_spec harness_answer(struct harness *h, const struct frame_spec *syn, uint8_t timestamps[12]);

/* Runs XDP and looks at nothing but its action and what it leaves (out may be NULL). */
int harness_run_bare(struct harness *h, const struct frame *frame, struct frame *out);

/* Runs a tc program; returns its action. */
int harness_run_tc(struct harness *h, enum fastpath_program program, const struct frame *frame);

/* A map that the XDP program uses, by name: a descriptor to be closed, or -1. */
int harness_find_map(struct harness *h, const char *name);

/* Lets all verified flows look SECONDS older; forgets what listens where. */
void harness_age_flows(struct harness *h, unsigned int seconds);
void harness_fill_service_buckets(struct harness *h); /* of limits */
void harness_forget_listeners(struct harness *h);

/* Of an address, as it stands among the heavy ones; 0: it does not. */
uint32_t harness_count_acts(struct harness *h, const char *address);

/* Sum of verdicts over all services, and by verdict. */
uint64_t harness_count_verdicts(struct harness *h, uint64_t by_verdict[VERDICT_COUNT]);

const char *harness_verdict_word(int verdict);

/* A listener in the harness' namespace; protocol 0 or IPPROTO_MPTCP. Returns its descriptor, or -1. */
int harness_listen(const char *address, uint16_t port, int backlog, int protocol);

/* Writes a sysctl under /proc/sys/net. */
void harness_sysctl(const char *name, const char *value);

#endif
