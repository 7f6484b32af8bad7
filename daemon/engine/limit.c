// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See limit.h.
 */
#include "daemon/engine/limit.h"

#include <stdbool.h>
#include <string.h>

#define JIFFIES_SAVED  2
#define TOKENS_EASY    256
#define WINDOW_LEAST_S 8
#define ERROR_OF_MEAN  55 /* by more than so many times the mean, one place in 55 at most may be too high */

/* What CPUs take at once may be taken as one while no more than a jiffy and TOKENS_EASY is missing: never of
 * a bucket out of which all is taken that a jiffy brings. */
static int64_t ease_of(const struct pace *pace)
{
	int64_t jiffy = 1LL << PACE_SHIFT, ease = (int64_t)pace->tolerance - jiffy;

	if (ease > jiffy)
		ease = jiffy;
	if (ease > TOKENS_EASY * (int64_t)pace->interval)
		ease = TOKENS_EASY * (int64_t)pace->interval;
	return ease;
}

struct pace limit_pace(uint32_t rate, uint32_t burst, uint32_t jiffies_hz)
{
	uint64_t least = (uint64_t)rate * JIFFIES_SAVED / jiffies_hz + 1, tokens = config_burst(rate, burst);
	struct pace pace = { 0 };

	if (!rate)
		return pace;
	if (tokens < least)
		tokens = least;
	pace.interval = ((uint64_t)jiffies_hz << PACE_SHIFT) / rate;
	if (!pace.interval)
		pace.interval = 1;
	pace.tolerance = (tokens - 1) * pace.interval;
	pace.ease = ease_of(&pace);
	return pace;
}

static bool is_set(const struct config_limit *c)
{
	return c->rate && c->action != LIMIT_OFF;
}

static void compile_one(const struct config_limit *c, int kind, uint32_t jiffies_hz, struct limit *l)
{
	if (!is_set(c))
		return;
	l->action = c->action;
	if (kind == KIND_HALF_OPEN) {
		l->most = c->rate;
		l->proven_most = c->proven_rate;
		return;
	}
	l->base = limit_pace(c->rate, c->burst, jiffies_hz);
	if (c->proven_rate > c->rate)
		l->extra = limit_pace(c->proven_rate - c->rate,
				      config_burst(c->proven_rate, c->proven_burst) -
					      config_burst(c->rate, c->burst),
				      jiffies_hz);
}

void limit_compile(const struct config_limits *config, uint32_t jiffies_hz, struct limits *limits)
{
	memset(limits, 0, sizeof(*limits));
	for (int kind = 0; kind < KIND_COUNT; kind++)
		for (int level = 0; level < LEVEL_COUNT; level++)
			compile_one(&config->limit[kind][level], kind, jiffies_hz,
				    &limits->limit[kind][level]);
}

void limit_compile_own(const struct config_own_limits *own, const struct config_limits *config,
		       uint32_t jiffies_hz, struct limit limits[KIND_COUNT])
{
	memset(limits, 0, KIND_COUNT * sizeof(*limits));
	for (int kind = 0; kind < KIND_COUNT; kind++)
		compile_one(config_service_limit(own, config, (enum limit_kind)kind), kind, jiffies_hz,
			    &limits[kind]);
}

uint32_t limit_window_shift(uint32_t jiffies_hz)
{
	uint32_t shift = 0;

	while (1U << shift < WINDOW_LEAST_S * jiffies_hz)
		shift++;
	return shift;
}

uint32_t limit_sketch_error(enum limit_level level, uint64_t total)
{
	return (uint32_t)((total * ERROR_OF_MEAN + ACCOUNTS_OF(level) - 1) / ACCOUNTS_OF(level));
}

uint32_t limit_heavy_from(const struct config_limits *config, enum limit_level level, uint32_t error)
{
	const struct config_limit *l = &config->limit[KIND_HALF_OPEN][level];

	return error + (is_set(l) && l->rate < HEAVY_LEAST ? l->rate : HEAVY_LEAST);
}

/* The smallest number that a limit of sources lets through at once. */
static uint32_t least_burst(const struct config_limits *config)
{
	uint32_t least = UINT32_MAX;

	for (int level = 0; level < SKETCH_LEVELS; level++) {
		const struct config_limit *syn = &config->limit[KIND_SYN][level];
		const struct config_limit *half_open = &config->limit[KIND_HALF_OPEN][level];

		if (is_set(syn) && config_burst(syn->rate, syn->burst) < least)
			least = config_burst(syn->rate, syn->burst);
		if (is_set(half_open) && half_open->rate < least)
			least = half_open->rate;
	}
	return least;
}

uint32_t limit_sample(const struct config_limits *config, uint32_t error)
{
	uint32_t sample = SAMPLE_MOST, least = least_burst(config);

	if (error < SAMPLE_FROM)
		return 1;
	while (sample > 8 && sample * 16 > error)
		sample /= 2;
	while (sample > 1 && sample * 16 > least)
		sample /= 2;
	return sample;
}

uint32_t limit_wide_kinds(const struct config_limits *config)
{
	uint32_t kinds = 0;

	for (int kind = 0; kind < KIND_COUNT; kind++)
		for (int level = LEVEL_SERVICE; level < LEVEL_COUNT; level++)
			if (is_set(&config->limit[kind][level]))
				kinds |= 1U << kind;
	return kinds;
}

uint32_t limit_own_kinds(const struct config_own_limits *own)
{
	uint32_t kinds = 0;

	for (int kind = 0; kind < KIND_COUNT; kind++)
		if (own->given[kind] && is_set(&own->limit[kind]))
			kinds |= 1U << kind;
	return kinds;
}

enum policy_mode limit_mode_needed(const struct config_limits *config, uint32_t own_kinds)
{
	if (own_kinds)
		return config->mode;
	for (int kind = 0; kind < KIND_COUNT; kind++)
		for (int level = 0; level < LEVEL_COUNT; level++)
			if (is_set(&config->limit[kind][level]))
				return config->mode;
	return POLICY_OFF;
}

void limit_merge(struct config_limits *force, const struct config_limits *before,
		 const struct config_limits *now)
{
	if (before->mode != now->mode)
		force->mode = now->mode;
	for (int kind = 0; kind < KIND_COUNT; kind++)
		for (int level = 0; level < LEVEL_COUNT; level++)
			if (memcmp(&before->limit[kind][level], &now->limit[kind][level],
				   sizeof(struct config_limit)) != 0)
				force->limit[kind][level] = now->limit[kind][level];
}

bool limit_own_differs(const struct config_own_limits *a, const struct config_own_limits *b,
		       enum limit_kind kind)
{
	return a->given[kind] != b->given[kind] ||
	       (a->given[kind] && memcmp(&a->limit[kind], &b->limit[kind], sizeof(a->limit[kind])) != 0);
}

void limit_merge_own(struct config_own_limits *force, const struct config_own_limits *before,
		     const struct config_own_limits *now)
{
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		if (!limit_own_differs(before, now, (enum limit_kind)kind))
			continue;
		force->given[kind] = now->given[kind];
		force->limit[kind] = now->limit[kind];
	}
}
