// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See cookie_reference.h.
 */
#include "tests/bpf/cookie_reference.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bpf/siphash_reference.h"

static const uint16_t mss_ipv4[8] = { 216, 536, 1200, 1360, 1400, 1440, 1452, 1460 };
static const uint16_t mss_ipv6[8] = { 216, 1220, 1340, 1360, 1380, 1400, 1420, 1440 };

struct message {
	uint8_t bytes[47];
	size_t length;
};

static void append_address(struct message *m, const char *text)
{
	bool v6 = strchr(text, ':');

	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, m->bytes + m->length) != 1)
		abort();
	m->length += v6 ? 16 : 4;
}

static void append_big(struct message *m, uint16_t value)
{
	m->bytes[m->length++] = (uint8_t)(value >> 8);
	m->bytes[m->length++] = (uint8_t)value;
}

static void append_little(struct message *m, uint32_t value, int length)
{
	for (int i = 0; i < length; i++)
		m->bytes[m->length++] = (uint8_t)(value >> 8 * i);
}

static uint32_t mac(const struct cookie_case *c, uint32_t option_word)
{
	struct message m = { .length = 0 };

	append_address(&m, c->client);
	append_address(&m, c->server);
	append_big(&m, c->client_port);
	append_big(&m, c->server_port);
	append_little(&m, c->client_isn, 4);
	append_little(&m, option_word, 4);
	append_little(&m, c->slot, 3);
	return (uint32_t)siphash_reference(1, 3, c->key, m.bytes, m.length);
}

static uint32_t mss_index(const struct cookie_case *c)
{
	const uint16_t *table = strchr(c->client, ':') ? mss_ipv6 : mss_ipv4;
	uint32_t index = 7;

	while (index && table[index] > c->mss)
		index--;
	return index;
}

struct cookie_answer cookie_reference(const struct cookie_case *c)
{
	uint32_t parity = c->slot % 2, index = mss_index(c);
	struct cookie_answer answer = { .mss = c->mss };
	uint32_t word;

	if (c->timestamps) {
		word = (uint32_t)c->mss << 16 | (uint32_t)c->wscale << 12 | (uint32_t)c->sack << 11 |
		       (uint32_t)c->ecn << 10 | parity << 9 | c->generation << 8;
		answer.tsval = word;
		answer.isn = mac(c, word);
		return answer;
	}
	word = parity << 31 | c->generation << 30 | index << 27 | (uint32_t)c->wscale << 23 |
	       (uint32_t)c->sack << 22 | (uint32_t)c->ecn << 21;
	answer.isn = word | (mac(c, word >> 21) & 0x1fffff);
	answer.mss = (strchr(c->client, ':') ? mss_ipv6 : mss_ipv4)[index];
	return answer;
}
