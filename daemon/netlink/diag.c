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
#include <stdlib.h>
#include <string.h>

#define CONNECTION_STATES                                                                                    \
	(1U << TCP_ESTABLISHED | 1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | 1U << TCP_CLOSE_WAIT |          \
	 1U << TCP_LAST_ACK | 1U << TCP_CLOSING)

#define KERNEL_SYN_RECV	 12		      /* TCP_NEW_SYN_RECV, a half-open of a listener */
#define HALF_OPEN_STATES (1U << TCP_SYN_RECV) /* the kernel adds NEW_SYN_RECV */
#define DESTROY_BATCH	 64

struct dump {
	uint32_t states;
	mnl_cb_t on_message;
	void *arg; /* of on_message */
};

struct connections {
	diag_connection_fn *fn;
	void *arg;
};

struct half_open {
	uint8_t family;
	struct inet_diag_sockid id;
};

struct half_opens {
	unsigned int resends;
	diag_wanted_fn *wanted;
	void *arg;
	unsigned int seen; /* wanted, of any age */
	size_t count;
	struct half_open found[DIAG_DESTROY_MAX];
};

static void map_ipv4(__be32 out[4], __be32 address)
{
	out[0] = out[1] = 0;
	out[2] = htonl(0xffff);
	out[3] = address;
}

void diag_read_tuple(const struct inet_diag_msg *m, struct tuple *t)
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

unsigned int diag_read_state(const struct inet_diag_msg *m)
{
	return m->idiag_state == KERNEL_SYN_RECV ? TCP_SYN_RECV : m->idiag_state;
}

static int on_connection(const struct nlmsghdr *header, void *arg)
{
	const struct connections *connections = arg;
	struct tuple tuple = { 0 };

	if (mnl_nlmsg_get_payload_len(header) < sizeof(struct inet_diag_msg))
		return MNL_CB_ERROR;
	diag_read_tuple(mnl_nlmsg_get_payload(header), &tuple);
	connections->fn(&tuple, connections->arg);
	return MNL_CB_OK;
}

static int on_half_open(const struct nlmsghdr *header, void *arg)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(header);
	struct half_opens *h = arg;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*m))
		return MNL_CB_ERROR;
	if (!h->wanted(ntohs(m->id.idiag_sport), h->arg))
		return MNL_CB_OK;
	h->seen++;
	if (h->count < DIAG_DESTROY_MAX && m->idiag_retrans >= h->resends)
		h->found[h->count++] = (struct half_open){ m->idiag_family, m->id };
	return MNL_CB_OK;
}

int diag_send_request(struct mnl_socket *socket, uint8_t family, uint32_t states)
{
	char buffer[512];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *request;

	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	request->sdiag_family = family;
	request->sdiag_protocol = IPPROTO_TCP;
	request->idiag_states = states;
	return mnl_socket_sendto(socket, header, header->nlmsg_len) < 0 ? -errno : 0;
}

static int dump_family(struct mnl_socket *socket, uint8_t family, struct dump *dump)
{
	char buffer[32768];
	unsigned int port = mnl_socket_get_portid(socket);
	int error = diag_send_request(socket, family, dump->states);
	int more = 1;

	while (!error && more > 0) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (length < 0)
			return -errno;
		more = mnl_cb_run(buffer, (size_t)length, 0, port, dump->on_message, dump->arg);
		if (more < 0)
			error = -errno;
	}
	return error;
}

struct mnl_socket *diag_open(void)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);

	if (socket && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(socket);
		return NULL;
	}
	return socket;
}

static int dump_both(struct mnl_socket *socket, struct dump *dump)
{
	int error = dump_family(socket, AF_INET, dump);

	return error ? error : dump_family(socket, AF_INET6, dump);
}

static int dump_all(struct dump *dump)
{
	struct mnl_socket *socket = diag_open();
	int error;

	if (!socket)
		return -errno;
	error = dump_both(socket, dump);
	mnl_socket_close(socket);
	return error;
}

int diag_each_connection(diag_connection_fn *fn, void *arg)
{
	struct connections connections = { .fn = fn, .arg = arg };
	struct dump dump = { CONNECTION_STATES, on_connection, &connections };

	return dump_all(&dump);
}

int diag_each_half_open(diag_connection_fn *fn, void *arg)
{
	struct connections connections = { .fn = fn, .arg = arg };
	struct dump dump = { HALF_OPEN_STATES, on_connection, &connections };

	return dump_all(&dump);
}

static void put_destroy(struct nlmsghdr *header, const struct half_open *h)
{
	struct inet_diag_req_v2 *request;

	header->nlmsg_type = SOCK_DESTROY;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	request->sdiag_family = h->family;
	request->sdiag_protocol = IPPROTO_TCP;
	request->idiag_states = HALF_OPEN_STATES;
	request->id = h->id;
}

static int send_batch(struct mnl_socket *socket, const struct half_open *found, size_t count)
{
	char buffer[DESTROY_BATCH * 128];
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		struct nlmsghdr *header = mnl_nlmsg_put_header(buffer + length);

		put_destroy(header, &found[i]);
		length += MNL_ALIGN(header->nlmsg_len);
	}
	return mnl_socket_sendto(socket, buffer, length) < 0 ? -errno : 0;
}

/* Reads COUNT acknowledgements; a socket that completed or went in the meantime (-ENOENT) is no error. */
static int read_acknowledgements(struct mnl_socket *socket, size_t count, int *destroyed)
{
	char buffer[32768];
	int error = 0;

	while (count) {
		ssize_t got = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		struct nlmsghdr *header = (struct nlmsghdr *)buffer;
		int left = (int)got;

		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		for (; mnl_nlmsg_ok(header, left) && count; header = mnl_nlmsg_next(header, &left), count--) {
			const struct nlmsgerr *reply = mnl_nlmsg_get_payload(header);

			if (header->nlmsg_type != NLMSG_ERROR)
				return -EPROTO;
			*destroyed += !reply->error;
			if (reply->error && reply->error != -ENOENT)
				error = reply->error;
		}
	}
	return error;
}

static int destroy_found(struct mnl_socket *socket, const struct half_opens *h)
{
	int destroyed = 0, error = 0;

	for (size_t i = 0; i < h->count && !error; i += DESTROY_BATCH) {
		size_t batch = h->count - i < DESTROY_BATCH ? h->count - i : DESTROY_BATCH;

		error = send_batch(socket, h->found + i, batch);
		if (!error)
			error = read_acknowledgements(socket, batch, &destroyed);
	}
	return error ? error : destroyed;
}

int diag_destroy_half_opens(unsigned int resends, diag_wanted_fn *wanted, void *arg, unsigned int *left)
{
	struct half_opens *h = calloc(1, sizeof(*h));
	struct dump dump = { HALF_OPEN_STATES, on_half_open, h };
	struct mnl_socket *socket;
	int result;

	if (!h)
		return -ENOMEM;
	h->resends = resends;
	h->wanted = wanted;
	h->arg = arg;
	socket = diag_open();
	result = socket ? dump_both(socket, &dump) : -errno;
	if (!result)
		result = destroy_found(socket, h);
	if (socket)
		mnl_socket_close(socket);
	*left = h->seen - (result > 0 ? (unsigned int)result : 0);
	free(h);
	return result;
}

/* --- single sockets --- */

void diag_close(struct mnl_socket *diag)
{
	if (diag)
		mnl_socket_close(diag);
}

static void id_fill(struct half_open *h, const struct tuple *t, unsigned int ifindex)
{
	*h = (struct half_open){ .family = t->v6 ? AF_INET6 : AF_INET };
	h->id.idiag_if = ifindex;
	h->id.idiag_sport = t->server_port;
	h->id.idiag_dport = t->client_port;
	h->id.idiag_cookie[0] = h->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	if (t->v6) {
		memcpy(h->id.idiag_src, t->server, sizeof(t->server));
		memcpy(h->id.idiag_dst, t->client, sizeof(t->client));
	} else {
		h->id.idiag_src[0] = t->server[3];
		h->id.idiag_dst[0] = t->client[3];
	}
}

static int on_info(const struct nlattr *attribute, void *arg)
{
	if (mnl_attr_get_type(attribute) == INET_DIAG_INFO)
		diag_read_info(mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute), arg);
	return MNL_CB_OK;
}

/* The kernel answers for the listener if there is no socket of the tuple's own. */
static int found_state(const struct nlmsghdr *header, struct half_open *h, struct diag_traffic *traffic)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(header);
	size_t length = mnl_nlmsg_get_payload_len(header);

	if (header->nlmsg_type == NLMSG_ERROR && length >= sizeof(int))
		return *(const int *)mnl_nlmsg_get_payload(header);
	if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY || length < sizeof(*m))
		return -EPROTO;
	if (diag_read_state(m) == TCP_LISTEN || diag_read_state(m) == TCP_CLOSE)
		return -ENOENT;
	h->family = m->idiag_family; /* a dual-stack socket is AF_INET6 */
	h->id = m->id;
	if (traffic)
		mnl_attr_parse(header, sizeof(*m), on_info, traffic);
	return (int)diag_read_state(m);
}

/* Fills in the cookie, which makes H that one socket, and traffic, which may be NULL. */
static int find_one(struct mnl_socket *diag, struct half_open *h, struct diag_traffic *traffic)
{
	char buffer[4096];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	ssize_t length;

	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	header->nlmsg_flags = NLM_F_REQUEST;
	request->sdiag_family = h->family;
	request->sdiag_protocol = IPPROTO_TCP;
	request->idiag_states = ~0U;
	request->idiag_ext = traffic ? 1U << (INET_DIAG_INFO - 1) : 0;
	request->id = h->id;
	if (mnl_socket_sendto(diag, header, header->nlmsg_len) < 0)
		return -errno;
	length = mnl_socket_recvfrom(diag, buffer, sizeof(buffer));
	if (length < 0)
		return -errno;
	header = (struct nlmsghdr *)buffer;
	return mnl_nlmsg_ok(header, (int)length) ? found_state(header, h, traffic) : -EPROTO;
}

int diag_find(struct mnl_socket *diag, const struct tuple *tuple, unsigned int ifindex)
{
	struct half_open h;

	id_fill(&h, tuple, ifindex);
	return find_one(diag, &h, NULL);
}

int diag_find_traffic(struct mnl_socket *diag, const struct tuple *tuple, unsigned int ifindex,
		      struct diag_traffic *traffic)
{
	struct half_open h;
	int state;

	*traffic = (struct diag_traffic){ 0 };
	id_fill(&h, tuple, ifindex);
	state = find_one(diag, &h, traffic);
	return state < 0 ? state : 0;
}

int diag_destroy(struct mnl_socket *diag, const struct tuple *tuple, unsigned int ifindex)
{
	struct half_open h;
	int result, destroyed = 0;

	id_fill(&h, tuple, ifindex);
	result = find_one(diag, &h, NULL);
	if (result < 0)
		return result;
	result = send_batch(diag, &h, 1);
	if (!result)
		result = read_acknowledgements(diag, 1, &destroyed);
	if (result)
		return result;
	return destroyed ? 0 : -ENOENT;
}
