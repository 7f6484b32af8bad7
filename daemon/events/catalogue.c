// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See catalogue.h. Names and ids are stable; texts are for a person at night: what, where, how much, what to
 * do.
 */
#include "daemon/events/catalogue.h"

#include <string.h>
#include <syslog.h>

#define BY " uid:number pid:number"

/* begun: of the SYN above the mark; duration_s: up to now; half_open: the most; top: prefixes; the rest since
 * it began. */
#define ATTACK_FIELDS                                                                                        \
	"service class monitor:flag begun duration_s:number syn_rate_pps:number peak_pps:number"             \
	" half_open:number syns:number sources:number completion_percent:number top:json!"                   \
	" answered:number dropped:number would_answer:number would_drop:number evidence"

static const struct event_row rows[EVENT_KINDS] = {
	[EVENT_DAEMON_STARTED] = {
		.name = "daemon-started",
		.id = "e99788d0eec848faa853eae7b42f27be",
		.severity = LOG_NOTICE,
		.text = "synmoatd {version} started: {deployment} mode, services: {services}[; the one "
			"before it stopped without a word (crash, kill or power failure){?unclean}]",
		.fields = "version deployment config services:number unclean:flag",
	},
	[EVENT_DAEMON_STOPPED] = {
		.name = "daemon-stopped",
		.id = "926f58bbbed342a4b5c90dd6f11da583",
		.severity = LOG_NOTICE,
		.text = "synmoatd stops[, {?kept}the fast path goes on without it][: {signal}][: {error}]",
		.fields = "signal error kept:flag",
	},
	[EVENT_CONFIG_RELOADED] = {
		.name = "config-reloaded",
		.id = "15bce29ac7a04ec8b20ca3e2053fae3d",
		.severity = LOG_NOTICE,
		.text = "configuration {config} reloaded[ by uid {uid} (pid {pid})][ on {signal}], services: "
			"{services}",
		.fields = "config services:number signal" BY,
	},
	[EVENT_CONFIG_REFUSED] = {
		.name = "config-refused",
		.id = "4b8567329ea34fe9be3dae8daff8ea39",
		.severity = LOG_ERR,
		.text = "configuration refused, the one before stays in force[ (asked by uid {uid}, pid "
			"{pid})]: {error}",
		.fields = "error signal" BY,
	},
	[EVENT_LOOP_LATE] = {
		.name = "loop-late",
		.id = "0f812f9051da41189893365aa4cdd5d3",
		.severity = LOG_WARNING,
		.text = "the daemon was {late_ms} ms late: it or the machine stalled (the fast path went on "
			"meanwhile)",
		.fields = "late_ms:number",
	},
	[EVENT_CLOCK_STEPPED] = {
		.name = "clock-stepped",
		.id = "92accecf78b14812a3b3e3338e8ad68a",
		.severity = LOG_WARNING,
		.text = "the wall clock was set by {step_s} s, when it was {before}; cookies follow it "
			"slowly, none ends before its time",
		.fields = "step_s:real before",
	},
	[EVENT_STATE_UNWRITABLE] = {
		.name = "state-unwritable",
		.id = "6948e6f2c907411eb66d5774cbcc3599",
		.severity = LOG_ERR,
		.text = "cannot write {path}: {error}; {consequence}",
		.key = "path",
		.fields = "path error consequence",
	},
	[EVENT_STATE_WRITABLE] = {
		.name = "state-writable",
		.id = "faef6f25478e470d9697e401d7a14cb4",
		.severity = LOG_NOTICE,
		.text = "{path} is written again",
		.key = "path",
		.fields = "path",
	},
	[EVENT_INTERFACE_ATTACHED] = {
		.name = "interface-attached",
		.id = "c2741543d3014523949b3ea736d9b032",
		.severity = LOG_NOTICE,
		.text = "interface {interface}: attached, {xdp} XDP, MTU {mtu}[, by uid {uid} (pid {pid})]",
		.key = "interface",
		.fields = "interface xdp mtu:number" BY,
	},
	[EVENT_INTERFACE_DETACHED] = {
		.name = "interface-detached",
		.id = "d76dd00eeb6a49aa811b9b0835ef6395",
		.severity = LOG_WARNING,
		.text = "interface {interface}: detached[ by uid {uid} (pid {pid})]: it is not defended",
		.key = "interface",
		.fields = "interface" BY,
	},
	[EVENT_INTERFACE_LOST] = {
		.name = "interface-lost",
		.id = "59918ed35d8d40c49ca4e75eef87a384",
		.severity = LOG_ERR,
		.text = "interface {interface} has gone: nothing is defended until it is back",
		.key = "interface",
		.fields = "interface",
	},
	[EVENT_INTERFACE_BACK] = {
		.name = "interface-back",
		.id = "2db57b7aeff647fc8287902d31bc4403",
		.severity = LOG_NOTICE,
		.text = "interface {interface} is back and attached: {xdp} XDP, MTU {mtu}",
		.key = "interface",
		.fields = "interface xdp mtu:number",
	},
	[EVENT_INTERFACE_FAILED] = {
		.name = "interface-failed",
		.id = "4902726ebdc34bfeb55167d663a4730e",
		.severity = LOG_ERR,
		.text = "interface {interface}: {error}",
		.key = "interface",
		.fields = "interface error",
	},
	[EVENT_INTERFACE_DOWN] = {
		.name = "interface-down",
		.id = "a51c70e616434c2d81127b69e216e9af",
		.severity = LOG_WARNING,
		.text = "interface {interface} is down: nothing comes in or goes out",
		.key = "interface",
		.fields = "interface",
	},
	[EVENT_INTERFACE_UP] = {
		.name = "interface-up",
		.id = "0f52d1d7c4bb47299006c01938fc126c",
		.severity = LOG_NOTICE,
		.text = "interface {interface} is up again",
		.key = "interface",
		.fields = "interface",
	},
	[EVENT_SYNCOOKIES_OFF] = {
		.name = "syncookies-off",
		.id = "1285e8871f37498abac3f357a9999988",
		.severity = LOG_ERR,
		.text = "net.ipv4.tcp_syncookies is 0: nothing is defended until sysctl -w "
			"net.ipv4.tcp_syncookies=1",
	},
	[EVENT_SYNCOOKIES_ON] = {
		.name = "syncookies-on",
		.id = "e6eaedd52f42425dacbb250c8f4eb358",
		.severity = LOG_NOTICE,
		.text = "net.ipv4.tcp_syncookies is {value}: services are defended again",
		.fields = "value:number",
	},
	[EVENT_FORWARDING_OFF] = {
		.name = "forwarding-off",
		.id = "f6df0c1bc78a4338abf60487e12e4cda",
		.severity = LOG_ERR,
		.text = "forward = \"route\", but the kernel does not forward: set to 1: {sysctls}",
		.fields = "sysctls",
	},
	[EVENT_FORWARDING_ON] = {
		.name = "forwarding-on",
		.id = "423f142fea004744860fe27b264b5751",
		.severity = LOG_NOTICE,
		.text = "the kernel forwards now",
	},
	[EVENT_RETURN_PATH_ASYMMETRIC] = {
		.name = "return-path-asymmetric",
		.id = "3c707758c8cc47b2ae8175d434c170bc",
		.severity = LOG_ERR,
		.text = "service {service}: answers of its servers do not come back through this machine "
			"({connections,} connections, asymmetric return path, DSR): inline cannot defend it, "
			"and breaks it while it answers with cookies. Route the servers' replies through it, "
			"or run synmoat in host mode on the servers; until then: synmoat service mode "
			"{service} off",
		.key = "service",
		.fields = "service connections:number",
	},
	[EVENT_MITIGATION_BEGUN] = {
		.name = "mitigation-begun",
		.id = "530cdc6fecd040d7af263a91c6b57d11",
		.severity = LOG_WARNING,
		.text = "service {service}: [mode monitor, so only counted: {?monitor}]mitigation begins: "
			"SYNs are answered with cookies[: an eighth of a second had more than "
			"{syn_rate_high,} SYN/s (syn_rate_high)][: a listener had {half_open_high,} "
			"half-opens (half_open_high)] (half-open {half_open,}, {syn_rate_pps,} SYN/s in the "
			"last second)",
		.key = "service",
		.fields = "service monitor:flag half_open:number syn_rate_pps:number"
			  " syn_rate_high:number half_open_high:number",
	},
	[EVENT_MITIGATION_ENDED] = {
		.name = "mitigation-ended",
		.id = "da99375c524a471da66a9c112860f1a7",
		.severity = LOG_NOTICE,
		.text = "service {service}: [mode monitor, so only counted: {?monitor}]mitigation ends: no "
			"new cookies, those that are out validate for their lifetime (half-open "
			"{half_open,}, {syn_rate_pps,} SYN/s)",
		.key = "service",
		.fields = "service monitor:flag half_open:number syn_rate_pps:number",
	},
	[EVENT_MITIGATION_OVER] = {
		.name = "mitigation-over",
		.id = "76b61635c16a4388991399bd9af69e38",
		.severity = LOG_INFO,
		.text = "service {service}: [mode monitor, so only counted: {?monitor}]mitigation is over "
			"(half-open {half_open,}, {syn_rate_pps,} SYN/s)",
		.key = "service",
		.fields = "service monitor:flag half_open:number syn_rate_pps:number",
	},
	[EVENT_ATTACK_BEGUN] = {
		.name = "attack-begun",
		.id = "cff7f6eb40be427fb80dcfb88b4ccb75",
		.severity = LOG_ALERT,
		.text = "service {service}: attack ({class}): {syn_rate_pps,} SYN/s[, sources: about "
			"{sources,}][, {completion_percent} % complete their handshake][; most from {top}][; "
			"mode monitor: only watched{?monitor}]",
		.key = "service",
		.fields = ATTACK_FIELDS,
	},
	[EVENT_ATTACK_CHANGED] = {
		.name = "attack-changed",
		.id = "ab7b288430344aef83b4f01f9ee28a89",
		.severity = LOG_WARNING,
		.text = "service {service}: the attack goes on ({class}): {syn_rate_pps,} SYN/s, peak "
			"{peak_pps,}[, sources: about {sources,}][, {completion_percent} % complete their "
			"handshake][; most from {top}]",
		.key = "service",
		.fields = ATTACK_FIELDS,
	},
	[EVENT_ATTACK_ENDED] = {
		.name = "attack-ended",
		.id = "d6015b9ef8374e7fb0737327302474f7",
		.severity = LOG_NOTICE,
		.text = "service {service}: the attack ({class}) is over after {duration_s} s: peak "
			"{peak_pps,} SYN/s[, sources: about {sources,}][, {completion_percent} % completed "
			"their handshake][; {answered,} SYNs answered with cookies{?answered}][; {dropped,} "
			"packets dropped{?dropped}][; mode monitor: {would_answer,} SYNs would have been "
			"answered{?would_answer}][; up to {would_drop,} packets would have been "
			"dropped{?would_drop}][; most from {top}][; packets in {evidence}]",
		.key = "service",
		.fields = ATTACK_FIELDS,
	},
	[EVENT_CROWD_BEGUN] = {
		.name = "crowd-begun",
		.id = "9ea2605851414b1392d0478e807a09f7",
		.severity = LOG_NOTICE,
		.text = "service {service}: a crowd, not an attack: {syn_rate_pps,} SYN/s[, sources: about "
			"{sources,}][, {completion_percent} % complete their handshake]; nobody is blocked",
		.key = "service",
		.fields = "service monitor:flag syn_rate_pps:number sources:number completion_percent:number",
	},
	[EVENT_CROWD_ENDED] = {
		.name = "crowd-ended",
		.id = "bee7095b95a54384bc8c1e11f1e8861a",
		.severity = LOG_INFO,
		.text = "service {service}: the crowd has gone after {duration_s} s: peak {peak_pps,} SYN/s",
		.key = "service",
		.fields = "service duration_s:number peak_pps:number sources:number completion_percent:number",
	},
	[EVENT_SOURCE_BLOCKED] = {
		.name = "source-blocked",
		.id = "3cc4d44f76cb4b49a83bf9cf47119cda",
		.severity = LOG_WARNING,
		.text = "automatic block of [{prefix} ]for {duration_s} s: {reason}[ (auto_block.mode is "
			"monitor: not blocked){?monitor}][: failed: {error}]",
		.per_minute = 60,
		.fields = "prefix! duration_s:number reason acts:number monitor:flag error",
	},
	[EVENT_PORT_SCAN] = {
		.name = "port-scan",
		.id = "fcbd57e6bd5c4dc4add82c26c33d6ae0",
		.severity = LOG_WARNING,
		.text = "port scan[ from {source}]: {ports} ports[ on {addresses} addresses] in {window_s} "
			"s[; it completed {completed} handshakes{?completed}][; the address may be "
			"forged{?unproven}][; blocked for {block_s} s]",
		.per_minute = 60,
		.fields = "source! ports:number addresses:number window_s:number block_s:number"
			  " completed:number unproven:flag tried:json!",
	},
	[EVENT_SLOW_HANDSHAKES] = {
		.name = "slow-handshakes",
		.id = "6de74858fd14470789a67edb874fabca",
		.severity = LOG_WARNING,
		.text = "service {service}: slow handshakes: [{handshakes,} took over {threshold_ms} ms or "
			"were never completed, in {window_s} s][, median {median_ms} ms{?median_ms}]",
		.key = "service",
		.fields = "service handshakes:number threshold_ms:number window_s:number median_ms:number"
			  " client! server!",
	},
	[EVENT_MODE_CHANGED] = {
		.name = "mode-changed",
		.id = "5dc24691026142dc9e7e3896104b92e7",
		.severity = LOG_NOTICE,
		.text = "service {service}: mode {mode}[, before {before}{?changed}], set by "
			"uid {uid} (pid {pid})",
		.key = "uid",
		.per_minute = 600,
		.fields = "service mode before changed:flag" BY,
	},
	[EVENT_LIMIT_CHANGED] = {
		.name = "limit-changed",
		.id = "5601f9449e4f4bbc83826957bfb6ab77",
		.severity = LOG_NOTICE,
		.text = "limit {limit}: {settings}[, before {before}{?changed}], set by uid "
			"{uid} (pid {pid})",
		.key = "uid",
		.per_minute = 600,
		.fields = "limit settings before changed:flag" BY,
	},
	[EVENT_LIST_CHANGED] = {
		.name = "list-changed",
		.id = "613a9a4bf3014fdd805cc6051223f38e",
		.severity = LOG_NOTICE,
		.text = "{kind} list: {action}[ {prefix}][, {entries,} entries][ for {for_s} s{?for_s}][ "
			"(reason: {reason})], by uid {uid} (pid {pid})",
		.key = "uid",
		.per_minute = 600,
		.fields = "kind action prefix! entries:number for_s:number reason! origin" BY,
	},
	[EVENT_BYPASS_ON] = {
		.name = "bypass-on",
		.id = "d982e90dae91404c8b1b252105332856",
		.severity = LOG_WARNING,
		.text = "bypass on: nothing is defended, set by uid {uid} (pid {pid})",
		.key = "uid",
		.per_minute = 600,
		.fields = BY,
	},
	[EVENT_BYPASS_OFF] = {
		.name = "bypass-off",
		.id = "188afc035fab4fa3a323f46008658319",
		.severity = LOG_NOTICE,
		.text = "bypass off: services are defended again, set by uid {uid} (pid {pid})",
		.key = "uid",
		.per_minute = 600,
		.fields = BY,
	},
	[EVENT_DRAIN_BEGUN] = {
		.name = "drain-begun",
		.id = "04af6b06a9724e1694a1d6f68a5ccfb6",
		.severity = LOG_WARNING,
		.text = "draining: no new cookies, {translated,} connections are still translated, begun by "
			"uid {uid} (pid {pid})",
		.key = "uid",
		.per_minute = 600,
		.fields = "translated:number" BY,
	},
	[EVENT_DRAIN_CANCELLED] = {
		.name = "drain-cancelled",
		.id = "e486ede105c24c439169d98ff8b84a5f",
		.severity = LOG_NOTICE,
		.text = "draining cancelled by uid {uid} (pid {pid})",
		.key = "uid",
		.per_minute = 600,
		.fields = BY,
	},
	[EVENT_DRAINED] = {
		.name = "drained",
		.id = "1899af93c2ad44b8adddccc88f62b527",
		.severity = LOG_NOTICE,
		.text = "drained: nothing is translated any more, stopping breaks no connection",
	},
	[EVENT_KEY_ROTATED] = {
		.name = "key-rotated",
		.id = "ab8b06a2519b4ecb94adeb3fb2535a24",
		.severity = LOG_NOTICE,
		.text = "cookie key: rotation[ at once: older cookies are void{?now}][, which waits until "
			"the older key has retired{?coalesced}], by uid {uid} (pid {pid}); generation "
			"{generation}",
		.key = "uid",
		.per_minute = 600,
		.fields = "now:flag coalesced:flag generation:number" BY,
	},
	[EVENT_KEY_RETIRED] = {
		.name = "key-retired",
		.id = "5b389647d57947db910d8a5d744d34a8",
		.severity = LOG_INFO,
		.text = "cookie keys: the older master has retired[, and the rotation that waited for it is "
			"done{?rotated}]",
		.fields = "rotated:flag",
	},
	[EVENT_FLOW_KILLED] = {
		.name = "flow-killed",
		.id = "197f709c47b448c49bd68225f40a1806",
		.severity = LOG_NOTICE,
		.text = "connection[ {client} to {server}] of service {service} ended by uid {uid} (pid "
			"{pid})",
		.key = "uid",
		.per_minute = 600,
		.fields = "client! server! service" BY,
	},
	[EVENT_CHANGE_FAILED] = {
		.name = "change-failed",
		.id = "c9b5cd88a28f49c78e2d1dfd9a17beb6",
		.severity = LOG_WARNING,
		.text = "{tried}[ {what}] failed, nothing changed[: {reason}] ({error}), by uid {uid} (pid "
			"{pid})",
		.key = "uid",
		.per_minute = 60,
		.fields = "tried what! method error reason! parameters!" BY,
	},
	[EVENT_ACCESS_REFUSED] = {
		.name = "access-refused",
		.id = "86c4d2bdef4140b09c9fa403c5c2222a",
		.severity = LOG_WARNING,
		.text = "{tried}[ {what}] refused to uid {uid} (pid {pid}): not root, not of the group",
		.key = "uid",
		.per_minute = 4,
		.fields = "tried what! method" BY,
	},
	[EVENT_TRACKING_LOST] = {
		.name = "tracking-lost",
		.id = "cc4e801cb39c48c19716bee460cfc9bf",
		.severity = LOG_WARNING,
		.text = "tracking: {lost,} records of connections were lost: reading all connections anew",
		.fields = "lost:number",
	},
	[EVENT_TRACKING_HEALED] = {
		.name = "tracking-healed",
		.id = "408377e61438486bacdc69e875509bde",
		.severity = LOG_NOTICE,
		.text = "tracking: all connections are read anew: {flows,} flows[, {corrected,} corrected]",
		.fields = "flows:number corrected:number",
	},
	[EVENT_LIST_FILE_READ] = {
		.name = "list-file-read",
		.id = "1d9db6c05efa4cdbb930fb572f867d18",
		.severity = LOG_INFO,
		.text = "{file} is read, entries: {entries,}[, bad lines skipped: {bad_lines,}{?bad_lines}]",
		.key = "file",
		.fields = "file entries:number bad_lines:number",
	},
	[EVENT_LIST_FILE_FAILED] = {
		.name = "list-file-failed",
		.id = "3746d2a49a784f2785eb7751679d061b",
		.severity = LOG_ERR,
		.text = "{file}: {error}; what it said before stays in force",
		.key = "file",
		.fields = "file error",
	},
	[EVENT_LIST_LINE_BAD] = {
		.name = "list-line-bad",
		.id = "b02067e973344dfaa81e331bcc89af06",
		.severity = LOG_WARNING,
		.text = "{file}:{line}[: {error}]: skipped",
		.key = "file",
		.fields = "file line:number error!",
	},
	[EVENT_METRICS_FAILED] = {
		.name = "metrics-failed",
		.id = "25517ed94d384879b65a7af8a626debe",
		.severity = LOG_ERR,
		.text = "metrics: cannot listen on {listen}: {error}; trying again every {retry_s} s",
		.key = "listen",
		.fields = "listen error retry_s:number",
	},
	[EVENT_SYN_RECV_INTERVAL] = {
		.name = "syn-recv-interval",
		.id = "601856b7818346ab95e30ea559fa1b33",
		.severity = LOG_NOTICE,
		.text = "SYN_RECV: counting {half_opens,} half-opens took {cpu_ms} ms of CPU: done every {every_s} s from "
			"now on",
		.fields = "half_opens:number cpu_ms:number every_s:number",
	},
	[EVENT_EVENTS_LEFT_OUT] = {
		.name = "events-left-out",
		.id = "9e8b45549d234e74941ee132bed68a34",
		.severity = LOG_WARNING,
		.text = "{count,} further events {kind}[ of {key}] within {window_s} s were left out of this "
			"log",
		.per_minute = 1200,
		.fields = "kind key! count:number window_s:number",
	},
	[EVENT_EVENTS_MISSING] = {
		.name = "events-missing",
		.id = "d4c2776977db4a4ea5b92c2c36d19161",
		.severity = LOG_ERR,
		.text = "the event log has a gap: {first} to {last} are not in it[: they were given and "
			"never written, or the end of the log was cut off{?at_end}]",
		.per_minute = 60,
		.fields = "first:number last:number at_end:flag",
	},
	[EVENT_EVENTS_DAMAGED] = {
		.name = "events-damaged",
		.id = "e65fffaf81b44b9d9933cf143d8cf7fe",
		.severity = LOG_ERR,
		.text = "the event log was damaged: {lines} lines of {file} are not as they were written, "
			"the first is line {line}[ (it lacks its end, as after a crash){?cut}][; all of it "
			"is kept as {file}.damaged{?kept}]",
		.fields = "file lines:number line:number cut:flag kept:flag",
	},
	[EVENT_EVENTS_UNWRITTEN] = {
		.name = "events-unwritten",
		.id = "683ed74d10be4f578101f8630fdaa3c7",
		.severity = LOG_ERR,
		.text = "events cannot be written to {sink}: {error}; trying again every second, the last "
			"{kept} stay in memory",
		.key = "sink",
		.fields = "sink error kept:number",
	},
	[EVENT_EVENTS_WRITTEN] = {
		.name = "events-written",
		.id = "0c447dc0ab2a42208467029fdabb275a",
		.severity = LOG_NOTICE,
		.text = "events are written to {sink} again[; {missed,} were lost to it meanwhile{?missed}]",
		.key = "sink",
		.fields = "sink missed:number",
	},
	[EVENT_HOOK_FAILED] = {
		.name = "hook-failed",
		.id = "84faba8bc7694d71b5225dbb163ac64c",
		.severity = LOG_WARNING,
		.text = "hook {command} for {of_event} (event {of_number}): {outcome}",
		.fields = "command of_event of_number:number outcome status:number",
	},
	[EVENT_HOOK_LEFT_OUT] = {
		.name = "hook-left-out",
		.id = "3a39d5e4782d4ae1aaf648ef66ad5b20",
		.severity = LOG_WARNING,
		.text = "hook {command} was not called for {count,} events: {queued} were waiting already",
		.fields = "command count:number queued:number",
	},
};

const struct event_row *catalogue_row(enum event_kind kind)
{
	return &rows[kind];
}

int catalogue_find(const char *name)
{
	for (int kind = 0; kind < EVENT_KINDS; kind++)
		if (!strcmp(rows[kind].name, name))
			return kind;
	return -1;
}

/* "name", "name:number", "name:number!". */
static bool describes(const char *word, const char *name, size_t length)
{
	return !strncmp(word, name, length) && strchr(":! ", word[length]);
}

static enum event_type type_of(const char *word)
{
	static const char *const types[] = {
		[EVENT_NUMBER] = ":number",
		[EVENT_REAL] = ":real",
		[EVENT_FLAG] = ":flag",
		[EVENT_JSON] = ":json",
	};
	size_t name = strcspn(word, ":! ");

	for (size_t type = EVENT_NUMBER; type <= EVENT_JSON; type++)
		if (!strncmp(word + name, types[type], strlen(types[type])))
			return (enum event_type)type;
	return EVENT_TEXT;
}

bool catalogue_field(enum event_kind kind, const char *name, struct event_field_row *row)
{
	const char *word = rows[kind].fields ? rows[kind].fields : "";
	size_t length = strlen(name);

	for (; *word; word += strspn(word, " ")) {
		if (describes(word, name, length)) {
			row->type = type_of(word);
			row->detail = word[strcspn(word, "! ")] == '!';
			return true;
		}
		word += strcspn(word, " ");
	}
	return false;
}

static const char *const severities[] = {
	[LOG_EMERG] = "emerg",	   [LOG_ALERT] = "alert",   [LOG_CRIT] = "crit", [LOG_ERR] = "err",
	[LOG_WARNING] = "warning", [LOG_NOTICE] = "notice", [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

const char *catalogue_severity_word(int severity)
{
	return severities[severity];
}

int catalogue_find_severity(const char *word)
{
	for (int severity = LOG_EMERG; severity <= LOG_DEBUG; severity++)
		if (!strcmp(severities[severity], word))
			return severity;
	return LOG_INFO;
}
