// SPDX-License-Identifier: GPL-2.0-or-later
/* See hook.h. */
#include "daemon/maps/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "daemon/fdstore.h"
#include "daemon/log.h"

/* linux/bpf.h of Debian 12 does not know tcx (kernel 6.6); libbpf 1.1 passes the numbers through. */
#define TCX_INGRESS 46
#define TCX_EGRESS  47

#define NAME_SIZE 64

static bool is_xdp(enum hook_place place)
{
	return place == LINK_XDP || place == LINK_XDP_INSIDE;
}

static const char *const words[] = {
	[LINK_TC_INGRESS] = "tcx-ingress",
	[LINK_TC_EGRESS] = "tcx-egress",
	[LINK_XDP_INSIDE] = "xdp-inside",
	[LINK_XDP] = "xdp-outside",
};

static void print_program_name(enum hook_place place, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "program.%s", words[place]);
}

/* In the store; XDP of another mode is another link. */
static void print_name(enum hook_place place, bool generic, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "link.%s%s", words[place],
		 !is_xdp(place) ? ""
		 : generic	? ".generic"
				: ".native");
}

void hooks_init(struct hooks *h, struct fdstore *store)
{
	h->store = store;
	h->inherited = fdstore_find(store, "link.") != NULL;
	for (int i = 0; i < LINK_COUNT; i++)
		h->links[i] = h->before[i] = -1;
}

/* tcx has its interface where XDP has it. 0: it has gone. */
static int read_interface(int link, unsigned int *ifindex)
{
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(link, &info, &length))
		return -errno;
	*ifindex = info.xdp.ifindex;
	return 0;
}

/* Closing alone would not do: the store holds it, too. */
static void detach(struct hooks *h, int link, const char *name)
{
	bpf_link_detach(link);
	fdstore_remove(h->store, name);
}

static void detach_stored(struct hooks *h, enum hook_place place, bool generic)
{
	char name[NAME_SIZE];
	int link;

	print_name(place, generic, name);
	link = fdstore_get(h->store, name);
	if (link >= 0)
		detach(h, link, name);
}

static int duplicate_program(const struct hooks *h, enum hook_place place)
{
	char name[NAME_SIZE];
	int program;

	print_program_name(place, name);
	program = fdstore_get(h->store, name);
	return program < 0 ? -1 : fcntl(program, F_DUPFD_CLOEXEC, 0);
}

/* 1: taken over; 0: there is none that would do. */
static int take_over(struct hooks *h, enum hook_place place, int program, unsigned int ifindex,
		     const char *name)
{
	int link = fdstore_get(h->store, name), error;
	unsigned int hangs_on = 0;

	if (link < 0)
		return 0;
	error = read_interface(link, &hangs_on);
	if (error)
		return error;
	if (hangs_on != ifindex) {
		detach(h, link, name);
		return 0;
	}
	error = bpf_link_update(link, program, NULL);
	if (error)
		return error;
	h->links[place] = fcntl(link, F_DUPFD_CLOEXEC, 0);
	h->before[place] = duplicate_program(h, place);
	fdstore_claim(h->store, name);
	return 1;
}

static int create(enum hook_place place, int program, unsigned int ifindex, bool generic)
{
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);

	if (is_xdp(place))
		return bpf_link_create(program, (int)ifindex, BPF_XDP, &options);
	return bpf_link_create(program, (int)ifindex, place == LINK_TC_INGRESS ? TCX_INGRESS : TCX_EGRESS,
			       NULL);
}

int hook_attach(struct hooks *h, enum hook_place place, int program, unsigned int ifindex, bool generic)
{
	char name[NAME_SIZE];
	int taken;

	if (is_xdp(place))
		detach_stored(h, place, !generic);
	print_name(place, generic, name);
	taken = take_over(h, place, program, ifindex, name);
	if (taken)
		return taken < 0 ? taken : 0;
	h->links[place] = create(place, program, ifindex, generic);
	if (h->links[place] < 0)
		return h->links[place];
	fdstore_put(h->store, name, h->links[place]);
	return 0;
}

static void forget_programs_before(struct hooks *h)
{
	for (int i = 0; i < LINK_COUNT; i++) {
		if (h->before[i] >= 0)
			close(h->before[i]);
		h->before[i] = -1;
	}
	h->inherited = false;
}

void hooks_settle(struct hooks *h, const int programs[LINK_COUNT])
{
	char name[NAME_SIZE];

	forget_programs_before(h);
	for (int i = 0; i < LINK_COUNT; i++) {
		print_program_name((enum hook_place)i, name);
		fdstore_remove(h->store, name);
		if (programs[i] >= 0)
			fdstore_put(h->store, name, programs[i]);
	}
}

/* Of what was taken over here: the store keeps it, and another daemon will find it there. */
static bool put_back(struct hooks *h, enum hook_place place)
{
	int before = h->before[place];

	if (before < 0)
		return false;
	if (bpf_link_update(h->links[place], before, NULL))
		log_print(
			LOG_ERR,
			"the program of before could not be put back (%s): another one goes on in its place",
			strerror(errno));
	close(before);
	h->before[place] = -1;
	return true;
}

static void detach_place(struct hooks *h, enum hook_place place)
{
	char name[NAME_SIZE];

	bpf_link_detach(h->links[place]);
	for (int generic = 0; generic < 2; generic++) {
		print_name(place, generic, name);
		fdstore_remove(h->store, name);
	}
	print_program_name(place, name);
	fdstore_remove(h->store, name);
}

void hooks_roll_back(struct hooks *h)
{
	for (int i = LINK_COUNT - 1; i >= 0; i--)
		if (h->links[i] >= 0 && !put_back(h, (enum hook_place)i))
			detach_place(h, (enum hook_place)i);
	hooks_close(h);
}

void hooks_detach(struct hooks *h)
{
	for (int i = LINK_COUNT - 1; i >= 0; i--)
		if (h->links[i] >= 0)
			detach_place(h, (enum hook_place)i);
	forget_programs_before(h);
	hooks_close(h);
}

void hooks_leave_others(struct hooks *h, bool inline_mode)
{
	for (int i = 0; i < LINK_COUNT; i++) {
		bool ours = i == LINK_XDP || (i == LINK_XDP_INSIDE) == inline_mode;

		for (int generic = 0; !ours && generic < 2; generic++)
			detach_stored(h, (enum hook_place)i, generic);
	}
}

void hooks_close(struct hooks *h)
{
	for (int i = LINK_COUNT - 1; i >= 0; i--) {
		if (h->links[i] >= 0)
			close(h->links[i]);
		h->links[i] = -1;
	}
}

static bool is_dead(int link)
{
	unsigned int ifindex = 0;

	return link >= 0 && !read_interface(link, &ifindex) && !ifindex;
}

bool hooks_dead(const struct hooks *h)
{
	for (int i = 0; i < LINK_COUNT; i++)
		if (is_dead(h->links[i]))
			return true;
	return false;
}
