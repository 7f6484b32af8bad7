/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File descriptors that outlive the daemon, kept under names by the service manager (systemd's fd store,
 * sd_notify(3), FDSTORE=1): handed to the next daemon when this one is restarted or dies, closed when the
 * service is stopped. Without a manager nothing is kept, and closing is the end of what they stand for.
 */
#ifndef SYNMOAT_FDSTORE_H
#define SYNMOAT_FDSTORE_H

#include <stdbool.h>

struct fdstore;

/* Takes over what the manager has passed. NULL: no memory. */
struct fdstore *fdstore_new(void);
void fdstore_free(struct fdstore *store);

/* A manager is there that may keep what is put. NULL is a store that keeps nothing, here and below. */
bool fdstore_keeps(const struct fdstore *store);

/* The listening stream socket that was passed, the caller's to close; -1: none. */
int fdstore_socket(const struct fdstore *store);

/* The one of that name, which stays the store's; -1: none. */
int fdstore_get(const struct fdstore *store, const char *name);

/* The first name that begins so, or NULL; valid until it is claimed or removed. */
const char *fdstore_find(const struct fdstore *store, const char *beginning);

/* It is in use, by a duplicate of the caller's: the manager keeps it, and fdstore_get() finds it no more. */
void fdstore_claim(struct fdstore *store, const char *name);

/* Puts it under a name, which nothing else bears, unless what was claimed of that name is there still; the
 * caller closes its own. When that fails, it is logged, and the store keeps nothing any more. */
void fdstore_put(struct fdstore *store, const char *name, int fd);
void fdstore_remove(struct fdstore *store, const char *name);

/* Removes what nobody has claimed. */
void fdstore_drop_rest(struct fdstore *store);

#endif
