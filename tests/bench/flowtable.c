// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an operation on the table of connections costs, in ns above a program that does all but that: the
 * appliance's slots, the kernel's hash, the same without the counters in front of it, the same not
 * preallocated (flowtable.bpf.c); with room for 1k, 64k and 1M flows and three quarters of them there, on one
 * CPU and on two at once. Rounds are interleaved, each sample is taken right after its floor. Tab-separated
 * samples; root.
 *
 * ROUNDS: of samples (9; with QUICK 3). SIZES: of tables ("1024 65536 1048576").
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/abi.h"
#include "tests/bench/flowtable.h"
#include "flowtable.skel.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define HOT	     16
#define STRANGERS    (1U << 24) /* flows from here on are in no table */
#define FIND_REPEAT  200000
#define CPUS	     2

/* Both filled alike; BY_NEED allocates an entry when it is added. */
struct tables {
	struct flowtable_bpf *ready, *by_need;
	uint32_t room;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- running --- */

struct run {
	struct flowtable_bpf *table;
	int program;
	int cpu;
	uint32_t base, mask, repeat;
	double ns;	  /* out: an operation */
	uint32_t refused; /* out */
	pthread_barrier_t *together;
};

static void *run_one(void *argument)
{
	struct run *r = argument;
	struct flowtable_turn *turn = &r->table->bss->turns[r->cpu];
	uint8_t frame[64] = { 0 };
	cpu_set_t set;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = (int)r->repeat);

	CPU_ZERO(&set);
	CPU_SET((size_t)r->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
	turn->base = r->base;
	turn->mask = r->mask;
	turn->next = turn->refused = 0;
	pthread_barrier_wait(r->together);
	if (bpf_prog_test_run_opts(r->program, &options))
		die("BPF_PROG_TEST_RUN");
	r->ns = options.duration;
	r->refused = turn->refused;
	return NULL;
}

/* The same on CPUS at once, each with flows of its own STRIDE apart; the mean of them. */
static struct run run_on(const struct run *like, int cpus, uint32_t stride)
{
	struct run runs[CPUS], sum = *like;
	pthread_t threads[CPUS];
	pthread_barrier_t together;

	pthread_barrier_init(&together, NULL, (unsigned int)cpus);
	sum.ns = sum.refused = 0;
	for (int i = 0; i < cpus; i++) {
		runs[i] = *like;
		runs[i].cpu = i;
		runs[i].base += (uint32_t)i * stride;
		runs[i].together = &together;
		if (pthread_create(&threads[i], NULL, run_one, &runs[i]))
			die("pthread_create");
	}
	for (int i = 0; i < cpus; i++) {
		pthread_join(threads[i], NULL);
		sum.ns += runs[i].ns / cpus;
		sum.refused += runs[i].refused;
	}
	pthread_barrier_destroy(&together);
	return sum;
}

/* --- what is measured --- */

enum operation { HIT_HOT, HIT_ANY, MISS, ADD, REMOVE, OPERATIONS };
static const char *const operation_name[OPERATIONS] = { "hit, 16 flows", "hit, any flow", "miss", "add",
							"remove" };

enum column { SLOTS, HASH, HASH_BARE, HASH_BY_NEED, COLUMNS };
static const char *const column_name[COLUMNS] = { "slots", "hash", "hash without counters",
						  "hash not preallocated" };

static bool finds(enum operation o)
{
	return o <= MISS;
}

/* NULL: no such operation of its own. */
static const struct bpf_program *program_of(const struct tables *t, enum column column, enum operation o)
{
	const struct flowtable_bpf *of = column == HASH_BY_NEED ? t->by_need : t->ready;

	switch (column) {
	case SLOTS:
		return finds(o)	  ? of->progs.slots_find
		       : o == ADD ? of->progs.slots_add
				  : of->progs.slots_remove;
	case HASH:
	case HASH_BY_NEED:
		return finds(o) ? of->progs.hash_find : o == ADD ? of->progs.hash_add : of->progs.hash_remove;
	case HASH_BARE:
		return finds(o) ? of->progs.hash_find_bare : NULL;
	case COLUMNS:
		break;
	}
	return NULL;
}

static void describe(const struct tables *t, enum operation o, struct run *r, uint32_t *stride)
{
	r->base = finds(o) ? (o == MISS ? STRANGERS : 0) : t->room / 4 * 3;
	r->mask = finds(o) ? (o == HIT_HOT ? HOT : t->room / 2) - 1 : 0;
	r->repeat = finds(o) ? FIND_REPEAT : t->room / 16;
	*stride = finds(o) ? (o == HIT_HOT ? HOT : 0) : t->room / 16;
}

/* All misses fail, nothing else does. */
static void check(const struct run *r, enum operation o, enum column column, int cpus)
{
	uint32_t expected = o == MISS ? r->repeat * (uint32_t)cpus : 0;

	if (r->refused == expected)
		return;
	fprintf(stderr, "%s, %s: %u operations failed, not %u\n", column_name[column], operation_name[o],
		r->refused, expected);
	exit(1);
}

static void sample(const struct tables *t, enum operation o, enum column column, int cpus)
{
	const struct bpf_program *program = program_of(t, column, o);
	struct run r = { .table = column == HASH_BY_NEED ? t->by_need : t->ready }, idle;
	uint32_t stride;

	if (!program)
		return;
	describe(t, o, &r, &stride);
	r.program = bpf_program__fd(r.table->progs.idle);
	idle = run_on(&r, cpus, stride);
	r.program = bpf_program__fd(program);
	r = run_on(&r, cpus, stride);
	check(&r, o, column, cpus);
	printf("flowtable\t%u flows, %d CPU%s: %s\t%s\tns\t%.1f\n", t->room, cpus, cpus > 1 ? "s" : "",
	       operation_name[o], column_name[column], r.ns - idle.ns);
	fflush(stdout);
}

/* --- tables --- */

static uint32_t power_of_two(uint32_t least)
{
	uint32_t n = 8;

	while (n < least)
		n *= 2;
	return n;
}

/* As daemon/maps/fastpath.c, but for the slots that it has to spare in a small table. */
static uint32_t set_count(uint32_t room)
{
	return room / 16 * 3;
}

static struct flowtable_bpf *load(uint32_t room, bool by_need)
{
	struct flowtable_bpf *t = flowtable_bpf__open();
	uint32_t counters = power_of_two(room), sets = set_count(room);

	if (!t)
		die("flowtable.bpf.o");
	bpf_map__set_max_entries(t->maps.hash, room);
	if (by_need)
		bpf_map__set_map_flags(t->maps.hash, BPF_F_NO_PREALLOC);
	bpf_map__set_max_entries(t->maps.hash_near, counters);
	*(__u32 *)&t->rodata->hash_near_mask = counters - 1;
	*(__u32 *)&t->rodata->connection_set_count = sets;
	*(__u32 *)&t->rodata->connections_max = UINT32_MAX; /* full by chance alone */
	bpf_map__set_max_entries(t->maps.connection_sets, sets);
	bpf_map__set_max_entries(t->maps.connections, by_need ? 1 : sets * CONNECTION_WAYS);
	if (getrandom((void *)&t->rodata->table_key, sizeof(t->rodata->table_key), 0) < 0)
		die("getrandom");
	if (flowtable_bpf__load(t))
		die("loading");
	t->bss->fresh.state = CONNECTION_ESTABLISHED;
	t->bss->fresh.flags = CONNECTION_PLAIN;
	return t;
}

static struct run fill(struct flowtable_bpf *table, const struct bpf_program *add, uint32_t from,
		       uint32_t count)
{
	struct run r = { .table = table, .program = bpf_program__fd(add), .base = from, .repeat = count };

	return run_on(&r, 1, 0);
}

static void fill_all(const struct tables *t)
{
	uint32_t count = t->room / 4 * 3, refused = 0;

	refused += fill(t->ready, t->ready->progs.hash_add, 0, count).refused;
	refused += fill(t->by_need, t->by_need->progs.hash_add, 0, count).refused;
	refused += fill(t->ready, t->ready->progs.slots_add, 0, count).refused;
	if (refused) {
		fprintf(stderr, "%u flows were refused in tables that had room\n", refused);
		exit(1);
	}
}

/* An addition fails by chance before all slots are in use. */
static void print_load(const struct tables *t)
{
	uint32_t slots = set_count(t->room) * CONNECTION_WAYS, step = t->room / 256, in = t->room / 4 * 3;
	bool refused = false;

	for (uint32_t flow = in; flow < slots; flow += step) {
		uint32_t no = fill(t->ready, t->ready->progs.slots_add, flow, step).refused;

		if (no && !refused)
			printf("flowtable\t%u flows: slots in use at the first refusal\tslots\t%%\t%.1f\n",
			       t->room, 100.0 * in / slots);
		refused = refused || no;
		in += step - no;
	}
	printf("flowtable\t%u flows: slots in use when as many flows were offered\tslots\t%%\t%.1f\n",
	       t->room, 100.0 * in / slots);
}

static void measure(uint32_t room, int rounds)
{
	struct tables t = { .ready = load(room, false), .by_need = load(room, true), .room = room };

	fill_all(&t);
	for (int round = 0; round < rounds; round++)
		for (int cpus = 1; cpus <= CPUS && cpus <= (int)sysconf(_SC_NPROCESSORS_ONLN); cpus++)
			for (enum operation o = 0; o < OPERATIONS; o++)
				for (enum column c = 0; c < COLUMNS; c++)
					sample(&t, o, c, cpus);
	print_load(&t);
	flowtable_bpf__destroy(t.ready);
	flowtable_bpf__destroy(t.by_need);
}

int main(void)
{
	const char *text = getenv("ROUNDS"), *sizes = getenv("SIZES");
	int rounds = text ? atoi(text) : getenv("QUICK") ? 3 : 9;
	char *next;

	if (rounds < 1) {
		fprintf(stderr, "flowtable: ROUNDS must be a number above 0\n");
		return 2;
	}
	printf("# bytes a flow of room: slots %zu; hash: key and value %zu, and 52 of the kernel's and the "
	       "counter's\n",
	       (sizeof(struct connection_slot) + 8) * 3 / 2,
	       sizeof(struct tuple) + sizeof(struct connection));
	for (sizes = sizes ? sizes : "1024 65536 1048576"; *sizes; sizes = next) {
		uint32_t room = (uint32_t)strtoul(sizes, &next, 0);

		if (next == sizes || room < 1024 || room > STRANGERS / 2 || room & (room - 1)) {
			fprintf(stderr, "flowtable: SIZES must be powers of two from 1024 on\n");
			return 2;
		}
		measure(room, rounds);
	}
	return 0;
}
