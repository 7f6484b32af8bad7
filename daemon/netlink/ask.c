// SPDX-License-Identifier: GPL-2.0-or-later
/* See ask.h. */
#include "daemon/netlink/ask.h"

#include <stdlib.h>

#define MESSAGE_SIZE 65536

int netlink_ask(int family, const struct nlmsghdr *question, mnl_cb_t on_answer, void *arg)
{
	struct mnl_socket *socket = mnl_socket_open2(family, SOCK_CLOEXEC);
	char *buffer = malloc(MESSAGE_SIZE);
	int result = socket && buffer && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) >= 0 &&
				     mnl_socket_sendto(socket, question, question->nlmsg_len) >= 0
			     ? MNL_CB_OK
			     : MNL_CB_ERROR;

	while (result == MNL_CB_OK) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, MESSAGE_SIZE);

		result = length < 0 ? MNL_CB_ERROR : mnl_cb_run(buffer, (size_t)length, 0, 0, on_answer, arg);
	}
	if (socket)
		mnl_socket_close(socket);
	free(buffer);
	return result == MNL_CB_ERROR ? -1 : 0;
}
