/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target for the configuration: no text crashes or leaks, an error always has a text, what is
 * accepted prints as something that is accepted and prints the same, and our scanner and libconfig's agree on
 * integers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"
#include "daemon/config/source.h"
#include "daemon/engine/ranges.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static char *print(const struct config *config, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	require(!config_print(config, out), "printing works");
	fclose(out);
	return text;
}

static void check_round_trip(const struct config *config)
{
	size_t size = 0, size_again = 0;
	char *text = print(config, &size), *text_again;
	struct config_error error;
	struct config *again;

	require(!config_parse(text, size, "again", &again, &error), "what was printed loads");
	text_again = print(again, &size_again);
	require(!strcmp(text, text_again), "and prints the same");
	free(text);
	free(text_again);
	config_free(again);
}

static void check_ranges(const struct config *config)
{
	const uint32_t slots[SERVICES_MAX] = { 0 };
	struct ranges_table table;

	if (!ranges_compile(config, slots, &table))
		ranges_free(&table);
}

/* As libconfig 1.5 cut them: to 32 bits. */
static void compare_integers(const config_setting_t *setting)
{
	long long value;

	if (config_setting_is_aggregate(setting)) {
		for (unsigned int i = 0; i < (unsigned int)config_setting_length(setting); i++)
			compare_integers(config_setting_get_elem(setting, i));
		return;
	}
	if (config_setting_type(setting) != CONFIG_TYPE_INT)
		return;
	value = source_integer(setting);
	if (value >= INT32_MIN && value <= INT32_MAX)
		require(value == config_setting_get_int(setting), "both scanners read the same integer");
}

static void check_scan(const char *text, size_t size)
{
	struct config_error error = { 0 };
	struct source *source;

	if (source_parse(text, size, "fuzz", &source, &error)) {
		require(!strstr(error.text, "cannot be read safely"), "both scanners see the same values");
		return;
	}
	compare_integers(config_root_setting(&source->tree));
	source_free(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_error error = { 0 };
	struct config *config;

	check_scan((const char *)data, size);
	if (config_parse((const char *)data, size, "fuzz", &config, &error)) {
		require(error.text[0], "an error has a text");
		return 0;
	}
	check_round_trip(config);
	check_ranges(config);
	config_free(config);
	return 0;
}
