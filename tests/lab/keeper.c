// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * keeper: what a service manager does for a notify service with a store of file descriptors (sd_notify(3)),
 * where no systemd runs: starts it, starts it again whenever it ends, and hands it what it has stored.
 *
 *   keeper SOCKET COMMAND...
 *
 * SIGTERM stops it for good, and then everything that was stored is closed; SIGHUP restarts it, SIGUSR1 kills
 * it. Says in one line each what happens: start PID, ready PID, store NAME, remove NAME, exit STATUS, stored
 * COUNT.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define STORED_MAX 128
#define FIRST_FD   3 /* of those that are passed */

static struct {
	char name[128];
	int fd;
} stored[STORED_MAX];
static int stored_count;
static pid_t child;
static bool stopping;

static void die(const char *what)
{
	fprintf(stderr, "keeper: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void store(const char *name, int fd)
{
	for (int i = 0; i < stored_count; i++)
		if (!syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, fd, stored[i].fd)) {
			close(fd);
			return;
		}
	if (stored_count == STORED_MAX) {
		printf("full: %s\n", name);
		close(fd);
		return;
	}
	snprintf(stored[stored_count].name, sizeof(stored[0].name), "%s", name);
	stored[stored_count++].fd = fd;
	printf("store %s\n", name);
}

static void remove_all(const char *name)
{
	int kept = 0;

	for (int i = 0; i < stored_count; i++)
		if (strcmp(stored[i].name, name))
			stored[kept++] = stored[i];
		else
			close(stored[i].fd);
	if (kept != stored_count)
		printf("remove %s\n", name);
	stored_count = kept;
}

static void on_message(char *text, int fd)
{
	bool wants_store = false, wants_remove = false;
	char name[128] = "stored";

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (!strcmp(line, "READY=1"))
			printf("ready %d\n", child);
		wants_store |= !strcmp(line, "FDSTORE=1");
		wants_remove |= !strcmp(line, "FDSTOREREMOVE=1");
		if (!strncmp(line, "FDNAME=", 7))
			snprintf(name, sizeof(name), "%s", line + 7);
	}
	if (wants_remove)
		remove_all(name);
	if (wants_store && fd >= 0)
		store(name, fd);
	else if (fd >= 0)
		close(fd);
}

static bool receive(int notify)
{
	char text[1024], control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { text, sizeof(text) - 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	ssize_t length = recvmsg(notify, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c;
	int fd = -1;

	if (length < 0)
		return false;
	c = CMSG_FIRSTHDR(&message);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	text[length] = '\0';
	on_message(text, fd);
	return true;
}

/* In the child: passes all that is stored from FIRST_FD on. */
static void pass(void)
{
	static char names[STORED_MAX * 129];
	char number[16];
	size_t length = 0;

	for (int i = 0; i < stored_count; i++) { /* out of the way of the places they go to */
		stored[i].fd = fcntl(stored[i].fd, F_DUPFD, FIRST_FD + STORED_MAX);
		if (stored[i].fd < 0)
			die("dup");
	}
	for (int i = 0; i < stored_count; i++) {
		dup2(stored[i].fd, FIRST_FD + i);
		close(stored[i].fd);
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%.127s", i ? ":" : "",
					   stored[i].name);
	}
	snprintf(number, sizeof(number), "%d", getpid());
	setenv("LISTEN_PID", number, 1);
	snprintf(number, sizeof(number), "%d", stored_count);
	setenv("LISTEN_FDS", number, 1);
	setenv("LISTEN_FDNAMES", names, 1);
}

static void start(char **command)
{
	sigset_t none;

	child = fork();
	if (child < 0)
		die("fork");
	if (child) {
		printf("start %d\n", child);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	pass();
	execvp(command[0], command);
	die(command[0]);
}

static int open_notify(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		die(path);
	setenv("NOTIFY_SOCKET", path, 1);
	return fd;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void on_child(int notify, char **command)
{
	int status;

	if (waitpid(child, &status, WNOHANG) != child)
		return;
	while (receive(notify))
		;
	printf("exit %d\nstored %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
	       stored_count);
	if (stopping)
		exit(0);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		usleep(200000);
	start(command);
}

static void on_signal(int signals, int notify, char **command)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			on_child(notify, command);
			break;
		case SIGHUP:
			kill(child, SIGTERM);
			break;
		case SIGUSR1:
			kill(child, SIGKILL);
			break;
		default:
			stopping = true;
			kill(child, SIGTERM);
		}
	}
}

int main(int argc, char **argv)
{
	struct pollfd polled[2];

	if (argc < 3) {
		fprintf(stderr, "usage: keeper SOCKET COMMAND...\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	polled[0] = (struct pollfd){ .fd = open_notify(argv[1]), .events = POLLIN };
	polled[1] = (struct pollfd){ .fd = open_signals(), .events = POLLIN };
	start(argv + 2);
	for (;;) {
		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			die("poll");
		while (receive(polled[0].fd))
			;
		on_signal(polled[1].fd, polled[0].fd, argv + 2);
	}
}
