// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See attack.h. Each service has a watch: what is gathered of it from the second on in which a high mark was
 * met, and forgotten when that has come to nothing. XDP is asked for samples of a defended service's SYNs, so
 * many that some hundred come a second.
 */
#include "daemon/engine/attack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/detect/distinct.h"
#include "daemon/detect/evidence_store.h"
#include "daemon/engine/attack_memory.h"
#include "daemon/engine/calm.h"
#include "daemon/engine/scan.h"
#include "daemon/engine/state.h"
#include "daemon/file_worker.h"
#include "daemon/maps/fastpath.h"
#include "daemon/netlink/diag.h"

#define SAMPLE_AT_FIRST	 64  /* one SYN in so many, until it is known how many there are */
#define SAMPLES_A_SECOND 256 /* of a service */
#define SAMPLES_READ	 16384
#define RECENT_LEAST	 64 /* samples that tell who sends now; fewer are kept for another second */
#define TELL_EVERY_S	 10 /* at most, that an attack has changed */
#define TELL_AGAIN_S	 300
#define WRITE_EVERY_S	 60
#define SYNS_LEAST	 20

struct attacks {
	struct attack_memory *memory;
	struct watch *watches[SERVICE_SLOTS]; /* of it; NULL: not looked at yet */
	struct scan scan;
	struct evidence_store *store;
	char *folder;
	bool unwritable; /* as was told last */
};

struct attacks *attack_new(struct fdstore *fdstore, const char *state, const char *group)
{
	struct attacks *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->memory = attack_memory_open(fdstore);
	a->store = evidence_store_new(state, group);
	if (a->memory && a->store && asprintf(&a->folder, "%s/" EVIDENCE_FOLDER, state) >= 0)
		return a;
	evidence_store_free(a->store);
	attack_memory_close(a->memory);
	free(a);
	return NULL;
}

void attack_free(struct attacks *a)
{
	if (!a)
		return;
	evidence_store_free(a->store);
	attack_memory_close(a->memory);
	free(a->folder);
	free(a);
}

/* --- what a second has brought --- */

/* What a service holds at most before it is pressed. */
static uint32_t half_open_high(const struct engine *e, const struct config_service *service, uint32_t backlog)
{
	return calm_half_open_high(service, backlog, is_inline(e));
}

/* Mode always: XDP compares no mark, so that it is done here. */
static bool above_marks(const struct engine *e, const struct config_service *service, const struct slot *s,
			uint32_t backlog)
{
	uint32_t incomplete = s->answered_pps > s->completed_pps ? s->answered_pps - s->completed_pps : 0;

	if (service->syn_rate_high && s->syn_rate_pps >= service->syn_rate_high)
		return true;
	return s->answered_pps >= SYNS_LEAST && incomplete > s->answered_pps / 2 &&
	       (uint64_t)incomplete * HALF_OPEN_LIFETIME_S >= half_open_high(e, service, backlog);
}

/*
 * Connections that cookies made; where the server took fewer than came back (its accept queue is full), about
 * as many as did: a connection bears its cookie on one to three segments.
 */
static uint32_t completed(const struct slot *s)
{
	uint32_t back = s->returned_pps / 2 > s->completed_pps ? s->returned_pps / 2 : s->completed_pps;

	return back < s->answered_pps ? back : s->answered_pps;
}

/*
 * Mode monitor, where no cookie is sent. On a host, handshakes that are not completed fill the listener's
 * queue; inline, those that are bring a segment or two of which nothing is known, until the server has
 * answered.
 */
static uint32_t completed_unanswered(const struct engine *e, const struct slot *s, uint32_t half_opens,
				     uint32_t high)
{
	uint32_t seen = s->unknown_pps / 3 * 2;

	if (!is_inline(e))
		return half_opens < high ? s->answered_pps : 0;
	return seen < s->answered_pps ? seen : s->answered_pps;
}

static struct detect_facts take_facts(struct engine *e, const struct config_service *service, uint32_t slot,
				      struct watch *w, const struct registers *now)
{
	const struct service_state *state = fastpath_state(e->fastpath, slot);
	const struct slot *s = &e->slots[slot];
	bool active = state->mitigation == MITIGATION_ACTIVE;
	struct calm_signals signals = {
		.syn_rate_pps = s->syn_rate_pps,
		.incomplete_pps = s->answered_pps > s->completed_pps ? s->answered_pps - s->completed_pps : 0,
		.backlog = state->backlog,
	};
	struct detect_facts facts = {
		.watched = s->mode != MODE_OFF && !e->bypass && e->drain == DRAIN_OFF,
		.pressed = s->mode == MODE_ALWAYS ? above_marks(e, service, s, state->backlog) : active,
		.over = s->mode != MODE_ALWAYS && !active,
		.calm = calm_now(service, &signals),
		.syns = s->syn_rate_pps,
		.answered = s->answered_pps,
		.completed = completed(s),
		.samples = w->recent.kept,
	};

	if (w->detect.state == DETECT_CALM) /* sources are of no interest */
		return facts;
	facts.distinct = distinct_estimate(now);
	facts.distinct_all = distinct_estimate(&w->registers);
	if (s->mode == MODE_MONITOR)
		facts.completed =
			completed_unanswered(e, s, w->half_opens, half_open_high(e, service, state->backlog));
	talkers_shares(&w->recent, &facts.top_permille, &facts.few_permille);
	return facts;
}

/* Of the first second there are more than of the others: each is to have the same weight. */
static bool is_one_too_many(const struct engine *e, struct watch *w, const struct sample *sample)
{
	uint32_t syn_rate_pps = e->slots[sample->service].syn_rate_pps;
	uint32_t every = sample->stands_for ? syn_rate_pps / sample->stands_for / SAMPLES_A_SECOND : 0;

	return every > 1 && w->samples++ % every;
}

static void take_sample(const struct sample *sample, void *arg)
{
	struct engine *e = arg;
	struct watch *w = sample->service < SERVICE_SLOTS ? e->attacks->watches[sample->service] : NULL;
	struct in6_addr source;

	if (!talkers_source(sample, &source))
		return;
	if (sample->service == SERVICE_NONE)
		scan_sample(&e->attacks->scan, &source);
	if (!w || is_one_too_many(e, w, sample))
		return;
	talkers_add(&w->recent, &source);
	talkers_add(&w->all, &source);
	evidence_add(&w->evidence, sample);
}

static void count_half_open(const struct tuple *tuple, void *arg)
{
	struct engine *e = arg;
	struct watch *w = e->attacks->watches[engine_cover_slot(e, tuple) % SERVICE_SLOTS];

	if (w)
		w->half_opens++;
}

/* Only for what mode monitor leaves to the kernel, and only while it is pressed. */
static void count_half_opens(struct engine *e)
{
	bool any = false;

	for (size_t i = 0; i < e->config->service_count; i++) {
		uint32_t slot = e->slot_of[i];
		struct watch *w = e->attacks->watches[slot];

		if (w)
			w->half_opens = 0;
		any |= e->slots[slot].mode == MODE_MONITOR &&
		       fastpath_state(e->fastpath, slot)->mitigation == MITIGATION_ACTIVE;
	}
	if (any && !is_inline(e))
		diag_each_half_open(count_half_open, e);
}

/* --- the record --- */

static uint64_t sum_drops(const __u64 *now, const __u64 *base)
{
	uint64_t sum = 0;

	for (int verdict = DROP_BLOCKED; verdict < VERDICT_COUNT; verdict++)
		sum += now[verdict] - base[verdict];
	return sum;
}

/* CLASS is what it is called from now on. */
static void note_class(struct attack *a, enum detect_class class)
{
	if (a->class != class && a->class != CLASS_UNKNOWN && a->before_count < CLASSES_BEFORE)
		a->before[a->before_count++] = a->class;
	a->class = class;
}

static void describe(struct engine *e, uint32_t slot, struct watch *w, const struct detect_facts *facts)
{
	const struct service_counters *now = &e->slots[slot].last, *base = &w->base;
	uint32_t half_open = fastpath_state(e->fastpath, slot)->half_open;
	struct attack *a = &w->attack;

	note_class(a, w->detect.class);
	a->monitor = e->slots[slot].mode == MODE_MONITOR;
	a->completes_known = w->detect.answered > 0;
	a->duration_s = clock_now_s() - w->began_s;
	a->calm_s = w->detect.calm_s;
	a->duration_s -= a->calm_s < a->duration_s ? a->calm_s : a->duration_s;
	a->syn_rate_pps = facts->syns;
	a->peak_pps = w->detect.peak_pps;
	if (w->half_opens > half_open)
		half_open = w->half_opens;
	if (half_open > a->half_open_peak)
		a->half_open_peak = half_open;
	a->sources = facts->distinct_all;
	a->syns = now->syns - base->syns;
	a->completed = w->detect.completed;
	a->answered = now->verdict[TX_SYNACK] - base->verdict[TX_SYNACK];
	a->would_answer = now->would[TX_SYNACK] - base->would[TX_SYNACK];
	a->dropped = sum_drops(now->verdict, base->verdict);
	/* at most: limits and policies in monitor count each for itself; else only theirs would be in it */
	a->would_drop = a->monitor ? sum_drops(now->would, base->would) : 0;
	a->top_count = talkers_top(&w->all, a->top);
}

static void remember(struct attacks *all, const struct attack *a)
{
	struct attack_memory *m = all->memory;
	struct attack *past = &m->past[m->past_count % ATTACKS_KEPT];

	*past = *a;
	past->going_on = false;
	past->calm_s = 0;
	m->past_count++;
}

/* Age in milliseconds of what began at JIFFIES. */
static int64_t age_ms(struct engine *e, uint64_t since)
{
	uint64_t jiffies;

	if (!since || fastpath_read_jiffies(e->fastpath, &jiffies) || jiffies < since)
		return 0;
	return (int64_t)((jiffies - since) * 1000 / e->clock.jiffies_hz);
}

static void write_evidence(struct engine *e, struct watch *w)
{
	int64_t offset_ns = clock_now_ns(CLOCK_REALTIME) - clock_now_ns(CLOCK_MONOTONIC);
	size_t length;
	char *bytes;

	if (!e->config->evidence_files || !w->evidence.count || w->attack.class == CLASS_CROWD)
		return;
	bytes = evidence_encode(&w->evidence, offset_ns, &length);
	if (!bytes)
		return;
	evidence_name(w->attack.evidence, w->attack.begun_ms / 1000, w->attack.service);
	evidence_store_write(e->attacks->store, w->attack.evidence, bytes, length, e->config->evidence_files);
	w->written_s = clock_now_s();
}

/* --- a watch's life --- */

static void forget(struct watch *w)
{
	w->recent.kept = 0;
	w->recent.seen = 0;
	w->all.kept = 0;
	w->all.seen = 0;
	w->evidence.count = 0;
	w->evidence.seen = 0;
	memset(&w->registers, 0, sizeof(w->registers));
	memset(&w->attack, 0, sizeof(w->attack));
}

/* The SYN above the mark has come within the last second. */
static void suspect(struct engine *e, uint32_t slot, struct watch *w)
{
	const struct slot *s = &e->slots[slot];
	int64_t age = s->mode == MODE_ALWAYS ? 0 : age_ms(e, fastpath_state(e->fastpath, slot)->since);

	w->attack = (struct attack){ .begun_ms = clock_now_ns(CLOCK_REALTIME) / 1000000 - age };
	snprintf(w->attack.service, sizeof(w->attack.service), "%s", s->name);
	w->began_s = clock_now_s() - (uint64_t)age / 1000;
	w->base = s->before;
	w->told_s = w->written_s = 0;
	w->told_peak_pps = 0;
}

/* An attack on top of a crowd. */
static void begin_again(struct engine *e, uint32_t slot, struct watch *w)
{
	remember(e->attacks, &w->attack);
	w->all = w->recent;
	w->evidence.count = 0;
	w->evidence.seen = 0;
	w->attack.begun_ms = clock_now_ns(CLOCK_REALTIME) / 1000000 - 1000;
	w->attack.class = CLASS_UNKNOWN;
	w->attack.before_count = 0;
	w->attack.half_open_peak = 0;
	w->began_s = clock_now_s() - 1;
	w->base = e->slots[slot].before;
}

/* Worth telling although it is of the same class. */
static bool has_grown(const struct watch *w)
{
	uint64_t since_s = clock_now_s() - w->told_s;

	return w->detect.state == DETECT_ATTACK &&
	       (since_s >= TELL_AGAIN_S ||
		(since_s >= TELL_EVERY_S && w->detect.peak_pps >= 2 * w->told_peak_pps));
}

static void follow(struct engine *e, uint32_t slot, struct watch *w, enum detect_step step,
		   const struct detect_facts *facts)
{
	if (step == DETECT_BEGUN && w->attack.going_on) {
		attack_tell(&w->attack, e->attacks->folder, DETECT_ENDED);
		if (detect_is_new(w->attack.class, w->detect.class))
			begin_again(e, slot, w);
	}
	describe(e, slot, w, facts);
	w->attack.going_on = step != DETECT_ENDED && w->detect.state >= DETECT_CROWD;
	if (step == DETECT_NOTHING && has_grown(w))
		step = DETECT_CHANGED;
	if (step == DETECT_BEGUN || step == DETECT_ENDED ||
	    (w->attack.going_on && clock_now_s() - w->written_s >= WRITE_EVERY_S))
		write_evidence(e, w);
	if (step == DETECT_NOTHING)
		return;
	attack_tell(&w->attack, e->attacks->folder, step);
	w->told_s = clock_now_s();
	w->told_peak_pps = w->detect.peak_pps;
	if (step == DETECT_ENDED)
		remember(e->attacks, &w->attack);
}

static uint32_t sample_rate(const struct watch *w, uint32_t syn_rate_pps)
{
	uint32_t every = 1;

	if (w->detect.state == DETECT_CALM)
		return SAMPLE_AT_FIRST;
	while (every < 1U << 20 && syn_rate_pps / every > SAMPLES_A_SECOND)
		every *= 2;
	return every;
}

static struct detect_rules rules_of(const struct engine *e, const struct config_service *service)
{
	return (struct detect_rules){
		.completion_percent = e->config->completion_percent,
		.share_percent = e->config->share_percent,
		.few = TALKERS_FEW,
		.connections_per_minute = e->config->connections_per_minute,
		.source_pps = e->limits.limit[KIND_CONNECTION][LEVEL_SOURCE].rate,
		.hold_s = service->hold_s,
	};
}

static void watch_service(struct engine *e, const struct config_service *service, uint32_t slot)
{
	struct watch *w = e->attacks->watches[slot];
	struct detect_rules rules = rules_of(e, service);
	struct detect_facts facts;
	struct registers now;
	enum detect_step step;
	bool was_calm;

	fastpath_take_registers(e->fastpath, slot, &now);
	distinct_merge(&w->registers, &now);
	facts = take_facts(e, service, slot, w, &now);
	was_calm = w->detect.state == DETECT_CALM;
	step = detect_second(&w->detect, &rules, &facts);
	if (was_calm && w->detect.state != DETECT_CALM)
		suspect(e, slot, w);
	if (!was_calm)
		follow(e, slot, w, step, &facts);
	if (w->detect.state == DETECT_CALM)
		forget(w);
	else if (w->recent.seen >= RECENT_LEAST)
		w->recent.kept = w->recent.seen = 0;
	fastpath_state(e->fastpath, slot)->sample =
		e->slots[slot].mode == MODE_OFF ? 0 : sample_rate(w, facts.syns);
}

/* The service is no longer there, another has its slot, or its counters have begun anew (in a daemon of
 * another version). */
static bool is_lost(const struct engine *e, uint32_t slot, const struct watch *w)
{
	const struct slot *s = &e->slots[slot];

	return !s->used || strcmp(s->name, w->attack.service) != 0 || s->last.syns < w->base.syns;
}

static void let_go(struct engine *e, uint32_t slot)
{
	struct watch *w = e->attacks->watches[slot];

	if (!w || !*w->attack.service || !is_lost(e, slot, w))
		return;
	if (w->attack.going_on) {
		attack_tell(&w->attack, e->attacks->folder, DETECT_ENDED);
		remember(e->attacks, &w->attack);
	}
	w->detect = (struct detect){ 0 };
	forget(w);
}

void attack_restore(struct engine *e)
{
	for (uint32_t slot = 1; slot < SERVICE_SLOTS; slot++) {
		if (!*e->attacks->memory->watches[slot].attack.service)
			continue;
		e->attacks->watches[slot] = &e->attacks->memory->watches[slot];
		let_go(e, slot);
	}
}

void attack_stop(struct engine *e)
{
	for (uint32_t slot = 1; slot < SERVICE_SLOTS; slot++)
		if (e->attacks->watches[slot] && e->attacks->watches[slot]->attack.going_on)
			write_evidence(e, e->attacks->watches[slot]);
}

void attack_tick(struct engine *e)
{
	int error;

	for (uint32_t slot = 1; slot < SERVICE_SLOTS; slot++)
		let_go(e, slot);
	for (size_t i = 0; i < e->config->service_count; i++)
		e->attacks->watches[e->slot_of[i]] = &e->attacks->memory->watches[e->slot_of[i]];
	count_half_opens(e);
	fastpath_read_samples(e->fastpath, take_sample, e, SAMPLES_READ);
	for (size_t i = 0; i < e->config->service_count; i++)
		watch_service(e, &e->config->services[i], e->slot_of[i]);
	scan_tick(&e->attacks->scan, e);
	if (evidence_store_tick(e->attacks->store, &error))
		file_worker_tell(e->state_dir, EVIDENCE_FOLDER, error, &e->attacks->unwritable,
				 "packets of attacks are kept in memory until they can be written");
}

/* --- showing --- */

bool attack_goes_on(const struct engine *e, uint32_t slot)
{
	const struct watch *w = e->attacks->watches[slot];

	return w && w->detect.state != DETECT_CALM;
}

static const struct attack *past_of(const struct attacks *a, size_t index)
{
	const struct attack_memory *m = a->memory;

	return index < ATTACKS_KEPT && index < m->past_count
		       ? &m->past[(m->past_count - 1 - index) % ATTACKS_KEPT]
		       : NULL;
}

const struct attack *attack_of(const struct engine *e, uint32_t slot)
{
	const struct watch *w = e->attacks->watches[slot];
	const struct attack *past;

	if (w && w->attack.going_on)
		return &w->attack;
	for (size_t i = 0; (past = past_of(e->attacks, i)); i++)
		if (!strcmp(past->service, e->slots[slot].name))
			return past;
	return NULL;
}

const struct attack *engine_get_attack(const struct engine *e, size_t index)
{
	for (uint32_t slot = 1; slot < SERVICE_SLOTS; slot++) {
		const struct watch *w = e->attacks->watches[slot];

		if (w && w->attack.going_on && !index--)
			return &w->attack;
	}
	return past_of(e->attacks, index);
}

void engine_get_samples(struct engine *e, uint64_t *taken, uint64_t *lost)
{
	struct sample_counters counters = { 0 };

	fastpath_read_sample_counters(e->fastpath, &counters);
	*taken = counters.taken;
	*lost = counters.lost;
}

const char *engine_evidence_folder(const struct engine *e)
{
	return e->attacks->folder;
}
