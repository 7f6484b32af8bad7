// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of ten thousand and a million prefixes: how long they take to load (text to table in force), what
 * memory they take, what one change costs then, and ns a packet above a bare XDP_DROP for sources on the list
 *and off it, at random and one alone. Each case beside its own floor; medians over the rounds, and the best
 *of them, since whoever else uses the machine takes its caches. Before: what one random look at memory costs
 *here.
 *
 *	lists [ENTRIES [ROUNDS [REPEAT]]]
 */
#include <arpa/inet.h>
#include <sched.h>
#include <sys/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "daemon/lists/lists.h"
#include "daemon/lists/parse.h"
#include "tests/bench/common/draw.h"
#include "tests/bench/scatter.h"
#include "scatter.skel.h"
#include "tests/bpf/harness.h"

#define ROUNDS_MAX 101

static struct lists *l;
static struct harness *h;
static struct scatter_bpf *r;
static struct scatter_address *pool;
static uint32_t most = 1000000, entries, repeat = 200000;
static int rounds = 9;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double resident_mb(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static void publish(void *arg)
{
	(void)arg;
	lists_get_roots(l, h->runtime.list_root);
	fastpath_publish(h->fastpath, &h->runtime);
}

/* --- what is listed --- */

struct bench_list {
	const char *name;
	void (*draw)(struct in6_addr *address, unsigned int *length);
	bool v6;
};

static const struct bench_list lists[] = {
	{ "IPv4, single addresses", draw_v4_addresses, false },
	{ "IPv4, 3 of 4 single, /16 to /31", draw_v4_netset, false },
	{ "IPv4, as public feeds are", draw_v4_feed, false },
	{ "IPv6, /32 to /128, most /64", draw_v6_blocks, true },
	{ "IPv6, /64 of one /32", draw_v6_one_provider, true },
};

/* As text, which is then read as a file is; the pool gets an address within each. */
static char *make_text(const struct bench_list *list, size_t *size)
{
	char *text = NULL, address[INET6_ADDRSTRLEN];
	FILE *out = open_memstream(&text, size);

	for (uint32_t i = 0; i < entries; i++) {
		struct in6_addr a = { 0 };
		unsigned int length;

		list->draw(&a, &length);
		memcpy(&pool[i % SCATTER_ADDRESSES], &a, sizeof(a));
		draw_cut(&a, length + (list->v6 ? 0 : 96));
		inet_ntop(list->v6 ? AF_INET6 : AF_INET, &a.s6_addr[list->v6 ? 0 : 12], address,
			  sizeof(address));
		fprintf(out, "%s/%u\n", address, length);
	}
	for (uint32_t i = entries; i < SCATTER_ADDRESSES; i++)
		pool[i] = pool[i % entries];
	fclose(out);
	return text;
}

static void load(const struct bench_list *list)
{
	double began, parsed, done, before = resident_mb();
	struct lists_counts counts;
	size_t size;
	char *text = make_text(list, &size), *rest = text, *line;
	int set = lists_set_begin(l, ORIGIN_FEED, "bench");

	before = resident_mb();
	began = now_ms();
	while ((line = strsep(&rest, "\n")) && *line) {
		struct prefix prefix;
		const char *reason;
		char fault[256];

		if (parse_list_line(line, &prefix, &reason, fault, sizeof(fault)) != PARSE_ENTRY ||
		    lists_set_add(l, set, LIST_BLOCK, &prefix, 0, 0, reason) < 0) {
			fprintf(stderr, "%s\n", line);
			exit(1);
		}
	}
	parsed = now_ms();
	lists_set_commit(l, set);
	while (lists_work(l))
		;
	done = now_ms();
	lists_count(l, &counts);
	printf("%s: %lu entries in force after %.0f ms (read %.0f, table %.0f); %.0f MB for XDP, %.0f MB in "
	       "the daemon\n",
	       list->name, (unsigned long)counts.entries[LIST_BLOCK][ORIGIN_FEED], done - began,
	       parsed - began, done - parsed, (double)counts.bytes / 1e6, resident_mb() - before);
	free(text);
}

static void change(const struct bench_list *list)
{
	double began, sum = 0, worst = 0;

	for (int i = 0; i < 1000; i++) {
		struct prefix p = { 0 };
		unsigned int length;
		double took;

		list->draw(&p.address, &length);
		length += list->v6 ? 0 : 96;
		draw_cut(&p.address, length);
		p.length_bits = (uint8_t)length;
		began = now_ms();
		lists_add(l, LIST_ALLOW, &p, ORIGIN_MANUAL, 0, 0, NULL);
		lists_remove(l, LIST_ALLOW, &p);
		took = (now_ms() - began) / 2;
		sum += took;
		worst = took > worst ? took : worst;
	}
	while (lists_work(l))
		;
	printf("  one change: %.3f ms, the worst of 2,000 %.2f ms\n", sum / 1000, worst);
}

/* --- packets --- */

static double run_alone(int program)
{
	const struct frame_spec spec4 = {
		.saddr = CLIENT4, .daddr = SERVER4, .dest = PORT_ALWAYS, .flags = ACK
	};
	const struct frame_spec spec6 = {
		.saddr = CLIENT6, .daddr = SERVER6, .dest = PORT_ALWAYS, .flags = ACK
	};
	struct frame f;

	frame_build(&f, r->bss->v6 ? &spec6 : &spec4);
	{
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = f.bytes,
			    .data_size_in = (uint32_t)f.length, .repeat = (int)repeat);

		if (bpf_prog_test_run_opts(program, &options)) {
			perror("BPF_PROG_TEST_RUN");
			exit(1);
		}
		return options.duration;
	}
}

static double run(int target)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(bpf_map__fd(r->maps.target), &zero, &target, 0)) {
		perror("target");
		exit(1);
	}
	return run_alone(bpf_program__fd(r->progs.scatter));
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const char *name, uint32_t mask)
{
	int xdp = h->programs[FASTPATH_XDP_HOST], drop = bpf_program__fd(r->progs.drop);
	uint64_t before[VERDICT_COUNT], after[VERDICT_COUNT], sum;
	double net[ROUNDS_MAX];

	r->bss->address_mask = mask;
	sum = harness_count_verdicts(h, before);
	for (int i = 0; i < rounds; i++) {
		double floor = run(drop);

		net[i] = run(xdp);
		net[i] -= (floor + run(drop)) / 2;
	}
	sum = harness_count_verdicts(h, after) - sum;
	qsort(net, (size_t)rounds, sizeof(*net), compare);
	printf("  %-34s %6.1f ns, at best %.1f (%.1f to %.1f), %.1f %% blocked\n", name, net[rounds / 2],
	       net[0], net[rounds / 4], net[rounds * 3 / 4],
	       100.0 * (double)(after[DROP_BLOCKED] - before[DROP_BLOCKED]) / (double)sum);
}

static void draw_others(const struct bench_list *list)
{
	unsigned int length;

	for (uint32_t i = 0; i < SCATTER_ADDRESSES; i++) {
		struct in6_addr a = { 0 };

		list->draw(&a, &length);
		memcpy(&pool[i], &a, sizeof(a));
	}
}

static void unload(void)
{
	lists_set_commit(l, lists_set_begin(l, ORIGIN_FEED, "bench"));
	while (lists_work(l))
		;
	for (int i = 0; i < 3; i++)
		lists_tick(l, 0);
}

static void bench(const struct bench_list *list, uint32_t count)
{
	entries = count;
	load(list);
	change(list);
	measure("on the list, one source", 0);
	measure("on the list, random", SCATTER_ADDRESSES - 1);
	draw_others(list);
	measure("random, mostly off the list", SCATTER_ADDRESSES - 1);
	unload();
}

static void bench_empty(const struct bench_list *list)
{
	r->bss->v6 = list->v6;
	publish(NULL);
	draw_others(list);
	printf("IPv%d, lists empty\n", list->v6 ? 6 : 4);
	measure("one source", 0);
	measure("random", SCATTER_ADDRESSES - 1);
}

static void bench_memory(void)
{
	int touch = bpf_program__fd(r->progs.touch), drop = bpf_program__fd(r->progs.drop);

	printf("one look at memory, ns at best:");
	for (uint32_t lines = 1 << 12; lines <= SCATTER_ADDRESSES / 4; lines *= 4) {
		double best = 1e9;

		r->bss->touch_mask = lines - 1;
		for (int i = 0; i < rounds; i++) {
			double net = run_alone(touch) - run_alone(drop);

			best = net < best ? net : best;
		}
		printf(" %.1f in %.2g MB%s", best, lines * 64 / 1e6,
		       lines < SCATTER_ADDRESSES / 4 ? "," : "\n");
	}
}

int main(int argc, char **argv)
{
	struct lists_backing backing = {
		.pool = { .chunk_new = fastpath_chunk_new, .chunk_free = fastpath_chunk_free },
		.publish = publish,
	};
	size_t bytes = SCATTER_ADDRESSES * sizeof(struct scatter_address);
	cpu_set_t set;
	void *state;

	if (argc > 1)
		most = (uint32_t)strtoul(argv[1], NULL, 0);
	if (argc > 2)
		rounds = atoi(argv[2]);
	if (argc > 3)
		repeat = (uint32_t)strtoul(argv[3], NULL, 0);
	if (!most || most > SCATTER_ADDRESSES || rounds < 1 || rounds > ROUNDS_MAX || !repeat)
		return 2;
	CPU_ZERO(&set);
	CPU_SET((size_t)sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	sched_setaffinity(0, sizeof(set), &set);
	if (harness_set_up(&state))
		return 1;
	h = state;
	r = scatter_bpf__open_and_load();
	backing.pool.arg = h->fastpath;
	backing.pool.hits = fastpath_list_hits(h->fastpath, &backing.pool.cpus);
	l = lists_new(&backing);
	if (!r || !l)
		return 1;
	pool = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(r->maps.addresses), 0);
	if (pool == MAP_FAILED)
		return 1;
	h->runtime.lookups_per_s = 1; /* who is not blocked is dropped soon after */
	bench_memory();
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		if (!i || lists[i].v6 != lists[i - 1].v6)
			bench_empty(&lists[i]);
		bench(&lists[i], most / 100);
		bench(&lists[i], most);
	}
	lists_free(l);
	scatter_bpf__destroy(r);
	return harness_tear_down(&state);
}
