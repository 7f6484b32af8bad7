// SPDX-License-Identifier: GPL-2.0-or-later
/* Settings of the kernel that synmoat, or a machine under flood, wants otherwise: one table. */
#include "daemon/doctor/doctor.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config/config.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

enum where { HOST = 1, BRIDGE = 2, ROUTE = 4, ROUTE6 = 8, EVERYWHERE = HOST | BRIDGE | ROUTE };

/* Wrong between from and to; "%s" stands for each of the two interfaces. */
static const struct rule {
	const char *name;
	unsigned int where;
	enum severity severity;
	long long from, to;
	long long better; /* what to set */
	const char *why;
} rules[] = {
	{ "net.ipv4.tcp_syncookies", HOST, SEVERITY_CRITICAL, 0, 0, 1,
	  "the kernel takes over no handshake: nothing is defended" },
	{ "net.netfilter.nf_conntrack_tcp_loose", HOST, SEVERITY_CRITICAL, 0, 0, 1,
	  "conntrack never sees our SYN-ACK and takes connections for invalid" },
	{ "net.ipv4.conf.%s.forwarding", ROUTE, SEVERITY_CRITICAL, 0, 0, 1,
	  "forward = \"route\", but the kernel does not forward" },
	{ "net.ipv6.conf.%s.forwarding", ROUTE6, SEVERITY_CRITICAL, 0, 0, 1,
	  "forward = \"route\", but the kernel does not forward" },
	{ "net.ipv4.tcp_rfc1337", HOST, SEVERITY_WARNING, 1, LLONG_MAX, 0,
	  "under mitigation a client that uses a port again within a minute has to try twice" },
	{ "net.ipv4.tcp_timestamps", HOST, SEVERITY_WARNING, 0, 0, 1,
	  "connections go without timestamps, cookies with 22 instead of 32 bits and a rounded MSS" },
	{ "net.ipv4.tcp_window_scaling", HOST, SEVERITY_WARNING, 0, 0, 1, "windows end at 64 KiB" },
	{ "net.ipv4.tcp_sack", HOST, SEVERITY_WARNING, 0, 0, 1, "a loss costs a window of data" },
	{ "net.core.somaxconn", HOST, SEVERITY_WARNING, 0, 1023, 4096,
	  "no listener may have a longer backlog, and mitigation begins at a quarter of it" },
	{ "net.ipv4.tcp_max_syn_backlog", HOST, SEVERITY_NOTE, 0, 255, 4096,
	  "half-opens beyond three quarters of it are refused while tcp_syncookies is 0" },
	{ "net.ipv4.tcp_synack_retries", HOST, SEVERITY_NOTE, 4, LLONG_MAX, 3,
	  "a half-open that passed below the mark holds its place for half a minute and more" },
	{ "net.ipv4.tcp_abort_on_overflow", HOST, SEVERITY_WARNING, 1, LLONG_MAX, 0,
	  "a full accept queue resets clients whose cookies were good, instead of letting them try again" },
	{ "net.ipv4.conf.all.rp_filter", ROUTE, SEVERITY_NOTE, 1, 1, 2,
	  "strict: plain traffic whose answers leave by another interface is dropped" },
	{ "net.ipv4.conf.%s.rp_filter", ROUTE, SEVERITY_NOTE, 1, 1, 2,
	  "strict: plain traffic whose answers leave by another interface is dropped" },
	{ "net.ipv4.icmp_echo_ignore_broadcasts", EVERYWHERE, SEVERITY_WARNING, 0, 0, 1,
	  "echo requests to broadcast addresses are answered (Smurf)" },
	{ "net.core.bpf_jit_enable", EVERYWHERE, SEVERITY_CRITICAL, 0, 0, 1,
	  "BPF programs are interpreted: several times slower" },
	{ "net.core.bpf_jit_harden", EVERYWHERE, SEVERITY_WARNING, 2, LLONG_MAX, 1,
	  "constants of every program are blinded: slower" },
	{ "kernel.bpf_stats_enabled", EVERYWHERE, SEVERITY_NOTE, 1, LLONG_MAX, 0,
	  "the kernel measures every run of a BPF program: some 30 ns a packet" },
};

static unsigned int where_we_are(const struct config *config)
{
	if (config->deployment == DEPLOYMENT_HOST)
		return HOST;
	if (config->forward == FORWARD_BRIDGE)
		return BRIDGE;
	return config_serves(config, true) ? ROUTE | ROUTE6 : ROUTE;
}

/* "net.ipv4.conf.eth0.1.forwarding": dots of an interface's name stay. */
static void path_of(const struct rule *rule, const char *interface, char *path, size_t size)
{
	const char *name = rule->name, *place = strstr(name, "%s");
	char format[96];
	size_t i;

	for (i = 0; name[i] && i < sizeof(format) - 1; i++)
		format[i] = (char)(name[i] == '.' ? '/' : name[i]);
	format[i] = '\0';
	if (place)
		snprintf(path, size, "/proc/sys/%.*s%s%s", (int)(place - name), format, interface,
			 format + (place - name) + 2);
	else
		snprintf(path, size, "/proc/sys/%s", format);
}

static void name_of(const struct rule *rule, const char *interface, char *text, size_t size)
{
	const char *place = strstr(rule->name, "%s");

	if (place)
		snprintf(text, size, "%.*s%s%s", (int)(place - rule->name), rule->name, interface, place + 2);
	else
		snprintf(text, size, "%s", rule->name);
}

/* 1: in order; 0: said that it is not; -1: there is no such setting here, or it is not for us to read. */
static int judge(const struct doctor *doctor, const struct rule *rule, const char *interface,
		 struct findings *findings)
{
	char path[PATH_MAX], name[96];
	long long value;

	path_of(rule, interface, path, sizeof(path));
	if (doctor_read_number(doctor, path, &value))
		return -1;
	if (value < rule->from || value > rule->to)
		return 1;
	name_of(rule, interface, name, sizeof(name));
	findings_add(findings, rule->severity, "sysctl", "%s is %lld: %s", name, value, rule->why);
	findings_advise(findings, "sysctl -w %s=%lld, and the same in /etc/sysctl.d/ for the next start",
			name, rule->better);
	return 0;
}

void sysctls_check(const struct doctor *doctor, struct findings *findings)
{
	unsigned int here = where_we_are(doctor->config), right = 0, wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		bool both = strstr(rules[i].name, "%s");

		if (!(rules[i].where & here))
			continue;
		for (int inside = 0; inside <= both; inside++) {
			int result =
				judge(doctor, &rules[i],
				      inside ? doctor->config->inside : doctor->config->outside, findings);

			right += result > 0;
			wrong += result == 0;
		}
	}
	if (!wrong)
		findings_add(findings, SEVERITY_OK, "sysctl", "%u settings of the kernel are right", right);
}
