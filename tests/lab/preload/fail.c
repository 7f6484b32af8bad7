// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Before libc's by LD_PRELOAD: bpf(2) fails while a program starts, in whichever thread (strace counts each
 * alone). $LAB_FAIL is ERROR:NUMBER, ENOMEM or EPERM, of the call of that number, from 1 on; ERROR:NUMBER+:
 * of that and all that follow. The file $LAB_FAIL_LOG gets a line for each: its number, its command. A start
 * ends when its loop begins.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned int calls;
static bool started;

static const char *command_name(long command)
{
	switch (command) {
	case BPF_MAP_CREATE:
		return "BPF_MAP_CREATE";
	case BPF_MAP_FREEZE:
		return "BPF_MAP_FREEZE";
	case BPF_PROG_LOAD:
		return "BPF_PROG_LOAD";
	case BPF_LINK_CREATE:
		return "BPF_LINK_CREATE";
	case BPF_LINK_UPDATE:
		return "BPF_LINK_UPDATE";
	default:
		return NULL;
	}
}

static void list(unsigned int number, long command)
{
	const char *path = getenv("LAB_FAIL_LOG"), *name = command_name(command);
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	if (name)
		dprintf(fd, "%u %s\n", number, name);
	else
		dprintf(fd, "%u command-%ld\n", number, command);
	close(fd);
}

/* The error that the call of this number is to fail with; 0: none. */
static int failure(unsigned int number)
{
	const char *text = getenv("LAB_FAIL");
	char error[16], more = '\0';
	unsigned int first;

	if (!text || sscanf(text, "%15[^:]:%u%c", error, &first, &more) < 2)
		return 0;
	if (number != first && (more != '+' || number < first))
		return 0;
	return strcmp(error, "EPERM") ? ENOMEM : EPERM;
}

long syscall(long number, ...)
{
	static long (*next)(long, ...);
	long argument[6];
	unsigned int call;
	va_list list_of;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	va_start(list_of, number);
	for (int i = 0; i < 6; i++)
		argument[i] = va_arg(list_of, long);
	va_end(list_of);
	if (number == SYS_bpf && !__atomic_load_n(&started, __ATOMIC_RELAXED)) {
		call = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
		list(call, argument[0]);
		errno = failure(call);
		if (errno)
			return -1;
	}
	return next(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}

int epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
	static int (*next)(int, struct epoll_event *, int, int);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "epoll_wait");
	__atomic_store_n(&started, true, __ATOMIC_RELAXED);
	return next(fd, events, most, timeout);
}
