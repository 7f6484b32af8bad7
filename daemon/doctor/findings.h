/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What doctor found: one line a check, in the order in which they were made. Calls no other part.
 */
#ifndef SYNMOAT_DOCTOR_FINDINGS_H
#define SYNMOAT_DOCTOR_FINDINGS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

/* NOTE: worth knowing; WARNING: something works less well than it could; CRITICAL: something is not defended,
 * or open, which alone makes `synmoat doctor` exit with 1. */
enum severity { SEVERITY_OK, SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_CRITICAL };

struct finding {
	enum severity severity;
	const char *check;	     /* a word with static storage */
	char interface[IF_NAMESIZE]; /* that it is said of; empty: of none */
	char seen[320];
	char advice[320]; /* what to do; empty: nothing */
};

struct findings {
	struct finding *items;
	size_t count;
	bool failed; /* out of memory: some are missing */
};

void findings_add(struct findings *findings, enum severity severity, const char *check, const char *seen, ...)
	__attribute__((format(printf, 4, 5)));

/* What to do about the one that was added last. */
void findings_advise(struct findings *findings, const char *advice, ...)
	__attribute__((format(printf, 2, 3)));

void findings_fini(struct findings *findings);

const char *findings_severity_word(enum severity severity);

#endif
