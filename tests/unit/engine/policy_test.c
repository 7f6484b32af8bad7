// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a SYN-ACK announces for a service, and when mitigation may end, as tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/engine/calm.h"
#include "daemon/engine/profile.h"

struct announced_row {
	unsigned int mtu;
	uint16_t mss; /* configured */
	uint64_t receive_buffer_max;
	uint16_t mss4, mss6, window4, window6;
	uint8_t wscale;
};

static void announced_is_what_the_server_would_announce(void **state)
{
	static const struct announced_row rows[] = {
		{ 1500, 0, 6291456, 1460, 1440, 64240, 64800, 7 },
		{ 1500, 0, 33554432, 1460, 1440, 64240, 64800, 10 },
		{ 1500, 1400, 6291456, 1400, 1400, 64400, 64400, 7 },
		{ 1500, 9000, 6291456, 1460, 1440, 64240, 64800, 7 }, /* never more than the MTU carries */
		{ 9000, 0, 6291456, 8960, 8940, 62720, 62580, 7 },
		{ 1280, 0, 212992, 1240, 1220, 64480, 64660, 2 },
		{ 576, 0, 32767, 536, 1220, 65392, 64660, 0 },
		{ 65535, 0, 1ULL << 40, 65495, 65475, 65495, 65475, 14 },
		{ 0, 0, 0, 536, 1220, 65392, 64660, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct config_service config = { .mode = MODE_AUTO, .mss = rows[i].mss };
		struct stack_settings settings = { .receive_buffer_max = rows[i].receive_buffer_max };
		struct service service;

		profile_service(&config, &settings, rows[i].mtu, &service);
		assert_int_equal(service.mss4, rows[i].mss4);
		assert_int_equal(service.mss6, rows[i].mss6);
		assert_int_equal(service.window4, rows[i].window4);
		assert_int_equal(service.window6, rows[i].window6);
		assert_int_equal(service.wscale, rows[i].wscale);
		assert_int_equal(service.mode, MODE_AUTO);
	}
}

static void options_that_the_server_has_off_are_not_offered(void **state)
{
	struct config_service config = { .tcp_auth = true, .tcp_auth_rate_pps = 7 };
	struct stack_settings settings = { .sack = true };
	struct service service;

	(void)state;
	profile_service(&config, &settings, 1500, &service);
	assert_true(service.sack_ok);
	assert_false(service.wscale_ok || service.timestamps_ok || service.ecn_ok);
	assert_true(service.tcp_auth);
	assert_int_equal(service.tcp_auth_pps, 7);
}

struct calm_row {
	uint32_t half_open_high, half_open_low, syn_rate_high, syn_rate_low; /* configured */
	uint32_t syn_rate_pps, incomplete_pps, backlog;			     /* signals */
	bool calm;
};

static void calm_is_below_both_low_marks(void **state)
{
	static const struct calm_row rows[] = {
		{ 0, 0, 0, 0, 0, 0, 4096, true },
		{ 0, 0, 0, 0, 1000000, 0, 4096, true }, /* no mark on the rate: a crowd that completes */
		{ 0, 0, 0, 0, 8, 8, 4096, true },	/* 8/s * 63 s = 504 < 512, half of a quarter */
		{ 0, 0, 0, 0, 9, 9, 4096, false },	/* 567 */
		{ 0, 0, 0, 0, 1, 1, 0, false },		/* backlog not known: taken as 128, low mark 16 */
		{ 1000, 0, 0, 0, 7, 7, 4096, true },	/* 441 < 500 */
		{ 1000, 0, 0, 0, 8, 8, 4096, false },	/* 504 */
		{ 1000, 100, 0, 0, 1, 1, 4096, true },	/* 63 < 100 */
		{ 1000, 100, 0, 0, 2, 2, 4096, false }, /* 126 */
		{ 0, 0, 1000, 0, 499, 0, 4096, true },
		{ 0, 0, 1000, 0, 500, 0, 4096, false },
		{ 0, 0, 1000, 100, 99, 0, 4096, true },
		{ 0, 0, 1000, 100, 100, 0, 4096, false },
		{ 1, 0, 0, 0, 0, 0, 4096, true }, /* a mark of one leaves a low mark of one */
		{ 1, 0, 0, 0, 1, 1, 4096, false },
		{ 4000000000U, 0, 0, 0, 100000000, 100000000, 4096, false }, /* no overflow */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct calm_row *r = &rows[i];
		struct config_service config = {
			.half_open_high = r->half_open_high,
			.half_open_low = r->half_open_low,
			.syn_rate_high = r->syn_rate_high,
			.syn_rate_low = r->syn_rate_low,
		};
		struct calm_signals signals = {
			.syn_rate_pps = r->syn_rate_pps,
			.incomplete_pps = r->incomplete_pps,
			.backlog = r->backlog,
		};

		if (calm_now(&config, &signals) != r->calm)
			fail_msg("row %zu: expected %s", i, r->calm ? "calm" : "no calm");
	}
}

/* Rates that eight does not divide, and marks that are off. */
static void mark_that_was_passed(void **state)
{
	static const struct {
		uint32_t syn_rate_high, syn_count;
		bool syn_rate;
	} rows[] = {
		{ 0, 1000000, false }, /* no mark */
		{ 10000, 1251, false },
		{ 10000, 1252, true }, /* 10000 / 8 + 1 have passed */
		{ 1, 1, false },
		{ 1, 2, true },
		{ 4000000000U, 500000001, false },
		{ 4000000000U, 500000002, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct config_service config = { .syn_rate_high = rows[i].syn_rate_high };

		if (calm_was_syn_rate(&config, rows[i].syn_count) != rows[i].syn_rate)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(announced_is_what_the_server_would_announce),
		cmocka_unit_test(options_that_the_server_has_off_are_not_offered),
		cmocka_unit_test(calm_is_below_both_low_marks),
		cmocka_unit_test(mark_that_was_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
