// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a packet costs in the XDP program, in ns above a bare XDP_DROP: BPF_PROG_TEST_RUN behind refill.bpf.c.
 * Rounds are interleaved, and each case is measured right after its own floor (same frames, same refill, a
 * program that only drops), so that what the machine does meanwhile hits both. The median over the rounds of
 * the differences is printed, with its quartiles.
 *
 *	pass [ROUNDS [REPEAT]]
 */
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bench/refill.h"
#include "refill.skel.h"
#include "tests/bpf/harness.h"

#define COUNT(array)  (sizeof(array) / sizeof(*(array)))
#define ROUNDS_MAX    101
#define FLOWS	      (1U << 20)
#define FLOW_ENTRIES  (1U << 22)
#define CLIENTS	      0x0a800000 /* 10.128.0.0, whose 2^20 addresses hold a flow each */
#define ALWAYS_FRESH  (1U << 28) /* as HZ: the entries of this test do not age */
#define TO4	      .saddr = CLIENT4, .daddr = SERVER4, .source = 40000, .dest = PORT_ALWAYS
#define TO6	      .saddr = CLIENT6, .daddr = SERVER6, .source = 40000, .dest = PORT_ALWAYS
#define TIMESTAMPS    BYTES(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2)
#define MACOS_OPTIONS BYTES(2, 4, 5, 180, 1, 3, 3, 6, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 4, 2, 0, 0)

struct bench_case {
	const char *name;
	struct frame_spec frame;
	enum verdict verdict;
	double budget_ns; /* design.md, section 11; 0: none */
	uint32_t pool;	  /* so many different frames, at most REFILL_FRAMES */
	uint32_t flows;	  /* of so many verified flows, all powers of two; 0: any source */
	uint32_t lookups_per_s;
	bool accounting;	 /* of half-opens */
	enum policy_mode limits; /* all those of a new install, never exceeded */
	uint32_t error;		 /* of the sketch */
	uint32_t sample;	 /* one SYN in so many is kept for the daemon; 0: none */
};

#define HOT    256
#define SPREAD REFILL_FRAMES
#define CASE(text, judged, budget, frames, ...)                                                              \
	{                                                                                                    \
		.name = text, .verdict = judged, .budget_ns = budget, .pool = frames, .frame = {             \
			__VA_ARGS__                                                                          \
		}                                                                                            \
	}
#define FLOW(text, budget, count)                                                                            \
	{                                                                                                    \
		.name = text, .verdict = PASS_FLOW, .budget_ns = budget, .pool = 1, .flows = count,          \
		.frame = {                                                                                   \
			TO4,                                                                                 \
			.flags = ACK,                                                                        \
			.options = TIMESTAMPS                                                                \
		}                                                                                            \
	}

#define FLOOD_ERROR			   1000 /* what 1 Mpps makes the sketch's */
#define DEFAULT(text, mode, sketch_error)  DEFAULT_OF(text, mode, sketch_error, TO4)
#define DEFAULT6(text, mode, sketch_error) DEFAULT_OF(text, mode, sketch_error, TO6)
#define DEFAULT_OF(text, mode, sketch_error, ...)                                                            \
	{                                                                                                    \
		.name = text, .verdict = TX_SYNACK, .pool = SPREAD, .accounting = true, .limits = mode,      \
		.error = sketch_error, .frame = {                                                            \
			__VA_ARGS__,                                                                         \
			.flags = SYN,                                                                        \
			.options = LINUX_OPTIONS                                                             \
		}                                                                                            \
	}

static const struct bench_case cases[] = {
	CASE("SYN, Linux, IPv4", TX_SYNACK, 45, HOT, TO4, .flags = SYN, .options = LINUX_OPTIONS),
	CASE("SYN, Linux, IPv6", TX_SYNACK, 0, HOT, TO6, .flags = SYN, .options = LINUX_OPTIONS),
	CASE("SYN, Windows, IPv4", TX_SYNACK, 45, HOT, TO4, .flags = SYN, .options = WINDOWS_OPTIONS),
	CASE("SYN, Windows, IPv6", TX_SYNACK, 0, HOT, TO6, .flags = SYN, .options = WINDOWS_OPTIONS),
	CASE("SYN, macOS, IPv4", TX_SYNACK, 0, HOT, TO4, .flags = SYN, .options = MACOS_OPTIONS),
	CASE("SYN, no options, IPv4", TX_SYNACK, 45, HOT, TO4, .flags = SYN),
	CASE("SYN, Linux, IPv4, 4,096 sources", TX_SYNACK, 0, SPREAD, TO4, .flags = SYN,
	     .options = LINUX_OPTIONS),
	{ .name = "... and one in 4,096 kept",
	  .verdict = TX_SYNACK,
	  .pool = SPREAD,
	  .sample = 4096,
	  .frame = { TO4, .flags = SYN, .options = LINUX_OPTIONS } },
	DEFAULT("... accounted", POLICY_OFF, 0),
	DEFAULT("... and limits in monitor", POLICY_MONITOR, 0),
	DEFAULT("... accounted, in a flood", POLICY_OFF, FLOOD_ERROR),
	DEFAULT("... and limits in monitor", POLICY_MONITOR, FLOOD_ERROR),
	DEFAULT("... and limits enforced", POLICY_ENFORCE, FLOOD_ERROR),
	CASE("SYN, Linux, IPv6, 4,096 sources", TX_SYNACK, 0, SPREAD, TO6, .flags = SYN,
	     .options = LINUX_OPTIONS),
	DEFAULT6("... accounted", POLICY_OFF, 0),
	DEFAULT6("... and limits in monitor", POLICY_MONITOR, 0),
	DEFAULT6("... and limits in monitor, in a flood", POLICY_MONITOR, FLOOD_ERROR),
	CASE("bad ACK, lookups spent", DROP_LOOKUP_BUDGET, 20, HOT, TO4, .flags = ACK, .options = TIMESTAMPS),
	{ .name = "bad ACK, sockets asked",
	  .verdict = DROP_BAD_COOKIE,
	  .budget_ns = 95,
	  .pool = HOT,
	  .lookups_per_s = 1U << 30,
	  .frame = { TO4, .flags = ACK, .options = TIMESTAMPS } },
	FLOW("established, 16 flows", 10, 16),
	FLOW("established, among 1M", 35, FLOWS),
	CASE("no service", PASS_NO_SERVICE, 0, HOT, .saddr = CLIENT4, .daddr = SERVER4, .dest = PORT_FREE,
	     .flags = ACK),
	CASE("not TCP", PASS_NOT_TCP, 0, HOT, TO4, .protocol = IPPROTO_UDP,
	     .payload = BYTES(0, 1, 2, 3, 4, 5, 6, 7)),
};

static double measured[COUNT(cases)][ROUNDS_MAX], floors[COUNT(cases)][ROUNDS_MAX];
static double right_share[COUNT(cases)];

static void fill_pool(struct refill_bpf *r, const struct bench_case *c)
{
	struct frame_spec spec = c->frame;
	char client[INET6_ADDRSTRLEN];
	struct frame f;

	for (uint32_t i = 0; i < REFILL_FRAMES; i++) {
		if (strchr(spec.daddr, ':'))
			snprintf(client, sizeof(client), "2001:db8:%lx::%lx", random() & 0xff,
				 random() & 0xffff);
		else
			snprintf(client, sizeof(client), "172.16.%ld.%ld", random() & 255, random() & 255);
		spec.saddr = c->flows ? CLIENT4 : client;
		spec.source = c->flows ? 40000 : (uint16_t)(1024 + random() % 60000);
		spec.seq = (uint32_t)random() << 1;
		spec.ack = (uint32_t)random() << 1;
		frame_build(&f, &spec);
		memset(f.bytes + f.length, 0, sizeof(r->bss->pool[i].words) - f.length);
		memcpy(r->bss->pool[i].words, f.bytes, sizeof(r->bss->pool[i].words));
	}
	r->bss->frame_length = (uint32_t)f.length;
	r->bss->frame_mask = c->pool - 1;
	r->bss->scatter_base = CLIENTS;
	r->bss->scatter_mask = c->flows ? c->flows - 1 : 0;
}

static double run(struct refill_bpf *r, int target, uint32_t repeat)
{
	int map = bpf_map__fd(r->maps.target);
	uint8_t in[256] = { 0 };
	uint32_t zero = 0;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in, .data_size_in = r->bss->frame_length,
		    .repeat = (int)repeat);

	if (bpf_map_update_elem(map, &zero, &target, 0) ||
	    bpf_prog_test_run_opts(bpf_program__fd(r->progs.refill), &options)) {
		perror("BPF_PROG_TEST_RUN");
		exit(1);
	}
	return options.duration;
}

static void forget_sample(const struct sample *sample, void *arg)
{
	(void)sample;
	(void)arg;
}

static void prepare(struct harness *h, const struct bench_case *c)
{
	h->runtime.lookups_per_s = c->lookups_per_s;
	h->runtime.jiffies_hz = c->flows ? ALWAYS_FRESH : 250;
	h->runtime.accounting = c->accounting;
	h->runtime.window_shift = 11;
	h->runtime.limits_mode = c->limits;
	for (int level = 0; level < SKETCH_LEVELS; level++) {
		h->runtime.heavy_from[level] = UINT32_MAX;
		h->runtime.sketch_error[level] = c->error;
	}
	h->runtime.sample = c->error ? SAMPLE_MOST : 1;
	fastpath_publish(h->fastpath, &h->runtime);
	fastpath_state(h->fastpath, SLOT_ALWAYS)->sample = c->sample;
	fastpath_read_samples(h->fastpath, forget_sample, NULL, INT_MAX);
}

static void measure(struct harness *h, struct refill_bpf *r, size_t i, int round, uint32_t repeat)
{
	uint64_t before[VERDICT_COUNT], after[VERDICT_COUNT], sum;
	int xdp = h->programs[FASTPATH_XDP_HOST], drop = bpf_program__fd(r->progs.drop);
	double floor_before;

	prepare(h, &cases[i]);
	fill_pool(r, &cases[i]);
	run(r, xdp, REFILL_FRAMES); /* warm up */
	floor_before = run(r, drop, repeat);
	sum = harness_count_verdicts(h, before);
	measured[i][round] = run(r, xdp, repeat);
	sum = harness_count_verdicts(h, after) - sum;
	floors[i][round] = (floor_before + run(r, drop, repeat)) / 2;
	right_share[i] = (double)(after[cases[i].verdict] - before[cases[i].verdict]) / (double)sum;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_case(size_t i, int rounds)
{
	double net[ROUNDS_MAX];

	for (int r = 0; r < rounds; r++)
		net[r] = measured[i][r] - floors[i][r];
	qsort(net, (size_t)rounds, sizeof(*net), compare);
	qsort(floors[i], (size_t)rounds, sizeof(double), compare);
	printf("%-32s %8.1f %8.1f %8.1f %8.1f", cases[i].name, net[rounds / 2], net[rounds / 4],
	       net[rounds * 3 / 4], floors[i][rounds / 2]);
	if (cases[i].budget_ns > 0)
		printf(" %8.0f", cases[i].budget_ns);
	else
		printf(" %8s", "-");
	printf("  %s %.2f%%\n", harness_verdict_word((int)cases[i].verdict), right_share[i] * 100);
}

static void seed_flows(struct harness *h)
{
	for (uint32_t i = 0; i < FLOWS; i++) {
		const struct tuple tuple = { .client = { 0, 0, htonl(0xffff), htonl(CLIENTS + i) },
					     .server = { 0, 0, htonl(0xffff), inet_addr(SERVER4) },
					     .client_port = htons(40000),
					     .server_port = htons(PORT_ALWAYS) };

		if (fastpath_seed_flow(h->fastpath, &tuple))
			exit(1);
	}
}

static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* The levels that a new install has limits at. */
static void publish_limits(struct harness *h)
{
	struct limits limits = { 0 };

	for (int kind = 0; kind < KIND_COUNT; kind++)
		for (int level = 0; level < SKETCH_LEVELS; level++)
			limits.limit[kind][level] = (struct limit){ .base = { 1, 1ULL << 60, 256 },
								    .action = LIMIT_THIN,
								    .most = 1U << 30 };
	h->runtime.limits = fastpath_stage_limits(h->fastpath, &limits, NULL);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 11;
	uint32_t repeat = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 1000000;
	struct refill_bpf *r;
	void *state;

	if (rounds < 1 || rounds > ROUNDS_MAX || !repeat)
		return 2;
	pin();
	harness_flow_entries = FLOW_ENTRIES;
	harness_tracked = getenv("TRACKED") ? (uint32_t)strtoul(getenv("TRACKED"), NULL, 0) : 0;
	if (harness_set_up(&state))
		return 1;
	r = refill_bpf__open_and_load();
	if (!r)
		return 1;
	seed_flows(state);
	publish_limits(state);
	for (int round = 0; round < rounds; round++)
		for (size_t i = 0; i < COUNT(cases); i++)
			measure(state, r, i, round, repeat);
	printf("%-32s %8s %8s %8s %8s %8s  %s\n", "ns a packet, net of drop", "median", "lower", "upper",
	       "floor", "budget", "verdict, and its share");
	for (size_t i = 0; i < COUNT(cases); i++)
		print_case(i, rounds);
	refill_bpf__destroy(r);
	return harness_tear_down(&state);
}
