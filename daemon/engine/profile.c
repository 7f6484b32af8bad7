// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See profile.h.
 */
#include "daemon/engine/profile.h"

#include <stdio.h>
#include <string.h>

#define WSCALE_MAX   14 /* RFC 7323, section 2.3 */
#define MTU_MIN	     576
#define MTU_MAX	     65535
#define HEADERS_IPV4 40 /* IP and TCP without options */
#define HEADERS_IPV6 60
#define MSS_MIN_IPV4 536
#define MSS_MIN_IPV6 1220

/* The number in column COLUMN (from 0) of a file under /proc/sys, or FALLBACK. */
static uint64_t read_sysctl(const char *path, int column, uint64_t fallback)
{
	unsigned long long value = fallback;
	FILE *file = fopen(path, "re");

	if (!file)
		return fallback;
	for (int i = 0; i <= column; i++)
		if (fscanf(file, "%llu", &value) != 1) {
			value = fallback;
			break;
		}
	fclose(file);
	return value;
}

void stack_settings_read(struct stack_settings *s)
{
	uint64_t tcp_rmem = read_sysctl("/proc/sys/net/ipv4/tcp_rmem", 2, 6291456);
	uint64_t rmem_max = read_sysctl("/proc/sys/net/core/rmem_max", 0, 212992);

	memset(s, 0, sizeof(*s)); /* padding too: readers compare whole */
	s->window_scaling = read_sysctl("/proc/sys/net/ipv4/tcp_window_scaling", 0, 1);
	s->sack = read_sysctl("/proc/sys/net/ipv4/tcp_sack", 0, 1);
	s->timestamps = read_sysctl("/proc/sys/net/ipv4/tcp_timestamps", 0, 1);
	s->ecn = read_sysctl("/proc/sys/net/ipv4/tcp_ecn", 0, 2);
	s->syncookies = read_sysctl("/proc/sys/net/ipv4/tcp_syncookies", 0, 1);
	s->rfc1337 = read_sysctl("/proc/sys/net/ipv4/tcp_rfc1337", 0, 0);
	s->conntrack_loose = read_sysctl("/proc/sys/net/netfilter/nf_conntrack_tcp_loose", 0, 1);
	s->receive_buffer_max = tcp_rmem > rmem_max ? tcp_rmem : rmem_max;
}

bool stack_forwards(const char *interface, bool v6)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv%d/conf/%s/forwarding", v6 ? 6 : 4, interface);
	return read_sysctl(path, 0, 1);
}

/* As tcp_select_initial_window() of the kernel: ilog2(space) - 15. */
static uint8_t window_scale(uint64_t space)
{
	int scale = -15;

	while (space > 1) {
		space >>= 1;
		scale++;
	}
	if (scale < 0)
		return 0;
	return (uint8_t)(scale > WSCALE_MAX ? WSCALE_MAX : scale);
}

static uint16_t announced_mss(unsigned int mtu, unsigned int headers, unsigned int least, uint16_t configured)
{
	unsigned int mss = (mtu < MTU_MIN ? MTU_MIN : mtu > MTU_MAX ? MTU_MAX : mtu) - headers;

	if (configured && configured < mss)
		mss = configured;
	return (uint16_t)(mss < least ? least : mss);
}

/* Whole segments, below 64 KiB: the window of a SYN-ACK is not scaled (RFC 7323, section 2.2). */
static uint16_t initial_window(uint16_t mss)
{
	return (uint16_t)(65535 / mss * mss);
}

void profile_service(const struct config_service *config, const struct stack_settings *settings,
		     unsigned int mtu, struct service *service)
{
	memset(service, 0, sizeof(*service));
	service->mode = (uint8_t)config->mode;
	service->wscale = window_scale(settings->receive_buffer_max);
	service->wscale_ok = settings->window_scaling;
	service->sack_ok = settings->sack;
	service->timestamps_ok = settings->timestamps;
	service->ecn_ok = settings->ecn;
	service->tcp_auth = config->tcp_auth;
	service->tcp_auth_pps = config->tcp_auth_rate_pps;
	service->mss4 = announced_mss(mtu, HEADERS_IPV4, MSS_MIN_IPV4, config->mss);
	service->mss6 = announced_mss(mtu, HEADERS_IPV6, MSS_MIN_IPV6, config->mss);
	service->window4 = initial_window(service->mss4);
	service->window6 = initial_window(service->mss6);
	service->half_open_high = config->half_open_high;
	service->syn_rate_high = config->syn_rate_high;
}

void profile_inline(const struct config *config, const struct config_service *of, struct service *service)
{
	service->wscale = (uint8_t)config->wscale;
	service->wscale_ok = service->sack_ok = service->timestamps_ok = 1;
	service->ecn_ok = 0; /* until the server has shown that it does it */
	service->agent = of->handover == SERVICE_AGENT;
	if (!service->agent)
		service->window4 = service->window6 = STASH_WINDOW;
}
