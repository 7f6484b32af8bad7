// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Valid frames of every kind, mutated: bits, lengths, options, truncation. Whatever comes in, the program
 * does not abort, counts one verdict, leaves alone what it passes or drops, and what it sends is a SYN-ACK to
 * the sender, with right checksums, and no longer than what it answers.
 *
 *	mutation_test [FRAMES [SEED]]		(or the environment: SYNMOAT_FRAMES, SYNMOAT_SEED)
 */
#include <netinet/in.h>
#include <string.h>

#include "tests/bpf/mutate.h"

#define COUNT(array)   (sizeof(array) / sizeof(*(array)))
#define FRAMES_DEFAULT 1000000
#define FRAMES_CHECKED 50000 /* a round, after which the counters are compared */
#define TO4(port)      .saddr = CLIENT4, .daddr = SERVER4, .source = 40000, .dest = (port), .seq = 7
#define TO6(port)      .saddr = CLIENT6, .daddr = SERVER6, .source = 40000, .dest = (port), .seq = 7

/* --- the valid frames --- */

#define EXT(kind, length)                                                                                    \
	{                                                                                                    \
		IPPROTO_##kind, length, 0                                                                    \
	}

static const struct frame_spec kinds[] = {
	{ TO4(80), .flags = SYN, .options = LINUX_OPTIONS },
	{ TO6(80), .flags = SYN, .options = LINUX_OPTIONS },
	{ TO4(80), .flags = SYN, .options = WINDOWS_OPTIONS },
	{ TO6(80), .flags = SYN, .options = WINDOWS_OPTIONS },
	{ TO4(80), .flags = SYN },
	{ TO6(80), .flags = SYN | ECE | CWR },
	{ TO4(80), .flags = SYN,
	  .options = BYTES(2, 4, 5, 180, 1, 3, 3, 6, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 4, 2) },
	{ TO4(80), .flags = SYN, .options = LINUX_OPTIONS, .payload = BYTES(1, 2, 3, 4, 5, 6, 7) },
	{ TO4(80), .flags = SYN, .options = LINUX_OPTIONS, .vlans = 1 },
	{ TO6(80), .flags = SYN, .options = LINUX_OPTIONS, .vlans = 2 },
	{ TO4(80), .flags = SYN, .options = LINUX_OPTIONS, .ip_options = BYTES(148, 4, 0, 0, 1, 1, 1, 1) },
	{ TO4(80), .flags = SYN, .options = WINDOWS_OPTIONS, .trailer = 20 },
	{ TO4(PORT_AUTO), .flags = SYN, .options = LINUX_OPTIONS },
	{ TO6(PORT_BARE), .flags = SYN, .options = LINUX_OPTIONS },
	{ TO4(PORT_AUTH), .flags = SYN, .options = BYTES(29, 4, 1, 1, 2, 4, 5, 180) },
	{ TO4(PORT_MONITOR), .flags = SYN, .options = LINUX_OPTIONS },
	{ TO6(PORT_OFF), .flags = SYN },
	{ TO4(PORT_CLOSED), .flags = SYN },
	{ TO4(80), .flags = ACK, .options = BYTES(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2) },
	{ TO6(80), .flags = ACK },
	{ TO4(80), .flags = ACK | PSH, .payload = BYTES(1, 2, 3, 4, 5) },
	{ TO4(80), .flags = FIN | ACK },
	{ TO6(80), .flags = RST },
	{ TO4(80), .flags = SYN | ACK },
	{ TO4(80), .flags = SYN, .fragment = FRAME_MF },
	{ TO4(80), .protocol = IPPROTO_UDP, .payload = BYTES(1, 2, 3, 4, 5, 6, 7, 8) },
};

/* A verified flow. */
#define FLOW_PORT 40002
static const struct frame_spec flow_segment = {
	.saddr = CLIENT4, .daddr = SERVER4, .source = FLOW_PORT, .dest = 80, .flags = ACK
};

static const struct frame_extension extensions[][5] = {
	{ EXT(HOPOPTS, 8), { 0 } },
	{ EXT(DSTOPTS, 16), EXT(ROUTING, 24), { 0 } },
	{ EXT(AH, 24), { 0 } },
	{ EXT(FRAGMENT, 8), { 0 } },
	{ EXT(HOPOPTS, 8), EXT(ROUTING, 8), EXT(FRAGMENT, 8), EXT(DSTOPTS, 8), { 0 } },
	{ EXT(DSTOPTS, 480), EXT(HOPOPTS, 400), { 0 } },
};

static struct frame_spec valid_acks[8];

static void seed_flow(struct harness *h)
{
	const struct tuple tuple = { .client = { 0, 0, htonl(0xffff), htonl(0x0a010709) },
				     .server = { 0, 0, htonl(0xffff), htonl(0x0a010001) },
				     .client_port = htons(FLOW_PORT),
				     .server_port = htons(80) };

	assert_int_equal(fastpath_seed_flow(h->fastpath, &tuple), 0);
}

/* Third ACKs with cookies that are good throughout the test. */
static void collect_acks(struct harness *h)
{
	static uint8_t timestamps[COUNT(valid_acks)][12];

	for (size_t i = 0; i < COUNT(valid_acks); i++) {
		struct frame_spec syn = kinds[i % 4];

		syn.source = (uint16_t)(50000 + i);
		valid_acks[i] = harness_answer(h, &syn, timestamps[i]);
	}
}

static void pick(struct frame *f)
{
	static uint8_t payload[1200];
	uint32_t which = mutate_random(COUNT(kinds) + COUNT(valid_acks) + 1);
	struct frame_spec spec = flow_segment;
	uint8_t options[40];

	if (which < COUNT(kinds))
		spec = kinds[which];
	else if (which < COUNT(kinds) + COUNT(valid_acks))
		spec = valid_acks[which - COUNT(kinds)];

	if (which < COUNT(kinds) && !mutate_random(3))
		spec.options = (struct bytes){ options, mutate_options(options) };
	if (strchr(spec.daddr, ':') && !mutate_random(3))
		spec.extensions = extensions[mutate_random(COUNT(extensions))];
	if (!mutate_random(8))
		spec.payload = (struct bytes){ payload, mutate_random(COUNT(payload) / 2) };
	if (!mutate_random(8))
		spec.vlans = mutate_random(4);
	if (!mutate_random(8))
		spec.flags = (uint8_t)mutate_random(256);
	if (!mutate_random(4))
		spec.source = (uint16_t)mutate_random(65536);
	if (!mutate_random(4))
		spec.seq = mutate_random(UINT32_MAX);
	frame_build(f, &spec);
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
	if ((i.flags & (SYN | ACK | FIN | RST)) != SYN || (o.flags & ~ECE) != (SYN | ACK))
		return "no SYN-ACK to a SYN";
	if (o.ack != i.seq + 1)
		return "acknowledges something else";
	if (out->length > in->length || o.end - o.ip > i.end - i.ip || o.doff > i.doff)
		return "the answer is longer";
	if (out->length != o.end)
		return "bytes behind the answer";
	return frame_checksum_error(in) ? "a SYN with a wrong checksum was answered" : NULL;
}

static const char *judge(const struct frame *in, const struct frame *out, int action)
{
	size_t metadata = out->length - in->length;

	switch (action) {
	case ACTION_TX:
		return reply_error(in, out);
	case ACTION_DROP:
	case ACTION_PASS:
		if (metadata && (action == ACTION_DROP || metadata != sizeof(struct handover)))
			return "the frame's length was changed";
		return memcmp(in->bytes, out->bytes + metadata, in->length) ? "the frame was changed" : NULL;
	}
	return "aborted";
}

static void run_frame(struct harness *h, uint64_t number)
{
	static struct frame in, out;
	const char *error;

	pick(&in);
	mutate_frame(&in);
	error = judge(&in, &out, harness_run_bare(h, &in, &out));
	if (error)
		mutate_report(number, &in, error);
}

static void mutated_frames_are_judged(void **state)
{
	uint64_t first[VERDICT_COUNT], now[VERDICT_COUNT], sum;
	struct harness *h = *state;

	fastpath_state(h->fastpath, SLOT_AUTO)->mitigation = MITIGATION_ACTIVE;
	fastpath_state(h->fastpath, SLOT_MONITOR)->mitigation = MITIGATION_ACTIVE;
	collect_acks(h);
	seed_flow(h);
	print_message("%llu frames, seed %llu\n", (unsigned long long)mutate_frames,
		      (unsigned long long)mutate_seed);

	sum = harness_count_verdicts(h, first);
	for (uint64_t i = 0; i < mutate_frames; i++) {
		run_frame(h, i);
		if ((i + 1) % FRAMES_CHECKED && i + 1 < mutate_frames)
			continue;
		seed_flow(h);
		assert_int_equal(harness_count_verdicts(h, now) - sum, i + 1);
		assert_int_equal(now[DROP_INTERNAL], 0);
	}
	mutate_print_verdicts(first, now);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup(mutated_frames_are_judged,
								   harness_reset) };

	mutate_begin(argc, argv, FRAMES_DEFAULT);
	return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
