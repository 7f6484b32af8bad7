// SPDX-License-Identifier: GPL-2.0-or-later
/* Estimates of how many there are, within what HyperLogLog with 1,024 registers promises. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/detect/distinct.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* splitmix64: a hash of N, as good as any. */
static uint64_t hash(uint64_t n)
{
	uint64_t z = n * 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* As bpf/detect.bpf.h notes them. */
static void note(struct registers *registers, uint64_t first, uint64_t count)
{
	for (uint64_t n = first; n < first + count; n++) {
		uint64_t h = hash(n);
		uint32_t low = (uint32_t)h | 1U << 31, *bit = &registers->bit[h >> (64 - REGISTER_BITS)];

		low &= -low;
		if (*bit < low)
			*bit = low;
	}
}

static void estimates_lie_within_four_standard_errors(void **state)
{
	static const struct {
		uint64_t count;
		double error;
	} rows[] = {
		{ 0, 0 },	 { 1, 0 },	   { 2, 0.51 },	      { 16, 0.2 },
		{ 100, 0.13 },	 { 1000, 0.13 },   { 2500, 0.13 },    { 5000, 0.13 },
		{ 10000, 0.13 }, { 100000, 0.13 }, { 1000000, 0.13 }, { 10000000, 0.13 },
	};
	static struct registers registers;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		double count = (double)rows[i].count, estimate;

		memset(&registers, 0, sizeof(registers));
		note(&registers, 1000, rows[i].count);
		estimate = distinct_estimate(&registers);
		if (fabs(estimate - count) > rows[i].error * count)
			fail_msg("%.0f told as %.0f", count, estimate);
	}
}

static void what_comes_again_changes_nothing(void **state)
{
	static struct registers registers;
	uint32_t once;

	(void)state;
	note(&registers, 0, 10000);
	once = distinct_estimate(&registers);
	note(&registers, 0, 10000);
	assert_int_equal(distinct_estimate(&registers), once);
}

static void merged_is_as_if_one_had_met_all(void **state)
{
	static struct registers first, second, both;

	(void)state;
	note(&first, 0, 6000);
	note(&second, 4000, 6000);
	note(&both, 0, 10000);
	distinct_merge(&first, &second);
	assert_memory_equal(&first, &both, sizeof(both));
}

static void full_registers_are_no_end(void **state)
{
	static struct registers registers;

	(void)state;
	for (unsigned int i = 0; i < REGISTERS; i++)
		registers.bit[i] = 1U << 31;
	assert_true(distinct_estimate(&registers) > 1000000000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(estimates_lie_within_four_standard_errors),
		cmocka_unit_test(what_comes_again_changes_nothing),
		cmocka_unit_test(merged_is_as_if_one_had_met_all),
		cmocka_unit_test(full_registers_are_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
