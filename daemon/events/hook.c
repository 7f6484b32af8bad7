// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See hook.h.
 */
#include "daemon/events/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/events/events.h"
#include "daemon/events/variables.h"

#define PATH_GIVEN    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define KILL_PAUSE_MS 1000 /* between SIGTERM and SIGKILL */
#define LOOK_EVERY_MS 200  /* whether the daemon stops */

void hook_init(struct hook *hook)
{
	*hook = (struct hook){ .timeout_s = 0 };
	pthread_mutex_init(&hook->lock, NULL);
}

void hook_fini(struct hook *hook)
{
	free(hook->command);
	pthread_mutex_destroy(&hook->lock);
}

void hook_set(struct hook *hook, const struct hook_settings *settings)
{
	char *command = settings->command ? strdup(settings->command) : NULL;

	pthread_mutex_lock(&hook->lock);
	free(hook->command);
	hook->command = command;
	memcpy(hook->kinds, settings->kinds, sizeof(hook->kinds));
	hook->timeout_s = settings->timeout_s;
	pthread_mutex_unlock(&hook->lock);
}

void hook_leave(struct hook *hook)
{
	pthread_mutex_lock(&hook->lock);
	hook->stop = true;
	pthread_mutex_unlock(&hook->lock);
}

int hook_check(const char *command, char *text, size_t size)
{
	struct stat status;

	if (stat(command, &status)) {
		int error = -errno;

		snprintf(text, size, "cannot look at %s: %s", command, strerror(-error));
		return error;
	}
	if (!S_ISREG(status.st_mode))
		snprintf(text, size, "%s is not a file", command);
	else if (status.st_mode & (S_IWGRP | S_IWOTH))
		snprintf(text, size, "others than its owner can write to %s: chmod go-w %s", command,
			 command);
	else if (status.st_uid != 0 && status.st_uid != geteuid())
		snprintf(text, size, "%s belongs to uid %u, who could make us run anything: chown root %s",
			 command, status.st_uid, command);
	else if (access(command, X_OK))
		snprintf(text, size, "%s cannot be executed: chmod +x %s", command, command);
	else
		return 0;
	return -EPERM;
}

bool hook_wants(void *arg, const struct event_entry *event)
{
	struct hook *hook = arg;
	bool wanted;

	pthread_mutex_lock(&hook->lock);
	wanted = hook->command && !hook->stop && event->kind >= 0 && hook->kinds[event->kind];
	pthread_mutex_unlock(&hook->lock);
	return wanted;
}

/* --- the child --- */

/* Between vfork and exec: system calls only. */
static void become(const char *command, char *const *environment, int null)
{
	char *const arguments[] = { (char *)command, NULL };
	sigset_t none;

	setpgid(0, 0); /* so that a time limit meets its children, too */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	dup2(null, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(command, arguments, environment);
	_exit(127);
}

/* A negative errno, or the child. */
static pid_t spawn(const char *command, char *const *environment)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), error;
	pid_t child;

	if (null < 0)
		return -errno;
	child = vfork(); // NOLINT(clang-analyzer-security.insecureAPI.vfork): fork copies hundreds of MB of
			 // page tables
	if (!child)
		become(command, environment, null); // NOLINT(clang-analyzer-unix.Vfork): see there
	error = errno;
	close(null);
	return child < 0 ? -error : child;
}

/* --- waiting --- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static bool is_left(struct hook *hook)
{
	bool left;

	pthread_mutex_lock(&hook->lock);
	left = hook->stop;
	pthread_mutex_unlock(&hook->lock);
	return left;
}

/* True: it has ended. */
static bool wait_until(struct hook *hook, int pidfd, int64_t until_ms)
{
	struct pollfd child = { .fd = pidfd, .events = POLLIN };

	for (;;) {
		int64_t left_ms = until_ms - now_ms();

		if (poll(&child, 1,
			 left_ms < 0		   ? 0
			 : left_ms < LOOK_EVERY_MS ? (int)left_ms
						   : LOOK_EVERY_MS) > 0)
			return true;
		if (left_ms <= 0 || is_left(hook))
			return false;
	}
}

static void end(struct hook *hook, pid_t child, int pidfd)
{
	kill(-child, SIGTERM);
	wait_until(hook, pidfd, now_ms() + KILL_PAUSE_MS);
	kill(-child, SIGKILL); /* its own children may have stayed; the child is not reaped, so the number is
				  its own */
}

static void tell(const char *command, const struct event_entry *event, const char *outcome, int status)
{
	event_tell(EVENT_HOOK_FAILED, EV_TEXT("command", command), EV_TEXT("of_event", event->name),
		   EV_NUMBER("of_number", (int64_t)event->number), EV_TEXT("outcome", outcome),
		   EV_NUMBER("status", status));
}

/* Tells how it ended when that was not well. */
static void judge(const char *command, const struct event_entry *event, int status, unsigned int limit_s)
{
	char outcome[96];

	if (limit_s)
		snprintf(outcome, sizeof(outcome), "killed after %u s (events.hook_timeout_s)", limit_s);
	else if (WIFSIGNALED(status))
		snprintf(outcome, sizeof(outcome), "ended by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == 127)
		snprintf(outcome, sizeof(outcome), "could not be run (exit status 127)");
	else if (WEXITSTATUS(status))
		snprintf(outcome, sizeof(outcome), "exit status %d", WEXITSTATUS(status));
	else
		return;
	tell(command, event, outcome, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void wait_for(struct hook *hook, const char *command, unsigned int timeout_s, pid_t child,
		     const struct event_entry *event)
{
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0), status = 0;
	bool ended = pidfd >= 0 && wait_until(hook, pidfd, now_ms() + timeout_s * INT64_C(1000));

	if (!ended && is_left(hook)) {
		close(pidfd);
		return; /* the daemon stops; it goes on */
	}
	if (!ended)
		end(hook, child, pidfd);
	if (pidfd >= 0)
		close(pidfd);
	if (waitpid(child, &status, 0) == child)
		judge(command, event, status, ended ? 0 : timeout_s);
}

static void call(struct hook *hook, const char *command, unsigned int timeout_s,
		 const struct event_entry *event)
{
	struct variables environment = { 0 };
	char time[32], text[512];
	pid_t child;

	if (hook_check(command, text, sizeof(text))) {
		tell(command, event, text, -1);
		return;
	}
	variables_add(&environment, PATH_GIVEN);
	variables_add(&environment, "SYNMOAT_TIME=%s", event_format_time(event->wall_us, time, sizeof(time)));
	variables_add(&environment, "SYNMOAT_SEVERITY=%s", catalogue_severity_word(event->severity));
	variables_add(&environment, "SYNMOAT_TEXT=%s", event->text);
	variables_add_event(&environment, event);
	child = spawn(command, environment.items);
	variables_fini(&environment);
	if (child < 0)
		tell(command, event, strerror(-child), -1);
	else
		wait_for(hook, command, timeout_s, child, event);
}

int hook_call(void *arg, struct event_entry *const *events, size_t count)
{
	struct hook *hook = arg;
	unsigned int timeout_s;
	char *command;

	for (size_t i = 0; i < count; i++) {
		pthread_mutex_lock(&hook->lock);
		command = hook->command ? strdup(hook->command) : NULL;
		timeout_s = hook->timeout_s;
		pthread_mutex_unlock(&hook->lock);
		if (command)
			call(hook, command, timeout_s, events[i]);
		free(command);
	}
	return 0;
}

void hook_left_out(void *arg, uint64_t count)
{
	struct hook *hook = arg;
	char command[256];

	pthread_mutex_lock(&hook->lock);
	snprintf(command, sizeof(command), "%s", hook->command ? hook->command : "");
	pthread_mutex_unlock(&hook->lock);
	event_tell(EVENT_HOOK_LEFT_OUT, EV_TEXT("command", command), EV_NUMBER("count", (int64_t)count),
		   EV_NUMBER("queued", HOOK_WAITING_MOST));
}
