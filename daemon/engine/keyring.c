// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See keyring.h.
 */
#include "daemon/engine/keyring.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX_DIGITS 32

static int draw(uint64_t key[2])
{
	return getrandom(key, 2 * sizeof(*key), 0) == 2 * sizeof(*key) ? 0 : -EIO;
}

static int parse_secret(const char *line, uint32_t *generation, uint64_t key[2])
{
	unsigned char bytes[HEX_DIGITS / 2];

	if ((line[0] != '0' && line[0] != '1') || line[1] != ':')
		return -EINVAL;
	*generation = (uint32_t)(line[0] - '0');
	line += 2;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (!isxdigit((unsigned char)line[2 * i]) || !isxdigit((unsigned char)line[2 * i + 1]))
			return -EINVAL;
		if (sscanf(line + 2 * i, "%2hhx", &bytes[i]) != 1)
			return -EINVAL;
	}
	line += HEX_DIGITS;
	if (*line && *line != '\n')
		return -EINVAL;
	memcpy(key, bytes, sizeof(bytes));
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

static int read_secret(const char *path, uint32_t *generation, uint64_t key[2])
{
	char line[2 + HEX_DIGITS + 2] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hold us up */
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	struct stat status;
	int error = 0;

	if (!file) {
		error = -errno;
		if (fd >= 0)
			close(fd);
		return error;
	}
	setvbuf(file, NULL, _IONBF, 0);
	if (fstat(fileno(file), &status))
		error = -errno;
	else if (!S_ISREG(status.st_mode))
		error = -ENOTSUP;
	else if (status.st_mode & 077)
		error = -EPERM;
	else if (!fgets(line, sizeof(line), file))
		error = -EINVAL;
	fclose(file);
	if (!error)
		error = parse_secret(line, generation, key);
	explicit_bzero(line, sizeof(line));
	return error;
}

static void explain(const char *path, int error, char *text, size_t size)
{
	switch (error) {
	case -EPERM:
		snprintf(text, size, "secret file %s is readable by others: chmod 600 %s", path, path);
		break;
	case -ENOTSUP:
		snprintf(text, size, "secret file %s is not a regular file", path);
		break;
	case -EINVAL:
		snprintf(text, size,
			 "secret file %s must hold one line GENERATION:HEX, with generation 0 or 1 and 32 "
			 "hex digits",
			 path);
		break;
	default:
		snprintf(text, size, "cannot read secret file %s: %s (we run as uid %u)", path,
			 strerror(-error), geteuid());
	}
}

int keyring_init(struct keyring *k, const char *secret_file, uint64_t now_s, char *text, size_t size)
{
	uint64_t key[2] = { 0 };
	int error;

	memset(k, 0, sizeof(*k));
	k->rotated_at_s = now_s;
	if (!secret_file) {
		error = draw(k->key[0]);
		if (error)
			snprintf(text, size, "cannot draw a master key: %s", strerror(-error));
		return error;
	}
	k->secret_file = strdup(secret_file);
	if (!k->secret_file)
		return -ENOMEM;
	error = read_secret(secret_file, &k->generation, key);
	if (error) {
		explain(secret_file, error, text, size);
		keyring_fini(k);
		return error;
	}
	memcpy(k->key[k->generation & 1], key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	return 0;
}

void keyring_continue(struct keyring *k, const struct keyring *before, uint64_t now_s)
{
	uint32_t g = k->generation;

	if (!k->secret_file ||
	    (g == before->generation && !memcmp(k->key[g], before->key[g], sizeof(k->key[g])))) {
		memcpy(k->key, before->key, sizeof(k->key));
		k->generation = before->generation;
		k->older_valid = before->older_valid;
		k->pending = before->pending;
		k->rotated_at_s = before->rotated_at_s;
	} else if (g != before->generation) {
		memcpy(k->key[!g], before->key[!g], sizeof(k->key[!g]));
		k->older_valid = true;
		k->rotated_at_s = now_s;
	}
}

void keyring_fini(struct keyring *k)
{
	free(k->secret_file);
	explicit_bzero(k, sizeof(*k));
}

static int next_key(struct keyring *k, uint64_t key[2])
{
	uint32_t generation = 0;
	int error;

	if (!k->secret_file)
		return draw(key);
	error = read_secret(k->secret_file, &generation, key);
	if (!error && generation == k->generation)
		error = -EALREADY;
	return error;
}

static int install(struct keyring *k, bool immediately, uint64_t now_s)
{
	uint64_t key[2] = { 0 };
	int error = next_key(k, key);

	if (!error) {
		k->generation = !k->generation;
		memcpy(k->key[k->generation], key, sizeof(key));
		k->older_valid = !immediately;
		if (immediately)
			explicit_bzero(k->key[!k->generation], sizeof(k->key[0]));
		k->rotated_at_s = now_s;
		k->pending = false;
	}
	explicit_bzero(key, sizeof(key));
	return error;
}

int keyring_rotate(struct keyring *k, bool immediately, uint64_t now_s)
{
	if (!immediately && k->older_valid) {
		k->pending = true;
		return 1;
	}
	return install(k, immediately, now_s);
}

bool keyring_tick(struct keyring *k, uint64_t now_s)
{
	if (!k->older_valid || keyring_retires_in(k, now_s))
		return false;
	k->older_valid = false;
	explicit_bzero(k->key[!k->generation], sizeof(k->key[0]));
	if (k->pending && install(k, false, now_s))
		k->pending = false; /* the secret file has not changed: there is nothing to rotate to */
	return true;
}

uint64_t keyring_retires_in(const struct keyring *k, uint64_t now_s)
{
	uint64_t age_s = now_s - k->rotated_at_s;

	return k->older_valid && age_s <= COOKIE_LIFETIME_S ? COOKIE_LIFETIME_S + 1 - age_s : 0;
}

void keyring_fill(const struct keyring *k, struct runtime *runtime)
{
	memcpy(runtime->key, k->key, sizeof(runtime->key));
	runtime->key_generation = k->generation;
	runtime->key_valid = 1U << k->generation | (k->older_valid ? 1U << !k->generation : 0);
}
