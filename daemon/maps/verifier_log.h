/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the verifier says of a program that it refuses. libbpf would ask again with an ever larger buffer,
 * which takes a minute for the large ones, and print all of it.
 */
#ifndef SYNMOAT_VERIFIER_LOG_H
#define SYNMOAT_VERIFIER_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* For kernel_log_buf and kernel_log_size of bpf_object_open_opts. */
struct verifier_log {
	char *text; /* NULL: no memory, libbpf has its own */
	size_t size;
};

void verifier_log_open(struct verifier_log *log);

/* refused: the last lines, which say why, go to the log. */
void verifier_log_close(struct verifier_log *log, bool refused);

#endif
