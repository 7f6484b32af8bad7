/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a service is being attacked, by what, and when it is over: decided once a second from what was seen
 * in that second. Changes nothing but its own memory, and what it says changes no packet's fate. Pure.
 */
#ifndef SYNMOAT_DETECT_DETECT_H
#define SYNMOAT_DETECT_DETECT_H

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, word) */
#define DETECT_CLASSES(X)                                                                                    \
	X(CLASS_UNKNOWN, unknown) /* too little is known yet */                                              \
	X(CLASS_CROWD, crowd)	  /* real clients: handshakes are completed, new ones keep coming */         \
	X(CLASS_SINGLE_SOURCE, single_source) /* most SYNs come from one address (IPv6: /64) */              \
	X(CLASS_FEW_SOURCES, few_sources)     /* or from few */                                              \
	X(CLASS_FORGED, forged)		      /* from very many, and handshakes are not completed */         \
	X(CLASS_CONNECTIONS, connections)   /* they are, over and over, and hardly by new ones: a botnet */  \
	X(CLASS_MANY_SOURCES, many_sources) /* from very many; whether they are is not known */

enum detect_class {
#define X(name, word) name,
	DETECT_CLASSES(X)
#undef X
		CLASS_COUNT
};

enum detect_state {
	DETECT_CALM,
	DETECT_SUSPECT, /* a high mark was met, and it is not known yet what by */
	DETECT_CROWD,
	DETECT_ATTACK,
};

/* What this second has brought. */
enum detect_step {
	DETECT_NOTHING,
	DETECT_BEGUN,	/* a crowd or an attack; a crowd may become one */
	DETECT_CHANGED, /* the attack is of another class */
	DETECT_ENDED,
};

struct detect_rules {
	uint32_t completion_percent;	 /* below it, handshakes count as not completed */
	uint32_t share_percent;		 /* of the SYNs, that one or few sources must have */
	uint32_t few;			 /* sources */
	uint32_t connections_per_minute; /* of each source in the mean: more is no crowd */
	uint32_t source_pps;		 /* connections of one source: more is no crowd; 0: no such rule */
	uint32_t hold_s;		 /* of calm, that ends it */
};

/* Of one second. */
struct detect_facts {
	bool watched; /* the service is judged at all */
	bool pressed; /* it is above a high mark, or being mitigated by itself */
	bool calm;    /* it is below its low marks */
	bool over;    /* mitigation by itself has ended, by the same marks */
	uint32_t syns, answered, completed;
	uint32_t distinct;     /* sources of this second */
	uint32_t distinct_all; /* since pressed was said first */
	uint32_t samples, top_permille, few_permille;
};

#define DETECT_WINDOW_S 4

struct detect {
	enum detect_state state;
	enum detect_class class;
	enum detect_class next; /* what the last second looked like, and for how many seconds */
	uint32_t next_s;
	uint32_t age_s; /* whole seconds since pressed was said first */
	uint32_t calm_s;
	uint32_t peak_pps;
	uint64_t answered, completed; /* in all */
	struct {
		uint32_t syns, answered, completed, distinct_all;
	} window[DETECT_WINDOW_S]; /* by age_s */
};

enum detect_step detect_second(struct detect *detect, const struct detect_rules *rules,
			       const struct detect_facts *facts);

/* An attack of CLASS where BEFORE was said: has it begun only now? Sums begin with it then. */
bool detect_is_new(enum detect_class before, enum detect_class class);

/* Per cent of ANSWERED. */
uint32_t detect_completion(uint64_t answered, uint64_t completed);

/* "forged" */
const char *detect_class_word(enum detect_class class);

#endif
