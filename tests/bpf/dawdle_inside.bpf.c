// SPDX-License-Identifier: GPL-2.0
#include "tests/bpf/dawdle.bpf.h"
#include "bpf/xdp_inside.bpf.c"
