/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text files of what outlives the daemon: DIR/NAME and DIR/NAME.copy, the same twice, each written aside,
 * synced and renamed, with a count and a checksum at the end.
 */
#ifndef SYNMOAT_FILE_H
#define SYNMOAT_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Ends what open_memstream() made in OUT, text and length, and closes it. 0, or -ENOMEM: *text is gone. */
int file_seal(FILE *out, char **text, size_t *length, uint64_t count);

/* All of it, and synced. 0 or a negative errno. */
int file_write_all(int fd, const char *text, size_t length);

/* Both, and the folder. 0 or a negative errno; what was there before then stays. */
int file_write(const char *dir, const char *name, const char *text, size_t length);

/* One of them, without the last line; the caller frees. 0, -ENOENT, -EBADMSG: not as it was written, or
 * another negative errno. */
int file_read(const char *dir, const char *name, char **text, uint64_t *count);

/* What file_read() said -EBADMSG of becomes NAME.damaged. */
void file_set_aside(const char *dir, const char *name, int error);

#endif
