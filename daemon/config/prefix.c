/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address blocks: from text, to text, and what is wrong with a text that is none. IPv4 is kept v4-mapped, so
 * that one path serves both families. Calls nothing else of the daemon.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"

#define MAPPED_BITS 96 /* of an IPv4 address that is written as IPv6 */

enum prefix_fault { PREFIX_OK, PREFIX_NO_ADDRESS, PREFIX_MAPPED, PREFIX_LENGTH, PREFIX_HOST_BITS };

static const uint8_t mapped_head[12] = { [10] = 0xff, [11] = 0xff };

bool prefix_is_v4(const struct prefix *prefix)
{
	return IN6_IS_ADDR_V4MAPPED(&prefix->address) && prefix->length_bits >= MAPPED_BITS;
}

bool prefix_covers(const struct prefix *prefix, const struct in6_addr *address)
{
	const uint8_t *a = prefix->address.s6_addr, *b = address->s6_addr;
	unsigned int bytes = prefix->length_bits / 8U, rest = prefix->length_bits % 8U;

	return !memcmp(a, b, bytes) && (!rest || !((a[bytes] ^ b[bytes]) >> (8 - rest)));
}

static enum prefix_fault parse_address(const char *text, struct in6_addr *address, bool *v4)
{
	*v4 = !strchr(text, ':');
	if (*v4) {
		memcpy(address->s6_addr, mapped_head, sizeof(mapped_head));
		return inet_pton(AF_INET, text, &address->s6_addr[12]) == 1 ? PREFIX_OK : PREFIX_NO_ADDRESS;
	}
	if (inet_pton(AF_INET6, text, address) != 1)
		return PREFIX_NO_ADDRESS;
	return IN6_IS_ADDR_V4MAPPED(address) ? PREFIX_MAPPED : PREFIX_OK;
}

/* One to three digits without sign, space or leading zero. */
static enum prefix_fault parse_length(const char *text, unsigned int max, unsigned int *length)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 3 || text[digits] || (digits > 1 && text[0] == '0'))
		return PREFIX_LENGTH;
	*length = (unsigned int)strtoul(text, NULL, 10);
	return *length <= max ? PREFIX_OK : PREFIX_LENGTH;
}

/* Clears what lies beyond the length; true if something did. */
static bool mask_host_bits(struct prefix *prefix)
{
	bool found = false;

	for (unsigned int byte = 0; byte < 16; byte++) {
		unsigned int begin = byte * 8;
		unsigned int kept = prefix->length_bits <= begin ? 0 : prefix->length_bits - begin;
		uint8_t mask = kept >= 8 ? 0xff : (uint8_t)(0xff00 >> kept);

		found = found || (prefix->address.s6_addr[byte] & ~mask);
		prefix->address.s6_addr[byte] &= mask;
	}
	return found;
}

/* *prefix is set, with its host bits cleared, for PREFIX_OK and PREFIX_HOST_BITS; *v4 always. */
static enum prefix_fault prefix_check(const char *text, struct prefix *prefix, bool *v4)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchrnul(text, '/');
	size_t size = (size_t)(slash - text);
	enum prefix_fault fault;
	unsigned int length;

	*v4 = false;
	if (size >= sizeof(address))
		return PREFIX_NO_ADDRESS;
	memcpy(address, text, size);
	address[size] = '\0';
	fault = parse_address(address, &prefix->address, v4);
	if (fault)
		return fault;

	length = *v4 ? 32 : 128;
	if (*slash && parse_length(slash + 1, length, &length))
		return PREFIX_LENGTH;
	prefix->length_bits = (uint8_t)(*v4 ? length + MAPPED_BITS : length);
	return mask_host_bits(prefix) ? PREFIX_HOST_BITS : PREFIX_OK;
}

int prefix_parse(const char *text, struct prefix *prefix)
{
	struct prefix parsed;
	bool v4;

	if (prefix_check(text, &parsed, &v4))
		return -EINVAL;
	*prefix = parsed;
	return 0;
}

const char *prefix_format(const struct prefix *prefix, char *buffer, size_t size)
{
	bool v4 = prefix_is_v4(prefix);
	char address[INET6_ADDRSTRLEN];

	inet_ntop(v4 ? AF_INET : AF_INET6, &prefix->address.s6_addr[v4 ? 12 : 0], address, sizeof(address));
	snprintf(buffer, size, "%s/%u", address, prefix->length_bits - (v4 ? MAPPED_BITS : 0U));
	return buffer;
}

static void explain_host_bits(const char *text, const struct prefix *prefix, bool v4, char *buffer,
			      size_t size)
{
	int address = (int)strcspn(text, "/");
	char right[INET6_ADDRSTRLEN + 4];

	prefix_format(prefix, right, sizeof(right));
	snprintf(buffer, size,
		 "\"%s\" has bits set beyond its length: write \"%s\", or \"%.*s/%d\" for the one address",
		 text, right, address, text, v4 ? 32 : 128);
}

const char *prefix_explain(const char *text, char *buffer, size_t size)
{
	struct prefix prefix;
	bool v4;

	switch (prefix_check(text, &prefix, &v4)) {
	case PREFIX_OK:
		snprintf(buffer, size, "\"%.60s\" is a prefix", text);
		break;
	case PREFIX_NO_ADDRESS:
		snprintf(buffer, size,
			 "\"%.60s\" is not a prefix: write one such as \"192.0.2.0/24\" or \"2001:db8::/64\"",
			 text);
		break;
	case PREFIX_MAPPED:
		snprintf(buffer, size, "\"%.60s\" is IPv4 written as IPv6: write it as \"192.0.2.0/24\" is",
			 text);
		break;
	case PREFIX_LENGTH:
		snprintf(buffer, size, "\"%.60s\": the length of an %s prefix is a number from 0 to %d", text,
			 v4 ? "IPv4" : "IPv6", v4 ? 32 : 128);
		break;
	case PREFIX_HOST_BITS:
		explain_host_bits(text, &prefix, v4, buffer, size);
		break;
	}
	return buffer;
}
