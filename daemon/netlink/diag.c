// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See diag.h.
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
#include <string.h>

#define CONNECTION_STATES                                                                                    \
	(1U << TCP_ESTABLISHED | 1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | 1U << TCP_CLOSE_WAIT |          \
	 1U << TCP_LAST_ACK | 1U << TCP_CLOSING)

struct dump {
	diag_connection_fn *fn;
	void *arg;
};

static void map_ipv4(__be32 out[4], __be32 address)
{
	out[0] = out[1] = 0;
	out[2] = htonl(0xffff);
	out[3] = address;
}

static void tuple_fill(struct tuple *t, const struct inet_diag_msg *m)
{
	t->client_port = m->id.idiag_dport;
	t->server_port = m->id.idiag_sport;
	if (m->idiag_family == AF_INET) {
		map_ipv4(t->client, m->id.idiag_dst[0]);
		map_ipv4(t->server, m->id.idiag_src[0]);
	} else {
		memcpy(t->client, m->id.idiag_dst, sizeof(t->client));
		memcpy(t->server, m->id.idiag_src, sizeof(t->server));
	}
	t->v6 = !IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)t->client);
}

static int on_message(const struct nlmsghdr *header, void *arg)
{
	const struct dump *dump = arg;
	struct tuple tuple = { 0 };

	if (mnl_nlmsg_get_payload_len(header) < sizeof(struct inet_diag_msg))
		return MNL_CB_ERROR;
	tuple_fill(&tuple, mnl_nlmsg_get_payload(header));
	dump->fn(&tuple, dump->arg);
	return MNL_CB_OK;
}

static int send_request(struct mnl_socket *socket, uint8_t family)
{
	char buffer[512];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *request;

	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	request->sdiag_family = family;
	request->sdiag_protocol = IPPROTO_TCP;
	request->idiag_states = CONNECTION_STATES;
	return mnl_socket_sendto(socket, header, header->nlmsg_len) < 0 ? -errno : 0;
}

static int dump_family(struct mnl_socket *socket, uint8_t family, struct dump *dump)
{
	char buffer[32768];
	unsigned int port = mnl_socket_get_portid(socket);
	int error = send_request(socket, family);
	int more = 1;

	while (!error && more > 0) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (length < 0)
			return -errno;
		more = mnl_cb_run(buffer, (size_t)length, 0, port, on_message, dump);
		if (more < 0)
			error = -errno;
	}
	return error;
}

int diag_each_connection(diag_connection_fn *fn, void *arg)
{
	struct dump dump = { .fn = fn, .arg = arg };
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	int error = 0;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		error = -errno;
	if (!error)
		error = dump_family(socket, AF_INET, &dump);
	if (!error)
		error = dump_family(socket, AF_INET6, &dump);
	mnl_socket_close(socket);
	return error;
}
