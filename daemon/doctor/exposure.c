// SPDX-License-Identifier: GPL-2.0-or-later
/* The exposure report: what listens and no service declares, what should never be open, and what is declared
 * and does not listen. */
#include "daemon/doctor/exposure.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"
#include "daemon/doctor/doctor.h"
#include "daemon/netlink/diag.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define BACKLOG_LEAST	  256 /* mitigation begins at a quarter of it */
#define PORTS_TEXT	  160

static const struct sharing {
	uint16_t port;
	const char *name;
} sharings[] = { { 111, "rpcbind" }, { 139, "NetBIOS" }, { 445, "SMB" }, { 2049, "NFS" } };

static bool is_any(const struct in6_addr *address)
{
	static const struct in6_addr any4 = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	return IN6_IS_ADDR_UNSPECIFIED(address) || !memcmp(address, &any4, sizeof(any4));
}

static bool is_local(const struct in6_addr *address)
{
	return IN6_IS_ADDR_LOOPBACK(address) ||
	       (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

static bool covers_port(const struct config_service *service, uint16_t port)
{
	for (size_t i = 0; i < service->port_count; i++)
		if (port >= service->ports[i].first && port <= service->ports[i].last)
			return true;
	return false;
}

static bool covers_address(const struct config_service *service, const struct in6_addr *address)
{
	for (size_t i = 0; i < service->prefix_count; i++)
		if (prefix_covers(&service->prefixes[i], address))
			return true;
	return is_any(address);
}

static bool is_declared(const struct config *config, const struct listener *listener)
{
	for (size_t i = 0; i < config->service_count; i++)
		if (covers_port(&config->services[i], listener->port) &&
		    covers_address(&config->services[i], &listener->address))
			return true;
	return false;
}

static const struct sharing *find_sharing(uint16_t port)
{
	for (size_t i = 0; i < ARRAY_SIZE(sharings); i++)
		if (sharings[i].port == port)
			return &sharings[i];
	return NULL;
}

/* The first of the listeners that have this port, and can be reached from outside. */
static bool is_first_exposed(const struct listener *listeners, size_t index)
{
	if (is_local(&listeners[index].address))
		return false;
	for (size_t i = index; i-- > 0 && listeners[i].port == listeners[index].port;)
		if (!is_local(&listeners[i].address))
			return false;
	return true;
}

static void judge_sharing(const struct config *config, const struct listener *listeners, size_t count,
			  struct findings *f)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		const struct sharing *sharing = find_sharing(listeners[i].port);

		if (!sharing || !is_first_exposed(listeners, i))
			continue;
		any = true;
		findings_add(f, is_declared(config, &listeners[i]) ? SEVERITY_WARNING : SEVERITY_CRITICAL,
			     "file-sharing", "port %u (%s) listens on an address that others can reach",
			     sharing->port, sharing->name);
		findings_advise(
			f, "stop it, bind it to an inner address, or drop it: protected = ( { prefixes = "
			   "[ ... ]; closed = \"enforce\"; } )");
	}
	if (!any)
		findings_add(f, SEVERITY_OK, "file-sharing", "ports 111, 139, 445 and 2049 are closed");
}

/* "22, 8080 and 3 more" */
static void judge_undeclared(const struct config *config, const struct listener *listeners, size_t count,
			     struct findings *f)
{
	char ports[PORTS_TEXT] = "";
	size_t used = 0, found = 0, left_out = 0;
	uint16_t last = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_local(&listeners[i].address) || is_declared(config, &listeners[i]) ||
		    find_sharing(listeners[i].port) || listeners[i].port == last)
			continue;
		last = listeners[i].port;
		found++;
		if (used + 8 < sizeof(ports))
			used += (size_t)snprintf(ports + used, sizeof(ports) - used, "%s%u", used ? ", " : "",
						 listeners[i].port);
		else
			left_out++;
	}
	if (!found) {
		findings_add(f, SEVERITY_OK, "exposure", "every port that listens is a service's, or local");
		return;
	}
	if (left_out)
		snprintf(ports + used, sizeof(ports) - used, " and %zu more", left_out);
	findings_add(f, SEVERITY_WARNING, "exposure", "listening, but no service declares it: port %s",
		     ports);
	findings_advise(
		f, "declare it (mode = \"off\" leaves it alone), bind it to 127.0.0.1, or stop it; ss -ltnp "
		   "tells whose it is");
}

static const struct listener *find_listener(const struct config_service *service,
					    const struct port_span *span, const struct listener *listeners,
					    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (listeners[i].port >= span->first && listeners[i].port <= span->last &&
		    covers_address(service, &listeners[i].address))
			return &listeners[i];
	return NULL;
}

static void judge_service(const struct config_service *service, const struct listener *listeners,
			  size_t count, struct findings *f)
{
	for (size_t i = 0; i < service->port_count; i++) {
		const struct port_span *span = &service->ports[i];
		const struct listener *listener = find_listener(service, span, listeners, count);

		if (!listener) {
			findings_add(f, SEVERITY_NOTE, "service", "%s: nothing listens on port %u%s",
				     service->name, span->first,
				     span->first == span->last ? "" : ", or the rest of its span");
		} else if (listener->backlog < BACKLOG_LEAST && !service->half_open_high) {
			findings_add(f, SEVERITY_NOTE, "service",
				     "%s: port %u has a backlog of %u: mitigation begins at %u half-opens",
				     service->name, listener->port, listener->backlog, listener->backlog / 4);
			findings_advise(f, "let the server listen with a longer backlog (1024)");
		}
	}
}

void exposure_judge(const struct config *config, const struct listener *listeners, size_t count,
		    struct findings *f)
{
	judge_sharing(config, listeners, count, f);
	if (config->deployment != DEPLOYMENT_HOST) /* inline the servers are elsewhere */
		return;
	judge_undeclared(config, listeners, count, f);
	for (size_t i = 0; i < config->service_count; i++)
		judge_service(&config->services[i], listeners, count, f);
}

/* --- the listeners of this network namespace --- */

struct listing {
	struct listener *items;
	size_t count;
	bool failed;
};

static int on_listener(const struct nlmsghdr *header, void *arg)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(header);
	struct listing *listing = arg;
	struct listener *items = reallocarray(listing->items, listing->count + 1, sizeof(*listing->items)),
			*added;

	listing->failed |= !items;
	if (!items || mnl_nlmsg_get_payload_len(header) < sizeof(*m))
		return MNL_CB_OK;
	listing->items = items;
	added = &items[listing->count++];
	*added = (struct listener){ .port = ntohs(m->id.idiag_sport), .backlog = m->idiag_wqueue };
	if (m->idiag_family == AF_INET) {
		added->address.s6_addr[10] = added->address.s6_addr[11] = 0xff;
		memcpy(&added->address.s6_addr[12], m->id.idiag_src, 4);
	} else {
		memcpy(&added->address, m->id.idiag_src, sizeof(added->address));
	}
	return MNL_CB_OK;
}

static int dump(uint8_t family, struct listing *listing)
{
	char buffer[32768];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct mnl_socket *socket = diag_open();
	struct inet_diag_req_v2 *question;
	int result = MNL_CB_OK;

	if (!socket)
		return -errno;
	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	question = mnl_nlmsg_put_extra_header(header, sizeof(*question));
	question->sdiag_family = family;
	question->sdiag_protocol = IPPROTO_TCP;
	question->idiag_states = 1U << TCP_LISTEN;
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		result = MNL_CB_ERROR;
	while (result == MNL_CB_OK) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		result = length < 0 ? MNL_CB_ERROR
				    : mnl_cb_run(buffer, (size_t)length, 0, 0, on_listener, listing);
	}
	diag_close(socket);
	return result == MNL_CB_ERROR ? -EIO : 0;
}

static int compare(const void *a, const void *b)
{
	const struct listener *first = a, *second = b;

	return (first->port > second->port) - (first->port < second->port);
}

void exposure_check(const struct doctor *doctor, struct findings *f)
{
	struct listing listing = { 0 };

	if (dump(AF_INET, &listing) || dump(AF_INET6, &listing) || listing.failed) {
		findings_add(f, SEVERITY_NOTE, "exposure", "the listening sockets could not be read");
	} else {
		if (listing.count)
			qsort(listing.items, listing.count, sizeof(*listing.items), compare);
		exposure_judge(doctor->config, listing.items, listing.count, f);
	}
	free(listing.items);
}
