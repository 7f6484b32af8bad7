// SPDX-License-Identifier: GPL-2.0-or-later
/* Attacks and crowds as events. */
#include "daemon/engine/attack.h"

#include <limits.h>
#include <stdio.h>

#include "daemon/events/events.h"

static json_t *top_words(const struct attack *attack)
{
	json_t *words = json_array();
	char text[INET6_ADDRSTRLEN + 8];

	for (size_t i = 0; i < attack->top_count; i++)
		json_array_append_new(words,
				      json_string(prefix_format(&attack->top[i].prefix, text, sizeof(text))));
	return words;
}

/* Last of its list, since it ends it where it is not known. */
static struct event_field completion(const struct attack *a)
{
	if (!a->completes_known)
		return (struct event_field){ 0 };
	return EV_NUMBER("completion_percent",
			 detect_completion(a->monitor ? a->would_answer : a->answered, a->completed));
}

static void tell_crowd(const struct attack *a, enum detect_step step)
{
	if (step == DETECT_ENDED)
		event_tell(EVENT_CROWD_ENDED, EV_TEXT("service", a->service),
			   EV_NUMBER("duration_s", (int64_t)a->duration_s),
			   EV_NUMBER("peak_pps", a->peak_pps), EV_NUMBER("sources", a->sources),
			   completion(a));
	else
		event_tell(EVENT_CROWD_BEGUN, EV_TEXT("service", a->service), EV_FLAG("monitor", a->monitor),
			   EV_NUMBER("syn_rate_pps", a->syn_rate_pps), EV_NUMBER("sources", a->sources),
			   completion(a));
}

static void tell_attack(const struct attack *a, const char *folder, enum detect_step step)
{
	static const enum event_kind kinds[] = {
		[DETECT_BEGUN] = EVENT_ATTACK_BEGUN,
		[DETECT_CHANGED] = EVENT_ATTACK_CHANGED,
		[DETECT_ENDED] = EVENT_ATTACK_ENDED,
	};
	char begun[32], evidence[PATH_MAX] = "";

	event_format_time(a->begun_ms * 1000, begun, sizeof(begun));
	if (*a->evidence)
		snprintf(evidence, sizeof(evidence), "%s/%s", folder, a->evidence);
	event_tell(kinds[step], EV_TEXT("service", a->service), EV_TEXT("class", detect_class_word(a->class)),
		   EV_FLAG("monitor", a->monitor), EV_TEXT("begun", begun),
		   EV_NUMBER("duration_s", (int64_t)a->duration_s),
		   EV_NUMBER("syn_rate_pps", a->syn_rate_pps), EV_NUMBER("peak_pps", a->peak_pps),
		   EV_NUMBER("half_open", a->half_open_peak), EV_NUMBER("syns", (int64_t)a->syns),
		   EV_NUMBER("sources", a->sources), EV_JSON("top", top_words(a)),
		   EV_NUMBER("answered", (int64_t)a->answered), EV_NUMBER("dropped", (int64_t)a->dropped),
		   EV_NUMBER("would_answer", (int64_t)a->would_answer),
		   EV_NUMBER("would_drop", (int64_t)a->would_drop), EV_TEXT("evidence", evidence),
		   completion(a));
}

void attack_tell(const struct attack *a, const char *folder, enum detect_step step)
{
	if (a->class == CLASS_CROWD)
		tell_crowd(a, step);
	else
		tell_attack(a, folder, step);
}
