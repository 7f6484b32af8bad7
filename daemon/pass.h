/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An XDP program that passes everything, for a veth's peer: without one there, what XDP sends back over the
 * veth is not fetched. It stays on the interface by itself.
 */
#ifndef SYNMOAT_PASS_H
#define SYNMOAT_PASS_H

/* Leaves it on the interface, natively, and says so. An exit status. */
int pass_run(const char *interface);

#endif
