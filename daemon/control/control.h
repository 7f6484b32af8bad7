/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: anyone may connect and read, root and one group may change things. Runs inside the
 * daemon's event loop and calls the engine.
 */
#ifndef SYNMOAT_CONTROL_CONTROL_H
#define SYNMOAT_CONTROL_CONTROL_H

struct control;
struct engine;
struct sd_event;
struct metrics;
struct tracker;
struct watch;

/* What the handlers of methods ask and change. */
struct control_parts {
	struct engine *engine;
	struct tracker *tracker;
	struct watch *watch;
	struct metrics *metrics;
};

/*
 * Listens on the socket that systemd passed (-1: none), else on path (NULL: the default, see protocol.h).
 * group: whose members may change things, NULL: root alone. 0; -EADDRINUSE: another daemon answers there;
 * -EEXIST: what stands there is no socket; else a negative errno. The reason is logged.
 */
int control_new(struct control **out, struct sd_event *event, const struct control_parts *parts, int passed,
		const char *path, const char *group);
/* As control_new() would find it, before all else: -EADDRINUSE, and logged, when another daemon answers
 * there. */
int control_check(int passed, const char *path);

/* After a reload that did not come through the socket (SIGHUP). */
void control_configuration_changed(struct control *control);

void control_free(struct control *control);

#endif
