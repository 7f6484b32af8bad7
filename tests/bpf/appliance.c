// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See appliance.h.
 */
#include "tests/bpf/appliance.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/synmoat.skel.h"

#define CLOCK_SHIFT 6 /* seen counts jiffies / 64 */

static struct synmoat_bpf *copies;

const uint8_t appliance_mac[PORT_COUNT][6] = { { 2, 0, 0, 0, 1, 1 }, { 2, 0, 0, 0, 2, 1 } };
const uint8_t appliance_next_hop[PORT_COUNT][6] = { { 2, 0, 0, 0, 1, 2 }, { 2, 0, 0, 0, 2, 2 } };

/* --- running --- */

/* Of the program that runs, and the interface that the frame came from. */
static void enter(struct harness *h, int program, enum port from)
{
	h->xdp = program;
	h->ingress = if_nametoindex(from == PORT_OUTSIDE ? "outside" : "inside");
}

static void leave(struct harness *h)
{
	h->xdp = h->programs[FASTPATH_XDP_OUTSIDE];
	h->ingress = 0;
}

static int hook(const struct harness *h, enum port from)
{
	return h->programs[from == PORT_OUTSIDE ? FASTPATH_XDP_OUTSIDE : FASTPATH_XDP_INSIDE];
}

void appliance_run(struct harness *h, enum port from, const struct frame *frame, struct outcome *o)
{
	enter(h, hook(h, from), from);
	harness_run(h, frame, o);
	leave(h);
}

int appliance_run_bare(struct harness *h, enum port from, const struct frame *frame, struct frame *out)
{
	int action;

	enter(h, hook(h, from), from);
	action = harness_run_bare(h, frame, out);
	leave(h);
	return action;
}

static int action_of(enum verdict verdict)
{
	switch (verdict) {
	case TX_SYNACK:
	case TX_RST:
	case TX_CLOSED:
	case TX_REFUSED:
		return ACTION_TX;
	case PASS_TRANSLATED:
	case PASS_HANDSHAKE:
	case PASS_COOKIE:
		return ACTION_REDIRECT;
	default: /* what is not ours is the kernel's to route */
		if (verdict > TX_SYNACK)
			return ACTION_DROP;
		return harness_forward == FORWARD_ROUTE ? ACTION_PASS : ACTION_REDIRECT;
	}
}

void appliance_compare(const char *name, const struct frame *got, const struct frame *expected)
{
	for (size_t i = 0; i < got->length && i < expected->length; i++)
		if (got->bytes[i] != expected->bytes[i])
			fail_msg("%s: byte %zu is %02x, not %02x", name, i, got->bytes[i],
				 expected->bytes[i]);
	if (got->length != expected->length)
		fail_msg("%s: %zu bytes, not %zu", name, got->length, expected->length);
}

void appliance_expect(struct harness *h, const char *name, enum port from, const struct frame *frame,
		      enum verdict verdict, const struct frame *expected)
{
	static struct outcome o;

	appliance_run(h, from, frame, &o);
	if (o.verdict != verdict)
		fail_msg("%s: %s, not %s", name, harness_verdict_word((int)o.verdict),
			 harness_verdict_word((int)verdict));
	if (o.action != action_of(verdict))
		fail_msg("%s: action %d", name, o.action);
	appliance_compare(name, &o.out, expected ? expected : frame);
}

void appliance_expect_spec(struct harness *h, const char *name, enum port from, const struct frame_spec *spec,
			   enum verdict verdict)
{
	struct frame f;

	frame_build(&f, spec);
	appliance_expect(h, name, from, &f, verdict, NULL);
}

bool appliance_copy(struct harness *h, const struct frame *frame, struct frame *copy)
{
	int action;

	enter(h, bpf_program__fd(copies->progs.xdp_copy_inside), PORT_INSIDE);
	action = harness_run_bare(h, frame, copy);
	leave(h);
	assert_true(action == ACTION_PASS || action == ACTION_DROP);
	return action == ACTION_PASS;
}

/* --- the connection table --- */

static int map(struct harness *h, const char *name)
{
	int fd = harness_find_map(h, name);

	if (fd < 0)
		fail_msg("the program has no map %s", name);
	return fd;
}

static void put_address(__be32 to[4], const char *text, bool v6)
{
	memset(to, 0, 16);
	if (!v6)
		to[2] = htonl(0xffff);
	assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, text, v6 ? to : to + 3), 1);
}

void appliance_tuple(struct tuple *t, const struct frame_spec *s)
{
	bool v6 = strchr(s->daddr, ':');

	memset(t, 0, sizeof(*t));
	put_address(t->client, s->saddr, v6);
	put_address(t->server, s->daddr, v6);
	t->client_port = htons(s->source);
	t->server_port = htons(s->dest);
	t->v6 = v6;
}

static uint32_t entries_of(int fd);

/* All of the table, as the programs see it. */
static struct {
	struct connection_set *sets;
	struct connection_slot *slots;
	uint32_t set_count;
} table;

static void *map_table(struct harness *h, const char *name, size_t value_size, uint32_t *entries)
{
	int fd = map(h, name);
	void *memory;

	*entries = entries_of(fd);
	memory = mmap(NULL, *entries * value_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	close(fd);
	return memory;
}

static void open_table(struct harness *h)
{
	uint32_t slots;

	table.sets = map_table(h, "connection_sets", sizeof(*table.sets), &table.set_count);
	table.slots = map_table(h, "connections", sizeof(*table.slots), &slots);
	assert_int_equal(slots, table.set_count * CONNECTION_WAYS);
}

static void close_table(void)
{
	munmap(table.sets, table.set_count * sizeof(*table.sets));
	munmap(table.slots, table.set_count * CONNECTION_WAYS * sizeof(*table.slots));
}

/* The next live one from *at on, or NULL. */
static struct connection_slot *next_slot(uint32_t *at)
{
	for (; *at < table.set_count * CONNECTION_WAYS; ++*at) {
		uint64_t word = table.sets[*at / CONNECTION_WAYS].word[*at % CONNECTION_WAYS];

		if (SLOT_STATE_OF(word) == SLOT_LIVE)
			return &table.slots[(*at)++];
	}
	return NULL;
}

static struct connection_slot *find_slot(const struct tuple *tuple)
{
	struct connection_slot *slot;
	uint32_t at = 0;

	do
		slot = next_slot(&at);
	while (slot && memcmp(&slot->tuple, tuple, sizeof(*tuple)));
	return slot;
}

bool appliance_find(struct harness *h, const struct tuple *tuple, struct connection *connection)
{
	const struct connection_slot *slot = find_slot(tuple);

	(void)h;
	if (slot)
		*connection = slot->connection;
	return slot;
}

void appliance_store(struct harness *h, const struct tuple *tuple, const struct connection *connection)
{
	struct connection_slot *slot = find_slot(tuple);

	(void)h;
	assert_non_null(slot);
	slot->connection = *connection;
}

uint32_t appliance_count(struct harness *h)
{
	uint32_t at = 0, count = 0;

	(void)h;
	while (next_slot(&at))
		count++;
	return count;
}

static uint32_t entries_of(int fd)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &length), 0);
	return info.max_entries;
}

static uint64_t sum_array(struct harness *h, const char *name)
{
	int fd = map(h, name);
	uint32_t entries = entries_of(fd), at;
	uint32_t *keys = calloc(entries, sizeof(*keys)), *counts = calloc(entries, sizeof(*counts));
	uint64_t sum = 0;

	assert_true(keys && counts);
	assert_int_equal(bpf_map_lookup_batch(fd, NULL, &at, keys, counts, &entries, NULL), 0);
	for (uint32_t i = 0; i < entries; i++)
		sum += counts[i];
	free(keys);
	free(counts);
	close(fd);
	return sum;
}

uint64_t appliance_counted(struct harness *h)
{
	return sum_array(h, "connections_now");
}

void appliance_check_counts(struct harness *h)
{
	uint32_t counts[SERVICE_SLOTS][2] = { 0 }, total = 0, handshakes = 0;
	const struct connection_slot *s;
	uint32_t at = 0;

	while ((s = next_slot(&at))) {
		const struct connection *c = &s->connection;

		assert_in_range(c->service, 0, SERVICE_SLOTS - 1);
		counts[c->service][0] += c->state == CONNECTION_SYN_SENT;
		counts[c->service][1] += c->state == CONNECTION_SYN_RCVD;
		handshakes += c->state == CONNECTION_SYN_SENT;
		total++;
	}
	assert_int_equal(appliance_counted(h), total);
	assert_int_equal(sum_array(h, "handshakes"), handshakes);
	for (uint32_t slot = 0; slot < SERVICE_SLOTS; slot++) {
		assert_int_equal(fastpath_state(h->fastpath, slot)->handshakes, counts[slot][0]);
		assert_int_equal(fastpath_state(h->fastpath, slot)->half_open, counts[slot][1]);
	}
}

void appliance_age(struct harness *h, const struct tuple *tuple, double seconds)
{
	struct connection c;

	assert_true(appliance_find(h, tuple, &c));
	c.seen -= (uint32_t)(seconds * h->runtime.jiffies_hz / (1 << CLOCK_SHIFT));
	appliance_store(h, tuple, &c);
}

void appliance_sweep(struct harness *h, struct sweep_args *args)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = args, .ctx_size_in = sizeof(*args));

	memset(args, 0, sizeof(*args));
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(copies->progs.connection_expire), &options),
			 0);
	(void)h;
}

void appliance_pending(struct harness *h, uint32_t index, struct pending *pending)
{
	(void)h;
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(copies->maps.pending), &index, pending), 0);
}

/* All that the programs keep of their own lies in .bss: the time of the last sweep. */
void appliance_forget_sweep(struct harness *h)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info), zero = 0;
	int fd = map(h, "synmoat_.bss");
	void *bytes;

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &length), 0);
	bytes = calloc(1, info.value_size);
	assert_non_null(bytes);
	assert_int_equal(bpf_map_update_elem(fd, &zero, bytes, 0), 0);
	free(bytes);
	close(fd);
}

/* --- set up, tear down --- */

static void clear_connections(struct harness *h)
{
	int handshakes = map(h, "handshakes");
	const struct connection_slot *slot;
	const uint32_t none = 0;
	uint32_t at = 0;

	while ((slot = next_slot(&at))) {
		uint32_t source = slot->connection.source;

		assert_int_equal(bpf_map_update_elem(handshakes, &source, &none, 0), 0);
	}
	memset(table.sets, 0, table.set_count * sizeof(*table.sets));
	close(handshakes);
}

static void clear_array(struct harness *h, const char *name, size_t value_size)
{
	void *zero = calloc(1, value_size);
	int fd = map(h, name);
	uint32_t entries = entries_of(fd);

	assert_non_null(zero);
	for (uint32_t i = 0; i < entries; i++)
		assert_int_equal(bpf_map_update_elem(fd, &i, zero, 0), 0);
	close(fd);
	free(zero);
}

/* One that may be mapped into memory: a thousand times as quick. */
static void clear_memory(struct harness *h, const char *name, size_t value_size)
{
	int fd = map(h, name);
	size_t size = (value_size + 7) / 8 * 8 * entries_of(fd);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	memset(memory, 0, size);
	munmap(memory, size);
	close(fd);
}

void appliance_forget_servers(struct harness *h)
{
	clear_memory(h, "servers", sizeof(struct server));
}

void appliance_forget(struct harness *h)
{
	clear_connections(h);
	clear_array(h, "connections_now", sizeof(uint32_t));
	appliance_forget_servers(h);
	for (uint32_t slot = 0; slot < SERVICE_SLOTS; slot++) {
		struct service_state *state = fastpath_state(h->fastpath, slot);

		state->handshakes = state->half_open = 0;
	}
}

int appliance_reset(void **state)
{
	struct harness *h = *state;

	appliance_forget(h);
	clear_array(h, "stashes", sizeof(struct stash));
	appliance_forget_sweep(h);
	if (harness_reset(state))
		return -1;
	h->runtime.port_ifindex[PORT_OUTSIDE] = if_nametoindex("outside");
	h->runtime.port_ifindex[PORT_INSIDE] = if_nametoindex("inside");
	if (harness_forward == FORWARD_ROUTE)
		harness_publish(h);
	return 0;
}

/* The kernel cuts names. */
static int shared_map(struct harness *h, const struct bpf_map *m)
{
	char name[16] = "";

	strncpy(name, bpf_map__name(m), sizeof(name) - 1);
	return harness_find_map(h, name);
}

int appliance_share_maps(struct harness *h, struct bpf_object *object)
{
	struct bpf_map *m;

	bpf_object__for_each_map(m, object)
	{
		int fd = shared_map(h, m);

		if (fd >= 0 && bpf_map__reuse_fd(m, fd))
			return -1;
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

static int load_copies(struct harness *h)
{
	struct bpf_program *program;

	copies = synmoat_bpf__open();
	if (!copies)
		return -1;
	bpf_object__for_each_program(program, copies->obj)
		bpf_program__set_autoload(program, program == copies->progs.xdp_copy_inside ||
							   program == copies->progs.connection_expire);
	bpf_program__set_expected_attach_type(copies->progs.xdp_copy_inside, 0);
	return appliance_share_maps(h, copies->obj) ? -1 : synmoat_bpf__load(copies);
}

/* Down, so that no frame but the test's is ever counted. */
static const char bridged[] = "set -e; ip link add outside type veth peer name client; "
			      "ip link add inside type veth peer name server";

/* Up, or there are no routes; but nobody behind them says a word of its own. */
static const char routed[] =
	"set -e; exec >/dev/null; ip link del wire; "
	"sysctl net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; "
	"for port in outside:client:1 inside:server:2; do IFS=:; set -- $port; unset IFS; "
	"ip link add $1 address 02:00:00:00:0$3:01 type veth peer name $2; "
	"sysctl net.ipv6.conf.$2.disable_ipv6=1; ip link set $2 up; ip link set $1 up; done; "
	"ip link set outside mtu 1400; "
	"ip addr add 10.1.7.1/24 dev outside; ip addr add 10.1.0.2/24 dev inside; "
	"ip -6 addr add fd00:1:0:7::1/64 dev outside nodad; ip -6 addr add fd00:1::2/64 dev inside nodad; "
	"ip neigh add " CLIENT4 " lladdr 02:00:00:00:01:02 dev outside nud permanent; "
	"ip neigh add " CLIENT6 " lladdr 02:00:00:00:01:02 dev outside nud permanent; "
	"ip neigh add " SERVER4 " lladdr 02:00:00:00:02:02 dev inside nud permanent; "
	"ip neigh add " SERVER6 " lladdr 02:00:00:00:02:02 dev inside nud permanent";

static int attach(struct harness *h)
{
	const char *script = harness_forward == FORWARD_ROUTE ? routed : bridged;
	char text[256] = "";

	if (system(script) || fastpath_attach_inline(h->fastpath, if_nametoindex("outside"),
						     if_nametoindex("inside"), false, text, sizeof(text))) {
		print_error("%s\n", text);
		return -1;
	}
	return 0;
}

int appliance_set_up(void **state)
{
	harness_inline = true;
	if (harness_set_up(state) || attach(*state))
		return -1;
	open_table(*state);
	return load_copies(*state);
}

int appliance_tear_down(void **state)
{
	close_table();
	synmoat_bpf__destroy(copies);
	return harness_tear_down(state);
}
