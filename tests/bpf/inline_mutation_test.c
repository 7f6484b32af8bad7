// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames of known and unknown connections, mutated, into both inline hooks and the two programs behind the
 * devmap. Whatever comes in: one verdict and no abort; what crosses is as it came, or translated in place
 *with a checksum that is right exactly if it was, or a segment of ours; what goes back is a SYN-ACK or a RST.
 *And what is counted by state is what the table holds.
 *
 *	inline_mutation_test [FRAMES [SEED]]	(or the environment: SYNMOAT_FRAMES, SYNMOAT_SEED)
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bpf/dialogue.h"
#include "tests/bpf/mutate.h"

#define COUNT(array)   (sizeof(array) / sizeof(*(array)))
#define FRAMES_DEFAULT 400000
#define FRAMES_SHARE   10   /* of what the environment says: more to do for each than in mutation_test */
#define FRAMES_ROUND   2000 /* then the connections are opened again */
#define OWN_MAX	       40   /* bytes of TCP header in a segment of ours */

/* --- connections --- */

enum { ESTABLISHED, NO_TIMESTAMPS, UNSCALED, PLAIN, EARLY, EARLY_DATA, KINDS };

static struct dialogue dialogues[2 * KINDS * 2]; /* by family, with and without VLAN tag */

/* Begun before mitigation: both ends have the same numbers. */
static void open_plain(struct dialogue *d)
{
	struct frame_spec s = dialogue_server_frame(d, ACK, d->server.isn + 1, d->client.isn + 1);

	d->cookie.isn = d->server.isn;
	d->cookie.tsval = d->server.tsval;
	appliance_expect_spec(d->h, "learned", PORT_INSIDE, &s, PASS_OPEN);
}

static void open_one(struct dialogue *d, struct harness *h, unsigned int i)
{
	static const struct bytes hello = { (const uint8_t *)"hello", 5 };
	unsigned int kind = i / 4;

	*d = dialogue_new(h, "known", i & 1, i / 2 & 1);
	d->client_port = (uint16_t)(42000 + i);
	d->client.isn = mutate_random(UINT32_MAX);
	d->server.isn = mutate_random(UINT32_MAX);
	d->client.timestamps = d->server.timestamps = kind != NO_TIMESTAMPS;
	d->server.wscale = kind == UNSCALED ? NO_WSCALE : 9;
	dialogue_begin(d);
	if (kind == PLAIN) {
		open_plain(d);
		return;
	}
	dialogue_ask(d);
	dialogue_prove(d, kind == EARLY_DATA ? &hello : NULL);
	if (kind < EARLY)
		dialogue_answer(d);
}

static void open_all(struct harness *h)
{
	appliance_forget(h);
	for (unsigned int i = 0; i < COUNT(dialogues); i++) {
		appliance_forget_servers(h);
		open_one(&dialogues[i], h, i);
	}
}

/* --- frames --- */

static void pick_segment(const struct dialogue *d, enum port from, struct frame *f)
{
	static const uint8_t flags[] = { ACK, ACK,	 ACK | PSH, ACK | PSH, FIN | ACK,
					 RST, RST | ACK, SYN,	    SYN | ACK };
	uint8_t options[40];
	struct said s = {
		.flags = flags[mutate_random(COUNT(flags))],
		.seq = mutate_random(4) ? 0 : mutate_random(3000),
		.ack = mutate_random(4) ? 0 : mutate_random(3000),
		.window = (uint16_t)(1 + mutate_random(65535)),
		.length = mutate_random(2) ? 0 : mutate_random(1400),
		.nops = (uint8_t)mutate_random(4),
		.blocks = (uint8_t)mutate_random(3),
		.tick = mutate_random(1000),
		.sack_first = mutate_random(2),
	};
	struct frame other;

	if (!mutate_random(4)) {
		s.no_timestamps = true;
		s.blocks = s.nops = 0;
		s.more = (struct bytes){ options, mutate_options(options) };
	}
	dialogue_build(d, from, &s, f, &other);
}

static void pick_handshake(const struct dialogue *d, enum port from, struct frame *f)
{
	struct frame_spec s;
	uint8_t options[40];

	if (from == PORT_INSIDE && mutate_random(4)) {
		dialogue_server_synack(d, f);
	} else if (from == PORT_INSIDE) {
		s = dialogue_server_frame(d, (uint8_t)mutate_random(256), d->server.isn, d->client.isn + 1);
		frame_build(f, &s);
	} else if (mutate_random(2)) {
		dialogue_ack_frame(d, mutate_random(2) ? &(struct bytes){ options, 40 } : NULL, f);
	} else {
		s = dialogue_syn(d, options);
		if (mutate_random(2))
			s.options = (struct bytes){ options, mutate_options(options) };
		frame_build(f, &s);
	}
}

static enum port pick(struct frame *f)
{
	const struct dialogue *d = &dialogues[mutate_random(COUNT(dialogues))];
	enum port from = mutate_random(2) ? PORT_OUTSIDE : PORT_INSIDE;

	switch (mutate_random(4)) {
	case 0:
		pick_handshake(d, from, f);
		break;
	case 1:
		dialogue_icmp(d, d->v6 ? 2 : 3, from == PORT_OUTSIDE, d->cookie.isn + 1000,
			      8 + mutate_random(24), f);
		break;
	default:
		pick_segment(d, from, f);
	}
	return from;
}

/* --- what must hold --- */

static const char *reply_error(const struct frame *in, const struct frame *out)
{
	const char *error = frame_checksum_error(out);
	struct frame_view i, o;

	if (error)
		return error;
	if (!frame_read(in, &i) || !frame_read(out, &o))
		return "something that is no TCP was answered";
	if (i.v6 != o.v6 || i.ip != o.ip || !mutate_is_swapped(in, out, &i, &o))
		return "the answer goes elsewhere";
	if (out->length != o.end || out->length > in->length || o.doff > i.doff)
		return "the answer is longer";
	if (o.flags == RST)
		return i.flags & RST ? "a RST was answered by a RST" : NULL;
	/* of a closed port */
	if (o.flags == (RST | ACK) && !o.seq && o.ack - i.seq - 1 <= in->length)
		o.flags = SYN | ACK, o.ack = i.seq + 1;
	if ((i.flags & (SYN | ACK | FIN | RST)) != SYN || (o.flags & ~ECE) != (SYN | ACK) ||
	    o.ack != i.seq + 1)
		return "no SYN-ACK to a SYN";
	return frame_checksum_error(in) ? "a SYN with a wrong checksum was answered" : NULL;
}

/* All up to the TCP ports, but for ECN of which one end knows nothing. */
static bool same_below_tcp(const struct frame *in, const struct frame *out, const struct frame_view *v)
{
	struct frame a = *in, b = *out;
	struct frame *const both[] = { &a, &b };

	if (in->bytes[v->ip + 1] == out->bytes[v->ip + 1])
		return !memcmp(in->bytes, out->bytes, v->tcp + 4);
	for (int i = 0; i < 2; i++) {
		if (v->v6) {
			both[i]->bytes[v->ip + 1] &= 0xcf;
		} else {
			both[i]->bytes[v->ip + 1] &= 0xfc;
			memset(both[i]->bytes + v->ip + 10, 0, 2);
		}
	}
	return !memcmp(a.bytes, b.bytes, v->tcp + 4);
}

/* In place: nothing but the TCP header changed, and the checksum is right exactly if it was. */
static const char *translation_error(const struct frame *in, const struct frame *out)
{
	struct frame_view i, o;

	if (!frame_read(in, &i) || !frame_read(out, &o) || i.tcp != o.tcp || i.doff != o.doff)
		return "translated into something that cannot be read";
	if (!same_below_tcp(in, out, &i) || i.flags != o.flags ||
	    memcmp(in->bytes + i.tcp + i.doff, out->bytes + o.tcp + o.doff, in->length - i.tcp - i.doff))
		return "translated too much";
	if (!frame_checksum_error(in) != !frame_checksum_error(out))
		return "the checksum was repaired, or spoilt";
	return NULL;
}

/* A segment of ours, in the place of the one that came. */
static const char *own_error(const struct frame *in, const struct frame *out)
{
	const char *error = frame_checksum_error(out);
	struct frame_view i, o;

	if (error)
		return error;
	if (!frame_read(in, &i) || !frame_read(out, &o))
		return "made of something that is no TCP";
	if (memcmp(in->bytes, out->bytes, i.ip) || i.ip != o.ip || i.source != o.source || i.dest != o.dest)
		return "goes elsewhere";
	if (out->length != o.end || o.end - o.tcp > OWN_MAX)
		return "longer than a segment of ours";
	if ((o.flags & ~(ECE | CWR)) != SYN && (o.flags & ~ACK) != RST &&
	    !(o.flags == ACK && (i.flags & (SYN | ACK)) == (SYN | ACK)))
		return "neither SYN nor RST, nor an ACK for a SYN-ACK";
	return frame_checksum_error(in) ? "made of a segment with a wrong checksum" : NULL;
}

static bool is_tcp(const struct frame *f)
{
	struct frame_view v;

	return frame_read(f, &v);
}

/* ICMP: the quoted number and its checksum, six bytes at most. */
static const char *crossing_error(const struct frame *in, const struct frame *out)
{
	size_t changed = 0;

	if (in->length == out->length && !memcmp(in->bytes, out->bytes, in->length))
		return NULL;
	if (!is_tcp(in)) {
		if (in->length != out->length)
			return "the length of what is no TCP was changed";
		for (size_t i = 0; i < in->length; i++)
			changed += in->bytes[i] != out->bytes[i];
		return changed > 6 ? "what is no TCP was changed" : NULL;
	}
	if (in->length == out->length && !translation_error(in, out))
		return NULL;
	return own_error(in, out)
		       ? in->length == out->length ? translation_error(in, out) : own_error(in, out)
		       : NULL;
}

static const char *judge(const struct frame *in, const struct frame *out, int action)
{
	switch (action) {
	case ACTION_TX:
		return reply_error(in, out);
	case ACTION_REDIRECT:
		return crossing_error(in, out);
	case ACTION_DROP:
		return NULL;
	}
	return action == ACTION_ABORTED ? "aborted" : "left to the kernel";
}

/* The program behind the devmap sees segments of our own for known connections only; it must stand anything.
 */
static const char *copy_error(struct harness *h, const struct frame *in)
{
	static struct frame out;
	struct frame_view v;

	if (!appliance_copy(h, in, &out))
		return NULL;
	if (!frame_read(&out, &v) || out.length != v.end)
		return "a copy that cannot be read";
	if (v.end - v.tcp > 32 + 1440)
		return "a copy that is too long";
	return (v.flags & ~PSH) == ACK ? NULL : "a copy that is no ACK";
}

static void run_frame(struct harness *h, uint64_t number)
{
	static struct frame in, out;
	enum port from = pick(&in);
	const char *error;

	mutate_frame(&in);
	error = judge(&in, &out, appliance_run_bare(h, from, &in, &out));
	if (!error && !mutate_random(8))
		error = copy_error(h, &in);
	if (error)
		mutate_report(number, &in, error);
}

static void mutated_frames_are_judged(void **state)
{
	uint64_t first[VERDICT_COUNT], now[VERDICT_COUNT], sum = 0, judged = 0;
	struct harness *h = *state;

	/* all that a test needs to be done again with the same seed, and no verdict by the clock */
	h->runtime.handshakes_max = 1000000;
	harness_publish(h);
	fastpath_state(h->fastpath, SLOT_AUTO)->mitigation = MITIGATION_ACTIVE;
	print_message("%llu frames, seed %llu\n", (unsigned long long)mutate_frames,
		      (unsigned long long)mutate_seed);
	harness_count_verdicts(h, first);
	for (uint64_t i = 0; i < mutate_frames; i++) {
		if (i % FRAMES_ROUND == 0) {
			open_all(h);
			sum = harness_count_verdicts(h, now) - judged;
		}
		run_frame(h, i);
		judged++;
		if ((i + 1) % FRAMES_ROUND && i + 1 < mutate_frames)
			continue;
		assert_int_equal(harness_count_verdicts(h, now) - sum, judged);
		appliance_check_counts(h);
	}
	assert_int_equal(now[DROP_INTERNAL], 0);
	mutate_print_verdicts(first, now);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup(mutated_frames_are_judged,
								   appliance_reset) };

	harness_connections = 4096;
	mutate_begin(argc, argv, FRAMES_DEFAULT);
	if (argc < 2 && getenv("SYNMOAT_FRAMES"))
		mutate_frames /= FRAMES_SHARE;
	return cmocka_run_group_tests(tests, appliance_set_up, appliance_tear_down);
}
