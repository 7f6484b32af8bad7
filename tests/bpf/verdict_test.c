// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every verdict of bpf/abi.h: what comes in, how it is judged, and that a packet which is passed or dropped
 * is left as it was. Rows for what one frame decides; a test each for what depends on sockets, flows and
 * time.
 */
#include <netinet/in.h>
#include <string.h>

#include "tests/bpf/harness.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define TO4(port)    .saddr = CLIENT4, .daddr = SERVER4, .source = 40000, .dest = (port)
#define TO6(port)    .saddr = CLIENT6, .daddr = SERVER6, .source = 40000, .dest = (port)
#define SYN4(port)   TO4(port), .flags = SYN
#define SYN6(port)   TO6(port), .flags = SYN
#define ACK4(port)   TO4(port), .flags = ACK
#define ACK6(port)   TO6(port), .flags = ACK

#define SYN_FROM4(address) .saddr = (address), .daddr = SERVER4, .dest = 80, .flags = SYN
#define SYN_FROM6(address) .saddr = (address), .daddr = SERVER6, .dest = 80, .flags = SYN

#define TCP_MD5 BYTES(19, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1, 1)
#define TCP_AO	BYTES(29, 16, 1, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
#define HELLO	BYTES('h', 'e', 'l', 'l', 'o')

/* Where the headers of an untagged frame without options begin. */
enum { IP = 14, TCP4 = 34, TCP6 = 54 };

struct row {
	const char *name;
	enum verdict verdict;
	uint32_t slot; /* that it is counted for; 0: SLOT_ALWAYS, or none where the verdict says so */
	int would;     /* with PASS_MONITOR; 0: nothing */
	void (*prepare)(struct harness *h);
	void (*mangle)(struct frame *frame);
	struct frame_spec frame;
};

/* --- mangling --- */

static void arp(struct frame *f)
{
	f->bytes[12] = 0x08;
	f->bytes[13] = 0x06;
}

static void cut_ip(struct frame *f)
{
	f->length = IP + 19;
}

static void cut_ethernet_vlan(struct frame *f)
{
	f->bytes[12] = 0x81;
	f->bytes[13] = 0x00;
	f->length = 17;
}

static void flip_ip_checksum(struct frame *f)
{
	f->bytes[IP + 10] ^= 1;
}

static void flip_tcp_checksum(struct frame *f)
{
	f->bytes[f->bytes[12] == 0x86 ? TCP6 + 17 : TCP4 + 17] ^= 1;
}

static void flip_last_byte(struct frame *f)
{
	f->bytes[f->length - 1] ^= 0x80;
}

static void low_ihl(struct frame *f)
{
	f->bytes[IP] = 0x44;
}

static void ihl_beyond_packet(struct frame *f)
{
	f->bytes[IP] = 0x4f;
}

static void low_doff(struct frame *f)
{
	f->bytes[f->bytes[12] == 0x86 ? TCP6 + 12 : TCP4 + 12] = 0x40;
}

static void doff_beyond_packet(struct frame *f)
{
	f->bytes[f->bytes[12] == 0x86 ? TCP6 + 12 : TCP4 + 12] = 0xf0;
}

static void longer_than_frame(struct frame *f)
{
	f->bytes[f->bytes[12] == 0x86 ? IP + 5 : IP + 3]++;
	frame_repair(f);
}

static void shorter_than_tcp(struct frame *f)
{
	f->bytes[f->bytes[12] == 0x86 ? IP + 5 : IP + 3] -= 1;
}

static void cut_tcp(struct frame *f)
{
	f->length -= 1;
}

static void no_payload_length(struct frame *f) /* as a jumbogram (RFC 2675) has it */
{
	f->bytes[IP + 4] = f->bytes[IP + 5] = 0;
}

/* --- preparing --- */

static void set_mode(struct harness *h, uint32_t slot, enum service_mode mode)
{
	h->services[slot].mode = (uint8_t)mode;
	harness_publish(h);
}

static void bypass(struct harness *h)
{
	h->runtime.bypass = 1;
	harness_publish(h);
}

static void mac_of_frames(struct harness *h)
{
	memcpy(h->runtime.mac, frame_server_mac, sizeof(frame_server_mac));
	harness_publish(h);
}

static void mac_of_another(struct harness *h)
{
	mac_of_frames(h);
	h->runtime.mac[2] ^= 0x0100;
	harness_publish(h);
}

static void always_is_off(struct harness *h)
{
	set_mode(h, SLOT_ALWAYS, MODE_OFF);
}

static void always_is_auto(struct harness *h)
{
	set_mode(h, SLOT_ALWAYS, MODE_AUTO);
}

static void always_is_monitor(struct harness *h)
{
	set_mode(h, SLOT_ALWAYS, MODE_MONITOR);
	fastpath_state(h->fastpath, SLOT_ALWAYS)->mitigation = MITIGATION_ACTIVE;
}

static void always_is_idle_monitor(struct harness *h)
{
	set_mode(h, SLOT_ALWAYS, MODE_MONITOR);
}

static void auto_active(struct harness *h)
{
	fastpath_state(h->fastpath, SLOT_AUTO)->mitigation = MITIGATION_ACTIVE;
}

static void auto_active_bypass(struct harness *h)
{
	auto_active(h);
	bypass(h);
}

static void auto_grace(struct harness *h)
{
	fastpath_state(h->fastpath, SLOT_AUTO)->mitigation = MITIGATION_GRACE;
}

static void off_active(struct harness *h)
{
	fastpath_state(h->fastpath, SLOT_OFF)->mitigation = MITIGATION_ACTIVE;
}

static void monitor_active(struct harness *h)
{
	fastpath_state(h->fastpath, SLOT_MONITOR)->mitigation = MITIGATION_ACTIVE;
}

static void monitor_active_bypass(struct harness *h)
{
	monitor_active(h);
	bypass(h);
}

static void no_budget(struct harness *h)
{
	h->runtime.lookups_per_s = 0;
	harness_publish(h);
}

/* --- rows --- */

#define ROW(text, judged, ...)                                                                               \
	{                                                                                                    \
		.name = text, .verdict = judged, .frame = { __VA_ARGS__ }                                    \
	}
#define MANGLED(text, judged, by, ...)                                                                       \
	{                                                                                                    \
		.name = text, .verdict = judged, .mangle = by, .frame = { __VA_ARGS__ }                      \
	}
#define STATE(text, judged, of, before, ...)                                                                 \
	{                                                                                                    \
		.name = text, .verdict = judged, .slot = of, .prepare = before, .frame = { __VA_ARGS__ }     \
	}
#define WOULD(text, have_been, of, before, ...)                                                              \
	{                                                                                                    \
		.name = text, .verdict = PASS_MONITOR, .would = have_been, .slot = of, .prepare = before,    \
		.frame = {                                                                                   \
			__VA_ARGS__                                                                          \
		}                                                                                            \
	}

#define EXT(kind, length)                                                                                    \
	{                                                                                                    \
		IPPROTO_##kind, length, 0                                                                    \
	}
#define FRAGMENT_HEADER(fragment)                                                                            \
	{                                                                                                    \
		IPPROTO_FRAGMENT, 8, fragment                                                                \
	}
#define HEADERS_7                                                                                            \
	EXT(HOPOPTS, 8), EXT(DSTOPTS, 8), EXT(ROUTING, 8), EXT(DSTOPTS, 8), EXT(DSTOPTS, 8),                 \
		EXT(DSTOPTS, 8), EXT(DSTOPTS, 8)

static const struct row not_ours[] = {
	MANGLED("ARP", PASS_NOT_IP, arp, SYN4(80)),
	MANGLED("IPv4 header cut short", PASS_NOT_IP, cut_ip, SYN4(80)),
	MANGLED("IPv6 header cut short", PASS_NOT_IP, cut_ip, SYN6(80)),
	MANGLED("VLAN tag cut short", PASS_NOT_IP, cut_ethernet_vlan, TO4(80)),
	ROW("UDP", PASS_NOT_TCP, TO4(80), .protocol = IPPROTO_UDP, .payload = HELLO),
	ROW("UDP in IPv6", PASS_NOT_TCP, TO6(80), .protocol = IPPROTO_UDP, .payload = HELLO),
	ROW("ICMPv6 behind extension headers", PASS_NOT_TCP, TO6(80), .protocol = IPPROTO_ICMPV6,
	    .payload = HELLO, .extensions = EXTENSIONS(EXT(HOPOPTS, 8))),
	ROW("UDP fragment", PASS_NOT_TCP, TO4(80), .protocol = IPPROTO_UDP, .payload = HELLO, .fragment = 8),
	ROW("UDP fragment in IPv6", PASS_NOT_TCP, TO6(80), .protocol = IPPROTO_UDP, .payload = HELLO,
	    .extensions = EXTENSIONS(FRAGMENT_HEADER(8))),
	ROW("port of no service", PASS_NO_SERVICE, SYN4(PORT_FREE)),
	ROW("port 0", PASS_NO_LISTENER, SYN4(0)),
	ROW("address of no service", PASS_NO_SERVICE, .saddr = CLIENT4, .daddr = "10.1.0.2", .source = 40000,
	    .dest = 80, .flags = SYN),
	ROW("address before all services", PASS_NO_SERVICE, .saddr = CLIENT4, .daddr = "10.1.0.0",
	    .source = 40000, .dest = 80, .flags = SYN),
	ROW("IPv6 address behind the service", PASS_NO_SERVICE, .saddr = CLIENT6,
	    .daddr = "fd00:1:0:1::", .source = 40000, .dest = 80, .flags = SYN),
	ROW("IPv6 address before the service", PASS_NO_SERVICE, .saddr = CLIENT6,
	    .daddr = "fd00:0:ffff:ffff:ffff:ffff:ffff:ffff", .source = 40000, .dest = 80),
	ROW("fragment to no service", PASS_NO_SERVICE, .saddr = CLIENT4, .daddr = "10.1.0.2", .source = 40000,
	    .dest = 80, .fragment = 8),
};

static const struct row stances[] = {
	STATE("off: SYN", PASS_OPEN, SLOT_OFF, NULL, SYN4(PORT_OFF)),
	STATE("off: RST", PASS_OPEN, SLOT_OFF, NULL, TO4(PORT_OFF), .flags = RST),
	STATE("off while it lasts: SYN", PASS_OPEN, SLOT_OFF, off_active, SYN4(PORT_OFF)),
	STATE("auto, idle: SYN", PASS_OPEN, SLOT_AUTO, NULL, SYN4(PORT_AUTO)),
	STATE("auto, idle: NULL", PASS_OPEN, SLOT_AUTO, NULL, TO4(PORT_AUTO)),
	STATE("auto, active: SYN", TX_SYNACK, SLOT_AUTO, auto_active, SYN4(PORT_AUTO)),
	STATE("auto, active: ACK", DROP_BAD_COOKIE, SLOT_AUTO, auto_active, ACK4(PORT_AUTO)),
	STATE("auto, grace: SYN", PASS_OPEN, SLOT_AUTO, auto_grace, SYN4(PORT_AUTO)),
	STATE("auto, grace: ACK", PASS_OPEN, SLOT_AUTO, auto_grace, ACK4(PORT_AUTO)),
	STATE("auto, bypass: SYN", PASS_OPEN, SLOT_AUTO, auto_active_bypass, SYN4(PORT_AUTO)),
	STATE("auto, bypass: NULL", PASS_OPEN, SLOT_AUTO, auto_active_bypass, TO4(PORT_AUTO)),
	STATE("our MAC address", TX_SYNACK, SLOT_ALWAYS, mac_of_frames, SYN4(80)),
	STATE("another machine's MAC address", PASS_OTHER_HOST, SLOT_ALWAYS, mac_of_another, SYN4(80)),
	STATE("bypass: SYN", PASS_OPEN, SLOT_ALWAYS, bypass, SYN4(80)),
	STATE("bypass: ACK", PASS_OPEN, SLOT_ALWAYS, bypass, ACK4(80)),
	STATE("bypass: fragment", PASS_OPEN, SLOT_ALWAYS, bypass, SYN4(80), .fragment = FRAME_MF),
	{ .name = "bypass: malformed",
	  .verdict = PASS_OPEN,
	  .slot = SLOT_ALWAYS,
	  .prepare = bypass,
	  .mangle = low_doff,
	  .frame = { SYN4(80) } },
	STATE("auto, idle: fragment", PASS_OPEN, SLOT_ALWAYS, always_is_auto, SYN4(80), .fragment = 8),
	{ .name = "off: malformed",
	  .verdict = PASS_OPEN,
	  .slot = SLOT_ALWAYS,
	  .prepare = always_is_off,
	  .mangle = low_doff,
	  .frame = { SYN4(80) } },
};

static const struct row monitored[] = {
	WOULD("idle: SYN", 0, SLOT_MONITOR, NULL, SYN4(PORT_MONITOR)),
	WOULD("SYN", TX_SYNACK, SLOT_MONITOR, monitor_active, SYN4(PORT_MONITOR)),
	WOULD("SYN in IPv6", TX_SYNACK, SLOT_MONITOR, monitor_active, SYN6(PORT_MONITOR)),
	WOULD("bypass: SYN", 0, SLOT_MONITOR, monitor_active_bypass, SYN4(PORT_MONITOR)),
	WOULD("ACK", DROP_BAD_COOKIE, SLOT_MONITOR, monitor_active, ACK4(PORT_MONITOR)),
	WOULD("NULL", DROP_NULL, SLOT_MONITOR, monitor_active, TO4(PORT_MONITOR)),
	{ .name = "bad checksum",
	  .verdict = PASS_MONITOR,
	  .would = DROP_BAD_CHECKSUM,
	  .slot = SLOT_MONITOR,
	  .prepare = monitor_active,
	  .mangle = flip_tcp_checksum,
	  .frame = { SYN4(PORT_MONITOR) } },
	WOULD("TCP-MD5", DROP_TCP_AUTH, SLOT_MONITOR, monitor_active, SYN4(PORT_MONITOR), .options = TCP_MD5),
	WOULD("fragment", DROP_FRAGMENT, SLOT_ALWAYS, always_is_monitor, SYN4(80), .fragment = 8),
	{ .name = "malformed",
	  .verdict = PASS_MONITOR,
	  .would = DROP_MALFORMED,
	  .slot = SLOT_ALWAYS,
	  .prepare = always_is_monitor,
	  .mangle = low_doff,
	  .frame = { SYN4(80) } },
	WOULD("idle: fragment", 0, SLOT_ALWAYS, always_is_idle_monitor, SYN4(80), .fragment = 8),
	{ .name = "idle: malformed",
	  .verdict = PASS_MONITOR,
	  .would = 0,
	  .slot = SLOT_ALWAYS,
	  .prepare = always_is_idle_monitor,
	  .mangle = low_doff,
	  .frame = { SYN4(80) } },
};

static const struct row syns[] = {
	ROW("SYN", TX_SYNACK, SYN4(80)),
	ROW("SYN in IPv6", TX_SYNACK, SYN6(80)),
	ROW("SYN with payload", TX_SYNACK, SYN4(80), .payload = HELLO),
	ROW("SYN+PSH+URG", TX_SYNACK, TO4(80), .flags = SYN | PSH | URG),
	ROW("nobody listens", PASS_NO_LISTENER, SYN4(PORT_CLOSED)),
	ROW("nobody listens on IPv6", PASS_NO_LISTENER, SYN6(PORT_CLOSED)),
	ROW("SYN+FIN", DROP_BAD_FLAGS, TO4(80), .flags = SYN | FIN),
	ROW("SYN+RST", DROP_BAD_FLAGS, TO6(80), .flags = SYN | RST),
	ROW("all but ACK", DROP_BAD_FLAGS, TO4(80), .flags = SYN | FIN | RST | PSH | URG),
	ROW("TCP-MD5", DROP_TCP_AUTH, SYN4(80), .options = TCP_MD5),
	ROW("TCP-AO", DROP_TCP_AUTH, SYN6(80), .options = TCP_AO),
	STATE("TCP-MD5 allowed", PASS_TCP_AUTH, SLOT_AUTH, NULL, SYN4(PORT_AUTH), .options = TCP_MD5),
	STATE("TCP-AO allowed", PASS_TCP_AUTH, SLOT_AUTH, NULL, SYN6(PORT_AUTH), .options = TCP_AO),
	MANGLED("IPv4 checksum", DROP_BAD_CHECKSUM, flip_ip_checksum, SYN4(80)),
	MANGLED("IPv4 checksum with options", DROP_BAD_CHECKSUM, flip_ip_checksum, SYN4(80),
		.ip_options = BYTES(148, 4, 0, 0)),
	MANGLED("TCP checksum", DROP_BAD_CHECKSUM, flip_tcp_checksum, SYN4(80)),
	MANGLED("TCP checksum in IPv6", DROP_BAD_CHECKSUM, flip_tcp_checksum, SYN6(80)),
	MANGLED("TCP checksum, Linux", DROP_BAD_CHECKSUM, flip_tcp_checksum, SYN4(80),
		.options = LINUX_OPTIONS),
	MANGLED("TCP checksum over payload", DROP_BAD_CHECKSUM, flip_last_byte, SYN4(80), .payload = HELLO),
	MANGLED("TCP checksum over payload in IPv6", DROP_BAD_CHECKSUM, flip_last_byte, SYN6(80),
		.payload = HELLO),
};

static const struct row sources[] = {
	ROW("0.0.0.0", DROP_BAD_SOURCE, SYN_FROM4("0.0.0.0")),
	ROW("0.1.2.3", DROP_BAD_SOURCE, SYN_FROM4("0.1.2.3")),
	ROW("127.0.0.1", DROP_BAD_SOURCE, SYN_FROM4("127.0.0.1")),
	ROW("127.255.255.255", DROP_BAD_SOURCE, SYN_FROM4("127.255.255.255")),
	ROW("224.0.0.1", DROP_BAD_SOURCE, SYN_FROM4("224.0.0.1")),
	ROW("239.255.255.255", DROP_BAD_SOURCE, SYN_FROM4("239.255.255.255")),
	ROW("240.0.0.1", DROP_BAD_SOURCE, SYN_FROM4("240.0.0.1")),
	ROW("255.255.255.255", DROP_BAD_SOURCE, SYN_FROM4("255.255.255.255")),
	ROW("::", DROP_BAD_SOURCE, SYN_FROM6("::")),
	ROW("::1", DROP_BAD_SOURCE, SYN_FROM6("::1")),
	ROW("ff02::1", DROP_BAD_SOURCE, SYN_FROM6("ff02::1")),
	ROW("ffff::", DROP_BAD_SOURCE, SYN_FROM6("ffff::")),
	ROW("land", DROP_LAND, SYN_FROM4(SERVER4)),
	ROW("land, IPv6", DROP_LAND, SYN_FROM6(SERVER6)),
	ROW("::ffff:1.2.3.4", DROP_BAD_SOURCE, SYN_FROM6("::ffff:1.2.3.4")),
	ROW("::fffe:1.2.3.4", TX_SYNACK, SYN_FROM6("::fffe:102:304")),
	ROW("1.0.0.0", TX_SYNACK, SYN_FROM4("1.0.0.0")),
	ROW("126.255.255.255", TX_SYNACK, SYN_FROM4("126.255.255.255")),
	ROW("128.0.0.1", TX_SYNACK, SYN_FROM4("128.0.0.1")),
	ROW("223.255.255.255", TX_SYNACK, SYN_FROM4("223.255.255.255")),
	ROW("::2", TX_SYNACK, SYN_FROM6("::2")),
	ROW("1::", TX_SYNACK, SYN_FROM6("1::")),
	ROW("fe80::1", TX_SYNACK, SYN_FROM6("fe80::1")),
	ROW("2001:db8::1", TX_SYNACK, SYN_FROM6("2001:db8::1")),
};

static const struct row segments[] = {
	ROW("ACK", DROP_BAD_COOKIE, ACK4(80)),
	ROW("ACK in IPv6", DROP_BAD_COOKIE, ACK6(80)),
	ROW("ACK with payload", DROP_BAD_COOKIE, TO4(80), .flags = ACK | PSH, .payload = HELLO),
	ROW("ACK+URG", DROP_BAD_COOKIE, TO4(80), .flags = ACK | URG),
	ROW("SYN+ACK", DROP_STRAY_SYNACK, TO4(80), .flags = SYN | ACK),
	ROW("RST", DROP_STRAY_RST, TO4(80), .flags = RST),
	ROW("RST+ACK", DROP_STRAY_RST, TO6(80), .flags = RST | ACK),
	ROW("FIN", DROP_BARE_FIN, TO4(80), .flags = FIN),
	ROW("FIN+ACK", DROP_STRAY_FIN, TO4(80), .flags = FIN | ACK),
	ROW("NULL", DROP_NULL, TO4(80)),
	ROW("NULL in IPv6", DROP_NULL, TO6(80)),
	ROW("XMAS", DROP_XMAS, TO4(80), .flags = FIN | PSH | URG),
	ROW("URG", DROP_URG, TO4(80), .flags = URG),
	ROW("all flags", DROP_BAD_FLAGS, TO4(80), .flags = 0xff),
	ROW("nobody listens", PASS_NO_LISTENER, ACK4(PORT_CLOSED)),
	STATE("lookup budget", DROP_LOOKUP_BUDGET, SLOT_ALWAYS, no_budget, ACK4(80)),
	STATE("lookup budget, RST", DROP_LOOKUP_BUDGET, SLOT_ALWAYS, no_budget, TO6(80), .flags = RST),
};

static const struct row fragments[] = {
	ROW("first", DROP_FRAGMENT, SYN4(80), .fragment = FRAME_MF),
	ROW("later", DROP_FRAGMENT, SYN4(80), .fragment = FRAME_MF | 8),
	ROW("last", DROP_FRAGMENT, SYN4(80), .fragment = 8),
	ROW("last, DF", DROP_FRAGMENT, SYN4(80), .fragment = FRAME_DF | 8),
	ROW("reserved bit", TX_SYNACK, SYN4(80), .fragment = 0x8000),
	ROW("first, IPv6", DROP_FRAGMENT, SYN6(80), .extensions = EXTENSIONS(FRAGMENT_HEADER(1))),
	ROW("later, IPv6", DROP_FRAGMENT, SYN6(80), .extensions = EXTENSIONS(FRAGMENT_HEADER(9))),
	ROW("last, IPv6", DROP_FRAGMENT, SYN6(80), .extensions = EXTENSIONS(FRAGMENT_HEADER(8))),
	ROW("atomic, IPv6", TX_SYNACK, SYN6(80), .extensions = EXTENSIONS(FRAGMENT_HEADER(0))),
	ROW("reserved bits, IPv6", TX_SYNACK, SYN6(80), .extensions = EXTENSIONS(FRAGMENT_HEADER(6))),
	ROW("behind other headers", DROP_FRAGMENT, SYN6(80),
	    .extensions = EXTENSIONS(EXT(HOPOPTS, 16), FRAGMENT_HEADER(1))),
	ROW("first, headers inside", DROP_FRAGMENT, SYN6(80),
	    .extensions = EXTENSIONS(FRAGMENT_HEADER(1), EXT(DSTOPTS, 8))),
	ROW("later, headers inside", DROP_FRAGMENT, SYN6(80),
	    .extensions = EXTENSIONS(FRAGMENT_HEADER(9), EXT(DSTOPTS, 8))),
	ROW("port of no service", DROP_FRAGMENT, SYN4(PORT_FREE), .fragment = FRAME_MF),
};

static const struct row malformed[] = {
	MANGLED("ihl 4", DROP_MALFORMED, low_ihl, SYN4(80)),
	MANGLED("ihl beyond the packet", DROP_MALFORMED, ihl_beyond_packet, SYN4(80)),
	MANGLED("doff 4", DROP_MALFORMED, low_doff, SYN4(80)),
	MANGLED("doff 4 in IPv6", DROP_MALFORMED, low_doff, ACK6(80)),
	MANGLED("doff beyond the packet", DROP_MALFORMED, doff_beyond_packet, SYN4(80)),
	MANGLED("doff beyond, in the trailer", DROP_MALFORMED, doff_beyond_packet, SYN4(80), .trailer = 60),
	MANGLED("doff beyond, IPv6", DROP_MALFORMED, doff_beyond_packet, ACK6(80), .trailer = 60),
	MANGLED("longer than the frame", DROP_MALFORMED, longer_than_frame, SYN4(80)),
	MANGLED("longer than the frame, IPv6", DROP_MALFORMED, longer_than_frame, ACK6(80)),
	MANGLED("shorter than TCP", DROP_MALFORMED, shorter_than_tcp, SYN4(80)),
	MANGLED("shorter than TCP, IPv6", DROP_MALFORMED, shorter_than_tcp, SYN6(80)),
	MANGLED("frame cut in TCP", DROP_MALFORMED, cut_tcp, SYN4(80)),
	MANGLED("frame cut in options", DROP_MALFORMED, cut_tcp, SYN4(80), .options = LINUX_OPTIONS),
	MANGLED("no length, IPv6", DROP_MALFORMED, no_payload_length, SYN6(80)),
	ROW("eight extension headers", TX_SYNACK, SYN6(80),
	    .extensions = EXTENSIONS(HEADERS_7, EXT(DSTOPTS, 8))),
	ROW("nine extension headers", DROP_MALFORMED, SYN6(80),
	    .extensions = EXTENSIONS(HEADERS_7, EXT(DSTOPTS, 8), EXT(DSTOPTS, 8))),
	ROW("extension headers of 1,200 bytes", DROP_MALFORMED, SYN6(80),
	    .extensions = EXTENSIONS(EXT(DSTOPTS, 1200))),
	ROW("SYN in the trailer", TX_SYNACK, SYN4(80), .trailer = 6),
};

/* --- running a row --- */

/* Slot 0 counts what belongs to no service. */
static uint32_t slot_of(const struct row *row)
{
	if (row->verdict <= PASS_NO_SERVICE)
		return SERVICE_NONE;
	return row->slot ? row->slot : SLOT_ALWAYS;
}

static void run_row(struct harness *h, const struct row *row)
{
	int would = row->would ? row->would : -1;
	struct outcome o;
	struct frame f;

	if (row->prepare)
		row->prepare(h);
	frame_build(&f, &row->frame);
	if (row->mangle)
		row->mangle(&f);
	harness_expect(h, row->name, &f, row->verdict, &o);
	if (o.slot != slot_of(row))
		fail_msg("%s: counted for service %u, not %u", row->name, o.slot, slot_of(row));
	if (o.would != would)
		fail_msg("%s: would be %s, not %s", row->name, harness_verdict_word(o.would),
			 harness_verdict_word(would));
	if (row->prepare)
		harness_reset((void **)&h);
}

#define RUN_ROWS(table)                                                                                      \
	static void rows_##table(void **state)                                                               \
	{                                                                                                    \
		for (size_t i = 0; i < COUNT(table); i++)                                                    \
			run_row(*state, &table[i]);                                                          \
	}

RUN_ROWS(not_ours)
RUN_ROWS(stances)
RUN_ROWS(monitored)
RUN_ROWS(syns)
RUN_ROWS(sources)
RUN_ROWS(segments)
RUN_ROWS(fragments)
RUN_ROWS(malformed)

/* --- SYNs are counted, whatever becomes of them --- */

static void syns_are_counted(void **state)
{
	static const struct {
		struct frame_spec frame;
		uint64_t syns;
	} rows[] = {
		{ { TO4(80), .flags = SYN }, 1 },	    { { TO4(PORT_OFF), .flags = SYN }, 1 },
		{ { TO4(PORT_MONITOR), .flags = SYN }, 1 }, { { TO4(80), .flags = SYN | FIN }, 1 },
		{ { TO4(80), .flags = SYN | ACK }, 0 },	    { { TO4(80), .flags = ACK }, 0 },
		{ { TO4(PORT_FREE), .flags = SYN }, 0 },
	};
	struct outcome o;
	struct frame f;

	for (size_t i = 0; i < COUNT(rows); i++) {
		frame_build(&f, &rows[i].frame);
		harness_run(*state, &f, &o);
		assert_int_equal(o.syns, rows[i].syns);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_not_ours),  TEST(rows_stances),   TEST(rows_monitored),
		TEST(rows_syns),      TEST(rows_sources),   TEST(rows_segments),
		TEST(rows_fragments), TEST(rows_malformed), TEST(syns_are_counted),
	};

	return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
