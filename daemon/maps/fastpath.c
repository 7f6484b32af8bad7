// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See fastpath.h. Maps that change whole are memory-mapped and written in place: the half that is not live
 * first, then the word that makes it so. Between two publications all packets that still saw the old half are
 * waited for.
 */
#include "daemon/maps/fastpath.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/membarrier.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bpf/synmoat.skel.h"
#include "daemon/engine/ranges.h"
#include "daemon/log.h"
#include "daemon/maps/adopt.h"
#include "daemon/maps/hook.h"
#include "daemon/maps/part.h"
#include "daemon/maps/syn.h"
#include "daemon/maps/verifier_log.h"
#include "daemon/maps/verifier_log.h"
#include "daemon/secret.h"

struct fastpath {
	struct synmoat_bpf *skeleton;
	struct control *control;
	struct port_ranges *ports;
	struct range4 *ranges4;
	struct range6 *ranges6;
	struct service *services;
	struct guard *guards;
	struct service_state *states;
	struct server *servers;
	struct connection_set *sets;
	struct ring_buffer *ring; /* NULL: no tracking */
	struct event_batch {
		fastpath_event_fn *fn;
		void *arg;
		int left;
	} batch;
	struct limits *limits;
	struct heavy_set *heavies;
	struct list_hits *list_hits;
	struct port_half_opens *half_opens;
	struct registers *registers;
	struct ring_buffer *samples;
	struct sample_batch {
		fastpath_sample_fn *fn;
		void *arg;
		int left;
	} sampled;
	int cpus;
	struct hooks hooks;
	enum port at_fault;
	bool frags;
	int programs[FASTPATH_PROGRAMS]; /* by enum fastpath_program; -1: of the other deployment */
	struct {
		char *lines;
		unsigned int chunks; /* in use, a bit each */
	} list_maps[LIST_MAPS];
};

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, args);
}

static size_t map_bytes(const struct bpf_map *map)
{
	size_t value = (bpf_map__value_size(map) + 7) & ~(size_t)7;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (value * bpf_map__max_entries(map) + page - 1) / page * page;
}

static void *map_memory(const struct bpf_map *map)
{
	void *memory = mmap(NULL, map_bytes(map), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void unmap_memory(void *memory, const struct bpf_map *map)
{
	if (memory)
		munmap(memory, map_bytes(map));
}

/* The kernel exports the kfunc that host mode rests on? */
static bool kernel_has_assign(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool found;

	if (!btf)
		return false;
	found = btf__find_by_name_kind(btf, "bpf_sk_assign_tcp_reqsk", BTF_KIND_FUNC) > 0;
	btf__free(btf);
	return found;
}

static uint32_t flow_buckets(uint32_t entries)
{
	uint32_t buckets = 1;

	while (buckets < (1U << 24) && (uint64_t)buckets * FLOW_WAYS < entries)
		buckets *= 2;
	return buckets;
}

static const char *const program_names[FASTPATH_PROGRAMS] = {
	[FASTPATH_XDP_HOST] = "xdp_host",     [FASTPATH_TC_INGRESS] = "tc_ingress",
	[FASTPATH_TC_EGRESS] = "tc_egress",   [FASTPATH_XDP_OUTSIDE] = "xdp_outside",
	[FASTPATH_XDP_INSIDE] = "xdp_inside",
};

static bool is_inline_program(enum fastpath_program program)
{
	return program == FASTPATH_XDP_OUTSIDE || program == FASTPATH_XDP_INSIDE;
}

static bool is_xdp_program(enum fastpath_program program)
{
	return program != FASTPATH_TC_INGRESS && program != FASTPATH_TC_EGRESS;
}

/* Two thirds of the slots are used at most, so that next to no connection finds its two sets full; the rest
 * is for those that have been left within the last second. */
static uint32_t connection_sets(uint32_t connections)
{
	return connections / 16 * 3 + (connections < 2048 ? connections : 2048);
}

/* A deployment loads no program of the other, and keeps no room for its maps. */
static void prepare_deployment(struct synmoat_bpf *skeleton, const struct fastpath_options *options)
{
	struct bpf_program *host[] = { skeleton->progs.flow_seed, skeleton->progs.listener_query };
	struct bpf_program *inlined[] = { skeleton->progs.xdp_copy_inside,  skeleton->progs.connection_expire,
					  skeleton->progs.connection_query, skeleton->progs.connection_reset,
					  skeleton->progs.inject_inside,    skeleton->progs.inject_outside };
	uint32_t sets = connection_sets(options->connections);

	for (size_t i = 0; i < sizeof(host) / sizeof(*host); i++)
		bpf_program__set_autoload(host[i], !options->inline_mode);
	for (size_t i = 0; i < sizeof(inlined) / sizeof(*inlined); i++)
		bpf_program__set_autoload(inlined[i], options->inline_mode);
	for (int i = 0; i < FASTPATH_PROGRAMS; i++) /* load_programs() does */
		bpf_program__set_autoload(bpf_object__find_program_by_name(skeleton->obj, program_names[i]),
					  false);
	*(__u32 *)&skeleton->rodata->forward_mode = options->forward;
	if (options->inline_mode) {
		bpf_map__set_max_entries(skeleton->maps.connection_sets, sets);
		bpf_map__set_max_entries(skeleton->maps.connections, sets * CONNECTION_WAYS);
		*(__u32 *)&skeleton->rodata->connection_set_count = sets;
		*(__u32 *)&skeleton->rodata->connections_max = options->connections;
		if (options->frags)
			bpf_program__set_flags(skeleton->progs.xdp_copy_inside, BPF_F_XDP_HAS_FRAGS);
	} else {
		bpf_map__set_max_entries(skeleton->maps.servers, 1);
		bpf_map__set_max_entries(skeleton->maps.handshakes, 1);
		bpf_map__set_max_entries(skeleton->maps.unknown_budgets, 1);
		bpf_map__set_max_entries(skeleton->maps.stashes, 1);
		bpf_map__set_max_entries(skeleton->maps.pending, 1);
		bpf_map__set_max_entries(skeleton->maps.half_open_ports, 1);
	}
}

/* A counter for each flow, but no more than a cache holds: few flows wait at a time. */
static uint32_t waiting_counters(uint32_t flows)
{
	uint32_t counters = 1;

	while (counters < flows && counters < 1 << 18)
		counters *= 2;
	return counters;
}

static void prepare_tracking(struct synmoat_bpf *skeleton, const struct fastpath_options *options)
{
	uint32_t counters = waiting_counters(options->tracked);
	bool on = options->tracked > 0;

	*(__u32 *)&skeleton->rodata->tracking = on;
	*(__u32 *)&skeleton->rodata->waiting_near_mask = counters - 1;
	bpf_map__set_max_entries(skeleton->maps.waiting_near, counters);
	bpf_map__set_max_entries(skeleton->maps.waiting, on ? options->tracked : 1);
	if (!on)
		bpf_map__set_max_entries(skeleton->maps.events, (__u32)sysconf(_SC_PAGESIZE));
	bpf_program__set_autoload(skeleton->progs.waiting_expire, on);
}

static int prepare(struct synmoat_bpf *skeleton, const struct fastpath_options *options, int cpus)
{
	uint32_t buckets = options->inline_mode ? 1 : flow_buckets(options->flow_entries);

	memcpy((void *)skeleton->rodata->table_key, options->table_key, sizeof(options->table_key));
	*(__u32 *)&skeleton->rodata->flow_mask = buckets - 1;
	bpf_map__set_max_entries(skeleton->maps.flows, buckets);
	bpf_map__set_max_entries(skeleton->maps.flow_near,
				 (buckets + FLOW_NEAR_BUCKETS - 1) / FLOW_NEAR_BUCKETS);
	bpf_map__set_max_entries(skeleton->maps.list_hits, (uint32_t)cpus);
	prepare_deployment(skeleton, options);
	prepare_tracking(skeleton, options);
	return 0;
}

static int map_all(struct fastpath *f)
{
	f->control = map_memory(f->skeleton->maps.control);
	f->ports = map_memory(f->skeleton->maps.ports);
	f->ranges4 = map_memory(f->skeleton->maps.ranges4);
	f->ranges6 = map_memory(f->skeleton->maps.ranges6);
	f->services = map_memory(f->skeleton->maps.services);
	f->guards = map_memory(f->skeleton->maps.guards);
	f->states = map_memory(f->skeleton->maps.service_states);
	f->servers = map_memory(f->skeleton->maps.servers);
	f->sets = map_memory(f->skeleton->maps.connection_sets);
	f->limits = map_memory(f->skeleton->maps.limits);
	f->heavies = map_memory(f->skeleton->maps.heavies);
	f->half_opens = map_memory(f->skeleton->maps.half_open_ports);
	f->registers = map_memory(f->skeleton->maps.source_registers);
	f->list_hits = map_memory(f->skeleton->maps.list_hits);
	if (!f->control || !f->ports || !f->ranges4 || !f->ranges6 || !f->services || !f->guards ||
	    !f->states || !f->servers || !f->sets || !f->limits || !f->heavies || !f->half_opens ||
	    !f->registers || !f->list_hits)
		return -ENOMEM;
	/* the master keys lie here, and the key of the tables */
	secret_guard(f->control, map_bytes(f->skeleton->maps.control));
	secret_guard(f->skeleton->rodata, map_bytes(f->skeleton->maps.rodata));
	return 0;
}

/* -EAGAIN: the batch is full. The event counts as read all the same. */
static int on_event(void *ctx, void *data, size_t size)
{
	struct event_batch *batch = ctx;

	if (size >= sizeof(struct event))
		batch->fn(data, batch->arg);
	return --batch->left > 0 ? 0 : -EAGAIN;
}

/* As on_event(). */
static int on_sample(void *ctx, void *data, size_t size)
{
	struct sample_batch *batch = ctx;

	if (size >= sizeof(struct sample))
		batch->fn(data, batch->arg);
	return --batch->left > 0 ? 0 : -EAGAIN;
}

static int open_rings(struct fastpath *f, bool tracked)
{
	if (tracked)
		f->ring = ring_buffer__new(bpf_map__fd(f->skeleton->maps.events), on_event, &f->batch, NULL);
	if (tracked && !f->ring)
		return -errno;
	f->samples = ring_buffer__new(bpf_map__fd(f->skeleton->maps.samples), on_sample, &f->sampled, NULL);
	return f->samples ? 0 : -errno;
}

/* For the end of a message; empty: no word would help. */
static const char *remedy(int error)
{
	switch (error) {
	case -EPERM:
		return " (run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON)";
	case -ENOMEM:
		return " (give the daemon more memory, MemoryMax=, or fewer entries to what the "
		       "configuration "
		       "sizes)";
	default:
		return "";
	}
}

/* The programs that packets run through, at once: all else is loaded, and the maps are there. */
static int load_programs(struct fastpath *f, const struct fastpath_options *options)
{
	struct part parts[FASTPATH_PROGRAMS];
	bool begun[FASTPATH_PROGRAMS] = { false };
	int error = 0;

	for (int i = 0; !error && i < FASTPATH_PROGRAMS; i++) {
		if (is_inline_program((enum fastpath_program)i) != options->inline_mode)
			continue;
		parts[i] = (struct part){ .object = f->skeleton->obj, .name = program_names[i] };
		parts[i].elf = synmoat_bpf__elf_bytes(&parts[i].size);
		if (options->frags && is_xdp_program((enum fastpath_program)i))
			parts[i].flags = BPF_F_XDP_HAS_FRAGS;
		error = part_begin(&parts[i]);
		begun[i] = !error;
	}
	for (int i = 0; i < FASTPATH_PROGRAMS; i++) {
		if (!begun[i])
			continue;
		f->programs[i] = part_end(&parts[i]);
		if (f->programs[i] < 0)
			error = f->programs[i];
	}
	return error;
}

/* The maps, and the programs that no packet runs through. Text stays empty if the kernel refused them. */
static int load_skeleton(struct fastpath *f, const struct fastpath_options *options, char *text, size_t size)
{
	LIBBPF_OPTS(bpf_object_open_opts, how);
	struct verifier_log log;
	int error = 0;

	verifier_log_open(&log);
	how.kernel_log_buf = log.text;
	how.kernel_log_size = log.size;
	f->skeleton = synmoat_bpf__open_opts(&how);
	if (!f->skeleton) {
		error = -errno;
		snprintf(text, size, "cannot open the BPF programs: %s", strerror(-error));
	}
	if (!error)
		error = prepare(f->skeleton, options, f->cpus);
	if (!error)
		error = adopt_maps(f->skeleton->obj, options->store, options->translated, text, size);
	if (!error)
		error = synmoat_bpf__load(f->skeleton);
	verifier_log_close(&log, error);
	return error;
}

static int load(struct fastpath *f, const struct fastpath_options *options, char *text, size_t size)
{
	int error = load_skeleton(f, options, text, size);

	if (*text)
		return error;
	if (!error)
		error = load_programs(f, options);
	if (error) {
		/* without CAP_PERFMON the verifier says this or that */
		snprintf(text, size, "cannot load the BPF programs: %s%s", strerror(-error),
			 remedy(error == -ENOMEM ? error : -EPERM));
		return error;
	}
	adopt_keep(f->skeleton->obj, options->store);
	error = map_all(f);
	if (!error)
		error = open_rings(f, options->tracked > 0);
	if (error)
		snprintf(text, size, "cannot map the BPF maps into memory: %s%s", strerror(-error),
			 remedy(error));
	return error;
}

int fastpath_new(struct fastpath **fastpath, const struct fastpath_options *options, char *text, size_t size)
{
	struct fastpath *f;
	int error;

	libbpf_set_print(print_libbpf);
	if (!options->inline_mode && !kernel_has_assign()) {
		snprintf(text, size,
			 "this kernel has no bpf_sk_assign_tcp_reqsk(): host mode needs Linux 6.9 or later "
			 "with BTF "
			 "and CONFIG_SYN_COOKIES; on an older one deploy synmoat inline, in front of the "
			 "server");
		return -EOPNOTSUPP;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	hooks_init(&f->hooks, options->store);
	f->frags = options->frags;
	for (int i = 0; i < FASTPATH_PROGRAMS; i++)
		f->programs[i] = -1;
	f->cpus = libbpf_num_possible_cpus();
	*text = '\0';
	error = f->cpus < 0 ? f->cpus : load(f, options, text, size);
	if (error) {
		fastpath_free(f);
		return error;
	}
	hooks_leave_others(&f->hooks, options->inline_mode);
	*fastpath = f;
	return 0;
}

void fastpath_free(struct fastpath *f)
{
	if (!f)
		return;
	hooks_close(&f->hooks);
	ring_buffer__free(f->samples);
	ring_buffer__free(f->ring);
	if (f->skeleton) {
		unmap_memory(f->list_hits, f->skeleton->maps.list_hits);
		unmap_memory(f->registers, f->skeleton->maps.source_registers);
		unmap_memory(f->heavies, f->skeleton->maps.heavies);
		unmap_memory(f->half_opens, f->skeleton->maps.half_open_ports);
		unmap_memory(f->limits, f->skeleton->maps.limits);
		unmap_memory(f->sets, f->skeleton->maps.connection_sets);
		unmap_memory(f->servers, f->skeleton->maps.servers);
		unmap_memory(f->states, f->skeleton->maps.service_states);
		unmap_memory(f->guards, f->skeleton->maps.guards);
		unmap_memory(f->services, f->skeleton->maps.services);
		unmap_memory(f->ranges6, f->skeleton->maps.ranges6);
		unmap_memory(f->ranges4, f->skeleton->maps.ranges4);
		unmap_memory(f->ports, f->skeleton->maps.ports);
		unmap_memory(f->control, f->skeleton->maps.control);
	}
	synmoat_bpf__destroy(f->skeleton);
	for (int i = 0; i < FASTPATH_PROGRAMS; i++)
		if (f->programs[i] >= 0)
			close(f->programs[i]);
	free(f);
}

static int attach_tc(struct fastpath *f, enum hook_place place, unsigned int ifindex, char *text, size_t size)
{
	int program = f->programs[place == LINK_TC_INGRESS ? FASTPATH_TC_INGRESS : FASTPATH_TC_EGRESS];
	int error = hook_attach(&f->hooks, place, program, ifindex, false);

	if (error)
		snprintf(text, size, "cannot attach at tcx %s: %s%s",
			 place == LINK_TC_INGRESS ? "ingress" : "egress", strerror(-error), remedy(error));
	return error;
}

static void explain_xdp(const struct fastpath *f, int error, bool generic, unsigned int ifindex, char *text,
			size_t size)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	switch (error) {
	case -EBUSY:
	case -EEXIST:
		if (bpf_xdp_query((int)ifindex, 0, &query))
			query.prog_id = 0;
		snprintf(text, size,
			 "another XDP program (id %u) holds the interface: see it with `bpftool net`, detach "
			 "it first",
			 query.prog_id);
		break;
	case -EOPNOTSUPP:
		snprintf(text, size,
			 "the driver has no native XDP: say xdp = \"generic\" in the configuration to run "
			 "slower "
			 "without it");
		break;
	case -ERANGE:
		snprintf(text, size, "%s",
			 f->frags ? "the interface's MTU is larger than its driver allows with XDP: lower "
				    "it, or "
				    "say xdp = \"generic\""
				  : "the interface's MTU has grown beyond a page since the daemon started: "
				    "restart synmoatd (packets of several buffers)");
		break;
	default:
		snprintf(text, size, "cannot attach %s XDP: %s%s", generic ? "generic" : "native",
			 strerror(-error), remedy(error));
	}
}

static int attach_xdp(struct fastpath *f, enum fastpath_program program, enum hook_place place,
		      unsigned int ifindex, bool generic, char *text, size_t size)
{
	int error = hook_attach(&f->hooks, place, f->programs[program], ifindex, generic);

	if (error)
		explain_xdp(f, error, generic, ifindex, text, size);
	return error;
}

/* All or nothing; then what was before goes on. */
static int settle(struct fastpath *f, int error)
{
	bool inlined = f->programs[FASTPATH_XDP_INSIDE] >= 0;
	const int programs[LINK_COUNT] = {
		[LINK_TC_INGRESS] = f->programs[FASTPATH_TC_INGRESS],
		[LINK_TC_EGRESS] = f->programs[FASTPATH_TC_EGRESS],
		[LINK_XDP_INSIDE] = f->programs[FASTPATH_XDP_INSIDE],
		[LINK_XDP] = f->programs[inlined ? FASTPATH_XDP_OUTSIDE : FASTPATH_XDP_HOST],
	};

	if (error) {
		hooks_roll_back(&f->hooks);
		return error;
	}
	hooks_settle(&f->hooks, programs);
	return 0;
}

int fastpath_attach(struct fastpath *f, unsigned int ifindex, bool generic, char *text, size_t size)
{
	int error;

	error = attach_tc(f, LINK_TC_INGRESS, ifindex, text, size);
	if (!error)
		error = attach_tc(f, LINK_TC_EGRESS, ifindex, text, size);
	if (!error)
		error = attach_xdp(f, FASTPATH_XDP_HOST, LINK_XDP, ifindex, generic, text, size);
	return settle(f, error);
}

static int set_port(const struct bpf_map *map, uint32_t key, unsigned int ifindex,
		    const struct bpf_program *program)
{
	struct bpf_devmap_val value = { .ifindex = ifindex };

	value.bpf_prog.fd = program ? bpf_program__fd(program) : -1;
	return bpf_map_update_elem(bpf_map__fd(map), &key, &value, BPF_ANY) ? -errno : 0;
}

/*
 * Every port of a broadcast but the last gets a copy with a page to itself, into which early data fit: inside
 * comes first. Outside must have no program in either map (answer_both in bpf/xdp_inside.bpf.c).
 */
static int set_ports(struct fastpath *f, unsigned int outside, unsigned int inside)
{
	const struct synmoat_bpf *s = f->skeleton;
	int error = set_port(s->maps.egress, PORT_OUTSIDE, outside, NULL);

	if (!error)
		error = set_port(s->maps.egress, PORT_INSIDE, inside, NULL);
	if (!error)
		error = set_port(s->maps.both, 0, inside, s->progs.xdp_copy_inside);
	return error ? error : set_port(s->maps.both, 1, outside, NULL);
}

int fastpath_attach_inline(struct fastpath *f, unsigned int outside, unsigned int inside, bool generic,
			   char *text, size_t size)
{
	int error = set_ports(f, outside, inside);

	if (error)
		snprintf(text, size, "cannot forward between the interfaces: %s", strerror(-error));
	f->at_fault = error ? PORT_OUTSIDE : PORT_INSIDE;
	if (!error)
		error = attach_xdp(f, FASTPATH_XDP_INSIDE, LINK_XDP_INSIDE, inside, generic, text, size);
	if (!error) {
		f->at_fault = PORT_OUTSIDE;
		error = attach_xdp(f, FASTPATH_XDP_OUTSIDE, LINK_XDP, outside, generic, text, size);
	}
	return settle(f, error);
}

enum port fastpath_port_at_fault(const struct fastpath *f)
{
	return f->at_fault;
}

void fastpath_detach(struct fastpath *f)
{
	hooks_detach(&f->hooks);
}

bool fastpath_attached(const struct fastpath *f)
{
	return f->hooks.links[LINK_XDP] >= 0;
}

bool fastpath_goes_on(const struct fastpath *f)
{
	return f->hooks.inherited;
}

bool fastpath_links_dead(const struct fastpath *f)
{
	return hooks_dead(&f->hooks);
}

/* Every packet that began before this call has ended after it. */
static void wait_for_packets(void)
{
	syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

uint32_t fastpath_stage_services(struct fastpath *f, const struct ranges_table *table,
				 const struct service *services)
{
	uint32_t half = !fastpath_runtime(f)->half;
	struct port_ranges *ports = f->ports + half * 65536;

	for (uint32_t port = 0; port < 65536; port++) {
		ports[port] = table->ports[port];
		ports[port].first4 += half * RANGES_MAX;
		ports[port].first6 += half * RANGES_MAX;
	}
	if (table->v4_count)
		memcpy(f->ranges4 + half * RANGES_MAX, table->v4, table->v4_count * sizeof(*table->v4));
	if (table->v6_count)
		memcpy(f->ranges6 + half * RANGES_MAX, table->v6, table->v6_count * sizeof(*table->v6));
	memcpy(f->services + half * SERVICE_SLOTS, services, SERVICE_SLOTS * sizeof(*services));
	return half;
}

uint32_t fastpath_stage_limits(struct fastpath *f, const struct limits *limits,
			       const struct limit (*of_service)[KIND_COUNT])
{
	uint32_t half = !fastpath_runtime(f)->limits;
	struct limits *dead = f->limits + half * SERVICE_SLOTS;

	for (uint32_t slot = 0; slot < SERVICE_SLOTS; slot++) {
		dead[slot] = *limits;
		for (int kind = 0; of_service && kind < KIND_COUNT; kind++)
			dead[slot].limit[kind][LEVEL_SERVICE] = of_service[slot][kind];
	}
	return half;
}

void fastpath_stage_guards(struct fastpath *f, uint32_t half, const struct guard *guards)
{
	memcpy(f->guards + half * GUARDS_MAX, guards, GUARDS_MAX * sizeof(*guards));
}

void fastpath_publish(struct fastpath *f, const struct runtime *runtime)
{
	uint32_t next = !(f->control->live & 1);

	f->control->runtime[next] = *runtime;
	__atomic_store_n(&f->control->live, next, __ATOMIC_RELEASE);
	wait_for_packets();
}

const struct runtime *fastpath_runtime(const struct fastpath *f)
{
	return &f->control->runtime[f->control->live & 1];
}

struct service_state *fastpath_state(struct fastpath *f, uint32_t slot)
{
	return &f->states[slot];
}

/* Adds up the 64-bit words of a per-CPU value. */
static int sum_percpu(struct fastpath *f, const struct bpf_map *map, uint32_t key, uint64_t *sum,
		      size_t words)
{
	uint64_t *values = calloc((size_t)f->cpus * words, sizeof(*values));
	int error = 0;

	if (!values)
		return -ENOMEM;
	memset(sum, 0, words * sizeof(*sum));
	if (bpf_map_lookup_elem(bpf_map__fd(map), &key, values))
		error = -errno;
	for (size_t cpu = 0; !error && cpu < (size_t)f->cpus; cpu++)
		for (size_t i = 0; i < words; i++)
			sum[i] += values[cpu * words + i];
	free(values);
	return error;
}

int fastpath_read_counters(struct fastpath *f, uint32_t slot, struct service_counters *sum)
{
	return sum_percpu(f, f->skeleton->maps.counters, slot, (uint64_t *)sum,
			  sizeof(*sum) / sizeof(uint64_t));
}

static int read_limit_count(struct fastpath *f, uint32_t index, struct limit_counters *sum)
{
	return sum_percpu(f, f->skeleton->maps.limit_counts, index, (uint64_t *)sum,
			  sizeof(*sum) / sizeof(uint64_t));
}

int fastpath_read_service_limit(struct fastpath *f, enum limit_kind kind, uint32_t slot,
				struct limit_counters *sum)
{
	return read_limit_count(f, LIMIT_COUNT((uint32_t)kind, LEVEL_SERVICE, slot), sum);
}

int fastpath_read_limit(struct fastpath *f, enum limit_kind kind, enum limit_level level,
			struct limit_counters *sum)
{
	struct limit_counters one;
	int error = 0;

	if (level != LEVEL_SERVICE)
		return read_limit_count(f, LIMIT_COUNT((uint32_t)kind, (uint32_t)level, 0), sum);
	memset(sum, 0, sizeof(*sum));
	for (uint32_t slot = 0; !error && slot < SERVICE_SLOTS; slot++) {
		error = fastpath_read_service_limit(f, kind, slot, &one);
		if (error)
			break;
		sum->over += one.over;
		sum->dropped += one.dropped;
	}
	return error;
}

int fastpath_read_guard(struct fastpath *f, uint32_t index, struct guard_counters *sum)
{
	return sum_percpu(f, f->skeleton->maps.guard_counts, index, (uint64_t *)sum,
			  sizeof(*sum) / sizeof(uint64_t));
}

int fastpath_read_outward(struct fastpath *f, struct outward_counters *sum)
{
	return sum_percpu(f, f->skeleton->maps.outward_counts, 0, (uint64_t *)sum,
			  sizeof(*sum) / sizeof(uint64_t));
}

int fastpath_read_handovers(struct fastpath *f, struct handover_counters *sum)
{
	uint32_t zero = 0;
	struct handover_counters *values = calloc((size_t)f->cpus, sizeof(*values));
	int error = 0;

	if (!values)
		return -ENOMEM;
	memset(sum, 0, sizeof(*sum));
	if (bpf_map_lookup_elem(bpf_map__fd(f->skeleton->maps.handovers), &zero, values))
		error = -errno;
	for (int cpu = 0; !error && cpu < f->cpus; cpu++) {
		for (int i = 0; i < HANDOVER_COUNT; i++)
			sum->outcome[i] += values[cpu].outcome[i];
		if (values[cpu].last_error)
			sum->last_error = values[cpu].last_error;
	}
	free(values);
	return error;
}

static int run_syscall_program(const struct bpf_program *program, void *args, size_t size)
{
	/* the kernel writes such a program's context back to where it came from */
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = args, .ctx_size_in = (__u32)size);

	return bpf_prog_test_run_opts(bpf_program__fd(program), &options);
}

int fastpath_read_jiffies(struct fastpath *f, uint64_t *jiffies)
{
	struct clock_args args = {};
	int error = run_syscall_program(f->skeleton->progs.clock_read, &args, sizeof(args));

	if (!error)
		*jiffies = args.jiffies;
	return error;
}

int fastpath_query_source(struct fastpath *f, struct source_args *source)
{
	return run_syscall_program(f->skeleton->progs.source_query, source, sizeof(*source));
}

static uint64_t begun_in(const struct begun *b, uint64_t window)
{
	return b->window[window & 1] == window ? b->count[window & 1] : 0;
}

/* Of one family. */
static int read_begun(struct fastpath *f, uint32_t family, uint64_t window, uint64_t *sum)
{
	struct begun *values = calloc((size_t)f->cpus, sizeof(*values));
	int error = 0;

	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(bpf_map__fd(f->skeleton->maps.begun_by_all), &family, values))
		error = -errno;
	for (int cpu = 0; !error && cpu < f->cpus; cpu++)
		*sum += begun_in(&values[cpu], window) + begun_in(&values[cpu], window - 1);
	free(values);
	return error;
}

int fastpath_read_begun(struct fastpath *f, enum limit_level level, uint64_t jiffies, uint64_t *sum)
{
	uint32_t window = (uint32_t)(jiffies >> fastpath_runtime(f)->window_shift);
	int error = 0;

	*sum = 0;
	if (level != LEVEL_SITE)
		error = read_begun(f, 0, window, sum);
	return error ? error : read_begun(f, 1, window, sum);
}

void fastpath_forget_source_drops(struct fastpath *f)
{
	for (size_t set = 0; set < HEAVY_SETS; set++)
		for (size_t way = 0; way < HEAVY_WAYS; way++) {
			struct heavy *h = &f->heavies[set].way[way];

			__atomic_store_n(&h->over, 0, __ATOMIC_RELAXED);
			__atomic_store_n(&h->dropped, 0, __ATOMIC_RELAXED);
		}
}

size_t fastpath_read_heavies(struct fastpath *f, struct heavy *heavy, size_t max)
{
	size_t count = 0;

	for (size_t set = 0; set < HEAVY_SETS; set++)
		for (size_t way = 0; way < HEAVY_WAYS; way++) {
			const struct heavy *h = &f->heavies[set].way[way];

			if (h->tag && count < max)
				heavy[count++] = *h;
		}
	return count;
}

/* False: it is not known where to. */
static bool send_pending(struct fastpath *f, const struct pending *pending)
{
	uint8_t frame[SYN_FRAME_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .repeat = 1);

	options.data_size_in = (__u32)syn_write(pending, frame);
	if (!options.data_size_in)
		return false;
	bpf_prog_test_run_opts(bpf_program__fd(syn_goes_outside(pending) ? f->skeleton->progs.inject_outside
									 : f->skeleton->progs.inject_inside),
			       &options);
	return true;
}

static void send_owed(struct fastpath *f, uint32_t index)
{
	struct pending pending;

	if (!bpf_map_lookup_elem(bpf_map__fd(f->skeleton->maps.pending), &index, &pending))
		send_pending(f, &pending);
}

int fastpath_expire(struct fastpath *f, uint32_t *connections, uint32_t *translated)
{
	struct sweep_args args = {};
	int error;

	memset(f->half_opens, 0, map_bytes(f->skeleton->maps.half_open_ports));
	error = run_syscall_program(f->skeleton->progs.connection_expire, &args, sizeof(args));
	if (error)
		return error;
	*connections = args.connections;
	*translated = args.translated;
	for (uint32_t i = 0; i < args.pending && i < PENDING_MAX; i++)
		send_owed(f, i);
	return 0;
}

const struct port_half_opens *fastpath_half_opens(const struct fastpath *f)
{
	return f->half_opens;
}

int fastpath_query_listener(struct fastpath *f, struct listener_args *args)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = args, .data_size_in = sizeof(*args),
		    .data_out = args, .data_size_out = sizeof(*args), .repeat = 1);

	return bpf_prog_test_run_opts(bpf_program__fd(f->skeleton->progs.listener_query), &options);
}

int fastpath_seed_flow(struct fastpath *f, const struct tuple *tuple)
{
	struct flow_seed_args args = { .tuple = *tuple };

	return run_syscall_program(f->skeleton->progs.flow_seed, &args, sizeof(args));
}

uint32_t fastpath_server_count(const struct fastpath *f)
{
	return bpf_map__max_entries(f->skeleton->maps.servers);
}

void fastpath_read_server(const struct fastpath *f, uint32_t index, struct server *server)
{
	*server = f->servers[index];
}

static int compare_words(const uint64_t *a, const uint64_t *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* Binary search as bpf/service.bpf.h does it: the last range that does not begin beyond the address. */
static uint32_t find_in_ranges4(const struct range4 *ranges, uint32_t count, uint32_t address)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (ranges[middle].first <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && address <= ranges[low - 1].last ? ranges[low - 1].service : SERVICE_NONE;
}

static uint32_t find_in_ranges6(const struct range6 *ranges, uint32_t count, const uint64_t address[2])
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare_words((const uint64_t *)ranges[middle].first, address, 2) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || compare_words(address, (const uint64_t *)ranges[low - 1].last, 2) > 0)
		return SERVICE_NONE;
	return ranges[low - 1].service;
}

uint32_t fastpath_find_service(const struct fastpath *f, const __be32 address[4], __be16 port)
{
	const struct port_ranges *p = &f->ports[(fastpath_runtime(f)->half & 1) * 65536 + ntohs(port)];
	const uint64_t wide[2] = { (uint64_t)ntohl(address[0]) << 32 | ntohl(address[1]),
				   (uint64_t)ntohl(address[2]) << 32 | ntohl(address[3]) };

	if (!address[0] && !address[1] && address[2] == htonl(0xffff))
		return find_in_ranges4(f->ranges4 + p->first4, p->count4, ntohl(address[3]));
	return find_in_ranges6(f->ranges6 + p->first6, p->count6, wide);
}

#define CHUNK_BYTES  (LIST_CHUNK_LINES * sizeof(struct list_line))
#define MAP_BYTES    (LIST_MAP_LINES * sizeof(struct list_line))
#define CHUNKS_A_MAP (LIST_MAP_LINES / LIST_CHUNK_LINES)

static char *list_map_new(const struct fastpath *f, uint32_t index)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "list_chunk", sizeof(__u32), sizeof(struct list_line),
				LIST_MAP_LINES, &options);
	void *lines;

	if (fd < 0)
		return NULL;
	lines = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (lines == MAP_FAILED) {
		lines = NULL;
	} else if (bpf_map_update_elem(bpf_map__fd(f->skeleton->maps.list_chunks), &index, &fd, BPF_ANY)) {
		munmap(lines, MAP_BYTES);
		lines = NULL;
	}
	close(fd);
	return lines;
}

void *fastpath_chunk_new(void *arg, uint32_t id)
{
	struct fastpath *f = arg;
	uint32_t index = id / CHUNKS_A_MAP, place = id % CHUNKS_A_MAP;
	char *lines = f->list_maps[index].lines;

	if (lines)
		memset(lines + place * CHUNK_BYTES, 0, CHUNK_BYTES);
	else
		lines = list_map_new(f, index);
	if (!lines)
		return NULL;
	f->list_maps[index].lines = lines;
	f->list_maps[index].chunks |= 1U << place;
	return lines + place * CHUNK_BYTES;
}

void fastpath_chunk_free(void *arg, uint32_t id, void *chunk)
{
	struct fastpath *f = arg;
	uint32_t index = id / CHUNKS_A_MAP;

	(void)chunk;
	f->list_maps[index].chunks &= ~(1U << id % CHUNKS_A_MAP);
	if (f->list_maps[index].chunks)
		return;
	bpf_map_delete_elem(bpf_map__fd(f->skeleton->maps.list_chunks), &index);
	munmap(f->list_maps[index].lines, MAP_BYTES);
	f->list_maps[index].lines = NULL;
}

struct list_hits *fastpath_list_hits(const struct fastpath *f, uint32_t *cpus)
{
	*cpus = (uint32_t)f->cpus;
	return f->list_hits;
}

int fastpath_read_events(struct fastpath *f, fastpath_event_fn *fn, void *arg, int max)
{
	int result;

	if (!f->ring)
		return 0;
	f->batch = (struct event_batch){ .fn = fn, .arg = arg, .left = max };
	result = ring_buffer__consume(f->ring);
	return result < 0 && result != -EAGAIN ? result : max - f->batch.left;
}

int fastpath_read_ring(struct fastpath *f, uint64_t *used, uint64_t *size)
{
	struct ring_args args = {};
	int error =
		f->ring ? run_syscall_program(f->skeleton->progs.ring_query, &args, sizeof(args)) : -ENODATA;

	if (error)
		return error;
	*used = args.used;
	*size = args.size;
	return 0;
}

int fastpath_read_event_counters(struct fastpath *f, struct event_counters *sum)
{
	return sum_percpu(f, f->skeleton->maps.event_counts, 0, (uint64_t *)sum,
			  sizeof(*sum) / sizeof(uint64_t));
}

void fastpath_take_registers(struct fastpath *f, uint32_t slot, struct registers *registers)
{
	*registers = f->registers[slot];
	memset(&f->registers[slot], 0, sizeof(*f->registers));
}

int fastpath_read_samples(struct fastpath *f, fastpath_sample_fn *fn, void *arg, int max)
{
	int result;

	f->sampled = (struct sample_batch){ .fn = fn, .arg = arg, .left = max };
	result = ring_buffer__consume(f->samples);
	return result < 0 && result != -EAGAIN ? result : max - f->sampled.left;
}

int fastpath_read_sample_counters(struct fastpath *f, struct sample_counters *sum)
{
	return sum_percpu(f, f->skeleton->maps.sample_counts, 0, (uint64_t *)sum,
			  sizeof(*sum) / sizeof(uint64_t));
}

int fastpath_find_connection(const struct fastpath *f, const struct tuple *tuple,
			     struct connection *connection)
{
	struct connection_args args = { .tuple = *tuple };
	int error = run_syscall_program(f->skeleton->progs.connection_query, &args, sizeof(args));

	if (error)
		return error;
	if (!args.found)
		return -ENOENT;
	*connection = args.connection;
	return 0;
}

int fastpath_reset_connection(struct fastpath *f, const struct tuple *tuple)
{
	struct connection_args args = { .tuple = *tuple };
	struct pending pending = { .tuple = *tuple, .owed = OWED_END };
	int error = run_syscall_program(f->skeleton->progs.connection_reset, &args, sizeof(args));
	bool half_open = args.connection.state == CONNECTION_SYN_RCVD, sent;

	if (error)
		return error;
	if (!args.found)
		return -ENOENT;
	pending.connection = args.connection;
	if (half_open)
		pending.owed = OWED_HALF_OPEN;
	sent = send_pending(f, &pending);
	pending.owed = OWED_END_CLIENT;
	if (!half_open)
		send_pending(f, &pending);
	return sent ? 0 : -EHOSTUNREACH;
}

#define SETS_AT_ONCE 512 /* whose slots fill whole pages */
_Static_assert(SETS_AT_ONCE *CONNECTION_WAYS * sizeof(struct connection_slot) % 65536 == 0, "no page's part");

static bool is_live(const __u64 *word, uint64_t *value)
{
	*value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	return SLOT_STATE_OF(*value) == SLOT_LIVE;
}

/* A slot that was left meanwhile, and may have been taken again, is not told of. */
static void tell_slot(const __u64 *word, const struct connection_slot *slot, fastpath_connection_fn *fn,
		      void *arg)
{
	struct connection_slot copy;
	uint64_t before, after;

	if (!is_live(word, &before))
		return;
	copy = *slot;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (is_live(word, &after) && before == after)
		fn(&copy.tuple, &copy.connection, arg);
}

/* Only a part of the table at a time is mapped, or all of it would count as the daemon's memory. */
int fastpath_next_connections(const struct fastpath *f, uint32_t *position, fastpath_connection_fn *fn,
			      void *arg)
{
	const struct bpf_map *map = f->skeleton->maps.connections;
	uint32_t sets = bpf_map__max_entries(f->skeleton->maps.connection_sets);
	uint32_t count = sets - *position < SETS_AT_ONCE ? sets - *position : SETS_AT_ONCE;
	size_t offset = (size_t)*position * CONNECTION_WAYS * sizeof(struct connection_slot);
	size_t length = (size_t)count * CONNECTION_WAYS * sizeof(struct connection_slot);
	const struct connection_slot *slots;

	if (!count)
		return 0;
	slots = mmap(NULL, length, PROT_READ, MAP_SHARED, bpf_map__fd(map), (off_t)offset);
	if (slots == MAP_FAILED)
		return -errno;
	for (uint32_t i = 0; i < count * CONNECTION_WAYS; i++)
		tell_slot(&f->sets[*position + i / CONNECTION_WAYS].word[i % CONNECTION_WAYS], &slots[i], fn,
			  arg);
	munmap((void *)slots, length);
	*position += count;
	return *position < sets;
}

int fastpath_expire_waiting(struct fastpath *f, uint32_t older_s)
{
	struct waiting_args args = { .older_s = older_s };

	return f->ring ? run_syscall_program(f->skeleton->progs.waiting_expire, &args, sizeof(args)) : 0;
}

int fastpath_program_fd(const struct fastpath *f, enum fastpath_program program)
{
	return f->programs[program];
}
