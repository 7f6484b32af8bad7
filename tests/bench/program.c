// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a packet of each class costs in the XDP programs of both deployments, in ns above a bare XDP_DROP (or,
 * where it says so, a bare redirect), beside floors and the kernel's own helpers. Rounds are interleaved, and
 * each value is measured between runs of its own base: same frames, same clients, a program that does nothing
 * else. The floors are the least that anything could do which does the same (common/floors.h). Prints samples
 * as tests/bench/run wants them; a row whose packets were not all judged as they should be has none.
 * $TRACKED: so many flows are tracked, too.
 *
 *	program [WORD...]		all rows, or those with such a word; memory: what reading it costs
 */
#include <limits.h>
#include <math.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "peers.skel.h"
#include "tests/bench/common/floors.h"
#include "tests/bench/common/worlds.h"

#define COUNT(array)   (sizeof(array) / sizeof(*(array)))
#define ALWAYS_FRESH   (1U << 28) /* as HZ: what host mode knows of flows does not age */
#define RIGHT_ENOUGH   0.999	  /* a limit lets the first few through, a bucket of flows overflows */
#define FLOOD_ERROR    1000	  /* what 1 Mpps makes the sketch's */
#define HOT	       256	  /* clients */
#define SPREAD	       4096
#define FLOWS_HOT      16
#define SYN_BUDGET     45 /* design.md, section 11 */
#define ACK_BUDGET     20
#define ASKED_BUDGET   95
#define BLOCKED_BUDGET 10
#define FLOW_BUDGET    10
#define FLOWS_BUDGET   35
#define CROSS_BUDGET   20
#define COLD_BUDGET    25 /* beside CROSS_BUDGET */

enum contender { HOST, INLINE, CONTENDERS };
static const char *const columns[CONTENDERS] = { "synmoat host", "synmoat inline" };

enum peer { PEER_REDIRECT = 1, PEER_SWAP = 2, PEER_MAKE = 4, PEER_CHECK = 8, PEERS = 4 };
static const char *const peer_columns[PEERS] = { "bare redirect", "bare swap and TX",
						 "kernel's helper, makes", "kernel's helper, checks" };

struct expected {
	bool due;
	enum verdict verdict;
	double budget_ns; /* 0: none; of a SYN: IPv4 only */
};

struct row {
	const char *name;
	enum segment segment;
	enum crowd crowd;
	uint32_t clients; /* 0: each packet is of a new one */
	struct expected expected[CONTENDERS];
	enum floor floor;
	unsigned int peers; /* enum peer */
	bool many;	    /* among a million flows, inline */
	bool over_redirect; /* inline: not above a drop */
	bool lists;	    /* are in force */
	bool once;	    /* inline: a client can do this once */
	uint32_t lookups_per_s;
	bool accounting;	 /* of half-opens */
	enum policy_mode limits; /* as a new install has them, never exceeded */
	bool heavy;		 /* but always */
	uint32_t error;		 /* of the sketch */
	uint32_t sample;	 /* one SYN in so many is kept for the daemon; 0: none */
};

#define ON_HOST(judged, budget)	  [HOST] = { true, judged, budget }
#define ON_INLINE(judged, budget) [INLINE] = { true, judged, budget }
#define ON_BOTH(judged, budget)	  ON_HOST(judged, budget), ON_INLINE(judged, budget)
#define ANSWERED(budget)	  .expected = { ON_BOTH(TX_SYNACK, budget) }
#define SYNS(source_count)	  .segment = SYN_LINUX, .crowd = STRANGERS, .clients = source_count
#define ACKS(source_count)	  .segment = ACK_BAD, .crowd = STRANGERS, .clients = source_count
#define BAD_ACK(budget)                                                                                      \
	.expected = { ON_HOST(DROP_LOOKUP_BUDGET, budget), ON_INLINE(DROP_BAD_COOKIE, budget) }
#define NEW_SYNS		.segment = SYN_LINUX
#define NEW_ACKS		.segment = ACK_BAD
#define FROM_CLIENT(flow_count) .segment = CLIENT_ACK, .crowd = FLOWS, .clients = flow_count
#define FROM_SERVER(flow_count) .segment = SERVER_ACK, .crowd = FLOWS, .clients = flow_count

static const struct row rows[] = {
	{ "SYN of Linux", SYNS(HOT), ANSWERED(SYN_BUDGET), .floor = FLOOR_COOKIE_MAKE,
	  .peers = PEER_SWAP | PEER_MAKE },
	{ "SYN of Windows", SYN_WINDOWS, STRANGERS, HOT, ANSWERED(SYN_BUDGET), FLOOR_COOKIE_MAKE },
	{ "SYN of macOS", SYN_MACOS, STRANGERS, HOT, ANSWERED(SYN_BUDGET), FLOOR_COOKIE_MAKE },
	{ "SYN without options", SYN_BARE, STRANGERS, HOT, ANSWERED(SYN_BUDGET), FLOOR_COOKIE_MAKE },
	{ "SYN, 4,096 sources", SYNS(SPREAD), ANSWERED(0) },
	{ "SYN, 4,096 sources, one in 4,096 kept", SYNS(SPREAD), ANSWERED(0), .sample = 4096 },
	{ "SYN, 4,096 sources, accounted", SYNS(SPREAD), ANSWERED(0), .accounting = true },
	{ "SYN, 4,096 sources, accounted, limits in monitor", SYNS(SPREAD), ANSWERED(0), .accounting = true,
	  .limits = POLICY_MONITOR },
	{ "SYN, flood, accounted", SYNS(SPREAD), ANSWERED(0), .accounting = true, .error = FLOOD_ERROR },
	{ "SYN, flood, accounted, limits in monitor", SYNS(SPREAD), ANSWERED(0), .accounting = true,
	  .limits = POLICY_MONITOR, .error = FLOOD_ERROR },
	{ "SYN, flood, accounted, limits enforced", SYNS(SPREAD), ANSWERED(0), .accounting = true,
	  .limits = POLICY_ENFORCE, .error = FLOOD_ERROR },
	{ "SYN, every tuple new", NEW_SYNS, ANSWERED(0), .floor = FLOOR_COOKIE_MAKE },
	{ "SYN, every tuple new, 1M flows", NEW_SYNS, .expected = { ON_INLINE(TX_SYNACK, 0) }, .many = true },
	{ "SYN, 1M sources, not on the list of 1M", SYNS(STRANGERS_MAX), ANSWERED(0), .lists = true },
	{ "SYN over the limit, in monitor", SYN_LINUX, NEWCOMERS, 1, ANSWERED(0), .accounting = true,
	  .limits = POLICY_MONITOR, .heavy = true },
	{ "SYN over the limit, dropped", SYN_LINUX, NEWCOMERS, 1,
	  .expected = { ON_BOTH(DROP_RATE_SOURCE, 0) }, .accounting = true, .limits = POLICY_ENFORCE,
	  .heavy = true },
	{ "valid ACK, 65,536 clients", ACK_COOKIE, NEWCOMERS, NEWCOMERS_MAX,
	  .expected = { ON_BOTH(PASS_COOKIE, 0) }, .once = true },
	{ "valid ACK, 65,536 clients, 1M flows", ACK_COOKIE, NEWCOMERS, NEWCOMERS_MAX,
	  .expected = { ON_INLINE(PASS_COOKIE, 0) }, .once = true, .many = true },
	{ "bad ACK", ACKS(HOT), BAD_ACK(ACK_BUDGET), .floor = FLOOR_COOKIE_CHECK, .peers = PEER_CHECK },
	{ "bad ACK, sockets asked", ACKS(HOT), .expected = { ON_HOST(DROP_BAD_COOKIE, ASKED_BUDGET) },
	  .lookups_per_s = 1U << 30 },
	{ "bad ACK, every tuple new", NEW_ACKS, BAD_ACK(0), .floor = FLOOR_COOKIE_CHECK },
	{ "bad ACK, every tuple new, 1M flows", NEW_ACKS, .expected = { ON_INLINE(DROP_BAD_COOKIE, 0) },
	  .many = true },
	{ "bad ACK, 1M sources, not on the list of 1M", ACKS(STRANGERS_MAX), BAD_ACK(0), .lists = true },
	{ "blocked, one source, list of 1M", SYN_LINUX, LISTED, 1,
	  .expected = { ON_BOTH(DROP_BLOCKED, BLOCKED_BUDGET) }, FLOOR_LISTED, .lists = true },
	{ "blocked, 1M sources, list of 1M", SYN_LINUX, LISTED, LISTED_MAX,
	  .expected = { ON_BOTH(DROP_BLOCKED, 0) }, FLOOR_LISTED, .lists = true },
	{ "established, 16 flows", FROM_CLIENT(FLOWS_HOT), .expected = { ON_HOST(PASS_FLOW, FLOW_BUDGET) },
	  FLOOR_ESTABLISHED },
	{ "established, 1k flows", FROM_CLIENT(FLOWS_FEW), .expected = { ON_HOST(PASS_FLOW, FLOW_BUDGET) },
	  FLOOR_ESTABLISHED },
	{ "established, 1M flows", FROM_CLIENT(FLOWS_MAX), .expected = { ON_HOST(PASS_FLOW, FLOWS_BUDGET) },
	  FLOOR_FLOW },
	{ "translated to server, 16 flows", FROM_CLIENT(FLOWS_HOT),
	  .expected = { ON_INLINE(PASS_TRANSLATED, CROSS_BUDGET) }, FLOOR_TO_SERVER, .peers = PEER_REDIRECT,
	  .over_redirect = true },
	{ "translated to server, 1k flows", FROM_CLIENT(FLOWS_FEW),
	  .expected = { ON_INLINE(PASS_TRANSLATED, CROSS_BUDGET) }, FLOOR_TO_SERVER, .over_redirect = true },
	{ "translated to server, 1M flows", FROM_CLIENT(FLOWS_MAX),
	  .expected = { ON_INLINE(PASS_TRANSLATED, CROSS_BUDGET + COLD_BUDGET) }, FLOOR_TRANSLATE,
	  .many = true, .over_redirect = true },
	{ "translated to client, 16 flows", FROM_SERVER(FLOWS_HOT),
	  .expected = { ON_INLINE(PASS_TRANSLATED, CROSS_BUDGET) }, FLOOR_TO_CLIENT, .over_redirect = true },
	{ "translated to client, 1k flows", FROM_SERVER(FLOWS_FEW),
	  .expected = { ON_INLINE(PASS_TRANSLATED, CROSS_BUDGET) }, FLOOR_TO_CLIENT, .over_redirect = true },
	{ "translated to client, 1M flows", FROM_SERVER(FLOWS_MAX),
	  .expected = { ON_INLINE(PASS_TRANSLATED, CROSS_BUDGET + COLD_BUDGET) }, FLOOR_TRANSLATE,
	  .many = true, .over_redirect = true },
	{ "not attacked, to server, 1k flows", CLIENT_ACK_AUTO, FLOWS, FLOWS_FEW,
	  .expected = { ON_HOST(PASS_OPEN, 0), ON_INLINE(PASS_FLOW, 0) } },
	{ "not attacked, to client, 1k flows", SERVER_ACK_AUTO, FLOWS, FLOWS_FEW,
	  .expected = { ON_INLINE(PASS_FLOW, 0) } },
	{ "no service", ACK_NOBODY, STRANGERS, HOT, .expected = { ON_BOTH(PASS_NO_SERVICE, 0) },
	  FLOOR_PARSE },
	{ "not TCP", DATAGRAM, STRANGERS, HOT, .expected = { ON_BOTH(PASS_NOT_TCP, 0) }, FLOOR_PARSE },
};

static struct worlds worlds;
static struct peers_bpf *peers;
static struct floors *floors[WORLDS];
static uint32_t packets; /* at least, of each run */
static int repeats;	 /* of each sample, of which the least counts: half as many where runs are long */

/* --- the state that a row wants --- */

static void forget_sample(const struct sample *sample, void *arg)
{
	(void)sample;
	(void)arg;
}

/* Wide: never met. Else a token in 65,536 jiffies. */
static uint32_t stage_limits(struct harness *h, bool heavy)
{
	const struct limit wide = { .base = { 1, 1ULL << 60, 256 }, .action = LIMIT_THIN, .most = 1U << 30 };
	const struct limit narrow = { .base = { 1ULL << 40, 1ULL << 40, 0 }, .action = LIMIT_DROP };
	struct limits limits;

	for (int kind = 0; kind < KIND_COUNT; kind++)
		for (int level = 0; level < LEVEL_COUNT; level++)
			limits.limit[kind][level] = level < SKETCH_LEVELS ? wide : (struct limit){ 0 };
	if (heavy)
		limits.limit[KIND_SYN][LEVEL_SOURCE] = narrow;
	return fastpath_stage_limits(h->fastpath, &limits, NULL);
}

static void prepare(struct world *w, const struct row *row)
{
	struct harness *h = w->h;
	struct runtime *rt = &h->runtime;

	rt->lookups_per_s = row->lookups_per_s;
	rt->unknown_pps = 0;
	rt->handshakes_max = rt->handshakes_per_source = UINT32_MAX;
	rt->jiffies_hz = row->crowd == FLOWS ? ALWAYS_FRESH : 250;
	rt->accounting = row->accounting;
	rt->window_shift = 11;
	rt->limits_mode = row->limits;
	rt->limits = stage_limits(h, row->heavy);
	for (int level = 0; level < SKETCH_LEVELS; level++) {
		rt->heavy_from[level] = UINT32_MAX;
		rt->sketch_error[level] = row->error;
	}
	rt->sample = row->error ? SAMPLE_MOST : 1;
	for (int v6 = 0; v6 < 2; v6++)
		rt->list_root[v6] = row->lists ? w->list_root[v6] : 0;
	fastpath_publish(h->fastpath, rt);
	fastpath_state(h->fastpath, SLOT_ALWAYS)->sample = row->sample;
	fastpath_read_samples(h->fastpath, forget_sample, NULL, INT_MAX);
}

/* --- measuring --- */

static void say_sample(const struct row *row, bool v6, const char *column, double ns, double budget_ns)
{
	printf("program\t%s%s\t%s\tns\t%.1f", row->name, v6 ? ", IPv6" : "", column, ns);
	if (budget_ns > 0)
		printf("\t%.0f", budget_ns);
	printf("\n");
	fflush(stdout);
}

static uint32_t packets_of(const struct row *row, enum contender who)
{
	if (row->once && who == INLINE)
		return row->clients;
	return packets > row->clients ? packets : row->clients;
}

static int repeats_of(const struct row *row, enum contender who)
{
	if (row->once && who == INLINE)
		return 1;
	return row->clients > packets ? (repeats + 1) / 2 : repeats;
}

static int base_program(bool redirect)
{
	return bpf_program__fd(redirect ? peers->progs.redirect : peers->progs.drop);
}

static double lesser(double a, double b)
{
	return a < b ? a : b;
}

/* ns a packet above a program that does nothing, or only redirects; of so many times the least of both, as
 * whatever else the machine does only adds. */
static double measure_above(int base, int program, uint32_t count, int times)
{
	double base_ns = runner_run(worlds.runner, base, count), ns = HUGE_VAL;

	for (int i = 0; i < times; i++) {
		ns = lesser(ns, runner_run(worlds.runner, program, count));
		base_ns = lesser(base_ns, runner_run(worlds.runner, base, count));
	}
	return ns - base_ns;
}

/* Net ns a packet, and in *right what part of them got VERDICT. */
static double measure(const struct row *row, enum contender who, enum world_name name,
		      const struct traffic_segment *s, double *right)
{
	uint64_t before[VERDICT_COUNT], after[VERDICT_COUNT], sum;
	struct world *w = &worlds.of[name];
	int program = world_program(&worlds, name, s->to_client);
	uint32_t count = packets_of(row, who);
	enum verdict verdict = row->expected[who].verdict;
	double ns;

	if (!(row->once && who == INLINE))
		runner_run(worlds.runner, program, SPREAD); /* warms up */
	runner_restart(worlds.runner);
	sum = harness_count_verdicts(w->h, before);
	ns = measure_above(base_program(row->over_redirect && who == INLINE), program, count,
			   repeats_of(row, who));
	sum = harness_count_verdicts(w->h, after) - sum;
	*right = (double)(after[verdict] - before[verdict]) / (double)sum;
	w->spent |= row->once && who == INLINE;
	return ns;
}

static void measure_program(const struct row *row, enum contender who, bool v6,
			    const struct traffic_segment *s)
{
	enum world_name name = who == HOST ? WORLD_HOST : row->many ? WORLD_INLINE_MANY : WORLD_INLINE;
	bool syn = row->segment <= SYN_BARE;
	double right, ns;

	prepare(&worlds.of[name], row);
	ns = measure(row, who, name, s, &right);
	if (right >= RIGHT_ENOUGH) {
		say_sample(row, v6, columns[who], ns, syn && v6 ? 0 : row->expected[who].budget_ns);
		return;
	}
	printf("# program: %s%s, %s: %.1f %% were %s: no sample\n", row->name, v6 ? ", IPv6" : "",
	       columns[who], right * 100, harness_verdict_word((int)row->expected[who].verdict));
}

static void measure_peers(const struct row *row, bool v6)
{
	struct bpf_program *const programs[PEERS] = { peers->progs.redirect, peers->progs.swap_tx,
						      peers->progs.kernel_make, peers->progs.kernel_check };

	for (int i = 0; i < PEERS; i++)
		if (row->peers >> i & 1)
			say_sample(row, v6, peer_columns[i],
				   measure_above(base_program(false), bpf_program__fd(programs[i]), packets,
						 repeats),
				   0);
}

static void measure_floor(const struct row *row, bool v6)
{
	uint32_t flows = row->clients == FLOWS_MAX ? 2 * FLOWS_MAX : row->clients,
		 count = packets_of(row, HOST);
	enum world_name name = row->over_redirect ? WORLD_INLINE : WORLD_HOST;
	int program;

	if (!row->floor)
		return;
	prepare(&worlds.of[name], row);
	program = floors_program(floors[name], row->floor, flows);
	runner_run(worlds.runner, program, SPREAD); /* warms up */
	runner_restart(worlds.runner);
	say_sample(row, v6, "floor",
		   measure_above(base_program(row->over_redirect), program, count, repeats_of(row, HOST)), 0);
}

/* The call itself, with nothing in front. */
static void measure_call(void)
{
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = (int)packets);

	if (!bpf_prog_test_run_opts(base_program(false), &options))
		printf("program-memory\ta program that does nothing\tthe call\tns\t%u\n", options.duration);
}

/* --- what lines of memory cost that are in no cache, and what pages do --- */

/* Lines side by side and as many, each in a page of its own, fill the same caches: what the pages add is the
 * translation of addresses. */
static const struct floors_table tables[] = {
	{ "64 KiB", 1 << 10, false },
	{ "1 MiB", 1 << 14, false },
	{ "1 MiB, one line of each page of 64 MiB", 1 << 14, true },
	{ "4 MiB", 1 << 16, false },
	{ "4 MiB, one line of each page of 256 MiB", 1 << 16, true },
	{ "64 MiB", 1 << 20, false },
	{ "256 MiB", 1 << 22, false },
};

static void measure_memory(void)
{
	static const char *const how[FLOORS_READS][2] = {
		{ "one line" },
		{ "two at once", "two, one after the other" },
		{ "three at once", "three, one after the other" },
	};
	struct traffic_segment s;

	traffic_segment(&s, worlds.of[WORLD_HOST].h, CLIENT_ACK, false);
	runner_load_new(worlds.runner, &s);
	for (size_t t = 0; t < COUNT(tables); t++) {
		for (int i = 0; i < 2 * FLOORS_READS; i++) {
			if (!how[i / 2][i & 1])
				continue;
			printf("program-memory\tat random in %s\t%s\tns\t%.1f\n", tables[t].name,
			       how[i / 2][i & 1],
			       floors_read(floors[WORLD_HOST], worlds.runner, &tables[t], (uint32_t)i / 2 + 1,
					   i & 1, packets, repeats));
		}
	}
	measure_call();
	fflush(stdout);
}

static void measure_row(const struct row *row, bool v6)
{
	struct traffic_segment s;

	traffic_segment(&s, worlds.of[WORLD_HOST].h, row->segment, v6);
	if (row->clients)
		runner_load(worlds.runner, &s, &worlds.crowds.of[row->crowd][v6], row->clients);
	else
		runner_load_new(worlds.runner, &s);
	for (int who = 0; who < CONTENDERS; who++)
		if (row->expected[who].due)
			measure_program(row, (enum contender)who, v6, &s);
	measure_peers(row, v6);
	measure_floor(row, v6);
}

/* --- --- */

static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int open_peers(void)
{
	struct bpf_devmap_val port = { .ifindex = if_nametoindex("wire"), .bpf_prog.fd = -1 };
	uint32_t zero = 0;

	floors[WORLD_HOST] = floors_new(worlds.of[WORLD_HOST].h, port.ifindex);
	floors[WORLD_INLINE] = floors_new(worlds.of[WORLD_INLINE].h, port.ifindex);
	peers = peers_bpf__open_and_load();
	if (!peers || !floors[WORLD_HOST] || !floors[WORLD_INLINE])
		return -1;
	return bpf_map_update_elem(bpf_map__fd(peers->maps.port), &zero, &port, 0);
}

static unsigned long setting(const char *name, unsigned long usual)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : usual;
}

/* All, or those with one of the words. */
static bool is_wanted(const char *name, char *const words[])
{
	bool all = !*words, found = false;

	for (; *words; words++)
		found |= strstr(name, *words) != NULL;
	return all || found;
}

static int set_up(char *const words[])
{
	bool lists = false, many = false;

	for (size_t i = 0; i < COUNT(rows); i++) {
		lists |= rows[i].lists && is_wanted(rows[i].name, words);
		many |= rows[i].many && is_wanted(rows[i].name, words);
	}
	return worlds_set_up(&worlds, lists, many) || open_peers() ? -1 : 0;
}

int main(int argc, char **argv)
{
	bool quick = getenv("QUICK") && *getenv("QUICK");
	unsigned long rounds = setting("ROUNDS", quick ? 2 : 5);

	packets = quick ? 50000 : 100000;
	repeats = quick ? 1 : 5;
	harness_tracked = (uint32_t)setting("TRACKED", 0);
	pin();
	(void)argc;
	if (set_up(argv + 1))
		return 1;
	printf("#! reference program %s\n", columns[HOST]);
	printf("# program: ns above a bare XDP_DROP; of what is translated above a bare redirect\n");
	for (unsigned long round = 0; round < rounds; round++) {
		fprintf(stderr, "bench: program, round %lu of %lu\n", round + 1, rounds);
		for (size_t i = 0; i < COUNT(rows); i++)
			for (int v6 = 0; v6 < 2 && is_wanted(rows[i].name, argv + 1); v6++)
				measure_row(&rows[i], v6);
		if (is_wanted("memory", argv + 1))
			measure_memory();
		worlds_refresh(&worlds);
	}
	peers_bpf__destroy(peers);
	for (int name = 0; name < WORLDS; name++)
		floors_free(floors[name]);
	worlds_tear_down(&worlds);
	return 0;
}
