/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The masters that key the cookies: two generations, of which one signs and the older one validates until its
 * last cookie has died. Pure but for getrandom(2) and reading the secret file.
 */
#ifndef SYNMOAT_ENGINE_KEYRING_H
#define SYNMOAT_ENGINE_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

struct keyring {
	uint64_t key[2][2];
	uint32_t generation; /* that signs */
	bool older_valid;
	bool pending;	       /* a rotation waits for the older generation to retire */
	uint64_t rotated_at_s; /* monotonic */
	char *secret_file;     /* NULL: masters come from getrandom(2) */
};

/*
 * The secret file holds one line, "GENERATION:32 hex digits" (generation 0 or 1), the same on all siblings.
 * Returns 0, -EINVAL (what it holds), -EPERM (readable by others), or another negative errno; text then says
 * what is wrong.
 */
int keyring_init(struct keyring *keyring, const char *secret_file, uint64_t now_s, char *text, size_t size);
void keyring_fini(struct keyring *keyring);

/*
 * Goes on where the keyring of a daemon before was. What a secret file says now wins: if that is another
 * generation, the one before validates COOKIE_LIFETIME_S more.
 */
void keyring_continue(struct keyring *keyring, const struct keyring *before, uint64_t now_s);

/*
 * A new master signs from now on; the one before validates COOKIE_LIFETIME_S more. While an even older one
 * still does, rotations coalesce into one that keyring_tick() performs: then 1 is returned. immediately: all
 * old masters cease to validate. With a secret file the new master is what the file holds now; -EALREADY if
 * that is still the one that signs.
 */
int keyring_rotate(struct keyring *keyring, bool immediately, uint64_t now_s);

/* Retires the older master, performs a pending rotation. True: something changed. */
bool keyring_tick(struct keyring *keyring, uint64_t now_s);

/* Seconds until the older master retires; 0: it has. */
uint64_t keyring_retires_in(const struct keyring *keyring, uint64_t now_s);

/* Sets key, key_generation, key_valid. */
void keyring_fill(const struct keyring *keyring, struct runtime *runtime);

#endif
