/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that wait: appended at the end, taken from the front. Holds no memory to speak of while empty.
 */
#ifndef SYNMOAT_CONTROL_BUFFER_H
#define SYNMOAT_CONTROL_BUFFER_H

#include <stddef.h>

struct buffer {
	char *data;
	size_t begin, end, capacity;
};

void buffer_fini(struct buffer *buffer);

static inline size_t buffer_pending(const struct buffer *buffer)
{
	return buffer->end - buffer->begin;
}

static inline char *buffer_front(const struct buffer *buffer)
{
	return buffer->data + buffer->begin;
}

/* Room for size more bytes, at buffer->data + buffer->end; the caller then advances end. 0 or -ENOMEM. */
int buffer_reserve(struct buffer *buffer, size_t size);
int buffer_append(struct buffer *buffer, const char *data, size_t size);
void buffer_consume(struct buffer *buffer, size_t size);

#endif
