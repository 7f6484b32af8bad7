// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Valid frames of every kind, mutated: bits, lengths, options, truncation. Whatever comes in, the program
 *does not abort, counts one verdict, leaves alone what it passes or drops, and what it sends is a SYN-ACK to
 *the sender, with right checksums, and no longer than what it answers.
 *
 *	mutation_test [FRAMES [SEED]]		(or the environment: SYNMOAT_FRAMES, SYNMOAT_SEED)
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bpf/harness.h"

#define COUNT(array)   (sizeof(array) / sizeof(*(array)))
#define FRAMES_DEFAULT 1000000
#define FRAMES_CHECKED 50000 /* a round, after which the counters are compared */
#define TO4(port)      .saddr = CLIENT4, .daddr = SERVER4, .source = 40000, .dest = (port), .seq = 7
#define TO6(port)      .saddr = CLIENT6, .daddr = SERVER6, .source = 40000, .dest = (port), .seq = 7

static uint64_t frames = FRAMES_DEFAULT, seed;

/* splitmix64 */
static uint64_t random_state;

static uint32_t random_number(uint32_t below)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return (uint32_t)((z >> 32) * below >> 32);
}

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

/* Options as a fuzzer would have them: known and unknown kinds, lengths mostly right. */
static size_t random_options(uint8_t options[40])
{
	static const uint8_t known[][2] = { { 0, 1 }, { 1, 1 },	 { 1, 1 },   { 2, 4 },	 { 3, 3 },
					    { 4, 2 }, { 8, 10 }, { 19, 18 }, { 29, 16 }, { 34, 10 } };
	size_t used = 0, length = random_number(41);

	for (size_t i = 0; i < length; i++)
		options[i] = (uint8_t)random_number(256);
	while (used < length) {
		const uint8_t *kind = known[random_number(COUNT(known))];

		options[used] = kind[0];
		if (kind[1] == 1) {
			used++;
			continue;
		}
		if (used + 1 < length && random_number(16))
			options[used + 1] = kind[1];
		used += kind[1];
	}
	return length;
}

static void pick(struct frame *f)
{
	static uint8_t payload[1200];
	uint32_t which = random_number(COUNT(kinds) + COUNT(valid_acks) + 1);
	struct frame_spec spec = flow_segment;
	uint8_t options[40];

	if (which < COUNT(kinds))
		spec = kinds[which];
	else if (which < COUNT(kinds) + COUNT(valid_acks))
		spec = valid_acks[which - COUNT(kinds)];

	if (which < COUNT(kinds) && !random_number(3))
		spec.options = (struct bytes){ options, random_options(options) };
	if (strchr(spec.daddr, ':') && !random_number(3))
		spec.extensions = extensions[random_number(COUNT(extensions))];
	if (!random_number(8))
		spec.payload = (struct bytes){ payload, random_number(COUNT(payload) / 2) };
	if (!random_number(8))
		spec.vlans = random_number(4);
	if (!random_number(8))
		spec.flags = (uint8_t)random_number(256);
	if (!random_number(4))
		spec.source = (uint16_t)random_number(65536);
	if (!random_number(4))
		spec.seq = random_number(UINT32_MAX);
	frame_build(f, &spec);
}

/* --- mutations --- */

static void flip_bit(struct frame *f)
{
	f->bytes[random_number((uint32_t)f->length)] ^= (uint8_t)(1 << random_number(8));
}

/* In the headers, and to a value that is a limit of something. */
static void set_byte(struct frame *f)
{
	static const uint8_t limits[] = { 0, 1, 2, 3, 4, 5, 6, 8, 15, 16, 40, 43, 44, 51, 60, 127, 128, 255 };

	f->bytes[random_number(f->length < 100 ? (uint32_t)f->length : 100)] =
		limits[random_number(COUNT(limits))];
}

static void change_length(struct frame *f)
{
	struct frame_view v;
	size_t at;

	if (!frame_read(f, &v))
		return;
	switch (random_number(4)) {
	case 0: /* IPv4: header, IPv6: next header */
		at = v.v6 ? v.ip + 6 : v.ip;
		break;
	case 1: /* the packet's length */
		at = v.v6 ? v.ip + 5 : v.ip + 3;
		break;
	case 2: /* its upper byte, or an extension header's length */
		at = v.v6 && v.tcp > v.ip + 41 ? v.ip + 41 : v.ip + 2;
		break;
	default: /* TCP's data offset */
		f->bytes[v.tcp + 12] = (uint8_t)(random_number(16) << 4);
		return;
	}
	f->bytes[at] = (uint8_t)(f->bytes[at] + random_number(17) - 8);
}

static void truncate_frame(struct frame *f)
{
	f->length = 14 + random_number((uint32_t)f->length - 13);
}

static void extend_frame(struct frame *f)
{
	size_t more = random_number(64);

	if (f->length + more > 1600)
		return;
	memset(f->bytes + f->length, (int)random_number(256), more);
	f->length += more;
}

static void mutate(struct frame *f)
{
	static void (*const mutations[])(struct frame * f) = {
		flip_bit, flip_bit, set_byte, set_byte, change_length, truncate_frame, extend_frame,
	};

	for (uint32_t n = random_number(5); n > 0; n--)
		mutations[random_number(COUNT(mutations))](f);
	if (random_number(2)) /* or checksums would hide all that lies behind them */
		frame_repair(f);
}

/* --- what must hold --- */

static bool swapped(const struct frame *in, const struct frame *out, const struct frame_view *i,
		    const struct frame_view *o)
{
	size_t size = i->v6 ? 16 : 4, source = i->v6 ? 8 : 12;
	const uint8_t *from = in->bytes + i->ip + source, *to = out->bytes + o->ip + source;

	return !memcmp(in->bytes, out->bytes + 6, 6) && !memcmp(in->bytes + 6, out->bytes, 6) &&
	       !memcmp(from, to + size, size) && !memcmp(from + size, to, size) && i->source == o->dest &&
	       i->dest == o->source;
}

static const char *reply_error(const struct frame *in, const struct frame *out)
{
	const char *error = frame_checksum_error(out);
	struct frame_view i, o;

	if (error)
		return error;
	if (!frame_read(in, &i) || !frame_read(out, &o))
		return "something that is no TCP was answered";
	if (i.v6 != o.v6 || i.ip != o.ip || !swapped(in, out, &i, &o))
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

static void report(uint64_t number, const struct frame *f, const char *error)
{
	print_error("frame %llu of seed %llu: %s\n", (unsigned long long)number, (unsigned long long)seed,
		    error);
	for (size_t i = 0; i < f->length; i++)
		print_error("%02x%s", f->bytes[i], (i + 1) % 32 ? "" : "\n");
	print_error("\n");
	fail();
}

static void run_frame(struct harness *h, uint64_t number)
{
	static struct frame in, out;
	const char *error;

	pick(&in);
	mutate(&in);
	error = judge(&in, &out, harness_run_bare(h, &in, &out));
	if (error)
		report(number, &in, error);
}

static void print_verdicts(const uint64_t before[VERDICT_COUNT], const uint64_t after[VERDICT_COUNT])
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		print_message("%-20s %10llu\n", harness_verdict_word(v),
			      (unsigned long long)(after[v] - before[v]));
}

static void mutated_frames_are_judged(void **state)
{
	uint64_t first[VERDICT_COUNT], now[VERDICT_COUNT], sum;
	struct harness *h = *state;

	fastpath_state(h->fastpath, SLOT_AUTO)->mitigation = MITIGATION_ACTIVE;
	fastpath_state(h->fastpath, SLOT_MONITOR)->mitigation = MITIGATION_ACTIVE;
	collect_acks(h);
	seed_flow(h);
	print_message("%llu frames, seed %llu\n", (unsigned long long)frames, (unsigned long long)seed);
	random_state = seed;
	sum = harness_count_verdicts(h, first);
	for (uint64_t i = 0; i < frames; i++) {
		run_frame(h, i);
		if ((i + 1) % FRAMES_CHECKED && i + 1 < frames)
			continue;
		seed_flow(h);
		assert_int_equal(harness_count_verdicts(h, now) - sum, i + 1);
		assert_int_equal(now[DROP_INTERNAL], 0);
	}
	print_verdicts(first, now);
}

static uint64_t number_of(const char *text, uint64_t otherwise)
{
	return text ? strtoull(text, NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup(mutated_frames_are_judged,
								   harness_reset) };

	frames = number_of(argc > 1 ? argv[1] : getenv("SYNMOAT_FRAMES"), FRAMES_DEFAULT);
	seed = number_of(argc > 2 ? argv[2] : getenv("SYNMOAT_SEED"), (uint64_t)time(NULL));
	return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
