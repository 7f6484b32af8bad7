/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One question to the kernel over netlink, and its answers. Waits for them.
 */
#ifndef SYNMOAT_NETLINK_ASK_H
#define SYNMOAT_NETLINK_ASK_H

#include <libmnl/libmnl.h>

/* family: NETLINK_ROUTE … on_answer as mnl_cb_run() calls it. 0 or -1. */
int netlink_ask(int family, const struct nlmsghdr *question, mnl_cb_t on_answer, void *arg);

#endif
