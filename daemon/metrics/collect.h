/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All metrics of the daemon: which there are, what they are called, and where they come from. Labels are
 * words of ours, names of the configuration, or addresses and ports that this host listens on; never a
 * source's address.
 */
#ifndef SYNMOAT_METRICS_COLLECT_H
#define SYNMOAT_METRICS_COLLECT_H

struct engine;
struct exposition;
struct health;
struct tracker;
struct watch;

struct collect_sources {
	struct engine *engine;
	struct tracker *tracker;
	const struct watch *watch;
	const struct health *health;
	double created_s; /* when counters began, in seconds of the Unix epoch */
};

void collect_all(const struct collect_sources *from, struct exposition *into);

#endif
