// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What XDP leaves for the detection of attacks, in both deployments: sources noted and told apart, samples
 * taken while they are asked for and only of what is defended, as they came; destinations that no service
 * has.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "daemon/detect/distinct.h"
#include "daemon/detect/talkers.h"
#include "tests/bpf/harness.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct harness inlined;
static struct harness *both[2];

static struct sampled {
	unsigned int count;
	struct sample last;
} sampled;

static void keep(const struct sample *sample, void *arg)
{
	(void)arg;
	sampled.count++;
	sampled.last = *sample;
}

static unsigned int read_samples(struct harness *h)
{
	sampled.count = 0;
	assert_true(fastpath_read_samples(h->fastpath, keep, NULL, 1000000) >= 0);
	return sampled.count;
}

static int reset(void **state)
{
	if (harness_reset(state)) /* the host's */
		return -1;
	for (size_t i = 0; i < COUNT(both); i++) {
		struct registers registers;

		both[i]->runtime.bypass = 0;
		harness_publish(both[i]);
		for (uint32_t slot = 0; slot < SERVICE_SLOTS; slot++) {
			fastpath_take_registers(both[i]->fastpath, slot, &registers);
			fastpath_state(both[i]->fastpath, slot)->sample = 0;
			fastpath_state(both[i]->fastpath, slot)->mitigation = MITIGATION_IDLE;
		}
		read_samples(both[i]);
	}
	return 0;
}

static void run(struct harness *h, const char *from, uint16_t port, uint8_t flags, struct frame *frame)
{
	struct frame_spec spec = { .saddr = from,
				   .daddr = strchr(from, ':') ? SERVER6 : SERVER4,
				   .source = 40000,
				   .dest = port,
				   .flags = flags };

	frame_build(frame, &spec);
	harness_run_bare(h, frame, NULL);
}

static uint32_t take(struct harness *h, uint32_t slot)
{
	struct registers registers;

	fastpath_take_registers(h->fastpath, slot, &registers);
	return distinct_estimate(&registers);
}

static void a_service_has_its_sources_counted(void **state)
{
	static const struct {
		const char *from;
		uint16_t port;
		uint8_t flags;
		uint32_t slot, sources; /* after it */
	} rows[] = {
		{ "10.2.0.1", PORT_ALWAYS, SYN, SLOT_ALWAYS, 1 },
		{ "10.2.0.1", PORT_ALWAYS, SYN, SLOT_ALWAYS, 1 },
		{ "10.2.0.1", PORT_ALWAYS, ACK, SLOT_ALWAYS, 0 }, /* no SYN */
		{ "10.2.0.1", PORT_AUTO, SYN, SLOT_AUTO, 1 },	  /* below its marks, too */
		{ "10.2.0.1", PORT_MONITOR, SYN, SLOT_MONITOR, 1 },
		{ "10.2.0.1", PORT_OFF, SYN, SLOT_OFF, 0 },
		{ "fd00:2::1", PORT_ALWAYS, SYN, SLOT_ALWAYS, 1 },
	};
	struct frame frame;

	(void)state;
	for (size_t d = 0; d < COUNT(both); d++)
		for (size_t i = 0; i < COUNT(rows); i++) {
			uint32_t sources;

			run(both[d], rows[i].from, rows[i].port, rows[i].flags, &frame);
			sources = take(both[d], rows[i].slot);
			if (sources != rows[i].sources)
				fail_msg("%s, row %zu: %u", d ? "inline" : "host", i, sources);
		}
}

static void sources_are_told_apart(void **state)
{
	struct frame frame;
	char from[32];

	(void)state;
	for (size_t d = 0; d < COUNT(both); d++) {
		for (int i = 0; i < 3000; i++) {
			snprintf(from, sizeof(from), "10.3.%d.%d", i >> 8, i & 255);
			run(both[d], from, PORT_ALWAYS, SYN, &frame);
		}
		assert_in_range(take(both[d], SLOT_ALWAYS), 2500, 3500);
		/* of one /64 */
		for (int i = 0; i < 300; i++) {
			snprintf(from, sizeof(from), "fd00:2::%x", i + 1);
			run(both[d], from, PORT_ALWAYS, SYN, &frame);
		}
		assert_int_equal(take(both[d], SLOT_ALWAYS), 1);
		for (int i = 0; i < 300; i++) {
			snprintf(from, sizeof(from), "fd00:2:0:%x::1", i + 1);
			run(both[d], from, PORT_ALWAYS, SYN, &frame);
		}
		assert_in_range(take(both[d], SLOT_ALWAYS), 250, 350);
	}
}

static void a_sample_is_the_frame_as_it_came(void **state)
{
	static const struct {
		const char *from, *source;
		uint16_t length, l3;
	} rows[] = {
		{ "10.2.0.1", "::ffff:10.2.0.1", 54, 14 },
		{ "fd00:2::1", "fd00:2::", 74, 14 },
	};
	struct in6_addr source;
	struct frame frame;
	char text[64];

	(void)state;
	for (size_t d = 0; d < COUNT(both); d++)
		for (size_t i = 0; i < COUNT(rows); i++) {
			fastpath_state(both[d]->fastpath, SLOT_ALWAYS)->sample = 1;
			run(both[d], rows[i].from, PORT_ALWAYS, SYN, &frame);
			assert_int_equal(read_samples(both[d]), 1);
			assert_int_equal(sampled.last.service, SLOT_ALWAYS);
			assert_int_equal(sampled.last.length, rows[i].length);
			assert_int_equal(sampled.last.captured, rows[i].length);
			assert_int_equal(sampled.last.l3, rows[i].l3);
			assert_int_equal(sampled.last.stands_for, 1);
			assert_memory_equal(sampled.last.frame, frame.bytes, frame.length);
			assert_true(talkers_source(&sampled.last, &source));
			assert_string_equal(inet_ntop(AF_INET6, &source, text, sizeof(text)), rows[i].source);
		}
}

static void a_long_frame_is_cut(void **state)
{
	static uint8_t payload[600];
	struct frame_spec spec = { .saddr = "10.2.0.1",
				   .daddr = SERVER4,
				   .dest = PORT_ALWAYS,
				   .flags = SYN,
				   .payload = { payload, sizeof(payload) } };
	struct frame frame;

	(void)state;
	frame_build(&frame, &spec);
	for (size_t d = 0; d < COUNT(both); d++) {
		fastpath_state(both[d]->fastpath, SLOT_ALWAYS)->sample = 1;
		harness_run_bare(both[d], &frame, NULL);
		assert_int_equal(read_samples(both[d]), 1);
		assert_int_equal(sampled.last.length, frame.length);
		assert_int_equal(sampled.last.captured, SAMPLE_BYTES);
		assert_memory_equal(sampled.last.frame, frame.bytes, SAMPLE_BYTES);
	}
}

static void samples_are_taken_of_what_is_defended_while_they_are_asked_for(void **state)
{
	static const struct {
		uint16_t port;
		uint8_t flags;
		uint32_t slot, sample;
		unsigned int taken;
	} rows[] = {
		{ PORT_ALWAYS, SYN, SLOT_ALWAYS, 0, 0 },   { PORT_ALWAYS, SYN, SLOT_ALWAYS, 1, 1 },
		{ PORT_ALWAYS, ACK, SLOT_ALWAYS, 1, 0 },   { PORT_AUTO, SYN, SLOT_AUTO, 1, 0 },
		{ PORT_MONITOR, SYN, SLOT_MONITOR, 1, 0 }, { PORT_OFF, SYN, SLOT_OFF, 1, 0 },
		{ PORT_FREE, SYN, SERVICE_NONE, 0, 0 },	   { PORT_FREE, SYN, SERVICE_NONE, 1, 1 },
		{ PORT_FREE, ACK, SERVICE_NONE, 1, 0 },
	};
	struct frame frame;

	(void)state;
	for (size_t d = 0; d < COUNT(both); d++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			fastpath_state(both[d]->fastpath, rows[i].slot)->sample = rows[i].sample;
			run(both[d], "10.2.0.1", rows[i].port, rows[i].flags, &frame);
			if (read_samples(both[d]) != rows[i].taken)
				fail_msg("%s, row %zu: %u", d ? "inline" : "host", i, sampled.count);
		}
		/* attacked */
		fastpath_state(both[d]->fastpath, SLOT_AUTO)->mitigation = MITIGATION_ACTIVE;
		fastpath_state(both[d]->fastpath, SLOT_MONITOR)->mitigation = MITIGATION_ACTIVE;
		run(both[d], "10.2.0.9", PORT_AUTO, SYN, &frame);
		assert_int_equal(read_samples(both[d]), 1);
		run(both[d], "10.2.0.9", PORT_MONITOR, SYN, &frame);
		assert_int_equal(read_samples(both[d]), 1);
		both[d]->runtime.bypass = 1;
		harness_publish(both[d]);
		run(both[d], "10.2.0.9", PORT_ALWAYS, SYN, &frame);
		run(both[d], "10.2.0.1", PORT_FREE, SYN, &frame);
		assert_int_equal(read_samples(both[d]), 0);
		assert_int_equal(take(both[d], SERVICE_NONE), 1); /* of before */
	}
}

/* Evenly, and whatever the sender's own rhythm: every eighth comes from one address. */
static void one_in_so_many_is_taken(void **state)
{
	struct frame frame;
	unsigned int heavy;

	(void)state;
	for (size_t d = 0; d < COUNT(both); d++) {
		fastpath_state(both[d]->fastpath, SLOT_ALWAYS)->sample = 8;
		heavy = 0;
		for (int i = 0; i < 8000; i++) {
			run(both[d], i % 8 ? "10.2.0.1" : "10.2.0.2", PORT_ALWAYS, SYN, &frame);
			if (read_samples(both[d]))
				heavy += sampled.last.frame[29] == 2;
		}
		assert_in_range(heavy, 75, 175); /* 125 */
	}
}

static void a_full_ring_is_counted_and_stops_nothing(void **state)
{
	struct sample_counters before, counters;
	struct frame frame;

	(void)state;
	for (size_t d = 0; d < COUNT(both); d++) {
		fastpath_state(both[d]->fastpath, SLOT_ALWAYS)->sample = 1;
		assert_int_equal(fastpath_read_sample_counters(both[d]->fastpath, &before), 0);
		for (int i = 0; i < 10000; i++) {
			struct frame_spec spec = { .saddr = "10.2.0.1",
						   .daddr = SERVER4,
						   .source = 40000,
						   .dest = PORT_ALWAYS,
						   .flags = SYN };

			frame_build(&frame, &spec);
			assert_int_equal(harness_run_bare(both[d], &frame, NULL), ACTION_TX);
		}
		assert_int_equal(fastpath_read_sample_counters(both[d]->fastpath, &counters), 0);
		assert_int_equal(counters.taken - before.taken + counters.lost - before.lost, 10000);
		assert_true(counters.lost - before.lost > 1000);
		assert_int_equal(read_samples(both[d]), counters.taken - before.taken);
	}
}

static void destinations_without_a_service_are_told_apart(void **state)
{
	struct frame frame;

	(void)state;
	for (size_t d = 0; d < COUNT(both); d++) {
		for (uint16_t port = 1000; port < 1500; port++)
			run(both[d], "10.2.0.1", port, SYN, &frame);
		assert_in_range(take(both[d], SERVICE_NONE), 425, 575);
		for (int i = 0; i < 100; i++)
			run(both[d], "10.2.0.1", 1000, SYN, &frame);
		assert_int_equal(take(both[d], SERVICE_NONE), 1);
	}
}

static int set_up(void **state)
{
	if (harness_set_up(state))
		return -1;
	both[0] = *state;
	both[1] = &inlined;
	return harness_set_up_inline(*state, &inlined);
}

static int tear_down(void **state)
{
	fastpath_free(inlined.fastpath);
	return harness_tear_down(state);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, reset)
		TEST(a_service_has_its_sources_counted),
		TEST(sources_are_told_apart),
		TEST(a_sample_is_the_frame_as_it_came),
		TEST(a_long_frame_is_cut),
		TEST(samples_are_taken_of_what_is_defended_while_they_are_asked_for),
		TEST(one_in_so_many_is_taken),
		TEST(a_full_ring_is_counted_and_stops_nothing),
		TEST(destinations_without_a_service_are_told_apart),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
