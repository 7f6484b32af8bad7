// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every client in tests/tables/client_syns.h comes by IPv4 and by IPv6: its SYN must be answered byte for
 * byte as its options allow, and the third ACK that such a system sends must be accepted and hand over what
 * it had offered. The cookie is the reference's; the SYN's options are read by frame_option().
 */
#include <string.h>

#include "tests/bpf/cookie_reference.h"
#include "tests/bpf/visit.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* --- what we expect --- */

static struct cookie_answer expected_cookie(const struct visit *visit)
{
	const struct runtime *rt = &visit->h->runtime;
	struct cookie_case c = {
		.client = visit->syn.saddr,
		.server = visit->syn.daddr,
		.client_port = visit->syn.source,
		.server_port = visit->syn.dest,
		.client_isn = visit->syn.seq,
		.generation = rt->key_generation,
		.slot = rt->slot_base,
		.timestamps = visit->timestamps,
		.mss = visit_mss(visit),
		.wscale = visit->wscale,
		.sack = visit->sack_ok,
		.ecn = visit->ecn,
	};

	harness_key(visit->h, c.generation, c.key);
	return cookie_reference(&c);
}

/* In our order: MSS; SACK and timestamps, or what there is of them; window scale. */
static size_t expected_options(uint8_t *o, const struct visit *visit, uint32_t tsval)
{
	uint16_t mss = visit->v6 ? SERVER_MSS6 : SERVER_MSS4;
	uint8_t *at = o;

	if (visit->mss_ok) {
		visit_set_word(at, 0x02040000U | mss);
		at += 4;
	}
	if (visit->timestamps) {
		visit_set_word(at, visit->sack_ok ? 0x0402080a : 0x0101080a);
		visit_set_word(at + 4, tsval);
		visit_set_word(at + 8, visit->tsval);
		at += 12;
	} else if (visit->sack_ok) {
		visit_set_word(at, 0x01010402);
		at += 4;
	}
	if (visit->wscale_ok) {
		visit_set_word(at, 0x01030300U | SERVER_WSCALE);
		at += 4;
	}
	return (size_t)(at - o);
}

static void expected_synack(struct frame *f, const struct visit *visit, const struct cookie_answer *cookie)
{
	uint8_t options[40];
	struct frame_spec reply = {
		.saddr = visit->syn.daddr,
		.daddr = visit->syn.saddr,
		.source = visit->syn.dest,
		.dest = visit->syn.source,
		.seq = cookie->isn,
		.ack = visit->syn.seq + 1,
		.flags = (uint8_t)(SYN | ACK | (visit->ecn ? ECE : 0)),
		.window = visit->v6 ? SERVER_WINDOW6 : SERVER_WINDOW4,
		.options = { options, expected_options(options, visit, cookie->tsval) },
		.reply = true,
	};

	frame_build(f, &reply);
}

static struct handover expected_handover(const struct visit *visit, const struct cookie_answer *cookie)
{
	uint16_t least = visit->v6 ? 1220 : 536;

	return (struct handover){
		.magic = HANDOVER_MAGIC,
		.rcv_tsval = visit->timestamps ? visit->tsval + LATER : 0,
		.rcv_tsecr = cookie->tsval,
		.mss = cookie->mss < least ? least : cookie->mss, /* the kernel takes no less */
		.snd_wscale = visit->wscale_ok ? visit->wscale : 0,
		.rcv_wscale = visit->wscale_ok ? SERVER_WSCALE : 0,
		.wscale_ok = visit->wscale_ok,
		.sack_ok = visit->sack_ok,
		.tstamp_ok = visit->timestamps,
		.ecn_ok = visit->ecn,
		.service = SLOT_ALWAYS,
	};
}

/* --- the SYN-ACK --- */

static void check_same(const struct visit *visit, const struct frame *got, const struct frame *expected)
{
	for (size_t i = 0; i < got->length && i < expected->length; i++)
		if (got->bytes[i] != expected->bytes[i])
			fail_msg("%s: byte %zu of the SYN-ACK is %02x, not %02x", visit->name, i,
				 got->bytes[i], expected->bytes[i]);
	if (got->length != expected->length)
		fail_msg("%s: a SYN-ACK of %zu bytes, not %zu", visit->name, got->length, expected->length);
}

/* Whatever the expected bytes are: these must hold, so they are looked at by themselves. */
static void check_bounds(const struct visit *visit, const struct frame *syn, const struct frame *synack)
{
	static const uint8_t kinds[][2] = { { 2, 4 }, { 3, 3 }, { 4, 2 }, { 8, 10 } };
	const char *error = frame_checksum_error(synack);
	struct frame_view in, out;
	const uint8_t *ts;

	if (error)
		fail_msg("%s: %s", visit->name, error);
	assert_true(frame_read(syn, &in) && frame_read(synack, &out));
	if (synack->length > syn->length || out.end - out.ip > in.end - in.ip || out.doff > in.doff)
		fail_msg("%s: the answer is longer than the SYN", visit->name);
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (frame_option(synack, &out, kinds[i][0], kinds[i][1]) &&
		    !frame_option(syn, &in, kinds[i][0], kinds[i][1]))
			fail_msg("%s: offers option %u, which the SYN did not", visit->name, kinds[i][0]);
	ts = frame_option(synack, &out, 8, 10);
	if (ts && frame_word(synack, (size_t)(ts - synack->bytes) + 4) != visit->tsval)
		fail_msg("%s: TSecr is not the client's TSval", visit->name);
}

static void check_synack(const struct visit *visit, const struct cookie_answer *cookie)
{
	struct frame syn, expected;
	struct outcome o;

	visit_build_syn(&syn, visit);
	assert_null(frame_checksum_error(&syn));
	harness_expect(visit->h, visit->name, &syn, TX_SYNACK, &o);
	check_bounds(visit, &syn, &o.out);
	expected_synack(&expected, visit, cookie);
	check_same(visit, &o.out, &expected);
}

/* --- the third ACK --- */

static void check_ack(const struct visit *visit, const struct frame_spec *ack,
		      const struct handover *expected)
{
	struct outcome o;
	struct frame f;

	visit_build(&f, visit, ack);
	harness_expect(visit->h, visit->name, &f, PASS_COOKIE, &o);
	if (o.handover.mss != expected->mss)
		fail_msg("%s: hands over MSS %u, not %u", visit->name, o.handover.mss, expected->mss);
	if (memcmp(&o.handover, expected, sizeof(*expected)))
		fail_msg("%s: hands over something else than was offered", visit->name);
}

/* The ACK itself, and the request that comes in its place where it was lost. */
static void check_acks(const struct visit *visit, struct frame_spec *ack, const struct handover *expected)
{
	static const uint8_t request[] = "GET / HTTP/1.1\r\n\r\n";

	ack->flags = ACK;
	ack->payload = (struct bytes){ NULL, 0 };
	check_ack(visit, ack, expected);
	ack->flags = ACK | PSH;
	ack->payload = (struct bytes){ request, sizeof(request) - 1 };
	check_ack(visit, ack, expected);
}

static void check_third_ack(const struct visit *visit, const struct cookie_answer *cookie)
{
	struct handover expected = expected_handover(visit, cookie);
	struct frame_spec ack = visit->syn;
	uint8_t bytes[12];

	ack.seq = visit->syn.seq + 1;
	ack.ack = cookie->isn + 1;
	ack.window = (uint16_t)(visit->client->window >> (visit->wscale_ok ? visit->wscale : 0));
	ack.options = (struct bytes){ bytes, 0 };
	if (!visit->timestamps)
		check_acks(visit, &ack, &expected);
	for (size_t i = 0; visit->timestamps && i < VISIT_LAYOUTS; i++) {
		memcpy(bytes, visit_layouts[i].bytes, sizeof(bytes));
		visit_set_word(bytes + visit_layouts[i].timestamps + 2, visit->tsval + LATER);
		visit_set_word(bytes + visit_layouts[i].timestamps + 6, cookie->tsval);
		ack.options.length = sizeof(bytes);
		check_acks(visit, &ack, &expected);
	}
}

/* Exact with timestamps; else rounded down by no more than a step of the cookie's table. */
static void check_mss(const struct visit *visit, const struct cookie_answer *cookie)
{
	static const uint16_t steps[2][9] = { { 216, 536, 1200, 1360, 1400, 1440, 1452, 1460, 0xffff },
					      { 216, 1220, 1340, 1360, 1380, 1400, 1420, 1440, 0xffff } };
	uint16_t mss = visit_mss(visit);
	size_t i = 0;

	while (steps[visit->v6][i + 1] <= mss)
		i++;
	assert_int_equal(cookie->mss, visit->timestamps ? mss : steps[visit->v6][i]);
}

static void meet(struct harness *h, bool v6)
{
	struct cookie_answer cookie;
	struct visit visit;

	for (size_t i = 0; i < COUNT(client_syns); i++) {
		visit_begin(&visit, h, &client_syns[i], v6);
		cookie = expected_cookie(&visit);
		check_mss(&visit, &cookie);
		check_synack(&visit, &cookie);
		check_third_ack(&visit, &cookie);
	}
}

static void clients_connect_by_ipv4(void **state)
{
	meet(*state, false);
}

static void clients_connect_by_ipv6(void **state)
{
	meet(*state, true);
}

/* --- the table --- */

/* Options follow each other without a gap up to the end, or up to zeros only. */
static bool well_formed(const struct client_syn *client)
{
	size_t i = 0;

	while (i < client->length && client->options[i] != EOL) {
		if (client->options[i] != NOP && client->options[i + 1] < 2)
			return false;
		i += client->options[i] == NOP ? 1 : client->options[i + 1];
	}
	for (; i < client->length; i++)
		if (client->options[i] != EOL)
			return false;
	return i == client->length && client->length % 4 == 0;
}

static void the_table_is_sound(void **state)
{
	(void)state;
	assert_true(COUNT(client_syns) >= 40);
	for (size_t i = 0; i < COUNT(client_syns); i++) {
		const struct client_syn *client = &client_syns[i];

		if (!well_formed(client))
			fail_msg("%s: options of %u bytes", client->name, client->length);
		if (!client->source || !client->ttl)
			fail_msg("%s: incomplete", client->name);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(client->name, client_syns[j].name))
				fail_msg("%s: twice", client->name);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_sound),
		TEST(clients_connect_by_ipv4),
		TEST(clients_connect_by_ipv6),
	};

	return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
