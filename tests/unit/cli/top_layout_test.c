/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands on top's screen, of replies as a daemon gives them: rates, histories, alarms, and screens of
 * any size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <locale.h>
#include <cmocka.h>

#include "cli/cells.h"
#include "cli/top_data.h"
#include "cli/top_layout.h"

#define STATUS(uptime, services, verdicts, more)                                                             \
	"{\"version\":\"1.2\",\"deployment\":\"host\",\"uptime_s\":" uptime ",\"interfaces\":[{\"name\":"    \
	"\"eth0\","                                                                                          \
	"\"attached\":true,\"up\":true,\"xdp\":\"native\"}],\"services\":[" services                         \
	"],\"verdicts\":{" verdicts "}" more "}"
#define WEB                                                                                                  \
	"{\"name\":\"web\",\"mode\":\"auto\",\"configured_mode\":\"auto\",\"mitigation\":\"active\","        \
	"\"since_s\":61,\"syn_rate_pps\":1034112,\"answered_pps\":1034100,\"completed_pps\":212,"            \
	"\"half_open\":3}"
#define VERDICTS(bad, good)                                                                                  \
	"\"drop_bad_cookie\":{\"packets\":" bad ",\"would\":0,\"meaning\":\"ACK without one\"},"             \
	"\"pass_flow\":{\"packets\":" good ",\"would\":0,\"meaning\":\"of a flow\"}"

struct screen {
	struct top_data *data;
	struct top_view view;
	struct cells cells;
	char text[65536]; /* rows, each with its line break */
};

static void begin(struct screen *s)
{
	memset(s, 0, sizeof(*s));
	s->data = calloc(1, sizeof(*s->data));
	assert_non_null(s->data);
	s->view.interval_s = 1;
	s->view.now = 1000000000;
}

static void end(struct screen *s)
{
	top_data_fini(s->data);
	free(s->data);
}

static void take(struct screen *s, const char *reply, double at_s)
{
	json_t *status = json_loads(reply, 0, NULL);

	assert_non_null(status);
	top_data_take_status(s->data, status, at_s);
}

/* Draws, and reads back as bytes of UTF-8. */
static void draw(struct screen *s, int rows, int columns)
{
	size_t used = 0;

	assert_int_equal(cells_init(&s->cells, rows, columns), 0);
	top_layout_draw(&s->cells, s->data, &s->view);
	for (int row = 0; row < rows; row++) {
		for (int column = 0; column < columns; column++) {
			char bytes[16];
			int length = wctomb(bytes, s->cells.items[row * columns + column].character);

			assert_true(length > 0 && used + (size_t)length + 2 < sizeof(s->text));
			memcpy(s->text + used, bytes, (size_t)length);
			used += (size_t)length;
		}
		while (used && s->text[used - 1] == ' ')
			used--;
		s->text[used++] = '\n';
	}
	s->text[used] = '\0';
	cells_fini(&s->cells);
}

static void expect(const struct screen *s, const char *part)
{
	if (!strstr(s->text, part))
		fail_msg("no '%s' on\n%s", part, s->text);
}

static void expect_not(const struct screen *s, const char *part)
{
	if (strstr(s->text, part))
		fail_msg("'%s' on\n%s", part, s->text);
}

static void rates_are_what_counters_gained_a_second(void **state)
{
	struct screen s;

	(void)state;
	begin(&s);
	take(&s, STATUS("10", WEB, VERDICTS("1000", "500"), ""), 100);
	draw(&s, 24, 80);
	expect(&s, "\n0 packets/s: 0 answered, 0 dropped");
	expect(&s, "drop_bad_cookie                   0           1,000");
	take(&s, STATUS("12", WEB, VERDICTS("3001000", "600"), ""), 102);
	draw(&s, 24, 80);
	expect(&s, "\n1,500,050 packets/s: 0 answered, 1,500,000 dropped");
	expect(&s, "drop_bad_cookie           1,500,000       3,001,000");
	expect(&s, "pass_flow                        50             600");
	expect(&s, "web         auto    active    1m 01s  1,034,112  1,034,100         212         3");
	/* a daemon that started again counts from 0: its first look has no rate */
	take(&s, STATUS("1", WEB, VERDICTS("7", "8"), ""), 103);
	draw(&s, 24, 80);
	expect(&s, "\n0 packets/s: 0 answered, 0 dropped");
	take(&s, STATUS("2", WEB, VERDICTS("17", "8"), ""), 104);
	draw(&s, 24, 80);
	expect(&s, "\n10 packets/s: 0 answered, 10 dropped");
	end(&s);
}

static void histories_are_sparklines(void **state)
{
	static const char *const counts[] = { "0", "0", "100", "800", "800" };
	struct screen s;
	char status[2048];

	(void)state;
	begin(&s);
	s.view.utf8 = true;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		snprintf(status, sizeof(status),
			 STATUS("%zu", WEB, "\"drop_null\":{\"packets\":%s,\"would\":0}", ""), i + 1,
			 counts[i]);
		take(&s, status, (double)i + 1);
	}
	draw(&s, 24, 80);
	expect(&s, "drop_null                         0             800  ▁▂█▁\n");
	s.view.utf8 = false;
	draw(&s, 24, 80);
	expect(&s, "drop_null                         0             800  ..#.\n");
	end(&s);
}

static void what_happens_most_comes_first_or_as_asked(void **state)
{
	struct screen s;

	(void)state;
	begin(&s);
	take(&s, STATUS("1", WEB, VERDICTS("1000", "500"), ""), 1);
	take(&s, STATUS("2", WEB, VERDICTS("1001", "600"), ""), 2);
	draw(&s, 24, 80);
	assert_true(strstr(s.text, "pass_flow") < strstr(s.text, "drop_bad_cookie"));
	s.view.sort = TOP_SORT_PACKETS;
	draw(&s, 24, 80);
	assert_true(strstr(s.text, "pass_flow") > strstr(s.text, "drop_bad_cookie"));
	s.view.page = TOP_VERDICTS;
	draw(&s, 24, 80);
	expect(&s, "ACK without one");
	end(&s);
}

static void alarms_and_attacks_stand_at_the_top(void **state)
{
	struct screen s;

	(void)state;
	begin(&s);
	take(&s,
	     STATUS("1",
		    "{\"name\":\"web\",\"mitigation\":\"active\",\"mode\":\"auto\",\"attack\":{\"class\":"
		    "\"single_source\","
		    "\"going_on\":true,\"duration_s\":10,\"peak_pps\":200000,\"sources\":1}},{"
		    "\"name\":\"calm\","
		    "\"attack\":{\"class\":\"forged\",\"going_on\":false}}",
		    "", ",\"bypass\":true"),
	     1);
	draw(&s, 24, 80);
	expect(&s, "\nBYPASS IS ON: no new cookies");
	expect(&s, "\nweb: UNDER ATTACK (single source) for 10s, peak 200,000 SYN/s, about 1 source\n");
	expect_not(&s, "calm: ");
	expect(&s, "bypassed");
	take(&s, STATUS("2", "", "", ",\"services\":[]"), 2);
	draw(&s, 24, 80);
	expect_not(&s, "BYPASS");
	expect(&s, "no service is configured");
	end(&s);
}

static void a_daemon_that_is_away_is_told(void **state)
{
	struct screen s;

	(void)state;
	begin(&s);
	s.data->error = -ECONNREFUSED;
	draw(&s, 24, 80);
	expect(&s, "\nDAEMON NOT RUNNING (trying again)\n");
	s.data->error = 0;
	take(&s, STATUS("1", WEB, VERDICTS("1", "2"), ""), 1);
	s.data->seen = 999999990;
	draw(&s, 24, 80);
	expect_not(&s, "DAEMON");
	s.data->error = -EAGAIN;
	draw(&s, 24, 80);
	expect(&s, "DAEMON HANGS: takes calls, does not answer; what stands here is of ");
	expect(&s, "drop_bad_cookie"); /* what was known before stays */
	end(&s);
}

static void sources_are_shown_or_why_not(void **state)
{
	struct screen s;

	(void)state;
	begin(&s);
	take(&s, STATUS("1", WEB, VERDICTS("1", "2"), ""), 1);
	s.data->sources_denied = true;
	draw(&s, 24, 80);
	expect(&s, "single addresses are for root and the control group to see: sudo synmoat top");
	s.data->sources_denied = false;
	s.data->sources = json_loads("{\"accounting\":true,\"sources\":[]}", 0, NULL);
	draw(&s, 24, 80);
	expect(&s, "no source stands out");
	json_decref(s.data->sources);
	s.data->sources = json_loads(
		"{\"accounting\":true,\"sources\":[{\"prefix\":\"192.0.2.9/32\",\"half_open\":1234,"
		"\"held\":5,\"syn_rate_pps\":678,\"begun\":8,\"completed\":2,\"dropped\":9}]}",
		0, NULL);
	draw(&s, 24, 80);
	expect(&s, "192.0.2.9/32                  1,234        5        678      25 %         9\n");
	expect(&s, "   DROPPED\n");
	json_object_set_new(s.data->sources, "limits_mode", json_string("monitor"));
	draw(&s, 24, 80);
	expect(&s, "  WOULD BE\n");
	end(&s);
}

static void half_opens_and_events_are_shown(void **state)
{
	struct screen s;

	(void)state;
	begin(&s);
	take(&s, STATUS("1", WEB, VERDICTS("1", "2"), ""), 1);
	top_data_take_syn_recv(
		s.data,
		json_loads(
			"{\"kernel\":true,\"half_open\":77,\"listeners\":[{\"port\":443,\"address\":\"::\","
			"\"half_open\":77,\"v4\":70,\"v6\":7,\"accept_queue\":12,\"accept_limit\":1024,"
			"\"sockets\":1}]}",
			0, NULL));
	s.data->events = json_loads(
		"[{\"number\":1,\"time\":\"2001-09-09T01:00:00.000000Z\",\"severity\":\"notice\",\"text\":"
		"\"first\"},{\"number\":2,\"time\":\"2001-09-09T01:46:30.123456Z\",\"severity\":"
		"\"alert\",\"text\":\"second\"}]",
		0, NULL);
	draw(&s, 24, 80);
	expect(&s, "[::]:443                              77        70         7      12/1,024\n");
	expect(&s, "\n01:46:30 second\n01:00:00 first\n"); /* the newest first */
	json_object_set_new(json_array_get(s.data->events, 1), "text",
			    json_string("in many words of which none is lost"));
	s.view.page = TOP_EVENTS; /* where an event has as many lines as it needs */
	draw(&s, 24, 30);
	expect(&s, "\n01:46:30 in many words of\n         which none is lost\n01:00:00 first\n");
	s.view.scroll = 1;
	draw(&s, 5, 30);
	expect(&s, "WHEN     EVENT       2-2 of 3\n         which none is lost\n1 all");
	end(&s);
}

static void a_page_scrolls_within_its_table(void **state)
{
	char status[32768] = "", verdicts[16384] = "";
	struct screen s;

	(void)state;
	for (int i = 0; i < 40; i++)
		snprintf(verdicts + strlen(verdicts), sizeof(verdicts) - strlen(verdicts),
			 "%s\"drop_%02d\":{\"packets\":%d,\"would\":0,\"meaning\":\"x\"}", i ? "," : "", i,
			 i + 1);
	snprintf(status, sizeof(status), STATUS("1", "", "%s", ""), verdicts);
	begin(&s);
	take(&s, status, 1);
	s.view.page = TOP_VERDICTS;
	s.view.sort = TOP_SORT_NAME;
	draw(&s, 24, 80);
	expect(&s, "drop_00");
	expect(&s, "drop_19");
	expect_not(&s, "drop_20");
	expect(&s, "1-20 of 40");
	s.view.scroll = 1000;
	draw(&s, 24, 80);
	assert_int_equal(s.view.scroll, 20);
	expect(&s, "drop_39");
	expect_not(&s, "drop_19");
	s.view.scroll = -3;
	draw(&s, 24, 80);
	assert_int_equal(s.view.scroll, 0);
	end(&s);
}

/* Every size, with all there is to show: nothing beyond the edge, which ASan sees, and no text cut in a
 * column of numbers. */
static void every_size_of_screen_will_do(void **state)
{
	struct screen s;

	(void)state;
	begin(&s);
	take(&s, STATUS("1", WEB, VERDICTS("1000", "500"), ",\"bypass\":true"), 1);
	take(&s, STATUS("2", WEB, VERDICTS("3000", "501"), ",\"bypass\":true"), 2);
	s.data->error = -ECONNREFUSED;
	for (int page = 0; page < TOP_PAGES; page++)
		for (int help = 0; help < 2; help++)
			for (int rows = 0; rows < 40; rows++)
				for (int columns = 1; columns < 200; columns += 13) {
					s.view.page = (enum top_page)page;
					s.view.help = help;
					draw(&s, rows, columns);
				}
	s.view.page = TOP_OVERVIEW;
	s.view.help = false;
	s.data->error = 0;
	draw(&s, 10, 40); /* numbers that have no room are left out, not cut */
	expect(&s, "web         auto    bypassed  1m 01s\n");
	draw(&s, 1, 20);
	expect(&s, "synmoat 1.2");
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_what_counters_gained_a_second),
		cmocka_unit_test(histories_are_sparklines),
		cmocka_unit_test(what_happens_most_comes_first_or_as_asked),
		cmocka_unit_test(alarms_and_attacks_stand_at_the_top),
		cmocka_unit_test(a_daemon_that_is_away_is_told),
		cmocka_unit_test(sources_are_shown_or_why_not),
		cmocka_unit_test(half_opens_and_events_are_shown),
		cmocka_unit_test(a_page_scrolls_within_its_table),
		cmocka_unit_test(every_size_of_screen_will_do),
	};

	setenv("TZ", "UTC", 1);
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
