// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See collect.h. Counters of the fast path outlive the daemon, where somebody keeps its maps, and those of
 * the daemon's own with them, so that none falls; when they begin anew, they say so (_created).
 */
#include "daemon/metrics/collect.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "daemon/engine/engine.h"
#include "daemon/events/events.h"
#include "daemon/lists/lists.h"
#include "daemon/maps/fastpath.h"
#include "daemon/metrics/exposition.h"
#include "daemon/metrics/health.h"
#include "daemon/tracker/tracker.h"
#include "daemon/watch/watch.h"

#define LISTENERS_TOLD 64 /* so that a host with many has not too many series */

struct collection {
	const struct collect_sources *from;
	struct exposition *into;
	double created_s; /* of all counters */
};

static void gauge(const struct collection *c, const char *name, const char *unit, double value,
		  const char *help)
{
	exposition_family(c->into, METRIC_GAUGE, name, unit, 0, help);
	exposition_value(c->into, value, NULL);
}

static void family(const struct collection *c, enum metric_type type, const char *name, const char *help)
{
	exposition_family(c->into, type, name, NULL, c->created_s, help);
}

static void counter(const struct collection *c, const char *name, uint64_t value, const char *help)
{
	family(c, METRIC_COUNTER, name, help);
	exposition_count(c->into, value, NULL);
}

/* --- the whole --- */

static void collect_daemon(const struct collection *c, const struct engine_status *status)
{
	exposition_family(c->into, METRIC_INFO, "synmoat_build", NULL, 0,
			  "Version and deployment of the daemon.");
	exposition_count(c->into, 1, "version", SYNMOAT_VERSION, "deployment",
			 engine_deployment_word(status->deployment), NULL);
	gauge(c, "synmoat_uptime_seconds", "seconds", (double)status->uptime_s,
	      "Time since the daemon came up.");
	gauge(c, "synmoat_bypass", NULL, status->bypass, "1: no new cookies, no drops (synmoat bypass on).");
	gauge(c, "synmoat_draining", NULL, status->draining, "1: synmoat drain is under way or done.");
	gauge(c, "synmoat_drained", NULL, status->drained, "1: nothing is translated any more.");
	gauge(c, "synmoat_syncookies_off", NULL, status->syncookies_off,
	      "1: net.ipv4.tcp_syncookies is 0, so that nothing is defended.");
	gauge(c, "synmoat_forwarding_off", NULL, *status->forwarding_off != '\0',
	      "1: the kernel does not forward, which forward = route needs.");
	gauge(c, "synmoat_cookie_key_generation", NULL, status->key_generation,
	      "Generation of the cookie key.");
	gauge(c, "synmoat_cookie_key_age_seconds", "seconds", (double)status->key_age_s,
	      "Age of the cookie key.");
	gauge(c, "synmoat_cookie_rotation_pending", NULL, status->rotation_pending,
	      "1: a rotation of the cookie key waits for the older key to retire.");
	gauge(c, "synmoat_connections", NULL, (double)status->connections,
	      "Inline: connections in the table.");
	gauge(c, "synmoat_connections_max", NULL, (double)status->connections_max,
	      "Inline: connections that have room in the table; host mode: 0.");
	gauge(c, "synmoat_connections_translated", NULL, (double)status->translated,
	      "Inline: connections that stopping the daemon would break.");
	gauge(c, "synmoat_flows_seeded", NULL, (double)status->flows_seeded,
	      "Connections older than the daemon, taken over at its start.");
	counter(c, "synmoat_half_opens_cleared", status->half_opens_cleared,
		"Half-opens from before a mitigation that were ended because they did not complete.");
}

static void collect_interfaces(const struct collection *c)
{
	static const struct {
		const char *name, *help;
	} families[] = {
		{ "synmoat_interface_present", "1: the interface is there." },
		{ "synmoat_interface_up", "1: the interface is up." },
		{ "synmoat_interface_attached", "1: the fast path is attached to the interface." },
	};
	struct interface_status status;

	for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
		family(c, METRIC_GAUGE, families[f].name, families[f].help);
		for (size_t i = 0; !engine_get_interface(c->from->engine, i, &status); i++) {
			const bool values[] = { status.present, status.up, status.attached };

			exposition_count(c->into, values[f], "interface", status.name, NULL);
		}
	}
}

static void collect_verdicts(const struct collection *c, const struct engine_status *status)
{
	static const enum verdict outward[] = { DROP_OUTWARD_DESTINATION, DROP_OUTWARD_RATE,
						DROP_OUTWARD_SOURCE };

	family(c, METRIC_COUNTER, "synmoat_packets",
	       "Packets by verdict; all of them together are what XDP saw.");
	for (int v = 0; v < VERDICT_COUNT; v++)
		exposition_count(c->into, status->totals.verdict[v], "verdict",
				 engine_verdict_word((enum verdict)v), NULL);
	family(c, METRIC_COUNTER, "synmoat_would_packets",
	       "Packets that in mode or policy monitor would have had this verdict.");
	for (int v = 0; v < VERDICT_COUNT; v++)
		exposition_count(c->into, status->totals.would[v], "verdict",
				 engine_verdict_word((enum verdict)v), NULL);
	family(c, METRIC_COUNTER, "synmoat_outward_dropped_packets",
	       "Host mode: packets dropped on their way out, which are in no verdict.");
	for (size_t i = 0; i < sizeof(outward) / sizeof(*outward); i++)
		exposition_count(c->into, status->outward.dropped[outward[i]], "verdict",
				 engine_verdict_word(outward[i]), NULL);
	family(c, METRIC_COUNTER, "synmoat_outward_would_packets",
	       "Host mode: packets that in policy monitor would have been dropped on their way out.");
	for (size_t i = 0; i < sizeof(outward) / sizeof(*outward); i++)
		exposition_count(c->into, status->outward.would[outward[i]], "verdict",
				 engine_verdict_word(outward[i]), NULL);
	family(c, METRIC_COUNTER, "synmoat_handovers", "ACKs with a valid cookie by what became of them.");
	for (int h = 0; h < HANDOVER_COUNT; h++)
		exposition_count(c->into, status->handover.outcome[h], "outcome",
				 engine_handover_word((enum handover_outcome)h), NULL);
}

/* --- services --- */

typedef void service_fn(const struct collection *c, const struct service_status *status);

static void each_service(const struct collection *c, service_fn *fn)
{
	struct service_status status;

	for (size_t i = 0; !engine_get_service(c->from->engine, i, &status); i++)
		fn(c, &status);
}

/* A verdict that a service never had makes no series. */
static void service_verdicts(const struct collection *c, const struct service_status *status)
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (status->counters.verdict[v])
			exposition_count(c->into, status->counters.verdict[v], "service",
					 status->config->name, "verdict",
					 engine_verdict_word((enum verdict)v), NULL);
}

static void service_would(const struct collection *c, const struct service_status *status)
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (status->counters.would[v])
			exposition_count(c->into, status->counters.would[v], "service", status->config->name,
					 "verdict", engine_verdict_word((enum verdict)v), NULL);
}

static void service_syns(const struct collection *c, const struct service_status *status)
{
	exposition_count(c->into, status->counters.syns, "service", status->config->name, NULL);
}

static void service_completed(const struct collection *c, const struct service_status *status)
{
	exposition_count(c->into, status->counters.completed, "service", status->config->name, NULL);
}

static void service_half_open(const struct collection *c, const struct service_status *status)
{
	exposition_count(c->into, status->half_open, "service", status->config->name, NULL);
}

static void service_mode(const struct collection *c, const struct service_status *status)
{
	for (int mode = MODE_OFF; mode <= MODE_ALWAYS; mode++)
		exposition_count(c->into, (int)status->mode == mode, "service", status->config->name, "mode",
				 config_mode_word((enum service_mode)mode), NULL);
}

static void service_mitigation(const struct collection *c, const struct service_status *status)
{
	for (int state = MITIGATION_IDLE; state <= MITIGATION_GRACE; state++)
		exposition_count(c->into, (int)status->mitigation == state, "service", status->config->name,
				 "state", engine_mitigation_word((enum mitigation)state), NULL);
}

static void service_since(const struct collection *c, const struct service_status *status)
{
	exposition_count(c->into, status->since_s, "service", status->config->name, NULL);
}

static void service_mptcp(const struct collection *c, const struct service_status *status)
{
	exposition_count(c->into, status->mptcp_listener, "service", status->config->name, NULL);
}

static void service_asymmetric(const struct collection *c, const struct service_status *status)
{
	exposition_count(c->into, status->asymmetric, "service", status->config->name, NULL);
}

static void service_attack(const struct collection *c, const struct service_status *status)
{
	for (int class = 0; class < CLASS_COUNT; class ++)
		exposition_count(c->into,
				 status->attack && status->attack->going_on &&
					 (int)status->attack->class == class,
				 "service", status->config->name, "class",
				 detect_class_word((enum detect_class) class), NULL);
}

static void service_sources(const struct collection *c, const struct service_status *status)
{
	exposition_count(c->into, status->attack && status->attack->going_on ? status->attack->sources : 0,
			 "service", status->config->name, NULL);
}

static void collect_services(const struct collection *c)
{
	static const struct {
		enum metric_type type;
		const char *name;
		service_fn *fn;
		const char *unit, *help;
	} families[] = {
		{ METRIC_COUNTER, "synmoat_service_packets", service_verdicts, NULL,
		  "Packets of a service by verdict, of those that it had." },
		{ METRIC_COUNTER, "synmoat_service_would_packets", service_would, NULL,
		  "Packets of a service that in mode or policy monitor would have had this verdict." },
		{ METRIC_COUNTER, "synmoat_service_syns", service_syns, NULL,
		  "Packets to a service that open a connection, whatever their verdict." },
		{ METRIC_COUNTER, "synmoat_service_completed", service_completed, NULL,
		  "Connections to a service that a cookie made." },
		{ METRIC_GAUGE, "synmoat_service_half_open", service_half_open, NULL,
		  "Length of the SYN queue that the last SYN to a service met." },
		{ METRIC_GAUGE, "synmoat_service_mode", service_mode, NULL, "1: the mode in force." },
		{ METRIC_GAUGE, "synmoat_service_mitigation", service_mitigation, NULL,
		  "1: the state of mitigation." },
		{ METRIC_GAUGE, "synmoat_service_mitigation_age_seconds", service_since, "seconds",
		  "How long the service is in that state of mitigation." },
		{ METRIC_GAUGE, "synmoat_service_attack", service_attack, NULL,
		  "1: an attack of this class goes on, or a crowd of clients." },
		{ METRIC_GAUGE, "synmoat_service_attack_sources", service_sources, NULL,
		  "Different sources of the attack that goes on, estimated." },
		{ METRIC_GAUGE, "synmoat_service_mptcp_listener", service_mptcp, NULL,
		  "1: an MPTCP listener, left to the cookies of the kernel." },
		{ METRIC_GAUGE, "synmoat_service_asymmetric", service_asymmetric, NULL,
		  "Inline, 1: answers of its servers do not come back through here." },
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		exposition_family(c->into, families[i].type, families[i].name, families[i].unit, c->created_s,
				  families[i].help);
		each_service(c, families[i].fn);
	}
}

/* --- limits, lists --- */

static void limit_counters(const struct collection *c, bool own, bool dropped)
{
	struct limit_status status;

	for (size_t i = 0; !engine_get_limit(c->from->engine, i, &status); i++) {
		uint64_t value = dropped ? status.counters.dropped : status.counters.over;

		if (own && status.service)
			exposition_count(c->into, value, "limit", status.name, "service", status.service,
					 NULL);
		else if (!own && !status.service)
			exposition_count(c->into, value, "limit", status.name, NULL);
	}
}

static void collect_limits(const struct collection *c)
{
	family(c, METRIC_GAUGE, "synmoat_limits_mode", "1: the mode of all limits.");
	for (int mode = POLICY_OFF; mode <= POLICY_ENFORCE; mode++)
		exposition_count(c->into, (int)engine_limits_mode(c->from->engine) == mode, "mode",
				 config_policy_word((enum policy_mode)mode), NULL);
	family(c, METRIC_COUNTER, "synmoat_limit_over_packets", "Packets that were over a limit.");
	limit_counters(c, false, false);
	family(c, METRIC_COUNTER, "synmoat_limit_dropped_packets",
	       "Packets over a limit that were dropped, or in mode monitor would have been.");
	limit_counters(c, false, true);
	family(c, METRIC_COUNTER, "synmoat_service_limit_over_packets",
	       "Packets that were over a limit of one service.");
	limit_counters(c, true, false);
	family(c, METRIC_COUNTER, "synmoat_service_limit_dropped_packets",
	       "Packets over a limit of one service that were dropped, or in mode monitor would have been.");
	limit_counters(c, true, true);
}

static void collect_lists(const struct collection *c)
{
	static const char *const words[] = { [LIST_BLOCK] = "block", [LIST_ALLOW] = "allow" };
	struct lists_counts counts;

	lists_count(engine_lists(c->from->engine), &counts);
	family(c, METRIC_GAUGE, "synmoat_list_entries", "Entries in force by list and origin.");
	for (int kind = LIST_BLOCK; kind <= LIST_ALLOW; kind++)
		for (int origin = 0; origin < ORIGIN_COUNT; origin++)
			exposition_count(c->into, counts.entries[kind][origin], "list", words[kind], "origin",
					 lists_origin_word((enum list_origin)origin), NULL);
	gauge(c, "synmoat_list_memory_bytes", "bytes", (double)counts.bytes,
	      "Memory of the lists that XDP reads.");
	gauge(c, "synmoat_list_loading", NULL, engine_lists_busy(c->from->engine),
	      "1: files or imports are on their way.");
}

/* --- endpoint tracking --- */

static void collect_pairs(const struct collection *c, const struct tracker_status *status)
{
	family(c, METRIC_GAUGE, "synmoat_tracked_flows_by_state",
	       "Tracked connections by the states of both ends, of those that there are.");
	for (int client = 0; client < TS_COUNT; client++)
		for (int server = 0; server < TS_COUNT; server++)
			if (status->pairs[client][server])
				exposition_count(c->into, status->pairs[client][server], "client_state",
						 tcp_state_word((enum tcp_state)client), "server_state",
						 tcp_state_word((enum tcp_state)server), NULL);
}

static void collect_tracking(const struct collection *c)
{
	struct tracker_status status;

	tracker_get_status(c->from->tracker, &status);
	gauge(c, "synmoat_tracking_enabled", NULL, status.enabled, "1: endpoint tracking is on.");
	gauge(c, "synmoat_tracked_flows", NULL, status.flows, "Connections that are tracked.");
	gauge(c, "synmoat_tracked_flows_max", NULL, status.flows_max, "Connections that can be tracked.");
	counter(c, "synmoat_tracking_events", status.events,
		"Segments that the fast path told the tracker of.");
	counter(c, "synmoat_tracking_events_lost", status.lost,
		"Segments that the tracker missed, which resynchronisation heals.");
	counter(c, "synmoat_tracked_flows_refused", status.refused, "Connections that found the table full.");
	counter(c, "synmoat_tracked_flows_opened", status.opened, "Connections that came to be established.");
	counter(c, "synmoat_tracked_flows_closed", status.closed, "Established connections that have ended.");
	counter(c, "synmoat_tracking_events_unknown", status.unknown, "Segments of no tracked connection.");
	counter(c, "synmoat_tracking_resyncs", status.resyncs, "Times that all connections were read anew.");
	counter(c, "synmoat_tracking_half_opens_ended", status.ended, "Half-opens ended by their timeout.");
	collect_pairs(c, &status);
}

/* --- SYN_RECV --- */

struct told {
	const struct listener *all[LISTENERS_TOLD];
	size_t count;
	char address[LISTENERS_TOLD][INET6_ADDRSTRLEN];
	char port[LISTENERS_TOLD][8];
};

static void select_listeners(const struct collection *c, struct told *told)
{
	size_t total;

	told->count = watch_select(c->from->watch, 0, told->all, LISTENERS_TOLD, &total);
	for (size_t i = 0; i < told->count; i++) {
		listener_address(told->all[i], told->address[i]);
		snprintf(told->port[i], sizeof(told->port[i]), "%u", told->all[i]->port);
	}
}

#define LISTENER(told, i) "port", (told)->port[i], "address", (told)->address[i]

/* Those that are bound to several interfaces with one address would be told twice. */
static bool told_before(const struct told *told, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(told->port[i], told->port[j]) && !strcmp(told->address[i], told->address[j]))
			return true;
	return false;
}

static void collect_listeners(const struct collection *c)
{
	struct told told;

	select_listeners(c, &told);
	family(c, METRIC_GAUGE, "synmoat_listener_half_open",
	       "Half-opens of a listener by the family of the client, of the listeners with the most.");
	for (size_t i = 0; i < told.count; i++) {
		if (told_before(&told, i))
			continue;
		exposition_count(c->into, told.all[i]->v4, LISTENER(&told, i), "family", "ipv4", NULL);
		exposition_count(c->into, told.all[i]->v6, LISTENER(&told, i), "family", "ipv6", NULL);
	}
	family(c, METRIC_GAUGE, "synmoat_listener_syn_queue",
	       "Length of the SYN queue by the kernel itself.");
	for (size_t i = 0; i < told.count; i++)
		if (told.all[i]->syn_queue >= 0 && !told_before(&told, i))
			exposition_count(c->into, (uint64_t)told.all[i]->syn_queue, LISTENER(&told, i), NULL);
	family(c, METRIC_GAUGE, "synmoat_listener_accept_queue", "Connections that wait to be accepted.");
	for (size_t i = 0; i < told.count; i++)
		if (told.all[i]->sockets && !told_before(&told, i))
			exposition_count(c->into, told.all[i]->accept_queue, LISTENER(&told, i), NULL);
	family(c, METRIC_GAUGE, "synmoat_listener_accept_limit", "Connections that may wait to be accepted.");
	for (size_t i = 0; i < told.count; i++)
		if (told.all[i]->sockets && !told_before(&told, i))
			exposition_count(c->into, told.all[i]->accept_limit, LISTENER(&told, i), NULL);
	family(c, METRIC_GAUGE, "synmoat_listener_accept_full",
	       "1: an accept queue of the listener takes no more connections.");
	for (size_t i = 0; i < told.count; i++)
		if (told.all[i]->sockets && !told_before(&told, i))
			exposition_count(c->into, told.all[i]->accept_full, LISTENER(&told, i), NULL);
}

static void collect_watch(const struct collection *c)
{
	struct watch_status status;

	watch_get_status(c->from->watch, &status);
	family(c, METRIC_GAUGE, "synmoat_half_open",
	       "Half-opens (SYN_RECV) of all ports by the family of the client.");
	exposition_count(c->into, status.v4, "family", "ipv4", NULL);
	exposition_count(c->into, status.v6, "family", "ipv6", NULL);
	collect_listeners(c);
	counter(c, "synmoat_half_open_watches", status.counts, "Times that half-opens were counted.");
	exposition_family(c->into, METRIC_COUNTER, "synmoat_half_open_watch_cpu_seconds", "seconds",
			  c->created_s, "CPU time that counting half-opens took.");
	exposition_value(c->into, status.cpu_s, NULL);
	gauge(c, "synmoat_half_open_watch_interval_seconds", "seconds", status.every_s,
	      "How often half-opens are counted: seldom when there are very many.");
}

/* --- the daemon's health --- */

/* Names as Prometheus's own client libraries have them. */
static void collect_health(const struct collection *c, const struct health_status *health)
{
	struct event_counters events;
	uint64_t used, size;

	gauge(c, "synmoat_loop_lag_seconds", "seconds", health->lag_s,
	      "How late the event loop of the daemon took up what was due, last.");
	gauge(c, "synmoat_loop_lag_max_seconds", "seconds", health->lag_most_s,
	      "The same, at most within the last minute.");
	if (!fastpath_read_ring(engine_get_fastpath(c->from->engine), &used, &size)) {
		gauge(c, "synmoat_ring_used_bytes", "bytes", (double)used,
		      "Events of the fast path that wait to be read.");
		gauge(c, "synmoat_ring_size_bytes", "bytes", (double)size,
		      "Room for events of the fast path.");
	}
	if (!fastpath_read_event_counters(engine_get_fastpath(c->from->engine), &events))
		counter(c, "synmoat_ring_events_lost", events.lost,
			"Events of the fast path that found no room.");
	exposition_family(c->into, METRIC_COUNTER, "synmoat_events", NULL, 0,
			  "Number of the newest event, which goes on over restarts.");
	exposition_count(c->into, events_newest(), NULL);
	exposition_family(c->into, METRIC_COUNTER, "process_cpu_seconds", "seconds", health->started_s,
			  "CPU time of the daemon, user and system.");
	exposition_value(c->into, health->cpu_s, NULL);
	gauge(c, "process_start_time_seconds", "seconds", health->started_s,
	      "When the daemon started, in seconds of the Unix epoch.");
	gauge(c, "process_resident_memory_bytes", "bytes", (double)health->memory_bytes, "Resident memory.");
	gauge(c, "process_virtual_memory_bytes", "bytes", (double)health->virtual_bytes, "Virtual memory.");
	gauge(c, "process_open_fds", NULL, health->fds, "Open file descriptors.");
	gauge(c, "process_max_fds", NULL, health->fds_max, "File descriptors that may be open.");
}

void collect_all(const struct collect_sources *from, struct exposition *into)
{
	struct collection c = { .from = from, .into = into };
	struct engine_status status;
	struct health_status health;

	health_get(from->health, &health);
	engine_get_status(from->engine, &status);
	c.created_s = from->created_s;
	collect_daemon(&c, &status);
	collect_interfaces(&c);
	collect_verdicts(&c, &status);
	collect_services(&c);
	collect_limits(&c);
	collect_lists(&c);
	collect_tracking(&c);
	collect_watch(&c);
	collect_health(&c, &health);
}
