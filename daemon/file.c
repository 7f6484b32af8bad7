// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See file.h.
 */
#include "daemon/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/log.h"

static uint64_t checksum(const char *text, size_t length)
{
	uint64_t sum = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < length; i++)
		sum = (sum ^ (uint8_t)text[i]) * 0x100000001b3;
	return sum;
}

int file_seal(FILE *out, char **text, size_t *length, uint64_t count)
{
	fflush(out);
	fprintf(out, "end %" PRIu64 " %016" PRIx64 "\n", count, checksum(*text, *length));
	if (!fclose(out))
		return 0;
	free(*text);
	*text = NULL;
	return -ENOMEM;
}

int file_write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		text += written;
		length -= (size_t)written;
	}
	return fsync(fd) ? -errno : 0;
}

static int write_one(const char *dir, const char *name, const char *text, size_t length)
{
	char aside[PATH_MAX], path[PATH_MAX];
	int fd, error;

	if (snprintf(aside, sizeof(aside), "%s/%s.new", dir, name) >= (int)sizeof(aside))
		return -ENAMETOOLONG;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	error = file_write_all(fd, text, length);
	if (close(fd) && !error)
		error = -errno;
	if (!error && rename(aside, path))
		error = -errno;
	if (error)
		unlink(aside);
	return error;
}

static int sync_folder(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;

	if (fd < 0 || fsync(fd))
		error = -errno;
	if (fd >= 0)
		close(fd);
	return error;
}

int file_write(const char *dir, const char *name, const char *text, size_t length)
{
	char copy[NAME_MAX];
	int error = write_one(dir, name, text, length);

	snprintf(copy, sizeof(copy), "%s.copy", name);
	if (!error)
		error = write_one(dir, copy, text, length);
	return error ? error : sync_folder(dir);
}

/* NULL: error says why. */
static char *read_text(const char *path, size_t *length, int *error)
{
	struct stat status = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text = NULL;
	size_t at = 0;

	*error = fd < 0 || fstat(fd, &status) ? -errno : 0;
	if (!*error) {
		text = malloc((size_t)status.st_size + 1);
		*error = text ? 0 : -ENOMEM;
	}
	while (!*error && at < (size_t)status.st_size) {
		ssize_t got = read(fd, text + at, (size_t)status.st_size - at);

		if (got <= 0)
			*error = got ? -errno : -EBADMSG;
		else
			at += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	if (*error) {
		free(text);
		return NULL;
	}
	text[at] = '\0';
	*length = at;
	return text;
}

/* Whole, and as it was written? Cuts the last line off. */
static bool is_whole(char *text, size_t length, uint64_t *count)
{
	uint64_t sum;
	char *last;

	if (!length || text[length - 1] != '\n' || memchr(text, '\0', length))
		return false;
	text[length - 1] = '\0';
	last = strrchr(text, '\n');
	if (!last || sscanf(last + 1, "end %" SCNu64 " %16" SCNx64, count, &sum) != 2 ||
	    checksum(text, (size_t)(last + 1 - text)) != sum)
		return false;
	last[1] = '\0';
	return true;
}

int file_read(const char *dir, const char *name, char **text, uint64_t *count)
{
	char path[PATH_MAX];
	size_t length;
	int error;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	*text = read_text(path, &length, &error);
	if (!*text)
		return error;
	if (is_whole(*text, length, count))
		return 0;
	free(*text);
	*text = NULL;
	return -EBADMSG;
}

void file_set_aside(const char *dir, const char *name, int error)
{
	char path[PATH_MAX], aside[PATH_MAX];

	if (error != -EBADMSG)
		return;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(aside, sizeof(aside), "%s/%s.damaged", dir, name);
	if (rename(path, aside))
		return;
	log_print(LOG_ERR, "%s is cut short or garbled: kept as %s", path, aside);
}
