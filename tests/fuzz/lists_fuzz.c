/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target for list files: no text crashes or leaks; a line is nothing, an entry that prints as
 * itself, or a fault that has a text; what is listed is then found, in the table as in the store, and is gone
 * when taken back.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/lists/lists.h"
#include "daemon/lists/parse.h"
#include "tests/unit/lists/backing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES_MAX 200

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static struct prefix taken[LINES_MAX];
static size_t count;

static void take_line(struct lists *l, char *line)
{
	char fault[256] = "", text[64];
	struct prefix prefix, again;
	const char *reason = NULL;

	switch (parse_list_line(line, &prefix, &reason, fault, sizeof(fault))) {
	case PARSE_NOTHING:
		return;
	case PARSE_BAD:
		require(*fault, "a fault has a text");
		return;
	case PARSE_ENTRY:
		break;
	}
	require(reason, "an entry has a reason, which may be empty");
	prefix_format(&prefix, text, sizeof(text));
	require(!prefix_parse(text, &again) && again.length_bits == prefix.length_bits &&
			!memcmp(&again.address, &prefix.address, sizeof(prefix.address)),
		"it prints as itself");
	require(lists_add(l, count % 3 ? LIST_BLOCK : LIST_ALLOW, &prefix, ORIGIN_MANUAL, 0, 0, reason) >= 0,
		"it can be added");
	taken[count++] = prefix;
}

static void check(const struct lists *l, const struct in6_addr *address)
{
	struct lists_entry entry;
	bool allowed;
	bool listed = lists_judge(l, address, &allowed) != 0;

	require(listed == (lists_match(l, address, &entry, 1) != 0), "table and store agree");
	require(!listed || allowed == (entry.kind == LIST_ALLOW), "on the kind, too");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lists *l = lists_new(&backing);
	char *text = strndup((const char *)data, size), *rest = text, *line;

	count = 0;
	while (count < LINES_MAX && (line = strsep(&rest, "\n")))
		take_line(l, line);
	while (lists_work(l))
		;
	for (size_t i = 0; i < count; i++)
		check(l, &taken[i].address);
	for (size_t i = 0; i < count; i++) {
		lists_remove(l, LIST_BLOCK, &taken[i]);
		lists_remove(l, LIST_ALLOW, &taken[i]);
		while (lists_work(l)) /* the shortest prefixes wait for a new table */
			;
		check(l, &taken[i].address);
	}
	while (lists_work(l))
		;
	for (size_t i = 0; i < count; i++) {
		bool allowed;

		require(!lists_judge(l, &taken[i].address, &allowed), "nothing is left");
	}
	lists_free(l);
	free(text);
	return 0;
}
