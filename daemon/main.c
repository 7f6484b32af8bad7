// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * synmoatd: start-up as a list, shut-down as its mirror. All work happens in the event loop of the parts
 * started here.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "daemon/control/control.h"
#include "daemon/control/doctor_method.h"
#include "daemon/control/protocol.h"
#include "daemon/doctor/doctor.h"
#include "daemon/engine/engine.h"
#include "daemon/events/events.h"
#include "daemon/fdstore.h"
#include "daemon/log.h"
#include "daemon/metrics/metrics.h"
#include "daemon/pass.h"
#include "daemon/tracker/tracker.h"
#include "daemon/watch/watch.h"

#define DEFAULT_CONFIG "/etc/synmoat/synmoat.conf"
#define DEFAULT_STATE  "/var/lib/synmoat"

enum { EXIT_USAGE = 2, START_AGAIN_S = 1 };

struct settings {
	const char *config, *socket, *state, *check, *pass;
	bool json, doctor, running;
	bool done; /* help or version was asked for */
};

struct daemon {
	sd_event *event;
	struct fdstore *store;
	struct engine *engine;
	struct tracker *tracker;
	struct watch *watch;
	struct metrics *metrics;
	struct control *control;
};

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' }, { "socket", required_argument, NULL, 's' },
	{ "state", required_argument, NULL, 'd' },  { "check", required_argument, NULL, 'k' },
	{ "doctor", no_argument, NULL, 'D' },	    { "pass", required_argument, NULL, 'p' },
	{ "foreground", no_argument, NULL, 'f' },   { "json", no_argument, NULL, 'j' },
	{ "version", no_argument, NULL, 'V' },	    { "help", no_argument, NULL, 'h' },
	{ "running", no_argument, NULL, 'R' },	    { NULL, 0, NULL, 0 },
};

static void print_usage(FILE *out)
{
	fprintf(out, "Usage: synmoatd [--foreground] [--config FILE] [--socket PATH] [--state DIR]\n"
		     "       synmoatd --check FILE [--json]\n"
		     "       synmoatd --doctor [--config FILE] [--state DIR] [--running]\n"
		     "       synmoatd --pass PEER\n"
		     "\n"
		     "SYN-flood defence: loads the fast path, attaches it, and serves the control socket.\n"
		     "\n"
		     "  -c, --config FILE   configuration (default " DEFAULT_CONFIG ")\n"
		     "  -s, --socket PATH   control socket (default " CONTROL_SOCKET ",\n"
		     "                      or the one that systemd passes)\n"
		     "      --state DIR     what outlives the daemon (default " DEFAULT_STATE ")\n"
		     "  -f, --foreground    stay in the foreground (it always does; said for clarity)\n"
		     "      --check FILE    only check FILE, and say what is wrong with it\n"
		     "  -j, --json          with --check: say it as JSON\n"
		     "      --doctor        look at the machine, and say as JSON what is in the way (synmoat "
		     "doctor\n"
		     "                      shows it)\n"
		     "      --running       with --doctor: a synmoatd runs, with a configuration of its own\n"
		     "      --pass PEER     leave an XDP program that passes everything on a veth's peer, so "
		     "that\n"
		     "                      answers leave the veth (off: ip link set PEER xdp off)\n"
		     "  -V, --version       print the version\n"
		     "  -h, --help          print this\n");
}

static int parse_options(int argc, char **argv, struct settings *settings)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:s:fjVh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			settings->config = optarg;
			break;
		case 's':
			settings->socket = optarg;
			break;
		case 'd':
			settings->state = optarg;
			break;
		case 'k':
			settings->check = optarg;
			break;
		case 'D':
			settings->doctor = true;
			break;
		case 'R':
			settings->running = true;
			break;
		case 'p':
			settings->pass = optarg;
			break;
		case 'f':
			break;
		case 'j':
			settings->json = true;
			break;
		case 'V':
			puts("synmoatd " SYNMOAT_VERSION);
			settings->done = true;
			return 0;
		case 'h':
			print_usage(stdout);
			settings->done = true;
			return 0;
		default:
			print_usage(stderr);
			return -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "synmoatd: unexpected argument '%s'\n", argv[optind]);
		print_usage(stderr);
		return -EINVAL;
	}
	return 0;
}

static int load_config(const char *path, struct config **config)
{
	struct config_error error = { 0 };
	char text[1024];
	int result = config_load(path, config, &error);

	if (result)
		log_print(LOG_ERR, "%s", config_error_format(&error, text, sizeof(text)));
	return result;
}

static void print_check(const char *path, const struct config *config, const struct config_error *error)
{
	json_t *said = config ? json_pack("{s:s,s:b,s:I}", "file", path, "ok", 1, "services",
					  (json_int_t)config->service_count)
			      : json_pack("{s:s,s:b,s:{s:s,s:i,s:s,s:s}}", "file", path, "ok", 0, "error",
					  "file", error->file, "line", (int)error->line, "key", error->key,
					  "text", error->text);

	json_dumpf(said, stdout, JSON_INDENT(2));
	puts("");
	json_decref(said);
}

static int check_config(const char *path, bool json)
{
	struct config_error error = { 0 };
	struct config *config = NULL;
	char text[1024];
	int result = config_load(path, &config, &error);

	if (!result)
		result = engine_check_config(config, &error);
	if (result) {
		config_free(config);
		config = NULL;
	}
	if (json)
		print_check(path, config, &error);
	else if (result)
		fprintf(stderr, "%s\n", config_error_format(&error, text, sizeof(text)));
	else
		printf("%s: ok, %zu service%s\n", path, config->service_count,
		       config->service_count == 1 ? "" : "s");
	config_free(config);
	return result ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Without a running daemon, so with the eyes of whoever asks. */
static int run_doctor(const struct settings *settings)
{
	struct doctor doctor = { .root = "", .state = settings->state, .running = settings->running };
	struct config_error error = { 0 };
	struct findings findings = { 0 };
	struct config *config = NULL;
	char text[1024];
	int result = EXIT_FAILURE;
	json_t *said;

	if (config_load(settings->config, &config, &error)) {
		findings_add(&findings, SEVERITY_CRITICAL, "config", "%s",
			     config_error_format(&error, text, sizeof(text)));
		findings_advise(&findings, "put that right: synmoat config check %s", settings->config);
		said = doctor_method_encode(&findings);
	} else {
		doctor.config = config;
		said = doctor_method_run(&doctor);
	}
	if (said) {
		json_dumpf(said, stdout, JSON_INDENT(2));
		result = puts("") < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	json_decref(said);
	findings_fini(&findings);
	config_free(config);
	return result;
}

static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
	const struct daemon *d = arg;

	event_tell(EVENT_DAEMON_STOPPED, EV_TEXT("signal", info->ssi_signo == SIGINT ? "SIGINT" : "SIGTERM"),
		   EV_FLAG("kept", fdstore_keeps(d->store)));
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
	struct daemon *d = arg;
	struct config_error error = { 0 };
	char text[1024];

	(void)source;
	(void)info;
	if (engine_reload(d->engine, &error)) {
		event_tell(EVENT_CONFIG_REFUSED, EV_TEXT("signal", "SIGHUP"),
			   EV_TEXT("error", config_error_format(&error, text, sizeof(text))));
		return 0;
	}
	control_configuration_changed(d->control);
	event_tell(EVENT_CONFIG_RELOADED, EV_TEXT("config", engine_get_config(d->engine)->path),
		   EV_NUMBER("services", (int64_t)engine_get_config(d->engine)->service_count),
		   EV_TEXT("signal", "SIGHUP"));
	return 0;
}

static int add_signals(struct daemon *d)
{
	sigset_t signals;
	int error;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	error = sd_event_add_signal(d->event, NULL, SIGTERM, on_terminate, d);
	if (error >= 0)
		error = sd_event_add_signal(d->event, NULL, SIGINT, on_terminate, d);
	if (error >= 0)
		error = sd_event_add_signal(d->event, NULL, SIGHUP, on_hangup, d);
	return error;
}

static int start_engine(struct daemon *d, struct config *config, const char *state)
{
	struct config_error error = { 0 };
	char text[1024];
	int result = engine_new(&d->engine, d->event, config, state, d->store, &error);

	if (result < 0) {
		log_print(LOG_ERR, "%s",
			  *error.text ? config_error_format(&error, text, sizeof(text)) : strerror(-result));
		config_free(config);
	}
	return result;
}

static int start_tracker(struct daemon *d)
{
	int error = tracker_new(&d->tracker, d->event, d->engine);

	if (error < 0)
		log_print(LOG_ERR, "endpoint tracking: %s", strerror(-error));
	return error;
}

static int start_watch(struct daemon *d)
{
	int error = watch_new(&d->watch, d->event, d->engine);

	if (error < 0)
		log_print(LOG_ERR, "SYN_RECV watch: %s", strerror(-error));
	return error;
}

static int start_metrics(struct daemon *d)
{
	int error = metrics_new(&d->metrics, d->event, d->engine, d->tracker, d->watch);

	if (error < 0)
		log_print(LOG_ERR, "metrics: %s", strerror(-error));
	return error;
}

static int start_control(struct daemon *d, const char *socket)
{
	const struct control_parts parts = { d->engine, d->tracker, d->watch, d->metrics };
	int error = control_new(&d->control, d->event, &parts, fdstore_socket(d->store), socket,
				engine_get_config(d->engine)->control_group);

	if (error < 0)
		log_print(LOG_ERR, "control socket: %s", strerror(-error));
	return error;
}

/* The last of all: what start-up takes is no lateness of the loop. */
static int start_clocks(struct daemon *d)
{
	int error = events_attach(d->event);

	if (error < 0)
		log_print(LOG_ERR, "events: %s", strerror(-error));
	return error;
}

static int start(struct daemon *d, const struct settings *settings)
{
	struct config *config = NULL;
	int error;

	d->store = fdstore_new();
	if (!d->store)
		return -ENOMEM;
	error = control_check(fdstore_socket(d->store), settings->socket);
	if (!error)
		error = load_config(settings->config, &config);
	if (!error)
		error = sd_event_default(&d->event);
	if (error >= 0)
		error = add_signals(d);
	if (error >= 0)
		events_open(settings->state);
	if (error < 0)
		config_free(config);
	else
		error = start_engine(d, config, settings->state);
	if (error >= 0)
		error = start_tracker(d);
	if (error >= 0)
		error = start_watch(d);
	if (error >= 0)
		error = start_metrics(d);
	if (error >= 0)
		error = start_control(d, settings->socket);
	if (error >= 0)
		error = start_clocks(d);
	if (error >= 0)
		fdstore_drop_rest(d->store);
	if (error >= 0)
		sd_event_set_watchdog(d->event, 1);
	return error;
}

static void stop(struct daemon *d)
{
	control_free(d->control);
	metrics_free(d->metrics);
	watch_free(d->watch);
	tracker_free(d->tracker);
	engine_free(d->engine);
	fdstore_free(d->store);
	events_close();
	sd_event_unref(d->event);
}

static void tell_started(const struct daemon *d)
{
	const struct config *config = engine_get_config(d->engine);

	event_tell(EVENT_DAEMON_STARTED, EV_TEXT("version", SYNMOAT_VERSION),
		   EV_TEXT("deployment", config->deployment == DEPLOYMENT_INLINE ? "inline" : "host"),
		   EV_TEXT("config", config->path), EV_NUMBER("services", (int64_t)config->service_count),
		   EV_FLAG("unclean", !events_ended_well()));
}

int main(int argc, char **argv)
{
	struct settings settings = { .config = DEFAULT_CONFIG, .state = DEFAULT_STATE };
	struct daemon d = { 0 };
	bool up = false;
	int result;

	/* what a start needs for a moment goes back to the kernel, or later allocations would lie far apart
	 */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	if (parse_options(argc, argv, &settings))
		return EXIT_USAGE;
	if (settings.done)
		return EXIT_SUCCESS;
	if (settings.check)
		return check_config(settings.check, settings.json);
	if (settings.doctor)
		return run_doctor(&settings);
	if (settings.pass)
		return pass_run(settings.pass);
	prctl(PR_SET_DUMPABLE, 0); /* no core dump holds a key */
	result = start(&d, &settings);
	if (result >= 0) {
		up = true;
		sd_notify(0, "READY=1");
		tell_started(&d);
		result = sd_event_loop(d.event);
		sd_notify(0, "STOPPING=1");
		if (result < 0)
			event_tell(EVENT_DAEMON_STOPPED, EV_TEXT("error", strerror(-result)));
	} else if (d.event) {
		event_tell(EVENT_DAEMON_STOPPED, EV_TEXT("error", "it could not start, as its log says"));
	}
	stop(&d);
	if (result < 0 && !up && getenv("NOTIFY_SOCKET"))
		sleep(START_AGAIN_S); /* the manager starts us again at once, and most likely in vain */
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
