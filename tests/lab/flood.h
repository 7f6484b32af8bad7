/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizes that flood.c and flood.bpf.c share. Powers of two where an index is masked with them.
 */
#ifndef SYNMOAT_LAB_FLOOD_H
#define SYNMOAT_LAB_FLOOD_H

#define FLOOD_FRAME_MAX	    2048
#define FLOOD_MAX_PORTS	    16
#define FLOOD_MAX_FLAGS	    8
#define FLOOD_MAX_PAYLOAD   1400
#define FLOOD_MAX_TIMESTAMP 12 /* bytes of options that end with TSval, in every layout that has one */

#endif
