/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that holds keys: in no core dump, and not in swap if the limits allow it. */
#ifndef SYNMOAT_SECRET_H
#define SYNMOAT_SECRET_H

#include <stddef.h>

/* Of memory that was mapped, whole pages. */
void secret_guard(void *memory, size_t size);

/* Zeroed; NULL: no memory. */
void *secret_new(size_t size);
/* Of the same size; zeroed first. */
void secret_free(void *memory, size_t size);

#endif
