// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * frames: one frame each of many kinds that are no service's TCP, sent by one end and demanded by the other,
 * byte for byte and once: what a wire would carry, whatever stands in it.
 */
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>
#include "common.h"

#define FRAME_MAX 1600
#define TAG_LEN	  4

struct kind {
	const char *name;
	const char *to;	    /* a group's MAC address in hex; NULL: the other end's */
	const char *header; /* in hex, from the EtherType on */
	size_t payload;	    /* bytes of a pattern behind it */
};

/* Length fields count the payload, checksums are what they are: nobody on the way has to look at them. */
static const struct kind kinds[] = {
	{ "STP", "0180c2000000", "0026424203000000", 32 },
	{ "LACP", "0180c2000002", "8809010101140000", 48 },
	{ "LLDP", "0180c200000e", "88cc020704020000990002", 48 },
	{ "EAPOL", "0180c2000003", "888e01010000", 46 },
	{ "ARP", "ffffffffffff", "080600010800060400010200009900770a6300ee0000000000000a6300ef", 18 },
	{ "ARP in a VLAN", "ffffffffffff",
	  "8100002a080600010800060400010200009900770a6300ee0000000000000a6300ef", 18 },
	{ "neighbour solicitation", "3333ff000077",
	  "86dd6000000000203afffe800000000000000000000000000077ff0200000000000000000001ff0000778700", 30 },
	{ "router advertisement", "333300000001",
	  "86dd6000000000203afffe800000000000000000000000000077ff0200000000000000000000000000018600", 30 },
	{ "IGMP", "01005e000016", "08004600002800010000010200000a630002e0000016940400002200", 14 },
	{ "multicast UDP", "01005e0000fb", "080045000040000100000111000 00a630002e00000fb14e914e9002c0000",
	  36 },
	{ "ICMP echo", NULL, "08004500005400010000400100000a6300020a6300eb08000000", 60 },
	{ "ICMPv6 echo", NULL,
	  "86dd6000000000403a40fd990000000000000000000000000002fd9900000000000000000000000000eb8000", 62 },
	{ "UDP", NULL, "08004500004000010000401100000a6300020a6300eb00350035002c0000", 36 },
	{ "IPv4 options", NULL,
	  "08004700004800010000401100000a6300020a6300eb9404000001010100003500350 02c0000", 36 },
	{ "first fragment of UDP", NULL, "08004500005400012000401100000a6300020a6300eb0035003505dc0000", 56 },
	{ "last fragment of UDP", NULL, "080045000054000100b9401100000a6300020a6300eb", 64 },
	{ "header length of 3 words", NULL, "08004300004000010000401100000a6300020a6300eb", 44 },
	{ "UDP in IPv6 behind extension headers", NULL,
	  "86dd60000000004000 40fd990000000000000000000000000002fd9900000000000000000000000000eb"
	  "3c000104000000001100010400000000003500350030",
	  42 },
	{ "fragment of UDP in IPv6", NULL,
	  "86dd6000000000482c40fd990000000000000000000000000002fd9900000000000000000000000000eb11000 "
	  "0b800000001",
	  64 },
	{ "GRE", NULL, "08004500005400010000402f00000a6300020a6300eb00000800", 60 },
	{ "ESP", NULL, "08004500005400010000403200000a6300020a6300eb00001000", 60 },
	{ "SCTP", NULL, "08004500005400010000408400000a6300020a6300eb00500050", 60 },
	{ "UDP in QinQ", NULL, "88a803ef8100e02a08004500004000010000401100000a6300020a6300eb00350035002c0000",
	  36 },
	{ "UDP behind three tags", NULL,
	  "88a803ef88a803f08100e02a08004500004000010000401100000a6300020a6300eb00350035002c0000", 36 },
	{ "MPLS", NULL, "88470001014045000040", 60 },
	{ "PPPoE", NULL, "886411000001002a0021", 60 },
	{ "experimental EtherType, full size", NULL, "88b5", 1498 },
	{ "802.3, raw IPX", NULL, "0060ffff", 94 },
	{ "TCP to no service", NULL,
	  "08004500004000010000400600000a6300020a6300eb1f9000070000000100000002 5029ffff", 26 },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static struct {
	const char *interface;
	uint8_t to[ETH_ALEN], from[ETH_ALEN];
	bool expect;
	uint64_t timeout_ms;
	uint8_t bytes[KINDS][FRAME_MAX];
	size_t len[KINDS];
	unsigned int seen[KINDS];
} frames = { .timeout_ms = 3000 };

static void __attribute__((noreturn)) usage(void)
{
	die(EXIT_USAGE,
	    "usage: frames --interface IF --to MAC --from MAC --send | --expect [--timeout-ms T]");
}

static void mac_parse(const char *what, const char *text, uint8_t m[ETH_ALEN])
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) !=
	    ETH_ALEN)
		die(EXIT_USAGE, "%s: '%s' is not a MAC address", what, text);
}

static void options_parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "interface", required_argument, NULL, 'i' },
		{ "to", required_argument, NULL, 't' },
		{ "from", required_argument, NULL, 'f' },
		{ "send", no_argument, NULL, 's' },
		{ "expect", no_argument, NULL, 'e' },
		{ "timeout-ms", required_argument, NULL, 'w' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (option) {
		case 'i':
			frames.interface = optarg;
			break;
		case 't':
			mac_parse("--to", optarg, frames.to);
			break;
		case 'f':
			mac_parse("--from", optarg, frames.from);
			break;
		case 's':
		case 'e':
			frames.expect = option == 'e';
			break;
		case 'w':
			frames.timeout_ms = number_parse("--timeout-ms", optarg, 1, 60000);
			break;
		default:
			usage();
		}
	}
	if (optind != argc || !frames.interface)
		usage();
}

static size_t hex_write(uint8_t *at, const char *hex)
{
	size_t len = 0;

	for (; *hex; hex += 2) {
		hex += *hex == ' ';
		if (sscanf(hex, "%2hhx", &at[len++]) != 1)
			die(EXIT_FAILURE, "'%s' is not hex", hex);
	}
	return len;
}

static void frame_build(size_t i)
{
	uint8_t *frame = frames.bytes[i];
	size_t at = 2 * ETH_ALEN;

	memcpy(frame, frames.to, ETH_ALEN);
	if (kinds[i].to)
		hex_write(frame, kinds[i].to);
	memcpy(frame + ETH_ALEN, frames.from, ETH_ALEN);
	at += hex_write(frame + at, kinds[i].header);
	for (size_t end = at + kinds[i].payload; at < end; at++)
		frame[at] = (uint8_t)(at * 7 + i);
	frames.len[i] = at;
}

static int socket_open(void)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1;

	address.sll_ifindex = (int)if_nametoindex(frames.interface);
	if (fd < 0 || !address.sll_ifindex ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)))
		die(EXIT_FAILURE, "%s: %s", frames.interface, strerror(errno));
	return fd;
}

/* A frame as it came, with the tag that the kernel has taken off it. */
static size_t frame_receive(int fd, uint8_t frame[FRAME_MAX + TAG_LEN])
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct iovec part = { .iov_base = frame, .iov_len = FRAME_MAX };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	ssize_t len = recvmsg(fd, &message, MSG_DONTWAIT);
	struct cmsghdr *c = len < ETH_HLEN ? NULL : CMSG_FIRSTHDR(&message);
	struct tpacket_auxdata aux;
	__be16 tag[2];

	if (!c || c->cmsg_type != PACKET_AUXDATA)
		return len > 0 ? (size_t)len : 0;
	memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
		return (size_t)len;
	memmove(frame + 2 * ETH_ALEN + TAG_LEN, frame + 2 * ETH_ALEN, (size_t)len - 2 * ETH_ALEN);
	tag[0] = htons(aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : ETH_P_8021Q);
	tag[1] = htons(aux.tp_vlan_tci);
	memcpy(frame + 2 * ETH_ALEN, tag, sizeof(tag));
	return (size_t)len + TAG_LEN;
}

static void expect(int fd)
{
	uint64_t end = now_ns() + frames.timeout_ms * NS_PER_MS, now;
	static uint8_t frame[FRAME_MAX + TAG_LEN];
	size_t once = 0;

	puts("ready");
	fflush(stdout);
	/* to the end, as something could come twice */
	while ((now = now_ns()) < end) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		size_t len;

		poll(&poll_fd, 1, (int)((end - now) / NS_PER_MS) + 1);
		while ((len = frame_receive(fd, frame)))
			for (size_t i = 0; i < KINDS; i++)
				frames.seen[i] +=
					len == frames.len[i] && !memcmp(frame, frames.bytes[i], len);
	}
	for (size_t i = 0; i < KINDS; i++) {
		once += frames.seen[i] == 1;
		if (frames.seen[i] != 1)
			printf("%s: %u times\n", kinds[i].name, frames.seen[i]);
	}
	printf("%zu of %zu\n", once, KINDS);
}

int main(int argc, char **argv)
{
	int fd;

	options_parse(argc, argv);
	for (size_t i = 0; i < KINDS; i++)
		frame_build(i);
	fd = socket_open();
	if (frames.expect)
		expect(fd);
	for (size_t i = 0; i < KINDS && !frames.expect; i++)
		if (send(fd, frames.bytes[i], frames.len[i], 0) != (ssize_t)frames.len[i])
			die(EXIT_FAILURE, "%s: %s", kinds[i].name, strerror(errno));
	return EXIT_SUCCESS;
}
