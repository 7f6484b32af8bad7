/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The handler of SynRecv: half-opens by listener, and their history. */
#ifndef SYNMOAT_CONTROL_WATCH_METHODS_H
#define SYNMOAT_CONTROL_WATCH_METHODS_H

struct request;

void handle_syn_recv(struct request *request);

#endif
