// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See worlds.h.
 */
#include "tests/bench/common/worlds.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/lists/lists.h"
#include "tests/bench/common/draw.h"

#define ROOM_HOST   (8 * FLOWS_MAX) /* a bucket overflows once in ten thousand */
#define ROOM_INLINE (4 * FLOWS_MAX)
#define ROOM_FEW    (4 * NEWCOMERS_MAX)

/* As HZ: connections that a client has reset expire at the kernel's next 64 jiffies, but established ones
 * after minutes. */
#define HZ_TO_EXPIRE_RESETS 6
#define EXPIRY_US	    1300000 /* 64 jiffies at 50 Hz */

int world_program(const struct worlds *worlds, enum world_name name, bool to_client)
{
	enum fastpath_program inlined = to_client ? FASTPATH_XDP_INSIDE : FASTPATH_XDP_OUTSIDE;

	return worlds->of[name].h->programs[name == WORLD_HOST ? FASTPATH_XDP_HOST : inlined];
}

static void run(struct worlds *worlds, enum world_name name, enum segment kind, enum crowd crowd,
		uint32_t count, bool v6)
{
	struct traffic_segment s;

	traffic_segment(&s, worlds->of[name].h, kind, v6);
	runner_load(worlds->runner, &s, &worlds->crowds.of[crowd][v6], count);
	/* what lies side by side in a table is not to be asked for in this order */
	runner_stride(worlds->runner, 0x9e3779b1);
	runner_run(worlds->runner, world_program(worlds, name, s.to_client), count);
}

/* --- flows --- */

static int seed_host(struct worlds *worlds)
{
	struct harness *h = worlds->of[WORLD_HOST].h;

	for (int v6 = 0; v6 < 2; v6++) {
		const struct traffic_crowd *crowd = &worlds->crowds.of[FLOWS][v6];

		for (uint32_t i = 0; i < crowd->count; i++) {
			struct tuple tuple;

			traffic_tuple(&tuple, &crowd->clients[i], v6);
			if (fastpath_seed_flow(h->fastpath, &tuple))
				return -1;
		}
	}
	return 0;
}

/* Handshakes as on the wire: ACKs with valid cookies, and what servers answer. And some connections that
 * began before anything was defended. */
static void seed_inline(struct worlds *worlds, enum world_name name, uint32_t count)
{
	struct harness *h = worlds->of[name].h;

	h->runtime.handshakes_max = h->runtime.handshakes_per_source = UINT32_MAX;
	fastpath_publish(h->fastpath, &h->runtime);
	for (int v6 = 0; v6 < 2; v6++) {
		run(worlds, name, ACK_COOKIE, FLOWS, count, v6);
		run(worlds, name, SERVER_SYNACK, FLOWS, count, v6);
		run(worlds, name, SERVER_ACK_AUTO, FLOWS, FLOWS_FEW, v6);
	}
}

static void expire_resets(struct world *w)
{
	struct runtime rt = w->h->runtime;
	uint32_t connections, translated;

	rt.jiffies_hz = HZ_TO_EXPIRE_RESETS;
	fastpath_publish(w->h->fastpath, &rt);
	fastpath_expire(w->h->fastpath, &connections, &translated);
	fastpath_publish(w->h->fastpath, &w->h->runtime);
	w->spent = false;
}

void worlds_refresh(struct worlds *worlds)
{
	bool any = false;

	for (int name = 0; name < WORLDS; name++) {
		any |= worlds->of[name].spent;
		for (int v6 = 0; v6 < 2 && worlds->of[name].spent; v6++)
			run(worlds, (enum world_name)name, RST_EARLY, NEWCOMERS, NEWCOMERS_MAX, v6);
	}
	if (any)
		usleep(EXPIRY_US);
	for (int name = 0; name < WORLDS; name++)
		if (worlds->of[name].spent)
			expire_resets(&worlds->of[name]);
}

/* --- lists --- */

static bool is_reserved(const struct in6_addr *a, bool v6)
{
	return v6 ? (ntohl(a->s6_addr32[0]) & ~7U) == 0x20010db8 : a->s6_addr[12] == 10;
}

/* Outside of what the other crowds have. */
static void draw(struct in6_addr *a, unsigned int *length, bool v6)
{
	do {
		memset(a, 0, sizeof(*a));
		if (v6)
			draw_v6_blocks(a, length);
		else
			draw_v4_feed(a, length);
	} while (is_reserved(a, v6));
}

static void get_roots(void *arg)
{
	struct world *w = arg;

	lists_get_roots(w->lists, w->list_root);
}

static int list_all(struct worlds *worlds, struct world *w)
{
	struct lists_backing backing = {
		.pool = { .chunk_new = fastpath_chunk_new,
			  .chunk_free = fastpath_chunk_free,
			  .arg = w->h->fastpath },
		.publish = get_roots,
		.arg = w,
	};
	int set;

	backing.pool.hits = fastpath_list_hits(w->h->fastpath, &backing.pool.cpus);
	w->lists = lists_new(&backing);
	set = w->lists ? lists_set_begin(w->lists, ORIGIN_FEED, "bench") : -1;
	if (set < 0)
		return -1;
	srandom(1); /* the same in all worlds */
	for (uint32_t i = 0; i < 2 * LISTED_MAX; i++) {
		bool v6 = i & 1;
		struct prefix p = { 0 };
		unsigned int length;

		draw(&p.address, &length, v6);
		memcpy(worlds->crowds.of[LISTED][v6].clients[i / 2].address, &p.address, sizeof(p.address));
		p.length_bits = (uint8_t)(length + (v6 ? 0 : 96));
		draw_cut(&p.address, p.length_bits);
		if (lists_set_add(w->lists, set, LIST_BLOCK, &p, 0, 0, NULL) < 0)
			return -1;
	}
	lists_set_commit(w->lists, set);
	while (lists_work(w->lists))
		;
	return 0;
}

static bool is_fit_source(const struct in6_addr *a, bool v6)
{
	return v6 || (a->s6_addr[12] != 127 && a->s6_addr[12] < 224);
}

/* As the listed ones, but no entry covers them. */
static void draw_strangers(struct worlds *worlds)
{
	const struct lists *lists = worlds->of[WORLD_HOST].lists;

	for (int v6 = 0; v6 < 2; v6++) {
		struct traffic_crowd *crowd = &worlds->crowds.of[STRANGERS][v6];

		for (uint32_t i = 0; i < crowd->count; i++) {
			struct in6_addr a;
			unsigned int length;
			bool allowed;

			do
				draw(&a, &length, v6);
			while (!is_fit_source(&a, v6) || (lists && lists_judge(lists, &a, &allowed)));
			memcpy(crowd->clients[i].address, &a, sizeof(a));
		}
	}
}

/* --- set up, tear down --- */

/* Interfaces that are down: what is redirected to them goes nowhere. */
static int attach(struct harness *h, enum world_name name)
{
	char script[256], outside[IFNAMSIZ], inside[IFNAMSIZ], text[512];

	snprintf(outside, sizeof(outside), "outside%d", name);
	snprintf(inside, sizeof(inside), "inside%d", name);
	snprintf(script, sizeof(script),
		 "ip link add %s type veth peer name c%s && ip link add %s type veth peer name s%s", outside,
		 outside, inside, inside);
	if (system(script) || fastpath_attach_inline(h->fastpath, if_nametoindex(outside),
						     if_nametoindex(inside), false, text, sizeof(text))) {
		fprintf(stderr, "%s\n", text);
		return -1;
	}
	return 0;
}

static int add_inline(struct worlds *worlds, enum world_name name, uint32_t room, uint32_t flows)
{
	struct world *w = &worlds->of[name];

	harness_connections = room;
	if (harness_set_up_inline(worlds->of[WORLD_HOST].h, &w->own))
		return -1;
	w->h = &w->own;
	if (attach(w->h, name))
		return -1;
	seed_inline(worlds, name, flows);
	return 0;
}

int worlds_set_up(struct worlds *worlds, bool lists, bool many)
{
	void *state;

	memset(worlds, 0, sizeof(*worlds));
	harness_flow_entries = ROOM_HOST;
	if (harness_set_up(&state))
		return -1;
	worlds->of[WORLD_HOST].h = state;
	worlds->runner = runner_new();
	if (!worlds->runner || traffic_crowds_init(&worlds->crowds, state) || seed_host(worlds) ||
	    add_inline(worlds, WORLD_INLINE, ROOM_FEW, FLOWS_FEW) ||
	    (many && add_inline(worlds, WORLD_INLINE_MANY, ROOM_INLINE, FLOWS_MAX)))
		return -1;
	if (lists &&
	    (list_all(worlds, &worlds->of[WORLD_HOST]) || list_all(worlds, &worlds->of[WORLD_INLINE])))
		return -1;
	draw_strangers(worlds);
	return 0;
}

void worlds_tear_down(struct worlds *worlds)
{
	void *state = worlds->of[WORLD_HOST].h;

	for (int name = 0; name < WORLDS; name++) {
		struct world *w = &worlds->of[name];

		if (w->lists)
			lists_free(w->lists);
		if (name != WORLD_HOST && w->h)
			fastpath_free(w->h->fastpath);
	}
	runner_free(worlds->runner);
	traffic_crowds_fini(&worlds->crowds);
	if (state)
		harness_tear_down(&state);
}
