// SPDX-License-Identifier: GPL-2.0-or-later
/* The listening socket. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/control/listener.h"
#include "daemon/log.h"

#define SOCKET_MODE 0666 /* who may do what is decided by request, not at the door */

static int make_address(struct sockaddr_un *address, const char *path)
{
	size_t length = strlen(path);

	if (!length)
		return -EINVAL;
	if (length >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path, path, length);
	return 0;
}

/* -ECONNREFUSED: nobody; 0: someone does, even if too busy to take us. */
static int somebody_answers(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) && errno != EAGAIN)
		error = -errno;
	close(fd);
	return error;
}

static int clear_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int error;

	if (lstat(address->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	error = somebody_answers(address);
	if (error != -ECONNREFUSED)
		return error ? error : -EADDRINUSE;
	return unlink(address->sun_path) && errno != ENOENT ? -errno : 0;
}

/* For a daemon started by hand; systemd's RuntimeDirectory= has made it otherwise. */
static void make_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	if (mkdir(folder, 0755) == 0)
		log_print(LOG_INFO, "control: made the folder %s", folder);
}

static int bind_and_listen(struct listener *listener, const struct sockaddr_un *address)
{
	struct stat st;

	if (bind(listener->fd, (const struct sockaddr *)address, sizeof(*address)))
		return -errno;
	if (chmod(address->sun_path, SOCKET_MODE) || lstat(address->sun_path, &st) ||
	    listen(listener->fd, SOMAXCONN)) {
		int error = -errno;

		unlink(address->sun_path);
		return error;
	}
	memcpy(listener->path, address->sun_path, sizeof(listener->path));
	listener->device = st.st_dev;
	listener->inode = st.st_ino;
	return 0;
}

static int open_path(struct listener *listener, const char *path)
{
	struct sockaddr_un address;
	int error = make_address(&address, path);

	if (error)
		return error;
	make_folder(path);
	error = clear_stale(&address);
	if (error)
		return error;
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return -errno;
	error = bind_and_listen(listener, &address);
	if (error) {
		close(listener->fd);
		listener->fd = -1;
	}
	return error;
}

static const char *reason(int error)
{
	switch (error) {
	case -EADDRINUSE:
		return "another synmoatd answers there: stop it, or give another --socket";
	case -EEXIST:
		return "what stands there is not a socket: move it away, or give another --socket";
	default:
		return strerror(-error);
	}
}

int listener_init(struct listener *listener, int passed, const char *path)
{
	int error;

	*listener = (struct listener){ .fd = passed };
	if (listener->fd >= 0)
		return fcntl(listener->fd, F_SETFL, O_NONBLOCK) ? -errno : 0;
	error = open_path(listener, path);
	if (error)
		log_print(LOG_ERR, "control: cannot listen on %s: %s", path, reason(error));
	return error;
}

int listener_check(int passed, const char *path)
{
	struct sockaddr_un address;

	if (passed >= 0 || make_address(&address, path) || somebody_answers(&address))
		return 0;
	log_print(LOG_ERR, "control: cannot listen on %s: %s", path, reason(-EADDRINUSE));
	return -EADDRINUSE;
}

/* Another daemon may have put its own socket there meanwhile. */
static bool path_is_ours(const struct listener *listener)
{
	struct stat st;

	return *listener->path && lstat(listener->path, &st) == 0 && st.st_dev == listener->device &&
	       st.st_ino == listener->inode;
}

void listener_fini(struct listener *listener)
{
	if (path_is_ours(listener))
		unlink(listener->path);
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
}
