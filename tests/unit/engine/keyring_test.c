// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys: rotation, coalescing, retirement, the secret file that siblings share.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/engine/keyring.h"

static struct runtime filled(const struct keyring *k)
{
	struct runtime runtime = { 0 };

	keyring_fill(k, &runtime);
	return runtime;
}

static void older_key_validates_for_its_cookies_lifetime(void **state)
{
	struct keyring k;
	struct runtime first, second;
	char text[128];

	(void)state;
	assert_int_equal(keyring_init(&k, NULL, 1000, text, sizeof(text)), 0);
	first = filled(&k);
	assert_int_equal(first.key_valid, 1);
	assert_int_equal(keyring_rotate(&k, false, 2000), 0);
	second = filled(&k);
	assert_int_equal(second.key_generation, 1);
	assert_int_equal(second.key_valid, 3);
	assert_memory_equal(second.key[0], first.key[0], sizeof(first.key[0]));
	assert_false(keyring_tick(&k, 2000 + COOKIE_LIFETIME_S));
	assert_true(keyring_tick(&k, 2001 + COOKIE_LIFETIME_S));
	assert_int_equal(filled(&k).key_valid, 2);
	assert_int_equal(filled(&k).key[0][0] | filled(&k).key[0][1], 0);
	keyring_fini(&k);
}

static void rotations_coalesce(void **state)
{
	struct keyring k;
	struct runtime second;
	char text[128];

	(void)state;
	keyring_init(&k, NULL, 0, text, sizeof(text));
	assert_int_equal(keyring_rotate(&k, false, 10), 0);
	second = filled(&k);
	for (uint64_t s = 11; s < 110; s++)
		assert_int_equal(keyring_rotate(&k, false, s), 1);
	assert_memory_equal(filled(&k).key, second.key, sizeof(second.key));
	assert_int_equal(keyring_retires_in(&k, 110), 21);
	assert_true(keyring_tick(&k, 131)); /* one rotation for all that waited */
	assert_int_equal(filled(&k).key_generation, 0);
	assert_memory_equal(filled(&k).key[1], second.key[1], sizeof(second.key[1]));
	assert_false(k.pending);
	keyring_fini(&k);
}

static void rotation_at_once_ends_every_older_key(void **state)
{
	struct keyring k;
	char text[128];

	(void)state;
	keyring_init(&k, NULL, 0, text, sizeof(text));
	keyring_rotate(&k, false, 10);
	keyring_rotate(&k, false, 11); /* waits */
	assert_int_equal(keyring_rotate(&k, true, 12), 0);
	assert_int_equal(filled(&k).key_valid, 1);
	assert_int_equal(filled(&k).key_generation, 0);
	assert_false(keyring_tick(&k, 1000));
	keyring_fini(&k);
}

/* What a daemon that is started again validates: all that the one before did. */
static void goes_on_after_a_restart(void **state)
{
	struct keyring before, k;
	char text[128];

	(void)state;
	keyring_init(&before, NULL, 0, text, sizeof(text));
	keyring_rotate(&before, false, 100);
	keyring_init(&k, NULL, 150, text, sizeof(text));
	keyring_continue(&k, &before, 150);
	assert_memory_equal(filled(&k).key, filled(&before).key, sizeof(filled(&k).key));
	assert_int_equal(filled(&k).key_valid, 3);
	assert_int_equal(filled(&k).key_generation, 1);
	assert_int_equal(keyring_retires_in(&k, 150), keyring_retires_in(&before, 150));
	keyring_fini(&k);
	keyring_fini(&before);
}

struct secret_row {
	const char *content;
	mode_t mode;
	int result;
	const char *text;
};

static void secret_file_is_checked(void **state)
{
	static const struct secret_row rows[] = {
		{ "1:000102030405060708090a0b0c0d0e0f\n", 0600, 0, NULL },
		{ "0:000102030405060708090A0B0C0D0E0F", 0400, 0, NULL },
		{ "000102030405060708090a0b0c0d0e0f\n", 0600, -EINVAL, "32 hex digits" },
		{ "2:000102030405060708090a0b0c0d0e0f\n", 0600, -EINVAL, "generation 0 or 1" },
		{ "1:000102030405060708090a0b0c0d0e0\n", 0600, -EINVAL, "32 hex digits" },
		{ "1:000102030405060708090a0b0c0d0e0f0\n", 0600, -EINVAL, "32 hex digits" },
		{ "1:000102030405060708090a0b0c0d0e0g\n", 0600, -EINVAL, "32 hex digits" },
		{ "1: 00102030405060708090a0b0c0d0e0f\n", 0600, -EINVAL, "32 hex digits" },
		{ "", 0600, -EINVAL, "one line" },
		{ "1:000102030405060708090a0b0c0d0e0f\n", 0640, -EPERM, "chmod 600" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char path[] = "/tmp/synmoat-secret.XXXXXX", text[256] = "";
		int fd = mkstemp(path);
		struct keyring k;

		assert_return_code(write(fd, rows[i].content, strlen(rows[i].content)), 0);
		fchmod(fd, rows[i].mode);
		close(fd);
		assert_int_equal(keyring_init(&k, path, 0, text, sizeof(text)), rows[i].result);
		if (rows[i].text)
			assert_non_null(strstr(text, rows[i].text));
		else
			keyring_fini(&k);
		unlink(path);
	}
}

/* A FIFO would hold up whoever waits for its writer. */
static void secret_file_is_a_file(void **state)
{
	char dir[] = "/tmp/synmoat-secret.XXXXXX", path[64], text[256] = "";
	struct keyring k;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_return_code(mkfifo(path, 0600), errno);
	assert_int_equal(keyring_init(&k, path, 0, text, sizeof(text)), -ENOTSUP);
	assert_non_null(strstr(text, "not a regular file"));
	assert_int_equal(keyring_init(&k, dir, 0, text, sizeof(text)), -ENOTSUP);
	unlink(path);
	rmdir(dir);
}

static void rewrite(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(content, file);
	fclose(file);
}

/* The file was changed while no daemon ran. */
static void another_secret_after_a_restart(void **state)
{
	char path[] = "/tmp/synmoat-secret.XXXXXX", text[256] = "";
	struct keyring before, k;

	(void)state;
	close(mkstemp(path));
	rewrite(path, "0:000102030405060708090a0b0c0d0e0f\n");
	assert_int_equal(keyring_init(&before, path, 0, text, sizeof(text)), 0);
	rewrite(path, "1:101112131415161718191a1b1c1d1e1f\n");
	assert_int_equal(keyring_init(&k, path, 500, text, sizeof(text)), 0);
	keyring_continue(&k, &before, 500);
	assert_int_equal(filled(&k).key_valid, 3);
	assert_int_equal(filled(&k).key_generation, 1);
	assert_memory_equal(filled(&k).key[0], filled(&before).key[0], sizeof(filled(&k).key[0]));
	assert_int_equal(keyring_retires_in(&k, 500), COOKIE_LIFETIME_S + 1);
	keyring_fini(&k);

	rewrite(path,
		"0:202122232425262728292a2b2c2d2e2f\n"); /* the same generation: only one can stand there */
	assert_int_equal(keyring_init(&k, path, 500, text, sizeof(text)), 0);
	keyring_continue(&k, &before, 500);
	assert_int_equal(filled(&k).key_valid, 1);
	assert_memory_not_equal(filled(&k).key[0], filled(&before).key[0], sizeof(filled(&k).key[0]));
	keyring_fini(&k);
	keyring_fini(&before);
	unlink(path);
}

static void siblings_share_what_the_file_says(void **state)
{
	static const uint8_t bytes[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	char path[] = "/tmp/synmoat-secret.XXXXXX", text[256] = "";
	struct keyring k;

	(void)state;
	close(mkstemp(path));
	rewrite(path, "1:000102030405060708090a0b0c0d0e0f\n");
	assert_int_equal(keyring_init(&k, path, 0, text, sizeof(text)), 0);
	assert_int_equal(filled(&k).key_generation, 1);
	assert_memory_equal(filled(&k).key[1], bytes, sizeof(bytes));
	assert_int_equal(keyring_rotate(&k, false, 1), -EALREADY);
	rewrite(path, "0:ffffffffffffffffffffffffffffffff\n");
	assert_int_equal(keyring_rotate(&k, false, 2), 0);
	assert_int_equal(filled(&k).key_generation, 0);
	assert_int_equal(filled(&k).key[0][0], UINT64_MAX);
	assert_int_equal(filled(&k).key_valid, 3);
	keyring_fini(&k);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(older_key_validates_for_its_cookies_lifetime),
		cmocka_unit_test(rotations_coalesce),
		cmocka_unit_test(rotation_at_once_ends_every_older_key),
		cmocka_unit_test(goes_on_after_a_restart),
		cmocka_unit_test(another_secret_after_a_restart),
		cmocka_unit_test(secret_file_is_checked),
		cmocka_unit_test(secret_file_is_a_file),
		cmocka_unit_test(siblings_share_what_the_file_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
