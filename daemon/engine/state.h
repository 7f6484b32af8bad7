/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's own state and the calls between its files: publish.c, slot.c, interface.c, tick.c, status.c,
 * servers.c, path.c, drain.c, guard.c, change.c, engine.c. Nobody outside this folder includes it.
 */
#ifndef SYNMOAT_ENGINE_STATE_H
#define SYNMOAT_ENGINE_STATE_H

#include <systemd/sd-event.h>

#include "daemon/engine/attack.h"
#include "daemon/engine/clock.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/keyring.h"
#include "daemon/engine/override.h"
#include "daemon/engine/profile.h"
#include "daemon/engine/punish.h"
#include "daemon/engine/ranges.h"
#include "daemon/lists/feed.h"
#include "daemon/lists/keep.h"
#include "daemon/lists/lists.h"
#include "daemon/netlink/link.h"

struct fastpath;
struct fdstore;
struct lasting;

#define TICK_US	 1000000
#define NS_PER_S 1000000000LL

/* What is known of a service beyond its configuration; slots outlive reloads, so that counters do. */
struct slot {
	bool used;
	char name[32];
	enum service_mode mode;		 /* in force */
	bool mode_kept;			 /* as the daemon before left it, whatever the file of changes says */
	struct config_own_limits limits; /* likewise */
	enum mitigation seen;		 /* that the log has told */
	enum mitigation shown;		 /* in status, since when */
	uint64_t shown_since_s;
	uint32_t calm_s;
	uint32_t syn_rate_pps, answered_pps, completed_pps;
	uint32_t returned_pps;			 /* segments that bore a good cookie */
	uint32_t unknown_pps;			 /* inline: that belonged to no known connection */
	uint32_t asymmetric_base, answered_base; /* at the beginning of the minute that is judged */
	uint64_t judged_since_s, asymmetric_at_s, asymmetric_logged_s; /* 0: never */
	struct service_counters base;		      /* what an earlier service had counted here */
	struct service_counters last, before;	      /* at the last tick, and the one before */
	struct limit_counters limit_base[KIND_COUNT]; /* as base */
};

/* A protected entry: what it had counted elsewhere, less what stood in its place before it. */
struct guard_place {
	bool used;
	struct prefix first;
	struct guard_counters carried;
};

/* An interface that took no packets redirected to it, as it was then; ifindex 0: none. */
struct refused {
	unsigned int ifindex;
	uint64_t xdp_features;
};

/* SEALED: no cookie validates any more, but one that did just before may not have been counted. */
enum drain { DRAIN_OFF, DRAIN_HONOURING, DRAIN_SEALED, DRAIN_DONE };

struct engine {
	struct config *config;
	struct fastpath *fastpath;
	struct fdstore *store;
	struct lasting *lasting;
	struct link_monitor *links;
	struct lists *lists;
	struct keep *keep;
	struct feed *feed;
	sd_event_source *timer;
	sd_event_source *list_work; /* on while there is some */
	struct keyring *keyring;    /* secret_new() */
	struct slot_clock clock;
	struct stack_settings stack;
	struct link_state link;		  /* outside */
	struct link_state inside;	  /* inline */
	struct refused refused[2];	  /* outside, inside: not tried again before they are others */
	struct slot slots[SERVICE_SLOTS]; /* slot 0: no service */
	uint32_t slot_of[SERVICES_MAX];	  /* of each service of config */
	uint32_t half;			  /* of the services table that is live */
	struct config_limits limits;	  /* in force: changes at runtime included */
	char *state_dir;		  /* for what outlives the daemon */
	struct override_file overrides;
	uint32_t limits_half;
	uint32_t sketch_error[SKETCH_LEVELS]; /* of the last second */
	struct punish punish;
	struct attacks *attacks;
	struct port_ranges guarded;	       /* the protected prefixes, in that half */
	struct guard_place guards[GUARDS_MAX]; /* by place in the configuration */
	struct ranges_list broadcasts;	       /* of services' prefixes, in that half */
	bool bypass, detached_by_hand, rxvlan_switched, rxvlan_switched_inside, clear_warned;
	bool lost;		    /* the interface went while it was attached */
	bool syncookies_off;	    /* as the last event told */
	bool answers_lost;	    /* no cookie leaves the veth: its peer has no XDP program */
	char reason[224];	    /* why the interfaces are not attached */
	char at_fault[IF_NAMESIZE]; /* the one that it is said of; empty: both */
	char forwarding_off[256];   /* sysctls that forward = "route" needs and that are 0; empty: none */
	int64_t started_ns, ticked_ns;
	uint64_t seeded;
	uint64_t cleared;
	uint32_t connections; /* inline: that cross now */
	uint32_t translated;  /* of these: that would break without us */
	enum drain drain;
	uint64_t drain_began_s;
};

static inline bool is_inline(const struct engine *e)
{
	return e->config->deployment == DEPLOYMENT_INLINE;
}

/* --- publish.c: 0 or a negative errno --- */
int64_t clock_now_ns(clockid_t id);
uint64_t clock_now_s(void); /* monotonic */
int clock_read_all(struct engine *e, struct clock_reading *reading);
int publish_runtime(struct engine *e);
int publish_services(struct engine *e); /* and limits, and the runtime */
int publish_limits(struct engine *e);	/* and the runtime */

/* --- slot.c --- */
void slot_set_mitigation(struct engine *e, uint32_t slot, enum mitigation mitigation);
void slot_change_mode(struct engine *e, uint32_t slot, enum service_mode mode);
uint32_t slot_find(const struct engine *e, const char *name); /* SERVICE_NONE: no such service */
void slot_assign_all(struct engine *e, const struct config *config, const struct config *before);
void slot_note_shown(struct engine *e, uint32_t slot);
uint64_t slot_state_age_s(struct engine *e, const struct service_state *state);
bool slot_covers_port(const struct config_service *service, uint16_t port);

/* --- interface.c --- */
/* Says in the log, and in e->reason, why not. -ENODEV, -EAGAIN: not now, but it may become possible. */
int interface_attach(struct engine *e);
void interface_tell_attached(struct engine *e);	  /* unless somebody else tells who did it */
void interface_tell_syncookies(struct engine *e); /* if it is another than was told */
void interface_detach(struct engine *e);
void interface_look_after(struct engine *e);
void interface_check_forwarding(struct engine *e); /* says in the log what has changed */
void interface_check_peer(struct engine *e);
void interface_on_change(const struct link_state *state, bool gone, void *arg);

/* --- guard.c --- */
void guard_assign(struct engine *e, const struct config *config); /* one that has just been published */

/* --- drain.c --- */
uint64_t drain_honours_s(const struct engine *e); /* so long, cookies that are out validate */
void drain_follow(struct engine *e);		  /* once a second, before the runtime is published */

/* --- change.c --- */
void change_load(struct engine *e); /* what was changed before a restart */
void change_save(struct engine *e);
void change_finish(struct engine *e); /* waits for what is being written, and writes what has changed since */

/* --- list.c --- */
int list_start(struct engine *e, struct sd_event *event,
	       const char *state); /* what was kept is in force when this returns */
void list_stop(struct engine *e);
void list_tick(struct engine *e);
void list_reload(struct engine *e); /* reads lists.d and the configuration's own entries */

/* --- path.c: inline, whether servers' answers come back through us --- */
void path_judge(struct engine *e, uint32_t slot);
bool path_is_asymmetric(const struct slot *slot);

/* --- tick.c --- */
int tick_run(sd_event_source *source, uint64_t usec, void *arg);

#endif
