// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The words for verdicts and handovers that counters, log, metrics and CLI share, from the tables of
 * bpf/abi.h.
 */
#include "daemon/engine/engine.h"

static const char *const verdict_words[] = {
#define X(name, word, meaning) #word,
	VERDICTS(X)
#undef X
};

static const char *const verdict_meanings[] = {
#define X(name, word, meaning) meaning,
	VERDICTS(X)
#undef X
};

static const char *const handover_words[] = {
#define X(name, word, meaning) #word,
	HANDOVERS(X)
#undef X
};

static const char *const handover_meanings[] = {
#define X(name, word, meaning) meaning,
	HANDOVERS(X)
#undef X
};

const char *engine_verdict_word(enum verdict verdict)
{
	return verdict_words[verdict];
}

const char *engine_verdict_meaning(enum verdict verdict)
{
	return verdict_meanings[verdict];
}

const char *engine_handover_word(enum handover_outcome outcome)
{
	return handover_words[outcome];
}

const char *engine_handover_meaning(enum handover_outcome outcome)
{
	return handover_meanings[outcome];
}

const char *engine_mitigation_word(enum mitigation mitigation)
{
	switch (mitigation) {
	case MITIGATION_IDLE:
		break;
	case MITIGATION_ACTIVE:
		return "active";
	case MITIGATION_GRACE:
		return "grace";
	}
	return "idle";
}

const char *engine_deployment_word(enum deployment deployment)
{
	return deployment == DEPLOYMENT_INLINE ? "inline" : "host";
}
