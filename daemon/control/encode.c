// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine's state as JSON. */
#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/control/encode.h"
#include "daemon/control/varlink.h"
#include "daemon/engine/engine.h"
#include "daemon/metrics/metrics.h"

static json_int_t count(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

static json_t *text(const char *value)
{
	return varlink_text(value, strlen(value));
}

/* Of a status with many services, so that it stays short. */
static json_t *encode_attack_of(const struct attack *a)
{
	if (!a)
		return json_null();
	return json_pack("{s:s,s:b,s:I,s:I,s:I,s:I,s:I}", "class", detect_class_word(a->class), "going_on",
			 a->going_on, "begun_ms", (json_int_t)a->begun_ms, "duration_s", count(a->duration_s),
			 "calm_s", count(a->calm_s), "peak_pps", count(a->peak_pps), "sources",
			 count(a->sources));
}

static json_t *encode_completion(const struct attack *a)
{
	uint64_t answered = a->monitor ? a->would_answer : a->answered;

	return a->completes_known ? json_integer(detect_completion(answered, a->completed)) : json_null();
}

static json_t *encode_talkers(const struct attack *a)
{
	char prefix[INET6_ADDRSTRLEN + 8];
	json_t *top = json_array();

	for (size_t i = 0; i < a->top_count; i++)
		json_array_append_new(top, json_pack("{s:s,s:I}", "prefix",
						     prefix_format(&a->top[i].prefix, prefix, sizeof(prefix)),
						     "percent", count(a->top[i].percent)));
	return top;
}

static json_t *encode_classes_before(const struct attack *a)
{
	json_t *classes = json_array();

	for (uint32_t i = 0; i < a->before_count; i++)
		json_array_append_new(classes, json_string(detect_class_word(a->before[i])));
	return classes;
}

static json_t *encode_path(const char *folder, const char *name)
{
	char path[PATH_MAX];

	if (!*name)
		return json_null();
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return text(path);
}

static json_t *encode_attack(const struct attack *a, const char *folder)
{
	return json_pack(
		"{s:o,s:s,s:o,s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:I,s:I,s:I,s:o,s:o,s:o}",
		"service", text(a->service), "class", detect_class_word(a->class), "classes_before",
		encode_classes_before(a), "going_on", a->going_on, "monitor", a->monitor, "begun_ms",
		(json_int_t)a->begun_ms, "duration_s", count(a->duration_s), "calm_s", count(a->calm_s),
		"syn_rate_pps", count(a->going_on ? a->syn_rate_pps : 0), "peak_pps", count(a->peak_pps),
		"half_open", count(a->half_open_peak), "sources", count(a->sources), "syns", count(a->syns),
		"answered", count(a->answered), "completed", count(a->completed), "completion_percent",
		encode_completion(a), "dropped", count(a->dropped), "would_answer", count(a->would_answer),
		"would_drop", count(a->would_drop), "top", encode_talkers(a), "evidence",
		*a->evidence ? text(a->evidence) : json_null(), "evidence_path",
		encode_path(folder, a->evidence));
}

json_t *encode_attacks(struct engine *engine, size_t wanted)
{
	json_t *attacks = json_array();
	const struct attack *a;
	uint64_t taken, lost;

	for (size_t i = 0; i < wanted && (a = engine_get_attack(engine, i)); i++)
		json_array_append_new(attacks, encode_attack(a, engine_evidence_folder(engine)));
	engine_get_samples(engine, &taken, &lost);
	return json_pack("{s:o,s:o,s:I,s:I}", "attacks", attacks, "folder",
			 text(engine_evidence_folder(engine)), "samples", count(taken), "samples_lost",
			 count(lost));
}

json_t *encode_service(const struct service_status *status)
{
	const struct config_service *config = status->config;

	return json_pack("{s:o,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:b,s:b,s:I,s:I,s:I,s:o}", "name",
			 text(config->name), "mode", config_mode_word(status->mode), "configured_mode",
			 config_mode_word(config->mode), "mitigation",
			 engine_mitigation_word(status->mitigation), "since_s", count(status->since_s),
			 "half_open", count(status->half_open), "syn_rate_pps", count(status->syn_rate_pps),
			 "answered_pps", count(status->answered_pps), "completed_pps",
			 count(status->completed_pps), "mptcp_listener", status->mptcp_listener, "asymmetric",
			 status->asymmetric, "asymmetric_connections", count(status->asymmetric_connections),
			 "prefix_count", count(config->prefix_count), "port_count", count(config->port_count),
			 "attack", encode_attack_of(status->attack));
}

static json_t *known(uint32_t value)
{
	return value ? json_integer(value) : json_null();
}

json_t *encode_settings(const struct service_status *status)
{
	const struct config_service *config = status->config;

	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:I,s:o,s:o,s:o}", "mss", count(config->mss),
			 "half_open_high", count(config->half_open_high), "half_open_low",
			 count(config->half_open_low), "syn_rate_high", count(config->syn_rate_high),
			 "syn_rate_low", count(config->syn_rate_low), "hold_s", count(config->hold_s),
			 "tcp_auth", config->tcp_auth, "tcp_auth_rate_pps", count(config->tcp_auth_rate_pps),
			 "half_open_begins", known(status->half_open_high), "half_open_ends",
			 known(status->half_open_low), "backlog", known(status->backlog));
}

json_t *encode_verdicts(const struct service_counters *counters)
{
	json_t *verdicts = json_object();

	for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
		json_object_set_new(verdicts, engine_verdict_word((enum verdict)verdict),
				    json_pack("{s:I,s:I,s:s}", "packets", count(counters->verdict[verdict]),
					      "would", count(counters->would[verdict]), "meaning",
					      engine_verdict_meaning((enum verdict)verdict)));
	return verdicts;
}

static json_t *encode_handovers(const struct handover_counters *counters)
{
	json_t *handovers = json_object();

	for (int outcome = 0; outcome < HANDOVER_COUNT; outcome++)
		json_object_set_new(handovers, engine_handover_word((enum handover_outcome)outcome),
				    json_pack("{s:I,s:s}", "connections", count(counters->outcome[outcome]),
					      "meaning",
					      engine_handover_meaning((enum handover_outcome)outcome)));
	return handovers;
}

json_t *encode_interface(const struct interface_status *status)
{
	return json_pack("{s:o,s:b,s:b,s:b,s:I,s:I,s:s,s:o}", "name", text(status->name), "present",
			 status->present, "attached", status->attached, "up", status->up, "ifindex",
			 count(status->ifindex), "mtu", count(status->mtu), "xdp", status->xdp, "reason",
			 text(status->reason));
}

/* NULL in JSON: no client has asked for it yet. */
static json_t *encode_option(const struct server *server, uint8_t option, bool agreed)
{
	return server->known & option ? json_boolean(agreed) : json_null();
}

json_t *encode_server(const struct server_status *status)
{
	const struct server *s = &status->learned;
	bool scales = s->wscale != COOKIE_NO_WSCALE;
	char address[INET6_ADDRSTRLEN] = "";

	if (IN6_IS_ADDR_V4MAPPED(s->address))
		inet_ntop(AF_INET, &s->address[3], address, sizeof(address));
	else
		inet_ntop(AF_INET6, s->address, address, sizeof(address));
	return json_pack("{s:s,s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:I}", "address", address, "port",
			 ntohs(s->port), "mss", s->mss ? json_integer(s->mss) : json_null(), "window_scaling",
			 encode_option(s, OPTION_WS, scales), "wscale",
			 s->known & OPTION_WS && scales ? json_integer(s->wscale) : json_null(), "sack",
			 encode_option(s, OPTION_SACK, s->options & OPTION_SACK), "timestamps",
			 encode_option(s, OPTION_TS, s->options & OPTION_TS), "ecn",
			 s->ecn == SERVER_ECN_UNKNOWN ? json_null() : json_boolean(s->ecn == SERVER_ECN_YES),
			 "state", status->state, "age_s", count(status->age_s));
}

json_t *encode_drain(const struct engine_status *status)
{
	return json_pack("{s:s,s:b,s:b,s:I,s:I,s:I}", "deployment",
			 engine_deployment_word(status->deployment), "draining", status->draining, "drained",
			 status->drained || status->deployment == DEPLOYMENT_HOST, "translated",
			 count(status->translated), "since_s", count(status->drain_age_s), "honours_s",
			 count(status->drain_honours_s));
}

json_t *encode_key(const struct engine_status *status)
{
	return json_pack("{s:I,s:I,s:b,s:I,s:I}", "generation", count(status->key_generation), "age_s",
			 count(status->key_age_s), "rotation_pending", status->rotation_pending,
			 "rotation_in_s", count(status->rotation_in_s), "older_ends_in_s",
			 count(status->older_ends_in_s));
}

json_t *encode_with_alarms(json_t *reply, struct engine *engine)
{
	struct engine_status status;

	engine_get_status(engine, &status);
	json_object_set_new(reply, "bypass", json_boolean(status.bypass));
	json_object_set_new(reply, "syncookies_off", json_boolean(status.syncookies_off));
	json_object_set_new(reply, "draining", json_boolean(status.draining));
	json_object_set_new(reply, "forwarding_off", text(status.forwarding_off));
	json_object_set_new(reply, "answers_lost", json_boolean(status.answers_lost));
	return reply;
}

json_t *encode_health(const struct metrics *metrics)
{
	struct health_status health;

	metrics_get_health(metrics, &health);
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "loop_lag_us", (json_int_t)(health.lag_s * 1e6),
			 "loop_lag_max_us", (json_int_t)(health.lag_most_s * 1e6), "cpu_ms",
			 (json_int_t)(health.cpu_s * 1e3), "memory_bytes", count(health.memory_bytes), "fds",
			 count(health.fds), "fds_max", count(health.fds_max));
}

static json_t *encode_limit(const struct limit_status *status)
{
	const struct config_limit *l = &status->limit;

	return json_pack("{s:s,s:s?,s:I,s:I,s:I,s:I,s:s,s:b,s:I,s:I,s:I}", "name", status->name, "service",
			 status->service, "rate", count(l->rate), "burst", count(l->burst), "proven_rate",
			 count(l->proven_rate), "proven_burst", count(l->proven_burst), "action",
			 config_limit_action_word(l->action), "changed", status->changed, "over",
			 count(status->counters.over), "dropped", count(status->counters.dropped),
			 "would_drop", count(status->would_drop));
}

json_t *encode_limits(struct engine *engine)
{
	enum policy_mode configured = engine_get_config(engine)->limits.mode;
	json_t *limits = json_array();
	struct limit_status status;

	for (size_t i = 0; engine_get_limit(engine, i, &status) == 0; i++)
		json_array_append_new(limits, encode_limit(&status));
	return json_pack("{s:s,s:s,s:o}", "mode", config_policy_word(engine_limits_mode(engine)),
			 "configured_mode", config_policy_word(configured), "limits", limits);
}

json_t *encode_own_limits(struct engine *engine, const char *service)
{
	json_t *limits = json_array();
	struct limit_status status;

	for (size_t i = 0; engine_get_limit(engine, i, &status) == 0; i++)
		if (status.service && !strcmp(status.service, service))
			json_array_append_new(limits, encode_limit(&status));
	return limits;
}

static json_t *encode_source(const struct source_status *s)
{
	static const char *const levels[] = {
#define X(name, word) #word,
		LIMIT_LEVELS_X(X)
#undef X
	};
	char prefix[INET6_ADDRSTRLEN + 8];

	return json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:I,s:I}", "prefix",
			 prefix_format(&s->prefix, prefix, sizeof(prefix)), "level", levels[s->level],
			 "half_open", count(s->half_open), "held", count(s->held), "half_open_error",
			 count(s->error), "begun", count(s->begun), "completed", count(s->completed),
			 "syn_rate_pps", count(s->syn_rate_pps), "proven", s->proven, "over", count(s->over),
			 "dropped", count(s->dropped));
}

json_t *encode_sources(struct engine *engine, enum source_order order, size_t wanted)
{
	struct source_status *all = calloc(SOURCES_MAX, sizeof(*all));
	json_t *sources = json_array();
	uint32_t window_s = 0;
	size_t found = all ? engine_get_sources(engine, order, all, SOURCES_MAX, &window_s) : 0;

	for (size_t i = 0; i < found && i < wanted; i++)
		json_array_append_new(sources, encode_source(&all[i]));
	free(all);
	return json_pack("{s:o,s:I,s:b,s:s}", "sources", sources, "window_s", count(window_s), "accounting",
			 engine_limits_mode(engine) != POLICY_OFF, "limits_mode",
			 config_policy_word(engine_limits_mode(engine)));
}

json_t *encode_services(struct engine *engine)
{
	json_t *services = json_array();
	struct service_status status;

	for (size_t i = 0; engine_get_service(engine, i, &status) == 0; i++)
		json_array_append_new(services, encode_service(&status));
	return services;
}

json_t *encode_interfaces(struct engine *engine)
{
	json_t *interfaces = json_array();
	struct interface_status status;

	for (size_t i = 0; engine_get_interface(engine, i, &status) == 0; i++)
		json_array_append_new(interfaces, encode_interface(&status));
	return interfaces;
}

static uint64_t sum_of_verdicts(const struct service_counters *counters)
{
	uint64_t sum = 0;

	for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
		sum += counters->verdict[verdict];
	return sum;
}

static const char *handover_error_text(int64_t error)
{
	return error < 0 && error >= -4095 ? strerror((int)-error) : "";
}

/* Those that there are at tcx egress. */
static json_t *encode_outward(const struct outward_counters *counters)
{
	static const enum verdict drops[] = { DROP_OUTWARD_DESTINATION, DROP_OUTWARD_RATE,
					      DROP_OUTWARD_SOURCE };
	json_t *outward = json_object();

	for (size_t i = 0; i < sizeof(drops) / sizeof(*drops); i++)
		json_object_set_new(outward, engine_verdict_word(drops[i]),
				    json_pack("{s:I,s:I,s:s}", "packets", count(counters->dropped[drops[i]]),
					      "would", count(counters->would[drops[i]]), "meaning",
					      engine_verdict_meaning(drops[i])));
	return outward;
}

static json_t *encode_policy(const struct config *config)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "sanity", config_policy_word(config->sanity), "reflection",
			 config_policy_word(config->reflection), "smurf", config_policy_word(config->smurf),
			 "outward_source", config_policy_word(config->outward_source));
}

#define PREFIXES_NAMED 4 /* of a group of protected ones */

static json_t *encode_guard_counts(const struct guard_counters *c, enum guard_reason reason)
{
	return json_pack("{s:I,s:I}", "packets", count(c->dropped[reason]), "would", count(c->would[reason]));
}

static json_t *encode_protected_one(const struct protected_status *status)
{
	const struct config_protected *p = status->config;
	json_t *prefixes = json_array();
	char buffer[INET6_ADDRSTRLEN + 8];

	for (size_t i = 0; i < p->prefix_count && i < PREFIXES_NAMED; i++)
		json_array_append_new(prefixes,
				      json_string(prefix_format(&p->prefixes[i], buffer, sizeof(buffer))));
	return json_pack("{s:o,s:I,s:s,s:s,s:{s:o,s:o,s:o}}", "prefixes", prefixes, "prefix_count",
			 count(p->prefix_count), "closed", config_policy_word(p->closed), "outward",
			 config_policy_word(p->outward), "counts", "drop_closed",
			 encode_guard_counts(&status->counters, GUARD_CLOSED), "drop_outward_destination",
			 encode_guard_counts(&status->counters, GUARD_DESTINATION), "drop_outward_rate",
			 encode_guard_counts(&status->counters, GUARD_RATE));
}

static json_t *encode_protected(struct engine *engine)
{
	json_t *all = json_array();
	struct protected_status status;

	for (size_t i = 0; engine_get_protected(engine, i, &status) == 0; i++)
		json_array_append_new(all, encode_protected_one(&status));
	return all;
}

json_t *encode_status(struct engine *engine)
{
	struct engine_status status;
	json_t *reply;

	engine_get_status(engine, &status);
	reply = json_pack("{s:s,s:s,s:I,s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:I,s:o}",
			  "version", SYNMOAT_VERSION, "deployment", engine_deployment_word(status.deployment),
			  "uptime_s", count(status.uptime_s), "bypass", status.bypass, "syncookies_off",
			  status.syncookies_off, "packets", count(status.packets), "unserved_packets",
			  count(sum_of_verdicts(&status.unserved)), "flows_seeded",
			  count(status.flows_seeded), "connections", count(status.connections),
			  "connections_max", count(status.connections_max), "half_opens_cleared",
			  count(status.half_opens_cleared), "key", encode_key(&status), "interfaces",
			  encode_interfaces(engine), "services", encode_services(engine), "verdicts",
			  encode_verdicts(&status.totals), "handovers", encode_handovers(&status.handover),
			  "handover_last_error", (json_int_t)status.handover.last_error,
			  "handover_last_error_text", text(handover_error_text(status.handover.last_error)));
	json_object_set_new(reply, "translated", json_integer(count(status.translated)));
	json_object_set_new(reply, "draining", json_boolean(status.draining));
	json_object_set_new(reply, "drained", json_boolean(status.drained));
	json_object_set_new(reply, "outward", encode_outward(&status.outward));
	json_object_set_new(reply, "policy", encode_policy(engine_get_config(engine)));
	json_object_set_new(reply, "protected", encode_protected(engine));
	json_object_set_new(reply, "forwarding_off", text(status.forwarding_off));
	json_object_set_new(reply, "answers_lost", json_boolean(status.answers_lost));
	return reply;
}

json_t *encode_prefixes(const struct config_service *config, size_t first, size_t wanted)
{
	json_t *prefixes = json_array();
	char buffer[INET6_ADDRSTRLEN + 8];

	for (size_t i = first; i < config->prefix_count && i - first < wanted; i++)
		json_array_append_new(
			prefixes, json_string(prefix_format(&config->prefixes[i], buffer, sizeof(buffer))));
	return prefixes;
}

json_t *encode_ports(const struct config_service *config, size_t first, size_t wanted)
{
	json_t *ports = json_array();

	for (size_t i = first; i < config->port_count && i - first < wanted; i++) {
		const struct port_span *span = &config->ports[i];

		json_array_append_new(ports, span->first == span->last
						     ? json_sprintf("%u", span->first)
						     : json_sprintf("%u-%u", span->first, span->last));
	}
	return ports;
}
