// SPDX-License-Identifier: GPL-2.0-or-later
/* The exposure report: what listens and no service declares, what should never be open, and what is declared
 * and does not listen. */
#include "daemon/doctor/exposure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"
#include "daemon/doctor/doctor.h"
#include "daemon/netlink/diag.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define BACKLOG_LEAST	  256 /* mitigation begins at a quarter of it */
#define PORTS_TEXT	  160
#define SLICE_US	  5000

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

static bool is_declared(const struct config *config, const struct exposed *listener)
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
static bool is_first_exposed(const struct exposed *listeners, size_t index)
{
	if (is_local(&listeners[index].address))
		return false;
	for (size_t i = index; i-- > 0 && listeners[i].port == listeners[index].port;)
		if (!is_local(&listeners[i].address))
			return false;
	return true;
}

static void judge_sharing(const struct config *config, const struct exposed *listeners, size_t count,
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
static void judge_undeclared(const struct config *config, const struct exposed *listeners, size_t count,
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

static const struct exposed *find_listener(const struct config_service *service, const struct port_span *span,
					   const struct exposed *listeners, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (listeners[i].port >= span->first && listeners[i].port <= span->last &&
		    covers_address(service, &listeners[i].address))
			return &listeners[i];
	return NULL;
}

static void judge_service(const struct config_service *service, const struct exposed *listeners, size_t count,
			  struct findings *f)
{
	for (size_t i = 0; i < service->port_count; i++) {
		const struct port_span *span = &service->ports[i];
		const struct exposed *listener = find_listener(service, span, listeners, count);

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

void exposure_judge(const struct config *config, const struct exposed *listeners, size_t count,
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
	struct exposed *items;
	size_t count;
	bool failed;
};

static void add_listener(const struct diag_entry *entry, void *arg)
{
	struct listing *listing = arg;
	struct exposed *items;

	if (!entry->listens)
		return;
	items = reallocarray(listing->items, listing->count + 1, sizeof(*items));
	listing->failed |= !items;
	if (!items)
		return;
	listing->items = items;
	items += listing->count++;
	memcpy(&items->address, entry->server, sizeof(items->address));
	items->port = entry->port;
	items->backlog = entry->limit;
}

static int list_listeners(struct listing *listing)
{
	struct diag_dump *dump;
	int result = diag_dump_new(&dump);

	if (result)
		return result;
	result = diag_dump_begin(dump, false);
	if (!result)
		result = 1;
	while (result > 0)
		result = diag_dump_step(dump, SLICE_US, add_listener, listing);
	diag_dump_free(dump);
	return result;
}

static int compare(const void *a, const void *b)
{
	const struct exposed *first = a, *second = b;

	return (first->port > second->port) - (first->port < second->port);
}

void exposure_check(const struct doctor *doctor, struct findings *f)
{
	struct listing listing = { 0 };

	if (list_listeners(&listing) || listing.failed) {
		findings_add(f, SEVERITY_NOTE, "exposure", "the listening sockets could not be read");
	} else {
		if (listing.count)
			qsort(listing.items, listing.count, sizeof(*listing.items), compare);
		exposure_judge(doctor->config, listing.items, listing.count, f);
	}
	free(listing.items);
}
