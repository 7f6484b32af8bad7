// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses to listen on. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/config/config.h"

/* 0: no port. */
static uint16_t parse_port(const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	return *text < '0' || *text > '9' || *end || port > UINT16_MAX ? 0 : (uint16_t)port;
}

static bool parse_ipv4(const char *host, uint16_t port, struct sockaddr_storage *address, unsigned int *size)
{
	struct sockaddr_in *in = (struct sockaddr_in *)address;

	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	*size = sizeof(*in);
	return inet_pton(AF_INET, host, &in->sin_addr) == 1;
}

static bool parse_ipv6(const char *host, uint16_t port, struct sockaddr_storage *address, unsigned int *size)
{
	struct sockaddr_in6 *in = (struct sockaddr_in6 *)address;

	in->sin6_family = AF_INET6;
	in->sin6_port = htons(port);
	*size = sizeof(*in);
	return inet_pton(AF_INET6, host, &in->sin6_addr) == 1;
}

bool config_parse_listen(const char *text, struct sockaddr_storage *address, unsigned int *size)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	uint16_t port = colon ? parse_port(colon + 1) : 0;
	char host[INET6_ADDRSTRLEN + 2];

	if (!port || !length || length >= sizeof(host))
		return false;
	memset(address, 0, sizeof(*address));
	memcpy(host, text, length);
	host[length] = '\0';
	if (host[0] != '[')
		return parse_ipv4(host, port, address, size);
	if (host[length - 1] != ']')
		return false;
	host[length - 1] = '\0';
	return parse_ipv6(host + 1, port, address, size);
}
