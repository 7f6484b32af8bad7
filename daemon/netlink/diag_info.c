// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What tcp(7) counts of a connection. In a file of its own, as linux/tcp.h and netinet/tcp.h exclude each
 * other, and only the former has all of it.
 */
#include <linux/tcp.h>
#include <string.h>

#include "daemon/netlink/diag.h"

void diag_read_info(const void *data, size_t size, struct diag_traffic *traffic)
{
	struct tcp_info info = { 0 };

	memcpy(&info, data, size < sizeof(info) ? size : sizeof(info));
	traffic->client_bytes = info.tcpi_bytes_received;
	traffic->server_bytes = info.tcpi_bytes_acked;
	traffic->client_packets = info.tcpi_segs_in;
	traffic->server_packets = info.tcpi_segs_out;
	traffic->known = true;
}
