// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See metrics.h. The page is made at most twice a second, however often it is asked for.
 */
#include "daemon/metrics/metrics.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "daemon/engine/engine.h"
#include "daemon/events/events.h"
#include "daemon/log.h"
#include "daemon/metrics/collect.h"
#include "daemon/metrics/http.h"

#define FOLLOW_US   1000000
#define ACCURACY_US 100000
#define FRESH_MS    500
#define RETRY_S	    10

struct page {
	char *text;
	size_t length;
	uint64_t made_ms;
};

struct metrics {
	struct collect_sources sources;
	struct health *health;
	struct sd_event *event;
	sd_event_source *timer;
	struct http *http;
	char *listen;	      /* that http has, or could not have */
	unsigned int retry_s; /* until it is tried again */
	struct page pages[EXPOSITION_FORMATS];
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

char *metrics_render(const struct metrics *m, enum exposition_format format, size_t *length)
{
	struct exposition *x = exposition_new(format);
	char *text = NULL;

	if (x) {
		collect_all(&m->sources, x);
		text = exposition_finish(x, length);
	}
	exposition_free(x);
	return text;
}

void metrics_get_health(const struct metrics *m, struct health_status *status)
{
	health_get(m->health, status);
}

/* --- the page --- */

static char *page(enum exposition_format format, size_t *length, void *arg)
{
	struct metrics *m = arg;
	struct page *p = &m->pages[format];
	char *copy;

	if (!p->text || now_ms() - p->made_ms >= FRESH_MS) {
		free(p->text);
		p->text = metrics_render(m, format, &p->length);
		p->made_ms = now_ms();
	}
	copy = p->text ? malloc(p->length) : NULL;
	if (copy) {
		memcpy(copy, p->text, p->length);
		*length = p->length;
	}
	return copy;
}

static void open_page(struct metrics *m, bool again)
{
	int error = http_new(&m->http, m->event, m->listen, page, m);

	m->retry_s = RETRY_S;
	if (error && !again)
		event_tell(EVENT_METRICS_FAILED, EV_TEXT("listen", m->listen),
			   EV_TEXT("error", strerror(-error)), EV_NUMBER("retry_s", RETRY_S));
	else if (!error)
		log_print(LOG_INFO, "metrics: at http://%s/metrics", m->listen);
}

static void follow_config(struct metrics *m)
{
	const char *wanted = engine_get_config(m->sources.engine)->metrics_listen;
	bool again = m->listen && !strcmp(m->listen, wanted);

	if (again && (m->http || !strcmp(wanted, "off") || --m->retry_s))
		return;
	if (!again) {
		http_free(m->http);
		m->http = NULL;
		free(m->listen);
		m->listen = strdup(wanted);
	}
	if (m->listen && strcmp(m->listen, "off") != 0)
		open_page(m, again);
}

static int on_follow(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)usec;
	follow_config(arg);
	sd_event_source_set_time_relative(source, FOLLOW_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* --- life --- */

/* The same moment for each daemon that counts on. */
static double created_s(struct engine *engine)
{
	struct engine_status status;
	struct timespec real, monotonic;

	engine_get_status(engine, &status);
	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	return (double)(real.tv_sec - monotonic.tv_sec) + (double)status.counted_since_s +
	       (double)(real.tv_nsec - monotonic.tv_nsec) / 1e9;
}

int metrics_new(struct metrics **metrics, struct sd_event *event, struct engine *engine,
		struct tracker *tracker, const struct watch *watch)
{
	struct metrics *m = calloc(1, sizeof(*m));
	int error;

	if (!m)
		return -ENOMEM;
	m->event = sd_event_ref(event);
	error = health_new(&m->health, event);
	m->sources = (struct collect_sources){ engine, tracker, watch, m->health, created_s(engine) };
	if (error >= 0)
		error = sd_event_add_time_relative(event, &m->timer, CLOCK_MONOTONIC, FOLLOW_US, ACCURACY_US,
						   on_follow, m);
	if (error < 0) {
		metrics_free(m);
		return error;
	}
	follow_config(m);
	*metrics = m;
	return 0;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	sd_event_source_disable_unref(m->timer);
	http_free(m->http);
	health_free(m->health);
	for (int format = 0; format < EXPOSITION_FORMATS; format++)
		free(m->pages[format].text);
	free(m->listen);
	sd_event_unref(m->event);
	free(m);
}
