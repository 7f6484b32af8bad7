// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cookies of the loaded program: equal to the vectors and to the reference, accepted in their slot and
 * the next under any master that validates, and refused as soon as one thing that they bind is another.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bpf/cookie_reference.h"
#include "tests/bpf/cookie_vectors.h"
#include "tests/bpf/harness.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* --- from a case to a SYN --- */

struct syn {
	struct frame_spec spec;
	uint8_t options[40];
};

/* The SYN of a client that offers what the case says; the MSS always, below 536 never. */
static void make_syn(struct syn *s, const struct cookie_case *c)
{
	uint8_t *o = s->options;

	*o++ = 2;
	*o++ = 4;
	*o++ = (uint8_t)(c->mss >> 8);
	*o++ = (uint8_t)c->mss;
	if (c->sack) {
		*o++ = 4;
		*o++ = 2;
	}
	if (c->timestamps) {
		memcpy(o, (const uint8_t[]){ 8, 10, 0, 0, 0, 9, 0, 0, 0, 0 }, 10);
		o += 10;
	}
	if (c->wscale != 15) {
		*o++ = 3;
		*o++ = 3;
		*o++ = c->wscale;
	}
	s->spec = (struct frame_spec){
		.saddr = c->client,
		.daddr = c->server,
		.source = c->client_port,
		.dest = c->server_port,
		.seq = c->client_isn,
		.flags = (uint8_t)(SYN | (c->ecn ? ECE | CWR : 0)),
		.options = { s->options, (size_t)(o - s->options) },
	};
}

/* The program's answer to the SYN of C. */
static struct cookie_answer ask(struct harness *h, const struct cookie_case *c, const char *name)
{
	struct cookie_answer answer = { .mss = 0 };
	const uint8_t *tsval;
	struct frame_view v;
	struct outcome o;
	struct frame f;
	struct syn syn;

	make_syn(&syn, c);
	frame_build(&f, &syn.spec);
	harness_expect(h, name, &f, TX_SYNACK, &o);
	assert_true(frame_read(&o.out, &v));
	tsval = frame_option(&o.out, &v, 8, 10);
	answer.isn = v.seq;
	if (tsval)
		answer.tsval = frame_word(&o.out, (size_t)(tsval - o.out.bytes));
	return answer;
}

static void compare(const char *name, const struct cookie_answer *got, const struct cookie_answer *expected)
{
	if (got->isn != expected->isn || got->tsval != expected->tsval)
		fail_msg("%s: ISN %08x, TSval %08x, not %08x, %08x", name, got->isn, got->tsval,
			 expected->isn, expected->tsval);
}

/* --- vectors --- */

static void the_reference_meets_the_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COOKIE_VECTORS; i++) {
		const struct cookie_vector *v = &cookie_vectors[i];
		struct cookie_answer got = cookie_reference(&v->in);

		compare(v->name, &got, &v->out);
		assert_int_equal(got.mss, v->out.mss);
	}
}

static void install_key(struct harness *h, const struct cookie_case *c)
{
	h->runtime.key_generation = c->generation;
	for (int i = 0; i < 2; i++) {
		h->runtime.key[c->generation][i] = 0;
		for (int byte = 7; byte >= 0; byte--)
			h->runtime.key[c->generation][i] =
				h->runtime.key[c->generation][i] << 8 | c->key[8 * i + byte];
	}
	harness_set_slot(h, c->slot);
}

static void the_program_meets_the_vectors(void **state)
{
	for (size_t i = 0; i < COOKIE_VECTORS; i++) {
		const struct cookie_vector *v = &cookie_vectors[i];
		struct cookie_answer got;

		install_key(*state, &v->in);
		got = ask(*state, &v->in, v->name);
		compare(v->name, &got, &v->out);
	}
}

/* --- against the reference --- */

static struct cookie_case plain_case(struct harness *h, bool v6, bool timestamps)
{
	struct cookie_case c = {
		.client = v6 ? CLIENT6 : CLIENT4,
		.server = v6 ? SERVER6 : SERVER4,
		.client_port = 40000,
		.server_port = 80,
		.client_isn = 0xdeadbeef,
		.generation = h->runtime.key_generation,
		.slot = h->runtime.slot_base,
		.timestamps = timestamps,
		.mss = 1460,
		.wscale = 7,
		.sack = true,
	};

	harness_key(h, c.generation, c.key);
	return c;
}

static struct frame_spec acknowledge(const struct cookie_case *c, const struct cookie_answer *cookie,
				     uint8_t timestamps[12])
{
	static const uint8_t head[8] = { 1, 1, 8, 10, 0, 0, 0, 10 };

	memcpy(timestamps, head, sizeof(head));
	for (int i = 0; i < 4; i++)
		timestamps[8 + i] = (uint8_t)(cookie->tsval >> 8 * (3 - i));
	return (struct frame_spec){
		.saddr = c->client,
		.daddr = c->server,
		.source = c->client_port,
		.dest = c->server_port,
		.seq = c->client_isn + 1,
		.ack = cookie->isn + 1,
		.flags = ACK,
		.options = { timestamps, c->timestamps ? 12 : 0 },
	};
}

/* What comes back out of the cookie is what went in. */
static void check_round(struct harness *h, const struct cookie_case *c)
{
	struct cookie_answer expected = cookie_reference(c), got = ask(h, c, "sweep");
	uint8_t timestamps[12];
	struct frame_spec ack;
	struct outcome o;
	struct frame f;

	compare("sweep", &got, &expected);
	ack = acknowledge(c, &expected, timestamps);
	frame_build(&f, &ack);
	harness_expect(h, "sweep", &f, PASS_COOKIE, &o);
	assert_int_equal(o.handover.mss, expected.mss);
	assert_int_equal(o.handover.wscale_ok, c->wscale != 15);
	assert_int_equal(o.handover.snd_wscale, c->wscale % 15);
	assert_int_equal(o.handover.sack_ok, c->sack);
	assert_int_equal(o.handover.ecn_ok, c->ecn);
	assert_int_equal(o.handover.tstamp_ok, c->timestamps);
}

static void sweep_options(struct harness *h, bool v6, bool timestamps)
{
	static const uint16_t sizes[] = { 1220, 1279, 1280, 1340, 1360, 1399, 1400, 1420,
					  1439, 1440, 1452, 1459, 1460, 8960, 65535 };
	struct cookie_case c = plain_case(h, v6, timestamps);

	for (size_t i = 0; i < COUNT(sizes); i++)
		for (c.wscale = 0; c.wscale <= 15; c.wscale++)
			for (unsigned int bits = 0; bits < 4; bits++) {
				c.mss = sizes[i];
				c.sack = bits & 1;
				c.ecn = bits >> 1;
				check_round(h, &c);
			}
}

static void every_option_comes_back(void **state)
{
	sweep_options(*state, false, false);
	sweep_options(*state, false, true);
	sweep_options(*state, true, false);
	sweep_options(*state, true, true);
}

static void any_tuple_comes_back(void **state)
{
	struct harness *h = *state;
	char client[64];

	srandom(1);
	for (int i = 0; i < 2000; i++) {
		bool v6 = i & 1;
		struct cookie_case c = plain_case(h, v6, i & 2);

		if (v6)
			snprintf(client, sizeof(client), "2001:db8:%lx:%lx::%lx", random() & 0xffff,
				 random() & 0xffff, random() & 0xffff);
		else
			snprintf(client, sizeof(client), "%ld.%ld.%ld.%ld", 128 + (random() & 63),
				 random() & 255, random() & 255, random() & 255);
		c.client = client;
		c.client_port = (uint16_t)random();
		c.client_isn = (uint32_t)random() << 1;
		check_round(h, &c);
	}
}

static void both_generations_sign(void **state)
{
	struct harness *h = *state;

	for (h->runtime.key_generation = 0; h->runtime.key_generation < 2; h->runtime.key_generation++)
		for (uint32_t slot = HARNESS_SLOT; slot < HARNESS_SLOT + 4; slot++) {
			struct cookie_case c;

			harness_set_slot(h, slot);
			c = plain_case(h, slot & 2, false);
			check_round(h, &c);
			c.timestamps = true;
			check_round(h, &c);
		}
}

/* --- what is refused --- */

struct change {
	const char *name;
	uint32_t seq, ack; /* added */
	const char *saddr;
	uint16_t source, dest;
	const char *saddr6;
};

static const struct change changes[] = {
	{ .name = "client ISN + 1", .seq = 1 },
	{ .name = "client ISN + 2^31", .seq = 0x80000000 },
	{ .name = "our ISN + 1", .ack = 1 },
	{ .name = "our ISN - 1", .ack = 0xffffffff },
	{ .name = "source address", .saddr = "10.1.7.10", .saddr6 = "fd00:1:0:7::a" },
	{ .name = "source address, upper half", .saddr = "11.1.7.9", .saddr6 = "fd01:1:0:7::9" },
	{ .name = "source port", .source = 40001 },
	{ .name = "destination port", .dest = PORT_AUTH },
};

static void check_changes(struct harness *h, bool v6, bool timestamps)
{
	struct cookie_case c = plain_case(h, v6, timestamps);
	struct cookie_answer cookie = cookie_reference(&c);
	uint8_t storage[12];

	for (size_t i = 0; i < COUNT(changes); i++) {
		struct frame_spec ack = acknowledge(&c, &cookie, storage);
		const char *saddr = v6 ? changes[i].saddr6 : changes[i].saddr;

		harness_expect_spec(h, "unchanged", &ack, PASS_COOKIE);
		ack.seq += changes[i].seq;
		ack.ack += changes[i].ack;
		ack.saddr = saddr ? saddr : ack.saddr;
		ack.source = changes[i].source ? changes[i].source : ack.source;
		ack.dest = changes[i].dest ? changes[i].dest : ack.dest;
		harness_expect_spec(h, changes[i].name, &ack, DROP_BAD_COOKIE);
	}
}

static void what_is_bound_cannot_change(void **state)
{
	check_changes(*state, false, false);
	check_changes(*state, false, true);
	check_changes(*state, true, false);
	check_changes(*state, true, true);
}

/* Each bit of the ISN, and of the TSval that comes back as TSecr. */
static void no_bit_can_be_flipped(void **state)
{
	for (int kind = 0; kind < 4; kind++) {
		struct cookie_case c = plain_case(*state, kind & 1, kind & 2);
		struct cookie_answer cookie = cookie_reference(&c);
		uint8_t storage[12];
		struct frame_spec ack;

		for (int bit = 0; bit < 32; bit++) {
			struct cookie_answer flipped = cookie;

			flipped.isn ^= 1U << bit;
			ack = acknowledge(&c, &flipped, storage);
			harness_expect_spec(*state, "ISN", &ack, DROP_BAD_COOKIE);
			flipped = cookie;
			flipped.tsval ^= 1U << bit;
			ack = acknowledge(&c, &flipped, storage);
			harness_expect_spec(*state, "TSecr", &ack,
					    c.timestamps ? DROP_BAD_COOKIE : PASS_COOKIE);
		}
	}
}

/* The client's own TSval is not bound: it goes on with time. */
static void timestamps_are_those_of_the_cookie(void **state)
{
	struct cookie_case c = plain_case(*state, false, true);
	struct cookie_answer cookie = cookie_reference(&c);
	uint8_t storage[12];
	struct frame_spec ack = acknowledge(&c, &cookie, storage);

	storage[4] = 0x77;
	harness_expect_spec(*state, "TSval", &ack, PASS_COOKIE);
	ack.options.length = 0;
	harness_expect_spec(*state, "without the timestamps that were agreed on", &ack, DROP_BAD_COOKIE);
}

/* --- time and masters --- */

static void check_life(struct harness *h, uint32_t slot, bool v6, bool timestamps)
{
	static const struct {
		int after;
		enum verdict verdict;
	} rows[] = {
		{ -3, DROP_BAD_COOKIE }, { -2, DROP_BAD_COOKIE }, { -1, DROP_BAD_COOKIE },
		{ 0, PASS_COOKIE },	 { 1, PASS_COOKIE },	  { 2, DROP_BAD_COOKIE },
		{ 3, DROP_BAD_COOKIE },	 { 4, DROP_BAD_COOKIE },
	};
	struct cookie_answer cookie;
	struct cookie_case c;
	uint8_t storage[12];
	struct frame_spec ack;

	harness_set_slot(h, slot);
	c = plain_case(h, v6, timestamps);
	cookie = cookie_reference(&c);
	ack = acknowledge(&c, &cookie, storage);
	for (size_t i = 0; i < COUNT(rows); i++) {
		harness_set_slot(h, slot + (uint32_t)rows[i].after);
		harness_expect_spec(h, "slot", &ack, rows[i].verdict);
	}
}

static void a_cookie_lives_in_its_slot_and_the_next(void **state)
{
	static const uint32_t slots[] = { HARNESS_SLOT, HARNESS_SLOT + 1, 0xfffffe, 0xffffff, 0x1000000, 7 };

	for (size_t i = 0; i < COUNT(slots); i++)
		for (int kind = 0; kind < 4; kind++)
			check_life(*state, slots[i], kind & 1, kind & 2);
}

/* With the daemon dead, slots go on by jiffies. */
static void slots_go_on_by_themselves(void **state)
{
	struct harness *h = *state;
	struct cookie_answer cookie, later;
	struct cookie_case c = plain_case(h, false, false);
	uint64_t jiffies;

	assert_int_equal(fastpath_read_jiffies(h->fastpath, &jiffies), 0);
	h->runtime.slot_jiffies = 1000000;
	h->runtime.slot_began = jiffies - 3 * 1000000 - 1000;
	fastpath_publish(h->fastpath, &h->runtime);
	c.slot += 3;
	cookie = cookie_reference(&c);
	later = ask(h, &c, "three slots later");
	compare("three slots later", &later, &cookie);
	h->runtime.slot_began = jiffies - 999000; /* at the end of its slot, not beyond */
	fastpath_publish(h->fastpath, &h->runtime);
	c.slot -= 3;
	cookie = cookie_reference(&c);
	later = ask(h, &c, "same slot");
	compare("same slot", &later, &cookie);
}

static void masters_validate_while_they_may(void **state)
{
	static const struct {
		const char *name;
		uint32_t generation, valid;
		enum verdict of_0, of_1;
	} rows[] = {
		{ "0 signs", 0, 1, PASS_COOKIE, DROP_BAD_COOKIE },
		{ "1 signs, 0 validates", 1, 3, PASS_COOKIE, PASS_COOKIE },
		{ "1 signs, 0 has retired", 1, 2, DROP_BAD_COOKIE, PASS_COOKIE },
		{ "0 signs, 1 validates", 0, 3, PASS_COOKIE, PASS_COOKIE },
		{ "none validates", 0, 0, DROP_BAD_COOKIE, DROP_BAD_COOKIE },
	};
	struct harness *h = *state;
	struct frame_spec acks[4][2];
	uint8_t storage[4][2][12];

	for (uint32_t kind = 0; kind < 4; kind++)
		for (uint32_t generation = 0; generation < 2; generation++) {
			struct cookie_answer cookie;
			struct cookie_case c;

			h->runtime.key_generation = generation;
			c = plain_case(h, kind & 1, kind & 2);
			cookie = cookie_reference(&c);
			acks[kind][generation] = acknowledge(&c, &cookie, storage[kind][generation]);
		}
	for (size_t i = 0; i < COUNT(rows); i++) {
		h->runtime.key_generation = rows[i].generation;
		h->runtime.key_valid = rows[i].valid;
		fastpath_publish(h->fastpath, &h->runtime);
		for (int kind = 0; kind < 4; kind++) {
			harness_expect_spec(h, rows[i].name, &acks[kind][0], rows[i].of_0);
			harness_expect_spec(h, rows[i].name, &acks[kind][1], rows[i].of_1);
		}
	}
}

static void another_master_refuses(void **state)
{
	struct harness *h = *state;
	struct cookie_case c = plain_case(h, false, true);
	struct cookie_answer cookie = cookie_reference(&c);
	uint8_t storage[12];
	struct frame_spec ack = acknowledge(&c, &cookie, storage);

	h->runtime.key[0][1] ^= 1;
	fastpath_publish(h->fastpath, &h->runtime);
	harness_expect_spec(h, "another master", &ack, DROP_BAD_COOKIE);
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_reference_meets_the_vectors),
		TEST(the_program_meets_the_vectors),
		TEST(every_option_comes_back),
		TEST(any_tuple_comes_back),
		TEST(both_generations_sign),
		TEST(what_is_bound_cannot_change),
		TEST(no_bit_can_be_flipped),
		TEST(timestamps_are_those_of_the_cookie),
		TEST(a_cookie_lives_in_its_slot_and_the_next),
		TEST(slots_go_on_by_themselves),
		TEST(masters_validate_while_they_may),
		TEST(another_master_refuses),
	};

	return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
