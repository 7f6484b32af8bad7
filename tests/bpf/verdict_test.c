// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every verdict of bpf/abi.h: what comes in, how it is judged, and that a packet which is passed or dropped
 * is left as it was. Rows for what one frame decides; a test each for what depends on sockets, flows and
 * time.
 */
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "tests/bpf/harness.h"
#include "tests/bpf/wire.h"

#define COUNT(array)		    (sizeof(array) / sizeof(*(array)))
#define TO4(port)		    .saddr = CLIENT4, .daddr = SERVER4, .source = 40000, .dest = (port)
#define TO6(port)		    .saddr = CLIENT6, .daddr = SERVER6, .source = 40000, .dest = (port)
#define FROM(address, server, port) .saddr = address, .daddr = server, .source = 40000, .dest = (port)
#define LINUX_OPTIONS		    BYTES(2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7)
#define TCP_MD5			    BYTES(19, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1, 1)
#define TCP_AO			    BYTES(29, 16, 1, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
#define HELLO			    BYTES('h', 'e', 'l', 'l', 'o')

/* Where the headers of an untagged frame without options begin. */
enum { IP = 14, TCP4 = 34, TCP6 = 54 };

struct row {
	const char *name;
	struct frame_spec frame;
	enum verdict verdict;
	void (*mangle)(struct frame *frame);
	void (*prepare)(struct harness *h);
	uint32_t slot;	    /* 0: the verdict is DROP or TX of SLOT_ALWAYS, or the row says NO_SLOT */
	enum verdict would; /* with PASS_MONITOR */
};

#define NO_SLOT SLOT_COUNT

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

#define EXT(kind, length)                                                                                    \
	{                                                                                                    \
		IPPROTO_##kind, length, 0                                                                    \
	}
#define HEADERS_7                                                                                            \
	EXT(HOPOPTS, 8), EXT(DSTOPTS, 8), EXT(ROUTING, 8), EXT(DSTOPTS, 8), EXT(DSTOPTS, 8),                 \
		EXT(DSTOPTS, 8), EXT(DSTOPTS, 8)
#define FRAGMENT_HEADER(fragment)                                                                            \
	{                                                                                                    \
		IPPROTO_FRAGMENT, 8, fragment                                                                \
	}

static const struct row not_ours[] = {
	{ "ARP", { TO4(80), .flags = SYN }, PASS_NOT_IP, arp, NULL, NO_SLOT, 0 },
	{ "IPv4 header cut short", { TO4(80), .flags = SYN }, PASS_NOT_IP, cut_ip, NULL, NO_SLOT, 0 },
	{ "IPv6 header cut short", { TO6(80), .flags = SYN }, PASS_NOT_IP, cut_ip, NULL, NO_SLOT, 0 },
	{ "VLAN tag cut short", { TO4(80) }, PASS_NOT_IP, cut_ethernet_vlan, NULL, NO_SLOT, 0 },
	{ "UDP",
	  { TO4(80), .protocol = IPPROTO_UDP, .payload = HELLO },
	  PASS_NOT_TCP,
	  NULL,
	  NULL,
	  NO_SLOT,
	  0 },
	{ "UDP in IPv6",
	  { TO6(80), .protocol = IPPROTO_UDP, .payload = HELLO },
	  PASS_NOT_TCP,
	  NULL,
	  NULL,
	  NO_SLOT,
	  0 },
	{ "ICMPv6 behind extension headers",
	  { TO6(80), .protocol = IPPROTO_ICMPV6, .payload = HELLO,
	    .extensions = EXTENSIONS(EXT(HOPOPTS, 8)) },
	  PASS_NOT_TCP,
	  NULL,
	  NULL,
	  NO_SLOT,
	  0 },
	{ "UDP fragment",
	  { TO4(80), .protocol = IPPROTO_UDP, .payload = HELLO, .fragment = 8 },
	  PASS_NOT_TCP,
	  NULL,
	  NULL,
	  NO_SLOT,
	  0 },
	{ "UDP fragment in IPv6",
	  { TO6(80), .protocol = IPPROTO_UDP, .payload = HELLO,
	    .extensions = EXTENSIONS(FRAGMENT_HEADER(8)) },
	  PASS_NOT_TCP,
	  NULL,
	  NULL,
	  NO_SLOT,
	  0 },
	{ "port of no service", { TO4(PORT_FREE), .flags = SYN }, PASS_NO_SERVICE, NULL, NULL, NO_SLOT, 0 },
	{ "port 0", { TO4(0), .flags = SYN }, DROP_MALFORMED, NULL, NULL, SLOT_ALWAYS, 0 },
	{ "address of no service",
	  { FROM(CLIENT4, "10.1.0.2", 80), .flags = SYN },
	  PASS_NO_SERVICE,
	  NULL,
	  NULL,
	  NO_SLOT,
	  0 },
	{ "address before all services",
	  { FROM(CLIENT4, "10.1.0.0", 80), .flags = SYN },
	  PASS_NO_SERVICE,
	  NULL,
	  NULL,
	  NO_SLOT,
	  0 },
	{ "IPv6 address behind the service",
	  { FROM(CLIENT6, "fd00:1:0:1::", 80), .flags = SYN },
	  PASS_NO_SERVICE,
	  NULL,
	  NULL,
	  NO_SLOT,
	  0 },
	{ "IPv6 address before the service",
	  { FROM(CLIENT6, "fd00:0:ffff:ffff:ffff:ffff:ffff:ffff", 80) },
	  PASS_NO_SERVICE,
	  NULL,
	  NULL,
	  NO_SLOT,
	  0 },
	{ "fragment to no service",
	  { FROM(CLIENT4, "10.1.0.2", 80), .fragment = 8 },
	  PASS_NO_SERVICE,
	  NULL,
	  NULL,
	  NO_SLOT,
	  0 },
};

static const struct row stances[] = {
	{ "off: SYN", { TO4(PORT_OFF), .flags = SYN }, PASS_OPEN, NULL, NULL, SLOT_OFF, 0 },
	{ "off: RST", { TO4(PORT_OFF), .flags = RST }, PASS_OPEN, NULL, NULL, SLOT_OFF, 0 },
	{ "off while it lasts: SYN",
	  { TO4(PORT_OFF), .flags = SYN },
	  PASS_OPEN,
	  NULL,
	  off_active,
	  SLOT_OFF,
	  0 },
	{ "auto, idle: SYN", { TO4(PORT_AUTO), .flags = SYN }, PASS_OPEN, NULL, NULL, SLOT_AUTO, 0 },
	{ "auto, idle: NULL", { TO4(PORT_AUTO) }, PASS_OPEN, NULL, NULL, SLOT_AUTO, 0 },
	{ "auto, active: SYN", { TO4(PORT_AUTO), .flags = SYN }, TX_SYNACK, NULL, auto_active, SLOT_AUTO, 0 },
	{ "auto, active: ACK",
	  { TO4(PORT_AUTO), .flags = ACK },
	  DROP_BAD_COOKIE,
	  NULL,
	  auto_active,
	  SLOT_AUTO,
	  0 },
	{ "auto, grace: SYN", { TO4(PORT_AUTO), .flags = SYN }, PASS_OPEN, NULL, auto_grace, SLOT_AUTO, 0 },
	{ "auto, grace: ACK", { TO4(PORT_AUTO), .flags = ACK }, PASS_OPEN, NULL, auto_grace, SLOT_AUTO, 0 },
	{ "auto, bypass: SYN",
	  { TO4(PORT_AUTO), .flags = SYN },
	  PASS_OPEN,
	  NULL,
	  auto_active_bypass,
	  SLOT_AUTO,
	  0 },
	{ "auto, bypass: NULL", { TO4(PORT_AUTO) }, PASS_OPEN, NULL, auto_active_bypass, SLOT_AUTO, 0 },
	{ "bypass: SYN", { TO4(80), .flags = SYN }, PASS_OPEN, NULL, bypass, SLOT_ALWAYS, 0 },
	{ "bypass: ACK", { TO4(80), .flags = ACK }, PASS_OPEN, NULL, bypass, SLOT_ALWAYS, 0 },
	{ "bypass: fragment",
	  { TO4(80), .flags = SYN, .fragment = FRAME_MF },
	  PASS_OPEN,
	  NULL,
	  bypass,
	  SLOT_ALWAYS,
	  0 },
	{ "bypass: malformed", { TO4(80), .flags = SYN }, PASS_OPEN, low_doff, bypass, SLOT_ALWAYS, 0 },
	{ "auto, idle: fragment",
	  { TO4(80), .flags = SYN, .fragment = 8 },
	  PASS_OPEN,
	  NULL,
	  always_is_auto,
	  SLOT_ALWAYS,
	  0 },
	{ "off: malformed", { TO4(80), .flags = SYN }, PASS_OPEN, low_doff, always_is_off, SLOT_ALWAYS, 0 },
};

static const struct row monitored[] = {
	{ "idle: SYN",
	  { TO4(PORT_MONITOR), .flags = SYN },
	  PASS_MONITOR,
	  NULL,
	  NULL,
	  SLOT_MONITOR,
	  PASS_OPEN },
	{ "SYN",
	  { TO4(PORT_MONITOR), .flags = SYN },
	  PASS_MONITOR,
	  NULL,
	  monitor_active,
	  SLOT_MONITOR,
	  TX_SYNACK },
	{ "SYN in IPv6",
	  { TO6(PORT_MONITOR), .flags = SYN },
	  PASS_MONITOR,
	  NULL,
	  monitor_active,
	  SLOT_MONITOR,
	  TX_SYNACK },
	{ "bypass: SYN",
	  { TO4(PORT_MONITOR), .flags = SYN },
	  PASS_MONITOR,
	  NULL,
	  monitor_active_bypass,
	  SLOT_MONITOR,
	  PASS_OPEN },
	{ "ACK",
	  { TO4(PORT_MONITOR), .flags = ACK },
	  PASS_MONITOR,
	  NULL,
	  monitor_active,
	  SLOT_MONITOR,
	  DROP_BAD_COOKIE },
	{ "NULL", { TO4(PORT_MONITOR) }, PASS_MONITOR, NULL, monitor_active, SLOT_MONITOR, DROP_STRAY },
	{ "bad checksum",
	  { TO4(PORT_MONITOR), .flags = SYN },
	  PASS_MONITOR,
	  flip_tcp_checksum,
	  monitor_active,
	  SLOT_MONITOR,
	  DROP_BAD_CHECKSUM },
	{ "TCP-MD5",
	  { TO4(PORT_MONITOR), .flags = SYN, .options = TCP_MD5 },
	  PASS_MONITOR,
	  NULL,
	  monitor_active,
	  SLOT_MONITOR,
	  DROP_TCP_AUTH },
	{ "fragment",
	  { TO4(80), .flags = SYN, .fragment = 8 },
	  PASS_MONITOR,
	  NULL,
	  always_is_monitor,
	  SLOT_ALWAYS,
	  DROP_FRAGMENT },
	{ "malformed",
	  { TO4(80), .flags = SYN },
	  PASS_MONITOR,
	  low_doff,
	  always_is_monitor,
	  SLOT_ALWAYS,
	  DROP_MALFORMED },
	{ "idle: fragment",
	  { TO4(80), .flags = SYN, .fragment = 8 },
	  PASS_MONITOR,
	  NULL,
	  always_is_idle_monitor,
	  SLOT_ALWAYS,
	  PASS_OPEN },
	{ "idle: malformed",
	  { TO4(80), .flags = SYN },
	  PASS_MONITOR,
	  low_doff,
	  always_is_idle_monitor,
	  SLOT_ALWAYS,
	  PASS_OPEN },
};

static const struct row syns[] = {
	{ "SYN", { TO4(80), .flags = SYN }, TX_SYNACK, NULL, NULL, 0, 0 },
	{ "SYN in IPv6", { TO6(80), .flags = SYN }, TX_SYNACK, NULL, NULL, 0, 0 },
	{ "SYN with payload", { TO4(80), .flags = SYN, .payload = HELLO }, TX_SYNACK, NULL, NULL, 0, 0 },
	{ "SYN+PSH+URG", { TO4(80), .flags = SYN | PSH | URG }, TX_SYNACK, NULL, NULL, 0, 0 },
	{ "nobody listens",
	  { TO4(PORT_CLOSED), .flags = SYN },
	  PASS_NO_LISTENER,
	  NULL,
	  NULL,
	  SLOT_ALWAYS,
	  0 },
	{ "nobody listens on IPv6",
	  { TO6(PORT_CLOSED), .flags = SYN },
	  PASS_NO_LISTENER,
	  NULL,
	  NULL,
	  SLOT_ALWAYS,
	  0 },
	{ "SYN+FIN", { TO4(80), .flags = SYN | FIN }, DROP_BAD_FLAGS, NULL, NULL, 0, 0 },
	{ "SYN+RST", { TO6(80), .flags = SYN | RST }, DROP_BAD_FLAGS, NULL, NULL, 0, 0 },
	{ "all but ACK",
	  { TO4(80), .flags = SYN | FIN | RST | PSH | URG },
	  DROP_BAD_FLAGS,
	  NULL,
	  NULL,
	  0,
	  0 },
	{ "TCP-MD5", { TO4(80), .flags = SYN, .options = TCP_MD5 }, DROP_TCP_AUTH, NULL, NULL, 0, 0 },
	{ "TCP-AO", { TO6(80), .flags = SYN, .options = TCP_AO }, DROP_TCP_AUTH, NULL, NULL, 0, 0 },
	{ "TCP-MD5 allowed",
	  { TO4(PORT_AUTH), .flags = SYN, .options = TCP_MD5 },
	  PASS_TCP_AUTH,
	  NULL,
	  NULL,
	  SLOT_AUTH,
	  0 },
	{ "TCP-AO allowed",
	  { TO6(PORT_AUTH), .flags = SYN, .options = TCP_AO },
	  PASS_TCP_AUTH,
	  NULL,
	  NULL,
	  SLOT_AUTH,
	  0 },
	{ "IPv4 checksum", { TO4(80), .flags = SYN }, DROP_BAD_CHECKSUM, flip_ip_checksum, NULL, 0, 0 },
	{ "IPv4 checksum with options",
	  { TO4(80), .flags = SYN, .ip_options = BYTES(148, 4, 0, 0) },
	  DROP_BAD_CHECKSUM,
	  flip_ip_checksum,
	  NULL,
	  0,
	  0 },
	{ "TCP checksum", { TO4(80), .flags = SYN }, DROP_BAD_CHECKSUM, flip_tcp_checksum, NULL, 0, 0 },
	{ "TCP checksum in IPv6",
	  { TO6(80), .flags = SYN },
	  DROP_BAD_CHECKSUM,
	  flip_tcp_checksum,
	  NULL,
	  0,
	  0 },
	{ "TCP checksum, Linux",
	  { TO4(80), .flags = SYN, .options = LINUX_OPTIONS },
	  DROP_BAD_CHECKSUM,
	  flip_tcp_checksum,
	  NULL,
	  0,
	  0 },
	{ "TCP checksum over payload",
	  { TO4(80), .flags = SYN, .payload = HELLO },
	  DROP_BAD_CHECKSUM,
	  flip_last_byte,
	  NULL,
	  0,
	  0 },
	{ "TCP checksum over payload in IPv6",
	  { TO6(80), .flags = SYN, .payload = HELLO },
	  DROP_BAD_CHECKSUM,
	  flip_last_byte,
	  NULL,
	  0,
	  0 },
};

#define SOURCE4(address)                                                                                     \
	{                                                                                                    \
		address, { FROM(address, SERVER4, 80), .flags = SYN }, DROP_BAD_SOURCE, NULL, NULL, 0, 0     \
	}
#define SOURCE6(address)                                                                                     \
	{                                                                                                    \
		address, { FROM(address, SERVER6, 80), .flags = SYN }, DROP_BAD_SOURCE, NULL, NULL, 0, 0     \
	}
#define FINE4(address)                                                                                       \
	{                                                                                                    \
		address, { FROM(address, SERVER4, 80), .flags = SYN }, TX_SYNACK, NULL, NULL, 0, 0           \
	}
#define FINE6(address)                                                                                       \
	{                                                                                                    \
		address, { FROM(address, SERVER6, 80), .flags = SYN }, TX_SYNACK, NULL, NULL, 0, 0           \
	}

static const struct row sources[] = {
	SOURCE4("0.0.0.0"),   SOURCE4("0.1.2.3"),
	SOURCE4("127.0.0.1"), SOURCE4("127.255.255.255"),
	SOURCE4("224.0.0.1"), SOURCE4("239.255.255.255"),
	SOURCE4("240.0.0.1"), SOURCE4("255.255.255.255"),
	SOURCE6("::"),	      SOURCE6("::1"),
	SOURCE6("ff02::1"),   SOURCE6("ffff::"),
	FINE4("1.0.0.0"),     FINE4("126.255.255.255"),
	FINE4("128.0.0.1"),   FINE4("223.255.255.255"),
	FINE6("::2"),	      FINE6("1::"),
	FINE6("fe80::1"),     FINE6("2001:db8::1"),
};

static const struct row segments[] = {
	{ "ACK", { TO4(80), .flags = ACK }, DROP_BAD_COOKIE, NULL, NULL, 0, 0 },
	{ "ACK in IPv6", { TO6(80), .flags = ACK }, DROP_BAD_COOKIE, NULL, NULL, 0, 0 },
	{ "ACK with payload",
	  { TO4(80), .flags = ACK | PSH, .payload = HELLO },
	  DROP_BAD_COOKIE,
	  NULL,
	  NULL,
	  0,
	  0 },
	{ "ACK+URG", { TO4(80), .flags = ACK | URG }, DROP_BAD_COOKIE, NULL, NULL, 0, 0 },
	{ "SYN+ACK", { TO4(80), .flags = SYN | ACK }, DROP_STRAY, NULL, NULL, 0, 0 },
	{ "RST", { TO4(80), .flags = RST }, DROP_STRAY, NULL, NULL, 0, 0 },
	{ "RST+ACK", { TO6(80), .flags = RST | ACK }, DROP_STRAY, NULL, NULL, 0, 0 },
	{ "FIN", { TO4(80), .flags = FIN }, DROP_STRAY, NULL, NULL, 0, 0 },
	{ "FIN+ACK", { TO4(80), .flags = FIN | ACK }, DROP_STRAY, NULL, NULL, 0, 0 },
	{ "NULL", { TO4(80) }, DROP_STRAY, NULL, NULL, 0, 0 },
	{ "NULL in IPv6", { TO6(80) }, DROP_STRAY, NULL, NULL, 0, 0 },
	{ "XMAS", { TO4(80), .flags = FIN | PSH | URG }, DROP_STRAY, NULL, NULL, 0, 0 },
	{ "all flags", { TO4(80), .flags = 0xff }, DROP_STRAY, NULL, NULL, 0, 0 },
	{ "nobody listens",
	  { TO4(PORT_CLOSED), .flags = ACK },
	  PASS_NO_LISTENER,
	  NULL,
	  NULL,
	  SLOT_ALWAYS,
	  0 },
	{ "lookup budget", { TO4(80), .flags = ACK }, DROP_LOOKUP_BUDGET, NULL, no_budget, 0, 0 },
	{ "lookup budget, RST", { TO6(80), .flags = RST }, DROP_LOOKUP_BUDGET, NULL, no_budget, 0, 0 },
};

static const struct row fragments[] = {
	{ "first", { TO4(80), .flags = SYN, .fragment = FRAME_MF }, DROP_FRAGMENT, NULL, NULL, 0, 0 },
	{ "later", { TO4(80), .flags = SYN, .fragment = FRAME_MF | 8 }, DROP_FRAGMENT, NULL, NULL, 0, 0 },
	{ "last", { TO4(80), .flags = SYN, .fragment = 8 }, DROP_FRAGMENT, NULL, NULL, 0, 0 },
	{ "last, DF", { TO4(80), .flags = SYN, .fragment = FRAME_DF | 8 }, DROP_FRAGMENT, NULL, NULL, 0, 0 },
	{ "reserved bit", { TO4(80), .flags = SYN, .fragment = 0x8000 }, TX_SYNACK, NULL, NULL, 0, 0 },
	{ "first, IPv6",
	  { TO6(80), .flags = SYN, .extensions = EXTENSIONS(FRAGMENT_HEADER(1)) },
	  DROP_FRAGMENT,
	  NULL,
	  NULL,
	  0,
	  0 },
	{ "later, IPv6",
	  { TO6(80), .flags = SYN, .extensions = EXTENSIONS(FRAGMENT_HEADER(9)) },
	  DROP_FRAGMENT,
	  NULL,
	  NULL,
	  0,
	  0 },
	{ "last, IPv6",
	  { TO6(80), .flags = SYN, .extensions = EXTENSIONS(FRAGMENT_HEADER(8)) },
	  DROP_FRAGMENT,
	  NULL,
	  NULL,
	  0,
	  0 },
	{ "atomic, IPv6",
	  { TO6(80), .flags = SYN, .extensions = EXTENSIONS(FRAGMENT_HEADER(0)) },
	  TX_SYNACK,
	  NULL,
	  NULL,
	  0,
	  0 },
	{ "reserved bits, IPv6",
	  { TO6(80), .flags = SYN, .extensions = EXTENSIONS(FRAGMENT_HEADER(6)) },
	  TX_SYNACK,
	  NULL,
	  NULL,
	  0,
	  0 },
	{ "behind other headers",
	  { TO6(80), .flags = SYN, .extensions = EXTENSIONS(EXT(HOPOPTS, 16), FRAGMENT_HEADER(1)) },
	  DROP_FRAGMENT,
	  NULL,
	  NULL,
	  0,
	  0 },
	/* the upper layer is known to the first fragment only, so any of them may be TCP's */
	{ "first, headers inside",
	  { TO6(80), .flags = SYN, .extensions = EXTENSIONS(FRAGMENT_HEADER(1), EXT(DSTOPTS, 8)) },
	  DROP_FRAGMENT,
	  NULL,
	  NULL,
	  0,
	  0 },
	{ "later, headers inside",
	  { TO6(80), .flags = SYN, .extensions = EXTENSIONS(FRAGMENT_HEADER(9), EXT(DSTOPTS, 8)) },
	  DROP_FRAGMENT,
	  NULL,
	  NULL,
	  0,
	  0 },
	{ "port of no service",
	  { TO4(PORT_FREE), .flags = SYN, .fragment = FRAME_MF },
	  DROP_FRAGMENT,
	  NULL,
	  NULL,
	  0,
	  0 },
};

static const struct row malformed[] = {
	{ "ihl 4", { TO4(80), .flags = SYN }, DROP_MALFORMED, low_ihl, NULL, 0, 0 },
	{ "ihl beyond the packet", { TO4(80), .flags = SYN }, DROP_MALFORMED, ihl_beyond_packet, NULL, 0, 0 },
	{ "doff 4", { TO4(80), .flags = SYN }, DROP_MALFORMED, low_doff, NULL, 0, 0 },
	{ "doff 4 in IPv6", { TO6(80), .flags = ACK }, DROP_MALFORMED, low_doff, NULL, 0, 0 },
	{ "doff beyond the packet",
	  { TO4(80), .flags = SYN },
	  DROP_MALFORMED,
	  doff_beyond_packet,
	  NULL,
	  0,
	  0 },
	{ "doff beyond, in the trailer",
	  { TO4(80), .flags = SYN, .trailer = 60 },
	  DROP_MALFORMED,
	  doff_beyond_packet,
	  NULL,
	  0,
	  0 },
	{ "doff beyond, IPv6",
	  { TO6(80), .flags = ACK, .trailer = 60 },
	  DROP_MALFORMED,
	  doff_beyond_packet,
	  NULL,
	  0,
	  0 },
	{ "longer than the frame", { TO4(80), .flags = SYN }, DROP_MALFORMED, longer_than_frame, NULL, 0, 0 },
	{ "longer than the frame, IPv6",
	  { TO6(80), .flags = ACK },
	  DROP_MALFORMED,
	  longer_than_frame,
	  NULL,
	  0,
	  0 },
	{ "shorter than TCP", { TO4(80), .flags = SYN }, DROP_MALFORMED, shorter_than_tcp, NULL, 0, 0 },
	{ "shorter than TCP, IPv6", { TO6(80), .flags = SYN }, DROP_MALFORMED, shorter_than_tcp, NULL, 0, 0 },
	{ "frame cut in TCP", { TO4(80), .flags = SYN }, DROP_MALFORMED, cut_tcp, NULL, 0, 0 },
	{ "frame cut in options",
	  { TO4(80), .flags = SYN, .options = LINUX_OPTIONS },
	  DROP_MALFORMED,
	  cut_tcp,
	  NULL,
	  0,
	  0 },
	{ "no length, IPv6", { TO6(80), .flags = SYN }, DROP_MALFORMED, no_payload_length, NULL, 0, 0 },
	{ "eight extension headers",
	  { TO6(80), .flags = SYN, .extensions = EXTENSIONS(HEADERS_7, EXT(DSTOPTS, 8)) },
	  TX_SYNACK,
	  NULL,
	  NULL,
	  0,
	  0 },
	{ "nine extension headers",
	  { TO6(80), .flags = SYN, .extensions = EXTENSIONS(HEADERS_7, EXT(DSTOPTS, 8), EXT(DSTOPTS, 8)) },
	  DROP_MALFORMED,
	  NULL,
	  NULL,
	  0,
	  0 },
	{ "extension headers of 1,200 bytes",
	  { TO6(80), .flags = SYN, .extensions = EXTENSIONS(EXT(DSTOPTS, 1200)) },
	  DROP_MALFORMED,
	  NULL,
	  NULL,
	  0,
	  0 },
	{ "SYN in the trailer", { TO4(80), .flags = SYN, .trailer = 6 }, TX_SYNACK, NULL, NULL, 0, 0 },
};

/* --- running a row --- */

static int action_of(enum verdict verdict)
{
	if (verdict == TX_SYNACK)
		return ACTION_TX;
	return verdict < TX_SYNACK ? ACTION_PASS : ACTION_DROP;
}

/* Runs and checks the verdict, the action and, unless it is an answer, that the frame was left alone. */
static void expect(struct harness *h, const char *name, const struct frame *frame, enum verdict verdict,
		   struct outcome *o)
{
	harness_run(h, frame, o);
	if (o->verdict != verdict)
		fail_msg("%s: %s, not %s", name, harness_verdict_word((int)o->verdict),
			 harness_verdict_word((int)verdict));
	if (o->action != action_of(verdict))
		fail_msg("%s: action %d", name, o->action);
	if (verdict != TX_SYNACK &&
	    (o->out.length != frame->length || memcmp(o->out.bytes, frame->bytes, frame->length)))
		fail_msg("%s: the frame was changed", name);
	if (o->handed_over != (verdict == PASS_COOKIE))
		fail_msg("%s: metadata", name);
}

static void expect_spec(struct harness *h, const char *name, const struct frame_spec *spec,
			enum verdict verdict)
{
	struct outcome o;
	struct frame f;

	frame_build(&f, spec);
	expect(h, name, &f, verdict, &o);
}

static void run_row(struct harness *h, const struct row *row)
{
	uint32_t slot = row->slot ? row->slot % SLOT_COUNT : SLOT_ALWAYS;
	struct outcome o;
	struct frame f;

	if (row->prepare)
		row->prepare(h);
	frame_build(&f, &row->frame);
	if (row->mangle)
		row->mangle(&f);
	expect(h, row->name, &f, row->verdict, &o);
	if (o.slot != slot)
		fail_msg("%s: counted for service %u, not %u", row->name, o.slot, slot);
	if (row->verdict == PASS_MONITOR && row->would != PASS_OPEN && o.would != (int)row->would)
		fail_msg("%s: would be %s, not %s", row->name, harness_verdict_word(o.would),
			 harness_verdict_word((int)row->would));
	if (row->verdict == PASS_MONITOR && row->would == PASS_OPEN && o.would != -1)
		fail_msg("%s: would be %s", row->name, harness_verdict_word(o.would));
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

/* --- TCP-MD5 and TCP-AO over their rate --- */

static void tcp_auth_has_a_rate(void **state)
{
	static const struct frame_spec syn = { TO4(PORT_AUTH), .flags = SYN, .options = TCP_MD5 };
	struct harness *h = *state;
	struct outcome o;
	struct frame f;
	int passed = 0;

	frame_build(&f, &syn);
	for (int i = 0; i < 40; i++) {
		harness_run(h, &f, &o);
		passed += o.verdict == PASS_TCP_AUTH;
	}
	assert_int_equal(o.verdict, DROP_TCP_AUTH);
	assert_in_range(passed, 8, 16); /* two where a second ends meanwhile */
}

/* --- mode auto: the marks --- */

static void a_rate_above_the_mark_begins_mitigation(void **state)
{
	static const struct frame_spec syn = { TO4(PORT_AUTO), .flags = SYN };
	struct harness *h = *state;
	struct outcome o;
	struct frame f;
	int passed = 0;

	h->services[SLOT_AUTO].syn_rate_high = 80; /* ten in an eighth of a second */
	harness_publish(h);
	frame_build(&f, &syn);
	for (int i = 0; i < 40; i++) {
		harness_run(h, &f, &o);
		if (o.verdict == TX_SYNACK)
			break;
		passed++;
	}
	assert_int_equal(o.verdict, TX_SYNACK); /* the very SYN above the mark */
	assert_in_range(passed, 10, 24);
	assert_int_equal(fastpath_state(h->fastpath, SLOT_AUTO)->mitigation, MITIGATION_ACTIVE);
	assert_true(fastpath_state(h->fastpath, SLOT_AUTO)->since > 0);
	expect_spec(h, "afterwards", &(struct frame_spec){ TO6(PORT_AUTO), .flags = SYN }, TX_SYNACK);
}

static void grace_ends_above_the_mark(void **state)
{
	static const struct frame_spec syn = { TO4(PORT_AUTO), .flags = SYN };
	struct harness *h = *state;
	struct outcome o;
	struct frame f;

	h->services[SLOT_AUTO].syn_rate_high = 8;
	harness_publish(h);
	auto_grace(h);
	frame_build(&f, &syn);
	for (int i = 0; i < 10; i++)
		harness_run(h, &f, &o);
	assert_int_equal(o.verdict, TX_SYNACK);
	assert_int_equal(fastpath_state(h->fastpath, SLOT_AUTO)->mitigation, MITIGATION_ACTIVE);
}

static void monitor_begins_too_but_answers_nothing(void **state)
{
	static const struct frame_spec syn = { TO4(PORT_MONITOR), .flags = SYN };
	struct harness *h = *state;
	struct outcome o;
	struct frame f;

	h->services[SLOT_MONITOR].syn_rate_high = 8;
	harness_publish(h);
	frame_build(&f, &syn);
	for (int i = 0; i < 10; i++)
		harness_run(h, &f, &o);
	assert_int_equal(o.verdict, PASS_MONITOR);
	assert_int_equal(o.would, TX_SYNACK);
}

/* The listener's backlog is 16, so its SYN queue reaches the default mark at 4. */
static void check_half_open_mark(struct harness *h, const char *client, const char *server, uint16_t port,
				 uint32_t mark)
{
	struct frame_spec syn = { FROM(client, server, PORT_AUTO), .flags = SYN };

	for (uint32_t i = 0; i < mark; i++) {
		expect_spec(h, "below the mark", &syn, PASS_OPEN);
		assert_int_equal(fastpath_state(h->fastpath, SLOT_AUTO)->half_open, i);
		assert_int_equal(fastpath_state(h->fastpath, SLOT_AUTO)->backlog, 16);
		wire_half_open(h->wire, client, (uint16_t)(port + i), server, PORT_AUTO);
	}
	expect_spec(h, "at the mark", &syn, TX_SYNACK);
	assert_int_equal(fastpath_state(h->fastpath, SLOT_AUTO)->mitigation, MITIGATION_ACTIVE);
}

static void half_opens_at_the_mark_begin_mitigation(void **state)
{
	check_half_open_mark(*state, CLIENT4, SERVER4, 41000, 4);
}

static void the_half_open_mark_can_be_set(void **state)
{
	struct harness *h = *state;

	h->services[SLOT_AUTO].half_open_high = 7;
	harness_publish(h);
	check_half_open_mark(h, CLIENT6, SERVER6, 41100, 7);
}

/* --- what the kernel's sockets own --- */

static void mptcp_listeners_are_left_to_the_kernel(void **state)
{
	int fd = harness_listen(SERVER4, PORT_MPTCP, 16, IPPROTO_MPTCP);
	struct harness *h = *state;

	if (fd < 0)
		skip();
	expect_spec(h, "SYN", &(struct frame_spec){ TO4(PORT_MPTCP), .flags = SYN }, PASS_MPTCP);
	assert_true(fastpath_state(h->fastpath, SLOT_ALWAYS)->mptcp_seen > 0);
	expect_spec(h, "ACK", &(struct frame_spec){ TO4(PORT_MPTCP), .flags = ACK }, PASS_MPTCP);
	close(fd);
}

static void a_listener_that_comes_is_seen_soon(void **state)
{
	static const struct frame_spec syn = { TO4(PORT_CLOSED), .flags = SYN };
	struct harness *h = *state;
	int fd;

	expect_spec(h, "before", &syn, PASS_NO_LISTENER);
	fd = harness_listen(SERVER4, PORT_CLOSED, 16, 0);
	usleep(64 * 1000000 / h->runtime.jiffies_hz);
	expect_spec(h, "after", &syn, TX_SYNACK);
	close(fd);
}

static void half_open_sockets_own_their_segments(void **state)
{
	struct harness *h = *state;
	struct wire_client c = wire_half_open(h->wire, CLIENT4, 42000, SERVER4, PORT_ALWAYS);

	expect_spec(h, "third ACK", &c.next, PASS_SOCKET);
	c.next.flags = RST;
	expect_spec(h, "RST", &c.next, PASS_SOCKET);
	c.next.source++;
	expect_spec(h, "another tuple", &c.next, DROP_STRAY);
}

static void kernel_cookies_are_let_through(void **state)
{
	struct harness *h = *state;
	struct wire_client c4, c6;

	harness_sysctl("ipv4/tcp_syncookies", "2");
	c4 = wire_half_open(h->wire, CLIENT4, 42100, SERVER4, PORT_ALWAYS);
	c6 = wire_half_open(h->wire, CLIENT6, 42100, SERVER6, PORT_ALWAYS);
	harness_sysctl("ipv4/tcp_syncookies", "1");
	expect_spec(h, "ACK", &c4.next, PASS_SOCKET);
	expect_spec(h, "ACK in IPv6", &c6.next, PASS_SOCKET);
	c4.next.ack++;
	expect_spec(h, "guessed", &c4.next, DROP_BAD_COOKIE);
}

static void time_wait_owns_its_segments(void **state)
{
	struct harness *h = *state;
	int listener = harness_listen(SERVER4, PORT_CLOSED, 16, 0);
	struct wire_client c = wire_connect(h->wire, CLIENT4, 42200, SERVER4, PORT_CLOSED);

	close(accept(listener, NULL, NULL));
	wire_close_after(&c);
	expect_spec(h, "ACK", &c.next, PASS_SOCKET);
	expect_spec(h, "and again: it vouches for nothing", &c.next, PASS_SOCKET);
	c.next.flags = SYN;
	expect_spec(h, "SYN", &c.next, TX_SYNACK);
	close(listener);
}

/* --- verified flows --- */

static void check_life_of_a_flow(struct harness *h, const char *client, const char *server)
{
	struct wire_client c = wire_connect(h->wire, client, 43000, server, PORT_ALWAYS);
	struct frame_spec syn = c.next;

	syn.flags = SYN;
	expect_spec(h, "new: asks the kernel", &c.next, PASS_SOCKET);
	expect_spec(h, "fresh", &c.next, PASS_FLOW);
	expect_spec(h, "fresh: SYN, for a challenge ACK", &syn, PASS_FLOW);
	harness_age_flows(h, 2);
	expect_spec(h, "stale: SYN, the socket lives", &syn, PASS_FLOW);
	expect_spec(h, "stale, the socket lives", &c.next, PASS_FLOW);
	harness_age_flows(h, 2);
	c.next.flags = RST | ACK; /* the kernel takes no RST out of window, so the socket lives */
	expect_spec(h, "stale: RST", &c.next, PASS_FLOW);
	c.next.flags = ACK;
	expect_spec(h, "closing", &c.next, PASS_FLOW);
	expect_spec(h, "closing: SYN of a new incarnation", &syn, TX_SYNACK);
	harness_age_flows(h, 6);
	expect_spec(h, "closed: asks the kernel", &c.next, PASS_SOCKET);
	expect_spec(h, "fresh again", &c.next, PASS_FLOW);
	c.next.flags = RST;
	wire_send(h->wire, &c.next); /* now the kernel's socket is gone */
	c.next.flags = ACK;
	expect_spec(h, "fresh, the socket is gone", &c.next, PASS_FLOW);
	harness_age_flows(h, 2);
	expect_spec(h, "stale, the socket is gone", &c.next, DROP_BAD_COOKIE);
	expect_spec(h, "forgotten", &c.next, DROP_BAD_COOKIE);
	expect_spec(h, "forgotten: SYN", &syn, TX_SYNACK);
}

static void flows_live_and_die_ipv4(void **state)
{
	check_life_of_a_flow(*state, CLIENT4, SERVER4);
}

static void flows_live_and_die_ipv6(void **state)
{
	check_life_of_a_flow(*state, CLIENT6, SERVER6);
}

static void seeded_flows_pass(void **state)
{
	struct tuple v4 = { .client = { 0, 0, htonl(0xffff), htonl(0x0a010709) },
			    .server = { 0, 0, htonl(0xffff), htonl(0x0a010001) },
			    .client_port = htons(40000),
			    .server_port = htons(80) };
	struct tuple v6 = { .client = { htonl(0xfd000001), htonl(7), 0, htonl(9) },
			    .server = { htonl(0xfd000001), 0, 0, htonl(1) },
			    .client_port = htons(40000),
			    .server_port = htons(80),
			    .v6 = 1 };
	struct harness *h = *state;

	assert_int_equal(fastpath_seed_flow(h->fastpath, &v4), 0);
	expect_spec(h, "IPv4", &(struct frame_spec){ TO4(80), .flags = ACK }, PASS_FLOW);
	expect_spec(h, "IPv6, not yet", &(struct frame_spec){ TO6(80), .flags = ACK }, DROP_BAD_COOKIE);
	assert_int_equal(fastpath_seed_flow(h->fastpath, &v6), 0);
	expect_spec(h, "IPv6", &(struct frame_spec){ TO6(80), .flags = ACK }, PASS_FLOW);
	expect_spec(h, "another port", &(struct frame_spec){ TO4(PORT_AUTH), .flags = ACK }, DROP_BAD_COOKIE);
}

static void send_from_server(struct harness *h, const char *server, const char *client, uint8_t flags)
{
	const struct frame_spec spec = { .saddr = server,
					 .daddr = client,
					 .source = PORT_ALWAYS,
					 .dest = 40000,
					 .flags = flags,
					 .reply = true };
	struct frame f;

	frame_build(&f, &spec);
	assert_int_equal(harness_run_tc(h, FASTPATH_TC_EGRESS, &f), -1); /* TCX_NEXT */
}

static void check_egress(struct harness *h, const char *client, const char *server)
{
	struct frame_spec ack = { FROM(client, server, 80), .flags = ACK };

	send_from_server(h, server, client, RST | ACK);
	expect_spec(h, "the server knows it not", &ack, DROP_BAD_COOKIE);
	send_from_server(h, server, client, SYN | ACK);
	expect_spec(h, "a SYN-ACK vouches for nothing", &ack, DROP_BAD_COOKIE);
	send_from_server(h, server, client, ACK | PSH);
	expect_spec(h, "an ACK vouches", &ack, PASS_FLOW);
	harness_age_flows(h, 2);
	send_from_server(h, server, client, ACK);
	expect_spec(h, "and again", &ack, PASS_FLOW);
	send_from_server(h, server, client, ACK | FIN);
	expect_spec(h, "closing", &ack, PASS_FLOW);
	send_from_server(h, server, client, ACK);
	harness_age_flows(h, 6);
	expect_spec(h, "closed, whatever came after the FIN", &ack, DROP_BAD_COOKIE);
}

static void what_the_server_sends_vouches(void **state)
{
	check_egress(*state, CLIENT4, SERVER4);
	check_egress(*state, CLIENT6, SERVER6);
}

/* --- cookies on their way to tc --- */

/* SYN in, SYN-ACK out; the ACK to it. */
static struct frame_spec answer(struct harness *h, const struct frame_spec *syn, uint8_t timestamps[12])
{
	struct frame_spec ack = *syn;
	struct frame_view v;
	const uint8_t *ts;
	struct outcome o;
	struct frame f;

	frame_build(&f, syn);
	harness_run(h, &f, &o);
	assert_int_equal(o.verdict, TX_SYNACK);
	assert_true(frame_read(&o.out, &v));
	ts = frame_option(&o.out, &v, 8, 10);
	ack.flags = ACK;
	ack.seq = v.ack;
	ack.ack = v.seq + 1;
	ack.options = (struct bytes){ timestamps, ts ? 12 : 0 };
	if (ts) {
		memcpy(timestamps, (const uint8_t[]){ 1, 1, 8, 10, 0, 0, 0, 10 }, 8);
		memcpy(timestamps + 8, ts, 4);
	}
	return ack;
}

static void cookies_hand_over_what_they_carry(void **state)
{
	static const struct {
		const char *name;
		struct frame_spec syn;
		struct handover handover; /* but for rcv_tsecr */
	} rows[] = {
		{ "Linux",
		  { TO4(80), .flags = SYN, .options = LINUX_OPTIONS },
		  { .rcv_tsval = 10,
		    .mss = 1460,
		    .snd_wscale = 7,
		    .rcv_wscale = SERVER_WSCALE,
		    .wscale_ok = 1,
		    .sack_ok = 1,
		    .tstamp_ok = 1 } },
		{ "Linux, ECN, IPv6",
		  { TO6(80), .flags = SYN | ECE | CWR, .options = LINUX_OPTIONS },
		  { .rcv_tsval = 10,
		    .mss = 1460,
		    .snd_wscale = 7,
		    .rcv_wscale = SERVER_WSCALE,
		    .wscale_ok = 1,
		    .sack_ok = 1,
		    .tstamp_ok = 1,
		    .ecn_ok = 1 } },
		{ "Windows",
		  { TO4(80), .flags = SYN, .options = BYTES(2, 4, 5, 172, 1, 3, 3, 8, 1, 1, 4, 2) },
		  { .mss = 1440,
		    .snd_wscale = 8,
		    .rcv_wscale = SERVER_WSCALE,
		    .wscale_ok = 1,
		    .sack_ok = 1 } },
		{ "no options", { TO4(80), .flags = SYN }, { .mss = 536 } },
		{ "no options, IPv6, ECN",
		  { TO6(80), .flags = SYN | ECE | CWR },
		  { .mss = 1220, .ecn_ok = 1 } },
		{ "window scale 0",
		  { TO4(80), .flags = SYN, .options = BYTES(3, 3, 0) },
		  { .mss = 536, .rcv_wscale = SERVER_WSCALE, .wscale_ok = 1 } },
		{ "window scale 255",
		  { TO4(80), .flags = SYN, .options = BYTES(3, 3, 255) },
		  { .mss = 536, .snd_wscale = 14, .rcv_wscale = SERVER_WSCALE, .wscale_ok = 1 } },
		{ "a service that agrees to nothing",
		  { TO4(PORT_BARE), .flags = SYN | ECE | CWR, .options = LINUX_OPTIONS },
		  { .mss = 1460 } },
	};
	uint8_t timestamps[12];
	struct outcome o;
	struct frame f;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct frame_spec ack = answer(*state, &rows[i].syn, timestamps);
		struct handover expected = rows[i].handover;

		expected.magic = HANDOVER_MAGIC;
		if (expected.tstamp_ok)
			expected.rcv_tsecr = (uint32_t)timestamps[8] << 24 | (uint32_t)timestamps[9] << 16 |
					     (uint32_t)timestamps[10] << 8 | timestamps[11];
		frame_build(&f, &ack);
		expect(*state, rows[i].name, &f, PASS_COOKIE, &o);
		if (memcmp(&o.handover, &expected, sizeof(expected)))
			fail_msg("%s: handed over something else", rows[i].name);
	}
}

static void cookies_of_all_kinds_of_ack(void **state)
{
	static const struct frame_spec syn = { TO4(80), .flags = SYN };
	struct frame_spec ack = answer(*state, &syn, NULL);

	expect_spec(*state, "ACK", &ack, PASS_COOKIE);
	expect_spec(*state, "replayed: tc knows", &ack, PASS_COOKIE);
	ack.payload = (struct bytes)HELLO;
	ack.flags = ACK | PSH;
	expect_spec(*state, "with data", &ack, PASS_COOKIE);
	ack.vlans = 2;
	expect_spec(*state, "tagged", &ack, PASS_COOKIE);
	ack.flags = RST | ACK;
	expect_spec(*state, "RST", &ack, DROP_STRAY);
	ack.flags = SYN | ACK;
	expect_spec(*state, "SYN-ACK", &ack, DROP_STRAY);
	ack.flags = ACK;
	ack.options = (struct bytes)BYTES(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2);
	expect_spec(*state, "timestamps that were never offered", &ack, DROP_BAD_COOKIE);
}

static void cookies_validate_in_grace_and_bypass(void **state)
{
	static const struct frame_spec syn = { TO4(PORT_AUTO), .flags = SYN };
	struct harness *h = *state;
	struct frame_spec ack;

	auto_active(h);
	ack = answer(h, &syn, NULL);
	auto_grace(h);
	expect_spec(h, "grace", &ack, PASS_COOKIE);
	bypass(h);
	expect_spec(h, "grace, bypass", &ack, PASS_COOKIE);
	auto_active(h);
	expect_spec(h, "bypass", &ack, PASS_COOKIE);
	fastpath_state(h->fastpath, SLOT_AUTO)->mitigation = MITIGATION_IDLE;
	expect_spec(h, "idle", &ack, PASS_OPEN);
}

/* A new incarnation of a tuple whose old one was just closed shows its cookie. */
static void a_cookie_comes_before_a_closing_flow(void **state)
{
	static const struct frame_spec syn = { TO4(80), .flags = SYN };
	struct frame_spec ack = { TO4(80), .flags = ACK };
	struct harness *h = *state;

	send_from_server(h, SERVER4, CLIENT4, ACK);
	send_from_server(h, SERVER4, CLIENT4, ACK | FIN);
	expect_spec(h, "the old one's last ACK", &ack, PASS_FLOW);
	ack = answer(h, &syn, NULL);
	expect_spec(h, "the new one's third ACK", &ack, PASS_COOKIE);
	ack.ack++;
	expect_spec(h, "closing was forgotten", &ack, DROP_BAD_COOKIE);
}

/* The budget: a sixteenth of a second's worth at once, and it comes back. */
static void lookups_have_a_budget(void **state)
{
	struct frame_spec ack = { TO4(80), .flags = ACK };
	struct harness *h = *state;
	struct outcome o;
	struct frame f;
	int dropped = 0;

	h->runtime.lookups_per_s = 160;
	harness_publish(h);
	for (int i = 0; i < 50; i++) {
		ack.source = (uint16_t)(44000 + i);
		frame_build(&f, &ack);
		harness_run(h, &f, &o);
		dropped += o.verdict == DROP_LOOKUP_BUDGET;
	}
	assert_in_range(dropped, 20, 50);
	usleep(100000);
	expect_spec(h, "later", &ack, DROP_BAD_COOKIE);
}

static void the_least_budget_is_one_lookup(void **state)
{
	struct frame_spec ack = { TO4(80), .flags = ACK };
	struct harness *h = *state;

	h->runtime.lookups_per_s = 10;
	harness_publish(h);
	usleep(200000);
	expect_spec(h, "first", &ack, DROP_BAD_COOKIE);
}

#define TEST(name) cmocka_unit_test_setup(name, harness_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_not_ours),
		TEST(rows_stances),
		TEST(rows_monitored),
		TEST(rows_syns),
		TEST(rows_sources),
		TEST(rows_segments),
		TEST(rows_fragments),
		TEST(rows_malformed),
		TEST(syns_are_counted),
		TEST(tcp_auth_has_a_rate),
		TEST(a_rate_above_the_mark_begins_mitigation),
		TEST(grace_ends_above_the_mark),
		TEST(monitor_begins_too_but_answers_nothing),
		TEST(half_opens_at_the_mark_begin_mitigation),
		TEST(the_half_open_mark_can_be_set),
		TEST(mptcp_listeners_are_left_to_the_kernel),
		TEST(a_listener_that_comes_is_seen_soon),
		TEST(half_open_sockets_own_their_segments),
		TEST(kernel_cookies_are_let_through),
		TEST(time_wait_owns_its_segments),
		TEST(flows_live_and_die_ipv4),
		TEST(flows_live_and_die_ipv6),
		TEST(seeded_flows_pass),
		TEST(what_the_server_sends_vouches),
		TEST(cookies_hand_over_what_they_carry),
		TEST(cookies_of_all_kinds_of_ack),
		TEST(cookies_validate_in_grace_and_bypass),
		TEST(a_cookie_comes_before_a_closing_flow),
		TEST(lookups_have_a_budget),
		TEST(the_least_budget_is_one_lookup),
	};

	return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
