// SPDX-License-Identifier: GPL-2.0-or-later
/* Bytes that wait. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/control/buffer.h"

#define KEPT_WHEN_EMPTY 8192

void buffer_fini(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){ 0 };
}

int buffer_reserve(struct buffer *buffer, size_t size)
{
	size_t pending = buffer_pending(buffer), capacity = buffer->capacity;
	char *data;

	if (buffer->capacity - buffer->end >= size)
		return 0;
	if (buffer->begin) {
		memmove(buffer->data, buffer_front(buffer), pending);
		buffer->begin = 0;
		buffer->end = pending;
	}
	if (buffer->capacity - buffer->end >= size)
		return 0;
	while (capacity < pending + size)
		capacity = capacity ? 2 * capacity : 1024;
	data = realloc(buffer->data, capacity);
	if (!data)
		return -ENOMEM;
	buffer->data = data;
	buffer->capacity = capacity;
	return 0;
}

int buffer_append(struct buffer *buffer, const char *data, size_t size)
{
	int error = buffer_reserve(buffer, size);

	if (error)
		return error;
	if (size)
		memcpy(buffer->data + buffer->end, data, size);
	buffer->end += size;
	return 0;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
	buffer->begin += size;
	if (buffer->begin < buffer->end)
		return;
	buffer->begin = buffer->end = 0;
	if (buffer->capacity > KEPT_WHEN_EMPTY)
		buffer_fini(buffer);
}
