// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See wire.h.
 */
#include "tests/bpf/wire.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>

#define WAIT_MS 500

int wire_open(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int wire = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (wire < 0 || ioctl(wire, TUNSETIFF, &request)) {
		perror("/dev/net/tun");
		return -1;
	}
	return wire;
}

void wire_drain(int wire)
{
	uint8_t buffer[FRAME_MAX];

	while (read(wire, buffer, sizeof(buffer)) > 0)
		;
}

void wire_send(int wire, const struct frame_spec *spec)
{
	struct frame f;

	frame_build(&f, spec);
	assert_int_equal(write(wire, f.bytes, f.length), f.length);
}

static bool read_frame(int wire, struct frame *f)
{
	ssize_t length = read(wire, f->bytes, FRAME_MAX);

	f->length = length > 0 ? (size_t)length : 0;
	return length > 0;
}

bool wire_receive(int wire, uint16_t port, struct frame *frame, struct frame_view *view)
{
	struct pollfd pollfd = { .fd = wire, .events = POLLIN };

	while (poll(&pollfd, 1, WAIT_MS) > 0)
		if (read_frame(wire, frame) && frame_read(frame, view) && view->dest == port)
			return true;
	return false;
}

struct wire_client wire_half_open(int wire, const char *client, uint16_t port, const char *server,
				  uint16_t server_port)
{
	struct wire_client c = { .wire = wire,
				 .next = { .saddr = client,
					   .daddr = server,
					   .source = port,
					   .dest = server_port,
					   .seq = 1000,
					   .flags = SYN } };
	struct frame_view v;
	struct frame f;

	wire_send(wire, &c.next);
	if (!wire_receive(wire, port, &f, &v))
		fail_msg("no answer to a SYN from %s port %u", client, port);
	assert_int_equal(v.flags & (SYN | ACK | RST), SYN | ACK);
	c.next.seq++;
	c.next.ack = v.seq + 1;
	c.next.flags = ACK;
	return c;
}

struct wire_client wire_connect(int wire, const char *client, uint16_t port, const char *server,
				uint16_t server_port)
{
	struct wire_client c = wire_half_open(wire, client, port, server, server_port);

	wire_send(wire, &c.next);
	return c;
}

void wire_close_after(struct wire_client *c)
{
	struct frame_view v;
	struct frame f;

	do {
		if (!wire_receive(c->wire, c->next.source, &f, &v))
			fail_msg("no FIN came");
	} while (!(v.flags & FIN));
	c->next.ack = v.seq + 1;
	c->next.flags = FIN | ACK;
	wire_send(c->wire, &c->next);
	c->next.seq++;
	c->next.flags = ACK;
}
