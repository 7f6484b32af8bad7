// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dump of sockets in slices. The kernel goes on with a dump only when it is read, a buffer
 * at a time, so a slice ends wherever its time is up. It walks over what was not asked for without a pause:
 * some 5 ms for 100,000 other connections.
 */
#include "daemon/netlink/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SOCKET_STATES                                                                                        \
	(1U << TCP_ESTABLISHED | 1U << TCP_SYN_SENT | 1U << TCP_SYN_RECV | 1U << TCP_FIN_WAIT1 |             \
	 1U << TCP_FIN_WAIT2 | 1U << TCP_TIME_WAIT | 1U << TCP_CLOSE_WAIT | 1U << TCP_LAST_ACK |             \
	 1U << TCP_CLOSING)

struct diag_dump {
	struct mnl_socket *socket; /* NULL: between dumps, or an error ended the last one */
	uint32_t states;
	int family; /* that is being dumped; AF_UNSPEC: none */
	diag_entry_fn *fn;
	void *arg;
	char buffer[32768];
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int on_attribute(const struct nlattr *attribute, void *arg)
{
	struct diag_entry *entry = arg;

	if (mnl_attr_get_type(attribute) == INET_DIAG_SKV6ONLY && mnl_attr_get_payload_len(attribute) >= 1)
		entry->v6only = mnl_attr_get_u8(attribute) != 0;
	return MNL_CB_OK;
}

static void fill_address(struct diag_entry *entry, const struct inet_diag_msg *m)
{
	const struct in6_addr *client = (const struct in6_addr *)m->id.idiag_dst;

	if (m->idiag_family == AF_INET) {
		entry->v4 = true;
		entry->server[3] = m->id.idiag_src[0];
		entry->server[2] = entry->server[3] ? htonl(0xffff) : 0;
		return;
	}
	memcpy(entry->server, m->id.idiag_src, sizeof(entry->server));
	entry->v4 = IN6_IS_ADDR_V4MAPPED(entry->listens ? (const struct in6_addr *)entry->server : client);
}

static int on_message(const struct nlmsghdr *header, void *arg)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(header);
	struct diag_dump *d = arg;
	struct diag_entry entry = { 0 };

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*m))
		return MNL_CB_ERROR;
	entry.family = m->idiag_family;
	entry.state = diag_read_state(m);
	entry.listens = entry.state == TCP_LISTEN;
	if (!entry.listens)
		diag_read_tuple(m, &entry.tuple);
	fill_address(&entry, m);
	entry.port = ntohs(m->id.idiag_sport);
	entry.ifindex = m->id.idiag_if;
	entry.resends = m->idiag_retrans;
	entry.expires_ms = m->idiag_expires;
	entry.queue = m->idiag_rqueue;
	entry.limit = m->idiag_wqueue;
	entry.cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	if (entry.listens)
		mnl_attr_parse(header, sizeof(*m), on_attribute, &entry);
	d->fn(&entry, d->arg);
	return MNL_CB_OK;
}

static int begin_family(struct diag_dump *d, int family)
{
	int error = diag_send_request(d->socket, (uint8_t)family, d->states);

	d->family = error ? AF_UNSPEC : family;
	return error;
}

int diag_dump_new(struct diag_dump **dump)
{
	*dump = calloc(1, sizeof(**dump));
	return *dump ? 0 : -ENOMEM;
}

static void end(struct diag_dump *d)
{
	diag_close(d->socket);
	d->socket = NULL;
	d->family = AF_UNSPEC;
}

void diag_dump_free(struct diag_dump *d)
{
	if (!d)
		return;
	end(d);
	free(d);
}

static int begin(struct diag_dump *d, uint32_t states)
{
	int error;

	end(d); /* a socket whose dump is under way takes no other */
	d->socket = diag_open();
	if (!d->socket)
		return -errno;
	d->states = states;
	error = begin_family(d, AF_INET);
	if (error)
		end(d);
	return error;
}

int diag_dump_begin(struct diag_dump *d, bool half_opens)
{
	return begin(d, 1U << TCP_LISTEN | (half_opens ? 1U << TCP_SYN_RECV : 0));
}

int diag_dump_begin_sockets(struct diag_dump *d)
{
	return begin(d, SOCKET_STATES);
}

/* As diag_dump_step. */
static int read_one(struct diag_dump *d)
{
	ssize_t length = mnl_socket_recvfrom(d->socket, d->buffer, sizeof(d->buffer));
	unsigned int port = mnl_socket_get_portid(d->socket);
	int more;

	if (length < 0)
		return -errno;
	more = mnl_cb_run(d->buffer, (size_t)length, 0, port, on_message, d);
	if (more < 0)
		return -errno;
	if (more)
		return 1;
	if (d->family == AF_INET6) {
		end(d);
		return 0;
	}
	more = begin_family(d, AF_INET6);
	return more ? more : 1;
}

int diag_dump_step(struct diag_dump *d, uint32_t slice_us, diag_entry_fn *fn, void *arg)
{
	uint64_t until = now_us() + slice_us;
	int result = d->socket ? 1 : 0;

	d->fn = fn;
	d->arg = arg;
	while (result > 0 && now_us() < until)
		result = read_one(d);
	if (result < 0)
		end(d);
	return result;
}
