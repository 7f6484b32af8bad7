// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See engine.h. Once a second: rates are taken, the cookie's clock and keys moved on, mitigations ended, and
 * the interface looked after. What XDP must know is published whole after each change.
 */
#include "daemon/engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "daemon/engine/calm.h"
#include "daemon/engine/clock.h"
#include "daemon/engine/keyring.h"
#include "daemon/engine/profile.h"
#include "daemon/engine/ranges.h"
#include "daemon/log.h"
#include "daemon/maps/fastpath.h"
#include "daemon/netlink/diag.h"
#include "daemon/netlink/link.h"

#define TICK_US		   1000000
#define TICK_ACCURACY_US   1000
#define FRAGS_ABOVE_MTU	   3400 /* one page, less headroom and tailroom */
#define CLOCK_BEHIND_NS	   1000000000LL
#define MPTCP_REMEMBERED_S 60
#define HALF_OPEN_RESENDS  2 /* of the SYN-ACK: three seconds */
#define NS_PER_S	   1000000000LL

/* The kernel takes over no handshake that it did not begin, unless it knows cookies itself. */
#define NOTHING_DEFENDED                                                                                     \
	"net.ipv4.tcp_syncookies is 0: nothing is defended until sysctl -w net.ipv4.tcp_syncookies=1"

/* What is known of a service beyond its configuration; slots outlive reloads, so that counters do. */
struct slot {
	bool used;
	char name[32];
	enum service_mode mode; /* in force */
	enum mitigation seen;	/* that the log has told */
	enum mitigation shown;	/* in status, since when */
	uint64_t shown_since_s;
	uint32_t calm_s;
	uint32_t syn_rate_pps, answered_pps, completed_pps;
	struct service_counters base; /* what an earlier service had counted here */
	struct service_counters last; /* at the last tick */
};

struct engine {
	struct config *config;
	struct fastpath *fastpath;
	struct link_monitor *links;
	sd_event_source *timer;
	struct keyring keyring;
	struct slot_clock clock;
	struct stack_settings stack;
	struct link_state link;		  /* outside */
	struct link_state inside;	  /* inline */
	struct slot slots[SERVICE_SLOTS]; /* slot 0: no service */
	uint32_t slot_of[SERVICES_MAX];	  /* of each service of config */
	uint32_t half;			  /* of the services table that is live */
	bool bypass, detached_by_hand, rxvlan_switched, rxvlan_switched_inside, clock_warned, clear_warned;
	char reason[160]; /* why the interface is not attached */
	int64_t started_ns;
	uint64_t seeded;
	uint64_t cleared;
	uint32_t connections; /* inline: that cross now */
};

static bool is_inline(const struct engine *e)
{
	return e->config->deployment == DEPLOYMENT_INLINE;
}

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static uint64_t now_s(void)
{
	return (uint64_t)(read_clock(CLOCK_MONOTONIC) / NS_PER_S);
}

static int read_clocks(struct engine *e, struct clock_reading *reading)
{
	reading->monotonic_ns = read_clock(CLOCK_MONOTONIC);
	reading->wall_ns = read_clock(CLOCK_REALTIME);
	return fastpath_read_jiffies(e->fastpath, &reading->jiffies);
}

/* --- publishing --- */

static int publish(struct engine *e)
{
	struct clock_reading now;
	struct runtime runtime = {
		.half = e->half,
		.bypass = e->bypass || (!is_inline(e) && !e->stack.syncookies),
		.unknown_pps = e->config->unknown_pps,
		.handshakes_max = e->config->handshakes,
		.port_ifindex = { [PORT_OUTSIDE] = e->link.ifindex, [PORT_INSIDE] = e->inside.ifindex },
		.lookups_per_s = e->config->lookup_budget_pps,
	};
	int error = read_clocks(e, &now);

	if (error)
		return error;
	memcpy(runtime.mac, e->link.mac, sizeof(e->link.mac));
	slot_clock_fill(&e->clock, &now, &runtime);
	keyring_fill(&e->keyring, &runtime);
	fastpath_publish(e->fastpath, &runtime);
	explicit_bzero(runtime.key, sizeof(runtime.key));
	return 0;
}

static unsigned int least_mtu(const struct engine *e)
{
	return e->inside.mtu && e->inside.mtu < e->link.mtu ? e->inside.mtu : e->link.mtu;
}

/* Compiles the configuration's services, with the modes in force, and publishes them. */
static int publish_services(struct engine *e)
{
	struct service services[SERVICE_SLOTS] = { 0 };
	struct ranges_table table;
	int error = ranges_compile(e->config, e->slot_of, &table);

	if (error)
		return error;
	for (size_t i = 0; i < e->config->service_count; i++) {
		struct service *s = &services[e->slot_of[i]];

		profile_service(&e->config->services[i], &e->stack, least_mtu(e), s);
		if (is_inline(e))
			profile_inline(e->config, s);
		s->mode = (uint8_t)e->slots[e->slot_of[i]].mode;
	}
	e->half = fastpath_stage_services(e->fastpath, &table, services);
	ranges_free(&table);
	return publish(e);
}

/* --- slots and modes --- */

static void log_mitigation(const struct slot *slot, const struct service_state *state)
{
	static const char *const text[] = {
		[MITIGATION_IDLE] = "mitigation is over",
		[MITIGATION_ACTIVE] = "mitigation begins: SYNs are answered with cookies",
		[MITIGATION_GRACE] =
			"mitigation ends: no new cookies, those that are out validate for their lifetime",
	};

	if (state->mitigation <= MITIGATION_GRACE)
		log_print(state->mitigation == MITIGATION_ACTIVE ? LOG_WARNING : LOG_NOTICE,
			  "service %s: %s%s (half-open %u, %u SYN/s)", slot->name,
			  slot->mode == MODE_MONITOR ? "mode monitor, so only counted: " : "",
			  text[state->mitigation], state->half_open, slot->syn_rate_pps);
}

static void set_mitigation(struct engine *e, uint32_t slot, enum mitigation mitigation)
{
	struct service_state *state = fastpath_state(e->fastpath, slot);

	if (fastpath_read_jiffies(e->fastpath, (uint64_t *)&state->since))
		return;
	__atomic_store_n(&state->mitigation, mitigation, __ATOMIC_RELEASE);
	e->slots[slot].calm_s = 0;
}

/* Cookies that are out must validate on, whatever the mode that follows. */
static void change_mode(struct engine *e, uint32_t slot, enum service_mode mode)
{
	struct slot *s = &e->slots[slot];
	bool answering =
		s->mode == MODE_ALWAYS ||
		(fastpath_state(e->fastpath, slot)->mitigation == MITIGATION_ACTIVE && s->mode != MODE_OFF);

	if (s->mode == mode)
		return;
	s->mode = mode;
	if (answering && mode != MODE_ALWAYS)
		set_mitigation(e, slot, MITIGATION_GRACE);
}

static uint32_t find_slot(const struct engine *e, const char *name)
{
	for (uint32_t i = 1; i < SERVICE_SLOTS; i++)
		if (e->slots[i].used && !strcmp(e->slots[i].name, name))
			return i;
	return SERVICE_NONE;
}

static uint32_t take_slot(struct engine *e, const struct config_service *service)
{
	for (uint32_t i = 1; i < SERVICE_SLOTS; i++) {
		struct slot *s = &e->slots[i];

		if (s->used)
			continue;
		memset(s, 0, sizeof(*s));
		s->used = true;
		s->mode = service->mode;
		memcpy(s->name, service->name, sizeof(s->name));
		fastpath_read_counters(e->fastpath, i, &s->base);
		s->last = s->base;
		memset(fastpath_state(e->fastpath, i), 0, sizeof(struct service_state));
		return i;
	}
	return SERVICE_NONE;
}

static const struct config_service *find_config(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->service_count; i++)
		if (!strcmp(config->services[i].name, name))
			return &config->services[i];
	return NULL;
}

/* Gives each service of CONFIG a slot; frees those of services that are gone. before: the configuration in
 * force. */
static void assign_slots(struct engine *e, const struct config *config, const struct config *before)
{
	for (uint32_t i = 1; i < SERVICE_SLOTS; i++)
		if (e->slots[i].used && !find_config(config, e->slots[i].name))
			e->slots[i].used = false;
	for (size_t i = 0; i < config->service_count; i++) {
		const struct config_service *service = &config->services[i];
		const struct config_service *old = before ? find_config(before, service->name) : NULL;
		uint32_t slot = find_slot(e, service->name);

		if (slot == SERVICE_NONE)
			slot = take_slot(e, service);
		else if (old && old->mode != service->mode) /* else a change at runtime stays */
			change_mode(e, slot, service->mode);
		e->slot_of[i] = slot;
	}
}

/* The state that an operator sees, and since when. */
static void note_shown(struct engine *e, uint32_t slot)
{
	struct slot *s = &e->slots[slot];
	enum mitigation shown =
		s->mode == MODE_ALWAYS ? MITIGATION_ACTIVE : fastpath_state(e->fastpath, slot)->mitigation;

	if (shown == s->shown && s->shown_since_s)
		return;
	s->shown = shown;
	s->shown_since_s = now_s();
}

/* --- interface --- */

static bool covers_port(const struct config_service *service, uint16_t port)
{
	for (size_t i = 0; i < service->port_count; i++)
		if (port >= service->ports[i].first && port <= service->ports[i].last)
			return true;
	return false;
}

static void seed(const struct tuple *tuple, void *arg)
{
	struct engine *e = arg;

	for (size_t i = 0; i < e->config->service_count; i++)
		if (covers_port(&e->config->services[i], ntohs(tuple->server_port))) {
			if (!fastpath_seed_flow(e->fastpath, tuple))
				e->seeded++;
			return;
		}
}

/* Settings under which some clients fail, though most work. */
static void warn_of_settings(const struct stack_settings *stack)
{
	if (!stack->syncookies)
		log_print(LOG_ERR, NOTHING_DEFENDED);
	if (stack->rfc1337)
		log_print(LOG_WARNING,
			  "net.ipv4.tcp_rfc1337 is 1: under mitigation a client that uses a port again "
			  "within TIME_WAIT has to try twice; 0 is better");
	if (!stack->conntrack_loose)
		log_print(LOG_WARNING,
			  "net.netfilter.nf_conntrack_tcp_loose is 0: conntrack never sees our SYN-ACK "
			  "and will take connections for invalid; set it to 1");
}

static int read_link(const char *name, struct link_state *link, char *text, size_t size)
{
	int error = link_read(name, link);

	if (error)
		snprintf(text, size, "does not exist (yet): waiting for it");
	return error;
}

/* 1: it was on, and is off now. */
static int rxvlan_off(const char *name, char *text, size_t size)
{
	int error = link_rxvlan_off(name);

	if (error < 0)
		snprintf(text, size,
			 "VLAN tags are stripped by the card (rx-vlan-offload) and that cannot be switched "
			 "off: %s",
			 strerror(-error));
	return error;
}

static int attach_inline(struct engine *e, char *text, size_t size)
{
	int error = read_link(e->config->outside, &e->link, text, size);

	if (!error)
		error = read_link(e->config->inside, &e->inside, text, size);
	if (error)
		return error;
	error = rxvlan_off(e->config->outside, text, size);
	if (error >= 0) {
		e->rxvlan_switched |= error > 0;
		error = rxvlan_off(e->config->inside, text, size);
	}
	if (error < 0)
		return error;
	e->rxvlan_switched_inside |= error > 0;
	error = publish_services(e); /* the MTUs are known now */
	if (error) {
		snprintf(text, size, "cannot publish the services: %s", strerror(-error));
		return error;
	}
	return fastpath_attach_inline(e->fastpath, e->link.ifindex, e->inside.ifindex,
				      e->config->xdp == XDP_GENERIC, text, size);
}

static int attach_host(struct engine *e, char *text, size_t size)
{
	const char *name = e->config->outside;
	int error = read_link(name, &e->link, text, size);

	if (error)
		return error;
	stack_settings_read(&e->stack);
	warn_of_settings(&e->stack);
	if (link_is_veth(name) && e->config->xdp == XDP_NATIVE)
		log_print(LOG_NOTICE,
			  "interface %s is a veth: our answers leave it only if its peer has an XDP program, "
			  "too; "
			  "else say xdp = \"generic\"",
			  name);
	error = rxvlan_off(name, text, size);
	if (error < 0)
		return error;
	e->rxvlan_switched |= error > 0;
	error = publish_services(e); /* the MTU is known now */
	if (!error)
		error = diag_each_connection(seed, e);
	if (error) {
		snprintf(text, size, "cannot take over the connections that are there: %s", strerror(-error));
		return error;
	}
	return fastpath_attach(e->fastpath, e->link.ifindex, e->config->xdp == XDP_GENERIC, text, size);
}

static int attach_and_tell(struct engine *e)
{
	char reason[sizeof(e->reason)] = "";
	int error = is_inline(e) ? attach_inline(e, reason, sizeof(reason))
				 : attach_host(e, reason, sizeof(reason));

	if (error && strcmp(e->reason, reason))
		log_print(LOG_WARNING, "interface %s: %s", e->config->outside, reason);
	if (!error)
		log_print(LOG_NOTICE, "interface %s: attached, %s XDP, MTU %u", e->config->outside,
			  e->config->xdp == XDP_GENERIC ? "generic" : "native", e->link.mtu);
	memcpy(e->reason, reason, sizeof(e->reason));
	return error;
}

static void detach(struct engine *e)
{
	fastpath_detach(e->fastpath);
	if (e->rxvlan_switched)
		link_rxvlan_on(e->config->outside);
	if (e->rxvlan_switched_inside)
		link_rxvlan_on(e->config->inside);
	e->rxvlan_switched = e->rxvlan_switched_inside = false;
}

/* One of two interfaces has gone, or is another by now: what was attached is of no use. */
static bool inside_lost(const struct engine *e)
{
	struct link_state state;

	return is_inline(e) && (link_read(e->config->inside, &state) || state.ifindex != e->inside.ifindex);
}

static void look_after_interface(struct engine *e)
{
	struct link_state state;
	bool there = !link_read(e->config->outside, &state);

	if (fastpath_attached(e->fastpath) && (fastpath_links_dead(e->fastpath) || !there ||
					       state.ifindex != e->link.ifindex || inside_lost(e))) {
		fastpath_detach(e->fastpath);
		e->rxvlan_switched = e->rxvlan_switched_inside = false;
		log_print(LOG_WARNING, "interface %s has gone",
			  inside_lost(e) ? e->config->inside : e->config->outside);
	}
	if (!there) {
		e->link.ifindex = 0;
		e->link.up = false;
	} else if (fastpath_attached(e->fastpath)) {
		bool mtu_changed = state.mtu != e->link.mtu;

		e->link = state;
		if (mtu_changed)
			publish_services(e);
	} else if (!e->detached_by_hand) {
		attach_and_tell(e);
	}
}

static void on_link_change(const struct link_state *state, bool gone, void *arg)
{
	struct engine *e = arg;

	(void)gone;
	if (!strcmp(state->name, e->config->outside) ||
	    (is_inline(e) && !strcmp(state->name, e->config->inside)))
		look_after_interface(e);
}

/* --- once a second --- */

static uint32_t rise(uint64_t now, uint64_t before)
{
	return now > before ? (uint32_t)(now - before) : 0;
}

static void take_rates(struct engine *e, uint32_t slot)
{
	struct slot *s = &e->slots[slot];
	struct service_counters now;

	if (fastpath_read_counters(e->fastpath, slot, &now))
		return;
	s->syn_rate_pps = rise(now.syns, s->last.syns);
	s->answered_pps = rise(now.verdict[TX_SYNACK], s->last.verdict[TX_SYNACK]) +
			  rise(now.would[TX_SYNACK], s->last.would[TX_SYNACK]);
	s->completed_pps = rise(now.completed, s->last.completed);
	s->last = now;
}

static uint64_t state_age_s(struct engine *e, const struct service_state *state)
{
	uint64_t jiffies;

	if (!state->since || fastpath_read_jiffies(e->fastpath, &jiffies) || jiffies < state->since)
		return 0;
	return (jiffies - state->since) / e->clock.jiffies_hz;
}

static void judge_calm(struct engine *e, const struct config_service *service, uint32_t slot)
{
	struct slot *s = &e->slots[slot];
	const struct service_state *state = fastpath_state(e->fastpath, slot);
	struct calm_signals signals = {
		.syn_rate_pps = s->syn_rate_pps,
		.incomplete_pps = rise(s->answered_pps, s->completed_pps),
		.backlog = state->backlog,
	};

	if (!calm_now(service, &signals))
		s->calm_s = 0;
	else if (++s->calm_s >= service->hold_s)
		set_mitigation(e, slot, MITIGATION_GRACE);
}

static void move_mitigation(struct engine *e, const struct config_service *service, uint32_t slot)
{
	struct slot *s = &e->slots[slot];
	const struct service_state *state = fastpath_state(e->fastpath, slot);

	if (state->mitigation != s->seen) {
		s->seen = state->mitigation;
		log_mitigation(s, state);
	}
	if (state->mitigation == MITIGATION_ACTIVE && s->mode != MODE_ALWAYS)
		judge_calm(e, service, slot);
	else if (state->mitigation == MITIGATION_GRACE && state_age_s(e, state) > COOKIE_LIFETIME_S)
		set_mitigation(e, slot, MITIGATION_IDLE);
}

static bool is_mitigating(struct engine *e, size_t service)
{
	uint32_t slot = e->slot_of[service];

	return e->slots[slot].mode == MODE_AUTO &&
	       fastpath_state(e->fastpath, slot)->mitigation == MITIGATION_ACTIVE;
}

static bool clears_port(uint16_t port, void *arg)
{
	struct engine *e = arg;

	for (size_t i = 0; i < e->config->service_count; i++)
		if (is_mitigating(e, i) && covers_port(&e->config->services[i], port))
			return true;
	return false;
}

/*
 * The half-opens that passed before mitigation began: those that do not complete soon would fill the queue
 * for a minute, and hold its length above the mark when mitigation ends.
 */
static void clear_half_opens(struct engine *e)
{
	bool any = false;
	int result;

	for (size_t i = 0; i < e->config->service_count; i++)
		any |= is_mitigating(e, i) && fastpath_state(e->fastpath, e->slot_of[i])->half_open;
	if (!any)
		return;
	result = diag_destroy_half_opens(HALF_OPEN_RESENDS, clears_port, e);
	if (result > 0)
		e->cleared += (uint64_t)result;
	if (result < 0 && !e->clear_warned) {
		e->clear_warned = true;
		log_print(LOG_WARNING, "half-open sockets of before stay for a minute: SOCK_DESTROY: %s",
			  strerror(-result));
	}
}

static void follow_clock(struct engine *e)
{
	struct clock_reading now;
	int64_t behind;

	if (read_clocks(e, &now))
		return;
	behind = slot_clock_follow(&e->clock, &now);
	if (!e->clock_warned && llabs(behind) > CLOCK_BEHIND_NS)
		log_print(LOG_WARNING,
			  "the wall clock stepped by %.1f s: cookies follow it slowly, none ends before its "
			  "time",
			  (double)behind / NS_PER_S);
	e->clock_warned = llabs(behind) > CLOCK_BEHIND_NS;
}

/* The server's sysctls decide what a handshake may agree on; somebody may change them while we run. */
static void follow_stack_settings(struct engine *e)
{
	struct stack_settings before = e->stack;

	stack_settings_read(&e->stack);
	if (!memcmp(&before, &e->stack, sizeof(before)))
		return;
	if (before.syncookies && !e->stack.syncookies)
		log_print(LOG_ERR, NOTHING_DEFENDED);
	publish_services(e);
}

static int on_tick(sd_event_source *source, uint64_t usec, void *arg)
{
	struct engine *e = arg;

	for (size_t i = 0; i < e->config->service_count; i++) {
		take_rates(e, e->slot_of[i]);
		move_mitigation(e, &e->config->services[i], e->slot_of[i]);
		note_shown(e, e->slot_of[i]);
	}
	if (is_inline(e)) {
		fastpath_expire(e->fastpath, &e->connections);
	} else {
		clear_half_opens(e);
		follow_stack_settings(e);
	}
	follow_clock(e);
	if (keyring_tick(&e->keyring, now_s()))
		log_print(LOG_NOTICE, "cookie keys: the older master has retired%s",
			  e->keyring.older_valid ? ", and the rotation that waited for it is done" : "");
	publish(e);
	look_after_interface(e);
	sd_event_source_set_time(source, usec + TICK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* --- life --- */

static void set_error(struct config_error *error, const struct config *config, const char *key,
		      const char *text)
{
	memset(error, 0, sizeof(*error));
	snprintf(error->file, sizeof(error->file), "%s", config->path);
	snprintf(error->key, sizeof(error->key), "%s", key);
	snprintf(error->text, sizeof(error->text), "%s", text);
}

static bool needs_frags(const char *interface, struct link_state *link)
{
	return !link_read(interface, link) && link->mtu > FRAGS_ABOVE_MTU;
}

static int start_fastpath(struct engine *e, struct config_error *error)
{
	struct fastpath_options options = {
		.inline_mode = is_inline(e),
		.forward = e->config->forward,
		.connections = e->config->connections,
		.flow_entries = e->config->flow_entries,
		.frags = needs_frags(e->config->outside, &e->link) ||
			 (is_inline(e) && needs_frags(e->config->inside, &e->inside)),
	};
	struct clock_reading now;
	char text[sizeof(error->text)] = "";
	int result = fastpath_new(&e->fastpath, &options, text, sizeof(text));

	if (!result)
		result = read_clocks(e, &now);
	if (result) {
		set_error(error, e->config, result == -EOPNOTSUPP ? "deployment" : "",
			  *text ? text : strerror(-result));
		return result;
	}
	slot_clock_init(&e->clock, &now);
	return 0;
}

static int start_keys(struct engine *e, struct config_error *error)
{
	char text[sizeof(error->text)] = "";
	int result = keyring_init(&e->keyring, e->config->cookie_secret_file, now_s(), text, sizeof(text));

	if (result)
		set_error(error, e->config, "cookie.secret_file", text);
	return result;
}

static int start_services(struct engine *e, struct config_error *error)
{
	int result;

	if (!e->link.mtu)
		e->link.mtu = 1500;
	stack_settings_read(&e->stack);
	assign_slots(e, e->config, NULL);
	result = publish_services(e);
	if (result)
		set_error(error, e->config, "services", strerror(-result));
	return result;
}

static int start_interface(struct engine *e, struct sd_event *event, struct config_error *error)
{
	int result = link_monitor_new(&e->links, event, on_link_change, e);

	if (!result)
		result = attach_and_tell(e);
	if (result == -ENODEV)
		return 0;
	if (result)
		set_error(error, e->config, "interfaces.outside", *e->reason ? e->reason : strerror(-result));
	return result;
}

static int start_timer(struct engine *e, struct sd_event *event)
{
	uint64_t now;
	int error = sd_event_now(event, CLOCK_MONOTONIC, &now);

	if (error < 0)
		return error;
	return sd_event_add_time(event, &e->timer, CLOCK_MONOTONIC, now + TICK_US, TICK_ACCURACY_US, on_tick,
				 e);
}

int engine_new(struct engine **engine, struct sd_event *event, struct config *config,
	       struct config_error *error)
{
	struct engine *e = calloc(1, sizeof(*e));
	int result;

	if (!e)
		return -ENOMEM;
	e->config = config;
	e->started_ns = read_clock(CLOCK_MONOTONIC);
	result = start_keys(e, error);
	if (!result)
		result = start_fastpath(e, error);
	if (!result)
		result = start_services(e, error);
	if (!result)
		result = start_interface(e, event, error);
	if (!result)
		result = start_timer(e, event);
	if (result < 0) {
		e->config = NULL; /* the caller keeps it */
		engine_free(e);
		return result;
	}
	*engine = e;
	return 0;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	sd_event_source_unref(e->timer);
	link_monitor_free(e->links);
	if (e->fastpath && e->config)
		detach(e);
	fastpath_free(e->fastpath);
	keyring_fini(&e->keyring);
	config_free(e->config);
	free(e);
}

/* --- what control asks for --- */

static void add_counters(struct service_counters *sum, const struct service_counters *c)
{
	const uint64_t *from = (const uint64_t *)c;
	uint64_t *to = (uint64_t *)sum;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static void subtract_counters(struct service_counters *from, const struct service_counters *base)
{
	const uint64_t *b = (const uint64_t *)base;
	uint64_t *to = (uint64_t *)from;

	for (size_t i = 0; i < sizeof(*from) / sizeof(*to); i++)
		to[i] -= b[i];
}

void engine_get_status(struct engine *e, struct engine_status *status)
{
	struct service_counters c;

	memset(status, 0, sizeof(*status));
	status->uptime_s = (uint64_t)((read_clock(CLOCK_MONOTONIC) - e->started_ns) / NS_PER_S);
	status->bypass = e->bypass;
	status->syncookies_off = !is_inline(e) && !e->stack.syncookies;
	status->deployment = e->config->deployment;
	status->service_count = e->config->service_count;
	status->interface_count = is_inline(e) ? 2 : 1;
	for (uint32_t i = 0; i < SERVICE_SLOTS; i++) {
		if (fastpath_read_counters(e->fastpath, i, &c))
			continue;
		add_counters(&status->totals, &c);
		if (i == SERVICE_NONE)
			status->unserved = c;
	}
	for (int i = 0; i < VERDICT_COUNT; i++)
		status->packets += status->totals.verdict[i];
	fastpath_read_handovers(e->fastpath, &status->handover);
	status->key_generation = e->keyring.generation;
	status->key_age_s = now_s() - e->keyring.rotated_at_s;
	status->rotation_pending = e->keyring.pending;
	status->older_ends_in_s = keyring_retires_in(&e->keyring, now_s());
	status->rotation_in_s = e->keyring.pending ? status->older_ends_in_s : 0;
	status->flows_seeded = e->seeded;
	status->connections = e->connections;
	status->connections_max = is_inline(e) ? e->config->connections : 0;
	status->half_opens_cleared = e->cleared;
}

const struct config *engine_get_config(const struct engine *e)
{
	return e->config;
}

int engine_get_service(struct engine *e, size_t index, struct service_status *status)
{
	const struct service_state *state;
	const struct slot *s;

	if (index >= e->config->service_count)
		return -ENOENT;
	note_shown(e, e->slot_of[index]);
	s = &e->slots[e->slot_of[index]];
	state = fastpath_state(e->fastpath, e->slot_of[index]);
	memset(status, 0, sizeof(*status));
	status->config = &e->config->services[index];
	status->mode = s->mode;
	status->mitigation = s->shown;
	status->since_s = now_s() - s->shown_since_s;
	status->half_open = state->half_open;
	status->syn_rate_pps = s->syn_rate_pps;
	status->answered_pps = s->answered_pps;
	status->completed_pps = s->completed_pps;
	status->mptcp_listener =
		state->mptcp_seen &&
		state_age_s(e, &(struct service_state){ .since = state->mptcp_seen }) < MPTCP_REMEMBERED_S;
	fastpath_read_counters(e->fastpath, e->slot_of[index], &status->counters);
	subtract_counters(&status->counters, &s->base);
	return 0;
}

int engine_find_service(struct engine *e, const char *name, struct service_status *status)
{
	for (size_t i = 0; i < e->config->service_count; i++)
		if (!strcmp(e->config->services[i].name, name))
			return engine_get_service(e, i, status);
	return -ENOENT;
}

int engine_get_interface(struct engine *e, size_t index, struct interface_status *status)
{
	const struct link_state *link = index ? &e->inside : &e->link;

	if (index > is_inline(e))
		return -ENOENT;
	memset(status, 0, sizeof(*status));
	memcpy(status->name, index ? e->config->inside : e->config->outside, sizeof(status->name));
	status->present = link->ifindex != 0;
	status->attached = fastpath_attached(e->fastpath);
	status->up = link->up;
	status->ifindex = link->ifindex;
	status->mtu = status->present ? link->mtu : 0;
	if (status->attached)
		snprintf(status->xdp, sizeof(status->xdp), "%s",
			 e->config->xdp == XDP_GENERIC ? "generic" : "native");
	else
		memcpy(status->reason, e->reason, sizeof(status->reason));
	return 0;
}

int engine_set_mode(struct engine *e, const char *name, enum service_mode mode)
{
	uint32_t slot = find_slot(e, name);

	if (slot == SERVICE_NONE)
		return -ENOENT;
	change_mode(e, slot, mode);
	return publish_services(e);
}

/* Inline, either name stands for both: one alone would be of no use. */
static int check_interface(const struct engine *e, const char *interface, char *text, size_t size)
{
	if (!strcmp(interface, e->config->outside) || (is_inline(e) && !strcmp(interface, e->config->inside)))
		return 0;
	snprintf(text, size, "%s is not an interface of the configuration (outside is %s)", interface,
		 e->config->outside);
	return -ENOENT;
}

int engine_attach(struct engine *e, const char *interface, char *text, size_t size)
{
	int error = check_interface(e, interface, text, size);

	if (error)
		return error;
	e->detached_by_hand = false;
	if (fastpath_attached(e->fastpath))
		return 0;
	error = attach_and_tell(e);
	if (error)
		snprintf(text, size, "%s", e->reason);
	return error;
}

int engine_detach(struct engine *e, const char *interface, char *text, size_t size)
{
	if (check_interface(e, interface, text, size))
		return -ENOENT;
	e->detached_by_hand = true;
	snprintf(e->reason, sizeof(e->reason), "detached by hand: synmoat interface attach %s", interface);
	detach(e);
	return 0;
}

/* What a running daemon cannot change. */
static const char *fixed_key_changed(const struct config *a, const struct config *b)
{
	if (a->deployment != b->deployment)
		return "deployment";
	if (a->flow_entries != b->flow_entries)
		return "host.flow_entries";
	if (a->xdp != b->xdp)
		return "xdp";
	if (strcmp(a->outside, b->outside))
		return "interfaces.outside";
	if (strcmp(a->cookie_secret_file ? a->cookie_secret_file : "",
		   b->cookie_secret_file ? b->cookie_secret_file : ""))
		return "cookie.secret_file";
	if (strcmp(a->inside, b->inside))
		return "interfaces.inside";
	if (a->forward != b->forward)
		return "forward";
	if (a->connections != b->connections)
		return "inline.connections";
	return NULL;
}

int engine_reload(struct engine *e, struct config_error *error)
{
	struct config *config, *old = e->config;
	struct slot *slots;
	const char *key;
	int result = config_load(old->path, &config, error);

	if (result)
		return result;
	key = fixed_key_changed(old, config);
	if (key) {
		set_error(error, config, key,
			  "cannot change in a running daemon: systemctl restart synmoatd");
		*error->file = '\0'; /* it may stand in one of conf.d */
		config_free(config);
		return -EBUSY;
	}
	slots = malloc(sizeof(e->slots));
	if (!slots) {
		config_free(config);
		return -ENOMEM;
	}
	memcpy(slots, e->slots, sizeof(e->slots));
	e->config = config;
	assign_slots(e, config, old);
	result = publish_services(e);
	if (result) {
		set_error(error, config, "services", strerror(-result));
		e->config = old;
		memcpy(e->slots, slots, sizeof(e->slots));
		for (size_t i = 0; i < old->service_count; i++)
			e->slot_of[i] = find_slot(e, old->services[i].name);
		config_free(config);
	} else {
		config_free(old);
	}
	free(slots);
	return result;
}

int engine_rotate_key(struct engine *e, bool now)
{
	int result = keyring_rotate(&e->keyring, now, now_s());

	if (result)
		return result;
	return publish(e);
}

int engine_set_bypass(struct engine *e, bool on)
{
	e->bypass = on;
	return publish(e);
}
