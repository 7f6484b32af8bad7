// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See http.h: libmicrohttpd without a thread of its own. Its epoll descriptor and its timeouts become sources
 * of our loop. It counts silence only, so a client that drips is ended by us, at its deadline.
 */
#include "daemon/metrics/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "daemon/metrics/negotiate.h"

#define CONNECTIONS_MAX	 32
#define CONNECTION_BYTES 8192 /* of memory, request headers included */
#define SILENCE_S	 2
#define DEADLINE_US	 UINT64_C(3000000) /* of a connection, in all */
#define CHECK_US	 UINT64_C(250000)
#define ACCURACY_US	 UINT64_C(1000)

struct place {
	int fd; /* -1: free */
	uint64_t until_us;
};

struct http {
	struct MHD_Daemon *daemon;
	sd_event_source *io, *timer, *check;
	http_page_fn *page;
	void *arg;
	struct place places[CONNECTIONS_MAX];
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* --- answers --- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status,
			      struct MHD_Response *response, const char *type)
{
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned int status, char *text)
{
	return answer(connection, status,
		      MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_PERSISTENT),
		      "text/plain; charset=utf-8");
}

static enum MHD_Result answer_page(const struct http *h, struct MHD_Connection *connection)
{
	enum exposition_format format = negotiate_format(
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
	static char no_memory[] = "out of memory\n";
	size_t length;
	char *text = h->page(format, &length, h->arg);

	if (!text)
		return answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, no_memory);
	return answer(connection, MHD_HTTP_OK,
		      MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE),
		      negotiate_content_type(format));
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *body,
				  size_t *body_size, void **state)
{
	static char not_allowed[] = "only GET and HEAD\n", not_found[] = "see /metrics\n";

	(void)version, (void)body, (void)body_size, (void)state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, not_allowed);
	if (strcmp(url, "/metrics") != 0)
		return answer_text(connection, MHD_HTTP_NOT_FOUND, not_found);
	return answer_page(arg, connection);
}

/* --- deadlines --- */

static struct place *free_place(struct http *h)
{
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		if (h->places[i].fd < 0)
			return &h->places[i];
	return NULL;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct place *place = code == MHD_CONNECTION_NOTIFY_STARTED ? free_place(arg) : *context;
	struct http *h = arg;

	if (!place)
		return;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		place->fd = -1;
		return;
	}
	*context = place;
	place->fd = info ? info->connect_fd : -1;
	place->until_us = now_us() + DEADLINE_US;
	if (sd_event_source_set_time_relative(h->check, CHECK_US) >= 0)
		sd_event_source_set_enabled(h->check, SD_EVENT_ONESHOT);
}

/* What is shut down, libmicrohttpd reads to its end and closes. */
static int on_check(sd_event_source *source, uint64_t usec, void *arg)
{
	struct http *h = arg;
	uint64_t now = now_us();
	bool any = false;

	(void)usec;
	for (int i = 0; i < CONNECTIONS_MAX; i++) {
		if (h->places[i].fd < 0)
			continue;
		any = true;
		if (now >= h->places[i].until_us)
			shutdown(h->places[i].fd, SHUT_RDWR);
	}
	if (!any)
		return 0;
	sd_event_source_set_time_relative(source, CHECK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* --- running it --- */

static int run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;

	MHD_run(h->daemon);
	if (MHD_get_timeout(h->daemon, &wait_ms) != MHD_YES)
		return sd_event_source_set_enabled(h->timer, SD_EVENT_OFF);
	sd_event_source_set_time_relative(h->timer, wait_ms * 1000);
	return sd_event_source_set_enabled(h->timer, SD_EVENT_ONESHOT);
}

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	(void)source, (void)fd, (void)events;
	return run(arg);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source, (void)usec;
	return run(arg);
}

static int add_sources(struct http *h, struct sd_event *event)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int error = info ? sd_event_add_io(event, &h->io, info->epoll_fd, EPOLLIN, on_ready, h) : -ENOTSUP;

	if (error >= 0)
		error = sd_event_add_time_relative(event, &h->timer, CLOCK_MONOTONIC, 0, ACCURACY_US,
						   on_timeout, h);
	return error < 0 ? error : 0;
}

/* An address that the host does not have yet will do. */
static int listen_on(const char *text)
{
	struct sockaddr_storage address;
	unsigned int size;
	int fd, on = 1, error = 0;

	if (!config_parse_listen(text, &address, &size))
		return -EINVAL;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)); /* of IPv6, too */
	if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, CONNECTIONS_MAX))
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error;
}

static int start(struct http *h, struct sd_event *event, const char *listen)
{
	int fd, error = sd_event_add_time_relative(event, &h->check, CLOCK_MONOTONIC, CHECK_US, ACCURACY_US,
						   on_check, h);

	if (error < 0)
		return error;
	fd = listen_on(listen);
	if (fd < 0)
		return fd;
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET,
				     fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)SILENCE_S,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
				     MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_END);
	if (!h->daemon) {
		close(fd);
		return -EIO;
	}
	return add_sources(h, event);
}

int http_new(struct http **http, struct sd_event *event, const char *listen, http_page_fn *page, void *arg)
{
	struct http *h = calloc(1, sizeof(*h));
	int error;

	if (!h)
		return -ENOMEM;
	h->page = page;
	h->arg = arg;
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		h->places[i].fd = -1;
	error = start(h, event, listen);
	if (error < 0) {
		http_free(h);
		return error;
	}
	*http = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	sd_event_source_disable_unref(h->io);
	sd_event_source_disable_unref(h->timer);
	sd_event_source_disable_unref(h->check);
	if (h->daemon)
		MHD_stop_daemon(h->daemon); /* closes what it listens on */
	free(h);
}
