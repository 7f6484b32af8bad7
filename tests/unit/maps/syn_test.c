// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames that the daemon owes a server: our SYN with all options or none, the RST of a half-open, over IPv4
 * and IPv6, with no, one and two VLAN tags; and a probe of a client. Checksums are verified by a sum of their
 * own.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/maps/syn.h"

#define TAG_C(tci) 0x81, 0x00, (tci) >> 8, (tci)&255
#define TAG_S(tci) 0x88, 0xa8, (tci) >> 8, (tci)&255

static const struct row {
	const char *name;
	bool v6;
	uint32_t owed, flags;
	uint8_t wscale;
	uint8_t tags[8];      /* as on the wire */
	size_t ethernet, tcp; /* lengths */
} rows[] = {
	{ "bare", false, OWED_SYN, 0, 15, { 0 }, 14, 24 },
	{ "all options", false, OWED_SYN, CONNECTION_SACK | CONNECTION_TIMESTAMPS, 7, { 0 }, 14, 40 },
	{ "one tag", false, OWED_SYN, CONNECTION_SACK, 7, { TAG_C(0x6123) }, 18, 32 },
	{ "two tags", false, OWED_SYN, 0, 2, { TAG_S(7), TAG_C(42) }, 22, 28 },
	{ "RST", false, OWED_HALF_OPEN, 0, 15, { TAG_C(1) }, 18, 20 },
	{ "v6", true, OWED_SYN, 0, 15, { 0 }, 14, 24 },
	{ "v6, all",
	  true,
	  OWED_SYN,
	  CONNECTION_SACK | CONNECTION_TIMESTAMPS,
	  14,
	  { TAG_S(4095), TAG_C(1) },
	  22,
	  40 },
};

static uint32_t sum(const uint8_t *bytes, size_t size, uint32_t so_far)
{
	for (size_t i = 0; i < size; i++)
		so_far += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return so_far;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static struct pending make(const struct row *row)
{
	struct pending p = {
		.tuple = { .client_port = htons(40000), .server_port = htons(443), .v6 = row->v6 }
	};

	inet_pton(AF_INET6, row->v6 ? "2001:db8::c" : "::ffff:192.0.2.12", p.tuple.client);
	inet_pton(AF_INET6, row->v6 ? "2001:db8::5" : "::ffff:198.51.100.5", p.tuple.server);
	p.owed = row->owed;
	p.connection.flags = row->flags;
	p.connection.client_wscale = row->wscale;
	p.connection.client_isn = 0xfffffffe;
	p.connection.client_mss = 1400;
	memcpy(p.connection.tags, row->tags, sizeof(row->tags));
	memset(p.connection.hop[PORT_INSIDE].to, 0xaa, 6);
	memset(p.connection.hop[PORT_INSIDE].from, 0xbb, 6);
	return p;
}

static void check_ethernet(const struct row *row, const uint8_t *frame)
{
	static const uint8_t macs[] = {
		0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb
	};
	uint16_t type = htons(row->v6 ? 0x86dd : 0x0800);

	assert_memory_equal(frame, macs, sizeof(macs));
	assert_memory_equal(frame + 12, row->tags, row->ethernet - 14);
	assert_memory_equal(frame + row->ethernet - 2, &type, 2);
}

static void check_packet(const struct row *row, const uint8_t *ip)
{
	const uint8_t *tcp = ip + (row->v6 ? 40 : 20), *addresses = ip + (row->v6 ? 8 : 12);
	uint32_t pseudo = sum(addresses, row->v6 ? 32 : 8, IPPROTO_TCP + (uint32_t)row->tcp);

	if (!row->v6)
		assert_int_equal(folded(sum(ip, 20, 0)), 0xffff);
	assert_int_equal(row->v6 ? (ip[4] << 8 | ip[5]) + 40 : ip[2] << 8 | ip[3],
			 (row->v6 ? 40 : 20) + (int)row->tcp);
	assert_int_equal(folded(sum(tcp, row->tcp, pseudo)), 0xffff);
	assert_int_equal(tcp[12] >> 4, row->tcp / 4);
	assert_int_equal(tcp[13], row->owed == OWED_SYN ? 0x02 : 0x04);
	assert_int_equal(tcp[7], row->owed == OWED_SYN ? 0xfe : 0xff);
}

static void frames_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];
		struct pending pending = make(row);
		uint8_t frame[SYN_FRAME_MAX];

		print_message("%s\n", row->name);
		assert_int_equal(syn_write(&pending, frame), row->ethernet + (row->v6 ? 40 : 20) + row->tcp);
		check_ethernet(row, frame);
		check_packet(row, frame + row->ethernet);
	}
}

/* An ACK just below the client's window, in the numbers that it knows, and back the way it came. */
static void probe_goes_to_the_client(void **state)
{
	static const uint8_t macs[] = {
		0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd
	};
	static const uint8_t addresses[] = { 198, 51, 100, 5, 192, 0, 2, 12 };
	static const uint8_t tcp[] = { 0x01, 0xbb, 0x9c, 0x40, 0x12, 0x34, 0x56, 0x78,
				       0xff, 0xff, 0xff, 0xff, 0x50, 0x10, 0x00, 0x07 };
	struct pending pending = make(&rows[2]);
	uint8_t frame[SYN_FRAME_MAX];

	(void)state;
	pending.owed = OWED_PROBE;
	pending.connection.acked = 0x12000000;
	pending.connection.delta = 0x345679;
	pending.connection.client_next = 0xffffffff;
	pending.connection.server_window = 7;
	memset(pending.connection.hop[PORT_OUTSIDE].to, 0xcc, 6);
	memset(pending.connection.hop[PORT_OUTSIDE].from, 0xdd, 6);
	assert_true(syn_goes_outside(&pending));
	assert_int_equal(syn_write(&pending, frame), 18 + 20 + 20);
	assert_memory_equal(frame, macs, sizeof(macs));
	assert_memory_equal(frame + 12, rows[2].tags, 4);
	assert_memory_equal(frame + 18 + 12, addresses, sizeof(addresses));
	assert_memory_equal(frame + 38, tcp, sizeof(tcp));
	assert_int_equal(folded(sum(frame + 38, 20, sum(frame + 30, 8, IPPROTO_TCP + 20))), 0xffff);

	/* a RST has the number that the client knows */
	pending.owed = OWED_END_CLIENT;
	pending.connection.server_next = 0xfffffff0;
	pending.connection.delta = 0x20;
	assert_true(syn_goes_outside(&pending));
	assert_int_equal(syn_write(&pending, frame), 18 + 20 + 20);
	assert_memory_equal(frame + 38 + 4, "\0\0\0\x10\0\0\0\0\x50\x04\0\0", 12);
	assert_int_equal(folded(sum(frame + 38, 20, sum(frame + 30, 8, IPPROTO_TCP + 20))), 0xffff);
}

static void no_frame_to_nowhere(void **state)
{
	struct pending pending = make(&rows[0]);
	uint8_t frame[SYN_FRAME_MAX];

	(void)state;
	memset(pending.connection.hop[PORT_INSIDE].to, 0, 6);
	assert_int_equal(syn_write(&pending, frame), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_whole),
		cmocka_unit_test(probe_goes_to_the_client),
		cmocka_unit_test(no_frame_to_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
