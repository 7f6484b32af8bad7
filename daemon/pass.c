// SPDX-License-Identifier: GPL-2.0-or-later
/* See pass.h. */
#include "daemon/pass.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* return XDP_PASS; a file descriptor, or a negative errno. Jumbo frames pass as well. */
static int load(void)
{
	static const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_XDP_HAS_FRAGS);

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "synmoat_pass", "GPL", program, ARRAY_SIZE(program),
			     &options);
}

/* Not by a link, which would end with us. -EBUSY: there is a program already. */
static int attach(unsigned int ifindex)
{
	int fd = load(), error;

	if (fd < 0)
		return fd;
	error = bpf_xdp_attach((int)ifindex, fd, XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	close(fd);
	return error;
}

int pass_run(const char *interface)
{
	unsigned int ifindex = if_nametoindex(interface);
	int error;

	libbpf_set_print(NULL); /* what went wrong is for us to say */
	error = ifindex ? attach(ifindex) : -ENODEV;
	if (error) {
		fprintf(stderr, "synmoatd: %s: %s\n", interface,
			error == -EBUSY ? "has an XDP program already" : strerror(-error));
		return EXIT_FAILURE;
	}
	printf("%s: an XDP program passes everything; to take it off: ip link set dev %s xdp off\n",
	       interface, interface);
	return EXIT_SUCCESS;
}
