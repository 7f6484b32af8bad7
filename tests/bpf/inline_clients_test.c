// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every client of tests/tables/client_syns.h through the whole inline handshake, by IPv4 and IPv6, to servers
 * of which nothing is known yet, and to such as are known to lack something: the client is offered nothing
 * that it did not ask for or that the server lacks, the server sees what the client asked for, every TSecr is
 * exact.
 */
#include <stdio.h>
#include <string.h>

#include "tests/bpf/dialogue.h"
#include "tests/bpf/visit.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define BACKEND(text, size, shift, s, t)                                                                     \
	{                                                                                                    \
		text,                                                                                        \
		{                                                                                            \
			.isn = 0xfffffd00, .tsval = 0xfffffff0, .window = 64000, .mss = size,                \
			.wscale = shift, .sack = s, .timestamps = t                                          \
		}                                                                                            \
	}

static const struct backend {
	const char *name;
	struct party party;
} backends[] = {
	BACKEND("Linux", 1460, 10, true, true),	   BACKEND("no timestamps", 1460, 8, true, false),
	BACKEND("no SACK", 1460, 7, false, true),  BACKEND("no scaling", 1460, NO_WSCALE, true, true),
	BACKEND("small MSS", 1300, 7, true, true), BACKEND("nothing at all", 1460, NO_WSCALE, false, false),
};

/* --- the client --- */

static struct dialogue dialogue_of(const struct visit *visit, const struct party *server, bool learned)
{
	struct dialogue d = dialogue_new(visit->h, visit->name, visit->v6, 0);
	uint32_t window = visit->client->window >> (visit->wscale_ok ? visit->wscale : 0);

	d.client_port = visit->syn.source;
	d.ecn = visit->ecn;
	d.later = LATER;
	d.client = (struct party){
		.isn = visit->syn.seq,
		.tsval = visit->tsval,
		.window = (uint16_t)(window ? window : 1),
		.mss = visit->mss_ok ? visit->mss : 0,
		.wscale = visit->wscale,
		.sack = visit->sack_ok,
		.timestamps = visit->timestamps,
	};
	d.server = *server;
	d.learned = learned ? &d.server : NULL;
	dialogue_begin(&d);
	d.learned = NULL;
	return d;
}

/* The third ACK as such a client may lay it out. */
static void build_ack(const struct dialogue *d, const struct visit *visit, const struct visit_layout *layout,
		      const struct bytes *data, struct frame *f)
{
	struct frame_spec ack = dialogue_client_frame(d, ACK, d->client.isn + 1, d->cookie.isn + 1);
	uint8_t options[12];

	ack.window = d->client.window;
	if (data) {
		ack.flags = ACK | PSH;
		ack.payload = *data;
	}
	if (d->timestamps) {
		memcpy(options, layout->bytes, sizeof(options));
		visit_set_word(options + layout->timestamps + 2, visit->tsval + LATER);
		visit_set_word(options + layout->timestamps + 6, d->cookie.tsval);
		ack.options = (struct bytes){ options, sizeof(options) };
	}
	visit_build(f, visit, &ack);
}

/* --- what must hold, whatever the expected bytes are --- */

static void check_offered(const char *name, const struct frame *syn, const struct frame *to,
			  const struct party *server)
{
	const bool lacks[] = { server && server->wscale == NO_WSCALE, server && !server->sack,
			       server && !server->timestamps };
	static const uint8_t kinds[][2] = { { 3, 3 }, { 4, 2 }, { 8, 10 } };
	struct frame_view in, out;

	assert_true(frame_read(syn, &in) && frame_read(to, &out));
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (!frame_option(to, &out, kinds[i][0], kinds[i][1]))
			continue;
		if (!frame_option(syn, &in, kinds[i][0], kinds[i][1]))
			fail_msg("%s: offers option %u, which the SYN did not", name, kinds[i][0]);
		if (lacks[i])
			fail_msg("%s: offers option %u, which the server lacks", name, kinds[i][0]);
	}
}

/* The server may assume what the client said, or what silence means, and no more. */
static void check_server_mss(const struct visit *visit, const struct frame *to)
{
	uint16_t mss;
	struct frame_view v;
	const uint8_t *o;

	assert_true(frame_read(to, &v));
	o = frame_option(to, &v, 2, 4);
	assert_non_null(o);
	mss = (uint16_t)(o[0] << 8 | o[1]);
	if (mss > visit_mss(visit) || mss < 216)
		fail_msg("%s: the server is told an MSS of %u, the client said %u", visit->name, mss,
			 visit->mss);
}

/* --- the handshake --- */

static const struct bytes request = BYTES('G', 'E', 'T', ' ', '/', '\r', '\n');

static void check_handshake(struct dialogue *d, const struct visit *visit, const struct party *known,
			    const struct visit_layout *layout)
{
	static const struct said words[] = {
		{ "request", .flags = ACK | PSH, .seq = 7, .length = 100, .nops = 2, .tick = 7 },
		{ "response", .flags = ACK | PSH, .ack = 107, .length = 999, .nops = 2, .tick = 90 },
	};
	const struct bytes *data = visit->v6 ? &request : NULL;
	struct frame syn, ack, synack, to_server;
	struct dialogue offered = *d;

	visit_build_syn(&syn, visit);
	offered.learned = known;
	dialogue_synack_frame(&offered, &synack);
	check_offered(visit->name, &syn, &synack, known);
	appliance_expect(d->h, visit->name, PORT_OUTSIDE, &syn, TX_SYNACK, &synack);
	build_ack(d, visit, layout, data, &ack);
	dialogue_server_syn(d, &to_server);
	check_offered(visit->name, &syn, &to_server, known);
	check_server_mss(visit, &to_server);
	appliance_expect(d->h, visit->name, PORT_OUTSIDE, &ack, PASS_COOKIE, &to_server);
	if (data)
		d->stashed = *data;
	dialogue_answer(d);
	dialogue_say(d, PORT_OUTSIDE, &words[0], PASS_TRANSLATED);
	dialogue_say(d, PORT_INSIDE, &words[1], PASS_TRANSLATED);
}

/* By a client that asks for everything, and another that asks for ECN, too. */
static void teach(struct harness *h, const struct backend *backend, bool v6)
{
	for (int i = 0; i < 2; i++) {
		struct dialogue d = dialogue_new(h, backend->name, v6, 0);

		d.client_port += (uint16_t)i;
		d.server = backend->party;
		d.ecn_tried = i;
		d.learned = i ? &backend->party : NULL;
		dialogue_begin(&d);
		dialogue_open(&d);
	}
}

static void meet(struct harness *h, const struct backend *backend, bool learned, bool v6)
{
	struct visit visit;
	struct dialogue d;
	char name[128];

	for (size_t i = 0; i < COUNT(client_syns); i++) {
		const struct visit_layout *layout = &visit_layouts[i % VISIT_LAYOUTS];

		if (i % 32 == 0 || !learned) {
			appliance_forget(h);
			if (learned)
				teach(h, backend, v6);
		}
		visit_begin(&visit, h, &client_syns[i], v6);
		d = dialogue_of(&visit, &backend->party, learned);
		snprintf(name, sizeof(name), "%s, to %s", visit.name, backend->name);
		d.name = name;
		check_handshake(&d, &visit, learned ? &backend->party : NULL, layout);
	}
}

static void clients_meet_a_server(void **state, bool learned)
{
	for (size_t i = 0; i < COUNT(backends); i++) {
		meet(*state, &backends[i], learned, false);
		meet(*state, &backends[i], learned, true);
	}
}

static void clients_meet_servers_not_known_yet(void **state)
{
	clients_meet_a_server(state, false);
}

static void clients_meet_servers_that_are_known(void **state)
{
	clients_meet_a_server(state, true);
}

#define TEST(name) cmocka_unit_test_setup(name, appliance_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clients_meet_servers_not_known_yet),
		TEST(clients_meet_servers_that_are_known),
	};

	return cmocka_run_group_tests(tests, appliance_set_up, appliance_tear_down);
}
