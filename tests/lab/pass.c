// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pass: keeps one of the programs of pass.bpf.c on an interface, in native mode, until it is ended.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <unistd.h>
#include "common.h"
#include "pass.skel.h"

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_link_create_opts, native, .flags = XDP_FLAGS_DRV_MODE);
	const struct bpf_program *program;
	struct pass_bpf *skel;
	unsigned int ifindex;

	if (argc < 2 || argc > 3)
		die(EXIT_USAGE, "usage: pass INTERFACE [PROGRAM]");
	ifindex = if_nametoindex(argv[1]);
	if (!ifindex)
		die(EXIT_FAILURE, "%s: no such interface", argv[1]);
	skel = pass_bpf__open_and_load();
	if (!skel)
		die(EXIT_FAILURE, "cannot load the BPF program: %s", strerror(errno));
	program = bpf_object__find_program_by_name(skel->obj, argc == 3 ? argv[2] : "pass");
	if (!program)
		die(EXIT_USAGE, "%s: no such program", argv[2]);
	if (bpf_link_create(bpf_program__fd(program), (int)ifindex, BPF_XDP, &native) < 0)
		die(EXIT_FAILURE, "%s: cannot attach: %s", argv[1], strerror(errno));
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
