// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See harness.h. Maps that fastpath.h does not show are found by name, through the XDP program's own list.
 */
#include "tests/bpf/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "daemon/engine/ranges.h"
#include "tests/bpf/wire.h"

#define FLOW_TIME_MASK	  0x7fffffU
#define FLOW_TIME_SHIFT	  6
#define SLOT_STANDS_STILL 0x7fffffff

uint32_t harness_flow_entries = 64; /* eight buckets */
uint32_t harness_tracked;
bool harness_frags;
bool harness_inline;
uint32_t harness_connections = 64;
enum forward_mode harness_forward = FORWARD_BRIDGE;

static struct harness the_harness;

static const struct {
	uint32_t slot;
	enum service_mode mode;
	struct port_span ports[2];
	size_t port_count;
} declared[] = {
	{ SLOT_ALWAYS, MODE_ALWAYS, { { PORT_ALWAYS, PORT_ALWAYS }, { PORT_MPTCP, PORT_CLOSED } }, 2 },
	{ SLOT_AUTO, MODE_AUTO, { { PORT_AUTO, PORT_AUTO } }, 1 },
	{ SLOT_MONITOR, MODE_MONITOR, { { PORT_MONITOR, PORT_MONITOR } }, 1 },
	{ SLOT_OFF, MODE_OFF, { { PORT_OFF, PORT_OFF } }, 1 },
	{ SLOT_AUTH, MODE_ALWAYS, { { PORT_AUTH, PORT_AUTH } }, 1 },
	{ SLOT_BARE, MODE_ALWAYS, { { PORT_BARE, PORT_BARE } }, 1 },
};

#define DECLARED (sizeof(declared) / sizeof(*declared))

const char *harness_verdict_word(int verdict)
{
	static const char *const words[] = {
#define X(name, word, meaning) #word,
		VERDICTS(X)
#undef X
	};

	return verdict < 0 || verdict >= VERDICT_COUNT ? "none" : words[verdict];
}

/* --- services and runtime --- */

static void default_services(struct service services[SERVICE_SLOTS])
{
	memset(services, 0, SERVICE_SLOTS * sizeof(*services));
	for (size_t i = 0; i < DECLARED; i++) {
		bool bare = declared[i].slot == SLOT_BARE;

		services[declared[i].slot] = (struct service){
			.mode = (uint8_t)declared[i].mode,
			.wscale = SERVER_WSCALE,
			.wscale_ok = !bare,
			.sack_ok = !bare,
			.timestamps_ok = !bare,
			.ecn_ok = !bare,
			.tcp_auth = declared[i].slot == SLOT_AUTH,
			.mss4 = SERVER_MSS4,
			.mss6 = SERVER_MSS6,
			.window4 = SERVER_WINDOW4,
			.window6 = SERVER_WINDOW6,
			.tcp_auth_pps = 8,
		};
	}
}

static void default_runtime(struct harness *h)
{
	uint64_t jiffies;

	assert_int_equal(fastpath_read_jiffies(h->fastpath, &jiffies), 0);
	h->runtime = (struct runtime){
		.key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 },
			 { 0x1716151413121110, 0x1f1e1d1c1b1a1918 } },
		.key_generation = 0,
		.key_valid = 3,
		.slot_base = HARNESS_SLOT,
		.slot_began = jiffies,
		.slot_jiffies = SLOT_STANDS_STILL,
		.jiffies_hz = (uint32_t)sysconf(_SC_CLK_TCK), /* replaced by measure_hz() */
		.lookups_per_s = 100000,
		.unknown_pps = 16,
		.handshakes_max = 32,
		.handshakes_per_source = 64,
		.unknown_per_prefix = 64,
		.probe_after_s = 30,
	};
}

/* The kernel's HZ by watching jiffies for a tenth of a second: 100, 250, 300 or 1000. */
static uint32_t measure_hz(struct harness *h)
{
	static uint32_t hz;
	uint64_t before, after;

	if (hz)
		return hz;
	assert_int_equal(fastpath_read_jiffies(h->fastpath, &before), 0);
	usleep(200000);
	assert_int_equal(fastpath_read_jiffies(h->fastpath, &after), 0);
	hz = after - before > 150 ? 1000 : after - before > 55 ? 300 : after - before > 35 ? 250 : 100;
	return hz;
}

static struct port_ranges in_half(const struct harness *h, const struct port_ranges *list)
{
	struct port_ranges moved = *list;

	moved.first4 += h->runtime.half * RANGES_MAX;
	moved.first6 += h->runtime.half * RANGES_MAX;
	return moved;
}

void harness_publish(struct harness *h)
{
	struct prefix prefixes[2];
	struct config_service services[DECLARED] = { 0 };
	struct config config = { .services = services,
				 .service_count = DECLARED,
				 .protected = h->protected,
				 .protected_count = h->protected_count };
	uint32_t slots[DECLARED];
	struct ranges_table table;

	assert_int_equal(prefix_parse(SERVER4, &prefixes[0]), 0);
	assert_int_equal(prefix_parse("fd00:1::/64", &prefixes[1]), 0);
	for (size_t i = 0; i < DECLARED; i++) {
		services[i].prefixes = prefixes;
		services[i].prefix_count = 2;
		services[i].ports = (struct port_span *)declared[i].ports;
		services[i].port_count = declared[i].port_count;
		slots[i] = declared[i].slot;
	}
	assert_int_equal(ranges_compile(&config, slots, &table), 0);
	h->runtime.half = fastpath_stage_services(h->fastpath, &table, h->services);
	h->runtime.guarded = in_half(h, &table.guarded);
	for (size_t i = 0; i < h->protected_count; i++)
		h->guards[i].to = in_half(h, &table.outward_to[i]);
	fastpath_stage_guards(h->fastpath, h->runtime.half, h->guards);
	fastpath_publish(h->fastpath, &h->runtime);
	ranges_free(&table);
}

void harness_set_slot(struct harness *h, uint32_t slot)
{
	h->runtime.slot_base = slot;
	fastpath_publish(h->fastpath, &h->runtime);
}

void harness_key(const struct harness *h, uint32_t generation, uint8_t key[16])
{
	for (int i = 0; i < 16; i++)
		key[i] = (uint8_t)(h->runtime.key[generation][i / 8] >> 8 * (i % 8));
}

/* --- maps by name --- */

int harness_find_map(struct harness *h, const char *name)
{
	struct bpf_prog_info program = {};
	struct bpf_map_info map;
	__u32 ids[64], length = sizeof(program);
	int fd;

	program.map_ids = (__u64)(uintptr_t)ids;
	program.nr_map_ids = 64;
	assert_int_equal(bpf_obj_get_info_by_fd(h->xdp, &program, &length), 0);
	for (__u32 i = 0; i < program.nr_map_ids; i++) {
		fd = bpf_map_get_fd_by_id(ids[i]);
		length = sizeof(map);
		memset(&map, 0, sizeof(map));
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &length) && !strcmp(map.name, name))
			return fd;
		close(fd);
	}
	return -1;
}

static int map_by_name(struct harness *h, const char *name)
{
	int fd = harness_find_map(h, name);

	if (fd < 0)
		fail_msg("the program has no map %s", name);
	return fd;
}

static void clear_array(struct harness *h, const char *name, uint32_t entries, size_t value_size)
{
	void *zero = calloc(1, value_size);
	int fd = map_by_name(h, name);

	for (uint32_t i = 0; i < entries; i++)
		assert_int_equal(bpf_map_update_elem(fd, &i, zero, 0), 0);
	close(fd);
	free(zero);
}

void harness_fill_service_buckets(struct harness *h)
{
	clear_array(h, "service_buckets", KIND_COUNT * SERVICE_SLOTS, sizeof(struct bucket));
}

void harness_forget_listeners(struct harness *h)
{
	clear_array(h, "listeners", 1024, sizeof(uint64_t));
}

void harness_age_flows(struct harness *h, unsigned int seconds)
{
	uint64_t units = ((uint64_t)seconds * h->runtime.jiffies_hz >> FLOW_TIME_SHIFT) + 1;
	int fd = map_by_name(h, "flows");
	struct flow_bucket bucket;

	for (uint32_t i = 0; i < harness_flow_entries / FLOW_WAYS; i++) {
		assert_int_equal(bpf_map_lookup_elem(fd, &i, &bucket), 0);
		for (int way = 0; way < FLOW_WAYS; way++)
			if (bucket.entry[way])
				bucket.entry[way] = (bucket.entry[way] & ~(uint64_t)FLOW_TIME_MASK) |
						    ((bucket.entry[way] - units) & FLOW_TIME_MASK);
		assert_int_equal(bpf_map_update_elem(fd, &i, &bucket, 0), 0);
	}
	close(fd);
}

/* --- counters --- */

static void read_counters(struct harness *h, struct service_counters counters[SLOT_COUNT])
{
	for (uint32_t slot = 0; slot < SLOT_COUNT; slot++)
		assert_int_equal(fastpath_read_counters(h->fastpath, slot, &counters[slot]), 0);
}

uint32_t harness_count_acts(struct harness *h, const char *address)
{
	struct source_args known = { .level = LEVEL_SOURCE, .v6 = strchr(address, ':') ? 1 : 0 };
	struct heavy all[HEAVY_SETS * HEAVY_WAYS];
	size_t count = fastpath_read_heavies(h->fastpath, all, sizeof(all) / sizeof(*all));

	inet_pton(known.v6 ? AF_INET6 : AF_INET, address, known.address);
	assert_int_equal(fastpath_query_source(h->fastpath, &known), 0);
	for (size_t i = 0; i < count; i++)
		if (all[i].tag == known.tag)
			return all[i].acts;
	return 0;
}

uint64_t harness_count_verdicts(struct harness *h, uint64_t by_verdict[VERDICT_COUNT])
{
	struct service_counters counters[SLOT_COUNT];
	uint64_t sum = 0;

	read_counters(h, counters);
	for (int v = 0; v < VERDICT_COUNT; v++) {
		by_verdict[v] = 0;
		for (int slot = 0; slot < SLOT_COUNT; slot++)
			by_verdict[v] += counters[slot].verdict[v];
		sum += by_verdict[v];
	}
	return sum;
}

/* What grew between two readings: must be one verdict, and at most one that would have been. */
static void compare_counters(const struct service_counters *before, const struct service_counters *after,
			     struct outcome *o)
{
	uint64_t verdicts = 0, woulds = 0;

	o->would = -1;
	o->syns = 0;
	for (uint32_t slot = 0; slot < SLOT_COUNT; slot++) {
		o->syns += after[slot].syns - before[slot].syns;
		for (int v = 0; v < VERDICT_COUNT; v++) {
			uint64_t given = after[slot].verdict[v] - before[slot].verdict[v];
			uint64_t would = after[slot].would[v] - before[slot].would[v];

			verdicts += given;
			woulds += would;
			if (given) {
				o->verdict = (enum verdict)v;
				o->slot = slot;
			}
			if (would)
				o->would = v;
		}
	}
	assert_int_equal(verdicts, 1);
	assert_in_range(woulds, 0, 1);
	assert_true(woulds == 0 || o->verdict <= TX_SYNACK);
}

/* --- running --- */

/* linux/bpf.h: struct xdp_md */
struct xdp_context {
	__u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};

/* With metadata in front, as the kernel returns it; *data says how long that is. */
static int run_xdp(struct harness *h, const struct frame *frame, uint8_t *out, size_t *size, size_t *data)
{
	struct xdp_context in = { .data_end = (__u32)frame->length, .ingress_ifindex = h->ingress };
	struct xdp_context result = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes, .data_size_in = (__u32)frame->length,
		    .data_out = out, .data_size_out = (__u32)*size, .ctx_in = &in, .ctx_size_in = sizeof(in),
		    .ctx_out = &result, .ctx_size_out = sizeof(result), .repeat = 1);
	int error = bpf_prog_test_run_opts(h->xdp, &options);

	if (error)
		fail_msg("BPF_PROG_TEST_RUN of %zu bytes: %s", frame->length, strerror(-error));
	*size = options.data_size_out;
	*data = result.data;
	return (int)options.retval;
}

void harness_run(struct harness *h, const struct frame *frame, struct outcome *o)
{
	struct service_counters before[SLOT_COUNT], after[SLOT_COUNT];
	uint8_t buffer[FRAME_MAX + 256];
	size_t size = sizeof(buffer), data;

	memset(o, 0, sizeof(*o));
	read_counters(h, before);
	o->action = run_xdp(h, frame, buffer, &size, &data);
	read_counters(h, after);
	compare_counters(before, after, o);
	assert_in_range(data, 0, size);
	o->handed_over = data == sizeof(o->handover);
	if (o->handed_over)
		memcpy(&o->handover, buffer, sizeof(o->handover));
	o->out.length = size - data;
	memcpy(o->out.bytes, buffer + data, o->out.length);
}

static int action_of(enum verdict verdict)
{
	if (verdict == TX_SYNACK)
		return ACTION_TX;
	return verdict < TX_SYNACK ? ACTION_PASS : ACTION_DROP;
}

void harness_expect(struct harness *h, const char *name, const struct frame *frame, enum verdict verdict,
		    struct outcome *outcome)
{
	struct outcome other, *o = outcome ? outcome : &other;

	harness_run(h, frame, o);
	if (o->verdict != verdict)
		fail_msg("%s: %s, not %s", name, harness_verdict_word((int)o->verdict),
			 harness_verdict_word((int)verdict));
	if (o->action != action_of(verdict))
		fail_msg("%s: action %d", name, o->action);
	if (verdict != TX_SYNACK &&
	    (o->out.length != frame->length || memcmp(o->out.bytes, frame->bytes, frame->length)))
		fail_msg("%s: the frame was changed", name);
	if (o->handed_over != (verdict == PASS_COOKIE))
		fail_msg("%s: metadata", name);
}

void harness_expect_spec(struct harness *h, const char *name, const struct frame_spec *spec,
			 enum verdict verdict)
{
	struct frame f;

	frame_build(&f, spec);
	harness_expect(h, name, &f, verdict, NULL);
}

struct frame_spec harness_answer(struct harness *h, const struct frame_spec *syn, uint8_t timestamps[12])
{
	static const uint8_t head[8] = { 1, 1, 8, 10, 0, 0, 0, 10 };
	struct frame_spec ack = *syn;
	struct frame_view v;
	const uint8_t *ts;
	struct outcome o;
	struct frame f;

	frame_build(&f, syn);
	harness_expect(h, "SYN", &f, TX_SYNACK, &o);
	assert_true(frame_read(&o.out, &v));
	ts = frame_option(&o.out, &v, 8, 10);
	ack.flags = ACK;
	ack.seq = v.ack;
	ack.ack = v.seq + 1;
	ack.options = (struct bytes){ timestamps, ts ? 12 : 0 };
	if (ts) {
		memcpy(timestamps, head, sizeof(head));
		memcpy(timestamps + sizeof(head), ts, 4);
	}
	return ack;
}

int harness_run_bare(struct harness *h, const struct frame *frame, struct frame *out)
{
	struct xdp_context in = { .data_end = (__u32)frame->length, .ingress_ifindex = h->ingress };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes, .data_size_in = (__u32)frame->length,
		    .data_out = out ? out->bytes : NULL, .data_size_out = out ? FRAME_MAX : 0, .repeat = 1);
	int error;

	if (h->ingress) {
		options.ctx_in = &in;
		options.ctx_size_in = sizeof(in);
	}
	error = bpf_prog_test_run_opts(h->xdp, &options);
	if (error)
		fail_msg("BPF_PROG_TEST_RUN of %zu bytes: %s", frame->length, strerror(-error));
	if (out)
		out->length = options.data_size_out;
	return (int)options.retval;
}

int harness_run_tc(struct harness *h, enum fastpath_program program, const struct frame *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes, .data_size_in = (__u32)frame->length,
		    .repeat = 1);
	int error = bpf_prog_test_run_opts(h->programs[program], &options);

	if (error)
		fail_msg("BPF_PROG_TEST_RUN of tc: %s", strerror(-error));
	return (int)options.retval;
}

/* --- the namespace --- */

void harness_sysctl(const char *name, const char *value)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	file = fopen(path, "we");
	if (!file || fputs(value, file) < 0 || fclose(file))
		fail_msg("%s: %s", path, strerror(errno));
}

static int make_namespace(void)
{
	static const char script[] =
		"set -e; ip link set lo up; ip link set wire address 02:00:00:00:00:05 up; "
		"ip addr add " SERVER4 "/16 dev wire; "
		"ip -6 addr add " SERVER6 "/32 dev wire nodad; "
		"for client in " CLIENT4 " " CLIENT6 "; do "
		"ip neigh add $client lladdr 02:00:00:00:00:0c dev wire nud permanent; done";
	int wire;

	if (unshare(CLONE_NEWNET)) {
		perror("unshare(CLONE_NEWNET), run as root");
		return -1;
	}
	wire = wire_open("wire");
	return wire >= 0 && !system(script) ? wire : -1;
}

int harness_listen(const char *address, uint16_t port, int backlog, int protocol)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool is6 = strchr(address, ':');
	int fd = socket(is6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol), one = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(inet_pton(is6 ? AF_INET6 : AF_INET, address,
				   is6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr),
			 1);
	if (bind(fd, is6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4, is6 ? sizeof(v6) : sizeof(v4)) ||
	    listen(fd, backlog)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void listen_everywhere(void)
{
	for (uint16_t port = PORT_ALWAYS; port <= PORT_BARE; port++) {
		assert_true(harness_listen(SERVER4, port, 16, 0) >= 0);
		assert_true(harness_listen(SERVER6, port, 16, 0) >= 0);
	}
}

/* --- set up, tear down --- */

int harness_reset(void **state)
{
	struct harness *h = *state;

	default_services(h->services);
	default_runtime(h);
	h->runtime.jiffies_hz = measure_hz(h);
	harness_publish(h);
	for (uint32_t slot = 0; slot < SERVICE_SLOTS; slot++)
		memset(fastpath_state(h->fastpath, slot), 0, sizeof(struct service_state));
	if (!harness_inline) {
		clear_array(h, "flows", harness_flow_entries / FLOW_WAYS, sizeof(struct flow_bucket));
		harness_forget_listeners(h);
	}
	wire_drain(h->wire);
	return 0;
}

static void on_event(const struct event *event, void *arg)
{
	struct heard *h = arg;

	h->count++;
	h->last = *event;
}

struct heard harness_hear(struct harness *h)
{
	struct heard heard = { 0 };

	assert_true(fastpath_read_events(h->fastpath, on_event, &heard, 1000000) >= 0);
	return heard;
}

int harness_set_up(void **state)
{
	const struct fastpath_options options = { .flow_entries = harness_flow_entries,
						  .frags = harness_frags,
						  .tracked = harness_tracked,
						  .inline_mode = harness_inline,
						  .connections = harness_connections,
						  .forward = harness_forward };
	struct harness *h = &the_harness;
	char text[512];

	h->wire = make_namespace();
	if (h->wire < 0)
		return -1;
	if (fastpath_new(&h->fastpath, &options, text, sizeof(text))) {
		print_error("%s\n", text);
		return -1;
	}
	for (int i = FASTPATH_XDP_HOST; i <= FASTPATH_XDP_INSIDE; i++)
		h->programs[i] = fastpath_program_fd(h->fastpath, (enum fastpath_program)i);
	h->xdp = h->programs[harness_inline ? FASTPATH_XDP_OUTSIDE : FASTPATH_XDP_HOST];
	*state = h;
	listen_everywhere();
	return harness_reset(state);
}

int harness_set_up_inline(const struct harness *host, struct harness *h)
{
	const struct fastpath_options options = { .inline_mode = true,
						  .connections = harness_connections,
						  .tracked = harness_tracked };
	char text[512];

	*h = *host;
	if (fastpath_new(&h->fastpath, &options, text, sizeof(text))) {
		print_error("%s\n", text);
		return -1;
	}
	for (int i = FASTPATH_XDP_HOST; i <= FASTPATH_XDP_INSIDE; i++)
		h->programs[i] = fastpath_program_fd(h->fastpath, (enum fastpath_program)i);
	h->xdp = h->programs[FASTPATH_XDP_OUTSIDE];
	harness_publish(h);
	return 0;
}

int harness_tear_down(void **state)
{
	struct harness *h = *state;

	fastpath_free(h->fastpath);
	close(h->wire);
	return 0;
}
