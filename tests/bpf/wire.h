/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The far end of a TAP interface: puts segments into the namespace's real TCP stack and takes what it sends,
 * so that sockets of every state exist to be looked up.
 */
#ifndef SYNMOAT_TESTS_WIRE_H
#define SYNMOAT_TESTS_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bpf/frame.h"

/* Makes the interface; returns a descriptor or -1. */
int wire_open(const char *name);
void wire_drain(int wire);
void wire_send(int wire, const struct frame_spec *spec);

/* Waits up to half a second for a segment to PORT; false: none came. */
bool wire_receive(int wire, uint16_t port, struct frame *frame, struct frame_view *view);

/* A client's side of a connection: the next segment that it would send. */
struct wire_client {
	int wire;
	struct frame_spec next;
};

/* Opens up to the state that the name says. Fails the test if the stack does not follow. */
struct wire_client wire_half_open(int wire, const char *client, uint16_t port, const char *server,
				  uint16_t server_port);
struct wire_client wire_connect(int wire, const char *client, uint16_t port, const char *server,
				uint16_t server_port);

/* The server has closed: answers its FIN with a FIN, so that its side goes to TIME_WAIT. */
void wire_close_after(struct wire_client *c);

#endif
