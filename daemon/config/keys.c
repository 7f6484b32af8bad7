/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of keys: one row says all about a key. conf/synmoat.conf explains each of them; the defaults are
 * in config.c (struct config) and below (struct config_service).
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/config/error.h"
#include "daemon/config/keys.h"

#define FIELD(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)NULL)->member)
#define CONFIG(member)	    FIELD(struct config, member)
#define SERVICE(member)	    FIELD(struct config_service, member)
#define PROTECTED(member)   FIELD(struct config_protected, member)

static const struct value_type group, services, protected, own_limits, own_limit;

const char *const mode_words[] = {
	[MODE_OFF] = "off", [MODE_MONITOR] = "monitor", [MODE_AUTO] = "auto", [MODE_ALWAYS] = "always", NULL,
};
const char *const policy_words[] = {
	[POLICY_OFF] = "off",
	[POLICY_MONITOR] = "monitor",
	[POLICY_ENFORCE] = "enforce",
	NULL,
};
static const char *const deployment_words[] = {
	[DEPLOYMENT_HOST] = "host",
	[DEPLOYMENT_INLINE] = "inline",
	NULL,
};
static const char *const forward_words[] = {
	[FORWARD_BRIDGE] = "bridge",
	[FORWARD_ROUTE] = "route",
	NULL,
};
static const char *const handover_words[] = {
	[SERVICE_PROXY] = "proxy",
	[SERVICE_AGENT] = "agent",
	NULL,
};
static const char *const xdp_words[] = { [XDP_NATIVE] = "native", [XDP_GENERIC] = "generic", NULL };

const char *const limit_action_words[] = {
	[LIMIT_OFF] = "off",
	[LIMIT_CHALLENGE] = "challenge",
	[LIMIT_THIN] = "thin",
	[LIMIT_DROP] = "drop",
	NULL,
};

/* --- what is wrong with a string --- */

static const char *interface_fault(const char *value)
{
	if (!*value || strlen(value) >= IF_NAMESIZE)
		return "the name of an interface has 1 to 15 characters, such as \"eth0\"";
	if (strpbrk(value, "/: \t\n\v\f\r") || !strcmp(value, ".") || !strcmp(value, ".."))
		return "the name of an interface holds no space, / or :, such as \"eth0\"";
	return NULL;
}

#define LETTERS	 "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	 "0123456789"

static const char *group_fault(const char *value)
{
	size_t length = strlen(value);

	if (length && length < 32 && value[0] != '-' &&
	    strspn(value, LETTERS CAPITALS DIGITS "_.-") == length)
		return NULL;
	return "write the name of a group, such as \"synmoat\"";
}

static const char *path_fault(const char *value)
{
	return value[0] == '/' && value[1] ? NULL : "write a full path, beginning with /";
}

static const char *name_fault(const char *value)
{
	size_t length = strlen(value);

	if (length && length < 32 && strspn(value, LETTERS DIGITS "-_.") == length)
		return NULL;
	return "a service's name has 1 to 31 characters out of a-z 0-9 - _ .";
}

/* Who may be punished: design.md, section 7. */
static const char *syn_action_fault(const char *value)
{
	if (strcmp(value, limit_action_words[LIMIT_DROP]) != 0)
		return NULL;
	return "anyone can send SYNs in another's name, so that they may be challenged or thinned out only: "
	       "write "
	       "\"challenge\" or \"thin\", or limit connections";
}

static const char *connection_action_fault(const char *value)
{
	if (strcmp(value, limit_action_words[LIMIT_CHALLENGE]) != 0)
		return NULL;
	return "a connection has brought its cookie already: write \"thin\" or \"drop\"";
}

/* --- the tables --- */

static const struct key interface_keys[] = {
	{ "outside", &value_text, CONFIG(outside), .find_fault = interface_fault,
	  .example = "outside = \"eth0\";", .restart = true },
	{ "inside", &value_text, CONFIG(inside), .find_fault = interface_fault, .inline_only = true,
	  .restart = true },
	{ 0 },
};

static const struct key control_keys[] = {
	{ "group", &value_string, CONFIG(control_group), .find_fault = group_fault },
	{ 0 },
};

static const char *listen_fault(const char *value)
{
	struct sockaddr_storage address;
	unsigned int size;

	if (!strcmp(value, "off") || config_parse_listen(value, &address, &size))
		return NULL;
	return "write an address and a port, such as \"127.0.0.1:9826\" or \"[::1]:9826\", or \"off\"";
}

static const struct key metrics_keys[] = {
	{ "listen", &value_string, CONFIG(metrics_listen), .find_fault = listen_fault },
	{ 0 },
};

static const struct key cookie_keys[] = {
	{ "secret_file", &value_string, CONFIG(cookie_secret_file), .find_fault = path_fault,
	  .restart = true },
	{ 0 },
};

static const struct key host_keys[] = {
	{ "flow_entries", &value_number, CONFIG(flow_entries), .min = 1024, .max = 1 << 26, .restart = true },
	{ "lookup_budget_pps", &value_number, CONFIG(lookup_budget_pps), .min = 1, .max = 100000000 },
	{ 0 },
};

static const struct key inline_keys[] = {
	{ "connections", &value_number, CONFIG(connections), .min = 1024, .max = 1 << 26, .restart = true },
	{ "handshakes", &value_number, CONFIG(handshakes), .min = 1, .max = 1 << 26 },
	{ "handshakes_per_source", &value_number, CONFIG(handshakes_per_source), .min = 1, .max = 1 << 26 },
	{ "unknown_per_prefix_pps", &value_number, CONFIG(unknown_per_prefix_pps), .min = 1,
	  .max = 100000000 },
	{ "unknown_pps", &value_number, CONFIG(unknown_pps), .min = 0, .max = 100000000 },
	{ "wscale", &value_number, CONFIG(wscale), .min = 0, .max = 14 },
	{ "probe_after_s", &value_number, CONFIG(probe_after_s), .min = 1, .max = 3600 },
	{ 0 },
};

static const struct key policy_keys[] = {
	{ "sanity", &value_word, CONFIG(sanity), .words = policy_words },
	{ "reflection", &value_word, CONFIG(reflection), .words = policy_words },
	{ "synack_budget_pps", &value_number, CONFIG(synack_budget_pps), .min = 1, .max = 1000000 },
	{ "smurf", &value_word, CONFIG(smurf), .words = policy_words },
	{ "outward_source", &value_word, CONFIG(outward_source), .words = policy_words },
	{ 0 },
};

static const struct key attack_timer_keys[] = {
	{ "half_open_timeout_s", &value_number, CONFIG(attack_timers.half_open_timeout_s), .min = 1,
	  .max = 3600, .zero_ok = true },
	{ "fin_wait_2_s", &value_number, CONFIG(attack_timers.fin_wait_2_s), .min = 1, .max = 86400 },
	{ "closing_s", &value_number, CONFIG(attack_timers.closing_s), .min = 1, .max = 86400 },
	{ 0 },
};

static const struct key tracking_keys[] = {
	{ "enabled", &value_boolean, CONFIG(tracking), .restart = true },
	{ "flows", &value_number, CONFIG(tracked_flows), .min = 1024, .max = 1 << 21, .restart = true },
	{ "half_open_timeout_s", &value_number, CONFIG(timers.half_open_timeout_s), .min = 1, .max = 3600,
	  .zero_ok = true },
	{ "fin_wait_2_s", &value_number, CONFIG(timers.fin_wait_2_s), .min = 1, .max = 86400 },
	{ "closing_s", &value_number, CONFIG(timers.closing_s), .min = 1, .max = 86400 },
	{ "time_wait_s", &value_number, CONFIG(time_wait_s), .min = 1, .max = 3600 },
	{ "established_s", &value_number, CONFIG(established_s), .min = 1, .max = 86400 },
	{ "under_attack", &group, .members = attack_timer_keys },
	{ "scan_ports", &value_number, CONFIG(tracked_scan_ports), .min = 8, .max = 192, .zero_ok = true },
	{ "slow_handshake_ms", &value_number, CONFIG(slow_handshake_ms), .min = 1, .max = 3600000 },
	{ "slow_handshakes", &value_number, CONFIG(slow_handshakes), .min = 1, .max = 100000000,
	  .zero_ok = true },
	{ 0 },
};

#define RATE(field) &value_number, CONFIG(field), .max = 100000000
#define LIMIT_KEYS(table, kind, level, fault)                                                                \
	static const struct key table[] = {                                                                  \
		{ "rate", RATE(limits.limit[kind][level].rate) },                                            \
		{ "burst", RATE(limits.limit[kind][level].burst) },                                          \
		{ "proven_rate", RATE(limits.limit[kind][level].proven_rate) },                              \
		{ "proven_burst", RATE(limits.limit[kind][level].proven_burst) },                            \
		{ "action", &value_word, CONFIG(limits.limit[kind][level].action),                           \
		  .words = limit_action_words, .find_fault = fault },                                        \
		{ 0 },                                                                                       \
	}
#define MOST_KEYS(name, word)                                                                                \
	static const struct key half_open_##word##_keys[] = {                                                \
		{ "most", RATE(limits.limit[KIND_HALF_OPEN][name].rate) },                                   \
		{ "proven_most", RATE(limits.limit[KIND_HALF_OPEN][name].proven_rate) },                     \
		{ "action", &value_word, CONFIG(limits.limit[KIND_HALF_OPEN][name].action),                  \
		  .words = limit_action_words, .find_fault = syn_action_fault },                             \
		{ 0 },                                                                                       \
	};
#define SYN_KEYS(name, word) LIMIT_KEYS(syn_##word##_keys, KIND_SYN, name, syn_action_fault);
#define CONNECTION_KEYS(name, word)                                                                          \
	LIMIT_KEYS(connection_##word##_keys, KIND_CONNECTION, name, connection_action_fault);
LIMIT_LEVELS_X(SYN_KEYS)
LIMIT_LEVELS_X(CONNECTION_KEYS)
LIMIT_LEVELS_X(MOST_KEYS)

#define SYN_GROUP(name, word)	     { "syn_" #word, &group, .members = syn_##word##_keys },
#define CONNECTION_GROUP(name, word) { "connection_" #word, &group, .members = connection_##word##_keys },
#define MOST_GROUP(name, word)	     { "half_open_" #word, &group, .members = half_open_##word##_keys },
static const struct key punish_keys[] = {
	{ "mode", &value_word, CONFIG(punish.mode), .words = policy_words },
	{ "acts", &value_number, CONFIG(punish.acts), .min = 20, .max = 1000000 },
	{ "duration_s", &value_number, CONFIG(punish.duration_s), .min = 1, .max = 31536000 },
	{ "duration_most_s", &value_number, CONFIG(punish.duration_most_s), .min = 1, .max = 31536000 },
	{ "most", &value_number, CONFIG(punish.most), .min = 1, .max = 4096 },
	{ 0 },
};

static const struct key attack_keys[] = {
	{ "completion_percent", &value_number, CONFIG(completion_percent), .min = 1, .max = 100 },
	{ "share_percent", &value_number, CONFIG(share_percent), .min = 1, .max = 100 },
	{ "connections_per_minute", &value_number, CONFIG(connections_per_minute), .min = 1, .max = 1000000 },
	{ "scan_ports", &value_number, CONFIG(scan_ports), .min = 8, .max = 1000000 },
	{ "evidence_files", &value_number, CONFIG(evidence_files), .max = 10000 },
	{ 0 },
};

static const struct key limits_keys[] = {
	{ "mode", &value_word, CONFIG(limits.mode), .words = policy_words },
	LIMIT_LEVELS_X(SYN_GROUP) LIMIT_LEVELS_X(CONNECTION_GROUP) LIMIT_LEVELS_X(MOST_GROUP){ 0 },
};

static const struct key events_keys[] = {
	{ "file", &value_string, CONFIG(events_file), .find_fault = path_fault },
	{ "hook", &value_string, CONFIG(hook), .find_fault = path_fault },
	{ "hook_events", &value_event_kinds, CONFIG(hook_events) },
	{ "hook_timeout_s", &value_number, CONFIG(hook_timeout_s), .min = 1, .max = 3600 },
	{ 0 },
};

static const struct key list_keys[] = {
	{ "block", &value_prefix_list, CONFIG(blocked) },
	{ "allow", &value_prefix_list, CONFIG(allowed) },
	{ 0 },
};

static const struct key protected_keys[] = {
	{ "prefixes", &value_prefixes, PROTECTED(prefixes), .example = "prefixes = [ \"192.0.2.0/24\" ];" },
	{ "closed", &value_word, PROTECTED(closed), .words = policy_words },
	{ "outward", &value_word, PROTECTED(outward), .words = policy_words },
	{ "outward_to", &value_prefixes, PROTECTED(outward_to) },
	{ "outward_ports", &value_ports, PROTECTED(outward_ports), .max = GUARD_SPANS },
	{ "outward_syn_pps", &value_number, PROTECTED(outward_syn_pps), .max = 1000000 },
	{ 0 },
};

/* What a service may have of its own; it is no source that could be proven. */
#define OWN(kind, field) &value_number, SERVICE(limits.limit[kind].field), .max = 100000000
#define OWN_ACTION(kind, fault)                                                                              \
	{                                                                                                    \
		"action", &value_word, SERVICE(limits.limit[kind].action), .words = limit_action_words,      \
									   .find_fault = fault               \
	}
static const struct key own_syn_keys[] = {
	{ "rate", OWN(KIND_SYN, rate) },
	{ "burst", OWN(KIND_SYN, burst) },
	OWN_ACTION(KIND_SYN, syn_action_fault),
	{ 0 },
};
static const struct key own_connection_keys[] = {
	{ "rate", OWN(KIND_CONNECTION, rate) },
	{ "burst", OWN(KIND_CONNECTION, burst) },
	OWN_ACTION(KIND_CONNECTION, connection_action_fault),
	{ 0 },
};
static const struct key own_half_open_keys[] = {
	{ "most", OWN(KIND_HALF_OPEN, rate) },
	OWN_ACTION(KIND_HALF_OPEN, syn_action_fault),
	{ 0 },
};
static const struct key own_limit_keys[] = {
	{ "syn_service", &own_limit, SERVICE(limits.given[KIND_SYN]), .members = own_syn_keys },
	{ "connection_service", &own_limit, SERVICE(limits.given[KIND_CONNECTION]),
	  .members = own_connection_keys },
	{ "half_open_service", &own_limit, SERVICE(limits.given[KIND_HALF_OPEN]),
	  .members = own_half_open_keys },
	{ 0 },
};

static const struct key service_keys[] = {
	{ "name", &value_text, SERVICE(name), .find_fault = name_fault, .example = "name = \"web\";" },
	{ "prefixes", &value_prefixes, SERVICE(prefixes),
	  .example = "prefixes = [ \"192.0.2.0/24\", \"2001:db8::/64\" ];" },
	{ "ports", &value_ports, SERVICE(ports), .example = "ports = [ 80, 443 ];" },
	{ "mode", &value_word, SERVICE(mode), .words = mode_words },
	{ "mss", &value_number, SERVICE(mss), .min = 536, .max = UINT16_MAX, .zero_ok = true },
	{ "half_open_high", &value_number, SERVICE(half_open_high), .max = UINT32_MAX },
	{ "half_open_low", &value_number, SERVICE(half_open_low), .max = UINT32_MAX },
	{ "syn_rate_high", &value_number, SERVICE(syn_rate_high), .max = UINT32_MAX },
	{ "syn_rate_low", &value_number, SERVICE(syn_rate_low), .max = UINT32_MAX },
	{ "hold_s", &value_number, SERVICE(hold_s), .min = 1, .max = 86400 },
	{ "handover", &value_word, SERVICE(handover), .words = handover_words },
	{ "tcp_auth", &value_boolean, SERVICE(tcp_auth) },
	{ "tcp_auth_rate_pps", &value_number, SERVICE(tcp_auth_rate_pps), .min = 1, .max = 1000000 },
	{ "limits", &own_limits, .members = own_limit_keys },
	{ 0 },
};

const struct key config_keys[] = {
	{ "deployment", &value_word, CONFIG(deployment), .words = deployment_words,
	  .example = "deployment = \"host\";", .restart = true },
	{ "xdp", &value_word, CONFIG(xdp), .words = xdp_words, .restart = true },
	{ "forward", &value_word, CONFIG(forward), .words = forward_words, .inline_only = true,
	  .restart = true },
	{ "interfaces", &group, .members = interface_keys },
	{ "control", &group, .members = control_keys },
	{ "metrics", &group, .members = metrics_keys },
	{ "cookie", &group, .members = cookie_keys },
	{ "host", &group, .members = host_keys },
	{ "inline", &group, .members = inline_keys, .inline_only = true },
	{ "policy", &group, .members = policy_keys },
	{ "tracking", &group, .members = tracking_keys },
	{ "lists", &group, .members = list_keys },
	{ "events", &group, .members = events_keys },
	{ "protected", &protected, .members = protected_keys, .list = true },
	{ "services", &services, .members = service_keys, .list = true,
	  .example =
		  "services = ( { name = \"web\"; prefixes = [ \"192.0.2.0/24\" ]; ports = [ 443 ]; } );" },
	{ "limits", &group, .members = limits_keys },
	{ "auto_block", &group, .members = punish_keys },
	{ "attacks", &group, .members = attack_keys },
	{ 0 },
};

const struct config_punish punish_defaults = {
	.mode = POLICY_MONITOR,
	.acts = 20,
	.duration_s = 600,
	.duration_most_s = 86400,
	.most = 1000,
};

/* A crowd behind one address stays below them, and more so once it has shown that it brings cookies back. */
const struct config_limits limits_defaults = {
	.mode = POLICY_MONITOR,
	.limit = {
		[KIND_SYN] = {
			[LEVEL_SOURCE] = { 500, 1000, 5000, 10000, LIMIT_THIN },
			[LEVEL_PREFIX] = { 2000, 4000, 20000, 40000, LIMIT_THIN },
			[LEVEL_SITE] = { 8000, 16000, 80000, 160000, LIMIT_THIN },
			[LEVEL_SERVICE] = { .action = LIMIT_THIN },
			[LEVEL_TOTAL] = { .action = LIMIT_THIN },
		},
		[KIND_CONNECTION] = {
			[LEVEL_SOURCE] = { 1000, 4000, 5000, 10000, LIMIT_DROP },
			[LEVEL_PREFIX] = { 4000, 16000, 20000, 40000, LIMIT_DROP },
			[LEVEL_SITE] = { 16000, 64000, 80000, 160000, LIMIT_DROP },
			[LEVEL_SERVICE] = { .action = LIMIT_DROP },
			[LEVEL_TOTAL] = { .action = LIMIT_DROP },
		},
		[KIND_HALF_OPEN] = {
			[LEVEL_SOURCE] = { .rate = 2000, .proven_rate = 10000, .action = LIMIT_THIN },
			[LEVEL_PREFIX] = { .rate = 8000, .proven_rate = 40000, .action = LIMIT_THIN },
			[LEVEL_SITE] = { .rate = 32000, .proven_rate = 160000, .action = LIMIT_THIN },
			[LEVEL_SERVICE] = { .action = LIMIT_THIN },
			[LEVEL_TOTAL] = { .action = LIMIT_THIN },
		},
	},
};

static const struct config_service service_defaults = {
	.mode = MODE_AUTO,
	.syn_rate_high = 10000,
	.hold_s = 60,
	.tcp_auth_rate_pps = 100,
	.limits.limit = { [KIND_SYN] = { .action = LIMIT_THIN },
			  [KIND_CONNECTION] = { .action = LIMIT_DROP },
			  [KIND_HALF_OPEN] = { .action = LIMIT_THIN } },
};

/* --- keys that nobody knows --- */

/* Insertions, deletions and replacements that make one word of the other; words are cut at 63 characters. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t length = strnlen(b, 63), row[64];

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] && i < 64; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);
			size_t insert = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = change < insert ? change : insert;
		}
	}
	return row[length];
}

const struct key *keys_find(const struct key *keys, const char *name)
{
	for (; keys->name; keys++) {
		if (!strcmp(keys->name, name))
			return keys;
	}
	return NULL;
}

static const char *nearest_key(const struct key *keys, const char *name)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;

	for (; keys->name; keys++) {
		size_t distance = edit_distance(name, keys->name);

		if (distance < least) {
			least = distance;
			nearest = keys->name;
		}
	}
	return nearest;
}

/* The top-level key whose members include NAME, or NULL. */
static const struct key *find_home(const char *name)
{
	for (const struct key *key = config_keys; key->name; key++) {
		if (key->members && keys_find(key->members, name))
			return key;
	}
	return NULL;
}

const char *keys_list(const struct key *keys, char *buffer, size_t size)
{
	size_t used = 0;

	*buffer = '\0';
	for (; keys->name && used < size; keys++)
		used += (size_t)snprintf(buffer + used, size - used, "%s%s", used ? ", " : "", keys->name);
	return buffer;
}

static int unknown_key(const struct key *keys, const config_setting_t *setting, struct config_error *error)
{
	const char *name = config_setting_name(setting);
	const struct key *home = find_home(name);
	char names[128];

	if (keys_find(keys, "action") || keys == own_limit_keys) /* of a limit, no other place is meant */
		return error_at(error, setting, "unknown key here: there are %s",
				keys_list(keys, names, sizeof(names)));
	if (home)
		return error_at(error, setting, "unknown key here: it belongs inside %s = %s", home->name,
				home->list ? "( { ... } )" : "{ ... }");
	if (keys != config_keys && keys_find(config_keys, name))
		return error_at(error, setting, "unknown key here: it belongs outside all brackets");
	return error_at(error, setting, "unknown key: the nearest known one is %s", nearest_key(keys, name));
}

/* --- groups --- */

int keys_read(const struct key *keys, const config_setting_t *group_setting, void *object,
	      struct config_error *error)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < (unsigned int)config_setting_length(group_setting); i++) {
		const config_setting_t *setting = config_setting_get_elem(group_setting, i);
		const struct key *key = keys_find(keys, config_setting_name(setting));

		err = key ? key->type->read(key, setting, object, error) : unknown_key(keys, setting, error);
	}
	return err;
}

void keys_print(const struct key *keys, const void *object, int depth, FILE *out)
{
	for (; keys->name; keys++) {
		if (keys->inline_only && ((const struct config *)object)->deployment != DEPLOYMENT_INLINE)
			continue;
		if (keys->type->print)
			keys->type->print(keys, object, depth, out);
	}
}

static int read_group(const struct key *key, const config_setting_t *setting, void *object,
		      struct config_error *error)
{
	if (!config_setting_is_group(setting))
		return error_type(error, setting, "a group { ... }");
	return keys_read(key->members, setting, object, error);
}

static void print_group(const struct key *key, const void *object, int depth, FILE *out)
{
	value_print_indent(depth, out);
	fprintf(out, "%s = {\n", key->name);
	keys_print(key->members, object, depth + 1, out);
	value_print_indent(depth, out);
	fputs("};\n", out);
}

static const struct value_type group = { read_group, print_group };

/* --- what a running daemon cannot change --- */

static bool has_same_value(const struct key *key, const struct config *a, const struct config *b)
{
	const char *in_a = (const char *)a + key->offset, *in_b = (const char *)b + key->offset;

	if (key->type == &value_text)
		return !strcmp(in_a, in_b);
	if (key->type == &value_string) {
		in_a = *(char *const *)in_a;
		in_b = *(char *const *)in_b;
		return in_a && in_b ? !strcmp(in_a, in_b) : in_a == in_b;
	}
	return !memcmp(in_a, in_b, key->size);
}

static const struct key *find_changed(const struct key *keys, const struct config *a, const struct config *b)
{
	for (; keys->name; keys++)
		if (keys->restart && !has_same_value(keys, a, b))
			return keys;
	return NULL;
}

bool config_needs_restart(const struct config *a, const struct config *b, char *name, size_t size)
{
	const struct key *changed = find_changed(config_keys, a, b);

	if (changed) {
		snprintf(name, size, "%s", changed->name);
		return true;
	}
	for (const struct key *key = config_keys; key->name; key++) {
		if (key->type != &group || !(changed = find_changed(key->members, a, b)))
			continue;
		snprintf(name, size, "%s.%s", key->name, changed->name);
		return true;
	}
	return false;
}

/* --- a service's own limits: each that is given --- */

static bool *own_is_given(const struct key *key, const void *object)
{
	return (bool *)((char *)object + key->offset);
}

static int read_own_limit(const struct key *key, const config_setting_t *setting, void *object,
			  struct config_error *error)
{
	*own_is_given(key, object) = true;
	return read_group(key, setting, object, error);
}

static void print_own_limit(const struct key *key, const void *object, int depth, FILE *out)
{
	if (*own_is_given(key, object))
		print_group(key, object, depth, out);
}

static void print_own_limits(const struct key *key, const void *object, int depth, FILE *out)
{
	bool any = false;

	for (const struct key *member = key->members; member->name; member++)
		any |= *own_is_given(member, object);
	if (any)
		print_group(key, object, depth, out);
}

static const struct value_type own_limits = { read_group, print_own_limits };
static const struct value_type own_limit = { read_own_limit, print_own_limit };

/* --- services --- */

static int check_needed(const struct key *keys, const config_setting_t *group_setting,
			struct config_error *error)
{
	for (; keys->name; keys++) {
		if (keys->example && !config_setting_get_member(group_setting, keys->name))
			return error_missing(error, group_setting, keys->name, keys->example);
	}
	return 0;
}

static int read_service(const struct key *key, const config_setting_t *setting, struct config *config,
			struct config_error *error)
{
	struct config_service *grown;
	int err;

	if (!config_setting_is_group(setting))
		return error_type(error, setting, "a service { name = ...; prefixes = ...; ports = ...; }");
	if (config->service_count == SERVICES_MAX)
		return error_at(error, setting, "more than %d services: join some that share their settings",
				SERVICES_MAX);
	grown = reallocarray(config->services, config->service_count + 1, sizeof(*grown));
	if (!grown)
		return error_memory(error);
	config->services = grown;
	config->services[config->service_count++] = service_defaults;
	err = keys_read(key->members, setting, &config->services[config->service_count - 1], error);
	return err ? err : check_needed(key->members, setting, error);
}

static int read_services(const struct key *key, const config_setting_t *setting, void *object,
			 struct config_error *error)
{
	int err = 0;

	if (!config_setting_is_list(setting))
		return error_type(error, setting, "a list of groups ( { ... }, { ... } )");
	for (unsigned int i = 0; !err && i < (unsigned int)config_setting_length(setting); i++)
		err = read_service(key, config_setting_get_elem(setting, i), object, error);
	return err;
}

static void print_services(const struct key *key, const void *object, int depth, FILE *out)
{
	const struct config *config = object;

	fprintf(out, "%s = (", key->name);
	for (size_t i = 0; i < config->service_count; i++) {
		fputs(i ? ", {\n" : " {\n", out);
		keys_print(key->members, &config->services[i], depth + 1, out);
		fputs("}", out);
	}
	fputs(" );\n", out);
}

static const struct value_type services = { read_services, print_services };

/* --- protected prefixes --- */

static int read_one_protected(const struct key *key, const config_setting_t *setting, struct config *config,
			      struct config_error *error)
{
	struct config_protected *grown;
	int err;

	if (!config_setting_is_group(setting))
		return error_type(error, setting, "a group { prefixes = ...; closed = ...; }");
	if (config->protected_count == GUARDS_MAX)
		return error_at(error, setting, "more than %d groups: join some that share their settings",
				GUARDS_MAX);
	grown = reallocarray(config->protected, config->protected_count + 1, sizeof(*grown));
	if (!grown)
		return error_memory(error);
	config->protected = grown;
	config->protected[config->protected_count++] = (struct config_protected){ .closed = POLICY_OFF };
	err = keys_read(key->members, setting, &config->protected[config->protected_count - 1], error);
	return err ? err : check_needed(key->members, setting, error);
}

static int read_protected(const struct key *key, const config_setting_t *setting, void *object,
			  struct config_error *error)
{
	int err = 0;

	if (!config_setting_is_list(setting))
		return error_type(error, setting, "a list of groups ( { ... }, { ... } )");
	for (unsigned int i = 0; !err && i < (unsigned int)config_setting_length(setting); i++)
		err = read_one_protected(key, config_setting_get_elem(setting, i), object, error);
	return err;
}

static void print_protected(const struct key *key, const void *object, int depth, FILE *out)
{
	const struct config *config = object;

	if (!config->protected_count)
		return;
	fprintf(out, "%s = (", key->name);
	for (size_t i = 0; i < config->protected_count; i++) {
		fputs(i ? ", {\n" : " {\n", out);
		keys_print(key->members, &config->protected[i], depth + 1, out);
		fputs("}", out);
	}
	fputs(" );\n", out);
}

static const struct value_type protected = { read_protected, print_protected };
