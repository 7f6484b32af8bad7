// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of lists as they are published, and files of them, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/lists/feed.h"
#include "daemon/lists/lists.h"
#include "daemon/lists/parse.h"
#include "tests/unit/lists/backing.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *line;
	enum parse_result result;
	const char *prefix, *reason;
} rows[] = {
	{ "", PARSE_NOTHING, "", "" },
	{ "   \t\r", PARSE_NOTHING, "", "" },
	{ "# a comment", PARSE_NOTHING, "", "" },
	{ "; Spamhaus DROP List 2026/11/21", PARSE_NOTHING, "", "" },
	{ "192.0.2.1", PARSE_ENTRY, "192.0.2.1/32", "" },
	{ "192.0.2.0/24\r", PARSE_ENTRY, "192.0.2.0/24", "" },
	{ "  192.0.2.0/24  ", PARSE_ENTRY, "192.0.2.0/24", "" },
	{ "1.10.16.0/20 ; SBL256894", PARSE_ENTRY, "1.10.16.0/20", "SBL256894" },
	{ "1.10.16.0/20;SBL256894", PARSE_ENTRY, "1.10.16.0/20", "SBL256894" },
	{ "198.51.100.7 # brute force, ssh", PARSE_ENTRY, "198.51.100.7/32", "brute force, ssh" },
	{ "198.51.100.7\t2026-11-21\tscanner", PARSE_ENTRY, "198.51.100.7/32", "2026-11-21?scanner" },
	{ "198.51.100.7,scanner", PARSE_ENTRY, "198.51.100.7/32", "scanner" },
	{ "2001:db8::/32 ; SBL1", PARSE_ENTRY, "2001:db8::/32", "SBL1" },
	{ "2001:db8::1", PARSE_ENTRY, "2001:db8::1/128", "" },
	{ "\xef\xbb\xbf"
	  "192.0.2.1",
	  PARSE_ENTRY, "192.0.2.1/32", "" },
	{ "{\"cidr\":\"1.10.16.0/20\",\"sblid\":\"SBL256894\",\"rir\":\"apnic\"}", PARSE_ENTRY,
	  "1.10.16.0/20", "SBL256894" },
	{ "{\"type\":\"metadata\",\"timestamp\":1732147202,\"size\":61441,\"records\":989}", PARSE_NOTHING,
	  "", "" },
	{ "{\"asn\":213371}", PARSE_BAD, "no \"cidr\"", "" },
	{ "{\"cidr\":", PARSE_BAD, "no \"cidr\"", "" },
	{ "{\"cidr\":\"", PARSE_BAD, "no \"cidr\"", "" },
	{ "example.com", PARSE_BAD, "is not a prefix", "" },
	{ "192.0.2.1/24", PARSE_BAD, "write \"192.0.2.0/24\"", "" },
	{ "192.0.2.1/33", PARSE_BAD, "0 to 32", "" },
	{ "192.0.2", PARSE_BAD, "is not a prefix", "" },
	{ "192.0.2.1-192.0.2.9", PARSE_BAD, "is not a prefix", "" },
	{ "::ffff:192.0.2.1", PARSE_BAD, "IPv4 written as IPv6", "" },
	{ "\x1b[31m", PARSE_BAD, "is not a prefix", "" },
};

static void lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char line[256], text[64], fault[256] = "";
		const char *reason = "";
		struct prefix prefix;

		snprintf(line, sizeof(line), "%s", rows[i].line);
		if (parse_list_line(line, &prefix, &reason, fault, sizeof(fault)) != rows[i].result)
			fail_msg("%s", rows[i].line);
		if (rows[i].result == PARSE_ENTRY) {
			assert_string_equal(prefix_format(&prefix, text, sizeof(text)), rows[i].prefix);
			assert_string_equal(reason, rows[i].reason);
		} else if (rows[i].result == PARSE_BAD && !strstr(fault, rows[i].prefix)) {
			fail_msg("%s: %s", rows[i].line, fault);
		}
	}
}

/* --- files --- */

static char dir[] = "/tmp/synmoat-feed.XXXXXX";
static struct lists *l;
static struct feed *feed;

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(path, 0644);
}

static void drop(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

static void read_all(void)
{
	feed_begin(feed, l, dir);
	while (feed_work(feed, l, 0) || lists_work(l))
		;
}

static char judge(const char *text)
{
	struct prefix p;
	bool allowed;

	assert_int_equal(prefix_parse(text, &p), 0);
	if (!lists_judge(l, &p.address, &allowed))
		return '-';
	return allowed ? 'a' : 'b';
}

static uint64_t entries(void)
{
	struct lists_counts counts;

	lists_count(l, &counts);
	return counts.entries[LIST_BLOCK][ORIGIN_FEED] + counts.entries[LIST_ALLOW][ORIGIN_FEED];
}

static void files(void **state)
{
	char path[128], *longer = malloc(200001);

	(void)state;
	put("a.block", "192.0.2.0/24\nnonsense\n198.51.100.7");
	put("b.allow", "192.0.2.9 # ours\r\n");
	put("c.txt", "203.0.113.1\n");
	put(".d.block", "203.0.113.1\n");
	read_all();
	assert_int_equal(judge("192.0.2.1"), 'b');
	assert_int_equal(judge("192.0.2.9"), 'a');
	assert_int_equal(judge("198.51.100.7"), 'b');
	assert_int_equal(judge("203.0.113.1"), '-');
	assert_int_equal(entries(), 3);

	put("a.block", "192.0.2.128/25\n");
	drop("b.allow");
	read_all();
	assert_int_equal(judge("192.0.2.1"), '-');
	assert_int_equal(judge("192.0.2.129"), 'b');
	assert_int_equal(judge("192.0.2.9"), '-');
	assert_int_equal(entries(), 1);

	/* refused: what it said before stays */
	snprintf(path, sizeof(path), "%s/a.block", dir);
	put("a.block", "10.0.0.0/8\n");
	chmod(path, 0666);
	read_all();
	assert_int_equal(judge("10.0.0.1"), '-');
	assert_int_equal(judge("192.0.2.129"), 'b');
	chmod(path, 0644);
	chmod(dir, 0777);
	read_all();
	assert_int_equal(judge("192.0.2.129"), 'b');
	chmod(dir, 0755);

	/* a line without end, and the one after it */
	memset(longer, 'x', 200000);
	memcpy(longer + 199980, "\n10.9.8.7\n", 10);
	longer[199990] = '\0';
	put("a.block", longer);
	read_all();
	assert_int_equal(judge("10.9.8.7"), 'b');
	assert_int_equal(entries(), 1);
	free(longer);

	drop("a.block");
	drop("c.txt");
	drop(".d.block");
	read_all();
	assert_int_equal(entries(), 0);
	put("a.block", "10.9.8.7\n");
	read_all();
	assert_int_equal(entries(), 1);
	drop("a.block");
	assert_int_equal(rmdir(dir), 0);
	read_all();
	assert_int_equal(entries(), 0);
	assert_int_equal(judge("10.9.8.7"), '-');
}

static int set_up(void **state)
{
	(void)state;
	l = lists_new(&backing);
	feed = feed_new();
	return l && feed && mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	feed_free(feed);
	lists_free(l);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test_setup_teardown(files, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
