// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What doctor says, each check with both outcomes: of files under a root of our own, and of what was read of
 * interfaces, listeners and rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "daemon/doctor/doctor.h"
#include "daemon/doctor/exposure.h"
#include "daemon/doctor/firewall.h"
#include "daemon/doctor/install.h"
#include "daemon/doctor/interface.h"
#include "daemon/doctor/system.h"

#define ROUTED                                                                                               \
	"deployment = \"inline\"; forward = \"route\"; interfaces = { outside = \"eth0\"; inside = "         \
	"\"eth1.7\"; };"
#define BRIDGED                                                                                              \
	"deployment = \"inline\"; forward = \"bridge\"; interfaces = { outside = \"eth0\"; inside = "        \
	"\"eth1.7\"; };"
#define HOSTED "deployment = \"host\"; interfaces = { outside = \"eth0\"; };"
#define WEB                                                                                                  \
	"services = ( { name = \"web\"; prefixes = [ \"192.0.2.0/24\", \"2001:db8::/64\" ]; ports = ( 80, "  \
	"\"8000-8010\" ); mode = \"auto\"; } );"

#define IPV4_ALONE "services = ( { name = \"v4\"; prefixes = [ \"192.0.2.1\" ]; ports = [ 80 ]; } );"

static struct config *parse(const char *text)
{
	struct config_error error;
	struct config *config = NULL;
	char whole[1024], line[1024];

	snprintf(whole, sizeof(whole), "%s%s", text, strstr(text, "services") ? "" : IPV4_ALONE);
	if (config_parse(whole, strlen(whole), "test", &config, &error))
		fail_msg("%s", config_error_format(&error, line, sizeof(line)));
	return config;
}

/* A file below root, with the folders that lead to it. */
static void put(const char *root, const char *path, const char *text)
{
	char whole[512];
	FILE *file;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(whole, 0755);
		*slash = '/';
	}
	file = fopen(whole, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static const struct finding *find(const struct findings *f, const char *check)
{
	for (size_t i = 0; i < f->count; i++)
		if (!strcmp(f->items[i].check, check))
			return &f->items[i];
	return NULL;
}

/* The first finding of a check; its severity, and a part of what it saw. */
static void expect(struct findings *f, const char *check, enum severity severity, const char *part)
{
	const struct finding *finding = find(f, check);

	if (!finding)
		fail_msg("nothing is said of %s", check);
	if (finding->severity != severity || !strstr(finding->seen, part))
		fail_msg("%s: %s: \"%s\", expected %s: \"%s\"", check,
			 findings_severity_word(finding->severity), finding->seen,
			 findings_severity_word(severity), part);
	/* what is wrong comes with what to do */
	if (severity > SEVERITY_NOTE && !*finding->advice)
		fail_msg("%s: \"%s\" without advice", check, finding->seen);
}

struct world {
	char root[64];
	char clear[96];
};

static void begin(struct world *world)
{
	snprintf(world->root, sizeof(world->root), "/tmp/synmoat-doctor.XXXXXX");
	assert_non_null(mkdtemp(world->root));
	snprintf(world->clear, sizeof(world->clear), "rm -rf %s", world->root);
}

static void end(const struct world *world)
{
	assert_int_equal(system(world->clear), 0); /* NOLINT: a path of our own */
}

/* --- sysctls --- */

static const struct sysctl_row {
	const char *conf, *path, *right, *wrong;
	enum severity severity;
	const char *seen, *advice;
} sysctl_rows[] = {
	{ HOSTED, "net/ipv4/tcp_syncookies", "1", "0", SEVERITY_CRITICAL, "net.ipv4.tcp_syncookies is 0",
	  "sysctl -w net.ipv4.tcp_syncookies=1" },
	{ HOSTED, "net/ipv4/tcp_syncookies", "2", "0", SEVERITY_CRITICAL, "", "" },
	{ HOSTED, "net/netfilter/nf_conntrack_tcp_loose", "1", "0", SEVERITY_CRITICAL,
	  "never sees our SYN-ACK", "=1" },
	{ HOSTED, "net/ipv4/tcp_rfc1337", "0", "1", SEVERITY_WARNING, "try twice", "=0" },
	{ HOSTED, "net/ipv4/tcp_timestamps", "1", "0", SEVERITY_WARNING, "22 instead of 32 bits", "=1" },
	{ HOSTED, "net/ipv4/tcp_window_scaling", "1", "0", SEVERITY_WARNING, "64 KiB", "=1" },
	{ HOSTED, "net/ipv4/tcp_sack", "1", "0", SEVERITY_WARNING, "tcp_sack is 0", "=1" },
	{ HOSTED, "net/core/somaxconn", "4096", "128", SEVERITY_WARNING, "somaxconn is 128", "=4096" },
	{ HOSTED, "net/ipv4/tcp_max_syn_backlog", "512", "128", SEVERITY_NOTE, "is 128", "=4096" },
	{ HOSTED, "net/ipv4/tcp_synack_retries", "3", "5", SEVERITY_NOTE, "is 5", "=3" },
	{ HOSTED, "net/ipv4/tcp_abort_on_overflow", "0", "1", SEVERITY_WARNING, "resets clients", "=0" },
	{ HOSTED, "net/ipv4/icmp_echo_ignore_broadcasts", "1", "0", SEVERITY_WARNING, "Smurf", "=1" },
	{ HOSTED, "net/core/bpf_jit_enable", "1", "0", SEVERITY_CRITICAL, "interpreted", "=1" },
	{ HOSTED, "net/core/bpf_jit_harden", "1", "2", SEVERITY_WARNING, "blinded", "=1" },
	{ HOSTED, "kernel/bpf_stats_enabled", "0", "1", SEVERITY_NOTE, "measures every run", "=0" },
	{ ROUTED, "net/ipv4/conf/eth0/forwarding", "1", "0", SEVERITY_CRITICAL,
	  "net.ipv4.conf.eth0.forwarding is 0", "=1" },
	{ ROUTED, "net/ipv4/conf/eth1.7/forwarding", "1", "0", SEVERITY_CRITICAL,
	  "net.ipv4.conf.eth1.7.forwarding is 0", "=1" },
	{ ROUTED WEB, "net/ipv6/conf/eth0/forwarding", "1", "0", SEVERITY_CRITICAL,
	  "net.ipv6.conf.eth0.forwarding is 0", "=1" },
	{ ROUTED, "net/ipv4/conf/all/rp_filter", "2", "1", SEVERITY_NOTE, "strict", "=2" },
	{ ROUTED, "net/ipv4/conf/eth0/rp_filter", "0", "1", SEVERITY_NOTE, "strict", "=2" },
	/* what does not matter there */
	{ BRIDGED, "net/ipv4/conf/eth0/forwarding", "0", NULL, SEVERITY_OK, "", "" },
	{ ROUTED, "net/ipv4/tcp_syncookies", "0", NULL, SEVERITY_OK, "", "" },
	{ ROUTED, "net/ipv6/conf/eth0/forwarding", "0", NULL, SEVERITY_OK, "", "" },
};

static void check_sysctl(const struct sysctl_row *row, const char *value, bool right)
{
	struct findings f = { 0 };
	struct world world;
	struct doctor doctor = { .root = world.root };
	struct config *config = parse(row->conf);
	char path[128];

	doctor.config = config;
	begin(&world);
	snprintf(path, sizeof(path), "/proc/sys/%s", row->path);
	put(world.root, path, value);
	sysctls_check(&doctor, &f);
	assert_int_equal(f.count, 1);
	expect(&f, "sysctl", right ? SEVERITY_OK : row->severity, right ? "are right" : row->seen);
	if (!right)
		assert_non_null(strstr(f.items[0].advice, row->advice));
	findings_fini(&f);
	config_free(config);
	end(&world);
}

static void settings_of_the_kernel_are_right_or_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sysctl_rows) / sizeof(*sysctl_rows); i++) {
		check_sysctl(&sysctl_rows[i], sysctl_rows[i].right, true);
		if (sysctl_rows[i].wrong)
			check_sysctl(&sysctl_rows[i], sysctl_rows[i].wrong, false);
	}
}

/* --- the kernel --- */

static void check_kernel(const char *conf, const char *release, const char *btf, enum severity severity,
			 const char *seen)
{
	struct findings f = { 0 };
	struct world world;
	struct doctor doctor = { .root = world.root };
	struct config *config = parse(conf);

	doctor.config = config;
	begin(&world);
	put(world.root, "/proc/sys/kernel/osrelease", release);
	if (btf)
		put(world.root, "/sys/kernel/btf/vmlinux", btf);
	system_check_kernel(&doctor, &f);
	system_check_handover(&doctor, &f);
	expect(&f, "kernel", severity, seen);
	if (btf)
		assert_null(find(&f, "btf"));
	else
		expect(&f, "btf", SEVERITY_CRITICAL, "no program can be loaded");
	findings_fini(&f);
	config_free(config);
	end(&world);
}

static void the_kernel_is_late_enough_or_not(void **state)
{
	(void)state;
	check_kernel(HOSTED, "6.9.0-1-amd64\n", "x", SEVERITY_OK, "Linux 6.9.0-1-amd64");
	check_kernel(HOSTED, "6.8.12\n", "x", SEVERITY_CRITICAL, "where 6.9 is needed");
	check_kernel(HOSTED, "7.0\n", NULL, SEVERITY_OK, "7.0 (tested: 6.18)");
	check_kernel(BRIDGED, "6.1.0-9-amd64\n", "x", SEVERITY_OK, "6.1.0-9-amd64 (tested: 6.1, 6.18)");
	check_kernel(BRIDGED, "5.15.0\n", "x", SEVERITY_CRITICAL, "where 6.1 is needed");
	check_kernel(HOSTED, "unknown\n", "x", SEVERITY_NOTE, "cannot be told");
}

static void check_handover(const char *btf, enum severity severity)
{
	struct findings f = { 0 };
	struct world world;
	struct doctor doctor = { .root = world.root };
	struct config *config = parse(HOSTED);

	doctor.config = config;
	begin(&world);
	put(world.root, "/sys/kernel/btf/vmlinux", btf);
	system_check_handover(&doctor, &f);
	expect(&f, "handover", severity, "bpf_sk_assign_tcp_reqsk");
	findings_fini(&f);
	config_free(config);
	end(&world);
}

static void write_binary(const char *path, const char *bytes, size_t length)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	fclose(file);
}

static void the_kernel_takes_over_handshakes_or_not(void **state)
{
	static const char types[] = "\0bpf_sk_assign\0bpf_sk_assign_tcp_reqsk\0bpf_other";
	struct findings f = { 0 };
	struct world world;
	struct doctor doctor = { .root = world.root };
	struct config *config = parse(HOSTED);
	char path[128];

	(void)state;
	check_handover("bpf_sk_assign, bpf_sk_assign_tcp_reqsk_not", SEVERITY_CRITICAL);
	doctor.config = config;
	begin(&world);
	put(world.root, "/sys/kernel/btf/vmlinux", "");
	snprintf(path, sizeof(path), "%s/sys/kernel/btf/vmlinux", world.root);
	write_binary(path, types, sizeof(types));
	system_check_handover(&doctor, &f);
	expect(&f, "handover", SEVERITY_OK, "takes over");
	findings_fini(&f);
	config_free(config);
	end(&world);
}

static void check_memory(const char *limit, enum severity severity)
{
	struct findings f = { 0 };
	struct world world;
	/* that there is an engine is all that is asked */
	struct doctor doctor = { .root = world.root, .engine = (struct engine *)&world };

	begin(&world);
	put(world.root, "/proc/self/cgroup", "0::/system.slice/synmoatd.service\n");
	put(world.root, "/sys/fs/cgroup/system.slice/synmoatd.service/memory.max", "max\n");
	put(world.root, "/sys/fs/cgroup/system.slice/memory.max", limit);
	system_check_memory(&doctor, &f);
	expect(&f, "memory", severity, "BPF maps");
	findings_fini(&f);
	end(&world);
}

static void the_control_group_gives_enough_memory_or_not(void **state)
{
	(void)state;
	check_memory("max\n", SEVERITY_OK);
	check_memory("1073741824\n", SEVERITY_OK);
	check_memory("67108864\n", SEVERITY_WARNING);
}

static void capabilities_are_there_or_not(void **state)
{
	const uint64_t ours = 1ULL << CAP_NET_ADMIN | 1ULL << CAP_BPF | 1ULL << CAP_PERFMON;
	const struct {
		uint64_t effective;
		bool daemon;
		enum severity severity;
		const char *seen;
	} rows[] = {
		{ ours, true, SEVERITY_OK, "" },
		{ ours & ~(1ULL << CAP_BPF), true, SEVERITY_CRITICAL, "lacks CAP_BPF" },
		{ 0, true, SEVERITY_CRITICAL, "CAP_NET_ADMIN CAP_PERFMON CAP_BPF" },
		{ ~0ULL, true, SEVERITY_NOTE, "everything" },
		{ 0, false, SEVERITY_NOTE, "not looked at" },
		{ ~0ULL, false, SEVERITY_OK, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct findings f = { 0 };

		system_judge_capabilities(rows[i].effective, rows[i].daemon, &f);
		expect(&f, "capabilities", rows[i].severity, rows[i].seen);
		findings_fini(&f);
	}
}

static void the_clock_is_synchronised_or_not(void **state)
{
	struct findings f = { 0 };

	(void)state;
	system_judge_clock(true, true, &f);
	expect(&f, "clock", SEVERITY_OK, "");
	findings_fini(&f);
	system_judge_clock(false, false, &f);
	expect(&f, "clock", SEVERITY_NOTE, "times of events");
	findings_fini(&f);
	system_judge_clock(false, true, &f);
	expect(&f, "clock", SEVERITY_WARNING, "siblings");
	findings_fini(&f);
}

/* --- interfaces --- */

#define WHOLE (DEVICE_XDP_BASIC | DEVICE_XDP_REDIRECT | DEVICE_XDP_TRANSMIT | DEVICE_XDP_FRAGS)

static const struct interface_row {
	const char *conf;
	struct device device;
	unsigned int mtu, other_mtu, cpus;
	bool attached;
	const char *check;
	enum severity severity;
	const char *seen;
} interface_rows[] = {
	{ HOSTED,
	  { .driver = "ice", .features_known = true, .xdp_features = WHOLE },
	  1500,
	  0,
	  4,
	  true,
	  "driver",
	  SEVERITY_OK,
	  "driver ice has native XDP" },
	{ HOSTED,
	  { .driver = "e100", .features_known = true },
	  1500,
	  0,
	  4,
	  false,
	  "driver",
	  SEVERITY_CRITICAL,
	  "no native XDP" },
	{ "xdp = \"generic\";" HOSTED,
	  { .driver = "e100", .features_known = true },
	  1500,
	  0,
	  4,
	  false,
	  "driver",
	  SEVERITY_NOTE,
	  "generic was asked for" },
	{ "xdp = \"generic\";" HOSTED,
	  { .driver = "ice", .features_known = true, .xdp_features = WHOLE },
	  1500,
	  0,
	  4,
	  false,
	  "driver",
	  SEVERITY_WARNING,
	  "slower" },
	{ HOSTED, { .driver = "ice" }, 1500, 0, 4, false, "driver", SEVERITY_NOTE, "does not say" },
	{ "xdp = \"generic\";" HOSTED,
	  { .driver = "veth", .features_known = true, .xdp_features = WHOLE, .peer = DEVICE_PEER_BARE },
	  1500,
	  0,
	  4,
	  false,
	  "driver",
	  SEVERITY_OK,
	  "as one needs" },
	{ "xdp = \"generic\";" HOSTED,
	  { .driver = "veth",
	    .features_known = true,
	    .xdp_features = WHOLE,
	    .peer = DEVICE_PEER_HAS_PROGRAM },
	  1500,
	  0,
	  4,
	  false,
	  "driver",
	  SEVERITY_WARNING,
	  "slower" },
	{ HOSTED,
	  { .driver = "veth", .peer = DEVICE_PEER_BARE },
	  1500,
	  0,
	  4,
	  false,
	  "peer",
	  SEVERITY_CRITICAL,
	  "cookies above all, do not leave it" },
	{ HOSTED,
	  { .driver = "veth", .peer = DEVICE_PEER_UNTOLD },
	  1500,
	  0,
	  4,
	  false,
	  "peer",
	  SEVERITY_WARNING,
	  "only if its peer has an XDP program" },
	{ HOSTED,
	  { .driver = "veth", .peer = DEVICE_PEER_HAS_PROGRAM },
	  1500,
	  0,
	  4,
	  false,
	  "peer",
	  SEVERITY_OK,
	  "has an XDP program" },
	/* beside the driver's own finding, not in its place */
	{ BRIDGED,
	  { .driver = "veth",
	    .features_known = true,
	    .xdp_features = DEVICE_XDP_BASIC | DEVICE_XDP_REDIRECT,
	    .peer = DEVICE_PEER_BARE },
	  1500,
	  0,
	  4,
	  false,
	  "peer",
	  SEVERITY_CRITICAL,
	  "cookies above all" },
	{ BRIDGED,
	  { .driver = "x", .features_known = true, .xdp_features = DEVICE_XDP_BASIC },
	  1500,
	  0,
	  4,
	  false,
	  "driver",
	  SEVERITY_CRITICAL,
	  "cannot redirect" },
	{ BRIDGED,
	  { .driver = "x",
	    .features_known = true,
	    .xdp_features = DEVICE_XDP_BASIC | DEVICE_XDP_REDIRECT,
	    .xdp_program = 7 },
	  1500,
	  0,
	  4,
	  true,
	  "driver",
	  SEVERITY_CRITICAL,
	  "takes no packets" },
	{ BRIDGED,
	  { .driver = "x", .features_known = true, .xdp_features = DEVICE_XDP_BASIC | DEVICE_XDP_REDIRECT },
	  1500,
	  0,
	  4,
	  false,
	  "driver",
	  SEVERITY_NOTE,
	  "only once a program is attached" },
	{ BRIDGED,
	  { .driver = "veth",
	    .features_known = true,
	    .xdp_features = DEVICE_XDP_BASIC | DEVICE_XDP_REDIRECT },
	  1500,
	  0,
	  4,
	  false,
	  "driver",
	  SEVERITY_CRITICAL,
	  "takes no packets" },
	{ BRIDGED,
	  { .driver = "veth", .features_known = true, .xdp_features = WHOLE },
	  1500,
	  0,
	  4,
	  false,
	  "driver",
	  SEVERITY_OK,
	  "native" },
	{ BRIDGED, { .driver = "veth" }, 1500, 0, 4, false, "checksum", SEVERITY_WARNING, "once attached" },
	{ "xdp = \"generic\";" BRIDGED,
	  { .driver = "veth" },
	  1500,
	  0,
	  4,
	  false,
	  "checksum",
	  SEVERITY_WARNING,
	  "once cookies are sent" },
	{ HOSTED, { .driver = "veth" }, 1500, 0, 4, false, "checksum", SEVERITY_NOTE, "drop_bad_checksum" },
	{ BRIDGED,
	  { .driver = "x", .features_known = true, .xdp_features = WHOLE },
	  1500,
	  0,
	  4,
	  false,
	  "driver",
	  SEVERITY_OK,
	  "native" },
	{ HOSTED, { .lro = true }, 1500, 0, 4, true, "offload", SEVERITY_WARNING, "large receive offload" },
	{ HOSTED, { .gro_hw = true }, 1500, 0, 4, false, "offload", SEVERITY_NOTE, "GRO in the card" },
	{ HOSTED, { .rxvlan = true }, 1500, 0, 4, false, "offload", SEVERITY_NOTE, "VLAN tag" },
	{ HOSTED, { .driver = "" }, 1500, 0, 4, false, "offload", SEVERITY_OK, "no offload" },
	{ HOSTED,
	  { .driver = "ice", .features_known = true, .xdp_features = DEVICE_XDP_BASIC },
	  9000,
	  0,
	  4,
	  false,
	  "mtu",
	  SEVERITY_CRITICAL,
	  "MTU 9000" },
	{ HOSTED,
	  { .driver = "ice", .features_known = true, .xdp_features = WHOLE },
	  9000,
	  0,
	  4,
	  false,
	  "mtu",
	  SEVERITY_OK,
	  "MTU 9000" },
	{ BRIDGED,
	  { .driver = "" },
	  1500,
	  9000,
	  4,
	  false,
	  "mtu",
	  SEVERITY_WARNING,
	  "the other interface has 9000" },
	{ BRIDGED, { .driver = "" }, 1500, 1500, 4, false, "mtu", SEVERITY_OK, "MTU 1500" },
	{ HOSTED,
	  { .receive_queues = 1, .queues_max = 8 },
	  1500,
	  0,
	  4,
	  false,
	  "queues",
	  SEVERITY_NOTE,
	  "1 receive queue on 4 CPUs" },
	{ HOSTED,
	  { .receive_queues = 4, .queues_max = 8 },
	  1500,
	  0,
	  4,
	  false,
	  "queues",
	  SEVERITY_OK,
	  "4 receive queues" },
	{ HOSTED,
	  { .receive_queues = 1, .queues_max = 1 },
	  1500,
	  0,
	  4,
	  false,
	  "queues",
	  SEVERITY_OK,
	  "1 receive queue, 4 CPUs" },
	{ HOSTED, { .driver = "" }, 1500, 0, 4, false, "queues", SEVERITY_NOTE, "does not tell" },
	{ BRIDGED, { .master = 7 }, 1500, 0, 4, false, "bridge", SEVERITY_OK, "is a port" },
	{ BRIDGED, { .master = 0 }, 1500, 0, 4, false, "bridge", SEVERITY_WARNING, "no port" },
	{ HOSTED, { .xdp_program = 0 }, 1500, 0, 4, false, "xdp", SEVERITY_OK, "nobody" },
	{ HOSTED,
	  { .xdp_program = 4000000000U, .xdp_generic = true },
	  1500,
	  0,
	  4,
	  false,
	  "xdp",
	  SEVERITY_CRITICAL,
	  "another XDP program holds the interface: id 4000000000, generic" },
	{ HOSTED, { .xdp_program = 7 }, 1500, 0, 4, true, "xdp", SEVERITY_OK, "attached, native" },
	{ HOSTED,
	  { .xdp_program = 7, .xdp_generic = true },
	  1500,
	  0,
	  4,
	  true,
	  "xdp",
	  SEVERITY_OK,
	  "attached, generic" },
	{ HOSTED,
	  { .ingress = { 5, 6 }, .ingress_count = 2 },
	  1500,
	  0,
	  4,
	  true,
	  "tc",
	  SEVERITY_NOTE,
	  "ingress 5, 6" },
	{ HOSTED, { .filters = 2 }, 1500, 0, 4, false, "tc", SEVERITY_NOTE, "2 tc filters" },
};

static void interfaces_are_fit_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(interface_rows) / sizeof(*interface_rows); i++) {
		const struct interface_row *row = &interface_rows[i];
		struct config *config = parse(row->conf);
		struct interface_facts facts = {
			.config = config,
			.link = { .name = "eth0", .ifindex = 2, .mtu = row->mtu, .up = true },
			.device = row->device,
			.other_mtu = row->other_mtu,
			.cpus = row->cpus,
			.attached = row->attached,
		};
		struct findings f = { 0 };

		interface_judge(&facts, &f);
		expect(&f, row->check, row->severity, row->seen);
		assert_null(find(&f, "interface"));
		findings_fini(&f);
		config_free(config);
	}
}

static void a_synmoatd_s_program_is_not_another_s(void **state)
{
	const struct {
		const char *program;
		bool running;
		enum severity severity;
		const char *seen;
	} rows[] = {
		{ "xdp_host", true, SEVERITY_OK, "the synmoatd that runs holds it: id 7 (xdp_host)" },
		{ "xdp_inside", true, SEVERITY_OK, "the synmoatd that runs holds it" },
		{ "xdp_outside", false, SEVERITY_WARNING, "a synmoatd that does not answer" },
		{ "xdp_pass", true, SEVERITY_CRITICAL, "holds the interface: id 7 (xdp_pass), native" },
	};
	struct config *config = parse(HOSTED);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct interface_facts facts = { .config = config, .cpus = 1, .running = rows[i].running };
		struct findings f = { 0 };

		facts.link = (struct link_state){ .name = "eth0", .ifindex = 2, .mtu = 1500, .up = true };
		facts.device.xdp_program = 7;
		snprintf(facts.program, sizeof(facts.program), "%s", rows[i].program);
		interface_judge(&facts, &f);
		expect(&f, "xdp", rows[i].severity, rows[i].seen);
		assert_string_equal(find(&f, "xdp")->interface, "eth0");
		findings_fini(&f);
	}
	config_free(config);
}

static void programs_of_ours_at_tc_are_not_others(void **state)
{
	struct config *config = parse(HOSTED);
	struct interface_facts facts = { .config = config, .cpus = 1, .attached = true };
	struct findings f = { 0 };

	(void)state;
	facts.link = (struct link_state){ .name = "eth0", .ifindex = 2, .mtu = 1500, .up = true };
	facts.device.ingress_count = facts.device.egress_count = 1;
	interface_judge(&facts, &f);
	assert_null(find(&f, "tc"));
	findings_fini(&f);
	facts.attached = false;
	interface_judge(&facts, &f);
	expect(&f, "tc", SEVERITY_NOTE, "other programs");
	findings_fini(&f);
	facts.link.up = false;
	interface_judge(&facts, &f);
	expect(&f, "interface", SEVERITY_WARNING, "is down");
	findings_fini(&f);
	facts.link.ifindex = 0;
	interface_judge(&facts, &f);
	expect(&f, "interface", SEVERITY_CRITICAL, "does not exist");
	findings_fini(&f);
	config_free(config);
}

/* --- exposure --- */

static struct exposed listener(const char *address, uint16_t port)
{
	struct exposed made = { .port = port, .backlog = 4096 };
	struct prefix prefix;

	assert_int_equal(prefix_parse(address, &prefix), 0);
	made.address = prefix.address;
	return made;
}

static void listeners_are_declared_or_told(void **state)
{
	const struct {
		const char *conf, *address;
		uint16_t port;
		const char *check;
		enum severity severity;
		const char *seen;
	} rows[] = {
		{ HOSTED WEB, "0.0.0.0", 80, "exposure", SEVERITY_OK, "every port" },
		{ HOSTED WEB, "192.0.2.1", 8005, "exposure", SEVERITY_OK, "every port" },
		{ HOSTED WEB, "198.51.100.1", 80, "exposure", SEVERITY_WARNING, "port 80" },
		{ HOSTED WEB, "::", 22, "exposure", SEVERITY_WARNING, "port 22" },
		{ HOSTED WEB, "127.0.0.53", 53, "exposure", SEVERITY_OK, "every port" },
		{ HOSTED WEB, "::1", 631, "exposure", SEVERITY_OK, "every port" },
		{ HOSTED WEB, "0.0.0.0", 2049, "file-sharing", SEVERITY_CRITICAL, "port 2049 (NFS)" },
		{ BRIDGED WEB, "0.0.0.0", 445, "file-sharing", SEVERITY_CRITICAL, "port 445 (SMB)" },
		{ HOSTED WEB, "127.0.0.1", 111, "file-sharing", SEVERITY_OK, "closed" },
		{ HOSTED
		  "services = ( { name = \"nfs\"; prefixes = [ \"0.0.0.0/0\" ]; ports = [ 2049 ]; mode = "
		  "\"auto\"; } );",
		  "0.0.0.0", 2049, "file-sharing", SEVERITY_WARNING, "port 2049" },
		{ HOSTED WEB, "0.0.0.0", 22, "service", SEVERITY_NOTE, "web: nothing listens on port 80" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct exposed one = listener(rows[i].address, rows[i].port);
		struct config *config = parse(rows[i].conf);
		struct findings f = { 0 };

		exposure_judge(config, &one, 1, &f);
		expect(&f, rows[i].check, rows[i].severity, rows[i].seen);
		findings_fini(&f);
		config_free(config);
	}
}

static void a_port_is_named_once(void **state)
{
	const struct exposed all[] = { listener("127.0.0.1", 22), listener("0.0.0.0", 22),
				       listener("::", 22),	  listener("::", 80),
				       listener("0.0.0.0", 111),  listener("::", 111),
				       listener("::", 2222),	  listener("0.0.0.0", 8000) };
	struct config *config = parse(HOSTED WEB);
	struct findings f = { 0 };

	(void)state;
	exposure_judge(config, all, sizeof(all) / sizeof(*all), &f);
	expect(&f, "exposure", SEVERITY_WARNING, "port 22, 2222");
	expect(&f, "file-sharing", SEVERITY_CRITICAL, "port 111");
	assert_int_equal(f.count, 2);
	findings_fini(&f);
	config_free(config);
}

static void a_short_backlog_is_told_unless_a_mark_is_set(void **state)
{
	struct exposed all[] = { listener("::", 80), listener("::", 8000) };
	struct config *config = parse(HOSTED WEB);
	struct findings f = { 0 };

	(void)state;
	all[0].backlog = 128;
	exposure_judge(config, all, 2, &f);
	expect(&f, "service", SEVERITY_NOTE, "backlog of 128: mitigation begins at 32");
	findings_fini(&f);
	config->services[0].half_open_high = 100;
	exposure_judge(config, all, 2, &f);
	assert_null(find(&f, "service"));
	findings_fini(&f);
	config_free(config);
}

/* --- firewalls --- */

static void rules_are_in_the_way_or_not(void **state)
{
	const struct {
		struct firewall_rule rule;
		bool told;
		enum severity severity;
	} rows[] = {
		{ { "t", "c", 1, .state = true, .flags = true, .drops = true }, true, SEVERITY_CRITICAL },
		{ { "t", "c", 1, .state = true, .drops = true }, false, SEVERITY_OK },
		{ { "t", "c", 1, .flags = true, .drops = true }, false, SEVERITY_OK },
		{ { "t", "c", 1, .state = true, .flags = true }, false, SEVERITY_OK },
		{ { "t", "c", 1, .synproxy = true }, true, SEVERITY_WARNING },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct findings f = { 0 };

		firewall_judge(&rows[i].rule, &f);
		assert_int_equal(f.count, rows[i].told);
		if (rows[i].told)
			expect(&f, "firewall", rows[i].severity, "");
		findings_fini(&f);
	}
}

static void check_conntrack(const char *count, enum severity severity)
{
	struct config *config = parse(BRIDGED);
	struct world world;
	struct doctor doctor = { .root = world.root, .config = config };
	struct findings f = { 0 };

	begin(&world);
	if (count) {
		put(world.root, "/proc/sys/net/netfilter/nf_conntrack_count", count);
		put(world.root, "/proc/sys/net/netfilter/nf_conntrack_max", "1000");
	}
	firewall_check(&doctor, &f);
	expect(&f, "conntrack", severity, "");
	findings_fini(&f);
	config_free(config);
	end(&world);
}

static void conntrack_has_room_or_not(void **state)
{
	(void)state;
	check_conntrack(NULL, SEVERITY_OK);
	check_conntrack("899", SEVERITY_OK);
	check_conntrack("900", SEVERITY_WARNING);
}

/* --- what was installed --- */

static void files_are_for_root_to_change_or_not(void **state)
{
	struct config *config = parse(HOSTED);
	struct world world;
	struct doctor doctor = { .root = "", .config = config };
	struct findings f = { 0 };
	char path[128];

	(void)state;
	begin(&world);
	put(world.root, "/synmoat.conf", HOSTED);
	put(world.root, "/lists.d/bad.block", "");
	free(config->path);
	assert_true(asprintf(&config->path, "%s/synmoat.conf", world.root) > 0);
	install_check_files(&doctor, &f);
	expect(&f, "files", SEVERITY_OK, "changed by root alone");
	findings_fini(&f);
	snprintf(path, sizeof(path), "%s/lists.d/bad.block", world.root);
	chmod(path, 0666);
	install_check_files(&doctor, &f);
	expect(&f, "files", SEVERITY_CRITICAL, "bad.block has mode 0666: others may change it");
	findings_fini(&f);
	chmod(path, 0644);
	assert_true(asprintf(&config->cookie_secret_file, "%s/synmoat.conf", world.root) > 0);
	install_check_files(&doctor, &f);
	expect(&f, "files", SEVERITY_CRITICAL, "others may read it");
	findings_fini(&f);
	config_free(config);
	end(&world);
}

static void the_state_folder_is_there_or_not(void **state)
{
	struct world world;
	struct doctor doctor = { .root = "", .state = world.root };
	struct findings f = { 0 };

	(void)state;
	begin(&world);
	install_check_state(&doctor, &f);
	expect(&f, "state", SEVERITY_OK, "can be written");
	findings_fini(&f);
	doctor.state = "/tmp/synmoat-doctor.none/state";
	doctor.engine = (struct engine *)&world;
	install_check_state(&doctor, &f);
	expect(&f, "state", SEVERITY_WARNING, "does not outlive a restart");
	findings_fini(&f);
	end(&world);
}

static void the_group_is_there_or_not(void **state)
{
	struct findings f = { 0 };

	(void)state;
	install_judge_group("synmoat", false, 0, &f);
	expect(&f, "group", SEVERITY_WARNING, "no group synmoat");
	findings_fini(&f);
	install_judge_group("synmoat", true, 0, &f);
	expect(&f, "group", SEVERITY_OK, "no members");
	findings_fini(&f);
	install_judge_group("synmoat", true, 2, &f);
	expect(&f, "group", SEVERITY_OK, "2 members");
	findings_fini(&f);
}

static void the_unit_is_installed_enabled_and_runs_or_not(void **state)
{
	static const struct {
		const char *add;
		enum severity severity;
		const char *seen;
	} steps[] = {
		{ NULL, SEVERITY_NOTE, "systemd does not run here" },
		{ "/run/systemd/system/x", SEVERITY_WARNING, "is not installed" },
		{ "/usr/lib/systemd/system/synmoatd.service", SEVERITY_WARNING,
		  "does not start with the machine" },
		{ "/etc/systemd/system/multi-user.target.wants/synmoatd.service", SEVERITY_CRITICAL,
		  "does not run" },
		{ NULL, SEVERITY_OK, "starts with the machine" },
	};
	struct world world;
	struct doctor doctor = { .root = world.root };
	char path[128];

	(void)state;
	begin(&world);
	put(world.root, "/run/systemd/units/x", "");
	/* as systemd has it: the id of the invocation, and no file */
	snprintf(path, sizeof(path), "%s/run/systemd/units/invocation:synmoatd.service", world.root);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct findings f = { 0 };

		if (steps[i].add)
			put(world.root, steps[i].add, "");
		else if (i)
			assert_int_equal(symlink("0123456789abcdef0123456789abcdef", path), 0);
		install_check_unit(&doctor, &f);
		expect(&f, "unit", steps[i].severity, steps[i].seen);
		findings_fini(&f);
	}
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_of_the_kernel_are_right_or_told),
		cmocka_unit_test(the_kernel_is_late_enough_or_not),
		cmocka_unit_test(the_kernel_takes_over_handshakes_or_not),
		cmocka_unit_test(the_control_group_gives_enough_memory_or_not),
		cmocka_unit_test(capabilities_are_there_or_not),
		cmocka_unit_test(the_clock_is_synchronised_or_not),
		cmocka_unit_test(interfaces_are_fit_or_not),
		cmocka_unit_test(a_synmoatd_s_program_is_not_another_s),
		cmocka_unit_test(programs_of_ours_at_tc_are_not_others),
		cmocka_unit_test(listeners_are_declared_or_told),
		cmocka_unit_test(a_port_is_named_once),
		cmocka_unit_test(a_short_backlog_is_told_unless_a_mark_is_set),
		cmocka_unit_test(rules_are_in_the_way_or_not),
		cmocka_unit_test(conntrack_has_room_or_not),
		cmocka_unit_test(files_are_for_root_to_change_or_not),
		cmocka_unit_test(the_state_folder_is_there_or_not),
		cmocka_unit_test(the_group_is_there_or_not),
		cmocka_unit_test(the_unit_is_installed_enabled_and_runs_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
