/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A place where a program hangs on an interface, as a BPF link. Links outlive the daemon in the store of
 * descriptors: the next one swaps its program in, and no packet passes between. The programs lie there, too,
 * so that it can swap them back where it fails half-way.
 */
#ifndef SYNMOAT_HOOK_H
#define SYNMOAT_HOOK_H

#include <stdbool.h>

struct fdstore;

/* LINK_XDP: of the outside interface, in both deployments. Later ones are detached first. */
enum hook_place { LINK_TC_INGRESS, LINK_TC_EGRESS, LINK_XDP_INSIDE, LINK_XDP, LINK_COUNT };

struct hooks {
	struct fdstore *store;
	int links[LINK_COUNT];	/* -1: none */
	int before[LINK_COUNT]; /* what hung there before; -1: nothing, or it is not known */
	bool inherited;		/* links of before hang on interfaces, and not all have been taken over */
};

void hooks_init(struct hooks *hooks, struct fdstore *store);

/*
 * A link of before to the same interface, in the same mode, gets the program; any other is detached first.
 * 0, or a negative errno as the kernel says: -EBUSY or -EEXIST where another program holds XDP.
 */
int hook_attach(struct hooks *hooks, enum hook_place place, int program, unsigned int ifindex, bool generic);

/* All hang there, by these programs, one a place; -1: none. */
void hooks_settle(struct hooks *hooks, const int programs[LINK_COUNT]);

/* One could not be attached: what was before goes on as it was, and what is new is detached. */
void hooks_roll_back(struct hooks *hooks);

/* Detaches what was attached here. XDP first: no cookie is validated that nobody would take over. */
void hooks_detach(struct hooks *hooks);

/* Detaches links of before at places that this deployment does not use. */
void hooks_leave_others(struct hooks *hooks, bool inline_mode);

/* Closes: where the store keeps them, the programs go on. */
void hooks_close(struct hooks *hooks);

/* A link has gone, with its interface or because somebody has detached it? */
bool hooks_dead(const struct hooks *hooks);

#endif
