// SPDX-License-Identifier: GPL-2.0-or-later
/* The interface description, as the file beside this one has it. */
#include "daemon/control/methods.h"

extern const char io_synmoat_varlink[];

__asm__(".pushsection .rodata\n"
	"io_synmoat_varlink:\n"
	".incbin \"daemon/control/io.synmoat.varlink\"\n"
	".byte 0\n"
	".popsection\n");

const char *methods_description(void)
{
	return io_synmoat_varlink;
}
