/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command of the command line is, and running one: call the daemon, show the reply, or say what went
 * wrong and what to do. The table of commands is in main.c.
 */
#ifndef SYNMOAT_CLI_COMMANDS_H
#define SYNMOAT_CLI_COMMANDS_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/render.h"

#define DEFAULT_CONFIG "/etc/synmoat/synmoat.conf"

enum exit_code { EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_NOT_RUNNING, EXIT_PERMISSION };

#define THRESHOLDS_MAX 16

struct options {
	const char *socket;
	bool json, watch, now, cancel, help;
	bool history;
	bool follow, kinds;
	int port;	  /* 0: not given */
	int count;	  /* 0: as many as the daemon thinks best */
	double timeout_s; /* negative: none */
	double interval_s;
	double every_s;		 /* of top; 0: not given */
	const char *after_watch; /* the word after a --watch without seconds; NULL: none */
	enum color_choice color;
	bool force;
	const char *duration, *reason, *origin, *service, *since; /* NULL: not given */
	const char *attack;
	struct {
		const char *text;
		bool critical;
	} thresholds[THRESHOLDS_MAX];
	size_t threshold_count;
};

/* Options that not every command takes. */
enum command_takes {
	TAKES_JSON = 1,
	TAKES_WATCH = 2,
	TAKES_NOW = 4,
	TAKES_CANCEL = 8,
	TAKES_TIMEOUT = 16,
	TAKES_FORCE = 64,
	TAKES_FOR = 128,
	TAKES_REASON = 256,
	TAKES_ORIGIN = 512,
	TAKES_COUNT = 1024,
	TAKES_PORT = 2048,
	TAKES_HISTORY = 4096,
	TAKES_SERVICE = 8192,
	TAKES_THRESHOLDS = 16384,
	TAKES_FOLLOW = 32768,
	TAKES_SINCE = 65536,
	TAKES_KINDS = 131072,
	TAKES_INTERVAL = 262144
};
#define FOLLOWS                                                                                              \
	32 /* in takes, no option: what the method begins goes on, and each reply is shown as it comes */

struct command {
	const char *object, *verb; /* verb NULL: the object alone is the command */
	const char *arguments;	   /* for the usage */
	int least, most;	   /* arguments */
	unsigned int takes;
	const char *help;
	/* One method and how its reply is shown; or run, which does all by itself. */
	const char *method;
	json_t *(*parameters)(char **arguments, const struct options *options); /* NULL: none */
	void (*show)(struct render *render, const json_t *reply);
	int (*run)(char **arguments, const struct options *options);
	bool alone; /* show has something to say without a reply, which is NULL then */
};

int command_run(const struct command *command, char **arguments, const struct options *options);

/* parameters of the table; they return NULL when they have said what is wrong with the arguments, json_null()
 * when they have said why these are not to be obeyed. */
json_t *parameters_name(char **arguments, const struct options *options);
json_t *parameters_mode(char **arguments, const struct options *options);
json_t *parameters_rotate(char **arguments, const struct options *options);
json_t *parameters_flow(char **arguments, const struct options *options);
json_t *parameters_flows(char **arguments, const struct options *options);
json_t *parameters_count(char **arguments, const struct options *options);
json_t *parameters_sources(char **arguments, const struct options *options);
json_t *parameters_limit(char **arguments, const struct options *options);
json_t *parameters_bypass(char **arguments, const struct options *options);
json_t *parameters_drain(char **arguments, const struct options *options);

/* run of the table: hands over to synmoatd --check. */
int run_config_check(char **arguments, const struct options *options);

/* Becomes the daemon of the same build or installation as this program, else the one in PATH; returns, with
 * errno set, when there is none. */
void command_exec_daemon(char **argv);

/* For a run that calls the daemon: says what went wrong, and returns the exit code. */
int command_say_unreachable(const char *path, int error);
int command_say_error(const char *error, const json_t *parameters);

#endif
