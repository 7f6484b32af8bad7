// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segment sanity: which combinations of flags, sources and lengths a service's packets may have, in mode
 * enforce and in mode monitor, in host mode and inline, IPv4 and IPv6, with and without VLAN tags.
 */
#include <stdio.h>
#include <string.h>

#include "tests/bpf/harness.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { SANE = -1 };

/* The inline program's harness is the host's with the one program in the place of the other. */
static struct harness inlined;

/* RFC 9293, as Linux' conntrack reads it (tcp_valid_flags[]): what may stand together, PSH, ECE and CWR
 * aside. */
static bool may_stand(uint8_t flags)
{
	static const uint8_t legal[] = { SYN,	    SYN | URG,	     SYN | ACK, RST,	  RST | ACK,
					 FIN | ACK, FIN | ACK | URG, ACK,	ACK | URG };

	for (size_t i = 0; i < COUNT(legal); i++)
		if ((flags & (FIN | SYN | RST | ACK | URG)) == legal[i])
			return true;
	return false;
}

static int fault_of(uint8_t flags)
{
	if (may_stand(flags))
		return SANE;
	switch (flags & (FIN | SYN | RST | ACK | URG)) {
	case 0:
		return DROP_NULL;
	case URG:
		return DROP_URG;
	case FIN:
		return DROP_BARE_FIN;
	case FIN | URG:
		return DROP_XMAS;
	default:
		return DROP_BAD_FLAGS;
	}
}

static void set_policy(struct harness *h, enum policy_mode policy)
{
	for (uint32_t slot = 1; slot < SLOT_COUNT; slot++)
		h->services[slot].sanity = (uint8_t)policy;
	harness_publish(h);
}

/* To a service that is not being mitigated, all that a policy does not drop passes. */
static void expect(struct harness *h, enum policy_mode policy, const struct frame *frame, int fault,
		   const char *name)
{
	enum verdict verdict = policy == POLICY_ENFORCE && fault != SANE ? (enum verdict)fault : PASS_OPEN;
	struct outcome o;

	harness_run(h, frame, &o);
	if (o.verdict != verdict)
		fail_msg("%s: %s, not %s", name, harness_verdict_word((int)o.verdict),
			 harness_verdict_word((int)verdict));
	if (o.would != (policy == POLICY_MONITOR ? fault : -1))
		fail_msg("%s: would be %s, not %s", name, harness_verdict_word(o.would),
			 harness_verdict_word(fault));
	assert_int_equal(o.slot, SLOT_AUTO);
}

static struct frame_spec to_auto(bool v6, uint8_t flags, unsigned int vlans)
{
	return (struct frame_spec){ .saddr = v6 ? CLIENT6 : CLIENT4,
				    .daddr = v6 ? SERVER6 : SERVER4,
				    .source = 40000,
				    .dest = PORT_AUTO,
				    .flags = flags,
				    .vlans = vlans };
}

/* --- flags --- */

static void run_flags(struct harness *h, bool v6, unsigned int vlans)
{
	struct frame f;
	char name[64];

	for (int policy = POLICY_OFF; policy <= POLICY_ENFORCE; policy++) {
		set_policy(h, (enum policy_mode)policy);
		for (int flags = 0; flags < 256; flags++) {
			struct frame_spec spec = to_auto(v6, (uint8_t)flags, vlans);

			spec.source = (uint16_t)(20000 + flags); /* inline, a SYN is remembered */
			snprintf(name, sizeof(name), "policy %d, IPv%d, %u tags, flags 0x%02x", policy,
				 v6 ? 6 : 4, vlans, flags);
			frame_build(&f, &spec);
			expect(h, (enum policy_mode)policy, &f, policy ? fault_of((uint8_t)flags) : SANE,
			       name);
		}
	}
}

static void all_flags(struct harness *h)
{
	for (unsigned int vlans = 0; vlans <= 2; vlans++) {
		run_flags(h, false, vlans);
		run_flags(h, true, vlans);
	}
}

static void flags_on_a_host(void **state)
{
	all_flags(*state);
}

static void flags_inline(void **state)
{
	(void)state;
	all_flags(&inlined);
}

/* --- sources, fragments, lengths --- */

struct fault_row {
	const char *name;
	int fault;
	void (*mangle)(struct frame *frame, bool v6, unsigned int vlans);
	const char *source4, *source6; /* NULL: the client */
	uint8_t flags;
	uint16_t fragment;
};

static void low_doff(struct frame *f, bool v6, unsigned int vlans)
{
	f->bytes[14 + 4 * vlans + (v6 ? 40 : 20) + 12] = 0x40;
}

static void doff_beyond(struct frame *f, bool v6, unsigned int vlans)
{
	f->bytes[14 + 4 * vlans + (v6 ? 40 : 20) + 12] = 0xf0;
}

static void claims_more(struct frame *f, bool v6, unsigned int vlans)
{
	f->bytes[14 + 4 * vlans + (v6 ? 5 : 3)]++;
	frame_repair(f);
}

static const struct fault_row faults[] = {
	{ .name = "land, SYN", .fault = DROP_LAND, .source4 = SERVER4, .source6 = SERVER6, .flags = SYN },
	{ .name = "land, ACK", .fault = DROP_LAND, .source4 = SERVER4, .source6 = SERVER6, .flags = ACK },
	{ .name = "from multicast",
	  .fault = DROP_BAD_SOURCE,
	  .source4 = "224.0.0.1",
	  .source6 = "ff02::1",
	  .flags = ACK },
	{ .name = "from loopback",
	  .fault = DROP_BAD_SOURCE,
	  .source4 = "127.0.0.1",
	  .source6 = "::1",
	  .flags = SYN },
	{ .name = "low data offset", .fault = DROP_MALFORMED, .mangle = low_doff, .flags = ACK },
	{ .name = "high data offset", .fault = DROP_MALFORMED, .mangle = doff_beyond, .flags = SYN },
	{ .name = "longer than its frame", .fault = DROP_MALFORMED, .mangle = claims_more, .flags = ACK },
	{ .name = "fragment", .fault = DROP_FRAGMENT, .flags = SYN, .fragment = 1 },
	{ .name = "a neighbour's ACK", .fault = SANE, .flags = ACK },
};

/* What has no readable port is counted for the service that holds the address: the first one declared. */
static void run_fault(struct harness *h, const struct fault_row *row, bool v6, unsigned int vlans)
{
	static const struct frame_extension fragment6[] = { { 44, 8, 1 }, { 0 } };
	struct frame_spec spec = to_auto(v6, row->flags, vlans);
	struct outcome o;
	struct frame f;

	spec.source = (uint16_t)(30000 + (row - faults)); /* inline, a SYN is remembered */
	if (row->source4)
		spec.saddr = v6 ? row->source6 : row->source4;
	if (row->fragment && v6)
		spec.extensions = fragment6;
	else if (row->fragment)
		spec.fragment = FRAME_MF;
	frame_build(&f, &spec);
	if (row->mangle)
		row->mangle(&f, v6, vlans);
	set_policy(h, POLICY_OFF);
	harness_run(h, &f, &o);
	assert_int_equal(o.would, -1);
	set_policy(h, POLICY_MONITOR);
	harness_run(h, &f, &o);
	if (o.verdict != PASS_OPEN || o.would != row->fault)
		fail_msg("%s, monitor: %s, would be %s", row->name, harness_verdict_word((int)o.verdict),
			 harness_verdict_word(o.would));
	set_policy(h, POLICY_ENFORCE);
	harness_run(h, &f, &o);
	if (o.verdict != (row->fault == SANE ? PASS_OPEN : (enum verdict)row->fault) || o.would != -1)
		fail_msg("%s, enforce: %s", row->name, harness_verdict_word((int)o.verdict));
	h->runtime.bypass = 1;
	harness_publish(h);
	harness_run(h, &f, &o);
	if (o.verdict != PASS_OPEN || o.would != -1)
		fail_msg("%s, bypass: %s", row->name, harness_verdict_word((int)o.verdict));
	h->runtime.bypass = 0;
}

/* With the service that judges what has no port idle, too. */
static void all_faults(struct harness *h)
{
	h->services[SLOT_ALWAYS].mode = MODE_AUTO;
	for (size_t i = 0; i < COUNT(faults); i++)
		for (unsigned int vlans = 0; vlans <= 2; vlans++) {
			run_fault(h, &faults[i], false, vlans);
			run_fault(h, &faults[i], true, vlans);
		}
	h->services[SLOT_ALWAYS].mode = MODE_ALWAYS;
}

static void faults_on_a_host(void **state)
{
	all_faults(*state);
}

static void faults_inline(void **state)
{
	(void)state;
	all_faults(&inlined);
}

/* --- with the modes of services --- */

static void a_watched_service_loses_nothing(void **state)
{
	struct harness *h = *state;
	struct frame_spec spec = to_auto(false, 0, 0);
	struct outcome o;
	struct frame f;

	spec.dest = PORT_MONITOR;
	frame_build(&f, &spec);
	set_policy(h, POLICY_MONITOR); /* what the daemon publishes for it */
	harness_run(h, &f, &o);
	assert_int_equal(o.verdict, PASS_MONITOR);
	assert_int_equal(o.would, DROP_NULL);
	fastpath_state(h->fastpath, SLOT_MONITOR)->mitigation = MITIGATION_ACTIVE;
	harness_run(h, &f, &o); /* fails if it were counted twice */
	assert_int_equal(o.verdict, PASS_MONITOR);
	assert_int_equal(o.would, DROP_NULL);
}

static void a_drop_is_not_counted_as_one_that_would_be(void **state)
{
	struct harness *h = *state;
	struct frame_spec spec = to_auto(false, 0, 0);
	struct outcome o;
	struct frame f;

	spec.dest = PORT_ALWAYS;
	frame_build(&f, &spec);
	set_policy(h, POLICY_MONITOR);
	harness_run(h, &f, &o);
	assert_int_equal(o.verdict, DROP_NULL);
	assert_int_equal(o.would, -1);
}

/* --- inline set-up: beside the host's --- */

static int set_up(void **state)
{
	if (harness_set_up(state))
		return -1;
	if (harness_set_up_inline(*state, &inlined))
		return -1;
	return 0;
}

static int tear_down(void **state)
{
	fastpath_free(inlined.fastpath);
	return harness_tear_down(state);
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flags_on_a_host),
		TEST(flags_inline),
		TEST(faults_on_a_host),
		TEST(faults_inline),
		TEST(a_watched_service_loses_nothing),
		TEST(a_drop_is_not_counted_as_one_that_would_be),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
