// SPDX-License-Identifier: GPL-2.0-or-later
/* See detect.h. */
#include "daemon/detect/detect.h"

#include <string.h>

#define SYNS_LEAST    20  /* of the window: fewer tell nothing */
#define UNANSWERED    100 /* SYNs of the window, none of which was answered: enough of them */
#define SAMPLES_LEAST 20
#define CLEAR_PERCENT 10 /* of handshakes completed: one second of fewer is proof enough */
#define AGREE_S	      2	 /* else so many seconds must say the same */
#define ABUSE_S	      3	 /* of an attack, before connections are judged by their sources */
#define NOVEL_PART    10 /* a crowd has more than one new source in so many connections */

const char *detect_class_word(enum detect_class class)
{
	static const char *const words[] = {
#define X(name, word) [name] = #word,
		DETECT_CLASSES(X)
#undef X
	};

	return class < CLASS_COUNT ? words[class] : words[CLASS_UNKNOWN];
}

uint32_t detect_completion(uint64_t answered, uint64_t completed)
{
	if (!answered)
		return 0;
	return completed < answered ? (uint32_t)(completed * 100 / answered) : 100;
}

struct recent {
	uint64_t syns, answered, completed;
	uint32_t seconds;
	uint32_t novel; /* sources that were not there before */
};

static struct recent recent_of(const struct detect *d, const struct detect_facts *f)
{
	struct recent r = { .seconds = d->age_s < DETECT_WINDOW_S ? d->age_s : DETECT_WINDOW_S };
	uint32_t before;

	for (uint32_t i = 0; i < r.seconds; i++) {
		r.syns += d->window[i].syns;
		r.answered += d->window[i].answered;
		r.completed += d->window[i].completed;
	}
	/* the oldest of the window: what there was at its end */
	before = r.seconds < DETECT_WINDOW_S ? 0 : d->window[d->age_s % DETECT_WINDOW_S].distinct_all;
	r.novel = f->distinct_all > before ? f->distinct_all - before : 0;
	return r;
}

static enum detect_class class_by_sources(const struct detect_rules *rules, const struct detect_facts *f,
					  enum detect_class many)
{
	if (f->samples < SAMPLES_LEAST) {
		if (f->distinct <= 1)
			return CLASS_SINGLE_SOURCE;
		return f->distinct <= rules->few ? CLASS_FEW_SOURCES : many;
	}
	if (f->top_permille >= rules->share_percent * 10)
		return CLASS_SINGLE_SOURCE;
	return f->few_permille >= rules->share_percent * 10 ? CLASS_FEW_SOURCES : many;
}

/* Handshakes are completed. By whom? */
static enum detect_class judge_connections(const struct detect *d, const struct detect_rules *rules,
					   const struct detect_facts *f, const struct recent *r)
{
	uint64_t top_pps = (uint64_t)f->completed * f->top_permille / 1000;

	if (d->age_s < ABUSE_S)
		return CLASS_CROWD;
	if (rules->source_pps && f->samples >= SAMPLES_LEAST && top_pps >= rules->source_pps)
		return class_by_sources(rules, f, CLASS_FEW_SOURCES);
	if (f->distinct_all <= rules->few || d->completed < 2 * (uint64_t)f->distinct_all ||
	    r->novel > r->completed / NOVEL_PART)
		return CLASS_CROWD;
	return r->completed * 60 >= (uint64_t)rules->connections_per_minute * f->distinct_all * r->seconds
		       ? CLASS_CONNECTIONS
		       : CLASS_CROWD;
}

static enum detect_class judge(const struct detect *d, const struct detect_rules *rules,
			       const struct detect_facts *f)
{
	struct recent r = recent_of(d, f);

	if (r.answered < SYNS_LEAST) { /* a slow one: all of it */
		r.answered = d->answered;
		r.completed = d->completed;
	}
	if (r.answered < SYNS_LEAST && r.syns < UNANSWERED)
		return CLASS_UNKNOWN;
	if (r.answered < SYNS_LEAST)
		return class_by_sources(rules, f, CLASS_MANY_SOURCES);
	if (detect_completion(r.answered, r.completed) < rules->completion_percent)
		return class_by_sources(rules, f, CLASS_FORGED);
	return judge_connections(d, rules, f, &r);
}

static void add_up(struct detect *d, const struct detect_facts *f)
{
	uint32_t place = d->age_s % DETECT_WINDOW_S;

	d->answered += f->answered;
	d->completed += f->completed;
	if (f->syns > d->peak_pps)
		d->peak_pps = f->syns;
	d->window[place].syns = f->syns;
	d->window[place].answered = f->answered;
	d->window[place].completed = f->completed;
	d->window[place].distinct_all = f->distinct_all;
	d->age_s++;
}

static bool is_attack(enum detect_class class)
{
	return class != CLASS_UNKNOWN && class != CLASS_CROWD;
}

/* Whether what this second looks like is to be believed. */
static bool agrees(struct detect *d, enum detect_class class, const struct detect_facts *f)
{
	if (class != d->next)
		d->next_s = 0;
	d->next = class;
	d->next_s++;
	if (d->next_s >= AGREE_S)
		return true;
	return d->state == DETECT_SUSPECT && is_attack(class) && f->answered >= SYNS_LEAST &&
	       detect_completion(f->answered, f->completed) < CLEAR_PERCENT;
}

/* Those who connect over and over were the crowd; all else has come on top of it. */
bool detect_is_new(enum detect_class before, enum detect_class class)
{
	return before == CLASS_CROWD && class != CLASS_CONNECTIONS;
}

static void begin_again(struct detect *d, const struct detect_facts *f)
{
	d->peak_pps = f->syns;
	d->answered = f->answered;
	d->completed = f->completed;
}

static enum detect_step move_on(struct detect *d, enum detect_class class, const struct detect_facts *f)
{
	bool attack = is_attack(class), was_attack = d->state == DETECT_ATTACK;

	if (class == CLASS_UNKNOWN || class == d->class || (was_attack && !attack))
		return DETECT_NOTHING;
	if (detect_is_new(d->class, class))
		begin_again(d, f);
	d->class = class;
	d->state = attack ? DETECT_ATTACK : DETECT_CROWD;
	return was_attack ? DETECT_CHANGED : DETECT_BEGUN;
}

/* Leaves class and sums for who tells of it. */
static enum detect_step end(struct detect *d)
{
	bool told = d->state == DETECT_CROWD || d->state == DETECT_ATTACK;

	d->state = DETECT_CALM;
	return told ? DETECT_ENDED : DETECT_NOTHING;
}

enum detect_step detect_second(struct detect *d, const struct detect_rules *rules,
			       const struct detect_facts *f)
{
	enum detect_class class;

	if (d->state == DETECT_CALM) {
		/* of the second in which it began only a part was seen */
		if (f->watched && f->pressed) {
			*d = (struct detect){ .state = DETECT_SUSPECT, .peak_pps = f->syns };
			d->answered = f->answered;
			d->completed = f->completed;
		}
		return DETECT_NOTHING;
	}
	add_up(d, f);
	d->calm_s = f->calm ? d->calm_s + 1 : 0;
	if (!f->watched || f->over || d->calm_s >= rules->hold_s)
		return end(d);
	if (f->calm) /* what is left of it tells nothing of what it was */
		return DETECT_NOTHING;
	class = judge(d, rules, f);
	return agrees(d, class, f) ? move_on(d, class, f) : DETECT_NOTHING;
}
